"""Submit port on both simulators; the tests themselves are in bench_submit.py."""

import pytest

from cocotb_tests.runner import run

BENCH = "cocotb_tests.submit.bench_submit"
CASES = [("verilator", 8, 64), ("icarus", 8, 64), ("icarus", 2, 200), ("icarus", 1, 8)]


def check(simulator: str, window: int, record_max: int, records: int) -> None:
    run(
        "oae_submit",
        BENCH,
        simulator=simulator,
        parameters={"WINDOW": window, "RECORD_MAX": record_max},
        plusargs=[f"+window={window}", f"+record_max={record_max}", f"+records={records}"],
    )


@pytest.mark.parametrize(("simulator", "window", "record_max"), CASES)
def test_submit(simulator: str, window: int, record_max: int) -> None:
    check(simulator, window, record_max, 150)


@pytest.mark.long
@pytest.mark.parametrize(("simulator", "window", "record_max"), [*CASES, ("verilator", 64, 1488)])
def test_submit_long(simulator: str, window: int, record_max: int) -> None:
    check(simulator, window, record_max, 5000)
