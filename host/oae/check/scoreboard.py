"""Judges a run by its trace: were the promises of the protocol (docs/protocol.md) kept?

The scoreboard knows nothing of how the ends work. It keeps one page for each transaction, named by
lane, session pair and id; both ends write on it what they told, and what contradicts a promise is a
violation with its line in the trace.
"""

from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any, Final, NamedTuple

from oae.check.pages import NO_SESSION, Lane, LaneKey, Page
from oae.check.verdict import (
    EndFigures,
    Expectations,
    Judgement,
    Promise,
    Spread,
    Struck,
    Verdict,
    Violation,
)
from oae.scenario.layout import Fault
from oae.spec.constants import (
    COUNTERS,
    FIELD,
    REGISTER,
    AbortReason,
    EventCode,
    Kind,
    Operation,
    Outcome,
)
from oae.trace import (
    BENCH,
    Complete,
    Config,
    Cut,
    Deliver,
    Doubt,
    Event,
    Fate,
    Power,
    Receive,
    Record,
    Register,
    Rule,
    Status,
    Stop,
    Submit,
    Trace,
    TraceError,
    Transmit,
)

# The ids of a lane are compared by serial arithmetic, so a frame must reach its end before this
# many later ids have been opened, half of all (docs/protocol.md, section 6).
LIFETIME = 1 << 31
# Frames that are remembered until they are received; each opened id costs its initiator one, and
# its responder one.
MEMORY: Final = 512

_IDS: Final = 1 << 32
_OPERATION_AT: Final = FIELD["OPERATION"][0]
_ID_LOW_AT: Final = FIELD["ID_LOW"][0]
_ID_HIGH_AT: Final = FIELD["ID_HIGH"][0]
_REQUESTS: Final = frozenset({Operation.DATA, Operation.COMMIT, Operation.ABORT})
_ANSWERS: Final = frozenset({Operation.ACK, Operation.DONE, Operation.ABORTED})
_VIOLATIONS: Final = frozenset(
    {EventCode.INITIATOR_VIOLATION, EventCode.RESPONDER_VIOLATION, EventCode.PAIR_VIOLATION}
)


class Sent(NamedTuple):
    """A frame that an end has sent."""

    data: bytes
    lane: Lane | None  # that it speaks of, under the session pair of that moment
    id: int  # counted on where the ids of the wire wrap


class Scoreboard:
    """Takes the records of a trace one by one, then judges."""

    def __init__(self, ends: int, expectations: Expectations | None = None) -> None:
        self.expectations = expectations or Expectations()
        self.violations: list[Violation] = []
        self.bench_errors: list[str] = []
        self.figures = [EndFigures() for _ in range(ends)]
        self.frames: list[Counter[str]] = [Counter() for _ in range(ends)]
        self.own = [NO_SESSION] * ends
        self.peer = [NO_SESSION] * ends
        self.offered = [NO_SESSION] * ends
        self.lanes: dict[LaneKey, Lane] = {}
        self.submit: list[Submit | None] = [None] * ends
        self.complete: list[Complete | None] = [None] * ends
        self.deliver: list[Deliver | None] = [None] * ends
        self.doubt: list[Doubt | None] = [None] * ends
        self.seen_records: list[set[tuple[int, bytes]]] = [set() for _ in range(ends)]
        self.told_violations: list[Event] = []
        self.events: list[Counter[tuple[int, int]]] = [Counter() for _ in range(ends)]
        self.registers: list[dict[int, int]] = [{} for _ in range(ends)]
        self.transmitted: list[dict[int, Sent]] = [{} for _ in range(ends)]
        self.altered: list[set[int]] = [set() for _ in range(ends)]
        self.is_cut = [False] * ends
        self.forgotten_at = [0] * ends  # cycle of the last amnesia
        self.disabled_at: list[int | None] = [0] * ends  # cycle; None while enabled
        self.is_down = [False] * ends
        self.wanted_epoch = [0] * ends
        self.epoch = [0] * ends
        self.struck = Struck()
        self.obstructed = False  # at the stop
        self.stop: Stop | None = None
        self.last_line = 0
        self.commit_latency: list[int] = []
        self.decision_latency: list[int] = []
        self.doubt_initiator: list[int] = []
        self.doubt_responder: list[int] = []
        self.takers: dict[type, Callable[[Any], None]] = {
            Event: self.event,
            Transmit: self.transmit,
            Receive: self.receive,
            Fate: self.fate,
            Submit: self.submitted,
            Complete: self.completed,
            Deliver: self.delivered,
            Doubt: self.doubted,
            Config: self.config,
            Power: self.power,
            Status: self.status,
            Cut: self.cut,
            Rule: lambda record: self.struck.fired(record.number),
            Stop: self.stopped,
            Register: self.register,
        }
        self.steps: dict[int, Callable[[Event], None]] = {
            EventCode.CRASH: self.crashed,
            EventCode.AMNESIA: self.forgot,
            EventCode.SENT: self.sent,
            EventCode.OPENED: self.opened,
            EventCode.DECIDED: self.decided,
            EventCode.MISMATCHED: self.taken_back,
            EventCode.CANCELLED: self.taken_back,
            EventCode.ABORT_CONFIRMED: self.taken_back,
            EventCode.DONE_HEARD: self.settled,
            EventCode.TOLD: self.told,
            EventCode.UNOPENED_TOLD: self.unopened_told,
            EventCode.RECORD_DISCARDED: self.record_discarded,
            EventCode.HELD: self.held,
            EventCode.REFLECTED: self.reflected,
            EventCode.REFUSED: self.refused,
            EventCode.COMMIT_HEARD: self.commit_heard,
            EventCode.DELIVERED: self.record_delivered,
            EventCode.SKIPPED: self.skipped,
            EventCode.REVERSED: self.reversed,
            EventCode.ABORT_RECORDED: self.abort_recorded,
            EventCode.DOUBTED: self.record_doubted,
            EventCode.ENABLED: self.enabled,
            EventCode.SESSION_ADOPTED: self.adopted,
            **dict.fromkeys(_VIOLATIONS, self.told_violations.append),
        }

    def take(
        self, records: Iterable[Record], watch: Callable[[Record], None] | None = None
    ) -> None:
        """Take the records of a trace, in order; `watch` sees them too."""
        takers = self.takers
        for record in records:
            if watch is not None:
                watch(record)
            self.last_line = record.line
            taker = takers.get(type(record))
            if taker is not None:
                taker(record)

    def broken(self, promise: Promise, record: Record, text: str) -> None:
        """Note a violation."""
        self.violations.append(Violation(promise, record.line, record.cycle, text))

    # ------------------------------------------------------------------ lanes and sessions

    def outgoing(self, end: int) -> Lane:
        """The lane that the end initiates on, under its present session pair."""
        return self._lane((end, self.own[end], self.peer[end]))

    def incoming(self, end: int) -> Lane:
        """The lane that the end responds on."""
        return self._lane((self.peer_of(end), self.peer[end], self.own[end]))

    def peer_of(self, end: int) -> int:
        """The other end of the link."""
        return 1 - end

    def _lane(self, key: LaneKey) -> Lane:
        lane = self.lanes.get(key)
        if lane is None:
            lane = self.lanes[key] = Lane(key)
        return lane

    def config(self, record: Config) -> None:
        """The session that the host offers is drawn with the step ENABLED."""
        self.offered[record.end] = record.session & 0xFFFF_FFFF
        self.disabled_at[record.end] = None if record.enable else record.cycle
        self.wanted_epoch[record.end] = record.epoch

    def status(self, record: Status) -> None:
        """An end that is not in the epoch that its host wants waits for its lanes to drain."""
        self.epoch[record.end] = record.epoch

    def enabled(self, event: Event) -> None:
        """An end without a session draws one."""
        if self.own[event.end] == NO_SESSION:
            self.own[event.end] = self.offered[event.end]

    def adopted(self, event: Event) -> None:
        """From here on, ids belong to another session pair."""
        end = event.end
        self._left_behind(event)
        self.peer[end] = event.value

    def _left_behind(self, event: Event) -> None:
        """Before it changes its session pair an end must have told every outcome."""
        for id, page in self.outgoing(event.end).pages.items():
            if page.opened is not None and page.told is None:
                self.broken(
                    Promise.CONSERVATION, event, f"session left with {page.name} (id {id}) untold"
                )

    def crashed(self, event: Event) -> None:
        """Durable state stays, so nothing changes on the pages but this: undecided is over."""
        self.figures[event.end].crashes += 1
        for page in self.outgoing(event.end).pages.values():
            if page.opened is not None and page.decided is None:
                page.undecidable = True

    def forgot(self, event: Event) -> None:
        """Amnesia: the records of this end will have no outcome."""
        self.forgotten_at[event.end] = event.cycle
        end = event.end
        self.figures[end].amnesias += 1
        for page in self.outgoing(end).pages.values():
            if page.opened is not None and page.told is None:
                self.figures[end].lost += 1
        self.own[end] = self.peer[end] = NO_SESSION

    # ------------------------------------------------------------------ ports

    def submitted(self, record: Submit) -> None:
        """Its step follows in the same cycle."""
        self._unmatched(record.end, record)
        if not record.broken:
            self.submit[record.end] = record

    def completed(self, record: Complete) -> None:
        """Its step follows in the same cycle."""
        self._unmatched(record.end, record)
        self.complete[record.end] = record

    def delivered(self, record: Deliver) -> None:
        """Its step follows in the same cycle, unless it is the end of a broken packet."""
        self._unmatched(record.end, record)
        page = self.incoming(record.end).page(record.id)
        if record.broken and not record.user:
            self.broken(
                Promise.PORTS, record, f"{page.name}: a crash in mid-packet, not marked bad"
            )
        elif not record.user:
            self.deliver[record.end] = record
        if record.first < self.forgotten_at[record.end]:
            return  # closed after amnesia: what was open belonged to a pair that is gone
        if page.commit_heard is None or page.commit_heard > record.first:
            text = f"{page.name}: bytes reached the host before the COMMIT was heard"
            self.broken(Promise.NOT_BEFORE_COMMITTED, record, text)

    def doubted(self, record: Doubt) -> None:
        """Its step follows in the same cycle."""
        self._unmatched(record.end, record)
        self.doubt[record.end] = record

    def _unmatched(self, end: int, now: Record) -> None:
        """Handshakes of an earlier cycle whose step was never told."""
        for waiting in (self.submit, self.complete, self.deliver, self.doubt):
            left = waiting[end]
            if left is not None and left.cycle != now.cycle:
                what = type(left).__name__.lower()
                self.broken(Promise.PORTS, left, f"{what} without its step")
                waiting[end] = None

    def _match(self, waiting: list[Any], event: Event, what: str) -> Any:
        """The handshake that belongs to a step, taken off the list."""
        found = waiting[event.end]
        waiting[event.end] = None
        if found is None or found.cycle != event.cycle:
            name = EventCode(event.code).name
            self.broken(Promise.PORTS, event, f"{name} {event.value} without its {what}")
            return None
        return found

    # ------------------------------------------------------------------ steps of the initiator

    def event(self, event: Event) -> None:
        """Count it, and let its promise look at it."""
        self.events[event.end][event.code, event.info] += 1
        step = self.steps.get(event.code)
        if step is not None:
            step(event)

    def opened(self, event: Event) -> None:
        """A record became a transaction."""
        lane = self.outgoing(event.end)
        page = lane.page(event.value)
        if event.value != lane.next_id or page.opened is not None:
            text = f"{page.name} opened, {lane.next_id} was to come next"
            self.broken(Promise.CONSERVATION, event, text)
        lane.next_id = event.value + 1
        page.opened = event.cycle
        figures = self.figures[event.end]
        figures.opened += 1
        record = self._match(self.submit, event, "submission")
        if record is None:
            return
        if record.user or record.kind != event.info:
            self.broken(Promise.PORTS, event, f"{page.name} opened from a bad or other record")
        page.data, page.kind, page.tag = record.data, Kind(record.kind), record.tag
        self._count_submission(event.end, record)

    def _count_submission(self, end: int, record: Submit) -> None:
        figures = self.figures[end]
        figures.submitted += 1
        known = self.seen_records[end]
        name = (record.tag, record.data)
        if name in known:
            figures.resubmitted += 1
        known.add(name)

    def decided(self, event: Event) -> None:
        """The decision."""
        page = self.outgoing(event.end).page(event.value)
        if page.undecidable:
            self.broken(Promise.FINAL, event, f"{page.name} decided after it was taken back")
        if page.aborted is not None or page.refused:
            self.broken(Promise.AGREEMENT, event, f"{page.name} decided; its responder aborted it")
        if page.opened is None:
            self.broken(Promise.CONSERVATION, event, f"{page.name} decided but never opened")
        else:
            self.commit_latency.append(event.cycle - page.opened)
        if page.first_data is not None:
            self.decision_latency.append(event.cycle - page.first_data)
        page.decided = event.cycle

    def taken_back(self, event: Event) -> None:
        """Cancelled, mismatched, or confirmed aborted."""
        page = self.outgoing(event.end).page(event.value)
        page.undecidable = True
        if page.decided is not None:
            name = EventCode(event.code).name
            self.broken(Promise.FINAL, event, f"{page.name}: {name} after the decision")

    def settled(self, event: Event) -> None:
        """The initiator knows that its record was delivered."""
        page = self.outgoing(event.end).page(event.value)
        if page.delivered is None:
            text = f"{page.name}: DONE believed, nothing was delivered"
            self.broken(Promise.NO_FALSE_COMPLETION, event, text)
        self._settle(page, event.cycle)

    def _settle(self, page: Page, cycle: int) -> None:
        if page.decided is not None and page.settled is None:
            page.settled = cycle
            self.doubt_initiator.append(cycle - page.decided)

    def told(self, event: Event) -> None:
        """The one outcome of a transaction."""
        page = self.outgoing(event.end).page(event.value)
        outcome, reason = Outcome(event.info & 3), AbortReason(event.info >> 2)
        figures = self.figures[event.end]
        line = self._match(self.complete, event, "completion")
        if line is not None:
            said = (line.id, line.outcome, line.reason, line.tag, line.kind)
            if said != (event.value, outcome, reason, page.tag, page.kind):
                text = f"{page.name}: completion {said} is not what was told"
                self.broken(Promise.PORTS, event, text)
        if page.told is not None or page.opened is None:
            text = f"{page.name} told {outcome.name}; told before: {page.told and page.told.name}"
            self.broken(Promise.CONSERVATION, event, text)
        page.told = outcome
        self._settle(page, event.cycle)
        if outcome is Outcome.COMMITTED:
            figures.committed += 1
            if page.delivered is None:
                text = f"{page.name} told COMMITTED before it was delivered"
                self.broken(Promise.NO_FALSE_COMPLETION, event, text)
            if page.decided is None:
                self.broken(Promise.FINAL, event, f"{page.name} told COMMITTED, never decided")
        elif outcome is Outcome.ABORTED:
            figures.aborted += 1
            page.undecidable = True
            if page.decided is not None:
                self.broken(Promise.FINAL, event, f"{page.name} told ABORTED after its decision")
            if page.delivered is not None or page.commit_heard is not None:
                text = f"{page.name} told ABORTED, COMMITTED at its responder"
                self.broken(Promise.AGREEMENT, event, text)
        else:
            figures.unknown += 1
            if not self.figures[self.peer_of(event.end)].amnesias:
                text = f"{page.name} told UNKNOWN though the peer kept its memory"
                self.broken(Promise.CONSERVATION, event, text)

    def unopened_told(self, event: Event) -> None:
        """A record that can be no transaction."""
        figures = self.figures[event.end]
        figures.unopened += 1
        record = self._match(self.submit, event, "submission")
        line = self._match(self.complete, event, "completion")
        if record is not None:
            self._count_submission(event.end, record)
        if line is not None and (line.tag, line.outcome) != (event.value, event.info & 3):
            self.broken(Promise.PORTS, event, f"completion of tag {line.tag} is not what was told")

    def record_discarded(self, event: Event) -> None:
        """The host marked the record bad."""
        self.figures[event.end].discarded += 1
        record = self._match(self.submit, event, "submission")
        if record is not None and not record.user:
            self.broken(Promise.CONSERVATION, event, f"record with tag {record.tag} dropped")

    # ------------------------------------------------------------------ steps of the responder

    def held(self, event: Event) -> None:
        """DATA was accepted."""
        page = self.incoming(event.end).page(event.value)
        if page.reflected is not None or page.aborted is not None or page.refused:
            self.broken(Promise.FINAL, event, f"{page.name} accepted again")
        page.held = True

    def reflected(self, event: Event) -> None:
        """From here on the responder may not abort by itself."""
        page = self.incoming(event.end).page(event.value)
        if page.reflected is None:
            page.reflected = event.cycle

    def refused(self, event: Event) -> None:
        """The one way in which a responder aborts by itself: before it has accepted."""
        page = self.incoming(event.end).page(event.value)
        if page.reflected is not None:
            self.broken(Promise.NEVER_ALONE, event, f"{page.name} refused after its reflection")
        self._responder_aborts(page, event)
        page.refused = True

    def _responder_aborts(self, page: Page, event: Event) -> None:
        if page.commit_heard is not None:
            self.broken(Promise.FINAL, event, f"{page.name} aborted after its COMMIT was heard")
        if page.decided is not None:
            self.broken(
                Promise.AGREEMENT, event, f"{page.name} aborted, COMMITTED at its initiator"
            )

    def commit_heard(self, event: Event) -> None:
        """COMMITTED at the responder."""
        page = self.incoming(event.end).page(event.value)
        if page.decided is None:
            text = f"{page.name} COMMITTED at the responder, not at its initiator"
            self.broken(Promise.AGREEMENT, event, text)
        if page.aborted is not None or page.refused:
            self.broken(Promise.FINAL, event, f"{page.name} COMMITTED after it was aborted")
        if page.commit_heard is None:
            page.commit_heard = event.cycle
        if page.reflected is not None:
            self.doubt_responder.append(event.cycle - page.reflected)

    def reversed(self, event: Event) -> None:
        """ABORT was heard: somebody must have sent it."""
        page = self.incoming(event.end).page(event.value)
        if not page.abort_sent:
            self.broken(Promise.NEVER_ALONE, event, f"{page.name} taken back; no ABORT was sent")

    def abort_recorded(self, event: Event) -> None:
        """Aborted at the responder."""
        page = self.incoming(event.end).page(event.value)
        if not page.abort_sent:
            self.broken(Promise.NEVER_ALONE, event, f"{page.name} aborted; no ABORT was sent")
        self._responder_aborts(page, event)
        if page.reflected is not None and page.aborted is None:
            self.doubt_responder.append(event.cycle - page.reflected)
        page.aborted = event.cycle

    def record_delivered(self, event: Event) -> None:
        """The host of the responder has the record."""
        lane = self.incoming(event.end)
        page = lane.page(event.value)
        if page.delivered is not None:
            self.broken(Promise.EXACTLY_ONCE, event, f"{page.name} delivered again")
        self._advance(lane, page, event)
        if page.commit_heard is None or page.decided is None:
            text = f"{page.name} delivered before it was COMMITTED"
            self.broken(Promise.NOT_BEFORE_COMMITTED, event, text)
        if page.told is Outcome.ABORTED or page.aborted is not None or page.refused:
            self.broken(Promise.AGREEMENT, event, f"{page.name} delivered, aborted elsewhere")
        page.delivered = event.cycle
        figures = self.figures[event.end]
        figures.delivered += 1
        if event.info == Kind.EPOCH_ADVANCE:
            return
        record = self._match(self.deliver, event, "record")
        if record is None:
            return
        figures.delivered_bytes += len(record.data)
        if record.id != event.value:
            self.broken(Promise.PORTS, event, f"{page.name} delivered as id {record.id}")
        if record.data != page.data:
            text = f"{page.name}: {len(record.data)} bytes delivered are not those submitted"
            self.broken(Promise.UNALTERED, event, text)

    def _advance(self, lane: Lane, page: Page, event: Event) -> None:
        if event.value != lane.deliver_pointer:
            text = f"{page.name} passed, {lane.deliver_pointer} was to come next"
            self.broken(Promise.EXACTLY_ONCE, event, text)
        lane.deliver_pointer = event.value + 1

    def skipped(self, event: Event) -> None:
        """The deliver pointer passed an id."""
        lane = self.incoming(event.end)
        page = lane.page(event.value)
        self._advance(lane, page, event)
        if page.delivered is None and page.commit_heard is not None:
            self.broken(Promise.EXACTLY_ONCE, event, f"{page.name} COMMITTED and then passed over")

    def record_doubted(self, event: Event) -> None:
        """A reflected record was discarded because the initiator lost its memory."""
        lane = self.incoming(event.end)
        page = lane.page(event.value)
        self._match(self.doubt, event, "doubt word")
        self._advance(lane, page, event)
        page.doubted = True
        self.figures[event.end].doubted += 1
        if page.commit_heard is not None:
            self.broken(Promise.FINAL, event, f"{page.name} doubted after its COMMIT was heard")
        if not self.figures[self.peer_of(event.end)].amnesias:
            text = f"{page.name} doubted though the initiator kept its memory"
            self.broken(Promise.FINAL, event, text)
        if page.reflected is not None:
            self.doubt_responder.append(event.cycle - page.reflected)

    # ------------------------------------------------------------------ frames

    def sent(self, event: Event) -> None:
        """What an end claims on the wire must be so."""
        match event.info:
            case Operation.ABORT:
                page = self.outgoing(event.end).page(event.value)
                page.abort_sent = True
                if page.decided is not None:
                    self.broken(Promise.FINAL, event, f"{page.name}: ABORT sent after its decision")
            case Operation.COMMIT:
                page = self.outgoing(event.end).page(event.value)
                if page.decided is None:
                    self.broken(Promise.FINAL, event, f"{page.name}: COMMIT sent, not decided")
            case Operation.DONE:
                page = self.incoming(event.end).page(event.value)
                if page.delivered is None:
                    text = f"{page.name}: DONE sent, nothing was delivered"
                    self.broken(Promise.NO_FALSE_COMPLETION, event, text)
            case Operation.ABORTED:
                page = self.incoming(event.end).page(event.value)
                if page.delivered is not None:
                    text = f"{page.name}: ABORTED sent, it was delivered"
                    self.broken(Promise.AGREEMENT, event, text)

    def transmit(self, record: Transmit) -> None:
        """Remember it, and when the DATA of a transaction first went out."""
        sent = self.transmitted[record.end]
        found = sent[record.number] = self._sent(record)
        sent.pop(record.number - MEMORY, None)
        self.frames[record.end]["transmitted"] += 1
        is_data = len(record.data) >= 36 and record.data[_OPERATION_AT] & 0x1F == Operation.DATA
        if is_data and found.lane is not None and not record.user:
            page = found.lane.page(found.id)
            if page.first_data is None:
                page.first_data = record.first

    def _sent(self, record: Transmit) -> Sent:
        """What a frame speaks of."""
        data, lane = record.data, None
        if len(data) > _ID_HIGH_AT + 1:
            operation = data[_OPERATION_AT] & 0x1F
            if operation in _REQUESTS:
                lane = self.outgoing(record.end)
            elif operation in _ANSWERS:
                lane = self.incoming(record.end)
        if lane is None:
            return Sent(data, None, 0)
        words = data[_ID_HIGH_AT : _ID_HIGH_AT + 2] + data[_ID_LOW_AT : _ID_LOW_AT + 2]
        behind = lane.next_id - int.from_bytes(words, "big")
        return Sent(data, lane, lane.next_id - ((behind + _IDS // 2) % _IDS - _IDS // 2))

    def fate(self, record: Fate) -> None:
        """Count what the channel did."""
        faults = Fault(record.faults)
        names = [fault.name.lower() for fault in faults if fault.name] or ["untouched"]
        self.frames[record.end].update(names)
        frame = record.end, record.operation, record.id, record.copy
        if frame in self.expectations.fates:
            self.struck.fates.add(frame)
        if faults & (Fault.FLIPPED | Fault.FORGED | Fault.DUPLICATE_FLIPPED):
            self.altered[record.end].add(record.number)

    def receive(self, record: Receive) -> None:
        """A channel may alter a frame only where it says so, and keep it only so long."""
        peer = self.peer_of(record.end)
        self.frames[peer]["received"] += 1
        sent = self.transmitted[peer].get(record.number)
        text = None
        if sent is None:
            text = f"is not among the {MEMORY} that were sent last"
        elif sent.data != record.data and record.number not in self.altered[peer]:
            text = "was received other than it was sent"
        elif sent.lane is not None and (later := sent.lane.next_id - sent.id - 1) >= LIFETIME:
            text = f"of id {sent.id} was received after {later} later ids, {LIFETIME} are too many"
        if text is not None:
            error = f"line {record.line}: frame {record.number} of end {'ab'[peer]} {text}"
            self.bench_errors.append(error)

    def cut(self, record: Cut) -> None:
        """Whether the direction away from an end is cut."""
        self.is_cut[record.end] = bool(record.cut)

    def power(self, record: Power) -> None:
        """Whether an end is held down."""
        self.is_down[record.end] = bool(record.crash or record.amnesia)

    # ------------------------------------------------------------------ the end

    def stopped(self, record: Stop) -> None:
        """What follows is no part of the experiment; note what is open now."""
        self.stop = record
        self.struck.cycle = record.cycle
        # The stop itself disables the ends, in its own cycle.
        disabled = any(at is not None and at < record.cycle for at in self.disabled_at)
        self.obstructed = (
            any(self.is_cut)
            or any(self.is_down)
            or disabled
            or self.wanted_epoch != self.epoch
            or self.expectations.obstructed(self.struck)
        )
        for lane in self.lanes.values():
            end, own, peer = lane.key
            if (self.own[end], self.peer[end]) != (own, peer):
                continue
            for page in lane.pages.values():
                if page.opened is not None and page.told is None:
                    self.figures[end].unresolved += 1
                    if page.decided is not None and page.settled is None:
                        self.doubt_initiator.append(record.cycle - page.decided)
                if page.reflected is not None and not (
                    page.commit_heard is not None or page.aborted is not None or page.doubted
                ):
                    self.doubt_responder.append(record.cycle - page.reflected)
        open_now = sum(figures.unresolved for figures in self.figures)
        if record.reason == "resolved" and open_now:
            text = f"{open_now} records have no outcome though the load is done"
            self.broken(Promise.CONSERVATION, record, text)
        if record.reason == "stalled" and not self.obstructed:
            text = f"nothing moves, {open_now} transactions are open, and nothing stands in the way"
            self.broken(Promise.PROGRESS, record, text)

    def register(self, record: Register) -> None:
        """Registers are compared once all of them are read."""
        self.registers[record.end][record.address] = record.value

    def check_counters(self) -> None:
        """Every counter, zeros included, is the number of its event words."""
        for end, registers in enumerate(self.registers):
            for index, (name, code, info, mask) in enumerate(COUNTERS):
                address = REGISTER["COUNTERS"] + index
                told = sum(
                    number
                    for (event_code, event_info), number in self.events[end].items()
                    if event_code == code and (info is None or event_info & mask == info)
                )
                read = registers.get(address)
                if read is None:
                    self.bench_errors.append(f"end {'ab'[end]}: counter {name} was not read")
                elif read != told:
                    text = f"end {'ab'[end]}: {name} is {read}, its events are {told}"
                    violation = Violation(Promise.COUNTERS, self.last_line, 0, text)
                    self.violations.append(violation)

    def judge(self) -> Judgement:
        """The verdict, after the last record."""
        for end in range(len(self.figures)):
            self._unmatched(end, Stop(self.last_line, -1, BENCH, ""))
        if self.stop is None:
            self.bench_errors.append("the run has no stop")
        else:
            self.check_counters()
        if len(self.told_violations) > self.expectations.violations:
            event = self.told_violations[self.expectations.violations]
            text = f"end {'ab'[event.end]} told {EventCode(event.code).name} {event.value}"
            self.broken(Promise.NO_VIOLATION, event, text)
        self.violations.sort(key=lambda violation: violation.line)
        verdict, reason = self._verdict()
        cycles = self.stop.cycle if self.stop else 0
        strikers = self.expectations.strikers
        return Judgement(
            verdict=verdict,
            reason=reason,
            violations=self.violations,
            stop=self.stop.reason if self.stop else "",
            cycles=cycles,
            ends=self.figures,
            frames=[dict(sorted(counts.items())) for counts in self.frames],
            commit_latency=Spread.of(self.commit_latency),
            decision_latency=Spread.of(self.decision_latency),
            in_doubt_initiator=Spread.of(self.doubt_initiator),
            in_doubt_responder=Spread.of(self.doubt_responder),
            goodput=[
                round(8 * self.figures[self.peer_of(end)].delivered_bytes / cycles, 4)
                if cycles
                else 0.0
                for end in range(len(self.figures))
            ],
            faults_struck=len({strikers[rule] for rule in self.struck.rules if rule in strikers}),
            obstructed=self.obstructed,
        )

    def _verdict(self) -> tuple[Verdict, str]:
        if self.bench_errors:
            return Verdict.BENCH_ERROR, self.bench_errors[0]
        if self.violations:
            return Verdict.FAIL, str(self.violations[0])
        assert self.stop is not None
        committed = sum(figures.committed for figures in self.figures)
        unresolved = sum(figures.unresolved for figures in self.figures)
        if unresolved:
            return Verdict.INCONCLUSIVE, f"{unresolved} records were unresolved: {self.stop.reason}"
        if self.stop.reason not in ("resolved", "requested"):
            return Verdict.INCONCLUSIVE, f"the run ended before its load: {self.stop.reason}"
        if unmet := self.expectations.unmet(committed, self.struck):
            return Verdict.INCONCLUSIVE, unmet
        return Verdict.PASS, f"{committed} records committed, every promise kept"


def judge(
    trace: Trace,
    expectations: Expectations | None = None,
    assertions: Iterable[str] = (),
    watch: Callable[[Record], None] | None = None,
) -> Judgement:
    """Judge a trace; a trace that cannot be read is a BENCH_ERROR.

    `assertions` are the lines that a simulator's own assertions wrote; `watch` sees every record.
    """
    board = Scoreboard(trace.ends, expectations)
    try:
        board.take(trace, watch)
    except TraceError as error:
        board.bench_errors.append(str(error))
    board.violations += [
        Violation(Promise.ASSERTION, board.last_line, 0, text)
        for text in board.expectations.unforgiven(assertions)
    ]
    judgement = board.judge()
    judgement.sha256 = trace.sha256
    return judgement
