"""Beats on both simulators; the tests themselves are in bench_beat.py."""

import pytest

from cocotb_tests.runner import run

BENCH = "cocotb_tests.beat.bench_beat"
TIMES = {"BEAT_IDLE": 24, "BEAT_BUSY": 7, "FAULT_BEATS": 3}
CASES = [("verilator", 8), ("icarus", 8), ("icarus", 1)]


def check(simulator: str, window: int, cycles: int) -> None:
    run(
        "oae_beat",
        BENCH,
        simulator=simulator,
        parameters={"WINDOW": window, **TIMES},
        plusargs=[
            f"+window={window}",
            f"+cycles={cycles}",
            *(f"+{name.lower()}={value}" for name, value in TIMES.items()),
        ],
    )


@pytest.mark.parametrize(("simulator", "window"), CASES)
def test_beat(simulator: str, window: int) -> None:
    check(simulator, window, 3000)


@pytest.mark.long
@pytest.mark.parametrize(("simulator", "window"), CASES)
def test_beat_long(simulator: str, window: int) -> None:
    check(simulator, window, 200_000)
