"""Which arcs the machines of the RTL take in the runs of the regression, of those that there are.

Every run of the pair is noted in one file. `python -m cocotb_tests.link.arcs` compares what all of
them took with what exploration takes of the reference end, and fails below the floor.
"""

import json
import re
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Final

from oae.campaign.coverage import INITIATOR_CODES, MACHINES, Arc, counted
from oae.campaign.reachable import SEARCH
from oae.explore.configuration import Configuration
from oae.explore.ends import Party
from oae.explore.lane import Holder, Proposer
from oae.explore.world import A, Act, B, Local
from oae.spec.constants import EVENT_STATES, EventCode, LinkState, State
from oae.trace import Event, Trace
from rich.console import Console
from rich.table import Table

NOTED: Final = Path(__file__).resolve().parents[2] / "build" / "test-results" / "arcs.jsonl"
FLOOR: Final = 41  # all but one that takes a step of the host and a frame at one edge
LINK: Final = "link"
DOWN: Final = LinkState.DOWN.name
CRASH: Final = EventCode.CRASH.name
RESTARTS: Final = (EventCode.CRASH, EventCode.AMNESIA)
SESSION: Final = Configuration(
    world="session",
    channel="fifo",
    capacity=1,
    window=1,
    ids=0,
    warm=True,
    timers=False,
    retries=False,
    progress=False,
)
# What damage, a peer without memory, a restart, a host or a dead direction can make of an end.
SEARCHES: Final = (
    SEARCH,
    Configuration(window=1, ids=1, alterations=1, progress=False),
    replace(SESSION, ids=1, amnesias_a=1),
    replace(SESSION, ids=1, amnesias_b=1, cancels=1),
    replace(SESSION, crashes_a=1, amnesias_b=1),
    replace(SESSION, crashes_a=1, faults=1),
    replace(SESSION, amnesias_a=1, faults=1),
    replace(SESSION, disables=1, amnesias_b=1),
)
TOLD: Final = re.compile(r"(\w+), (\w+) to (\w+)(, slot)?")  # an event that changes a state


class Events(Trace):
    """The events of a trace, read once."""

    def __init__(self, trace: Trace) -> None:
        super().__init__(trace.path)
        self._events = [record for record in trace if isinstance(record, Event)]

    def __iter__(self) -> Iterator[Event]:
        """Every event."""
        return iter(self._events)


def taken(trace: Trace) -> Counter[Arc]:
    """The arcs that a run took; of what a crash makes of slots, up to the first amnesia."""
    events = Events(trace)
    arcs = Counter({arc: n for arc, n in counted(events).arcs.items() if arc.step == CRASH})
    links = [LinkState.DOWN] * trace.ends
    for event in events:
        code = EventCode(event.code)
        if code in RESTARTS:
            if links[event.end] != LinkState.DOWN:
                arcs[Arc(LINK, links[event.end].name, DOWN, code.name)] += 1
            links[event.end] = LinkState.DOWN
        elif event.from_state != event.to_state:
            of_slot = EVENT_STATES[code] == "state"
            machine = MACHINES[code >> 4 != INITIATOR_CODES] if of_slot else LINK
            states = State if of_slot else LinkState
            before, after = states(event.from_state), states(event.to_state)
            arcs[Arc(machine, before.name, after.name, code.name)] += 1
            if isinstance(after, LinkState):
                links[event.end] = after
    return arcs


def note(trace: Trace) -> None:
    """Add a run to what the regression has taken."""
    line = json.dumps([[*arc, times] for arc, times in taken(trace).items()])
    NOTED.parent.mkdir(parents=True, exist_ok=True)
    with NOTED.open("a") as file:
        file.write(line + "\n")


def noted() -> Counter[Arc]:
    """What all runs took together."""
    arcs: Counter[Arc] = Counter()
    for line in NOTED.read_text().splitlines():
        for *arc, times in json.loads(line):
            arcs[Arc(*arc)] += times
    return arcs


@cache
def reachable() -> frozenset[Arc]:
    """The arcs that exploration takes."""
    return frozenset(arc for search in SEARCHES for arc in _explored(search))


def _explored(configuration: Configuration) -> Iterator[Arc]:
    search, budget = configuration.search(), configuration.budget
    search.run()
    world, channel = search.world, search.channel
    heard: set[tuple[int, int, int]] = set()
    for a, b, forward, backward, _ in search.states:
        for side, place, medium in ((A, a, backward), (B, b, forward)):
            heard.update((side, place, number) for number in channel.frames(medium))
    steps = [(local, world.acts(side, local)) for side in (A, B) for local in search.locals[side]]
    for side, place, number in heard:
        local = search.locals[side][place]
        steps.append((local, world.hears(side, local, search.frames[number])))
    for local, acts in steps:
        for act in acts:
            if not act.price or budget[act.price]:
                yield from _arcs(local, act)


def _arcs(local: Local, act: Act) -> Iterator[Arc]:
    """What an act tells of a machine, or a restart makes of it."""
    if told := TOLD.match(act.text):
        step, before, after, slot = told.groups()
        if before == after:
            return
        machine = MACHINES[EventCode[step] >> 4 != INITIATOR_CODES] if slot else LINK
        yield Arc(machine, before, after, step)
        if step == EventCode.INCOMING_DEAD.name:  # either direction may be dead
            yield Arc(machine, before, after, EventCode.OUTGOING_DEAD.name)
    elif (step := act.text.split(",")[0]) in (CRASH, EventCode.AMNESIA.name):
        for (machine, before), (_, after) in zip(_states(local), _states(act.after), strict=True):
            if before != after and (machine == LINK or step == CRASH):
                yield Arc(machine, before, after, step)


def _states(local: Local) -> list[tuple[str, str]]:
    """Machines of a party, and the state of each."""
    match local:
        case Proposer(initiator=initiator):
            return [(MACHINES[0], slot.state.name) for slot in initiator.slots]
        case Holder(responder=responder):
            return [(MACHINES[1], slot.state.name) for slot in responder.slots]
        case Party(end=end):
            return [
                *((MACHINES[0], slot.state.name) for slot in end.initiator.slots),
                *((MACHINES[1], slot.state.name) for slot in end.responder.slots),
                (LINK, end.link.state.name),
            ]
    raise TypeError(local)


def main() -> int:
    """Compare and tell; 1 if too few were taken, or one that there is not."""
    if not NOTED.exists():
        print("no run of the pair has been noted; run the tests in cocotb_tests/link")
        return 1
    arcs, known = noted(), reachable()
    table = Table(title="arcs of the machines of the RTL")
    for heading in ("machine", "taken", "of"):
        table.add_column(heading)
    for machine in (*MACHINES, LINK):
        own = [arc for arc in known if arc.machine == machine]
        table.add_row(machine, str(sum(arc in arcs for arc in own)), str(len(own)))
    Console(highlight=False).print(table)
    for heading, found in (("never taken", known - arcs.keys()), ("unknown", arcs.keys() - known)):
        for arc in sorted(found):
            print(f"{heading}: {arc.machine}: {arc.before} to {arc.after} by {arc.step}")
    number = len(known & arcs.keys())
    print(f"{number} of {len(known)} arcs taken; {FLOOR} are the least")
    return 0 if number >= FLOOR and arcs.keys() <= known else 1


if __name__ == "__main__":
    sys.exit(main())
