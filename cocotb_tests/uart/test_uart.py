"""UART; the tests themselves are in bench_uart.py."""

import pytest

from cocotb_tests.runner import run


@pytest.mark.parametrize("cycles_a_bit", [8, 27])
def test_uart(cycles_a_bit: int) -> None:
    run(
        "oae_uart",
        "cocotb_tests.uart.bench_uart",
        simulator="icarus",
        sources=["hdl/board/oae_uart.v"],
        parameters={"CYCLES_A_BIT": cycles_a_bit},
        plusargs=[f"+cycles_a_bit={cycles_a_bit}"],
    )
