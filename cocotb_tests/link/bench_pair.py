"""The pair of ends under cocotb, which only gives it a clock: the run is in its schedule."""

import cocotb
from cocotb.clock import Clock
from cocotb.triggers import RisingEdge
from oae.testing import requirement

OVER = 5  # state of the top in which the trace is whole


@cocotb.test()
@requirement("OAE-DET-001")
async def the_schedule_runs_to_its_end(dut):
    """The top comes to its end by itself; what it wrote is compared outside."""
    Clock(dut.clk, 2, "ns").start()
    while True:
        await RisingEdge(dut.clk)
        if dut.state.value.is_resolvable and int(dut.state.value) == OVER - 1:
            return
