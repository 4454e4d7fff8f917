"""Writes pcapng: streaming, in constant memory, the same bytes for the same calls."""

import struct
from collections.abc import Sequence
from typing import BinaryIO, Final, NamedTuple

from oae import __version__

LINK_TYPE_ETHERNET: Final = 1
LINK_TYPE_USER0: Final = 147

# epb_flags
INBOUND: Final = 1
OUTBOUND: Final = 2
CRC_ERROR: Final = 1 << 24

_SECTION_HEADER: Final = 0x0A0D0D0A
_BYTE_ORDER: Final = 0x1A2B3C4D
_INTERFACE_DESCRIPTION: Final = 1
_INTERFACE_STATISTICS: Final = 5
_ENHANCED_PACKET: Final = 6
_NANOSECONDS: Final = 9

_LENGTH: Final = struct.Struct("<L")
_BLOCK: Final = struct.Struct("<LL")
_OPTION: Final = struct.Struct("<HH")
# type, length, interface, time high, time low, captured, original
_PACKET: Final = struct.Struct("<LLLLLLL")
_AROUND: Final = _PACKET.size + _LENGTH.size
_FLAGS: Final = struct.Struct("<HHL")
_COUNT: Final = struct.Struct("<HHQ")
_END_OF_OPTIONS: Final = bytes(4)
_PADDING: Final = (b"", bytes(3), bytes(2), bytes(1))


class Interface(NamedTuple):
    """Where packets are taken."""

    name: str
    description: str
    link_type: int = LINK_TYPE_ETHERNET


def _option(code: int, value: bytes) -> bytes:
    return _OPTION.pack(code, len(value)) + value + _PADDING[len(value) % 4]


def _text(code: int, text: str) -> bytes:
    return _option(code, text.encode())


class Writer:
    """Writes one section with these interfaces; `finish` ends it with their statistics."""

    def __init__(
        self, file: BinaryIO, interfaces: Sequence[Interface], hardware: str, system: str
    ) -> None:
        self._file = file
        self._received = [0] * len(interfaces)
        self._dropped = [0] * len(interfaces)
        self._time = 0
        options = _text(2, hardware) + _text(3, system) + _text(4, f"oae {__version__}")
        unknown_length = -1
        section = struct.pack("<LHHq", _BYTE_ORDER, 1, 0, unknown_length)
        self._block(_SECTION_HEADER, section + options + _END_OF_OPTIONS)
        for interface in interfaces:
            options = _text(2, interface.name) + _text(3, interface.description)
            options += _option(9, bytes([_NANOSECONDS])) + _option(13, bytes([0]))
            unlimited = 0
            body = struct.pack("<HxxL", interface.link_type, unlimited)
            self._block(_INTERFACE_DESCRIPTION, body + options + _END_OF_OPTIONS)

    def packet(
        self,
        interface: int,
        time: int,
        data: bytes,
        *,
        flags: int = 0,
        number: int | None = None,
        dropped: int = 0,
        comment: str = "",
    ) -> None:
        """One packet at `time` (ns); `dropped` were lost since the last one of the interface."""
        options = _text(1, comment) if comment else b""
        if flags:
            options += _FLAGS.pack(2, 4, flags)
        if dropped:
            options += _COUNT.pack(4, 8, dropped)
        if number is not None:
            options += _COUNT.pack(5, 8, number)
        if options:
            options += _END_OF_OPTIONS
        self._dropped[interface] += dropped
        self.put(interface, time, data, options)

    def put(self, interface: int, time: int, data: bytes, options: bytes = b"") -> None:
        """One packet at `time` (ns), its options being laid out already."""
        size = len(data)
        body = data + _PADDING[size % 4] + options
        length = _AROUND + len(body)
        head = _PACKET.pack(
            _ENHANCED_PACKET, length, interface, time >> 32, time & 0xFFFF_FFFF, size, size
        )
        self._file.write(head + body + _LENGTH.pack(length))
        self._received[interface] += 1
        self._time = time

    def blocks(self, blocks: bytes, received: Sequence[int], time: int) -> None:
        """Packets that are blocks already: so many of each interface, the last one at `time`."""
        self._file.write(blocks)
        self._received = [sum(both) for both in zip(self._received, received, strict=True)]
        self._time = time

    def finish(self) -> None:
        """Write how many packets each interface took and lost."""
        for interface, counts in enumerate(zip(self._received, self._dropped, strict=True)):
            received, dropped = counts
            body = struct.pack("<LLL", interface, self._time >> 32, self._time & 0xFFFF_FFFF)
            options = _COUNT.pack(4, 8, received + dropped) + _COUNT.pack(5, 8, dropped)
            self._block(_INTERFACE_STATISTICS, body + options + _END_OF_OPTIONS)

    def _block(self, type: int, body: bytes) -> None:
        length = _BLOCK.size + len(body) + _LENGTH.size
        self._file.write(_BLOCK.pack(type, length) + body + _LENGTH.pack(length))
