"""Link machine in lockstep with `oae.model.link`.

Every word on the event port is applied to the reference as the step that it tells, and must be
bit for bit the word that the reference tells. Which steps may be taken at an edge is known before
it; every output is compared after it.
"""

from typing import Any, NamedTuple

from oae import frame as frames
from oae.frame import Sync
from oae.model import link as model
from oae.model.events import Event, from_word
from oae.model.link import Link
from oae.model.parameters import Parameters
from oae.spec.constants import EventCode, LinkState, Operation

from cocotb_tests.clocked import Clocked

HEARD = {
    EventCode.SYNC_HEARD,
    EventCode.SYNC_ACK_HEARD,
    EventCode.SYNC_ACK_STALE,
    EventCode.LOOPBACK,
    EventCode.PAIR_VIOLATION,
}
SESSION_CYCLES = 40  # until link sessions are computed, at most


class Inputs(NamedTuple):
    """What stands at the inputs at one edge."""

    crash: bool = False
    amnesia: bool = False
    enable: bool = True
    session: int = 0  # entropy
    epoch: int = 0
    frame: tuple[Operation, Sync] | None = None
    foreign: bool = False
    grant_sync_ack: bool = False
    grant_sync: bool = False
    incoming_dead: bool = False
    outgoing_dead: bool = False
    busy: bool = False  # initiator
    unresolved: bool = False  # responder
    tick: bool = True

    @property
    def restart(self) -> bool:
        """Whether no step may be taken."""
        return self.crash or self.amnesia

    @property
    def drained(self) -> bool:
        """Whether both lanes hold nothing unresolved."""
        return not self.busy and not self.unresolved


class Lockstep:
    """A link machine, and the reference beside it."""

    def __init__(self, dut: Any, parameters: Parameters, interval: int) -> None:
        self.unit = Clocked(dut)
        self.parameters = parameters
        self.interval = interval
        self.state: Link = model.initial(parameters)
        self.since_sync = 0  # ticks since a SYNC went, or since the restart
        self.since_session = 0  # cycles since the link sessions had to be computed
        self.seen: dict[EventCode, int] = {}

    async def start(self) -> "Lockstep":
        self.unit.drive(crash=0, amnesia=0)
        self._drive(Inputs(enable=False))
        await self.unit.reset()
        self._compare(False)
        return self

    async def cycle(self, inputs: Inputs = Inputs()) -> Event | None:
        """One clock cycle; the event of the step that its edge took."""
        unit, before = self.unit, self.state
        self._drive(inputs)
        await unit.settle()
        must, may = self._steps(inputs)
        adopting, entering = unit.read("adopt"), unit.read("up_entered")
        await unit.edge()

        resend = self._transmit(inputs)
        event = self._event(inputs, must, may)
        code = event.code if event else None
        entered = self.state.state == LinkState.UP != before.state
        assert adopting == (code == EventCode.SESSION_ADOPTED)
        assert entering == entered
        if inputs.amnesia:
            self.state = model.initial(self.parameters)
        elif inputs.crash:
            self.state = model.crash(self.state)
        new_sessions = (self.state.session, self.state.verified)
        if inputs.restart or new_sessions != (before.session, before.verified) or adopting:
            self.since_session = 0
        else:
            self.since_session += 1
        if inputs.restart:
            self.since_sync = 0
        self._compare((resend or entered) and not inputs.restart)
        return event

    def _drive(self, inputs: Inputs) -> None:
        unit = self.unit
        if inputs.frame is not None:
            operation, sync = inputs.frame
            fields = {f"frame_{name}": value for name, value in sync._asdict().items()}
            unit.drive(frame_operation=operation, **fields)
        unit.drive(
            crash=inputs.crash,
            amnesia=inputs.amnesia,
            cfg_enable=inputs.enable,
            cfg_session=inputs.session,
            cfg_epoch=inputs.epoch,
            frame_valid=inputs.frame is not None,
            foreign_session=inputs.foreign,
            sync_ack_granted=inputs.grant_sync_ack,
            sync_granted=inputs.grant_sync,
            incoming_dead=inputs.incoming_dead,
            outgoing_dead=inputs.outgoing_dead,
            initiator_busy=inputs.busy,
            responder_unresolved=inputs.unresolved,
            tick=inputs.tick,
        )

    def _steps(self, inputs: Inputs) -> tuple[bool, set[EventCode]]:
        """Whether a step must be taken at this edge, and which ones may be."""
        link = self.state
        up, down = link.state == LinkState.UP, link.state == LinkState.DOWN
        timer_end = self.since_sync >= self.interval
        if inputs.restart:
            return False, set()
        if inputs.frame is not None and not down:
            return True, HEARD
        if inputs.foreign and up and not link.outstanding and timer_end:
            return True, {EventCode.FOREIGN_SESSION}
        may = set()
        if down and inputs.enable and (link.session or inputs.session):
            may.add(EventCode.ENABLED)
        if not down and not inputs.enable:
            may.add(EventCode.DISABLED)
        if up and inputs.incoming_dead:
            may.add(EventCode.INCOMING_DEAD)
        if up and inputs.outgoing_dead:
            may.add(EventCode.OUTGOING_DEAD)
        if timer_end and not link.owes_sync and (link.outstanding or not (up or down)):
            may.add(EventCode.SYNC_DUE)
        if inputs.epoch != link.epoch and inputs.drained and not link.changing:
            may.add(EventCode.EPOCH_TAKEN)
        must = bool(may)
        if link.changing and inputs.drained and not down:
            may.add(EventCode.SESSION_ADOPTED)
            # It may wait for the answer to a challenge that is out.
            must = must or not link.outstanding
        return must, may

    def _transmit(self, inputs: Inputs) -> bool:
        """The SYNC or SYNC_ACK that goes at this edge; whether RESENT follows."""
        link = self.state
        self.since_sync += inputs.tick
        if inputs.restart:
            return False
        if inputs.grant_sync:
            assert link.owes_sync
            self.state = link._replace(owes_sync=False)
            self.since_sync = 0
        if inputs.grant_sync_ack:
            assert link.owes_sync_ack
            self.state = self.state._replace(owes_sync_ack=None, resend=False)
            return link.resend
        return False

    def _event(self, inputs: Inputs, must: bool, may: set[EventCode]) -> Event | None:
        unit = self.unit
        where = f"cycle {unit.cycle}"
        if not unit.read("event_valid"):
            assert not must, f"{where}: no step, expected one of {may}"
            return None
        word = unit.read("event_word")
        told = from_word(word)
        assert told.code in may, f"{where}: {told}, may be {may or 'nothing'}"
        self.state, expected = self._step(inputs, told.code)
        assert word == expected.word(), f"{where}: told {told}, expected {expected}"
        self.seen[told.code] = self.seen.get(told.code, 0) + 1
        return told

    def _step(self, inputs: Inputs, code: EventCode) -> tuple[Link, Event]:
        """The step that was told, taken by the reference."""
        link, parameters = self.state, self.parameters
        if code in HEARD:
            assert inputs.frame is not None
            return model.hear(parameters, link, *inputs.frame)
        if code == EventCode.ENABLED:
            return model.enable(parameters, link, inputs.session)
        if code == EventCode.DISABLED:
            return model.disable(link)
        if code in (EventCode.INCOMING_DEAD, EventCode.OUTGOING_DEAD):
            return model.dead(parameters, link, code)
        if code == EventCode.EPOCH_TAKEN:
            return model.take_epoch(link, inputs.epoch)
        steps = {
            EventCode.SESSION_ADOPTED: model.adopt,
            EventCode.FOREIGN_SESSION: model.foreign_session,
            EventCode.SYNC_DUE: model.sync_due,
        }
        return steps[code](parameters, link)

    def _compare(self, resend: bool) -> None:
        """Every output that follows from the state."""
        unit, link = self.unit, self.state
        up = link.state == LinkState.UP
        unit.expect(
            link_state=link.state,
            up=up,
            session=link.session,
            verified=link.verified,
            counter=link.counter,
            changing=link.changing,
            slot_mask=link.window - 1,
            record_max=link.record_max,
            epoch=link.epoch,
            resend=resend,
        )
        if link.owes_sync_ack is not None:
            answered = link.owes_sync_ack
            unit.expect(answer_session=answered.session, answer_counter=answered.counter)
        owes_sync, owes_sync_ack = unit.read("owes_sync"), unit.read("owes_sync_ack")
        if self.since_session > SESSION_CYCLES:
            assert owes_sync == link.owes_sync
            assert owes_sync_ack == (link.owes_sync_ack is not None)
        assert link.owes_sync or not owes_sync
        assert link.owes_sync_ack or not owes_sync_ack
        # Frames are sent and checked with the sessions of the pair that is verified.
        if up or owes_sync or owes_sync_ack:
            unit.expect(
                transmit_link_session=frames.link_session(link.session, link.verified),
                receive_link_session=frames.link_session(link.verified, link.session),
            )
