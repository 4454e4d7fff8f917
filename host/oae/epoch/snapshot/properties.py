"""Snap(t) and Conv(P, e), as what they are.

    snap = Snap(execution, 1)         # of times:       snap(Time(3)) is true or false
    conv = Conv(protocol, 1)          # of executions:  conv(execution) is a verdict

Neither can stand for the other: mypy reports it, and whatever is handed the wrong one raises
CategoryError.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from oae.epoch.snapshot.execution import Converged, Durable, Execution, Time
from oae.errors import OaeError


class CategoryError(OaeError):
    """A property of an execution was wanted and a predicate on times given, or the reverse."""


class NotConvergedError(OaeError):
    """There is no evidence that the protocol has converged on the epoch."""


class Verdict(StrEnum):
    """What can be said of convergence; a prefix of an execution never refutes it."""

    CONVERGED = "converged"
    INCONCLUSIVE = "inconclusive"


@dataclass(frozen=True)
class Snap:
    """A predicate on times: when a domain's clock shows t, its durable part is of this epoch.

    It is asked of every domain, each by its own clock.
    """

    execution: Execution
    epoch: int

    def __call__(self, time: Time) -> bool:
        """Whether it holds at this time."""
        _demand(time, Time, "Snap is asked of a time")
        shown = [0] * self.execution.domains
        for event in self.execution.events:
            if isinstance(event, Durable) and event.time <= time:
                shown[event.domain] = event.epoch
        return all(epoch == self.epoch for epoch in shown)


@dataclass(frozen=True)
class Protocol:
    """The links on which a protocol converges: pairs of domains."""

    links: frozenset[tuple[int, int]]


@dataclass(frozen=True)
class Conv:
    """A property of executions of a protocol: it has converged on this epoch or a later one.

    Every part is durable, and both ends of every link have recorded that. It reads no clock.
    """

    protocol: Protocol
    epoch: int

    def __call__(self, execution: Execution) -> Verdict:
        """What this execution shows."""
        _demand(execution, Execution, "Conv is asked of an execution")
        reached = [event for event in execution.events if event.epoch >= self.epoch]
        durable = {event.domain for event in reached if isinstance(event, Durable)}
        ends = {(event.domain, event.peer) for event in reached if isinstance(event, Converged)}
        everywhere = self.epoch == 0 or (
            len(durable) == execution.domains
            and all((a, b) in ends and (b, a) in ends for a, b in self.protocol.links)
        )
        return Verdict.CONVERGED if everywhere else Verdict.INCONCLUSIVE


def times_of(snap: Snap, times: Iterable[Time]) -> list[Time]:
    """Those of `times` at which it holds."""
    _demand(snap, Snap, "times_of wants a predicate on times, Snap(t)")
    return [time for time in times if snap(time)]


def restorable(conv: Conv, execution: Execution) -> int:
    """The epoch that every domain may be restored to, because the execution has converged on it.

    Raises NotConvergedError without that evidence.
    """
    _demand(conv, Conv, "restorable wants a property of executions, Conv(P, e)")
    if conv(execution) is Verdict.INCONCLUSIVE:
        raise NotConvergedError(f"no evidence of convergence on epoch {conv.epoch}")
    return conv.epoch


def _demand(given: object, wanted: type, why: str) -> None:
    """The same refusal at run time, where types are not checked."""
    if not isinstance(given, wanted):
        raise CategoryError(f"{why}; given: {type(given).__name__}")
