"""One direction of the medium: a line that carries one beat a cycle, and the faults of a scenario.

What becomes of a frame is `oae.faults.decide`, a function of the frame's coordinates, and what a
rule demands besides; `hdl/sim/oae_fault_channel.v` does the same in Verilog. Unlike there, any
number of frames may be held back at once.
"""

from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Final, NamedTuple

from oae import frame as frames
from oae.faults.decide import Coordinates, Copies, Decision, decide, flipped
from oae.model.host import NEVER, beats
from oae.scenario.language import FORGE_DIGEST, FORGE_GUARD
from oae.scenario.layout import Fault
from oae.scenario.scenario import Rates
from oae.spec.constants import FIELD, HEADER_BYTES, LENGTH_BASE

ROOM: Final = 16  # frames inside, beyond which the line waits
NO_RULE: Final = -1
NO_FAULT: Final = Fault(0)
XOR_BYTES: Final = 8


@dataclass
class Strike:
    """What rules demand of a frame."""

    faults: Fault = NO_FAULT
    argument_0: int = 0
    argument_1: int = 0
    rule: int = NO_RULE


class Transmitted(NamedTuple):
    """A frame whose last beat is on the line; the medium has still to decide about it."""

    number: int
    first: int  # cycle of its first beat
    image: bytes
    name: Coordinates


class Decided(NamedTuple):
    """What became of a frame."""

    frame: Transmitted
    faults: Fault
    rule: int


class Arrived(NamedTuple):
    """A frame whose last beat has come out."""

    number: int
    first: int
    image: bytes
    bad: bool


class _Entry(NamedTuple):
    """A frame that is to come out."""

    not_before: int
    number: int
    image: bytes
    bad: bool


@dataclass
class _Held:
    """A frame that waits for others to pass."""

    entry: _Entry
    passes: int
    until: int


class Medium:
    """Frames from one end to the other."""

    def __init__(
        self, direction: int, rates: Rates, seed: int, fates: Mapping[Coordinates, Fault]
    ) -> None:
        self._direction, self._rates, self._seed, self._fates = direction, rates, seed, fates
        self._copies = Copies()
        self._number = 0  # of the next frame
        self._line: tuple[int, bytes] | None = None  # first beat of what is on the line
        self._asked: Transmitted | None = None
        self._queue: deque[_Entry] = deque()
        self._held: list[_Held] = []
        self._out: tuple[int, _Entry] | None = None  # first beat of what comes out

    @property
    def ready(self) -> bool:
        """Whether the line takes a frame."""
        return self._line is None and len(self._queue) + len(self._held) < ROOM

    @property
    def next(self) -> int:
        """The next cycle in which something happens here."""
        times = [held.until for held in self._held]
        if self._asked is not None:
            return 0
        if self._line is not None:
            first, image = self._line
            times.append(first + beats(image) - 1)
        if self._out is not None:
            first, entry = self._out
            times.append(first + beats(entry.image) - 1)
        elif self._queue:
            times.append(self._queue[0].not_before)
        return min(times, default=NEVER)

    def send(self, cycle: int, image: bytes) -> None:
        """An end hands over a frame; its first beat follows."""
        self._line = cycle + 1, image

    def cut_short(self) -> None:
        """The end restarts: a frame that is still on the line is lost."""
        self._line = None

    def transmitted(self, cycle: int) -> Transmitted | None:
        """The frame whose last beat is on the line now."""
        if self._line is None:
            return None
        first, image = self._line
        if cycle < first + beats(image) - 1:
            return None
        self._line = None
        self._asked = Transmitted(self._number, first, image, self._copies.name(image))
        self._number += 1
        return self._asked

    def decided(self, cycle: int, strike: Strike, cut: bool) -> Decided | None:
        """What becomes of the frame that was transmitted in the cycle before."""
        frame, self._asked = self._asked, None
        if frame is None:
            return None
        if cut:
            return Decided(frame, Fault.CUT, strike.rule)
        image = frame.image
        length = int.from_bytes(image[FIELD["LENGTH"][0] :][:2], "big")
        struck = strike.faults | self._fates.get(frame.name, NO_FAULT)
        decision = decide(
            self._rates, self._seed, self._direction, frame.name, length, cycle, struck
        )
        decision = _demanded(decision, strike)
        faults = decision.faults
        if strike.faults & Fault.FORGED and decision.copies:
            faults |= Fault.FORGED
            image = forged(image, strike.argument_0, strike.argument_1)
        not_before = cycle + 1 + self._rates.latency + decision.delay
        for copy in decision.copies:
            altered = flipped(image, copy.flips)
            entry = _Entry(not_before, frame.number, altered, copy.corrupted)
            if copy.hold:
                until = cycle + self._rates.reorder_cycles
                self._held.append(_Held(entry, copy.hold, until))
            else:
                self._pass(entry)
        return Decided(frame, faults, strike.rule)

    def _pass(self, entry: _Entry) -> None:
        """One more frame goes by those that are held back."""
        self._queue.append(entry)
        for held in self._held:
            held.passes -= 1
        self._release(lambda held: held.passes <= 0)

    def _release(self, due: Callable[[_Held], bool]) -> None:
        self._queue.extend(held.entry for held in self._held if due(held))
        self._held = [held for held in self._held if not due(held)]

    def arrived(self, cycle: int, listens: bool) -> Arrived | None:
        """The frame whose last beat has come out, if the end listens."""
        self._release(lambda held: held.until <= cycle)
        if not listens:
            return None
        if self._out is None and self._queue and self._queue[0].not_before <= cycle:
            self._out = cycle, self._queue.popleft()
        if self._out is None:
            return None
        first, entry = self._out
        if cycle < first + beats(entry.image) - 1:
            return None
        self._out = None
        return Arrived(entry.number, first, entry.image, entry.bad)


def _demanded(decision: Decision, strike: Strike) -> Decision:
    """A decision with what a rule demands by number, instead of what chance would have given."""
    if not decision.copies:
        return decision
    if strike.faults & Fault.DELAYED:
        decision = replace(decision, delay=strike.argument_0)
    if strike.faults & Fault.HELD:
        first, *second = decision.copies
        held = replace(first, hold=strike.argument_0)
        decision = replace(decision, copies=(held, *second))
    return decision


def forged(image: bytes, place: int, change: int) -> bytes:
    """A frame with bytes changed by exclusive or, and digest and guard made to fit if asked for."""
    frame = bytearray(image)
    first = place & 0xFFFF
    for offset, byte in enumerate(change.to_bytes(XOR_BYTES, "little")):
        if first + offset < len(frame):
            frame[first + offset] ^= byte
    if place & FORGE_DIGEST:
        values = {
            name: int.from_bytes(frame[start : start + size], "big")
            for name, (start, size) in FIELD.items()
        }
        record = bytes(frame[HEADER_BYTES : HEADER_BYTES + values["LENGTH"] - LENGTH_BASE])
        id = values["ID_HIGH"] << 16 | values["ID_LOW"]
        digest = frames.digest(values["LINK_SESSION"], id, values["KIND"], values["EPOCH"], record)
        start, size = FIELD["DIGEST"]
        frame[start : start + size] = digest.to_bytes(size, "big")
    if place & FORGE_GUARD:
        frame[frames.GUARD] = bytes(byte ^ 0xFF for byte in frame[frames.GUARDED])
    return bytes(frame)
