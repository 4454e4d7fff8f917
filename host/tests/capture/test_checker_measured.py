"""What the checker measures, against what was put in."""

import json
from pathlib import Path

import numpy
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from oae.check.capture import check
from oae.check.findings import Distribution, Result
from oae.check.kernel import Kernel, Role
from oae.check.scoreboard import Scoreboard
from oae.check.verdict import Promise, Verdict
from oae.frame import Frame, encode
from oae.native.packet import PACKET
from oae.spec.constants import ETHERTYPE, EventCode, Operation, Outcome
from oae.testing import requirement
from oae.trace import Trace

from host.tests.capture.checker_runs import captured, play
from host.tests.capture.test_checker_wire import Talk
from host.tests.test_scoreboard import STEP, Run

EXAMPLES = settings(max_examples=50, deadline=None, derandomize=True, database=None)
CYCLE_NS = 16


def recorded(run: Run, folder: Path) -> Result:
    run.judged(folder)
    return captured(Trace(folder / "trace.txt")).check()


def assert_measured(found: Distribution, values: list[int]) -> None:
    assert (found.count, found.least, found.most) == (len(values), min(values), max(values))
    assert found.mean == pytest.approx(sum(values) / len(values))
    for value, percent in ((found.median, 50), (found.p99, 99)):
        exact = numpy.percentile(values, percent, method="inverted_cdf")
        assert value == pytest.approx(exact, rel=0.01)
    assert sum(number for _, _, number in found.buckets) == len(values)
    assert all(0 < end - begin <= max(1, begin / 100) for begin, end, _ in found.buckets)


@requirement("OAE-CHK-007")
@EXAMPLES
@given(st.lists(st.integers(0, 60).map(lambda bits: 1 << bits), min_size=1, max_size=30), st.data())
def test_a_distribution_is_known_to_one_percent(orders: list[int], draw: st.DataObject) -> None:
    values = [draw.draw(st.integers(0, order)) >> 4 for order in orders]
    talk = Talk()
    for id, value in enumerate(values):
        talk.say(0, Operation.COMMIT, id)
        talk.time += value - 100
        talk.say(1, Operation.DONE, id)
    assert_measured(talk.checked().latencies[0]["commit_to_done"], values)


@requirement("OAE-CHK-007")
def test_latencies_are_those_of_the_scoreboard(tmp_path: Path) -> None:
    trace = play(3, tmp_path)
    board = Scoreboard(trace.ends)
    board.take(trace)
    result = captured(trace).check()
    for name, cycles in (
        ("submission_to_decision", board.commit_latency),
        ("in_doubt_initiator", board.doubt_initiator),
    ):
        both = [measured[name] for measured in result.latencies]
        assert sum(each.count for each in both) == len(cycles)
        assert min(each.least for each in both if each.least is not None) == min(cycles) * CYCLE_NS
        assert max(each.most for each in both if each.most is not None) == max(cycles) * CYCLE_NS
        mean = sum(each.count * (each.mean or 0) for each in both) / len(cycles)
        assert mean == pytest.approx(sum(cycles) / len(cycles) * CYCLE_NS)


@requirement("OAE-CHK-007")
def test_time_from_heal_to_everything_resolved(tmp_path: Path) -> None:
    run = Run()
    beat = encode(Frame(Operation.NOP, link_session=1)).hex()
    run.committed(0)
    run.say(0, "cut 1")
    run.until_delivered(1)
    run.until_delivered(2)
    run.cycle += 10
    healed = run.cycle
    run.say(0, "cut 0")
    for number in range(3):
        run.cycle += 10
        run.say(1, f"transmit {100 + number} {run.cycle} 0 0 {beat}")  # others are not captured
    run.until_delivered(3)  # was not in flight
    for id in (1, 2):
        run.event(0, EventCode.DONE_HEARD, id)
        run.told(id, Outcome.COMMITTED)
    converged = run.cycle
    run.event(0, EventCode.DONE_HEARD, 3)
    run.told(3, Outcome.COMMITTED)
    result = recorded(run, tmp_path)
    assert result.verdict is Verdict.PASS, result.reason
    (span,) = result.faults
    assert (span.kind, span.end, span.in_flight, span.beats) == ("cut", 0, 2, 3)
    assert (span.healed, span.converged) == (healed * CYCLE_NS, converged * CYCLE_NS)


@requirement("OAE-CHK-007")
def test_faults_that_never_heal_say_so(tmp_path: Path) -> None:
    run = Run()
    run.say(1, "power 1 0")
    run.say(0, "status 3 0 0 0 0 0 3 2")
    run.cycle += 10
    rule = run.cycle * CYCLE_NS
    run.say(2, "rule 7")
    result = recorded(run, tmp_path)
    healed = {(span.kind, span.end, span.number): span.healed for span in result.faults}
    assert healed == {("crash", 1, 0): None, ("link fault", 0, 0): None, ("rule", -1, 7): rule}
    assert [state.state for state in result.link_states] == ["FAULT"]


@requirement("OAE-CHK-007")
def test_goodput_and_efficiency(tmp_path: Path) -> None:
    run = Run()
    run.committed(0, bytes(range(64)))
    run.taken_back(1)
    result = recorded(run, tmp_path)
    duration = (result.end - result.start) / 1e9
    assert result.goodput == [pytest.approx(64 / duration), 0.0]
    efficiency, other = result.efficiency
    assert (efficiency.attempted, efficiency.committed, other.attempted) == (2, 1, 0)
    assert efficiency.record_time == 64 / 8 * CYCLE_NS
    marks = next(each.marks for each in result.transactions if each.id == 0)
    for value, mark in (
        (efficiency.to_decision, "DECIDED"),
        (efficiency.to_delivery, "DELIVERED"),
        (efficiency.to_done, "DONE_HEARD"),
    ):
        needed = marks[mark][0] - (marks["REFLECTED"][0] - STEP * CYCLE_NS)  # HELD comes before
        assert value == pytest.approx(
            0.5 * efficiency.record_time / (efficiency.record_time + needed)
        )


@requirement("OAE-CHK-007")
@pytest.mark.parametrize("cycle", ["nan", "inf", "-1", "abc", "1e400", "0", ""])
def test_without_a_usable_cycle_no_efficiency_is_told(cycle: str, tmp_path: Path) -> None:
    run = Run()
    run.committed(0)
    run.judged(tmp_path)
    capture = captured(Trace(tmp_path / "trace.txt"))
    capture.rewrite(0, lambda data: data[:16] + f"cycle_ns={cycle}".encode(), b"cycle_ns")
    result = capture.check()
    assert result.efficiency[0].committed == 1
    assert result.efficiency[0].record_time is None
    assert result.efficiency[0].to_done is None


@requirement("OAE-CHK-007")
def test_frames_alone_count_as_committed_what_both_ends_know() -> None:
    talk = Talk()
    talk.sync()
    talk.committed(0)
    talk.data(1)
    talk.say(1, Operation.ACK, 1)
    talk.say(0, Operation.COMMIT, 1)
    efficiency = talk.checked().efficiency[0]
    assert (efficiency.attempted, efficiency.committed) == (2, 1)
    assert efficiency.record_time is None


@requirement("OAE-CHK-007")
def test_frames_and_records_over_time(tmp_path: Path) -> None:
    capture = captured(play(64, tmp_path))
    result = capture.check()
    assert 2 <= len(result.intervals) <= 2048
    starts = numpy.diff([interval.start for interval in result.intervals])
    assert set(starts) == {result.interval}
    for end in (0, 1):
        direction = result.directions[end]
        assert sum(interval.frames[end] for interval in result.intervals) == direction.frames
        counts = result.ends[end]
        outcomes = counts.committed + counts.aborted + counts.unknown
        assert sum(interval.told[end] for interval in result.intervals) == outcomes
        bytes_delivered = sum(interval.delivered_bytes[end] for interval in result.intervals)
        assert bytes_delivered == counts.delivered_bytes
        assert direction.frames == int((capture.packets["interface"] == 2 * end).sum())
        assert direction.received == int((capture.packets["interface"] == 3 - 2 * end).sum())
        malformed = sum(direction.malformed.values())
        assert sum(direction.operations.values()) + malformed == direction.frames
    json.loads(json.dumps(result.as_dict()))


@requirement("OAE-CHK-008")
def test_transactions_are_bounded_but_none_with_a_finding_is_left_out() -> None:
    talk = Talk()
    talk.sync()
    for id in range(4000):
        talk.data(id)
        talk.say(1, Operation.ACK, id)
        talk.say(0, Operation.COMMIT, id)
        talk.time += 5000 if id == 3000 else 0
        talk.say(1, Operation.DONE, id)
        if id == 2500:
            talk.say(1, Operation.ABORTED, id)
    result = check(talk.packets(), wire=True, keep=50)
    assert result.verdict is Verdict.FAIL
    assert (len(result.transactions), result.transaction_count) == (50 + 1 + 100, 4000)
    kept = {each.id: each for each in result.transactions}
    assert set(range(50)) <= set(kept)
    assert kept[2500].has_finding
    assert 3000 in kept


@requirement("OAE-CHK-008")
def test_findings_are_all_counted_and_the_first_ones_kept() -> None:
    talk = Talk()
    talk.sync()
    for id in range(1500):
        talk.taken_back(id)
        talk.say(1, Operation.DONE, id)
    result = talk.checked()
    final = [finding for finding in result.findings if finding.promise is Promise.FINAL]
    assert result.finding_count >= 3000
    assert len(result.findings) == 1000
    assert final[0].id == 0


@requirement("OAE-CAP-003")
@EXAMPLES
@given(
    st.lists(
        st.tuples(st.integers(0, 5), st.integers(0, 31), st.binary(max_size=120)), max_size=40
    ),
    st.integers(0, 120),
)
def test_noise_is_survived(noise: list[tuple[int, int, bytes]], snap: int) -> None:
    """Well-formed heads before random bytes, on every kind of interface, in any order."""
    images = []
    for sequence, (interface, code, tail) in enumerate(noise):
        head = bytes([1, code % 16, code % 2, 0]) + sequence.to_bytes(4, "big") + bytes(8)
        frame = bytes(12) + ETHERTYPE.to_bytes(2, "big") + bytes([code])
        images.append((head if interface == 5 else frame) + tail)
    packets = numpy.zeros(len(images), PACKET)
    packets["original"] = [len(image) for image in images]
    packets["captured"] = numpy.minimum(packets["original"], snap)
    packets["offset"][1:] = numpy.cumsum(packets["captured"])[:-1]
    packets["interface"] = [interface for interface, _, _ in noise]
    packets["index"] = numpy.arange(1, len(images) + 1)
    chunk = numpy.frombuffer(b"".join(image[:snap] for image in images) or b"-", "u1")
    kernel = Kernel(10)
    roles = (Role.A_TRANSMIT, Role.A_RECEIVE, Role.B_TRANSMIT, Role.B_RECEIVE, Role.TAP)
    for interface, role in enumerate((*roles, Role.EVIDENCE)):
        kernel.role(interface, role)
    kernel.feed(chunk, packets)
    kernel.finish()
    summary = kernel.summary()
    assert summary["packets"] == len(images)
    assert summary["findings"] >= len(kernel.table("findings"))
