"""Registers by name, from the generated map (docs/tables.md)."""

from functools import cache
from typing import Final, NamedTuple

from oae.errors import OaeError
from oae.scenario.language import unknown
from oae.spec.constants import BOARD_REGISTER_MAP, PROTOCOL_VERSION, REGISTER, REGISTER_MAP
from oae.spec.loader import Specification

IDENTITY: Final = int.from_bytes(b"OAE1", "big")
VERSION: Final = PROTOCOL_VERSION << 16 | REGISTER_MAP
BOARD_VERSION: Final = BOARD_REGISTER_MAP
ADDRESS_MOST: Final = 0xFFFF
VALUE_MOST: Final = 0xFFFF_FFFF


class RegisterError(OaeError):
    """No such register, or a value that it cannot hold."""


class Register(NamedTuple):
    """One register of the map."""

    name: str
    address: int
    writable: bool
    text: str


@cache
def registers() -> dict[str, Register]:
    """Every register but the counters, in the order of addresses."""
    specification = Specification()
    rows = [*specification.rows("register"), *specification.rows("board_register")]
    found = [Register(r["name"], r["address"], r["access"] == "write", r["text"]) for r in rows]
    return {one.name: one for one in found if one.name != "COUNTERS"}


@cache
def counters() -> dict[str, Register]:
    """Every counter, in the order of addresses."""
    first = REGISTER["COUNTERS"]
    every = enumerate(Specification().counters, first)
    return {one.name: Register(one.name, address, False, one.text) for address, one in every}


def register(word: str) -> Register:
    """The register of a name or an address as somebody types it; raises RegisterError."""
    names = {**registers(), **counters()}
    name = word.upper().replace("-", "_")
    if name in names:
        return names[name]
    try:
        address = int(word, 0)
    except ValueError:
        raise RegisterError(unknown("register", name, names)) from None
    if not 0 <= address <= ADDRESS_MOST:
        raise RegisterError(f"{word}: not an address from 0 to 0x{ADDRESS_MOST:X}")
    known = next((one for one in names.values() if one.address == address), None)
    return known or Register(f"0x{address:03X}", address, True, "not in the map")


def value(text: str) -> int:
    """A value to write, as somebody types it; raises RegisterError."""
    try:
        number = int(text, 0)
    except ValueError:
        raise RegisterError(f"{text!r} is no number; 42, 0x2A and 0b101010 are") from None
    if not 0 <= number <= VALUE_MOST:
        raise RegisterError(f"{text}: not from 0 to 0x{VALUE_MOST:X}")
    return number
