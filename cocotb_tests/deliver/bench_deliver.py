"""Deliver port: every record whole and once, at the handshake of its last beat."""

import random

import cocotb
from oae.testing import requirement

from cocotb_tests.clocked import Clocked

RECORD_MAX = int(cocotb.plusargs["record_max"])
RECORDS = int(cocotb.plusargs["records"])
SIZES = [size for size in (1, 7, 8, 9, 63, 64, 65, RECORD_MAX) if size <= RECORD_MAX]
LATENCY = 6  # cycles from a record to its first beat, at most
Beat = tuple[int, int, int, int]  # data, keep, last, user
CLOSING: Beat = (0, 0xFF, 1, 1)


def beats(record: bytes) -> list[Beat]:
    """The beats of a record; the lanes beyond it are zero."""
    words = [record[i : i + 8] for i in range(0, len(record), 8)]
    return [
        (int.from_bytes(word, "little"), (1 << len(word)) - 1, int(n == len(words) - 1), 0)
        for n, word in enumerate(words)
    ]


class Bench:
    """A deliver port between the record store and the host."""

    def __init__(self, dut):
        self.unit = Clocked(dut)
        self.waiting: list[bytes] = []  # committed records, the head first
        self.id = 0xFFFF_FFFE  # of the head
        self.expected: list[Beat] = []  # of the packet that is open or comes next
        self.open = False  # a packet was begun
        self.closing = False
        self.offered: Beat | None = None  # a beat that must still stand there
        self.shown = True  # the core shows the head
        self.word = 0
        self.delivered = self.closed = 0

    async def start(self) -> "Bench":
        self.unit.drive(restart=0, record_valid=0, m_deliver_tready=0, read_data=0)
        self.unit.drive(record_id=0, record_length=0)
        await self.unit.reset()
        return self

    async def cycle(self, ready: bool = True, restart: bool = False) -> bool:
        """One clock cycle; whether a record was delivered."""
        unit = self.unit
        head = self.waiting[0] if self.waiting else b""
        unit.drive(
            restart=restart,
            record_valid=bool(head) and self.shown,
            record_id=self.id if head else random.getrandbits(32),
            record_length=len(head),
            m_deliver_tready=ready,
        )
        await unit.settle()
        read = unit.read_if_known("read_word") if unit.read("read_enable") else None
        valid = unit.read("m_deliver_tvalid")
        delivered = bool(unit.read("delivered"))
        taken = None
        if restart:
            assert not valid, "valid at the edge of a restart"
        if valid:
            beat = self.beat()
            if self.offered is not None:
                assert beat == self.offered, "a beat changed while it was stalled"
            self.offered = beat
            taken = beat if ready else None
        else:
            assert restart or self.offered is None, "a beat vanished"
        finished = self._taken(taken) if taken else False
        assert delivered == finished
        await unit.edge()
        if read is not None:
            word = head[8 * read : 8 * read + 8].ljust(8, b"\0")
            unit.drive(read_data=int.from_bytes(word, "little"))
        if restart:
            self.offered = None
            self.expected = []
            self.closing = self.open
        return finished

    def beat(self) -> Beat:
        """What stands on the port."""
        names = ("tdata", "tkeep", "tlast", "tuser")
        data, keep, last, user = (self.unit.read(f"m_deliver_{name}") for name in names)
        return data, keep, last, user

    def _taken(self, beat: Beat) -> bool:
        self.offered = None
        if self.closing:
            assert beat == CLOSING
            self.closing = self.open = False
            self.closed += 1
            return False
        if not self.expected:
            assert self.waiting, "a beat of no record"
            self.expected = beats(self.waiting[0])
        self.unit.expect(m_deliver_id=self.id)
        expected = self.expected.pop(0)
        assert beat == expected
        self.open = not beat[2]
        if self.open:
            return False
        self.waiting.pop(0)
        self.id = self.id + 1 & 0xFFFF_FFFF
        self.delivered += 1
        return True

    async def drain(self, ready: float = 1.0, restart: float = 0.0) -> None:
        """Until every record is delivered."""
        idle = 0
        while self.waiting or self.open:
            before = self.unit.read("m_deliver_tvalid")
            await self.cycle(random.random() < ready, random.random() < restart)
            idle = 0 if before else idle + 1
            assert idle <= LATENCY or restart, "nothing is offered"
        for _ in range(3):
            await self.cycle()
        assert not self.unit.read("m_deliver_tvalid")


@cocotb.test()
@requirement("OAE-TXN-024", "OAE-TXN-025")
async def sizes(dut):
    """Every size, with and without stalls, one word a cycle."""
    bench = await Bench(dut).start()
    for ready in (1.0, 0.3):
        bench.waiting = [random.randbytes(size) for size in SIZES]
        await bench.drain(ready)
    begin = bench.unit.cycle
    bench.waiting = [random.randbytes(RECORD_MAX)]
    await bench.drain()
    assert bench.unit.cycle - begin <= -(-RECORD_MAX // 8) + LATENCY + 3
    assert bench.delivered == 2 * len(SIZES) + 1


@cocotb.test()
@requirement("OAE-TXN-023")
async def nothing_before_committed(dut):
    """While the core shows no record nothing is offered."""
    bench = await Bench(dut).start()
    bench.waiting = [b"later"]
    bench.shown = False
    for _ in range(10):
        await bench.cycle()
    assert not bench.unit.read("m_deliver_tvalid")
    bench.shown = True
    await bench.drain()


@cocotb.test()
@requirement("OAE-TXN-031", "OAE-TXN-032")
async def restart_at_every_beat(dut):
    """An open packet is closed with one bad beat, and the record comes again from its first."""
    bench = await Bench(dut).start()
    for size in (5, 16, min(61, RECORD_MAX)):
        for stop in range(-(-size // 8) + LATENCY):
            for cycles in (1, 2):
                for ready in (True, False):
                    bench.waiting = [random.randbytes(size), random.randbytes(3)]
                    for _ in range(stop):
                        await bench.cycle()
                    begun, closed = bench.open, bench.closed
                    for _ in range(cycles):
                        await bench.cycle(ready, restart=True)
                    # Again in the closing beat: it still closes once.
                    await bench.cycle(ready=False)
                    await bench.cycle(ready=False, restart=True)
                    await bench.drain()
                    assert bench.closed - closed == begun
    assert bench.closed > 0 or RECORD_MAX <= 8


@cocotb.test()
@requirement("OAE-TXN-024", "OAE-TXN-025", "OAE-TXN-031")
async def random_records(dut):
    """Records and restarts anywhere: each is delivered once, in order."""
    bench = await Bench(dut).start()
    for _ in range(3):
        pace = random.choice((0.3, 0.8, 1.0))
        for _ in range(RECORDS // 3):
            size = random.choice((random.choice(SIZES), random.randint(1, RECORD_MAX)))
            bench.waiting.append(random.randbytes(size))
        await bench.drain(pace, restart=0.03)
    assert bench.delivered == RECORDS // 3 * 3


@cocotb.test()
@requirement("OAE-TXN-031")
async def reset_forgets_the_packet(dut):
    """After `rst` there is nothing to close."""
    bench = await Bench(dut).start()
    bench.waiting = [bytes(RECORD_MAX)]
    while not bench.open and bench.waiting:
        await bench.cycle()
    await bench.unit.reset()
    bench.waiting, bench.open, bench.offered, bench.expected = [], False, None, []
    for _ in range(5):
        await bench.cycle()
        assert not bench.unit.read("m_deliver_tvalid")
