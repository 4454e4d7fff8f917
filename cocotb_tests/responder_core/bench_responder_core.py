"""Responder core: every row of its table, and long random runs, in lockstep with the reference."""

import random
from itertools import product

import cocotb
from oae.model.events import Event
from oae.model.parameters import Parameters
from oae.model.responder import Refusal, names, settling
from oae.spec.constants import (
    CHANNEL_OF,
    AbortReason,
    Channel,
    EventCode,
    Kind,
    Operation,
    State,
)
from oae.testing import requirement

from cocotb_tests.responder_core.lockstep import Inputs, Lockstep, Request, digest_of

WINDOW = int(cocotb.plusargs["window"])
ID_BITS = int(cocotb.plusargs["id_bits"])
CYCLES = int(cocotb.plusargs["cycles"])
PARAMETERS = Parameters(window=WINDOW, id_bits=ID_BITS)
DATA, COMMIT, ABORT = Operation.DATA, Operation.COMMIT, Operation.ABORT
FRAME_GAP = 8  # cycles between the ends of two frames, at least
DELIVERY_GAP = 3  # and between two deliveries: a record is read from its store
CODES = {code for code in EventCode if CHANNEL_OF[code] == Channel.RESPONDER}
MAY_ASSERT = ["a frame that a correct peer cannot send"]  # it hears those too


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
            inputs = inputs._replace(frame=None)
        raise AssertionError(f"no step for {inputs}")

    async def hear(
        self,
        operation: Operation,
        id: int,
        equal: bool = True,
        kind: int = Kind.DATA,
        refusal: Refusal = Refusal(),
        stored: bool = True,
    ) -> Event:
        """The step that a frame leads to."""
        id &= PARAMETERS.id_mask
        frame = Request(operation, id, digest_of(id) ^ (not equal), kind, stored)
        return await self.until(Inputs(frame=frame, refusal=refusal))

    async def reach(self, state: str) -> int:
        """Bring the next id into a state; the id."""
        id = self.state.pointer
        if state == "IDLE":
            return id
        if state == "ABORTED":
            await self.hear(DATA, id, refusal=Refusal(host=True))
            return id
        assert (await self.hear(DATA, id)).code == EventCode.HELD
        assert (await self.until(Inputs())).code == EventCode.REFLECTED
        if state in ("COMMITTED", "DELIVERED"):
            assert (await self.hear(COMMIT, id)).code == EventCode.COMMIT_HEARD
        if state == "DELIVERED":
            assert (await self.until(Inputs(delivered=True))).code == EventCode.DELIVERED
        return id

    async def settle(self) -> None:
        """Let the core take what steps it takes by itself."""
        for _ in range(3):
            await self.cycle()

    async def release(self) -> None:
        """Forget everything."""
        await self.cycle(Inputs(amnesia=True))


# What each frame does in each state: with the slot's digest, and with another one.
REPEATED, AWAITED = EventCode.ANSWER_REPEATED, EventCode.DELIVERY_AWAITED
VIOLATION = EventCode.RESPONDER_VIOLATION
ROWS = {
    ("IDLE", DATA): (EventCode.HELD, EventCode.HELD),
    ("IDLE", COMMIT): (EventCode.COMMIT_IGNORED, EventCode.COMMIT_IGNORED),
    ("IDLE", ABORT): (EventCode.REVERSED, EventCode.REVERSED),
    ("REFLECTING", DATA): (REPEATED, REPEATED),
    ("REFLECTING", COMMIT): (EventCode.COMMIT_HEARD, VIOLATION),
    ("REFLECTING", ABORT): (EventCode.REVERSED, VIOLATION),
    ("COMMITTED", DATA): (AWAITED, AWAITED),
    ("COMMITTED", COMMIT): (AWAITED, AWAITED),
    ("COMMITTED", ABORT): (AWAITED, AWAITED),
    ("DELIVERED", DATA): (REPEATED, REPEATED),
    ("DELIVERED", COMMIT): (REPEATED, REPEATED),
    ("DELIVERED", ABORT): (REPEATED, REPEATED),
    ("ABORTED", DATA): (REPEATED, REPEATED),
    ("ABORTED", COMMIT): (REPEATED, REPEATED),
    ("ABORTED", ABORT): (REPEATED, REPEATED),
}


@cocotb.test()
@requirement("OAE-TXN-012", "OAE-TXN-013", "OAE-TXN-014", "OAE-TXN-015", "OAE-TXN-016")
@requirement("OAE-TXN-017", "OAE-TXN-018", "OAE-TXN-021")
async def frames_in_every_state(dut):
    """Every frame in every state, with the slot's digest and with another one."""
    bench = await Bench(dut).start()
    for (state, operation), expected in ROWS.items():
        for equal, code in zip((True, False), expected, strict=True):
            id = await bench.reach(state)
            event = await bench.hear(operation, id, equal)
            assert event.code == code, f"{state} {operation.name}"
            await bench.settle()
            await bench.release()


@cocotb.test()
@requirement("OAE-TXN-019")
async def a_record_that_was_not_stored_is_not_held(dut):
    """DATA whose words came beyond the window is dropped, though the pointer has moved since."""
    bench = await Bench(dut).start()
    for state in ("IDLE", "REFLECTING", "ABORTED", "DELIVERED"):
        id = await bench.reach(state)
        await bench.settle()
        event = await bench.hear(DATA, id, stored=False)
        assert event.code == (EventCode.BEYOND_WINDOW if state == "IDLE" else REPEATED)
        await bench.settle()
        await bench.release()
        fresh = bench.state.pointer
        assert (await bench.hear(DATA, fresh, stored=False)).code == EventCode.BEYOND_WINDOW
        assert (await bench.hear(DATA, fresh)).code == EventCode.HELD
        await bench.settle()
        await bench.release()


@cocotb.test()
@requirement("OAE-TXN-019", "OAE-TXN-020", "OAE-TXN-026")
async def window_comes_first(dut):
    """Ids beyond the window, or below the pointer and forgotten, are dropped in every state."""
    bench = await Bench(dut).start()
    for state, operation in product(("IDLE", "REFLECTING", "ABORTED"), (DATA, COMMIT, ABORT)):
        id = await bench.reach(state)
        await bench.settle()
        pointer = bench.state.pointer
        for distance in (WINDOW, WINDOW + 1, 2 ** (ID_BITS - 1) - 1):
            event = await bench.hear(operation, pointer + distance)
            assert event.code == EventCode.BEYOND_WINDOW
        # The slot still names the last id, and it is answered again.
        if state == "ABORTED":
            assert (await bench.hear(operation, id)).code == REPEATED
        for distance in (-WINDOW - 1, -(2 ** (ID_BITS - 1))):
            event = await bench.hear(operation, pointer + distance)
            assert event.code == EventCode.BELOW_WINDOW
        await bench.release()


@cocotb.test()
@requirement("OAE-TXN-010", "OAE-TXN-025", "OAE-TXN-026", "OAE-TXN-034")
async def delivers_once(dut):
    """The nominal course: ACK, COMMIT, delivery, and only then DONE; also past a window."""
    bench = await Bench(dut).start()
    for _ in range(2 * WINDOW + 1):
        id = await bench.reach("REFLECTING")
        index = id % WINDOW
        assert bench.state.slots[index].answer
        await bench.cycle(Inputs(grant=index, look=index))
        assert (await bench.hear(COMMIT, id)).code == EventCode.COMMIT_HEARD
        for _ in range(3):
            assert await bench.cycle() is None
        assert not bench.state.slots[index].answer
        await bench.until(Inputs(delivered=True))
        assert bench.state.slots[index].answer
        assert bench.state.pointer == id + 1 & PARAMETERS.id_mask
        await bench.cycle(Inputs(grant=index, look=index))
        assert (await bench.hear(COMMIT, id)).code == REPEATED


@cocotb.test()
@requirement("OAE-TXN-011", "OAE-EPO-001", "OAE-EPO-005")
async def refusals(dut):
    """Every combination of reasons: epoch first, then not prepared, then the host."""
    bench = await Bench(dut).start()
    for kind in Kind:
        for flags in product((False, True), repeat=3):
            refusal = Refusal(*flags)
            unprepared = refusal.not_prepared and kind == Kind.EPOCH_ADVANCE
            reason = (
                AbortReason.EPOCH
                if refusal.epoch
                else AbortReason.NOT_PREPARED
                if unprepared
                else AbortReason.REFUSED
                if refusal.host
                else AbortReason.NONE
            )
            event = await bench.hear(DATA, 0, kind=kind, refusal=refusal)
            if reason:
                assert (event.code, event.info) == (EventCode.REFUSED, reason)
            else:
                assert (event.code, event.info) == (EventCode.HELD, kind)
            await bench.settle()
            await bench.release()


@cocotb.test()
@requirement("OAE-TXN-024", "OAE-EPO-005", "OAE-EPO-007")
async def order_of_delivery(dut):
    """Delivery waits for the oldest id; aborted ids are skipped; an advance is no delivery."""
    bench = await Bench(dut).start()
    for id in reversed(range(WINDOW)):
        await bench.hear(DATA, id, kind=int(id == 1))
        await bench.settle()
        refused = await bench.hear(DATA, id, kind=1)
        assert refused.code == REPEATED
        if id:
            await bench.hear(COMMIT, id)
            assert bench.state.pointer == 0
    for _ in range(3):
        await bench.cycle()
    assert (await bench.hear(ABORT, 0)).code == EventCode.REVERSED
    steps = []
    while not bench.unit.read("deliver_valid") and len(steps) < 8:
        event = await bench.cycle()
        steps.append(event.code if event else None)
    for _ in range(3 * WINDOW):
        event = await bench.cycle(Inputs(delivered=bool(bench.unit.read("deliver_valid"))))
        if event is not None:
            steps.append(event.code)
    assert bench.state.pointer == WINDOW
    assert steps.count(EventCode.SKIPPED) == 1
    assert steps.count(EventCode.DELIVERED) == WINDOW - 1


@cocotb.test()
@requirement("OAE-TXN-032", "OAE-TXN-033", "OAE-TXN-022", "OAE-LNK-029")
async def crash_in_every_state(dut):
    """A crash forgets TENTATIVE, takes REVERSING back, and keeps everything else."""
    bench = await Bench(dut).start()
    for state in ("IDLE", "REFLECTING", "COMMITTED", "DELIVERED", "ABORTED"):
        for operation in (DATA, COMMIT, ABORT):
            id = await bench.reach(state)
            before = bench.state.slots[id % WINDOW]
            # The frame is lost at this edge, and so is a delivery.
            frame = Request(operation, id, digest_of(id))
            await bench.cycle(Inputs(crash=True, frame=frame))
            for _ in range(3):
                await bench.cycle()
            assert bench.state.slots[id % WINDOW] == before._replace(answer=False)
            await bench.release()
    for state, operation in (("IDLE", DATA), ("IDLE", ABORT), ("REFLECTING", ABORT)):
        id = await bench.reach(state)
        await bench.hear(operation, id)
        assert settling(bench.state) is not None
        await bench.cycle(Inputs(crash=True))
        assert bench.state.slots[id % WINDOW].state == State[state]
        for _ in range(3):
            assert await bench.cycle() is None
        await bench.release()


@cocotb.test()
@requirement("OAE-TXN-010", "OAE-TXN-025")
async def host_handshakes_delay_and_lose_nothing(dut):
    """A delivery at any cycle around a frame leaves its steps to follow."""
    if WINDOW == 1:
        return
    for operation, delay in product((DATA, ABORT), range(6)):
        bench = await Bench(dut).start()
        await bench.reach("COMMITTED")
        for number in range(8):
            frame = Request(operation, 1, digest_of(1)) if number == 2 else None
            await bench.cycle(Inputs(frame=frame, delivered=number == delay))
        assert bench.seen[EventCode.DELIVERED] == 1
        expected = State.REFLECTING if operation == DATA else State.ABORTED
        assert bench.state.slots[1].state == expected


@cocotb.test()
@requirement("OAE-TXN-027")
async def answers_are_flags(dut):
    """However often a frame comes, one answer is owed; a frame at the grant's edge owes another."""
    bench = await Bench(dut).start()
    id = await bench.reach("REFLECTING")
    for _ in range(3):
        await bench.hear(DATA, id)
    await bench.cycle(Inputs(grant=id % WINDOW))
    assert not bench.state.slots[id % WINDOW].answer
    await bench.hear(DATA, id)
    frame = Request(DATA, id, digest_of(id))
    await bench.cycle(Inputs(grant=id % WINDOW, frame=frame))
    assert bench.state.slots[id % WINDOW].answer


@cocotb.test()
@requirement("OAE-LNK-018", "OAE-LNK-019", "OAE-PRM-009", "OAE-LNK-011")
async def drains_while_the_session_changes(dut):
    """COMMITTED is delivered, REFLECTING told in doubt, the rest skipped, all in id order."""
    bench = await Bench(dut).start()
    states = [State.REFLECTING, State.COMMITTED, State.ABORTED, State.IDLE] * 2
    states[WINDOW - 1] = State.REFLECTING
    for id, state in enumerate(states[:WINDOW]):
        if state == State.IDLE:
            continue
        refusal = Refusal(host=state == State.ABORTED)
        await bench.hear(DATA, id, refusal=refusal)
        await bench.settle()
        if state == State.COMMITTED:
            await bench.hear(COMMIT, id)
    steps = []
    while bench.state.unresolved and len(steps) < 8 * WINDOW:
        ready = bool(bench.unit.read("deliver_valid"))
        event = await bench.cycle(Inputs(changing=True, delivered=ready, doubt_ready=True))
        if event is not None:
            steps.append(event.code)
    expected = {
        State.REFLECTING: EventCode.DOUBTED,
        State.COMMITTED: EventCode.DELIVERED,
        State.ABORTED: EventCode.SKIPPED,
        State.IDLE: EventCode.SKIPPED,
    }
    assert steps == [expected[state] for state in states[:WINDOW]]
    await bench.cycle(Inputs(changing=True, adopt=True))
    assert bench.state.pointer == 0
    assert (await bench.hear(COMMIT, 0)).code == EventCode.COMMIT_IGNORED


class Campaign(Bench):
    """Everything at random, as the rest of an end may bring it."""

    def __init__(self, dut):
        super().__init__(dut)
        self.quiet = 0  # cycles since a frame
        self.since_delivery = 0
        self.leaving = False  # the peer's session changes once its last frame is taken
        self.changing = False
        self.pace = 0.5

    def request(self) -> Request | None:
        """A frame from the peer: likely, unlikely or wrong."""
        if self.leaving or self.quiet < FRAME_GAP or random.random() < 0.2:
            return None
        id = self.state.pointer + random.randint(-WINDOW - 1, WINDOW + 1)
        if random.random() < 0.6:
            id = self.state.pointer + random.randrange(self.window)
        elif random.random() < 0.1:
            id = random.getrandbits(ID_BITS)
        id &= PARAMETERS.id_mask
        slot = names(self.state, self.window, id)
        operation = random.choice((DATA, COMMIT, ABORT))
        if random.random() < 0.6:
            operation = DATA if slot is None else COMMIT
        digest = slot.digest if slot else digest_of(id)
        if random.random() < 0.15:
            digest ^= 1 << random.randrange(32)
        kind, stored = int(random.random() < 0.25), random.random() < 0.9
        return Request(operation, id, digest, kind, stored)

    def inputs(self) -> Inputs:
        """Inputs of the next cycle."""
        self.leaving = self.leaving or random.random() < 0.004
        # Once it has begun, also across a crash.
        self.changing = self.changing or (self.leaving and self.quiet > FRAME_GAP)
        drained = self.changing and not self.state.unresolved
        owing = [i for i in range(WINDOW) if self.state.slots[i].answer]
        owing = [i for i in owing if self.unit.read("owes_answer") >> i & 1]
        grants = owing and not self.changing and random.random() < 0.3
        ready = self.since_delivery >= DELIVERY_GAP and self.unit.read("deliver_valid")
        refusal = Refusal(
            epoch=random.random() < 0.05,
            not_prepared=random.random() < 0.3,
            host=random.random() < 0.1,
        )
        return Inputs(
            crash=random.random() < 0.01,
            amnesia=random.random() < 0.003,
            changing=self.changing,
            adopt=drained and random.random() < 0.3,
            frame=self.request(),
            refusal=refusal,
            delivered=bool(ready) and random.random() < self.pace,
            doubt_ready=random.random() < self.pace,
            grant=random.choice(owing) if grants else None,
            look=random.randrange(WINDOW),
            store_id=self.state.pointer + random.randint(-2, WINDOW + 1) & PARAMETERS.id_mask,
        )

    async def one(self) -> None:
        """One random cycle."""
        inputs = self.inputs()
        if inputs.restart:
            inputs = inputs._replace(adopt=False)
        self.quiet = 0 if inputs.frame or inputs.restart else self.quiet + 1
        self.since_delivery = 0 if inputs.delivered else self.since_delivery + 1
        await self.cycle(inputs)
        if inputs.adopt:
            self.window = 1 << random.randrange(WINDOW.bit_length())
        if inputs.amnesia:
            self.window = WINDOW
        if inputs.adopt or inputs.amnesia:
            self.leaving = self.changing = False


@cocotb.test()
@requirement("OAE-TXN-010", "OAE-TXN-022", "OAE-TXN-024", "OAE-TXN-025", "OAE-TXN-026")
@requirement("OAE-TXN-032", "OAE-TXN-033", "OAE-TXN-034", "OAE-LNK-018", "OAE-LNK-019")
async def random_lockstep(dut):
    """Random frames, handshakes, restarts and session changes: the same steps, the same words."""
    bench = await Campaign(dut).start()
    for _ in range(10):
        bench.pace = random.choice((0.05, 0.5, 1.0))
        for _ in range(CYCLES // 10):
            await bench.one()
    missing = CODES - bench.seen.keys()
    assert not missing, f"never seen: {missing}"
    dut._log.info("steps: %s", {code.name: count for code, count in bench.seen.items()})
