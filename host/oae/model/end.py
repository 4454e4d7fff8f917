"""One end: the units together, and what each channel's step does to them.

Every function is one step of docs/design.md: `(parameters, end, inputs) -> (end, event)`, or
`NotAllowedError`. `receive` puts a verified frame into the inbox of its unit; `take_answer`,
`take_request` and `take_sync` are the steps of the units on it.
"""

from typing import NamedTuple

from oae import frame as frames
from oae.frame import Foreign, Frame, Malformed, NotUp, Received, Unsupported, Verdict
from oae.model import beat as beats
from oae.model import initiator as initiators
from oae.model import link as links
from oae.model import responder as responders
from oae.model.beat import Beat
from oae.model.events import Event
from oae.model.initiator import Initiator
from oae.model.link import Link
from oae.model.parameters import Parameters
from oae.model.responder import Refusal, Responder
from oae.model.steps import NotAllowedError, replacing, require
from oae.spec.constants import (
    AbortReason,
    EventCode,
    Kind,
    LinkState,
    Operation,
    Outcome,
    State,
)

ANSWERS = frozenset({Operation.ACK, Operation.DONE, Operation.ABORTED})
REQUESTS = frozenset({Operation.DATA, Operation.COMMIT, Operation.ABORT})
SYNCS = frozenset({Operation.SYNC, Operation.SYNC_ACK})
KINDS = frozenset(Kind)


class End(NamedTuple):
    """State of an end. The three inboxes hold a frame that a unit has not yet taken."""

    link: Link
    initiator: Initiator
    responder: Responder
    beat: Beat = Beat()
    answer: Frame | None = None  # inbox of the initiator
    request: Received | None = None  # inbox of the responder
    sync: Frame | None = None  # inbox of the link machine

    @property
    def up(self) -> bool:
        """Whether the link is UP."""
        return self.link.state is LinkState.UP

    @property
    def drained(self) -> bool:
        """Whether every initiator slot is IDLE and no responder slot is unresolved."""
        return not self.initiator.busy and not self.responder.unresolved


_with_link = replacing(End, "link")
_with_initiator = replacing(End, "initiator")
_with_responder = replacing(End, "responder")
_with_beat = replacing(End, "beat")
_with_answer = replacing(End, "answer")
_with_request = replacing(End, "request")
_answer_taken = replacing(End, "initiator", "answer")
_request_taken = replacing(End, "responder", "request")
_told = replacing(End, "link", "initiator")
_delivered = replacing(End, "link", "responder")
_as_data = replacing(Frame, "kind", "epoch", "record")


class Host(NamedTuple):
    """What the host holds at the end's inputs while a DATA is taken."""

    accept: bool = True
    epoch: int = 0
    prepared: int = 0


class Listening(NamedTuple):
    """What a received frame is checked against."""

    link_up: bool
    link_session: int
    epoch: int
    record_max: int


def initial(parameters: Parameters) -> End:
    """An end after power-on."""
    return End(
        links.initial(parameters), initiators.initial(parameters), responders.initial(parameters)
    )


# --- POWER


def crash(parameters: Parameters, end: End) -> tuple[End, Event]:
    """CRASH: what is volatile is lost."""
    return End(
        links.crash(end.link),
        initiators.crash(parameters, end.initiator),
        responders.crash(parameters, end.responder),
    ), Event(EventCode.CRASH)


def amnesia(parameters: Parameters, end: End) -> tuple[End, Event]:
    """AMNESIA: everything is lost; the next session is drawn when the end is enabled."""
    return initial(parameters), Event(EventCode.AMNESIA)


# --- TRANSMIT


def transmit_session(end: End) -> int:
    """Link session of the frames that I send."""
    return frames.link_session(end.link.session, end.link.verified)


def _nothing_owed_before(parameters: Parameters, end: End, operation: Operation) -> None:
    """The order of transmission, as far as it can be seen in the state."""
    link = end.link
    if operation not in SYNCS:
        require(link.state is LinkState.UP, "the link is not UP")
        require(link.pending is None, "the peer's session is changing")
    if not parameters.has("F30") and operation in REQUESTS:
        return
    if operation != Operation.SYNC_ACK:
        require(link.owes_sync_ack is None, "a SYNC_ACK is owed")
        require(operation == Operation.SYNC or not link.owes_sync, "a SYNC is owed")
    if operation in REQUESTS:
        for slot in end.responder.slots:
            if slot.answer and responders.owed(parameters, slot) is not None:
                raise NotAllowedError("an answer is owed")


def _data_in_order(parameters: Parameters, end: End, index: int) -> None:
    """All that has gone before goes before new DATA, and new DATA in id order."""
    this = end.initiator.slots[index]
    if this.sent:
        return
    for other in end.initiator.slots:
        if not other.send or other is this:
            continue
        owed = initiators.OWED.get(other.state)
        require(owed is None or owed is Operation.DATA, "a COMMIT or an ABORT is owed")
        if owed is Operation.DATA:
            ahead = parameters.distance(this.id, other.id) > 0
            require(not other.sent and not ahead, "another DATA goes first")


def send(
    parameters: Parameters, end: End, operation: Operation, slot: int = 0
) -> tuple[End, Frame, Event]:
    """SENT: the frame that is owed is handed to the builder."""
    _nothing_owed_before(parameters, end, operation)
    if operation in SYNCS:
        return _send_sync(parameters, end, operation)
    session = transmit_session(end)
    if operation == Operation.NOP:
        beat, word = beats.send(parameters, end.beat, end.initiator.waiting)
        nop = Frame(Operation.NOP, link_session=session, operand=word.pack())
        return _with_beat(end, beat), nop, _sent(operation, value=word.number)
    if operation in ANSWERS:
        answered, answer = _answer(parameters, end, operation, slot, session)
        return answered, answer, _sent(operation, slot, answer.id)
    if end.initiator.owed(slot) is not operation:
        raise NotAllowedError(f"the slot owes no {operation.name}")
    held = end.initiator.slots[slot]
    request = Frame(operation, held.id, held.digest, link_session=session)
    if operation == Operation.DATA:
        _data_in_order(parameters, end, slot)
        request = _as_data(request, held.kind, end.link.epoch & 0xFFFF, held.record)
    initiator = initiators.granted(parameters, end.initiator, slot, end.beat.number)
    return _with_initiator(end, initiator), request, _sent(operation, slot, held.id)


def _sent(operation: Operation, slot: int = 0, value: int = 0) -> Event:
    return Event(EventCode.SENT, slot, info=operation, value=value)


def _send_sync(parameters: Parameters, end: End, operation: Operation) -> tuple[End, Frame, Event]:
    link, initiator = end.link, end.initiator
    require(link.state != LinkState.DOWN, "the link is DOWN")
    if operation == Operation.SYNC:
        require(link.owes_sync, "no SYNC is owed")
        sync = links.sync_fields(parameters, link)
        link = link._replace(owes_sync=False)
    else:
        require(link.owes_sync_ack is not None, "no SYNC_ACK is owed")
        sync = links.sync_fields(parameters, link, link.owes_sync_ack)
        initiator = initiator._replace(resend=initiator.resend or link.resend)
        link = link._replace(owes_sync_ack=None, resend=False)
    after = end._replace(link=link, initiator=initiator)
    oldest = 0 if parameters.has("F27") else initiators.oldest(initiator)
    return after, Frame(operation, oldest, sync=sync), _sent(operation, value=sync.counter)


def _answer(
    parameters: Parameters, end: End, operation: Operation, index: int, session: int
) -> tuple[End, Frame]:
    held = end.responder.slots[index]
    if responders.owed(parameters, held) is not operation:
        raise NotAllowedError(f"the slot owes no {operation.name}")
    digest = held.echo if operation == Operation.DONE and held.echo else held.digest
    operand = held.reason << 24 if operation == Operation.ABORTED else 0
    answer = Frame(operation, held.id, digest, link_session=session, operand=operand)
    responder = responders.granted(parameters, end.responder, index)
    return _with_responder(end, responder), answer


# --- RECEIVE


def listening(end: End) -> Listening:
    """What `decode(image, **listening(end)._asdict())` checks a frame against."""
    link = end.link
    session = frames.link_session(link.verified, link.session)
    return Listening(end.up, session, link.epoch, link.record_max)


def receive(parameters: Parameters, end: End, verdict: Verdict) -> tuple[End, Event]:
    """The verdict on a frame. Only RECEIVED changes state: the frame waits in its unit's inbox."""
    match verdict:
        case Received(frame=frame):
            return _received(parameters, end, verdict), _received_event(frame)
        case Malformed(reason=reason):
            return end, Event(EventCode.MALFORMED, info=reason)
        case Foreign(ethertype=ethertype):
            return end, Event(EventCode.FOREIGN, value=ethertype)
        case Unsupported(operation=operation):
            return end, Event(EventCode.UNSUPPORTED, info=operation)
        case NotUp(operation=operation, id=identifier):
            return end, Event(EventCode.NOT_UP, info=operation, value=identifier)


def _received(parameters: Parameters, end: End, verdict: Received) -> End:
    frame = verdict.frame
    if frame.operation in SYNCS:
        if end.link.state == LinkState.DOWN:
            return end
        require(end.sync is None, "the link machine's inbox is full")
        return end._replace(sync=frame)
    require(end.up, "the link is not UP")
    if frame.operation == Operation.NOP:
        word = beats.unpack(frame.operand)
        return _with_beat(end, beats.hear(parameters, end.beat, word))
    if frame.operation in ANSWERS:
        require(end.answer is None, "the initiator's inbox is full")
        return _with_answer(end, frame)
    require(end.request is None, "the responder's inbox is full")
    return _with_request(end, verdict)


def _received_event(frame: Frame) -> Event:
    value = frame.id
    if frame.operation == Operation.NOP:
        value = frame.operand
    elif frame.sync is not None:
        value = frame.sync.counter
    return Event(EventCode.RECEIVED, info=frame.operation, value=value)


# --- INITIATOR


def can_open(end: End, host: Host) -> bool:
    """Whether the link lets a record become a transaction."""
    return end.up and not end.link.changing and host.epoch == end.link.epoch


def open_transaction(
    parameters: Parameters,
    end: End,
    record: bytes,
    *,
    tag: int = 0,
    kind: int = Kind.DATA,
    host: Host | None = None,
) -> tuple[End, Event]:
    """OPENED: the host's record becomes a transaction."""
    link, initiator = end.link, end.initiator
    require(end.up, "the link is not UP")
    require(not link.changing, "the peer's session is changing")
    require(host is None or host.epoch == link.epoch, "the end is changing epoch")
    refusal = refusal_of(parameters, link, record, kind)
    require(refusal is None, "the record can be no transaction")
    bound = initiator.next_id if parameters.has("F12") else 0
    digest = frames.digest(transmit_session(end), bound, kind, link.epoch, record)
    initiator, event = initiators.open_transaction(
        parameters, initiator, link.window, digest=digest, record=record, tag=tag, kind=kind
    )
    return _with_initiator(end, initiator), event


def refusal_of(parameters: Parameters, link: Link, record: bytes, kind: int) -> AbortReason | None:
    """Why a record can be no transaction.

    What does not fit into what is built is not looked at any further; what is only longer than
    was negotiated is first asked whether it is a record at all.
    """
    if len(record) > parameters.record_max:
        return AbortReason.RECORD_TOO_LONG
    advance = kind == Kind.EPOCH_ADVANCE
    if not record or kind not in KINDS or (advance and len(record) != 4):
        return AbortReason.RECORD_INVALID
    return AbortReason.RECORD_TOO_LONG if len(record) > link.record_max else None


def tell_unopened(end: End, tag: int, reason: AbortReason) -> tuple[End, Event]:
    """UNOPENED_TOLD: a record that can be no transaction was told ABORTED; it took no id."""
    unopened = (AbortReason.RECORD_TOO_LONG, AbortReason.RECORD_INVALID)
    require(reason in unopened, "not a reason for which a record takes no id")
    return end, Event(EventCode.UNOPENED_TOLD, info=reason << 2 | Outcome.ABORTED, value=tag)


def discard(end: End, tag: int) -> tuple[End, Event]:
    """RECORD_DISCARDED: tuser at the record's last beat; it never existed."""
    return end, Event(EventCode.RECORD_DISCARDED, value=tag)


def take_answer(parameters: Parameters, end: End) -> tuple[End, Event]:
    """The initiator takes the ACK, DONE or ABORTED in its inbox."""
    frame = end.answer
    if frame is None:
        raise NotAllowedError("the initiator's inbox is empty")
    require(initiators.comparing(end.initiator) is None, "a reflection is being compared")
    initiator, event = initiators.hear(
        parameters,
        end.initiator,
        end.link.window,
        frame.operation,
        frame.id,
        frame.digest,
        frame.operand >> 24 & 0x3F,
    )
    return _answer_taken(end, initiator, None), event


def compare(parameters: Parameters, end: End) -> tuple[End, Event]:
    """DECIDED or MISMATCHED."""
    index = initiators.comparing(end.initiator)
    if index is None:
        raise NotAllowedError("no slot is REFLECTING")
    initiator, event = initiators.compare(parameters, end.initiator, index)
    return _with_initiator(end, initiator), event


def cancel(parameters: Parameters, end: End, tag: int) -> tuple[End, Event]:
    """CANCELLED or CANCEL_IGNORED."""
    initiator, event = initiators.cancel(parameters, end.initiator, tag)
    return end._replace(initiator=initiator), event


def retry(parameters: Parameters, end: End, slot: int) -> tuple[End, Event]:
    """RETRIED."""
    initiator, event = initiators.retry(
        parameters, end.initiator, slot, end.beat.echo, end.beat.number
    )
    return end._replace(initiator=initiator), event


def resend(end: End) -> tuple[End, Event]:
    """RESENT."""
    initiator, event = initiators.resend(end.initiator)
    return end._replace(initiator=initiator), event


def offer(end: End, slot: int) -> End:
    """A completion is shown to the host; it has no event."""
    return _with_initiator(end, initiators.offer(end.initiator, slot, end.link.changing))


def tell(end: End, slot: int | None = None) -> tuple[End, Event]:
    """TOLD: the host took the offered completion, or, if none is offered, that of `slot`."""
    if end.initiator.offer is None and slot is not None:
        end = offer(end, slot)
    offered = end.initiator.offer
    require(slot is None or offered is None or offered.slot == slot, "another slot is offered")
    initiator, event = initiators.tell(end.initiator)
    link = end.link
    if offered is not None and offered.outcome == Outcome.COMMITTED:
        told = end.initiator.slots[offered.slot]
        link = _converge(link, told.kind, told.record)
    return _told(end, link, initiator), event


def _converge(link: Link, kind: int, record: bytes) -> Link:
    """An epoch advance takes effect; the converged epoch never goes back."""
    if kind != Kind.EPOCH_ADVANCE:
        return link
    return link._replace(converged=max(link.converged, int.from_bytes(record, "big")))


# --- RESPONDER


def take_request(parameters: Parameters, end: End, host: Host | None = None) -> tuple[End, Event]:
    """The responder takes the DATA, COMMIT or ABORT in its inbox.

    `host` is what stands at the host's inputs at this edge; without one, the end's own epoch.
    """
    if end.request is None:
        raise NotAllowedError("the responder's inbox is empty")
    require(responders.settling(end.responder) is None, "a slot is still settling")
    host = Host(epoch=end.link.epoch) if host is None else host
    frame, epoch = end.request
    refusal = Refusal(
        epoch=epoch != end.link.epoch or host.epoch != end.link.epoch,
        not_prepared=frame.kind == Kind.EPOCH_ADVANCE
        and (len(frame.record) != 4 or int.from_bytes(frame.record, "big") > host.prepared),
        host=not host.accept,
    )
    responder, event = responders.hear(
        parameters,
        end.responder,
        end.link.window,
        frame.operation,
        frame.id,
        frame.digest,
        kind=frame.kind,
        record=frame.record,
        epoch=epoch,
        refusal=refusal,
    )
    return _request_taken(end, responder, None), event


def settle(end: End) -> tuple[End, Event]:
    """REFLECTED or ABORT_RECORDED."""
    index = responders.settling(end.responder)
    if index is None:
        raise NotAllowedError("no slot is TENTATIVE or REVERSING")
    if end.responder.slots[index].state == State.TENTATIVE:
        responder, event = responders.reflect(end.responder, index)
    else:
        responder, event = responders.record_abort(end.responder, index)
    return _with_responder(end, responder), event


def deliver(parameters: Parameters, end: End) -> tuple[End, Event]:
    """DELIVERED: the host took the record, or the epoch advance took effect."""
    at_head = responders.head(end.responder, end.link.window)
    responder, event = responders.deliver(parameters, end.responder, end.link.window)
    link = end.link
    if at_head is not None:
        link = _converge(link, at_head.kind, at_head.record)
    return _delivered(end, link, responder), event


def skip(parameters: Parameters, end: End) -> tuple[End, Event]:
    """SKIPPED."""
    window, changing = end.link.window, end.link.changing
    responder, event = responders.skip(parameters, end.responder, window, changing)
    return end._replace(responder=responder), event


def doubt(parameters: Parameters, end: End) -> tuple[End, Event]:
    """DOUBTED: the host took the word on the doubt stream."""
    window, changing = end.link.window, end.link.changing
    responder, event = responders.doubt(parameters, end.responder, window, changing)
    return end._replace(responder=responder), event


# --- LINK


def enable(parameters: Parameters, end: End, session: int = 0) -> tuple[End, Event]:
    """ENABLED."""
    link, event = links.enable(parameters, end.link, session)
    return end._replace(link=link), event


def disable(end: End) -> tuple[End, Event]:
    """DISABLED."""
    link, event = links.disable(end.link)
    return end._replace(link=link, sync=None), event


def take_sync(parameters: Parameters, end: End) -> tuple[End, Event]:
    """SYNC_HEARD, SYNC_ACK_HEARD, SYNC_ACK_STALE, LOOPBACK or PAIR_VIOLATION."""
    frame = end.sync
    if frame is None or frame.sync is None:
        raise NotAllowedError("no SYNC or SYNC_ACK was heard")
    link, event = links.hear(parameters, end.link, frame.operation, frame.sync, frame.id)
    initiator = end.initiator
    came_up = link.state == LinkState.UP and end.link.state != LinkState.UP
    if link.resend and not parameters.has("F30"):
        came_up, link = True, link._replace(resend=False)  # without waiting for the SYNC_ACK
    if came_up:
        initiator = initiator._replace(resend=True)
    return end._replace(link=link, initiator=initiator, sync=None), event


def adopt(parameters: Parameters, end: End) -> tuple[End, Event]:
    """SESSION_ADOPTED: both lanes start again at id 0."""
    pending = end.link.pending
    if pending is None:
        raise NotAllowedError("no session is pending")
    require(end.answer is None and end.request is None, "an inbox holds a frame of the old session")
    initiator = initiators.adopt(parameters, end.initiator)
    pointer = 0 if parameters.has("F27") else pending.oldest
    responder = responders.adopt(end.responder, pointer)
    link, event = links.adopt(parameters, end.link)
    return end._replace(link=link, initiator=initiator, responder=responder), event


def foreign_session(parameters: Parameters, end: End) -> tuple[End, Event]:
    """FOREIGN_SESSION."""
    link, event = links.foreign_session(parameters, end.link)
    return end._replace(link=link), event


def sync_due(parameters: Parameters, end: End) -> tuple[End, Event]:
    """SYNC_DUE."""
    link, event = links.sync_due(parameters, end.link)
    return end._replace(link=link), event


def incoming_dead(parameters: Parameters, end: End) -> tuple[End, Event]:
    """INCOMING_DEAD."""
    link, event = links.dead(parameters, end.link, EventCode.INCOMING_DEAD)
    return end._replace(link=link), event


def outgoing_dead(parameters: Parameters, end: End) -> tuple[End, Event]:
    """OUTGOING_DEAD."""
    link, event = links.dead(parameters, end.link, EventCode.OUTGOING_DEAD)
    return end._replace(link=link), event


def take_epoch(end: End, epoch: int) -> tuple[End, Event]:
    """EPOCH_TAKEN: nothing is unresolved in either lane."""
    require(not end.initiator.busy, "the initiator holds a transaction")
    require(not end.responder.unresolved, "the responder holds something unresolved")
    link, event = links.take_epoch(end.link, epoch)
    return end._replace(link=link), event
