"""The regression: every check, in shares of one time budget (`make test`).

Each step of the project has a share. A share that takes longer than its budget is warned about;
the run fails if a check fails or if all of them together exceed TOTAL. Every check runs, whatever
the others say. The last line sums up all tests; a check that fails without naming a failed test
(lint, a crash) counts as one failure there. build/test-summary.json holds the same for machines.
"""

import argparse
import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path

from oae.toolchain import ToolError, environment, tool_versions
from rich.console import Console
from rich.table import Table

TOTAL = 900  # seconds for everything, set-up not counted
SIMULATORS = ("verilator", "iverilog", "vvp", "g++", "make")


@dataclass(frozen=True)
class Check:
    """One command; `junit` tells that it is a pytest run that writes its results there."""

    name: str
    command: str
    needs: tuple[str, ...] = ()
    junit: bool = False


def pytest_run(name: str, paths: str, needs: tuple[str, ...] = ()) -> Check:
    """A pytest run on both cores."""
    return Check(name, f"python -m pytest {paths} -q -n 2", needs, junit=True)


def without(folder: str, *parts: str) -> str:
    """Options of pytest: what is in another share."""
    return " ".join(f"--ignore {folder}/{part}" for part in parts)


# Benches of cocotb that are not of step 1.
BOARD = ("board", "fault_injector", "register_bridge", "trace_buffer", "traffic_generator", "uart")

# What runs, in this order: share, its budget in seconds, its checks. A new step adds its row here.
SHARES: list[tuple[str, int, list[Check]]] = [
    (
        "step 1: link engine",
        300,
        [
            Check("lint", "make --silent lint"),
            Check("generated files", "make --silent check-generated"),
            pytest_run(
                "host tests",
                f"host/tests {without('host/tests', 'capture', 'campaign', 'live', 'epoch')}",
            ),
            pytest_run(
                "cocotb tests",
                f"cocotb_tests {without('cocotb_tests', 'fito', *BOARD)}",
                SIMULATORS,
            ),
            Check("arcs of the machines", "python -m cocotb_tests.link.arcs"),
        ],
    ),
    (
        "step 2: proofs",
        90,
        [Check("proofs", "python -m pytest -m proof host/tests cocotb_tests -q", junit=True)],
    ),
    (
        "step 3: captures",
        120,
        [pytest_run("captures", "host/tests/capture", needs=(*SIMULATORS, "tshark", "chromium"))],
    ),
    (
        "step 4: campaigns",
        120,
        [
            pytest_run(
                "campaigns", "host/tests/campaign cocotb_tests/fito", needs=(*SIMULATORS, "tshark")
            )
        ],
    ),
    (
        "step 5: hardware in the loop",
        150,
        [
            pytest_run("live ends", "host/tests/live", needs=(*SIMULATORS, "chromium")),
            pytest_run(
                "boards", " ".join(f"cocotb_tests/{folder}" for folder in BOARD), SIMULATORS
            ),
        ],
    ),
    (
        "step 6: epochs",
        90,
        [pytest_run("epochs", "host/tests/epoch", needs=(*SIMULATORS, "chromium"))],
    ),
]

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "build" / "test-results"
SUMMARY = ROOT / "build" / "test-summary.json"
HANGING = 2 * TOTAL  # seconds after which a check is ended by force


@dataclass
class Result:
    """How one check ended."""

    share: str
    name: str
    seconds: float = 0.0
    exit_code: int = 0
    passed: int = 0
    failed: list[str] = field(default_factory=list)
    skipped: dict[str, str] = field(default_factory=dict)

    @property
    def verdict(self) -> str:
        """One word."""
        return "FAILED" if self.exit_code else "passed"

    @property
    def failures(self) -> int:
        """Failed tests; a check that failed without one counts as one."""
        return max(len(self.failed), 1 if self.exit_code else 0)


@contextmanager
def group_of(command: list[str], variables: dict[str, str]) -> Iterator[subprocess.Popen[bytes]]:
    """A process with a group of its own, of which nothing is left afterwards."""
    process = subprocess.Popen(command, cwd=ROOT, env=variables, process_group=0)
    try:
        yield process
    except KeyboardInterrupt:
        process.send_signal(signal.SIGINT)
        with suppress(subprocess.TimeoutExpired):
            process.wait(timeout=5)
        raise
    finally:
        end_group(process)
        process.wait()


def end_group(process: subprocess.Popen[bytes]) -> None:
    """End a process and everything that it started."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)


def run(share: str, check: Check, deadline: float) -> Result:
    """Run one check to its end and read its results."""
    result = Result(share, check.name)
    report = RESULTS / f"{re.sub(r'[^a-z0-9]+', '-', f'{share} {check.name}')}.xml"
    start = time.monotonic()
    try:
        variables = environment(*check.needs)
        command = check.command.split() + ([f"--junit-xml={report}"] if check.junit else [])
        with group_of(command, variables) as process:
            hanging = threading.Timer(max(deadline - start, 1), end_group, [process])
            hanging.daemon = True
            hanging.start()
            result.exit_code = process.wait()
            hanging.cancel()
    except ToolError as error:
        print(f"cannot run: {error}")
        result.exit_code = error.exit_code
    result.seconds = time.monotonic() - start
    if check.junit and report.exists():
        read_junit(report, result)
    return result


def read_junit(report: Path, result: Result) -> None:
    """Count the tests of one pytest run."""
    for case in ElementTree.parse(report).iter("testcase"):
        name = f"{case.get('classname')}::{case.get('name')}"
        skipped = case.find("skipped")
        if case.find("failure") is not None or case.find("error") is not None:
            result.failed.append(name)
        elif skipped is not None:
            result.skipped[name] = skipped.get("message") or "no reason given"
        else:
            result.passed += 1


def show(results: list[Result], chosen: list[tuple[str, int, list[Check]]]) -> bool:
    """Print and write the summary; True if all is well."""
    seconds = sum(result.seconds for result in results)
    table = Table(title="time used")
    for heading in ("share", "check", "verdict"):
        table.add_column(heading)
    table.add_column("seconds", justify="right")
    table.add_column("budget", justify="right")
    warnings = []
    for share, budget, _ in chosen:
        own = [result for result in results if result.share == share]
        for result in own:
            table.add_row("", result.name, result.verdict, f"{result.seconds:.1f}", "")
        used = sum(result.seconds for result in own)
        table.add_row(share, "", "", f"{used:.1f}", str(budget), end_section=True)
        if used > budget:
            warnings.append(f"warning: {share} took {used:.0f} s of its {budget} s")
    table.add_row("TOTAL", "", "", f"{seconds:.1f}", str(TOTAL))
    Console(highlight=False).print(table)
    passed = sum(result.passed for result in results)
    failures = sum(result.failures for result in results)
    for result in results:
        for name, reason in result.skipped.items():
            print(f"skipped: {name}: {reason}")
        for name in result.failed:
            print(f"FAILED: {name}")
        if result.exit_code and not result.failed:
            print(f"FAILED: {result.name} (exit code {result.exit_code})")
    for warning in warnings:
        print(warning)
    if seconds > TOTAL:
        print(f"FAILED: {seconds:.0f} s used, {TOTAL} s allowed")
    good = not failures and seconds <= TOTAL
    SUMMARY.write_text(
        json.dumps(
            {
                "good": good,
                "passed": passed,
                "failed": failures,
                "seconds": round(seconds, 1),
                "allowed": TOTAL,
                "warnings": warnings,
                "tools": tool_versions(),
                "checks": [asdict(result) for result in results],
            },
            indent=2,
        )
        + "\n"
    )
    print(f"{passed} passed, {failures} failed")
    return good


def main() -> int:
    """Run what was asked for; exit 0 only if all of it is well."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", default="", help="only checks with this in their name")
    options = parser.parse_args()
    chosen = [
        (share, budget, [check for check in checks if options.only in f"{share} {check.name}"])
        for share, budget, checks in SHARES
    ]
    chosen = [row for row in chosen if row[2]]
    if not chosen:
        parser.error(f"no check has {options.only} in its name")
    RESULTS.mkdir(parents=True, exist_ok=True)
    for old in RESULTS.iterdir():
        old.unlink()
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    deadline = time.monotonic() + HANGING
    todo = [(share, check) for share, _, checks in chosen for check in checks]
    results: list[Result] = []
    try:
        for number, (share, check) in enumerate(todo, 1):
            print(f"\n[{number}/{len(todo)}] {share}: {check.name}", flush=True)
            results.append(run(share, check, deadline))
            print(f"{results[-1].verdict} in {results[-1].seconds:.1f} s", flush=True)
    except KeyboardInterrupt:
        print(f"\ninterrupted in {check.name}; {len(todo) - len(results)} checks did not finish")
        return 130
    print()
    return 0 if show(results, chosen) else 1


if __name__ == "__main__":
    sys.exit(main())
