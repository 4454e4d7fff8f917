"""The packets that explain a finding, one line each."""

from collections.abc import Iterator
from enum import IntEnum
from pathlib import Path

from oae.capture import evidence
from oae.capture.evidence import EvidenceError
from oae.capture.read import Capture
from oae.capture.write import LINK_TYPE_USER0
from oae.check.findings import Finding
from oae.frame import (
    VLAN_TAG_BYTES,
    VLAN_TAGS,
    Foreign,
    Malformed,
    Received,
    Unsupported,
    decode,
)
from oae.native.packet import PacketFlag
from oae.spec.constants import FIELD, EventCode, Operation, Outcome
from oae.trace import Complete, Deliver, Event, Submit

_SESSION = slice(FIELD["LINK_SESSION"][0], FIELD["LINK_SESSION"][0] + FIELD["LINK_SESSION"][1])
_ETHERTYPE = slice(FIELD["ETHERTYPE"][0], FIELD["ETHERTYPE"][0] + FIELD["ETHERTYPE"][1])
RECORD_MOST = 0xFFFF


def explain(path: str | Path, finding: Finding) -> Iterator[str]:
    """Read the capture once more for the packets of a finding; the one that violates is marked."""
    wanted = {*finding.explained_by, finding.packet}
    capture = Capture(path)
    for chunk, packets in capture:
        for packet in packets[[int(index) in wanted for index in packets["index"]]]:
            data = bytes(chunk[packet["offset"] : packet["offset"] + packet["captured"]])
            interface = capture.interfaces[packet["interface"]]
            if interface.link_type == LINK_TYPE_USER0:
                what = _evidence(data)
            else:
                what = _frame(data, bool(packet["flags"] & PacketFlag.BAD))
            mark = ">" if packet["index"] == finding.packet else " "
            place = interface.name or f"interface {packet['interface']}"
            yield f"{mark} {packet['index']:>8}  {packet['time']:>12,} ns  {place:<11}  {what}"


def _evidence(data: bytes) -> str:
    try:
        record = evidence.decode(data)
    except EvidenceError as error:
        return str(error)
    end = "ab"[record.end] if 0 <= record.end < 2 else "bench"
    match record:
        case Event():
            what = f" {_name(Operation, record.info)}" if record.code == EventCode.SENT else ""
            return f"end {end}: {_name(EventCode, record.code)}{what} {record.value}"
        case Complete():
            return f"host of {end}: told {_name(Outcome, record.outcome)} of id {record.id}"
        case Deliver():
            return f"host of {end}: takes a record of {len(record.data)} bytes, id {record.id}"
        case Submit():
            return f"host of {end}: submits a record of {len(record.data)} bytes, tag {record.tag}"
        case _:
            return f"end {end}: {type(record).__name__.lower()}"


def _name(codes: type[IntEnum], code: int) -> str:
    return next((known.name for known in codes if known == code), f"code {code}")


def _frame(image: bytes, bad: bool) -> str:
    """A frame as its receiver would see it, were the link UP in the frame's own session."""
    while int.from_bytes(image[_ETHERTYPE], "big") in VLAN_TAGS:
        image = image[: _ETHERTYPE.start] + image[_ETHERTYPE.start + VLAN_TAG_BYTES :]
    found = decode(
        image,
        bad=bad,
        link_up=True,
        link_session=int.from_bytes(image[_SESSION], "big"),
        epoch=0,
        record_max=RECORD_MOST,
    )
    match found:
        case Received(frame, _):
            size = f", {len(frame.record)} bytes" if frame.operation == Operation.DATA else ""
            return f"{frame.operation.name} id {frame.id}{size}, digest {frame.digest:08x}"
        case Malformed(reason):
            return f"malformed: {reason.name}"
        case Unsupported(operation):
            return f"unsupported: {operation.name}"
        case Foreign(ethertype):
            return f"foreign: EtherType {ethertype:04x}"
        case _:
            return "not read"
