"""The scoreboard finds every broken promise: each is broken on purpose in a written trace."""

from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from oae.check.carried_file import CarriedFile
from oae.check.scoreboard import judge
from oae.check.verdict import Expectations, Judgement, Promise, Spread, Verdict
from oae.spec.constants import (
    CHANNEL_OF,
    COUNTERS,
    REGISTER,
    AbortReason,
    EventCode,
    Operation,
    Outcome,
)
from oae.testing import requirement
from oae.trace import Trace

SESSION = {0: 0xAAAA, 1: 0xBBBB}
STEP = 10  # cycles between two things that happen


class Run:
    """Writes the trace of a run, one thing after the other; end 0 initiates where none is named."""

    def __init__(self) -> None:
        self.lines = ["oae-trace 1", "parameter ends 2"]
        self.cycle = 0
        self.counts: Counter[tuple[int, int, int]] = Counter()
        self.number = [0, 0]
        for end in (0, 1):
            self.say(end, f"config 1 1 1 {SESSION[end]:016x} 0 0")
        for end in (0, 1):
            self.event(end, EventCode.ENABLED)
            self.event(end, EventCode.SESSION_ADOPTED, SESSION[1 - end])

    def say(self, end: int, text: str) -> None:
        self.lines.append(f"{self.cycle} {'ab-'[end]} {text}")

    def event(self, end: int, code: EventCode, value: int = 0, info: int = 0) -> None:
        self.cycle += STEP
        self.same_cycle(end, code, value, info)

    def same_cycle(self, end: int, code: EventCode, value: int = 0, info: int = 0) -> None:
        word = code << 56 | info << 32 | value
        self.say(end, f"event {CHANNEL_OF[code].value} {word:016x}")
        self.counts[end, code, info] += 1

    # -------------------------------------------------------------- the initiator

    def open(self, id: int, data: bytes = b"record", tag: int = 3, end: int = 0) -> None:
        self.cycle += STEP
        self.say(end, f"submit {self.cycle} 0 0 {tag} 0 {data.hex()}")
        self.same_cycle(end, EventCode.OPENED, id)

    def sent(self, operation: Operation, id: int, end: int = 0) -> None:
        self.event(end, EventCode.SENT, id, operation)

    def decided(self, id: int, end: int = 0) -> None:
        self.event(end, EventCode.DECIDED, id)

    def told(self, id: int, outcome: Outcome, reason: int = 0, tag: int = 3, end: int = 0) -> None:
        self.cycle += STEP
        self.say(end, f"complete {tag} {id} 0 {outcome} {reason}")
        self.same_cycle(end, EventCode.TOLD, id, reason << 2 | outcome)

    # -------------------------------------------------------------- the responder

    def reflected(self, id: int, end: int = 1) -> None:
        self.event(end, EventCode.HELD, id)
        self.event(end, EventCode.REFLECTED, id)

    def commit_heard(self, id: int, end: int = 1) -> None:
        self.event(end, EventCode.COMMIT_HEARD, id)

    def delivered(self, id: int, data: bytes = b"record", end: int = 1) -> None:
        self.cycle += STEP
        self.say(end, f"deliver {self.cycle} 0 0 {id} {data.hex()}")
        self.same_cycle(end, EventCode.DELIVERED, id)

    def aborted(self, id: int, end: int = 1) -> None:
        self.event(end, EventCode.REVERSED, id)
        self.event(end, EventCode.ABORT_RECORDED, id)

    # -------------------------------------------------------------- whole stories

    def until_decided(self, id: int, data: bytes = b"record") -> None:
        self.open(id, data)
        self.sent(Operation.DATA, id)
        self.reflected(id)
        self.sent(Operation.ACK, id, end=1)
        self.event(0, EventCode.REFLECTION_HEARD, id, 1)
        self.decided(id)
        self.sent(Operation.COMMIT, id)

    def until_delivered(self, id: int, data: bytes = b"record") -> None:
        self.until_decided(id, data)
        self.commit_heard(id)
        self.delivered(id, data)

    def committed(self, id: int, data: bytes = b"record") -> None:
        self.until_delivered(id, data)
        self.sent(Operation.DONE, id, end=1)
        self.event(0, EventCode.DONE_HEARD, id)
        self.told(id, Outcome.COMMITTED)

    def taken_back(self, id: int) -> None:
        self.open(id)
        self.reflected(id)
        self.event(0, EventCode.CANCELLED, id)
        self.sent(Operation.ABORT, id)
        self.aborted(id)
        self.sent(Operation.ABORTED, id, end=1)
        self.event(0, EventCode.ABORT_CONFIRMED, id, AbortReason.REQUESTED)
        self.told(id, Outcome.ABORTED, AbortReason.REQUESTED)
        self.event(1, EventCode.SKIPPED, id)

    def amnesia(self, end: int, session: int = 0xCCCC) -> None:
        """The end forgets; both come to a new session pair."""
        self.event(end, EventCode.AMNESIA)
        self.say(end, f"config 1 1 1 {session:016x} 0 0")
        self.event(end, EventCode.ENABLED)
        self.event(end, EventCode.SESSION_ADOPTED, SESSION[1 - end])

    # -------------------------------------------------------------- the end

    def stop(self, reason: str = "resolved") -> None:
        self.cycle += STEP
        self.say(2, f"stop {reason}")

    def registers(self, wrong: str = "", missing: str = "") -> None:
        for end in (0, 1):
            for index, (name, code, info, mask) in enumerate(COUNTERS):
                value = sum(
                    number
                    for (at, event, told), number in self.counts.items()
                    if (at, event) == (end, code) and (info is None or told & mask == info)
                )
                if name != missing:
                    address = REGISTER["COUNTERS"] + index
                    self.say(end, f"register {address:02x} {value + (name == wrong):08x}")

    def judged(
        self, folder: Path, expectations: Expectations | None = None, whole: bool = True
    ) -> Judgement:
        if whole:
            if not any(" stop " in line for line in self.lines):
                self.stop()
            self.registers()
            self.say(2, "end")
        path = folder / "trace.txt"
        path.write_text("\n".join(self.lines) + "\n")
        return judge(Trace(path), expectations)


@pytest.fixture
def run() -> Run:
    return Run()


def test_a_clean_run_passes(run: Run, tmp_path: Path) -> None:
    run.committed(0)
    run.taken_back(1)
    run.committed(2, b"another")
    judgement = run.judged(tmp_path)
    assert judgement.violations == []
    assert judgement.verdict is Verdict.PASS, judgement.reason
    sender, receiver = judgement.ends
    assert (sender.submitted, sender.committed, sender.aborted) == (3, 2, 1)
    assert sender.resubmitted == 1  # the same bytes under the same tag
    assert (receiver.delivered, receiver.delivered_bytes) == (2, 13)


# Each story breaks one promise; what is told of it begins with these words.
STORIES: list[tuple[str, Promise, Callable[[Run], None]]] = []


def story(
    promise: Promise,
) -> Callable[[Callable[[Run], None]], Callable[[Run], None]]:
    def add(tell: Callable[[Run], None]) -> Callable[[Run], None]:
        STORIES.append((tell.__name__, promise, tell))
        return tell

    return add


@story(Promise.AGREEMENT)
def told_aborted_but_delivered(run: Run) -> None:
    run.open(0)
    run.reflected(0)
    run.decided(0)
    run.commit_heard(0)
    run.delivered(0)
    run.told(0, Outcome.ABORTED, AbortReason.REQUESTED)


@story(Promise.AGREEMENT)
def committed_at_the_responder_alone(run: Run) -> None:
    run.open(0)
    run.reflected(0)
    run.commit_heard(0)


@story(Promise.AGREEMENT)
def delivered_after_it_was_told_aborted(run: Run) -> None:
    run.open(0)
    run.reflected(0)
    run.told(0, Outcome.ABORTED, AbortReason.REQUESTED)
    run.delivered(0)


@story(Promise.AGREEMENT)
def aborted_at_the_responder_after_the_decision(run: Run) -> None:
    run.open(0)
    run.reflected(0)
    run.sent(Operation.ABORT, 0)
    run.decided(0)
    run.aborted(0)


@story(Promise.AGREEMENT)
def decided_after_the_refusal(run: Run) -> None:
    run.open(0)
    run.event(1, EventCode.REFUSED, 0, AbortReason.REFUSED)
    run.decided(0)


@story(Promise.EXACTLY_ONCE)
def delivered_twice(run: Run) -> None:
    run.committed(0)
    run.delivered(0)


@story(Promise.EXACTLY_ONCE)
def delivered_out_of_order(run: Run) -> None:
    run.until_decided(0, b"first")
    run.until_decided(1, b"second")
    run.commit_heard(1)
    run.commit_heard(0)
    run.delivered(1, b"second")
    run.delivered(0, b"first")


@story(Promise.EXACTLY_ONCE)
def committed_and_passed_over(run: Run) -> None:
    run.until_decided(0)
    run.commit_heard(0)
    run.event(1, EventCode.SKIPPED, 0)


@story(Promise.UNALTERED)
def one_byte_altered(run: Run) -> None:
    run.until_decided(0, b"record")
    run.commit_heard(0)
    run.delivered(0, b"recork")


@story(Promise.UNALTERED)
def one_byte_missing(run: Run) -> None:
    run.until_decided(0, b"record")
    run.commit_heard(0)
    run.delivered(0, b"recor")


@story(Promise.NO_FALSE_COMPLETION)
def told_committed_before_the_delivery(run: Run) -> None:
    run.until_decided(0)
    run.commit_heard(0)
    run.told(0, Outcome.COMMITTED)
    run.delivered(0)


@story(Promise.NO_FALSE_COMPLETION)
def done_before_the_delivery(run: Run) -> None:
    run.until_decided(0)
    run.commit_heard(0)
    run.sent(Operation.DONE, 0, end=1)


@story(Promise.NO_FALSE_COMPLETION)
def done_believed_without_a_delivery(run: Run) -> None:
    run.until_decided(0)
    run.event(0, EventCode.DONE_HEARD, 0)


@story(Promise.CONSERVATION)
def told_twice(run: Run) -> None:
    run.committed(0)
    run.told(0, Outcome.COMMITTED)


@story(Promise.CONSERVATION)
def never_told_though_resolved(run: Run) -> None:
    run.committed(0)
    run.open(1, b"lost")
    run.stop("resolved")


@story(Promise.CONSERVATION)
def an_id_left_out(run: Run) -> None:
    run.committed(0)
    run.open(2, b"gap")


@story(Promise.CONSERVATION)
def a_submission_dropped(run: Run) -> None:
    run.cycle += STEP
    run.say(0, f"submit {run.cycle} 0 0 3 0 {b'record'.hex()}")
    run.same_cycle(0, EventCode.RECORD_DISCARDED, 3)


@story(Promise.CONSERVATION)
def unknown_though_the_peer_remembers(run: Run) -> None:
    run.until_decided(0)
    run.told(0, Outcome.UNKNOWN, AbortReason.PEER_LOST_MEMORY)


@story(Promise.CONSERVATION)
def a_session_left_with_records_untold(run: Run) -> None:
    run.until_decided(0)
    run.amnesia(1)
    run.event(0, EventCode.SESSION_ADOPTED, 0xCCCC)


@story(Promise.PROGRESS)
def nothing_moves_and_nothing_is_in_the_way(run: Run) -> None:
    run.committed(0)
    run.open(1, b"stuck")
    run.stop("stalled")


@story(Promise.NOT_BEFORE_COMMITTED)
def delivered_on_arrival(run: Run) -> None:
    run.open(0)
    run.reflected(0)
    run.delivered(0)


@story(Promise.NOT_BEFORE_COMMITTED)
def first_bytes_before_the_commit(run: Run) -> None:
    run.until_decided(0)
    first = run.cycle
    run.commit_heard(0)
    run.cycle += STEP
    run.say(1, f"deliver {first} 0 0 0 {b'record'.hex()}")
    run.same_cycle(1, EventCode.DELIVERED, 0)


@story(Promise.NOT_BEFORE_COMMITTED)
def a_part_of_an_aborted_record(run: Run) -> None:
    run.open(0)
    run.reflected(0)
    run.cycle += STEP
    run.say(1, f"deliver {run.cycle - 2} 1 1 0 {b'rec'.hex()}")


@story(Promise.FINAL)
def taken_back_after_the_decision(run: Run) -> None:
    run.until_decided(0)
    run.event(0, EventCode.CANCELLED, 0)


@story(Promise.FINAL)
def decided_after_a_crash_took_it_back(run: Run) -> None:
    run.open(0)
    run.reflected(0)
    run.event(0, EventCode.CRASH)
    run.decided(0)


@story(Promise.FINAL)
def abort_sent_after_the_decision(run: Run) -> None:
    run.until_decided(0)
    run.sent(Operation.ABORT, 0)


@story(Promise.FINAL)
def commit_sent_before_the_decision(run: Run) -> None:
    run.open(0)
    run.sent(Operation.COMMIT, 0)


@story(Promise.FINAL)
def accepted_again_after_it_was_reflected(run: Run) -> None:
    run.open(0)
    run.reflected(0)
    run.event(1, EventCode.HELD, 0)


@story(Promise.FINAL)
def doubted_though_the_initiator_remembers(run: Run) -> None:
    run.open(0)
    run.reflected(0)
    run.cycle += STEP
    run.say(1, "doubt 0 00000000")
    run.same_cycle(1, EventCode.DOUBTED, 0)


@story(Promise.NEVER_ALONE)
def a_responder_aborts_alone(run: Run) -> None:
    run.open(0)
    run.reflected(0)
    run.event(1, EventCode.ABORT_RECORDED, 0)


@story(Promise.NEVER_ALONE)
def a_responder_refuses_after_its_reflection(run: Run) -> None:
    run.open(0)
    run.reflected(0)
    run.event(1, EventCode.REFUSED, 0, AbortReason.REFUSED)


@story(Promise.NO_VIOLATION)
def a_violation_is_told(run: Run) -> None:
    run.committed(0)
    run.event(0, EventCode.INITIATOR_VIOLATION, 0, Operation.ABORTED)


@story(Promise.COUNTERS)
def a_counter_is_one_too_many(run: Run) -> None:
    run.committed(0)
    run.stop()
    run.registers(wrong="DONE_HEARD")
    run.say(2, "end")


@story(Promise.COUNTERS)
def a_counter_should_be_zero(run: Run) -> None:
    run.committed(0)
    run.stop()
    run.registers(wrong="DOUBTED")
    run.say(2, "end")


@story(Promise.PORTS)
def delivered_without_its_step(run: Run) -> None:
    run.until_decided(0)
    run.commit_heard(0)
    run.cycle += STEP
    run.say(1, f"deliver {run.cycle} 0 0 0 {b'record'.hex()}")


@story(Promise.PORTS)
def a_step_without_its_record(run: Run) -> None:
    run.until_decided(0)
    run.commit_heard(0)
    run.event(1, EventCode.DELIVERED, 0)


@story(Promise.PORTS)
def a_completion_with_another_tag(run: Run) -> None:
    run.until_delivered(0)
    run.told(0, Outcome.COMMITTED, tag=4)


@story(Promise.PORTS)
def a_broken_packet_that_is_not_marked(run: Run) -> None:
    run.until_decided(0)
    run.commit_heard(0)
    run.cycle += STEP
    run.say(1, f"deliver {run.cycle - 2} 0 1 0 {b'rec'.hex()}")


@requirement("OAE-SIM-011", "OAE-SIM-012")
@pytest.mark.parametrize(("name", "promise", "tell"), STORIES, ids=[name for name, *_ in STORIES])
def test_a_broken_promise_is_found(
    run: Run, tmp_path: Path, name: str, promise: Promise, tell: Callable[[Run], None]
) -> None:
    tell(run)
    whole = not run.lines[-1].endswith("- end")
    judgement = run.judged(tmp_path, whole=whole)
    assert judgement.verdict is Verdict.FAIL, judgement.reason
    assert promise in [violation.promise for violation in judgement.violations]
    first = judgement.violations[0]
    assert str(first) == judgement.reason
    assert 1 <= first.line <= len(run.lines)


@requirement("OAE-SIM-011")
def test_every_promise_has_a_story() -> None:
    elsewhere = {Promise.ASSERTION, Promise.REFERENCE}  # found by others, only counted here
    assert {promise for _, promise, _ in STORIES} == set(Promise) - elsewhere


def test_the_first_violation_is_told_with_its_line(run: Run, tmp_path: Path) -> None:
    run.committed(0)
    run.delivered(0)
    judgement = run.judged(tmp_path)
    line = judgement.violations[0].line
    assert "event 4 44" in run.lines[line - 1]
    assert judgement.reason.startswith(f"line {line}, cycle ")


@requirement("OAE-SIM-011")
def test_under_amnesia_the_weaker_promises_hold(run: Run, tmp_path: Path) -> None:
    run.committed(0)
    run.until_decided(1)  # delivered or not: its initiator cannot know
    run.open(2, b"undecided")
    run.amnesia(1)
    run.told(1, Outcome.UNKNOWN, AbortReason.PEER_LOST_MEMORY)
    run.told(2, Outcome.ABORTED, AbortReason.PEER_LOST_MEMORY)
    run.event(0, EventCode.SESSION_ADOPTED, 0xCCCC)
    run.committed(0, b"new session, id 0 again")
    judgement = run.judged(tmp_path)
    assert judgement.violations == []
    assert judgement.verdict is Verdict.PASS
    assert judgement.ends[0].unknown == 1


def test_records_of_an_end_that_forgot_are_lost_not_broken(run: Run, tmp_path: Path) -> None:
    run.committed(0)
    run.open(1, b"forgotten")
    run.reflected(1)
    run.amnesia(0)
    run.cycle += STEP
    run.say(1, "doubt 1 00000000")
    run.same_cycle(1, EventCode.DOUBTED, 1)
    run.event(1, EventCode.SESSION_ADOPTED, 0xCCCC)
    judgement = run.judged(tmp_path)
    assert judgement.violations == []
    assert judgement.verdict is Verdict.PASS
    assert (judgement.ends[0].lost, judgement.ends[1].doubted) == (1, 1)


@requirement("OAE-SIM-011")
def test_a_record_delivered_again_in_the_same_session_is_found(run: Run, tmp_path: Path) -> None:
    run.committed(0)
    run.amnesia(0, SESSION[0])  # draws the session that it had
    run.until_decided(0)
    run.commit_heard(0)
    run.delivered(0)
    judgement = run.judged(tmp_path)
    assert judgement.verdict is Verdict.FAIL
    assert Promise.EXACTLY_ONCE in {violation.promise for violation in judgement.violations}


@requirement("OAE-SIM-013")
def test_no_record_is_no_pass(run: Run, tmp_path: Path) -> None:
    judgement = run.judged(tmp_path)
    assert judgement.verdict is Verdict.INCONCLUSIVE
    assert "0 records committed" in judgement.reason


@requirement("OAE-SIM-013")
def test_only_aborted_records_are_no_pass(run: Run, tmp_path: Path) -> None:
    run.taken_back(0)
    assert run.judged(tmp_path).verdict is Verdict.INCONCLUSIVE


@requirement("OAE-SIM-013")
def test_fewer_records_than_expected_are_no_pass(run: Run, tmp_path: Path) -> None:
    run.committed(0)
    assert run.judged(tmp_path, Expectations(records=2)).verdict is Verdict.INCONCLUSIVE


@requirement("OAE-SIM-013")
@pytest.mark.parametrize("reason", ["cycles", "requested", "stalled"])
def test_unresolved_records_are_no_pass(run: Run, tmp_path: Path, reason: str) -> None:
    run.committed(0)
    run.until_decided(1)
    run.say(0, "cut 1")
    run.cycle += 1000
    run.stop(reason)
    judgement = run.judged(tmp_path)
    assert judgement.verdict is Verdict.INCONCLUSIVE
    assert judgement.ends[0].unresolved == 1
    # In doubt at both ends until the run stopped.
    assert judgement.in_doubt_initiator.most is not None
    assert judgement.in_doubt_responder.most is not None
    assert judgement.in_doubt_responder.most > judgement.in_doubt_initiator.most


@requirement("OAE-SIM-013")
def test_a_fault_that_never_struck_is_no_pass(run: Run, tmp_path: Path) -> None:
    run.committed(0)
    run.say(2, "rule 4")
    expected = Expectations(strikes={4: 1, 6: 1}, strikers={4: 0, 6: 1})
    judgement = run.judged(tmp_path, expected)
    assert judgement.verdict is Verdict.INCONCLUSIVE
    assert judgement.reason == "fault[2] never struck"
    assert judgement.faults_struck == 1


def test_forgiven_violations(run: Run, tmp_path: Path) -> None:
    run.committed(0)
    run.event(0, EventCode.INITIATOR_VIOLATION, 0, Operation.ABORTED)
    assert run.judged(tmp_path, Expectations(violations=1)).verdict is Verdict.PASS


@requirement("OAE-SIM-014")
def test_a_trace_that_is_cut_off_is_the_benchs_fault(run: Run, tmp_path: Path) -> None:
    run.committed(0)
    judgement = run.judged(tmp_path, whole=False)
    assert judgement.verdict is Verdict.BENCH_ERROR
    assert "cut off" in judgement.reason


@requirement("OAE-SIM-014")
def test_a_counter_that_was_not_read_is_the_benchs_fault(run: Run, tmp_path: Path) -> None:
    run.committed(0)
    run.stop()
    run.registers(missing="OPENED")
    run.say(2, "end")
    judgement = run.judged(tmp_path, whole=False)
    assert judgement.verdict is Verdict.BENCH_ERROR
    assert "OPENED was not read" in judgement.reason


@requirement("OAE-SIM-014")
def test_a_frame_that_the_channel_altered_in_silence(run: Run, tmp_path: Path) -> None:
    run.committed(0)
    run.say(0, "transmit 0 1 0 0 0102030405")
    run.say(1, "receive 0 2 0 0 0102030406")
    assert run.judged(tmp_path).verdict is Verdict.BENCH_ERROR


def test_a_frame_that_the_channel_said_it_altered(run: Run, tmp_path: Path) -> None:
    run.committed(0)
    run.say(0, "transmit 0 1 0 0 0102030405")
    run.say(0, "fate 0 31 0 0 0040 -")
    run.say(1, "receive 0 2 0 0 0102030406")
    judgement = run.judged(tmp_path)
    assert judgement.verdict is Verdict.PASS
    assert judgement.frames[0] == {"flipped": 1, "received": 1, "transmitted": 1}


@requirement("OAE-SIM-011")
def test_a_simulators_assertion_fails_the_run(run: Run, tmp_path: Path) -> None:
    run.committed(0)
    run.judged(tmp_path)
    judgement = judge(Trace(tmp_path / "trace.txt"), None, ["ASSERTION top.a: id"])
    assert judgement.verdict is Verdict.FAIL
    assert judgement.violations[0].promise is Promise.ASSERTION


def test_latencies(run: Run, tmp_path: Path) -> None:
    run.committed(0)
    judgement = run.judged(tmp_path)
    assert judgement.commit_latency == Spread(1, 60, 60, 60, 60)
    assert judgement.in_doubt_initiator.most == 50
    assert judgement.in_doubt_responder.most == 50


def test_spread_of_many() -> None:
    spread = Spread.of(list(range(1000, 0, -1)))
    assert (spread.least, spread.median, spread.p99, spread.most) == (1, 500.5, 990, 1000)


@requirement("OAE-SIM-016")
def test_a_file_is_put_together_by_offset(run: Run, tmp_path: Path) -> None:
    pieces = [(0).to_bytes(8, "big") + b"Once ", (5).to_bytes(8, "big") + b"upon"]
    run.committed(0, pieces[1])
    run.committed(1, pieces[0])
    run.judged(tmp_path)
    carried = CarriedFile(b"Once upon", 1)
    for record in Trace(tmp_path / "trace.txt"):
        carried.watch(record)
    assert carried.equal
    assert not carried.violations


@requirement("OAE-SIM-016")
def test_an_offset_written_twice_is_found(run: Run, tmp_path: Path) -> None:
    piece = (0).to_bytes(8, "big") + b"Once "
    run.committed(0, piece)
    run.committed(1, piece)
    run.judged(tmp_path)
    carried = CarriedFile(b"Once upon", 1)
    for record in Trace(tmp_path / "trace.txt"):
        carried.watch(record)
    assert [violation.promise for violation in carried.violations] == [Promise.EXACTLY_ONCE]
    assert carried.missing == 4
    assert not carried.equal
