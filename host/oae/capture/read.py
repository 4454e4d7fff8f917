"""Reads captures: pcapng and classic pcap, plain or gzip, in constant memory (docs/capture.md).

capture = Capture("run.pcapng")        # "-" is standard input
for chunk, packets in capture:         # bytes, and where its packets are: PACKET
    ...
print(capture.format, capture.interfaces, capture.damage)
"""

import ctypes
import gzip
import sys
import weakref
import zlib
from collections.abc import Iterator
from functools import cache
from io import BufferedIOBase
from pathlib import Path
from typing import IO, Final, NamedTuple, cast

import numpy
from numpy.typing import NDArray

from oae.capture import CaptureError
from oae.native.build import load
from oae.native.packet import PACKET, PacketFlag

CHUNK_BYTES: Final = 16 << 20  # no block is longer: LARGEST in native/walk.h
CHUNK_PACKETS: Final = 1 << 18
GZIP: Final = b"\x1f\x8b"
HEAD_BYTES: Final = 12  # tell whether it is a capture

Bytes = NDArray[numpy.uint8]
Packets = NDArray[numpy.void]


class Interface(NamedTuple):
    """Where packets were taken; what the capture does not say is None."""

    name: str
    description: str
    link_type: int
    section: int
    snap_length: int | None
    resolution: float  # seconds
    time_offset: int  # seconds, already added to the times of packets
    fcs_length: int | None
    received: int | None
    dropped: int | None


class Taken(NamedTuple):
    """One packet for people; `time` is in nanoseconds."""

    time: int
    interface: int
    flags: PacketFlag
    data: bytes
    comment: str


class _Interface(ctypes.Structure):
    """As in native/walk.h."""

    _fields_ = (
        ("received", ctypes.c_uint64),
        ("dropped", ctypes.c_uint64),
        ("time_offset", ctypes.c_int64),
        ("has_received", ctypes.c_uint32),
        ("has_dropped", ctypes.c_uint32),
        ("section", ctypes.c_uint32),
        ("link_type", ctypes.c_uint32),
        ("snap_length", ctypes.c_uint32),
        ("resolution", ctypes.c_uint32),
        ("fcs_length", ctypes.c_uint32),
        ("has_fcs_length", ctypes.c_uint32),
        ("name", ctypes.c_char * 256),
        ("description", ctypes.c_char * 256),
    )


@cache
def _library() -> ctypes.CDLL:
    size, pointer, text = ctypes.c_size_t, ctypes.c_void_p, ctypes.c_char_p
    to_size, to_interfaces = ctypes.POINTER(size), ctypes.POINTER(ctypes.POINTER(_Interface))
    return load(
        "walk",
        ("walk_begin", pointer, (text, size)),
        ("walk", size, (pointer, pointer, size, ctypes.c_int, pointer, size, to_size)),
        ("walk_interfaces", size, (pointer, to_interfaces)),
        ("walk_format", text, (pointer,)),
        ("walk_damage", text, (pointer,)),
        ("walk_position", ctypes.c_uint64, (pointer,)),
        ("walk_count", ctypes.c_uint64, (pointer,)),
        ("walk_end", None, (pointer,)),
    )


class _Rejoined:
    """A stream with the bytes that were already taken from it."""

    def __init__(self, head: bytes, file: BufferedIOBase) -> None:
        self._head = head
        self._file = file

    def read(self, size: int = -1) -> bytes:
        """The head first; then as the stream."""
        head, self._head = self._head, b""
        return head or self._file.read(size)


class Capture:
    """A capture as chunks of bytes with their packets; it can be gone through once.

    What a chunk yields is valid until the next one. `interfaces` grows and `damage` is set on the
    way: one line about what could not be read, empty if the file is whole.
    """

    def __init__(self, source: str | Path | BufferedIOBase) -> None:
        self._owned = not hasattr(source, "read") and str(source) != "-"
        if isinstance(source, (str, Path)):
            self.name = "standard input" if str(source) == "-" else str(source)
            self._file = _opened(source)
        else:
            self.name = str(getattr(source, "name", "capture"))
            self._file = source
        self._broken = ""  # what is wrong with the stream itself
        self._ended = False
        self._buffer: Bytes = numpy.empty(CHUNK_BYTES, numpy.uint8)
        self._filled = 0
        self._fill(len(GZIP))
        head = self._buffer[: self._filled].tobytes()
        if head == GZIP:
            rejoined = cast(IO[bytes], _Rejoined(head, self._file))
            self._file = gzip.GzipFile(fileobj=rejoined, mode="rb")
            self._filled = 0
        self._fill(HEAD_BYTES)
        self._library = _library()
        head = self._buffer[: self._filled].tobytes()
        self._walk = self._library.oae_walk_begin(head, len(head))
        if self._walk is None:
            what = self._broken or ("is no capture" if head else "is empty")
            self._close()
            raise CaptureError(f"{self.name}: {what}")
        weakref.finalize(self, self._library.oae_walk_end, self._walk)

    @property
    def format(self) -> str:
        """`pcapng` or `pcap`."""
        text: bytes = self._library.oae_walk_format(self._walk)
        return text.decode()

    @property
    def damage(self) -> str:
        """One line: what is wrong, at which byte, after how many packets."""
        text: bytes = self._library.oae_walk_damage(self._walk)
        if not self._broken:
            return text.decode()
        position, count = (
            self._library.oae_walk_position(self._walk),
            self._library.oae_walk_count(self._walk),
        )
        return f"{self._broken}, at byte {position}, after {count} packets"

    @property
    def interfaces(self) -> list[Interface]:
        """What is known of the interfaces by now, through all sections."""
        first = ctypes.POINTER(_Interface)()
        count = self._library.oae_walk_interfaces(self._walk, ctypes.byref(first))
        return [_described(first[i]) for i in range(count)]

    def __iter__(self) -> Iterator[tuple[Bytes, Packets]]:
        packets: Packets = numpy.empty(CHUNK_PACKETS, PACKET)
        consumed = ctypes.c_size_t()
        try:
            while True:
                self._fill(CHUNK_BYTES)
                start = 0
                found = CHUNK_PACKETS
                while found == CHUNK_PACKETS:
                    found = self._library.oae_walk(
                        self._walk,
                        self._buffer.ctypes.data + start,
                        self._filled - start,
                        self._ended,
                        packets.ctypes.data,
                        CHUNK_PACKETS,
                        ctypes.byref(consumed),
                    )
                    if found:
                        chunk = self._buffer[start : start + consumed.value]
                        yield chunk, packets[:found]
                    start += consumed.value
                rest = self._filled - start
                self._buffer[:rest] = self._buffer[start : self._filled]
                self._filled = rest
                if self._ended or self._library.oae_walk_damage(self._walk):
                    return
        finally:
            self._close()

    def _fill(self, size: int) -> None:
        """Read until the buffer holds so many bytes, or the stream ends."""
        try:
            while self._filled < size and not self._ended:
                count = self._file.readinto1(self._buffer[self._filled : size].data)
                self._filled += count
                self._ended = not count
        except EOFError:
            self._break("the compressed data is cut off")
        except (zlib.error, gzip.BadGzipFile):
            self._break("the compressed data is damaged")
        except OSError as error:
            self._break(f"cannot be read: {error.strerror}")

    def _break(self, problem: str) -> None:
        self._broken = problem
        self._ended = True

    def _close(self) -> None:
        if self._owned:
            self._file.close()


def _opened(path: str | Path) -> BufferedIOBase:
    if str(path) == "-":
        if sys.stdin is None:
            raise CaptureError("standard input is closed")
        return cast(BufferedIOBase, sys.stdin.buffer)
    try:
        return Path(path).open("rb")
    except OSError as error:
        raise CaptureError(f"{path}: {error.strerror}") from error


def _printable(text: bytes) -> str:
    """Without what a terminal would obey."""
    return "".join(c if c.isprintable() else "\ufffd" for c in text.decode(errors="replace"))


def _described(raw: _Interface) -> Interface:
    base = 2.0 if raw.resolution & 0x80 else 10.0
    return Interface(
        _printable(raw.name),
        _printable(raw.description),
        raw.link_type,
        raw.section,
        raw.snap_length or None,
        base ** -(raw.resolution & 0x7F),
        raw.time_offset,
        raw.fcs_length if raw.has_fcs_length else None,
        raw.received if raw.has_received else None,
        raw.dropped if raw.has_dropped else None,
    )


def packets(source: str | Path | BufferedIOBase) -> Iterator[Taken]:
    """Every packet that can be read, one after the other."""
    for chunk, found in Capture(source):
        for packet in found:
            data = chunk[packet["offset"] :][: packet["captured"]].tobytes()
            comment = chunk[packet["comment"] :][: packet["comment_bytes"]].tobytes()
            yield Taken(
                int(packet["time"]),
                int(packet["interface"]),
                PacketFlag(int(packet["flags"])),
                data,
                comment.decode(errors="replace"),
            )
