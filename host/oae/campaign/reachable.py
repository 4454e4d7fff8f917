"""Which cells of the grid can be hit at all, and which arcs can be taken: by exploration.

The search (`oae.explore`) is of one lane with one slot: two transactions, a crash of each end, a
cancel, a refusal, and a medium on which whatever was once sent may arrive at any time. It is
complete, and the larger ones tried (more ids, slots, crashes) find nothing further. Its medium
forgets nothing, which is more than the links of a run do: what it cannot reach, no run can.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from itertools import product
from typing import Final, NamedTuple

from oae.campaign.coverage import (
    BY_INITIATOR,
    BY_RESPONDER,
    CRASHES,
    FRAME_FAULTS,
    MACHINES,
    NONE,
    OF_LINK,
    Arc,
    Cell,
)
from oae.explore.configuration import Configuration
from oae.explore.lane import Holder, Proposer
from oae.explore.world import A, Act, B
from oae.model import initiator as initiators
from oae.model import responder as responders
from oae.scenario.scenario import DIRECTIONS
from oae.spec.constants import State

SEARCH: Final = Configuration(
    window=1, ids=2, crashes_a=1, crashes_b=1, cancels=1, refusals=1, progress=False
)
IDLE: Final = State.IDLE.name
TOLD: Final = re.compile(r"(\w+), (\w+) to (\w+), slot")  # an event that a slot tells


class Met(NamedTuple):
    """A frame on its way (`-`: a transaction as such), and the states of its transaction's ends."""

    operation: str
    initiator: str
    responder: str


@dataclass(frozen=True)
class Reachable:
    """What exploration has met."""

    met: frozenset[Met]
    arcs: frozenset[Arc]
    states: int  # how many it visited


def grid() -> Iterator[Cell]:
    """Every cell."""
    states = [state.name for state in State]
    of_slots = [operation.name for operation in (*BY_INITIATOR, *BY_RESPONDER)]
    yield from (Cell(*place) for place in product(CRASHES, [NONE], states, states, DIRECTIONS))
    yield from (
        Cell(*place) for place in product(FRAME_FAULTS, of_slots, states, states, DIRECTIONS)
    )
    of_link = [operation.name for operation in OF_LINK]
    yield from (
        Cell(*place) for place in product(FRAME_FAULTS, of_link, [NONE], [NONE], DIRECTIONS)
    )


def can_be_hit(cell: Cell) -> bool:
    """Whether any run can hit the cell."""
    if cell.operation in {operation.name for operation in OF_LINK}:
        return True
    return Met(cell.operation, cell.initiator, cell.responder) in reachable().met


@cache
def reachable(search: Configuration = SEARCH) -> Reachable:
    """Search, and gather what was met."""
    running = search.search()
    found = running.run()
    if not found.clean:
        raise AssertionError(f"the exploration behind coverage failed: {found.broken}")
    world, channel, window = running.world, running.channel, search.window
    met: set[Met] = set()
    arcs: set[Arc] = set()
    pairs: set[tuple[int, int]] = set()
    heard: tuple[set[tuple[int, int]], set[tuple[int, int]]] = (set(), set())
    for a, b, forward, backward, _ in running.states:
        pairs.add((a, b))
        for side, place, medium in ((A, a, backward), (B, b, forward)):
            heard[side].update((place, number) for number in channel.frames(medium))
        proposer, holder = running.locals[A][a], running.locals[B][b]
        for number in {*channel.frames(forward), *channel.frames(backward)}:
            frame = running.frames[number]
            met.add(Met(frame.operation.name, *_states(proposer, holder, window, frame.id)))
    for a, b in pairs:
        for id in range(search.ids):
            met.add(Met(NONE, *_states(running.locals[A][a], running.locals[B][b], window, id)))
    for side in (A, B):
        for local in running.locals[side]:
            arcs.update(_arcs(side, local, world.acts(side, local), search.budget))
        for place, number in heard[side]:
            listener = running.locals[side][place]
            acts = world.hears(side, listener, running.frames[number])
            arcs.update(_arcs(side, listener, acts, search.budget))
    return Reachable(frozenset(met), frozenset(arcs), found.states)


def _states(proposer: object, holder: object, window: int, id: int) -> tuple[str, str]:
    assert isinstance(proposer, Proposer)
    assert isinstance(holder, Holder)
    proposed = initiators.names(proposer.initiator, window, id)
    held = responders.names(holder.responder, window, id)
    return (
        proposed.state.name if proposed else IDLE,
        held.state.name if held else IDLE,
    )


def _arcs(side: int, local: object, acts: Iterable[Act], budget: dict[str, int]) -> Iterator[Arc]:
    """What the acts that can be paid for tell of the slots, or a crash makes of them."""
    for act in acts:
        if act.price and not budget[act.price]:
            continue
        if told := TOLD.match(act.text):
            step, before, after = told.groups()
            if before != after:
                yield Arc(MACHINES[side], before, after, step)
        elif act.text == "CRASH":
            for one, other in zip(_slots(local), _slots(act.after), strict=True):
                if one is not other:
                    yield Arc(MACHINES[side], one.name, other.name, act.text)


def _slots(local: object) -> list[State]:
    if isinstance(local, Proposer):
        return [slot.state for slot in local.initiator.slots]
    assert isinstance(local, Holder)
    return [slot.state for slot in local.responder.slots]
