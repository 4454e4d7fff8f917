"""One run of a campaign, as a worker plays it."""

import tempfile
import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from oae.campaign.coverage import Counts, counted
from oae.campaign.swarm import Drawn, drawn, parameters
from oae.check.findings import REQUIREMENT
from oae.check.verdict import Promise, Verdict
from oae.engines.compiled import Engine, Outcome
from oae.trace import Trace

# Reasons to stop that say: not everything resolved.
UNRESOLVED = ("stalled", "cycles")


@dataclass(frozen=True)
class Task:
    """What a worker is asked: the run of a seed, and whether it is to be covered as well."""

    seed: int
    builds: tuple[str, ...]
    defines: tuple[str, ...] = ()
    covered: bool = False
    trained: bool = False  # played by a trained program


@dataclass(frozen=True)
class Played:
    """What is kept of a run. The names are the columns of the table `runs`."""

    seed: int
    build: str
    verdict: str
    requirement: str  # of the first finding; empty without one
    reason: str
    stop: str
    cycles: int
    healed: int  # cycle in which the rates ended
    opened: int
    transactions: int  # with their outcome told
    committed: int
    delivered: int
    crashes: int
    amnesias: int
    cuts: int
    frame_faults: int  # frames that the medium struck, one for each kind that struck it
    faults: dict[str, int]  # the same by kind
    seconds: float
    sha256: str  # of the event log
    parameters: dict[str, Any]  # as drawn
    covered: bool = False
    counts: Counts = field(default_factory=Counts)

    def row(self) -> dict[str, Any]:
        """The columns and their values; what was counted has tables of its own."""
        found = {name: getattr(self, name) for name in self.__dataclass_fields__}
        del found["counts"]
        return found


class _Engines(threading.local):
    """The engines of one thread of a worker, by build: each is a process that stays."""

    def __init__(self) -> None:
        self.by_build: dict[tuple[str, tuple[str, ...], bool], Engine] = {}

    def of(self, build: str, task: Task) -> Engine:
        """The engine for a run of this build."""
        key = build, task.defines, task.trained
        if key not in self.by_build:
            self.by_build[key] = Engine(parameters(build), task.defines, trained=task.trained)
        return self.by_build[key]


_engines = _Engines()


def play(task: Task) -> Played:
    """Play the run and judge it."""
    run = drawn(task.seed, task.builds)
    engine = _engines.of(run.build, task)
    if not task.covered:
        return _played(run, engine.run(run.scenario, sha256=True))
    with tempfile.TemporaryDirectory() as folder:
        trace = Path(folder) / "trace.txt"
        outcome = engine.run(run.scenario, sha256=True, trace=trace)
        # A process that died has not written all of it.
        if outcome.verdict is Verdict.BENCH_ERROR:
            return _played(run, outcome)
        return _played(run, outcome, counted(Trace(trace)))


def judged(run: Drawn, outcome: Outcome) -> tuple[Verdict, str, str]:
    """Verdict, requirement and reason: after the rates have ended, everything must resolve."""
    if outcome.verdict is Verdict.INCONCLUSIVE and outcome.stop in UNRESOLVED:
        reason = f"{Promise.PROGRESS}: {outcome.stop}, the rates having ended at cycle {run.healed}"
        return Verdict.FAIL, REQUIREMENT[Promise.PROGRESS], f"{reason}; {outcome.reason}"
    requirement = outcome.findings[0].requirement if outcome.findings else ""
    return outcome.verdict, requirement, outcome.reason


def _played(run: Drawn, outcome: Outcome, counts: Counts | None = None) -> Played:
    verdict, requirement, reason = judged(run, outcome)
    return Played(
        seed=run.seed,
        build=run.build,
        verdict=verdict.value,
        requirement=requirement,
        reason=reason,
        stop=outcome.stop,
        cycles=outcome.cycles,
        healed=run.healed,
        opened=sum(outcome.opened),
        transactions=sum(outcome.resolved),
        committed=sum(outcome.committed),
        delivered=sum(outcome.delivered),
        crashes=sum(outcome.crashes),
        amnesias=sum(outcome.amnesias),
        cuts=sum(outcome.cuts),
        frame_faults=sum(outcome.faults.values()),
        faults={fault.name or str(fault): count for fault, count in outcome.faults.items()},
        seconds=outcome.seconds,
        sha256=outcome.sha256,
        parameters=run.parameters,
        covered=counts is not None,
        counts=counts or Counts(),
    )
