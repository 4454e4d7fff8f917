"""The relations between both ends of a lane: docs/protocol.md, section 7.

They hold in every reachable state of the full protocol. Transactions are counted from 0 in the
order in which they were opened, so that ids may wrap.
"""

from oae.frame import Frame
from oae.model.initiator import Initiator
from oae.model.initiator import Slot as Outgoing
from oae.model.parameters import Parameters
from oae.model.responder import Responder
from oae.model.responder import Slot as Incoming
from oae.spec.constants import Operation, Outcome, State

UNDECIDED = (State.TENTATIVE, State.REFLECTING)
UNRESOLVED = (State.TENTATIVE, State.REFLECTING, State.COMMITTED)


class Lane:
    """Both ends of a lane, with transactions counted from 0."""

    def __init__(
        self,
        parameters: Parameters,
        window: int,
        initiator: Initiator,
        told: tuple[int, ...],
        responder: Responder,
    ) -> None:
        self.window = window
        self.next = len(told)
        self.told = told
        self._parameters = parameters
        self._next_id = initiator.next_id
        self.pointer = self.number(responder.pointer)
        self.slots = tuple(enumerate(initiator.slots))
        self.named = tuple(enumerate(responder.slots))
        self.outgoing = {self.number(s.id): s for s in initiator.slots if s.state != State.IDLE}
        self.incoming = {self.number(s.id): s for s in responder.slots if s.state != State.IDLE}
        self.equal = {
            k: k in self.incoming and self.incoming[k].digest == slot.digest
            for k, slot in self.outgoing.items()
        }

    def number(self, identifier: int) -> int:
        """Number of the transaction with this id."""
        return self.next + self._parameters.distance(identifier, self._next_id)

    def incoming_in(self, k: int, *states: State) -> bool:
        """Whether the responder holds k in one of these states."""
        return k in self.incoming and self.incoming[k].state in states

    def outgoing_in(self, k: int, *states: State) -> bool:
        """Whether the initiator holds k in one of these states."""
        return k in self.outgoing and self.outgoing[k].state in states

    def told_as(self, k: int, outcome: Outcome) -> bool:
        """Whether the outcome of k has been told so."""
        return 0 <= k < self.next and self.told[k] == outcome

    def delivered(self, k: int) -> bool:
        """Whether the responder's slot says that k was delivered."""
        return k in self.incoming and self.incoming[k].delivered


def broken(lane: Lane) -> str | None:
    """The first relation between the two ends that does not hold."""
    if lane.pointer > lane.next:
        return "I1"
    for index, slot in lane.slots:
        if slot.state != State.IDLE:
            k = lane.number(slot.id)
            if slot.id % lane.window != index or not lane.next - lane.window <= k < lane.next:
                return "I3"
            if found := _outgoing_broken(lane, k, slot):
                return found
    for index, held in lane.named:
        if held.state != State.IDLE:
            k = lane.number(held.id)
            in_window = lane.pointer - lane.window <= k < lane.pointer + lane.window
            if held.id % lane.window != index or not in_window or k >= lane.next:
                return "I4"
            if found := _incoming_broken(lane, k, held):
                return found
    return _counted_broken(lane)


def _outgoing_broken(lane: Lane, k: int, slot: Outgoing) -> str | None:
    at_peer = lane.incoming.get(k)
    if slot.state == State.COMMITTED:
        held = lane.incoming_in(k, State.REFLECTING, State.COMMITTED)
        if not held or not lane.equal[k]:
            return "I10"
        if k < lane.pointer and not lane.delivered(k):
            return "I28"
    if (
        slot.state == State.REFLECTING
        and slot.equal
        and not (lane.incoming_in(k, State.REFLECTING) and lane.equal[k])
    ):
        return "I13"
    if slot.state in (*UNDECIDED, State.REVERSING):
        if lane.incoming_in(k, State.COMMITTED):
            return "I14"
        if k < lane.pointer and not lane.incoming_in(k, State.ABORTED):
            return "I14"
    if k < lane.pointer and (at_peer is None or not at_peer.resolved):
        return "I15"
    return None


def _incoming_broken(lane: Lane, k: int, held: Incoming) -> str | None:
    if held.state in UNRESOLVED and not held.delivered and k < lane.pointer:
        return "I5"
    if held.delivered and k >= lane.pointer:
        return "I6"
    if not held.resolved and k not in lane.outgoing:
        return "I8"
    decided = lane.outgoing_in(k, State.COMMITTED)
    if held.state == State.COMMITTED and not held.delivered and not decided:
        return "I11"
    if held.delivered and not (decided or lane.told_as(k, Outcome.COMMITTED)):
        return "I12"
    if (
        held.state == State.ABORTED
        and not lane.outgoing_in(k, State.TENTATIVE, State.REVERSING, State.ABORTED)
        and not lane.told_as(k, Outcome.ABORTED)
    ):
        return "I23"
    return None


def _counted_broken(lane: Lane) -> str | None:
    for k in range(lane.next):
        aborted = lane.incoming_in(k, State.ABORTED)
        if k >= lane.pointer and not aborted and k not in lane.outgoing:
            return "I9"
        if k not in lane.outgoing and k >= lane.pointer and not aborted:
            return "I16"
        if lane.told[k] == Outcome.COMMITTED and k >= lane.pointer:
            return "I24"
        if lane.told[k] == Outcome.ABORTED and lane.delivered(k):
            return "I24"
        if (lane.told[k] != 0) == (k in lane.outgoing):
            return "I25"
    return None


def frame_broken(lane: Lane, frame: Frame) -> str | None:
    """The first relation between the ends and a frame once sent that does not hold."""
    k = lane.number(frame.id)
    if k >= lane.next:
        return "I22"
    committed = lane.outgoing_in(k, State.COMMITTED) or lane.told_as(k, Outcome.COMMITTED)
    match frame.operation:
        case Operation.COMMIT:
            return None if committed else "I17"
        case Operation.ABORT:
            taken_back = lane.outgoing_in(k, State.REVERSING, State.ABORTED)
            return None if taken_back or lane.told_as(k, Outcome.ABORTED) else "I18"
        case Operation.ACK:
            waiting = lane.outgoing_in(k, State.TENTATIVE)
            return "I19" if waiting and not lane.incoming_in(k, State.REFLECTING) else None
        case Operation.DONE:
            return None if k < lane.pointer and committed else "I20"
        case Operation.ABORTED:
            recorded = lane.incoming_in(k, State.ABORTED) or k < lane.pointer
            return "I21" if committed or lane.delivered(k) or not recorded else None
    return None
