"""Run many random scenarios on the compiled link, check every one, and see what they cover.

Each seed draws its own mixture of load, hosts, faults, crashes and cuts. After a phase under faults
the rates end, and everything must resolve. Results go into a directory (docs/campaign.md):
results.sqlite has one row a run, failures/ a run directory for each run that does not PASS.

  oae campaign --runs 5000
  oae campaign --resume runs/campaign-20260101-120000
  oae campaign --runs 100000 --scheduler tcp://cluster:8786

exit codes: 0 every run PASS, 1 a run FAILs or hits a cell that exploration cannot reach, 2 bad
input, 3 a run is INCONCLUSIVE, 4 the bench failed, 130 interrupted (--resume goes on)
"""

import argparse
import json
import os
from collections.abc import Callable, Iterator
from concurrent.futures import Executor
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from oae.campaign import failures, request, summary
from oae.campaign.request import Request
from oae.campaign.store import Store
from oae.campaign.swarm import BUILDS
from oae.campaign.tasks import Played
from oae.campaign.workers import AHEAD, cluster, play_all, processes
from oae.engines import rtl
from oae.engines.rundir import fresh
from oae.errors import OaeError
from oae.options import positive

SUMMARY = "run many random scenarios, check every one, and see what they cover"
RUNS = 1000


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `oae campaign`."""
    parser.add_argument("--runs", type=positive, help=f"how many; {RUNS} if not given")
    parser.add_argument("--seed", type=int, help="of the first run; the others follow (default 1)")
    parser.add_argument(
        "--build",
        action="append",
        choices=BUILDS,
        help="run on this build of the link only; may be repeated (default: all)",
    )
    parser.add_argument(
        "--without", action="append", metavar="ID", help="leave out an ingredient, such as F13"
    )
    parser.add_argument("--out", type=Path, help="directory; a new one under runs/ if not given")
    parser.add_argument("--resume", type=Path, metavar="DIR", help="go on with this campaign")
    parser.add_argument("--jobs", type=positive, help="processes; one a core if not given")
    parser.add_argument("--scheduler", metavar="ADDRESS", help="of a Dask cluster to run on")
    parser.add_argument("--json", action="store_true", help="print the summary as JSON only")


def main(arguments: argparse.Namespace) -> int:
    """Run, keep, tell."""
    console = Console(quiet=arguments.json)
    with _workers(arguments) as (start, count):
        folder, asked = _campaign(arguments, console)
        with Store(folder) as store:
            try:
                _play(asked, store, start, count * AHEAD, console)
                _keep(folder, asked, store, console)
            finally:
                told = summary.summarise(folder, asked, store)
    if arguments.json:
        print(json.dumps(told, indent=1))
    else:
        summary.show(console, told, folder)
    return summary.exit_code(told)


def _campaign(arguments: argparse.Namespace, console: Console) -> tuple[Path, Request]:
    """The directory and what it asks for, new or resumed."""

    def built(asked: Request) -> str:
        with console.status("") as status:
            return request.build(asked, lambda name: status.update(f"building {name}"))

    if arguments.resume is not None:
        for name in ("runs", "seed", "build", "without", "out"):
            if getattr(arguments, name) is not None:
                raise OaeError(f"--{name}: a campaign that is resumed stays as it was asked for")
        asked, sources = request.read(arguments.resume)
        if built(asked) != sources:
            raise OaeError(f"--resume {arguments.resume}: it was begun with other sources or tools")
        return arguments.resume, asked
    without = tuple(arguments.without or ())
    rtl.check_ingredients(without)
    asked = Request(
        1 if arguments.seed is None else arguments.seed,
        arguments.runs or RUNS,
        tuple(dict.fromkeys(arguments.build or BUILDS)),
        without,
    )
    folder = arguments.out or fresh(Path("runs"), "campaign")
    if folder.exists():
        raise OaeError(f"{folder} is already there; give another --out, or --resume it")
    request.write(folder, asked, built(asked))
    return folder, asked


@contextmanager
def _workers(arguments: argparse.Namespace) -> Iterator[tuple[Callable[[], Executor], int]]:
    """How to start what plays the runs, and how many it plays at once."""
    if arguments.scheduler is None:
        count = arguments.jobs or os.cpu_count() or 1
        yield lambda: processes(count), count
        return
    if arguments.jobs is not None:
        raise OaeError("--jobs: a cluster has the workers that it has")
    with cluster(arguments.scheduler) as (executor, count):
        yield lambda: executor, count


def _keep(folder: Path, asked: Request, store: Store, console: Console) -> None:
    """Make the directories of the runs that did not PASS."""
    with console.status("") as status:
        failures.keep_all(
            folder,
            asked,
            store,
            lambda number, of: status.update(f"keeping {number} of {of} runs that did not PASS"),
        )


def _play(
    asked: Request, store: Store, start: Callable[[], Executor], ahead: int, console: Console
) -> None:
    """Play what is not there yet."""
    done = store.seeds()
    columns = (
        TextColumn("{task.description}"),
        BarColumn(bar_width=20),
        MofNCompleteColumn(),
        TextColumn("runs"),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    transactions = faults = failed = 0
    with Progress(*columns, console=console) as progress:
        bar = progress.add_task("starting", total=asked.runs, completed=len(done))
        begun = progress.get_time()

        def take(played: Played) -> None:
            nonlocal transactions, faults, failed
            store.add(played)
            transactions += played.transactions
            faults += played.frame_faults + played.crashes + played.amnesias + played.cuts
            failed += played.verdict != "PASS"
            rate = transactions / max(progress.get_time() - begun, 1e-9)
            text = f"{rate:,.0f} transactions/s, {faults:,} faults, {failed:,} not PASS"
            progress.update(bar, advance=1, description=text)

        tasks = (asked.task(seed) for seed in asked.seeds if seed not in done)
        play_all(start, ahead, tasks, take)
