"""Programs that run side by side, each with its log, and are all ended on Ctrl-C."""

import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from rich.console import Console
from rich.progress import Progress as Bars
from rich.progress import SpinnerColumn, TaskID, TextColumn

from oae.errors import OaeError

PARALLEL = 2
POLL = 0.2  # seconds

Progress = Callable[[str, bool, float], None]  # title, whether it has ended, seconds


class JobError(OaeError):
    """A program failed that had to succeed; the message has its last error."""

    exit_code = 4


@dataclass(frozen=True)
class Job:
    """What to run, and where its output goes."""

    title: str
    words: Sequence[str]
    log: Path


@dataclass(frozen=True)
class Ended:
    """How it ended."""

    job: Job
    exit_code: int
    seconds: float


@dataclass
class _Running:
    job: Job
    process: subprocess.Popen[bytes]
    output: IO[bytes]
    started: float

    @property
    def seconds(self) -> float:
        return time.monotonic() - self.started


def run(
    jobs: Sequence[Job],
    *,
    cwd: Path,
    variables: dict[str, str],
    progress: Progress,
    parallel: int = PARALLEL,
) -> list[Ended]:
    """Start the jobs in this order, at most `parallel` at a time; how each ended, first to last."""
    waiting = list(jobs)
    ended: list[Ended] = []
    with _all() as running:
        while waiting or running:
            while waiting and len(running) < parallel:
                running.append(_start(waiting.pop(0), cwd, variables))
            for one in list(running):
                code = one.process.poll()
                progress(one.job.title, code is not None, one.seconds)
                if code is not None:
                    one.output.close()
                    running.remove(one)
                    ended.append(Ended(one.job, code, one.seconds))
            time.sleep(POLL)
    return ended


def _start(job: Job, cwd: Path, variables: dict[str, str]) -> _Running:
    job.log.parent.mkdir(parents=True, exist_ok=True)
    output = job.log.open("wb")
    process = subprocess.Popen(
        job.words,
        cwd=cwd,
        env=variables,
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=subprocess.STDOUT,
        start_new_session=True,  # Ctrl-C reaches us alone; we end them with all that they started
    )
    return _Running(job, process, output, time.monotonic())


@contextmanager
def _all() -> Iterator[list[_Running]]:
    """Jobs that run; whatever ends the block ends them, with all that they started."""
    running: list[_Running] = []
    try:
        yield running
    finally:
        for one in running:
            os.killpg(one.process.pid, signal.SIGKILL)
            one.process.wait()
            one.output.close()


def require(ended: Sequence[Ended]) -> None:
    """Raise `JobError` for the first that failed."""
    for one in ended:
        if one.exit_code != 0:
            raise JobError(
                f"{one.job.title} failed: {last_error(one.job.log)} (all of it: {one.job.log})"
            )


def last_error(log: Path) -> str:
    """The line of a log that says what went wrong."""
    lines = log.read_text(errors="replace").strip().splitlines()
    errors = [line for line in lines if "ERROR" in line or "Error" in line]
    return (errors or lines or ["no output"])[-1].strip()


@contextmanager
def shown(console: Console) -> Iterator[Progress]:
    """Shows what runs and for how long; without a terminal, one line when something has ended."""
    tasks: dict[str, TaskID] = {}
    columns = (SpinnerColumn(), TextColumn("{task.description}"), TextColumn("{task.fields[took]}"))
    with Bars(*columns, console=console, disable=not console.is_terminal) as bars:

        def progress(title: str, ended: bool, seconds: float) -> None:
            if title not in tasks:
                tasks[title] = bars.add_task(title, total=1, took="")
            bars.update(tasks[title], completed=int(ended), took=f"{seconds:.0f} s")
            if ended and not console.is_terminal:
                console.print(f"{title}: {seconds:.0f} s", highlight=False)

        yield progress
