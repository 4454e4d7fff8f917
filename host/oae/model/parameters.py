"""Sizes of an end, and the ingredients of the protocol that can be taken out of it."""

from dataclasses import dataclass
from functools import cached_property

# Ids of docs/protocol.md, section 9. F25 (receiving never waits for transmitting) is about streams
# and can only be taken out of the RTL; E3 and F28 are about where sessions come from.
INGREDIENTS = frozenset({f"F{number}" for number in range(1, 31) if number != 17} | {"E3"})


@dataclass(frozen=True)
class Parameters:
    """What is fixed when an end is built.

    `without` names ingredients that are taken out, to show what then breaks. `id_bits` and
    `beat_bits` are 32 and 15 on the wire; the explorer makes them small to see them wrap.
    """

    window: int = 8
    record_max: int = 64
    id_bits: int = 32
    beat_bits: int = 15
    without: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        if self.window not in (1, 2, 4, 8, 16, 32, 64):
            raise ValueError(f"window {self.window}: not a power of two from 1 to 64")
        if not 1 <= self.record_max <= 0xFFFF:
            raise ValueError(f"record maximum {self.record_max}: not 1 to 65535 bytes")
        if not 1 <= self.id_bits <= 32:
            raise ValueError(f"id width {self.id_bits}: not 1 to 32 bits")
        if not 1 <= self.beat_bits <= 15:
            raise ValueError(f"beat number width {self.beat_bits}: not 1 to 15 bits")
        if unknown := self.without - INGREDIENTS:
            raise ValueError(f"no such ingredient: {', '.join(sorted(unknown))}")

    def has(self, ingredient: str) -> bool:
        """Whether the ingredient is in place."""
        return ingredient not in self.without

    @cached_property
    def id_mask(self) -> int:
        """The largest id."""
        return (1 << self.id_bits) - 1

    @cached_property
    def beat_mask(self) -> int:
        """The largest beat number."""
        return (1 << self.beat_bits) - 1

    def distance(self, identifier: int, origin: int) -> int:
        """How far `identifier` is ahead of `origin`: serial-number arithmetic, signed."""
        mask = self.id_mask
        half = (mask >> 1) + 1
        return ((identifier - origin + half) & mask) - half

    def beats_ahead(self, number: int, origin: int) -> int:
        """The same for beat numbers."""
        mask = self.beat_mask
        half = (mask >> 1) + 1
        return ((number - origin + half) & mask) - half
