"""Deliver port on both simulators; the tests themselves are in bench_deliver.py."""

import pytest

from cocotb_tests.runner import run

BENCH = "cocotb_tests.deliver.bench_deliver"
CASES = [("verilator", 72), ("icarus", 72), ("icarus", 64), ("icarus", 8)]


def check(simulator: str, record_max: int, records: int) -> None:
    run(
        "oae_deliver",
        BENCH,
        simulator=simulator,
        parameters={"RECORD_MAX": record_max},
        plusargs=[f"+record_max={record_max}", f"+records={records}"],
    )


@pytest.mark.parametrize(("simulator", "record_max"), CASES)
def test_deliver(simulator: str, record_max: int) -> None:
    check(simulator, record_max, 60)


@pytest.mark.long
@pytest.mark.parametrize(("simulator", "record_max"), [*CASES, ("verilator", 1488)])
def test_deliver_long(simulator: str, record_max: int) -> None:
    check(simulator, record_max, 1500)
