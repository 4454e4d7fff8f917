"""FITO beside the bilateral link: what each breaks, by scenarios that are made for it."""

import json
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from oae.campaign import fito
from oae.campaign.fito import LINKS, MILLION, PROMISES, Link, figures, rate, table
from oae.campaign.outcomes import Tally, tally
from oae.check.verdict import Promise
from oae.engines import rtl
from oae.scenario.parse import parse_text
from oae.spec.constants import EventCode, Operation
from oae.testing import requirement
from oae.trace import Event, Trace

BILATERAL, _, DURABLE, VOLATILE = LINKS
FITO = (DURABLE, VOLATILE)
OUTAGES = str(Path(fito.__file__).with_suffix(".toml"))
BROKEN = Promise.AGREEMENT
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


def play(
    link: Link, text: str, folder: Path, simulator: str = "icarus", stop: str = "resolved"
) -> Played:
    scenario = parse_text(text)
    ended = rtl.run(scenario, folder / "run", simulator=simulator, defines=link.defines)
    assert (ended.status, ended.stop) == ("finished", stop)
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


@requirement("OAE-CMP-003")
def test_a_run_that_does_not_end_breaks_progress(tmp_path: Path) -> None:
    """Also if it stands still for no time that a stall limit would notice."""
    text = BOTH_WAYS.replace("cycles = 40000", "cycles = 500")
    run = play(VOLATILE, text, tmp_path, stop="cycles")
    assert run.broken == {Promise.PROGRESS: 1}


@pytest.mark.long
@requirement("OAE-CMP-002", "OAE-CMP-003")
@pytest.mark.parametrize("options", [["--build", "usual"], ["--scenario", OUTAGES]], ids=str)
def test_every_link_breaks_what_it_does_not_promise(
    options: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    """The same seeds for all, drawn at random or with outages that outlast a sender's patience."""
    assert fito.main([*options, "--runs", "20", "--json"]) == 0
    columns = json.loads(capsys.readouterr().out)
    assert [column["link"] for column in columns] == [link.name for link in LINKS]
    broken = {}
    for link, column in zip(LINKS, columns, strict=True):
        counts = {promise: column["promises"][promise]["violations"] for promise in PROMISES}
        broken[link] = {promise for promise, number in counts.items() if number}
        assert broken[link] <= link.unclaimed, link.name
        assert column["unresolved"] == 0
    assert broken[VOLATILE] == VOLATILE.unclaimed
    assert Promise.NOT_BEFORE_COMMITTED in broken[DURABLE]
    if "--scenario" in options:
        assert broken[DURABLE] == DURABLE.unclaimed


@requirement("OAE-CMP-003")
def test_no_run_is_drawn_in_which_durable_memory_is_lost() -> None:
    runs = fito.draw(50, ("usual",))
    assert len({run.seed for run in runs}) == 50
    assert not any("amnesia" in run.source for run in runs)


@requirement("OAE-CMP-003")
def test_bad_input_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert fito.main(["--scenario", "no_such.toml"]) == 2
    told = capsys.readouterr()
    assert (told.out, told.err) == ("", "fito: no_such.toml: no such file or directory\n")


@requirement("OAE-CMP-003")
def test_the_table_counts_per_million() -> None:
    one = Tally(transactions=400, committed=390, failed=10, cycles=1000, useful_bytes=250)
    one.broken[Promise.AGREEMENT] = 1
    one.latencies = [10, 20, 30]
    lines = table([figures(BILATERAL, [one]), figures(DURABLE, [Tally()])]).splitlines()
    assert f"| {Promise.AGREEMENT} | 2,500 (2,500 to 2,500) | [0 (< 3,000,000)] |" in lines
    assert f"| {Promise.UNALTERED} | 0 (< 7,500) | 0 (< 3,000,000) |" in lines
    assert "| submission to COMMITTED, median | 20 | 0 |" in lines
    assert "| bits of new records a cycle | 2.00 | 0.00 |" in lines
    twice = figures(BILATERAL, [one, one])
    assert twice["promises"][Promise.AGREEMENT]["violations"] == 2
    assert twice["committed"] == 780
    assert twice["latency"] == {"median": 20, "p99": 30}


RUNS = st.lists(st.tuples(st.integers(1, 1000), st.integers(0, 20)), min_size=1, max_size=30)


@requirement("OAE-CMP-003")
@settings(deadline=None)
@given(RUNS)
def test_the_interval_holds_the_rate(runs: list[tuple[int, int]]) -> None:
    """And no more than the runs allow: it lies between the best run's rate and the worst one's."""
    played = [Tally(transactions=number, broken=Counter({BROKEN: of})) for number, of in runs]
    found = rate(played, BROKEN)
    every = sum(number for number, _ in runs)
    assert found.value == pytest.approx(MILLION * sum(of for _, of in runs) / every)
    if not found.value:
        assert found.least == 0
        assert found.most == pytest.approx(3 * MILLION / every)
        return
    rates = [MILLION * of / number for number, of in runs]
    assert min(rates) <= found.least * (1 + 1e-9)
    assert found.least <= found.most <= max(rates) * (1 + 1e-9)


@requirement("OAE-CMP-003")
def test_what_comes_in_bursts_has_a_wider_interval() -> None:
    """As many violations of as many transactions: all in one run, or some in each."""
    spread = [Tally(transactions=100, broken=Counter({BROKEN: 2})) for _ in range(20)]
    burst = [Tally(transactions=100) for _ in range(19)]
    burst.append(Tally(transactions=100, broken=Counter({BROKEN: 40})))
    one, other = rate(spread, BROKEN), rate(burst, BROKEN)
    assert one.value == other.value == one.least == one.most
    assert other.least == 0
    assert other.most > 2 * other.value
