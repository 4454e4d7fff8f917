"""The responder's step table, row by row: docs/design.md, "Responder core"."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from oae.model import NotAllowedError, Parameters
from oae.model import responder as responders
from oae.model.responder import Refusal, Responder, Slot
from oae.spec.constants import AbortReason, EventCode, Kind, Operation, State
from oae.testing import requirement

SIZES = Parameters(window=2)
DIGEST = 0x1234
IDLE, TENTATIVE, REFLECTING = State.IDLE, State.TENTATIVE, State.REFLECTING
COMMITTED, REVERSING, ABORTED = State.COMMITTED, State.REVERSING, State.ABORTED
DATA, COMMIT, ABORT = Operation.DATA, Operation.COMMIT, Operation.ABORT
REPEATED, AWAITED = EventCode.ANSWER_REPEATED, EventCode.DELIVERY_AWAITED
VIOLATION = EventCode.RESPONDER_VIOLATION

# (state, delivered, operation, digest equal): event, next state, answer owed.
ROWS = {
    (IDLE, False, DATA, True): (EventCode.HELD, TENTATIVE, False),
    (IDLE, False, COMMIT, True): (EventCode.COMMIT_IGNORED, IDLE, False),
    (IDLE, False, ABORT, True): (EventCode.REVERSED, REVERSING, False),
    (REFLECTING, False, DATA, True): (REPEATED, REFLECTING, True),
    (REFLECTING, False, DATA, False): (REPEATED, REFLECTING, True),
    (REFLECTING, False, COMMIT, True): (EventCode.COMMIT_HEARD, COMMITTED, False),
    (REFLECTING, False, COMMIT, False): (VIOLATION, REFLECTING, False),
    (REFLECTING, False, ABORT, True): (EventCode.REVERSED, REVERSING, False),
    (REFLECTING, False, ABORT, False): (VIOLATION, REFLECTING, False),
}
for operation_ in (DATA, COMMIT, ABORT):
    for equal_ in (True, False):
        ROWS[COMMITTED, False, operation_, equal_] = (AWAITED, COMMITTED, False)
        ROWS[COMMITTED, True, operation_, equal_] = (REPEATED, COMMITTED, True)
        ROWS[ABORTED, False, operation_, equal_] = (REPEATED, ABORTED, True)
ANSWERS = {REFLECTING: Operation.ACK, COMMITTED: Operation.DONE, ABORTED: Operation.ABORTED}


def holding(state: State, pointer: int = 1, **fields: object) -> Responder:
    """A responder whose slot 1 holds transaction 1 in this state."""
    if state == IDLE:
        return Responder(pointer, (Slot(), Slot()))
    slot = Slot(state, 1, DIGEST, record=b"x")._replace(**fields)  # type: ignore[arg-type]
    return Responder(pointer, (Slot(), slot))


def hear(
    responder: Responder,
    operation: Operation,
    identifier: int = 1,
    digest: int = DIGEST,
    **fields: object,
):
    return responders.hear(SIZES, responder, 2, operation, identifier, digest, **fields)


@requirement(
    "OAE-TXN-010",
    "OAE-TXN-012",
    "OAE-TXN-013",
    "OAE-TXN-014",
    "OAE-TXN-015",
    "OAE-TXN-016",
    "OAE-TXN-017",
    "OAE-TXN-018",
    "OAE-TXN-021",
    "OAE-TXN-027",
)
@pytest.mark.parametrize(("row", "expected"), ROWS.items())
def test_every_frame_in_every_state(
    row: tuple[State, bool, Operation, bool], expected: tuple[EventCode, State, bool]
) -> None:
    state, delivered, operation, equal = row
    code, after_state, answer = expected
    before = holding(state, pointer=2 if delivered else 1, delivered=delivered)
    after, event = hear(before, operation, digest=DIGEST if equal else DIGEST + 1)
    assert event.code == code
    slot = after.slots[1]
    assert (slot.state, slot.answer) == (after_state, answer)
    if code in (VIOLATION, AWAITED, EventCode.COMMIT_IGNORED):
        assert after == before
        assert event.info == operation
    if code == REPEATED:
        assert responders.owed(SIZES, slot) == ANSWERS[state]
        assert slot.digest == DIGEST  # the recorded one, whatever the frame says


@requirement("OAE-TXN-019", "OAE-TXN-020", "OAE-TXN-034")
@pytest.mark.parametrize("pointer", [0, 10, 2**31 - 1, 2**32 - 1])
@pytest.mark.parametrize("operation", [DATA, COMMIT, ABORT])
def test_the_window_test_comes_before_every_row(pointer: int, operation: Operation) -> None:
    empty = Responder(pointer, (Slot(), Slot()))
    for distance in (-(2**31), -3, -2, -1, 0, 1, 2, 3, 2**31 - 1):
        after, event = hear(empty, operation, (pointer + distance) % 2**32)
        if distance < 0:
            assert (after, event.code) == (empty, EventCode.BELOW_WINDOW)
        elif distance >= 2:
            assert (after, event.code) == (empty, EventCode.BEYOND_WINDOW)
        else:
            assert event.code not in (EventCode.BELOW_WINDOW, EventCode.BEYOND_WINDOW)


@requirement("OAE-TXN-011", "OAE-EPO-001", "OAE-EPO-005")
@pytest.mark.parametrize(
    ("kind", "refusal", "reason"),
    [
        (Kind.DATA, Refusal(host=True), AbortReason.REFUSED),
        (Kind.DATA, Refusal(epoch=True, host=True), AbortReason.EPOCH),
        (Kind.EPOCH_ADVANCE, Refusal(not_prepared=True), AbortReason.NOT_PREPARED),
        (Kind.EPOCH_ADVANCE, Refusal(not_prepared=True, host=True), AbortReason.NOT_PREPARED),
        (Kind.EPOCH_ADVANCE, Refusal(True, True, True), AbortReason.EPOCH),
    ],
)
def test_a_refusal_is_recorded_and_answered(
    kind: Kind, refusal: Refusal, reason: AbortReason
) -> None:
    after, event = hear(holding(IDLE), DATA, kind=kind, record=b"abcd", refusal=refusal)
    assert (event.code, event.info, event.after) == (EventCode.REFUSED, reason, ABORTED)
    assert responders.owed(SIZES, after.slots[1]) == Operation.ABORTED
    assert after.slots[1][:5] == (ABORTED, 1, DIGEST, kind, b"")


@requirement("OAE-EPO-005")
def test_a_second_epoch_advance_in_the_lane_is_refused() -> None:
    advance = {"kind": Kind.EPOCH_ADVANCE, "record": bytes(4)}
    first, _ = hear(holding(IDLE, pointer=1), DATA, 1, **advance)
    first, _ = responders.reflect(first, 1)
    _, event = hear(first, DATA, 2, **advance)
    assert (event.code, event.info) == (EventCode.REFUSED, AbortReason.NOT_PREPARED)


@requirement("OAE-TXN-010", "OAE-TXN-012", "OAE-TXN-013")
def test_what_is_volatile_settles_in_one_step() -> None:
    held, event = responders.reflect(holding(TENTATIVE), 1)
    assert (event.code, held.slots[1].state) == (EventCode.REFLECTED, REFLECTING)
    assert responders.owed(SIZES, held.slots[1]) == Operation.ACK
    aborted, event = responders.record_abort(holding(REVERSING, reflected=True), 1)
    assert (event.code, aborted.slots[1].state) == (EventCode.ABORT_RECORDED, ABORTED)
    assert aborted.slots[1].reason == AbortReason.REQUESTED
    assert aborted.slots[1].record == b""
    for step in (responders.reflect, responders.record_abort):
        with pytest.raises(NotAllowedError):
            step(holding(REFLECTING), 1)


@requirement("OAE-TXN-022")
def test_a_responder_that_has_reflected_has_no_step_of_its_own() -> None:
    with pytest.raises(NotAllowedError, match="never aborts by itself"):
        responders.abandon(SIZES, holding(REFLECTING), 1)


@requirement("OAE-TXN-023", "OAE-TXN-024", "OAE-TXN-025")
@pytest.mark.parametrize("state", list(State))
@pytest.mark.parametrize("pointer", [0, 1])
def test_only_the_next_id_is_delivered_and_only_when_committed(state: State, pointer: int) -> None:
    before = holding(state, pointer=pointer)
    if (state, pointer) != (COMMITTED, 1):
        with pytest.raises(NotAllowedError):
            responders.deliver(SIZES, before, 2)
        return
    after, event = responders.deliver(SIZES, before, 2)
    assert (event.code, event.value, after.pointer) == (EventCode.DELIVERED, 1, 2)
    assert after.slots[1].delivered
    assert responders.owed(SIZES, after.slots[1]) == Operation.DONE
    with pytest.raises(NotAllowedError):
        responders.deliver(SIZES, after, 2)


@requirement("OAE-TXN-024", "OAE-LNK-018")
@pytest.mark.parametrize("changing", [True, False])
@pytest.mark.parametrize("state", list(State))
def test_aborted_ids_are_skipped_and_while_changing_what_never_came(
    state: State, changing: bool
) -> None:
    before = holding(state)
    if state == ABORTED:
        after, event = responders.skip(SIZES, before, 2, changing)
        assert (event.code, event.value, after.pointer) == (EventCode.SKIPPED, 1, 2)
        assert after.slots == before.slots
    else:
        with pytest.raises(NotAllowedError):
            responders.skip(SIZES, before, 2, changing)
    waiting = holding(REFLECTING, pointer=0)  # id 0 never came, 1 is held
    if changing:
        assert responders.skip(SIZES, waiting, 2, changing)[0].pointer == 1
    else:
        with pytest.raises(NotAllowedError):
            responders.skip(SIZES, waiting, 2, changing)


@requirement("OAE-LNK-018", "OAE-PRM-009")
@pytest.mark.parametrize("state", list(State))
def test_only_a_reflecting_record_is_doubted_and_only_while_changing(state: State) -> None:
    before = holding(state)
    if state == REFLECTING:
        after, event = responders.doubt(SIZES, before, 2, changing=True)
        assert (event.code, event.value) == (EventCode.DOUBTED, 1)
        assert after == Responder(2, (Slot(), Slot()))
    else:
        with pytest.raises(NotAllowedError):
            responders.doubt(SIZES, before, 2, changing=True)
    with pytest.raises(NotAllowedError, match="lost its memory"):
        responders.doubt(SIZES, before, 2, changing=False)


@requirement("OAE-TXN-033")
@pytest.mark.parametrize(
    ("state", "reflected", "expected"),
    [
        (IDLE, False, IDLE),
        (TENTATIVE, False, IDLE),
        (REFLECTING, False, REFLECTING),
        (COMMITTED, False, COMMITTED),
        (REVERSING, False, IDLE),
        (REVERSING, True, REFLECTING),
        (ABORTED, False, ABORTED),
    ],
)
def test_what_a_crash_leaves(state: State, reflected: bool, expected: State) -> None:
    before = holding(state, reflected=reflected, answer=True)
    after = responders.crash(SIZES, before)
    assert after.pointer == before.pointer
    slot = after.slots[1]
    assert (slot.state, slot.answer, slot.reflected) == (expected, False, False)
    if expected != IDLE:
        assert (slot.id, slot.digest, slot.record) == (1, DIGEST, b"x")
    assert responders.crash(SIZES, after) == after


@requirement("OAE-TXN-026")
def test_an_outcome_is_kept_until_the_next_id_of_its_slot_is_accepted() -> None:
    delivered = holding(COMMITTED, pointer=2, delivered=True, record=b"")
    for operation in (DATA, COMMIT, ABORT):
        assert hear(delivered, operation)[1].code == REPEATED
    newer, event = hear(delivered, DATA, 3)
    assert (event.code, event.before, newer.slots[1].id) == (EventCode.HELD, IDLE, 3)
    assert hear(newer, DATA, 1)[1].code == EventCode.BELOW_WINDOW


@requirement("OAE-TXN-027")
def test_an_answer_is_a_flag_and_goes_once() -> None:
    twice = holding(REFLECTING)
    for _ in range(2):
        twice, _ = hear(twice, DATA)
    sent = responders.granted(SIZES, twice, 1)
    with pytest.raises(NotAllowedError, match="owes no answer"):
        responders.granted(SIZES, sent, 1)


@requirement("OAE-TXN-019", "OAE-TXN-024", "OAE-TXN-035")
@given(
    st.lists(
        st.tuples(st.sampled_from([DATA, COMMIT, ABORT, None]), st.integers(0, 7), st.booleans()),
        max_size=60,
    )
)
def test_whatever_arrives_delivery_is_in_order_and_counted(
    frames: list[tuple[Operation | None, int, bool]],
) -> None:
    """At the responder: deliver pointer + ABORTED at or above it = delivered + aborted."""
    responder = responders.initial(SIZES)
    delivered: list[int] = []
    aborted: set[int] = set()
    for operation, identifier, refuse in frames:
        index = responders.settling(responder)
        if operation is not None and index is None:
            responder, event = hear(
                responder, operation, identifier, identifier, refusal=Refusal(host=refuse)
            )
            if event.code == EventCode.REFUSED:
                aborted.add(event.value)
        elif operation is None and refuse:
            responder = responders.crash(SIZES, responder)
        elif index is not None:
            state = responder.slots[index].state
            settle = responders.reflect if state == TENTATIVE else responders.record_abort
            responder, event = settle(responder, index)
            if event.code == EventCode.ABORT_RECORDED:
                aborted.add(event.value)
        for _ in range(2):
            try:
                responder, event = responders.deliver(SIZES, responder, 2)
                delivered.append(event.value)
            except NotAllowedError:
                try:
                    responder, _ = responders.skip(SIZES, responder, 2, changing=False)
                except NotAllowedError:
                    break
        ahead = sum(s.state == ABORTED and s.id >= responder.pointer for s in responder.slots)
        assert responder.pointer + ahead == len(delivered) + len(aborted)
        assert delivered == sorted(set(delivered))
        assert not aborted & set(delivered)
