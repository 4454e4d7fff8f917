"""FITO beside the bilateral link: what each breaks, by scenarios that are made for it."""

import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
from oae.campaign import fito
from oae.campaign.fito import LINKS, PROMISES, Link, Tally, table, tally
from oae.check.verdict import Promise
from oae.engines import rtl
from oae.scenario.parse import parse_text
from oae.spec.constants import EventCode, Operation
from oae.testing import requirement
from oae.trace import Event, Trace

BILATERAL, _, DURABLE, VOLATILE = LINKS
FITO = (DURABLE, VOLATILE)
# All in one build a link. A FITO sender tries for 31 times 128 cycles.
HEAD = """
version = 1
[link]
beat_idle = 128
beat_busy = 64
fault_beats = 200
sync_interval = 256
[limits]
cycles = 40000
stall = 9000
"""
ONE_WAY = HEAD + "[load.a]\nrecords = 12\nsizes = 16\nresubmit = true\n"
BOTH_WAYS = HEAD + "[load.both]\nrecords = 20\n"

ACK_LOST_RECEIVER_CRASHES = (
    ONE_WAY
    + """
[[fault]]
when = "b->a ACK id=5 copy=0"
do = "drop"
[[fault]]
when = "b DELIVERED id=5"
after = "30 cycles"
do = "crash b"
"""
)
SENDER_CRASHES = (
    ONE_WAY
    + """
[[fault]]
when = "b DELIVERED id=5"
do = "crash a"
"""
)
# Longer than any sender is patient.
ACKS_CUT_FOR_LONG = (
    ONE_WAY
    + """
[[fault]]
when = "b DELIVERED id=5"
do = "cut b->a"
for = "6000 cycles"
"""
)


@dataclass
class Played:
    """A run: what the hosts saw, and its steps."""

    tally: Tally
    events: list[Event]

    def ids(self, code: EventCode) -> list[int]:
        """Ids of the steps of this code, in order."""
        return [event.value for event in self.events if event.code == code]

    @property
    def broken(self) -> dict[Promise, int]:
        """Promises that were broken, but for the one that no FITO link makes."""
        counts = dict(self.tally.broken)
        counts.pop(Promise.NOT_BEFORE_COMMITTED)
        return {promise: number for promise, number in counts.items() if number}


def play(link: Link, text: str, folder: Path, simulator: str = "icarus") -> Played:
    scenario = parse_text(text)
    ended = rtl.run(scenario, folder / "run", simulator=simulator, defines=link.defines)
    assert (ended.status, ended.stop) == ("finished", "resolved")
    assert not ended.assertions
    trace = Trace(folder / "run" / "trace.txt")
    events = [record for record in trace if isinstance(record, Event)]
    return Played(tally(trace, scenario), events)


def clean(link: Link, folder: Path, simulator: str) -> Played:
    """A clean run: everything is committed once, and nothing is sent twice."""
    run = play(link, BOTH_WAYS, folder, simulator)
    assert run.broken == {}
    assert run.tally.committed == run.tally.transactions == 40
    return run


@requirement("OAE-CMP-001")
@pytest.mark.parametrize("link", FITO, ids=lambda link: link.name)
def test_a_clean_fito_link_delivers_everything_once(link: Link, tmp_path: Path) -> None:
    run = clean(link, tmp_path, "icarus")
    assert run.tally.broken[Promise.NOT_BEFORE_COMMITTED] == 40
    assert run.ids(EventCode.RETRIED) == []
    operations = {event.info for event in run.events if event.code == EventCode.SENT}
    spoken = {Operation.SYNC, Operation.SYNC_ACK, Operation.NOP, Operation.DATA, Operation.ACK}
    assert operations <= spoken


@pytest.mark.long
@requirement("OAE-CMP-001")
@pytest.mark.parametrize("link", LINKS, ids=lambda link: link.name)
def test_a_clean_link_on_verilator(link: Link, tmp_path: Path) -> None:
    clean(link, tmp_path, "verilator")


@requirement("OAE-CMP-002")
def test_volatile_fito_delivers_a_record_twice(tmp_path: Path) -> None:
    """Delivered, the ACK lost, duplicate suppression lost: the host tries again, as it must."""
    run = play(VOLATILE, ACK_LOST_RECEIVER_CRASHES, tmp_path)
    assert run.broken[Promise.EXACTLY_ONCE] >= 1
    assert run.broken[Promise.AGREEMENT] >= 1
    assert run.tally.failed >= 1


@requirement("OAE-CMP-002")
def test_volatile_fito_loses_outcomes(tmp_path: Path) -> None:
    """The sender forgets what is on its way, and its host never hears of it."""
    run = play(VOLATILE, SENDER_CRASHES, tmp_path)
    assert set(run.broken) == {Promise.CONSERVATION}
    assert run.tally.committed < 12


@requirement("OAE-CMP-002")
@pytest.mark.parametrize("text", [ACK_LOST_RECEIVER_CRASHES, SENDER_CRASHES])
def test_durable_fito_survives_crashes(text: str, tmp_path: Path) -> None:
    run = play(DURABLE, text, tmp_path)
    assert run.broken == {}
    assert run.tally.committed == run.tally.transactions == 12


@requirement("OAE-CMP-002")
def test_durable_fito_delivers_once_and_disagrees(tmp_path: Path) -> None:
    """Given up after 31 repeats, and delivered all the same: so its host submits it again."""
    run = play(DURABLE, ACKS_CUT_FOR_LONG, tmp_path)
    delivered = run.ids(EventCode.DELIVERED)
    assert len(delivered) == len(set(delivered)), "a transaction was delivered twice"
    assert set(run.ids(EventCode.CANCELLED)) & set(delivered)
    assert run.broken[Promise.AGREEMENT] >= 1
    assert run.broken[Promise.EXACTLY_ONCE] == run.broken[Promise.AGREEMENT]


@requirement("OAE-CMP-002")
@pytest.mark.parametrize("text", [SENDER_CRASHES, ACKS_CUT_FOR_LONG])
def test_the_bilateral_link_keeps_its_promises(text: str, tmp_path: Path) -> None:
    """The same faults."""
    run = play(BILATERAL, text, tmp_path)
    assert run.broken == {}
    assert run.tally.broken[Promise.NOT_BEFORE_COMMITTED] == 0


@pytest.mark.long
@requirement("OAE-CMP-001", "OAE-CMP-002")
def test_the_campaign_as_a_table(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Every link through the same faults: which promises each breaks."""
    monkeypatch.setattr(sys, "argv", ["fito", "--runs", "2"])
    fito.main()
    lines = capsys.readouterr().out.splitlines()
    cells = [[cell.strip() for cell in line.split("|")[1:-1]] for line in lines]
    assert cells[0] == ["", *(link.name for link in LINKS)]
    rows = {row[0]: [int(cell.replace(",", "")) for cell in row[1:]] for row in cells[2:11]}
    bilateral, forgetful, durable, volatile = (
        {promise: rows[promise][at] for promise in PROMISES} for at in range(len(LINKS))
    )
    assert not any(bilateral.values())
    assert {promise for promise, rate in forgetful.items() if rate} == {Promise.CONSERVATION}
    disagreed = {Promise.AGREEMENT, Promise.EXACTLY_ONCE, Promise.NOT_BEFORE_COMMITTED}
    assert {promise for promise, rate in durable.items() if rate} == disagreed
    assert {promise for promise, rate in volatile.items() if rate} == {
        *disagreed,
        Promise.CONSERVATION,
    }


@requirement("OAE-CMP-001")
def test_the_table_counts_per_million() -> None:
    one = Tally(transactions=400, committed=390, failed=10, cycles=1000, useful_bytes=250)
    one.broken[Promise.AGREEMENT] = 1
    one.latencies = [10, 20, 30]
    lines = table([("one", one), ("none", Tally())]).splitlines()
    assert f"| {Promise.AGREEMENT} | 2,500 | 0 |" in lines
    assert "| submission to COMMITTED, median | 20 | 0 |" in lines
    assert "| bits of new records a cycle | 2.00 | 0.00 |" in lines
    twice = table([("one", one + one)])
    assert f"| {Promise.AGREEMENT} | 2,500 |" in twice
    assert "| told COMMITTED | 780 |" in twice
