"""What cannot be played is refused in one line before anything is played, printed or written."""

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from oae import cli
from oae.engines import model
from oae.engines.player import play
from oae.scenario.parse import parse_text
from oae.testing import requirement

PATIENCE = 120.0  # seconds until something that must happen counts as never
SHORT = "version = 1\n[load.a]\nrecords = 3\n"
CUT = '[[fault]]\nwhen = "start"\ndo = "cut a->b"\n'
ENDLESS = f"{SHORT}{CUT}[limits]\ncycles = 2000000000\nstall = 2000000000\n"


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of the reference ends without F9, which no Verilog can leave out."""
    out = tmp_path_factory.mktemp("refused") / "run"
    defines = [f"{model.ABLATION}F9"]
    assert play(parse_text(SHORT), out, engine=model.NAME, defines=defines).status == "finished"
    return out


def refused(words: list[str], capsys: pytest.CaptureFixture[str]) -> str:
    """The one line, with nothing before it."""
    assert cli.main(words) == 2
    told = capsys.readouterr()
    assert told.out == ""
    (line,) = told.err.splitlines()
    return line


@requirement("OAE-SHR-001", "OAE-SHR-006")
@pytest.mark.parametrize(
    "words",
    [
        ["replay", "--engine", "verilator"],
        ["replay", "--engine", "icarus", "--save", "saved.toml"],
        ["shrink"],
        ["shrink", "--engine", "icarus"],
    ],
)
def test_an_ingredient_that_the_verilog_cannot_leave_out(
    words: list[str],
    run: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    line = refused([words[0], str(run), *words[1:]], capsys)
    assert line.startswith("oae: --without F9: the RTL can leave out F1, ")
    assert list(tmp_path.iterdir()) == []


@requirement("OAE-SHR-001")
def test_a_replay_whose_directory_is_there_saves_nothing(
    run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    saved = tmp_path / "saved.toml"
    line = refused(["replay", str(run), "--save", str(saved), "--out", str(run)], capsys)
    assert line == f"oae: {run} is already there; give another --out"
    assert not saved.exists()


@requirement("OAE-SHR-001")
@pytest.mark.parametrize(
    ("before", "after", "problem"),
    [
        (
            "[parameters]",
            "[overruled]\nwindow = 3\n[parameters]",
            "overruled.window: 3 is not a po",
        ),
        ("[parameters]", "[overruled]\nwindow = 8.0\n[parameters]", "overruled.window: 8.0 is not"),
        ("[parameters]", '[overruled]\nseed = "x"\n[parameters]', "overruled.seed: 'x' is not a w"),
        ("[parameters]", "[overruled]\nsede = 3\n[parameters]", "overruled.sede: no key sede; did"),
        ("[run]", "overruled = 3\n[run]", "overruled: is not a table"),
        ('engine = "model"', 'engine = "foo"', "run.engine: no engine foo"),
        ('engine = "model"', "", "run.engine: None is not a text"),
        ('scenario = "scenario"', "scenario = 3", "run.scenario: 3 is not a text"),
    ],
)
def test_a_run_that_was_edited(
    before: str,
    after: str,
    problem: str,
    run: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    other = tmp_path / "other"
    shutil.copytree(run, other)
    text = (other / "run.toml").read_text()
    assert before in text
    (other / "run.toml").write_text(text.replace(before, after))
    for command in ("replay", "shrink"):
        line = refused([command, str(other), "--out", str(tmp_path / "out")], capsys)
        assert line.startswith(f"oae: {other / 'run.toml'}: {problem}")
    assert list(tmp_path.iterdir()) == [other]


@requirement("OAE-SHR-001")
def test_a_run_without_its_capture_has_no_verdict_to_compare_with(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = tmp_path / "run"
    play(parse_text(SHORT), run, engine=model.NAME)
    (run / "capture.pcapng").unlink()
    words = ["replay", str(run), "--engine", "icarus", "--out", str(tmp_path / "again")]
    assert "capture.pcapng" in refused(words, capsys)
    assert list(tmp_path.iterdir()) == [run]


@requirement("OAE-SIM-007")
@pytest.mark.parametrize(
    ("words", "problem"),
    [
        (["--waveform"], "--waveform: the engine model has no signals"),
        (["--out", "/proc/x"], "--out /proc/x: "),
        (["--out", "/proc/x/y"], "--out /proc/x/y: "),
        (["--picture", "/proc/x.svg"], "--picture /proc/x.svg: "),
        (["--picture", "."], "--picture .: is a directory"),
        (["--timeout", "nan"], "run: argument --timeout: not a time above 0 seconds"),
        (["--timeout", "inf"], "run: argument --timeout: not a time above 0 seconds"),
        (["--timeout", "0"], "run: argument --timeout: not a time above 0 seconds"),
        (["--without", "F14"], "--without F14: the model can leave out F1, "),
    ],
)
def test_what_a_run_is_asked_for_and_cannot_do(
    words: list[str],
    problem: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    line = refused(["run", "--engine", "model", "--scenario", "clean", *words], capsys)
    assert line.startswith(f"oae: {problem}")
    assert list(tmp_path.iterdir()) == []


@requirement("OAE-SHR-001")
def test_a_replay_that_is_interrupted_says_so(tmp_path: Path) -> None:
    run = tmp_path / "run"
    play(parse_text(SHORT), run, engine=model.NAME)
    (run / "scenario.toml").write_text(ENDLESS)
    words = ["replay", str(run), "--out", str(tmp_path / "again")]
    process = subprocess.Popen(
        [sys.executable, "-m", "oae.cli", *words],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        # A shell's background job ignores Ctrl-C; what it starts would, too.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    end = time.monotonic() + PATIENCE
    while not any(path.stat().st_size for path in tmp_path.glob(".again.*/trace.txt")):
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < end, "it does not begin"
        os.sched_yield()
    process.send_signal(signal.SIGINT)
    _, error = process.communicate(timeout=PATIENCE)
    assert (process.returncode, error) == (130, b"oae: interrupted\n")
