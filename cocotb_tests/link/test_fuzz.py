"""Random scenarios: unequal windows, epochs, amnesias and crashes in one storm, judged twice."""

from pathlib import Path

import pytest
from oae.spec.constants import EventCode, Kind
from oae.testing import requirement
from oae.trace import Event

from cocotb_tests.link import fuzz
from cocotb_tests.link.pair import play

LONG_SEEDS = 150


def check(seed: int, simulator: str, folder: Path) -> None:
    run = play(fuzz.scenario(seed), folder / "run", simulator=simulator)
    assert run.stop == "resolved", f"seed {seed}: {run.stop}"
    assert all(run.crashes[end] >= 2 for end in (0, 1))
    # An amnesia that falls into another, or into a crash, is none of its own.
    assert run.events[EventCode.AMNESIA] >= 1
    assert run.events[EventCode.EPOCH_TAKEN] >= 2
    converged = {
        line.end
        for line in run.trace
        if isinstance(line, Event)
        and (line.code, line.info) == (EventCode.DELIVERED, Kind.EPOCH_ADVANCE)
    }
    assert converged == {0, 1}


@requirement("OAE-PRM-001", "OAE-PRM-002", "OAE-PRM-003", "OAE-PRM-004", "OAE-PRM-005")
@requirement("OAE-PRM-006", "OAE-PRM-007", "OAE-END-002")
@pytest.mark.parametrize(
    ("seed", "simulator"),
    [
        *((seed, "verilator") for seed in (4, 9, 14, 19)),
        *((seed, "icarus") for seed in (0, 1, 2, 3)),  # quicker to build for one run
    ],
)
def test_a_storm_keeps_every_promise(seed: int, simulator: str, tmp_path: Path) -> None:
    check(seed, simulator, tmp_path)


@pytest.mark.long
@requirement("OAE-PRM-001", "OAE-PRM-002", "OAE-PRM-003", "OAE-PRM-004", "OAE-PRM-005")
@requirement("OAE-PRM-006", "OAE-PRM-007", "OAE-END-002")
@pytest.mark.parametrize("seed", range(LONG_SEEDS))
def test_many_storms_keep_every_promise(seed: int, tmp_path: Path) -> None:
    check(seed, "verilator", tmp_path)
