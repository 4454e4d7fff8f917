"""Frame parser against `oae.frame.decode`, beat by beat.

The bench drives the clock itself: what it samples before an edge is what that edge sees. It knows
in which cycle each verdict and each record word must stand, and checks that there is nothing else.
"""

import random
from collections.abc import Iterable, Iterator
from itertools import combinations
from typing import NamedTuple

import cocotb
from cocotb.triggers import Timer
from oae import frame as codec
from oae.frame import Foreign, Frame, Malformed, NotUp, Received, Sync, Unsupported, Verdict
from oae.spec.constants import (
    BALANCE_OF,
    CARRIES_GUARD,
    CARRIES_NOTHING,
    CARRIES_SYNC,
    ETHERTYPE,
    EventCode,
    MalformedReason,
    Operation,
)
from oae.testing import requirement

VERDICT_LATENCY = 2  # cycles from the last beat to the verdict
WORD_LATENCY = 1  # cycles from a beat to its record word
SESSION = 0x5EED0A0E
RECORD_MAX = int(cocotb.plusargs["record_max"])
LATE_SYNC_FIELDS = {f"sync_{name}" for name in Sync._fields} - {"sync_session"}
GUARDED = sorted(CARRIES_GUARD)
PULSES = {
    Received: "frame_valid",
    Malformed: "malformed_valid",
    Foreign: "foreign_valid",
    Unsupported: "unsupported_valid",
    NotUp: "not_up_valid",
}


class Beat(NamedTuple):
    """One beat on the bus."""

    data: int
    keep: int = 0xFF
    last: bool = False
    user: bool = False


class Link(NamedTuple):
    """What frames are checked against."""

    link_up: bool = True
    link_session: int = SESSION
    epoch: int = 0x0001_FFFE
    record_max: int = RECORD_MAX


def beats(image: bytes, bad_at: Iterable[int] = ()) -> list[Beat]:
    """The beats of a frame; the MAC's mark is set in those of `bad_at` (-1: the last)."""
    words = [image[i : i + 8] for i in range(0, len(image), 8)]
    marks = {at % len(words) for at in bad_at}
    return [
        Beat(
            int.from_bytes(word, "little"),
            (1 << len(word)) - 1,
            number == len(words) - 1,
            number in marks,
        )
        for number, word in enumerate(words)
    ]


def random_frame(operation: Operation, link: Link = Link(), length: int | None = None) -> bytes:
    """Image of a frame that is right for `link`."""
    id = random.choice((random.getrandbits(32), random.getrandbits(4)))
    if operation in CARRIES_SYNC:
        bits = (64, 64, 64, 32, 16, 8)
        return codec.encode(Frame(operation, sync=Sync(*map(random.getrandbits, bits))))
    if operation in CARRIES_NOTHING:
        return codec.encode(Frame(operation, id, link_session=link.link_session))
    session = link.link_session
    if operation == Operation.DATA:
        record = random.randbytes(length or random.randint(1, RECORD_MAX))
        kind = random.randrange(2)
        epoch = (link.epoch + random.choice((0, 0, -1, 1, -0x8000, 0x7FFF))) % 2**32
        digest = codec.digest(session, id, kind, epoch, record)
        return codec.encode(
            Frame(operation, id, digest, kind, epoch & 0xFFFF, session, record),
            random.randbytes(6),
            random.randbytes(6),
        )
    operand = random.getrandbits(32)
    return codec.encode(
        Frame(operation, id, random.getrandbits(32), link_session=session, operand=operand)
    )


def expected_event(verdict: Verdict) -> int:
    """Event word of a verdict (link.toml, `event`)."""
    match verdict:
        case Malformed(reason):
            return EventCode.MALFORMED << 56 | reason << 32
        case Foreign(ethertype):
            return EventCode.FOREIGN << 56 | ethertype
        case Unsupported(operation):
            return EventCode.UNSUPPORTED << 56 | operation << 32
        case NotUp(operation, id):
            return EventCode.NOT_UP << 56 | operation << 32 | id
        case Received(frame, _):
            value = frame.id
            if frame.sync:
                value = frame.sync.counter
            elif frame.operation == Operation.NOP:
                value = frame.operand
            return EventCode.RECEIVED << 56 | frame.operation << 32 | value
    raise AssertionError(verdict)


def expected_fields(received: Received) -> dict[str, int]:
    """Outputs that have a meaning for the operation."""
    frame = received.frame
    fields = {"operation": frame.operation, "id": frame.id, "kind": frame.kind}
    fields = {f"frame_{name}": value for name, value in fields.items()}
    if frame.sync:
        return fields | {f"sync_{name}": value for name, value in frame.sync._asdict().items()}
    fields |= {"frame_digest": frame.digest, "frame_length": len(frame.record)}
    if frame.operation == Operation.DATA:
        first = int.from_bytes(frame.record[:8].ljust(8, b"\0"), "little")
        return fields | {"frame_epoch": received.epoch, "frame_record_0": first}
    return fields | {"frame_operand": frame.operand}


def record_words(image: bytes) -> Iterator[tuple[int, int, int]]:
    """(beat, word, id) of every word that a frame may write, whatever its verdict will be."""
    if len(image) < 33 or image[12:14] != ETHERTYPE.to_bytes(2, "big"):
        return
    length = int.from_bytes(image[17:19], "big") - 13
    if image[14] & 0x1F != Operation.DATA or not 1 <= length <= RECORD_MAX:
        return
    id = int.from_bytes(image[24:26] + image[15:17], "big")
    # The bus is zero in the lanes beyond tkeep.
    record = image[32 : 32 + length]
    for index in range(-(-len(record) // 8)):
        word = record[8 * index : 8 * index + 8].ljust(8, b"\0")
        yield 4 + index, int.from_bytes(word, "little"), id


class Bench:
    """One parser."""

    def __init__(self, dut):
        self.dut = dut
        self.cycle = 0
        self.link = Link()
        self.ended: dict[int, tuple[bytes, bool]] = {}  # cycle after the last beat: the frame
        self.verdicts: dict[int, tuple[Verdict, int]] = {}  # due cycle: verdict, operation code
        self.words: dict[int, tuple[int, int, int]] = {}  # due cycle: index, word, id
        self.received: dict[str, int] = {}  # what must hold until the next frame_valid
        self.judged = 0
        self.seen: set[object] = set()

    async def start(self) -> "Bench":
        dut = self.dut
        dut.clk.value = 0
        dut.restart.value = 0
        self.idle()
        self.set_link(Link())
        dut.rst.value = 1
        await self.edge()
        dut.rst.value = 0
        await self.edge()
        return self

    def set_link(self, link: Link) -> None:
        self.link = link
        for name, value in link._asdict().items():
            getattr(self.dut, name).value = int(value)

    def idle(self) -> None:
        self.dut.s_axis_tvalid.value = 0
        self.dut.s_axis_tdata.value = random.getrandbits(64)
        self.dut.s_axis_tlast.value = random.getrandbits(1)

    def drive(self, beat: Beat) -> None:
        self.dut.s_axis_tvalid.value = 1
        self.dut.s_axis_tdata.value = beat.data
        self.dut.s_axis_tkeep.value = beat.keep
        self.dut.s_axis_tlast.value = int(beat.last)
        self.dut.s_axis_tuser.value = int(beat.user)

    async def edge(self) -> None:
        """One cycle: check what stands before its edge, then take the edge."""
        dut = self.dut
        await Timer(5, "ns")
        if not int(dut.rst.value):
            self.check()
        dut.clk.value = 1
        await Timer(5, "ns")
        dut.clk.value = 0
        self.cycle += 1

    def check(self) -> None:
        dut = self.dut
        restarting = int(dut.restart.value)
        assert int(dut.s_axis_tready.value) == (not restarting)
        # The edge that loads the verdict reads the link; its frame ended one cycle ago.
        if self.cycle in self.ended:
            image, bad = self.ended.pop(self.cycle)
            verdict = codec.decode(image, bad=bad, **self.link._asdict())
            self.verdicts[self.cycle + 1] = verdict, image[14] & 0x1F if len(image) > 14 else -1
        word = self.words.pop(self.cycle, None)
        assert int(dut.record_valid.value) == (word is not None), f"cycle {self.cycle}: {word}"
        if word is not None:
            index, data, id = word
            assert int(dut.record_index.value) == index
            assert int(dut.record_data.value) == data
            assert int(dut.record_id.value) == id
        due, operation = self.verdicts.pop(self.cycle, (None, -1))
        pulses = {what for what, name in PULSES.items() if int(getattr(dut, name).value)}
        assert pulses == ({type(due)} if due is not None else set()), f"{pulses}, expected {due}"
        assert int(dut.event_valid.value) == (due is not None)
        if due is None:
            return
        self.judged += 1
        assert int(dut.event_word.value) == expected_event(due), f"{due}"
        if operation in CARRIES_SYNC:
            # One that is not received may overwrite, late, what its predecessor said.
            for name in LATE_SYNC_FIELDS:
                self.received.pop(name, None)
        if isinstance(due, Malformed):
            assert int(dut.malformed_reason.value) == due.reason
            self.seen.add(due.reason)
        elif isinstance(due, Received):
            self.seen.add(due.frame.operation)
            self.received = expected_fields(due)
        else:
            self.seen.add(type(due))
        for name, value in self.received.items():
            assert int(getattr(dut, name).value) == value, f"{name} at {due}"

    async def send(self, image: bytes, bad_at: Iterable[int] = (), idle: float = 0.0) -> None:
        """Send a frame, with idle cycles between its beats with that probability."""
        frame = beats(image, bad_at)
        words = {beat: (beat - 4, word, id) for beat, word, id in record_words(image)}
        for number, beat in enumerate(frame):
            while random.random() < idle:
                self.idle()
                await self.edge()
            self.drive(beat)
            if number in words:
                self.words[self.cycle + WORD_LATENCY] = words[number]
            if beat.last:
                bad = any(part.user for part in frame)
                self.ended[self.cycle + VERDICT_LATENCY - 1] = (image, bad)
            await self.edge()
        self.idle()

    async def restart(self, cycles: int = 1) -> None:
        """Crash, with whatever stands on the bus; what is not yet told never will be."""
        self.dut.restart.value = 1
        for _ in range(cycles):
            # A step that was taken at the edge before may still be seen.
            for due in (self.ended, self.verdicts, self.words):
                lost = [cycle for cycle in due if cycle > self.cycle or due is self.ended]
                for cycle in lost:
                    del due[cycle]
            await self.edge()
        self.dut.restart.value = 0

    async def drain(self) -> None:
        """Wait until nothing is due any more."""
        for _ in range(4):
            self.idle()
            await self.edge()
        assert not self.ended
        assert not self.verdicts
        assert not self.words


@cocotb.test()
@requirement("OAE-FRM-001", "OAE-FRM-020", "OAE-FRM-024")
async def operations(dut):
    """Every operation and every record length is received, with all its fields."""
    bench = await Bench(dut).start()
    for operation in Operation:
        for _ in range(3):
            await bench.send(random_frame(operation))
    for length in range(1, RECORD_MAX + 1):
        await bench.send(random_frame(Operation.DATA, length=length))
    await bench.drain()
    assert bench.judged == 3 * len(Operation) + RECORD_MAX
    assert bench.seen == {*Operation} - CARRIES_NOTHING | {Unsupported}


# Each makes one test fail in an image that passes all others, in the order of test.
def _foreign(image: bytearray) -> None:
    image[12] ^= 1 << random.randrange(8)


def _unknown(image: bytearray) -> None:
    image[14] = image[14] & 0xE0 | random.choice(sorted({*range(32)} - {*Operation}))


def _reserved(image: bytearray) -> None:
    operation = random.choice(sorted(CARRIES_NOTHING))
    image[14] = BALANCE_OF[operation] << 5 | operation


def _balance(image: bytearray) -> None:
    image[14] ^= random.randrange(1, 8) << 5


def _kind(image: bytearray) -> None:
    image[23] = random.randrange(2, 256)


def _length(image: bytearray) -> None:
    image[17:19] = random.choice((0, 12, 13 + RECORD_MAX + 1, 0xFFFF)).to_bytes(2, "big")


def _guard(image: bytearray) -> None:
    image[random.randrange(36, 60)] ^= 1 << random.randrange(8)


def _session(image: bytearray) -> None:
    image[random.randrange(19, 23)] ^= 1 << random.randrange(8)


def _digest(image: bytearray) -> None:
    image[random.randrange(28, 32)] ^= 1 << random.randrange(8)


FAULTS = (_foreign, _unknown, _reserved, _balance, _kind, _length, _guard, _session, _digest)


@cocotb.test()
@requirement("OAE-FRM-002", "OAE-FRM-003", "OAE-FRM-020")
async def faults_in_order(dut):
    """One reason a frame, the first in the order of test, whichever faults come together."""
    bench = await Bench(dut).start()
    operations = (Operation.DATA, Operation.SYNC, Operation.COMMIT, Operation.NOP)
    for faults in [*combinations(FAULTS, 1), *combinations(FAULTS, 2), *combinations(FAULTS, 3)]:
        operation = random.choice(operations)
        image = bytearray(random_frame(operation))
        for fault in faults:
            fault(image)
        cut = random.choice((None, None, None, None, 59, 60, 13, 14, 33))
        bad_at = random.choice(((), (), (), (), (0,), (-1,)))
        bench.set_link(Link(link_up=random.random() < 0.8))
        await bench.send(bytes(image[:cut]), bad_at)
    await bench.drain()
    for up in (True, False):
        bench.set_link(Link(link_up=up))
        for operation in operations:
            for fault in FAULTS:
                image = bytearray(random_frame(operation))
                fault(image)
                await bench.send(bytes(image))
                await bench.drain()
    assert {*MalformedReason} <= bench.seen
    assert {Foreign, Unsupported, NotUp} <= bench.seen


@cocotb.test()
@requirement("OAE-FRM-008", "OAE-FRM-012")
async def damaged_guards(dut):
    """Every bit of a guard counts."""
    bench = await Bench(dut).start()
    image = random_frame(Operation.ABORTED)
    for bit in range(8 * 32, 8 * 60):
        damaged = bytearray(image)
        damaged[bit // 8] ^= 1 << bit % 8
        await bench.send(bytes(damaged))
    await bench.drain()
    assert bench.seen == {MalformedReason.BAD_GUARD}


@cocotb.test()
@requirement("OAE-FRM-021")
async def line_rate(dut):
    """Minimum frames and fragments of one beat and more, without an idle cycle: a verdict each."""
    bench = await Bench(dut).start()
    for _ in range(60):
        await bench.send(random_frame(random.choice(GUARDED)))
    for _ in range(20):
        await bench.send(random.randbytes(random.randint(1, 8)))
    for _ in range(60):
        size = random.choice((1, 8, 9, 13, 14, 16, 17, 24, 33, 59, 60, 61, 64))
        await bench.send(random_frame(random.choice([*Operation]))[:size])
    await bench.drain()
    assert bench.judged == 140


@cocotb.test()
@requirement("OAE-FRM-002", "OAE-FRM-004")
async def sizes(dut):
    """A frame cut or padded to every size; padding is ignored, whatever it holds."""
    bench = await Bench(dut).start()
    for operation in (Operation.ACK, Operation.SYNC, Operation.DATA):
        image = random_frame(operation, length=min(37, RECORD_MAX))
        for size in range(1, len(image) + 10):
            await bench.send((image + random.randbytes(10))[:size])
    for size in (61, 64, 65, 200, 2000):
        await bench.send(random_frame(Operation.COMMIT).ljust(size, b"\xa5"))
        await bench.send(random_frame(Operation.DATA).ljust(size, b"\xa5"))
    await bench.drain()


@cocotb.test()
@requirement("OAE-FRM-005")
async def marked_bad(dut):
    """The MAC's mark counts in whichever beat it stands."""
    bench = await Bench(dut).start()
    for operation in (Operation.DONE, Operation.DATA):
        image = random_frame(operation, length=RECORD_MAX)
        for at in range(-(-len(image) // 8)):
            await bench.send(image, (at,))
            await bench.send(image)
    await bench.drain()


@cocotb.test()
@requirement("OAE-FRM-006")
async def epochs(dut):
    """The sender's epoch is the nearest to the receiver's with the header's low half."""
    bench = await Bench(dut).start()
    for epoch in (0, 1, 0x7FFF, 0x8000, 0xFFFF, 0x1_0000, 0x1234_8000, 0xFFFF_FFFF):
        link = Link(epoch=epoch)
        bench.set_link(link)
        for distance in (0, 1, -1, 0x7FFF, -0x7FFF, -0x8000, 0x8000, 0x10000):
            sent = (epoch + distance) % 2**32
            digest = codec.digest(SESSION, 7, 0, sent, b"epoch")
            frame = Frame(Operation.DATA, 7, digest, 0, sent & 0xFFFF, SESSION, b"epoch")
            await bench.send(codec.encode(frame))
        await bench.drain()
    assert MalformedReason.WRONG_DIGEST in bench.seen
    assert Operation.DATA in bench.seen


@cocotb.test()
@requirement("OAE-FRM-003", "OAE-FRM-007")
async def link_is_read_at_the_verdict(dut):
    """Link state, link session and record maximum are those before the edge of the verdict."""
    bench = await Bench(dut).start()
    links = [
        Link(),
        Link(link_up=False),
        Link(link_session=SESSION + 1),
        Link(record_max=min(8, RECORD_MAX)),
        Link(record_max=1),
    ]
    edge = bench.edge

    async def changing_edge() -> None:
        await edge()
        bench.set_link(random.choice(links))

    bench.edge = changing_edge
    for _ in range(80):
        await bench.send(random_frame(random.choice((Operation.DATA, Operation.ACK))), idle=0.1)
    await bench.drain()


@cocotb.test()
@requirement("OAE-FRM-001", "OAE-FRM-002", "OAE-FRM-020")
async def fuzz(dut):
    """Damaged frames and noise, with random gaps: never anything but the verdict of the codec."""
    bench = await Bench(dut).start()
    for _ in range(150):
        image = bytearray(random_frame(random.choice([*Operation])))
        for _ in range(random.choice((0, 1, 1, 2, 5))):
            at = random.randrange(12, len(image))
            image[at] ^= random.choice((1 << random.randrange(8), random.getrandbits(8)))
        if random.random() < 0.3:
            image[17:19] = random.randint(10, 15 + RECORD_MAX).to_bytes(2, "big")
        if random.random() < 0.2:
            del image[random.randint(1, len(image)) :]
        elif random.random() < 0.2:
            image += random.randbytes(random.randint(1, 40))
        bench.set_link(Link(link_up=random.random() < 0.9))
        await bench.send(bytes(image), idle=random.choice((0, 0, 0.3)))
        if random.random() < 0.5:
            await bench.drain()
    await bench.drain()
    assert bench.judged == 150


@cocotb.test()
@requirement("OAE-FRM-022")
async def restart_in_mid_packet(dut):
    """What follows a restart up to the last beat is swallowed, also if it looks like a frame."""
    bench = await Bench(dut).start()
    inner = random_frame(Operation.COMMIT)
    record = inner[: RECORD_MAX // 8 * 8]
    digest = codec.digest(SESSION, 1, 0, bench.link.epoch, record)
    epoch = bench.link.epoch & 0xFFFF
    outer = codec.encode(Frame(Operation.DATA, 1, digest, 0, epoch, SESSION, record))
    frame = beats(outer + inner)  # a second image stands on a beat boundary where this one ends
    for stop in range(1, len(frame)):
        for cycles in (1, 3):
            words = {beat: (beat - 4, word, id) for beat, word, id in record_words(outer)}
            for number, beat in enumerate(frame):
                bench.drive(beat)
                if number == stop:
                    await bench.restart(cycles)  # the beat is offered, and not taken
                if number < stop and number in words:
                    bench.words[bench.cycle + WORD_LATENCY] = words[number]
                await bench.edge()
            await bench.send(random_frame(Operation.DATA))
            await bench.drain()
    assert bench.judged == 2 * (len(frame) - 1)


@cocotb.test()
@requirement("OAE-FRM-022")
async def restart_between_packets(dut):
    """A restart loses what was not told yet, and not the frame that starts after it."""
    bench = await Bench(dut).start()
    for pause in range(4):
        await bench.send(random_frame(Operation.DATA))
        for _ in range(pause):
            await bench.edge()
        bench.drive(beats(inner := random_frame(Operation.DONE))[0])
        await bench.restart()
        await bench.send(inner)
        await bench.drain()
    assert bench.judged == 4 + 3  # the verdict came before the restart in all but the first


@cocotb.test()
@requirement("OAE-FRM-022")
async def reset_forgets_the_packet(dut):
    """After `rst` the next beat is a first beat."""
    bench = await Bench(dut).start()
    for beat in beats(random_frame(Operation.DATA))[:5]:
        bench.drive(beat)
        dut.rst.value = 1
        await bench.edge()
        dut.rst.value = 0
    bench.words.clear()
    await bench.send(random_frame(Operation.COMMIT))
    await bench.drain()
    assert bench.judged == 1
