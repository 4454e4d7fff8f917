"""The lane world: A initiates, B responds, the link stays UP and a crash is over at once.

Ids, outcomes and the window are at stake here: docs/protocol.md, sections 3, 7 and 8.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

from oae import frame as frames
from oae.explore import relations
from oae.explore.world import A, Act, Local
from oae.frame import Frame
from oae.model import Event, NotAllowedError, Parameters
from oae.model import initiator as initiators
from oae.model import responder as responders
from oae.model.initiator import Initiator
from oae.model.responder import Refusal, Responder
from oae.spec.constants import EventCode, Operation, Outcome, State

FORWARD, BACKWARD = 0x0A0B0C0D, 0x0D0C0B0A  # link sessions of the two directions
ALTERED = b"!"
REPORTED_TWICE = 9
FALSE_COMPLETION = "no false completion: told COMMITTED, but not delivered"


class Proposer(NamedTuple):
    """A: its initiator, and what happened to each record so far."""

    initiator: Initiator
    told: tuple[int, ...] = ()  # outcome told of each record, 0 for none yet
    decided: int = 0  # one bit a record: was it ever decided
    aborted: int = 0  # was it ever ABORTED


class Holder(NamedTuple):
    """B: its responder, and what happened to each record so far."""

    responder: Responder
    delivered: tuple[int, ...] = ()  # number of each delivered record; -1: an altered one
    committed: int = 0
    aborted: int = 0


@dataclass
class LaneWorld:
    """One lane. `ids` records are submitted at most; `first_id` is where ids start."""

    parameters: Parameters
    ids: int
    first_id: int = 0
    equal_records: bool = False
    by_count: bool = False  # equal records under reused ids can only be counted
    check_relations: bool = True

    def __post_init__(self) -> None:
        self._numbers: dict[tuple[int, int], int] = {}  # (id, digest) to record
        self._lanes = lru_cache(maxsize=4096)(self._lane)

    def start(self) -> tuple[Proposer, Holder]:
        """Both idle."""
        return (
            Proposer(initiators.initial(self.parameters, self.first_id)),
            Holder(responders.initial(self.parameters, self.first_id)),
        )

    def sent(self) -> tuple[list[Frame], list[Frame]]:
        """Nothing yet."""
        return [], []

    # --- what may happen

    def acts(self, side: int, local: Local) -> Iterable[Act]:
        """Host's and internal steps, sending, crashes."""
        if side == A:
            assert isinstance(local, Proposer)
            return self._proposer_acts(local)
        assert isinstance(local, Holder)
        return self._holder_acts(local)

    def hears(self, side: int, local: Local, frame: Frame) -> Iterable[Act]:
        """A verified frame is taken at once."""
        if side == A:
            assert isinstance(local, Proposer)
            return self._proposer_hears(local, frame)
        assert isinstance(local, Holder)
        return self._holder_hears(local, frame)

    def _proposer_acts(self, a: Proposer) -> Iterator[Act]:
        parameters, window, initiator = self.parameters, self.parameters.window, a.initiator
        number = len(a.told)
        if initiator.late is not None:
            late = initiators.write_late(initiator, window)
            yield Act("slot written late", a._replace(initiator=late))
        elif number < self.ids and initiators.free_slot(initiator, window) is not None:
            record = b"=" if self.equal_records else bytes([number + 1])
            bound = initiator.next_id if parameters.has("F12") else 0
            digest = frames.digest(FORWARD, bound, 0, 0, record)
            self._numbers.setdefault((initiator.next_id, digest), number)
            opened, event = initiators.open_transaction(
                parameters, initiator, window, digest=digest, record=record, tag=number
            )
            yield Act(str(event), a._replace(initiator=opened, told=(*a.told, 0)), fair=False)
        for tag in range(number):
            cancelled, event = initiators.cancel(parameters, initiator, tag)
            if event.code == EventCode.CANCELLED:
                yield Act(str(event), a._replace(initiator=cancelled), price="cancels")
        comparing = initiators.comparing(initiator)
        if comparing is not None:
            compared, event = initiators.compare(parameters, initiator, comparing)
            yield Act(str(event), _noted(a, compared, event, initiator.slots[comparing].tag))
        for index, slot in enumerate(initiator.slots):
            if initiators.completion(slot, changing=False) is not None:
                told, event = initiators.tell(initiators.offer(initiator, index, changing=False))
                yield Act(str(event), _noted(a, told, event, slot.tag))
            yield from self._proposer_sends(a, index)
        crashed = a._replace(initiator=initiators.crash(parameters, initiator))
        yield Act("CRASH", crashed, price="crashes_a")
        forgetful = a._replace(initiator=initiators.initial(parameters, self.first_id))
        yield Act("AMNESIA", forgetful, price="amnesias_a")

    def _proposer_sends(self, a: Proposer, index: int) -> Iterator[Act]:
        initiator, text = a.initiator, "sends"
        slot = initiator.slots[index]
        if slot.waiting and not slot.send:
            # An echo proves the answer overdue: RETRIED and SENT.
            initiator, _ = initiators.retry(self.parameters, initiator, index, 1, 0)
            text = "sends again"
        operation = initiator.owed(index)
        if operation is None:
            return
        record = slot.record if operation == Operation.DATA else b""
        frame = Frame(operation, slot.id, slot.digest, link_session=FORWARD, record=record)
        sent = initiators.granted(self.parameters, initiator, index)
        yield Act(f"{text} {operation.name}({slot.id})", a._replace(initiator=sent), frame)

    def _proposer_hears(self, a: Proposer, frame: Frame) -> Iterator[Act]:
        if initiators.comparing(a.initiator) is not None:
            return
        window = self.parameters.window
        tag = a.initiator.slots[frame.id % window].tag
        reason = frame.operand >> 24
        heard, event = initiators.hear(
            self.parameters, a.initiator, window, frame.operation, frame.id, frame.digest, reason
        )
        yield Act(str(event), _noted(a, heard, event, tag))

    def _holder_acts(self, b: Holder) -> Iterator[Act]:
        parameters, window, responder = self.parameters, self.parameters.window, b.responder
        index = responders.settling(responder)
        if index is not None:
            settle = (
                responders.reflect
                if responder.slots[index].state == State.TENTATIVE
                else responders.record_abort
            )
            settled, event = settle(responder, index)
            yield Act(str(event), self._held(b, settled, event))
        try:
            delivered, event = responders.deliver(parameters, responder, window)
            yield Act(str(event), self._delivered(b, delivered, event))
        except NotAllowedError:
            pass
        if not parameters.has("F18") and responder.handing is not None:
            marked = responders.mark_late(parameters, responder, window)
            yield Act("delivery marked late", b._replace(responder=marked))
        try:
            skipped, event = responders.skip(parameters, responder, window, changing=False)
            yield Act(str(event), b._replace(responder=skipped))
        except NotAllowedError:
            pass
        for index, slot in enumerate(responder.slots):
            operation = responders.owed(parameters, slot)
            if operation is not None:
                digest = slot.echo if operation == Operation.DONE and slot.echo else slot.digest
                operand = slot.reason << 24 if operation == Operation.ABORTED else 0
                frame = Frame(operation, slot.id, digest, link_session=BACKWARD, operand=operand)
                sent = responders.granted(parameters, responder, index)
                yield Act(f"sends {operation.name}({slot.id})", b._replace(responder=sent), frame)
            if not parameters.has("F5") and slot.state == State.REFLECTING:
                abandoned, event = responders.abandon(parameters, responder, index)
                yield Act(f"by itself: {event}", self._held(b, abandoned, event), fair=False)
        crashed = b._replace(responder=responders.crash(parameters, responder))
        yield Act("CRASH", crashed, price="crashes_b")
        forgetful = b._replace(responder=responders.initial(parameters, self.first_id))
        yield Act("AMNESIA", forgetful, price="amnesias_b")

    def _holder_hears(self, b: Holder, frame: Frame) -> Iterator[Act]:
        if responders.settling(b.responder) is not None:
            return
        for refusal, price in ((Refusal(), ""), (Refusal(host=True), "refusals")):
            heard, event = responders.hear(
                self.parameters,
                b.responder,
                self.parameters.window,
                frame.operation,
                frame.id,
                frame.digest,
                record=frame.record,
                refusal=refusal,
            )
            yield Act(str(event), self._held(b, heard, event), price=price)
            if event.code != EventCode.HELD:
                return

    # --- what happened

    def _held(self, b: Holder, responder: Responder, event: Event) -> Holder:
        slot = responder.slots[event.slot]
        number = self._numbers.get((slot.id, slot.digest))
        bit = 0 if number is None else 1 << number
        b = b._replace(responder=responder)
        if event.code == EventCode.COMMIT_HEARD:
            return b._replace(committed=b.committed | bit)
        if event.code in (EventCode.REFUSED, EventCode.ABORT_RECORDED):
            return b._replace(aborted=b.aborted | bit)
        return b

    def _delivered(self, b: Holder, responder: Responder, event: Event) -> Holder:
        # Before the step: it discards the record once the mark is set.
        slot = b.responder.handing or b.responder.slots[event.slot]
        number = self._numbers.get((slot.id, slot.digest), -1)
        if slot.record.endswith(ALTERED):
            number = -1
        return b._replace(responder=responder, delivered=(*b.delivered, number))

    # --- what damage may pass every check

    def damaged(self, frame: Frame) -> Iterator[tuple[str, Frame]]:
        """Damage that FCS and guard let through."""
        operation = frame.operation
        if operation == Operation.DATA and not frame.record.endswith(ALTERED):
            record = frame.record + ALTERED
            digest = frames.digest(FORWARD, frame.id, 0, 0, record)
            yield "alterations", frame._replace(record=record, digest=digest)
        for near in (-1, 1):
            other = frame.id + near
            if operation != Operation.DATA and 0 <= other < self.ids:
                yield "misdirections", frame._replace(id=other)
        confused = {Operation.COMMIT: Operation.ABORT, Operation.ABORT: Operation.COMMIT}
        if operation in confused:
            # Of the digest only one of the two carries the complement: the bits stay as they are.
            flip = 0xFFFFFFFF if self.parameters.has("F14") else 0
            other_digest = frame.digest ^ flip
            yield (
                "confusions",
                frame._replace(operation=confused[operation], digest=other_digest),
            )

    # --- what must hold

    def broken(self, a: Local, b: Local) -> str | None:
        """The promises; then, in the full protocol, the relations."""
        assert isinstance(a, Proposer)
        assert isinstance(b, Holder)
        if self.by_count:
            told = a.told.count(Outcome.COMMITTED)
            return FALSE_COMPLETION if told > len(b.delivered) else None
        found = promise_broken(a, b)
        if found is None and self.check_relations:
            name = relations.broken(self._lanes(a, b))
            found = None if name is None else f"relation {name}"
        return found

    def frame_broken(self, sender: int, frame: Frame, a: Local, b: Local) -> str | None:
        """The relations with what was sent."""
        if not self.check_relations:
            return None
        name = relations.frame_broken(self._lanes(a, b), frame)
        return None if name is None else f"relation {name}: {frame.operation.name}({frame.id})"

    def _lane(self, a: Proposer, b: Holder) -> relations.Lane:
        return relations.Lane(
            self.parameters, self.parameters.window, a.initiator, a.told, b.responder
        )

    def resolved(self, a: Local, b: Local) -> bool:
        """Nothing is held at either end, and every record has its outcome."""
        assert isinstance(a, Proposer)
        assert isinstance(b, Holder)
        initiator, responder = a.initiator, b.responder
        return (
            not initiator.busy
            and initiator.late is None
            and not responder.unresolved
            and responder.handing is None
            and responder.pointer == initiator.next_id
            and 0 not in a.told
        )

    def describe(self, side: int, local: Local) -> str:
        """Slots that are not IDLE."""
        if side == A:
            assert isinstance(local, Proposer)
            told = " ".join(f"{k}={Outcome(o).name}" for k, o in enumerate(local.told) if o)
            held = " ".join(
                f"{s.id}:{s.state.name}" for s in local.initiator.slots if s.state != State.IDLE
            )
            return f"next {local.initiator.next_id} {held or 'IDLE'}" + (
                f" told {told}" if told else ""
            )
        assert isinstance(local, Holder)
        held = " ".join(
            f"{s.id}:{'delivered' if s.delivered else s.state.name}"
            for s in local.responder.slots
            if s.state != State.IDLE
        )
        return f"pointer {local.responder.pointer} {held or 'IDLE'}"


def _noted(a: Proposer, initiator: Initiator, event: Event, tag: int) -> Proposer:
    """`a` after a step on the transaction with this tag."""
    a = a._replace(initiator=initiator)
    if event.code == EventCode.DECIDED:
        return a._replace(decided=a.decided | 1 << tag)
    if event.code == EventCode.ABORT_CONFIRMED:
        return a._replace(aborted=a.aborted | 1 << tag)
    if event.code != EventCode.TOLD:
        return a
    outcome = event.info & 3 if a.told[tag] == 0 else REPORTED_TWICE
    return a._replace(told=(*a.told[:tag], outcome, *a.told[tag + 1 :]))


def promise_broken(a: Proposer, b: Holder) -> str | None:
    """The first promise of docs/protocol.md, section 8, that does not hold."""
    if -1 in b.delivered:
        return "exactly once: an altered record was delivered"
    delivered = 0
    last = -1
    for number in b.delivered:
        if number <= last:
            return f"exactly once, in order: record {number} was delivered after record {last}"
        last = number
        delivered |= 1 << number
    committed = sum(1 << k for k, outcome in enumerate(a.told) if outcome == Outcome.COMMITTED)
    aborted = sum(1 << k for k, outcome in enumerate(a.told) if outcome == Outcome.ABORTED)
    aborted |= a.aborted
    if a.decided & b.aborted or aborted & b.committed:
        return "agreement: COMMITTED at one end, ABORTED at the other"
    if REPORTED_TWICE in a.told:
        return "conservation: an outcome was told twice"
    if committed & ~delivered:
        return FALSE_COMPLETION
    if aborted & delivered:
        return "exactly once: told ABORTED, but delivered"
    if a.decided & aborted:
        return "final: decided, and then ABORTED"
    if delivered & ~a.decided:
        return "nothing visible before commit: delivered, but not decided"
    return None
