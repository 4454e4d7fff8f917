"""What comes over the line to a register bridge under test, and what must come back.

Each play is a generator: it gives bytes for the bridge, takes everything that the bridge answers
until it rests, and fails by itself if that is wrong. So the same one runs on every simulator.
"""

from collections.abc import Generator
from random import Random

from oae.bringup import wire
from oae.bringup.wire import Request, read, write
from oae.spec.constants import SERIAL_READ_MAX, SerialOperation, SerialStatus

from cocotb_tests.register_bridge.model import MASK, SUMS, Model

Exchange = Generator[bytes, bytes, bytes]
Play = Generator[bytes, bytes, None]
CHUNK = 64  # bytes of a stream that are sent at once
TRIES = 8  # of which the last QUIET are without noise
QUIET = 2
RESYNCHRONISED = 2  # undamaged frames until one is answered


class World:
    """The bridge is compared with the model, byte for byte, in whatever is played."""

    def __init__(self, seed: int) -> None:
        self.random = Random(seed)
        self.model = Model()
        self.bytes = self.frames = self.damaged = self.resynchronised = 0

    def exchange(self, stream: bytes) -> Exchange:
        """Send bytes; everything that comes back, which is what the model says."""
        self.bytes += len(stream)
        found = yield stream
        expected = self.model.take(stream)
        assert found == expected, f"{found.hex()} instead of {expected.hex()}"
        return found

    def every_register(self) -> Play:
        """What all of it came to."""
        for address in range(0, 2 * SUMS, SUMS // 2):
            # Two numbers: of these one at least is another than that of the last request.
            for sequence in range(2):
                yield from self.exchange(read(sequence, address, SUMS // 2).encode())

    def any_stream(self, size: int) -> Play:
        """Good, damaged and repeated requests in one stream of bytes, cut anywhere."""
        random = self.random
        sequence, chance = 0, 0.0
        stream = b""
        while self.bytes < size:
            if random.random() < 0.02:
                chance = random.choice((0.0, 0.003, 0.03, 0.3))
            sequence = (sequence + random.choice((0, 0, 1, 1, 1, -1))) & MASK
            stream += self.sent(self.request(sequence).encode(), chance)
            if random.random() < 0.01:
                stream += random.randbytes(random.randrange(40))
            if len(stream) > CHUNK:
                yield from self.exchange(stream[:CHUNK])
                stream = stream[CHUNK:]
        yield from self.exchange(wire.DELIMITER)
        yield from self.every_register()
        assert self.model.executed > size / 200
        assert self.model.rejected > size / 500
        assert self.model.repeated

    def host_behind_a_bad_line(self, size: int) -> Play:
        """A host that repeats until it is answered: what it believes is what happened, once."""
        random = self.random
        shadow = [0] * (2 * SUMS)  # what the host believes
        sequence = random.getrandbits(32)
        requests = unheard = 0
        while self.bytes < size:
            chance = random.choice((0.002, 0.02, 0.1))
            sequence = sequence + 1 & MASK
            request = self.request(sequence)
            encoded = request.encode()
            requests += 1
            answer = None
            for attempt in range(TRIES):
                noise = chance if attempt < TRIES - QUIET else 0.0
                stream = self.sent(encoded, noise)
                heard = yield from self.exchange(stream)
                unheard = unheard + 1 if stream == encoded else 0
                if heard:
                    self.resynchronised = max(self.resynchronised, unheard)
                    unheard = 0
                found = map(wire.answer, wire.frames(self.harmed(heard, noise)))
                answer = next((each for each in found if each and each.sequence == sequence), None)
                if answer is not None:
                    break
            assert answer is not None, "the second undamaged request was not answered"
            addresses = range(request.address, request.address + request.count)
            if answer.status != SerialStatus.OK:
                assert not answer.words
            elif request.operation == SerialOperation.READ:
                assert answer.words == tuple(shadow[each] for each in addresses)
                for each in addresses:
                    shadow[each] += each >= SUMS
            else:
                assert request.value is not None
                shadow[request.address] = shadow[request.address] + request.value & MASK
        assert self.model.cells == shadow
        assert self.model.executed == requests
        assert self.frames > requests
        assert 1 <= self.resynchronised <= RESYNCHRONISED
        yield from self.every_register()

    def request(self, sequence: int) -> Request:
        """Any request: most can be executed."""
        random = self.random
        kind = random.random()
        if kind < 0.4:
            value = random.choice((0, random.getrandbits(32)))
            return write(sequence, random.randrange(SUMS), value)
        if kind < 0.8:
            count = random.choice((1, 1, 2, random.randint(1, SERIAL_READ_MAX)))
            return read(sequence, random.randrange(2 * SUMS - count), count)
        return Request(
            sequence,
            random.choice((1, 1, 2, 2, 0, 3, 255)),
            random.choice((0, 100, 2 * SUMS - 3, 2 * SUMS, 0xFFFF)),
            random.choice((0, 1, 1, 3, SERIAL_READ_MAX, SERIAL_READ_MAX + 1, 255)),
            random.choice((None, 7)),
        )

    def sent(self, frame: bytes, chance: float) -> bytes:
        """A frame on its way to the bridge."""
        stream = self.harmed(frame, chance)
        self.frames += 1
        self.damaged += stream != frame
        return stream

    def harmed(self, stream: bytes, chance: float) -> bytes:
        """Bit errors, lost bytes and inserted ones, each byte with this chance."""
        random = self.random
        if not chance:
            return stream
        out = bytearray()
        for byte in stream:
            if random.random() >= chance:
                out.append(byte)
                continue
            match random.randrange(3):
                case 0:
                    out.append(byte ^ 1 << random.randrange(8))
                case 1:
                    out += bytes([byte, random.choice((0, random.getrandbits(8)))])
        return bytes(out)
