"""Submit port against its rules: what is stored, digested, opened, refused, discarded, swallowed.

The handshake of a record's last beat is its step: it comes exactly when the core takes it.
"""

import random
from typing import NamedTuple

import cocotb
from oae import frame as frames
from oae.spec.constants import AbortReason, Kind
from oae.testing import requirement

from cocotb_tests.clocked import Clocked

WINDOW = int(cocotb.plusargs["window"])
RECORD_MAX = int(cocotb.plusargs["record_max"])
RECORDS = int(cocotb.plusargs["records"])
SIZES = sorted(
    {1, 7, 8, 9, 63, 64, 65, RECORD_MAX - 1, RECORD_MAX, RECORD_MAX + 1, RECORD_MAX + 9} - {0}
)
ILL_FORMED = (0x00, 0x02, 0x05, 0x80, 0xF7)  # marks of a last beat that is no end of a record


class Beat(NamedTuple):
    """One beat of a record."""

    data: int
    keep: int
    last: bool
    user: bool = False


class Packet(NamedTuple):
    """A record as the host submits it."""

    record: bytes
    kind: int = Kind.DATA
    bad: bool = False  # tuser at the last beat
    keep: int | None = None  # marks of the last beat, if not those of the record

    @property
    def beats(self) -> list[Beat]:
        """The beats; lanes beyond the record hold noise."""
        words = [self.record[i : i + 8] for i in range(0, len(self.record), 8)]
        beats = []
        for number, word in enumerate(words):
            last = number == len(words) - 1
            data = word + random.randbytes(8 - len(word))
            keep = (1 << len(word)) - 1
            if last and self.keep is not None:
                keep = self.keep
            beats.append(Beat(int.from_bytes(data, "little"), keep, last, self.bad and last))
        return beats

    def refusals(self, record_max: int) -> set[AbortReason]:
        """Why the record can be no transaction."""
        reasons = set()
        if len(self.record) > record_max:
            reasons.add(AbortReason.RECORD_TOO_LONG)
        advance = self.kind == Kind.EPOCH_ADVANCE
        ill_formed = self.keep is not None
        if self.kind not in tuple(Kind) or (advance and len(self.record) != 4) or ill_formed:
            reasons.add(AbortReason.RECORD_INVALID)
        return reasons


class Bench:
    """A submit port between its host and the cores."""

    def __init__(self, dut):
        self.unit = Clocked(dut)
        self.beats: list[Beat] = []  # still to be taken
        self.packet: Packet | None = None
        self.begun = False  # the first beat of the packet was taken
        self.swallowing = False
        self.store: dict[tuple[int, int], int] = {}
        self.base = 0  # page of slot 0
        self.next_id = 0
        self.held: set[int] = set()  # slots that are not idle
        self.up = self.can_open = True
        self.sessions = (0x1234_5678, 0x0001_0002)  # link session, epoch
        self.record_max = RECORD_MAX
        self.window = WINDOW
        self.outcomes: list[object] = []
        self.presented = False

    async def start(self) -> "Bench":
        self.unit.drive(amnesia=0, restart=0, adopt=0, reading=0, reading_page=0, grant_slot=0)
        self.unit.drive(open_ready=0, refusal_taken=0, discard_ready=0)
        self.present(False)
        self.environment()
        await self.unit.reset()
        return self

    @property
    def slot(self) -> int:
        """Slot of the next transaction."""
        return self.next_id % self.window

    def submit(self, packet: Packet) -> None:
        """What the host wants to send next."""
        self.packet = packet
        self.beats = packet.beats

    def present(self, offer: bool) -> None:
        """Beats stay until they are taken."""
        self.presented = bool(self.beats) and (offer or self.presented)
        self.unit.drive(s_submit_tvalid=self.presented)
        if self.presented and self.packet is not None:
            beat = self.beats[0]
            self.unit.drive(
                s_submit_tdata=beat.data,
                s_submit_tkeep=beat.keep,
                s_submit_tlast=beat.last,
                s_submit_tuser=beat.user,
                s_submit_kind=self.packet.kind,
            )
        elif not self.presented:
            noise = {"tdata": 64, "tkeep": 8, "tlast": 1, "tuser": 1, "kind": 8}
            self.unit.drive(**{f"s_submit_{n}": random.getrandbits(w) for n, w in noise.items()})

    def environment(self) -> None:
        """What the link machine and the core show."""
        self.unit.drive(
            up=self.up,
            can_open=self.up and self.can_open,
            record_max=self.record_max,
            link_session=self.sessions[0],
            epoch=self.sessions[1],
            open_id=self.next_id,
            open_slot=self.slot,
            open_slot_idle=self.slot not in self.held,
        )

    async def cycle(
        self,
        *,
        offer: bool = True,
        take: bool = True,
        restart: bool = False,
        amnesia: bool = False,
        adopt: bool = False,
        reading: int | None = None,
    ) -> None:
        """One clock cycle; `take`: the core takes the step that is offered."""
        unit = self.unit
        self.present(offer)
        self.environment()
        grant = random.randrange(WINDOW)
        open_valid, refusal, discard = (
            unit.read(name) for name in ("open_valid", "refusal_valid", "discard_valid")
        )
        assert open_valid + refusal + discard <= 1
        takes = take and not restart and not adopt
        opening = bool(takes and open_valid and self.up and self.can_open)
        unit.drive(
            open_ready=opening,
            refusal_taken=bool(takes and refusal),
            discard_ready=bool(takes and discard),
            restart=restart,
            amnesia=amnesia,
            adopt=adopt,
            reading=reading is not None,
            reading_page=reading or 0,
            grant_slot=grant,
        )
        await unit.settle()
        unit.expect(grant_page=(grant + self.base) % WINDOW)
        page = (self.slot + self.base) % WINDOW
        if unit.read("write_enable"):
            assert self.presented, "a word is stored that nobody sent"
            assert self.up, "a word is stored while the link is not UP"
            assert self.slot not in self.held, "a word is stored in a busy slot"
            assert reading != page, "a page is written while it is read"
            unit.expect(write_page=page)
            self.store[page, unit.read("write_word")] = unit.read("write_data")
        ready = unit.read("s_submit_tready")
        assert not (restart and ready), "ready at the edge of a restart"
        if self.presented and ready:
            self._taken(opening, bool(takes and refusal), bool(takes and discard), page)
        else:
            assert not any((opening, takes and (refusal or discard))), "a step took no beat"
        await unit.edge()
        if restart:
            self._restart(amnesia)
        if adopt:
            self.base = page
            self.next_id = 0
            self.held.clear()

    def _taken(self, opening: bool, refused: bool, discarded: bool, page: int) -> None:
        """A beat was taken: the last one exactly with its step."""
        packet, beat = self.packet, self.beats.pop(0)
        self.presented = False
        assert packet is not None
        if not beat.last or self.swallowing:
            assert not any((opening, refused, discarded)), "a step before the last beat"
            self.begun = True
            if beat.last:
                self.swallowing = self.begun = False
                self.outcomes.append("swallowed")
            return
        self.begun = False
        refusals = packet.refusals(self.record_max)
        if discarded:
            assert packet.bad
            self.outcomes.append("discarded")
        elif refused:
            assert not packet.bad
            reason = AbortReason(self.unit.read("refusal_reason"))
            assert reason in refusals, f"{reason.name}, expected {refusals}"
            self.outcomes.append(reason)
        else:
            assert opening, "the last beat was taken without a step"
            assert not packet.bad
            assert not refusals
            self._opened(packet, page)

    def _opened(self, packet: Packet, page: int) -> None:
        session, epoch = self.sessions
        record = packet.record
        digest = frames.digest(session, self.next_id, packet.kind, epoch, record)
        self.unit.expect(open_digest=digest, open_length=len(record))
        for index in range(-(-len(record) // 8)):
            word = record[8 * index : 8 * index + 8].ljust(8, b"\0")
            assert self.store[page, index] == int.from_bytes(word, "little")
        self.held.add(self.slot)
        self.next_id = self.next_id + 1 & 0xFFFF_FFFF
        self.outcomes.append("opened")

    def _restart(self, amnesia: bool) -> None:
        if self.begun:
            self.swallowing = True
        if amnesia:
            self.base = 0
            self.next_id = 0
            self.held.clear()

    async def finish(self, limit: int = 64, **inputs: float) -> None:
        """Go on until the packet is taken, with these probabilities of each input."""
        for _ in range(limit + 4 * len(self.beats)):
            if not self.beats:
                return
            await self.cycle(
                offer=random.random() < inputs.get("offer", 1),
                take=random.random() < inputs.get("take", 1),
            )
        raise AssertionError("the packet is not taken")


@cocotb.test()
@requirement("OAE-TXN-001", "OAE-TXN-037", "OAE-TXN-038", "OAE-TXN-041")
async def sizes(dut):
    """Every size, kind and mark: opened with its digest, refused with its reason, or discarded."""
    bench = await Bench(dut).start()
    for bench.record_max in (RECORD_MAX, 8):
        for size in SIZES:
            for packet in (
                Packet(random.randbytes(size)),
                Packet(random.randbytes(size), kind=2),
                Packet(random.randbytes(size), bad=True),
                Packet(random.randbytes(size), kind=Kind.EPOCH_ADVANCE),
            ):
                bench.held.clear()
                bench.submit(packet)
                await bench.finish()
    bench.submit(Packet(bytes(4), kind=Kind.EPOCH_ADVANCE))
    await bench.finish()
    assert {"opened", "discarded", AbortReason.RECORD_TOO_LONG, AbortReason.RECORD_INVALID} == {
        *bench.outcomes
    }
    assert bench.outcomes[-1] == "opened"


@cocotb.test()
@requirement("OAE-TXN-037")
async def ill_formed_ends(dut):
    """A last beat without bytes, or with a gap, ends no record: its digest would bind nothing."""
    bench = await Bench(dut).start()
    for keep in ILL_FORMED:
        for size in (8, RECORD_MAX):
            bench.submit(Packet(random.randbytes(size), keep=keep))
            await bench.finish()
            assert bench.outcomes[-1] == AbortReason.RECORD_INVALID
    bench.held.clear()
    bench.submit(Packet(b"good"))
    await bench.finish()
    assert bench.outcomes[-1] == "opened"


@cocotb.test()
@requirement("OAE-EPO-006")
async def advances(dut):
    """The epoch of an advance is known once it is opened, and only then."""
    bench = await Bench(dut).start()
    for epoch in (5, 0xFEDC_BA98, 7):
        bench.held.clear()
        bench.submit(Packet(epoch.to_bytes(4, "big"), kind=Kind.EPOCH_ADVANCE))
        await bench.finish()
        bench.unit.expect(advance_epoch=epoch)
        bench.held.clear()
        for packet in (Packet(b"data"), Packet(b"lost", kind=1, bad=True), Packet(b"long", kind=2)):
            bench.submit(packet)
            await bench.finish()
            bench.held.clear()
            bench.unit.expect(advance_epoch=epoch)


@cocotb.test()
@requirement("OAE-TXN-039", "OAE-EPO-002")
async def stalls(dut):
    """While not UP, in a busy slot, or while its page is read, nothing is taken and nothing cut."""
    bench = await Bench(dut).start()
    for size in (5, 8, min(30, RECORD_MAX)):
        for stop in range(12):
            bench.held.clear()
            bench.submit(Packet(random.randbytes(size)))
            for _ in range(stop):
                await bench.cycle(take=False)
            bench.can_open = False
            bench.up = bool(stop % 2)
            left = len(bench.beats)
            for _ in range(6):
                await bench.cycle()
            assert bench.up or len(bench.beats) == left
            # Another epoch, and if the link was down another session: the digest follows.
            bench.sessions = (random.getrandbits(32), random.getrandbits(32))
            for _ in range(2):
                await bench.cycle()
            bench.up = bench.can_open = True
            await bench.finish()
            assert bench.outcomes[-1] == "opened"
    bench.held.add(bench.slot)
    bench.submit(Packet(b"waits"))
    for _ in range(5):
        await bench.cycle()
    assert bench.beats
    bench.held.clear()
    page = (bench.slot + bench.base) % WINDOW
    for _ in range(5):
        await bench.cycle(reading=page)
    assert bench.beats
    await bench.finish()


@cocotb.test()
@requirement("OAE-TXN-030", "OAE-TXN-032")
async def restart_at_every_beat(dut):
    """After a restart the rest of an open packet is swallowed; one that is not begun is whole."""
    bench = await Bench(dut).start()
    for size in (3, 8, 17, 40, RECORD_MAX + 20):
        for stop in range(min(-(-size // 8) + 5, 14)):
            for cycles in (1, 3):
                bench.held.clear()
                bench.submit(Packet(random.randbytes(size)))
                for _ in range(stop):
                    await bench.cycle(take=False)
                begun = bench.begun
                for _ in range(cycles):
                    await bench.cycle(restart=True)
                bench.up = not begun  # what is swallowed waits for nothing
                await bench.finish()
                bench.up = True
                bench.held.clear()
                assert (bench.outcomes[-1] == "swallowed") == begun
                bench.submit(Packet(b"next"))
                await bench.finish()
                assert bench.outcomes[-1] == "opened"
    # A restart while swallowing goes on with it.
    bench.held.clear()
    bench.submit(Packet(bytes(40)))
    for stop in range(3):
        await bench.cycle()
        await bench.cycle(restart=True, amnesia=stop == 1)
    await bench.finish()
    assert bench.outcomes[-1] == "swallowed"


@cocotb.test()
@requirement("OAE-LNK-019", "OAE-TXN-039")
async def adoption_inside_a_packet(dut):
    """Ids that start again leave a half submitted record where it is, and bind it anew."""
    bench = await Bench(dut).start()
    for stop in range(10):
        for _ in range(random.randrange(1, 4)):
            bench.held.clear()
            bench.submit(Packet(b"before"))
            await bench.finish()
        bench.held.clear()
        bench.submit(Packet(random.randbytes(min(RECORD_MAX, 30))))
        for _ in range(stop):
            await bench.cycle(take=False)
        bench.up = False
        for _ in range(3):
            await bench.cycle()
        await bench.cycle(adopt=True)
        bench.sessions = (random.getrandbits(32), 3)
        for _ in range(3):
            await bench.cycle()
        bench.up = True
        await bench.finish()
        assert bench.outcomes[-1] == "opened"
        assert bench.next_id == 1


@cocotb.test()
@requirement("OAE-TXN-001", "OAE-TXN-030", "OAE-TXN-038", "OAE-TXN-041")
async def random_records(dut):
    """Records of every kind, with stalls and restarts anywhere."""
    bench = await Bench(dut).start()
    pace = 0.5
    while len(bench.outcomes) < RECORDS:
        if not bench.beats:
            pace = random.choice((0.2, 0.8, 1.0))
            size = random.choice([*SIZES, random.randint(1, RECORD_MAX)])
            kind = random.choice((0, 0, 0, 0, 1, 3))
            keep = random.choice(ILL_FORMED) if size % 8 == 0 and random.random() < 0.2 else None
            record = random.randbytes(4 if kind == 1 and random.random() < 0.7 else size)
            keep = None if len(record) % 8 else keep
            bench.submit(Packet(record, kind, random.random() < 0.1, keep))
        if random.random() < 0.05:
            bench.up = not bench.up
        if random.random() < 0.1:
            bench.can_open = not bench.can_open
            if not bench.can_open and random.random() < 0.5:
                bench.sessions = (random.getrandbits(32), random.getrandbits(32))
        if bench.held and random.random() < 0.3:
            bench.held.remove(random.choice(sorted(bench.held)))
        restart = random.random() < 0.01
        adopt = not bench.up and not bench.held and not restart and random.random() < 0.1
        await bench.cycle(
            offer=random.random() < pace,
            take=random.random() < pace,
            restart=restart,
            amnesia=restart and random.random() < 0.3,
            adopt=adopt,
            reading=random.choice((None, random.randrange(WINDOW))),
        )
    assert {"opened", "discarded", "swallowed"} <= {*bench.outcomes}
    assert {AbortReason.RECORD_TOO_LONG, AbortReason.RECORD_INVALID} <= {*bench.outcomes}
