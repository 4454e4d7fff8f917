"""Trace buffer; the tests themselves are in bench_trace_buffer.py."""

import pytest

from cocotb_tests.runner import run


@pytest.mark.parametrize("size", [2, 32])
def test_trace_buffer(size: int) -> None:
    run(
        "oae_trace_buffer",
        "cocotb_tests.trace_buffer.bench_trace_buffer",
        simulator="icarus",
        sources=["hdl/board/oae_trace_buffer.v"],
        parameters={"TRACE_WORDS": size},
        plusargs=[f"+size={size}"],
    )
