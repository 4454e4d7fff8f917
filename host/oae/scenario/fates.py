"""Fates: faults of single frames, each named by the frame's coordinates.

    a->b DATA id=3 copy=0: hold, duplicate, corrupt second

A schedule can list thousands of them. How long a frame is held or delayed and which bits flip, the
seed decides, as if chance had struck the frame. What strikes the second frame does so where there
is one: `duplicate` makes it, or a rule does.
"""

import re
from collections.abc import Iterable
from typing import Final, NamedTuple

from oae.scenario.language import DIRECTIONS, unknown
from oae.scenario.layout import Fault
from oae.spec.constants import Operation

# In the order in which they are said.
WORDS: Final = {
    Fault.DROPPED: "drop",
    Fault.DELAYED: "delay",
    Fault.HELD: "hold",
    Fault.CORRUPTED: "corrupt",
    Fault.FLIPPED: "flip",
    Fault.DUPLICATED: "duplicate",
    Fault.DUPLICATE_HELD: "hold second",
    Fault.DUPLICATE_CORRUPTED: "corrupt second",
    Fault.DUPLICATE_FLIPPED: "flip second",
}
STRIKING: Final = sum(WORDS, Fault(0))
OF_SECOND: Final = Fault.DUPLICATE_HELD | Fault.DUPLICATE_CORRUPTED | Fault.DUPLICATE_FLIPPED
_FORM: Final = re.compile(r"(\S+) (\w+) id=(\d+) copy=(\d+): (.+)")
_NAMES: Final = {direction: name for name, direction in DIRECTIONS.items()}


class NamedFate(NamedTuple):
    """What strikes the frame with these coordinates; fates sort as the schedule has them."""

    direction: int
    operation: Operation
    copy: int
    id: int
    faults: Fault

    @property
    def word(self) -> int:
        """As it stands in the schedule."""
        name = (self.direction << 5 | self.operation) << 48 | self.copy << 32 | self.id
        return name << 10 | self.faults >> 1

    def __str__(self) -> str:
        """As it stands in a scenario."""
        frame = f"{_NAMES[self.direction]} {self.operation.name} id={self.id} copy={self.copy}"
        said = [word for fault, word in WORDS.items() if fault & self.faults]
        return f"{frame}: {', '.join(said)}"


def parse_fate(words: str) -> NamedFate:
    """Read a fate; raises ValueError with what is wrong."""
    found = _FORM.fullmatch(words)
    if not found:
        raise ValueError(f"{words!r} is not a fate; write 'a->b DATA id=3 copy=0: drop'")
    direction, operation, id, copy, said = found.groups()
    if direction not in ("a->b", "b->a"):
        raise ValueError(unknown("direction", direction, ("a->b", "b->a")))
    if operation not in Operation.__members__:
        raise ValueError(unknown("operation", operation, Operation.__members__))
    for field, digits, bits in (("id", id, 32), ("copy", copy, 16)):
        if int(digits) >> bits:
            raise ValueError(f"{field}={digits} is not a number from 0 to {(1 << bits) - 1}")
    faults = _faults(said.split(", "))
    return NamedFate(DIRECTIONS[direction], Operation[operation], int(copy), int(id), faults)


def _faults(words: Iterable[str]) -> Fault:
    by_word = {word: fault for fault, word in WORDS.items()}
    faults = Fault(0)
    for word in words:
        if word not in by_word:
            raise ValueError(unknown("fate", word, by_word))
        faults |= by_word[word]
    if faults & Fault.DROPPED and faults != Fault.DROPPED:
        raise ValueError("a frame that is dropped has no other fate")
    return faults
