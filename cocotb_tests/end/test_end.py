"""One end against the reference end; the tests themselves are in bench_end.py."""

import pytest
from oae.testing import requirement

from cocotb_tests.runner import ROOT, SIMULATORS, SimulationError, run

SOURCES = (ROOT / "hdl" / "rtl.f").read_text().split()
TIMERS = {"BEAT_IDLE": 64, "BEAT_BUSY": 32, "FAULT_BEATS": 6, "SYNC_INTERVAL": 256}


@requirement("OAE-END-002")
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


@requirement("OAE-END-003")
@pytest.mark.parametrize("simulator", SIMULATORS)
@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        ({"WINDOW": 3}, "WINDOW_must_be"),
        ({"WINDOW": 128}, "WINDOW_must_be"),
        ({"RECORD_MAX": 12}, "RECORD_MAX_must_be"),
        ({"BEAT_IDLE": 8, "BEAT_BUSY": 9}, "BEAT_BUSY_must_be"),
        ({"FAULT_BEATS": 1}, "FAULT_BEATS_must_be"),
        ({"SYNC_INTERVAL": 10}, "SYNC_INTERVAL_must_be"),
    ],
)
def test_wrong_parameters_are_refused(simulator: str, wrong: dict[str, int], named: str) -> None:
    with pytest.raises(SimulationError, match=named):
        run(
            "oae_end",
            "cocotb_tests.end.bench_end",
            simulator=simulator,
            sources=SOURCES,
            parameters=wrong,
        )
