"""One FITO end on its own; the tests themselves are in bench_fito_end.py."""

import pytest
from oae.testing import requirement

from cocotb_tests.runner import ROOT, SIMULATORS, run

SOURCES = [
    line for name in ("hdl/fito/fito.f", "hdl/rtl.f") for line in (ROOT / name).read_text().split()
]
TIMERS = {"BEAT_IDLE": 64, "BEAT_BUSY": 60, "FAULT_BEATS": 6, "SYNC_INTERVAL": 256}


@requirement("OAE-CMP-001", "OAE-CMP-002")
@pytest.mark.parametrize(
    "simulator",
    [pytest.param(name, marks=[pytest.mark.long] * (name == "verilator")) for name in SIMULATORS],
)
def test_fito_end(simulator: str) -> None:
    run(
        "oae_end",
        "cocotb_tests.fito.bench_fito_end",
        simulator=simulator,
        sources=SOURCES,
        parameters={"WINDOW": 8, "RECORD_MAX": 64, **TIMERS},
        defines={"OAE_FITO": 1},
        plusargs=[f"+retry_cycles={2 * TIMERS['BEAT_BUSY']}"],
    )
