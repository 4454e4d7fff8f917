"""Plays tasks on many workers: processes of this machine, or a Dask cluster.

A worker may die at any time: what it had not handed over is played again. Whoever asked may be
interrupted: what is ready by then is taken, and what is not is not.
"""

import asyncio
import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, Executor, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from itertools import chain
from multiprocessing.connection import wait as wait_for
from typing import Final

from oae.campaign.tasks import Played, Task, play
from oae.errors import OaeError

AHEAD: Final = 4  # tasks handed out for each worker: it never waits for the next one
DEATHS_MOST: Final = 5  # in a row, without a result in between
PATIENCE: Final = 10  # seconds for a scheduler to answer

Waiting = dict["Future[Played]", Task]


class WorkersError(OaeError):
    """The runs cannot be played: no scheduler, or workers that die again and again."""

    exit_code = 4


def play_all(
    start: Callable[[], Executor], ahead: int, tasks: Iterator[Task], take: Callable[[Played], None]
) -> None:
    """Play every task, `ahead` at a time, and hand over each result once."""
    waiting: Waiting = {}
    deaths = 0
    executor = start()
    try:
        while True:
            lost = _hand_out(executor, waiting, ahead, tasks)
            if not waiting and not lost:
                return
            if not lost:
                wait(waiting, return_when=FIRST_COMPLETED)
            taken = _take_ready(waiting, take, lost)
            if not lost:
                continue
            deaths = 0 if taken else deaths + 1
            if deaths == DEATHS_MOST:
                seeds = ", ".join(str(task.seed) for task in lost)
                raise WorkersError(f"workers die again and again, at a run of the seeds {seeds}")
            executor.shutdown()
            _take_ready(waiting, take, lost)
            executor = start()
            tasks = chain(lost, tasks)
    finally:
        for future in waiting:
            future.cancel()
        executor.shutdown()
        _take_ready(waiting, take, [])


def _hand_out(
    executor: Executor, waiting: Waiting, ahead: int, tasks: Iterator[Task]
) -> list[Task]:
    """Fill up what the workers have to do; returns the task that found them dead."""
    while len(waiting) < ahead and (task := next(tasks, None)) is not None:
        try:
            waiting[executor.submit(play, task)] = task
        except BrokenProcessPool:
            return [task]
    return []


def _take_ready(waiting: Waiting, take: Callable[[Played], None], lost: list[Task]) -> int:
    """Take what is ready, and tell how much that was; what died with a worker is lost."""
    taken = 0
    for future in [future for future in waiting if future.done()]:
        task = waiting.pop(future)
        if future.cancelled():
            continue
        try:
            played = future.result()
        except BrokenProcessPool:
            lost.append(task)
        else:
            take(played)
            taken += 1
    return taken


def processes(count: int) -> Executor:
    """So many processes of this machine."""
    # A forked process would inherit the pipes by which its siblings notice that we are gone.
    context = multiprocessing.get_context("spawn")
    return ProcessPoolExecutor(count, mp_context=context, initializer=_begin)


def _begin() -> None:
    """A worker: Ctrl-C is for whoever started it, and it ends with them, however they end."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    assert parent is not None
    wait_for([parent.sentinel])
    os._exit(1)


@contextmanager
def cluster(address: str) -> Iterator[tuple[Executor, int]]:
    """A Dask cluster, and how many tasks it plays at once."""
    try:
        from distributed import Client, KilledWorker, Security
        from distributed.comm.core import connect
    except ImportError:
        raise WorkersError("--scheduler needs the Python package distributed") from None

    async def reach() -> None:
        security = Security().get_connection_args("client")  # type: ignore[no-untyped-call]
        comm = await connect(  # type: ignore[no-untyped-call]
            address, timeout=PATIENCE, **security
        )
        await comm.close()

    try:
        # A client that has not come about cannot be got rid of without a noise.
        asyncio.run(reach())
        client = Client(  # type: ignore[no-untyped-call]
            address, timeout=PATIENCE, set_as_default=False
        )
    except (OSError, TypeError, ValueError, TimeoutError) as error:
        raise WorkersError(f"--scheduler {address}: {str(error).splitlines()[0]}") from error
    with client:
        threads = sum(client.nthreads().values())  # type: ignore[no-untyped-call]
        if not threads:
            raise WorkersError(f"--scheduler {address}: it has no workers")
        try:
            executor = client.get_executor(pure=False)  # type: ignore[no-untyped-call]
            yield executor, threads
        except KilledWorker as error:
            raise WorkersError(f"--scheduler {address}: {error}") from error
