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
from oae.check.findings import Finding
from oae.check.verdict import Promise
from oae.engines import rtl
from oae.engines.compiled import Engine, Outcome, parameters
from oae.scenario.scenario import Scenario

CYCLE_NS: Final = 16


@dataclass(frozen=True)
class Broken:
    """The first promise that a run breaks."""

    promise: Promise
    requirement: str  # empty for an assertion of the RTL
    text: str
    cycle: int


class Player(Protocol):
    """Plays scenarios."""

    def play(self, scenario: Scenario) -> Broken | None:
        """What the run of this scenario breaks first, if anything."""

    def close(self) -> None:
        """End what still runs."""


class Compiled:
    """Plays on the compiled engine, which is the fastest once it is built."""

    def __init__(self, defines: Sequence[str], file: bytes) -> None:
        self._defines = tuple(defines)
        self._file = file
        self._engines: dict[tuple[tuple[str, int], ...], Engine] = {}

    def play(self, scenario: Scenario) -> Broken | None:
        """Up to the first finding."""
        values = parameters(scenario)
        key = tuple(sorted(values.items()))
        if key not in self._engines:
            self._engines[key] = Engine(values, self._defines)
        outcome: Outcome = self._engines[key].run(scenario, file=self._file, first=True)
        return _first(outcome.findings, outcome.assertions, outcome.cycles)

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
            if ended.status != "finished":
                raise rtl.EngineError(f"the simulator's run is {ended.status}")
            result = check(Capture(out / IN_RUN))
        return _first(result.findings, ended.assertions, ended.cycles)

    def close(self) -> None:
        """Nothing runs between candidates."""


def _first(findings: Sequence[Finding], assertions: Sequence[str], cycles: int) -> Broken | None:
    if findings:
        first = findings[0]
        return Broken(first.promise, first.requirement, first.text, first.time // CYCLE_NS)
    if assertions:
        return Broken(Promise.ASSERTION, "", assertions[0], cycles)
    return None


ENGINES: Final[dict[str, Callable[[Sequence[str], bytes], Player]]] = {
    "compiled": Compiled,
    **{name: partial(Simulated, name) for name in rtl.SIMULATORS},
}
