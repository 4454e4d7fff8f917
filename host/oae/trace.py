"""Reads a trace (docs/trace.md) as typed records, in the order of the file.

    trace = Trace(path)
    trace.parameters["window.a"]
    for record in trace: ...

Ends are numbers: 0 is `a`; the bench itself is `BENCH`. Every record knows its line, so that what
is wrong can be shown.
"""

import hashlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final, NamedTuple

from oae.errors import OaeError

FORMAT: Final = "oae-trace 1"
BENCH: Final = -1
_END_OF: Final = {"-": BENCH, **{chr(ord("a") + i): i for i in range(26)}}


class TraceError(OaeError):
    """A trace cannot be read or is cut off; the message says in which line."""


class Event(NamedTuple):
    """One event word (docs/tables.md), taken apart."""

    line: int
    cycle: int
    end: int
    channel: int
    code: int
    slot: int
    from_state: int
    to_state: int
    info: int
    value: int

    @property
    def word(self) -> int:
        """The event word."""
        return (
            self.code << 56
            | self.slot << 48
            | self.from_state << 44
            | self.to_state << 40
            | self.info << 32
            | self.value
        )


class Transmit(NamedTuple):
    """A frame left the end."""

    line: int
    cycle: int
    end: int
    number: int
    first: int
    user: int
    broken: int
    data: bytes


class Receive(NamedTuple):
    """A frame reached the end."""

    line: int
    cycle: int
    end: int
    number: int
    first: int
    user: int
    broken: int
    data: bytes


class Fate(NamedTuple):
    """What the channel does to a frame that the end transmitted; `rule` is -1 for none."""

    line: int
    cycle: int
    end: int
    number: int
    operation: int
    id: int
    copy: int
    faults: int
    rule: int


class Submit(NamedTuple):
    """The host gave a record."""

    line: int
    cycle: int
    end: int
    first: int
    user: int
    broken: int
    tag: int
    kind: int
    data: bytes


class Deliver(NamedTuple):
    """The host took a record."""

    line: int
    cycle: int
    end: int
    first: int
    user: int
    broken: int
    id: int
    data: bytes


class Complete(NamedTuple):
    """The host took a completion."""

    line: int
    cycle: int
    end: int
    tag: int
    id: int
    kind: int
    outcome: int
    reason: int


class Doubt(NamedTuple):
    """The host took a doubt word."""

    line: int
    cycle: int
    end: int
    id: int
    digest: int


class Cancel(NamedTuple):
    """The end took a cancel."""

    line: int
    cycle: int
    end: int
    tag: int


class Power(NamedTuple):
    """Levels of the inputs crash and amnesia from this cycle on."""

    line: int
    cycle: int
    end: int
    crash: int
    amnesia: int


class Config(NamedTuple):
    """The inputs `cfg_*` from this cycle on."""

    line: int
    cycle: int
    end: int
    enable: int
    beats: int
    accept: int
    session: int
    epoch: int
    prepared: int


class Status(NamedTuple):
    """The outputs `status_*` from this cycle on."""

    line: int
    cycle: int
    end: int
    link_state: int
    incoming: int
    outgoing: int
    changing: int
    epoch: int
    converged: int
    initiator_balance: int
    responder_balance: int


class Cut(NamedTuple):
    """Whether the direction away from the end is cut from this cycle on."""

    line: int
    cycle: int
    end: int
    cut: int


class Rule(NamedTuple):
    """A fault rule fired."""

    line: int
    cycle: int
    end: int
    number: int


class Stop(NamedTuple):
    """The run ended, and why."""

    line: int
    cycle: int
    end: int
    reason: str


class Register(NamedTuple):
    """A register of the end after the run."""

    line: int
    cycle: int
    end: int
    address: int
    value: int


class End(NamedTuple):
    """The last line."""

    line: int
    cycle: int
    end: int


# What is told of the ports of an end: what stands there, and what crosses those of its host.
AtPort = Submit | Deliver | Complete | Doubt | Cancel | Power | Config | Status | Cut | Register

Record = (
    Event
    | Transmit
    | Receive
    | Fate
    | Submit
    | Deliver
    | Complete
    | Doubt
    | Cancel
    | Power
    | Config
    | Status
    | Cut
    | Rule
    | Stop
    | Register
    | End
)


def _event(line: int, cycle: int, end: int, words: list[str]) -> Event:
    channel, text = words
    word = int(text, 16)
    return Event(
        line,
        cycle,
        end,
        int(channel),
        word >> 56,
        word >> 48 & 0xFF,
        word >> 44 & 0xF,
        word >> 40 & 0xF,
        word >> 32 & 0xFF,
        word & 0xFFFF_FFFF,
    )


def _fate(line: int, cycle: int, end: int, words: list[str]) -> Fate:
    number, operation, id, copy, faults, rule = words
    return Fate(
        line,
        cycle,
        end,
        int(number),
        int(operation),
        int(id),
        int(copy),
        int(faults, 16),
        -1 if rule == "-" else int(rule),
    )


Make = Callable[..., Record]
Reader = Callable[[int, int, int, list[str]], Record]


def _packet(make: Make) -> Reader:
    """Numbers, and the bytes last."""
    count = len(make._fields) - 3  # type: ignore[attr-defined]

    def read(line: int, cycle: int, end: int, words: list[str]) -> Record:
        if len(words) != count:
            raise ValueError
        data = bytes.fromhex(words.pop())
        return make(line, cycle, end, *map(int, words), data)

    return read


def _numbers(make: Make) -> Reader:
    """Numbers only."""
    return lambda line, cycle, end, words: make(line, cycle, end, *map(int, words))


def _doubt(line: int, cycle: int, end: int, words: list[str]) -> Doubt:
    return Doubt(line, cycle, end, int(words[0]), int(words[1], 16))


def _config(line: int, cycle: int, end: int, words: list[str]) -> Config:
    enable, beats, accept, session, epoch, prepared = words
    numbers = int(enable), int(beats), int(accept), int(session, 16), int(epoch), int(prepared)
    return Config(line, cycle, end, *numbers)


def _stop(line: int, cycle: int, end: int, words: list[str]) -> Stop:
    (reason,) = words
    return Stop(line, cycle, end, reason)


def _register(line: int, cycle: int, end: int, words: list[str]) -> Register:
    address, value = words
    return Register(line, cycle, end, int(address, 16), int(value, 16))


_READERS: Final[dict[str, Reader]] = {
    "event": _event,
    "transmit": _packet(Transmit),
    "receive": _packet(Receive),
    "fate": _fate,
    "submit": _packet(Submit),
    "deliver": _packet(Deliver),
    "complete": _numbers(Complete),
    "doubt": _doubt,
    "cancel": _numbers(Cancel),
    "power": _numbers(Power),
    "config": _config,
    "status": _numbers(Status),
    "cut": _numbers(Cut),
    "rule": _numbers(Rule),
    "stop": _stop,
    "register": _register,
    "end": _numbers(End),
}


# How the values of a record stand in its line; what is last may be bytes, in hexadecimal.
_FORMATS: Final[dict[Callable[..., AtPort], str]] = {
    Submit: "submit {:d} {:d} {:d} {:d} {:d} {}",
    Deliver: "deliver {:d} {:d} {:d} {:d} {}",
    Complete: "complete {:d} {:d} {:d} {:d} {:d}",
    Doubt: "doubt {:d} {:08x}",
    Cancel: "cancel {:d}",
    Power: "power {:d} {:d}",
    Config: "config {:d} {:d} {:d} {:016x} {:d} {:d}",
    Status: "status {:d} {:d} {:d} {:d} {:d} {:d} {:d} {:d}",
    Cut: "cut {:d}",
    Register: "register {:02x} {:08x}",
}


def line_of(kind: Callable[..., AtPort], *values: object) -> str:
    """The words that tell a record with these values of its own, the reverse of `record_of`."""
    *others, last = values
    return _FORMATS[kind].format(*others, last.hex() if isinstance(last, bytes) else last)


def record_of(line: int, cycle: int, end: int, words: list[str]) -> Record:
    """The record that these words of a line tell; a KeyError or ValueError if they tell none."""
    what, *rest = words
    return _READERS[what](line, cycle, end, rest)


class Trace:
    """A trace file; iterating reads it from the start."""

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        self.parameters = self._parameters()

    @property
    def ends(self) -> int:
        """Number of ends."""
        return int(self.parameters["ends"])

    @property
    def sha256(self) -> str:
        """The run's event-log hash."""
        with self.path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()

    def wrong(self, line: int, problem: str) -> TraceError:
        """The error that says what is wrong with a line."""
        return TraceError(f"{self.path.name}:{line}: {problem}")

    def _parameters(self) -> dict[str, str]:
        found: dict[str, str] = {}
        try:
            with self.path.open() as file:
                if file.readline().rstrip("\n") != FORMAT:
                    raise self.wrong(1, f"does not begin with {FORMAT!r}")
                for line in file:
                    words = line.split()
                    if words[:1] != ["parameter"]:
                        break
                    found[words[1]] = words[2]
        except OSError as error:
            raise TraceError(f"{self.path}: {error.strerror}") from error
        except (UnicodeDecodeError, IndexError) as error:
            raise self.wrong(len(found) + 2, "is not a line of a trace") from error
        if "ends" not in found:
            raise self.wrong(len(found) + 2, "the parameter ends is missing")
        return found

    def __iter__(self) -> Iterator[Record]:
        """Every record; an incomplete trace ends in `TraceError`."""
        with self.path.open() as file:
            number = 0
            whole = False
            for number, line in enumerate(file, 1):
                if number == 1 or line.startswith("parameter "):
                    continue
                if whole:
                    raise self.wrong(number, "goes on after its end")
                words = line.split()
                try:
                    cycle, end, *told = words
                    record = record_of(number, int(cycle), _END_OF[end], told)
                except (ValueError, KeyError, TypeError, IndexError) as error:
                    raise self.wrong(number, f"is not a line of a trace: {line[:60]!r}") from error
                whole = isinstance(record, End)
                yield record
            if not whole:
                raise self.wrong(number, "the trace is cut off here")
