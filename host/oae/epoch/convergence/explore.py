"""Every state that a small system can reach, with kills and cuts at every step.

Breadth first, a whole frontier at once; a state is a row of bytes, and so is what is left of the
budget of faults. The way to a state that breaks an invariant is a shortest one.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy

from oae.epoch.convergence.invariants import INVARIANTS
from oae.epoch.convergence.state import Array, Mask, State, epoch_of
from oae.epoch.convergence.steps import COARSE, FAULTS, REPAIRS, Step
from oae.epoch.convergence.system import System

BUDGETS: Final = ("kills", "cuts")
CHUNK: Final = 1 << 16  # states that are worked on at once


@dataclass
class Explored:
    """What a search found. `broken` is the invariant that does not hold after `way`."""

    states: int = 0
    moves: int = 0
    depth: int = 0
    broken: str = ""
    way: list[str] = field(default_factory=list)
    stuck: int = 0  # states without faults to come, from which the last epoch cannot be reached


@dataclass(frozen=True)
class _Level:
    """The states that a search met at one depth, and whence: state before, step, place."""

    rows: Array
    parent: Array
    step: Array
    place: Array


class Explorer:
    """One search; `kills` and `cuts` are how many may happen, each at any step."""

    def __init__(
        self,
        system: System,
        kills: int = 0,
        cuts: int = 0,
        faults: Sequence[Step] = FAULTS,
        protocol: Sequence[Step] = COARSE,
        invariants: Sequence[Callable[[System, State], Mask]] = INVARIANTS,
    ) -> None:
        self.system = system
        self.steps = (*protocol, *REPAIRS, *faults)
        self.invariants = invariants
        self._start = State.start(system, 1)
        self._first = numpy.concatenate(
            [self._start.rows(), numpy.array([[kills, cuts]], numpy.uint8)], axis=1
        )
        self._levels: list[_Level] = []
        self._known: dict[bytes, int] = {}
        self._edges: list[Array] = []  # [2, moves]: from, to, of steps that are no faults

    def run(self, resolve: bool = True) -> Explored:
        """Visit all; `resolve` asks as well from where the last epoch can be reached."""
        found = Explored()
        nobody = numpy.array([-1])
        self._known[self._first.tobytes()] = 0
        self._levels.append(_Level(self._first, nobody, nobody, nobody))
        offset = 0
        while len(self._levels[-1].rows):
            level = self._levels[-1]
            if self._test(level.rows, offset, found):
                break
            self._next_level(level.rows, offset, found)
            offset += len(level.rows)
        found.states, found.depth = len(self._known), len(self._levels) - 2
        if resolve and not found.broken:
            found.stuck = self._stuck()
        return found

    def _test(self, rows: Array, offset: int, found: Explored) -> bool:
        for begin in range(0, len(rows), CHUNK):
            state = self._start.from_rows(rows[begin : begin + CHUNK, : -len(BUDGETS)])
            for invariant in self.invariants:
                wrong = numpy.flatnonzero(invariant(self.system, state))
                if len(wrong):
                    found.broken = str(invariant.__doc__)
                    found.way = self._way_to(offset + begin + int(wrong[0]))
                    return True
        return False

    def _next_level(self, rows: Array, offset: int, found: Explored) -> None:
        parts = []
        for begin in range(0, len(rows), CHUNK):
            for number, step in enumerate(self.steps):
                for place in range(step.places(self.system)):
                    taken, after = self._taken(step, place, rows[begin : begin + CHUNK])
                    found.moves += len(taken)
                    if len(taken):
                        parts.append(self._register(taken + begin + offset, after, number, place))
        self._levels.append(
            _Level(*(numpy.concatenate(column) for column in zip(*parts, strict=True)))
            if parts
            else _Level(*(numpy.empty((0,), int) for _ in range(4)))
        )

    def _taken(self, step: Step, place: int, rows: Array) -> tuple[Array, Array]:
        """The rows in which the step can be taken, and what they become."""
        width = len(BUDGETS)
        budget = rows[:, -width:].copy()
        can = numpy.arange(len(rows))
        if step.fault:
            column = BUDGETS.index(step.fault)
            can = numpy.flatnonzero(budget[:, column])
            budget[:, column] -= 1
        state = self._start.from_rows(rows[can, :-width].copy())
        runs = numpy.arange(len(can))
        done = step.take(self.system, state, runs, numpy.full(len(can), place))
        after = numpy.concatenate([state.take(done).rows(), budget[can[done]]], axis=1)
        return can[done], after

    def _register(
        self, before: Array, after: Array, step: int, place: int
    ) -> tuple[Array, Array, Array, Array]:
        known, fresh = self._known, []
        text, width = after.tobytes(), after.shape[1]
        to = numpy.empty(len(before), numpy.int64)
        for row in range(len(before)):
            key = text[row * width : (row + 1) * width]
            number = known.get(key)
            if number is None:
                number = known[key] = len(known)
                fresh.append(row)
            to[row] = number
        if not self.steps[step].fault:
            self._edges.append(numpy.stack([before, to]))
        count = len(fresh)
        return after[fresh], before[fresh], numpy.full(count, step), numpy.full(count, place)

    def _way_to(self, number: int) -> list[str]:
        parents = numpy.concatenate([level.parent for level in self._levels])
        steps = numpy.concatenate([level.step for level in self._levels])
        places = numpy.concatenate([level.place for level in self._levels])
        way = []
        while parents[number] >= 0:
            way.append(self.steps[steps[number]].told(self.system, int(places[number])))
            number = parents[number]
        return way[::-1]

    def _stuck(self) -> int:
        """How many states cannot reach one in which all have converged on the last part.

        Without any disk there is nothing to converge on: that counts as an end as well.
        """
        rows = numpy.concatenate([level.rows for level in self._levels if len(level.rows)])
        can = numpy.concatenate(
            [
                self._finished(self._start.from_rows(rows[begin : begin + CHUNK, : -len(BUDGETS)]))
                for begin in range(0, len(rows), CHUNK)
            ]
        )
        source, target = numpy.concatenate(self._edges, axis=1)
        while True:
            opened = ~can[source] & can[target]
            if not opened.any():
                return int((~can).sum())
            can[source[opened]] = True

    def _finished(self, state: State) -> Mask:
        done: Mask = (epoch_of(state.converged) == self.system.epochs - 1).all((1, 2))
        return done | state.lost.all(1)
