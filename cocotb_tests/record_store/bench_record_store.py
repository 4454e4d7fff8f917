"""Record store: against a dictionary of the words that were written last."""

import random
from itertools import product

import cocotb
from oae.testing import requirement

from cocotb_tests.clocked import Clocked

WORD_BITS = int(cocotb.plusargs["word_bits"])
PAGE_BITS = int(cocotb.plusargs["page_bits"])
WORDS, PAGES = 1 << WORD_BITS, 1 << PAGE_BITS
CYCLES = 3000

Address = tuple[int, int]  # page, word


def boundary(bits: int) -> list[int]:
    """First and last, and every single address line."""
    return sorted({0, (1 << bits) - 1, *(1 << bit for bit in range(bits))})


class Bench(Clocked):
    """The store, and what it must hold."""

    def __init__(self, dut):
        super().__init__(dut)
        self.words: dict[Address, int] = {}
        self.out: int | None = None  # what was read last; None while that is not known

    async def access(
        self,
        write: Address | None = None,
        data: int | None = None,
        read: Address | None = None,
    ) -> None:
        """One cycle; where nothing is enabled there is noise."""
        data = random.getrandbits(64) if data is None else data
        noise = (random.randrange(PAGES), random.randrange(WORDS))
        self.drive(
            write_enable=write is not None,
            write_page=(write or noise)[0],
            write_word=(write or noise)[1],
            write_data=data,
            read_enable=read is not None,
            read_page=(read or noise)[0],
            read_word=(read or noise)[1],
        )
        await self.settle()
        if self.out is not None:
            self.expect(read_data=self.out)  # it holds until the edge
        await self.edge()
        if read is not None:
            self.out = self.words.get(read)  # at one edge with a write: the word before it
        if write is not None:
            self.words[write] = data
        if self.out is not None:
            self.expect(read_data=self.out)


@cocotb.test()
@requirement("OAE-END-004")
async def no_two_addresses_are_one(dut):
    """Every page and word, or every address line where there are many, holds a word of its own."""
    bench = Bench(dut)
    lines = [(PAGE_BITS, PAGES), (WORD_BITS, WORDS)]
    many = PAGES * WORDS > 256
    places = [boundary(bits) if many else list(range(number)) for bits, number in lines]
    addresses = list(product(*places))
    for address in addresses:
        await bench.access(write=address)
    assert len(set(bench.words.values())) == len(addresses)
    random.shuffle(addresses)
    for address in addresses:
        await bench.access(read=address)


@cocotb.test()
@requirement("OAE-END-004")
async def random_reads_and_writes(dut):
    """Both ports at once, often at the same address; what was read stays until the next read."""
    bench = Bench(dut)
    pages, words = boundary(PAGE_BITS), boundary(WORD_BITS)
    together = 0
    for _ in range(CYCLES):
        write, read = (
            (random.choice(pages), random.choice(words))
            if random.random() < 0.7
            else (random.randrange(PAGES), random.randrange(WORDS))
            for _ in range(2)
        )
        if random.random() < 0.2:
            read = write
        writes, reads = random.random() < 0.6, random.random() < 0.6
        known = read in bench.words
        together += writes and reads and known and read == write
        await bench.access(write if writes else None, None, read if reads else None)
    assert together > 100
    assert len(bench.words) > min(PAGES * WORDS, 200) // 2
