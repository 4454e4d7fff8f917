"""The engines that a candidate can be played on, behind one question: what does it break?"""

import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final, Protocol

from oae.capture.read import Capture
from oae.capture.record import IN_RUN
from oae.check.capture import check
from oae.check.findings import REQUIREMENT, Finding
from oae.check.verdict import Promise, Verdict
from oae.engines import rtl
from oae.engines.compiled import Engine, parameters
from oae.errors import OaeError
from oae.scenario.scenario import Scenario
from oae.shrink.healing import had_to_resolve

CYCLE_NS: Final = 16


class BenchFailedError(OaeError):
    """The bench failed in a run, which says nothing about the link."""

    exit_code = 4


@dataclass(frozen=True)
class Broken:
    """The first promise that a run breaks."""

    promise: Promise
    requirement: str  # empty for an assertion of the RTL
    text: str
    cycle: int

    def same(self, other: "Broken | None") -> bool:
        """Whether another run fails in the same way: by the same requirement."""
        return other is not None and other.requirement == self.requirement


class Player(Protocol):
    """Plays scenarios."""

    def play(self, scenario: Scenario) -> Broken | None:
        """What the run of this scenario breaks first, if anything.

        Raises BenchFailedError if the bench fails.
        """

    def close(self) -> None:
        """End what still runs."""


class Compiled:
    """Plays on the compiled engine, which is the fastest once it is built."""

    def __init__(self, defines: Sequence[str], file: bytes) -> None:
        self._defines = tuple(defines)
        self._file = file
        self._upsets = False  # whether bits are flipped; the first run has them all
        self._engines: dict[tuple[tuple[str, int], ...], Engine] = {}

    def play(self, scenario: Scenario) -> Broken | None:
        """Up to the first finding."""
        outcome = self._engine(scenario).run(scenario, file=self._file, first=True)
        if outcome.verdict is Verdict.BENCH_ERROR:
            raise BenchFailedError(f"{scenario.name}: the bench failed: {outcome.reason}")
        first = _first(outcome.findings, outcome.assertions, outcome.cycles)
        return first or _unresolved(scenario, outcome.stop, outcome.reason, outcome.cycles)

    def record(self, scenario: Scenario, trace: Path) -> None:
        """Play the whole run and write its trace."""
        self._engine(scenario).run(scenario, file=self._file, trace=trace)

    def _engine(self, scenario: Scenario) -> Engine:
        values = parameters(scenario)
        key = tuple(sorted(values.items()))
        if key not in self._engines:
            self._upsets |= bool(scenario.upsets)
            self._engines[key] = Engine(values, self._defines, upsets=self._upsets)
        return self._engines[key]

    def close(self) -> None:
        """End the processes."""
        for engine in self._engines.values():
            engine.close()


class Simulated:
    """Plays on a simulator of `oae run`."""

    def __init__(self, simulator: str, defines: Sequence[str], file: bytes) -> None:
        self._simulator = simulator
        self._defines = tuple(defines)
        self._file = file

    def play(self, scenario: Scenario) -> Broken | None:
        """The whole run, and then its capture is checked."""
        with tempfile.TemporaryDirectory(prefix="oae-shrink-") as folder:
            out = Path(folder) / "run"
            ended = rtl.run(
                scenario,
                out,
                simulator=self._simulator,
                file=self._file,
                defines=self._defines,
            )
            if ended.status == "interrupted":
                raise KeyboardInterrupt
            if ended.status != "finished":
                raise BenchFailedError(f"{scenario.name}: the simulator's run is {ended.status}")
            result = check(Capture(out / IN_RUN))
        if result.verdict is Verdict.BENCH_ERROR or ended.errors:
            reason = (ended.errors or [result.reason])[0]
            raise BenchFailedError(f"{scenario.name}: the bench failed: {reason}")
        first = _first(result.findings, ended.assertions, ended.cycles)
        return first or _unresolved(scenario, ended.stop, result.reason, ended.cycles)

    def close(self) -> None:
        """Nothing runs between candidates."""


def _first(findings: Sequence[Finding], assertions: Sequence[str], cycles: int) -> Broken | None:
    if findings:
        first = findings[0]
        return Broken(first.promise, first.requirement, first.text, first.time // CYCLE_NS)
    if assertions:
        return Broken(Promise.ASSERTION, "", assertions[0], cycles)
    return None


def _unresolved(scenario: Scenario, stop: str, reason: str, cycles: int) -> Broken | None:
    """Nothing is wrong in what was seen; but everything must resolve if the faults end."""
    if not had_to_resolve(scenario, stop, cycles):
        return None
    requirement = REQUIREMENT[Promise.PROGRESS]
    cycle = min(cycles, scenario.limits.cycles)  # the engine counts on while it ends the run
    return Broken(Promise.PROGRESS, requirement, f"{stop}: {reason}", cycle)


ENGINES: Final[dict[str, Callable[[Sequence[str], bytes], Player]]] = {
    "compiled": Compiled,
    **{name: partial(Simulated, name) for name in rtl.SIMULATORS},
}
