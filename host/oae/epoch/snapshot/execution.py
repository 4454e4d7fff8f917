"""Recorded executions of domains that go from epoch to epoch."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

from oae.errors import OaeError
from oae.trace import Config, Record, Status


class ExecutionError(OaeError):
    """A recording contradicts itself; the message says where."""


@dataclass(frozen=True, order=True)
class Time:
    """What a clock shows, in its ticks."""

    tick: int


class Durable(NamedTuple):
    """From here on the domain's own part of the epoch survives a crash."""

    time: Time  # of the domain's own clock
    domain: int
    epoch: int


class Converged(NamedTuple):
    """The domain's end of the link to `peer` has recorded that the link has converged."""

    time: Time  # of the domain's own clock
    domain: int
    peer: int
    epoch: int


@dataclass(frozen=True)
class Execution:
    """What happened at domains 0 to `domains` - 1, causes before effects; all begin in epoch 0.

    Raises ExecutionError if a clock or an epoch of a domain goes back.
    """

    domains: int
    events: tuple[Durable | Converged, ...] = ()

    def __post_init__(self) -> None:
        clock: dict[int, Time] = {}
        epochs: dict[tuple[int, int | None], int] = {}
        for event in self.events:
            peer = event.peer if isinstance(event, Converged) else None
            if not all(0 <= one < self.domains for one in (event.domain, peer or 0)):
                raise ExecutionError(f"{event}: there are {self.domains} domains")
            if event.time < clock.get(event.domain, event.time):
                raise ExecutionError(f"{event}: the clock of domain {event.domain} goes back")
            if event.epoch <= epochs.get((event.domain, peer), 0):
                raise ExecutionError(f"{event}: the epoch of domain {event.domain} does not grow")
            clock[event.domain] = event.time
            epochs[event.domain, peer] = event.epoch


def recorded(trace: Iterable[Record]) -> Execution:
    """The execution in a trace of the two ends of a link (docs/trace.md); clocks show cycles.

    A domain's part is durable when its host says so (`cfg_prepared`), and its end has converged
    when it shows that (`status_converged`). Raises ExecutionError after amnesia.
    """
    events: list[Durable | Converged] = []
    reached: dict[tuple[int, type], int] = {}
    for record in trace:
        if not isinstance(record, Config | Status):
            continue
        epoch = record.prepared if isinstance(record, Config) else record.converged
        before = reached.get((record.end, type(record)), 0)
        if epoch < before:
            raise ExecutionError(f"line {record.line}: end {record.end} has forgotten its epoch")
        if epoch == before:
            continue
        reached[record.end, type(record)] = epoch
        time = Time(record.cycle)
        if isinstance(record, Config):
            events.append(Durable(time, record.end, epoch))
        else:
            events.append(Converged(time, record.end, 1 - record.end, epoch))
    return Execution(2, tuple(events))
