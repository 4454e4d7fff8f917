"""How far failures come down: for each ingredient, runs that fail without it are shrunk.

    python -m oae.shrink.study --out build/shrink-study.json

Runs of a swarm (swarms.toml) over seeds are played without the ingredient. Those that fail, and
with the ingredient keep what they broke, are reduced for at most a minute each, as `oae shrink`
would, but on the one build that there is. Prints a table, and writes what each result came to.
"""

import argparse
import json
import statistics
import tempfile
import tomllib
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
)

from oae.engines import rtl
from oae.errors import OaeError
from oae.options import positive
from oae.scenario.parse import parse_text
from oae.scenario.scenario import Scenario
from oae.scenario.write import write_scenario
from oae.shrink.engines import Broken, Compiled
from oae.shrink.recorded import Recorded
from oae.shrink.shrink import Shrunk, shrink
from oae.trace import Trace

SWARMS: Final = Path(__file__).with_name("swarms.toml")
FAILURES: Final = 20  # of each ingredient
SEEDS: Final = 2000  # that are tried for them
MINUTE: Final = 60.0
FEW: Final = 5  # fault events
EXIT_INTERRUPTED: Final = 130


def swarms() -> dict[str, Scenario]:
    """The scenario of each ingredient, F1 first."""
    table = tomllib.loads(SWARMS.read_text())
    return {
        ingredient: parse_text("".join(table["pieces"][piece] for piece in pieces), ingredient)
        for ingredient, pieces in table["ingredients"].items()
    }


def left_out(ingredient: str) -> tuple[str, ...]:
    """What the RTL is built with; F28 is left out by the scenario, which draws sessions again."""
    return (f"OAE_ABLATE_{ingredient}",) if ingredient in rtl.ingredients() else ()


def put_back(scenario: Scenario) -> Scenario:
    """The scenario if no ingredient is left out by it."""
    return replace(scenario, link=replace(scenario.link, session="fresh"))


@dataclass(frozen=True)
class Failure:
    """A run that fails without an ingredient."""

    run: Recorded
    broken: Broken


def failures(ingredient: str, swarm: Scenario, folder: Path) -> Iterator[Failure]:
    """The runs of a swarm that fail, and do not fail so if the ingredient is there."""
    defines = left_out(ingredient)
    without, whole = Compiled(defines, b""), Compiled((), b"")
    try:
        for seed in range(1, SEEDS + 1):
            scenario = replace(swarm, seed=seed)
            broken = without.play(scenario)
            if broken is None or broken.same(whole.play(put_back(scenario))):
                continue
            trace = folder / "trace.txt"
            without.record(scenario, trace)
            run = Recorded(scenario, rtl.SIMULATORS[0], defines, b"", Trace(trace), ())
            yield Failure(run, broken)
    finally:
        without.close()
        whole.close()


@dataclass(frozen=True)
class Result:
    """What a failure came down to."""

    seed: int
    requirement: str
    faults: int  # fault events before
    faults_left: int
    runs: int
    seconds: float
    minimal: bool  # every removal was tried within the minute
    mended: bool  # the ingredient alone mends what is left
    scenario: str


@dataclass
class Row:
    """All results of one ingredient."""

    ingredient: str
    results: list[Result] = field(default_factory=list)

    @property
    def faults_left(self) -> float:
        """Of the median result."""
        return statistics.median(result.faults_left for result in self.results)

    @property
    def seconds(self) -> float:
        """Of the median result."""
        return statistics.median(result.seconds for result in self.results)

    @property
    def reached(self) -> bool:
        """Whether the median result is small enough; each has had a minute at most."""
        return bool(self.results) and self.faults_left <= FEW

    @property
    def cells(self) -> list[str]:
        """Its line in the table."""
        if not self.results:
            return [self.ingredient, "0", *[""] * (len(HEADINGS) - 3), "no"]
        results = self.results
        broken = Counter(result.requirement or "assertion" for result in results)
        most = max(result.faults_left for result in results)
        small = sum(result.faults_left <= FEW for result in results)
        return [
            self.ingredient,
            str(len(results)),
            ", ".join(f"{name} {times}" for name, times in broken.most_common()),
            f"{statistics.median(result.faults for result in results):g}",
            f"{self.faults_left:g}",
            str(most),
            f"{self.seconds:.1f}",
            f"{max(result.seconds for result in results):.1f}",
            f"{small} of {len(results)}",
            f"{sum(result.minimal for result in results)}, "
            f"{sum(result.mended for result in results)}",
            "yes" if self.reached else "no",
        ]


HEADINGS: Final = (
    "without",
    "failures",
    "requirement broken",
    "fault events before, median",
    "left, median",
    "left, most",
    "seconds, median",
    "seconds, most",
    f"{FEW} or fewer",
    "minimal, mended by the ingredient",
    "reached",
)


def study(
    ingredient: str, swarm: Scenario, most: int, advance: Callable[[], None] = lambda: None
) -> Row:
    """Shrink so many failures of an ingredient."""
    row = Row(ingredient)
    whole = Compiled((), b"")
    try:
        with tempfile.TemporaryDirectory(prefix="oae-study-") as folder:
            for failure in failures(ingredient, swarm, Path(folder)):
                shrunk = shrink(failure.run, "compiled", windows=(), timeout=MINUTE)
                mended = not shrunk.broken.same(whole.play(put_back(shrunk.scenario)))
                row.results.append(_result(failure, shrunk, mended))
                advance()
                if len(row.results) == most:
                    break
    finally:
        whole.close()
    return row


def _result(failure: Failure, shrunk: Shrunk, mended: bool) -> Result:
    return Result(
        failure.run.scenario.seed,
        shrunk.broken.requirement,
        shrunk.faults,
        shrunk.faults_left,
        shrunk.runs,
        round(shrunk.seconds, 2),
        shrunk.minimal,
        mended,
        write_scenario(shrunk.scenario),
    )


def table(rows: Sequence[Row]) -> str:
    """In Markdown."""
    lines = [list(HEADINGS), ["---"] * len(HEADINGS), *(row.cells for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def main() -> None:
    """Study every ingredient, print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    known = swarms()
    parser.add_argument("--without", action="append", choices=known, help="these ingredients only")
    parser.add_argument("--failures", type=positive, default=FAILURES, help="of each ingredient")
    parser.add_argument("--out", type=Path, help="JSON file with every result")
    arguments = parser.parse_args()
    asked = arguments.without or list(known)
    rows: list[Row] = []
    try:
        _save(arguments.out, rows)  # what is wrong with the name is told at once
        for row in _rows({name: known[name] for name in asked}, arguments.failures):
            rows.append(row)
            _save(arguments.out, rows)
    except OaeError as error:
        parser.exit(error.exit_code, f"{error}\n")
    except KeyboardInterrupt:
        parser.exit(EXIT_INTERRUPTED, "interrupted\n")
    finally:
        if rows:
            print(table(rows))
            print(f"\n{sum(row.reached for row in rows)} of {len(rows)} ingredients reach it")


def _rows(asked: dict[str, Scenario], most: int) -> Iterator[Row]:
    """Study one after the other, and show how far it is."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, TimeElapsedColumn(), console=Console(stderr=True)) as bar:
        task = bar.add_task("", total=len(asked) * most)
        for number, (ingredient, swarm) in enumerate(asked.items(), 1):
            bar.update(task, description=f"without {ingredient}")
            yield study(ingredient, swarm, most, lambda: bar.advance(task))
            bar.update(task, completed=number * most)


def _save(path: Path | None, rows: Sequence[Row]) -> None:
    if path is None:
        return
    try:
        path.write_text(json.dumps([asdict(row) for row in rows], indent=1) + "\n")
    except OSError as error:
        raise OaeError(f"--out {path}: {(error.strerror or str(error)).lower()}") from error


if __name__ == "__main__":
    main()
