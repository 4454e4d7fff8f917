"""Transmit arbiter: the order of transmission, and that what goes is what the slot then holds.

The bench stands for the cores: it sets and clears what is owed at any edge, and reads what a slot
holds one cycle before the grant, as the end does.
"""

import random

import cocotb
from oae.spec.constants import Operation
from oae.testing import requirement

from cocotb_tests.clocked import Clocked

WINDOW = int(cocotb.plusargs["window"])
CYCLES = int(cocotb.plusargs["cycles"])
LATENCY = 2  # cycles in which the builder is ready, the same is owed, and nothing goes
GRANTS = ("sync_ack", "sync", "beat", "answer", "initiator")
SETTLED = 3  # cycles in which a slot owes nothing before it holds another transaction


class Bench:
    """An arbiter between the cores and the builder."""

    def __init__(self, dut):
        self.unit = Clocked(dut)
        self.sync_ack = self.sync = self.due = False
        self.up = True
        self.answers: dict[int, int] = {}  # slot: content of the answer that it owes
        self.contents = [0] * WINDOW  # of each slot, owed or not
        self.owed: dict[int, str] = {}  # slot: decision, repeat or first
        self.commits = [False] * WINDOW
        self.quiet = [SETTLED] * WINDOW
        self.next_slot = 0  # of the next transaction
        self.head = 0
        self.renaming: int | None = None
        self.read_content = 0  # what the first stage has read
        self.passed = self.stalled = 0
        self.seen: object = None  # what was owed at the edge before
        self.sent: dict[str, int] = {}

    async def start(self) -> "Bench":
        self._drive(False, False)
        await self.unit.reset()
        return self

    def slots(self, kind: str) -> int:
        """Bit map of the slots that owe this."""
        return sum(1 << slot for slot, owed in self.owed.items() if owed == kind)

    def _drive(self, ready: bool, restart: bool) -> None:
        self.unit.drive(
            ready=ready,
            restart=restart,
            owes_sync_ack=self.sync_ack,
            owes_sync=self.sync,
            up=self.up,
            beat_due=self.due,
            answers=sum(1 << slot for slot in self.answers),
            oldest_answer=self.head,
            answers_renamed=self.renaming is not None,
            decisions=self.slots("decision"),
            repeats=self.slots("repeat"),
            firsts=self.slots("first"),
            committed=sum(1 << slot for slot in range(WINDOW) if self.commits[slot]),
            oldest_id=self.next_slot,
        )

    async def cycle(self, ready: bool = True, restart: bool = False) -> str | None:
        """One clock cycle; what is granted."""
        unit = self.unit
        self._drive(ready, restart)
        await unit.settle()
        granted = [name for name in GRANTS if unit.read(f"grant_{name}")]
        assert len(granted) <= 1, granted
        grant = granted[0] if granted else None
        if grant is None:
            anything = self.sync_ack or self.sync
            anything = anything or (self.up and (self.due or self.answers or self.owed))
            same = self.seen == (*self.answers.items(), *self.owed.items(), self.renaming)
            self.stalled = self.stalled + 1 if ready and anything and same and not restart else 0
            assert self.stalled <= LATENCY, "something is owed and nothing goes"
        else:
            assert ready
            assert not restart
            self.stalled = 0
            self._check(grant)
        self.seen = (*self.answers.items(), *self.owed.items(), self.renaming)
        renamed = self.renaming
        next_content = self.contents[unit.read("next_answer_slot")] if self.answers else 0
        slot = {"answer": "answer_slot", "initiator": "initiator_slot"}.get(grant or "")
        index = unit.read(slot) if slot else 0
        await unit.edge()

        self.read_content = next_content
        self.passed = self.passed + (slot is not None) if self.due and grant != "beat" else 0
        if restart:
            self.passed = 0
        if grant == "sync_ack":
            self.sync_ack = False
        elif grant == "sync":
            self.sync = False
        elif grant == "beat":
            self.due = False
        elif grant == "answer":
            del self.answers[index]
        elif grant == "initiator":
            del self.owed[index]
        if renamed is not None:
            self.contents[renamed] += 1
            self.answers[renamed] = self.contents[renamed]
            self.renaming = None
        if grant:
            self.sent[grant] = self.sent.get(grant, 0) + 1
        for slot_index in range(WINDOW):
            self.quiet[slot_index] += 1
            if slot_index in self.owed:
                self.quiet[slot_index] = 0
        return grant

    def _check(self, grant: str) -> None:
        """The grant is the first of what is owed."""
        unit = self.unit
        if grant == "sync_ack":
            assert self.sync_ack
            return
        assert not self.sync_ack, f"{grant} before SYNC_ACK"
        if grant == "sync":
            assert self.sync
            return
        assert not self.sync, f"{grant} before SYNC"
        assert self.up, f"{grant} while not UP"
        if grant == "beat":
            assert self.due
            assert not self.answers or self.passed == WINDOW, "a beat before an answer"
            return
        assert self.passed < WINDOW, "a due beat is passed over too often"
        if grant == "answer":
            slot = unit.read("answer_slot")
            assert slot in self.answers, "an answer that is not owed"
            assert self.answers[slot] == self.read_content, "an answer of another transaction"
            return
        assert not self.answers, "a request before an answer"
        assert not self.due, "a request before a due beat"
        slot = unit.read("initiator_slot")
        assert slot in self.owed, "a request that is not owed"
        kind = self.owed[slot]
        if kind == "first":
            assert {*self.owed.values()} == {"first"}, "new DATA before what has gone before"
        operation = Operation.DATA
        if kind == "decision":
            operation = Operation.COMMIT if self.commits[slot] else Operation.ABORT
        unit.expect(initiator_operation=operation)
        if kind == "first":
            order = [(self.next_slot + age) % WINDOW for age in range(WINDOW)]
            firsts = [index for index in order if self.owed.get(index) == "first"]
            assert slot == firsts[0], "DATA out of order"

    def owe(self, slot: int, kind: str) -> None:
        """The initiator owes a frame."""
        self.owed[slot] = kind

    def owe_answer(self, slot: int) -> None:
        """The responder owes an answer."""
        self.answers[slot] = self.contents[slot]


@cocotb.test()
@requirement("OAE-LNK-015", "OAE-LNK-024")
async def order(dut):
    """All classes at once leave in their order."""
    bench = await Bench(dut).start()
    for _ in range(3):
        bench.sync_ack = bench.sync = bench.due = True
        for slot in range(WINDOW):
            bench.owe_answer(slot)
            bench.owe(slot, ("decision", "repeat", "first")[slot % 3])
        sent = []
        while bench.owed or bench.sync_ack:
            grant = await bench.cycle()
            if grant is not None:
                sent.append(grant)
        # A beat that is due goes after WINDOW answers.
        answers = ["answer"] * WINDOW
        assert sent == ["sync_ack", "sync", *answers, "beat", *["initiator"] * WINDOW]


@cocotb.test()
@requirement("OAE-LNK-010")
async def not_up(dut):
    """While the link is not UP only SYNC_ACK and SYNC go."""
    bench = await Bench(dut).start()
    bench.up = False
    bench.due = True
    bench.owe_answer(0)
    bench.owe(0, "decision")
    for _ in range(5):
        assert await bench.cycle() is None
    bench.sync_ack = bench.sync = True
    assert [await bench.cycle() for _ in range(3)] == ["sync_ack", "sync", None]


@cocotb.test()
@requirement("OAE-LNK-024")
async def beats_are_not_starved(dut):
    """Answers without end pass over a due beat at most WINDOW times."""
    bench = await Bench(dut).start()
    for _ in range(5):
        bench.due = True
        passed = 0
        while bench.due:
            for slot in range(WINDOW):
                bench.owe_answer(slot)
            grant = await bench.cycle()
            passed += grant == "answer"
        assert passed <= WINDOW


@cocotb.test()
@requirement("OAE-LNK-015", "OAE-LNK-024", "OAE-TXN-017", "OAE-TXN-027", "OAE-TXN-032")
async def random_grants(dut):
    """Whatever becomes owed, or is no longer, at whatever edge: the order holds."""
    bench = await Bench(dut).start()
    pace = 0.1
    for number in range(CYCLES):
        if number % 100 == 0:
            pace = random.choice((0.02, 0.1, 0.4))
            bench.up = random.random() < 0.9
        bench.sync_ack = bench.sync_ack or random.random() < 0.02
        bench.sync = bench.sync or random.random() < 0.02
        bench.due = bench.due or random.random() < 0.05
        slot = random.randrange(WINDOW)
        if random.random() < pace:
            bench.owe_answer(slot)
        elif random.random() < pace / 4:
            bench.answers.pop(slot, None)  # COMMIT was heard
        elif random.random() < pace / 2:
            bench.renaming = slot  # DATA of the next id is refused
        if random.random() < pace / 10:
            bench.head = slot
        slot = random.randrange(WINDOW)
        if bench.quiet[slot] >= SETTLED:
            bench.commits[slot] = random.random() < 0.5
        if random.random() < pace:
            kind = bench.owed.get(slot)
            if kind in (None, "repeat") and random.random() < 0.5:
                bench.owe(slot, "repeat")
            elif kind == "first":  # cancelled
                bench.commits[slot] = False
                bench.owe(slot, "decision")
            elif kind is None and bench.quiet[slot] < SETTLED:
                bench.owe(slot, "decision")
            else:
                bench.owed.pop(slot, None)  # its answer was heard
        if bench.quiet[bench.next_slot] >= SETTLED and random.random() < pace:
            bench.owe(bench.next_slot, "first")
            bench.next_slot = (bench.next_slot + 1) % WINDOW
        await bench.cycle(random.random() < 0.8, random.random() < 0.01)
    assert set(bench.sent) == set(GRANTS)
