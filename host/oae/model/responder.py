"""The responder of one lane: docs/protocol.md, section 3; docs/design.md, "Responder core"."""

from typing import NamedTuple

from oae.model.events import Event, moved
from oae.model.parameters import Parameters
from oae.model.steps import NotAllowedError, replaced, replacing, require
from oae.spec.constants import AbortReason, EventCode, Kind, Operation, State

IDLE, TENTATIVE, REFLECTING = State.IDLE, State.TENTATIVE, State.REFLECTING
COMMITTED, REVERSING, ABORTED = State.COMMITTED, State.REVERSING, State.ABORTED


class Slot(NamedTuple):
    """One transaction of the incoming lane, or its recorded outcome. An IDLE slot names nothing.
    All is durable but TENTATIVE, REVERSING and `answer`.
    """

    state: State = IDLE
    id: int = 0
    digest: int = 0
    kind: int = 0
    record: bytes = b""
    epoch: int = 0  # in which the record was accepted
    delivered: bool = False
    reason: int = 0
    answer: bool = False  # an answer is owed
    reflected: bool = False  # REVERSING: the record was REFLECTING
    echo: int = 0  # without F16: digest of the newest COMMIT

    @property
    def resolved(self) -> bool:
        """Whether the slot holds at most a recorded outcome."""
        state = self.state
        return state is IDLE or state is ABORTED or (state is COMMITTED and self.delivered)


class Responder(NamedTuple):
    """State of a responder: durable deliver pointer, slots."""

    pointer: int
    slots: tuple[Slot, ...]
    handing: Slot | None = None  # without F18 or F19: delivery and mark are two steps

    @property
    def unresolved(self) -> bool:
        """Whether anything is held that is neither delivered nor aborted."""
        return any(slot.state is not IDLE and not slot.resolved for slot in self.slots)


class Refusal(NamedTuple):
    """Why a DATA may not be held, as the responder sees it when it takes the frame."""

    epoch: bool = False  # sent in another epoch, or the end is changing epoch
    not_prepared: bool = False  # an advance beyond what the domain has prepared
    host: bool = False  # cfg_accept was low


NO_REFUSAL = Refusal()

_stepped = replacing(Slot, "state", "answer")
_answering = replacing(Slot, "answer", "echo")
_answered = replacing(Slot, "answer")
_delivered = replacing(Slot, "record", "delivered", "answer")
_with_slots = replacing(Responder, "slots")
_passed = replacing(Responder, "pointer", "slots")


def initial(parameters: Parameters, pointer: int = 0) -> Responder:
    """A responder after power-on."""
    return Responder(pointer, (Slot(),) * parameters.window)


def _with(responder: Responder, index: int, slot: Slot) -> Responder:
    return _with_slots(responder, replaced(responder.slots, index, slot))


class Survey(NamedTuple):
    """What the slots of a responder say together."""

    settling: int | None
    unresolved: bool
    answering: tuple[int, ...]  # slots that may owe an answer


def survey(responder: Responder) -> Survey:
    """One look at every slot."""
    settling, unresolved = None, False
    answering: tuple[int, ...] = ()
    for index, slot in enumerate(responder.slots):
        state = slot.state
        if state is IDLE:
            continue
        if not unresolved and not slot.resolved:
            unresolved = True
        if settling is None and (state is TENTATIVE or state is REVERSING):
            settling = index
        if slot.answer:
            answering += (index,)
    return Survey(settling, unresolved, answering)


def names(responder: Responder, window: int, identifier: int) -> Slot | None:
    """The slot that holds this id, resolved or not."""
    slot = responder.slots[identifier % window]
    return slot if slot.id == identifier and slot.state != IDLE else None


def owed(parameters: Parameters, slot: Slot) -> Operation | None:
    """Answer that the slot owes to the peer."""
    if not slot.answer:
        return None
    state = slot.state
    if state is REFLECTING:
        return Operation.ACK
    if state is ABORTED:
        return Operation.ABORTED
    if state is COMMITTED and (slot.delivered or not parameters.has("F20")):
        return Operation.DONE
    return None


def settling(responder: Responder) -> int | None:
    """The slot that is TENTATIVE or REVERSING; it lasts one step."""
    for index, slot in enumerate(responder.slots):
        if slot.state is TENTATIVE or slot.state is REVERSING:
            return index
    return None


def hear(
    parameters: Parameters,
    responder: Responder,
    window: int,
    operation: Operation,
    identifier: int,
    digest: int,
    *,
    kind: int = Kind.DATA,
    record: bytes = b"",
    epoch: int = 0,
    refusal: Refusal = NO_REFUSAL,
    stored: bool = True,
) -> tuple[Responder, Event]:
    """A verified DATA, COMMIT or ABORT. The window test precedes every row.

    A record of which a word was not `stored` was beyond the window when it came; a peer that keeps
    to its window never sends one.
    """
    index = identifier % window
    slot = names(responder, window, identifier)
    distance = parameters.distance(identifier, responder.pointer)

    def dropped(code: EventCode, index: int = 0) -> tuple[Responder, Event]:
        return responder, Event(code, index, info=operation, value=identifier)

    if parameters.has("F24"):
        if distance >= window:
            return dropped(EventCode.BEYOND_WINDOW)
        if distance < 0 and slot is None:
            return dropped(EventCode.BELOW_WINDOW)
        if slot is None and operation == Operation.DATA and not stored:
            return dropped(EventCode.BEYOND_WINDOW)
    if slot is None:
        fresh = Slot(IDLE, identifier, digest, kind, record, epoch)
        return _never_seen(parameters, responder, index, operation, fresh, refusal)
    if slot.state == COMMITTED and not slot.delivered:
        return responder, _again(EventCode.DELIVERY_AWAITED, index, slot, operation)
    if slot.resolved or (slot.state == REFLECTING and operation == Operation.DATA):
        echo = digest if operation == Operation.COMMIT else slot.echo
        repeated = _answering(slot, True, 0 if parameters.has("F16") else echo)
        event = _again(EventCode.ANSWER_REPEATED, index, slot, operation)
        return _with(responder, index, repeated), event
    require(slot.state == REFLECTING, "the slot is still settling")
    if digest != slot.digest:
        return dropped(EventCode.RESPONDER_VIOLATION, index)
    if operation == Operation.COMMIT:
        return _commit(parameters, responder, index)
    reversing = slot._replace(state=REVERSING, answer=False, reflected=True)
    event = moved(EventCode.REVERSED, index, REFLECTING, REVERSING, identifier)
    return _with(responder, index, reversing), event


def _again(code: EventCode, index: int, slot: Slot, operation: Operation) -> Event:
    return moved(code, index, slot.state, slot.state, slot.id, operation)


def _never_seen(
    parameters: Parameters,
    responder: Responder,
    index: int,
    operation: Operation,
    fresh: Slot,
    refusal: Refusal,
) -> tuple[Responder, Event]:
    identifier = fresh.id
    if operation == Operation.COMMIT or (
        operation == Operation.ABORT and not parameters.has("F22")
    ):
        return responder, Event(EventCode.COMMIT_IGNORED, info=operation, value=identifier)
    if operation == Operation.ABORT:
        reversing = Slot(REVERSING, identifier, fresh.digest)
        event = moved(EventCode.REVERSED, index, IDLE, REVERSING, identifier)
        return _with(responder, index, reversing), event
    reason = _reason(responder, fresh.kind, refusal)
    if reason is not None:
        refused = fresh._replace(state=ABORTED, record=b"", reason=reason, answer=True)
        event = moved(EventCode.REFUSED, index, IDLE, ABORTED, identifier, reason)
        return _with(responder, index, refused), event
    event = moved(EventCode.HELD, index, IDLE, TENTATIVE, identifier, fresh.kind)
    return _with(responder, index, _stepped(fresh, TENTATIVE, False)), event


def _reason(responder: Responder, kind: int, refusal: Refusal) -> AbortReason | None:
    """Why the DATA is refused; of several reasons the first."""
    if refusal.epoch:
        return AbortReason.EPOCH
    if kind == Kind.EPOCH_ADVANCE and (
        refusal.not_prepared
        or any(s.kind == Kind.EPOCH_ADVANCE and not s.resolved for s in responder.slots)
    ):
        return AbortReason.NOT_PREPARED
    return AbortReason.REFUSED if refusal.host else None


def _commit(parameters: Parameters, responder: Responder, index: int) -> tuple[Responder, Event]:
    slot = responder.slots[index]
    committed = _stepped(slot, COMMITTED, not parameters.has("F20"))
    event = moved(EventCode.COMMIT_HEARD, index, REFLECTING, COMMITTED, slot.id)
    if not parameters.has("F19") and slot.id == responder.pointer:
        # The mark comes before the delivery.
        responder = _marked(parameters, _with(responder, index, committed), index)
        return responder._replace(handing=committed), event
    return _with(responder, index, committed), event


def reflect(responder: Responder, index: int) -> tuple[Responder, Event]:
    """REFLECTED: the record is held durably; ACK is owed."""
    slot = responder.slots[index]
    require(slot.state == TENTATIVE, "the slot is not TENTATIVE")
    event = moved(EventCode.REFLECTED, index, TENTATIVE, REFLECTING, slot.id)
    return _with(responder, index, _stepped(slot, REFLECTING, True)), event


def record_abort(responder: Responder, index: int) -> tuple[Responder, Event]:
    """ABORT_RECORDED: the outcome is durable, the record discarded; ABORTED is owed."""
    slot = responder.slots[index]
    require(slot.state == REVERSING, "the slot is not REVERSING")
    aborted = slot._replace(
        state=ABORTED, record=b"", reason=AbortReason.REQUESTED, answer=True, reflected=False
    )
    event = moved(EventCode.ABORT_RECORDED, index, REVERSING, ABORTED, slot.id)
    return _with(responder, index, aborted), event


def abandon(parameters: Parameters, responder: Responder, index: int) -> tuple[Responder, Event]:
    """Without F5: a responder that has reflected grows tired of waiting."""
    slot = responder.slots[index]
    require(not parameters.has("F5"), "a responder that has reflected never aborts by itself")
    require(slot.state == REFLECTING, "the slot is not REFLECTING")
    aborted = slot._replace(state=ABORTED, record=b"", answer=True)
    event = moved(EventCode.ABORT_RECORDED, index, REFLECTING, ABORTED, slot.id)
    return _with(responder, index, aborted), event


def head(responder: Responder, window: int) -> Slot | None:
    """The slot that holds the id which is next to be delivered."""
    return names(responder, window, responder.pointer)


def _marked(parameters: Parameters, responder: Responder, index: int) -> Responder:
    """The durable mark of a delivery; DONE is owed. Only the outcome is kept."""
    slot = _delivered(responder.slots[index], b"", True, True)
    pointer = (responder.pointer + 1) & parameters.id_mask
    return _passed(responder, pointer, replaced(responder.slots, index, slot))


def deliver(parameters: Parameters, responder: Responder, window: int) -> tuple[Responder, Event]:
    """DELIVERED: the host took the record's last beat, and the mark is set, in one step."""
    index = responder.pointer % window
    if not parameters.has("F19") and responder.handing is not None:
        # Marked before: only now does the host get it.
        slot = responder.handing
        event = moved(EventCode.DELIVERED, slot.id % window, COMMITTED, COMMITTED, slot.id)
        return responder._replace(handing=None), event
    at_head = head(responder, window)
    if at_head is None:
        raise NotAllowedError("nothing is held for the next id")
    deliverable = at_head.state == COMMITTED or (
        not parameters.has("F8") and at_head.state == REFLECTING
    )
    require(deliverable and not at_head.delivered, "the next id is not COMMITTED")
    require(responder.handing is None, "a delivery is still to be marked")
    event = moved(
        EventCode.DELIVERED, index, at_head.state, at_head.state, at_head.id, at_head.kind
    )
    if not parameters.has("F18") and at_head.kind == Kind.DATA:
        # Handed over now, marked later.
        return responder._replace(handing=at_head), event
    return _marked(parameters, responder, index), event


def mark_late(parameters: Parameters, responder: Responder, window: int) -> Responder:
    """Without F18: the mark comes one step after the delivery."""
    require(not parameters.has("F18"), "delivery and its mark are one step")
    require(responder.handing is not None, "no delivery is still to be marked")
    index = responder.pointer % window
    return _marked(parameters, responder._replace(handing=None), index)


def skip(
    parameters: Parameters, responder: Responder, window: int, changing: bool
) -> tuple[Responder, Event]:
    """SKIPPED: the pointer passes an ABORTED id; while draining, also one that never came."""
    at_head = head(responder, window)
    if at_head is None:
        require(changing and responder.unresolved, "the next id has not come yet")
    else:
        require(at_head.state == ABORTED, "the next id is not ABORTED")
    event = Event(EventCode.SKIPPED, value=responder.pointer)
    pointer = (responder.pointer + 1) & parameters.id_mask
    return responder._replace(pointer=pointer), event


def doubt(
    parameters: Parameters, responder: Responder, window: int, changing: bool
) -> tuple[Responder, Event]:
    """DOUBTED: nobody will ever decide this record; the host took the word that tells so."""
    at_head = head(responder, window)
    require(changing, "the peer has not lost its memory")
    if at_head is None or at_head.state != REFLECTING:
        raise NotAllowedError("the next id is not REFLECTING")
    index = responder.pointer % window
    event = moved(EventCode.DOUBTED, index, REFLECTING, IDLE, responder.pointer)
    pointer = (responder.pointer + 1) & parameters.id_mask
    return _with(responder, index, Slot())._replace(pointer=pointer), event


def granted(parameters: Parameters, responder: Responder, index: int) -> Responder:
    """The slot's owed answer was handed to the builder."""
    slot = responder.slots[index]
    require(owed(parameters, slot) is not None, "the slot owes no answer")
    forgets = not parameters.has("F21") and slot.resolved
    if forgets and parameters.distance(slot.id, responder.pointer) < 0:
        return _with(responder, index, Slot())  # without F21: forgotten once answered
    return _with(responder, index, _answered(slot, False))


def crash(parameters: Parameters, responder: Responder) -> Responder:
    """What a crash leaves: TENTATIVE was never promised, REVERSING not yet recorded."""
    if not parameters.has("F15"):
        return initial(parameters)
    return Responder(responder.pointer, tuple(_crashed(parameters, s) for s in responder.slots))


def _crashed(parameters: Parameters, slot: Slot) -> Slot:
    if slot.state == REVERSING and slot.reflected:
        slot = slot._replace(state=REFLECTING, reflected=False)
    if slot.state in (TENTATIVE, REVERSING):
        return Slot()
    if slot.state == REFLECTING and not parameters.has("F3"):
        return Slot()
    if slot.state in (COMMITTED, ABORTED) and not parameters.has("F4"):
        return Slot()
    return slot._replace(answer=False, echo=0)


def adopt(responder: Responder, pointer: int = 0) -> Responder:
    """SESSION_ADOPTED: ids start at 0, recorded outcomes are erased."""
    require(not responder.unresolved, "the responder is not drained")
    return Responder(pointer, (Slot(),) * len(responder.slots))
