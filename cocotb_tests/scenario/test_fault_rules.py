"""Scheduled faults on the RTL: they strike when, as often and for as long as they say."""

from pathlib import Path

import pytest
from oae.check.verdict import Verdict
from oae.scenario.layout import Fault
from oae.spec.constants import AbortReason, EventCode, LinkState, Operation
from oae.testing import requirement
from oae.trace import Cancel, Config, Cut, Deliver, Fate, Power, Rule, Status, Stop

from cocotb_tests.scenario.played import Play, Played

LOAD = "[load.a]\nrecords = 30\nsizes = 16\n"
SOON = 3  # cycles from a step to what it triggers


@pytest.fixture
def play(tmp_path: Path) -> Play:
    return lambda text: Played(tmp_path / "run", text)


def fault(when: str, do: str, **more: object) -> str:
    lines = [f'when = "{when}"', f'do = "{do}"']
    for key, value in more.items():
        shown = str(value) if isinstance(value, int | float | list) else f'"{value}"'
        lines.append(f"{key} = {shown}")
    return "[[fault]]\n" + "\n".join(lines).replace("'", '"') + "\n"


@requirement("OAE-SIM-006", "OAE-SIM-008")
def test_a_cut_from_an_event_until_another(play: Play) -> None:
    run = play(LOAD + fault("b REFLECTED id=3", "cut b->a", until=["b BELOW_WINDOW", "700 cycles"]))
    (reflected,) = run.events(EventCode.REFLECTED, end=1, value=3)
    start, end = run.all(Cut, end=1)
    assert (start.cut, end.cut) == (1, 0)
    assert 0 < start.cycle - reflected.cycle <= SOON
    assert end.cycle - start.cycle == 700
    for fate in run.all(Fate, end=1):
        inside = start.cycle < fate.cycle <= end.cycle
        assert (fate.faults == Fault.CUT) == inside
    assert run.judgement.verdict is Verdict.PASS


@requirement("OAE-SIM-008")
def test_the_nth_event_after_the_strike_ends_it(play: Play) -> None:
    run = play(LOAD + fault("a DECIDED id=2", "stall b deliver", until="a DECIDED #4"))
    decided = [event.cycle for event in run.events(EventCode.DECIDED, end=0)]
    delivered = run.all(Deliver, end=1)
    before = [record for record in delivered if record.cycle <= decided[2] + SOON]
    # The strike came with the third decision; from there the fourth is the seventh.
    others = [record for record in delivered if record not in before]
    assert min(record.cycle for record in others) > decided[6]
    assert len(delivered) == 30


@requirement("OAE-SIM-008")
def test_a_crash_after_a_while_and_for_a_while(play: Play) -> None:
    run = play(
        LOAD
        + fault("a initiator id=5 becomes COMMITTED", "crash a", after="30 cycles")
        + fault("b DELIVERED #12", "crash b", **{"for": "25 cycles"})
    )
    (decided,) = run.events(EventCode.DECIDED, end=0, value=5)
    down, up = run.all(Power, end=0)
    assert 30 <= down.cycle - decided.cycle <= 30 + SOON
    assert up.cycle - down.cycle == 1
    down, up = run.all(Power, end=1)
    assert up.cycle - down.cycle == 25
    assert len(run.events(EventCode.CRASH, end=0)) == 1
    assert run.judgement.verdict is Verdict.PASS


@requirement("OAE-SIM-008")
def test_frames_are_struck_by_their_coordinates(play: Play) -> None:
    run = play(
        LOAD
        + fault("b->a ACK #3", "drop")
        + fault("a->b DATA id=6 copy=0", "duplicate")
        + fault("a->b COMMIT id=7", "corrupt", times=2)
        + fault("a->b DATA id=9", "hold 2")
        + fault("b->a DONE id=8", "delay 50")
    )
    struck = {
        (fate.end, fate.operation, fate.id, fate.copy): Fault(fate.faults)
        for fate in run.all(Fate)
        if fate.faults
    }
    third = [fate for fate in run.all(Fate, end=1) if fate.operation == Operation.ACK][2]
    assert struck == {
        (1, Operation.ACK, third.id, 0): Fault.DROPPED,
        (0, Operation.DATA, 6, 0): Fault.DUPLICATED,
        (0, Operation.COMMIT, 7, 0): Fault.CORRUPTED,
        (0, Operation.COMMIT, 7, 1): Fault.CORRUPTED,
        (0, Operation.DATA, 9, 0): Fault.HELD,
        (1, Operation.DONE, 8, 0): Fault.DELAYED,
    }
    assert {fate.rule for fate in run.all(Fate) if fate.faults} == {0, 1, 2, 3, 4}
    assert run.judgement.verdict is Verdict.PASS


@requirement("OAE-SIM-008")
def test_how_often_a_fault_strikes(play: Play) -> None:
    run = play(
        "[load.a]\nrecords = 120\nsizes = 16\n"
        + fault("a->b DATA copy=0", "drop", times="always")
        + fault("a->b COMMIT copy=0", "drop", times=4)
        + fault("b->a DONE copy=0", "duplicate", times="always", chance=0.25)
    )
    counts = [len(run.all(Rule, number=number)) for number in range(3)]
    assert counts[0] == 120
    assert counts[1] == 4
    assert 15 <= counts[2] <= 45


@requirement("OAE-SIM-008")
def test_a_fault_wakes_the_next(play: Play) -> None:
    run = play(
        LOAD
        + fault("b DELIVERED #10", "cut a->b", name="first", **{"for": "200 cycles"})
        + fault("a DECIDED #2", "crash b", armed_by="first")
    )
    cut = run.all(Cut)[0].cycle
    later = [event.cycle for event in run.events(EventCode.DECIDED) if event.cycle > cut]
    (crash,) = run.events(EventCode.CRASH)
    assert 0 < crash.cycle - later[1] <= SOON
    assert run.judgement.verdict is Verdict.PASS


@requirement("OAE-SIM-008")
def test_hosts_and_settings(play: Play) -> None:
    run = play(
        "[load.a]\nrecords = 40\nsizes = 16\nresubmit = true\n"
        + fault("b DELIVERED #5", "refuse b", until="b REFUSED #3")
        + fault("b DELIVERED #12", "mute a", **{"for": "400 cycles"})
        + fault("b DELIVERED #20", "disable b", **{"for": "300 cycles"})
        + fault("a OPENED #25", "cancel a tag=24")
        + fault("b DELIVERED #30", "epoch a 2")
        + fault("b DELIVERED #30", "epoch b 2")
    )
    # A frame that was on its way when the third refusal was told may be refused too.
    assert 3 <= len(run.events(EventCode.REFUSED, info=AbortReason.REFUSED)) <= 4
    beats = [(line.cycle, line.beats) for line in run.all(Config, end=0)]
    muted = [cycle for cycle, on in beats if not on]
    assert muted
    assert len(run.events(EventCode.DISABLED, end=1)) >= 1
    assert [line.tag for line in run.all(Cancel)] == [24]
    assert len(run.events(EventCode.EPOCH_TAKEN)) == 2
    assert run.all(Status, end=1)[-1].epoch == 2
    assert run.judgement.verdict is Verdict.PASS


@requirement("OAE-SIM-008")
def test_amnesia_draws_a_new_session(play: Play) -> None:
    run = play(LOAD + fault("a TOLD #10", "amnesia b"))
    sessions = [line.session for line in run.all(Config, end=1)]
    assert len(set(sessions)) == 2
    assert len(run.events(EventCode.SESSION_ADOPTED, end=0)) == 2
    judgement = run.judgement
    assert judgement.verdict is Verdict.PASS
    assert judgement.ends[1].amnesias == 1


@requirement("OAE-SIM-008")
def test_start_and_stop(play: Play) -> None:
    run = play(
        LOAD
        + fault("start", "disable a", **{"for": "300 cycles"})
        + fault("b DELIVERED #10", "stop")
    )
    assert not any(event.cycle < 300 for event in run.events(EventCode.SENT, end=0))
    (stop,) = run.all(Stop)
    assert stop.reason == "requested"
    assert run.judgement.verdict is Verdict.INCONCLUSIVE


@requirement("OAE-SIM-008")
def test_the_link_itself_is_a_condition(play: Play) -> None:
    run = play(LOAD + fault("a link becomes UP", "crash b"))
    up = next(line for line in run.all(Status, end=0) if line.link_state == LinkState.UP)
    (crash,) = run.events(EventCode.CRASH, end=1)
    assert 0 <= crash.cycle - up.cycle <= SOON


@requirement("OAE-SIM-013")
def test_a_fault_that_cannot_strike(play: Play) -> None:
    run = play(LOAD + fault("b DOUBTED", "crash a"))
    judgement = run.judgement
    assert judgement.verdict is Verdict.INCONCLUSIVE
    assert judgement.reason == "fault[1] never struck"


@requirement("OAE-SIM-013")
def test_a_direction_that_stays_cut(play: Play) -> None:
    run = play(LOAD + fault("b DELIVERED #5", "cut a->b"))
    judgement = run.judgement
    assert judgement.stop == "stalled"
    assert judgement.verdict is Verdict.INCONCLUSIVE
    assert judgement.ends[0].unresolved
    assert judgement.in_doubt_responder.most is not None
    assert judgement.in_doubt_responder.most > 5000
