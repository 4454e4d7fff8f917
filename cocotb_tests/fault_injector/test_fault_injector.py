"""Fault injector; the tests themselves are in bench_fault_injector.py."""

import pytest

from cocotb_tests.runner import run


@pytest.mark.parametrize("record_max", [8, 256])
def test_fault_injector(record_max: int) -> None:
    run(
        "oae_fault_injector",
        "cocotb_tests.fault_injector.bench_fault_injector",
        simulator="icarus",
        sources=["hdl/board/oae_fault_injector.v"],
        parameters={"RECORD_MAX": record_max},
        plusargs=[f"+record_max={record_max}"],
    )
