"""Reduces a scenario that breaks a promise to one from which nothing can be taken away.

Whatever is tried must still break the same requirement first. Fault events are taken away in
halves, quarters and at last one by one; then strikes come earlier, the load becomes smaller, hosts
willing, and times shorter; and all that again until a whole round changes nothing. So in the result
each fault event is needed.
"""

import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, fields, replace
from typing import Any, Final

from oae.scenario.language import Duration, parse_condition
from oae.scenario.layout import Action
from oae.scenario.scenario import ENDS, Load, Scenario, ScheduledFault
from oae.shrink.engines import BenchFailedError, Broken, Player
from oae.shrink.events import count, events, with_events

# A candidate may take longer than the best one so far, but not without limit.
SLOWER: Final = 2
MARGIN: Final = 10_000
ID: Final = re.compile(r" id=(\d+)")
TIME_UP: Final = "the time was up"
INTERRUPTED: Final = "interrupted"


@dataclass(frozen=True)
class Step:
    """How far the reduction has come."""

    runs: int
    faults: int  # fault events left
    before: int  # the most that there were


class Reducer:
    """The smallest scenario so far that breaks the promise, and what it breaks."""

    def __init__(
        self,
        player: Player,
        scenario: Scenario,
        broken: Broken,
        *,
        deadline: float | None = None,
        progress: Callable[[Step], None] = lambda step: None,
    ) -> None:
        self.player = player
        self.best = scenario
        self.broken = broken
        self.runs = 0
        self.stopped = ""  # why not every removal was tried
        self._deadline = deadline
        self._progress = progress
        self._refused: set[Scenario] = set()
        self._most = 0

    @contextmanager
    def stoppable(self) -> Iterator[None]:
        """Ends what stands in it when the time is up or on Ctrl-C; the best so far remains."""
        try:
            yield
        except TimeoutError:
            self.stopped = TIME_UP
        except KeyboardInterrupt:
            self.stopped = INTERRUPTED

    @property
    def left(self) -> int:
        """Fault events of the best one so far."""
        return count(self.best)

    def reduce(self) -> None:
        """Take away what can be taken away."""
        before = None
        while before != self.best:
            before = self.best
            self._without_events()
            self._greedy(_earlier)
            self._greedy(_smaller_loads)
            self._greedy(_simpler_hosts)
            self._greedy(_shorter)

    def attempt(self, candidate: Scenario) -> bool:
        """Whether the candidate breaks the same requirement; it is then the best one."""
        if candidate == self.best or candidate in self._refused:
            return False
        if self._deadline is not None and time.monotonic() > self._deadline:
            raise TimeoutError
        most = min(candidate.limits.cycles, SLOWER * self.broken.cycle + MARGIN)
        tight = replace(candidate, limits=replace(candidate.limits, cycles=most))
        broken = self._play(tight)
        self.runs += 1
        if broken is not None:
            self.best, self.broken = candidate, broken
        else:
            self._refused.add(candidate)
        self._most = max(self._most, self.left)
        self._progress(Step(self.runs, self.left, self._most))
        return broken is not None

    def _play(self, candidate: Scenario) -> Broken | None:
        """What the candidate breaks, if it is the same; a bench that fails shows nothing."""
        try:
            broken = self.player.play(candidate)
        except BenchFailedError:
            return None
        return broken if self.broken.same(broken) else None

    def _without_events(self) -> None:
        """First without any, then without halves, and so on down to single ones."""
        size = self.left
        while size:
            start = 0
            while start < self.left:
                found = events(self.best)
                kept = found[:start] + found[start + size :]
                if not self.attempt(with_events(self.best, kept)):
                    start += size
            size //= 2

    def _greedy(self, simpler: Callable[[Scenario], Iterator[Scenario]]) -> None:
        """The first simpler scenario that still fails, and so on from there."""
        while any(self.attempt(candidate) for candidate in simpler(self.best)):
            pass


def without_file(scenario: Scenario, records: int) -> Scenario:
    """With as many records that chance makes in place of a file."""
    size = scenario.negotiated_record_max
    loads = tuple(
        replace(load, file=False, records=records, sizes=(size, size)) if load.file else load
        for load in scenario.loads
    )
    return replace(scenario, loads=loads)


def _smaller_loads(scenario: Scenario) -> Iterator[Scenario]:
    """One lane, fewer records, and none of the habits of a difficult host."""
    for end in range(len(ENDS)):
        load = scenario.loads[end]
        yield _with_load(scenario, end, Load())
        for fewer in _fewer(load.records):
            yield _with_load(scenario, end, replace(load, records=fewer))
        for i in range(len(load.record)):
            fewer_given = (*load.record[:i], *load.record[i + 1 :])
            yield _with_load(scenario, end, replace(load, record=fewer_given))
        for table in _plainer(load, ("records", "record", "file", "sizes")):
            yield _with_load(scenario, end, table)
        if load.records and load.sizes != (1, 1):
            for size in (1, 8):
                if load.sizes != (size, size):
                    yield _with_load(scenario, end, replace(load, sizes=(size, size)))


def _fewer(count: int) -> Iterator[int]:
    """A few, and ever more of them, at last one less."""
    few = 1
    while few < count:
        yield few
        few *= 2
    less = count // 2
    while less:
        yield count - less
        less //= 2
    if count == 1:
        yield 0


def _earlier(scenario: Scenario) -> Iterator[Scenario]:
    """A strike at a transaction with a smaller id, for which fewer records will do."""
    for i, fault in enumerate(scenario.faults):
        for id in map(int, ID.findall(fault.when.words)):
            for smaller in (0, *_fewer(id)):
                when = parse_condition(ID.sub(f" id={smaller}", fault.when.words))
                yield replace(scenario, faults=_put(scenario.faults, i, replace(fault, when=when)))


def _simpler_hosts(scenario: Scenario) -> Iterator[Scenario]:
    for end in range(len(ENDS)):
        for host in _plainer(scenario.hosts[end], ("epoch", "prepared")):
            yield replace(scenario, hosts=_put(scenario.hosts, end, host))
        for rates in _plainer(scenario.rates[end], ()):
            yield replace(scenario, rates=_put(scenario.rates, end, rates))


def _shorter(scenario: Scenario) -> Iterator[Scenario]:
    """Half as long before a fault, and half as long until it is undone."""
    for i, fault in enumerate(scenario.faults):
        for shorter in _shorter_faults(fault):
            yield replace(scenario, faults=_put(scenario.faults, i, shorter))


def _shorter_faults(fault: ScheduledFault) -> Iterator[ScheduledFault]:
    if fault.after:
        yield replace(fault, after=0)
        yield replace(fault, after=fault.after // 2)
    if fault.until and fault.do.undo is Action.RISE:
        yield replace(fault, until=())
    for i, end in enumerate(fault.until):
        if isinstance(end, Duration) and end.cycles > 1:
            yield replace(fault, until=_put(fault.until, i, Duration(end.cycles // 2)))


def _plainer(table: Any, left_alone: tuple[str, ...]) -> Iterator[Any]:
    """The table with one key after the other back at its default."""
    default = type(table)()
    for item in fields(table):
        usual = getattr(default, item.name)
        if item.name not in left_alone and getattr(table, item.name) != usual:
            yield replace(table, **{item.name: usual})


def _with_load(scenario: Scenario, end: int, load: Load) -> Scenario:
    return replace(scenario, loads=_put(scenario.loads, end, load))


def _put(items: tuple[Any, ...], place: int, item: Any) -> tuple[Any, ...]:
    return (*items[:place], item, *items[place + 1 :])
