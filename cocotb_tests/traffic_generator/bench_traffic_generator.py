"""Generator: the right records, each once, and every outcome counted."""

import random

import cocotb
from oae.spec.constants import Outcome
from oae.testing import requirement

from cocotb_tests.clocked import Clocked
from cocotb_tests.records import record

COUNTS = ("submitted", "committed", "aborted", "unknown", "lost")
IDLE = {"start": 0, "stop": 0}


class Bench:
    """The generator, with a host port that takes what it sends and tells outcomes."""

    def __init__(self, dut):
        self.unit = Clocked(dut)
        self.records: list[bytes] = []  # submitted
        self.tags: list[int] = []
        self.packet = b""
        self.swallow = False  # the rest of a packet that a crash struck
        self.outstanding = 0
        self.counts = dict.fromkeys(COUNTS, 0)

    async def start(self) -> "Bench":
        self.unit.drive(**IDLE, crash=0, amnesia=0, completion_taken=0, enable=1)
        self.unit.drive(seed=0, count=0, shortest=8, longest=8)
        self.unit.drive(m_submit_tready=0, completion_outcome=0)
        await self.unit.reset()
        return self

    async def cycle(
        self,
        ready: bool = True,
        told: Outcome | None = None,
        crash: bool = False,
        amnesia: bool = False,
        **inputs: int,
    ) -> None:
        """One clock cycle; an end takes nothing and tells nothing while it restarts.

        A record is counted in the cycle after the one in which it is taken.
        """
        unit, restart = self.unit, crash or amnesia
        submitted = self.counts["submitted"]
        told = None if restart or not self.outstanding else told
        unit.drive(**{**IDLE, **inputs}, crash=crash, amnesia=amnesia)
        unit.drive(m_submit_tready=ready and not restart, completion_taken=told is not None)
        unit.drive(completion_outcome=told or 0)
        await unit.settle()
        if unit.read("m_submit_tvalid") and ready and not restart:
            self._take()
        if told is not None:
            self.outstanding -= 1
            self.counts[told.name.lower()] += 1
        if restart and self.packet:
            self.packet, self.swallow = b"", True
        if amnesia:
            self.counts["lost"] += self.outstanding
            self.outstanding = 0
        await unit.edge()
        unit.expect(**{**self.counts, "submitted": submitted})

    def _take(self) -> None:
        unit = self.unit
        keep, last = unit.read("m_submit_tkeep"), unit.read("m_submit_tlast")
        size = keep.bit_length()
        assert keep == (1 << size) - 1
        assert size
        assert last or size == 8
        self.packet += unit.read("m_submit_tdata").to_bytes(8, "little")[:size]
        if not last:
            return
        if not self.swallow:
            self.records.append(self.packet)
            self.tags.append(unit.read("m_submit_tag"))
            self.outstanding += 1
            self.counts["submitted"] += 1
        self.packet, self.swallow = b"", False

    @property
    def busy(self) -> bool:
        """What GENERATOR_START reads."""
        return bool(self.unit.read("busy"))

    async def begin(self, **settings: int) -> None:
        """Start a run."""
        self.unit.drive(**settings)
        self.counts = dict.fromkeys(COUNTS, 0)
        self.records.clear()
        self.tags.clear()
        await self.cycle(start=1)


@cocotb.test()
@requirement("OAE-BRD-003")
async def random_runs(dut):
    """Random sizes, a host port that waits, restarts in any cycle."""
    bench = await Bench(dut).start()
    struck = lost = 0
    for number in range(25):
        longest = random.choice((8, 9, 40, 64, 200))
        settings = {
            "seed": random.getrandbits(32),
            "count": random.randrange(12),
            "shortest": random.choice((8, longest)),
            "longest": longest,
        }
        await bench.begin(**settings)
        pace, danger = random.choice((0.3, 1.0)), random.choice((0.0, 0.02))
        for _ in range(20_000):
            if not bench.busy:
                break
            before = bench.swallow
            await bench.cycle(
                ready=random.random() < pace,
                told=random.choice(list(Outcome)) if random.random() < 0.05 else None,
                crash=random.random() < danger,
                amnesia=random.random() < danger / 4,
                start=random.random() < 0.01,  # nothing while it is busy
            )
            struck += bench.swallow and not before
        assert not bench.busy, f"run {number} does not end"
        sizes = (settings["shortest"], longest)
        expected = [record(settings["seed"], i, *sizes) for i in range(settings["count"])]
        assert bench.records == expected
        assert bench.tags == list(range(settings["count"]))
        counts = bench.counts
        assert counts["submitted"] == sum(counts[name] for name in COUNTS[1:])
        lost += counts["lost"]
    assert struck
    assert lost


@cocotb.test()
@requirement("OAE-BRD-003")
async def it_can_be_stopped(dut):
    """After the record at hand; and another host at the ports ends it at once."""
    bench = await Bench(dut).start()
    settings = {"seed": 1, "count": 1000, "shortest": 8, "longest": 64}
    for cycles in range(30, 60):
        await bench.begin(**settings)
        for _ in range(cycles):
            await bench.cycle()
        await bench.cycle(stop=1)
        for _ in range(40):
            await bench.cycle()
        count = len(bench.records)
        assert 0 < count < 6
        while bench.outstanding:
            assert bench.busy
            await bench.cycle(told=Outcome.COMMITTED)
        await bench.cycle()
        assert not bench.busy
        assert len(bench.records) == count
    await bench.begin(**settings)
    for _ in range(40):
        await bench.cycle()
    bench.unit.drive(enable=0)
    bench.outstanding = 0
    for _ in range(3):
        await bench.cycle()
    assert not bench.busy
    assert not bench.unit.read("m_submit_tvalid")
