"""One end against the reference end; the tests themselves are in bench_end.py."""

import pytest

from cocotb_tests.runner import ROOT, run

SOURCES = (ROOT / "hdl" / "rtl.f").read_text().split()
TIMERS = {"BEAT_IDLE": 64, "BEAT_BUSY": 32, "FAULT_BEATS": 6, "SYNC_INTERVAL": 256}


@pytest.mark.parametrize(
    ("simulator", "window", "record_max"),
    [
        ("verilator", 8, 64),
        ("icarus", 8, 64),
        ("icarus", 1, 8),
        ("icarus", 2, 72),
    ],
)
def test_end(simulator: str, window: int, record_max: int) -> None:
    run(
        "oae_end",
        "cocotb_tests.end.bench_end",
        simulator=simulator,
        sources=SOURCES,
        parameters={"WINDOW": window, "RECORD_MAX": record_max, **TIMERS},
        plusargs=[f"+window={window}", f"+record_max={record_max}"],
    )
