"""The initiator's step table, row by row: docs/design.md, "Initiator core"."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from oae.model import NotAllowedError, Parameters
from oae.model import initiator as initiators
from oae.model.initiator import Initiator, Offer, Slot
from oae.spec.constants import AbortReason, EventCode, Kind, Operation, Outcome, State
from oae.testing import requirement

SIZES = Parameters(window=2)
DIGEST = 0x1234
IDLE, TENTATIVE, REFLECTING = State.IDLE, State.TENTATIVE, State.REFLECTING
COMMITTED, REVERSING, ABORTED = State.COMMITTED, State.REVERSING, State.ABORTED
ACK, DONE, NAY = Operation.ACK, Operation.DONE, Operation.ABORTED
IGNORED, VIOLATION = EventCode.ANSWER_IGNORED, EventCode.INITIATOR_VIOLATION

# (state, DONE heard, operation, digest equal): event, next state, frame owed. Absent: ignored.
ROWS = {
    (TENTATIVE, False, ACK, True): (EventCode.REFLECTION_HEARD, REFLECTING, False),
    (TENTATIVE, False, ACK, False): (EventCode.REFLECTION_HEARD, REFLECTING, False),
    (COMMITTED, False, ACK, True): (EventCode.REFLECTION_REPEATED, COMMITTED, True),
    (COMMITTED, False, ACK, False): (EventCode.REFLECTION_REPEATED, COMMITTED, True),
    (COMMITTED, False, DONE, True): (EventCode.DONE_HEARD, COMMITTED, False),
    (TENTATIVE, False, DONE, True): (VIOLATION, TENTATIVE, False),
    (REVERSING, False, DONE, True): (VIOLATION, REVERSING, False),
    (TENTATIVE, False, NAY, True): (EventCode.ABORT_CONFIRMED, ABORTED, False),
    (REVERSING, False, NAY, True): (EventCode.ABORT_CONFIRMED, ABORTED, False),
    (COMMITTED, False, NAY, True): (VIOLATION, COMMITTED, False),
    (COMMITTED, True, NAY, True): (VIOLATION, COMMITTED, False),
}


def holding(state: State, **fields: object) -> Initiator:
    """An initiator whose slot 1 holds transaction 1 in this state."""
    slot = Slot(state, 1, DIGEST, tag=7)._replace(**fields)  # type: ignore[arg-type]
    return Initiator(2, (Slot(), slot))


def hear(initiator: Initiator, operation: Operation, identifier: int = 1, digest: int = DIGEST):
    return initiators.hear(SIZES, initiator, 2, operation, identifier, digest, reason=2)


@requirement("OAE-TXN-002", "OAE-TXN-005", "OAE-TXN-006", "OAE-TXN-007", "OAE-TXN-008")
@pytest.mark.parametrize("equal", [True, False])
@pytest.mark.parametrize("operation", [ACK, DONE, NAY])
@pytest.mark.parametrize("known", [True, False])
@pytest.mark.parametrize("state", [TENTATIVE, COMMITTED, REVERSING, ABORTED])
def test_every_answer_in_every_state(
    state: State, known: bool, operation: Operation, equal: bool
) -> None:
    before = holding(state, known=known)
    after, event = hear(before, operation, digest=DIGEST if equal else DIGEST + 1)
    code, expected, owed = ROWS.get((state, known, operation, equal), (IGNORED, state, False))
    if known and state != COMMITTED:
        return  # only a COMMITTED slot has heard DONE
    assert event.code == code
    assert (after.slots[1].state, after.slots[1].send) == (expected, owed)
    assert after.slots[1].known == (known or code == EventCode.DONE_HEARD)
    if code in (IGNORED, VIOLATION):
        assert after == before
        assert event.info == operation


@requirement("OAE-TXN-007", "OAE-TXN-034")
@pytest.mark.parametrize("operation", [ACK, DONE, NAY])
@pytest.mark.parametrize("identifier", [0, 2, 3, 1 + 2**31])
def test_an_answer_to_another_id_is_not_believed(operation: Operation, identifier: int) -> None:
    before = holding(COMMITTED)
    after, event = hear(before, operation, identifier)
    assert (after, event.code) == (before, IGNORED)


@requirement("OAE-TXN-002", "OAE-TXN-003")
@pytest.mark.parametrize(
    ("equal", "code", "state"),
    [(True, EventCode.DECIDED, COMMITTED), (False, EventCode.MISMATCHED, REVERSING)],
)
def test_only_an_equal_reflection_decides(equal: bool, code: EventCode, state: State) -> None:
    heard, event = hear(holding(TENTATIVE), ACK, digest=DIGEST if equal else 0)
    assert event.info == equal
    after, event = initiators.compare(SIZES, heard, 1)
    assert (event.code, event.before, event.after) == (code, REFLECTING, state)
    assert after.slots[1].state == state
    assert after.owed(1) == (Operation.COMMIT if equal else Operation.ABORT)


@requirement("OAE-TXN-001")
def test_opening_counts_and_writes_the_slot_in_one_step() -> None:
    opened, event = initiators.open_transaction(
        SIZES, initiators.initial(SIZES, 5), 2, digest=DIGEST, record=b"x", tag=9
    )
    assert event.word() == EventCode.OPENED << 56 | 1 << 48 | TENTATIVE << 40 | 5
    assert opened.next_id == 6
    assert opened.slots[1][:6] == (TENTATIVE, 5, DIGEST, 9, Kind.DATA, b"x")
    assert opened.owed(1) == Operation.DATA


@requirement("OAE-TXN-001")
def test_a_busy_slot_is_not_opened() -> None:
    full = holding(TENTATIVE)._replace(next_id=3)
    with pytest.raises(NotAllowedError, match="busy"):
        initiators.open_transaction(SIZES, full, 2, digest=0, record=b"x")


@requirement("OAE-EPO-005")
def test_one_epoch_advance_is_in_the_lane_at_a_time() -> None:
    advancing = holding(COMMITTED, kind=Kind.EPOCH_ADVANCE)
    with pytest.raises(NotAllowedError, match="another epoch advance"):
        initiators.open_transaction(
            SIZES, advancing, 2, digest=0, record=bytes(4), kind=Kind.EPOCH_ADVANCE
        )
    initiators.open_transaction(SIZES, advancing, 2, digest=0, record=b"x")


@requirement("OAE-TXN-004")
@pytest.mark.parametrize("state", list(State))
def test_only_what_is_undecided_can_be_cancelled(state: State) -> None:
    before = holding(state)
    after, event = initiators.cancel(SIZES, before, 7)
    if state == TENTATIVE:
        assert event.code == EventCode.CANCELLED
        assert after.slots[1].state == REVERSING
        assert after.owed(1) == Operation.ABORT
    else:
        assert (after, event.code, event.value) == (before, EventCode.CANCEL_IGNORED, 7)


@requirement("OAE-TXN-004")
def test_of_two_transactions_with_a_tag_the_lowest_slot_is_cancelled() -> None:
    slots = (Slot(TENTATIVE, 2, tag=7), Slot(TENTATIVE, 1, tag=7))
    after, event = initiators.cancel(SIZES, Initiator(3, slots), 7)
    assert (event.slot, event.value) == (0, 2)
    assert after.slots[1] == slots[1]


@requirement("OAE-TXN-009")
@pytest.mark.parametrize("state", list(State))
def test_a_crash_takes_back_what_is_undecided(state: State) -> None:
    before = holding(state, known=True, send=True, sent=True)._replace(offer=Offer(1, 1, 0))
    after = initiators.crash(SIZES, before)
    expected = state if state in (IDLE, COMMITTED) else REVERSING
    assert after.slots[1].state == expected
    assert (after.next_id, after.offer, after.slots[0]) == (2, None, Slot())
    if state != IDLE:
        assert after.slots[1][7:10] == (False, False, False)  # known, send, sent
        assert after.slots[1][1:5] == before.slots[1][1:5]
    assert initiators.crash(SIZES, after) == after


@requirement("OAE-LNK-023")
@pytest.mark.parametrize("lead", [-2, -1, 0, 1, 2])
def test_only_an_echo_ahead_of_the_mark_proves_an_answer_overdue(lead: int) -> None:
    for mark in (0, 5, 2**15 - 1):
        waiting = holding(TENTATIVE, mark=mark)
        echo = (mark + lead) % 2**15
        if lead <= 0:
            with pytest.raises(NotAllowedError, match="mark"):
                initiators.retry(SIZES, waiting, 1, echo, 9)
            continue
        after, event = initiators.retry(SIZES, waiting, 1, echo, 9)
        assert event.code == EventCode.RETRIED
        assert (after.owed(1), after.slots[1].mark) == (Operation.DATA, 9)


@requirement("OAE-LNK-023")
def test_what_does_not_wait_or_owes_a_frame_is_not_retried() -> None:
    for initiator in (
        holding(COMMITTED, known=True),
        holding(ABORTED),
        holding(REFLECTING),
        holding(TENTATIVE, send=True),
    ):
        with pytest.raises(NotAllowedError):
            initiators.retry(SIZES, initiator, 1, 1, 1)


@requirement("OAE-LNK-013", "OAE-LNK-014")
@pytest.mark.parametrize("state", list(State))
def test_resent_makes_every_waiting_slot_send(state: State) -> None:
    after, event = initiators.resend(holding(state)._replace(resend=True))
    assert (event.code, after.resend) == (EventCode.RESENT, False)
    assert after.slots[1].send == (state in (TENTATIVE, COMMITTED, REVERSING))
    with pytest.raises(NotAllowedError):
        initiators.resend(after)


OUTCOMES = {
    (TENTATIVE, False): (Outcome.ABORTED, AbortReason.PEER_LOST_MEMORY),
    (REFLECTING, False): (Outcome.ABORTED, AbortReason.PEER_LOST_MEMORY),
    (REVERSING, False): (Outcome.ABORTED, AbortReason.PEER_LOST_MEMORY),
    (COMMITTED, False): (Outcome.UNKNOWN, AbortReason.PEER_LOST_MEMORY),
    (COMMITTED, True): (Outcome.COMMITTED, AbortReason.NONE),
    (ABORTED, False): (Outcome.ABORTED, AbortReason.REFUSED),
}


@requirement("OAE-TXN-029", "OAE-LNK-017")
@pytest.mark.parametrize(("held", "told"), OUTCOMES.items())
@pytest.mark.parametrize("changing", [True, False])
def test_what_is_told_of_every_state(
    held: tuple[State, bool], told: tuple[Outcome, AbortReason], changing: bool
) -> None:
    state, known = held
    before = holding(state, known=known, reason=AbortReason.REFUSED)
    if not changing and told[1] == AbortReason.PEER_LOST_MEMORY:
        with pytest.raises(NotAllowedError, match="no outcome"):
            initiators.offer(before, 1, changing)
        return
    after, event = initiators.tell(initiators.offer(before, 1, changing))
    assert (event.code, event.info) == (EventCode.TOLD, told[1] << 2 | told[0])
    assert after.slots[1] == Slot()
    assert after.offer is None


@requirement("OAE-TXN-040")
def test_an_offered_completion_stays_as_it_is() -> None:
    offered = initiators.offer(holding(COMMITTED), 1, changing=True)
    known, _ = hear(offered, DONE)
    assert known.slots[1].known
    _, event = initiators.tell(known)
    assert event.info & 3 == Outcome.UNKNOWN
    with pytest.raises(NotAllowedError, match="another completion"):
        initiators.offer(offered, 1, changing=True)


@requirement("OAE-TXN-034", "OAE-TXN-035")
@given(
    first=st.sampled_from([0, 2**32 - 3, 2**32 - 1]),
    choices=st.lists(st.tuples(st.integers(0, 5), st.integers(0, 1), st.booleans()), max_size=60),
)
def test_next_id_is_told_plus_busy_whatever_happens(
    first: int, choices: list[tuple[int, int, bool]]
) -> None:
    initiator, told = initiators.initial(SIZES, first), 0
    for choice, index, equal in choices:
        slot = initiator.slots[index]
        digest = slot.digest if equal else slot.digest + 1
        try:
            match choice:
                case 0:
                    initiator, _ = initiators.open_transaction(
                        SIZES, initiator, 2, digest=initiator.next_id, record=b"x"
                    )
                case 1 | 2:
                    operation = ACK if choice == 1 else DONE
                    initiator, _ = hear(initiator, operation, slot.id, digest)
                case 3:
                    initiator, _ = initiators.compare(SIZES, initiator, index)
                case 4:
                    initiator, _ = initiators.tell(initiators.offer(initiator, index, False))
                    told += 1
                case 5:
                    initiator = initiators.crash(SIZES, initiator)
        except NotAllowedError:
            continue
        busy = sum(slot.state != IDLE for slot in initiator.slots)
        assert (initiator.next_id - first) % 2**32 == told + busy
        assert all(s.id % 2 == i for i, s in enumerate(initiator.slots) if s.state != IDLE)
        assert hash(initiator) == hash(Initiator(*initiator))
