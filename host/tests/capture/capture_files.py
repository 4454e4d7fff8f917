"""Makes captures of every kind for tests of their readers, block by block and on its own terms."""

import struct
from collections.abc import Sequence

SECTION_HEADER = 0x0A0D0D0A
Option = tuple[int, bytes]


class Blocks:
    """Blocks of pcapng in one byte order: `<` or `>`."""

    def __init__(self, order: str) -> None:
        self.order = order

    def pack(self, layout: str, *values: int | bytes) -> bytes:
        return struct.pack(self.order + layout, *values)

    def block(self, type: int, body: bytes, options: Sequence[Option] = ()) -> bytes:
        body += bytes(-len(body) % 4)
        for code, value in options:
            body += self.pack("HH", code, len(value)) + value + bytes(-len(value) % 4)
        if options:
            body += bytes(4)
        length = self.pack("L", 12 + len(body))
        return self.pack("L", type) + length + body + length

    def section(self, *options: Option, major: int = 1) -> bytes:
        body = self.pack("LHHq", 0x1A2B3C4D, major, 0, -1)
        return self.block(SECTION_HEADER, body, options)

    def interface(self, *options: Option, link_type: int = 1, snap_length: int = 0) -> bytes:
        return self.block(1, self.pack("HHL", link_type, 0, snap_length), options)

    def packet(
        self, time: int, data: bytes, *options: Option, interface: int = 0, original: int = 0
    ) -> bytes:
        times = time >> 32, time & 0xFFFF_FFFF
        head = self.pack("LLLLL", interface, *times, len(data), original or len(data))
        return self.block(6, head + data, options)

    def obsolete_packet(self, time: int, data: bytes, *options: Option, dropped: int = 0) -> bytes:
        times = time >> 32, time & 0xFFFF_FFFF
        head = self.pack("HHLLLL", 0, dropped, *times, len(data), len(data))
        return self.block(2, head + data, options)

    def simple_packet(self, data: bytes, original: int = 0) -> bytes:
        return self.block(3, self.pack("L", original or len(data)) + data)

    def statistics(self, interface: int, *options: Option) -> bytes:
        return self.block(5, self.pack("LLL", interface, 0, 0), options)


def flags(blocks: Blocks, value: int) -> Option:
    return 2, blocks.pack("L", value)


def pcap(
    order: str,
    packets: Sequence[tuple[int, int, bytes]],
    *,
    magic: int = 0xA1B2C3D4,
    snap_length: int = 65535,
    network: int = 1,
) -> bytes:
    """Classic pcap of packets (seconds, fraction, data)."""
    head = struct.pack(f"{order}LHHlLLL", magic, 2, 4, 0, 0, snap_length, network)
    more = bytes(8) if magic == 0xA1B2CD34 else b""
    records = (
        struct.pack(f"{order}LLLL", seconds, fraction, len(data), len(data)) + more + data
        for seconds, fraction, data in packets
    )
    return head + b"".join(records)


def everything(order: str) -> list[bytes]:
    """The blocks of a file with every kind of block and two sections, the second in other order."""
    one, other = Blocks(order), Blocks("<>"[order == "<"])
    return [
        one.section((4, b"a tool")),
        one.interface((2, b"left"), (3, b"the left one " * 30), (9, b"\x09"), (13, b"\x00")),
        one.interface((2, b"right"), (9, b"\x06"), link_type=147),
        one.packet(1 << 33, b"first", flags(one, 2), (5, one.pack("Q", 7)), (1, b"hello")),
        one.block(4, bytes(4)),  # names
        one.packet(5, bytes(range(60)), flags(one, 1 | 1 << 24), interface=1, original=90),
        one.block(0x0BAD, one.pack("L", 32473) + b"custom"),
        one.block(0x4000_0BAD, one.pack("L", 32473) + b"custom"),
        one.block(9, b"__REALTIME_TIMESTAMP=1\nMESSAGE=of a journal\n"),
        one.block(0x7777_7777, b"not known"),
        one.simple_packet(b"simple"),
        one.obsolete_packet(9, b"old", flags(one, 1), dropped=3),
        one.statistics(0, (4, one.pack("Q", 11)), (5, one.pack("Q", 2))),
        other.section(),
        other.interface((2, b"far"), (9, b"\x83"), (14, other.pack("q", 100)), snap_length=4),
        other.packet(20, b"", (4, other.pack("Q", 6))),
        other.simple_packet(b"cut ", original=40),
    ]
