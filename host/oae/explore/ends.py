"""Worlds of two whole ends: sessions, epochs and beats (docs/protocol.md, sections 5 and 8).

Both ends may initiate. A frame is taken by its unit when it arrives; whether a frame is heard at
all is decided as in `oae.frame.decode`.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from oae import frame as frames
from oae.explore.world import Act, Local
from oae.frame import Frame, Malformed, NotUp, Received, Sync, Verdict
from oae.model import End, Event, Host, NotAllowedError, Parameters
from oae.model import end as ends
from oae.model import responder as responders
from oae.spec.constants import (
    EventCode,
    Kind,
    LinkState,
    MalformedReason,
    Operation,
    Outcome,
    State,
)

FAULT_BEATS = 2  # an end that is so far ahead of the newest echo sends no beat of its own accord
LOST = 8  # instead of an outcome: the end forgot the record
TOLD_TWICE = 9
SIDE_B = 16  # records of B are numbered from here
SENDABLE = (
    Operation.ACK,
    Operation.DONE,
    Operation.ABORTED,
    Operation.COMMIT,
    Operation.ABORT,
    Operation.DATA,
)


class Submitted(NamedTuple):
    """What became of a record. `peer` is the session that the peer had when it was opened."""

    peer: int
    outcome: int = 0
    advance: int = 0  # the epoch that it advances to; 0 for a host's record


class Party(NamedTuple):
    """An end, its host, and what happened so far."""

    end: End
    host: Host = Host()
    submitted: tuple[Submitted, ...] = ()
    delivered: tuple[int, ...] = ()
    decided: int = 0  # own records that were ever decided, one bit each
    aborted: int = 0  # own records that were ever ABORTED
    committed: int = 0  # the peer's records that were ever COMMITTED here
    refused: int = 0  # the peer's records that were ever ABORTED here
    lives: int = 1
    converged: int = 0  # the greatest converged epoch since the last amnesia
    wrong: str = ""  # what this step alone showed


@dataclass
class EndsWorld:
    """Two ends. `ids` and `advances` are what each side's host submits at most.

    With `sessions` the link machines run, from power-on or, if `warm`, from a link that has come
    up; `timers` let SYNC repeat. Without, the link is always UP and a crash is over at once. With
    `retries` an echo may prove an answer overdue at any time; with `beats` only beats that really
    travel do. `epochs` are the epochs that each host goes through.
    """

    parameters: tuple[Parameters, Parameters]
    ids: tuple[int, int] = (1, 0)
    advances: tuple[tuple[int, ...], tuple[int, ...]] = ((), ())
    epochs: int = 0
    sessions: bool = True
    warm: bool = False
    earlier: bool = False  # a SYNC of each end's earlier life is still on the way
    timers: bool = True
    retries: bool = True
    beats: bool = False
    lossless: bool = False  # then an overdue answer can only be one that waits for delivery
    challenges: int | None = None  # more than this many challenges of an end are too many
    _numbers: dict[int, int] = field(default_factory=dict)  # digest to record

    def start(self) -> tuple[Party, Party]:
        """Two ends at power-on, or with the link UP."""
        first, second = self._brought_up()[0] if self.warm else self._cold()
        return first, second

    def sent(self) -> tuple[list[Frame], list[Frame]]:
        """What each end sent while a warm link came up."""
        sent = self._brought_up()[1] if self.warm else ([], [])
        if self.earlier:
            for side, parameters in enumerate(self.parameters):
                sync = Sync(side + 1, 2 - side, 0, 1, parameters.record_max, parameters.window)
                sent[side].append(Frame(Operation.SYNC, sync=sync))
        return sent

    def _cold(self) -> list[Party]:
        if self.sessions:
            lives = 2 if self.earlier else 1
            return [Party(ends.initial(sizes), lives=lives) for sizes in self.parameters]
        return [self._up(side) for side in (0, 1)]

    def _brought_up(self) -> tuple[list[Party], tuple[list[Frame], list[Frame]]]:
        """A clean link comes up: each end does what it can, and every frame arrives at once."""
        parties = self._cold()
        sent: tuple[list[Frame], list[Frame]] = ([], [])
        while True:
            acts = [(side, act) for side in (0, 1) for act in self._bring_up(side, parties[side])]
            if not acts:
                return parties, sent
            side, act = acts[0]
            assert isinstance(act.after, Party)
            parties[side] = act.after
            if act.frame is not None:
                sent[side].append(act.frame)
                for heard in self.hears(1 - side, parties[1 - side], act.frame):
                    assert isinstance(heard.after, Party)
                    parties[1 - side] = heard.after

    def _bring_up(self, side: int, party: Party) -> Iterator[Act]:
        acts = [*self._link_acts(side, party), *self._unit_acts(side, party)]
        acts += self._sync_sends(side, party)
        return (act for act in acts if act.fair and not act.price)

    def _up(self, side: int) -> Party:
        end = ends.initial(self.parameters[side])
        window = min(parameters.window for parameters in self.parameters)
        link = end.link._replace(
            session=side + 1, verified=2 - side, window=window, state=LinkState.UP
        )
        prepared = max((0, *self.advances[0], *self.advances[1]))
        return Party(end._replace(link=link), Host(prepared=prepared))

    def session(self, side: int, lives: int) -> int:
        """Session that an end draws in its n-th life: 1, 3, 5... and 2, 4, 6..."""
        fresh = 2 * (lives - 1) if self.parameters[side].has("F28") else 0
        return side + 1 + fresh

    # --- what may happen

    def acts(self, side: int, local: Local) -> Iterable[Act]:
        """Everything that needs no frame."""
        assert isinstance(local, Party)
        yield from self._link_acts(side, local)
        yield from self._host_acts(side, local)
        yield from self._unit_acts(side, local)
        yield from self._sends(side, local)
        yield from self._power_acts(side, local)

    def _try(
        self,
        side: int,
        party: Party,
        step: Callable[[], tuple[End, Event]],
        price: str = "",
        fair: bool = True,
    ) -> Iterator[Act]:
        """The step, if it is allowed."""
        try:
            end, event = step()
        except NotAllowedError:
            return
        yield Act(str(event), self._noted(side, party, end, event), price=price, fair=fair)

    def _link_acts(self, side: int, party: Party) -> Iterator[Act]:
        parameters, end = self.parameters[side], party.end
        if self.sessions:
            session = self.session(side, party.lives)
            yield from self._try(side, party, lambda: ends.enable(parameters, end, session))
            yield from self._try(side, party, lambda: ends.disable(end), price="disables")
            yield from self._try(
                side, party, lambda: ends.incoming_dead(parameters, end), price="faults"
            )
            yield from self._try(side, party, lambda: ends.adopt(parameters, end))
        if party.host.epoch != end.link.epoch:
            yield from self._try(side, party, lambda: ends.take_epoch(end, party.host.epoch))
        elif party.host.epoch < self.epochs:
            host = party.host._replace(epoch=party.host.epoch + 1)
            yield Act(f"host wants epoch {host.epoch}", party._replace(host=host), fair=False)

    def _host_acts(self, side: int, party: Party) -> Iterator[Act]:
        parameters, end = self.parameters[side], party.end
        number = len(party.submitted)
        data = sum(not submitted.advance for submitted in party.submitted)
        advances = number - data
        if data < self.ids[side]:
            record = bytes([side * SIDE_B + number + 1])
            yield from self._open(side, party, record, Kind.DATA, 0)
        if advances < len(self.advances[side]):
            epoch = self.advances[side][advances]
            yield from self._open(side, party, epoch.to_bytes(4, "big"), Kind.EPOCH_ADVANCE, epoch)
        for slot in end.initiator.slots:
            if slot.state == State.TENTATIVE:
                tag = slot.tag
                yield from self._try(
                    side,
                    party,
                    lambda tag=tag: ends.cancel(parameters, end, tag),  # type: ignore[misc]
                    price="cancels",
                )
        for index in range(parameters.window):
            yield from self._try(
                side,
                party,
                lambda index=index: ends.tell(end, index),  # type: ignore[misc]
            )
        yield from self._try(side, party, lambda: ends.deliver(parameters, end))
        yield from self._try(side, party, lambda: ends.doubt(parameters, end))

    def _open(self, side: int, party: Party, record: bytes, kind: int, epoch: int) -> Iterator[Act]:
        end = party.end
        try:
            opened, event = ends.open_transaction(
                self.parameters[side],
                end,
                record,
                tag=len(party.submitted),
                kind=kind,
                host=party.host,
            )
        except NotAllowedError:
            return
        slot = opened.initiator.slots[event.slot]
        self._numbers.setdefault(slot.digest, side * SIDE_B + len(party.submitted))
        submitted = (*party.submitted, Submitted(end.link.verified, 0, epoch))
        yield Act(str(event), party._replace(end=opened, submitted=submitted), fair=False)

    def _unit_acts(self, side: int, party: Party) -> Iterator[Act]:
        parameters, end = self.parameters[side], party.end
        yield from self._try(side, party, lambda: ends.compare(parameters, end))
        yield from self._try(side, party, lambda: ends.settle(end))
        yield from self._try(side, party, lambda: ends.skip(parameters, end))
        yield from self._try(side, party, lambda: ends.resend(end))

    def _sends(self, side: int, party: Party) -> Iterator[Act]:
        parameters, end = self.parameters[side], party.end
        yield from self._sync_sends(side, party)
        for operation in SENDABLE:
            for slot in range(parameters.window):
                yield from self._send(side, party, end, operation, slot, "sends")
        if self.sessions and self.timers:
            try:
                due, _ = ends.sync_due(parameters, end)
            except NotAllowedError:
                pass
            else:
                # While one is outstanding the same SYNC goes again; else each time is a new one.
                price = "" if end.link.outstanding else "timeouts"
                text = "after a time sends"
                for act in self._send(side, party, due, Operation.SYNC, 0, text):
                    yield act._replace(price=price)
        if self.beats:
            yield from self._beats(side, party)
        elif self.retries and end.up:
            yield from self._retries(side, party)

    def _sync_sends(self, side: int, party: Party) -> Iterator[Act]:
        for operation in (Operation.SYNC_ACK, Operation.SYNC):
            yield from self._send(side, party, party.end, operation, 0, "sends")

    def _send(
        self, side: int, party: Party, end: End, operation: Operation, slot: int, text: str
    ) -> Iterator[Act]:
        try:
            after, frame, event = ends.send(self.parameters[side], end, operation, slot)
        except NotAllowedError:
            return
        value = event.value if operation == Operation.SYNC else frame.id
        yield Act(f"{text} {operation.name}({value})", party._replace(end=after), frame)

    def _retries(self, side: int, party: Party) -> Iterator[Act]:
        """At any time an echo may prove an answer overdue."""
        parameters, end = self.parameters[side], party.end
        number = end.beat.number
        echoed = end._replace(beat=end.beat._replace(number=number + 1, echo=number + 1))
        for index in range(parameters.window):
            try:
                retried, _ = ends.retry(parameters, echoed, index)
            except NotAllowedError:
                continue
            owing = retried._replace(beat=end.beat)
            operation = owing.initiator.owed(index)
            assert operation is not None
            yield from self._send(side, party, owing, operation, index, "sends again")

    def _beats(self, side: int, party: Party) -> Iterator[Act]:
        """A beat may go while a slot waits or an echo is owed; what was heard is answered first."""
        parameters, end = self.parameters[side], party.end
        settling = responders.settling(end.responder) is not None
        answers = settling or any(slot.answer for slot in end.responder.slots)
        unanswered = parameters.beats_ahead(end.beat.number, end.beat.echo)
        waits = end.initiator.waiting and unanswered < FAULT_BEATS
        if not answers and (waits or end.beat.echo_owed):
            yield from self._send(side, party, end, Operation.NOP, 0, "beat")
        for index in range(parameters.window):
            yield from self._try(
                side,
                party,
                lambda index=index: ends.retry(parameters, end, index),  # type: ignore[misc]
            )

    def _power_acts(self, side: int, party: Party) -> Iterator[Act]:
        parameters, end, name = self.parameters[side], party.end, "ab"[side]
        crashed, event = ends.crash(parameters, end)
        if not self.sessions:
            link = crashed.link._replace(state=LinkState.UP)
            initiator = crashed.initiator._replace(resend=True)
            crashed = crashed._replace(link=link, initiator=initiator)
        yield Act(str(event), party._replace(end=crashed), price=f"crashes_{name}")
        if self.sessions and end.link.session != 0:
            forgetful, event = ends.amnesia(parameters, end)
            submitted = tuple(
                record if record.outcome else record._replace(outcome=LOST)
                for record in party.submitted
            )
            after = party._replace(
                end=forgetful, submitted=submitted, lives=party.lives + 1, converged=0
            )
            yield Act(str(event), after, price=f"amnesias_{name}")

    # --- frames

    def hears(self, side: int, local: Local, frame: Frame) -> Iterable[Act]:
        """The verdict on the frame and, if it was received, what its unit makes of it."""
        assert isinstance(local, Party)
        parameters, party = self.parameters[side], local
        verdict = verdict_on(party.end, frame)
        try:
            end, event = ends.receive(parameters, party.end, verdict)
        except NotAllowedError:
            return
        if not isinstance(verdict, Received) or frame.operation == Operation.NOP:
            yield Act(str(event), party._replace(end=end))
            return
        if frame.operation in ends.SYNCS:
            if end.sync is None:
                yield Act("ignored while DOWN", party._replace(end=end))
            price = "replays" if _stale(party, frame) else ""
            yield from self._try(side, party, lambda: ends.take_sync(parameters, end), price)
        elif frame.operation in ends.ANSWERS:
            yield from self._try(side, party, lambda: ends.take_answer(parameters, end))
        else:
            host = party.host
            yield from self._try(side, party, lambda: ends.take_request(parameters, end, host))
            if frame.operation == Operation.DATA:
                refusing = host._replace(accept=False)
                yield from self._try(
                    side,
                    party,
                    lambda: ends.take_request(parameters, end, refusing),
                    price="refusals",
                )

    def damaged(self, frame: Frame) -> Iterator[tuple[str, Frame]]:
        """No damage passes every check here."""
        return iter(())

    # --- what happened

    def _noted(self, side: int, party: Party, end: End, event: Event) -> Party:
        before = party.end
        code = event.code
        party = party._replace(end=end)
        if code == EventCode.DELIVERED:
            return self._delivered(party, before, event)
        if code in (EventCode.COMMIT_HEARD, EventCode.REFUSED, EventCode.ABORT_RECORDED):
            number = self._numbers.get(end.responder.slots[event.slot].digest)
            bit = 0 if number is None else 1 << number
            if code == EventCode.COMMIT_HEARD:
                return party._replace(committed=party.committed | bit)
            return party._replace(refused=party.refused | bit)
        if code == EventCode.DECIDED:
            tag = end.initiator.slots[event.slot].tag
            return party._replace(decided=party.decided | 1 << side * SIDE_B + tag)
        if code == EventCode.ABORT_CONFIRMED:
            tag = end.initiator.slots[event.slot].tag
            return party._replace(aborted=party.aborted | 1 << side * SIDE_B + tag)
        if code == EventCode.TOLD:
            return self._told(party, before, event)
        if code == EventCode.RETRIED and self.lossless and event.before != State.COMMITTED:
            return party._replace(wrong="recovery: sent again, though nothing was lost")
        return party

    def _told(self, party: Party, before: End, event: Event) -> Party:
        tag = before.initiator.slots[event.slot].tag
        record = party.submitted[tag]
        outcome = event.info & 3 if record.outcome == 0 else TOLD_TWICE
        told = record._replace(outcome=outcome)
        submitted = (*party.submitted[:tag], told, *party.submitted[tag + 1 :])
        return _converged(party._replace(submitted=submitted))

    def _delivered(self, party: Party, before: End, event: Event) -> Party:
        slot = before.responder.slots[event.slot]
        number = self._numbers[slot.digest]
        party = party._replace(delivered=(*party.delivered, number))
        if slot.epoch != before.link.epoch:
            party = party._replace(wrong="epochs: accepted under one, delivered under another")
        return _converged(party)

    # --- what must hold

    def broken(self, a: Local, b: Local) -> str | None:
        """The promises, lane by lane, and what belongs to an end alone."""
        assert isinstance(a, Party)
        assert isinstance(b, Party)
        return (
            self._end_broken(a)
            or self._end_broken(b)
            or _lane_broken(0, a, b)
            or _lane_broken(1, b, a)
        )

    def _end_broken(self, party: Party) -> str | None:
        if party.wrong:
            return party.wrong
        if party.end.link.converged < party.converged:
            return "epochs: the converged epoch went back"
        if self.challenges is not None and party.end.link.counter > self.challenges:
            return "progress: challenges without end"
        return None

    def frame_broken(self, sender: int, frame: Frame, a: Local, b: Local) -> str | None:
        """Nothing is asked of frames here."""
        return None

    def resolved(self, a: Local, b: Local) -> bool:
        """Both ends UP in their host's epoch, nothing held, and every record has its outcome."""
        return all(self._resolved(party) for party in (a, b))

    def _resolved(self, party: Local) -> bool:
        assert isinstance(party, Party)
        end = party.end
        return (
            end.up
            and end.drained
            and not end.link.changing
            and end.link.epoch == party.host.epoch
            and all(record.outcome for record in party.submitted)
        )

    def describe(self, side: int, local: Local) -> str:
        """Link state and slots that are not IDLE."""
        assert isinstance(local, Party)
        link = local.end.link
        parts = [link.state.name]
        if self.sessions:
            parts.append(f"session {link.session} verified {link.verified}")
        if link.pending is not None:
            parts.append(f"changing to {link.pending.session}")
        parts += [
            f"{s.id}:{s.state.name}" for s in local.end.initiator.slots if s.state != State.IDLE
        ]
        parts += [
            f"[{s.id}:{'delivered' if s.delivered else s.state.name}]"
            for s in local.end.responder.slots
            if s.state != State.IDLE
        ]
        return " ".join(parts)


def _converged(party: Party) -> Party:
    return party._replace(converged=max(party.converged, party.end.link.converged))


def _stale(party: Party, frame: Frame) -> bool:
    """Whether a SYNC is of a session that the peer had before; each may start a challenge."""
    link = party.end.link
    newest = max(link.verified, link.pending.session if link.pending else 0)
    return (
        frame.operation == Operation.SYNC and frame.sync is not None and frame.sync.session < newest
    )


def verdict_on(end: End, frame: Frame) -> Verdict:
    """The verdict of `oae.frame.decode` on an undamaged frame, without its wire image."""
    if frame.operation in ends.SYNCS:
        return Received(frame, 0)
    up, session, epoch, record_max = ends.listening(end)
    if not up:
        return NotUp(frame.operation, frame.id)
    if frame.link_session != session:
        return Malformed(MalformedReason.WRONG_LINK_SESSION)
    if frame.operation != Operation.DATA:
        return Received(frame, 0)
    if len(frame.record) > record_max:
        return Malformed(MalformedReason.BAD_LENGTH)
    return Received(frame, frames.nearest_epoch(frame.epoch, epoch))


def _lane_broken(side: int, initiating: Party, responding: Party) -> str | None:
    """The first promise that does not hold of the lane of one side's records."""
    base = side * SIDE_B
    delivered = 0
    last = -1
    for number in responding.delivered:
        if number <= last:
            return "exactly once, in order: delivered again, or after a later record"
        last = number
        delivered |= 1 << number
    committed = aborted = 0
    for k, record in enumerate(initiating.submitted):
        bit = 1 << base + k
        if record.outcome == Outcome.COMMITTED:
            committed |= bit
            if 0 < record.advance > responding.converged and responding.lives == 1:
                return "epochs: told COMMITTED, but the peer has not converged"
        elif record.outcome == Outcome.ABORTED:
            aborted |= bit
        elif record.outcome == TOLD_TWICE:
            return "conservation: an outcome was told twice"
        elif record.outcome == Outcome.UNKNOWN and record.peer == responding.end.link.session:
            return "UNKNOWN: told, though the peer kept its memory"
    if initiating.decided & responding.refused or initiating.aborted & responding.committed:
        return "agreement: COMMITTED at one end, ABORTED at the other"
    if committed & ~delivered:
        return "no false completion: told COMMITTED, but not delivered"
    if (aborted | initiating.aborted) & delivered:
        return "exactly once: told ABORTED, but delivered"
    if delivered & ~initiating.decided:
        return "nothing visible before commit: delivered, but not decided"
    return None
