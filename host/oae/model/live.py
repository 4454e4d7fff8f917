"""The reference end in time, with its host: at most one step a cycle, of those that are due.

Which steps there are and what they do stands in `oae.model.end` alone. Here is what an
implementation chooses: which step goes first, when a beat is due, how long silence lasts. What is
outside, the wire and whoever sets the inputs, gives `hear` and `step`, and takes the frame that a
step returns; `wake` says until when nothing happens unless something comes from outside.
"""

from collections import Counter, deque
from dataclasses import replace
from typing import Final, NamedTuple

from oae import frame as frames
from oae import trace
from oae.frame import Malformed, Received
from oae.model import end as ends
from oae.model import initiator as initiators
from oae.model import responder as responders
from oae.model.end import End
from oae.model.events import Event
from oae.model.host import NEVER, Load, Sink, beats
from oae.model.lines import EndLines
from oae.model.link import Link
from oae.model.parameters import Parameters
from oae.model.steps import NotAllowedError
from oae.spec.constants import (
    COUNTERS,
    REGISTER,
    Balance,
    EventCode,
    Kind,
    LinkState,
    MalformedReason,
    Operation,
    State,
)

# Of ends that lack an ingredient: cycles that a responder waits before it grows tired (F5), and
# after which that is written which should have been written at once (F18, F23).
PATIENCE: Final = 1024
LATE: Final = 32
SHORT_IDS: Final = {"F9": 1, "F10": 2}  # bits, without these: ids come again after a few
_WRONG_SESSION: Final = Malformed(MalformedReason.WRONG_LINK_SESSION)


class Timing(NamedTuple):
    """How often an end beats and synchronizes, in cycles; `fault_beats` in beats."""

    beat_idle: int
    beat_busy: int
    fault_beats: int
    sync_interval: int


class Inputs(NamedTuple):
    """What stands at the inputs of an end, and of its host."""

    enable: bool = True
    beats: bool = True
    accept: bool = True
    session: int = 0
    epoch: int = 0
    prepared: int = 0
    crash: bool = False
    amnesia: bool = False
    stall_deliver: bool = False
    stall_completion: bool = False
    stall_doubt: bool = False


class Delivery(NamedTuple):
    """A record that the host is taking."""

    id: int
    first: int  # cycles of its first and last beat
    last: int


class LiveEnd:
    """One end and its host."""

    def __init__(
        self,
        parameters: Parameters,
        timing: Timing,
        addresses: tuple[bytes, bytes],
        load: Load,
        sink: Sink,
        lines: EndLines,
    ) -> None:
        for ingredient, bits in SHORT_IDS.items():
            if not parameters.has(ingredient):
                parameters = replace(parameters, id_bits=bits)
        self.parameters = parameters
        self.end: End = ends.initial(parameters)
        self.load, self.sink = load, sink
        self.wake = 0
        self.lives = 0  # that amnesia has ended
        self._lacks = bool(parameters.without)
        self._timing = timing
        self._addresses = addresses  # destination, source
        self._lines = lines
        self._counts: Counter[tuple[EventCode, int]] = Counter()  # code and info of events
        self._down: EventCode | None = None  # which restart is going on
        self._sent: bytes | None = None  # in this step
        self._outside: tuple[Inputs, bool] | None = None  # what stood there at the last one
        self._told: tuple[Link, bool, bool, bool, bool] | None = None  # by its status
        self._status: tuple[int, ...] = ()
        self._silence = timing.fault_beats * timing.beat_idle
        self._initiator = initiators.survey(parameters, self.end.initiator, 0, changing=False)
        self._responder = responders.survey(self.end.responder)
        self._restarted(0)

    def _restarted(self, cycle: int) -> None:
        """What is in between, and every clock, starts again."""
        self._heard: deque[tuple[bytes, bool]] = deque()  # frames without a verdict yet
        self._delivery: Delivery | None = None
        self._line_at = cycle  # the line was busy last
        self._urgent_at: int | None = None  # since when a beat is wanted, or an echo owed
        self._heard_at = cycle  # the last verified frame
        self._unanswered = 0  # beats since an echo advanced
        self._synced_at = cycle  # the last SYNC went
        self._sends_at = cycle  # nothing goes before
        self._foreign = False  # a frame of another link session has just come
        self._late_at = NEVER
        self._tired_at = NEVER

    # --- from outside

    @property
    def restarting(self) -> bool:
        """Whether the end takes nothing just now."""
        return self._down is not None

    @property
    def settled(self) -> bool:
        """Whether the link is UP to stay."""
        return self.end.up and not self.end.link.changing

    def hear(self, image: bytes, bad: bool) -> None:
        """A frame has come; `bad` is the mark of the MAC."""
        self._heard.append((image, bad))
        self.wake = 0

    def cancel(self, cycle: int, tag: int) -> None:
        """The host is to cancel."""
        self.load.cancel(cycle, tag)
        self.wake = 0

    def step(self, cycle: int, inputs: Inputs, line_ready: bool) -> bytes | None:
        """Take the step that is due, if one is; a frame that it hands to the line."""
        if cycle < self.wake and (inputs, line_ready) == self._outside:
            return None
        self._outside = inputs, line_ready
        self._sent = None
        self.wake = cycle + 1
        if (inputs.crash or inputs.amnesia or self._down) and self._power(cycle, inputs):
            return None
        if self.load.packet is None:
            self.load.choose(cycle)
        taken = (
            (self._lacks and self._write_late(cycle))
            or self._deliver(cycle, inputs)
            or self._settle()
            or self._take(cycle, inputs)
            or (len(self._heard) > 0 and self._hear(cycle))
            or self._tell(cycle, inputs)
            or (self.end.link.changing and self._doubt(inputs))
            or self._link(cycle, inputs)
            or (self.load.cancelling is not None and self._cancel(cycle))
            or self._lane(cycle)
            or (line_ready and cycle >= self._sends_at and self._send(cycle, inputs))
            or self._submit(cycle, inputs)
        )
        self._keep_time(cycle)
        if not taken:
            self.wake = self._next(cycle, inputs)
        return self._sent

    def status(self, cycle: int, inputs: Inputs) -> tuple[int, ...]:
        """The status outputs, as a trace has them."""
        told = (
            self.end.link,
            self._incoming_dead(cycle, inputs),
            self._outgoing_dead(inputs),
            self._initiator.busy,
            self._responder.unresolved,
        )
        if told != self._told:
            self._told = told
            self._status = _status(*told)
        return self._status

    def registers(self) -> dict[int, int]:
        """The registers that follow from what the end holds, and its counters."""
        link = self.end.link
        found = {
            REGISTER["EPOCH"]: link.epoch,
            REGISTER["CONVERGED"]: link.converged,
            REGISTER["NEXT_ID"]: self.end.initiator.next_id,
            REGISTER["DELIVER_POINTER"]: self.end.responder.pointer,
            REGISTER["NEGOTIATED"]: link.record_max << 16 | link.window,
        }
        counters: Counter[str] = Counter()
        for (code, info), times in self._counts.items():
            for name in Event(code, info=info).counters:
                counters[name] += times
        for index, (name, *_) in enumerate(COUNTERS):
            found[REGISTER["COUNTERS"] + index] = counters[name]
        return found

    # --- what every step does

    def _took(self, end: End, event: Event) -> bool:
        """The end has taken a step."""
        self._become(end)
        self._lines.event(event)
        self._counts[event.code, event.info] += 1
        return True

    def _become(self, end: End) -> None:
        """The end is now so; its slots are looked at again where they are others."""
        before, self.end = self.end, end
        if (
            end.initiator is not before.initiator
            or end.beat.echo != before.beat.echo
            or end.link.pending is not before.link.pending
        ):
            self._initiator = initiators.survey(
                self.parameters, end.initiator, end.beat.echo, end.link.changing
            )
        if end.responder is not before.responder:
            self._responder = responders.survey(end.responder)

    def _power(self, cycle: int, inputs: Inputs) -> bool:
        """A restart is told once, however long it takes; meanwhile nothing else happens."""
        before, self._down = self._down, None
        if inputs.amnesia:
            self._down = EventCode.AMNESIA
        elif inputs.crash:
            self._down = EventCode.CRASH
        if self._down is None:
            return False
        if self._down is not before:
            step = ends.amnesia if inputs.amnesia else ends.crash
            self._took(*step(self.parameters, self.end))
            if inputs.amnesia:
                self.load.forget()
                self.lives += 1
        self._restarted(cycle)
        return True

    def _keep_time(self, cycle: int) -> None:
        """The clocks that run while something lasts."""
        wanted = self._initiator.waiting
        if not wanted:
            self._unanswered = 0
        if not wanted and not self.end.beat.echo_owed:
            self._urgent_at = None
        elif self._urgent_at is None:
            self._urgent_at = cycle

    def _next(self, cycle: int, inputs: Inputs) -> int:
        """When something becomes due; what is due and waits for others does not count."""
        link = self.end.link
        times = [self._sends_at, self._late_at, self._tired_at, self.load.completions.ready]
        if self.load.packet is not None:
            times.append(self.load.packet.last)
        if self.load.cancelling is not None:
            times.append(self.load.cancelling[0])
        if self._delivery is not None:
            times.append(self._delivery.last)
        if inputs.beats and self.end.up:
            times.append(self._line_at + self._timing.beat_idle)
            times.append(self._heard_at + self._silence)
            if self._urgent_at is not None:
                times.append(self._urgent_at + self._timing.beat_busy)
        if link.state != LinkState.DOWN:
            times.append(self._synced_at + self._timing.sync_interval)
        return min((time for time in times if time > cycle), default=NEVER)

    # --- steps of the units, in the order in which they go

    def _write_late(self, cycle: int) -> bool:
        """Without F18 or F23: what should have been written with the step before."""
        end, parameters = self.end, self.parameters
        late = end.initiator.late is not None
        marked = end.responder.handing is not None and not parameters.has("F18")
        if not late and not marked:
            return False
        if self._late_at == NEVER:
            self._late_at = cycle + LATE
        if cycle < self._late_at:
            return False
        self._late_at = NEVER
        if late:
            initiator = initiators.write_late(end.initiator, end.link.window)
            self._become(end._replace(initiator=initiator))
        else:
            responder = responders.mark_late(parameters, end.responder, end.link.window)
            self._become(end._replace(responder=responder))
        return True

    def _settle(self) -> bool:
        """States that last one step."""
        if self._initiator.comparing is not None:
            return self._took(*ends.compare(self.parameters, self.end))
        if self._responder.settling is not None:
            return self._took(*ends.settle(self.end))
        return False

    def _take(self, cycle: int, inputs: Inputs) -> bool:
        """A unit takes the frame in its inbox."""
        end, parameters = self.end, self.parameters
        if end.sync is not None:
            before = end.link.state
            self._took(*ends.take_sync(parameters, end))
            if self.end.up and before != LinkState.UP:
                self._heard_at, self._unanswered = cycle, 0
        elif end.answer is not None:
            self._took(*ends.take_answer(parameters, end))
        elif end.request is not None:
            host = ends.Host(inputs.accept, inputs.epoch, inputs.prepared)
            after, event = ends.take_request(parameters, end, host)
            self._took(after, event)
            if event.code in (EventCode.HELD, EventCode.REFUSED):
                self.sink.asked()
        else:
            return False
        return True

    def _hear(self, cycle: int) -> bool:
        """The verdict on the oldest frame that has come."""
        image, bad = self._heard.popleft()
        up, session, epoch, record_max = ends.listening(self.end)
        verdict = frames.decode(
            image, bad=bad, link_up=up, link_session=session, epoch=epoch, record_max=record_max
        )
        echo = self.end.beat.echo
        self._took(*ends.receive(self.parameters, self.end, verdict))
        # What goes out at the edge after the verdict on a beat was chosen before.
        self._sends_at = cycle + 2
        if isinstance(verdict, Received):
            self._foreign = False
            self._heard_at = cycle
        else:
            self._foreign = isinstance(verdict, Malformed) and verdict == _WRONG_SESSION
        if self.end.beat.echo != echo:
            self._unanswered = 0
        return True

    def _tell(self, cycle: int, inputs: Inputs) -> bool:
        """The host takes the outcome of the oldest transaction that has one."""
        told = self._initiator.told
        if not told or not self._host_takes_completions(cycle, inputs):
            return False
        slots = self.end.initiator.slots
        index = min(told, key=lambda index: self._age(slots[index].id))
        slot = slots[index]
        end, event = ends.tell(self.end, index)
        self._completed(cycle, slot.tag, slot.id, slot.kind, event)
        return self._took(end, event)

    def _host_takes_completions(self, cycle: int, inputs: Inputs) -> bool:
        return not inputs.stall_completion and cycle >= self.load.completions.ready

    def _completed(self, cycle: int, tag: int, id: int, kind: int, event: Event) -> None:
        outcome, reason = event.info & 3, event.info >> 2
        self._lines.handshake(trace.Complete, tag, id, kind, outcome, reason)
        packet = self.load.packet
        long = packet is not None and packet.tag == tag and packet.long
        if event.code == EventCode.UNOPENED_TOLD:
            self.load.accepted(cycle)
        self.load.told(cycle, tag, outcome, reason, long=long)

    def _age(self, id: int) -> int:
        """Less is older."""
        return self.parameters.distance(id, self.end.initiator.next_id)

    def _deliver(self, cycle: int, inputs: Inputs) -> bool:
        """The host takes the next record, beat by beat; an epoch advance takes effect at once."""
        slot = self._deliverable() if self._responder.unresolved or self._lacks else None
        if slot is None:
            self._delivery = None
            return False
        if slot.kind == Kind.EPOCH_ADVANCE:
            return self._took(*ends.deliver(self.parameters, self.end))
        if inputs.stall_deliver:
            return False
        if self._delivery is None or self._delivery.id != slot.id:
            self._delivery = Delivery(slot.id, *self.sink.take(cycle, slot.record))
        _, first, last = self._delivery
        if cycle < last:
            return False
        self._delivery = None
        self.sink.delivered += 1
        self._lines.handshake(trace.Deliver, first, 0, 0, slot.id, slot.record)
        return self._took(*ends.deliver(self.parameters, self.end))

    def _deliverable(self) -> responders.Slot | None:
        """The record that the host may be given now."""
        responder = self.end.responder
        if responder.handing is not None:
            return None if not self.parameters.has("F18") else responder.handing
        head = responders.head(responder, self.end.link.window)
        if head is None or head.delivered:
            return None
        visible = head.state == State.COMMITTED
        if not self.parameters.has("F8"):
            visible = visible or head.state == State.REFLECTING
        return head if visible else None

    def _doubt(self, inputs: Inputs) -> bool:
        """The host takes the word that tells of a record that nobody will ever decide."""
        if inputs.stall_doubt:
            return False
        head = responders.head(self.end.responder, self.end.link.window)
        if head is None or head.state != State.REFLECTING:
            return False
        self._lines.handshake(trace.Doubt, head.id, head.digest)
        return self._took(*ends.doubt(self.parameters, self.end))

    def _link(self, cycle: int, inputs: Inputs) -> bool:
        """The link machine, of its own accord."""
        end, parameters, link = self.end, self.parameters, self.end.link
        up = end.up
        drained = not self._initiator.busy and not self._responder.unresolved
        foreign, self._foreign = self._foreign, False
        synced_long_ago = cycle >= self._synced_at + self._timing.sync_interval
        if link.state == LinkState.DOWN:
            if not inputs.enable:
                return False
            return self._took(*ends.enable(parameters, end, inputs.session))
        if not inputs.enable:
            return self._took(*ends.disable(end))
        if foreign and up and not link.outstanding and synced_long_ago:
            return self._took(*ends.foreign_session(parameters, end))
        if link.changing and drained and not link.outstanding:
            return self._took(*ends.adopt(parameters, end))
        if up and self._incoming_dead(cycle, inputs):
            return self._took(*ends.incoming_dead(parameters, end))
        if up and self._outgoing_dead(inputs):
            return self._took(*ends.outgoing_dead(parameters, end))
        if synced_long_ago and not link.owes_sync and (link.outstanding or not up):
            return self._took(*ends.sync_due(parameters, end))
        if inputs.epoch != link.epoch and drained and not link.changing:
            return self._took(*ends.take_epoch(end, inputs.epoch))
        return False

    def _incoming_dead(self, cycle: int, inputs: Inputs) -> bool:
        return inputs.beats and cycle >= self._heard_at + self._silence

    def _outgoing_dead(self, inputs: Inputs) -> bool:
        return inputs.beats and self._unanswered >= self._timing.fault_beats

    def _cancel(self, cycle: int) -> bool:
        """The host cancels."""
        assert self.load.cancelling is not None
        when, tag = self.load.cancelling
        if cycle < when:
            return False
        self.load.cancelling = None
        self._lines.handshake(trace.Cancel, tag)
        return self._took(*ends.cancel(self.parameters, self.end, tag))

    def _lane(self, cycle: int) -> bool:
        """What the two cores do of their own accord."""
        end, parameters = self.end, self.parameters
        if end.initiator.resend:
            return self._took(*ends.resend(end))
        if self._initiator.overdue is not None:
            return self._took(*ends.retry(parameters, end, self._initiator.overdue))
        head = responders.head(end.responder, end.link.window)
        passed_over = head is None and end.link.changing and self._responder.unresolved
        if passed_over or (head is not None and head.state == State.ABORTED):
            return self._took(*ends.skip(parameters, end))
        return not parameters.has("F5") and self._abandon(cycle, head)

    def _abandon(self, cycle: int, head: responders.Slot | None) -> bool:
        """Without F5: a responder grows tired of waiting."""
        if head is None or head.state != State.REFLECTING:
            self._tired_at = NEVER
        elif self._tired_at == NEVER:
            self._tired_at = cycle + PATIENCE
        elif cycle >= self._tired_at:
            self._tired_at = NEVER
            index = head.id % self.end.link.window
            after, event = responders.abandon(self.parameters, self.end.responder, index)
            return self._took(self.end._replace(responder=after), event)
        return False

    # --- frames out, records in

    def _send(self, cycle: int, inputs: Inputs) -> bool:
        """The line takes the frame that goes next."""
        chosen = self._goes_next(cycle, inputs)
        if chosen is None:
            return False
        operation, slot = chosen
        end, frame, event = ends.send(self.parameters, self.end, operation, slot)
        self._sent = frames.encode(frame, *self._addresses)
        self._line_at = cycle + beats(self._sent)
        if operation == Operation.SYNC:
            self._synced_at = cycle
        elif operation == Operation.NOP:
            self._urgent_at = None
            self._unanswered += self._initiator.waiting
        return self._took(end, event)

    def _goes_next(self, cycle: int, inputs: Inputs) -> tuple[Operation, int] | None:
        """The frame that is owed and goes first (docs/design.md, order of transmission)."""
        end = self.end
        link = end.link
        ready = end.up and not link.changing
        if ready and not self.parameters.has("F30") and (request := self._request_owed()):
            return request
        if link.owes_sync_ack is not None:
            return Operation.SYNC_ACK, 0
        if link.owes_sync:
            return Operation.SYNC, 0
        if not ready:
            return None
        answer = self._answer_owed()
        if answer is not None:
            return answer
        return (Operation.NOP, 0) if self._beat_due(cycle, inputs) else self._request_owed()

    def _request_owed(self) -> tuple[Operation, int] | None:
        """What has gone before goes before new DATA; of these, the oldest."""
        owing = self._initiator.owing
        if not owing:
            return None
        initiator = self.end.initiator
        owed = [
            (operation == Operation.DATA and not slot.sent, self._age(slot.id), operation, index)
            for index in owing
            if (operation := initiator.owed(index)) is not None
            for slot in (initiator.slots[index],)
        ]
        return min(owed)[2:] if owed else None

    def _answer_owed(self) -> tuple[Operation, int] | None:
        """The oldest answer."""
        if not self._responder.answering:
            return None
        responder = self.end.responder
        owed = [
            (self.parameters.distance(slot.id, responder.pointer), operation, index)
            for index in self._responder.answering
            for slot in (responder.slots[index],)
            if (operation := responders.owed(self.parameters, slot)) is not None
        ]
        return min(owed)[1:] if owed else None

    def _beat_due(self, cycle: int, inputs: Inputs) -> bool:
        if not inputs.beats:
            return False
        urgent = self._urgent_at is not None and cycle >= self._urgent_at + self._timing.beat_busy
        return urgent or cycle >= self._line_at + self._timing.beat_idle

    def _submit(self, cycle: int, inputs: Inputs) -> bool:
        """The host's packet is over: it becomes a transaction, or is told why not."""
        packet = self.load.packet
        if packet is None or cycle < packet.last:
            return False
        end, parameters = self.end, self.parameters
        if packet.bad:
            self._submitted()
            self.load.discarded(cycle)
            return self._took(*ends.discard(end, packet.tag))
        reason = ends.refusal_of(parameters, end.link, packet.data, packet.kind)
        if reason is not None:
            if not self._host_takes_completions(cycle, inputs):
                return False
            self._submitted()
            after, event = ends.tell_unopened(end, packet.tag, reason)
            self._completed(cycle, packet.tag, 0, packet.kind, event)
            return self._took(after, event)
        host = ends.Host(inputs.accept, inputs.epoch, inputs.prepared)
        if initiators.free_slot(end.initiator, end.link.window) is None:
            return False
        try:
            opened, event = ends.open_transaction(
                parameters, end, packet.data, tag=packet.tag, kind=packet.kind, host=host
            )
        except NotAllowedError:
            return False
        self._submitted()
        self.load.accepted(cycle)
        return self._took(opened, event)

    def _submitted(self) -> None:
        packet = self.load.packet
        assert packet is not None
        tag, kind, bad = packet.tag, int(packet.kind), int(packet.bad)
        self._lines.handshake(trace.Submit, packet.first, bad, 0, tag, kind, packet.data)


def _status(
    link: Link, incoming_dead: bool, outgoing_dead: bool, busy: bool, unresolved: bool
) -> tuple[int, ...]:
    return (
        link.state,
        not incoming_dead,
        not outgoing_dead,
        link.changing,
        link.epoch,
        link.converged,
        Balance.PLUS_ONE if busy else Balance.PLUS_ZERO,
        Balance.PLUS_INFINITY if unresolved else Balance.MINUS_ZERO,
    )
