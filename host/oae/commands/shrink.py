"""Reduce a failing run to the smallest scenario that still breaks the same promise.

What struck by chance is written down fault by fault. Then faults, load, slow hosts and durations
are taken away as long as the same promise breaks first. Each removal from the result has been
tried, and mended it.

exit codes: 0 reduced, 2 bad input, 3 the time was up before every removal was tried, 4 the bench
failed
"""

import argparse
from pathlib import Path

from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from oae.errors import OaeError
from oae.scenario.write import write_scenario
from oae.shrink.engines import ENGINES
from oae.shrink.recorded import recorded
from oae.shrink.reduce import Step
from oae.shrink.shrink import shrink, told

SUMMARY = "reduce a failing run to the few faults that it takes"
EXIT_TIME_UP = 3


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `oae shrink`."""
    parser.add_argument("run", type=Path, help="run directory of a failing run")
    parser.add_argument(
        "--out", type=Path, help="file of the result; shrunk.toml in the run directory if not given"
    )
    parser.add_argument("--engine", default="compiled", choices=list(ENGINES))
    parser.add_argument("--timeout", type=float, help="seconds after which the best so far is told")


def main(arguments: argparse.Namespace) -> int:
    """Reduce, write, tell."""
    if arguments.timeout is not None and arguments.timeout <= 0:
        raise OaeError(f"--timeout {arguments.timeout}: not a time above 0 seconds")
    run = recorded(arguments.run)
    out = arguments.out or arguments.run / "shrunk.toml"
    columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True)) as bar:
        task = bar.add_task("building")

        def advance(step: Step) -> None:
            bar.update(task, description=f"{step.runs} runs, {step.faults} fault events left")

        shrunk = shrink(run, arguments.engine, timeout=arguments.timeout, progress=advance)
    text = write_scenario(shrunk.scenario, told(shrunk, run.without))
    try:
        out.write_text(text)
    except OSError as error:
        raise OaeError(f"--out {out}: {error.strerror}") from error
    print(text, end="")
    print(f"\n{shrunk.runs} runs in {shrunk.seconds:.1f} s; saved in {out}")
    return 0 if shrunk.minimal else EXIT_TIME_UP
