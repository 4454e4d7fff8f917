"""What the rates of a direction do to one frame: the decision that `oae_fault_channel.v` takes.

It is a function of the frame's coordinates only, until the rates end. What scheduled faults, a cut
or a lack of room do besides is not in here.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final, NamedTuple

from oae.faults.hash import Purpose, chain, frame_hash, threshold
from oae.scenario.layout import Fault
from oae.scenario.scenario import Rates
from oae.spec.constants import Operation

FIRST_BIT: Final = 14 * 8  # what stands before, the addresses and EtherType, proves nothing
GUARDED_BITS: Final = 46 * 8
GUARD_LENGTH: Final = 13
MIRROR: Final = 24 * 8  # from a bit to its complement in the guard
SHORTEST: Final = 57  # bytes of a frame that has coordinates
NO_OPERATION: Final = 31
# A fault of the second of two frames, and what it is to that frame.
OF_SECOND: Final = {
    Fault.DUPLICATE_HELD: Fault.HELD,
    Fault.DUPLICATE_CORRUPTED: Fault.CORRUPTED,
    Fault.DUPLICATE_FLIPPED: Fault.FLIPPED,
}
IDS_REMEMBERED: Final = 4096  # ids whose copies are counted, of each operation


class Coordinates(NamedTuple):
    """The name of a frame: see docs/scenario.md."""

    operation: int
    id: int
    copy: int


@dataclass(frozen=True)
class Copy:
    """One of the frames that come out."""

    corrupted: bool
    flips: tuple[int, ...]  # places of bits, the lowest bit of byte 0 being 0
    hold: int  # later frames that pass before it, 0: none


@dataclass(frozen=True)
class Decision:
    """What becomes of a frame: no copies if it is dropped, two if it is duplicated."""

    copies: tuple[Copy, ...]
    delay: int = 0

    @property
    def faults(self) -> Fault:
        """As a fate line tells it."""
        if not self.copies:
            return Fault.DROPPED
        found = Fault.DELAYED if self.delay else Fault(0)
        first, *second = self.copies
        found |= Fault.CORRUPTED if first.corrupted else Fault(0)
        found |= Fault.FLIPPED if first.flips else Fault(0)
        found |= Fault.HELD if first.hold else Fault(0)
        for copy in second:
            found |= Fault.DUPLICATED
            found |= Fault.DUPLICATE_CORRUPTED if copy.corrupted else Fault(0)
            found |= Fault.DUPLICATE_FLIPPED if copy.flips else Fault(0)
            found |= Fault.DUPLICATE_HELD if copy.hold else Fault(0)
        return found


class Copies:
    """Names the frames of one direction, counting how often each (operation, id) came before."""

    def __init__(self) -> None:
        self._seen: dict[tuple[int, int], tuple[int, int]] = {}

    def name(self, frame: bytes) -> Coordinates:
        """The coordinates of the next frame."""
        operation, id = address(frame)
        place = operation, id % IDS_REMEMBERED
        last, times = self._seen.get(place, (id, 0))
        copy = times if last == id else 0
        self._seen[place] = id, min(copy + 1, 0xFFFF)
        return Coordinates(operation, id, copy)


def address(frame: bytes) -> tuple[int, int]:
    """Operation and id of a frame: beat number in NOP, challenge counter in SYNC and SYNC_ACK."""
    if len(frame) < SHORTEST:
        return NO_OPERATION, 0
    operation = frame[14] & 0x1F
    if operation == Operation.NOP:
        return operation, int.from_bytes(frame[32:34], "big") & 0x7FFF
    if operation in (Operation.SYNC, Operation.SYNC_ACK):
        return operation, int.from_bytes(frame[56:60], "big")
    return operation, int.from_bytes(frame[24:26], "big") << 16 | int.from_bytes(
        frame[15:17], "big"
    )


def decide(
    rates: Rates,
    seed: int,
    direction: int,
    name: Coordinates,
    payload_length: int,
    cycle: int = 0,
    struck: Fault = Fault(0),
) -> Decision:
    """The decision about the frame of this name, taken in this cycle.

    `payload_length` is what the frame's header says; `struck` is its fate, if it has one.
    """
    ended = rates.until and cycle >= rates.until
    if ended or name.operation == NO_OPERATION or name.operation not in rates.operations:
        rates = rates.without_chances
    hash = frame_hash(seed, direction, *name)
    strikes = _strikes(hash)
    if struck & Fault.DROPPED or strikes(Purpose.DROP, rates.drop):
        return Decision(())
    delay = 0
    if struck & Fault.DELAYED or strikes(Purpose.DELAY, rates.delay):
        delay = 1 + chain(hash, Purpose.DELAY_CYCLES) % rates.delay_max
    copies = [_copy(rates, hash, payload_length, struck)]
    again = chain(hash, Purpose.DUPLICATE)
    if struck & Fault.DUPLICATED or again < threshold(rates.duplicate):
        second = sum((one for two, one in OF_SECOND.items() if struck & two), Fault(0))
        copies.append(_copy(rates, again, payload_length, second))
    return Decision(tuple(copies), delay)


def _strikes(hash: int) -> Callable[[Purpose, float], bool]:
    return lambda purpose, chance: chain(hash, purpose) < threshold(chance)


def _copy(rates: Rates, hash: int, payload_length: int, struck: Fault) -> Copy:
    strikes = _strikes(hash)
    hold = 0
    if struck & Fault.HELD or strikes(Purpose.HOLD, rates.reorder):
        hold = 1 + chain(hash, Purpose.HOLD_PASSES) % rates.reorder_window
    flips: tuple[int, ...] = ()
    if struck & Fault.FLIPPED or strikes(Purpose.FLIP, rates.flip):
        flips = tuple(sorted(set(_places(rates, hash, payload_length))))
    corrupted = bool(struck & Fault.CORRUPTED) or strikes(Purpose.CORRUPT, rates.corrupt)
    return Copy(corrupted, flips, hold)


def _places(rates: Rates, hash: int, payload_length: int) -> Iterator[int]:
    """Where bits flip: up to the end of the guard, or of the record."""
    bits = GUARDED_BITS if payload_length == GUARD_LENGTH else 8 * (payload_length + 5)
    hash = chain(hash, Purpose.FLIP_PLACE)
    taken: list[int] = []
    for _ in range(1 + hash % rates.flip_bits):
        hash = chain(hash, 0)
        place = FIRST_BIT + hash % bits
        # A bit and its complement in the guard, both flipped, would be a forged frame.
        if not any(abs(place - other) == MIRROR for other in taken):
            taken.append(place)
            yield place


def flipped(frame: bytes, places: tuple[int, ...]) -> bytes:
    """A frame with these bits changed."""
    image = bytearray(frame)
    for place in places:
        image[place // 8] ^= 1 << place % 8
    return bytes(image)
