"""Checkpoints when an assumption is dropped: a decision in one record, and bounded delay."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

from oae.epoch.snapshot.domain import DOWN, NEW, Phase, Recovered, domain, offers
from oae.epoch.snapshot.process import Composition, Process


class Coordinator(NamedTuple):
    """`recorded` is durable; whom it has heard of is lost in a crash."""

    recorded: bool = False
    heard: frozenset[int] = frozenset()
    down: bool = False


def coordinated(count: int, wanted: int | None = None) -> Composition:
    """Domains that keep both parts, and a coordinator, last, whose one durable record decides.

    A domain reports with `ready n` as long as it is up with its new part durable. The coordinator
    takes the step `record` when it has heard of `wanted` domains; of all, if that is None.
    """
    wanted = count if wanted is None else wanted
    parts = []
    for number in range(count):
        alone = domain(number)
        durable = alone.table[Phase.DURABLE]
        report = (f"ready {number}", Phase.DURABLE)
        parts.append(Process(alone.initial, {**alone.table, Phase.DURABLE: (*durable, report)}))
    table: dict[Any, tuple[tuple[str, Any], ...]] = {}
    queue = [Coordinator()]
    for state in queue:
        table[state] = tuple(_coordinator(state, count, wanted))
        queue += [after for _, after in table[state] if after not in table and after not in queue]
    return Composition([*parts, Process(Coordinator(), table)])


def _coordinator(state: Coordinator, count: int, wanted: int) -> Iterator[tuple[str, Coordinator]]:
    if state.down:
        yield f"recover {count}", state._replace(down=False)
        return
    yield f"crash {count}", Coordinator(state.recorded, down=True)
    if state.recorded:
        return
    for number in range(count):
        if number not in state.heard:
            yield f"ready {number}", state._replace(heard=state.heard | {number})
    if len(state.heard) >= wanted:
        yield "record", Coordinator(recorded=True)


def by_the_record(state: tuple[Any, ...]) -> Recovered:
    """What a crash of all recovers when each domain asks for the record.

    The new epoch without every part of it is mixed.
    """
    *parts, coordinator = state
    if not coordinator.recorded:
        return Recovered.OLD
    return Recovered.NEW if all(phase in NEW for phase in parts) else Recovered.MIXED


def waits(state: tuple[Any, ...]) -> bool:
    """Whether a domain that restarts now has to wait: nobody can tell it what was decided."""
    *parts, coordinator = state
    return coordinator.down and any(phase in DOWN for phase in parts)


class Timed(NamedTuple):
    """A domain and the ticks since the checkpoint began or the domain crashed."""

    phase: Phase
    age: int


@dataclass(frozen=True)
class Deadline:
    """Domains beside a clock that ticks; a state is the crashes left and the domains.

    A domain makes its part durable within `delay` ticks of the beginning or of its last crash:
    the clock does not tick on before. None for `crashes` is any number of them.
    """

    domains: int
    delay: int
    crashes: int | None

    @property
    def initial(self) -> tuple[int | None, tuple[Timed, ...]]:
        """All begin at the same tick."""
        return self.crashes, (Timed(Phase.IDLE, 0),) * self.domains

    def steps(
        self, state: tuple[int | None, tuple[Timed, ...]]
    ) -> Iterator[tuple[str, tuple[int | None, tuple[Timed, ...]]]]:
        """Steps of a domain, and `tick`."""
        left, timed = state
        for number, (phase, age) in enumerate(timed):
            for label, after in offers(phase, crashes=left != 0):
                crash = label == "crash"
                since = 0 if crash or after in NEW else age
                moved = (*timed[:number], Timed(after, since), *timed[number + 1 :])
                yield f"{label} {number}", (left - 1 if left and crash else left, moved)
        if all(phase in NEW or age < self.delay for phase, age in timed):
            ticked = tuple(
                one if one.phase in NEW else Timed(one.phase, one.age + 1) for one in timed
            )
            yield "tick", (left, ticked)

    def boundary(self) -> int:
        """The first tick from which a crash of all recovers the new epoch, by the formula.

        A domain may fall `crashes` times just before its deadline, and then has the whole of it
        again: (crashes + 1) * delay + 1.
        """
        assert self.crashes is not None
        return (self.crashes + 1) * self.delay + 1
