"""Programs side by side: logs, failures, Ctrl-C."""

import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from oae import jobs
from oae.jobs import Job, JobError


def test_a_program_that_fails_tells_its_last_error(tmp_path: Path) -> None:
    script = "print('ERROR: no such cell'); raise SystemExit(1)"
    job = Job("try", [sys.executable, "-c", script], tmp_path / "log")
    ended = jobs.run([job], cwd=tmp_path, variables={}, progress=lambda *_: None)
    assert [one.exit_code for one in ended] == [1]
    with pytest.raises(JobError, match="try failed: ERROR: no such cell"):
        jobs.require(ended)


def test_an_interrupt_ends_the_programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[subprocess.Popen[bytes]] = []
    popen = subprocess.Popen

    def note(*words: Any, **options: Any) -> subprocess.Popen[bytes]:
        started.append(popen(*words, **options))
        return started[-1]

    def interrupted(title: str, ended: bool, seconds: float) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(jobs.subprocess, "Popen", note)
    sleep = [sys.executable, "-c", "import time; time.sleep(60)"]
    three = [Job(name, sleep, tmp_path / name) for name in ("one", "two", "three")]
    before = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        jobs.run(three, cwd=tmp_path, variables={}, progress=interrupted)
    assert time.monotonic() - before < 10
    assert len(started) == 2
    assert all(process.poll() is not None for process in started)
