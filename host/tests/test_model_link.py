"""The link machine's step table, row by row: docs/design.md, "Link machine"."""

import pytest
from oae.frame import Sync
from oae.model import NotAllowedError, Parameters
from oae.model import beat as beats
from oae.model import link as links
from oae.model.beat import Beat, Word
from oae.model.link import Challenge, Link, Pending
from oae.spec.constants import EventCode, LinkState, Operation
from oae.testing import requirement

SIZES = Parameters(window=8, record_max=64)
MINE, PEER, NEWER = 11, 22, 33
DOWN, SYNCING, UP, FAULT = LinkState.DOWN, LinkState.SYNCING, LinkState.UP, LinkState.FAULT
SYNC, SYNC_ACK = Operation.SYNC, Operation.SYNC_ACK
KNOWING = Link(MINE, 8, 64, verified=PEER, counter=5, state=UP)
CHALLENGING = KNOWING._replace(state=SYNCING, outstanding=True)
CHANGING = CHALLENGING._replace(pending=Pending(NEWER, 8, 64))


def sync(session: int = PEER, verified: int = MINE, **fields: int) -> Sync:
    """SYNC of a peer of equal sizes."""
    return Sync(session, verified, 0, 9, 64, 8)._replace(**fields)


def answer(session: int = PEER, verified: int = MINE, **fields: int) -> Sync:
    """SYNC_ACK to the challenge of KNOWING and CHALLENGING."""
    return sync(session, verified, challenger=MINE, counter=5, **fields)


@requirement("OAE-LNK-001", "OAE-LNK-006")
def test_enabling_draws_a_session_once_and_challenges_at_once() -> None:
    asleep = links.initial(SIZES)
    with pytest.raises(NotAllowedError, match="no session"):
        links.enable(SIZES, asleep, 0)
    awake, event = links.enable(SIZES, asleep, MINE)
    assert (event.code, awake.state, awake.session) == (EventCode.ENABLED, SYNCING, MINE)
    assert (awake.counter, awake.outstanding, awake.owes_sync) == (1, True, True)
    again, _ = links.enable(SIZES, links.crash(awake), NEWER)
    assert (again.session, again.counter) == (MINE, 2)


@requirement("OAE-LNK-029")
def test_what_a_crash_leaves() -> None:
    busy = CHANGING._replace(
        owes_sync=True, owes_sync_ack=Challenge(PEER, 1), resend=True, epoch=3, converged=2
    )
    left = links.crash(busy)
    assert left[:8] == busy[:8]
    assert left[8:] == (DOWN, False, False, None, False)


@requirement("OAE-LNK-003")
def test_a_challenge_keeps_its_counter_while_it_is_outstanding() -> None:
    first = links.challenge(SIZES, KNOWING)
    assert (first.counter, first.outstanding, first.owes_sync) == (6, True, True)
    sent = first._replace(owes_sync=False)
    assert links.challenge(SIZES, sent) == first


# (state, sync): does hearing it start a challenge, and does RESENT follow
HEARD = [
    (KNOWING, sync(), False, True),
    (KNOWING, sync(verified=0), False, True),
    (KNOWING, sync(NEWER), True, False),
    (CHALLENGING, sync(), True, False),
    (CHALLENGING, sync(verified=0), False, False),
    (CHANGING, sync(), True, False),
    (CHANGING, sync(NEWER, verified=0), False, False),
    (CHANGING, sync(NEWER), True, False),
    (CHANGING, sync(44, verified=0), True, False),
    (KNOWING._replace(state=FAULT), sync(), True, False),
]


@requirement("OAE-LNK-004", "OAE-LNK-014")
@pytest.mark.parametrize(("before", "heard", "challenges", "resends"), HEARD)
def test_a_sync_is_answered_and_may_start_a_challenge(
    before: Link, heard: Sync, challenges: bool, resends: bool
) -> None:
    after, event = links.hear(SIZES, before, SYNC, heard)
    assert (event.code, event.info, event.value) == (EventCode.SYNC_HEARD, challenges, 9)
    assert after.owes_sync_ack == Challenge(heard.session, 9)
    assert after.owes_sync == challenges
    assert after.resend == resends
    # A SYNC alone changes nothing that is held about the peer.
    assert (after.verified, after.pending, after.state) == (*before[3:5], before.state)


@requirement("OAE-LNK-002")
@pytest.mark.parametrize(
    "stale",
    [
        answer()._replace(counter=4),
        answer()._replace(counter=6),
        answer()._replace(challenger=PEER),
        answer(NEWER)._replace(challenger=0),
    ],
)
def test_an_answer_to_another_challenge_changes_nothing(stale: Sync) -> None:
    for before in (CHALLENGING, CHANGING):
        after, event = links.hear(SIZES, before, SYNC_ACK, stale)
        assert (after, event.code) == (before, EventCode.SYNC_ACK_STALE)
    after, event = links.hear(SIZES, KNOWING, SYNC_ACK, answer())
    assert (after, event.code) == (KNOWING, EventCode.SYNC_ACK_STALE)


@requirement("OAE-LNK-005", "OAE-LNK-027")
@pytest.mark.parametrize("state", [SYNCING, UP, FAULT])
@pytest.mark.parametrize("names_me", [True, False])
def test_up_needs_an_answer_that_names_me(state: LinkState, names_me: bool) -> None:
    before = CHALLENGING._replace(state=state)
    after, event = links.hear(SIZES, before, SYNC_ACK, answer(verified=MINE if names_me else 0))
    assert (event.code, event.info) == (EventCode.SYNC_ACK_HEARD, 0)
    assert after.state == (UP if names_me else SYNCING)
    assert not after.outstanding
    assert after.verified == PEER


@requirement("OAE-LNK-016", "OAE-LNK-020")
def test_a_new_session_is_pending_and_a_newer_one_replaces_it() -> None:
    changing, event = links.hear(SIZES, CHALLENGING, SYNC_ACK, answer(NEWER, window=4))
    assert (event.info, changing.state) == (1, SYNCING)
    assert changing.pending == Pending(NEWER, 4, 64)
    assert (changing.verified, changing.window) == (PEER, 8)
    again = changing._replace(outstanding=True)
    newest, _ = links.hear(SIZES, again, SYNC_ACK, answer(44))
    assert newest.pending == Pending(44, 8, 64)
    assert links.sync_fields(SIZES, newest).verified == PEER


@requirement("OAE-LNK-011", "OAE-LNK-019")
@pytest.mark.parametrize(("window", "record_max"), [(4, 64), (8, 32), (64, 1024), (8, 64)])
def test_adopting_takes_the_smaller_sizes_and_challenges(window: int, record_max: int) -> None:
    changing = KNOWING._replace(state=SYNCING, pending=Pending(NEWER, window, record_max))
    after, event = links.adopt(SIZES, changing)
    assert (event.code, event.value) == (EventCode.SESSION_ADOPTED, NEWER)
    assert (after.verified, after.pending) == (NEWER, None)
    assert (after.window, after.record_max) == (min(8, window), min(64, record_max))
    assert (after.outstanding, after.owes_sync, after.counter) == (True, True, 6)


@requirement("OAE-LNK-012")
@pytest.mark.parametrize(
    "other", [{"window": 4}, {"record_max": 63}, {"window": 3}, {"window": 0}, {"record_max": 0}]
)
def test_other_sizes_in_the_same_session_are_a_violation(other: dict[str, int]) -> None:
    after, event = links.hear(SIZES, KNOWING, SYNC, sync(**other))
    assert (after, event.code) == (KNOWING, EventCode.PAIR_VIOLATION)
    _, event = links.hear(SIZES, KNOWING, SYNC, sync(window=64, record_max=9000))
    assert event.code == EventCode.SYNC_HEARD


@requirement("OAE-LNK-009")
@pytest.mark.parametrize("operation", [SYNC, SYNC_ACK])
def test_my_own_session_is_a_loopback(operation: Operation) -> None:
    after, event = links.hear(SIZES, CHALLENGING, operation, answer(MINE))
    assert (after, event.code) == (CHALLENGING, EventCode.LOOPBACK)


@requirement("OAE-LNK-010")
def test_nothing_is_heard_while_down() -> None:
    with pytest.raises(NotAllowedError, match="DOWN"):
        links.hear(SIZES, links.crash(KNOWING), SYNC, sync())


@requirement("OAE-LNK-007", "OAE-LNK-008")
def test_when_timers_send_a_sync() -> None:
    for due in (CHALLENGING, KNOWING._replace(state=FAULT), KNOWING._replace(outstanding=True)):
        after, event = links.sync_due(SIZES, due)
        assert (event.code, event.value, after.owes_sync) == (
            EventCode.SYNC_DUE,
            after.counter,
            True,
        )
        with pytest.raises(NotAllowedError, match="already owed"):
            links.sync_due(SIZES, after)
    for idle in (KNOWING, links.crash(KNOWING)):
        with pytest.raises(NotAllowedError):
            links.sync_due(SIZES, idle)
    foreign, event = links.foreign_session(SIZES, KNOWING)
    assert (event.code, foreign.owes_sync, foreign.state) == (
        EventCode.FOREIGN_SESSION,
        True,
        UP,
    )
    with pytest.raises(NotAllowedError, match="outstanding"):
        links.foreign_session(SIZES, foreign)


@requirement("OAE-LNK-025", "OAE-LNK-026", "OAE-LNK-027")
@pytest.mark.parametrize("code", [EventCode.INCOMING_DEAD, EventCode.OUTGOING_DEAD])
def test_a_dead_direction_is_a_fault_that_keeps_challenging(code: EventCode) -> None:
    after, event = links.dead(SIZES, KNOWING, code)
    assert (event.code, after.state, after.owes_sync) == (code, FAULT, True)
    with pytest.raises(NotAllowedError, match="not UP"):
        links.dead(SIZES, after, code)


@requirement("OAE-EPO-003")
def test_an_epoch_is_taken_unless_the_session_is_changing() -> None:
    after, event = links.take_epoch(KNOWING, 7)
    assert (event.code, event.value, after.epoch) == (EventCode.EPOCH_TAKEN, 7, 7)
    for link, epoch in ((CHANGING, 7), (after, 7)):
        with pytest.raises(NotAllowedError):
            links.take_epoch(link, epoch)


@requirement("OAE-LNK-022")
@pytest.mark.parametrize("number", [0, 3, 2**15 - 1])
def test_a_beat_carries_the_newest_number_heard(number: int) -> None:
    beat, word = beats.send(SIZES, Beat(number), wanted=True)
    assert word == Word(True, (number + 1) % 2**15, None)
    assert beats.unpack(word.pack()) == word
    heard = beats.hear(SIZES, beat, Word(True, 77, None))
    assert heard.echo_owed
    again, word = beats.send(SIZES, heard, wanted=False)
    assert (word.wanted, word.echo, again.echo_owed) == (False, 77, False)
    assert beats.unpack(word.pack()) == word


@requirement("OAE-LNK-022")
def test_an_echo_ahead_of_my_number_is_not_mine_and_the_newest_wins() -> None:
    beat = Beat(number=5, echo=2)
    for echo, expected in ((4, 4), (5, 5), (6, 2), (1, 2), (2, 2), (5 + 2**14, 2)):
        assert beats.hear(SIZES, beat, Word(False, 1, echo)).echo == expected
    wrapped = Beat(number=1, echo=2**15 - 2)
    assert beats.hear(SIZES, wrapped, Word(False, 1, 0)).echo == 0
    # After a restart an echo of my earlier numbers is ahead of them.
    assert beats.hear(SIZES, Beat(), Word(False, 1, 900)).echo == 0
