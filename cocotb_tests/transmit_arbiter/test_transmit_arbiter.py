"""Transmit arbiter on both simulators; the tests themselves are in bench_transmit_arbiter.py."""

import pytest

from cocotb_tests.runner import run

BENCH = "cocotb_tests.transmit_arbiter.bench_transmit_arbiter"
CASES = [("verilator", 8), ("icarus", 8), ("icarus", 2), ("icarus", 1)]


def check(simulator: str, window: int, cycles: int) -> None:
    run(
        "oae_transmit_arbiter",
        BENCH,
        simulator=simulator,
        parameters={"WINDOW": window},
        plusargs=[f"+window={window}", f"+cycles={cycles}"],
    )


@pytest.mark.parametrize(("simulator", "window"), CASES)
def test_transmit_arbiter(simulator: str, window: int) -> None:
    check(simulator, window, 4000)


@pytest.mark.long
@pytest.mark.parametrize(("simulator", "window"), CASES)
def test_transmit_arbiter_long(simulator: str, window: int) -> None:
    check(simulator, window, 200_000)
