"""Upsets: single bits of an end's state that flip, each named by cycle, state element and bit.

    cycle 4000: b responder.ids[3] bit 17
    cycle 4000: b responder.state bit 4

The names are those of the Verilog, from the end downwards; a memory's word stands in brackets.
"""

import re
from collections.abc import Sequence
from typing import Final, NamedTuple

_FORM: Final = re.compile(r"cycle (\d+): ([ab]) (\S+?)(?:\[(\d+)\])? bit (\d+)")
_CYCLE_MOST: Final = 2**31 - 1


class Upset(NamedTuple):
    """One bit that flips: the clock edge that ends the cycle is the first that sees it.

    Whether there is such a bit, only the end as it is built can tell (`oae.upsets.elements`).
    """

    cycle: int
    end: int
    element: str
    word: int | None  # of a memory
    bit: int

    def __str__(self) -> str:
        """As it stands in a scenario."""
        word = "" if self.word is None else f"[{self.word}]"
        return f"cycle {self.cycle}: {'ab'[self.end]} {self.element}{word} bit {self.bit}"


def parse_upset(words: str) -> Upset:
    """Read an upset; raises ValueError with what is wrong."""
    found = _FORM.fullmatch(words)
    if not found:
        example = "cycle 4000: b responder.ids[3] bit 17"
        raise ValueError(f"{words!r} is not an upset; write '{example}'")
    cycle, end, element, word, bit = found.groups()
    if not 1 <= int(cycle) <= _CYCLE_MOST:
        raise ValueError(f"cycle {cycle} is not from 1 to {_CYCLE_MOST}")
    number = None if word is None else int(word)
    return Upset(int(cycle), "ab".index(end), element, number, int(bit))


def listed(upsets: Sequence[Upset]) -> str:
    """As the engines take them (hdl/compiled/upsets.h): in order of cycle."""
    ordered = sorted(upsets, key=lambda upset: upset.cycle)
    words = ((one.cycle, "ab"[one.end], one.element, one.word or 0, one.bit) for one in ordered)
    return ";".join(",".join(map(str, upset)) for upset in words)
