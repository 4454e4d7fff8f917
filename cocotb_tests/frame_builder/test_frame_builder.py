"""Frame builder on both simulators; the tests themselves are in bench_frame_builder.py."""

import pytest

from cocotb_tests.runner import run

BENCH = "cocotb_tests.frame_builder.bench_frame_builder"


@pytest.mark.parametrize(
    ("simulator", "record_max"),
    [("verilator", 128), ("icarus", 128), ("icarus", 64), ("icarus", 3)],
)
def test_frame_builder(simulator: str, record_max: int) -> None:
    run(
        "oae_frame_builder",
        BENCH,
        simulator=simulator,
        parameters={"RECORD_MAX": record_max},
        plusargs=[f"+record_max={record_max}"],
    )
