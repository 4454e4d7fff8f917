"""The directory of a run, whatever engine plays it:

scenario.toml   the scenario as it was given
run.toml        seed, what was overruled, parameters, versions, how to run it again
sent.bin        the file that was carried, if there is one
schedule.hex    what the scenario was compiled to
trace.txt       the evidence (docs/trace.md)
capture.pcapng  the same as a capture (docs/capture.md), as far as the run went
"""

import json
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Final

from oae.capture.record import IN_RUN, record
from oae.errors import OaeError
from oae.scenario.scenario import Scenario
from oae.toolchain import tool_versions
from oae.trace import Trace, TraceError

ROOT: Final = Path(__file__).resolve().parents[3]
TRACE: Final = "trace.txt"

Value = str | int | float | bool


@dataclass(frozen=True)
class Progress:
    """How far a run has come; one value an end where there are two."""

    cycle: int
    submitted: tuple[int, int]
    resolved: tuple[int, int]
    delivered: int


@dataclass
class Ended:
    """How a run ended."""

    status: str  # finished, interrupted, timed out, broken
    seconds: float
    cycles: int = 0
    stop: str = ""
    assertions: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    upsets: str = ""  # what each bit that was flipped was before


def kept(
    scenario: Scenario,
    out: Path,
    play: Callable[[Path], Ended],
    *,
    engine: str,
    schedule: str,
    file: bytes,
    command: str,
    overruled: Mapping[str, Value] | None,
    parameters: Mapping[str, Value],
    defines: Sequence[str],
) -> Ended:
    """Make the run directory `out` of what `play` leaves in the folder that it is given.

    It is there, whole, when this returns: all is prepared beside it first.
    """
    if out.exists():
        raise OaeError(f"{out} is already there; give another --out")
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        work = Path(tempfile.mkdtemp(prefix=f".{out.name}.", dir=out.parent))
    except OSError as error:
        raise OaeError(f"--out {out}: {(error.strerror or str(error)).lower()}") from error
    try:
        (work / "scenario.toml").write_text(scenario.source)
        (work / "schedule.hex").write_text(schedule)
        if scenario.carries_file:
            (work / "sent.bin").write_bytes(file)
        ended = play(work)
        with suppress(TraceError):  # broken before it began: there is nothing to record
            record(Trace(work / TRACE), work / IN_RUN, whole=False)
        facts: dict[str, dict[str, Value]] = {
            "run": {
                "scenario": scenario.name,
                "seed": scenario.seed,
                "engine": engine,
                "command": command,
                "status": ended.status,
                "stop": ended.stop,
                "cycles": ended.cycles,
                "seconds": round(ended.seconds, 3),
                **({"upsets": len(ended.upsets)} if scenario.upsets else {}),
            },
            "overruled": dict(overruled or {}),
            "parameters": dict(parameters),
            "defines": dict.fromkeys(defines, 1),
            "versions": dict(tool_versions()),
        }
        (work / "run.toml").write_text(manifest(ROOT, facts))
        work.chmod(0o755)
        work.rename(out)
    finally:
        shutil.rmtree(work, ignore_errors=True)
    return ended


def commit(root: Path) -> str:
    """Commit of the sources, with `-dirty` if they differ from it; `unknown` outside git."""
    try:
        found = subprocess.run(
            ["git", "-C", str(root), "describe", "--always", "--dirty", "--abbrev=40"],
            capture_output=True,
            text=True,
            check=True,
        )
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
    return found.stdout.strip()


def manifest(root: Path, tables: dict[str, dict[str, Value]]) -> str:
    """The text of run.toml: `tables`, with the commit in the first one."""
    tables = {name: dict(table) for name, table in tables.items()}
    tables["run"]["commit"] = commit(root)
    lines = []
    for name, table in tables.items():
        if table:
            lines += ["", f"[{name}]"]
            lines += [f"{_key(key)} = {json.dumps(value)}" for key, value in table.items()]
    return "\n".join(lines[1:]) + "\n"


def _key(key: str) -> str:
    return key if key.replace("_", "").replace("-", "").isalnum() else json.dumps(key)


def fresh(parent: Path, name: str) -> Path:
    """A run directory that is not there yet."""
    stamp = datetime.now().strftime("%Y%m%d-%H%M%S")
    path = parent / f"{name}-{stamp}"
    number = 1
    while path.exists():
        number += 1
        path = parent / f"{name}-{stamp}-{number}"
    return path
