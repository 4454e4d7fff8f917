"""The register bridge against a model of it that reads the same bytes, and behind a bad line."""

from collections.abc import Iterator
from contextlib import suppress

import cocotb
from cocotb.clock import Clock
from cocotb.triggers import Timer
from oae.bringup import wire
from oae.bringup.wire import framed, read, write
from oae.spec.constants import SERIAL_READ_MAX
from oae.testing import requirement

from cocotb_tests.register_bridge.model import MASK, SUMS
from cocotb_tests.register_bridge.worlds import CHUNK, Play, World

PERIOD = 10  # nanoseconds
PATIENCE = 3000  # cycles in which the longest request is answered
BYTES = int(cocotb.plusargs["bytes"])


class Bench:
    """The bridge with its line; what it answers is judged by a world."""

    def __init__(self, dut):
        self.dut = dut
        self.world = World(cocotb.RANDOM_SEED)
        self.load = 0

    async def start(self) -> "Bench":
        dut = self.dut
        dut.rst.value, dut.load.value, dut.length.value, dut.bytes.value = 1, 0, 0, 0
        self.clock = Clock(dut.clk, PERIOD, "ns")
        self.clock.start(start_high=False)
        await Timer(3 * PERIOD, "ns")
        dut.rst.value = 0
        await Timer(PERIOD, "ns")
        return self

    async def play(self, steps: Play) -> None:
        """Play it to its end, and compare the counters with the model."""
        with suppress(StopIteration):
            stream = next(steps)
            while True:
                stream = steps.send(await self._sent(stream))
        dut, model = self.dut, self.world.model
        counted = [int(each.value) for each in (dut.frames, dut.rejected, dut.repeated)]
        assert counted == [model.executed, model.rejected, model.repeated]

    async def _sent(self, stream: bytes) -> bytes:
        found = bytearray()
        for place in range(0, len(stream), CHUNK):
            found += await self._chunk(stream[place : place + CHUNK])
        return bytes(found)

    async def _chunk(self, chunk: bytes) -> bytes:
        dut = self.dut
        self.load ^= 1
        dut.bytes.value = int.from_bytes(chunk, "little")
        dut.length.value = len(chunk)
        dut.load.value = self.load
        # In a chunk there may be several requests; each is answered in time.
        for _ in range(PATIENCE * 4 // 100):
            await Timer((len(chunk) + 40) * PERIOD, "ns")
            if int(dut.quiet.value):
                break
        else:
            raise AssertionError("the bridge hangs")
        count = int(dut.answered.value)
        # The bytes behind these were never set.
        bits = str(dut.answers.value)[-8 * count :] if count else "0"
        return int(bits, 2).to_bytes(count, "little")


def garbage() -> Iterator[bytes]:
    """Frames that are none."""
    yield b"\0\0\0"
    yield b"\x01\0"
    yield b"\x05\x01\0"
    yield b"\xff" * 300 + b"\0"
    yield framed(b"")
    yield framed(bytes(7))
    yield framed(bytes(range(13)))
    yield framed(bytes(250))
    yield framed(read(1, 2).encode())
    for length in range(9, 12):
        yield framed(bytes(range(1, length + 1)))  # of a good length and CRC, but no request


def requests_and_mistakes(world: World) -> Play:
    """Every status, the longest read, zeros in every place, frames that are none."""
    sequence = 0
    for value in (0, 0xFF, 0x00FF0000, MASK):
        for address in (0, SUMS - 1, SUMS, 2 * SUMS, 0x100):
            sequence += 1
            yield from world.exchange(write(sequence, address, value).encode())
    for count in (0, 1, 2, SERIAL_READ_MAX, SERIAL_READ_MAX + 1, 255):
        for address in (0, SUMS - 1, 2 * SUMS - count, 2 * SUMS - 1, 0xFFFF):
            sequence += 0x0001_0000
            request = read(sequence & MASK, address % 0x10000, count)
            yield from world.exchange(request.encode())
    for each in garbage():
        yield from world.exchange(each)
    yield from world.every_register()
    assert world.model.rejected
    assert world.model.executed > 40


def repetitions(world: World) -> Play:
    """A repeated request is answered again, however often, and executed once; a refused one too."""
    # Nothing is remembered after a reset, not even zero.
    assert not (yield from world.exchange(wire.DELIMITER))
    for sequence in (0, 5, 0, MASK):
        for request in (write(sequence, 3, 1), read(sequence + 1 & MASK, SUMS + 3, 4)):
            # Another request with the same number is a repetition as well.
            frames = [*[request.encode()] * 4, read(request.sequence, 0).encode()]
            answers = set()
            for frame in frames:
                answers.add((yield from world.exchange(frame)))
            assert len(answers) == 1
    assert world.model.cells[3] == 4
    assert world.model.repeated == 8 * 4
    yield from world.every_register()


@cocotb.test()
@requirement("OAE-BRG-001", "OAE-BRG-005", "OAE-BRG-006")
async def each_request_and_each_mistake(dut):
    bench = await Bench(dut).start()
    await bench.play(requests_and_mistakes(bench.world))


@cocotb.test()
@requirement("OAE-BRG-002", "OAE-BRG-006")
async def a_repeated_request(dut):
    bench = await Bench(dut).start()
    await bench.play(repetitions(bench.world))


@cocotb.test()
@requirement("OAE-BRG-001", "OAE-BRG-002", "OAE-BRG-006")
async def any_stream(dut):
    bench = await Bench(dut).start()
    await bench.play(bench.world.any_stream(BYTES))


@cocotb.test()
@requirement("OAE-BRG-003", "OAE-BRG-004")
async def a_host_behind_a_bad_line(dut):
    bench = await Bench(dut).start()
    await bench.play(bench.world.host_behind_a_bad_line(BYTES))
