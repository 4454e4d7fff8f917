"""One direction of the relay: what becomes of each frame, and when it goes on.

What chance does is `oae.faults.decide`, as in the simulated medium, and time is counted in ticks.
No medium carries the mark of a MAC that found a frame corrupted: such a frame goes no further, as
with a network card that drops it.
"""

from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, NamedTuple

from oae.faults.decide import Coordinates, Copies, decide, flipped
from oae.model.host import NEVER
from oae.model.medium import Strike, forged
from oae.scenario.layout import Fault
from oae.scenario.scenario import Rates
from oae.spec.constants import FIELD

_LENGTH: Final = slice(FIELD["LENGTH"][0], sum(FIELD["LENGTH"]))


class Outgoing(NamedTuple):
    """A frame that goes on."""

    number: int
    image: bytes


@dataclass
class _Held:
    """A frame that waits for others to pass."""

    frame: Outgoing
    not_before: int
    passes: int
    until: int


class Direction:
    """Frames from one end to the other; `forward` gets those that go on, in their order."""

    def __init__(
        self,
        number: int,
        rates: Rates,
        seed: int,
        fates: Mapping[Coordinates, Fault],
        forward: Callable[[Outgoing], None],
    ) -> None:
        self._direction, self._rates, self._seed, self._fates = number, rates, seed, fates
        self._forward = forward
        self._copies = Copies()
        self._chance = rates != rates.without_chances
        self._queue: deque[tuple[int, Outgoing]] = deque()
        self._held: list[_Held] = []

    @property
    def next(self) -> int:
        """The tick in which something goes on by itself."""
        times = [held.until for held in self._held]
        if self._queue:
            times.append(self._queue[0][0])
        return min(times, default=NEVER)

    def name(self, image: bytes) -> Coordinates:
        """The coordinates of the frame that comes next."""
        return self._copies.name(image)

    def take(
        self, tick: int, name: Coordinates, frame: Outgoing, strike: Strike, cut: bool
    ) -> Fault:
        """What becomes of the frame; what goes on at once has gone when this returns."""
        if cut:
            return Fault.CUT
        struck = strike.faults | self._fates.get(name, Fault(0))
        not_before = tick + self._rates.latency
        if not struck and not self._chance:
            self._pass(not_before, frame)
            self.release(tick)
            return struck
        number, image = frame
        length = int.from_bytes(image[_LENGTH], "big")
        decision = decide(self._rates, self._seed, self._direction, name, length, tick, struck)
        faults = decision.faults
        if struck & Fault.FORGED and decision.copies:
            faults |= Fault.FORGED
            image = forged(image, strike.argument_0, strike.argument_1)
        not_before += strike.argument_0 if strike.faults & Fault.DELAYED else decision.delay
        demanded = strike.argument_0 if strike.faults & Fault.HELD else 0
        for copy in decision.copies:
            hold, demanded = demanded or copy.hold, 0
            if copy.corrupted:
                continue
            one = Outgoing(number, flipped(image, copy.flips) if copy.flips else image)
            if hold:
                until = tick + self._rates.reorder_cycles
                self._held.append(_Held(one, not_before, hold, until))
            else:
                self._pass(not_before, one)
        self.release(tick)
        return faults

    def release(self, tick: int) -> None:
        """Let go on whatever is due."""
        if self._held:
            self._let_go(lambda held: held.until <= tick)
        while self._queue and self._queue[0][0] <= tick:
            self._forward(self._queue.popleft()[1])

    def _pass(self, not_before: int, frame: Outgoing) -> None:
        """One more frame goes by those that are held back."""
        self._queue.append((not_before, frame))
        if self._held:
            for held in self._held:
                held.passes -= 1
            self._let_go(lambda held: held.passes <= 0)

    def _let_go(self, due: Callable[[_Held], bool]) -> None:
        self._queue.extend((held.not_before, held.frame) for held in self._held if due(held))
        self._held = [held for held in self._held if not due(held)]
