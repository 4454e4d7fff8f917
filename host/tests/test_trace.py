"""Reading traces: every kind of line, and what is refused."""

from pathlib import Path

import pytest
from oae.spec.constants import Channel, EventCode
from oae.testing import requirement
from oae.trace import (
    BENCH,
    Cancel,
    Complete,
    Config,
    Cut,
    Deliver,
    Doubt,
    End,
    Event,
    Fate,
    Power,
    Receive,
    Register,
    Rule,
    Status,
    Stop,
    Submit,
    Trace,
    TraceError,
    Transmit,
)

HEAD = "oae-trace 1\nparameter ends 2\nparameter window.a 8\n"
LINES = [
    ("0 a config 1 0 1 00000000000000ff 2 3", Config(4, 0, 0, 1, 0, 1, 255, 2, 3)),
    ("0 b status 2 1 0 1 7 6 4 2", Status(5, 0, 1, 2, 1, 0, 1, 7, 6, 4, 2)),
    ("3 a cut 1", Cut(6, 3, 0, 1)),
    ("3 b power 0 1", Power(7, 3, 1, 0, 1)),
    ("4 - rule 12", Rule(8, 4, BENCH, 12)),
    ("5 a submit 2 0 1 65535 1 0a0b", Submit(9, 5, 0, 2, 0, 1, 65535, 1, b"\x0a\x0b")),
    ("5 a cancel 9", Cancel(10, 5, 0, 9)),
    ("5 a complete 1 2 0 3 5", Complete(11, 5, 0, 1, 2, 0, 3, 5)),
    ("5 b deliver 4 1 0 8 ff", Deliver(12, 5, 1, 4, 1, 0, 8, b"\xff")),
    ("5 b doubt 8 0000abcd", Doubt(13, 5, 1, 8, 0xABCD)),
    ("6 b receive 3 5 1 0 01", Receive(14, 6, 1, 3, 5, 1, 0, b"\x01")),
    ("6 a transmit 3 5 0 1 02", Transmit(15, 6, 0, 3, 5, 0, 1, b"\x02")),
    ("7 a fate 3 1 8 2 0024 -", Fate(16, 7, 0, 3, 1, 8, 2, 0x24, -1)),
    ("7 a fate 4 1 8 3 0002 5", Fate(17, 7, 0, 4, 1, 8, 3, 2, 5)),
    (
        "7 a event 3 3002230100000007",
        Event(18, 7, 0, Channel.INITIATOR, EventCode.OPENED, 2, 2, 3, 1, 7),
    ),
    ("9 - stop stalled", Stop(19, 9, BENCH, "stalled")),
    ("12 b register 4f 0000000a", Register(20, 12, 1, 0x4F, 10)),
    ("13 - end", End(21, 13, BENCH)),
]


def trace(folder: Path, text: str) -> Trace:
    path = folder / "trace.txt"
    path.write_text(text)
    return Trace(path)


@requirement("OAE-SIM-010")
def test_every_kind_of_line(tmp_path: Path) -> None:
    found = trace(tmp_path, HEAD + "".join(f"{line}\n" for line, _ in LINES))
    assert list(found) == [record for _, record in LINES]
    assert list(found) == list(found)
    assert found.ends == 2
    assert found.parameters["window.a"] == "8"
    assert len(found.sha256) == 64


@requirement("OAE-SIM-010")
@pytest.mark.parametrize(
    ("line", "number"),
    [
        ("7 a event 3", 4),
        ("7 a event 3 30022301000000zz", 4),
        ("7 a transmit 3 5 0 01", 4),
        ("7 a transmit 3 5 0 1 0", 4),
        ("7 a complete 1 2 0 3", 4),
        ("7 ? cut 1", 4),
        ("7 a wiggle 1", 4),
        ("seven a cut 1", 4),
        ("", 4),
        ("1 - end\n2 a cut 1", 5),
    ],
)
def test_a_damaged_line_is_told_with_its_number(tmp_path: Path, line: str, number: int) -> None:
    damaged = trace(tmp_path, f"{HEAD}{line}\n")
    with pytest.raises(TraceError, match=rf"trace\.txt:{number}: "):
        list(damaged)


@requirement("OAE-SIM-010")
def test_a_trace_that_is_cut_off(tmp_path: Path) -> None:
    with pytest.raises(TraceError, match="5: the trace is cut off here"):
        list(trace(tmp_path, HEAD + "1 a cut 1\n2 a cut 0\n"))


@requirement("OAE-SIM-010")
@pytest.mark.parametrize("text", ["", "oae-trace 2\n", "hello\n", "oae-trace 1\n"])
def test_what_is_no_trace_is_refused_at_once(tmp_path: Path, text: str) -> None:
    with pytest.raises(TraceError):
        trace(tmp_path, text)


def test_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(TraceError, match="No such file"):
        Trace(tmp_path / "trace.txt")
