"""The hash behind every random decision of a run; `hdl/sim/oae_hash.vh` is the same in Verilog.

A decision is a hash of the seed, of the coordinates of what is decided about, and of the purpose
of the decision. So it does not depend on when it is taken, nor on what was decided before.
"""

from enum import IntEnum
from typing import Final

MASK: Final = 0xFFFF_FFFF
STEP: Final = 0x9E37_79B9
CERTAIN: Final = 1 << 32  # threshold of a chance of 1


class Purpose(IntEnum):
    """What a number is drawn for; numbers drawn for different purposes are independent."""

    DROP = 1
    DUPLICATE = 2
    HOLD = 3
    HOLD_PASSES = 4
    DELAY = 5
    DELAY_CYCLES = 6
    CORRUPT = 7
    FLIP = 8
    FLIP_PLACE = 9  # and the two numbers after it
    GAP = 16
    BAD = 17
    TOO_LONG = 18
    CANCEL = 19
    CANCEL_AFTER = 20
    STALL = 21
    STALL_CYCLES = 22
    REFUSE = 23
    SESSION = 24
    RULE = 25


def mix(value: int) -> int:
    """The finaliser of MurmurHash3 with 32 bits: a bijection in which every bit moves every bit."""
    value ^= value >> 16
    value = value * 0x85EB_CA6B & MASK
    value ^= value >> 13
    value = value * 0xC2B2_AE35 & MASK
    return value ^ value >> 16


def chain(hash: int, word: int) -> int:
    """Take one more word of 32 bits into a hash."""
    return mix((hash + STEP & MASK) ^ word)


def draw(seed: int, *words: int) -> int:
    """A number of 32 bits for these coordinates."""
    hash = mix(seed)
    for word in words:
        hash = chain(hash, word & MASK)
    return hash


def frame_hash(seed: int, direction: int, operation: int, id: int, copy: int) -> int:
    """Hash of a frame's coordinates; a purpose is chained to it for each number that is drawn."""
    return draw(seed, direction << 24 | operation << 16 | copy & 0xFFFF, id)


def threshold(chance: float) -> int:
    """A draw below this number has the given chance."""
    return round(chance * CERTAIN)
