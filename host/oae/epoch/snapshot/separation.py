"""Snap(t) and Conv(P, e) told apart: every execution of a small world, judged by both.

Two domains joined by one link go through epochs 1 and 2 within `ticks` ticks of true time. An end
may record convergence one tick after both parts are durable or later, or never, because messages
are lost. Domain 0's clock shows true time, domain 1's is ahead by `skew`.
"""

from collections import defaultdict
from collections.abc import Hashable, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import pairwise, product

from oae.epoch.snapshot.execution import Converged, Durable, Execution, Time
from oae.epoch.snapshot.properties import Conv, Protocol, Snap, Verdict, times_of

LINK = Protocol(frozenset({(0, 1)}))
NEVER = 1_000_000  # later than every tick
EPOCHS = (1, 2)


@dataclass(frozen=True)
class World:
    """Which executions there are.

    Where it is `gated` a domain makes epoch 2 durable only after its end of the link has recorded
    convergence on epoch 1; otherwise it does so when it likes.
    """

    name: str
    ticks: int
    gated: bool
    skew: int = 0
    epochs: tuple[int, ...] = EPOCHS

    def executions(self) -> Iterator[Execution]:
        """Each one once."""
        for durable in product(self._rising(), repeat=2):
            both = [max(times) for times in zip(*durable, strict=True)]
            for converged in product(self._heard(both), repeat=2):
                early = any(
                    second < heard[0]
                    for own, heard in zip(durable, converged, strict=True)
                    for second in own[1:]
                )
                if not (self.gated and early):
                    yield self._execution(durable, converged)

    def times(self) -> list[Time]:
        """Every time at which some clock may stand."""
        return [Time(tick) for tick in range(min(0, self.skew), self.ticks + max(0, self.skew) + 1)]

    def _rising(self) -> list[tuple[int, ...]]:
        """When a domain's parts become durable, an epoch each, none before the one below."""
        choices = [*range(1, self.ticks + 1), NEVER]
        return [
            times
            for times in product(choices, repeat=len(self.epochs))
            if all(a < b or a == b == NEVER for a, b in pairwise(times))
        ]

    def _heard(self, both: list[int]) -> list[tuple[int, ...]]:
        """When an end may record convergence, given when both parts are durable."""
        later = [[*range(moment + 1, self.ticks + 1), NEVER] for moment in both]
        return [times for times in product(*later) if all(a <= b for a, b in pairwise(times))]

    def _execution(
        self, durable: Iterable[tuple[int, ...]], converged: Iterable[tuple[int, ...]]
    ) -> Execution:
        happened: list[tuple[int, Durable | Converged]] = []
        for domain, (own, heard) in enumerate(zip(durable, converged, strict=True)):
            ahead = self.skew * domain
            for epoch, tick in zip(self.epochs, heard, strict=True):
                happened.append((tick, Converged(Time(tick + ahead), domain, 1 - domain, epoch)))
            for epoch, tick in zip(self.epochs, own, strict=True):
                happened.append((tick, Durable(Time(tick + ahead), domain, epoch)))
        happened.sort(key=lambda one: one[0])
        return Execution(2, tuple(event for tick, event in happened if tick < NEVER))


@dataclass
class Separation:
    """What a world shows; the executions are examples, the first that were found."""

    executions: int = 0
    patterns: int = 0  # truths of Snap at every time, for every epoch
    same_snap: int = 0  # patterns with which Conv is true and not
    same_conv: int = 0  # truths of Conv with which there are several patterns
    snap_without_conv: int = 0  # executions in which Snap(t) for epoch 1 holds at some t only
    conv_without_snap: int = 0  # executions converged on epoch 1 with Snap(t) at no t
    undecided_reached: int = 0  # patterns that leave open whether epoch 1 is durable everywhere
    certain: list[Time] = field(default_factory=list)  # times at which Conv implies Snap
    examples: dict[str, tuple[Execution, ...]] = field(default_factory=dict)


def separate(world: World) -> Separation:
    """Judge every execution of the world by Snap at every time and by Conv."""
    found = Separation(certain=world.times())
    of_pattern: dict[Hashable, dict[Hashable, Execution]] = defaultdict(dict)
    of_conv: dict[Hashable, dict[Hashable, Execution]] = defaultdict(dict)
    reached: dict[Hashable, set[bool]] = defaultdict(set)
    for execution in world.executions():
        found.executions += 1
        held = [tuple(times_of(Snap(execution, epoch), world.times())) for epoch in world.epochs]
        conv = tuple(Conv(LINK, epoch)(execution) for epoch in world.epochs)
        pattern = tuple(held)
        of_pattern[pattern].setdefault(conv, execution)
        of_conv[conv].setdefault(pattern, execution)
        durable = {event.domain for event in execution.events if isinstance(event, Durable)}
        reached[pattern].add(len(durable) == 2)
        if conv[0] is Verdict.CONVERGED:
            found.certain = [time for time in found.certain if time in held[0]]
            if not held[0]:
                found.conv_without_snap += 1
                found.examples.setdefault("Conv, and Snap at no time", (execution,))
        elif held[0]:
            found.snap_without_conv += 1
            found.examples.setdefault("Snap at a time, and no Conv", (execution,))
    found.patterns = len(of_pattern)
    for name, groups in (("same Snap, other Conv", of_pattern), ("same Conv, other Snap", of_conv)):
        several = [tuple(group.values())[:2] for group in groups.values() if len(group) > 1]
        if several:
            found.examples[name] = several[0]
    found.same_snap = sum(len(group) > 1 for group in of_pattern.values())
    found.same_conv = sum(len(group) > 1 for group in of_conv.values())
    found.undecided_reached = sum(len(truths) > 1 for truths in reached.values())
    return found


def worlds(ticks: int) -> tuple[World, ...]:
    """The worlds that are reported, from the best case for a clock to the worst."""
    return (
        World("one epoch, true clocks", ticks, gated=False, epochs=(1,)),
        World("link decides, true clocks", ticks, gated=True),
        World("link decides, skew 1", ticks, gated=True, skew=1),
        World("link decides, skew 2", ticks, gated=True, skew=2),
        World("each domain alone, true clocks", ticks, gated=False),
    )
