"""The initiator of one lane: docs/protocol.md, section 3; docs/design.md, "Initiator core"."""

from typing import Final, NamedTuple

from oae.model.events import Event, moved
from oae.model.parameters import Parameters
from oae.model.steps import NotAllowedError, replaced, replacing, require
from oae.spec.constants import AbortReason, EventCode, Kind, Operation, Outcome, State

IDLE, TENTATIVE, REFLECTING = State.IDLE, State.TENTATIVE, State.REFLECTING
COMMITTED, REVERSING, ABORTED = State.COMMITTED, State.REVERSING, State.ABORTED

OWED = {TENTATIVE: Operation.DATA, COMMITTED: Operation.COMMIT, REVERSING: Operation.ABORT}


class Slot(NamedTuple):
    """One transaction of the outgoing lane. Durable: state, id, digest, tag, kind, and the
    record of an epoch advance; `state` is durable in so far as it tells IDLE, decided and neither.
    """

    state: State = IDLE
    id: int = 0
    digest: int = 0
    tag: int = 0
    kind: int = 0
    record: bytes = b""
    equal: bool = False  # REFLECTING: the reflection's digest is the slot's
    known: bool = False  # DONE was heard
    send: bool = False  # a frame is owed
    sent: bool = False  # the first DATA went out
    reason: int = 0
    mark: int = 0  # beat number current when the slot last sent

    @property
    def waiting(self) -> bool:
        """Whether the slot waits for an answer."""
        state = self.state
        return state is TENTATIVE or state is REVERSING or (state is COMMITTED and not self.known)


class Offer(NamedTuple):
    """A completion that the host has been shown; it stays as it is."""

    slot: int
    outcome: Outcome
    reason: AbortReason


class Initiator(NamedTuple):
    """State of an initiator. `next_id` is durable, `offer` and `resend` are not."""

    next_id: int
    slots: tuple[Slot, ...]
    offer: Offer | None = None
    resend: bool = False  # every waiting slot is to send once
    late: Slot | None = None  # without F23: counted, but not yet written

    @property
    def busy(self) -> bool:
        """Whether any slot holds a transaction."""
        return any(slot.state is not IDLE for slot in self.slots)

    @property
    def waiting(self) -> bool:
        """Whether any slot waits for an answer."""
        return any(slot.state is not IDLE and slot.waiting for slot in self.slots)

    def owed(self, index: int) -> Operation | None:
        """Operation that the slot owes to the peer."""
        slot = self.slots[index]
        return OWED.get(slot.state) if slot.send else None


_sending = replacing(Slot, "send")
_stepped = replacing(Slot, "state", "send")
_reflecting = replacing(Slot, "state", "equal", "send")
_decided = replacing(Slot, "state", "equal", "known", "send")
_known = replacing(Slot, "known", "send")
_aborted = replacing(Slot, "state", "send", "reason")
_gone = replacing(Slot, "send", "sent", "mark")
_retried = replacing(Slot, "send", "mark")
_with_slots = replacing(Initiator, "slots")
_opened = replacing(Initiator, "next_id", "slots")
_offered = replacing(Initiator, "offer")
_told = replacing(Initiator, "slots", "offer")
_NOTHING: Final = Slot()
_COMPLETED: Final = Outcome.COMMITTED, AbortReason.NONE


class Survey(NamedTuple):
    """What the slots of an initiator say together."""

    comparing: int | None
    busy: bool
    waiting: bool
    owing: tuple[int, ...]  # slots that owe a frame
    overdue: int | None  # slot that an echo shows to be so
    told: tuple[int, ...]  # slots whose outcome may be told


def survey(parameters: Parameters, initiator: Initiator, echo: int, changing: bool) -> Survey:
    """One look at every slot, when the peer has echoed this beat."""
    comparing = overdue = None
    busy = waiting = False
    owing: tuple[int, ...] = ()
    told: tuple[int, ...] = ()
    mask = parameters.beat_mask
    for index, slot in enumerate(initiator.slots):
        state = slot.state
        if state is IDLE:
            continue
        busy = True
        if slot.send:
            owing += (index,)
        if state is REFLECTING:
            if comparing is None:
                comparing = index
        elif state is ABORTED or (state is COMMITTED and slot.known):
            told += (index,)
            continue
        else:
            waiting = True
            if overdue is None and not slot.send and 0 < (echo - slot.mark & mask) <= mask >> 1:
                overdue = index
        if changing:
            told += (index,)
    return Survey(comparing, busy, waiting, owing, overdue, told)


def initial(parameters: Parameters, next_id: int = 0) -> Initiator:
    """An initiator after power-on."""
    return Initiator(next_id, (Slot(),) * parameters.window)


def _with(initiator: Initiator, index: int, slot: Slot) -> Initiator:
    return _with_slots(initiator, replaced(initiator.slots, index, slot))


def free_slot(initiator: Initiator, window: int) -> int | None:
    """Slot of the next transaction, if it is free."""
    index = initiator.next_id % window
    return index if initiator.slots[index].state == IDLE else None


def open_transaction(
    parameters: Parameters,
    initiator: Initiator,
    window: int,
    *,
    digest: int,
    record: bytes,
    tag: int = 0,
    kind: int = Kind.DATA,
) -> tuple[Initiator, Event]:
    """OPENED: the record becomes transaction `next_id`, counter and slot in one durable step."""
    index = free_slot(initiator, window)
    if index is None:
        raise NotAllowedError("the slot of the next id is busy")
    if kind == Kind.EPOCH_ADVANCE:
        advances = any(s.state != IDLE and s.kind == Kind.EPOCH_ADVANCE for s in initiator.slots)
        require(not advances, "another epoch advance is in the lane")
    identifier = initiator.next_id
    opened = Slot(TENTATIVE, identifier, digest, tag, kind, record, send=True)
    following = (identifier + 1) & parameters.id_mask
    event = moved(EventCode.OPENED, index, IDLE, TENTATIVE, identifier, kind)
    if not parameters.has("F23"):
        require(initiator.late is None, "a slot is still to be written")
        return initiator._replace(next_id=following, late=opened), event
    return _opened(initiator, following, replaced(initiator.slots, index, opened)), event


def write_late(initiator: Initiator, window: int) -> Initiator:
    """Without F23: the slot is written one step after the counter."""
    if initiator.late is None:
        raise NotAllowedError("no slot is still to be written")
    written = _with(initiator, initiator.late.id % window, initiator.late)
    return written._replace(late=None)


def names(initiator: Initiator, window: int, identifier: int) -> Slot | None:
    """The busy slot that holds this id."""
    slot = initiator.slots[identifier % window]
    return slot if slot.id == identifier and slot.state != IDLE else None


def hear(
    parameters: Parameters,
    initiator: Initiator,
    window: int,
    operation: Operation,
    identifier: int,
    digest: int,
    reason: int = 0,
) -> tuple[Initiator, Event]:
    """A verified ACK, DONE or ABORTED. What answers nothing is not believed."""
    index = identifier % window
    slot = names(initiator, window, identifier)
    if operation == Operation.DONE and not parameters.has("F11"):
        return _believe(initiator, index)
    if slot is None:
        return initiator, _ignored(operation, identifier)
    equal = digest == slot.digest
    if operation == Operation.ACK:
        if slot.state == TENTATIVE:
            heard = _reflecting(slot, REFLECTING, equal, False)
            if not parameters.has("F13"):
                heard = heard._replace(digest=digest)  # believed, whatever it is
            return _with(initiator, index, heard), moved(
                EventCode.REFLECTION_HEARD, index, TENTATIVE, REFLECTING, identifier, int(equal)
            )
        if slot.state == COMMITTED and not slot.known:
            return _with(initiator, index, _sending(slot, True)), moved(
                EventCode.REFLECTION_REPEATED, index, COMMITTED, COMMITTED, identifier
            )
        return initiator, _ignored(operation, identifier)
    if not equal:
        return initiator, _ignored(operation, identifier)
    if operation == Operation.DONE:
        if slot.state == COMMITTED and not slot.known:
            heard = _known(slot, True, False)
            return _with(initiator, index, heard), moved(
                EventCode.DONE_HEARD, index, COMMITTED, COMMITTED, identifier
            )
        violation = slot.state in (TENTATIVE, REVERSING)
    else:
        if slot.state in (TENTATIVE, REVERSING):
            heard = _aborted(slot, ABORTED, False, reason)
            return _with(initiator, index, heard), moved(
                EventCode.ABORT_CONFIRMED, index, slot.state, ABORTED, identifier, reason
            )
        violation = slot.state == COMMITTED
    if violation:
        return initiator, Event(
            EventCode.INITIATOR_VIOLATION, index, info=operation, value=identifier
        )
    return initiator, _ignored(operation, identifier)


def _ignored(operation: Operation, identifier: int) -> Event:
    return Event(EventCode.ANSWER_IGNORED, info=operation, value=identifier)


def _believe(initiator: Initiator, index: int) -> tuple[Initiator, Event]:
    """Without F11: whatever the slot holds, a DONE completes it."""
    slot = initiator.slots[index]
    if slot.state == IDLE or slot.known:
        return initiator, Event(EventCode.ANSWER_IGNORED, info=Operation.DONE, value=slot.id)
    done = slot._replace(state=COMMITTED, known=True, send=False)
    event = moved(EventCode.DONE_HEARD, index, slot.state, COMMITTED, slot.id)
    return _with(initiator, index, done), event


def comparing(initiator: Initiator) -> int | None:
    """The slot that is REFLECTING; it lasts one step."""
    for index, slot in enumerate(initiator.slots):
        if slot.state is REFLECTING:
            return index
    return None


def compare(parameters: Parameters, initiator: Initiator, index: int) -> tuple[Initiator, Event]:
    """DECIDED or MISMATCHED: an equal reflection is the decision, and it is durable."""
    slot = initiator.slots[index]
    require(slot.state == REFLECTING, "the slot is not REFLECTING")
    if slot.equal or not parameters.has("F13"):
        decided = _decided(slot, COMMITTED, False, not parameters.has("F7"), True)
        event = moved(EventCode.DECIDED, index, REFLECTING, COMMITTED, slot.id)
    else:
        decided = _decided(slot, REVERSING, False, slot.known, True)
        event = moved(EventCode.MISMATCHED, index, REFLECTING, REVERSING, slot.id)
    return _with(initiator, index, decided), event


def cancel(parameters: Parameters, initiator: Initiator, tag: int) -> tuple[Initiator, Event]:
    """CANCELLED: the lowest TENTATIVE slot with this tag is taken back; else CANCEL_IGNORED."""
    for index, slot in enumerate(initiator.slots):
        undecided = slot.state == TENTATIVE or (
            not parameters.has("F6") and slot.state == COMMITTED and not slot.known
        )
        if slot.tag == tag and undecided:
            taken_back = _stepped(slot, REVERSING, True)
            return _with(initiator, index, taken_back), moved(
                EventCode.CANCELLED, index, slot.state, REVERSING, slot.id
            )
    return initiator, Event(EventCode.CANCEL_IGNORED, value=tag)


def retry(
    parameters: Parameters, initiator: Initiator, index: int, echo: int, number: int
) -> tuple[Initiator, Event]:
    """RETRIED: an echo that is ahead of the slot's mark proves that its answer is overdue."""
    slot = initiator.slots[index]
    require(slot.waiting, "the slot does not wait")
    require(not slot.send, "the slot already owes a frame")
    require(parameters.beats_ahead(echo, slot.mark) > 0, "no echo is ahead of the slot's mark")
    event = moved(EventCode.RETRIED, index, slot.state, slot.state, slot.id)
    return _with(initiator, index, _retried(slot, True, number)), event


def resend(initiator: Initiator) -> tuple[Initiator, Event]:
    """RESENT: every waiting slot sends once."""
    require(initiator.resend, "the link did not come up and no SYNC was answered")
    slots = tuple(_sending(slot, True) if slot.waiting else slot for slot in initiator.slots)
    return initiator._replace(slots=slots, resend=False), Event(EventCode.RESENT)


def completion(slot: Slot, changing: bool) -> tuple[Outcome, AbortReason] | None:
    """What may be told of the slot now."""
    state = slot.state
    if state is ABORTED:
        return Outcome.ABORTED, AbortReason(slot.reason)
    if state is COMMITTED and slot.known:
        return _COMPLETED
    if not changing or state is IDLE:
        return None
    lost = AbortReason.PEER_LOST_MEMORY
    return (Outcome.UNKNOWN if slot.state == COMMITTED else Outcome.ABORTED), lost


def offer(initiator: Initiator, index: int, changing: bool) -> Initiator:
    """The completion of a slot is shown to the host; told later, it is told as shown now."""
    require(initiator.offer is None, "another completion is offered")
    found = completion(initiator.slots[index], changing)
    if found is None:
        raise NotAllowedError("the slot has no outcome")
    return _offered(initiator, Offer(index, *found))


def tell(initiator: Initiator) -> tuple[Initiator, Event]:
    """TOLD: the host took the offered completion; telling and freeing are one step."""
    offered = initiator.offer
    if offered is None:
        raise NotAllowedError("no completion is offered")
    slot = initiator.slots[offered.slot]
    info = offered.reason << 2 | offered.outcome
    event = moved(EventCode.TOLD, offered.slot, slot.state, IDLE, slot.id, info)
    return _told(initiator, replaced(initiator.slots, offered.slot, _NOTHING), None), event


def granted(parameters: Parameters, initiator: Initiator, index: int, number: int = 0) -> Initiator:
    """The slot's owed frame was handed to the builder while `number` was my newest beat."""
    require(initiator.owed(index) is not None, "the slot owes no frame")
    slot = initiator.slots[index]
    return _with(initiator, index, _gone(slot, False, True, number))


def crash(parameters: Parameters, initiator: Initiator) -> Initiator:
    """What a crash leaves: the undecided is taken back, never IDLE."""
    if not parameters.has("F15"):
        return initial(parameters)
    next_id = initiator.next_id if parameters.has("F2") else 0
    return Initiator(next_id, tuple(_crashed(parameters, slot) for slot in initiator.slots))


def _crashed(parameters: Parameters, slot: Slot) -> Slot:
    if slot.state == IDLE:
        return slot
    decided = slot.state == COMMITTED and parameters.has("F1")
    return Slot(
        COMMITTED if decided else REVERSING, slot.id, slot.digest, slot.tag, slot.kind, slot.record
    )


def adopt(parameters: Parameters, initiator: Initiator) -> Initiator:
    """SESSION_ADOPTED: ids start at 0."""
    require(not initiator.busy, "the initiator is not drained")
    return initiator._replace(next_id=0) if parameters.has("F27") else initiator


def oldest(initiator: Initiator) -> int:
    """The oldest id that is held, or else the next one."""
    held = [slot.id for slot in initiator.slots if slot.state != IDLE]
    return min(held, default=initiator.next_id)
