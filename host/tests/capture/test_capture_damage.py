"""A damaged capture gives what can be read, and one line about the rest."""

import gzip
import io
import itertools
import re
import zlib
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from oae.capture import CaptureError
from oae.capture.read import Capture, Taken, packets
from oae.testing import requirement

from host.tests.capture.capture_files import Blocks, everything, pcap

LINE = re.compile(r"(.+), at byte (\d+), after (\d+) packets")
FRAMES = [(1, 2, b"one"), (3, 4, b""), (5, 6, bytes(70))]
LITTLE = Blocks("<")
START = LITTLE.section() + LITTLE.interface()
GOOD = LITTLE.packet(1, b"good")


def told(data: bytes) -> tuple[list[Taken], str]:
    """What can be read, and the line about the rest."""
    capture = Capture(io.BytesIO(data))
    count = sum(len(found) for _, found in capture)
    taken = list(packets(io.BytesIO(data)))
    assert len(taken) == count
    return taken, capture.damage


def pieces(order: str) -> Iterator[tuple[str, list[bytes], list[bool]]]:
    """Files as their parts, and whether each part is a packet."""
    blocks = everything(order)
    types = {Blocks(either).pack("L", type) for either in "<>" for type in (2, 3, 6)}
    yield "pcapng", blocks, [block[:4] in types for block in blocks]
    for magic, head in ((0xA1B2C3D4, 16), (0xA1B23C4D, 16), (0xA1B2CD34, 24)):
        whole = pcap(order, FRAMES, magic=magic)
        ends = [24, *itertools.accumulate((head + len(f[2]) for f in FRAMES), initial=24)][1:]
        parts = [whole[:24]] + [whole[a:b] for a, b in itertools.pairwise(ends)]
        yield f"pcap {magic:x}", parts, [False, True, True, True]


CASES = [(*case, order) for order in "<>" for case in pieces(order)]


@requirement("OAE-CAP-003")
@pytest.mark.parametrize(
    ("parts", "is_packet"),
    [case[1:3] for case in CASES],
    ids=[f"{case[0]} {'little' if case[3] == '<' else 'big'}" for case in CASES],
)
def test_a_file_may_end_at_any_byte(parts: list[bytes], is_packet: list[bool]) -> None:
    whole = b"".join(parts)
    everything_read, damage = told(whole)
    assert damage == ""
    assert len(everything_read) == sum(is_packet)
    ends = list(itertools.accumulate(map(len, parts)))
    for size in range(4, len(whole)):
        complete = sum(end <= size for end in ends)
        count = sum(is_packet[:complete])
        taken, damage = told(whole[:size])
        assert taken == everything_read[:count]
        if size in ends:
            assert damage == ""
        else:
            begin = ([0, *ends])[complete]
            assert damage == f"the file is cut off, at byte {begin}, after {count} packets"


@requirement("OAE-CAP-003")
def test_compressed_data_may_end_at_any_byte() -> None:
    whole = b"".join(everything("<"))
    packed = gzip.compress(whole, mtime=0)
    everything_read, _ = told(whole)
    most = 0
    for size in range(20, len(packed)):
        try:
            taken, damage = told(packed[:size])
        except CaptureError:  # not even its first bytes came out
            assert most == 0
            continue
        found = LINE.fullmatch(damage)
        assert found is not None
        assert found[1] == "the compressed data is cut off"
        assert int(found[3]) == len(taken)
        assert taken == everything_read[: len(taken)]
        most = max(most, len(taken))
    assert most == len(everything_read)


@requirement("OAE-CAP-003")
def test_damaged_compressed_data_is_said() -> None:
    packed = bytearray(gzip.compress(START + GOOD * 3))
    packed[-5] ^= 1  # its checksum
    taken, damage = told(bytes(packed))
    assert len(taken) == 3
    assert damage.startswith("the compressed data is damaged, at byte ")
    stored = bytearray(zlib.compress(START + GOOD, wbits=31))
    stored[-8:-4] = bytes(4)
    assert told(bytes(stored))[1].endswith("after 1 packets")


def block(type: int, body: bytes, *, length: int | None = None, again: int | None = None) -> bytes:
    """A block that may lie about its length."""
    true = 12 + len(body)
    first = true if length is None else length
    last = first if again is None else again
    return LITTLE.pack("LL", type, first) + body + LITTLE.pack("L", last)


def enhanced(interface: int, captured: int, rest: bytes) -> bytes:
    return block(6, LITTLE.pack("LLLLL", interface, 0, 0, captured, captured) + rest)


DAMAGE = {
    "a block of 8 bytes": block(6, bytes(20), length=8),
    "a block of 33 bytes": block(6, bytes(21), length=33),
    "a block of 33554432 bytes, more than 16 MiB": block(99, b"", length=32 << 20),
    "a block whose two lengths differ": block(99, bytes(8), again=24),
    "a packet block that is too short": block(6, bytes(16)),
    "a packet longer than its block": enhanced(0, 5, bytes(4)),
    "an interface 1 that is not described": enhanced(1, 0, b""),
    "an interface 4294967295 that is not described": enhanced(2**32 - 1, 0, b""),
    "an option longer than its block": enhanced(0, 0, LITTLE.pack("HH", 1, 5) + bytes(4)),
    "an interface description that is too short": block(1, bytes(4)),
    "interface statistics that are too short": block(5, bytes(8)),
    "a section header that is too short": block(0x0A0D0D0A, LITTLE.pack("L", 0x1A2B3C4D)),
    "a section of version 2": LITTLE.section(major=2),
    "a section of unknown byte order": block(0x0A0D0D0A, bytes(16)),
}


@requirement("OAE-CAP-003")
@pytest.mark.parametrize("what", DAMAGE)
def test_damage_is_said_in_one_line(what: str) -> None:
    taken, damage = told(START + GOOD * 2 + DAMAGE[what] + GOOD)
    assert [packet.data for packet in taken] == [b"good"] * 2
    assert damage == f"{what}, at byte {len(START + GOOD * 2)}, after 2 packets"


@requirement("OAE-CAP-003")
@pytest.mark.parametrize(
    ("damaged", "what"),
    [
        (block(2, bytes(16)), "a packet block that is too short"),
        (block(3, b""), "a packet block that is too short"),
        (LITTLE.block(3, LITTLE.pack("L", 9) + b"4..."), "a packet longer than its block"),
        (LITTLE.section() + GOOD, "an interface 0 that is not described"),
        (LITTLE.section() + LITTLE.simple_packet(b""), "an interface 0 that is not described"),
    ],
)
def test_damage_of_other_packet_blocks(damaged: bytes, what: str) -> None:
    assert told(START + damaged)[1].startswith(what)


@requirement("OAE-CAP-003")
def test_a_packet_of_a_classic_capture_that_is_too_long() -> None:
    data = pcap(">", [(1, 2, b"good"), (3, 4, bytes(300_000))])
    taken, damage = told(data)
    assert [packet.data for packet in taken] == [b"good"]
    assert damage == "a packet of 300000 bytes, at byte 44, after 1 packets"
    assert told(data[:4] + b"\0\3" + data[6:])[1].startswith("a capture of version 3")


@requirement("OAE-CAP-003")
def test_interfaces_without_end_are_damage() -> None:
    data = LITTLE.section() + LITTLE.interface() * 65537
    assert told(data)[1].startswith("more than 65536 interfaces, at byte")


@requirement("OAE-CAP-003")
@settings(max_examples=300, deadline=None)
@given(st.data())
def test_what_stands_before_the_damage_is_read(data: st.DataObject) -> None:
    """Whatever stands behind it."""
    blocks = everything(data.draw(st.sampled_from("<>")))
    kept = data.draw(st.integers(1, len(blocks)))
    whole = b"".join(blocks[:kept])
    before, _ = told(whole)
    taken, damage = told(whole + data.draw(st.binary(min_size=1, max_size=60)))
    assert taken[: len(before)] == before
    if damage:
        found = LINE.fullmatch(damage)
        assert found is not None
        assert int(found[2]) >= len(whole)
        assert int(found[3]) == len(taken)
