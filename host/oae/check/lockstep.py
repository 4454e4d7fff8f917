"""Follows a whole trace (docs/trace.md) with one reference end beside each end of the run."""

from collections.abc import Iterable, Iterator
from itertools import groupby
from typing import NamedTuple

from oae.check.follower import (
    Completed,
    Config,
    Delivered,
    DivergenceError,
    Follower,
    Handshakes,
    Status,
    Submitted,
    Wire,
)
from oae.model.parameters import Parameters
from oae.trace import BENCH, Record, Trace
from oae.trace import Cancel as CancelLine
from oae.trace import Complete as CompleteLine
from oae.trace import Config as ConfigLine
from oae.trace import Deliver as DeliverLine
from oae.trace import Doubt as DoubtLine
from oae.trace import Event as EventLine
from oae.trace import Receive as ReceiveLine
from oae.trace import Register as RegisterLine
from oae.trace import Status as StatusLine
from oae.trace import Submit as SubmitLine
from oae.trace import Transmit as TransmitLine


class Divergence(NamedTuple):
    """The first place where the run and the reference end differ."""

    line: int
    cycle: int
    end: str
    problem: str

    def __str__(self) -> str:
        """One line: line 17, cycle 205, end a: told ..., expected ..."""
        return f"line {self.line}, cycle {self.cycle}, end {self.end}: {self.problem}"


class Followed(NamedTuple):
    """What was followed: how many steps and frames, and where it went wrong, if it did."""

    steps: int
    frames: int
    divergence: Divergence | None


def follow(trace: Trace, without: frozenset[str] = frozenset()) -> Followed:
    """Follow both ends of a trace to its end, or to the first difference.

    Raises TraceError for a trace that cannot be read. `without` names ingredients that the run's
    ends were built without.
    """
    followers = [_follower(trace, end, without) for end in range(trace.ends)]
    registers: list[dict[int, int]] = [{} for _ in followers]
    statuses: list[Status | None] = [None for _ in followers]
    steps = frames = 0
    last: Record | None = None
    try:
        for end, group in _by_cycle_and_end(trace):
            follower = followers[end]
            handshakes = _handshakes(group)
            for record in group:
                last = record
                match record:
                    case ConfigLine():
                        follower.config = Config(
                            bool(record.enable),
                            bool(record.beats),
                            bool(record.accept),
                            record.session,
                            record.epoch,
                            record.prepared,
                        )
                    case StatusLine():
                        statuses[end] = _status(record)
                    case ReceiveLine():
                        frames += 1
                        broken = bool(record.broken)
                        wire = Wire(record.data, bool(record.user), broken, record.first)
                        follower.receive(wire)
                    case TransmitLine():
                        frames += 1
                        follower.transmit(Wire(record.data, bool(record.user), bool(record.broken)))
                    case EventLine():
                        status = statuses[end]
                        if status is not None:
                            # What stood on the ports before this cycle's first step.
                            follower.check_status(status)
                            statuses[end] = None
                        steps += 1
                        follower.step(record.cycle, record.word, handshakes)
                    case RegisterLine():
                        registers[end][record.address] = record.value
        for follower, values in zip(followers, registers, strict=True):
            follower.check_rest()
            follower.check_registers(values)
    except DivergenceError as error:
        assert last is not None
        where = chr(ord("a") + last.end) if last.end != BENCH else "-"
        return Followed(steps, frames, Divergence(last.line, last.cycle, where, str(error)))
    return Followed(steps, frames, None)


def _follower(trace: Trace, end: int, without: frozenset[str]) -> Follower:
    names = [chr(ord("a") + number) for number in range(trace.ends)]
    values = trace.parameters
    parameters = Parameters(
        window=int(values[f"window.{names[end]}"]),
        record_max=int(values[f"record_max.{names[end]}"]),
        without=without,
    )
    source = bytes.fromhex(values[f"mac.{names[end]}"])
    destination = bytes.fromhex(values[f"mac.{names[1 - end]}"])
    return Follower(parameters, destination, source, int(values["ethertype"], 16))


def _by_cycle_and_end(trace: Iterable[Record]) -> Iterator[tuple[int, list[Record]]]:
    """The records of one end and one cycle together; an end's records keep their order."""
    for _, cycle in groupby(trace, key=lambda record: record.cycle):
        by_end: dict[int, list[Record]] = {}
        for record in cycle:
            by_end.setdefault(record.end, []).append(record)
        by_end.pop(BENCH, None)
        yield from sorted(by_end.items())


def _handshakes(group: list[Record]) -> Handshakes:
    submitted = completed = delivered = doubted = cancelled = None
    for record in group:
        match record:
            case SubmitLine() if not record.broken:
                submitted = Submitted(record.data, record.tag, record.kind, bool(record.user))
            case CompleteLine():
                completed = Completed(
                    record.tag, record.id, record.kind, record.outcome, record.reason
                )
            case DeliverLine() if not record.user:
                delivered = Delivered(record.data, record.id)
            case DoubtLine():
                doubted = (record.id, record.digest)
            case CancelLine():
                cancelled = record.tag
    return Handshakes(submitted, completed, delivered, doubted, cancelled)


def _status(record: StatusLine) -> Status:
    return Status(
        record.link_state,
        bool(record.changing),
        record.epoch,
        record.converged,
        record.initiator_balance,
        record.responder_balance,
    )
