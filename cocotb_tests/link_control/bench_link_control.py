"""Link machine: its rules one by one, and long random runs, in lockstep with the reference."""

import random

import cocotb
from oae.frame import Sync
from oae.model.events import Event
from oae.model.parameters import Parameters
from oae.spec.constants import CHANNEL_OF, Channel, EventCode, LinkState, Operation
from oae.testing import requirement

from cocotb_tests.link_control.lockstep import SESSION_CYCLES, Inputs, Lockstep

WINDOW = int(cocotb.plusargs["window"])
RECORD_MAX = int(cocotb.plusargs["record_max"])
INTERVAL = int(cocotb.plusargs["interval"])
CYCLES = int(cocotb.plusargs["cycles"])
PARAMETERS = Parameters(window=WINDOW, record_max=RECORD_MAX)
SYNC, SYNC_ACK = Operation.SYNC, Operation.SYNC_ACK
OWN, PEER, OTHER = 0x1111_2222_3333_4444, 0x5555_6666_7777_8888, 0x9999_AAAA_BBBB_CCCC
# Sizes that each session stands for.
SIZES = {PEER: (WINDOW, RECORD_MAX), OTHER: (1, 24), PEER + 1: (64, 1488), OTHER + 1: (2, 32)}
CODES = {code for code in EventCode if CHANNEL_OF[code] == Channel.LINK}


class Bench(Lockstep):
    """A link machine, driven one step at a time."""

    def __init__(self, dut):
        super().__init__(dut, PARAMETERS, INTERVAL)
        self.held = Inputs(session=OWN)

    def sync(self, session: int, verified: int = 0, **fields: int) -> Sync:
        """What a peer says; a SYNC_ACK answers the outstanding challenge."""
        window, record_max = SIZES.get(session, (WINDOW, RECORD_MAX))
        link = self.state
        sync = Sync(session, verified, link.session, link.counter, record_max, window)
        return sync._replace(**fields)

    async def hear(self, operation: Operation, sync: Sync) -> Event:
        """The step that a SYNC or SYNC_ACK leads to."""
        event = await self.cycle(self.held._replace(frame=(operation, sync)))
        assert event is not None
        return event

    async def until(self, code: EventCode, limit: int = 2 * INTERVAL) -> int:
        """Cycles until this step, and no other, is taken."""
        for cycles in range(limit):
            event = await self.cycle(self.held)
            if event is not None:
                assert event.code == code, f"{event}, expected {code.name}"
                return cycles
        raise AssertionError(f"{code.name} is not taken")

    async def send_sync(self) -> None:
        """Let the SYNC that is owed go, as soon as it is offered."""
        for _ in range(SESSION_CYCLES):
            if self.unit.read("owes_sync"):
                await self.cycle(self.held._replace(grant_sync=True))
                return
            await self.cycle(self.held)
        raise AssertionError("no SYNC is owed")

    async def bring_up(self, peer: int = PEER) -> None:
        """From DOWN to UP with this peer."""
        await self.until(EventCode.ENABLED)
        await self.send_sync()
        if self.state.verified != peer:
            assert (await self.hear(SYNC_ACK, self.sync(peer))).info == 1
            await self.until(EventCode.SESSION_ADOPTED)
            await self.send_sync()
        await self.hear(SYNC_ACK, self.sync(peer, OWN))
        assert self.state.state == LinkState.UP


@cocotb.test()
@requirement("OAE-LNK-001", "OAE-LNK-005", "OAE-LNK-006", "OAE-LNK-011", "OAE-LNK-019")
async def comes_up(dut):
    """Challenge, verification, adoption, second challenge; no timer is waited for."""
    bench = await Bench(dut).start()
    for _ in range(3):
        assert await bench.cycle(Inputs()) is None  # no session, no challenge
    await bench.bring_up(OTHER)
    assert (bench.state.window, bench.state.record_max) == (1, min(24, RECORD_MAX))
    assert bench.unit.cycle < 2 * SESSION_CYCLES + 20


@cocotb.test()
@requirement("OAE-LNK-002", "OAE-LNK-009")
async def only_a_fresh_answer_is_believed(dut):
    """Stale answers, challenges and loopbacks change nothing that is held about the peer."""
    bench = await Bench(dut).start()
    await bench.bring_up()
    known = bench.state
    for operation, sync, code in (
        (SYNC_ACK, bench.sync(OTHER), EventCode.SYNC_ACK_STALE),
        (SYNC, bench.sync(OTHER, OWN), EventCode.SYNC_HEARD),
        (SYNC_ACK, bench.sync(OTHER, counter=known.counter), EventCode.SYNC_ACK_STALE),
        (SYNC_ACK, bench.sync(OTHER, counter=known.counter + 2), EventCode.SYNC_ACK_STALE),
        (SYNC_ACK, bench.sync(OTHER, challenger=PEER), EventCode.SYNC_ACK_STALE),
        (SYNC, bench.sync(OWN), EventCode.LOOPBACK),
        (SYNC_ACK, bench.sync(OWN), EventCode.LOOPBACK),
    ):
        assert (await bench.hear(operation, sync)).code == code
        assert bench.state.verified == known.verified
        assert not bench.state.changing
        assert bench.state.state == LinkState.UP
    await bench.hear(SYNC_ACK, bench.sync(OTHER, counter=bench.state.counter))
    assert bench.state.changing


@cocotb.test()
@requirement("OAE-LNK-003", "OAE-LNK-004", "OAE-LNK-012")
async def challenges(dut):
    """Which SYNC starts a challenge; while one is outstanding the counter stays."""
    bench = await Bench(dut).start()
    await bench.bring_up()
    counter = bench.state.counter
    assert (await bench.hear(SYNC, bench.sync(PEER, OWN))).info == 0
    other_sizes = bench.sync(PEER, OWN, record_max=8)
    assert (await bench.hear(SYNC, other_sizes)).code == EventCode.PAIR_VIOLATION
    for impossible in ({"window": 0}, {"window": 3}, {"record_max": 0}):
        event = await bench.hear(SYNC, bench.sync(OTHER, **impossible))
        assert event.code == EventCode.PAIR_VIOLATION
    assert bench.state.counter == counter
    for _ in range(3):
        assert (await bench.hear(SYNC, bench.sync(OTHER))).info == 1
        assert bench.state.counter == counter + 1
    bench.held = bench.held._replace(incoming_dead=True)
    await bench.until(EventCode.INCOMING_DEAD)
    # Not UP, and named by the verified peer.
    assert (await bench.hear(SYNC, bench.sync(PEER))).info == 0
    assert (await bench.hear(SYNC, bench.sync(PEER, OWN))).info == 1
    assert bench.state.counter == counter + 1


@cocotb.test()
@requirement("OAE-LNK-007", "OAE-LNK-008")
async def timers(dut):
    """SYNC repeats each interval until answered; foreign frames challenge at most as often."""
    bench = await Bench(dut).start()
    await bench.until(EventCode.ENABLED)
    for _ in range(3):
        await bench.send_sync()
        counter = bench.state.counter
        assert await bench.until(EventCode.SYNC_DUE) == INTERVAL
        assert bench.state.counter == counter
    bench.held = bench.held._replace(enable=False)
    await bench.until(EventCode.DISABLED)
    bench.held = bench.held._replace(enable=True)
    await bench.bring_up()
    bench.held = bench.held._replace(foreign=True)
    first = await bench.until(EventCode.FOREIGN_SESSION)
    assert first <= INTERVAL
    await bench.send_sync()
    await bench.hear(SYNC_ACK, bench.sync(PEER, OWN))
    assert await bench.until(EventCode.FOREIGN_SESSION) == INTERVAL - 1


@cocotb.test()
@requirement("OAE-LNK-031")
async def the_timer_counts_ticks(dut):
    """However many cycles lie between them; without any, no SYNC repeats."""
    bench = await Bench(dut).start()
    await bench.until(EventCode.ENABLED)
    await bench.send_sync()
    between = bench.held._replace(tick=False)
    for gap in (0, 1, 3):
        for _ in range(INTERVAL):
            for _ in range(gap):
                assert await bench.cycle(between) is None
            assert await bench.cycle(bench.held) is None
        assert await bench.until(EventCode.SYNC_DUE) == 0
        await bench.send_sync()


@cocotb.test()
@requirement("OAE-LNK-005", "OAE-LNK-010", "OAE-LNK-027")
async def states(dut):
    """UP is left when the peer stops naming me, when a direction is dead, and when disabled."""
    bench = await Bench(dut).start()
    await bench.bring_up()
    plain = bench.held
    bench.held = plain._replace(foreign=True)
    await bench.until(EventCode.FOREIGN_SESSION)
    bench.held = plain
    await bench.hear(SYNC_ACK, bench.sync(PEER, OTHER))
    assert bench.state.state == LinkState.SYNCING
    for code in (EventCode.INCOMING_DEAD, EventCode.OUTGOING_DEAD):
        await bench.hear(SYNC, bench.sync(PEER, OWN))
        await bench.hear(SYNC_ACK, bench.sync(PEER, OWN))
        assert bench.state.state == LinkState.UP
        bench.held = plain._replace(**{code.name.lower(): True})
        await bench.until(code)
        assert bench.state.state == LinkState.FAULT
        bench.held = plain
    await bench.hear(SYNC_ACK, bench.sync(PEER, OWN))
    assert bench.state.state == LinkState.UP
    bench.held = plain._replace(enable=False)
    await bench.until(EventCode.DISABLED)
    frame = (SYNC, bench.sync(PEER, OWN))
    assert await bench.cycle(bench.held._replace(frame=frame)) is None


@cocotb.test()
@requirement("OAE-LNK-013", "OAE-LNK-014", "OAE-LNK-015")
async def resends(dut):
    """RESENT follows when the SYNC_ACK to the verified session goes, whatever else comes."""
    for other in (None, SYNC, SYNC_ACK):
        bench = await Bench(dut).start()
        await bench.bring_up()
        await bench.hear(SYNC, bench.sync(OTHER))  # a challenge is outstanding
        await bench.hear(SYNC, bench.sync(PEER, OWN))
        assert bench.state.resend
        for _ in range(SESSION_CYCLES):
            await bench.cycle(bench.held)
        frame = None if other is None else (other, bench.sync(PEER, OWN))
        await bench.cycle(bench.held._replace(grant_sync_ack=True, frame=frame))
        assert bench.unit.read("resend")
        await bench.cycle(bench.held)
        assert not bench.unit.read("resend")


@cocotb.test()
@requirement("OAE-LNK-016", "OAE-LNK-019", "OAE-LNK-020", "OAE-LNK-029")
async def session_changes(dut):
    """Changing is durable, waits until both lanes are drained, and follows the newest session."""
    bench = await Bench(dut).start()
    await bench.bring_up()
    drained = bench.held
    for busy in ({"busy": True}, {"unresolved": True}):
        bench.held = drained._replace(**busy)
        await bench.hear(SYNC, bench.sync(OTHER))
        await bench.hear(SYNC_ACK, bench.sync(OTHER))
        assert bench.state.changing
        await bench.cycle(bench.held._replace(crash=True))
        assert bench.state.changing
        await bench.until(EventCode.ENABLED)
        assert (await bench.hear(SYNC_ACK, bench.sync(OTHER + 1))).info == 1
        assert (await bench.hear(SYNC, bench.sync(OTHER + 1))).info == 0
        assert (await bench.hear(SYNC, bench.sync(PEER))).info == 1
        await bench.hear(SYNC_ACK, bench.sync(OTHER + 1))
        bench.held = drained
        await bench.until(EventCode.SESSION_ADOPTED)
        assert bench.state.verified == OTHER + 1
        assert bench.state.window == min(WINDOW, 2)
        await bench.cycle(bench.held._replace(amnesia=True))
        await bench.bring_up()


@cocotb.test()
@requirement("OAE-LNK-005", "OAE-LNK-019")
async def answer_right_after_the_adoption(dut):
    """A link that comes UP in whatever cycle after an adoption knows its link sessions."""
    for delay in range(0, 2 * SESSION_CYCLES, 3):
        bench = await Bench(dut).start()
        await bench.bring_up()
        drained = bench.held
        bench.held = drained._replace(busy=True)
        await bench.hear(SYNC, bench.sync(OTHER))
        await bench.send_sync()
        await bench.hear(SYNC_ACK, bench.sync(OTHER))
        await bench.until(EventCode.SYNC_DUE)
        await bench.send_sync()
        answer = bench.sync(OTHER, OWN)
        bench.held = drained
        for _ in range(delay):
            await bench.cycle(bench.held)
        await bench.hear(SYNC_ACK, answer)
        for _ in range(SESSION_CYCLES):
            await bench.cycle(bench.held)


@cocotb.test()
@requirement("OAE-LNK-001", "OAE-LNK-006", "OAE-LNK-029")
async def crash_and_amnesia(dut):
    """A crash keeps sessions, counter, sizes and epoch; amnesia draws a new session."""
    bench = await Bench(dut).start()
    bench.held = bench.held._replace(epoch=7)
    await bench.until(EventCode.EPOCH_TAKEN if bench.state.session else EventCode.ENABLED)
    await bench.until(EventCode.EPOCH_TAKEN)
    await bench.send_sync()
    await bench.hear(SYNC_ACK, bench.sync(OTHER))
    await bench.until(EventCode.SESSION_ADOPTED)
    before = bench.state
    frame = (SYNC_ACK, bench.sync(OTHER, OWN))
    await bench.cycle(bench.held._replace(crash=True, frame=frame))
    assert bench.state.counter == before.counter
    await bench.until(EventCode.ENABLED)
    assert bench.state.session == OWN
    assert bench.state.counter == before.counter + 1
    await bench.cycle(bench.held._replace(amnesia=True))
    bench.held = bench.held._replace(session=OWN + 1)
    await bench.until(EventCode.ENABLED)
    assert bench.state.session == OWN + 1
    assert bench.state.verified == 0


@cocotb.test()
@requirement("OAE-EPO-002", "OAE-EPO-003")
async def epochs(dut):
    """The host's epoch is taken when both lanes are drained and no session is changing."""
    bench = await Bench(dut).start()
    await bench.bring_up()
    drained = bench.held
    for held in ({"busy": True}, {"unresolved": True}):
        bench.held = drained._replace(epoch=bench.state.epoch + 5, **held)
        for _ in range(5):
            assert await bench.cycle(bench.held) is None
            assert not bench.unit.read("epoch_settled")
        bench.held = bench.held._replace(busy=False, unresolved=False)
        assert await bench.until(EventCode.EPOCH_TAKEN) == 0
        assert bench.unit.read("epoch_settled")


class Campaign(Bench):
    """Everything at random, as the rest of an end may bring it."""

    def __init__(self, dut):
        super().__init__(dut)
        self.entropy = OWN
        self.sent = 0  # counter of the newest SYNC that went: no peer knows a later one
        self.epoch = 0
        self.enable = True
        self.busy = self.unresolved = False

    def frame(self) -> tuple[Operation, Sync] | None:
        """A frame from some peer: likely, unlikely or wrong."""
        if random.random() < 0.85:
            return None
        link = self.state
        pending = link.pending.session if link.pending else PEER
        session = random.choice((link.verified or PEER, pending, random.choice([*SIZES, OWN])))
        if random.random() < 0.6:
            session = pending if link.pending else link.verified or PEER
        sync = self.sync(session, random.choice((link.session, link.session, 0, OTHER)))
        sync = sync._replace(counter=self.sent)
        if random.random() < 0.2:
            sync = sync._replace(counter=random.choice((max(self.sent - 1, 0), 0xFFFF_FFFF)))
        if random.random() < 0.05:
            sync = sync._replace(challenger=random.choice((0, PEER, OTHER)))
        if random.random() < 0.05:
            sync = sync._replace(window=random.choice((0, 1, 3, 4, 128)))
        if random.random() < 0.05:
            sync = sync._replace(record_max=random.choice((0, 8, 0xFFFF)))
        return random.choice((SYNC, SYNC_ACK)), sync

    def inputs(self) -> Inputs:
        """Inputs of the next cycle."""
        if random.random() < (0.01 if self.enable else 0.2):
            self.enable = not self.enable
        if random.random() < 0.02:
            self.epoch = random.randrange(4)
        if random.random() < 0.05:
            self.busy = random.random() < 0.4
        if random.random() < 0.05:
            self.unresolved = random.random() < 0.4
        ack = self.unit.read("owes_sync_ack") and random.random() < 0.3
        sync = self.unit.read("owes_sync") and not ack and random.random() < 0.3
        frame = self.frame()
        return Inputs(
            crash=random.random() < 0.004,
            amnesia=random.random() < 0.001,
            enable=self.enable,
            session=self.entropy,
            epoch=self.epoch,
            frame=frame,
            foreign=frame is None and random.random() < 0.05,
            grant_sync_ack=bool(ack),
            grant_sync=bool(sync),
            incoming_dead=random.random() < 0.003,
            outgoing_dead=random.random() < 0.003,
            busy=self.busy,
            unresolved=self.unresolved,
        )


@cocotb.test()
@requirement("OAE-LNK-002", "OAE-LNK-003", "OAE-LNK-004", "OAE-LNK-005", "OAE-LNK-011")
@requirement("OAE-LNK-016", "OAE-LNK-020", "OAE-LNK-029", "OAE-EPO-003")
async def random_lockstep(dut):
    """Random frames, grants, restarts and session changes: the same steps, the same words."""
    bench = await Campaign(dut).start()
    for _ in range(CYCLES):
        inputs = bench.inputs()
        if inputs.restart:
            inputs = inputs._replace(grant_sync=False, grant_sync_ack=False)
        if inputs.grant_sync:
            bench.sent = bench.state.counter
        await bench.cycle(inputs)
        if inputs.amnesia:
            bench.entropy += 1
            bench.sent = 0
    missing = CODES - bench.seen.keys()
    assert not missing, f"never seen: {missing}"
    dut._log.info("steps: %s", {code.name: count for code, count in bench.seen.items()})
