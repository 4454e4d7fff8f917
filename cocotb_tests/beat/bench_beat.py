"""Beats against `oae.model.beat`, and their timers cycle by cycle."""

import random
from typing import NamedTuple

import cocotb
from oae.model import beat as model
from oae.model.beat import Beat, Word
from oae.model.parameters import Parameters
from oae.testing import requirement

from cocotb_tests.clocked import Clocked

WINDOW = int(cocotb.plusargs["window"])
CYCLES = int(cocotb.plusargs["cycles"])
BEAT_IDLE = int(cocotb.plusargs["beat_idle"])
BEAT_BUSY = int(cocotb.plusargs["beat_busy"])
FAULT_BEATS = int(cocotb.plusargs["fault_beats"])
PARAMETERS = Parameters(window=WINDOW)
AHEAD = 1  # a due beat is found a cycle ahead of its use
SCAN_LATENCY = 2
NUMBERS = 1 << PARAMETERS.beat_bits


class Inputs(NamedTuple):
    """What stands at the inputs at one edge."""

    restart: bool = False
    enable: bool = True
    up: bool = True
    up_entered: bool = False
    heard: bool = False  # any verified frame
    word: Word | None = None  # a verified beat
    line_busy: bool = False
    granted: bool = False  # the due beat goes
    mark: int | None = None  # slot whose frame goes
    waiting: int = 0
    owes: int = 0
    retry_ready: bool = False
    tick: bool = True


class Bench:
    """A beat unit, and the reference beside it."""

    def __init__(self, dut):
        self.unit = Clocked(dut)
        self.marks: dict[int, int] = {}
        self.restart()

    def restart(self) -> None:
        """Everything is volatile."""
        self.beat = Beat()
        self.marks.clear()
        self.idle = self.since_beat = self.silence = self.unanswered = 0
        # cycles in which a slot was overdue and none was offered
        self.overlooked: dict[int, int] = {}
        self.due = False

    async def start(self) -> "Bench":
        self._drive(Inputs())
        await self.unit.reset()
        self.restart()
        return self

    def _drive(self, inputs: Inputs) -> None:
        self.unit.drive(
            restart=inputs.restart,
            enable=inputs.enable,
            up=inputs.up,
            up_entered=inputs.up_entered,
            frame_valid=inputs.heard or inputs.word is not None,
            beat_valid=inputs.word is not None,
            beat_word=inputs.word.pack() if inputs.word else random.getrandbits(32),
            line_busy=inputs.line_busy,
            granted=inputs.granted,
            mark_valid=inputs.mark is not None,
            mark_slot=inputs.mark or 0,
            waiting=inputs.waiting,
            owes=inputs.owes,
            retry_ready=inputs.retry_ready,
            tick=inputs.tick,
        )

    def overdue(self, inputs: Inputs) -> set[int]:
        """Slots whose answer an echo has proved overdue."""
        return {
            slot
            for slot in range(WINDOW)
            if inputs.waiting & ~inputs.owes & 1 << slot
            and PARAMETERS.beats_ahead(self.beat.echo, self.marks.get(slot, 0)) > 0
        }

    async def cycle(self, inputs: Inputs = Inputs()) -> int | None:
        """One clock cycle; the slot that is offered for a retry."""
        unit, beat = self.unit, self.beat
        self._drive(inputs)
        await unit.settle()
        waits = inputs.waiting != 0
        busy = self.since_beat == BEAT_BUSY and (waits or beat.echo_owed)
        becomes_due = inputs.enable and inputs.up and (self.idle == BEAT_IDLE or busy)
        sent, word = model.send(PARAMETERS, beat, waits)
        unit.expect(
            due=self.due,
            word=word.pack(),
            incoming_dead=inputs.enable and self.silence == FAULT_BEATS * BEAT_IDLE,
            outgoing_dead=inputs.enable and self.unanswered == FAULT_BEATS,
        )
        overdue = self.overdue(inputs)
        retry = unit.read("retry_slot") if unit.read("retry_valid") else None
        assert retry is None or retry in overdue, f"slot {retry} is not overdue"
        before = self.overlooked
        self.overlooked = {slot: before.get(slot, 0) + (retry is None) for slot in overdue}
        if retry is not None:
            self.overlooked[retry] = 0
        scan = WINDOW + SCAN_LATENCY
        assert all(n <= scan for n in self.overlooked.values()), f"{overdue} are never offered"
        await unit.edge()
        self._follow(inputs, waits, sent)
        self.due = becomes_due and not inputs.granted and not inputs.restart
        return retry

    def _follow(self, inputs: Inputs, waits: bool, sent: Beat) -> None:
        """What the edge changes: what is sent was chosen before what is heard."""
        before = self.beat
        counting = waits or before.echo_owed
        if inputs.mark is not None:
            self.marks[inputs.mark] = before.number
        if inputs.word is not None:
            self.beat = model.hear(PARAMETERS, before, inputs.word)
        if inputs.granted:
            owed = inputs.word is not None and inputs.word.wanted
            self.beat = self.beat._replace(number=sent.number, echo_owed=owed)
        advanced = self.beat.echo != before.echo
        self.idle = min(self.idle + inputs.tick, BEAT_IDLE)
        if inputs.line_busy or inputs.granted:
            self.idle = 0
        self.since_beat = min(self.since_beat + inputs.tick, BEAT_BUSY)
        if inputs.granted or not counting:
            self.since_beat = 0
        self.silence = min(self.silence + inputs.tick, FAULT_BEATS * BEAT_IDLE)
        if inputs.heard or inputs.word is not None or inputs.up_entered:
            self.silence = 0
        if advanced or inputs.up_entered or not waits:
            self.unanswered = 0
        elif inputs.granted:
            self.unanswered = min(self.unanswered + 1, FAULT_BEATS)
        if inputs.restart:
            self.restart()

    async def send(self, inputs: Inputs = Inputs()) -> int:
        """Wait until a beat is due and let it go; how many cycles that took."""
        for cycles in range(2 * BEAT_IDLE):
            self._drive(inputs)
            await self.unit.settle()
            if self.unit.read("due"):
                await self.cycle(inputs._replace(granted=True))
                return cycles
            await self.cycle(inputs)
        raise AssertionError("no beat is due")


@cocotb.test()
@requirement("OAE-LNK-021")
async def when_beats_are_due(dut):
    """After an idle line, and while a slot waits or an echo is owed; never while off or not UP."""
    bench = await Bench(dut).start()
    for _ in range(3):
        assert await bench.send() == BEAT_IDLE + AHEAD
    for _ in range(3):
        assert await bench.send(Inputs(waiting=1, line_busy=True)) == BEAT_BUSY + AHEAD
    await bench.cycle(Inputs(word=Word(True, 5, None), line_busy=True))
    assert await bench.send(Inputs(line_busy=True)) == BEAT_BUSY + AHEAD
    for silent in (Inputs(enable=False, waiting=1), Inputs(up=False, waiting=1)):
        for _ in range(BEAT_IDLE + 5):
            await bench.cycle(silent)
            assert not bench.due
    await bench.cycle(Inputs(line_busy=True))
    for _ in range(BEAT_IDLE + 5):  # a busy line of a lane that waits for nothing
        await bench.cycle(Inputs(line_busy=True))
        assert not bench.due


@cocotb.test()
@requirement("OAE-LNK-022")
async def echoes(dut):
    """Of the echoes the newest counts; one ahead of my own number is not mine."""
    bench = await Bench(dut).start()
    for _ in range(5):
        await bench.send(Inputs(waiting=1))
    for echo in (3, 1, 6, NUMBERS - 1, NUMBERS // 2, 5, 4, None):
        await bench.cycle(Inputs(word=Word(False, 9, echo), waiting=1))
    assert bench.beat.echo == 5
    await bench.cycle(Inputs(restart=True))
    await bench.cycle()
    bench.unit.expect(word=Word(False, 1, None).pack())
    assert bench.beat == Beat()


@cocotb.test()
@requirement("OAE-LNK-023")
async def overdue_answers(dut):
    """A slot is offered exactly while an echo is ahead of the beat with which it last sent."""
    bench = await Bench(dut).start()
    every = (1 << WINDOW) - 1
    for _ in range(3):
        await bench.send(Inputs(waiting=every, owes=every))
    for slot in range(WINDOW):
        await bench.cycle(Inputs(mark=slot, waiting=every, owes=every))
    for echo, expected in ((2, False), (3, False), (4, True)):
        if echo == 4:
            await bench.send(Inputs(waiting=every))
        await bench.cycle(Inputs(word=Word(False, 1, echo), waiting=every))
        offered = {await bench.cycle(Inputs(waiting=every, retry_ready=True)) for _ in range(20)}
        assert (offered >= {*range(WINDOW)}) == expected
        assert (offered == {None}) != expected


@cocotb.test()
@requirement("OAE-LNK-022", "OAE-LNK-023")
async def restart_forgets_marks(dut):
    """Nothing is overdue after a restart until a new echo, whatever was marked before."""
    bench = await Bench(dut).start()
    # A slot that never sent, and one that sent more than half the numbers ago.
    bench.unit.dut.number.value = NUMBERS // 2 + 5
    bench.beat = bench.beat._replace(number=NUMBERS // 2 + 5)
    await bench.cycle(Inputs(mark=0, owes=1))
    await bench.cycle(Inputs(restart=True))
    every = (1 << WINDOW) - 1
    for _ in range(2 * WINDOW + 2):
        assert await bench.cycle(Inputs(waiting=every)) is None
    await bench.send(Inputs(waiting=every))
    await bench.cycle(Inputs(waiting=every, word=Word(False, 1, 1)))
    offered = {await bench.cycle(Inputs(waiting=every, retry_ready=True)) for _ in range(20)}
    assert offered >= {*range(WINDOW)}


@cocotb.test()
@requirement("OAE-LNK-025", "OAE-LNK-026")
async def dead_directions(dut):
    """Silence kills the incoming direction, beats without a new echo the outgoing one."""
    bench = await Bench(dut).start()
    for _ in range(FAULT_BEATS * BEAT_IDLE):
        await bench.cycle(Inputs(line_busy=True))
    assert bench.unit.read("incoming_dead")
    await bench.cycle(Inputs(line_busy=True, heard=True))
    assert not bench.unit.read("incoming_dead")
    for _ in range(FAULT_BEATS):
        assert not bench.unit.read("outgoing_dead")
        await bench.send(Inputs(waiting=1, heard=True))
    assert bench.unit.read("outgoing_dead")
    await bench.cycle(Inputs(waiting=1, word=Word(False, 1, 1)))
    assert not bench.unit.read("outgoing_dead")
    for _ in range(2 * FAULT_BEATS):  # nothing waits, so no echo is wanted
        await bench.send(Inputs(heard=True))
    assert not bench.unit.read("outgoing_dead")


@cocotb.test()
@requirement("OAE-LNK-021", "OAE-LNK-022", "OAE-LNK-023", "OAE-LNK-025", "OAE-LNK-026")
@requirement("OAE-LNK-031")
async def random_beats(dut):
    """Everything at random, also numbers that wrap."""
    bench = await Bench(dut).start()
    waiting = owes = 0
    dut.number.value = dut.echo.value = NUMBERS - 20
    bench.beat = bench.beat._replace(number=NUMBERS - 20, echo=NUMBERS - 20)
    bench.marks = dict.fromkeys(range(WINDOW), NUMBERS - 20)
    every = (1 << WINDOW) - 1
    for slot in range(WINDOW):
        await bench.cycle(Inputs(mark=slot, owes=every))
    retries = 0
    pace = [0.5, 0.1, 1.0]
    for number in range(CYCLES):
        if number % 200 == 0:
            pace = [random.choice(each) for each in ((0.02, 0.5), (0.01, 0.1), (0.3, 1.0))]
        if random.random() < 0.05:
            waiting = random.getrandbits(WINDOW) if random.random() < 0.8 else 0
        if random.random() < 0.1:
            owes = random.getrandbits(WINDOW)
        word = None
        if random.random() < pace[1]:
            ahead = random.choice((0, 0, -1, -2, -3, 1, NUMBERS // 2))
            echo = random.choice((None, (bench.beat.number + ahead) % NUMBERS))
            word = Word(random.random() < 0.3, random.randrange(NUMBERS), echo)
        inputs = Inputs(
            restart=random.random() < 0.002 and number > 500,
            enable=random.random() < 0.98,
            up=random.random() < 0.95,
            up_entered=random.random() < 0.005,
            heard=random.random() < pace[1] / 4,
            word=word,
            line_busy=random.random() < pace[0],
            # Only a frame that is owed goes.
            mark=random.choice([s for s in range(WINDOW) if owes >> s & 1] or [None]),
            waiting=waiting,
            owes=owes,
            retry_ready=random.random() < 0.5,
            tick=random.random() < pace[2],
        )
        # A beat goes only when it is due.
        due = bench.due and inputs.up and not inputs.restart
        inputs = inputs._replace(granted=due and random.random() < 0.4)
        retries += await bench.cycle(inputs) is not None
    assert retries
