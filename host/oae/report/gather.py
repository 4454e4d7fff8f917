"""Goes through a capture and picks out the frames and steps of transactions."""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Mapping, Sequence
from enum import IntEnum
from typing import Any, Final

import numpy
from numpy.typing import NDArray

from oae.capture.read import Capture, Interface
from oae.capture.write import LINK_TYPE_USER0
from oae.check.findings import Transaction
from oae.frame import VLAN_TAGS
from oae.native.packet import PacketFlag
from oae.report.moments import Sent, Step, Story, begin, with_handshake
from oae.spec.constants import (
    EVENT_STATES,
    EVIDENCE_HEAD,
    FIELD,
    AbortReason,
    Channel,
    EventCode,
    Evidence,
    Operation,
    Outcome,
    State,
)

REQUESTS: Final = (Operation.DATA, Operation.COMMIT, Operation.ABORT)
ANSWERS: Final = (Operation.ACK, Operation.DONE, Operation.ABORTED)
_MOST_COMMENT: Final = 80
_MOST_TAGS: Final = 4
_HEAD_BYTES: Final = FIELD["DIGEST"][0]
_STEP_BYTES: Final = 24  # of its evidence packet; the word comes last
_WORD: Final = slice(16, 24)
# Which end sent what an interface shows.
_SPEAKERS: Final = {"a.transmit": 0, "a.receive": 1, "b.transmit": 1, "b.receive": 0}
# Steps whose value is an id.
_OF_AN_ID: Final = sorted(
    set(EventCode)
    - {
        EventCode.RESENT,
        EventCode.CANCEL_IGNORED,
        EventCode.UNOPENED_TOLD,
        EventCode.RECORD_DISCARDED,
    }
)

Column = NDArray[Any]


def gather(capture: Capture, rows: Sequence[Transaction], ethertype: int) -> list[Story]:
    """What the capture shows of each transaction, not yet in order of time."""
    gathered = _Gathered(rows, ethertype)
    gathered.take(capture)
    return gathered.stories


class _Gathered:
    """Goes through a capture once and keeps what belongs to the transactions."""

    def __init__(self, rows: Sequence[Transaction], ethertype: int) -> None:
        self.rows = rows
        self.ethertype = ethertype
        self.stories: list[Story] = [[] for _ in rows]
        # The same id comes again in the next session: its transactions in order of time.
        self.places: dict[int, list[tuple[int, int]]] = defaultdict(list)
        for index, row in sorted(enumerate(rows), key=lambda pair: begin(pair[1])):
            self.places[_key(row.end, row.id)].append((begin(row), index))
        self.wanted = numpy.array(sorted(self.places), numpy.uint64)
        self.sent: dict[tuple[int, int], Sent] = {}  # by the end that sent it and its number
        self.sessions: dict[tuple[int, int], int] = {}  # link session of its frames, by sender
        self.speakers: list[int] = []  # source addresses: the first that speaks is a

    def take(self, capture: Capture) -> None:
        """Every chunk of it."""
        for chunk, packets in capture:
            interfaces = capture.interfaces
            roles = [_role(interface) for interface in interfaces]
            evidence = [index for index, role in enumerate(roles) if role == "evidence"]
            is_evidence = numpy.isin(packets["interface"], evidence)
            self._steps(chunk, packets[is_evidence])
            self._frames(chunk, packets[~is_evidence], roles)

    def _place(self, key: int, time: int) -> int:
        places = self.places[key]
        return places[max(0, bisect_right(places, (time, len(self.rows))) - 1)][1]

    def _steps(self, chunk: Column, packets: Column) -> None:
        packets = packets[packets["captured"] >= _STEP_BYTES]
        head = _bytes(chunk, packets["offset"], _STEP_BYTES)
        end = head[:, EVIDENCE_HEAD["END"][0]]
        channel = head[:, EVIDENCE_HEAD["CHANNEL"][0]]
        word = head[:, _WORD].copy().view(">u8").ravel().astype(numpy.uint64)
        code, value = word >> numpy.uint64(56), word & numpy.uint64(0xFFFF_FFFF)
        responds = channel == Channel.RESPONDER
        lane = (end ^ responds).astype(numpy.uint64)
        key = lane << numpy.uint64(32) | value
        chosen = (
            (head[:, EVIDENCE_HEAD["TYPE"][0]] == Evidence.STEP)
            & (responds | (channel == Channel.INITIATOR))
            & numpy.isin(code, _OF_AN_ID)
            & numpy.isin(key, self.wanted)
        )
        columns = (packets["time"], end, word, key)
        for time, at, bits, name in zip(*(part[chosen].tolist() for part in columns), strict=True):
            self._step(time, at, bits, self._place(name, time))

    def _step(self, time: int, end: int, word: int, index: int) -> None:
        code, state, info = EventCode(word >> 56), word >> 40 & 0xF, word >> 32 & 0xFF
        text = code.name.replace("_", " ")
        outcome = ""
        if code == EventCode.TOLD:
            outcome = _named(Outcome, info & 3) + _reason(info >> 2)
        elif code in (EventCode.REFUSED, EventCode.ABORT_CONFIRMED):
            text += _reason(info)
        after = _named(State, state) if EVENT_STATES.get(code) == "state" else ""
        step = Step(time, end, text, after)
        self.stories[index] += with_handshake(step, code.name, outcome)

    def _frames(self, chunk: Column, packets: Column, roles: Sequence[str]) -> None:
        start = packets["offset"].astype(numpy.int64)
        rest = packets["captured"].astype(numpy.int64)
        for _ in range(_MOST_TAGS):
            tagged = (rest >= 18) & numpy.isin(_number(chunk, start + 12, 2, rest >= 18), VLAN_TAGS)
            start, rest = start + 4 * tagged, rest - 4 * tagged
        whole = rest >= _HEAD_BYTES
        packets, start = packets[whole], start[whole]
        ours = _number(chunk, start + FIELD["ETHERTYPE"][0], 2) == self.ethertype
        packets, start = packets[ours], start[ours]
        role = numpy.array([*roles, ""], dtype=object)[packets["interface"]]
        received = numpy.array([name.endswith(".receive") for name in role], bool)
        # Whatever a restart or the medium did to it, its head is what the end sent.
        sends = numpy.array([name.endswith(".transmit") for name in role], bool)
        speaker = self._speakers(chunk, packets, role)
        operation = chunk[start + FIELD["OPERATION"][0]] & 0x1F
        low = _number(chunk, start + FIELD["ID_LOW"][0], 2)
        high = _number(chunk, start + FIELD["ID_HIGH"][0], 2)
        asks = numpy.isin(operation, REQUESTS)
        lane = numpy.where(asks, speaker, 1 - speaker).astype(numpy.uint64)
        key = lane << numpy.uint64(32) | high << numpy.uint64(16) | low
        chosen = (
            ~received
            & (asks | numpy.isin(operation, ANSWERS))
            & (sends | (packets["flags"] & PacketFlag.BAD == 0))
            & numpy.isin(key, self.wanted)
        )
        session = _number(chunk, start + FIELD["LINK_SESSION"][0], 4)
        for place in numpy.flatnonzero(chosen):
            packet = packets[place]
            self._send(
                packet,
                Operation(int(operation[place])),
                int(speaker[place]),
                self._place(int(key[place]), int(packet["time"])),
                int(session[place]),
                _comment(chunk, packet),
                tap=not sends[place],
            )
        known = numpy.fromiter((_key(*one) for one in self.sent), numpy.uint64, len(self.sent))
        for packet in packets[received & numpy.isin(packets["number"], known)]:
            self._hear(packet, _comment(chunk, packet))

    def _speakers(self, chunk: Column, packets: Column, role: Column) -> Column:
        """The end that sent each frame: the interface says it, or else the source address."""
        speaker = numpy.array([_SPEAKERS.get(name, -1) for name in role], numpy.int64)
        place, size = FIELD["SOURCE"]
        address = _number(chunk, packets["offset"].astype(numpy.int64) + place, size)
        unknown = speaker < 0
        for one in address[unknown][
            numpy.sort(numpy.unique(address[unknown], return_index=True)[1])
        ]:
            if one not in self.speakers:
                self.speakers.append(one)
            speaker[unknown & (address == one)] = min(self.speakers.index(one), 1)
        return speaker

    def _send(
        self,
        packet: Any,
        operation: Operation,
        end: int,
        index: int,
        session: int,
        comment: str,
        tap: bool,
    ) -> None:
        if self.sessions.setdefault((index, end), session) != session:
            return  # late, of an earlier session
        time = int(packet["time"])
        sent = Sent(time, end, operation.name, comment.removeprefix("fault: "))
        if tap:
            sent.heard.append((time, ""))
        self.stories[index].append(sent)
        if packet["flags"] & PacketFlag.NUMBERED:
            self.sent[end, int(packet["number"]) & 0xFFFF_FFFF] = sent

    def _hear(self, packet: Any, comment: str) -> None:
        number = int(packet["number"])
        bad = ["damaged"] if packet["flags"] & PacketFlag.BAD else []
        told = ", ".join([*bad, *filter(None, [comment])])
        self.sent[number >> 32, number & 0xFFFF_FFFF].heard.append((int(packet["time"]), told))


def _named(names: type[IntEnum], value: int) -> str:
    """The name of a value; evidence may hold any."""
    return names(value).name if value in names.__members__.values() else f"code {value}"


def _reason(code: int) -> str:
    return f" ({_named(AbortReason, code)})" if code else ""


def _key(end: int, id: int) -> int:
    return end << 32 | id


def _role(interface: Interface) -> str:
    if interface.link_type == LINK_TYPE_USER0 and interface.name == "evidence":
        return "evidence"
    return interface.name


def _bytes(chunk: Column, start: Column, size: int) -> Column:
    """A row of bytes for each start."""
    found: Column = chunk[start[:, None].astype(numpy.int64) + numpy.arange(size)]
    return found


def _number(chunk: Column, start: Column, size: int, there: Column | None = None) -> Column:
    """A big-endian number at each start; 0 where it is not there."""
    if there is not None:
        start = numpy.where(there, start, 0)
    value = numpy.zeros(len(start), numpy.uint64)
    if not len(chunk):
        return value
    for place in range(size):
        value = value << numpy.uint64(8) | chunk[start + place]
    return value if there is None else numpy.where(there, value, numpy.uint64(0))


def _comment(chunk: Column, packet: Mapping[str, Any]) -> str:
    if not packet["comment_bytes"]:
        return ""
    size = min(int(packet["comment_bytes"]), _MOST_COMMENT)
    return bytes(chunk[int(packet["comment"]) :][:size]).decode(errors="replace")
