"""The small language of scheduled faults: conditions, durations and actions.

docs/scenario.md describes it. Everything here raises `ValueError` with a message that says what is
wrong with the words; the caller knows where they stand.
"""

import difflib
import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from dataclasses import field as attribute
from enum import IntEnum
from typing import Final

from oae.scenario.layout import ANY
from oae.scenario.layout import Action as Code
from oae.scenario.layout import RuleKind as Kind
from oae.spec.constants import (
    AbortReason,
    EventCode,
    LinkState,
    MalformedReason,
    Operation,
    Outcome,
    State,
)
from oae.spec.constants import Kind as RecordKind

ENDS: Final = {"a": 0, "b": 1, "any": ANY}
DIRECTIONS: Final = {"a->b": 0, "b->a": 1, "any->any": ANY}
DURATION: Final = re.compile(r"(\d+) cycles?")
NTH: Final = re.compile(r"#(\d+)")

# Places of the fields of an event word.
CODE_SHIFT: Final = 56
SLOT_SHIFT: Final = 48
FROM_SHIFT: Final = 44
TO_SHIFT: Final = 40
INFO_SHIFT: Final = 32
# Codes of the events of a lane or of the link machine share their upper half.
UNITS: Final = {"initiator": 0x3, "responder": 0x4, "link": 0x5}
# Fields of frame coordinates.
OPERATION_SHIFT: Final = 48
COPY_SHIFT: Final = 32

TELLING: Final = (EventCode.TOLD, EventCode.UNOPENED_TOLD)  # info is {reason 6, outcome 2}


@dataclass(frozen=True)
class Condition:
    """Something that happens: a told step, a frame, or the start of the run."""

    kind: Kind
    source: int
    mask: int = 0
    match: int = 0
    changed: bool = False  # only a step that changes the state
    nth: int = 1
    words: str = attribute(default="", compare=False)  # as they were said


@dataclass(frozen=True)
class Duration:
    """A number of cycles."""

    cycles: int

    @property
    def words(self) -> str:
        """As it is said."""
        return f"{self.cycles} cycle{'s' * (self.cycles != 1)}"


@dataclass(frozen=True)
class Action:
    """What a fault does, and how it is undone if it can be."""

    code: Code
    target: int = 0
    argument_0: int = 0
    argument_1: int = 0
    undo: Code | None = None
    on_frame: bool = False  # concerns the frame that the condition is about
    words: str = attribute(default="", compare=False)  # as they were said


START: Final = Condition(Kind.TIMER, 0, words="start")


def parse_duration(words: str) -> Duration:
    """`200 cycles`."""
    found = DURATION.fullmatch(words)
    if not found:
        raise ValueError(f"{words!r} is not a duration; write '200 cycles'")
    return Duration(int(found[1]))


def parse_condition(words: str) -> Condition:
    """`b REFLECTED id=3`, `a initiator becomes COMMITTED`, `a->b DATA id=3 #2`, `start`."""
    if words.split() == ["start"]:
        return START
    return replace(_condition(words), words=words)


def _condition(words: str) -> Condition:
    tokens = words.split()
    nth = 1
    if tokens and (found := NTH.fullmatch(tokens[-1])):
        nth = int(found[1])
        tokens.pop()
        if not 1 <= nth <= 0xFFFF:
            raise ValueError(f"#{nth} is not from #1 to #65535")
    match tokens:
        case [source, name, *rest] if source in DIRECTIONS:
            mask, value = _frame(name, rest)
            return Condition(Kind.FRAME, DIRECTIONS[source], mask, value, nth=nth)
        case [source, unit, *rest] if source in ENDS and unit in UNITS:
            mask, value = _becomes(unit, rest)
            return Condition(Kind.EVENT, ENDS[source], mask, value, changed=True, nth=nth)
        case [source, name, *rest] if source in ENDS:
            mask, value = _event(name, rest)
            return Condition(Kind.EVENT, ENDS[source], mask, value, nth=nth)
        case [source, _, *_]:
            raise ValueError(
                f"{unknown('end or direction', source, [*ENDS, *DIRECTIONS])} (in {words!r})"
            )
    raise ValueError(f"{words!r} is not a condition; write 'b REFLECTED id=3' or 'a->b DATA #2'")


def parse_until(words: str) -> Condition | Duration:
    """A duration or a condition."""
    return parse_duration(words) if DURATION.fullmatch(words) else parse_condition(words)


def unknown(what: str, word: str, known: Iterable[str]) -> str:
    """`no event REFLECTD; did you mean REFLECTED?`."""
    close = difflib.get_close_matches(word, list(known), n=1, cutoff=0.5)
    return f"no {what} {word}" + (f"; did you mean {close[0]}?" if close else "")


def _number(field: str, word: str, most: int) -> int:
    try:
        value = int(word, 0)
    except ValueError:
        value = -1
    if not 0 <= value <= most:
        raise ValueError(f"{field}={word} is not a number from 0 to {most}")
    return value


def _code(field: str, word: str, codes: type[IntEnum]) -> int:
    if word not in codes.__members__:
        raise ValueError(unknown(field, word, codes.__members__))
    return codes[word].value


def _fields(words: list[str], known: Iterable[str]) -> dict[str, str]:
    known = list(known)
    found: dict[str, str] = {}
    for word in words:
        field, equals, value = word.partition("=")
        if not equals or not value:
            raise ValueError(f"{word!r} is not field=value")
        if field not in known:
            raise ValueError(unknown("field", field, known))
        if field in found:
            raise ValueError(f"{field} stands twice")
        found[field] = value
    return found


def _frame(name: str, rest: list[str]) -> tuple[int, int]:
    mask = match = 0
    if name != "any":
        mask |= 0xFF << OPERATION_SHIFT
        match |= _code("operation", name, Operation) << OPERATION_SHIFT
    for field, word in _fields(rest, ("id", "copy")).items():
        width, shift = (0xFFFF_FFFF, 0) if field == "id" else (0xFFFF, COPY_SHIFT)
        mask |= width << shift
        match |= _number(field, word, width) << shift
    return mask, match


def _becomes(unit: str, rest: list[str]) -> tuple[int, int]:
    if len(rest) < 2 or rest[-2] != "becomes":
        raise ValueError(f"write '{unit} becomes STATE'")
    states = LinkState if unit == "link" else State
    mask = 0xF0 << CODE_SHIFT | 0xF << TO_SHIFT
    match = UNITS[unit] << CODE_SHIFT + 4 | _code("state", rest[-1], states) << TO_SHIFT
    for field, word in _fields(rest[:-2], () if unit == "link" else ("id", "slot")).items():
        width, shift = (0xFFFF_FFFF, 0) if field == "id" else (0xFF, SLOT_SHIFT)
        mask |= width << shift
        match |= _number(field, word, width) << shift
    return mask, match


def _event(name: str, rest: list[str]) -> tuple[int, int]:
    if name not in EventCode.__members__:
        raise ValueError(unknown("event", name, EventCode.__members__))
    code = EventCode[name]
    mask, match = 0xFF << CODE_SHIFT, code << CODE_SHIFT
    known = ["id", "value", "info", "slot", "operation", "outcome", "reason", "kind"]
    for field, word in _fields(rest, known).items():
        width, shift = 0xFF, INFO_SHIFT
        if field in ("id", "value"):
            width, shift = 0xFFFF_FFFF, 0
            value = _number(field, word, width)
        elif field == "slot":
            shift = SLOT_SHIFT
            value = _number(field, word, width)
        elif field == "info":
            value = _number(field, word, width)
        elif field == "operation":
            value = _code(field, word, Operation)
        elif field == "kind":
            value = _code(field, word, RecordKind)
        elif field == "outcome":
            if code not in TELLING:
                raise ValueError(f"{name} carries no outcome")
            width = 0b11
            value = _code(field, word, Outcome)
        elif code == EventCode.MALFORMED:
            value = _code(field, word, MalformedReason)
        else:
            value = _code(field, word, AbortReason)
            if code in TELLING:
                width, shift = 0x3F, INFO_SHIFT + 2
        mask |= width << shift
        match |= value << shift
    return mask, match


# Actions on an end that take no more words, with what undoes them.
ON_END: Final = {
    "crash": (Code.CRASH, Code.RISE),
    "amnesia": (Code.AMNESIA, Code.RISE),
    "refuse": (Code.REFUSE, Code.ACCEPT),
    "disable": (Code.DISABLE, Code.ENABLE),
    "enable": (Code.ENABLE, Code.DISABLE),
    "mute": (Code.MUTE, Code.UNMUTE),
}
STALLS: Final = {
    "deliver": (Code.STALL_DELIVER, Code.FLOW_DELIVER),
    "completion": (Code.STALL_COMPLETION, Code.FLOW_COMPLETION),
    "doubt": (Code.STALL_DOUBT, Code.FLOW_DOUBT),
}
ON_FRAME: Final = {
    "drop": Code.DROP,
    "duplicate": Code.DUPLICATE,
    "corrupt": Code.CORRUPT,
    "flip": Code.FLIP,
}
COUNTED: Final = {"hold": Code.HOLD, "delay": Code.DELAY}
SETTING: Final = {"epoch": Code.EPOCH, "prepare": Code.PREPARE}
ACTIONS: Final = (*ON_END, *ON_FRAME, *COUNTED, *SETTING, "cut", "stall", "cancel", "stop", "forge")
FORGE_GUARD: Final = 1 << 16
FORGE_DIGEST: Final = 1 << 17


def parse_action(words: str) -> Action:
    """`cut a->b`, `crash b`, `drop`, `hold 3`, `cancel a tag=5`, `forge byte=14 xor=ff guard`."""
    return replace(_action(words), words=words)


def _action(words: str) -> Action:
    tokens = words.split()
    match tokens:
        case ["stop"]:
            return Action(Code.STOP)
        case ["cut", where]:
            return Action(Code.CUT, _place("direction", where, DIRECTIONS), undo=Code.JOIN)
        case [name, end] if name in ON_END:
            code, undo = ON_END[name]
            return Action(code, _place("end", end, ENDS), undo=undo)
        case ["stall", end, port]:
            if port not in STALLS:
                raise ValueError(unknown("port to stall", port, STALLS))
            code, undo = STALLS[port]
            return Action(code, _place("end", end, ENDS), undo=undo)
        case [name] if name in ON_FRAME:
            return Action(ON_FRAME[name], on_frame=True)
        case [name, count] if name in COUNTED:
            number = _number(name, count, 0xFFFF_FFFF)
            return Action(COUNTED[name], argument_0=max(number, 1), on_frame=True)
        case [name, end, value] if name in SETTING:
            number = _number(name, value, 0xFFFF_FFFF)
            return Action(SETTING[name], _place("end", end, ENDS), number)
        case ["cancel", end, tag] if tag.startswith("tag="):
            number = _number("tag", tag.removeprefix("tag="), 0xFFFF)
            return Action(Code.CANCEL, _place("end", end, ENDS), number)
        case ["forge", *rest]:
            return _forge(rest)
        case [name, *_] if name in ACTIONS:
            raise ValueError(f"{words!r}: wrong words after {name}")
        case [name, *_]:
            raise ValueError(unknown("action", name, ACTIONS))
    raise ValueError("no action")


def _place(what: str, word: str, known: dict[str, int]) -> int:
    if known.get(word, ANY) == ANY:
        raise ValueError(unknown(what, word, [name for name in known if "any" not in name]))
    return known[word]


def _forge(words: list[str]) -> Action:
    flags = 0
    fields = []
    for word in words:
        if word == "guard":
            flags |= FORGE_GUARD
        elif word == "digest":
            flags |= FORGE_DIGEST
        else:
            fields.append(word)
    found = _fields(fields, ("byte", "xor"))
    if set(found) != {"byte", "xor"}:
        raise ValueError("forge needs byte= and xor=")
    try:
        change = bytes.fromhex(found["xor"])
    except ValueError:
        change = b""
    if not 1 <= len(change) <= 8:
        raise ValueError(f"xor={found['xor']} is not one to eight bytes in hex")
    place = _number("byte", found["byte"], 1500)
    return Action(Code.FORGE, 0, flags | place, int.from_bytes(change, "little"), on_frame=True)
