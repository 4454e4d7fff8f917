"""UART: bytes to bits and back, a clock that is off, glitches, missing stop bits."""

import random

import cocotb
from oae.testing import requirement

from cocotb_tests.clocked import Clocked

CYCLES_A_BIT = int(cocotb.plusargs["cycles_a_bit"])
BITS = 10  # of a byte: start, eight of data, stop


def bits(byte: int) -> list[int]:
    """Levels of the line for one byte."""
    return [0, *(byte >> i & 1 for i in range(8)), 1]


class Bench:
    """The UART with a line on one side and byte streams on the other."""

    def __init__(self, dut):
        self.unit = Clocked(dut)
        self.received: list[int] = []

    async def start(self) -> "Bench":
        self.unit.drive(receive=1, s_serial_tvalid=0, s_serial_tdata=0, m_serial_tready=1)
        await self.unit.reset()
        return self

    async def cycle(self, ready: bool = True, **inputs: int) -> None:
        unit = self.unit
        unit.drive(**inputs, m_serial_tready=ready)
        await unit.settle()
        if unit.read("m_serial_tvalid") and ready:
            self.received.append(unit.read("m_serial_tdata"))
        await unit.edge()

    async def line(self, levels: list[int], off: float = 0.0, ready: bool = True) -> None:
        """Levels on the receive line, each a bit long, by a clock that is so much off."""
        length = CYCLES_A_BIT * (1 + off)
        for cycle in range(round(len(levels) * length)):
            level = levels[min(int(cycle / length), len(levels) - 1)]
            await self.cycle(ready, receive=level)

    async def rest(self, count: int = 2) -> None:
        """So many bits of idle line."""
        await self.line([1] * count)


@cocotb.test()
@requirement("OAE-BRG-007")
async def bytes_are_heard(dut):
    """Any bytes, back to back or not, the clock up to 2 % off."""
    bench = await Bench(dut).start()
    for off in (-0.02, 0.0, 0.02):
        sent = [0x00, 0xFF, 0x55, *random.randbytes(12)]
        bench.received.clear()
        for byte in sent:
            await bench.line(bits(byte), off)
            if random.random() < 0.5:
                await bench.rest(random.randrange(3))
        await bench.rest()
        assert bench.received == sent


@cocotb.test()
@requirement("OAE-BRG-007")
async def what_is_no_byte(dut):
    """A glitch, a byte without stop bit, a line held low: nothing, and the next byte is heard."""
    bench = await Bench(dut).start()
    for levels in ([*bits(90)[:-1], 0], [0] * 25, [0] * 10):
        await bench.line(levels)
        await bench.rest()
        await bench.line(bits(0xA5))
        await bench.rest()
    for _ in range(CYCLES_A_BIT // 2 - 1):
        await bench.cycle(receive=0)
    await bench.rest()
    await bench.line(bits(0x3C))
    await bench.rest()
    assert bench.received == [0xA5, 0xA5, 0xA5, 0x3C]


@cocotb.test()
@requirement("OAE-BRG-007")
async def a_byte_that_nobody_takes(dut):
    """It waits; those after it are lost."""
    bench = await Bench(dut).start()
    for byte in (1, 2, 3):
        await bench.line(bits(byte), ready=False)
    await bench.rest()
    await bench.line(bits(4))
    await bench.rest()
    assert bench.received == [1, 4]


@cocotb.test()
@requirement("OAE-BRG-007")
async def bytes_are_sent(dut):
    """The line of each byte, level by level, and rest after it."""
    bench = await Bench(dut).start()
    unit = bench.unit
    for byte in (0x00, 0xFF, 0x0F, *random.randbytes(5)):
        for _ in range(random.randrange(4)):
            await bench.cycle()
            unit.expect(transmit=1, s_serial_tready=1)
        await bench.cycle(s_serial_tvalid=1, s_serial_tdata=byte)
        unit.drive(s_serial_tvalid=0)
        for level in bits(byte):
            for _ in range(CYCLES_A_BIT):
                unit.expect(transmit=level, s_serial_tready=0)
                await bench.cycle()
        unit.expect(transmit=1, s_serial_tready=1)
