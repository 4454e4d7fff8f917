"""A seed and a commit reproduce a run bit for bit, on either simulator."""

from pathlib import Path

import pytest
from oae.scenario.layout import Fault
from oae.spec.constants import EventCode
from oae.testing import requirement

from cocotb_tests.link.pair import play

SEEDS = 20
LONG_SEEDS = 100
EVERY_KIND = {
    Fault.CUT,
    Fault.DROPPED,
    Fault.DUPLICATED,
    Fault.HELD,
    Fault.DELAYED,
    Fault.CORRUPTED,
    Fault.FLIPPED,
}


def check(seed: int, folder: Path) -> None:
    verilator = play("hash", folder / "verilator", seed=seed)
    icarus = play("hash", folder / "icarus", seed=seed, simulator="icarus", lockstep=False)
    assert verilator.trace.sha256 == icarus.trace.sha256
    assert verilator.stop == "resolved"
    assert verilator.opened >= 50
    assert set(verilator.fates) >= EVERY_KIND, f"never: {EVERY_KIND - set(verilator.fates)}"
    assert all(verilator.crashes[end] for end in (0, 1))
    for event in (EventCode.AMNESIA, EventCode.EPOCH_TAKEN, EventCode.SESSION_ADOPTED):
        assert verilator.events[event], f"never: {event.name}"


@requirement("OAE-DET-001", "OAE-END-002")
@pytest.mark.parametrize("seed", range(1, SEEDS + 1))
def test_both_simulators_write_the_same_trace(seed: int, tmp_path: Path) -> None:
    check(seed, tmp_path)


@pytest.mark.long_hashes
@requirement("OAE-DET-001", "OAE-END-002")
@pytest.mark.parametrize("seed", range(SEEDS + 1, LONG_SEEDS + 1))
def test_both_simulators_write_the_same_trace_over_many_seeds(seed: int, tmp_path: Path) -> None:
    check(seed, tmp_path)
