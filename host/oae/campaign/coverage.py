"""What a run has covered: where faults struck, and which arcs the slots' machines took.

A cell of the grid is {kind of fault, operation, state of the initiator's slot, state of the
responder's, direction}. The states are those of the frame's transaction when the medium decides
about the frame; IDLE is also the state of an end that does not hold the transaction, not yet or no
longer. Frames of the link (NOP, SYNC, SYNC_ACK) belong to no transaction. A crash strikes every
transaction that an end of its lane holds; it has no operation, and the direction is the lane's.

Ids start again after amnesia, so that a frame may name another transaction than the one that its
id stands for then: a run is covered up to its first amnesia.
"""

from collections import Counter
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from oae.model import Parameters
from oae.model import initiator as initiators
from oae.model import responder as responders
from oae.model.steps import replaced
from oae.scenario.layout import Fault
from oae.scenario.scenario import DIRECTIONS
from oae.spec.constants import EVENT_STATES, EventCode, Operation, State
from oae.trace import Event, Fate, Trace

BY_INITIATOR: Final = (Operation.DATA, Operation.COMMIT, Operation.ABORT)
BY_RESPONDER: Final = (Operation.ACK, Operation.DONE, Operation.ABORTED)
OF_LINK: Final = (Operation.NOP, Operation.SYNC, Operation.SYNC_ACK)
# The second of two frames counts as the first one does.
FRAME_FAULTS: Final = {
    "cut": Fault.CUT,
    "drop": Fault.DROPPED,
    "duplicate": Fault.DUPLICATED,
    "reorder": Fault.HELD | Fault.DUPLICATE_HELD,
    "delay": Fault.DELAYED,
    "corrupt": Fault.CORRUPTED | Fault.DUPLICATE_CORRUPTED,
    "flip": Fault.FLIPPED | Fault.DUPLICATE_FLIPPED,
}
CRASHES: Final = ("crash of initiator", "crash of responder")
NONE: Final = "-"
MACHINES: Final = ("initiator", "responder")
INITIATOR_CODES: Final = 0x3  # upper half of the codes of its events
OF_SLOT: Final = "state"  # what the events of a slot carry
OPERATIONS: Final = frozenset((*BY_INITIATOR, *BY_RESPONDER, *OF_LINK))


class Cell(NamedTuple):
    """A place of the grid; states and operation by name, `-` for none."""

    kind: str
    operation: str
    initiator: str
    responder: str
    direction: str


class Arc(NamedTuple):
    """A step of a slot's machine that changed its state."""

    machine: str
    before: str
    after: str
    step: str


@dataclass
class Counts:
    """How often each cell was hit and each arc taken."""

    cells: Counter[Cell] = field(default_factory=Counter)
    arcs: Counter[Arc] = field(default_factory=Counter)


class _Ends:
    """The slots of both ends: those of the reference end, moved by what the trace tells."""

    def __init__(self, window: int) -> None:
        self._window = window  # as negotiated
        self._parameters = Parameters(window)
        self.initiators = [initiators.initial(self._parameters)] * 2
        self.responders = [responders.initial(self._parameters)] * 2

    def states(self, lane: int, id: int) -> tuple[str, str]:
        """States of a transaction at its initiator, which names the lane, and its responder."""
        proposed = initiators.names(self.initiators[lane], self._window, id)
        held = responders.names(self.responders[1 - lane], self._window, id)
        return (
            (proposed.state if proposed else State.IDLE).name,
            (held.state if held else State.IDLE).name,
        )

    def held(self, lane: int) -> set[int]:
        """Ids of the transactions that an end of the lane still has to do with."""
        proposed = self.initiators[lane].slots
        taken = self.responders[1 - lane].slots
        return {slot.id for slot in proposed if slot.state is not State.IDLE} | {
            slot.id for slot in taken if not slot.resolved
        }

    def slots(self, end: int) -> list[tuple[str, State]]:
        """The states of all slots of an end, with the machine of each."""
        return [
            *((MACHINES[0], slot.state) for slot in self.initiators[end].slots),
            *((MACHINES[1], slot.state) for slot in self.responders[end].slots),
        ]

    def step(self, event: Event) -> None:
        """A slot reaches another state."""
        after = State(event.to_state)
        if event.code >> 4 == INITIATOR_CODES:
            own = self.initiators[event.end]
            opened = replaced(own.slots, event.slot, initiators.Slot(after, event.value))
            self.initiators[event.end] = own._replace(slots=opened)
        else:
            peer = self.responders[event.end]
            slot = responders.Slot(
                after,
                event.value,
                delivered=event.code == EventCode.DELIVERED,
                reflected=event.from_state == State.REFLECTING and after is State.REVERSING,
            )
            slots = replaced(peer.slots, event.slot, slot)
            self.responders[event.end] = peer._replace(slots=slots)

    def crash(self, end: int) -> None:
        """What the reference end keeps."""
        self.initiators[end] = initiators.crash(self._parameters, self.initiators[end])
        self.responders[end] = responders.crash(self._parameters, self.responders[end])

    def start_again(self, end: int) -> None:
        """A new session: ids start at 0, and nothing is held."""
        self.initiators[end] = initiators.initial(self._parameters)
        self.responders[end] = responders.initial(self._parameters)


def counted(trace: Trace) -> Counts:
    """What the run of this trace has covered."""
    counts = Counts()
    ends = _Ends(min(int(trace.parameters[f"window.{end}"]) for end in "ab"))
    for record in trace:
        if isinstance(record, Fate):
            _struck(counts, ends, record)
        elif not isinstance(record, Event):
            continue
        elif record.code == EventCode.AMNESIA:
            break
        elif record.code == EventCode.CRASH:
            _crashed(counts, ends, record.end)
        elif record.code == EventCode.SESSION_ADOPTED:
            ends.start_again(record.end)
        elif EVENT_STATES.get(EventCode(record.code)) == OF_SLOT:
            _stepped(counts, ends, record)
    return counts


def _struck(counts: Counts, ends: _Ends, fate: Fate) -> None:
    """A frame that the medium has struck."""
    if not fate.faults or fate.operation not in OPERATIONS:
        return
    operation = Operation(fate.operation)
    states = NONE, NONE
    if operation not in OF_LINK:
        states = ends.states(fate.end if operation in BY_INITIATOR else 1 - fate.end, fate.id)
    for kind, faults in FRAME_FAULTS.items():
        if fate.faults & faults:
            counts.cells[Cell(kind, operation.name, *states, DIRECTIONS[fate.end])] += 1


def _crashed(counts: Counts, ends: _Ends, crashed: int) -> None:
    """Every transaction that an end of a lane holds sees the crash, in the states before it."""
    for lane, direction in enumerate(DIRECTIONS):
        for id in ends.held(lane):
            cell = Cell(CRASHES[crashed != lane], NONE, *ends.states(lane, id), direction)
            counts.cells[cell] += 1
    before = ends.slots(crashed)
    ends.crash(crashed)
    for (machine, was), (_, left) in zip(before, ends.slots(crashed), strict=True):
        if was is not left:
            counts.arcs[Arc(machine, was.name, left.name, "CRASH")] += 1


def _stepped(counts: Counts, ends: _Ends, event: Event) -> None:
    """A step of a slot."""
    if event.from_state != event.to_state:
        machine = MACHINES[event.code >> 4 != INITIATOR_CODES]
        states = State(event.from_state).name, State(event.to_state).name
        counts.arcs[Arc(machine, *states, EventCode(event.code).name)] += 1
        ends.step(event)
    elif event.code == EventCode.DELIVERED:
        ends.step(event)
