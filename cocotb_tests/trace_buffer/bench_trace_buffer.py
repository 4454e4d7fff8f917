"""Trace buffer against a list: order, cycles, the newest kept, the others counted."""

import random

import cocotb
from oae.spec.constants import Channel
from oae.testing import requirement

from cocotb_tests.clocked import Clocked

SIZE = int(cocotb.plusargs["size"])
CHANNELS = len(Channel)
SETTLED = 130  # cycles after which every event that came is stored or counted

Entry = tuple[int, int, int]  # cycle, channel, word


class Bench:
    """The buffer, what came, and what was taken out."""

    def __init__(self, dut):
        self.unit = Clocked(dut)
        self.came: list[Entry] = []
        self.taken: list[Entry] = []

    async def start(self) -> "Bench":
        self.unit.drive(clear=0, record=1, channels=(1 << CHANNELS) - 1, take=0)
        self.unit.drive(event_valid=0, event_words=0, event_cycle=0)
        await self.unit.reset()
        return self

    async def cycle(self, chance: float = 0.0, take: bool = False) -> None:
        """One cycle: each channel tells an event with this chance."""
        unit = self.unit
        words = [random.getrandbits(64) for _ in Channel]
        valid = sum((random.random() < chance) << channel for channel in Channel)
        unit.drive(
            event_valid=valid,
            event_words=sum(word << 64 * channel for channel, word in enumerate(words)),
            event_cycle=unit.cycle,
        )
        taking = take and unit.read("oldest_valid")
        unit.drive(take=taking)
        await unit.settle()
        if taking:
            self.taken.append(
                tuple(unit.read(f"oldest_{name}") for name in ("cycle", "channel", "word"))
            )
        kept = valid & unit.read("channels") if unit.read("record") else 0
        self.came += [(unit.cycle, c, words[c]) for c in range(CHANNELS) if kept >> c & 1]
        await unit.edge()

    async def drain(self) -> None:
        """Take everything out."""
        for _ in range(SETTLED):
            await self.cycle()
        held = self.unit.read("count")
        before = len(self.taken)
        while self.unit.read("count"):
            await self.cycle(take=True)
        assert len(self.taken) - before == held

    def account(self) -> None:
        """What was taken is part of what came, in its order; the rest was counted."""
        rest = iter(self.came)
        for entry in self.taken:
            assert entry in rest, f"{entry} did not come, or not in this order"
        assert self.unit.read("lost") == len(self.came) - len(self.taken)


@cocotb.test()
@requirement("OAE-BRD-005")
async def nothing_is_lost_that_fits(dut):
    """As many events as it holds, also all channels in one cycle, come out as they went in."""
    bench = await Bench(dut).start()
    while len(bench.came) + CHANNELS <= SIZE:
        await bench.cycle(random.choice((1.0, 0.5)))
        for _ in range(CHANNELS):
            await bench.cycle()
    await bench.drain()
    assert bench.taken == bench.came
    bench.account()


@cocotb.test()
@requirement("OAE-BRD-005")
async def the_newest_are_kept(dut):
    """Events one by one, far more than it holds: the last ones are there, the others counted."""
    bench = await Bench(dut).start()
    while len(bench.came) < 3 * SIZE + 5:
        await bench.cycle(0.05)
    await bench.drain()
    # The oldest stood at the side before the buffer was full.
    assert bench.taken[0] == bench.came[0]
    assert bench.taken[1:] == bench.came[-SIZE:]
    bench.account()


@cocotb.test()
@requirement("OAE-BRD-005")
async def any_pace(dut):
    """Bursts that it cannot follow, and somebody who reads meanwhile."""
    bench = await Bench(dut).start()
    for _ in range(60):
        chance, take = random.choice((0.01, 0.1, 0.5, 1.0)), random.choice((0.0, 0.1, 1.0))
        for _ in range(random.randrange(60)):
            await bench.cycle(chance, take=random.random() < take)
    await bench.drain()
    bench.account()
    assert 0 < len(bench.taken) < len(bench.came)


@cocotb.test()
@requirement("OAE-BRD-005")
async def only_what_is_asked_for(dut):
    """Some channels, then none; cleared, it begins anew."""
    bench = await Bench(dut).start()
    for channels in (0b000001, 0b101010, 0):
        bench.unit.drive(channels=channels)
        for _ in range(10):
            await bench.cycle(0.2)
        await bench.drain()
    bench.unit.drive(record=0, channels=(1 << CHANNELS) - 1)
    await bench.cycle(1.0)
    await bench.drain()
    bench.account()
    assert {channel for _, channel, _ in bench.came} == {0, 1, 3, 5}
    bench.unit.drive(record=1)
    for _ in range(5 * SIZE):
        await bench.cycle(0.5)
    bench.unit.drive(clear=1)
    await bench.cycle()
    bench.unit.drive(clear=0)
    await bench.cycle()
    bench.unit.expect(count=0, lost=0, oldest_valid=0)
