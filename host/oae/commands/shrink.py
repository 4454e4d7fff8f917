"""Reduce a failing run to the smallest scenario that still breaks the same requirement.

What struck by chance is written down fault by fault. Then faults, load, slow hosts and durations
are taken away as long as the same requirement is broken first. Each removal from the result has
been tried, and mended it. Ctrl-C ends it with the best result so far.

exit codes: 0 reduced, 2 bad input, 3 the time was up before every removal was tried, 4 the bench
failed, 130 interrupted
"""

import argparse
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from oae.engines.player import check_ingredients
from oae.errors import OaeError
from oae.options import seconds
from oae.scenario.write import write_scenario
from oae.shrink.engines import ENGINES
from oae.shrink.recorded import recorded
from oae.shrink.reduce import INTERRUPTED, TIME_UP, Step
from oae.shrink.shrink import shrink, told

SUMMARY = "reduce a failing run to the few faults that it takes"
EXIT_CODES: Final = {"": 0, TIME_UP: 3, INTERRUPTED: 130}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `oae shrink`."""
    parser.add_argument("run", type=Path, help="run directory of a failing run")
    parser.add_argument(
        "--out", type=Path, help="file of the result; shrunk.toml in the run directory if not given"
    )
    parser.add_argument("--engine", default="compiled", choices=list(ENGINES))
    parser.add_argument(
        "--timeout", type=seconds, help="seconds after which the best so far is told"
    )


def main(arguments: argparse.Namespace) -> int:
    """Reduce, write, tell."""
    run = recorded(arguments.run)
    check_ingredients(arguments.engine, run.without)
    out = arguments.out or arguments.run / "shrunk.toml"
    columns = (TextColumn("{task.description}"), BarColumn(bar_width=20), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True)) as bar:
        task = bar.add_task("building", total=None)

        def advance(step: Step) -> None:
            text = f"{step.runs} runs, {step.faults} of {step.before} fault events left"
            gone = step.before - step.faults
            bar.update(task, description=text, total=step.before, completed=gone)

        shrunk = shrink(run, arguments.engine, timeout=arguments.timeout, progress=advance)
    text = write_scenario(shrunk.scenario, told(shrunk, run.without))
    try:
        out.write_text(text)
    except OSError as error:
        raise OaeError(f"--out {out}: {error.strerror}") from error
    print(text, end="")
    print(f"\n{shrunk.runs} runs in {shrunk.seconds:.1f} s; saved in {out}")
    return EXIT_CODES[shrunk.stopped]
