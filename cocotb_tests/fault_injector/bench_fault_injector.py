"""Fault injector: exactly the frames that its numbers strike, whole frames, everything counted."""

import random

import cocotb
from oae.faults.hash import MASK
from oae.spec.constants import Injection
from oae.testing import requirement

from cocotb_tests.clocked import Clocked

RECORD_MAX = int(cocotb.plusargs["record_max"])
WORDS = (8, max(8, 4 + RECORD_MAX // 8))  # of a frame, from and to
SEED = 0x9E37_79B9
INPUTS = ("s_axis_tdata", "s_axis_tkeep", "s_axis_tlast", "s_axis_tuser")
FLIP_FIRST = 2  # word of the first bit that may be flipped

Beat = tuple[int, int, int, int]  # data, keep, last, user


def frame() -> list[Beat]:
    """Any frame; now and then one that a restart has cut."""
    size = random.randint(*WORDS)
    keep = 0xFF >> random.randrange(8)
    user = int(random.random() < 0.05)
    beats = [(random.getrandbits(64), 0xFF, 0, 0) for _ in range(size - 1)]
    return [*beats, (random.getrandbits(64), keep, 1, user)]


class Draws:
    """The injector's numbers, one a frame."""

    def __init__(self) -> None:
        self.random = SEED
        self.injected = 0

    def fate(self, beats: list[Beat], kind: Injection, one_in: int) -> list[list[Beat]]:
        """What goes out for a frame."""
        random = self.random
        state = random ^ random << 13 & MASK
        state ^= state >> 17
        self.random = state ^ state << 5 & MASK
        if kind == Injection.NONE or not one_in or (random >> 16) * one_in >> 16:
            return [beats]
        self.injected += 1
        if kind == Injection.DROP:
            return []
        if kind == Injection.DUPLICATE:
            return [beats, beats]
        place = FLIP_FIRST + random % 4
        data, *rest = beats[place]
        struck = (data ^ 1 << (random >> 2) % 64, *rest)
        return [[*beats[:place], struck, *beats[place + 1 :]]]


async def passed(
    unit: Clocked, frames: list[list[Beat]], pace: tuple[float, float]
) -> list[list[Beat]]:
    """Frames sent through the injector; those that come out."""
    queue = [beat for beats in frames for beat in beats]
    out: list[list[Beat]] = [[]]
    quiet = 0
    offered = held = None
    while quiet < 5 or queue:
        # What is offered stays until it is taken.
        if offered is None and queue and random.random() < pace[0]:
            offered = queue[0]
        if offered is not None:
            unit.drive(**dict(zip(INPUTS, offered, strict=True)))
        unit.drive(s_axis_tvalid=offered is not None, m_axis_tready=random.random() < pace[1])
        await unit.settle()
        taken = offered is not None and unit.read("s_axis_tready")
        valid = unit.read("m_axis_tvalid")
        if valid:
            beat = tuple(
                unit.read(f"m_axis_{name}") for name in ("tdata", "tkeep", "tlast", "tuser")
            )
            assert held in (None, beat), "a beat that nobody took has changed"
            held = beat
            if unit.read("m_axis_tready"):
                out[-1].append(beat)
                held = None
                if beat[2]:
                    out.append([])
        else:
            assert held is None, "a beat that nobody took is gone"
        quiet = 0 if valid or taken else quiet + 1
        await unit.edge()
        if taken:
            queue.pop(0)
            offered = None
    assert out.pop() == []
    return out


@cocotb.test()
@requirement("OAE-BRD-006")
async def every_kind_and_rate(dut):
    """What comes out is what the numbers say, beat by beat; the rate is about one in N."""
    unit = Clocked(dut)
    unit.drive(kind=0, one_in=0, s_axis_tvalid=0, m_axis_tready=0, **dict.fromkeys(INPUTS, 0))
    await unit.reset()
    draws = Draws()
    for kind in Injection:
        for one_in in (0, 1, 2, 5, 0xFFFF):
            for pace in ((1.0, 1.0), (0.7, 0.5)):
                unit.drive(kind=kind, one_in=one_in)
                await unit.settle()
                await unit.edge()  # the next frame is drawn for a cycle before it begins
                frames = [frame() for _ in range(8)]
                before = draws.injected
                expected = [each for beats in frames for each in draws.fate(beats, kind, one_in)]
                assert await passed(unit, frames, pace) == expected
                unit.expect(injected=draws.injected)
                struck = draws.injected - before
                if kind == Injection.NONE or one_in != 1:
                    assert struck < len(frames)
                else:
                    assert struck == len(frames)
    # The rate, over many numbers.
    for one_in in (2, 3, 10, 100):
        before = draws.injected
        for _ in range(20_000):
            draws.fate([], Injection.DROP, one_in)
        assert abs((draws.injected - before) * one_in / 20_000 - 1) < 0.2


@cocotb.test()
@requirement("OAE-BRD-006", "OAE-BRD-001")
async def without_faults_nothing_waits(dut):
    """One cycle later, and not a gap more."""
    unit = Clocked(dut)
    unit.drive(kind=0, one_in=0, s_axis_tvalid=0, m_axis_tready=1, **dict.fromkeys(INPUTS, 0))
    await unit.reset()
    beats = [beat for _ in range(20) for beat in frame()]
    for number, beat in enumerate([*beats, None]):
        unit.drive(s_axis_tvalid=beat is not None)
        if beat is not None:
            unit.drive(**dict(zip(INPUTS, beat, strict=True)))
        await unit.settle()
        unit.expect(s_axis_tready=1, m_axis_tvalid=number > 0)
        if number:
            data, keep, last, user = beats[number - 1]
            unit.expect(m_axis_tdata=data, m_axis_tkeep=keep, m_axis_tlast=last, m_axis_tuser=user)
        await unit.edge()
