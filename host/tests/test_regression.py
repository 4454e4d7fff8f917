"""The regression runner, scripts/test.py: what it sums up, what it only warns of, how it fails."""

import importlib.util
import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

SCRIPT = Path(__file__).resolve().parents[2] / "scripts" / "test.py"
EVERY_WAY = """
import pytest
def test_good(): pass
def test_bad(): assert False
@pytest.mark.skip(reason="not today")
def test_later(): pass
@pytest.fixture
def broken(): raise OSError
def test_unprepared(broken): pass
"""
Regression = Callable[..., int]


def load(folder: Path) -> ModuleType:
    """The script as a module that writes into `folder`."""
    specification = importlib.util.spec_from_file_location("regression", SCRIPT)
    assert specification is not None
    assert specification.loader is not None
    script = importlib.util.module_from_spec(specification)
    sys.modules["regression"] = script  # dataclasses look their module up
    specification.loader.exec_module(script)
    script.RESULTS = folder / "results"
    script.SUMMARY = folder / "summary.json"
    return script


@pytest.fixture
def script(tmp_path: Path) -> ModuleType:
    return load(tmp_path)


@pytest.fixture
def regression(script: ModuleType, monkeypatch: pytest.MonkeyPatch) -> Regression:
    """Run the regression with one share of the given checks."""
    monkeypatch.setattr(signal, "signal", lambda *_: None)

    def run(*checks: Any, budget: int = 100, options: tuple[str, ...] = ()) -> int:
        script.SHARES = [("step 0", budget, list(checks))]
        monkeypatch.setattr(sys, "argv", ["test.py", *options])
        code: int = script.main()
        return code

    return run


def test_it_sums_up_every_pytest_run_and_goes_on_after_a_failure(
    script: ModuleType,
    regression: Regression,
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
) -> None:
    tests = tmp_path / "test_every_way.py"
    tests.write_text(EVERY_WAY)
    both = script.pytest_run("some", str(tests)), script.pytest_run("again", str(tests))
    assert regression(script.Check("lint", "false"), *both) == 1
    lines = capfd.readouterr().out.splitlines()
    assert lines[-1] == "2 passed, 5 failed"
    assert "FAILED: lint (exit code 1)" in lines
    assert [line for line in lines if line.startswith("FAILED: ") and "test_bad" in line]
    assert [line for line in lines if line.startswith("skipped: ") and "not today" in line]
    summary = json.loads(script.SUMMARY.read_text())
    assert (summary["good"], summary["passed"], summary["failed"]) == (False, 2, 5)
    assert [check["exit_code"] for check in summary["checks"]] == [1, 1, 1]
    assert summary["tools"]["python"]


def test_all_well_is_zero(
    script: ModuleType, regression: Regression, capfd: pytest.CaptureFixture[str]
) -> None:
    assert regression(script.Check("lint", "true")) == 0
    assert capfd.readouterr().out.splitlines()[-1] == "0 passed, 0 failed"
    assert json.loads(script.SUMMARY.read_text())["good"]


def test_a_pytest_run_without_tests_fails(
    script: ModuleType,
    regression: Regression,
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
) -> None:
    (tmp_path / "test_nothing.py").write_text("")
    assert regression(script.pytest_run("none", str(tmp_path / "test_nothing.py"))) == 1
    assert capfd.readouterr().out.splitlines()[-1] == "0 passed, 1 failed"


def test_results_of_an_earlier_run_do_not_count(
    script: ModuleType,
    regression: Regression,
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
) -> None:
    tests = tmp_path / "test_it.py"
    tests.write_text("def test_good(): pass\n")
    assert regression(script.pytest_run("some", str(tests))) == 0
    crash = script.Check("some", "false", junit=True)
    assert regression(crash) == 1
    assert capfd.readouterr().out.splitlines()[-1] == "0 passed, 1 failed"


def test_a_share_over_its_budget_is_only_warned_of(
    script: ModuleType, regression: Regression, capfd: pytest.CaptureFixture[str]
) -> None:
    assert regression(script.Check("slow", "sleep 0.1"), budget=0) == 0
    assert "warning: step 0 took 0 s of its 0 s" in capfd.readouterr().out


def test_the_total_is_a_limit(
    script: ModuleType, regression: Regression, capfd: pytest.CaptureFixture[str]
) -> None:
    script.TOTAL = 0
    assert regression(script.Check("slow", "sleep 0.1")) == 1
    assert "FAILED: 0 s used, 0 s allowed" in capfd.readouterr().out


def test_a_check_that_hangs_is_ended(script: ModuleType, regression: Regression) -> None:
    script.HANGING = 1
    start = time.monotonic()
    assert regression(script.Check("hangs", "sleep 60")) == 1
    assert time.monotonic() - start < 30


def test_a_missing_tool_fails_its_check(
    script: ModuleType, regression: Regression, capfd: pytest.CaptureFixture[str]
) -> None:
    assert regression(script.Check("needy", "true", needs=("no-such-tool",))) == 1
    output = capfd.readouterr().out
    assert "cannot run: no-such-tool is missing" in output
    assert "FAILED: needy (exit code 4)" in output


def test_a_part_can_be_chosen(
    script: ModuleType, regression: Regression, capfd: pytest.CaptureFixture[str]
) -> None:
    checks = script.Check("lint", "true"), script.Check("others", "false")
    assert regression(*checks, options=("--only", "lint")) == 0
    assert "others" not in capfd.readouterr().out
    with pytest.raises(SystemExit):
        regression(*checks, options=("--only", "nothing of the kind"))


def test_an_interrupt_leaves_nothing_behind(tmp_path: Path) -> None:
    """The check starts a child of its own, which must end as well."""
    child = tmp_path / "child"
    check = tmp_path / "check.sh"
    check.write_text(f"sleep 60 & echo $! > {child}; wait\n")
    program = (
        f"import sys; sys.path.insert(0, {str(Path(__file__).parent)!r}); import pathlib\n"
        f"script = __import__('test_regression').load(pathlib.Path({str(tmp_path)!r}))\n"
        f"script.SHARES = [('step 0', 9, [script.Check('waits', 'sh {check}')])]\n"
        "sys.argv[1:] = []; sys.exit(script.main())\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", program],
        stdout=subprocess.PIPE,
        text=True,
        preexec_fn=in_the_foreground,
    )
    deadline = time.monotonic() + 30
    while not (child.exists() and child.read_text()) and time.monotonic() < deadline:
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    output, _ = process.communicate(timeout=30)
    assert process.returncode == 130
    assert "interrupted in waits; 1 checks did not finish" in output
    assert ends_soon(int(child.read_text()))


def in_the_foreground() -> None:
    """Where Ctrl-C works; a job in the background starts with it ignored."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def ends_soon(number: int) -> bool:
    """Whether a process that was killed is gone, or only waits to be collected."""
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline:
        try:
            if ") Z" in Path(f"/proc/{number}/stat").read_text():
                return True
        except (FileNotFoundError, ProcessLookupError):
            return True
        time.sleep(0.02)
    return False
