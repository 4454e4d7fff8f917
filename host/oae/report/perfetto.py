"""A trace for Perfetto (ui.perfetto.dev): TrackEvent packets, protobuf.

Each end is a process with tracks for its link state, for faults, and for its transactions; those
that overlap stand in lanes of their own. Frames are instants; flows lead from DATA to ACK to
COMMIT to DONE.
"""

from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

from perfetto.protos.perfetto.trace import perfetto_trace_pb2 as protos

from oae.check.findings import Result, Transaction
from oae.report.drawings import fault_name
from oae.report.moments import Sent, Story, begin
from oae.report.names import key, names
from oae.report.writing import write_whole

_SEQUENCE: Final = 1
# Tracks of an end, each under its process; the lanes of its transactions come after them.
_PROCESS, _LINK, _FAULTS, _FRAMES, _LANES = range(5)
_MOST_LANES: Final = 1 << 20
_BENCH: Final = 2  # a process of its own for what no end did
_Type = protos.TrackEvent.Type


def write_perfetto(result: Result, stories: Sequence[Story], path: Path) -> None:
    """Write the trace."""
    write_whole(path, trace(result, stories).SerializeToString())


def trace(result: Result, stories: Sequence[Story]) -> Any:
    """The trace as Perfetto's own message, its packets in order of time."""
    found = protos.Trace()
    lanes = _lanes(result)
    for packet in _tracks(lanes):
        found.packet.append(packet)
    events = [*_link_states(result), *_faults(result), *_transactions(result, lanes)]
    events += _frames(result, stories)
    # A slice that ends makes room for one that begins at the same time.
    order = {_Type.TYPE_SLICE_END: 0, _Type.TYPE_SLICE_BEGIN: 1, _Type.TYPE_INSTANT: 2}
    events.sort(key=lambda packet: (packet.timestamp, order[packet.track_event.type]))
    if events:
        events[0].sequence_flags = protos.TracePacket.SEQ_INCREMENTAL_STATE_CLEARED
    found.packet.extend(events)
    return found


def _track(end: int, number: int) -> int:
    return 1 + end * _MOST_LANES + number


def _lanes(result: Result) -> list[int]:
    """For each transaction the lane in which it overlaps no other: the first that is free."""
    busy: tuple[list[int], list[int]] = ([], [])
    lanes = [0] * len(result.transactions)
    order = sorted(range(len(lanes)), key=lambda index: begin(result.transactions[index]))
    for index in order:
        row = result.transactions[index]
        until = busy[row.end]
        start = begin(row)
        lane = next((lane for lane, end in enumerate(until) if end <= start), len(until))
        until[lane : lane + 1] = [max(_over(result, row), start + 1)]
        lanes[index] = lane
    return lanes


def _over(result: Result, row: Transaction) -> int:
    """When a transaction was over: the last that was seen, or not before the capture."""
    return result.end if row.outcome == "OPEN" else max(time for time, _ in row.marks.values())


def _tracks(lanes: Sequence[int]) -> Iterator[Any]:
    for end, name in enumerate(("end a", "end b", "bench")):
        packet = protos.TracePacket()
        packet.track_descriptor.uuid = _track(end, _PROCESS)
        packet.track_descriptor.process.pid = end + 1
        packet.track_descriptor.process.process_name = name
        yield packet
        tracks = {_FAULTS: "faults"}
        if end != _BENCH:
            tracks |= {_LINK: "link state", _FRAMES: "frames sent"}
            tracks |= {
                _LANES + lane: f"transactions {lane}" for lane in range(max([-1, *lanes]) + 1)
            }
        for number, track in tracks.items():
            packet = protos.TracePacket()
            packet.track_descriptor.uuid = _track(end, number)
            packet.track_descriptor.parent_uuid = _track(end, _PROCESS)
            packet.track_descriptor.name = track
            yield packet


def _event(time: int, kind: Any, track: int, name: str = "") -> Any:
    packet = protos.TracePacket()
    packet.timestamp = time
    packet.trusted_packet_sequence_id = _SEQUENCE
    packet.track_event.type = kind
    packet.track_event.track_uuid = track
    if name:
        packet.track_event.name = name
    return packet


def _slice(start: int, end: int, track: int, name: str) -> Iterator[Any]:
    yield _event(start, _Type.TYPE_SLICE_BEGIN, track, name)
    yield _event(end, _Type.TYPE_SLICE_END, track)


def _link_states(result: Result) -> Iterator[Any]:
    for end in (0, 1):
        changes: list[tuple[int, str]] = []
        for status in sorted(result.link_states, key=lambda one: one.time):
            if status.end == end and (not changes or changes[-1][1] != status.state):
                changes.append((status.time, status.state))
        for (start, state), (until, _) in pairwise([*changes, (result.end, "")]):
            if until > start:
                yield from _slice(start, until, _track(end, _LINK), state)


def _faults(result: Result) -> Iterator[Any]:
    for fault in result.faults:
        track = _track(fault.end if fault.end >= 0 else _BENCH, _FAULTS)
        yield _event(fault.start, _Type.TYPE_INSTANT, track, fault_name(fault))
        if fault.healed is not None and fault.healed > fault.start:
            name = f"{fault_name(fault)}, over"
            yield _event(fault.healed, _Type.TYPE_INSTANT, track, name)


def _transactions(result: Result, lanes: Sequence[int]) -> Iterator[Any]:
    known = names(result.transactions)
    for row, lane in zip(result.transactions, lanes, strict=True):
        start = begin(row)
        name = f"{known[key(row)]} {row.outcome}"
        end = max(_over(result, row), start + 1)
        first, last = _slice(start, end, _track(row.end, _LANES + lane), name)
        for label, value in (
            ("sessions", row.sessions),
            ("outcome", row.outcome),
            ("record bytes", row.record_bytes),
            ("finding", int(row.has_finding)),
        ):
            annotation = first.track_event.debug_annotations.add()
            annotation.name = label
            if isinstance(value, str):
                annotation.string_value = value
            else:
                annotation.int_value = value
        yield first
        yield last


def _frames(result: Result, stories: Sequence[Story]) -> Iterator[Any]:
    """Instants, all those of a transaction in one flow, in order of time."""
    for number, story in enumerate(stories, 1):
        sent = [moment for moment in story if isinstance(moment, Sent)]
        for moment in sent:
            name = f"{moment.operation}, {moment.fate}" if moment.fate else moment.operation
            packet = _event(moment.time, _Type.TYPE_INSTANT, _track(moment.end, _FRAMES), name)
            last = moment is sent[-1]
            flows = packet.track_event.terminating_flow_ids if last else packet.track_event.flow_ids
            if len(sent) > 1:
                flows.append(number)
            yield packet
