"""Link machine on both simulators; the tests themselves are in bench_link_control.py."""

import pytest

from cocotb_tests.runner import run

BENCH = "cocotb_tests.link_control.bench_link_control"
INTERVAL = 64
CASES = [("verilator", 8, 64), ("icarus", 8, 64), ("icarus", 1, 16)]


def check(simulator: str, window: int, record_max: int, cycles: int) -> None:
    run(
        "oae_link_control",
        BENCH,
        simulator=simulator,
        parameters={"WINDOW": window, "RECORD_MAX": record_max, "SYNC_INTERVAL": INTERVAL},
        plusargs=[
            f"+window={window}",
            f"+record_max={record_max}",
            f"+interval={INTERVAL}",
            f"+cycles={cycles}",
        ],
    )


@pytest.mark.parametrize(("simulator", "window", "record_max"), CASES)
def test_link_control(simulator: str, window: int, record_max: int) -> None:
    check(simulator, window, record_max, 8000)


@pytest.mark.long
@pytest.mark.parametrize(("simulator", "window", "record_max"), CASES)
def test_link_control_long(simulator: str, window: int, record_max: int) -> None:
    check(simulator, window, record_max, 200_000)
