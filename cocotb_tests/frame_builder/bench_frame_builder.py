"""Frame builder against `oae.frame.encode`, beat by beat.

The bench drives the clock itself: what it samples before an edge is what that edge sees. What a
request does not say for its operation, and all of it after it was taken, is noise.
"""

import random
from collections import deque
from typing import NamedTuple

import cocotb
from cocotb.triggers import Timer
from oae import frame as codec
from oae.frame import Frame, Sync
from oae.spec.constants import CARRIES_NOTHING, CARRIES_SYNC, Operation
from oae.testing import requirement

RECORD_MAX = int(cocotb.plusargs["record_max"])
OPERATIONS = sorted({*Operation} - CARRIES_NOTHING)
SLOTS = 8
ADDRESSES = (0x0123456789AB, 0xCDEF00112233)  # destination, source
WIDTHS = {
    "operation": 5,
    "id": 32,
    "digest": 32,
    "operand": 32,
    "link_session": 32,
    "kind": 8,
    "epoch": 16,
    "length": 16,
    "slot": 3,
    "sync_session": 64,
    "sync_verified": 64,
    "sync_challenger": 64,
    "sync_counter": 32,
    "sync_record_max": 16,
    "sync_window": 8,
}
LENGTHS = [n for n in (1, 7, 8, 9, 27, 28, 29, 31, 32, 33, 63, 64, 65) if n <= RECORD_MAX]


class Request(NamedTuple):
    """A request, and the frame that it must become."""

    inputs: dict[str, int]
    record: bytes
    image: bytes


class Beat(NamedTuple):
    """One beat on the bus."""

    data: int
    keep: int
    last: int
    user: int


CLOSING = Beat(0, 0xFF, 1, 1)


def request(operation: Operation, length: int | None = None) -> Request:
    """A random request; the fields that do not count for its operation are noise."""
    inputs = {name: random.getrandbits(width) for name, width in WIDTHS.items()}
    inputs["operation"] = operation
    record = b""
    frame = Frame(operation)
    if operation in CARRIES_SYNC:
        fields = {name: inputs[f"sync_{name}"] for name in Sync._fields}
        frame = frame._replace(sync=Sync(**fields))
    else:
        frame = frame._replace(link_session=inputs["link_session"])
        if operation != Operation.NOP:
            frame = frame._replace(id=inputs["id"], digest=inputs["digest"])
    if operation == Operation.DATA:
        record = random.randbytes(length or random.randint(1, RECORD_MAX))
        inputs["length"] = len(record)
        frame = frame._replace(kind=inputs["kind"], epoch=inputs["epoch"], record=record)
    if operation in (Operation.NOP, Operation.ABORTED):
        frame = frame._replace(operand=inputs["operand"])
    destination, source = (address.to_bytes(6, "big") for address in ADDRESSES)
    return Request(inputs, record, codec.encode(frame, destination, source))


def beats(image: bytes) -> list[Beat]:
    """The beats of a frame."""
    words = [image[i : i + 8] for i in range(0, len(image), 8)]
    return [
        Beat(int.from_bytes(word, "little"), (1 << len(word)) - 1, int(n == len(words) - 1), 0)
        for n, word in enumerate(words)
    ]


class Bench:
    """One builder, with its record store, its MAC and who asks."""

    def __init__(self, dut):
        self.dut = dut
        self.cycle = 0
        self.waiting: deque[Request] = deque()
        self.expected: deque[Beat] = deque()  # of requests that were taken
        self.record = b""
        self.slot = 0
        self.offered: Beat | None = None  # a beat that must still stand there
        self.must_offer = False
        self.open = False
        self.frames = 0
        self.closed = 0
        self.taken_at: list[int] = []
        self.beats_at: list[int] = []

    async def start(self) -> "Bench":
        dut = self.dut
        dut.clk.value = 0
        dut.restart.value = 0
        dut.destination.value, dut.source.value = ADDRESSES
        dut.m_axis_tready.value = 1
        dut.read_data.value = 0
        self.ask(None)
        dut.rst.value = 1
        await self.edge()
        dut.rst.value = 0
        await self.edge()
        return self

    def ask(self, request: Request | None) -> None:
        self.dut.request_valid.value = int(request is not None)
        for name, width in WIDTHS.items():
            value = random.getrandbits(width) if request is None else request.inputs[name]
            getattr(self.dut, f"request_{name}").value = value

    async def edge(self, ready: bool = True, ask: bool = True, restart: bool = False) -> None:
        """One cycle, in which the MAC is ready or not, and the first waiting request stands."""
        dut = self.dut
        asking = self.waiting[0] if ask and self.waiting else None
        self.ask(asking)
        dut.m_axis_tready.value = int(ready)
        dut.restart.value = int(restart)
        await Timer(5, "ns")
        read_data = None
        if not int(dut.rst.value):
            self.check_bus(ready, restart)
            read_data = self.check_store()
            if int(dut.request_ready.value):
                assert not restart
                if asking is not None:
                    self.take(self.waiting.popleft())
        dut.clk.value = 1
        await Timer(5, "ns")
        dut.clk.value = 0
        dut.read_data.value = random.getrandbits(64) if read_data is None else read_data
        self.cycle += 1

    def take(self, request: Request) -> None:
        # One frame is formed at a time, while at most the last beat of the one before it waits.
        assert len(self.expected) <= 1
        self.expected.extend(beats(request.image))
        self.record = request.record
        self.slot = request.inputs["slot"]
        self.taken_at.append(self.cycle)
        self.must_offer = True

    def check_store(self) -> int | None:
        dut = self.dut
        if not int(dut.reading.value):
            assert not int(dut.read_enable.value)
            return None
        assert self.record, "reads though no record is to be sent"
        assert int(dut.reading_slot.value) == self.slot
        if not int(dut.read_enable.value):
            return None
        assert int(dut.read_slot.value) == self.slot
        index = int(dut.read_index.value)
        word = self.record[8 * index : 8 * index + 8]
        noise = random.randbytes(8 - len(word))  # what an older record left behind
        return int.from_bytes(word + noise, "little")

    def check_bus(self, ready: bool, restart: bool) -> None:
        dut = self.dut
        valid = int(dut.m_axis_tvalid.value)
        if restart:
            assert not valid
            self.offered = None
            self.expected.clear()
            self.must_offer = self.open
            if self.open:
                self.expected.append(CLOSING)
            return
        # No gap: a frame that was begun, or whose request was taken, always has a beat on the bus.
        assert valid == self.must_offer, f"cycle {self.cycle}"
        if not valid:
            return
        beat = Beat(
            *(
                int(getattr(dut, f"m_axis_{name}").value)
                for name in ("tdata", "tkeep", "tlast", "tuser")
            )
        )
        if self.offered is not None:
            assert beat == self.offered, "a beat changed before it was taken"
        assert beat == self.expected[0], f"cycle {self.cycle}"
        self.offered = None if ready else beat
        if ready:
            self.expected.popleft()
            self.beats_at.append(self.cycle)
            self.open = not beat.last
            self.frames += beat.last and not beat.user
            self.closed += beat.user
            self.must_offer = bool(self.expected)

    async def drain(self, ready: float = 1.0, ask: float = 1.0, restart: float = 0.0) -> None:
        """Until everything has gone out; each happens in a cycle with its probability."""
        while self.waiting or self.expected:
            await self.edge(
                random.random() < ready, random.random() < ask, random.random() < restart
            )
        await self.edge()


@cocotb.test()
@requirement("OAE-FRM-010", "OAE-FRM-011", "OAE-FRM-012")
async def operations(dut):
    """Every operation and record length is built as the codec builds it."""
    bench = await Bench(dut).start()
    requests = [request(operation) for operation in OPERATIONS for _ in range(4)]
    requests += [request(Operation.DATA, length) for length in [*LENGTHS, RECORD_MAX]]
    for each in requests:
        bench.waiting.append(each)
        await bench.drain()
        await bench.edge()
    assert bench.frames == len(requests)


@cocotb.test()
@requirement("OAE-FRM-025")
async def first_beat_comes_at_once(dut):
    """The first beat is valid in the cycle after the request is taken, the others follow."""
    bench = await Bench(dut).start()
    for operation in OPERATIONS:
        bench.waiting.append(request(operation))
        count = len(beats(bench.waiting[0].image))
        bench.beats_at.clear()
        await bench.drain()
        begun = bench.taken_at[-1] + 1
        assert bench.beats_at == [*range(begun, begun + count)]


@cocotb.test()
@requirement("OAE-FRM-025")
async def back_to_back(dut):
    """While requests wait and the MAC is ready there is no idle cycle, within and between."""
    bench = await Bench(dut).start()
    bench.waiting.extend(request(random.choice(OPERATIONS)) for _ in range(60))
    await bench.drain()
    assert bench.frames == 60
    begin = bench.beats_at[0]
    assert bench.beats_at == [*range(begin, begin + len(bench.beats_at))]


@cocotb.test()
@requirement("OAE-FRM-010", "OAE-FRM-013")
async def backpressure(dut):
    """A beat stays until it is taken, and nothing is lost, whenever the MAC is ready."""
    bench = await Bench(dut).start()
    for ready, ask in ((0.5, 1.0), (0.2, 0.5), (0.9, 0.3)):
        bench.waiting.extend(request(random.choice(OPERATIONS)) for _ in range(20))
        bench.waiting.extend(request(Operation.DATA, RECORD_MAX) for _ in range(2))
        await bench.drain(ready, ask)
    assert bench.frames == 66


@cocotb.test()
@requirement("OAE-FRM-023")
async def restart_at_every_beat(dut):
    """An open packet is closed with one bad beat; one that was not begun leaves nothing."""
    bench = await Bench(dut).start()
    for operation in (Operation.DATA, Operation.SYNC, Operation.COMMIT):
        for cycles in (1, 3):
            for stalled in (False, True):
                for stop in range(14):
                    bench.waiting.append(request(operation, RECORD_MAX))
                    for _ in range(stop):
                        await bench.edge()
                    if stalled:
                        await bench.edge(ready=False, ask=False)
                    bench.waiting.clear()
                    bench.waiting.append(request(random.choice(OPERATIONS)))
                    for _ in range(cycles):
                        await bench.edge(ready=random.random() < 0.5, restart=True)
                    await bench.drain(ready=random.choice((1.0, 0.5)))
    assert bench.closed >= 12 * 6


@cocotb.test()
@requirement("OAE-FRM-013", "OAE-FRM-023")
async def restarts_at_random(dut):
    """Every packet that was begun ends exactly once, through any restarts."""
    bench = await Bench(dut).start()
    for _ in range(3):
        bench.waiting.extend(request(random.choice(OPERATIONS)) for _ in range(30))
        await bench.drain(ready=0.7, ask=0.8, restart=0.07)
    assert bench.closed > 5
    assert bench.frames > 5


@cocotb.test()
@requirement("OAE-FRM-023")
async def reset_forgets_the_packet(dut):
    """After `rst` there is nothing to close."""
    bench = await Bench(dut).start()
    bench.waiting.append(request(Operation.ACK))
    for _ in range(5):
        await bench.edge()
    dut.rst.value = 1
    await bench.edge()
    dut.rst.value = 0
    bench.expected.clear()
    bench.must_offer = bench.open = False
    await bench.edge()
    bench.waiting.append(request(Operation.DATA))
    await bench.drain()
    assert bench.frames == 1
