"""Initiator core in lockstep with `oae.model.initiator`.

Every word on the event port is applied to the reference as the step that it tells, and must be
bit for bit the word that the reference tells. Which step may be taken at an edge is known before
it; every output is compared after it.
"""

from typing import Any, NamedTuple

from oae.model import initiator as model
from oae.model.events import Event, from_word
from oae.model.initiator import Initiator, Offer
from oae.model.parameters import Parameters
from oae.spec.constants import AbortReason, EventCode, Kind, Operation, Outcome, State

from cocotb_tests.clocked import Clocked

HEARD = {
    EventCode.REFLECTION_HEARD,
    EventCode.REFLECTION_REPEATED,
    EventCode.DONE_HEARD,
    EventCode.ABORT_CONFIRMED,
    EventCode.ANSWER_IGNORED,
    EventCode.INITIATOR_VIOLATION,
}
COMPARED = {EventCode.DECIDED, EventCode.MISMATCHED}
# The handshake that says, before the edge, which step it takes.
TAKEN_BY = {
    "tell_taken": {EventCode.TOLD},
    "refusal_taken": {EventCode.UNOPENED_TOLD},
    "open_ready": {EventCode.OPENED},
    "discard_ready": {EventCode.RECORD_DISCARDED},
    "cancel_ready": {EventCode.CANCELLED, EventCode.CANCEL_IGNORED},
    "retry_ready": {EventCode.RETRIED},
}


class Answer(NamedTuple):
    """A verified ACK, DONE or ABORTED."""

    operation: Operation
    id: int
    digest: int
    reason: int = 0


class Inputs(NamedTuple):
    """What stands at the core's inputs at one edge."""

    crash: bool = False
    amnesia: bool = False
    can_open: bool = False
    changing: bool = False
    adopt: bool = False
    resend: bool = False
    frame: Answer | None = None
    open_kind: int | None = None  # a record to open
    refusal: AbortReason | None = None
    discard: bool = False
    submit_tag: int = 0
    cancel_tag: int | None = None
    cancel_noise: int = 0  # hits of slots that hold nothing
    retry: int | None = None
    grant: int | None = None
    tell_ready: bool = False
    look: int = 0

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
        self.state: Initiator = model.initial(parameters)
        self.refusal_offered: AbortReason | None = None
        self.inbox: Answer | None = None
        self.seen: dict[EventCode, int] = {}
        self.events: list[Event] = []

    async def start(self) -> "Lockstep":
        self.unit.drive(crash=0, amnesia=0)
        self._drive(Inputs())
        await self.unit.reset()
        self._compare(Inputs())
        return self

    async def cycle(self, inputs: Inputs = Inputs()) -> Event | None:
        """One clock cycle; the event of the step that its edge took."""
        unit = self.unit
        self._drive(inputs)
        await unit.settle()
        frame = inputs.frame or self.inbox
        must, may = self._steps(inputs, frame)
        taken = {name for name in TAKEN_BY if unit.read(name)}
        before = self.state
        was_offered = self.state.offer is not None or self.refusal_offered is not None
        await unit.edge()

        if inputs.grant is not None and not inputs.restart:
            self.state = model.granted(self.parameters, self.state, inputs.grant)
        self.inbox = frame
        event = self._event(inputs, must, may, taken)
        if inputs.resend:
            self.state = self.state._replace(resend=True)
        if inputs.adopt:
            self.state = model.adopt(self.parameters, self.state)
        if inputs.amnesia:
            self.state = model.initial(self.parameters)
        elif inputs.crash:
            self.state = model.crash(self.parameters, self.state)
        if inputs.restart:
            self.inbox = None
            self.refusal_offered = None
        elif unit.read("tell_valid") and (not was_offered or self._nothing_offered):
            self._offer(inputs, before)
        self._compare(inputs)
        return event

    @property
    def _nothing_offered(self) -> bool:
        return self.state.offer is None and self.refusal_offered is None

    @property
    def offered(self) -> bool:
        """Whether a completion stands at the port."""
        return not self._nothing_offered

    def _drive(self, inputs: Inputs) -> None:
        unit, slots = self.unit, self.state.slots
        frame = inputs.frame or self.inbox
        if frame is not None:
            index = frame.id % self.window
            unit.drive(
                frame_operation=frame.operation,
                frame_id=frame.id,
                frame_reason=frame.reason,
                frame_matches=slots[index].digest == frame.digest,
            )
        hits = 0
        for index, slot in enumerate(slots):
            hit = slot.tag == inputs.cancel_tag
            if slot.state == State.IDLE:
                hit = bool(inputs.cancel_noise >> index & 1)
            hits |= hit << index
        unit.drive(
            crash=inputs.crash,
            amnesia=inputs.amnesia,
            slot_mask=self.window - 1,
            can_open=inputs.can_open,
            changing=inputs.changing,
            adopt=inputs.adopt,
            resend=inputs.resend,
            frame_valid=inputs.frame is not None,
            open_valid=inputs.open_kind is not None,
            open_kind=inputs.open_kind or 0,
            refusal_valid=inputs.refusal is not None,
            refusal_reason=inputs.refusal or 0,
            discard_valid=inputs.discard,
            submit_tag=inputs.submit_tag,
            cancel_valid=inputs.cancel_tag is not None,
            cancel_tag=inputs.cancel_tag or 0,
            cancel_hit=hits,
            retry_valid=inputs.retry is not None,
            retry_slot=inputs.retry or 0,
            grant_valid=inputs.grant is not None,
            grant_slot=inputs.grant or 0,
            tell_ready=inputs.tell_ready,
            look_slot=inputs.look,
        )

    def _steps(self, inputs: Inputs, frame: Answer | None) -> tuple[bool, set[EventCode]]:
        """Whether a step must be taken at this edge, and which ones may be."""
        state = self.state
        if inputs.restart:
            return False, set()
        if inputs.tell_ready and self.offered:
            told = EventCode.TOLD if state.offer else EventCode.UNOPENED_TOLD
            return True, {told}
        if model.comparing(state) is not None:
            return True, COMPARED
        if frame is not None:
            return True, HEARD
        may: set[EventCode] = set()
        if state.resend:
            may.add(EventCode.RESENT)
        if inputs.cancel_tag is not None:
            may |= TAKEN_BY["cancel_ready"]
        if inputs.discard:
            may.add(EventCode.RECORD_DISCARDED)
        if inputs.open_kind is not None and inputs.can_open and self.can_open(inputs.open_kind):
            may.add(EventCode.OPENED)
        if inputs.retry is not None:
            slot = state.slots[inputs.retry]
            if slot.waiting and not slot.send:
                may.add(EventCode.RETRIED)
        return bool(may), may

    def can_open(self, kind: int) -> bool:
        """Whether the lane has a place for a record of this kind."""
        advance = Kind.EPOCH_ADVANCE
        other = any(s.state != State.IDLE and s.kind == advance for s in self.state.slots)
        free = model.free_slot(self.state, self.window) is not None
        return free and not (kind == advance and other)

    def _event(
        self, inputs: Inputs, must: bool, may: set[EventCode], taken: set[str]
    ) -> Event | None:
        unit = self.unit
        where = f"cycle {unit.cycle}"
        if not unit.read("event_valid"):
            assert not must, f"{where}: no step, expected one of {may}"
            assert not taken, f"{where}: {taken} without a step"
            return None
        word = unit.read("event_word")
        told = from_word(word)
        assert told.code in may, f"{where}: {told}, may be {may or 'nothing'}"
        assert taken == {name for name, codes in TAKEN_BY.items() if told.code in codes}
        self.state, expected = self._step(inputs, told)
        assert word == expected.word(), f"{where}: told {told}, expected {expected}"
        self.seen[told.code] = self.seen.get(told.code, 0) + 1
        self.events.append(told)
        return told

    def _step(self, inputs: Inputs, told: Event) -> tuple[Initiator, Event]:
        """The step that was told, taken by the reference."""
        state, parameters = self.state, self.parameters
        code = told.code
        if code in HEARD:
            frame, self.inbox = self.inbox, None
            assert frame is not None
            return model.hear(parameters, state, self.window, *frame)
        if code in COMPARED:
            index = model.comparing(state)
            assert index is not None
            return model.compare(parameters, state, index)
        if code in TAKEN_BY["cancel_ready"]:
            assert inputs.cancel_tag is not None
            return model.cancel(parameters, state, inputs.cancel_tag)
        if code == EventCode.OPENED:
            assert inputs.open_kind is not None
            digest, tag, kind = digest_of(state.next_id), inputs.submit_tag, inputs.open_kind
            return model.open_transaction(
                parameters, state, self.window, digest=digest, record=b"", tag=tag, kind=kind
            )
        if code == EventCode.RETRIED:
            assert inputs.retry is not None
            return model.retry(parameters, state, inputs.retry, echo=1, number=0)
        if code == EventCode.RESENT:
            return model.resend(state)
        if code == EventCode.TOLD:
            return model.tell(state)
        if code == EventCode.UNOPENED_TOLD:
            reason, self.refusal_offered = self.refusal_offered, None
            assert reason is not None
            info = reason << 2 | Outcome.ABORTED
            return state, Event(code, info=info, value=inputs.submit_tag)
        assert code == EventCode.RECORD_DISCARDED
        return state, Event(code, value=inputs.submit_tag)

    def _offer(self, inputs: Inputs, before: Initiator) -> None:
        """A completion appeared: it is what could be told before the edge."""
        unit = self.unit
        if unit.read("tell_refusal"):
            assert inputs.refusal is not None, "a refusal that nobody asked for"
            self.refusal_offered = inputs.refusal
            return
        index = unit.read("tell_slot")
        found = model.completion(before.slots[index], inputs.changing)
        assert found is not None, f"slot {index} has no outcome"
        assert self.state.slots[index].state != State.IDLE, f"slot {index} is told twice"
        self.state = self.state._replace(offer=Offer(index, *found))

    def _compare(self, inputs: Inputs) -> None:
        """Every output that follows from the state."""
        unit, state = self.unit, self.state
        slots = state.slots
        flags = dict.fromkeys(
            ("owes_decision", "owes_repeat", "owes_first", "waiting", "undecided", "committed"), 0
        )
        sends = 0
        for index, slot in enumerate(slots):
            bit = 1 << index
            sends |= bit * slot.send
            flags["waiting"] |= bit * slot.waiting
            flags["undecided"] |= bit * (slot.state == State.TENTATIVE)
            flags["committed"] |= bit * (slot.state == State.COMMITTED)
            owed = state.owed(index)
            if owed == Operation.DATA:
                flags["owes_repeat" if slot.sent else "owes_first"] |= bit
            elif owed is not None:
                flags["owes_decision"] |= bit
        free = model.free_slot(state, self.window)
        unit.expect(
            owes=sends,
            busy=state.busy,
            open_id=state.next_id,
            tell_valid=self.offered,
            **flags,
        )
        if not inputs.adopt:  # the window changes with it
            unit.expect(open_slot=state.next_id % self.window, open_slot_idle=free is not None)
        if slots[inputs.look].state != State.IDLE:
            unit.expect(look_id=slots[inputs.look].id)
        if state.offer is not None:
            slot, outcome, reason = state.offer
            unit.expect(
                tell_refusal=0, tell_slot=slot, tell_outcome=outcome, tell_reason=reason,
                tell_id=slots[slot].id,
            )  # fmt: skip
        elif self.refusal_offered is not None:
            unit.expect(
                tell_refusal=1, tell_outcome=Outcome.ABORTED, tell_reason=self.refusal_offered
            )
