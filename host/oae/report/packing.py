"""Lists of whole numbers as short text: base-64 variable-length quantities, as in source maps."""

from collections.abc import Iterable
from typing import Final

DIGITS: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
_MORE: Final = 0x20


def packed(numbers: Iterable[int]) -> str:
    """Five bits a digit, the lowest first; the lowest of all is the sign, a sixth says: more."""
    digits = []
    for number in numbers:
        rest = -number << 1 | 1 if number < 0 else number << 1
        while rest >= _MORE:
            digits.append(DIGITS[rest & _MORE - 1 | _MORE])
            rest >>= 5
        digits.append(DIGITS[rest])
    return "".join(digits)
