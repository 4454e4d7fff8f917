"""What all steps share: how one says no, and how parts of a state are replaced."""

from collections.abc import Callable
from operator import itemgetter
from typing import Any, Final, TypeVar

Slot = TypeVar("Slot")
State = TypeVar("State", bound=tuple[Any, ...])

_NEW: Final = tuple.__new__


class NotAllowedError(Exception):
    """The step may not be taken in this state; the message says why."""


def require(condition: bool, reason: str) -> None:
    """Refuse the step unless `condition` holds."""
    if not condition:
        raise NotAllowedError(reason)


def replaced(slots: tuple[Slot, ...], index: int, slot: Slot) -> tuple[Slot, ...]:
    """`slots` with another slot at `index`."""
    return (*slots[:index], slot, *slots[index + 1 :])


def replacing(kind: type[State], *names: str) -> Callable[..., State]:
    """What `_replace` does for these fields of a named tuple, given in this order; much faster."""
    fields: tuple[str, ...] = kind._fields  # type: ignore[attr-defined]
    places = {name: len(fields) + place for place, name in enumerate(names)}
    pick = itemgetter(*(places.pop(name, place) for place, name in enumerate(fields)))
    assert not places, f"{kind.__name__} has no {', '.join(places)}"

    def replace(state: State, *values: object) -> State:
        return _NEW(kind, pick(state + values))

    return replace
