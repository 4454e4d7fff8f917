"""Frames of the conventional-Ethernet profile as data, and their wire image.

A `Frame` says what an end means; `encode` writes it, `decode` gives the verdict that a receiver
must reach, in the order of test of docs/design.md, "Frames as data". Offsets and codes come from
spec/link.toml. `hdl/rtl/oae_frame_parser.v` and `oae_frame_builder.v` are tested against these two
functions.
"""

import struct
from functools import lru_cache
from typing import Final, NamedTuple

from oae.spec.constants import (
    BALANCE_OF,
    CARRIES_GUARD,
    CARRIES_NOTHING,
    CARRIES_SYNC,
    ETHERTYPE,
    HEADER_BYTES,
    LENGTH_BASE,
    MINIMUM_FRAME_BYTES,
    SYNC_RECORD_BYTES,
    Kind,
    MalformedReason,
    Operation,
)
from oae.spec.crc32c import crc32c

BROADCAST: Final = bytes.fromhex("ffffffffffff")
DEFAULT_SOURCE: Final = bytes.fromhex("020000000000")

ETHERNET_HEADER_BYTES: Final = 14
VLAN_TAGS: Final = (0x8100, 0x88A8)  # EtherTypes of 802.1Q and 802.1ad
VLAN_TAG_BYTES: Final = 4
LENGTH_END: Final = HEADER_BYTES - LENGTH_BASE  # first byte that the length field counts
GUARDED: Final = slice(14, 36)
GUARD_ZERO: Final = slice(36, 38)
GUARD: Final = slice(38, 60)

# Bytes 12..31: EtherType, balance and operation, id low, length, link session, kind, id high,
# epoch, digest.
_HEADER: Final = struct.Struct(">HBHHLBHHL")
_OPERAND: Final = struct.Struct(">L")  # bytes 32..35
# link session, id, kind, zero, record length, epoch
_TRAILER: Final = struct.Struct(">LLBxHL")
# session, verified, challenger, counter, record maximum, window, zero
_SYNC: Final = struct.Struct(">QQQLHBx")

# The digest of these stands complemented on the wire (protocol, section 2).
COMPLEMENTED: Final = frozenset({Operation.ABORT, Operation.ABORTED})
_KINDS: Final = frozenset(Kind)
_OPERATION_OF: Final = {int(operation): operation for operation in Operation}
_BALANCED: Final = {code: balance << 5 | code for code, balance in BALANCE_OF.items()}
_ZERO: Final = bytes(2)
_COMPLEMENT: Final = bytes(range(255, -1, -1))  # of every byte, for `translate`


class Sync(NamedTuple):
    """What SYNC and SYNC_ACK carry (protocol, section 5)."""

    session: int
    verified: int
    challenger: int
    counter: int
    record_max: int
    window: int


class Frame(NamedTuple):
    """One frame, without what every frame has (addresses, length, balance, guard, padding).

    `digest` is never complemented. In SYNC and SYNC_ACK `digest` is 0 and `record` empty: both
    follow from `sync`. `operand` is bytes 32..35 of a frame that carries a guard.
    """

    operation: Operation
    id: int = 0
    digest: int = 0
    kind: int = 0
    epoch: int = 0  # low 16 bits
    link_session: int = 0
    record: bytes = b""
    operand: int = 0
    sync: Sync | None = None


class Received(NamedTuple):
    """The frame passed every test."""

    frame: Frame
    epoch: int  # DATA: the sender's whole epoch; else 0


class Malformed(NamedTuple):
    """The frame failed this test first."""

    reason: MalformedReason


class Foreign(NamedTuple):
    """The frame is of another EtherType."""

    ethertype: int


class Unsupported(NamedTuple):
    """The frame is of a reserved operation."""

    operation: Operation


class NotUp(NamedTuple):
    """A well-formed frame other than SYNC and SYNC_ACK while the link is not UP."""

    operation: Operation
    id: int


Verdict = Received | Malformed | Foreign | Unsupported | NotUp


@lru_cache(maxsize=256)
def link_session(sender: int, receiver: int) -> int:
    """Link session of the frames from `sender` to `receiver` (protocol, section 2).

    CRC-32C of both sessions, big-endian, with 0 replaced by 1: 0 is what SYNC and SYNC_ACK bear.
    """
    return crc32c(struct.pack(">QQ", sender, receiver)) or 1


def digest(link_session: int, id: int, kind: int, epoch: int, record: bytes) -> int:
    """Digest of a record and its place (protocol, section 2; design, "Frames as data").

    CRC-32C over the record, zero-padded to a multiple of 8 bytes, then the 16-byte trailer.
    `epoch` is the initiator's whole 32-bit epoch.
    """
    padding = bytes(-len(record) % 8)
    trailer = _TRAILER.pack(link_session, id, kind, len(record), epoch)
    return crc32c(record + padding + trailer)


def nearest_epoch(low: int, epoch: int) -> int:
    """The 32-bit epoch nearest to `epoch` whose low half is `low`; of two, the earlier one."""
    return (epoch + (low - epoch + 0x8000) % 0x10000 - 0x8000) % 0x1_0000_0000


def encode(
    frame: Frame,
    destination: bytes = BROADCAST,
    source: bytes = DEFAULT_SOURCE,
    ethertype: int = ETHERTYPE,
) -> bytes:
    """Wire image of `frame` without the FCS, padded to the shortest Ethernet frame.

    Fields are written as they stand in `frame`; only what follows from them is added: balance,
    length, guard, the digest of SYNC and SYNC_ACK, the complement in ABORT and ABORTED.
    """
    operation = frame.operation
    record = frame.record
    wire_digest = frame.digest
    if operation in CARRIES_SYNC:
        if frame.sync is None:
            raise ValueError(f"{operation.name} without its sync fields")
        record = _SYNC.pack(*frame.sync)
        wire_digest = digest(frame.link_session, frame.id, frame.kind, frame.epoch, record)
    elif operation in COMPLEMENTED:
        wire_digest ^= 0xFFFFFFFF
    header = _HEADER.pack(
        ethertype,
        _BALANCED[operation],
        frame.id & 0xFFFF,
        LENGTH_BASE + len(record),
        frame.link_session,
        frame.kind,
        frame.id >> 16,
        frame.epoch,
        wire_digest,
    )
    image = destination + source + header
    if operation in CARRIES_GUARD:
        image += _OPERAND.pack(frame.operand)
        return image + _ZERO + image[GUARDED].translate(_COMPLEMENT)
    return (image + record).ljust(MINIMUM_FRAME_BYTES, b"\0")


def decode(
    image: bytes,
    *,
    bad: bool = False,
    link_up: bool,
    link_session: int,
    epoch: int,
    record_max: int,
    ethertype: int = ETHERTYPE,
) -> Verdict:
    """Verdict on a received frame, without its FCS, in the order of test of the design.

    `bad` is the MAC's mark. `link_session` is that of frames from the peer, `epoch` the receiver's
    own, `record_max` the negotiated one.
    """
    if bad:
        return Malformed(MalformedReason.BAD_FROM_MAC)
    if len(image) < ETHERNET_HEADER_BYTES:
        return Malformed(MalformedReason.TOO_SHORT)
    found_ethertype = int.from_bytes(image[12:14], "big")
    if found_ethertype != ethertype:
        return Foreign(found_ethertype)
    if len(image) < MINIMUM_FRAME_BYTES:
        return Malformed(MalformedReason.TOO_SHORT)
    _, balance, id_low, length, session, kind, id_high, epoch_low, wire_digest = (
        _HEADER.unpack_from(image, 12)
    )
    operation = _OPERATION_OF.get(balance & 0x1F)
    if operation is None:
        return Malformed(MalformedReason.UNKNOWN_OPERATION)
    if operation in CARRIES_NOTHING:
        return Unsupported(operation)
    if balance != _BALANCED[operation]:
        return Malformed(MalformedReason.WRONG_BALANCE)
    if kind not in _KINDS if operation is Operation.DATA else kind:
        return Malformed(MalformedReason.UNKNOWN_KIND)
    if not _length_possible(operation, length, len(image), record_max):
        return Malformed(MalformedReason.BAD_LENGTH)
    if operation in CARRIES_GUARD and not guard_intact(image):
        return Malformed(MalformedReason.BAD_GUARD)
    id = id_high << 16 | id_low
    if operation not in CARRIES_SYNC and not link_up:
        return NotUp(operation, id)
    if session != (0 if operation in CARRIES_SYNC else link_session):
        return Malformed(MalformedReason.WRONG_LINK_SESSION)
    if operation in CARRIES_GUARD:
        if operation in COMPLEMENTED:
            wire_digest ^= 0xFFFFFFFF
        (operand,) = _OPERAND.unpack_from(image, HEADER_BYTES)
        return Received(
            Frame(operation, id, wire_digest, kind, epoch_low, session, b"", operand), 0
        )
    record = image[HEADER_BYTES : LENGTH_END + length]
    if operation is Operation.DATA:
        whole_epoch = nearest_epoch(epoch_low, epoch)
        if wire_digest != digest(session, id, kind, whole_epoch, record):
            return Malformed(MalformedReason.WRONG_DIGEST)
        frame = Frame(operation, id, wire_digest, kind, epoch_low, session, record)
        return Received(frame, whole_epoch)
    if wire_digest != digest(session, id, kind, epoch_low, record):
        return Malformed(MalformedReason.WRONG_DIGEST)
    sync = Sync(*_SYNC.unpack(record))
    return Received(Frame(operation, id, 0, kind, epoch_low, session, sync=sync), 0)


def guard_intact(image: bytes) -> bool:
    """Whether bytes 38..59 are the complement of bytes 14..35, and 36..37 zero."""
    return image[GUARD_ZERO] == _ZERO and image[GUARD] == image[GUARDED].translate(_COMPLEMENT)


def _length_possible(operation: Operation, length: int, frame_bytes: int, record_max: int) -> bool:
    if operation in CARRIES_GUARD:
        return length == LENGTH_BASE
    if LENGTH_END + length > frame_bytes:
        return False
    if operation in CARRIES_SYNC:
        return length == LENGTH_BASE + SYNC_RECORD_BYTES
    return LENGTH_BASE < length <= LENGTH_BASE + record_max
