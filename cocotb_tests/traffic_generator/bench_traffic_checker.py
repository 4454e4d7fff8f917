"""Checker: right records are right, all others wrong, and both are counted."""

import random

import cocotb
from oae.testing import requirement

from cocotb_tests.clocked import Clocked
from cocotb_tests.records import contents

SEED = 0xC0FFEE


class Bench:
    """The checker, and what it must have counted."""

    def __init__(self, dut):
        self.unit = Clocked(dut)
        self.delivered = self.wrong = self.next_index = 0

    async def start(self) -> "Bench":
        self.unit.drive(enable=1, restart=0, clear=0, check=1, seed=SEED, s_deliver_tvalid=0)
        self.unit.drive(s_deliver_tdata=0, s_deliver_tkeep=0, s_deliver_tlast=0, s_deliver_tuser=0)
        await self.unit.reset()
        return self

    async def cycle(self, **inputs: int) -> None:
        self.unit.drive(**inputs)
        await self.unit.settle()
        await self.unit.edge()

    def judge(self, data: bytes) -> None:
        """What the checker has to make of a record."""
        self.delivered += 1
        index = int.from_bytes(data[:4], "little")
        if index >= self.next_index and data == contents(SEED, index, len(data)):
            self.next_index = index + 1 & 0xFFFF_FFFF
        else:
            self.wrong += 1

    async def deliver(self, data: bytes, cut: bool = False) -> None:
        """One packet; a cut one ends with a beat marked bad, after a restart."""
        words = [data[i : i + 8] for i in range(0, len(data), 8)]
        taken = 0
        strike = random.randrange(2 * len(words)) if cut else None
        for cycle in range(200):
            word = words[taken]
            if cycle == strike:
                await self.cycle(restart=1, s_deliver_tvalid=0)
                self.unit.drive(restart=0)
                if taken == 0:
                    return
                words = [*words[:taken], bytes(8)]
                continue
            pause = random.random() < 0.2
            self.unit.drive(
                s_deliver_tvalid=not pause,
                s_deliver_tdata=int.from_bytes(word.ljust(8, b"\xa5"), "little"),
                s_deliver_tkeep=(1 << len(word)) - 1,
                s_deliver_tlast=taken == len(words) - 1,
                s_deliver_tuser=strike is not None and cycle > strike,
            )
            await self.unit.settle()
            taken += not pause and self.unit.read("s_deliver_tready")
            await self.unit.edge()
            if taken == len(words):
                break
        else:
            raise AssertionError("the record is not taken")
        self.unit.drive(s_deliver_tvalid=0, s_deliver_tuser=0)
        if strike is None or cycle < strike:
            self.judge(data)

    async def compare(self) -> None:
        await self.cycle()
        self.unit.expect(delivered=self.delivered, wrong=self.wrong, next_index=self.next_index)


def altered(data: bytes, index: int) -> bytes:
    """The same record, somehow wrong."""
    kind = random.randrange(5)
    if kind == 0:
        place = random.randrange(8 * len(data))
        number = int.from_bytes(data, "little") ^ 1 << place
        return number.to_bytes(len(data), "little")
    if kind == 1 and len(data) > 8:
        return data[:-1]
    if kind == 2:
        return data + b"\0"
    if kind == 3:
        return contents(SEED + 1, index, len(data))
    return contents(SEED, max(0, index - random.randint(1, 3)), len(data))


@cocotb.test()
@requirement("OAE-BRD-004")
async def right_and_wrong_records(dut):
    """Bits flipped, too short or long, of another seed, again, late; and cut by a restart."""
    bench = await Bench(dut).start()
    index = 0
    for _ in range(400):
        data = contents(SEED, index, random.choice((8, 9, 15, 16, 17, 40, 64)))
        match random.randrange(4):
            case 0:
                await bench.deliver(altered(data, index))
            case 1:
                await bench.deliver(data, cut=True)
            case _:
                await bench.deliver(data)
        await bench.compare()
        index += random.choice((1, 1, 1, 2))
    assert bench.wrong > 30
    assert bench.delivered - bench.wrong > 100
    await bench.cycle(clear=1)
    bench.delivered = bench.wrong = bench.next_index = 0
    bench.unit.drive(clear=0)
    await bench.compare()


@cocotb.test()
@requirement("OAE-BRD-004")
async def only_counted(dut):
    """Without CHECK nothing is wrong; with another host at the ports nothing is taken."""
    bench = await Bench(dut).start()
    bench.unit.drive(check=0)
    for size in (8, 20, 64):
        await bench.deliver(random.randbytes(size))
    bench.unit.expect(delivered=3, wrong=0, next_index=0)
    bench.unit.drive(enable=0, s_deliver_tvalid=1)
    for _ in range(20):
        await bench.cycle()
        bench.unit.expect(s_deliver_tready=0)
