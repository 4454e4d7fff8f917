"""A board as its registers show it, by name."""

import secrets
import time
from collections.abc import Callable, Iterator
from typing import Final, NamedTuple

from oae.bringup.client import Client
from oae.bringup.registers import (
    BOARD_VERSION,
    IDENTITY,
    VERSION,
    RegisterError,
    counters,
    register,
    registers,
)
from oae.model.events import from_word
from oae.spec.constants import (
    SERIAL_READ_MAX,
    BoardControl,
    Injection,
    LinkState,
)

ENTRY_WORDS: Final = 4
ENTRIES: Final = SERIAL_READ_MAX // ENTRY_WORDS
STATE_MASK: Final = 0b11
AMNESIA: Final = 2  # what is written to RESTART
POLL: Final = 0.01  # seconds between two looks at a register


class Identity(NamedTuple):
    """Who a board says it is."""

    identity: int
    version: int
    board_version: int
    build: int
    clock_hz: int
    window: int
    record_max: int

    def __str__(self) -> str:
        return (
            f"window {self.window}, records of up to {self.record_max} bytes, "
            f"{self.clock_hz:,} ticks a second, build {self.build:016x}"
        )

    def problem(self) -> str | None:
        """What this program cannot work with, if there is something."""
        if self.identity != IDENTITY:
            return f"IDENTITY is 0x{self.identity:08X}, not 0x{IDENTITY:08X} (OAE1)"
        if self.version != VERSION:
            return f"VERSION is 0x{self.version:08X}, this program reads 0x{VERSION:08X}"
        if self.board_version != BOARD_VERSION:
            return f"BOARD_VERSION is {self.board_version}, this program reads {BOARD_VERSION}"
        return None


class Told(NamedTuple):
    """One event of the trace buffer."""

    cycle: int
    channel: int
    word: int

    def __str__(self) -> str:
        try:
            event = str(from_word(self.word))
        except ValueError:
            event = "no event of this version"
        return f"{self.cycle:>14,}  {self.word:016x}  {event}"


class Board:
    """Registers, counters and trace of one board."""

    def __init__(self, client: Client) -> None:
        self.client = client

    def read(self, name: str) -> int:
        """The value of a register."""
        return self.client.read(register(name).address)[0]

    def write(self, name: str, value: int) -> None:
        """Write a register; raises RegisterError for one that cannot be written."""
        one = register(name)
        if not one.writable:
            raise RegisterError(f"{one.name}: cannot be written")
        self.client.write(one.address, value)

    def identity(self) -> Identity:
        """Who it says it is; of a board that is another thing only IDENTITY is asked."""
        identity = self.read("IDENTITY")
        if identity != IDENTITY:
            return Identity(identity, 0, 0, 0, 0, 0, 0)
        parameters = self.read("PARAMETERS")
        first = register("BOARD_VERSION").address
        board_version, _, high, low, clock_hz = self.client.read(first, 5)
        window, record_max = parameters & 0xFF, parameters >> 16
        version = self.read("VERSION")
        build = high << 32 | low
        return Identity(identity, version, board_version, build, clock_hz, window, record_max)

    def cycles(self) -> int:
        """Ticks since the reset; reading the low half latches the high one."""
        low, high = self.client.read(register("CYCLES_LOW").address, 2)
        return high << 32 | low

    def counters(self) -> dict[str, int]:
        """Every counter of the end."""
        every = list(counters().values())
        values = self.client.read(every[0].address, len(every))
        return {one.name: number for one, number in zip(every, values, strict=True)}

    def link_state(self) -> LinkState:
        """The state of the link."""
        return LinkState(self.read("STATUS") & STATE_MASK)

    def trace(self) -> Iterator[Told]:
        """Take the events out of the trace buffer, the oldest first, as many as it holds now."""
        left = self.read("TRACE_COUNT")
        while left > 0:
            entries = min(left, ENTRIES)
            words = self.client.read(register("TRACE_ENTRY").address, entries * ENTRY_WORDS)
            for place in range(0, len(words), ENTRY_WORDS):
                head, cycle, high, low = words[place : place + ENTRY_WORDS]
                if not head >> 31:
                    return
                yield Told((head & 0xFFFF) << 32 | cycle, head >> 16 & 7, high << 32 | low)
            left -= entries

    def all_registers(self) -> dict[str, int]:
        """Every register whose reading changes nothing, by name."""
        quiet = [one for one in registers().values() if one.name != "TRACE_ENTRY"]
        return {one.name: self.client.read(one.address)[0] for one in quiet}

    def control(self, *bits: BoardControl) -> None:
        """Set exactly these bits of CONTROL."""
        self.write("CONTROL", sum(1 << bit for bit in bits))

    def inject(self, kind: Injection, one_in: int = 0) -> None:
        """Strike one frame in so many on its way out; 0: none."""
        self.write("INJECT", kind << 16 | one_in)

    def forget(self) -> None:
        """Amnesia, with a new session."""
        self._draw_session()
        self.write("RESTART", AMNESIA)

    def need_session(self) -> None:
        """Give the internal host a session if it has none: it must not be 0."""
        if not self.read("SESSION_HIGH") and not self.read("SESSION_LOW"):
            self._draw_session()

    def _draw_session(self) -> None:
        session = secrets.randbits(64) or 1
        self.write("SESSION_HIGH", session >> 32)
        self.write("SESSION_LOW", session & 0xFFFF_FFFF)


def waited(condition: Callable[[], bool], seconds: float) -> bool:
    """Whether something comes true in so many seconds."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(POLL)
    return True
