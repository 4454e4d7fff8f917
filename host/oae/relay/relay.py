"""Passes frames on between two media, with the faults of a scenario, and records both sides.

For a loop that waits with `selectors`: wait for the two media, at most `wait()` seconds, then
`step()`. What the scenario demands of ends is in `demands`; steps of ends, which only a runner
sees, come in with `hear`.
"""

import time
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import BinaryIO, Final

from oae.faults.decide import Coordinates
from oae.medium.medium import Medium
from oae.model.rules import Demands, Rules
from oae.relay.direction import Direction, Outgoing
from oae.relay.record import HARDWARE, Recorder
from oae.scenario.compile import rules
from oae.scenario.language import COPY_SHIFT, OPERATION_SHIFT
from oae.scenario.layout import Action, Fault, RuleKind
from oae.scenario.scenario import ENDS, Scenario

TICK_NS: Final = 20_000
BATCH: Final = 64  # frames of one side before the other has its turn
LONGEST_WAIT: Final = 0.5  # seconds
_OWN: Final = (Action.NOTHING, Action.CUT, Action.STOP)  # what a relay does itself, to no frame


class Relay:
    """Frames from a go to b and those from b to a."""

    def __init__(
        self, a: Medium, b: Medium, scenario: Scenario, capture: BinaryIO | None = None
    ) -> None:
        self.media = (a, b)
        self.demands = tuple(_demands(scenario, end) for end in range(len(ENDS)))
        self.frames = [0, 0]  # that came from each end
        self.faults: tuple[Counter[Fault], ...] = (Counter(), Counter())
        self.fired: list[int] = []  # rules that struck since a runner has looked
        self._seed = scenario.seed
        self._waiting_rules = rules(scenario)
        self._rules = Rules([], self._seed, self.demands)
        self._begun = time.monotonic_ns()
        self._recorder = None
        if capture is not None:
            hardware = f"{HARDWARE} {a.name} and {b.name}"
            system = f"a: {a.clock}; b: {b.clock}"
            self._recorder = Recorder(capture, hardware, system)
        self._directions = tuple(
            Direction(
                end,
                scenario.rates[end],
                scenario.seed,
                _fates(scenario, end),
                self._to_b if end == 0 else self._to_a,
            )
            for end in range(len(ENDS))
        )

    def begin(self) -> None:
        """The scenario begins: its time is 0 now, and its rules wait for their conditions."""
        self._begun = time.monotonic_ns()
        self._rules = Rules(self._waiting_rules, self._seed, self.demands)

    @property
    def stop(self) -> bool:
        """Whether a rule ended the run."""
        return self._rules.stop

    def wait(self) -> float:
        """Seconds until something is due though nothing comes."""
        due = min(self._rules.next, *(direction.next for direction in self._directions))
        left = due * TICK_NS - (time.monotonic_ns() - self._begun)
        return min(max(left, 0) / 1e9, LONGEST_WAIT)

    def step(self) -> None:
        """Pass on what has come, and what is due."""
        horizon = time.time_ns()
        tick = self._tick()
        for direction in self._directions:
            direction.release(tick)
        if tick >= self._rules.next:
            self._look(tick)
        for end, medium in enumerate(self.media):
            for _ in range(BATCH):
                found = medium.receive()
                if found is None:
                    break
                self._take(end, *found)
                newest = found.time
            else:  # what waits still may be older than now
                horizon = min(horizon, newest)
        if self._recorder is not None:
            self._recorder.write(horizon)

    def hear(self, steps: Iterable[tuple[int, int]]) -> None:
        """Ends have told these steps: (end, event word)."""
        self._look(self._tick(), steps)

    def flush(self) -> None:
        """Let readers see what is captured."""
        if self._recorder is not None:
            self._recorder.flush()

    def finish(self) -> None:
        """End the capture."""
        if self._recorder is not None:
            self._recorder.finish()

    def _tick(self) -> int:
        return (time.monotonic_ns() - self._begun) // TICK_NS

    def _look(
        self,
        tick: int,
        steps: Iterable[tuple[int, int]] = (),
        frames: Sequence[tuple[int, int]] = (),
    ) -> None:
        self._rules.look(tick, steps, frames)
        self.fired += self._rules.fired

    def _take(self, end: int, image: bytes, came: int) -> None:
        """A frame has come from an end."""
        direction = self._directions[end]
        tick = self._tick()
        name = direction.name(image)
        operation, id, copy = name
        word = operation << OPERATION_SHIFT | copy << COPY_SHIFT | id
        if self._waiting_rules:
            self._look(tick, frames=((end, word),))
        demands = self.demands[end]
        strike = demands.strike
        number = self.frames[end]
        self.frames[end] += 1
        frame = Outgoing(number, image)
        faults = direction.take(tick, name, frame, strike, demands.cut)
        if faults:
            self.faults[end][faults] += 1
        if self._recorder is not None:
            self._recorder.transmitted(end, came, image, number, faults, strike.rule)

    def _to_a(self, frame: Outgoing) -> None:
        self._pass_on(0, frame)

    def _to_b(self, frame: Outgoing) -> None:
        self._pass_on(1, frame)

    def _pass_on(self, end: int, frame: Outgoing) -> None:
        number, image = frame
        now = time.time_ns()
        self.media[end].send(image)
        if self._recorder is not None:
            self._recorder.received(end, now, image, number)


def of_ends(scenario: Scenario) -> list[str]:
    """What the scenario wants that only a runner can see or do: one line each."""
    found = []
    for number, fault in enumerate(scenario.faults, 1):
        if fault.when.kind is RuleKind.EVENT:
            found.append(f"fault[{number}] waits for a step of an end: {fault.when.words}")
        elif not fault.do.on_frame and fault.do.code not in _OWN:
            found.append(f"fault[{number}] does something to an end: {fault.do.words}")
    return found


def _fates(scenario: Scenario, direction: int) -> dict[Coordinates, Fault]:
    return {
        Coordinates(fate.operation, fate.id, fate.copy): fate.faults
        for fate in scenario.fates
        if fate.direction == direction
    }


def _demands(scenario: Scenario, end: int) -> Demands:
    host = scenario.hosts[end]
    return Demands(
        disabled=not scenario.ends[end].enable,
        mute=not scenario.link.beats,
        epoch=host.epoch,
        prepared=host.prepared,
    )
