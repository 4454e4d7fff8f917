"""What the hosts of a link saw, judged by outcomes alone: alike for every kind of link.

The scoreboard judges steps, and a link that commits on arrival takes steps that no bilateral link
may take (docs/fito.md).
"""

from collections import Counter
from dataclasses import dataclass, field, fields

from oae.check.expect import expectations
from oae.check.scoreboard import Scoreboard
from oae.check.verdict import Expectations, Promise
from oae.errors import OaeError
from oae.scenario.scenario import ENDS, Scenario
from oae.spec.constants import Kind, Outcome
from oae.trace import Event, Trace


@dataclass
class Tally:
    """What the hosts of one link saw, in one run or in several."""

    transactions: int = 0
    committed: int = 0
    failed: int = 0  # told ABORTED
    unknown: int = 0
    unresolved: int = 0
    cycles: int = 0
    useful_bytes: int = 0  # of records, each counted once however often it came
    broken: Counter[Promise] = field(default_factory=Counter)
    latencies: list[int] = field(default_factory=list)  # from submission to told COMMITTED

    def __add__(self, other: "Tally") -> "Tally":
        """Both together."""
        names = [one.name for one in fields(self)]
        return Tally(*(getattr(self, name) + getattr(other, name) for name in names))


class Outcomes(Scoreboard):
    """Keeps the scoreboard's pages, and counts what they come to for the hosts."""

    def __init__(self, ends: int, expected: Expectations) -> None:
        super().__init__(ends, expected)
        self.tally = Tally()
        self.came: Counter[tuple[int, int, bytes]] = Counter()

    def told(self, event: Event) -> None:
        """Told COMMITTED means delivered."""
        page = self.outgoing(event.end).page(event.value)
        super().told(event)
        if page.told is Outcome.COMMITTED:
            self.tally.broken[Promise.NO_FALSE_COMPLETION] += page.delivered is None
            if page.opened is not None:
                self.tally.latencies.append(event.cycle - page.opened)

    def record_delivered(self, event: Event) -> None:
        """A record comes once, also if its host submits it again after a failure."""
        lane = self.incoming(event.end)
        page = lane.page(event.value)
        self.tally.broken[Promise.NOT_BEFORE_COMMITTED] += page.decided is None
        super().record_delivered(event)
        if event.info == Kind.EPOCH_ADVANCE:
            return
        name = (lane.key[0], page.tag, page.data)
        self.tally.broken[Promise.EXACTLY_ONCE] += self.came[name] > 0
        self.tally.useful_bytes += len(page.data) if not self.came[name] else 0
        self.came[name] += 1

    def total(self) -> Tally:
        """After the last record."""
        if self.stop is None:
            raise OaeError("the run has no stop")
        tally = self.tally
        tally.cycles = self.stop.cycle
        for page in (page for lane in self.lanes.values() for page in lane.pages.values()):
            contradicted = page.told is Outcome.ABORTED and page.delivered is not None
            tally.broken[Promise.AGREEMENT] += contradicted
        for figures in self.figures:
            tally.transactions += figures.opened
            tally.committed += figures.committed
            tally.failed += figures.aborted
            tally.unknown += figures.unknown
            tally.unresolved += figures.unresolved
            # The records of an end that lost its memory have no outcome.
            tally.broken[Promise.CONSERVATION] += figures.lost
        for violation in self.violations:
            if violation.promise in (Promise.UNALTERED, Promise.PROGRESS):
                tally.broken[violation.promise] += 1
        # Nothing came to a standstill, and yet it did not end.
        tally.broken[Promise.PROGRESS] += self.stop.reason == "cycles"
        return tally


def tally(trace: Trace, scenario: Scenario) -> Tally:
    """What the hosts saw in a run."""
    board = Outcomes(len(ENDS), expectations(scenario))
    board.take(trace)
    return board.total()
