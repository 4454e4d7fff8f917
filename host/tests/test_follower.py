"""The reference end beside an end: what takes effect a cycle late in the one does in the other.

Each test tells a follower the events of an end by hand, cycle by cycle, as the RTL would.
"""

from typing import NamedTuple

import pytest
from oae import frame as frames
from oae.check.follower import (
    Completed,
    Config,
    DivergenceError,
    Follower,
    Handshakes,
    Submitted,
    Wire,
)
from oae.frame import Frame, Sync
from oae.model.beat import Word
from oae.model.events import Event
from oae.model.parameters import Parameters
from oae.spec.constants import (
    AbortReason,
    EventCode,
    LinkState,
    Operation,
    Outcome,
    State,
)
from oae.testing import requirement

MINE, PEER = 0xA11CE, 0xB0B
HERE, THERE, ETHERTYPE = bytes(6), bytes(5) + b"\x01", 0x88B5
FROM_PEER = frames.link_session(PEER, MINE)
FAR = 0x12345  # an epoch more than 2^15 away
DOWN, SYNCING, UP = LinkState.DOWN, LinkState.SYNCING, LinkState.UP


class Told(NamedTuple):
    """A follower, and short words for what its end tells."""

    follower: Follower

    def step(self, cycle: int, code: EventCode, *fields: int, **host: object) -> None:
        self.follower.step(cycle, Event(code, *fields).word(), Handshakes(**host))  # type: ignore[arg-type]

    def link(self, cycle: int, code: EventCode, before: int, after: int, *fields: int) -> None:
        self.step(cycle, code, 0, before, after, *fields)

    def sent(self, cycle: int, operation: Operation, value: int, slot: int = 0) -> None:
        self.step(cycle, EventCode.SENT, slot, 0, 0, operation, value)

    def hear(self, cycle: int, frame: Frame, value: int) -> None:
        """A whole frame comes, and its verdict."""
        image = frames.encode(frame, HERE, THERE, ETHERTYPE)
        self.follower.receive(Wire(image, bad=False, broken=False, first=cycle - 8))
        self.step(cycle, EventCode.RECEIVED, 0, 0, 0, frame.operation, value)


def sync(counter: int, verified: int = 0, window: int = 8) -> Frame:
    return Frame(Operation.SYNC, sync=Sync(PEER, verified, 0, counter, 64, window))


def sync_ack(counter: int, verified: int) -> Frame:
    return Frame(Operation.SYNC_ACK, sync=Sync(PEER, verified, MINE, counter, 64, 8))


def beat(word: Word) -> tuple[Frame, int]:
    return Frame(Operation.NOP, link_session=FROM_PEER, operand=word.pack()), word.pack()


@pytest.fixture
def down() -> Told:
    follower = Follower(Parameters(), THERE, HERE, ETHERTYPE)
    follower.config = Config(enable=True, beats=True, session=MINE)
    return Told(follower)


@pytest.fixture
def up(down: Told) -> Told:
    """UP in cycle 60."""
    told = down
    told.link(0, EventCode.ENABLED, DOWN, SYNCING)
    told.sent(1, Operation.SYNC, 1)
    told.hear(20, sync_ack(1, 0), 1)
    told.link(21, EventCode.SYNC_ACK_HEARD, SYNCING, SYNCING, 1, 1)
    told.link(22, EventCode.SESSION_ADOPTED, SYNCING, SYNCING, 0, PEER)
    told.sent(40, Operation.SYNC, 2)
    told.hear(59, sync_ack(2, MINE), 2)
    told.link(60, EventCode.SYNC_ACK_HEARD, SYNCING, UP, 0, 2)
    return told


@requirement("OAE-END-002", "OAE-LNK-004")
@pytest.mark.parametrize("cycle", [9, 10])
def test_a_sync_verified_at_the_edge_that_enables_is_heard(down: Told, cycle: int) -> None:
    """One verified before it is not: it passes while the link is still DOWN."""
    down.hear(cycle, sync(7), 7)
    down.link(10, EventCode.ENABLED, DOWN, SYNCING)
    if cycle == 10:
        down.link(11, EventCode.SYNC_HEARD, SYNCING, SYNCING, 1, 7)
    else:
        with pytest.raises(DivergenceError, match="no SYNC"):
            down.link(11, EventCode.SYNC_HEARD, SYNCING, SYNCING, 1, 7)


def owing(up: Told) -> Told:
    """A SYNC of the verified session was heard; its answer is still owed when the link is UP anew.

    The challenge that brings it up was out before, for an earlier life of the peer.
    """
    up.step(62, EventCode.RESENT)
    earlier = Frame(Operation.SYNC, sync=Sync(PEER + 1, 0, 0, 1, 64, 8))
    up.hear(70, earlier, 1)
    up.link(71, EventCode.SYNC_HEARD, UP, UP, 1, 1)
    up.sent(72, Operation.SYNC_ACK, 1)
    up.sent(80, Operation.SYNC, 3)
    up.hear(90, sync(9, MINE), 9)
    up.link(91, EventCode.SYNC_HEARD, UP, UP, 0, 9)
    up.link(92, EventCode.OUTGOING_DEAD, UP, LinkState.FAULT)
    return up


@requirement("OAE-END-002", "OAE-LNK-013", "OAE-LNK-014")
@pytest.mark.parametrize("apart", [-1, 1, 2])
def test_two_causes_of_resent_in_a_row_give_two(up: Told, apart: int) -> None:
    """Each is followed by its own two cycles later."""
    told = owing(up)
    told.hear(99, sync_ack(3, MINE), 3)
    happens = {
        (100 + apart, 0): lambda: told.sent(100 + apart, Operation.SYNC_ACK, 9),
        (102 + apart, 1): lambda: told.step(102 + apart, EventCode.RESENT),
        (102, 1): lambda: told.step(102, EventCode.RESENT),
        (100, 2): lambda: told.link(100, EventCode.SYNC_ACK_HEARD, LinkState.FAULT, UP, 0, 3),
    }
    for moment in sorted(happens):
        happens[moment]()
    with pytest.raises(DivergenceError, match="not allowed"):
        told.step(110, EventCode.RESENT)


@requirement("OAE-END-002", "OAE-LNK-013", "OAE-LNK-014")
def test_one_resent_answers_what_came_before_it(up: Told) -> None:
    told = owing(up)
    told.hear(99, sync_ack(3, MINE), 3)
    told.sent(99, Operation.SYNC_ACK, 9)
    told.link(100, EventCode.SYNC_ACK_HEARD, LinkState.FAULT, UP, 0, 3)
    told.step(102, EventCode.RESENT)
    with pytest.raises(DivergenceError, match="not allowed"):
        told.step(103, EventCode.RESENT)


@requirement("OAE-END-002")
@pytest.mark.parametrize(("granted", "echo"), [(101, 0), (100, 1)])
def test_an_echo_of_the_number_that_is_being_sent_is_ahead(
    up: Told, granted: int, echo: int
) -> None:
    """Only an echo from before a restart can be: numbers start again."""
    up.step(62, EventCode.RESENT)
    frame, value = beat(Word(False, 4, 1))
    if granted == 100:  # TRANSMIT comes before RECEIVE
        up.sent(granted, Operation.NOP, 1)
    up.hear(100, frame, value)
    if granted == 101:
        up.sent(granted, Operation.NOP, 1)
    up.sent(120, Operation.NOP, 2)
    assert up.follower.end.beat.echo == echo
    assert up.follower.end.beat.heard == 4


@requirement("OAE-END-002", "OAE-EPO-001")
@pytest.mark.parametrize("taken", [85, 95])
def test_the_whole_epoch_of_a_frame_is_that_of_its_header(up: Told, taken: int) -> None:
    """The end takes an epoch far away while DATA of the old one is on its way in."""
    up.step(62, EventCode.RESENT)
    digest = frames.digest(FROM_PEER, 0, 0, 0, b"record")
    data = Frame(Operation.DATA, 0, digest, link_session=FROM_PEER, record=b"record")
    up.follower.config = up.follower.config._replace(epoch=FAR)
    up.link(taken, EventCode.EPOCH_TAKEN, UP, UP, 0, FAR)
    if taken == 85:  # before its first beat
        with pytest.raises(DivergenceError, match="WRONG_DIGEST"):
            up.hear(100, data, 0)
        return
    up.hear(100, data, 0)
    up.step(101, EventCode.REFUSED, 0, State.IDLE, State.ABORTED, AbortReason.EPOCH, 0)


@requirement("OAE-END-002", "OAE-TXN-037")
def test_a_record_of_no_kind_is_invalid_before_it_is_too_long(down: Told) -> None:
    """Longer than was negotiated, but not than what is built."""
    link = down.follower.end.link._replace(record_max=16)
    down.follower.end = down.follower.end._replace(link=link)
    for record, kind, reason in (
        (bytes(24), 2, AbortReason.RECORD_INVALID),
        (bytes(24), 0, AbortReason.RECORD_TOO_LONG),
        (bytes(72), 2, AbortReason.RECORD_TOO_LONG),
    ):
        info = reason << 2 | Outcome.ABORTED
        down.step(
            9,
            *(EventCode.UNOPENED_TOLD, 0, 0, 0, info, 5),
            submitted=Submitted(record, 5, kind, bad=False),
            completed=Completed(5, 0, kind, Outcome.ABORTED, reason),
        )
