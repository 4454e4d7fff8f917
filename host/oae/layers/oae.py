# scapy.contrib.description = Open Atomic Ethernet bilateral link (OAE)
# scapy.contrib.status = loads

"""Frames of the link as scapy packets (docs/protocol.md, section 2).

    Ether() / OAE(id=7, link_session=0x1A2B3C4D) / b"record"
    Ether() / OAE(operation="ACK", id=7, link_session=0x1A2B3C4D, digest=0x01020304)
    Ether() / OAE() / OAESync(session=1, counter=1, record_max=64, window=8)

Balance, length, guard, padding and the digest of DATA, SYNC and SYNC_ACK are computed where they
are left None. Codes and the record of SYNC come from link.toml.
"""

from enum import IntEnum
from typing import Any, ClassVar, Final

from scapy.fields import (
    BitEnumField,
    BitField,
    ByteEnumField,
    ByteField,
    IntField,
    ShortField,
    ThreeBytesField,
    XIntField,
    XLongField,
    XStrFixedLenField,
)
from scapy.layers.l2 import Dot1Q, Ether
from scapy.packet import Packet, bind_bottom_up, bind_layers

from oae.frame import COMPLEMENTED, ETHERNET_HEADER_BYTES, digest
from oae.spec.constants import (
    BALANCE_OF,
    CARRIES_GUARD,
    CARRIES_SYNC,
    ETHERTYPE,
    FIELD,
    LENGTH_BASE,
    MINIMUM_FRAME_BYTES,
    SYNC_FIELD,
    AbortReason,
    Balance,
    Kind,
    Operation,
)

GUARD_BYTES: Final = FIELD["GUARD"][1]
UNGUARDED_BYTES: Final = FIELD["GUARD"][0] - FIELD["OPERAND"][0]
ANSWERS: Final = frozenset({Operation.ACK, Operation.DONE, Operation.ABORTED})
ANSWERED: Final = frozenset({Operation.DATA, Operation.COMMIT, Operation.ABORT})


def _names(codes: type[IntEnum]) -> dict[int, str]:
    return {code.value: code.name for code in codes}


def _place(name: str) -> slice:
    """Where a field of the frame stands in the OAE header."""
    offset, size = FIELD[name]
    return slice(offset - ETHERNET_HEADER_BYTES, offset - ETHERNET_HEADER_BYTES + size)


class BalanceField(BitEnumField):
    """That of the operation if it is None."""

    def i2m(self, pkt: Any, x: Any) -> int:
        """For the wire."""
        return BALANCE_OF.get(pkt.operation, Balance.MINUS_INFINITY) if x is None else int(x)


class IdField(IntField):
    """The whole transaction id; its low half stands here, its high half in `id_high`."""

    def __init__(self, name: str, default: int) -> None:
        super().__init__(name, default)
        self.sz = 2

    def addfield(self, pkt: Any, s: bytes, val: Any) -> bytes:
        """Its low half."""
        return s + (self.i2m(pkt, val) & 0xFFFF).to_bytes(2, "big")

    def getfield(self, pkt: Any, s: bytes) -> tuple[bytes, int]:
        """Read ahead to the high half."""
        ahead = FIELD["ID_HIGH"][0] - FIELD["ID_LOW"][0]
        return s[2:], int.from_bytes(s[ahead : ahead + 2] + s[:2], "big")


class IdHighField(ShortField):
    """High half of `id`, unless something else is to stand there; `id` has read it already."""

    def i2m(self, pkt: Any, x: Any) -> int:
        """For the wire."""
        return pkt.id >> 16 if x is None else int(x)

    def getfield(self, pkt: Any, s: bytes) -> tuple[bytes, Any]:
        """None: it follows `id`, also when that changes."""
        return s[2:], None

    def i2repr(self, pkt: Any, x: Any) -> str:
        """To be shown."""
        return str(self.i2m(pkt, x))


class EpochField(ShortField):
    """The sender's whole epoch, as the digest needs it; only the low half travels."""

    def i2m(self, pkt: Any, x: Any) -> int:
        """For the wire."""
        return int(x) & 0xFFFF


class DigestField(XIntField):
    """The transaction's digest; its complement stands in ABORT and ABORTED."""

    def i2m(self, pkt: Any, x: Any) -> int:
        """For the wire."""
        return self.m2i(pkt, x or 0)

    def m2i(self, pkt: Any, x: int) -> int:
        """From the wire."""
        return x ^ 0xFFFF_FFFF if pkt.operation in COMPLEMENTED else x


class GuardField(XStrFixedLenField):
    """Complement of what it guards; OAE appends it if it is None."""

    def addfield(self, pkt: Any, s: bytes, val: Any) -> bytes:
        """Nothing while it is unknown: it covers the header, which is built later."""
        return s if val is None else super().addfield(pkt, s, val)


class OAE(Packet):
    """The header; what follows is a record, OAESync, or a guarded operand."""

    name = "OAE"
    fields_desc: ClassVar[list[Any]] = [
        BalanceField("balance", None, 3, _names(Balance)),
        BitEnumField("operation", Operation.DATA, 5, _names(Operation)),
        IdField("id", 0),
        ShortField("length", None),
        XIntField("link_session", 0),
        ByteEnumField("kind", Kind.DATA, _names(Kind)),
        IdHighField("id_high", None),
        EpochField("epoch", 0),
        DigestField("digest", None),
    ]

    def post_build(self, header: bytes, payload: bytes) -> bytes:
        """Fill in what was left None, in the order in which one needs the other."""
        guarded = self.operation in CARRIES_GUARD
        record = b"" if guarded else payload
        if self.length is None:
            length = (LENGTH_BASE + len(record)) & 0xFFFF
            header = _replaced(header, "LENGTH", length.to_bytes(2, "big"))
        if self.digest is None and self.operation in {Operation.DATA, *CARRIES_SYNC}:
            found = digest(self.link_session, self.id, self.kind, self.epoch, record)
            header = _replaced(header, "DIGEST", found.to_bytes(4, "big"))
        if guarded:
            payload = payload or bytes(UNGUARDED_BYTES)
            if len(payload) == UNGUARDED_BYTES:
                guard = bytes(byte ^ 0xFF for byte in header + payload)[:GUARD_BYTES]
                payload += guard
        minimum = MINIMUM_FRAME_BYTES - ETHERNET_HEADER_BYTES - len(self.build_padding())
        return (header + payload).ljust(minimum, b"\0")

    def extract_padding(self, s: bytes) -> tuple[bytes, bytes]:
        """A record is as long as the length field says; a guard has its own size."""
        guarded = self.operation in CARRIES_GUARD
        end = UNGUARDED_BYTES + GUARD_BYTES if guarded else max(0, self.length - LENGTH_BASE)
        return s[:end], s[end:]

    def hashret(self) -> bytes:
        """The same for a frame and its answer."""
        if self.operation in CARRIES_SYNC:
            return bytes(self.payload.hashret())
        return int(self.id).to_bytes(4, "big")

    def answers(self, other: Packet) -> bool:
        """Whether this is an answer to `other`, by its id or its challenge."""
        if not isinstance(other, OAE):
            return False
        if self.operation == Operation.SYNC_ACK and other.operation == Operation.SYNC:
            return isinstance(self.payload, OAESync) and self.payload.answers(other.payload)
        return self.operation in ANSWERS and other.operation in ANSWERED and self.id == other.id

    def mysummary(self) -> str:
        """One line."""
        operation = self.sprintf("%OAE.operation%")
        if isinstance(self.payload, OAESync):
            sync = self.payload
            return f"OAE {operation} counter {sync.counter}, session {sync.session:016x}"
        size = ""
        if self.operation == Operation.DATA:
            unknown = self.length is None
            size = f", {len(self.payload) if unknown else self.length - LENGTH_BASE} bytes"
        return f"OAE {operation} id {self.id}{size}, session {self.link_session:08x}"


def _replaced(header: bytes, name: str, value: bytes) -> bytes:
    place = _place(name)
    return header[: place.start] + value + header[place.stop :]


_SYNC_FIELDS: Final = {1: ByteField, 2: ShortField, 4: IntField, 8: XLongField}


class OAESync(Packet):
    """Record of SYNC and SYNC_ACK."""

    name = "OAE sync"
    fields_desc: ClassVar[list[Any]] = [
        _SYNC_FIELDS[size](name.lower(), 0) for name, (_, size) in SYNC_FIELD.items()
    ]

    def extract_padding(self, s: bytes) -> tuple[bytes, bytes]:
        """It has no payload."""
        return b"", s

    def hashret(self) -> bytes:
        """The challenge."""
        return int(self.counter).to_bytes(4, "big")

    def answers(self, other: Packet) -> bool:
        """Whether this answers that challenge."""
        return (
            isinstance(other, OAESync)
            and self.counter == other.counter
            and self.challenger == other.session
        )


def _guarded(*operand: Any) -> list[Any]:
    return [*operand, ShortField("zero", 0), GuardField("guard", None, GUARD_BYTES)]


class OAEGuard(Packet):
    """Operand and guard of ACK, COMMIT, DONE and ABORT."""

    name = "OAE guard"
    fields_desc: ClassVar[list[Any]] = _guarded(XIntField("operand", 0))


class OAEBeat(Packet):
    """The beat (NOP)."""

    name = "OAE beat"
    fields_desc: ClassVar[list[Any]] = _guarded(
        BitField("echo_wanted", 0, 1),
        BitField("number", 0, 15),
        BitField("echo_valid", 0, 1),
        BitField("echo", 0, 15),
    )


class OAEAborted(Packet):
    """Why a transaction was aborted (ABORTED)."""

    name = "OAE aborted"
    fields_desc: ClassVar[list[Any]] = _guarded(
        ByteEnumField("reason", AbortReason.NONE, _names(AbortReason)),
        ThreeBytesField("unused", 0),
    )


bind_layers(Ether, OAE, type=ETHERTYPE)
bind_layers(Dot1Q, OAE, type=ETHERTYPE)
for _operation in (Operation.ACK, Operation.COMMIT, Operation.DONE, Operation.ABORT):
    bind_bottom_up(OAE, OAEGuard, operation=_operation)
bind_layers(OAE, OAEBeat, operation=Operation.NOP)
bind_layers(OAE, OAEAborted, operation=Operation.ABORTED)
bind_bottom_up(OAE, OAESync, operation=Operation.SYNC_ACK)
bind_layers(OAE, OAESync, operation=Operation.SYNC)
