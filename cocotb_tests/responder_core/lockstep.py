"""Responder core in lockstep with `oae.model.responder`.

Every word on the event port is applied to the reference as the step that it tells, and must be
bit for bit the word that the reference tells. Which step may be taken at an edge is known before
it; every output and every slot is compared after it.
"""

from typing import Any, NamedTuple

from oae.model import responder as model
from oae.model.events import Event, from_word
from oae.model.parameters import Parameters
from oae.model.responder import Refusal, Responder
from oae.spec.constants import EventCode, Kind, Operation, State

from cocotb_tests.clocked import Clocked

HEARD = {
    EventCode.HELD,
    EventCode.REFUSED,
    EventCode.COMMIT_HEARD,
    EventCode.REVERSED,
    EventCode.ANSWER_REPEATED,
    EventCode.DELIVERY_AWAITED,
    EventCode.BEYOND_WINDOW,
    EventCode.BELOW_WINDOW,
    EventCode.COMMIT_IGNORED,
    EventCode.RESPONDER_VIOLATION,
}
SETTLED = {EventCode.REFLECTED, EventCode.ABORT_RECORDED}


class Request(NamedTuple):
    """A verified DATA, COMMIT or ABORT."""

    operation: Operation
    id: int
    digest: int
    kind: int = Kind.DATA
    stored: bool = True


class Inputs(NamedTuple):
    """What stands at the core's inputs at one edge."""

    crash: bool = False
    amnesia: bool = False
    changing: bool = False
    adopt: bool = False
    frame: Request | None = None
    refusal: Refusal = Refusal()
    delivered: bool = False
    doubt_ready: bool = False
    grant: int | None = None
    look: int = 0
    store_id: int = 0

    @property
    def restart(self) -> bool:
        """Whether no step may be taken."""
        return self.crash or self.amnesia


def digest_of(identifier: int) -> int:
    """Digest of the record of a transaction."""
    return identifier * 0x9E3779B1 + 7 & 0xFFFF_FFFF


class Lockstep:
    """A core, and the reference beside it."""

    def __init__(self, dut: Any, parameters: Parameters) -> None:
        self.unit = Clocked(dut)
        self.parameters = parameters
        self.window = parameters.window  # negotiated
        self.state: Responder = model.initial(parameters)
        self.inbox: Request | None = None
        self.seen: dict[EventCode, int] = {}

    async def start(self) -> "Lockstep":
        self.unit.drive(crash=0, amnesia=0)
        self._drive(Inputs())
        await self.unit.reset()
        self._compare(Inputs())
        return self

    @property
    def head(self) -> model.Slot | None:
        """The slot of the deliver pointer, if it names it."""
        return model.head(self.state, self.window)

    @property
    def deliverable(self) -> bool:
        """Whether the head is committed and still to be delivered."""
        head = self.head
        return head is not None and head.state == State.COMMITTED and not head.delivered

    async def cycle(self, inputs: Inputs = Inputs()) -> Event | None:
        """One clock cycle; the event of the step that its edge took."""
        unit = self.unit
        self._drive(inputs)
        await unit.settle()
        frame = inputs.frame or self.inbox
        offered = self.deliverable and self.head is not None and self.head.kind == Kind.DATA
        unit.expect(deliver_valid=offered)
        doubtful = bool(unit.read("doubt_valid"))
        if doubtful:
            assert inputs.changing, "doubt while the session does not change"
            assert self.head is not None, "doubt about what is not held"
            assert self.head.state == State.REFLECTING, "doubt about what is not REFLECTING"
        may = self._steps(inputs, frame, offered, doubtful)
        self._compare_store(inputs)
        recorded = unit.read("record_slot") if unit.read("record_valid") else None
        advanced = bool(unit.read("advance_taken"))
        await unit.edge()

        if inputs.grant is not None and not inputs.restart:
            self.state = model.granted(self.parameters, self.state, inputs.grant)
        self.inbox = frame
        event = self._event(inputs, may)
        self._compare_pulses(event, recorded, advanced)
        if inputs.adopt:
            self.state = model.adopt(self.state)
        if inputs.amnesia:
            self.state = model.initial(self.parameters)
        elif inputs.crash:
            self.state = model.crash(self.parameters, self.state)
        if inputs.restart:
            self.inbox = None
        self._compare(inputs)
        return event

    def _drive(self, inputs: Inputs) -> None:
        unit = self.unit
        frame = inputs.frame or self.inbox
        if frame is not None:
            slot = self.state.slots[frame.id % self.window]
            unit.drive(
                frame_operation=frame.operation,
                frame_id=frame.id,
                frame_kind=frame.kind,
                frame_stored=frame.stored,
                frame_matches=slot.digest == frame.digest,
            )
        unit.drive(
            crash=inputs.crash,
            amnesia=inputs.amnesia,
            slot_mask=self.window - 1,
            changing=inputs.changing,
            adopt=inputs.adopt,
            frame_valid=inputs.frame is not None,
            other_epoch=inputs.refusal.epoch,
            not_prepared=inputs.refusal.not_prepared,
            refuse=inputs.refusal.host,
            deliver_ready=inputs.delivered,
            doubt_ready=inputs.doubt_ready,
            grant_valid=inputs.grant is not None,
            grant_slot=inputs.grant or 0,
            look_slot=inputs.look,
            store_id=inputs.store_id,
        )

    def _steps(
        self, inputs: Inputs, frame: Request | None, offered: bool, doubtful: bool
    ) -> set[EventCode]:
        """Of these steps one must be taken at this edge."""
        state, head = self.state, self.head
        if inputs.restart:
            return set()
        if inputs.delivered and offered:
            return {EventCode.DELIVERED}
        if inputs.doubt_ready and doubtful:
            return {EventCode.DOUBTED}
        if model.settling(state) is not None:
            return SETTLED
        if frame is not None:
            return HEARD
        if self.deliverable and not offered:
            return {EventCode.DELIVERED}  # an epoch advance
        aborted = head is not None and head.state == State.ABORTED
        if aborted or (inputs.changing and state.unresolved and head is None):
            return {EventCode.SKIPPED}
        return set()

    def _event(self, inputs: Inputs, may: set[EventCode]) -> Event | None:
        unit = self.unit
        where = f"cycle {unit.cycle}"
        if not unit.read("event_valid"):
            assert not may, f"{where}: no step, expected one of {may}"
            return None
        word = unit.read("event_word")
        told = from_word(word)
        assert told.code in may, f"{where}: {told}, may be {may or 'nothing'}"
        self.state, expected = self._step(inputs, told)
        assert word == expected.word(), f"{where}: told {told}, expected {expected}"
        self.seen[told.code] = self.seen.get(told.code, 0) + 1
        return told

    def _step(self, inputs: Inputs, told: Event) -> tuple[Responder, Event]:
        """The step that was told, taken by the reference."""
        state, parameters, window = self.state, self.parameters, self.window
        code = told.code
        if code in HEARD:
            frame, self.inbox = self.inbox, None
            assert frame is not None
            return model.hear(
                parameters,
                state,
                window,
                frame.operation,
                frame.id,
                frame.digest,
                kind=frame.kind,
                refusal=inputs.refusal,
                stored=frame.stored,
            )
        if code in SETTLED:
            index = model.settling(state)
            assert index is not None
            settle = model.reflect if code == EventCode.REFLECTED else model.record_abort
            return settle(state, index)
        if code == EventCode.DELIVERED:
            return model.deliver(parameters, state, window)
        if code == EventCode.DOUBTED:
            return model.doubt(parameters, state, window, inputs.changing)
        assert code == EventCode.SKIPPED
        return model.skip(parameters, state, window, inputs.changing)

    def _compare_pulses(self, event: Event | None, recorded: int | None, advanced: bool) -> None:
        """What the core told its neighbours before the edge, against the step."""
        naming = event is not None and (
            event.code in (EventCode.HELD, EventCode.REFUSED)
            or (event.code == EventCode.REVERSED and event.before == State.IDLE)
        )
        assert recorded == (event.slot if event is not None and naming else None)
        takes = event is not None and event.code == EventCode.DELIVERED
        assert advanced == (takes and event is not None and event.info == Kind.EPOCH_ADVANCE)

    def _compare_store(self, inputs: Inputs) -> None:
        """A record word may be stored only in the window, and where nothing names its id."""
        distance = self.parameters.distance(inputs.store_id, self.state.pointer)
        free = model.names(self.state, self.window, inputs.store_id) is None
        self.unit.expect(store_allowed=0 <= distance < self.window and free)

    def _compare(self, inputs: Inputs) -> None:
        """Every slot, and every output that follows from the state."""
        unit, state, parameters = self.unit, self.state, self.parameters
        states = delivered = owed = 0
        for index, slot in enumerate(state.slots):
            states |= slot.state << 3 * index
            delivered |= (slot.state == State.COMMITTED and slot.delivered) << index
            owed |= (model.owed(parameters, slot) is not None) << index
        unit.expect(
            state=states, owes_answer=owed, unresolved=state.unresolved, head_id=state.pointer
        )
        if not inputs.adopt:  # the window changes with it
            unit.expect(head_slot=state.pointer % self.window)
        for index, slot in enumerate(state.slots):
            if slot.state == State.COMMITTED:
                assert unit.read("delivered") >> index & 1 == delivered >> index & 1
        look = state.slots[inputs.look]
        operation = model.owed(parameters, look)
        if operation is not None:
            unit.expect(look_operation=operation, look_id=look.id)
            if operation == Operation.ABORTED:
                unit.expect(look_reason=look.reason)
