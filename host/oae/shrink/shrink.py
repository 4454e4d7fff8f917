"""A failing run reduced: its schedule is expanded, then the reducer takes away what it can."""

import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Final

from oae.errors import OaeError
from oae.scenario.compile import records
from oae.scenario.expand import expand
from oae.scenario.parse import ScenarioError
from oae.scenario.scenario import ENDS, Scenario
from oae.shrink.anchors import anchored
from oae.shrink.engines import ENGINES, Broken
from oae.shrink.events import count
from oae.shrink.hosts import with_host_faults
from oae.shrink.moments import moved
from oae.shrink.recorded import Recorded
from oae.shrink.reduce import Reducer, Step, without_file

WINDOWS: Final = (1, 2)
FEW: Final = 3  # fault events; for more of them than these, other moments are tried
ROUND: Final = 1000  # the cycles that the result may take are a multiple of it


@dataclass(frozen=True)
class Shrunk:
    """The result."""

    scenario: Scenario
    broken: Broken
    runs: int
    faults: int  # fault events before
    faults_left: int
    stopped: str  # why not every removal was tried; empty if every one was
    seconds: float

    @property
    def minimal(self) -> bool:
        """Every removal was tried, and mended it."""
        return not self.stopped


def shrink(
    run: Recorded,
    engine: str,
    *,
    windows: tuple[int, ...] = WINDOWS,
    timeout: float | None = None,
    progress: Callable[[Step], None] = lambda step: None,
) -> Shrunk:
    """Reduce the scenario of a run that breaks a promise; Ctrl-C leaves the best one so far."""
    start = time.monotonic()
    player = ENGINES[engine](run.defines, run.file)
    try:
        broken = player.play(run.scenario)
        if broken is None:
            raise OaeError(f"{run.scenario.name}: the run breaks no promise")
        reducer = Reducer(
            player,
            replace(run.scenario, text="", source=""),
            broken,
            deadline=None if timeout is None else start + timeout,
            progress=progress,
        )
        expanded = expand(reducer.best, run.trace, broken.cycle)
        with reducer.stoppable():
            _reduce(reducer, expanded, run, windows)
        return Shrunk(
            reducer.best,
            reducer.broken,
            reducer.runs,
            count(expanded),
            reducer.left,
            reducer.stopped,
            time.monotonic() - start,
        )
    finally:
        player.close()


def _reduce(reducer: Reducer, expanded: Scenario, run: Recorded, windows: tuple[int, ...]) -> None:
    if expanded != reducer.best and not reducer.attempt(expanded):
        raise OaeError(f"{expanded.name}: what struck in the run does not break the promise again")
    single = anchored(reducer.best, run.trace)
    with suppress(ScenarioError):  # if there are not rules enough, strikes stay counted
        reducer.attempt(single)
    _from_best(reducer, run)
    if reducer.left > FEW:
        # What strikes by count may lead elsewhere.
        least, best, broken = reducer.left, reducer.best, reducer.broken
        try:
            if reducer.attempt(expanded):
                _from_best(reducer, run)
        finally:
            if reducer.left >= least:
                reducer.best, reducer.broken = best, broken
    for window in windows:
        if reducer.attempt(_with_window(reducer.best, window)):
            reducer.reduce()
            break
    rounded = -(-(reducer.broken.cycle + 1) // ROUND) * ROUND
    cycles = min(rounded, reducer.best.limits.cycles)
    reducer.attempt(replace(reducer.best, limits=replace(reducer.best.limits, cycles=cycles)))


def _from_best(reducer: Reducer, run: Recorded) -> None:
    """Reduce what is the best one now, and if much is left, at other moments."""
    scenario = reducer.best
    if any(load.cancel for load in scenario.loads) or any(host.refuse for host in scenario.hosts):
        scheduled = with_host_faults(scenario, run.trace, reducer.broken.cycle)
        if not reducer.attempt(replace(scheduled, faults=scenario.faults)):
            reducer.attempt(scheduled)
    for end in range(len(ENDS)):
        if reducer.best.loads[end].file:
            reducer.attempt(without_file(reducer.best, len(records(run.scenario, end, run.file))))
    reducer.reduce()
    if reducer.left > FEW and any(map(reducer.attempt, moved(reducer.best, run.trace))):
        reducer.reduce()


def _with_window(scenario: Scenario, window: int) -> Scenario:
    ends = tuple(replace(end, window=None) for end in scenario.ends)
    return replace(scenario, link=replace(scenario.link, window=window), ends=ends)


def told(shrunk: Shrunk, without: Sequence[str]) -> str:
    """What the result breaks, as the comment before it."""
    broken = shrunk.broken
    requirement = f" ({broken.requirement})" if broken.requirement else ""
    lines = [f"Breaks {broken.promise}{requirement} in cycle {broken.cycle}:", broken.text]
    if without:
        lines.append(f"Run it with {' '.join(f'--without {name}' for name in without)}.")
    if shrunk.minimal:
        lines.append(f"{shrunk.faults_left} of {shrunk.faults} fault events; each one is needed.")
    else:
        lines.append(f"{shrunk.faults_left} of {shrunk.faults} fault events; {shrunk.stopped}.")
    return "\n".join(lines)
