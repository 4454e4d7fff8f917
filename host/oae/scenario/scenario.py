"""What a scenario says. Keys, defaults and meanings are those of docs/scenario.md."""

from collections.abc import Callable
from dataclasses import dataclass, field, fields, replace
from typing import Any, Final

from oae.scenario.fates import NamedFate
from oae.scenario.language import Action, Condition, Duration
from oae.scenario.upsets import Upset
from oae.spec.constants import WINDOW_MAX, Kind, Operation

ENDS: Final = ("a", "b")
DIRECTIONS: Final = ("a->b", "b->a")
RECORD_MAX_LIMIT: Final = 1488
OFFSET_BYTES: Final = 8  # before the bytes of a file in a record
ALL_OPERATIONS: Final = frozenset(Operation)

Check = Callable[[Any], Any]


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _chance(default: float = 0.0) -> Any:
    def check(value: object) -> float:
        if not _is_number(value) or not 0 <= value <= 1:  # type: ignore[operator]
            raise ValueError(f"{value!r} is not a chance from 0 to 1")
        return float(value)  # type: ignore[arg-type]

    return field(default=default, metadata={"check": check})


def _count(default: int, least: int = 0, most: int = 2**31 - 1) -> Any:
    def check(value: object) -> int:
        if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
            raise ValueError(f"{value!r} is not a whole number from {least} to {most}")
        return value

    return field(default=default, metadata={"check": check})


def _flag(default: bool) -> Any:
    def check(value: object) -> bool:
        if not isinstance(value, bool):
            raise ValueError(f"{value!r} is not true or false")
        return value

    return field(default=default, metadata={"check": check})


def _text(default: str, *choices: str) -> Any:
    def check(value: object) -> str:
        if not isinstance(value, str) or (choices and value not in choices):
            raise ValueError(f"{value!r} is not {' or '.join(choices) or 'a text'}")
        return value

    return field(default=default, metadata={"check": check})


def _checked(check: Check, **default: Any) -> Any:
    return field(metadata={"check": check}, **default)


def _window(value: object) -> int:
    if type(value) is not int or value not in [1 << bit for bit in range(WINDOW_MAX.bit_length())]:
        raise ValueError(f"{value!r} is not a power of two from 1 to {WINDOW_MAX}")
    return value


def _record_max(value: object) -> int:
    if not isinstance(value, int) or value % 8 or not 8 <= value <= RECORD_MAX_LIMIT:
        raise ValueError(f"{value!r} is not a multiple of 8 from 8 to {RECORD_MAX_LIMIT}")
    return value


def _sizes(value: object) -> tuple[int, int]:
    pair = [value, value] if isinstance(value, int) else value
    match pair:
        case [int(least), int(most)] if 1 <= least <= most <= 2000 and least is not True:
            return least, most
    raise ValueError(f"{value!r} is neither a size nor [smallest, largest], from 1 to 2000")


def _operations(value: object) -> frozenset[Operation]:
    if not isinstance(value, list) or not value:
        raise ValueError(f"{value!r} is not a list of operations")
    for name in value:
        if name not in Operation.__members__:
            raise ValueError(f"no operation {name}")
    return frozenset(Operation[name] for name in value)


@dataclass(frozen=True)
class Link:
    """What both ends are built with, and how often they beat."""

    window: int = _checked(_window, default=8)
    record_max: int = _checked(_record_max, default=64)
    beats: bool = _flag(True)
    beat_idle: int = _count(256, 1)
    beat_busy: int = _count(64, 1)
    fault_beats: int = _count(64, 2)
    sync_interval: int = _count(512, 64)
    session: str = _text("fresh", "fresh", "same")


@dataclass(frozen=True)
class End:
    """What one end is built with; None: as the link says."""

    window: int | None = _checked(_window, default=None)
    record_max: int | None = _checked(_record_max, default=None)
    enable: bool = _flag(True)


@dataclass(frozen=True)
class Record:
    """One record of a load."""

    data: bytes
    kind: Kind = Kind.DATA


@dataclass(frozen=True)
class Load:
    """What the host of an end submits."""

    records: int = _count(0, 0, 10_000_000)
    sizes: tuple[int, int] | None = _checked(_sizes, default=None)
    file: bool = _flag(False)
    gap: int = _count(0)
    outstanding: int = _count(0)
    resubmit: bool = _flag(False)
    bad: float = _chance()
    too_long: float = _chance()
    cancel: float = _chance()
    cancel_after: int = _count(50)
    completion_stall: float = _chance()
    completion_stall_max: int = _count(16, 1)
    record: tuple[Record, ...] = ()


@dataclass(frozen=True)
class Host:
    """How the host of an end takes records, and its epochs at the start."""

    stall: float = _chance()
    stall_max: int = _count(16, 1)
    refuse: float = _chance()
    epoch: int = _count(0, 0, 2**32 - 1)
    prepared: int = _count(0, 0, 2**32 - 1)


@dataclass(frozen=True)
class Rates:
    """Chances that the medium does something to a frame, in one direction."""

    drop: float = _chance()
    duplicate: float = _chance()
    reorder: float = _chance()
    reorder_window: int = _count(3, 1)
    reorder_cycles: int = _count(200, 1)
    corrupt: float = _chance()
    flip: float = _chance()
    flip_bits: int = _count(3, 1, 3)
    delay: float = _chance()
    delay_max: int = _count(64, 1)
    latency: int = _count(0)
    operations: frozenset[Operation] = _checked(_operations, default=ALL_OPERATIONS)
    until: int = _count(0)  # cycles; 0: to the end of the run

    @property
    def without_chances(self) -> "Rates":
        """The same medium if it never strikes by chance."""
        none = dict.fromkeys(("drop", "duplicate", "reorder", "corrupt", "flip", "delay"), 0.0)
        return replace(self, **none, operations=ALL_OPERATIONS, until=0)  # type: ignore[arg-type]


@dataclass(frozen=True)
class ScheduledFault:
    """One `[[fault]]`: a condition and what then happens, until when."""

    when: Condition
    do: Action
    until: tuple[Condition | Duration, ...] = ()
    after: int = 0
    times: int = 1  # 0: always
    at: tuple[int, ...] = ()  # instead: at these times that the condition holds
    chance: float = 1.0
    name: str = ""
    armed_by: str = ""


@dataclass(frozen=True)
class Limits:
    """When a run ends."""

    cycles: int = _count(1_000_000, 1)
    stall: int = _count(20_000, 1)
    quiet: int = _count(64, 1)


@dataclass(frozen=True)
class Expect:
    """What must come of a run for PASS, besides the promises."""

    records: int = _count(1, 1)
    every_fault: bool = _flag(True)
    violations: int = _count(0)


@dataclass(frozen=True)
class Scenario:
    """A whole scenario; the tuples have one item an end, or one a direction."""

    version: int = 1
    name: str = ""
    text: str = ""
    seed: int = 1
    link: Link = field(default_factory=Link)
    ends: tuple[End, ...] = (End(), End())
    loads: tuple[Load, ...] = (Load(), Load())
    hosts: tuple[Host, ...] = (Host(), Host())
    rates: tuple[Rates, ...] = (Rates(), Rates())
    faults: tuple[ScheduledFault, ...] = ()
    fates: tuple[NamedFate, ...] = ()  # in order of coordinates
    upsets: tuple[Upset, ...] = ()  # in order of cycle
    limits: Limits = field(default_factory=Limits)
    expect: Expect = field(default_factory=Expect)
    source: str = field(default="", repr=False)  # the text that it was read from

    def window(self, end: int) -> int:
        """Slots that an end is built with."""
        return self.ends[end].window or self.link.window

    def record_max(self, end: int) -> int:
        """Longest record that an end is built for, in bytes."""
        return self.ends[end].record_max or self.link.record_max

    @property
    def negotiated_record_max(self) -> int:
        """Longest record that the link carries, in bytes."""
        return min(self.record_max(0), self.record_max(1))

    @property
    def carries_file(self) -> bool:
        """Whether a load wants the run's file."""
        return any(load.file for load in self.loads)


def checks(table: type) -> dict[str, Check]:
    """The check of each plain key of a table."""
    return {item.name: item.metadata["check"] for item in fields(table) if item.metadata}
