"""A persistence domain that takes one checkpoint, and what a crash of all recovers.

The checkpoint goes from the old epoch to the new one. `begin` opens it, `write` puts the domain's
part into a volatile cache, `flush` asks for it to be made durable, `durable` is the step in which
the medium has it. `crash` loses whatever is not durable; `recover` restarts the domain from its
own durable part.
"""

from collections.abc import Collection
from enum import Enum, IntEnum
from typing import Any

from oae.epoch.snapshot.process import Composition, Process


class Phase(IntEnum):
    """Where a domain is; DOWN says which part is durable."""

    IDLE = 0
    BEGUN = 1
    WRITTEN = 2
    FLUSHING = 3
    DOWN_OLD = 4
    DURABLE = 5
    DOWN_NEW = 6


class Recovered(Enum):
    """What all domains hold together after a crash of all."""

    OLD = "old"
    NEW = "new"
    MIXED = "mixed"


NEXT = {
    Phase.IDLE: ("begin", Phase.BEGUN),
    Phase.BEGUN: ("write", Phase.WRITTEN),
    Phase.WRITTEN: ("flush", Phase.FLUSHING),
    Phase.FLUSHING: ("durable", Phase.DURABLE),
    Phase.DOWN_OLD: ("recover", Phase.IDLE),
    Phase.DOWN_NEW: ("recover", Phase.DURABLE),
}
LABELS = ("begin", "write", "flush", "durable", "crash", "recover")
DOWN = (Phase.DOWN_OLD, Phase.DOWN_NEW)
NEW = (Phase.DURABLE, Phase.DOWN_NEW)


def offers(phase: Phase, *, crashes: bool = True) -> tuple[tuple[str, Phase], ...]:
    """What a domain may do, with the phase after each."""
    going_on = (NEXT[phase],) if phase in NEXT else ()
    if not crashes or phase in DOWN:
        return going_on
    return (*going_on, ("crash", Phase.DOWN_NEW if phase in NEW else Phase.DOWN_OLD))


def domain(number: int, *, crashes: bool = True, shared: frozenset[str] = frozenset()) -> Process:
    """Domain `number`: its labels bear the number, but for those that it shares with all others."""

    def named(label: str) -> str:
        return label if label in shared else f"{label} {number}"

    phases = [phase for phase in Phase if crashes or phase not in DOWN]
    return Process(
        Phase.IDLE,
        {
            phase: tuple((named(label), after) for label, after in offers(phase, crashes=crashes))
            for phase in phases
        },
    )


def domains(
    count: int, *, crashes: bool = True, shared: frozenset[str] = frozenset()
) -> Composition:
    """That many of them, side by side."""
    return Composition(domain(n, crashes=crashes, shared=shared) for n in range(count))


def recovered(state: Collection[Any]) -> Recovered:
    """What a crash of all in this state recovers: each domain its own durable part."""
    new = sum(phase in NEW for phase in state)
    if new == 0:
        return Recovered.OLD
    return Recovered.NEW if new == len(state) else Recovered.MIXED


def crash_of_all(system: Composition, state: tuple[Any, ...]) -> tuple[tuple[str, ...], Any]:
    """The steps by which all domains that are up crash and all recover, and the state after."""
    labels = []
    for label in ("crash", "recover"):
        for number in range(len(state)):
            after = dict(system.steps(state)).get(f"{label} {number}")
            if after is not None:
                labels.append(f"{label} {number}")
                state = after
    return tuple(labels), state
