"""`oae run`: the run directory, the verdict and the exit code, also when something goes wrong."""

import hashlib
import json
import os
import shlex
import signal
import subprocess
import sys
import time
import tomllib
from pathlib import Path
from typing import Any

import pytest
from oae.check import run, scoreboard
from oae.check.verdict import Promise, Verdict, Violation
from oae.cli import main
from oae.testing import requirement
from oae.trace import Trace

from cocotb_tests.scenario.played import LINK

CONTENT = bytes(range(256)) * 40 + b"the end"
FILE_SCENARIO = (
    LINK
    + """
[load.a]
file = true
resubmit = true
[rates.both]
drop = 0.1
duplicate = 0.05
corrupt = 0.02
[[fault]]
when = "b DELIVERED #50"
do = "crash b"
"""
)
LOAD = "[load.a]\nrecords = 20\n"
WHOLE = {
    *("scenario.toml", "run.toml", "schedule.hex", "trace.txt", "simulator.log", "verdict.json"),
    *("capture.pcapng", "report.html"),
}


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def oae_run(scenario: str, *options: str) -> tuple[int, Path]:
    Path("s.toml").write_text(scenario)
    out = Path("out")
    return main(["run", "--scenario", "s.toml", "--out", str(out), *options]), out


def verdict(out: Path) -> Any:
    return json.loads((out / "verdict.json").read_text())


@requirement("OAE-SIM-015", "OAE-SIM-016")
def test_a_file_crosses_and_the_evidence_is_whole(capsys: pytest.CaptureFixture[str]) -> None:
    Path("file.bin").write_bytes(CONTENT)
    code, out = oae_run(FILE_SCENARIO, "--file", "file.bin")
    assert code == 0
    assert {path.name for path in out.iterdir()} == WHOLE | {"sent.bin", "received.bin"}
    assert (out / "received.bin").read_bytes() == CONTENT
    assert (out / "scenario.toml").read_text() == FILE_SCENARIO
    found = verdict(out)
    assert found["verdict"] == "PASS"
    assert found["file"]["sha256_received"] == hashlib.sha256(CONTENT).hexdigest()
    assert found["sha256"] == Trace(out / "trace.txt").sha256
    printed = capsys.readouterr().out
    assert "P A S S" in printed
    assert found["file"]["sha256_sent"] in printed.replace("\n", "")


@requirement("OAE-SIM-015")
def test_a_run_can_be_run_again_from_its_directory() -> None:
    Path("file.bin").write_bytes(CONTENT)
    _, out = oae_run(FILE_SCENARIO, "--file", "file.bin", "--seed", "77", "--quiet")
    facts = tomllib.loads((out / "run.toml").read_text())
    assert facts["run"]["seed"] == 77
    assert facts["overruled"] == {"seed": 77}
    assert facts["run"]["commit"]
    assert facts["versions"]["verilator"]
    program, *words = shlex.split(facts["run"]["command"])
    assert program == "oae"
    assert main([*words, "--out", "again", "--quiet"]) == 0
    assert verdict(Path("again"))["sha256"] == verdict(out)["sha256"]


@requirement("OAE-SIM-015")
def test_another_seed_is_another_run() -> None:
    code, out = oae_run(LINK + LOAD + "[rates.both]\ndrop = 0.2\n", "--quiet")
    assert code == 0
    assert main(["run", "--scenario", "s.toml", "--seed", "2", "--out", "b", "--quiet"]) == 0
    assert verdict(Path("b"))["sha256"] != verdict(out)["sha256"]


def test_json_only(capsys: pytest.CaptureFixture[str]) -> None:
    code, out = oae_run(LINK + LOAD, "--json")
    assert code == 0
    assert json.loads(capsys.readouterr().out) == verdict(out)


@requirement("OAE-SIM-007")
@pytest.mark.parametrize(
    ("scenario", "options", "message"),
    [
        ("version = 1\n[lode]\n", [], "s.toml:2: lode: no key lode"),
        (LINK + LOAD, ["--file", "s.toml"], "carries no file"),
        (FILE_SCENARIO, ["--file", "nowhere"], "--file nowhere: no such file"),
        (FILE_SCENARIO, ["--file", "."], "--file .: is a directory"),
        (LINK + LOAD, ["--seed", "-1"], "--seed -1: not from 0"),
        (LINK + LOAD, ["--window", "3"], "--window 3: not a power of two"),
        (LINK + LOAD, ["--without", "F99"], "--without F99: the RTL can leave out F1, F2"),
        (LINK + LOAD, ["--out", "s.toml/run"], "--out s.toml/run: not a directory"),
        (LINK + LOAD, ["--out", "/proc/oae/run"], "--out /proc/oae/run: no such file"),
    ],
)
def test_bad_input_leaves_nothing_behind(
    scenario: str, options: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    code, _ = oae_run(scenario, *options)
    assert code == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1
    assert [path.name for path in Path().iterdir()] == ["s.toml"]


@requirement("OAE-SIM-007")
def test_a_run_directory_is_never_overwritten(capsys: pytest.CaptureFixture[str]) -> None:
    Path("out").mkdir()
    (Path("out") / "mine").write_text("mine")
    code, out = oae_run(LINK + LOAD)
    assert code == 2
    assert "out is already there" in capsys.readouterr().err
    assert [path.name for path in out.iterdir()] == ["mine"]


@requirement("OAE-SIM-013")
def test_a_run_that_shows_too_little() -> None:
    code, out = oae_run(LINK + LOAD + "[expect]\nrecords = 21\n", "--quiet")
    assert code == 3
    assert verdict(out)["verdict"] == "INCONCLUSIVE"
    assert {path.name for path in out.iterdir()} == WHOLE


@requirement("OAE-SIM-011")
def test_a_broken_promise_is_exit_code_1(monkeypatch: pytest.MonkeyPatch) -> None:
    def judge(*arguments: Any) -> scoreboard.Judgement:
        judgement = scoreboard.judge(*arguments)
        judgement.violations.append(Violation(Promise.AGREEMENT, 1, 2, "split"))
        judgement.verdict, judgement.reason = Verdict.FAIL, "split"
        return judgement

    monkeypatch.setattr(run, "judge", judge)
    code, out = oae_run(LINK + LOAD)
    assert code == 1
    assert verdict(out)["violations"][0]["text"] == "split"


@requirement("OAE-SIM-014")
def test_a_simulator_that_takes_too_long_is_the_benchs_fault() -> None:
    scenario = LINK.replace("30000", "900000000").replace("6000", "900000000")
    code, out = oae_run(
        scenario + LOAD + '[[fault]]\nwhen = "start"\ndo = "cut a->b"\n',
        "--timeout",
        "2",
        "--quiet",
    )
    assert code == 4
    assert verdict(out)["status"] == "timed out"
    assert {path.name for path in out.iterdir()} == WHOLE


@requirement("OAE-SIM-015")
def test_ctrl_c_ends_the_simulator_and_leaves_a_whole_directory(tmp_path: Path) -> None:
    scenario = LINK.replace("30000", "900000000").replace("6000", "900000000")
    Path("s.toml").write_text(scenario + LOAD + '[[fault]]\nwhen = "start"\ndo = "cut a->b"\n')
    words = ["run", "--scenario", "s.toml", "--out", "out", "--quiet"]
    process = subprocess.Popen(
        [sys.executable, "-m", "oae.cli", *words],
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        # As in the foreground: a job in the background starts with Ctrl-C ignored.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    deadline = time.monotonic() + 60
    while not list(Path().glob(".out.*/trace.txt")):  # the simulator runs
        assert time.monotonic() < deadline
        assert process.poll() is None
        time.sleep(0.05)
    time.sleep(0.5)
    os.kill(process.pid, signal.SIGINT)
    _, error = process.communicate(timeout=30)
    assert process.returncode == 130
    assert "interrupted" in error
    out = Path("out")
    assert {path.name for path in out.iterdir()} == WHOLE
    facts = tomllib.loads((out / "run.toml").read_text())
    assert facts["run"]["status"] == "interrupted"
    assert verdict(out)["verdict"] == "INCONCLUSIVE"
    assert not list(Path().glob(".out.*"))
