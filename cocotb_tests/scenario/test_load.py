"""The hosts of a run on the RTL: every record gets its outcome, whatever happens to its packet."""

from collections import Counter
from pathlib import Path

import pytest
from oae.check.verdict import Verdict
from oae.scenario.compile import records
from oae.spec.constants import AbortReason, EventCode, Outcome
from oae.testing import requirement
from oae.trace import Complete, Deliver, Submit

from cocotb_tests.scenario.played import Play, Played


@pytest.fixture
def play(tmp_path: Path) -> Play:
    return lambda text: Played(tmp_path / "run", text)


@requirement("OAE-SIM-009")
def test_every_record_is_delivered_in_the_end(play: Play) -> None:
    run = play("""
[load.both]
records = 80
resubmit = true
bad = 0.2
too_long = 0.2
cancel = 0.2
gap = 10
completion_stall = 0.3
[host.both]
refuse = 0.2
stall = 0.3
""")
    judgement = run.judgement
    assert judgement.verdict is Verdict.PASS, judgement.reason
    for end in (0, 1):
        wanted = Counter(record.data for record in records(run.scenario, end))
        assert Counter(line.data for line in run.all(Deliver, end=1 - end)) == wanted
        figures = judgement.ends[end]
        assert figures.discarded
        assert figures.unopened
        assert figures.resubmitted
        reasons = {line.reason for line in run.all(Complete, end=end)}
        assert reasons >= {
            AbortReason.REFUSED,
            AbortReason.REQUESTED,
            AbortReason.RECORD_TOO_LONG,
        }


@requirement("OAE-SIM-009")
def test_without_resubmission_an_aborted_record_stays_aborted(play: Play) -> None:
    run = play("[load.a]\nrecords = 40\n[host.b]\nrefuse = 0.5\n")
    outcomes = Counter(line.outcome for line in run.all(Complete, end=0))
    assert outcomes.total() == 40
    assert outcomes[Outcome.ABORTED] > 5
    assert len(run.all(Submit, end=0)) == 40
    assert len(run.all(Deliver, end=1)) == outcomes[Outcome.COMMITTED]
    assert run.judgement.verdict is Verdict.PASS


@requirement("OAE-SIM-009")
def test_a_packet_that_a_crash_breaks_goes_again(play: Play) -> None:
    # Every transaction is short of a slot, so that the next packet is half in when the crash comes.
    faults = "".join(
        f'[[fault]]\nwhen = "a DECIDED #{n}"\ndo = "crash a"\nafter = "{n % 9} cycles"\n'
        for n in range(4, 40, 2)
    )
    run = play(f"[load.a]\nrecords = 60\nsizes = 64\nresubmit = true\n{faults}")
    broken = run.all(Submit, end=0, broken=1)
    assert broken
    assert run.judgement.verdict is Verdict.PASS
    wanted = Counter(record.data for record in records(run.scenario, 0))
    assert Counter(line.data for line in run.all(Deliver, end=1)) == wanted


@requirement("OAE-SIM-009")
def test_literal_records_come_first(play: Play) -> None:
    run = play("""
[load.a]
records = 2
sizes = 5
outstanding = 1
[[load.a.record]]
text = "hello"
[[load.a.record]]
hex = "00ff00"
[[load.a.record]]
advance = 3
[host.b]
prepared = 3
""")
    delivered = [line.data for line in run.all(Deliver, end=1)]
    assert delivered[:2] == [b"hello", b"\x00\xff\x00"]
    assert len(delivered) == 4
    assert [event.info for event in run.events(EventCode.DELIVERED, end=1)] == [0, 0, 1, 0, 0]
    # One at a time: nothing is opened before the one before it is told.
    order = [
        event.code
        for event in run.events(EventCode.OPENED) + run.events(EventCode.TOLD)
        if event.end == 0
    ]
    assert order.count(EventCode.OPENED) == order.count(EventCode.TOLD) == 5
    opened = [event.cycle for event in run.events(EventCode.OPENED)]
    told = [event.cycle for event in run.events(EventCode.TOLD)]
    assert all(later > earlier for later, earlier in zip(opened[1:], told, strict=False))


@requirement("OAE-SIM-009")
def test_records_of_a_host_whose_end_forgot_are_not_waited_for(play: Play) -> None:
    run = play('[load.a]\nrecords = 40\n[[fault]]\nwhen = "a DECIDED #15"\ndo = "amnesia a"\n')
    judgement = run.judgement
    assert judgement.stop == "resolved"
    assert judgement.verdict is Verdict.PASS, judgement.reason
    assert judgement.ends[0].lost
    figures = judgement.ends[0]
    assert figures.committed + figures.aborted + figures.unknown + figures.lost == figures.opened
