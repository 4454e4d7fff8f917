"""The FITO end on its own; the tests themselves are in bench_fito_end.py."""

import pytest
from oae.testing import requirement

from cocotb_tests.runner import ROOT, SIMULATORS, run

SOURCES = [
    line for name in ("hdl/fito/fito.f", "hdl/rtl.f") for line in (ROOT / name).read_text().split()
]
TIMERS = {"BEAT_IDLE": 64, "BEAT_BUSY": 32, "FAULT_BEATS": 6, "SYNC_INTERVAL": 256}
RETRY = {"RETRY_CYCLES": 150, "RETRIES": 3}


@requirement("OAE-CMP-001", "OAE-CMP-002")
@pytest.mark.parametrize(
    "simulator",
    [pytest.param(name, marks=[pytest.mark.long] * (name == "verilator")) for name in SIMULATORS],
)
def test_fito_end(simulator: str) -> None:
    run(
        "oae_fito_end",
        "cocotb_tests.fito.bench_fito_end",
        simulator=simulator,
        sources=SOURCES,
        parameters={"WINDOW": 8, "RECORD_MAX": 64, **TIMERS, **RETRY},
        plusargs=[f"+{name.lower()}={value}" for name, value in RETRY.items()],
    )
