"""Captures of other tools and of every kind are read for what they are."""

import gzip
import io
import math
import shutil
import struct
import subprocess
import sys
import tracemalloc
from fractions import Fraction
from pathlib import Path

import dpkt
import numpy
import pytest
from hypothesis import given
from hypothesis import strategies as st
from oae.capture import CaptureError, read
from oae.capture.read import Capture, Interface, packets
from oae.native.packet import PACKET, PacketFlag
from oae.testing import requirement
from scapy.layers.l2 import Ether
from scapy.utils import EDecimal, PcapNgWriter, RawPcapWriter

from host.tests.capture.capture_files import Blocks, everything, flags, pcap

ORDERS = pytest.mark.parametrize("order", ["<", ">"])
TIMES = st.integers(0, 2**31 - 1)
FRAMES = st.lists(st.tuples(TIMES, st.integers(0, 999_999), st.binary(max_size=100)))
SOME = [(0, 0, b""), (1_700_000_000, 999_999, bytes(60)), (3, 7, b"odd"), (2**31, 5, b"later")]


def read_all(data: bytes) -> tuple[Capture, list[dict[str, int]], list[bytes]]:
    """The capture, its packets, and their bytes."""
    capture = Capture(io.BytesIO(data))
    found, bodies = [], []
    for chunk, taken in capture:
        for packet in taken:
            found.append({name: int(packet[name]) for name in PACKET.names or ()})
            bodies.append(chunk[packet["offset"] :][: packet["captured"]].tobytes())
    return capture, found, bodies


def times(data: bytes) -> list[int]:
    return [packet.time for packet in packets(io.BytesIO(data))]


# ------------------------------------------------------------------------ files of other tools


@requirement("OAE-CAP-002")
@ORDERS
@pytest.mark.parametrize("nano", [False, True])
def test_classic_captures_of_scapy(order: str, nano: bool, tmp_path: Path) -> None:
    path = tmp_path / "scapy.pcap"
    with RawPcapWriter(str(path), linktype=147, endianness=order, nano=nano) as writer:
        writer.write_header(b"")
        for second, fraction, data in SOME:
            writer.write_packet(data, sec=second, usec=fraction)
    taken = list(packets(path))
    scale = 1 if nano else 1000
    assert [packet.time for packet in taken] == [s * 10**9 + f * scale for s, f, _ in SOME]
    assert [packet.data for packet in taken] == [data for _, _, data in SOME]
    capture = Capture(path)
    assert list(capture)
    assert (capture.format, capture.damage) == ("pcap", "")
    assert [interface.link_type for interface in capture.interfaces] == [147]


@requirement("OAE-CAP-002")
@pytest.mark.parametrize("nano", [False, True])
def test_classic_captures_of_dpkt(nano: bool) -> None:
    file = io.BytesIO()
    writer = dpkt.pcap.Writer(file, nano=nano)
    for second, fraction, data in SOME:
        writer.writepkt_time(data, second + fraction / 10**6)
    capture, found, bodies = read_all(file.getvalue())
    assert bodies == [data for _, _, data in SOME]
    assert capture.interfaces[0].snap_length == 1500
    expected = list(dpkt.pcap.Reader(io.BytesIO(file.getvalue())))
    for packet, (time, _) in zip(found, expected, strict=True):
        assert Fraction(packet["time"], 10**9) == Fraction(str(time))


@requirement("OAE-CAP-002")
def test_pcapng_of_scapy(tmp_path: Path) -> None:
    path = tmp_path / "scapy.pcapng"
    with PcapNgWriter(str(path)) as writer:
        for i, (second, fraction, data) in enumerate(SOME):
            frame = Ether(bytes(14) + data)
            frame.time = EDecimal(second) + EDecimal(fraction) / 10**6
            frame.comments = [b"%d" % i]
            frame.direction = 1
            frame.sniffed_on = f"port {i % 2}"
            writer.write(frame)
    capture, found, bodies = read_all(path.read_bytes())
    assert bodies == [bytes(14) + data for _, _, data in SOME]
    for packet, (second, fraction, _) in zip(found, SOME, strict=True):
        assert abs(packet["time"] - second * 10**9 - fraction * 1000) <= 1000  # scapy cuts them
    assert [packet.comment for packet in packets(path)] == ["0", "1", "2", "3"]
    assert all(packet["flags"] & PacketFlag.INBOUND for packet in found)
    names = [interface.name for interface in capture.interfaces]
    assert [names[packet["interface"]] for packet in found] == ["port 0", "port 1"] * 2


@requirement("OAE-CAP-002")
def test_pcapng_of_dpkt() -> None:
    file = io.BytesIO()
    writer = dpkt.pcapng.Writer(file)
    for second, fraction, data in SOME:
        writer.writepkt(data, second + fraction / 10**6)
    read_back = [data for _, data in dpkt.pcapng.Reader(io.BytesIO(file.getvalue()))]
    capture, _, bodies = read_all(file.getvalue())
    assert bodies == read_back == [data for _, _, data in SOME]
    assert capture.damage == ""
    for time, (second, fraction, _) in zip(times(file.getvalue()), SOME, strict=True):
        assert abs(time - second * 10**9 - fraction * 1000) <= 1000


# ------------------------------------------------------------------------ classic pcap


@requirement("OAE-CAP-002")
@given(
    FRAMES,
    st.sampled_from("<>"),
    st.sampled_from([0xA1B2C3D4, 0xA1B23C4D, 0xA1B2CD34]),
    st.sampled_from([0, 40, 65535, 2**32 - 1]),
)
def test_every_classic_capture(
    frames: list[tuple[int, int, bytes]], order: str, magic: int, snap_length: int
) -> None:
    """Packets longer than the snap length that the file announces as well."""
    data = pcap(order, frames, magic=magic, snap_length=snap_length, network=1 | 0x2400_0000)
    capture, found, bodies = read_all(data)
    assert bodies == [data for _, _, data in frames]
    scale = 1 if magic == 0xA1B23C4D else 1000
    assert [packet["time"] for packet in found] == [s * 10**9 + f * scale for s, f, _ in frames]
    assert [packet["index"] for packet in found] == list(range(1, len(frames) + 1))
    (interface,) = capture.interfaces
    assert (interface.link_type, interface.fcs_length) == (1, 4)
    assert interface.snap_length == (snap_length or None)
    assert (capture.format, capture.damage) == ("pcap", "")


# ------------------------------------------------------------------------ pcapng


@requirement("OAE-CAP-002")
@ORDERS
def test_every_kind_of_block(order: str) -> None:
    capture, found, bodies = read_all(b"".join(everything(order)))
    assert (capture.format, capture.damage) == ("pcapng", "")
    assert bodies == [b"first", bytes(range(60)), b"simple", b"old", b"", b"cut "]
    timed = PacketFlag.TIMED
    assert [packet["interface"] for packet in found] == [0, 1, 0, 0, 2, 2]
    far = 20 * 10**9 // 8 + 100 * 10**9
    assert [packet["time"] for packet in found] == [1 << 33, 5000, 0, 9, far, 0]
    assert [packet["original"] for packet in found] == [5, 90, 6, 3, 0, 40]
    assert [packet["number"] for packet in found] == [7, 0, 0, 0, 0, 0]
    assert [packet["dropped"] for packet in found] == [0, 0, 0, 3, 6, 0]
    assert [packet["flags"] for packet in found] == [
        timed | PacketFlag.OUTBOUND | PacketFlag.NUMBERED | PacketFlag.COMMENTED,
        timed | PacketFlag.INBOUND | PacketFlag.BAD,
        0,
        timed | PacketFlag.INBOUND,
        timed,
        0,
    ]
    assert capture.interfaces == [
        Interface("left", ("the left one " * 30)[:255], 1, 0, None, 1e-9, 0, 0, 11, 2),
        Interface("right", "", 147, 0, None, 1e-6, 0, None, None, None),
        Interface("far", "", 1, 1, 4, 1 / 8, 100, None, None, None),
    ]


@requirement("OAE-CAP-002")
@ORDERS
def test_tshark_finds_the_same_in_every_kind_of_block(order: str, tmp_path: Path) -> None:
    if shutil.which("tshark") is None:
        pytest.skip("tshark is not installed")
    path = tmp_path / "every.pcapng"
    path.write_bytes(b"".join(everything(order)))
    command = ["tshark", "-n", "-r", str(path), "-T", "fields"]
    for field in ("number", "time_epoch", "len", "cap_len", "comment"):
        command += ["-e", f"frame.{field}"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    lines = [line.split("\t") for line in done.stdout.splitlines()]
    _, found, _ = read_all(path.read_bytes())
    comments = [packet.comment for packet in packets(path)]
    lines = [line for line in lines if line[0] in {str(packet["index"]) for packet in found}]
    assert len(lines) == len(found)
    for line, packet, comment in zip(lines, found, comments, strict=True):
        # It counts custom blocks and journals, too.
        sizes = [str(packet["original"]), str(packet["captured"])]
        assert [line[0], *line[2:]] == [str(packet["index"]), *sizes, comment]
        if packet["flags"] & PacketFlag.TIMED:
            assert Fraction(line[1]) == Fraction(packet["time"], 10**9)


@requirement("OAE-CAP-002")
@given(st.integers(0, 2**64 - 1), st.integers(0, 2**33), st.sampled_from("<>"))
def test_every_resolution_of_time(time: int, offset: int, order: str) -> None:
    """As exact fractions; what 64 bits of nanoseconds cannot hold goes round."""
    blocks = Blocks(order)
    data, exact = blocks.section(), []
    for resolution in range(256):
        data += blocks.interface((9, bytes([resolution])), (14, blocks.pack("q", offset)))
        data += blocks.packet(time, b"", interface=resolution)
        base = 2 if resolution & 0x80 else 10
        exact.append(Fraction(time, base ** (resolution & 0x7F)) + offset)
    assert times(data) == [math.floor(second * 10**9) % 2**64 for second in exact]


@requirement("OAE-CAP-002")
@given(st.integers(-(2**31), -1))
def test_an_offset_of_time_may_be_negative(offset: int) -> None:
    blocks = Blocks("<")
    options = (9, b"\x00"), (14, blocks.pack("q", offset))
    data = blocks.section() + blocks.interface(*options) + blocks.packet(2**32, b"")
    assert times(data) == [(2**32 + offset) * 10**9]


@requirement("OAE-CAP-002")
@ORDERS
def test_options_of_another_size_say_nothing(order: str) -> None:
    blocks = Blocks(order)
    data = blocks.section()
    data += blocks.interface((2, b"n" * 300), (9, b""), (13, b"1234"), (14, b"8"))
    data += blocks.packet(3, b"x", (2, b"12"), (4, b"1"), (5, b"1234"), (1, b"one"), (1, b"two"))
    capture, (packet,), _ = read_all(data)
    assert capture.interfaces == [Interface("n" * 255, "", 1, 0, None, 1e-6, 0, *[None] * 3)]
    assert (packet["time"], packet["number"], packet["dropped"]) == (3000, 0, 0)
    assert packet["flags"] == PacketFlag.TIMED | PacketFlag.COMMENTED
    assert [taken.comment for taken in packets(io.BytesIO(data))] == ["one"]


# ------------------------------------------------------------------------ where it comes from


@requirement("OAE-CAP-002")
def test_gzip_files_and_standard_input(tmp_path: Path) -> None:
    data = b"".join(everything("<"))
    plain, packed = tmp_path / "plain", tmp_path / "packed"
    plain.write_bytes(data)
    half = len(data) // 2
    packed.write_bytes(gzip.compress(data[:half]) + gzip.compress(data[half:]))
    expected = list(packets(io.BytesIO(data)))
    assert list(packets(plain)) == list(packets(str(packed))) == expected
    program = "from oae.capture.read import packets\nfor p in packets('-'): print(p.data.hex())"
    for path in (plain, packed):
        with path.open("rb") as file:
            done = subprocess.run(
                [sys.executable, "-c", program], stdin=file, capture_output=True, check=True
            )
        lines = done.stdout.decode().splitlines()
        assert lines == [packet.data.hex() for packet in expected]


@requirement("OAE-CAP-002")
@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("room", [1, 2, 4096])
@pytest.mark.parametrize("size", [600, 1000])
def test_chunks_and_packets_may_end_anywhere(
    monkeypatch: pytest.MonkeyPatch, order: str, room: int, size: int
) -> None:
    data = b"".join(everything(order)) * 3
    expected = list(packets(io.BytesIO(data)))
    monkeypatch.setattr(read, "CHUNK_BYTES", size)
    monkeypatch.setattr(read, "CHUNK_PACKETS", room)
    assert list(packets(io.BytesIO(data))) == expected
    assert len(expected) == 18


class Endless(io.RawIOBase):
    """A long capture that nobody has to store."""

    def __init__(self, head: bytes, piece: bytes, count: int) -> None:
        self.pieces = iter([head, *[piece] * count])
        self.rest = b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        self.rest = self.rest or next(self.pieces, b"")
        count = min(len(self.rest), len(buffer))
        buffer[:count], self.rest = self.rest[:count], self.rest[count:]
        return count


@requirement("OAE-CAP-002", "OAE-CHK-008")
def test_memory_does_not_grow_with_the_file() -> None:
    blocks = Blocks("<")
    frame = blocks.packet(0, bytes(1000), flags(blocks, 1))
    stream = Endless(blocks.section() + blocks.interface(), frame * 1000, 100)
    tracemalloc.start()
    count = sum(len(found) for _, found in Capture(io.BufferedReader(stream)))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert count == 100_000
    assert peak < 40 << 20 < count * len(frame)


@requirement("OAE-CAP-002")
def test_chunks_are_arrays_of_bytes_and_packets() -> None:
    for chunk, found in Capture(io.BytesIO(b"".join(everything("<")))):
        assert chunk.dtype == numpy.dtype(numpy.uint8)
        assert found.dtype == PACKET
        assert (found["offset"] + found["captured"] <= len(chunk)).all()


# ------------------------------------------------------------------------ no captures


@requirement("OAE-CAP-003")
@pytest.mark.parametrize(
    ("data", "what"),
    [
        (b"", "is empty"),
        (b"\x0a\x0d", "is no capture"),
        (b"a line of text\n" * 100, "is no capture"),
        (struct.pack("<LLL", 0x0A0D0D0A, 28, 0x12345678) + bytes(16), "is no capture"),
        (gzip.compress(b"a line of text"), "is no capture"),
        (gzip.compress(b""), "is empty"),
        (gzip.compress(b"a line of text")[:12], "the compressed data is cut off"),
        (b"\x1f\x8b" + bytes(30), "the compressed data is damaged"),
    ],
)
def test_what_is_no_capture_is_refused(data: bytes, what: str, tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(data)
    with pytest.raises(CaptureError) as error:
        Capture(path)
    assert str(error.value) == f"{path}: {what}"
    assert error.value.exit_code == 2


@requirement("OAE-CAP-003")
def test_what_cannot_be_opened_is_refused(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "missing"):
        with pytest.raises(CaptureError, match=r"directory") as error:
            Capture(path)
        assert str(error.value).startswith(f"{path}: ")
