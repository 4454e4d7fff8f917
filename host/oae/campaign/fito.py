"""FITO beside the bilateral link: the same scenario on both, judged by what the hosts see.

    python -m oae.campaign.fito --runs 10

The scoreboard judges steps, and a link that commits on arrival takes steps that no bilateral link
may take. Here only outcomes count, of each link alike (docs/fito.md).
"""

import argparse
import tempfile
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final, NamedTuple

from oae.check.expect import expectations
from oae.check.scoreboard import Scoreboard
from oae.check.verdict import Expectations, Promise, Spread
from oae.engines import rtl
from oae.errors import OaeError
from oae.options import positive
from oae.scenario.parse import parse, parse_text
from oae.scenario.scenario import ENDS, Scenario
from oae.spec.constants import Kind, Outcome
from oae.trace import Event, Trace

MILLION: Final = 1_000_000


class Link(NamedTuple):
    """A link that is compared: what the pair is built with, and whether it forgets at a crash."""

    name: str
    defines: tuple[str, ...]
    forgets: bool = False


LINKS: Final = (
    Link("bilateral", ()),
    Link("bilateral, volatile", (), forgets=True),
    Link("FITO durable", ("OAE_FITO_DURABLE",)),
    Link("FITO volatile", ("OAE_FITO",)),
)
PROMISES: Final = (
    Promise.AGREEMENT,
    Promise.EXACTLY_ONCE,
    Promise.UNALTERED,
    Promise.NO_FALSE_COMPLETION,
    Promise.CONSERVATION,
    Promise.PROGRESS,
    Promise.NOT_BEFORE_COMMITTED,
)


@dataclass
class Tally:
    """What the hosts of one link saw, over all its runs."""

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
        return Tally(
            self.transactions + other.transactions,
            self.committed + other.committed,
            self.failed + other.failed,
            self.unknown + other.unknown,
            self.unresolved + other.unresolved,
            self.cycles + other.cycles,
            self.useful_bytes + other.useful_bytes,
            self.broken + other.broken,
            self.latencies + other.latencies,
        )


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
        return tally


def tally(trace: Trace, scenario: Scenario) -> Tally:
    """What the hosts saw in a run."""
    board = Outcomes(len(ENDS), expectations(scenario))
    board.take(trace)
    return board.total()


def play(link: Link, scenario: Scenario) -> Tally:
    """One run of a link."""
    if link.forgets:
        again = parse_text(scenario.source.replace("crash ", "amnesia "))
        scenario = replace(again, seed=scenario.seed)
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "run"
        ended = rtl.run(scenario, out, defines=link.defines)
        problems = [*ended.errors, *ended.assertions]
        if ended.status != "finished" or problems:
            raise OaeError(f"{link.name}: {problems[0] if problems else ended.status}")
        return tally(Trace(out / "trace.txt"), scenario)


def table(tallies: Sequence[tuple[str, Tally]]) -> str:
    """Violations per million transactions, latency and goodput, in Markdown."""
    rows = [["", *(name for name, _ in tallies)], ["---"] + ["---:"] * len(tallies)]
    totals = [total for _, total in tallies]
    rows.append(["transactions", *(f"{total.transactions:,}" for total in totals)])
    for promise in PROMISES:
        rates = (MILLION * t.broken[promise] / max(t.transactions, 1) for t in totals)
        rows.append([promise, *(f"{rate:,.0f}" for rate in rates)])
    spreads = [Spread.of(total.latencies) for total in totals]
    rows.append(["told COMMITTED", *(f"{total.committed:,}" for total in totals)])
    rows.append(["told ABORTED", *(f"{total.failed:,}" for total in totals)])
    rows.append(["told UNKNOWN", *(f"{total.unknown:,}" for total in totals)])
    rows.append(["unresolved", *(f"{total.unresolved:,}" for total in totals)])
    rows.append(["submission to COMMITTED, median", *(f"{s.median or 0:,.0f}" for s in spreads)])
    rows.append(["the same, 99th percentile", *(f"{s.p99 or 0:,}" for s in spreads)])
    goodputs = (8 * total.useful_bytes / max(total.cycles, 1) for total in totals)
    rows.append(["bits of new records a cycle", *(f"{rate:.2f}" for rate in goodputs)])
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def main() -> None:
    """Run every link, print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--scenario",
        default=str(Path(__file__).with_suffix(".toml")),
        help="a file, or a name of the library",
    )
    parser.add_argument("--runs", type=positive, default=1, help="seeds, from 1 on")
    arguments = parser.parse_args()
    scenario = parse(arguments.scenario)
    seeds = [replace(scenario, seed=seed) for seed in range(1, arguments.runs + 1)]
    print(table([(link.name, sum((play(link, one) for one in seeds), Tally())) for link in LINKS]))


if __name__ == "__main__":
    main()
