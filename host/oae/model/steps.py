"""What all steps share: how one says no, and how one slot of a lane is replaced."""

from typing import TypeVar

Slot = TypeVar("Slot")


class NotAllowedError(Exception):
    """The step may not be taken in this state; the message says why."""


def require(condition: bool, reason: str) -> None:
    """Refuse the step unless `condition` holds."""
    if not condition:
        raise NotAllowedError(reason)


def replaced(slots: tuple[Slot, ...], index: int, slot: Slot) -> tuple[Slot, ...]:
    """`slots` with another slot at `index`."""
    return (*slots[:index], slot, *slots[index + 1 :])
