"""The steps of a bring-up: what each saw, what it expected, and what to check if they differ."""

import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Final

from oae.bringup.board import Board, waited
from oae.bringup.client import RefusedError
from oae.bringup.port import PortError
from oae.bringup.registers import BOARD_VERSION, IDENTITY, VERSION, register
from oae.spec.constants import BoardControl, Injection, LinkState, SerialStatus

RUNNING: Final = (
    BoardControl.ENABLE,
    BoardControl.BEATS,
    BoardControl.ACCEPT,
    BoardControl.INTERNAL_HOST,
    BoardControl.CHECK,
)
TRANSACTIONS: Final = 1_000
UNDER_FAULTS: Final = 200
ONE_IN: Final = 10
PATIENCE: Final = 30.0  # seconds until a link that does not come up or work is given up
CLOCK_SECONDS: Final = (0.5, 1.0, 2.0)  # how long its clock is watched
RECORD_BYTES: Final = (8, 64)
SEEDS: Final = {"a": 0x0AE0_000A, "b": 0x0AE0_000B}


@dataclass(frozen=True)
class Step:
    """How one step ended."""

    name: str
    end: str
    good: bool
    saw: str
    expected: str
    check: str  # what to check when it is not good
    seconds: float = 0.0


@dataclass
class Bringup:
    """Takes the boards of a bench through the steps.

    An end that is not among them is somebody else's: only what its peer tells is looked at.
    """

    boards: dict[str, Board]
    tolerances: dict[str, float]  # of their clocks
    builds: dict[str, int] = field(default_factory=dict)
    _known: list[Board] = field(default_factory=list)  # that said who they are

    def run(self) -> Iterator[Step]:
        """Every step; after one that fails, none that depends on it.

        The boards are left silent, on the host at their ports, and without faults. One that has
        another register map is never written.
        """
        try:
            for steps in (self.alone(), self.together()):
                good = True
                for step in steps:
                    good &= step.good
                    yield step
                if not good:
                    return
        finally:
            for board in self._known:
                with suppress(PortError, RefusedError):  # has been told already
                    board.inject(Injection.NONE)
                    board.control()

    def alone(self) -> Iterator[Step]:
        """What a board can show without its peer."""
        for end, board in self.boards.items():
            first = _timed(self.identity, end, board)
            yield first
            if not first.good:
                return
            self._known.append(board)
            yield _timed(self.registers, end, board)
            yield _timed(self.clock, end, board)
            yield _timed(self.loopback, end, board)

    def together(self) -> Iterator[Step]:
        """What takes both ends."""
        up = _timed(self.link)
        yield up
        if not up.good:
            return
        for end in self.boards:
            yield _timed(self.transactions, end, "transactions", TRANSACTIONS)
        for kind in (Injection.DROP, Injection.CORRUPT, Injection.DUPLICATE):
            for end in self.boards:
                yield _timed(self.faults, end, kind)

    def identity(self, end: str, board: Board) -> Step:
        """Is it an OAE board of this version, and of the build that is meant?"""
        who = board.identity()
        problem = who.problem()
        build = self.builds.get(end)
        expected = _versions(IDENTITY, VERSION, BOARD_VERSION)
        saw = f"{_versions(*who[:3])}; {who}"
        if build is not None:
            expected += f"; build {build:016x}"
        wrong_build = build is not None and build != who.build
        check = problem or "another build: load the right bitstream, or correct `build`"
        return Step("identity", end, not problem and not wrong_build, saw, expected, check)

    def registers(self, end: str, board: Board) -> Step:
        """Walking ones and zeros through SCRATCH; writes are counted, a forbidden one refused."""
        patterns = [1 << bit for bit in range(32)]
        patterns += [pattern ^ 0xFFFF_FFFF for pattern in patterns]
        before = board.read("WRITES")
        wrong = []
        for pattern in patterns:
            board.write("SCRATCH", pattern)
            if (seen := board.read("SCRATCH")) != pattern:
                wrong.append(f"0x{seen:08X} for 0x{pattern:08X}")
        writes = (board.read("WRITES") - before) % 2**32
        refused = _is_refused(board, "BUILD_HASH_LOW")
        saw = f"{len(patterns) - len(wrong)} patterns, {writes} writes counted"
        saw += ", a write to BUILD_HASH_LOW refused" if refused else ", BUILD_HASH_LOW takes writes"
        if wrong:
            saw += f"; first wrong: {wrong[0]}"
        expected = (
            f"{len(patterns)} patterns, {len(patterns)} writes counted, BUILD_HASH_LOW refused"
        )
        good = not wrong and writes == len(patterns) and refused
        return Step(
            "registers", end, good, saw, expected, "the register file and its clock; timing"
        )

    def clock(self, end: str, board: Board) -> Step:
        """Does the clock run, and as fast as the board says?"""
        said = board.read("CLOCK_HZ")
        rate, within = measured_rate(board, said, self.tolerances[end])
        good = rate > 0 and abs(rate - said) <= within * said
        saw = f"{rate:,.0f} ticks a second by CYCLES against this machine's clock"
        expected = f"{said:,} (CLOCK_HZ), within {within:.1%}"
        check = "is the oscillator there, the PLL locked, and CLOCK_HZ that of this board?"
        return Step("clock", end, good, saw, expected, check)

    def loopback(self, end: str, board: Board) -> Step:
        """With MAC loopback the end must hear itself, and say so."""
        board.control()
        board.forget()
        before = board.counters()
        board.control(*RUNNING, BoardControl.LOOPBACK)
        heard = waited(lambda: board.counters()["LOOPBACK"] > before["LOOPBACK"], PATIENCE)
        after = board.counters()
        board.control()
        names = ("LOOPBACK", "SENT_SYNC")
        saw = ", ".join(f"{name} rises by {after[name] - before[name]}" for name in names)
        check = "frames leave and do not come back inside of the board: MAC clocks and resets"
        return Step("loopback", end, heard, saw, "LOOPBACK rises", check)

    def link(self) -> Step:
        """Both ends from amnesia to UP."""
        for board in self.boards.values():
            board.control()
            board.inject(Injection.NONE)
        for end, board in self.boards.items():
            board.write("SINK_SEED", SEEDS["b" if end == "a" else "a"])
            board.forget()
            board.control(*RUNNING)
        states: dict[str, LinkState] = {}

        def all_up() -> bool:
            states.update({end: board.link_state() for end, board in self.boards.items()})
            return all(state is LinkState.UP for state in states.values())

        good = waited(all_up, PATIENCE)
        saw = ", ".join(f"{end} {state.name}" for end, state in states.items())
        expected = ", ".join(f"{end} UP" for end in self.boards)
        check = "cable, medium and the peer; `oae bench doctor` says which"
        return Step("link", both(self.boards), good, saw, expected, check)

    def transactions(self, end: str, name: str, count: int) -> Step:
        """Records from an end to its peer, each exactly once, in order and unaltered."""
        board = self.boards[end]
        peer = self.boards.get("b" if end == "a" else "a")
        shortest, longest = RECORD_BYTES
        longest = min(longest, board.read("NEGOTIATED") >> 16)
        if peer is not None:
            peer.write("SINK_SEED", SEEDS[end])
        board.write("GENERATOR_COUNT", count)
        board.write("GENERATOR_SIZES", longest << 16 | shortest)
        board.write("GENERATOR_SEED", SEEDS[end])
        board.write("GENERATOR_START", 1)
        finished = waited(lambda: board.read("GENERATOR_START") == 0, PATIENCE)
        committed = board.read("GENERATOR_COMMITTED")
        aborted, unknown = board.read("GENERATOR_ABORTED"), board.read("GENERATOR_UNKNOWN")
        saw = f"{committed} committed, {aborted} aborted, {unknown} unknown"
        expected = f"{count} committed, 0 aborted, 0 unknown"
        good = finished and (committed, aborted, unknown) == (count, 0, 0)
        if peer is not None:
            delivered, wrong = peer.read("SINK_DELIVERED"), peer.read("SINK_WRONG")
            saw += f"; {delivered} delivered, {wrong} wrong"
            expected += f"; {count} delivered, 0 wrong"
            good &= (delivered, wrong) == (count, 0)
        saw += "" if finished else f"; not finished after {PATIENCE:.0f} s"
        check = "the counters MALFORMED_* and RETRIED of both ends: does the medium lose or alter?"
        return Step(name, end, good, saw, expected, check)

    def faults(self, end: str, kind: Injection) -> Step:
        """The same while the board itself harms one frame in ten."""
        board = self.boards[end]
        before = board.read("INJECTED")
        board.inject(kind, ONE_IN)
        step = self.transactions(end, f"{kind.name.lower()} 1 in {ONE_IN}", UNDER_FAULTS)
        board.inject(Injection.NONE)
        struck = board.read("INJECTED") - before
        return Step(
            step.name,
            end,
            step.good and struck > 0,
            f"{step.saw}; {struck} frames struck",
            f"{step.expected}; some frames struck",
            step.check if struck else "the injector strikes nothing: INJECT and INJECTED",
        )


def both(ends: Iterable[str]) -> str:
    """What a step of all boards says of its end."""
    return " and ".join(ends)


def _versions(identity: int, version: int, board_version: int) -> str:
    return f"IDENTITY 0x{identity:08X}, VERSION 0x{version:08X}, BOARD_VERSION {board_version}"


def _timed(step: Callable[..., Step], *arguments: object) -> Step:
    start = time.monotonic()
    done = step(*arguments)
    return replace(done, seconds=time.monotonic() - start)


def measured_rate(board: Board, said: int, tolerance: float) -> tuple[float, float]:
    """Ticks a second by this machine's clock, and the fraction within which they can be judged.

    A reading is some time between request and answer: that uncertainty adds to the tolerance. A
    live end that did not run for a while makes ticks up later, so a rate that differs is measured
    again for longer; that of a wrong clock differs each time.
    """
    rate = within = 0.0
    for seconds in CLOCK_SECONDS:
        first, begin, slack = _reading(board)
        time.sleep(seconds)
        last, end, more = _reading(board)
        elapsed = end - begin
        rate = (last - first) / elapsed
        within = tolerance + (slack + more) / elapsed
        if rate == 0 or abs(rate - said) <= within * said:
            break
    return rate, within


def _reading(board: Board) -> tuple[int, float, float]:
    before = time.monotonic()
    cycles = board.cycles()
    after = time.monotonic()
    return cycles, (before + after) / 2, (after - before) / 2


def _is_refused(board: Board, name: str) -> bool:
    try:
        board.client.write(register(name).address, 0)
    except RefusedError as error:
        return error.status is SerialStatus.READ_ONLY
    return False
