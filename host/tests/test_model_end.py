"""Both ends together, over the wire image: what is sent is what is received."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from oae.frame import Frame, Received, decode, encode
from oae.model import End, Event, Host, NotAllowedError, Parameters
from oae.model import end as ends
from oae.model.events import from_word
from oae.spec.constants import (
    COUNTERS,
    AbortReason,
    EventCode,
    Kind,
    LinkState,
    MalformedReason,
    Operation,
    State,
)
from oae.testing import requirement

SIZES = Parameters(window=2)
ORDER = (
    Operation.SYNC_ACK,
    Operation.SYNC,
    Operation.ACK,
    Operation.DONE,
    Operation.ABORTED,
    Operation.COMMIT,
    Operation.ABORT,
    Operation.DATA,
)


class Pair:
    """Two ends on a clean wire; every frame travels as its image."""

    def __init__(self, *sizes: Parameters) -> None:
        self.sizes = sizes or (SIZES, SIZES)
        self.ends = [ends.initial(parameters) for parameters in self.sizes]
        self.events: list[tuple[int, Event]] = []
        for side, session in ((0, 11), (1, 22)):
            self.do(side, ends.enable, session)

    def do(self, side: int, step: Callable[..., tuple[End, Event]], *inputs: object) -> Event:
        """Take a step that needs the parameters."""
        self.ends[side], event = step(self.sizes[side], self.ends[side], *inputs)
        self.events.append((side, event))
        return event

    def send(self, side: int, operation: Operation, slot: int = 0) -> Frame:
        """One frame travels to the other end, which takes it at once."""
        sender, receiver = self.ends[side], self.ends[1 - side]
        self.ends[side], frame, event = ends.send(self.sizes[side], sender, operation, slot)
        self.events.append((side, event))
        verdict = decode(encode(frame), **ends.listening(receiver)._asdict())
        self.do(1 - side, ends.receive, verdict)
        if isinstance(verdict, Received):
            self._take(1 - side)
        return frame

    def _take(self, side: int) -> None:
        for step in (ends.take_answer, ends.take_request, ends.take_sync, ends.compare):
            try:
                self.do(side, step)
            except NotAllowedError:
                continue
        try:
            self.ends[side], event = ends.settle(self.ends[side])
            self.events.append((side, event))
        except NotAllowedError:
            pass

    def run(self) -> None:
        """Everything that can happen of itself happens."""
        while any(self._anything(side) for side in (0, 1)):
            pass

    def _anything(self, side: int) -> bool:
        parameters = self.sizes[side]
        steps: list[Callable[[End], tuple[End, Event]]] = [
            lambda end: ends.adopt(parameters, end),
            ends.resend,
            lambda end: ends.deliver(parameters, end),
            lambda end: ends.skip(parameters, end),
            lambda end: ends.doubt(parameters, end),
        ]
        steps += [lambda end, slot=slot: ends.tell(end, slot) for slot in range(2)]
        for step in steps:
            try:
                self.ends[side], event = step(self.ends[side])
            except NotAllowedError:
                continue
            self.events.append((side, event))
            return True
        for operation in ORDER:
            for slot in range(parameters.window):
                try:
                    self.send(side, operation, slot)
                except NotAllowedError:
                    continue
                return True
        return False

    def codes(self, side: int) -> list[str]:
        """Names of the events of one end, sending and receiving left out."""
        quiet = (EventCode.SENT, EventCode.RECEIVED)
        return [e.code.name for s, e in self.events if s == side and e.code not in quiet]


@pytest.fixture
def pair() -> Pair:
    """A link that has come up."""
    pair = Pair()
    pair.run()
    assert pair.ends[0].up
    assert pair.ends[1].up
    pair.events.clear()
    return pair


@requirement("OAE-LNK-005", "OAE-LNK-011", "OAE-LNK-028")
def test_two_fresh_ends_come_up_without_timers_or_beats() -> None:
    pair = Pair(Parameters(window=8, record_max=128), Parameters(window=2, record_max=64))
    pair.run()
    for side in (0, 1):
        link = pair.ends[side].link
        assert (link.state, link.window, link.record_max) == (LinkState.UP, 2, 64)
        assert link.verified == (22, 11)[side]


@requirement("OAE-TXN-002", "OAE-TXN-010", "OAE-TXN-014", "OAE-TXN-025", "OAE-TXN-029")
def test_a_transaction_step_by_step(pair: Pair) -> None:
    pair.do(0, ends.open_transaction, b"record")
    pair.run()
    assert pair.codes(0) == ["OPENED", "REFLECTION_HEARD", "DECIDED", "DONE_HEARD", "TOLD"]
    assert pair.codes(1) == ["HELD", "REFLECTED", "COMMIT_HEARD", "DELIVERED"]
    sent = [Operation(e.info).name for _, e in pair.events if e.code == EventCode.SENT]
    assert sent == ["DATA", "ACK", "COMMIT", "DONE"]


@requirement("OAE-TXN-011")
def test_a_refusal_reaches_the_host_with_its_reason(pair: Pair) -> None:
    pair.do(0, ends.open_transaction, b"record")
    pair.ends[0], frame, _ = ends.send(SIZES, pair.ends[0], Operation.DATA)
    pair.do(1, ends.receive, Received(frame, 0))
    pair.do(1, ends.take_request, Host(accept=False))
    pair.run()
    told = next(e for _, e in pair.events if e.code == EventCode.TOLD)
    assert told.info == AbortReason.REFUSED << 2 | 2


@requirement("OAE-TXN-037")
def test_what_can_be_no_transaction_takes_no_id(pair: Pair) -> None:
    link = pair.ends[0].link
    for record, kind, reason in (
        (bytes(65), 0, AbortReason.RECORD_TOO_LONG),
        (b"", 0, AbortReason.RECORD_INVALID),
        (b"x", 7, AbortReason.RECORD_INVALID),
        (b"abc", Kind.EPOCH_ADVANCE, AbortReason.RECORD_INVALID),
    ):
        assert ends.refusal_of(SIZES, link, record, kind) == reason
        with pytest.raises(NotAllowedError, match="no transaction"):
            ends.open_transaction(SIZES, pair.ends[0], record, kind=kind)
        after, event = ends.tell_unopened(pair.ends[0], 7, reason)
        assert (after, event.code, event.value) == (pair.ends[0], EventCode.UNOPENED_TOLD, 7)
    assert ends.refusal_of(SIZES, link, bytes(64), 0) is None
    with pytest.raises(NotAllowedError):
        ends.tell_unopened(pair.ends[0], 7, AbortReason.REFUSED)


@requirement("OAE-TXN-038")
def test_a_discarded_record_leaves_no_trace(pair: Pair) -> None:
    after, event = ends.discard(pair.ends[0], 7)
    assert (after, event.code) == (pair.ends[0], EventCode.RECORD_DISCARDED)


@requirement("OAE-TXN-039", "OAE-EPO-002", "OAE-LNK-016")
def test_when_no_record_is_opened(pair: Pair) -> None:
    up = pair.ends[0]
    faulty, _ = ends.incoming_dead(SIZES, up)
    with pytest.raises(NotAllowedError, match="not UP"):
        ends.open_transaction(SIZES, faulty, b"x")
    with pytest.raises(NotAllowedError, match="changing epoch"):
        ends.open_transaction(SIZES, up, b"x", host=Host(epoch=1))
    ends.open_transaction(SIZES, up, b"x", host=Host(epoch=0))


@requirement("OAE-LNK-015", "OAE-LNK-024")
def test_the_order_of_transmission(pair: Pair) -> None:
    pair.do(0, ends.open_transaction, b"x")
    pair.do(1, ends.open_transaction, b"y")
    pair.send(1, Operation.DATA)
    busy = pair.ends[0]
    assert busy.responder.slots[0].answer
    with pytest.raises(NotAllowedError, match="an answer is owed"):
        ends.send(SIZES, busy, Operation.DATA)
    challenged = busy._replace(
        link=busy.link._replace(owes_sync=True, owes_sync_ack=ends.links.Challenge(22, 1))
    )
    for operation in (Operation.DATA, Operation.ACK, Operation.NOP, Operation.SYNC):
        with pytest.raises(NotAllowedError, match="SYNC_ACK is owed"):
            ends.send(SIZES, challenged, operation)
    answered, _, _ = ends.send(SIZES, challenged, Operation.SYNC_ACK)
    with pytest.raises(NotAllowedError, match="a SYNC is owed"):
        ends.send(SIZES, answered, Operation.ACK)
    quiet, _, _ = ends.send(SIZES, answered, Operation.SYNC)
    quiet, _, _ = ends.send(SIZES, quiet, Operation.NOP)
    quiet, _, _ = ends.send(SIZES, quiet, Operation.ACK)
    ends.send(SIZES, quiet, Operation.DATA)


@requirement("OAE-LNK-013", "OAE-TXN-009")
def test_after_a_crash_the_same_session_goes_on(pair: Pair) -> None:
    pair.do(0, ends.open_transaction, b"x")
    pair.do(0, ends.open_transaction, b"y")
    pair.send(0, Operation.DATA, 0)
    pair.send(1, Operation.ACK)
    pair.do(0, ends.crash)
    pair.do(0, ends.enable)
    pair.run()
    told = [e for s, e in pair.events if e.code == EventCode.TOLD]
    assert [(e.value, e.info & 3) for e in told] == [(0, 1), (1, 2)]
    assert "RESENT" in pair.codes(0)


@requirement("OAE-LNK-017", "OAE-LNK-018", "OAE-LNK-019", "OAE-PRM-008")
def test_after_the_peers_amnesia_slots_drain_and_ids_start_again(pair: Pair) -> None:
    pair.do(0, ends.open_transaction, b"x")
    pair.do(1, ends.open_transaction, b"y")
    pair.send(0, Operation.DATA)
    pair.send(1, Operation.ACK)
    pair.send(1, Operation.DATA)
    pair.do(1, ends.amnesia)
    pair.do(1, ends.enable, 33)
    pair.run()
    assert "DOUBTED" in pair.codes(0)
    told = next(e for s, e in pair.events if e.code == EventCode.TOLD)
    assert told.info == AbortReason.PEER_LOST_MEMORY << 2 | 3
    assert pair.ends[0].link.verified == 33
    assert pair.ends[0].initiator.next_id == 0
    pair.do(0, ends.open_transaction, b"z")
    pair.run()
    assert pair.codes(0)[-1] == "TOLD"


@requirement("OAE-EPO-001", "OAE-EPO-005", "OAE-EPO-006", "OAE-EPO-007")
@pytest.mark.parametrize("prepared", [4, 5, 6])
def test_an_epoch_advance_converges_where_it_is_prepared(pair: Pair, prepared: int) -> None:
    advance = (5).to_bytes(4, "big")
    end, _ = ends.open_transaction(SIZES, pair.ends[0], advance, kind=Kind.EPOCH_ADVANCE)
    pair.ends[0], frame, _ = ends.send(SIZES, end, Operation.DATA)
    pair.do(1, ends.receive, Received(frame, 0))
    pair.do(1, ends.take_request, Host(prepared=prepared))
    if prepared >= 5:
        pair.ends[1], _ = ends.settle(pair.ends[1])
    pair.run()
    converged = [end.link.converged for end in pair.ends]
    assert converged == ([5, 5] if prepared >= 5 else [0, 0])


@requirement("OAE-EPO-003", "OAE-EPO-001")
def test_a_new_epoch_waits_for_both_lanes(pair: Pair) -> None:
    pair.do(0, ends.open_transaction, b"x")
    pair.send(0, Operation.DATA)
    for side in (0, 1):
        with pytest.raises(NotAllowedError):
            ends.take_epoch(pair.ends[side], 1)
    pair.run()
    pair.ends[0], _ = ends.take_epoch(pair.ends[0], 1)
    pair.events.clear()
    pair.do(0, ends.open_transaction, b"x")
    pair.run()
    refused = next(e for _, e in pair.events if e.code == EventCode.REFUSED)
    assert refused.info == AbortReason.EPOCH


@requirement("OAE-EPO-008")
@pytest.mark.parametrize("epochs", [(5, 6), (6, 5)])
def test_the_converged_epoch_never_goes_back(pair: Pair, epochs: tuple[int, int]) -> None:
    for epoch in epochs:
        record = epoch.to_bytes(4, "big")
        pair.ends[0], _ = ends.open_transaction(
            SIZES, pair.ends[0], record, kind=Kind.EPOCH_ADVANCE
        )
        pair.ends[0], frame, _ = ends.send(SIZES, pair.ends[0], Operation.DATA, epochs.index(epoch))
        pair.do(1, ends.receive, Received(frame, 0))
        pair.do(1, ends.take_request, Host(prepared=9))
        pair.ends[1], _ = ends.settle(pair.ends[1])
        pair.run()
    assert [end.link.converged for end in pair.ends] == [6, 6]


@requirement("OAE-TXN-041", "OAE-LNK-010")
def test_the_parser_decides_on_the_state_of_the_link(pair: Pair) -> None:
    pair.do(0, ends.open_transaction, b"x")
    _, frame, _ = ends.send(SIZES, pair.ends[0], Operation.DATA)
    faulty, _ = ends.incoming_dead(SIZES, pair.ends[1])
    verdict = decode(encode(frame), **ends.listening(faulty)._asdict())
    _, event = ends.receive(SIZES, faulty, verdict)
    assert (event.code, event.info) == (EventCode.NOT_UP, Operation.DATA)
    for wrong, reason in (
        (frame._replace(link_session=5), MalformedReason.WRONG_LINK_SESSION),
        (frame._replace(id=1), MalformedReason.WRONG_DIGEST),
    ):
        verdict = decode(encode(wrong), **ends.listening(pair.ends[1])._asdict())
        after, event = ends.receive(SIZES, pair.ends[1], verdict)
        assert (after, event.code, event.info) == (pair.ends[1], EventCode.MALFORMED, reason)


def test_an_inbox_holds_one_frame(pair: Pair) -> None:
    ack = Frame(Operation.ACK, link_session=ends.listening(pair.ends[0]).link_session)
    full, _ = ends.receive(SIZES, pair.ends[0], Received(ack, 0))
    with pytest.raises(NotAllowedError, match="full"):
        ends.receive(SIZES, full, Received(ack, 0))


@given(
    st.builds(
        Event,
        st.sampled_from(EventCode),
        st.integers(0, 63),
        st.sampled_from(State),
        st.sampled_from(State),
        st.integers(0, 255),
        st.integers(0, 2**32 - 1),
    )
)
def test_an_event_is_its_word(event: Event) -> None:
    assert from_word(event.word()) == event


def test_every_counter_counts_an_event() -> None:
    for name, code, info, _ in COUNTERS:
        event = Event(EventCode(code), info=info or 0)
        assert name in event.counters
    assert Event(EventCode.TOLD, info=2 | 5 << 2).counters == ("TOLD_ABORTED",)
