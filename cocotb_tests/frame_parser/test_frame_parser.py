"""Frame parser on both simulators; the tests themselves are in bench_frame_parser.py."""

import pytest

from cocotb_tests.runner import run

BENCH = "cocotb_tests.frame_parser.bench_frame_parser"


@pytest.mark.parametrize(
    ("simulator", "record_max"), [("verilator", 64), ("icarus", 64), ("icarus", 37)]
)
def test_frame_parser(simulator: str, record_max: int) -> None:
    run(
        "oae_frame_parser",
        BENCH,
        simulator=simulator,
        parameters={"RECORD_MAX": record_max},
        plusargs=[f"+record_max={record_max}"],
    )
