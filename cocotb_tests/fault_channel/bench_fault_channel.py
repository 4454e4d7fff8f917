"""One direction of the medium against `oae.faults.decide`.

Frames go in, the bench knows from their coordinates what must come out. It answers the questions
that the channel asks the fault rules.
"""

import random
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import cocotb
from oae import frame as codec
from oae.faults.decide import Coordinates, Copies, Decision, decide, flipped
from oae.frame import Frame, Malformed, Received, Sync
from oae.scenario.compile import direction_block
from oae.scenario.language import parse_action
from oae.scenario.layout import Fault
from oae.scenario.scenario import Rates
from oae.spec.constants import Operation
from oae.testing import requirement

from cocotb_tests.clocked import Clocked

DIRECTION = 1
SEED = 77
SESSION = 0x0A0E0A0E
PATIENCE = 3000  # cycles that the channel may take to send what it holds


class Sent(NamedTuple):
    """A frame that came out."""

    number: int
    image: bytes
    user: bool
    cycle: int  # of its first beat


class Fate(NamedTuple):
    """What the channel told of a frame."""

    number: int
    name: Coordinates
    faults: Fault


@dataclass
class Strike:
    """What the rules answer."""

    faults: int = 0
    argument_0: int = 0
    argument_1: int = 0


@dataclass
class Channel:
    """The channel under test, and everything that came out of it."""

    dut: Any
    rates: Rates
    ready: float = 1.0
    strikes: dict[Coordinates, Strike] = field(default_factory=dict)
    sent: list[Sent] = field(default_factory=list)
    fates: list[Fate] = field(default_factory=list)
    decided: list[int] = field(default_factory=list)  # cycle of each fate, from the reset on
    cut: bool = False

    def __post_init__(self) -> None:
        self.clocked = Clocked(self.dut)
        self.random = random.Random(3)
        self.image = b""
        self.first = 0
        self.started = 0
        self.answer = Strike()

    async def start(self) -> None:
        """Reset, with the settings of these rates."""
        words = direction_block(self.rates)
        settings = sum(word << 64 * i for i, word in enumerate(words))
        self.clocked.drive(seed=SEED, settings=settings, s_axis_tvalid=0, cut=0, rst=1)
        self.clocked.drive(m_axis_tready=1)
        self._drive_answer()
        await self.clocked.settle()
        await self.clocked.edge()
        self.started = self.clocked.cycle
        self.clocked.drive(rst=0)
        await self.clock()

    def _drive_answer(self) -> None:
        self.clocked.drive(
            strike_faults=self.answer.faults,
            strike_argument_0=self.answer.argument_0,
            strike_argument_1=self.answer.argument_1,
        )

    async def clock(self) -> bool:
        """One cycle; whether a beat that is offered was taken."""
        ready = self.random.random() < self.ready
        self.clocked.drive(m_axis_tready=ready, cut=self.cut)
        await self.clocked.settle()
        read = self.clocked.read
        taken = bool(read("s_axis_tready"))
        if read("m_axis_tvalid") and ready:
            if not self.image:
                self.first = self.clocked.cycle
            count = read("m_axis_tkeep").bit_count()
            self.image += read("m_axis_tdata").to_bytes(8, "little")[:count]
            if read("m_axis_tlast"):
                number, user = read("m_axis_number"), bool(read("m_axis_tuser"))
                self.sent.append(Sent(number, self.image, user, self.first))
                self.image = b""
        if read("fate_valid"):
            name = Coordinates(read("fate_operation"), read("fate_id"), read("fate_copy"))
            self.fates.append(Fate(read("fate_number"), name, Fault(read("fate_faults"))))
            self.decided.append(self.clocked.cycle - self.started)
        # Rules answer in the cycle after they are asked.
        answer = Strike()
        if read("query_valid"):
            name = Coordinates(read("query_operation"), read("query_id"), read("query_copy"))
            answer = self.strikes.get(name, answer)
        await self.clocked.edge()
        self.answer = answer
        self._drive_answer()
        return taken

    async def put(self, image: bytes, bad: bool = False) -> None:
        """Send one frame in, beat after beat."""
        words = [image[i : i + 8] for i in range(0, len(image), 8)]
        for i, word in enumerate(words):
            self.clocked.drive(
                s_axis_tvalid=1,
                s_axis_tdata=int.from_bytes(word, "little"),
                s_axis_tkeep=(1 << len(word)) - 1,
                s_axis_tlast=i == len(words) - 1,
                s_axis_tuser=bad and i == len(words) - 1,
            )
            while not await self.clock():
                pass
        self.clocked.drive(s_axis_tvalid=0)

    async def drain(self) -> None:
        """Wait until nothing is inside."""
        quiet = 0
        for _ in range(PATIENCE):
            await self.clock()
            quiet = quiet + 1 if self.clocked.read("idle") else 0
            if quiet == 12:
                return
        raise AssertionError("the channel keeps something for ever")


def frames(count: int, seed: int = 5) -> list[bytes]:
    """A mixture like that of a link."""
    chance = random.Random(seed)
    found = []
    for number in range(count):
        id = number // 3 if number % 7 else 0xABCD0000 + number % 5
        digest = chance.getrandbits(32)
        match chance.randrange(6):
            case 0:
                record = chance.randbytes(chance.choice([1, 7, 8, 9, 63, 64]))
                digest = codec.digest(SESSION, id, 0, 0, record)
                frame = Frame(Operation.DATA, id, digest, 0, 0, SESSION, record)
            case 1:
                frame = Frame(Operation.NOP, 0, 0, 0, 0, SESSION, b"", chance.getrandbits(32))
            case 2:
                sync = Sync(chance.getrandbits(64), 0, 0, number // 4, 64, 8)
                frame = Frame(Operation.SYNC, sync=sync)
            case _:
                operation = chance.choice([Operation.ACK, Operation.COMMIT, Operation.ABORTED])
                frame = Frame(operation, id, digest, 0, 0, SESSION)
        found.append(codec.encode(frame))
    return found


def payload_length(image: bytes) -> int:
    return int.from_bytes(image[17:19], "big")


async def played(dut: Any, rates: Rates, images: list[bytes], **more: Any) -> Channel:
    """All frames through a channel with these rates."""
    channel = Channel(dut, rates, **more)
    await channel.start()
    for image in images:
        await channel.put(image)
    await channel.drain()
    return channel


def decisions(rates: Rates, images: list[bytes]) -> list[tuple[Coordinates, Decision]]:
    names = Copies()
    found = []
    for image in images:
        name = names.name(image)
        found.append((name, decide(rates, SEED, DIRECTION, name, payload_length(image))))
    return found


@cocotb.test()
@requirement("OAE-SIM-001")
async def frames_pass_unchanged_in_order(dut: Any) -> None:
    images = frames(60)
    channel = await played(dut, Rates(), images)
    assert [sent.image for sent in channel.sent] == images
    assert [sent.number for sent in channel.sent] == list(range(len(images)))
    assert not any(sent.user for sent in channel.sent)
    assert all(fate.faults == Fault(0) for fate in channel.fates)


@cocotb.test()
@requirement("OAE-SIM-002", "OAE-SIM-003")
async def rates_decide_by_coordinates_only(dut: Any) -> None:
    rates = Rates(
        drop=0.15, duplicate=0.15, reorder=0.1, corrupt=0.1, flip=0.15, delay=0.1, reorder_cycles=90
    )
    images = frames(300)
    channel = await played(dut, rates, images, ready=0.9)
    expected = decisions(rates, images)
    outputs = []
    for number, ((name, decision), fate) in enumerate(zip(expected, channel.fates, strict=True)):
        assert (fate.number, fate.name) == (number, name)
        # Only so many are held at a time; one more passes.
        held = Fault.HELD | Fault.DUPLICATE_HELD
        assert fate.faults | held == decision.faults | held, fate
        for copy in decision.copies:
            outputs.append((number, flipped(images[number], copy.flips), copy.corrupted))
    assert sorted((sent.number, sent.image, sent.user) for sent in channel.sent) == sorted(outputs)
    struck = {fault for fate in channel.fates for fault in Fault if fate.faults & fault}
    assert struck >= {Fault.DROPPED, Fault.DUPLICATED, Fault.HELD, Fault.DELAYED, Fault.CORRUPTED}
    numbers = [sent.number for sent in channel.sent]
    assert numbers != sorted(numbers)


@cocotb.test()
@requirement("OAE-RUN-002", "OAE-SIM-003")
async def rates_end_at_a_cycle(dut: Any) -> None:
    rates = Rates(drop=0.2, duplicate=0.2, corrupt=0.2, flip=0.2, delay=0.2, until=1000)
    images = frames(200)
    channel = await played(dut, rates, images)
    names = Copies()
    struck = {False: 0, True: 0}
    for image, fate, cycle in zip(images, channel.fates, channel.decided, strict=True):
        name, length = names.name(image), payload_length(image)
        expected = decide(rates, SEED, DIRECTION, name, length, cycle)
        assert fate.faults == expected.faults, fate
        struck[cycle < rates.until] += fate.faults != Fault(0)
    assert struck[True] > 20
    assert struck[False] == 0


@cocotb.test()
@requirement("OAE-SIM-003")
async def fates_do_not_depend_on_time(dut: Any) -> None:
    rates = Rates(drop=0.2, duplicate=0.2, corrupt=0.2)
    images = frames(80)
    prompt = await played(dut, rates, images)
    channel = Channel(dut, rates, ready=0.4)
    await channel.start()
    for image in images:
        await channel.put(image)
        for _ in range(channel.random.randrange(20)):
            await channel.clock()
    await channel.drain()
    assert channel.fates == prompt.fates


@cocotb.test()
@requirement("OAE-SIM-004")
async def every_flip_is_malformed(dut: Any) -> None:
    images = frames(250)
    channel = await played(dut, Rates(flip=1.0), images)
    assert len(channel.sent) == len(images)
    for sent in channel.sent:
        assert sent.image != images[sent.number]
        assert not sent.user
        verdict = codec.decode(
            sent.image, link_up=True, link_session=SESSION, epoch=0, record_max=64
        )
        assert isinstance(verdict, Malformed) or not isinstance(verdict, Received)


@cocotb.test()
@requirement("OAE-SIM-002")
async def a_held_frame_waits_for_others_or_for_time(dut: Any) -> None:
    images = frames(12)
    names = [name for name, _ in decisions(Rates(), images)]
    hold = Strike(Fault.HELD, parse_action("hold 3").argument_0)
    channel = await played(
        dut, Rates(reorder_cycles=400), images, strikes={names[2]: hold, names[10]: hold}
    )
    numbers = [sent.number for sent in channel.sent]
    assert numbers == [0, 1, 3, 4, 5, 2, 6, 7, 8, 9, 11, 10]
    late, before = channel.sent[-1], channel.sent[-2]
    assert late.cycle - before.cycle > 300  # only one frame passed it: it waited for its time


@cocotb.test()
@requirement("OAE-SIM-002")
async def rules_strike_single_frames(dut: Any) -> None:
    images = frames(10)
    names = [name for name, _ in decisions(Rates(), images)]
    strikes = {
        names[1]: Strike(Fault.DROPPED),
        names[2]: Strike(Fault.DUPLICATED),
        names[4]: Strike(Fault.CORRUPTED),
        names[5]: Strike(Fault.DELAYED, 100),
        names[7]: Strike(Fault.FLIPPED),
    }
    channel = await played(dut, Rates(latency=5), images, strikes=strikes)
    assert [sent.number for sent in channel.sent] == [0, 2, 2, 3, 4, 5, 6, 7, 8, 9]
    assert [sent.number for sent in channel.sent if sent.user] == [4]
    assert [sent.number for sent in channel.sent if sent.image != images[sent.number]] == [7]
    assert channel.sent[5].cycle - channel.sent[4].cycle > 90
    struck = {fate.number: fate.faults for fate in channel.fates if fate.faults}
    assert struck == {names.index(name): strike.faults for name, strike in strikes.items()}


@cocotb.test()
@requirement("OAE-SIM-005")
async def a_forged_frame_is_well_formed(dut: Any) -> None:
    record = bytes(range(20))
    digest = codec.digest(SESSION, 7, 0, 0, record)
    data = codec.encode(Frame(Operation.DATA, 7, digest, 0, 0, SESSION, record))
    commit = codec.encode(Frame(Operation.COMMIT, 7, digest, 0, 0, SESSION))
    changes = {
        Coordinates(Operation.DATA, 7, 0): parse_action("forge byte=35 xor=ff01 digest"),
        Coordinates(Operation.COMMIT, 7, 0): parse_action("forge byte=14 xor=ff guard"),
    }
    strikes = {
        name: Strike(Fault.FORGED, action.argument_0, action.argument_1)
        for name, action in changes.items()
    }
    channel = await played(dut, Rates(), [data, commit], strikes=strikes)

    def received(image: bytes) -> Frame:
        verdict = codec.decode(image, link_up=True, link_session=SESSION, epoch=0, record_max=64)
        assert isinstance(verdict, Received), verdict
        return verdict.frame

    forged, aborted = (received(sent.image) for sent in channel.sent)
    changed = bytearray(record)
    changed[3] ^= 0xFF
    changed[4] ^= 0x01
    assert forged.record == bytes(changed)
    assert forged.digest == codec.digest(SESSION, 7, 0, 0, bytes(changed))
    assert (aborted.operation, aborted.id) == (Operation.ABORT, 7)


@cocotb.test()
@requirement("OAE-SIM-006")
async def a_cut_drops_everything(dut: Any) -> None:
    images = frames(9)
    channel = Channel(dut, Rates())
    await channel.start()
    for number, image in enumerate(images):
        channel.cut = 3 <= number < 6
        await channel.put(image)
        for _ in range(4):
            await channel.clock()
    await channel.drain()
    assert [sent.number for sent in channel.sent] == [0, 1, 2, 6, 7, 8]
    assert [fate.number for fate in channel.fates if fate.faults == Fault.CUT] == [3, 4, 5]


@cocotb.test()
@requirement("OAE-SIM-001")
async def packets_without_coordinates_pass(dut: Any) -> None:
    closing = bytes(8)  # what an end sends to close a packet that a crash broke
    images = [closing, *frames(3), closing[:3]]
    channel = Channel(dut, Rates(drop=1.0))
    await channel.start()
    for image in images:
        await channel.put(image, bad=len(image) < 9)
    await channel.drain()
    assert [(sent.number, sent.image, sent.user) for sent in channel.sent] == [
        (0, closing, True),
        (4, closing[:3], True),
    ]


@cocotb.test()
@requirement("OAE-SIM-001")
async def a_full_channel_waits(dut: Any) -> None:
    images = frames(40)
    channel = await played(dut, Rates(duplicate=1.0, delay=1.0, delay_max=60), images, ready=0.5)
    assert [sent.image for sent in channel.sent[::2]] == images
    assert not any(fate.faults & Fault.OVERFLOW for fate in channel.fates)


@cocotb.test()
@requirement("OAE-SIM-001")
async def what_does_not_fit_is_dropped(dut: Any) -> None:
    images = frames(60)
    channel = await played(dut, Rates(latency=700), images)
    lost = {fate.number for fate in channel.fates if fate.faults & Fault.OVERFLOW}
    if int(dut.BACKPRESSURE.value):
        assert not lost
    else:
        assert lost
    assert [sent.number for sent in channel.sent] == [
        number for number in range(len(images)) if number not in lost
    ]
