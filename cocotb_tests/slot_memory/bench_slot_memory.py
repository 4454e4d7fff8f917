"""Slot memory: against a dictionary of the words that were written last."""

import random
from itertools import product

import cocotb
from oae.testing import requirement

from cocotb_tests.clocked import Clocked

WINDOW = int(cocotb.plusargs["window"])
WIDTH = int(cocotb.plusargs["width"])
CYCLES = 3000


class Bench(Clocked):
    """The memory, and what it must hold."""

    def __init__(self, dut):
        super().__init__(dut)
        self.words: dict[int, int] = {}

    def compare(self, slots: tuple[int, int]) -> None:
        """Both read ports show what their slots hold, if that is known."""
        for port, slot in enumerate(slots):
            if slot in self.words:
                self.expect(**{f"read_data_{port}": self.words[slot]})

    async def access(
        self, write: int | None = None, data: int | None = None, read: tuple[int, int] = (0, 0)
    ) -> None:
        """One cycle; without a write there is noise on its port."""
        data = random.getrandbits(WIDTH) if data is None else data
        self.drive(
            write_enable=write is not None,
            write_slot=random.randrange(WINDOW) if write is None else write,
            write_data=data,
            read_slot_0=read[0],
            read_slot_1=read[1],
        )
        await self.settle()
        self.compare(read)  # at once, and before the edge the word that was there
        await self.edge()
        if write is not None:
            self.words[write] = data
        self.compare(read)  # after the edge the new one


@cocotb.test()
@requirement("OAE-END-005")
async def every_slot_is_its_own(dut):
    """Zeros, ones and noise in every slot; each pair of slots is read at once."""
    bench = Bench(dut)
    for pattern in (0, (1 << WIDTH) - 1, None):
        for slot in range(WINDOW):
            await bench.access(write=slot, data=pattern)
    assert len(bench.words) == WINDOW
    chosen = range(WINDOW) if WINDOW <= 8 else random.sample(range(WINDOW), 24)
    for read in product(chosen, repeat=2):
        await bench.access(read=read)


@cocotb.test()
@requirement("OAE-END-005")
async def random_reads_and_writes(dut):
    """A slot is written and read in one cycle: the old word before the edge, the new one after."""
    bench = Bench(dut)
    edges = (0, WINDOW - 1)
    together = 0
    for _ in range(CYCLES):
        write, first, second = (
            random.choice(edges) if random.random() < 0.3 else random.randrange(WINDOW)
            for _ in range(3)
        )
        writes = random.random() < 0.6
        if random.random() < 0.2:
            first = write
        together += writes and first == write and write in bench.words
        await bench.access(write if writes else None, None, (first, second))
    assert together > 100
    assert len(bench.words) == WINDOW
