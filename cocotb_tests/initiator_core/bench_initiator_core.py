"""Initiator core: every row of its table, and long random runs, in lockstep with the reference."""

import random

import cocotb
from oae.model.events import Event
from oae.model.initiator import names
from oae.model.parameters import Parameters
from oae.spec.constants import (
    CHANNEL_OF,
    AbortReason,
    Channel,
    EventCode,
    Kind,
    Operation,
    Outcome,
    State,
)
from oae.testing import requirement

from cocotb_tests.initiator_core.lockstep import Answer, Inputs, Lockstep, digest_of

WINDOW = int(cocotb.plusargs["window"])
ID_BITS = int(cocotb.plusargs["id_bits"])
CYCLES = int(cocotb.plusargs["cycles"])
PARAMETERS = Parameters(window=WINDOW, id_bits=ID_BITS)
ACK, DONE, ABORTED = Operation.ACK, Operation.DONE, Operation.ABORTED
TAGS = 6
FRAME_GAP = 8  # cycles between the ends of two frames, at least
CODES = {code for code in EventCode if CHANNEL_OF[code] == Channel.INITIATOR}
MAY_ASSERT = ["an answer that a correct peer cannot send"]  # it hears those too


class Bench(Lockstep):
    """A core, driven one step at a time."""

    def __init__(self, dut):
        super().__init__(dut, PARAMETERS)

    async def until(self, inputs: Inputs, limit: int = 8) -> Event:
        """Hold the inputs until a step is taken."""
        for _ in range(limit):
            event = await self.cycle(inputs)
            if event is not None:
                return event
            inputs = inputs._replace(frame=None, resend=False)
        raise AssertionError(f"no step for {inputs}")

    async def open(self, kind: int = Kind.DATA, tag: int = 0) -> int:
        """Open a transaction; its id."""
        event = await self.until(Inputs(can_open=True, open_kind=kind, submit_tag=tag))
        assert event.code == EventCode.OPENED
        return event.value

    async def hear(self, operation: Operation, id: int, equal: bool = True, reason: int = 0):
        """The step that a frame leads to."""
        digest = digest_of(id) ^ (not equal)
        return (await self.until(Inputs(frame=Answer(operation, id, digest, reason)))).code

    async def tell(self) -> Event:
        """The host takes the next completion."""
        return await self.until(Inputs(tell_ready=True))

    async def grant(self, id: int) -> None:
        """The frame that the slot owes goes."""
        await self.cycle(Inputs(grant=id % self.window))

    async def reach(self, state: str) -> int:
        """Bring a new transaction into a state; its id."""
        id = await self.open()
        await self.grant(id)
        if state in ("COMMITTED", "KNOWN"):
            assert await self.hear(ACK, id) == EventCode.REFLECTION_HEARD
            assert (await self.until(Inputs())).code == EventCode.DECIDED
        if state == "KNOWN":
            assert await self.hear(DONE, id) == EventCode.DONE_HEARD
        if state == "REVERSING":
            assert (await self.until(Inputs(cancel_tag=0))).code == EventCode.CANCELLED
        if state == "ABORTED":
            assert await self.hear(ABORTED, id, reason=2) == EventCode.ABORT_CONFIRMED
        if state == "IDLE":
            assert await self.hear(ABORTED, id) == EventCode.ABORT_CONFIRMED
            await self.tell()
        return id

    async def release(self) -> None:
        """Forget everything."""
        await self.cycle(Inputs(amnesia=True))


# What each answer does in each state: with the slot's digest, and with another one.
IGNORED, VIOLATION = EventCode.ANSWER_IGNORED, EventCode.INITIATOR_VIOLATION
HEARD, REPEATED = EventCode.REFLECTION_HEARD, EventCode.REFLECTION_REPEATED
CONFIRMED = EventCode.ABORT_CONFIRMED
ROWS = {
    ("IDLE", ACK): (IGNORED, IGNORED),
    ("IDLE", DONE): (IGNORED, IGNORED),
    ("IDLE", ABORTED): (IGNORED, IGNORED),
    ("TENTATIVE", ACK): (HEARD, HEARD),
    ("TENTATIVE", DONE): (VIOLATION, IGNORED),
    ("TENTATIVE", ABORTED): (CONFIRMED, IGNORED),
    ("COMMITTED", ACK): (REPEATED, REPEATED),
    ("COMMITTED", DONE): (EventCode.DONE_HEARD, IGNORED),
    ("COMMITTED", ABORTED): (VIOLATION, IGNORED),
    ("KNOWN", ACK): (IGNORED, IGNORED),
    ("KNOWN", DONE): (IGNORED, IGNORED),
    ("KNOWN", ABORTED): (VIOLATION, IGNORED),
    ("REVERSING", ACK): (IGNORED, IGNORED),
    ("REVERSING", DONE): (VIOLATION, IGNORED),
    ("REVERSING", ABORTED): (CONFIRMED, IGNORED),
    ("ABORTED", ACK): (IGNORED, IGNORED),
    ("ABORTED", DONE): (IGNORED, IGNORED),
    ("ABORTED", ABORTED): (IGNORED, IGNORED),
}


@cocotb.test()
@requirement("OAE-TXN-005", "OAE-TXN-006", "OAE-TXN-007", "OAE-TXN-008")
async def answers_in_every_state(dut):
    """Every answer in every state, with the slot's digest, another one, and another id."""
    bench = await Bench(dut).start()
    for (state, operation), expected in ROWS.items():
        for equal, code in zip((True, False), expected, strict=True):
            id = await bench.reach(state)
            assert await bench.hear(operation, id, equal) == code, f"{state} {operation.name}"
            await bench.release()
        id = await bench.reach(state)
        for other in (id + WINDOW, id - WINDOW, id ^ 1 << ID_BITS - 1):
            assert await bench.hear(operation, other & PARAMETERS.id_mask) == IGNORED
        await bench.release()


@cocotb.test()
@requirement("OAE-TXN-001", "OAE-TXN-002", "OAE-TXN-029")
async def commits_once(dut):
    """The nominal course: four frames, and one completion that frees the slot."""
    bench = await Bench(dut).start()
    for number in range(2 * WINDOW + 1):
        id = await bench.open(tag=number)
        assert id == number & PARAMETERS.id_mask
        await bench.grant(id)
        assert await bench.hear(ACK, id) == HEARD
        assert (await bench.until(Inputs())).code == EventCode.DECIDED
        await bench.grant(id)
        assert await bench.hear(DONE, id) == EventCode.DONE_HEARD
        assert bench.state.busy
        assert (await bench.tell()).info == Outcome.COMMITTED
        assert not bench.state.busy


@cocotb.test()
@requirement("OAE-TXN-003")
async def another_reflection_is_taken_back(dut):
    """A reflection with another digest leads to ABORT, never to COMMIT."""
    bench = await Bench(dut).start()
    id = await bench.reach("TENTATIVE")
    assert await bench.hear(ACK, id, equal=False) == HEARD
    assert (await bench.until(Inputs())).code == EventCode.MISMATCHED
    assert bench.state.owed(id) == Operation.ABORT
    await bench.grant(id)
    assert await bench.hear(ABORTED, id, reason=AbortReason.REQUESTED) == CONFIRMED
    assert (await bench.tell()).info == AbortReason.REQUESTED << 2 | Outcome.ABORTED


@cocotb.test()
@requirement("OAE-TXN-004")
async def cancel_by_tag(dut):
    """Cancel takes back what is TENTATIVE and nothing else."""
    bench = await Bench(dut).start()
    for state in ("IDLE", "TENTATIVE", "COMMITTED", "KNOWN", "REVERSING", "ABORTED"):
        await bench.reach(state)
        event = await bench.until(Inputs(cancel_tag=1, cancel_noise=~0 & (1 << WINDOW) - 1))
        assert event.code == EventCode.CANCEL_IGNORED
        event = await bench.until(Inputs(cancel_tag=0))
        cancelled = event.code == EventCode.CANCELLED
        assert cancelled == (state == "TENTATIVE"), state
        await bench.release()


@cocotb.test()
@requirement("OAE-TXN-001", "OAE-TXN-039", "OAE-EPO-005")
async def opens_only_where_it_may(dut):
    """No record is opened into a busy slot, while not allowed, or beside another advance."""
    bench = await Bench(dut).start()
    for _ in range(4):
        assert await bench.cycle(Inputs(open_kind=Kind.DATA)) is None
    await bench.open(Kind.EPOCH_ADVANCE)
    for _ in range(4):
        busy = Inputs(can_open=True, open_kind=Kind.EPOCH_ADVANCE)
        assert await bench.cycle(busy) is None
    for _ in range(WINDOW - 1):
        await bench.open()
    for _ in range(4):
        assert await bench.cycle(Inputs(can_open=True, open_kind=Kind.DATA)) is None
    await bench.cycle(Inputs(crash=True))
    busy = Inputs(can_open=True, open_kind=Kind.EPOCH_ADVANCE)
    for _ in range(4):
        assert await bench.cycle(busy) is None


@cocotb.test()
@requirement("OAE-TXN-009", "OAE-TXN-032", "OAE-LNK-029")
async def crash_in_every_state(dut):
    """A crash takes back what is not decided, frees nothing, and keeps the ids."""
    bench = await Bench(dut).start()
    for state in ("IDLE", "TENTATIVE", "COMMITTED", "KNOWN", "REVERSING", "ABORTED"):
        for when in range(4):
            id = await bench.reach(state)
            for _ in range(when):
                await bench.cycle()  # with an offer or without one
            frame = Answer(ACK, id, digest_of(id))
            await bench.cycle(
                Inputs(crash=True, frame=frame, can_open=True, open_kind=0, tell_ready=True)
            )
            after = bench.state.slots[id % WINDOW].state
            kept = {"IDLE": State.IDLE, "COMMITTED": State.COMMITTED, "KNOWN": State.COMMITTED}
            assert after == kept.get(state, State.REVERSING), state
            assert bench.state.next_id == id + 1
            for _ in range(3):
                assert await bench.cycle() is None  # the frame is lost
            await bench.release()
    # REFLECTING lasts one cycle.
    id = await bench.reach("TENTATIVE")
    await bench.hear(ACK, id)
    await bench.cycle(Inputs(crash=True))
    assert bench.state.slots[id % WINDOW].state == State.REVERSING


@cocotb.test()
@requirement("OAE-TXN-029", "OAE-TXN-040")
async def host_handshakes_delay_and_lose_nothing(dut):
    """A completion taken at any cycle around a reflection leaves its steps to follow."""
    for delay in range(6):
        bench = await Bench(dut).start()
        refused = Inputs(refusal=AbortReason.RECORD_INVALID, submit_tag=3)
        id = await bench.reach("TENTATIVE")
        for _ in range(3):
            await bench.cycle(refused)
        assert bench.offered
        frame = Answer(ACK, id, digest_of(id))
        for number in range(8):
            taking = number >= delay
            heard = frame if number == 2 else None
            inputs = refused._replace(tell_ready=taking, frame=heard)
            if bench.seen.get(EventCode.UNOPENED_TOLD):
                inputs = inputs._replace(refusal=None)
            await bench.cycle(inputs)
        assert bench.state.slots[id % WINDOW].state == State.COMMITTED
        assert [event.code for event in bench.events].count(EventCode.DECIDED) == 1


@cocotb.test()
@requirement("OAE-LNK-013", "OAE-LNK-023")
async def sends_again(dut):
    """Resend and retry make what waits send once; what does not wait stays silent."""
    bench = await Bench(dut).start()
    for state in ("IDLE", "TENTATIVE", "COMMITTED", "KNOWN", "REVERSING", "ABORTED"):
        for again in (Inputs(resend=True), Inputs(retry=0)):
            await bench.release()
            id = await bench.reach(state)
            if bench.state.slots[0].send:
                await bench.grant(id)
            waits = state in ("TENTATIVE", "COMMITTED", "REVERSING")
            for _ in range(3):
                await bench.cycle(again)
            assert bench.state.slots[0].send == waits, state


@cocotb.test()
@requirement("OAE-TXN-037", "OAE-TXN-038")
async def records_that_are_no_transactions(dut):
    """A refused record is told and a discarded one is not; neither takes an id."""
    bench = await Bench(dut).start()
    for reason in (AbortReason.RECORD_TOO_LONG, AbortReason.RECORD_INVALID):
        inputs = Inputs(refusal=reason, submit_tag=0xABCD, tell_ready=True)
        event = await bench.until(inputs)
        assert event.code == EventCode.UNOPENED_TOLD
    event = await bench.until(Inputs(discard=True, submit_tag=0x1234))
    assert event == Event(EventCode.RECORD_DISCARDED, value=0x1234)
    assert bench.state.next_id == 0


@cocotb.test()
@requirement("OAE-LNK-017", "OAE-LNK-019", "OAE-LNK-011")
async def drains_while_the_session_changes(dut):
    """Known outcomes are told as they are, the undecided ABORTED, the unconfirmed UNKNOWN."""
    bench = await Bench(dut).start()
    lost = AbortReason.PEER_LOST_MEMORY << 2
    expected = {
        "TENTATIVE": lost | Outcome.ABORTED,
        "REVERSING": lost | Outcome.ABORTED,
        "COMMITTED": lost | Outcome.UNKNOWN,
        "KNOWN": Outcome.COMMITTED,
        "ABORTED": AbortReason.REFUSED << 2 | Outcome.ABORTED,
    }
    for state, info in expected.items():
        await bench.reach(state)
        event = await bench.until(Inputs(changing=True, tell_ready=True))
        assert (event.code, event.info) == (EventCode.TOLD, info), state
        await bench.cycle(Inputs(changing=True, adopt=True))
        assert bench.state.next_id == 0
        assert await bench.open() == 0
        await bench.release()


class Campaign(Bench):
    """Everything at random, as the rest of an end may bring it."""

    def __init__(self, dut):
        super().__init__(dut)
        self.submit: dict[str, object] = {}
        self.cancelling: int | None = None
        self.quiet = 0  # cycles since a frame
        self.changing = False
        self.up = True
        self.pace = 0.5

    def record(self) -> dict[str, object]:
        """What stands at the submit side until it is taken."""
        if not self.submit and random.random() < self.pace:
            choice = random.random()
            self.submit = {"submit_tag": random.randrange(TAGS)}
            if choice < 0.8:
                self.submit["open_kind"] = int(random.random() < 0.2)
            elif choice < 0.9:
                self.submit["refusal"] = random.choice(
                    (AbortReason.RECORD_TOO_LONG, AbortReason.RECORD_INVALID)
                )
            else:
                self.submit["discard"] = True
        return self.submit

    def answer(self) -> Answer | None:
        """A frame from the peer: likely, unlikely or wrong."""
        if not self.up or self.quiet < FRAME_GAP or random.random() < 0.3:
            return None
        busy = [slot for slot in self.state.slots if slot.state != State.IDLE]
        operation = random.choice((ACK, DONE, ABORTED))
        id = self.state.next_id - 1 + random.randint(-2 * WINDOW, 2)
        if busy and random.random() < 0.75:
            slot = random.choice(busy)
            id = slot.id
            if slot.state == State.COMMITTED:
                operation = random.choice((DONE, DONE, operation))
            elif slot.state == State.REVERSING:
                operation = random.choice((ABORTED, ABORTED, operation))
            elif slot.state == State.TENTATIVE:
                operation = random.choice((ACK, ACK, operation))
        elif random.random() < 0.1:
            id = random.getrandbits(ID_BITS)
        id &= PARAMETERS.id_mask
        slot = names(self.state, self.window, id)
        digest = slot.digest if slot else digest_of(id)
        if random.random() < 0.15:
            digest ^= 1 << random.randrange(32)
        return Answer(operation, id, digest, random.choice((1, 2, 3, 4)))

    def inputs(self) -> Inputs:
        """Inputs of the next cycle."""
        slots = self.state.slots
        if random.random() < 0.03:
            self.up = not self.up
        if not self.changing and self.quiet > FRAME_GAP and random.random() < 0.01:
            self.changing = True
        if self.changing:
            self.up = False
        drained = self.changing and not self.state.busy
        if self.cancelling is None and random.random() < 0.1:
            self.cancelling = random.randrange(TAGS)
        owing = [index for index in range(WINDOW) if self.state.owed(index) is not None]
        retry = [i for i, slot in enumerate(slots) if slot.waiting and not slot.send]
        if random.random() < 0.1:
            retry = [random.randrange(WINDOW)]
        return Inputs(
            crash=random.random() < 0.01,
            amnesia=random.random() < 0.003,
            can_open=self.up and random.random() < 0.9,
            changing=self.changing,
            adopt=drained and random.random() < 0.3,
            resend=random.random() < 0.03,
            frame=self.answer(),
            cancel_tag=self.cancelling,
            cancel_noise=random.getrandbits(WINDOW),
            retry=random.choice(retry) if retry and random.random() < 0.2 else None,
            grant=random.choice(owing) if owing and self.up and random.random() < 0.5 else None,
            tell_ready=random.random() < self.pace,
            look=random.randrange(WINDOW),
            **self.record(),
        )

    async def one(self) -> None:
        """One random cycle."""
        inputs = self.inputs()
        if inputs.restart:
            inputs = inputs._replace(adopt=False)
        self.quiet = 0 if inputs.frame else self.quiet + 1
        event = await self.cycle(inputs)
        if event is None:
            pass
        elif event.code in (EventCode.CANCELLED, EventCode.CANCEL_IGNORED):
            self.cancelling = None
        elif event.code in (
            EventCode.OPENED,
            EventCode.UNOPENED_TOLD,
            EventCode.RECORD_DISCARDED,
        ):
            self.submit = {}
        if inputs.restart:
            self.submit = {}
            self.quiet = 0
        if inputs.adopt:
            self.window = 1 << random.randrange(WINDOW.bit_length())
        if inputs.amnesia:
            self.window = WINDOW
        if inputs.adopt or inputs.amnesia:
            self.changing = False

    async def drain(self) -> None:
        """With a peer that answers and a host that listens, every slot comes free."""
        for _ in range(WINDOW * 40):
            for index, slot in enumerate(self.state.slots):
                owed = self.state.owed(index)
                if owed is not None:
                    reply = {Operation.DATA: ACK, Operation.COMMIT: DONE, Operation.ABORT: ABORTED}
                    await self.cycle(Inputs(grant=index, tell_ready=True))
                    frame = Answer(reply[owed], slot.id, slot.digest)
                    await self.cycle(Inputs(frame=frame, tell_ready=True))
            await self.cycle(Inputs(tell_ready=True, retry=random.randrange(WINDOW)))
            if not self.state.busy and not self.offered:
                return
        raise AssertionError(f"slots stay busy: {self.state}")


@cocotb.test()
@requirement("OAE-TXN-001", "OAE-TXN-009", "OAE-TXN-029", "OAE-TXN-032", "OAE-TXN-034")
@requirement("OAE-TXN-035", "OAE-TXN-040", "OAE-LNK-017", "OAE-LNK-019", "OAE-PRM-004")
async def random_lockstep(dut):
    """Random frames, handshakes, restarts and session changes: the same steps, the same words."""
    bench = await Campaign(dut).start()
    for part in range(10):
        bench.pace = random.choice((0.05, 0.5, 1.0))
        for _ in range(CYCLES // 10):
            await bench.one()
        if part % 3 == 2 and not bench.changing:
            bench.submit = {}
            bench.cancelling = None
            await bench.drain()
    missing = CODES - bench.seen.keys()
    assert not missing, f"never seen: {missing}"
    dut._log.info("steps: %s", {code.name: count for code, count in bench.seen.items()})
