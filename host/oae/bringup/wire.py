"""The serial protocol (docs/board.md): frames by COBS and CRC-32, and what stands in them."""

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, NamedTuple

from cobs import cobs

from oae.spec.constants import SerialOperation, SerialStatus

DELIMITER: Final = b"\0"
_REQUEST: Final = struct.Struct("<LBHB")  # sequence, operation, address, count
_ANSWER: Final = struct.Struct("<LB")  # sequence, status
_WORD: Final = struct.Struct("<L")
_STATUSES: Final = frozenset(map(int, SerialStatus))


@dataclass(frozen=True)
class Request:
    """What a host asks for."""

    sequence: int
    operation: int
    address: int
    count: int = 1
    value: int | None = None  # of a write

    def encode(self) -> bytes:
        """The frame on the wire."""
        head = _REQUEST.pack(self.sequence, self.operation, self.address, self.count)
        return framed(head if self.value is None else head + _WORD.pack(self.value))


class Answer(NamedTuple):
    """What the bridge says to a request."""

    sequence: int
    status: SerialStatus
    words: tuple[int, ...] = ()

    def encode(self) -> bytes:
        """The frame on the wire."""
        head = _ANSWER.pack(self.sequence, self.status)
        return framed(head + struct.pack(f"<{len(self.words)}L", *self.words))


def read(sequence: int, address: int, count: int = 1) -> Request:
    """Read `count` registers from `address` on."""
    return Request(sequence, SerialOperation.READ, address, count)


def write(sequence: int, address: int, value: int) -> Request:
    """Write one register."""
    return Request(sequence, SerialOperation.WRITE, address, 1, value)


def framed(content: bytes) -> bytes:
    """The frame with this content, and the delimiter that ends it."""
    body: bytes = cobs.encode(content + _WORD.pack(zlib.crc32(content)))
    return body + DELIMITER


def frames(stream: bytes) -> Iterator[bytes]:
    """The frames that have ended, each without its delimiter; an empty one is none."""
    *ended, _ = stream.split(DELIMITER)
    return filter(None, ended)


def content(frame: bytes) -> bytes | None:
    """What a frame holds; None if it is damaged."""
    try:
        body: bytes = cobs.decode(frame)
    except cobs.DecodeError:
        return None
    inner, crc = body[: -_WORD.size], body[-_WORD.size :]
    return inner if _WORD.pack(zlib.crc32(inner)) == crc else None


def answer(frame: bytes) -> Answer | None:
    """The answer in a frame; None if it is no whole one."""
    inner = content(frame)
    if inner is None or len(inner) < _ANSWER.size:
        return None
    sequence, status = _ANSWER.unpack_from(inner)
    data = inner[_ANSWER.size :]
    if len(data) % _WORD.size or status not in _STATUSES:
        return None
    words = tuple(word for (word,) in _WORD.iter_unpack(data))
    return Answer(sequence, SerialStatus(status), words)
