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


@requirement("OAE-PRM-012")
@pytest.mark.parametrize(
    ("ingredient", "shown_by"),
    [
        ("F25", "receiving_never_waits"),
        ("F26", "a_sync_alone_changes_nothing"),
        ("F29", "a_repeated_challenge_is_the_same_challenge"),
        ("F30", "an_owed_sync_ack_goes_before_commit_and_data"),
    ],
)
def test_without_an_ingredient(ingredient: str, shown_by: str) -> None:
    """What one end shows when the ingredient is left out: its own test then fails."""
    with pytest.raises(SimulationError, match=f"failed: {shown_by}"):
        run(
            "oae_end",
            "cocotb_tests.end.bench_end",
            simulator="icarus",
            sources=SOURCES,
            parameters={"WINDOW": 8, "RECORD_MAX": 64, **TIMERS},
            defines={f"OAE_ABLATE_{ingredient}": 1},
            testcase=shown_by,
        )
