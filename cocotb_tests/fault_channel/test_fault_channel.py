"""Fault channel on both simulators; the tests themselves are in bench_fault_channel.py."""

import pytest

from cocotb_tests.runner import SIMULATORS, run

BENCH = "cocotb_tests.fault_channel.bench_fault_channel"


@pytest.mark.parametrize("simulator", SIMULATORS)
@pytest.mark.parametrize("backpressure", [0, 1])
def test_fault_channel(simulator: str, backpressure: int) -> None:
    run(
        "oae_fault_channel",
        BENCH,
        sources=["hdl/sim/oae_fault_channel.v"],
        simulator=simulator,
        parameters={"RECORD_MAX": 64, "DIRECTION": 1, "BACKPRESSURE": backpressure},
        testcase=None if backpressure else "what_does_not_fit_is_dropped",
    )
