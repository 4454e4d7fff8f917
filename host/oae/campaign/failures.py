"""The runs of a campaign that do not PASS, each in a run directory of its own.

A run is the same wherever it is played, so it is played again here, for its trace.
"""

import json
import shutil
import tempfile
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Final

from oae.campaign.request import Request
from oae.campaign.store import Store
from oae.campaign.swarm import Drawn, drawn, parameters
from oae.campaign.tasks import judged
from oae.capture.record import IN_RUN, record
from oae.engines.compiled import Engine, Outcome
from oae.engines.rtl import ROOT
from oae.engines.rundir import Value, manifest
from oae.errors import OaeError
from oae.scenario.compile import compile_scenario, write
from oae.toolchain import tool_versions
from oae.trace import Trace, TraceError

FOLDER: Final = "failures"
# A trace is some megabytes; of further runs only the scenario is kept.
WHOLE_MOST: Final = 100


def keep_all(
    folder: Path, request: Request, store: Store, tell: Callable[[int, int], None]
) -> None:
    """See to it that every run that does not PASS has its directory."""
    failed = store.failed()
    for number, (seed, *_) in enumerate(failed):
        tell(number, len(failed))
        out = folder / FOLDER / f"seed-{seed}"
        if not out.exists():
            _keep(out, drawn(seed, request.builds), request, store, whole=number < WHOLE_MOST)


def _keep(out: Path, run: Drawn, request: Request, store: Store, whole: bool) -> None:
    out.parent.mkdir(exist_ok=True)
    work = Path(tempfile.mkdtemp(prefix=f".{out.name}.", dir=out.parent))
    try:
        scenario = run.scenario
        (work / "scenario.toml").write_text(run.text)
        if whole:
            (work / "schedule.hex").write_text(write(compile_scenario(scenario)))
            with Engine(parameters(run.build), request.defines) as engine:
                outcome = engine.run(scenario, sha256=True, trace=work / "trace.txt")
            if outcome.sha256 != store.sha256(run.seed):
                raise OaeError(f"seed {run.seed}: played again, it is another run")
            with suppress(TraceError):  # the engine died before it began
                record(Trace(work / "trace.txt"), work / IN_RUN, whole=False)
            (work / "verdict.json").write_text(_verdict(run, outcome))
            (work / "run.toml").write_text(manifest(ROOT, _facts(out, run, request, outcome)))
        work.chmod(0o755)
        work.rename(out)
    finally:
        shutil.rmtree(work, ignore_errors=True)


def _verdict(run: Drawn, outcome: Outcome) -> str:
    verdict, requirement, reason = judged(run, outcome)
    told = {
        "scenario": run.scenario.name,
        "seed": run.seed,
        "engine": "compiled",
        "verdict": verdict,
        "requirement": requirement,
        "reason": reason,
        "sha256": outcome.sha256,
        "findings": [asdict(finding) for finding in outcome.findings],
        "assertions": outcome.assertions,
    }
    return json.dumps(told, indent=2) + "\n"


def _facts(
    out: Path, run: Drawn, request: Request, outcome: Outcome
) -> dict[str, dict[str, Value]]:
    """What stands in run.toml: the tables of `oae.engines.rtl.run`."""
    command = f"oae run --scenario {out / 'scenario.toml'}"
    return {
        "run": {
            "scenario": run.scenario.name,
            "seed": run.seed,
            "engine": "compiled",
            "command": " ".join([command, *(f"--without {name}" for name in request.without)]),
            "status": "finished" if outcome.stop else "broken",
            "stop": outcome.stop,
            "cycles": outcome.cycles,
            "seconds": round(outcome.seconds, 3),
        },
        "overruled": {},
        "parameters": dict(parameters(run.build)),
        "defines": dict.fromkeys(request.defines, 1),
        "versions": dict(tool_versions()),
    }
