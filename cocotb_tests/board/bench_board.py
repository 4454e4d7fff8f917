"""Two boards on a wire, told and asked by their serial lines; and a board beside a bare end."""

import random

import cocotb
from cocotb.clock import Clock
from cocotb.triggers import RisingEdge, Timer
from oae.bringup import wire
from oae.bringup.wire import Answer, Request, read, write
from oae.spec.constants import (
    BOARD_REGISTER,
    BOARD_REGISTER_MAP,
    BOARD_WRITABLE,
    COUNTERS,
    REGISTER,
    SERIAL_READ_MAX,
    BoardControl,
    Channel,
    EventCode,
    Injection,
    LinkState,
    SerialStatus,
)
from oae.testing import requirement

PERIOD = 10  # nanoseconds
CHUNK_BITS, ANSWER_BITS = 512, 2048  # of one line
ADDRESS = {**REGISTER, **BOARD_REGISTER}
NAMES = [name for name, *_ in COUNTERS]
BUILD_HASH = 0x0123_4567_89AB_CDEF
CLOCK_HZ = 50_000_000
RECORD_MAX, WINDOW, TRACE_WORDS = 64, 8, 64
UP = [BoardControl.ENABLE, BoardControl.BEATS, BoardControl.ACCEPT, BoardControl.INTERNAL_HOST]
EXTERNAL_INPUTS = [
    "s_submit_tdata",
    "s_submit_tkeep",
    "s_submit_tvalid",
    "s_submit_tlast",
    "s_submit_tuser",
    "s_submit_tag",
    "s_submit_kind",
    "m_completion_tready",
    "s_cancel_tvalid",
    "s_cancel_tag",
    "m_deliver_tready",
    "m_doubt_tready",
    "cfg_enable",
    "cfg_beats",
    "cfg_accept",
    "cfg_session",
    "cfg_epoch",
    "cfg_prepared",
    "cfg_destination",
    "cfg_source",
    "crash",
    "amnesia",
]


def bits(*names: BoardControl) -> int:
    """A value for CONTROL."""
    return sum(1 << name for name in names)


class Board:
    """One board, as its host sees it."""

    def __init__(self, pair: "Pair", place: int) -> None:
        self.pair, self.place = pair, place
        self.sequence = random.getrandbits(31)

    async def ask(self, request: Request) -> Answer:
        """One request, and its answer."""
        stream = request.encode()
        heard = await self.pair.send(self.place, stream)
        found = [wire.answer(frame) for frame in wire.frames(heard)]
        assert len(found) == 1
        assert found[0] is not None
        assert found[0].sequence == request.sequence
        return found[0]

    def number(self) -> int:
        """Of the next request."""
        self.sequence += 1
        return self.sequence

    async def words(self, address: int, count: int = 1) -> tuple[int, ...]:
        """Registers from an address on."""
        answer = await self.ask(read(self.number(), address, count))
        assert answer.status == SerialStatus.OK
        assert len(answer.words) == count
        return answer.words

    async def get(self, name: str) -> int:
        """A register by name."""
        return (await self.words(ADDRESS[name]))[0]

    async def put(self, **values: int) -> None:
        """Registers by name, in this order."""
        for name, value in values.items():
            answer = await self.ask(write(self.number(), ADDRESS[name], value))
            assert answer == (self.sequence, SerialStatus.OK, ())

    async def count(self, name: str) -> int:
        """A counter of the end."""
        return (await self.words(REGISTER["COUNTERS"] + NAMES.index(name)))[0]

    async def begin(self, peer: int, **settings: int) -> None:
        """The internal host takes over, and the end is enabled."""
        await self.put(
            SESSION_HIGH=random.getrandbits(32),
            SESSION_LOW=random.getrandbits(32) | 1,
            DESTINATION_HIGH=0x0200,
            DESTINATION_LOW=peer,
            SOURCE_HIGH=0x0200,
            SOURCE_LOW=self.place,
            GENERATOR_SEED=0xA0 + self.place,
            SINK_SEED=0xA0 + peer,
            **settings,
            CONTROL=bits(*UP, BoardControl.CHECK),
        )

    async def until(self, name: str, wanted: int, mask: int = 0xFFFF_FFFF) -> None:
        """Ask until a register has this value."""
        for _ in range(300):
            if await self.get(name) & mask == wanted:
                return
            await self.pair.wait(200)
        raise AssertionError(f"{name} is {await self.get(name):#x}, not {wanted:#x}")


class Pair:
    """Both boards."""

    def __init__(self, dut) -> None:
        self.dut = dut
        self.boards = [Board(self, place) for place in range(2)]
        self.loads = self.bytes = self.lengths = 0

    async def start(self) -> "Pair":
        dut = self.dut
        for name in (*EXTERNAL_INPUTS, "load", "bytes", "length"):
            getattr(dut, name).value = 0
        dut.rst.value = 1
        self.clock = Clock(dut.clk, PERIOD, "ns")
        self.clock.start(start_high=False)
        await self.wait(3)
        dut.rst.value = 0
        await self.wait(1)
        return self

    async def wait(self, cycles: int) -> None:
        await Timer(cycles * PERIOD, "ns")

    async def send(self, place: int, stream: bytes) -> bytes:
        """Bytes to a board; its answer, up to the zero at its end."""
        dut, shift = self.dut, CHUNK_BITS * place
        self.bytes = self.bytes & ~((1 << CHUNK_BITS) - 1 << shift) | (
            int.from_bytes(stream, "little") << shift
        )
        self.lengths = self.lengths & ~(0xFFFF << 16 * place) | len(stream) << 16 * place
        self.loads ^= 1 << place
        dut.bytes.value, dut.length.value, dut.load.value = self.bytes, self.lengths, self.loads
        for _ in range(100):
            await self.wait(60)
            count = int(dut.answered.value) >> 16 * place & 0xFFFF
            if count:
                end = ANSWER_BITS * (1 - place) + ANSWER_BITS
                text = str(dut.answers.value)[end - 8 * count : end]
                found = int(text, 2).to_bytes(count, "little")
                if found.endswith(b"\0"):
                    return found
        raise AssertionError("no answer")


async def linked(pair: Pair, **settings: int) -> tuple[Board, Board]:
    """Both boards with their internal hosts, and the link UP."""
    a, b = pair.boards
    await a.begin(1, **settings)
    await b.begin(0, **settings)
    for board in (a, b):
        await board.until("STATUS", LinkState.UP, 3)
    return a, b


@cocotb.test()
@requirement("OAE-BRD-002")
async def every_address(dut):
    """Exactly those of the tables; what can be written holds it, the others refuse."""
    board = (await Pair(dut).start()).boards[0]
    assert await board.get("BOARD_VERSION") == BOARD_REGISTER_MAP
    assert await board.words(ADDRESS["BUILD_HASH_HIGH"], 2) == (
        BUILD_HASH >> 32,
        BUILD_HASH & 0xFFFF_FFFF,
    )
    assert await board.get("CLOCK_HZ") == CLOCK_HZ
    assert await board.get("IDENTITY") == int.from_bytes(b"OAE1", "big")
    assert await board.get("PARAMETERS") == RECORD_MAX << 16 | WINDOW
    assert await board.get("TRACE_CONTROL") == 0x3F01
    assert await board.get("GENERATOR_SIZES") == RECORD_MAX << 16 | 8
    entries = BOARD_REGISTER["TRACE_ENTRY"]
    known = {*range(0x100), *BOARD_REGISTER.values(), *range(entries, entries + 128)}
    writable = {BOARD_REGISTER[name] for name in BOARD_WRITABLE}
    special = {
        BOARD_REGISTER[name] for name in ("CONTROL", "RESTART", "GENERATOR_START", "TRACE_CONTROL")
    }
    edges = [0xFF, entries - 1, entries, entries + 5, entries + 127, entries + 128]
    for address in [*range(0x100, 0x12A), *edges, 0x1000, 0x1101, 0x8105, 0xFFFF]:
        asked = await board.ask(read(board.number(), address))
        assert asked.status == (SerialStatus.OK if address in known else SerialStatus.NO_REGISTER)
        if address in special:
            continue
        told = await board.ask(write(board.number(), address, 0xFFFF_FFFF))
        if address in writable:
            assert told.status == SerialStatus.OK
            (ones,) = await board.words(address)
            assert ones & ones + 1 == 0
            assert ones >= 0xFFFF
            await board.ask(write(board.number(), address, 0x5A5A_1234))
            assert await board.words(address) == (0x5A5A_1234 & ones,)
        elif address in known:
            assert told.status == SerialStatus.READ_ONLY
        else:
            assert told.status == SerialStatus.NO_REGISTER
    # A read over the edge of the map reads nothing.
    answer = await board.ask(read(board.number(), BOARD_REGISTER["BRIDGE_REPEATED"], 2))
    assert answer.status == SerialStatus.NO_REGISTER
    assert not answer.words


@cocotb.test()
@requirement("OAE-BRD-002")
async def cycles_and_counts(dut):
    """Ticks go on, the high half belongs to the low one, every request and write is counted."""
    pair = await Pair(dut).start()
    board = pair.boards[0]
    dut.a.registers.cycles.value = (1 << 32) - 700
    seen = []
    for _ in range(20):
        low, high = await board.words(ADDRESS["CYCLES_LOW"], 2)
        seen.append(high << 32 | low)
        await pair.wait(random.randrange(50))
    assert seen == sorted(set(seen))
    assert seen[0] < 1 << 32 < seen[-1] < (1 << 32) + 10_000
    writes, executed = await board.get("WRITES"), await board.get("BRIDGE_FRAMES")
    await board.put(SCRATCH=7)
    request = write(board.sequence, ADDRESS["SCRATCH"], 8)  # the same number again
    assert (await board.ask(request)).status == SerialStatus.OK
    assert await board.get("SCRATCH") == 7
    assert await board.get("WRITES") == writes + 1
    assert await board.get("BRIDGE_REPEATED") == 1
    assert await board.get("BRIDGE_REJECTED") == 0
    assert await board.get("BRIDGE_FRAMES") == executed + 6


@cocotb.test()
@requirement("OAE-BRD-001")
async def as_an_end_alone(dut):
    """The same outputs in every cycle under a random host, also when it crashes."""
    pair = await Pair(dut).start()
    dut.cfg_session.value, dut.cfg_source.value, dut.cfg_destination.value = 77, 0x0200 << 32, 1
    for name in ("cfg_enable", "cfg_beats", "cfg_accept"):
        getattr(dut, name).value = 1
    await pair.boards[1].begin(0, GENERATOR_COUNT=60)
    await pair.boards[1].put(GENERATOR_START=1, SCRATCH=5)
    await pair.boards[0].put(SCRATCH=6)
    for cycle in range(4000):
        await RisingEdge(dut.clk)
        await Timer(PERIOD // 5, "ns")
        last = random.random() < 0.3
        dut.s_submit_tdata.value = random.getrandbits(64)
        dut.s_submit_tvalid.value = random.random() < 0.5
        dut.s_submit_tlast.value = last
        dut.s_submit_tkeep.value = 0x0F if last else 0xFF
        dut.s_submit_tag.value = random.getrandbits(16)
        dut.m_completion_tready.value = random.random() < 0.5
        dut.m_deliver_tready.value = random.random() < 0.5
        dut.m_doubt_tready.value = random.random() < 0.5
        dut.s_cancel_tvalid.value = random.random() < 0.05
        dut.crash.value = random.random() < 0.001
        dut.amnesia.value = cycle == 2500
    assert int(dut.differs.value) == 0
    board = pair.boards[0]
    assert await board.count("TOLD_COMMITTED") > 5
    assert await board.count("CRASH")
    assert await board.get("SCRATCH") == 6
    assert await board.get("GENERATOR_SUBMITTED") == 0
    assert int(dut.differs.value) == 0


@cocotb.test()
@requirement("OAE-BRD-003", "OAE-BRD-004", "OAE-BRD-006", "OAE-BRD-007")
async def records_both_ways(dut):
    """Generators on both sides, every kind of fault, crashes of both: each record once."""
    pair = await Pair(dut).start()
    boards = a, b = await linked(pair)
    count = 40
    for kind, one_in in ((Injection.NONE, 0), *((kind, 8) for kind in Injection if kind)):
        before = [await board.get("INJECTED") for board in boards]
        for board in boards:
            await board.put(INJECT=kind << 16 | one_in, SINK_SEED=0xA0 + 1 - board.place)
        for board in boards:
            await board.put(GENERATOR_COUNT=count, GENERATOR_START=1)
        if one_in:
            for board in (a, b):
                await pair.wait(300)
                await board.put(RESTART=1)
        for board in boards:
            await board.until("GENERATOR_START", 0)
        for board in boards:
            told = await board.words(ADDRESS["GENERATOR_SUBMITTED"], 5)
            assert told[0] == count == sum(told[1:])
            assert told[3:] == (0, 0), "an outcome is unknown or lost without amnesia"
        for board, peer in ((a, b), (b, a)):
            committed = await peer.get("GENERATOR_COMMITTED")
            assert await board.get("SINK_DELIVERED") == committed > 0
            assert await board.get("SINK_WRONG") == 0
            assert await board.get("SINK_NEXT") <= count
        for board, was in zip(boards, before, strict=True):
            assert (await board.get("INJECTED") > was) == bool(one_in)
    for board in boards:
        assert await board.count("CRASH") == 3
        assert await board.count("MALFORMED_WRONG_DIGEST") + await board.count(
            "MALFORMED_BAD_GUARD"
        )


@cocotb.test()
@requirement("OAE-BRD-003", "OAE-BRD-004", "OAE-BRD-007")
async def wrong_seed_and_amnesia(dut):
    """The sink finds records of another seed; amnesia takes away what was outstanding."""
    pair = await Pair(dut).start()
    a, b = await linked(pair)
    await b.put(SINK_SEED=1)
    await a.put(GENERATOR_COUNT=10, GENERATOR_START=1)
    await a.until("GENERATOR_START", 0)
    assert await b.words(ADDRESS["SINK_DELIVERED"], 3) == (10, 10, 0)
    await b.put(CONTROL=bits(*UP), SINK_SEED=2)  # only counted
    await a.put(GENERATOR_START=1)
    await a.until("GENERATOR_START", 0)
    assert await b.words(ADDRESS["SINK_DELIVERED"], 3) == (10, 0, 0)
    # Nothing is answered any more; the peer's generator has records outstanding.
    await b.put(CONTROL=0)
    await a.put(GENERATOR_COUNT=WINDOW, GENERATOR_START=1)
    await a.until("GENERATOR_SUBMITTED", WINDOW)
    assert await a.get("GENERATOR_START") == 1
    await a.put(SESSION_LOW=12345, RESTART=2)
    assert await a.get("GENERATOR_START") == 0
    assert await a.get("GENERATOR_LOST") == WINDOW - await a.get("GENERATOR_COMMITTED")
    assert await a.count("AMNESIA") == 1
    assert await a.get("SINK_SEED") == 0xA1


@cocotb.test()
@requirement("OAE-BRD-005")
async def the_trace(dut):
    """What comes out of the buffer over the line is what was told at the event port."""
    pair = await Pair(dut).start()
    a, _ = await linked(pair)
    told: list[tuple[int, int, int]] = []

    async def watch() -> None:
        while True:
            await RisingEdge(dut.clk)
            await Timer(PERIOD // 5, "ns")
            valid = int(dut.event_valid.value)
            if valid:
                words, cycle = int(dut.event_words.value), int(dut.event_cycle.value)
                told.extend(
                    (cycle, c, words >> 64 * c & 2**64 - 1) for c in Channel if valid >> c & 1
                )

    kept = [Channel.INITIATOR, Channel.RESPONDER]
    await a.put(TRACE_CONTROL=sum(1 << 8 + c for c in kept) | 3)
    watcher = cocotb.start_soon(watch())
    await a.put(GENERATOR_COUNT=30, GENERATOR_START=1)
    await a.until("GENERATOR_START", 0)
    await a.put(TRACE_CONTROL=0)
    watcher.cancel()
    held = await a.get("TRACE_COUNT")
    found: list[tuple[int, int, int]] = []
    block = SERIAL_READ_MAX // 4 * 4
    while len(found) < held:
        words = await a.words(BOARD_REGISTER["TRACE_ENTRY"], block)
        for head, low, high, rest in zip(*(words[i::4] for i in range(4)), strict=True):
            if head >> 31:
                found.append(((head & 0xFFFF) << 32 | low, head >> 16 & 7, high << 32 | rest))
            else:
                assert (head, low, high, rest) == (0, 0, 0, 0)
    expected = [event for event in told if event[1] in kept]
    assert held == TRACE_WORDS + 1
    assert found == [expected[0], *expected[-TRACE_WORDS:]]
    assert await a.get("TRACE_LOST") == len(expected) - held
    codes = {word >> 56 for _, _, word in found}
    assert {EventCode.OPENED, EventCode.TOLD} <= codes


@cocotb.test()
@requirement("OAE-BRD-008")
async def loopback(dut):
    """The end hears its own challenge and nobody else does; without it the link comes up."""
    pair = await Pair(dut).start()
    a, b = pair.boards
    await a.put(CONTROL=bits(BoardControl.LOOPBACK, BoardControl.INTERNAL_HOST), SESSION_LOW=5)
    used = []

    async def watch() -> None:
        while True:
            await RisingEdge(dut.wire_used)
            used.append(True)

    watcher = cocotb.start_soon(watch())
    await a.put(CONTROL=bits(*UP, BoardControl.LOOPBACK))
    await b.begin(0)
    await pair.wait(3000)
    assert await a.count("LOOPBACK") > 3
    assert not used
    assert await a.get("STATUS") & 3 == LinkState.SYNCING
    watcher.cancel()
    await a.put(CONTROL=bits(*UP))
    for board in (a, b):
        await board.until("STATUS", LinkState.UP, 3)
