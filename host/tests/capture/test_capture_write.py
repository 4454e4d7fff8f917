"""The capture of a run holds the whole run, for us, for tshark and for scapy."""

import io
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from oae import trace as traces
from oae.capture import CaptureError, evidence, write
from oae.capture.read import Capture, Taken, packets
from oae.capture.record import EVIDENCE, record
from oae.engines import rtl
from oae.native.packet import PacketFlag
from oae.scenario.layout import Fault
from oae.scenario.parse import parse_text
from oae.spec.constants import Evidence
from oae.testing import requirement
from oae.trace import BENCH, Fate, Receive, Trace, TraceError, Transmit
from scapy.utils import RawPcapNgReader

from host.tests.capture.report_sample import SCENARIO

EVERY_LINE = """oae-trace 1
parameter ends 2
parameter mac.a 02000000000a
0 a config 1 0 1 00000000000000ff 2 3
0 b status 2 1 0 1 7 6 4 2
3 a cut 1
3 b power 0 1
4 - rule 12
5 a submit 2 0 1 65535 1 0a0b
5 a cancel 9
5 a complete 1 2 0 3 5
5 b deliver 4 1 0 8 ff
5 b doubt 8 0000abcd
6 b receive 3 5 1 1 01
6 a transmit 3 5 0 1 02
7 b transmit 0 7 0 0 0304
9 a fate 3 1 8 2 0025 -
9 a event 3 3002230100000007
10 b fate 0 1 8 3 0002 5
10 b transmit 1 10 0 0 05
13 b fate 1 0 0 0 0000 -
13 - stop stalled
14 b register 4f 0000000a
15 - end
"""
NAMES = ["a.transmit", "a.receive", "b.transmit", "b.receive", "evidence"]


@pytest.fixture(scope="module")
def trace(tmp_path_factory: pytest.TempPathFactory) -> Trace:
    """Of a run with faults, a cut and crashes."""
    if shutil.which("iverilog") is None:
        pytest.skip("iverilog is not installed")
    out = tmp_path_factory.mktemp("captures") / "run"
    ended = rtl.run(parse_text(SCENARIO), out, simulator="icarus")
    assert ended.stop == "resolved"
    return Trace(out / "trace.txt")


@pytest.fixture(scope="module")
def capture(trace: Trace) -> Path:
    path = trace.path.parent / "capture.pcapng"
    record(trace, path)
    return path


def written(folder: Path, text: str) -> Trace:
    path = folder / "trace.txt"
    path.write_text(text)
    return Trace(path)


def comment_of(frame: Transmit | Receive, fates: dict[tuple[int, int], Fate]) -> str:
    said = []
    fate = fates.get((frame.end, frame.number))
    if isinstance(frame, Transmit) and fate is not None and fate.faults:
        faults = [
            n.lower().replace("_", " ") for n, bit in Fault.__members__.items() if bit & fate.faults
        ]
        said.append(
            f"fault: {', '.join(faults)}" + (f", rule {fate.rule}" if fate.rule >= 0 else "")
        )
    if frame.broken:
        said.append("cut short by a restart")
    return "; ".join(said)


def expected(trace: Trace) -> tuple[list[Taken], list[evidence.Record]]:
    """Frames and evidence, from the whole trace at once."""
    everything = list(trace)
    fates = {(item.end, item.number): item for item in everything if isinstance(item, Fate)}
    frames: list[Taken] = []
    told: list[evidence.Record] = []
    parameters = {**trace.parameters, "cycle_ns": "16"}
    told += [evidence.Parameter(0, 0, BENCH, *pair) for pair in parameters.items()]
    for item in everything:
        if isinstance(item, (Transmit, Receive)):
            port = 2 * item.end + isinstance(item, Receive)
            flags = (PacketFlag.OUTBOUND, PacketFlag.INBOUND)[port % 2]
            flags |= PacketFlag.TIMED | PacketFlag.NUMBERED
            comment = comment_of(item, fates)
            if item.user:
                flags |= PacketFlag.BAD
            if comment:
                flags |= PacketFlag.COMMENTED
            frames.append(Taken(item.cycle * 16, port, flags, item.data, comment))
        elif not isinstance(item, Fate) or item.faults:
            told.append(item)
    return frames, [item._replace(line=i) for i, item in enumerate(told)]


def check_whole(trace: Trace, path: Path) -> None:
    taken = list(packets(path))
    frames, told = expected(trace)
    assert [packet for packet in taken if packet.interface != EVIDENCE] == frames
    found = [packet for packet in taken if packet.interface == EVIDENCE]
    assert [evidence.decode(packet.data) for packet in found] == told
    assert [packet.time for packet in found] == [item.cycle * 16 for item in told]
    assert [packet.time for packet in taken] == sorted(packet.time for packet in taken)
    assert isinstance(told[-1], traces.End)
    assert taken[-1] == found[-1]


@requirement("OAE-CAP-001")
def test_a_capture_holds_the_whole_run(trace: Trace, capture: Path) -> None:
    check_whole(trace, capture)
    comments = {packet.comment for packet in packets(capture)}
    assert any(comment.startswith("fault: dropped, rule") for comment in comments)
    assert {"", "fault: dropped", "fault: cut", "fault: duplicated"} <= comments
    assert any("cut short by a restart" in comment for comment in comments)


@requirement("OAE-CAP-001")
def test_every_line_of_a_trace_is_in_its_capture(tmp_path: Path) -> None:
    trace = written(tmp_path, EVERY_LINE)
    record(trace, tmp_path / "capture.pcapng")
    check_whole(trace, tmp_path / "capture.pcapng")
    comments = [packet.comment for packet in packets(tmp_path / "capture.pcapng") if packet.comment]
    assert comments == [
        "cut short by a restart",
        "fault: cut, duplicated, corrupted; cut short by a restart",
        "fault: dropped, rule 5",
    ]


@requirement("OAE-CAP-001")
def test_a_received_frame_bears_the_number_of_the_transmitted_one(
    trace: Trace, capture: Path
) -> None:
    numbers = {
        (int(packet["interface"]), int(packet["number"])): int(packet["index"])
        for _, chunk in Capture(capture)
        for packet in chunk
        if packet["interface"] != EVIDENCE
    }
    sent = {number for port, number in numbers if port in (0, 2)}
    heard = {number for port, number in numbers if port in (1, 3)}
    frames = [item for item in trace if isinstance(item, Transmit)]
    assert sent == {item.end << 32 | item.number for item in frames}
    assert heard < sent
    assert {number >> 32 for port, number in numbers if port == 1} == {1}
    assert {number >> 32 for port, number in numbers if port == 3} == {0}


@requirement("OAE-CAP-001")
def test_interfaces_say_what_they_are(capture: Path) -> None:
    read = Capture(capture)
    counts = [0] * len(NAMES)
    for _, found in read:
        for packet in found:
            counts[packet["interface"]] += 1
    assert read.damage == ""
    assert [interface.name for interface in read.interfaces] == NAMES
    assert [interface.link_type for interface in read.interfaces] == [1, 1, 1, 1, 147]
    assert [interface.received for interface in read.interfaces] == counts
    assert all(interface.description for interface in read.interfaces)
    assert {(i.resolution, i.fcs_length, i.dropped) for i in read.interfaces} == {(1e-9, 0, 0)}


@requirement("OAE-CAP-001")
def test_the_same_run_gives_the_same_bytes(trace: Trace, capture: Path, tmp_path: Path) -> None:
    record(Trace(trace.path), tmp_path / "again.pcapng")
    assert (tmp_path / "again.pcapng").read_bytes() == capture.read_bytes()


def tshark(path: Path, *fields: str) -> list[list[str]]:
    if shutil.which("tshark") is None:
        pytest.skip("tshark is not installed")
    command = ["tshark", "-n", "-r", str(path), "-T", "fields", "-E", "aggregator=;"]
    command += [word for field in fields for word in ("-e", field)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return [line.split("\t") for line in done.stdout.splitlines()]


def seconds(time: int) -> str:
    return f"{time // 10**9}.{time % 10**9:09}"


@requirement("OAE-CAP-001")
def test_tshark_reads_the_same(capture: Path) -> None:
    fields = ["time_epoch", "interface_name", "len", "packet_flags_direction"]
    fields += ["packet_flags_crc_error", "packet_id", "comment"]
    lines = tshark(capture, *(f"frame.{field}" for field in fields))
    wanted = []
    for chunk, found in Capture(capture):
        for packet in found:
            comment = chunk[packet["comment"] :][: packet["comment_bytes"]].tobytes().decode()
            number, told = "", ["", ""]
            if packet["flags"] & PacketFlag.NUMBERED:
                number = str(packet["number"])
                inbound = bool(packet["flags"] & PacketFlag.INBOUND)
                told = [
                    f"0x{1 if inbound else 2:08x}",
                    str(int(packet["flags"] & PacketFlag.BAD > 0)),
                ]
            name = NAMES[packet["interface"]]
            time, size = seconds(int(packet["time"])), str(packet["captured"])
            wanted.append([time, name, size, *told, number, comment])
    assert lines == wanted


@requirement("OAE-CAP-001")
def test_scapy_reads_the_same(capture: Path) -> None:
    with RawPcapNgReader(str(capture)) as reader:
        read: list[tuple[bytes, Any]] = list(reader)
    assert [
        (meta.tshigh << 32 | meta.tslow, meta.ifname.decode(), data, meta.comments)
        for data, meta in read
    ] == [
        (
            packet.time,
            NAMES[packet.interface],
            packet.data,
            [packet.comment.encode()] if packet.comment else None,
        )
        for packet in packets(capture)
    ]


@requirement("OAE-CAP-001")
@pytest.mark.parametrize("lines", [3, 12, -1])
def test_a_trace_that_is_cut_off_gives_no_capture(tmp_path: Path, lines: int) -> None:
    text = "".join(EVERY_LINE.splitlines(keepends=True)[:lines])
    trace = written(tmp_path, text)
    with pytest.raises(TraceError, match="cut off"):
        record(trace, tmp_path / "capture.pcapng")
    assert [path.name for path in tmp_path.iterdir()] == ["trace.txt"]


@requirement("OAE-CAP-001")
def test_what_cannot_be_recorded_is_one_line(tmp_path: Path) -> None:
    three = written(tmp_path, EVERY_LINE.replace("ends 2", "ends 3"))
    with pytest.raises(TraceError, match="3 ends"):
        record(three, tmp_path / "capture.pcapng")
    large = written(tmp_path, EVERY_LINE.replace("a cancel 9", "a cancel 65536"))
    with pytest.raises(TraceError, match=r"trace\.txt:10: .*too large"):
        record(large, tmp_path / "capture.pcapng")
    good = written(tmp_path, EVERY_LINE)
    with pytest.raises(CaptureError, match="No such file"):
        record(good, tmp_path / "nowhere" / "capture.pcapng")
    assert [path.name for path in tmp_path.iterdir()] == ["trace.txt"]


# ------------------------------------------------------------------------ evidence


def numbers(bits: int) -> st.SearchStrategy[int]:
    return st.integers(0, 2**bits - 1)


HEAD = (numbers(32), numbers(64), st.sampled_from([BENCH, 0, 1]))
BIT = numbers(1)
SHORT, WORD = numbers(8), numbers(32)
TEXT = st.text(st.characters(exclude_categories=["Cs"]))
RECORDS = st.one_of(
    st.builds(evidence.Parameter, *HEAD, TEXT.filter(lambda name: "=" not in name), TEXT),
    st.builds(
        traces.Event,
        *HEAD,
        *(SHORT, SHORT, SHORT, numbers(4), numbers(4), SHORT, WORD),
    ),
    st.builds(traces.Submit, *HEAD, numbers(64), BIT, BIT, numbers(16), SHORT, st.binary()),
    st.builds(traces.Deliver, *HEAD, numbers(64), BIT, BIT, WORD, st.binary()),
    st.builds(traces.Complete, *HEAD, numbers(16), WORD, SHORT, SHORT, SHORT),
    st.builds(traces.Doubt, *HEAD, WORD, WORD),
    st.builds(traces.Cancel, *HEAD, numbers(16)),
    st.builds(traces.Power, *HEAD, SHORT, SHORT),
    st.builds(traces.Config, *HEAD, SHORT, SHORT, SHORT, numbers(64), WORD, WORD),
    st.builds(traces.Status, *HEAD, SHORT, SHORT, SHORT, SHORT, WORD, WORD, SHORT, SHORT),
    st.builds(traces.Cut, *HEAD, SHORT),
    st.builds(traces.Rule, *HEAD, WORD),
    st.builds(traces.Stop, *HEAD, TEXT),
    st.builds(traces.Register, *HEAD, SHORT, WORD),
    st.builds(traces.Fate, *HEAD, WORD, SHORT, WORD, WORD, numbers(16), st.integers(-1, 2**16 - 2)),
    st.builds(traces.End, *HEAD),
)


@requirement("OAE-CAP-001")
@given(RECORDS)
def test_evidence_is_what_went_in(item: evidence.Record) -> None:
    assert evidence.decode(evidence.encode(item, item.line)) == item


@requirement("OAE-CAP-001")
def test_evidence_stands_where_the_tables_say() -> None:
    event = traces.Event(0, 0x1234, 1, 3, 0x30, 2, 1, 4, 5, 7)
    packet = evidence.encode(event, 9)
    assert packet.hex(" ", 4) == "01010103 00000009 00000000 00001234 30021405 00000007"
    fate = evidence.encode(traces.Fate(0, 1, 0, 2, 8, 3, 4, 5, -1), 0)
    assert fate[16:].hex() == "00000002" + "08" + "00000003" + "00000004" + "0005" + "ffff"


@requirement("OAE-CAP-003")
@given(st.binary(max_size=60), st.sampled_from([*Evidence, 16, 255]))
def test_evidence_of_any_bytes_is_a_record_or_refused(tail: bytes, code: int) -> None:
    for packet in (tail, bytes([1, code]) + tail):
        try:
            item = evidence.decode(packet)
        except evidence.EvidenceError:
            continue
        assert evidence.decode(evidence.encode(item, item.line)) == item


@requirement("OAE-CAP-003")
@given(RECORDS, st.data())
def test_evidence_that_is_cut_short_is_refused(item: evidence.Record, data: st.DataObject) -> None:
    tail = {evidence.Parameter: "name", traces.Submit: "data", traces.Deliver: "data"}
    packet = evidence.encode(item, 0)
    if type(item) in tail or isinstance(item, traces.Stop):
        packet = packet[:16]
    cut = packet[: data.draw(st.integers(0, len(packet) - 1))]
    with pytest.raises(evidence.EvidenceError):
        evidence.decode(cut)


# ------------------------------------------------------------------------ the writer

WRITTEN = st.lists(
    st.tuples(
        st.integers(0, 1),
        numbers(64),
        st.binary(max_size=70),
        st.sampled_from([0, write.INBOUND, write.OUTBOUND, write.OUTBOUND | write.CRC_ERROR]),
        st.none() | numbers(64),
        st.sampled_from([0, 1, 2**32 - 1]),
        TEXT,
    )
)


def pcapng(items: list[tuple[int, int, bytes, int, int | None, int, str]]) -> bytes:
    file = io.BytesIO()
    interfaces = [write.Interface("left", "one"), write.Interface("right", "two", 147)]
    writer = write.Writer(file, interfaces, "hardware", "system")
    for interface, time, data, flags, number, dropped, comment in items:
        writer.packet(
            interface, time, data, flags=flags, number=number, dropped=dropped, comment=comment
        )
    writer.finish()
    return file.getvalue()


@requirement("OAE-CAP-001", "OAE-CAP-002")
@given(WRITTEN)
def test_what_is_written_is_read(
    items: list[tuple[int, int, bytes, int, int | None, int, str]],
) -> None:
    capture = Capture(io.BytesIO(pcapng(items)))
    found = []
    for chunk, taken in capture:
        for packet in taken:
            flags = PacketFlag(int(packet["flags"]))
            comment = chunk[packet["comment"] :][: packet["comment_bytes"]].tobytes()
            found.append(
                (
                    int(packet["interface"]),
                    int(packet["time"]),
                    chunk[packet["offset"] :][: packet["captured"]].tobytes(),
                    bool(flags & PacketFlag.INBOUND) * write.INBOUND
                    | bool(flags & PacketFlag.OUTBOUND) * write.OUTBOUND
                    | bool(flags & PacketFlag.BAD) * write.CRC_ERROR,
                    int(packet["number"]) if flags & PacketFlag.NUMBERED else None,
                    int(packet["dropped"]),
                    comment.decode(),
                )
            )
    assert found == items
    assert capture.damage == ""
    for i, interface in enumerate(capture.interfaces):
        dropped = sum(item[5] for item in items if item[0] == i)
        received = sum(item[0] == i for item in items)
        assert (interface.received, interface.dropped) == (received + dropped, dropped)
