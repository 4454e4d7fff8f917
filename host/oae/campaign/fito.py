"""FITO beside the bilateral link: the same faults for both, judged by what the hosts see.

    python -m oae.campaign.fito --runs 100               random runs, as `oae campaign` draws them
    python -m oae.campaign.fito --scenario clean --runs 5

Each seed is played on every link: with the same load, hosts, faults and parameters (docs/fito.md).
"""

import argparse
import json
import os
import sys
import tempfile
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from dataclasses import replace
from functools import cache, partial
from itertools import count, islice
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy
from rich.console import Console
from rich.progress import Progress

from oae.campaign.outcomes import Tally, tally
from oae.campaign.swarm import BUILDS, drawn
from oae.campaign.workers import processes
from oae.check.verdict import Promise, Spread, Verdict
from oae.engines.compiled import Engine, build, parameters
from oae.errors import OaeError
from oae.options import positive
from oae.scenario.parse import parse
from oae.scenario.scenario import Scenario
from oae.trace import Trace

Values = tuple[tuple[str, int], ...]  # Verilog parameters

MILLION: Final = 1_000_000
RESAMPLES: Final = 2_000
LIKELY: Final = (0.025, 0.975)  # the 95 % in the middle
# Of an event that did not happen in n tries, the chance is below 3 / n with 95 %.
RULE_OF_THREE: Final = 3


class Link(NamedTuple):
    """A link that is compared: what its pair is built with, and what it does not promise."""

    name: str
    defines: tuple[str, ...]
    unclaimed: frozenset[Promise] = frozenset()


LINKS: Final = (
    Link("bilateral", ()),
    Link("bilateral, volatile", ("OAE_CRASH_FORGETS",), frozenset({Promise.CONSERVATION})),
    Link(
        "FITO durable",
        ("OAE_FITO",),
        frozenset({Promise.AGREEMENT, Promise.EXACTLY_ONCE, Promise.NOT_BEFORE_COMMITTED}),
    ),
    Link(
        "FITO volatile",
        ("OAE_FITO", "OAE_CRASH_FORGETS"),
        frozenset(
            {
                Promise.AGREEMENT,
                Promise.EXACTLY_ONCE,
                Promise.CONSERVATION,
                Promise.NOT_BEFORE_COMMITTED,
            }
        ),
    ),
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


class Rate(NamedTuple):
    """Violations per million transactions, and the interval that holds it with 95 %."""

    value: float
    least: float
    most: float


def _values(scenario: Scenario) -> Values:
    """The Verilog parameters that a scenario needs."""
    return tuple(parameters(scenario).items())


@cache
def _engine(values: Values, defines: tuple[str, ...]) -> Engine:
    """The engine of this process for a link: it stays."""
    return Engine(dict(values), defines)


def play(link: Link, scenario: Scenario) -> Tally:
    """One run of a link."""
    engine = _engine(_values(scenario), link.defines)
    with tempfile.TemporaryDirectory() as folder:
        trace = Path(folder) / "trace.txt"
        outcome = engine.run(scenario, trace=trace)
        if outcome.verdict is Verdict.BENCH_ERROR or outcome.assertions:
            problem = outcome.assertions[0] if outcome.assertions else outcome.reason
            raise OaeError(f"{link.name}, seed {scenario.seed}: {problem}")
        return tally(Trace(trace), scenario)


def draw(runs: int, builds: tuple[str, ...]) -> list[Scenario]:
    """So many random runs of a campaign, from seed 1 on, without those that draw amnesia.

    Whatever is promised of durable memory assumes that it is kept.
    """
    every = (drawn(seed, builds) for seed in count(1))
    kept = (run.scenario for run in every if not run.parameters["with amnesia"])
    return list(islice(kept, runs))


def play_all(
    start: Callable[[], Executor], scenarios: Sequence[Scenario], console: Console
) -> list[list[Tally]]:
    """Every scenario on every link; the tallies of each link, in the order of the scenarios."""
    tallies: list[list[Tally]] = [[] for _ in LINKS]
    with Progress(console=console) as progress, start() as executor:
        bar = progress.add_task("building", total=len(LINKS) * len(scenarios))
        for values in dict.fromkeys(_values(scenario) for scenario in scenarios):
            for link in LINKS:
                build(dict(values), link.defines)
        for link, played in zip(LINKS, tallies, strict=True):
            progress.update(bar, description=link.name)
            for one in executor.map(partial(play, link), scenarios):
                played.append(one)
                progress.advance(bar)
    return tallies


def rate(played: Sequence[Tally], promise: Promise) -> Rate:
    """How often a promise was broken.

    Violations of one outage come together. So it is the runs that are drawn again (bootstrap), not
    the transactions.
    """
    broken = numpy.array([one.broken[promise] for one in played])
    transactions = numpy.array([one.transactions for one in played])
    every = max(int(transactions.sum()), 1)
    if not broken.any():
        return Rate(0, 0, RULE_OF_THREE * MILLION / every)
    drawn_again = numpy.random.default_rng(1).integers(len(played), size=(RESAMPLES, len(played)))
    rates = broken[drawn_again].sum(axis=1) / numpy.maximum(
        transactions[drawn_again].sum(axis=1), 1
    )
    least, most = numpy.quantile(rates, LIKELY) * MILLION
    return Rate(MILLION * int(broken.sum()) / every, float(least), float(most))


def figures(link: Link, played: Sequence[Tally]) -> dict[str, Any]:
    """What a link came to, for JSON and for the table."""
    total = sum(played, Tally())
    latency = Spread.of(total.latencies)
    return {
        "link": link.name,
        "runs": len(played),
        "transactions": total.transactions,
        "promises": {
            promise.value: {
                "claimed": promise not in link.unclaimed,
                "violations": total.broken[promise],
                "per_million": rate(played, promise)._asdict(),
            }
            for promise in PROMISES
        },
        "committed": total.committed,
        "aborted": total.failed,
        "unknown": total.unknown,
        "unresolved": total.unresolved,
        "latency": {"median": latency.median, "p99": latency.p99},
        "goodput": 8 * total.useful_bytes / max(total.cycles, 1),
    }


def table(columns: Sequence[dict[str, Any]]) -> str:
    """Violations per million transactions, latency and goodput, in Markdown."""
    rows = [["", *(one["link"] for one in columns)], ["---"] + ["---:"] * len(columns)]
    rows.append(["transactions", *(f"{one['transactions']:,}" for one in columns)])
    for promise in PROMISES:
        rows.append([promise, *(_cell(one["promises"][promise]) for one in columns)])
    for outcome in ("committed", "aborted", "unknown"):
        rows.append([f"told {outcome.upper()}", *(f"{one[outcome]:,}" for one in columns)])
    rows.append(["unresolved", *(f"{one['unresolved']:,}" for one in columns)])
    for name, key in (("submission to COMMITTED, median", "median"), ("99th percentile", "p99")):
        rows.append([name, *(f"{one['latency'][key] or 0:,.0f}" for one in columns)])
    rows.append(["bits of new records a cycle", *(f"{one['goodput']:.2f}" for one in columns)])
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def _cell(promise: dict[str, Any]) -> str:
    """The rate with its interval; in brackets if the link does not promise it."""
    value, least, most = promise["per_million"].values()
    text = f"{value:,.0f} ({least:,.0f} to {most:,.0f})" if value else f"0 (< {most:,.0f})"
    return text if promise["claimed"] else f"[{text}]"


def main(words: Sequence[str] | None = None) -> int:
    """Run every link, print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--scenario", help="a file, or a name of the library, instead of draws")
    parser.add_argument("--runs", type=positive, default=1, help="how many, on each link")
    parser.add_argument(
        "--build",
        action="append",
        choices=BUILDS,
        help="draw from this build of the link only; may be repeated (default: all)",
    )
    parser.add_argument(
        "--jobs", type=positive, default=os.cpu_count(), help="processes; one a core if not given"
    )
    parser.add_argument("--json", action="store_true", help="print the figures as JSON only")
    asked = parser.parse_args(words)
    if asked.scenario and asked.build:
        parser.error("--build: a scenario says itself what the link is built with")
    console = Console(stderr=True, quiet=asked.json)
    try:
        if asked.scenario:
            scenario = parse(asked.scenario)
            scenarios = [replace(scenario, seed=seed) for seed in range(1, asked.runs + 1)]
        else:
            scenarios = draw(asked.runs, tuple(asked.build or BUILDS))
        tallies = play_all(lambda: processes(asked.jobs), scenarios, console)
    except OaeError as error:
        print(f"fito: {error}", file=sys.stderr)
        return error.exit_code
    columns = [figures(link, played) for link, played in zip(LINKS, tallies, strict=True)]
    print(json.dumps(columns, indent=1) if asked.json else table(columns))
    return 0


if __name__ == "__main__":
    sys.exit(main())
