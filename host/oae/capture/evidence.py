"""Evidence packets (docs/tables.md) from and to the records of a trace.

A decoded packet is the record that the trace has for it, with the packet's sequence as its `line`.
"""

import struct
from collections.abc import Callable
from operator import attrgetter
from typing import Any, Final, NamedTuple

from oae import trace
from oae.errors import OaeError
from oae.spec.constants import EVIDENCE_FIELDS, EVIDENCE_HEAD, Evidence

VERSION: Final = 1
ENCODING: Final = {1: "B", 2: "H", 4: "L", 8: "Q"}
HEAD_BYTES: Final = sum(size for _, size in EVIDENCE_HEAD.values())


class EvidenceError(OaeError):
    """A packet is no evidence that this version knows."""


class Parameter(NamedTuple):
    """What the run was built with."""

    line: int
    cycle: int
    end: int
    name: str
    value: str


Record = (
    Parameter
    | trace.Event
    | trace.Fate
    | trace.Submit
    | trace.Deliver
    | trace.Complete
    | trace.Doubt
    | trace.Cancel
    | trace.Power
    | trace.Config
    | trace.Status
    | trace.Cut
    | trace.Rule
    | trace.Stop
    | trace.Register
    | trace.End
)

_RECORD_OF: Final[dict[Evidence, Callable[..., Record]]] = {
    Evidence.PARAMETER: Parameter,
    Evidence.STEP: trace.Event,
    Evidence.SUBMIT: trace.Submit,
    Evidence.DELIVER: trace.Deliver,
    Evidence.COMPLETE: trace.Complete,
    Evidence.DOUBT: trace.Doubt,
    Evidence.CANCEL: trace.Cancel,
    Evidence.POWER: trace.Power,
    Evidence.CONFIG: trace.Config,
    Evidence.STATUS: trace.Status,
    Evidence.CUT: trace.Cut,
    Evidence.RULE: trace.Rule,
    Evidence.STOP: trace.Stop,
    Evidence.REGISTER: trace.Register,
    Evidence.FATE: trace.Fate,
    Evidence.END: trace.End,
}

# Fields that a record holds in another shape: how they are made from it, and what they say of it.
# All others bear the name of the record's own.
_FOLDED: Final[dict[str, Callable[[Any], int]]] = {
    "WORD": attrgetter("word"),
    "FLAGS": lambda record: record.user | record.broken << 1,
    "RULE": lambda fate: fate.rule & 0xFFFF,
}
_UNFOLDED: Final[dict[str, Callable[[int], dict[str, int]]]] = {
    "WORD": lambda word: {
        "code": word >> 56,
        "slot": word >> 48 & 0xFF,
        "from_state": word >> 44 & 0xF,
        "to_state": word >> 40 & 0xF,
        "info": word >> 32 & 0xFF,
        "value": word & 0xFFFF_FFFF,
    },
    "FLAGS": lambda flags: {"user": flags & 1, "broken": flags >> 1 & 1},
    "RULE": lambda rule: {"rule": -1 if rule == 0xFFFF else rule},
}


def _parameter(tail: bytes) -> dict[str, str]:
    name, value = tail.decode().split("=", 1)
    return {"name": name, "value": value}


# What follows the fields, and what it says of the record.
_TAIL: Final[dict[Evidence, Callable[[Any], bytes]]] = {
    Evidence.PARAMETER: lambda record: f"{record.name}={record.value}".encode(),
    Evidence.SUBMIT: attrgetter("data"),
    Evidence.DELIVER: attrgetter("data"),
    Evidence.STOP: lambda record: bytes(record.reason, "utf-8"),
}
_FROM_TAIL: Final[dict[Evidence, Callable[[bytes], dict[str, Any]]]] = {
    Evidence.PARAMETER: _parameter,
    Evidence.SUBMIT: lambda tail: {"data": tail},
    Evidence.DELIVER: lambda tail: {"data": tail},
    Evidence.STOP: lambda tail: {"reason": tail.decode()},
}


class _Layout:
    """How one type of evidence is laid out, from the tables."""

    def __init__(self, type: Evidence) -> None:
        fields = EVIDENCE_FIELDS[type]
        sizes = [*(size for _, size in EVIDENCE_HEAD.values()), *fields.values()]
        self.type = type
        self.names = tuple(fields)
        self.struct = struct.Struct(">" + "".join(ENCODING[size] for size in sizes))
        self.values = [_FOLDED.get(name, attrgetter(name.lower())) for name in fields]
        self.tail = _TAIL.get(type)


_LAYOUT_OF: Final = {type: _Layout(type) for type in Evidence}
_LAYOUT_FOR: Final = {_RECORD_OF[type]: layout for type, layout in _LAYOUT_OF.items()}


def encode(record: Record, sequence: int) -> bytes:
    """The packet of a record; a value that its field cannot hold is a `struct.error`."""
    layout = _LAYOUT_FOR[type(record)]
    packet = layout.struct.pack(
        VERSION,
        layout.type,
        record.end & 0xFF,
        record.channel if isinstance(record, trace.Event) else 0,
        sequence,
        record.cycle,
        *[value(record) for value in layout.values],
    )
    return packet + layout.tail(record) if layout.tail else packet


def decode(packet: bytes) -> Record:
    """The record of a packet, its `line` the sequence; raises EvidenceError."""
    if len(packet) < HEAD_BYTES:
        raise EvidenceError(f"evidence of {len(packet)} bytes: its head has {HEAD_BYTES}")
    version, code = packet[:2]
    if version != VERSION:
        raise EvidenceError(f"evidence of version {version}: only {VERSION} is known")
    layout = _LAYOUT_OF.get(code)  # type: ignore[call-overload]
    if layout is None:
        raise EvidenceError(f"evidence of type {code} is not known")
    size = layout.struct.size
    if len(packet) < size or (len(packet) > size and not layout.tail):
        raise EvidenceError(f"evidence {layout.type.name} of {len(packet)} bytes: it has {size}")
    _, _, end, channel, sequence, cycle, *values = layout.struct.unpack_from(packet)
    found: dict[str, Any] = {"channel": channel} if layout.type == Evidence.STEP else {}
    for name, value in zip(layout.names, values, strict=True):
        unfold = _UNFOLDED.get(name)
        found |= unfold(value) if unfold else {name.lower(): value}
    if layout.tail:
        try:
            found |= _FROM_TAIL[layout.type](packet[size:])
        except ValueError as error:
            raise EvidenceError(f"evidence {layout.type.name} does not end in its text") from error
    bench = end == trace.BENCH & 0xFF
    return _RECORD_OF[layout.type](sequence, cycle, trace.BENCH if bench else end, **found)
