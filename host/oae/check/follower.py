"""Lockstep: the reference end follows an end of a run, step by step and byte by byte.

What the implementation chose in time (which owed frame went, when a beat was due, which completion
was offered) is taken from the trace; that the choice was allowed, and everything that follows from
it, is computed by the reference end and compared: every event word, every byte sent, delivered and
told, the status outputs, and at the end every register and counter.
"""

from collections import Counter, deque
from collections.abc import Callable
from typing import NamedTuple, TypeVar

from oae import frame as frames
from oae.frame import Frame, Received, Verdict
from oae.model import beat as beats
from oae.model import end as ends
from oae.model.beat import Word
from oae.model.end import End, Host
from oae.model.events import Event, from_word
from oae.model.parameters import Parameters
from oae.model.steps import NotAllowedError
from oae.spec.constants import (
    CHANNEL_OF,
    COUNTERS,
    REGISTER,
    Balance,
    Channel,
    EventCode,
    Kind,
    LinkState,
    Operation,
)

CLOSED = bytes(8)  # the beat with which a restart closes an open packet


class DivergenceError(Exception):
    """The end did something that the reference end would not have done."""


class Config(NamedTuple):
    """The `cfg_*` inputs of an end."""

    enable: bool = False
    beats: bool = False
    accept: bool = True
    session: int = 0
    epoch: int = 0
    prepared: int = 0


class Wire(NamedTuple):
    """What the trace says about a frame at one point of the wire."""

    image: bytes
    bad: bool
    broken: bool
    first: int = 0  # cycle of its first beat


class Submitted(NamedTuple):
    """A record whose last beat the end took in this cycle."""

    record: bytes
    tag: int
    kind: int
    bad: bool


class Completed(NamedTuple):
    """A completion that the host took in this cycle."""

    tag: int
    id: int
    kind: int
    outcome: int
    reason: int


class Delivered(NamedTuple):
    """A record whose last beat the host took in this cycle."""

    record: bytes
    id: int


class Status(NamedTuple):
    """The `status_*` outputs that follow from the state (the alive flags follow from time)."""

    link_state: int
    changing: bool
    epoch: int
    converged: int
    initiator_balance: int
    responder_balance: int


class Handshakes(NamedTuple):
    """What crossed the host's ports in one cycle; at most one of each."""

    submitted: Submitted | None = None
    completed: Completed | None = None
    delivered: Delivered | None = None
    doubted: tuple[int, int] | None = None  # id, digest
    cancelled: int | None = None  # tag


NOTHING = Handshakes()

Step = Callable[["Follower", Event, Handshakes], Event]


class Follower:
    """A reference end beside one end of a run.

    Call `receive` and `transmit` for frames, then `step` for each event word, in the order of the
    trace; every method raises DivergenceError with what was expected and what was seen.
    """

    def __init__(
        self, parameters: Parameters, destination: bytes, source: bytes, ethertype: int
    ) -> None:
        self.parameters = parameters
        self.end: End = ends.initial(parameters)
        self.config = Config()
        self.counts: Counter[str] = Counter()
        self._cycle = 0
        self._addresses = (destination, source, ethertype)
        self._heard: deque[Wire] = deque()  # frames without a verdict yet
        self._owed: deque[bytes] = deque()  # frames handed to the builder, not yet out
        self._lost: bytes | None = None  # the frame that a restart may have cut
        self._beat: tuple[int, Word] | None = None  # a verified beat, and the cycle of its verdict
        self._beat_sent: int | None = None  # cycle in which the newest own beat was sent
        self._sync: tuple[int, Frame] | None = None  # verified while DOWN, and the cycle of that
        self._resend_at: int | None = None  # cycle of the newest cause of a RESENT
        self._epochs: deque[tuple[int, int]] = deque(maxlen=4)  # cycle of a change, epoch before

    # --- what crosses the wire

    def receive(self, wire: Wire) -> None:
        """A frame's last beat was taken; its verdict follows."""
        if not wire.broken:
            self._heard.append(wire)

    def transmit(self, wire: Wire) -> None:
        """A frame's last beat went out."""
        if wire.broken:
            self._closed(wire)
            return
        if not self._owed:
            raise DivergenceError(f"sent a frame that was never owed: {wire.image.hex()}")
        expected = self._owed.popleft()
        if wire.bad or wire.image != expected:
            raise DivergenceError(
                f"sent {wire.image.hex()} (tuser {int(wire.bad)}), expected {expected.hex()}"
            )

    def _closed(self, wire: Wire) -> None:
        """A restart closes an open packet with one bad beat; before it, nothing is altered."""
        seen, last = wire.image[: -len(CLOSED)], wire.image[-len(CLOSED) :]
        if not wire.bad or last != CLOSED:
            raise DivergenceError(f"a packet cut by a restart was not closed: {wire.image.hex()}")
        if self._lost is None or not self._lost.startswith(seen):
            raise DivergenceError(f"a packet cut by a restart began with {seen.hex()}")
        self._lost = None

    # --- what the end tells

    def step(self, cycle: int, word: int, handshakes: Handshakes = NOTHING) -> Event:
        """One event word: the reference end takes the same step. Returns its event."""
        try:
            told = from_word(word)
        except ValueError as error:
            raise DivergenceError(f"event word {word:016x}: {error}") from error
        self._cycle = cycle
        self._hear_beat(told.channel)
        try:
            expected = STEPS[told.code](self, told, handshakes)
        except NotAllowedError as reason:
            raise DivergenceError(f"{told}: not allowed: {reason}") from reason
        if expected != told:
            raise DivergenceError(f"told {told}, expected {expected}")
        self.counts.update(expected.counters)
        return expected

    def check_status(self, seen: Status) -> None:
        """The status outputs against the state."""
        link = self.end.link
        expected = Status(
            link.state,
            link.changing,
            link.epoch,
            link.converged,
            Balance.PLUS_ONE if self.end.initiator.busy else Balance.PLUS_ZERO,
            Balance.PLUS_INFINITY if self.end.responder.unresolved else Balance.MINUS_ZERO,
        )
        if expected != seen:
            raise DivergenceError(f"status {seen}, expected {expected}")

    def check_registers(self, registers: dict[int, int]) -> None:
        """Registers and counters, read when everything has come to rest; zeros included."""
        link = self.end.link
        expected = {
            REGISTER["EPOCH"]: link.epoch,
            REGISTER["CONVERGED"]: link.converged,
            REGISTER["NEXT_ID"]: self.end.initiator.next_id,
            REGISTER["DELIVER_POINTER"]: self.end.responder.pointer,
            REGISTER["NEGOTIATED"]: link.record_max << 16 | link.window,
        }
        for index, (name, *_) in enumerate(COUNTERS):
            expected[REGISTER["COUNTERS"] + index] = self.counts[name]
        for address, value in expected.items():
            if registers.get(address) != value:
                seen = registers.get(address)
                raise DivergenceError(
                    f"register 0x{address:02x} ({_register_name(address)}) reads {seen}, "
                    f"expected {value}"
                )

    def check_rest(self) -> None:
        """At the end nothing is left in between: every frame has its verdict, every SENT went."""
        if self._heard:
            raise DivergenceError(f"{len(self._heard)} received frames never had a verdict")
        if self._owed:
            raise DivergenceError(f"{len(self._owed)} frames were told SENT and never left")
        if self.end.answer or self.end.request or self.end.sync:
            raise DivergenceError("a verified frame was never taken by its unit")

    def _hear_beat(self, channel: Channel) -> None:
        """A beat tells no event of its own: it is heard in the cycle after its verdict, and what
        goes out in that cycle was chosen before.
        """
        if self._beat is None:
            return
        verdict, word = self._beat
        if (self._cycle, channel) > (verdict + 1, Channel.TRANSMIT):
            self._beat = None
            beat = self.end.beat
            if self._beat_sent == verdict + 1 and word.echo == beat.number:
                # The number was taken at this very edge: its echo is still ahead of it.
                word = word._replace(echo=None)
            self.end = self.end._replace(beat=beats.hear(self.parameters, beat, word))

    # --- one method a step

    def _take(self, end: End, event: Event) -> Event:
        self.end = end
        return event

    def _restart(self, told: Event, _: Handshakes) -> Event:
        step = ends.crash if told.code == EventCode.CRASH else ends.amnesia
        # A frame on its way out may be cut; what waits behind it, or is half verified, is lost.
        self._lost = self._owed[0] if self._owed else self._lost
        self._owed.clear()
        self._heard.clear()
        self._beat = self._beat_sent = self._sync = self._resend_at = None
        self._epochs.clear()
        return self._take(*step(self.parameters, self.end))

    def _sent(self, told: Event, _: Handshakes) -> Event:
        operation = Operation(told.info)
        if operation == Operation.NOP:
            self._beat_sent = self._cycle
        if operation == Operation.SYNC_ACK and self.end.link.resend:
            self._resend_at = self._cycle
        self.end, frame, event = ends.send(self.parameters, self.end, operation, told.slot)
        destination, source, ethertype = self._addresses
        self._owed.append(frames.encode(frame, destination, source, ethertype))
        return event

    def _verdict(self, told: Event, _: Handshakes) -> Event:
        if not self._heard:
            raise DivergenceError("a verdict without a frame")
        wire = self._heard.popleft()
        before = self.end
        verdict, after, event = self._judged(wire, before.link.epoch)
        for cycle, epoch in self._epochs:
            if event != told and cycle > wire.first:
                # The sender's whole epoch is found with the header, and the end has since moved.
                verdict, after, event = self._judged(wire, epoch)
        self.end = after
        if not isinstance(verdict, Received):
            return event
        frame = verdict.frame
        if frame.operation == Operation.NOP:
            self.end = self.end._replace(beat=before.beat)
            self._beat = self._cycle, beats.unpack(frame.operand)
        elif frame.operation in ends.SYNCS and before.link.state == LinkState.DOWN:
            self._sync = self._cycle, frame
        return event

    def _judged(self, wire: Wire, epoch: int) -> tuple[Verdict, End, Event]:
        """The verdict on a frame by an end in this epoch, and what it does."""
        listening = ends.listening(self.end)._replace(epoch=epoch)
        verdict = frames.decode(
            wire.image, bad=wire.bad, ethertype=self._addresses[2], **listening._asdict()
        )
        return verdict, *ends.receive(self.parameters, self.end, verdict)

    def _opened(self, _told: Event, host: Handshakes) -> Event:
        record = _needed(host.submitted, "OPENED without a submitted record")
        if record.bad:
            raise DivergenceError("OPENED with tuser at the record's last beat")
        return self._take(
            *ends.open_transaction(
                self.parameters,
                self.end,
                record.record,
                tag=record.tag,
                kind=record.kind,
                host=self._host,
            )
        )

    def _unopened(self, _told: Event, host: Handshakes) -> Event:
        record = _needed(host.submitted, "UNOPENED_TOLD without a submitted record")
        reason = ends.refusal_of(self.parameters, self.end.link, record.record, record.kind)
        if reason is None:
            raise DivergenceError("UNOPENED_TOLD for a record that can be a transaction")
        event = self._take(*ends.tell_unopened(self.end, record.tag, reason))
        completed = _needed(host.completed, "UNOPENED_TOLD without a completion")
        expected = Completed(record.tag, 0, record.kind, event.info & 3, event.info >> 2)
        if completed != expected:
            raise DivergenceError(f"{completed}, expected {expected}")
        return event

    def _discarded(self, _told: Event, host: Handshakes) -> Event:
        record = _needed(host.submitted, "RECORD_DISCARDED without a submitted record")
        if not record.bad:
            raise DivergenceError("RECORD_DISCARDED without tuser")
        return self._take(*ends.discard(self.end, record.tag))

    def _answer(self, _told: Event, _: Handshakes) -> Event:
        return self._take(*ends.take_answer(self.parameters, self.end))

    def _compared(self, _told: Event, _: Handshakes) -> Event:
        return self._take(*ends.compare(self.parameters, self.end))

    def _cancelled(self, _told: Event, host: Handshakes) -> Event:
        tag = _needed(host.cancelled, "a cancel step without a cancel")
        return self._take(*ends.cancel(self.parameters, self.end, tag))

    def _retried(self, told: Event, _: Handshakes) -> Event:
        return self._take(*ends.retry(self.parameters, self.end, told.slot))

    def _resent(self, _told: Event, _: Handshakes) -> Event:
        event = self._take(*ends.resend(self.end))
        if self._resend_at is not None and self._resend_at >= self._cycle - 1:
            # This one was on its way when the newest cause came: another follows.
            initiator = self.end.initiator._replace(resend=True)
            self.end = self.end._replace(initiator=initiator)
        return event

    def _told(self, told: Event, host: Handshakes) -> Event:
        slot = self.end.initiator.slots[told.slot]
        event = self._take(*ends.tell(self.end, told.slot))
        completed = _needed(host.completed, "TOLD without a completion")
        expected = Completed(slot.tag, slot.id, slot.kind, event.info & 3, event.info >> 2)
        if completed != expected:
            raise DivergenceError(f"{completed}, expected {expected}")
        return event

    def _request(self, _told: Event, _: Handshakes) -> Event:
        return self._take(*ends.take_request(self.parameters, self.end, self._host))

    def _settled(self, _told: Event, _: Handshakes) -> Event:
        return self._take(*ends.settle(self.end))

    def _delivered(self, told: Event, host: Handshakes) -> Event:
        slot = self.end.responder.slots[told.slot]
        event = self._take(*ends.deliver(self.parameters, self.end))
        if told.info == Kind.EPOCH_ADVANCE:
            return event
        delivered = _needed(host.delivered, "DELIVERED without a delivered record")
        if delivered != Delivered(slot.record, slot.id):
            raise DivergenceError(
                f"delivered {delivered.record.hex()} as {delivered.id}, "
                f"expected {slot.record.hex()} as {slot.id}"
            )
        return event

    def _skipped(self, _told: Event, _: Handshakes) -> Event:
        return self._take(*ends.skip(self.parameters, self.end))

    def _doubted(self, told: Event, host: Handshakes) -> Event:
        slot = self.end.responder.slots[told.slot]
        event = self._take(*ends.doubt(self.parameters, self.end))
        doubted = _needed(host.doubted, "DOUBTED without a word on the doubt stream")
        if doubted != (slot.id, slot.digest):
            raise DivergenceError(f"doubt word {doubted}, expected {(slot.id, slot.digest)}")
        return event

    def _enabled(self, _told: Event, _: Handshakes) -> Event:
        if not self.config.enable:
            raise DivergenceError("ENABLED although cfg_enable is low")
        event = self._take(*ends.enable(self.parameters, self.end, self.config.session))
        if self._sync is not None and self._sync[0] == self._cycle:
            # Verified at this very edge: by the time it is taken, the link is not DOWN any more.
            self.end = self.end._replace(sync=self._sync[1])
        return event

    def _disabled(self, _told: Event, _: Handshakes) -> Event:
        if self.config.enable:
            raise DivergenceError("DISABLED although cfg_enable is high")
        return self._take(*ends.disable(self.end))

    def _link(self, _told: Event, _: Handshakes) -> Event:
        event = self._take(*ends.take_sync(self.parameters, self.end))
        if event.after == LinkState.UP != event.before:
            self._resend_at = self._cycle
        return event

    def _foreign_session(self, _told: Event, _: Handshakes) -> Event:
        return self._take(*ends.foreign_session(self.parameters, self.end))

    def _sync_due(self, _told: Event, _: Handshakes) -> Event:
        return self._take(*ends.sync_due(self.parameters, self.end))

    def _dead(self, told: Event, _: Handshakes) -> Event:
        if not self.config.beats:
            raise DivergenceError(f"{told.code.name} although beats are disabled")
        incoming = told.code == EventCode.INCOMING_DEAD
        step = ends.incoming_dead if incoming else ends.outgoing_dead
        return self._take(*step(self.parameters, self.end))

    def _adopted(self, _told: Event, _: Handshakes) -> Event:
        return self._take(*ends.adopt(self.parameters, self.end))

    def _epoch(self, _told: Event, _: Handshakes) -> Event:
        self._epochs.append((self._cycle, self.end.link.epoch))
        return self._take(*ends.take_epoch(self.end, self.config.epoch))

    @property
    def _host(self) -> Host:
        return Host(self.config.accept, self.config.epoch, self.config.prepared)


Value = TypeVar("Value")


def _needed(value: Value | None, otherwise: str) -> Value:
    if value is None:
        raise DivergenceError(otherwise)
    return value


def _register_name(address: int) -> str:
    counters = REGISTER["COUNTERS"]
    if address >= counters:
        return f"counter {COUNTERS[address - counters][0]}"
    return next(name for name, place in REGISTER.items() if place == address)


STEPS: dict[EventCode, Step] = {
    EventCode.CRASH: Follower._restart,
    EventCode.AMNESIA: Follower._restart,
    EventCode.SENT: Follower._sent,
    EventCode.OPENED: Follower._opened,
    EventCode.UNOPENED_TOLD: Follower._unopened,
    EventCode.RECORD_DISCARDED: Follower._discarded,
    EventCode.DECIDED: Follower._compared,
    EventCode.MISMATCHED: Follower._compared,
    EventCode.CANCELLED: Follower._cancelled,
    EventCode.CANCEL_IGNORED: Follower._cancelled,
    EventCode.RETRIED: Follower._retried,
    EventCode.RESENT: Follower._resent,
    EventCode.TOLD: Follower._told,
    EventCode.REFLECTED: Follower._settled,
    EventCode.ABORT_RECORDED: Follower._settled,
    EventCode.DELIVERED: Follower._delivered,
    EventCode.SKIPPED: Follower._skipped,
    EventCode.DOUBTED: Follower._doubted,
    EventCode.ENABLED: Follower._enabled,
    EventCode.DISABLED: Follower._disabled,
    EventCode.FOREIGN_SESSION: Follower._foreign_session,
    EventCode.SYNC_DUE: Follower._sync_due,
    EventCode.INCOMING_DEAD: Follower._dead,
    EventCode.OUTGOING_DEAD: Follower._dead,
    EventCode.SESSION_ADOPTED: Follower._adopted,
    EventCode.EPOCH_TAKEN: Follower._epoch,
}
# The steps that take a frame tell what became of it; which step it is follows from the channel.
BY_CHANNEL: dict[Channel, Step] = {
    Channel.RECEIVE: Follower._verdict,
    Channel.INITIATOR: Follower._answer,
    Channel.RESPONDER: Follower._request,
    Channel.LINK: Follower._link,
}
STEPS |= {code: BY_CHANNEL[CHANNEL_OF[code]] for code in EventCode if code not in STEPS}
