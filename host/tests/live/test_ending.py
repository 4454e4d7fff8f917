"""However a run is ended, nothing is left behind: real processes, real signals, at every moment."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from oae.bench.process import READY_SECONDS
from oae.capture.read import Capture, packets
from oae.testing import requirement

from host.tests.live.test_suite import HEAD, between_text, has_begun

PATIENCE = 60.0  # seconds; a machine may be busy
INTERRUPTED = 130
# Has all ends and a relay as processes of their own.
STANDING = """
import sys, time
from oae.bench.parse import parse
from oae.bench.started import started
with started(parse(sys.argv[1])):
    print("ready", flush=True)
    time.sleep(3600)
"""


def wait_for(look: Callable[[], bool]) -> None:
    """Until it is so; a live end may have to be built first."""
    deadline = time.monotonic() + READY_SECONDS
    while not look():
        assert time.monotonic() < deadline
        time.sleep(0.01)


class Started:
    """A program with temporary files of its own, and what it has started."""

    def __init__(self, folder: Path, *words: str) -> None:
        self.temporary = folder / "t"
        self.temporary.mkdir()
        self.process = subprocess.Popen(
            [sys.executable, *words],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={**os.environ, "TMPDIR": str(self.temporary)},
        )

    def descendants(self) -> set[int]:
        """Processes below it, by number."""
        found: set[int] = set()
        waiting = [self.process.pid]
        while waiting:
            path = Path(f"/proc/{waiting.pop()}/task")
            for children in path.glob("*/children"):
                try:
                    numbers = [int(word) for word in children.read_text().split()]
                except OSError:  # it has ended
                    continue
                found.update(numbers)
                waiting += numbers
        return found

    def end(self, number: signal.Signals) -> tuple[int, bytes]:
        """Send it a signal and wait until it and all others are gone; its code and output."""
        others = self.descendants()
        self.process.send_signal(number)
        said, _ = self.process.communicate(timeout=PATIENCE)
        wait_for(lambda: not any(is_alive(other) for other in others))
        return self.process.returncode, said


def is_alive(number: int) -> bool:
    """Whether there is a process of this number that is more than a record of its end."""
    try:
        return Path(f"/proc/{number}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


@contextmanager
def program(folder: Path, *words: str) -> Iterator[Started]:
    found = Started(folder, *words)
    try:
        yield found
    finally:
        for number in (found.process.pid, *found.descendants()):
            if is_alive(number):
                os.kill(number, signal.SIGKILL)
        found.process.communicate()


def bench_run(folder: Path, kinds: tuple[str, str], load: str) -> list[str]:
    """The words that play a load on a bench, into the folder `run`."""
    (folder / "bench.yaml").write_text(between_text(*kinds))
    (folder / "scenario.toml").write_text(HEAD + load)
    return [
        *("-m", "oae.cli", "run", "--bench", str(folder / "bench.yaml"), "--json"),
        *("--scenario", str(folder / "scenario.toml"), "--out", str(folder / "run")),
    ]


def some(folder: Path, pattern: str) -> Callable[[], bool]:
    return lambda: any(folder.glob(pattern))


# What is there when a run has come so far.
MOMENTS = {
    "it begins": ".run.*",
    "its folder is there": "t/oae-*",
    "its relay is there": "t/oae-*/relay-a",
    "an end records": ".run.*/a.pcapng",
    "it is joined": ".run.*/capture.pcapng*",
}


@requirement("OAE-BRN-002")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("moment", MOMENTS)
def test_a_signal_at_any_moment_of_a_run_leaves_nothing_or_a_verdict(
    moment: str, number: signal.Signals, tmp_path: Path
) -> None:
    with program(tmp_path, *bench_run(tmp_path, ("python", "python"), "")) as run:
        wait_for(some(tmp_path, MOMENTS[moment]))
        code, said = run.end(number)
    assert not list(run.temporary.iterdir())
    assert not list(tmp_path.glob(".run.*"))
    out = tmp_path / "run"
    if out.exists():
        report = json.loads(said)
        assert json.loads((out / "verdict.json").read_text()) == report
        assert report["verdict"] in ("PASS", "INCONCLUSIVE")
        assert (code == INTERRUPTED) == (report["status"] == "interrupted")
        assert (out / "report.html").exists()
    else:
        assert code in (INTERRUPTED, -number)


@requirement("OAE-BRN-002")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_a_run_of_live_ends_with_its_verdict(
    number: signal.Signals, tmp_path: Path
) -> None:
    load = "gap = 65535\n"  # it would take an hour
    with program(tmp_path, *bench_run(tmp_path, ("live", "live"), load)) as run:
        wait_for(lambda: has_begun(tmp_path))
        code, said = run.end(number)
    assert code == INTERRUPTED
    report = json.loads(said)
    assert (report["verdict"], report["status"]) == ("INCONCLUSIVE", "interrupted")
    assert not list(run.temporary.iterdir())
    assert any(True for _ in packets(tmp_path / "run" / "capture.pcapng"))


@requirement("OAE-BRN-007")
@pytest.mark.parametrize("kinds", [("python", "python"), ("live", "live")])
def test_what_a_killed_program_has_started_ends_by_itself(
    kinds: tuple[str, str], tmp_path: Path
) -> None:
    bench = tmp_path / "bench.yaml"
    bench.write_text(between_text(*kinds))
    with program(tmp_path, "-c", STANDING, str(bench)) as standing:
        assert standing.process.stdout is not None
        assert standing.process.stdout.readline() == b"ready\n"
        assert len(standing.descendants()) == 3
        standing.end(signal.SIGKILL)


@requirement("OAE-BRN-007")
def test_the_program_of_a_live_end_ends_with_the_command_that_was_killed(tmp_path: Path) -> None:
    medium = f"unix:{tmp_path}/a,{tmp_path}/b"
    words = ["-m", "oae.cli", "live", "--end", "a", "--medium", medium]
    with program(tmp_path, *words, "--capture", f"{tmp_path}/a.pcapng") as live:
        assert live.process.stderr is not None
        assert live.process.stderr.readline().startswith(b"end a on ")
        assert len(live.descendants()) == 1
        live.end(signal.SIGKILL)
    assert not (tmp_path / "a").exists()
    capture = Capture(tmp_path / "a.pcapng")
    assert sum(len(batch) for _, batch in capture) > 0
    assert capture.damage == ""


@requirement("OAE-BRN-007", "OAE-RLY-005")
def test_a_relay_ends_with_its_input(tmp_path: Path) -> None:
    media = [f"unix:{tmp_path}/r{end},{tmp_path}/{end}" for end in "ab"]
    record = tmp_path / "relay.pcapng"
    words = ["-m", "oae.cli", "relay", *media, "--json", "--capture", str(record)]
    with program(tmp_path, *words) as relay:
        wait_for(some(tmp_path, "rb"))
        said, _ = relay.process.communicate(b"anything\n", timeout=PATIENCE)
        assert relay.process.returncode == 0
    assert json.loads(said)["a->b"]["frames"] == 0
    assert not list(tmp_path.glob("r?"))
    capture = Capture(record)
    assert not list(capture)
    assert capture.damage == ""


@requirement("OAE-LIV-006")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_while_a_live_end_starts_leaves_no_path_behind(
    number: signal.Signals, tmp_path: Path
) -> None:
    medium, serial = tmp_path / "a", tmp_path / "serial"
    words = ["--end", "a", "--medium", f"unix:{medium},{tmp_path}/b", "--serial", str(serial)]
    with program(tmp_path, "-m", "oae.cli", "live", *words, "--json") as live:
        wait_for(lambda: medium.exists() or serial.is_symlink())
        live.end(number)
    assert not medium.exists()
    assert not serial.is_symlink()
