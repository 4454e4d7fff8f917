"""Every export is read by what it is for: Perfetto's own messages, csv, json."""

import csv
import json
import re
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from oae.check.findings import Transaction
from oae.report.exports import EXPORTS, export
from oae.report.mermaid import chart
from oae.report.moments import Handshake, Sent, Step, Story
from oae.report.names import key, names
from oae.report.perfetto import trace as perfetto_trace
from oae.report.story import stories
from oae.report.writing import ReportError
from oae.testing import requirement
from perfetto.protos.perfetto.trace import perfetto_trace_pb2 as protos

from host.tests.capture.report_sample import Sample, many, sample


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Sample:
    return sample(tmp_path_factory.mktemp("exports"))


def exported(run: Sample, folder: Path, what: str) -> Path:
    path = folder / f"run.{what}"
    export(run.result, what, path, capture=run.capture)
    return path


@requirement("OAE-RPT-002")
def test_unknown_exports_and_transactions_are_refused(run: Sample, tmp_path: Path) -> None:
    with pytest.raises(ReportError, match="exports are perfetto, mermaid, jsonl, csv"):
        export(run.result, "pdf", tmp_path / "x")
    with pytest.raises(ReportError, match="a-999: the result has no such transaction"):
        export(run.result, "mermaid", tmp_path / "x", transaction="a-999")
    with pytest.raises(ReportError, match="there is no transaction to draw"):
        export(replace(run.result, transactions=[]), "mermaid", tmp_path / "x")
    for what in EXPORTS:
        with pytest.raises(ReportError, match="no such file or directory"):
            export(run.result, what, tmp_path / "nowhere" / "x")
    assert list(tmp_path.iterdir()) == []


# ---------------------------------------------------------------------- Perfetto


class Tracks:
    """What Perfetto's importer makes of a trace: tracks by uuid, and their slices and instants."""

    def __init__(self, content: bytes) -> None:
        trace = protos.Trace()
        trace.ParseFromString(content)
        self.names: dict[int, tuple[str, ...]] = {}
        self.slices: list[tuple[tuple[str, ...], int, int, str]] = []
        self.instants: list[tuple[tuple[str, ...], int, str]] = []
        self.flows: dict[int, list[str]] = {}
        self.ended_flows: set[int] = set()
        opened: dict[int, tuple[int, str]] = {}
        last = 0
        for packet in trace.packet:
            if packet.HasField("track_descriptor"):
                track = packet.track_descriptor
                assert track.uuid not in self.names
                parent = self.names[track.parent_uuid] if track.parent_uuid else ()
                self.names[track.uuid] = (*parent, track.name or track.process.process_name)
                continue
            event = packet.track_event
            assert packet.trusted_packet_sequence_id
            assert packet.timestamp >= last
            last = packet.timestamp
            where = self.names[event.track_uuid]
            if event.type == event.TYPE_SLICE_BEGIN:
                assert event.track_uuid not in opened, f"slices overlap on {where}"
                opened[event.track_uuid] = last, event.name
            elif event.type == event.TYPE_SLICE_END:
                start, name = opened.pop(event.track_uuid)
                assert last > start
                self.slices.append((where, start, last, name))
            else:
                assert event.type == event.TYPE_INSTANT
                self.instants.append((where, last, event.name))
                for flow in [*event.flow_ids, *event.terminating_flow_ids]:
                    assert flow not in self.ended_flows
                    self.flows.setdefault(flow, []).append(event.name)
                self.ended_flows.update(event.terminating_flow_ids)
        assert not opened


@requirement("OAE-RPT-002")
def test_perfetto_has_every_transaction_frame_state_and_fault(run: Sample, tmp_path: Path) -> None:
    found = Tracks(exported(run, tmp_path, "perfetto").read_bytes())
    known = names(run.result.transactions)
    transactions = {
        name: (start, end) for where, start, end, name in found.slices if "trans" in where[1]
    }
    assert len(transactions) == len(run.result.transactions)
    for row in run.result.transactions:
        times = [time for time, _ in row.marks.values()]
        assert transactions[f"{known[key(row)]} {row.outcome}"] == (min(times), max(times))
    told = [m for story in stories(run.result, run.capture) for m in story if isinstance(m, Sent)]
    frames = Counter((where[0], at) for where, at, _ in found.instants if where[1] == "frames sent")
    assert frames == Counter((f"end {'ab'[one.end]}", one.time) for one in told)
    states = {name for where, *_, name in found.slices if where[1] == "link state"}
    assert states >= {"UP", "SYNCING"}
    starts = {(at, name) for where, at, name in found.instants if where[1] == "faults"}
    assert starts >= {
        (fault.start, f"{fault.kind} a")
        for fault in run.result.faults
        if fault.kind == "crash" and fault.end == 0
    }
    assert any(where == ("bench", "faults") for where, *_ in found.instants)


@requirement("OAE-RPT-002")
def test_perfetto_flows_lead_from_data_to_its_end(run: Sample, tmp_path: Path) -> None:
    found = Tracks(exported(run, tmp_path, "perfetto").read_bytes())
    several = [
        story
        for story in stories(run.result, run.capture)
        if sum(isinstance(moment, Sent) for moment in story) > 1
    ]
    assert len(found.flows) == len(several) == len(found.ended_flows)
    for frames in found.flows.values():
        assert frames[0].startswith("DATA")
    nominal = [[name.split(",")[0] for name in frames] for frames in found.flows.values()]
    assert ["DATA", "ACK", "COMMIT", "DONE"] in nominal


@requirement("OAE-RPT-002")
def test_perfetto_holds_open_transactions_to_the_end(run: Sample) -> None:
    rows = [replace(row, outcome="OPEN") for row in many(run.result, 50).transactions]
    result = replace(run.result, transactions=rows, end=10**9)
    found = Tracks(perfetto_trace(result, [[] for _ in rows]).SerializeToString())
    lasting = [end for where, _, end, _ in found.slices if "transactions" in where[1]]
    assert lasting == [10**9] * 50


# ---------------------------------------------------------------------- Mermaid

# The part of Mermaid's grammar for sequence diagrams that a chart may use; entity codes (#59;) are
# the only way in which ; and # may stand in a text, and no text may begin a comment (%%).
TEXT = r"(?:[^;#\n]|#\d+;)+"
ACTOR = "(?:host_)?[ab]"
LINE = re.compile(
    rf"    (?:accTitle: {TEXT}|participant {ACTOR} as {TEXT}"
    rf"|{ACTOR}(?:->>|-->>|-x){ACTOR}: {TEXT}|Note over {ACTOR}: {TEXT})"
)


def assert_mermaid(text: str) -> list[str]:
    first, *lines, last = text.split("\n")
    assert (first, last) == ("sequenceDiagram", "")
    for line in lines:
        assert LINE.fullmatch(line), line
        assert "%%" not in line
        assert "<" not in line.replace("<<", "")
    return lines


@requirement("OAE-RPT-002")
def test_mermaid_chart_of_every_transaction(run: Sample) -> None:
    known = names(run.result.transactions)
    told = stories(run.result, run.capture)
    for row, story in zip(run.result.transactions, told, strict=True):
        lines = assert_mermaid(chart(row, story, known[key(row)]))
        arrows = sum(max(1, len(m.heard)) for m in story if isinstance(m, Sent))
        lost = sum(not m.heard for m in story if isinstance(m, Sent))
        between = [line for line in lines if re.match(r"    [ab]-+(>>|x)[ab]:", line)]
        assert len(between) == arrows
        assert sum("-x" in line for line in between) == lost


@requirement("OAE-RPT-002")
def test_mermaid_export_shows_what_was_found(run: Sample, tmp_path: Path) -> None:
    known = names(run.result.transactions)
    found = next(row for row in run.result.transactions if row.has_finding)
    assert f"Transaction {known[key(found)]}\n" in exported(run, tmp_path, "mermaid").read_text()
    export(run.result, "mermaid", tmp_path / "b", capture=run.capture, transaction="b-1")
    assert "Transaction b-1\n" in (tmp_path / "b").read_text()


@requirement("OAE-RPT-002")
@given(st.text(min_size=1))
def test_no_text_breaks_a_mermaid_chart(text: str) -> None:
    row = Transaction(0, "1/2", 0, 0, 0, 8, "OPEN", 0, False, {"OPENED": (0, 1)})
    story: Story = [
        Step(0, 0, text, text),
        Handshake(1, 1, text, inward=True),
        Sent(2, 0, "DATA", text, [(3, text), (4, "")]),
        Sent(5, 1, "ACK", text),
    ]
    assert_mermaid(chart(row, story, "a-0"))


# ---------------------------------------------------------------------- tables


@requirement("OAE-RPT-002")
def test_json_lines_hold_the_result(run: Sample, tmp_path: Path) -> None:
    rows = [json.loads(line) for line in exported(run, tmp_path, "jsonl").read_text().splitlines()]
    verdict, finding, *transactions = rows
    assert verdict == {"type": "verdict", "verdict": "FAIL", "reason": run.result.reason}
    assert finding["type"] == "finding"
    assert finding["text"] == run.result.findings[0].text
    assert finding["explained_by"] == list(run.result.findings[0].explained_by)
    for told, row in zip(transactions, run.result.transactions, strict=True):
        assert told["type"] == "transaction"
        assert (told["end"], told["id"], told["outcome"]) == (row.end, row.id, row.outcome)
        marks = {name: (mark["time"], mark["packet"]) for name, mark in told["marks"].items()}
        assert marks == row.marks


@requirement("OAE-RPT-002")
def test_csv_holds_the_result(run: Sample, tmp_path: Path) -> None:
    path = exported(run, tmp_path, "csv")
    with path.open(newline="") as file:
        transactions = list(csv.DictReader(file))
    for told, row in zip(transactions, run.result.transactions, strict=True):
        assert (int(told["end"]), int(told["id"])) == (row.end, row.id)
        assert told["outcome"] == row.outcome
        times = {
            name[:-5]: int(value)
            for name, value in told.items()
            if name.endswith("_time") and value
        }
        assert times == {name: time for name, (time, _) in row.marks.items()}
    with (tmp_path / "run.findings.csv").open(newline="") as file:
        (finding,) = csv.DictReader(file)
    assert finding["text"] == run.result.findings[0].text
    assert finding["requirement"] == run.result.findings[0].requirement
    assert finding["transaction"] in {told["name"] for told in transactions}
