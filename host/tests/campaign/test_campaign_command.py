"""`oae campaign`: results, interruption and resumption, Dask, exit codes."""

import io
import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from oae.campaign import failures, request, swarm, tasks
from oae.campaign.coverage import Counts
from oae.campaign.failures import keep_all
from oae.campaign.reachable import can_be_hit, grid
from oae.campaign.request import FILE as REQUEST
from oae.campaign.request import Request, build, read, write
from oae.campaign.store import FILE as RESULTS
from oae.campaign.store import Store
from oae.campaign.summary import FILE as SUMMARY
from oae.campaign.summary import exit_code, show, summarise
from oae.campaign.swarm import Drawn
from oae.campaign.tasks import Played, Task, play
from oae.campaign.workers import WorkersError, play_all
from oae.capture.read import Capture
from oae.check.capture import check
from oae.cli import main
from oae.errors import OaeError
from oae.scenario.parse import parse
from oae.testing import requirement
from rich.console import Console

BUILD = "brisk"
RUNS = 16
OPTIONS = ["campaign", "--runs", str(RUNS), "--build", BUILD, "--json"]
PATIENCE = 120.0  # seconds until something that must happen counts as never
CUT_FOR_GOOD = '\n[[fault]]\nwhen = "a OPENED #3"\ndo = "cut a->b"\n'


def rows(folder: Path, query: str) -> list[Any]:
    with closing(sqlite3.connect(folder / RESULTS)) as connection:
        return connection.execute(query).fetchall()


def results(folder: Path) -> tuple[list[Any], list[Any], list[Any]]:
    """Everything but the time it took."""
    runs = rows(folder, "SELECT seed, verdict, transactions, sha256, covered FROM runs ORDER BY 1")
    cells = rows(folder, "SELECT * FROM cells")
    return runs, cells, rows(folder, "SELECT * FROM arcs")


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A campaign that nothing disturbs."""
    folder = tmp_path_factory.mktemp("campaigns") / "whole"
    assert main([*OPTIONS, "--jobs", "2", "--out", str(folder)]) == 0
    return folder


@requirement("OAE-RUN-003", "OAE-RUN-008")
def test_a_campaign_is_a_directory(whole: Path) -> None:
    assert read(whole)[0] == Request(1, RUNS, (BUILD,))
    told = json.loads((whole / SUMMARY).read_text())
    assert told["verdict"] == "PASS"
    assert told["runs"] == {"asked": RUNS, "missing": 0, "PASS": RUNS}
    assert told["totals"]["transactions"] > 1_000
    assert told["coverage"]["impossible"] == []
    assert 0 < told["coverage"]["hit"] < told["coverage"]["reachable"] < told["coverage"]["grid"]
    assert not (whole / failures.FOLDER).exists()
    # A row is what its seed gives when it is played by itself.
    played = play(Task(11, (BUILD,), covered=True))
    ((row,),) = rows(whole, "SELECT sha256 FROM runs WHERE seed = 11")
    assert row == played.sha256
    ((drawn,),) = rows(whole, "SELECT parameters FROM runs WHERE seed = 11")
    assert json.loads(drawn) == played.parameters


def read_of(pid: int, name: str) -> str:
    """What the system tells of a process; nothing if there is none."""
    try:
        return Path(f"/proc/{pid}/{name}").read_text()
    except OSError:
        return ""


def descendants(pid: int) -> set[int]:
    """Children and their children."""
    names = (path.name for path in Path(f"/proc/{pid}/task").glob("*"))
    own = {int(child) for name in names for child in read_of(pid, f"task/{name}/children").split()}
    return own.union(*map(descendants, own))


def lives(pid: int) -> bool:
    """Whether a process is there and not dead."""
    state = read_of(pid, "stat").rpartition(")")[2].split()
    return bool(state) and state[0] != "Z"


def wait_until(holds: Callable[[], bool]) -> None:
    """Wait for something that must come."""
    end = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < end, "it does not happen"
        os.sched_yield()


class Running:
    """A campaign as a process of its own."""

    def __init__(self, folder: Path, *options: str) -> None:
        self.folder = folder
        command = [sys.executable, "-m", "oae.cli", *options, "--jobs", "2"]
        self.process = subprocess.Popen(
            command,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            # A shell's background job ignores Ctrl-C; what it starts would, too.
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        )

    def until(self, holds: Callable[[], bool]) -> None:
        """Wait for something that must come before the campaign ends."""
        wait_until(lambda: holds() or self.process.poll() is not None)
        assert self.process.poll() is None, self.process.communicate()

    def count(self) -> int:
        """Runs that are there."""
        try:
            return int(rows(self.folder, "SELECT COUNT(*) FROM runs")[0][0])
        except sqlite3.OperationalError:  # not yet
            return 0

    def family(self) -> set[int]:
        """Workers and engines."""
        return descendants(self.process.pid)

    def workers(self) -> set[int]:
        """Processes that play."""
        return {pid for pid in self.family() if "spawn_main" in read_of(pid, "cmdline")}


@pytest.fixture
def started(tmp_path: Path) -> Iterator[Running]:
    running = Running(tmp_path / "campaign", *OPTIONS, "--out", str(tmp_path / "campaign"))
    yield running
    running.process.kill()
    running.process.communicate()


@requirement("OAE-RUN-004", "OAE-RUN-008")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_an_ended_campaign_goes_on(started: Running, whole: Path, number: int) -> None:
    started.until(lambda: started.count() >= 4)
    family = started.family()
    assert len(family) > 2
    started.process.send_signal(number)
    _, errors = started.process.communicate(timeout=PATIENCE)
    if number == signal.SIGINT:
        assert started.process.returncode == 130
        assert errors.decode().splitlines()[-1] == "oae: interrupted"
        told = json.loads((started.folder / SUMMARY).read_text())
        assert (told["verdict"], told["runs"]["missing"] > 0) == ("INCONCLUSIVE", True)
    # Nothing that it started survives it.
    wait_until(lambda: not any(map(lives, family)))
    before = rows(started.folder, "SELECT * FROM runs ORDER BY seed")
    assert 4 <= len(before) < RUNS
    assert main(["campaign", "--resume", str(started.folder), "--jobs", "2", "--json"]) == 0
    seeds = ", ".join(str(row[0]) for row in before)
    # Rows hold the seconds that a run took: they are the very same runs.
    query = f"SELECT * FROM runs WHERE seed IN ({seeds}) ORDER BY seed"
    assert rows(started.folder, query) == before
    assert results(started.folder) == results(whole)


@requirement("OAE-RUN-004")
def test_a_killed_worker_is_replaced(started: Running, whole: Path) -> None:
    started.until(lambda: started.count() >= 2)
    before = started.workers()
    os.kill(min(before), signal.SIGKILL)
    started.until(lambda: bool(started.workers() - before))
    assert started.process.wait(PATIENCE) == 0
    assert results(started.folder) == results(whole)


@requirement("OAE-RUN-005")
def test_a_dask_cluster_plays_the_same(whole: Path, tmp_path: Path) -> None:
    from distributed import LocalCluster

    with LocalCluster(  # type: ignore[no-untyped-call]
        n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None
    ) as cluster:
        out = tmp_path / "campaign"
        options = ["--out", str(out), "--scheduler", cluster.scheduler_address]
        assert main([*OPTIONS, *options]) == 0
    assert results(out) == results(whole)


@requirement("OAE-RUN-008")
@pytest.mark.parametrize("address", ["tcp://127.0.0.1:9", "foo", "bar://x:1", "tls://127.0.0.1:9"])
def test_no_scheduler_is_one_line(address: str, tmp_path: Path) -> None:
    """In a process of its own: nothing follows the line while that ends."""
    options = [*OPTIONS, "--scheduler", address, "--out", str(tmp_path / "campaign")]
    code = "from oae.campaign import workers; workers.PATIENCE = 1; from oae import cli; "
    code += f"raise SystemExit(cli.main({options}))"
    ended = subprocess.run([sys.executable, "-c", code], stderr=subprocess.PIPE, text=True)
    assert ended.returncode == 4
    (line,) = ended.stderr.splitlines()
    assert line.startswith(f"oae: --scheduler {address}: ")
    assert list(tmp_path.iterdir()) == []


def cut_for_good(monkeypatch: pytest.MonkeyPatch, seeds: set[int]) -> None:
    """Runs in which a direction is cut and never whole again."""

    def drawn(seed: int, builds: tuple[str, ...]) -> Drawn:
        run = swarm.drawn(seed, builds)
        return replace(run, text=run.text + CUT_FOR_GOOD) if seed in seeds else run

    monkeypatch.setattr(tasks, "drawn", drawn)
    monkeypatch.setattr(failures, "drawn", drawn)


@requirement("OAE-RUN-002", "OAE-RUN-003", "OAE-RUN-008")
def test_what_does_not_resolve_fails_and_is_kept(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    cut_for_good(monkeypatch, {2})
    asked = Request(1, 3, (BUILD,))
    folder = tmp_path / "campaign"
    write(folder, asked, build(asked, lambda name: None))
    with Store(folder) as store:
        todo = iter([asked.task(seed) for seed in asked.seeds])
        play_all(lambda: ThreadPoolExecutor(1), 2, todo, store.add)
        keep_all(folder, asked, store, lambda number, of: None)
        told = summarise(folder, asked, store)
    assert told["verdict"] == "FAIL"
    (failed,) = told["failed"]
    assert (failed["seed"], failed["requirement"]) == (2, "OAE-PRM-006")
    assert failed["reason"].startswith("progress: stalled, the rates having ended at cycle ")
    run = folder / failures.FOLDER / "seed-2"
    verdict = json.loads((run / "verdict.json").read_text())
    assert (verdict["verdict"], verdict["reason"]) == ("FAIL", failed["reason"])
    # The capture is that of the run, and the scenario plays it again.
    assert check(Capture(run / "capture.pcapng")).stop == "stalled"
    again = parse(run / "scenario.toml")
    assert again.seed == 2
    assert {path.name for path in run.iterdir()} == {
        "scenario.toml",
        "run.toml",
        "schedule.hex",
        "trace.txt",
        "capture.pcapng",
        "verdict.json",
    }


@requirement("OAE-RUN-004")
def test_a_result_is_counted_once(tmp_path: Path) -> None:
    played = play(Task(3, (BUILD,), covered=True))
    with Store(tmp_path) as store:
        store.add(played)
        cells = store.cells()
        with pytest.raises(sqlite3.IntegrityError):
            store.add(played)
        assert store.cells() == cells == dict(played.counts.cells)
        with pytest.raises(OaeError, match="another process is at work there"):
            Store(tmp_path)


@requirement("OAE-RUN-008")
@pytest.mark.parametrize(
    ("options", "problem"),
    [
        (["--seed", "-1"], "seeds -1 to 998: not all from 0 to 4294967295"),
        (["--without", "F99"], "--without F99: the RTL can leave out"),
        (["--resume", "nowhere"], "--resume nowhere: campaign.toml: no such file or directory"),
        (["--resume", "x", "--runs", "5"], "--runs: a campaign that is resumed stays as it was"),
        (["--scheduler", "tcp://x:1", "--jobs", "2"], "--jobs: a cluster has the workers"),
    ],
)
def test_bad_input_is_one_line(
    options: list[str],
    problem: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["campaign", "--json", *options]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert problem in line
    assert list(tmp_path.iterdir()) == []


@requirement("OAE-RUN-004")
def test_other_sources_are_not_mixed_in(
    whole: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = (whole / REQUEST).read_text()
    sources = read(whole)[1]
    (tmp_path / REQUEST).write_text(text.replace(sources, "0" * len(sources)))
    assert main(["campaign", "--resume", str(tmp_path), "--json"]) == 2
    assert "begun with other sources or tools" in capsys.readouterr().err


@requirement("OAE-RUN-004")
def test_the_hash_is_of_all_python_that_decides(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of whatever a worker imports, and it changes with each of these files."""
    names = "[one.__file__ for name, one in sys.modules.items() if name.split('.')[0] == 'oae']"
    code = f"import sys, oae.campaign.tasks; print(*{names}, sep='\\n')"
    told = subprocess.run([sys.executable, "-c", code], stdout=subprocess.PIPE, check=True)
    needed = {Path(name) for name in told.stdout.decode().split()}
    assert len(needed) > 20
    assert needed <= set(request.python_sources())
    asked = Request(1, RUNS, (BUILD,))
    shutil.copytree(request.PACKAGE, tmp_path / "oae", ignore=shutil.ignore_patterns("*.pyc"))
    monkeypatch.setattr(request, "PACKAGE", tmp_path / "oae")
    hashes = [build(asked, lambda name: None)]
    for name in ("check/expect.py", "scenario/parse.py", "faults/hash.py", "campaign/swarm.py"):
        with (tmp_path / "oae" / name).open("a") as file:
            file.write("# changed\n")
        hashes.append(build(asked, lambda name: None))
    assert len(set(hashes)) == len(hashes)


@requirement("OAE-RUN-008")
def test_while_runs_are_missing_a_campaign_is_inconclusive(tmp_path: Path) -> None:
    played = play(Task(1, (BUILD,)))
    assert played.verdict == "PASS"
    with Store(tmp_path) as store:
        store.add(played)
        told = summarise(tmp_path, Request(1, 2, (BUILD,)), store)
        assert (told["verdict"], exit_code(told)) == ("INCONCLUSIVE", 3)
        store.add(replace(played, seed=2, verdict="FAIL"))
        told = summarise(tmp_path, Request(1, 3, (BUILD,)), store)
        assert (told["verdict"], exit_code(told)) == ("FAIL", 1)


@requirement("OAE-RUN-007", "OAE-RUN-008")
def test_a_cell_that_cannot_be_reached_fails_the_campaign(tmp_path: Path) -> None:
    cell = next(cell for cell in grid() if not can_be_hit(cell))
    played = replace(play(Task(1, (BUILD,))), counts=Counts(Counter({cell: 1})))
    with Store(tmp_path) as store:
        store.add(played)
        told = summarise(tmp_path, Request(1, 1, (BUILD,)), store)
    assert (told["runs"]["PASS"], told["verdict"], exit_code(told)) == (1, "FAIL", 1)
    output = io.StringIO()
    show(Console(file=output, width=200), told, tmp_path)
    assert f"FAIL hit, though exploration cannot reach it: {cell}" in output.getvalue()


class Dying(ThreadPoolExecutor):
    """Workers that die at every run."""

    def submit(self, *_: Any, **__: Any) -> Any:
        from concurrent.futures.process import BrokenProcessPool

        raise BrokenProcessPool


@requirement("OAE-RUN-004")
def test_workers_that_only_die_end_the_campaign() -> None:
    taken: list[Played] = []
    with pytest.raises(WorkersError, match="die again and again, at a run of the seeds 7"):
        play_all(lambda: Dying(1), 2, iter([Task(7, (BUILD,))]), taken.append)
    assert not taken


@pytest.mark.long
@requirement("OAE-RUN-003", "OAE-RUN-008")
def test_a_campaign_finds_what_an_ingredient_is_for(tmp_path: Path) -> None:
    out = tmp_path / "campaign"
    # A crash forgets what was decided.
    options = ["--runs", "4", "--build", BUILD, "--without", "F1", "--out", str(out), "--json"]
    assert main(["campaign", *options]) == 1
    failed = rows(out, "SELECT seed, requirement FROM runs WHERE verdict = 'FAIL'")
    assert "OAE-PRM-005" in {found for _, found in failed}
    for seed, found in failed:
        folder = out / failures.FOLDER / f"seed-{seed}"
        result = check(Capture(folder / "capture.pcapng"))
        assert result.verdict == "FAIL"
        assert result.findings[0].requirement == found
