"""What a step tells: one event, and its 64-bit word (docs/tables.md, "Event words")."""

from typing import NamedTuple

from oae.spec.constants import (
    CHANNEL_OF,
    COUNTERS,
    EVENT_STATES,
    AbortReason,
    Channel,
    EventCode,
    LinkState,
    MalformedReason,
    Operation,
    Outcome,
    State,
)

WITH_OPERATION = frozenset(
    {
        EventCode.SENT,
        EventCode.RECEIVED,
        EventCode.UNSUPPORTED,
        EventCode.NOT_UP,
        EventCode.ANSWER_IGNORED,
        EventCode.INITIATOR_VIOLATION,
        EventCode.ANSWER_REPEATED,
        EventCode.DELIVERY_AWAITED,
        EventCode.BEYOND_WINDOW,
        EventCode.BELOW_WINDOW,
        EventCode.COMMIT_IGNORED,
        EventCode.RESPONDER_VIOLATION,
        EventCode.LOOPBACK,
    }
)
WITH_REASON = frozenset({EventCode.ABORT_CONFIRMED, EventCode.REFUSED})
WITH_OUTCOME = frozenset({EventCode.TOLD, EventCode.UNOPENED_TOLD})


class Event(NamedTuple):
    """One step of one unit, as it is told."""

    code: EventCode
    slot: int = 0
    before: int = 0
    after: int = 0
    info: int = 0
    value: int = 0

    @property
    def channel(self) -> Channel:
        """Channel on which the step is told."""
        return CHANNEL_OF[self.code]

    @property
    def counters(self) -> tuple[str, ...]:
        """Names of the counters that count this event."""
        return tuple(
            name
            for name, code, info, mask in COUNTERS
            if code == self.code and (info is None or info == self.info & mask)
        )

    def word(self) -> int:
        """The 64-bit event word."""
        return (
            self.code << 56
            | self.slot << 48
            | self.before << 44
            | self.after << 40
            | self.info << 32
            | self.value
        )

    def __str__(self) -> str:
        """One readable line: DECIDED slot 0, REFLECTING to COMMITTED, value 3."""
        parts = [self.code.name]
        if kind := EVENT_STATES.get(self.code):
            names = State if kind == "state" else LinkState
            parts.append(f"{names(self.before).name} to {names(self.after).name}")
            if kind == "state":
                parts.append(f"slot {self.slot}")
        if self.code in WITH_OPERATION:
            parts.append(Operation(self.info).name)
        elif self.code == EventCode.MALFORMED:
            parts.append(MalformedReason(self.info).name)
        elif self.code in WITH_REASON:
            parts.append(AbortReason(self.info).name)
        elif self.code in WITH_OUTCOME:
            parts.append(f"{Outcome(self.info & 3).name}, {AbortReason(self.info >> 2).name}")
        elif self.info:
            parts.append(f"info {self.info}")
        return f"{', '.join(parts)}, value {self.value}"


def from_word(word: int) -> Event:
    """The event that a 64-bit word tells; raises ValueError for a code that is not one."""
    return Event(
        EventCode(word >> 56),
        word >> 48 & 0xFF,
        word >> 44 & 0xF,
        word >> 40 & 0xF,
        word >> 32 & 0xFF,
        word & 0xFFFF_FFFF,
    )


def moved(code: EventCode, slot: int, before: int, after: int, value: int, info: int = 0) -> Event:
    """Event of a step that takes a slot from one state to another."""
    return Event(code, slot, before, after, info, value)
