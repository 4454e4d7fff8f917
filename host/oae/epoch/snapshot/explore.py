"""Every state of a system, and where an execution may be at its k-th label of a kind."""

from array import array
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from oae.epoch.snapshot.process import System

Truths = NDArray[np.bool_]


@dataclass(frozen=True)
class Graph:
    """All reachable states, each nearer to the initial one first, and all transitions."""

    states: list[Any]
    labels: list[str]  # the different ones
    sources: NDArray[np.int64]  # of each transition: its state before, its state after, its label
    targets: NDArray[np.int64]
    named: NDArray[np.int64]
    origin: list[int]  # of each state: the transition that first led to it; -1: the initial one

    def path(self, state: int) -> tuple[str, ...]:
        """The labels of a shortest execution that ends in this state."""
        labels = []
        while (transition := self.origin[state]) >= 0:
            labels.append(self.labels[self.named[transition]])
            state = int(self.sources[transition])
        return tuple(reversed(labels))

    def where(self, holds: Callable[[Any], bool]) -> Truths:
        """Of each state whether this holds."""
        return np.fromiter(map(holds, self.states), bool, len(self.states))

    def can_reach(self, goal: Truths) -> Truths:
        """Of each state whether an execution leads on from it to a state of the goal."""
        return _closure(goal, self.targets, self.sources)


def explore(system: System) -> Graph:
    """The whole graph, breadth first."""
    states = [system.initial]
    numbers = {system.initial: 0}
    labels: dict[str, int] = {}
    sources, targets, named = array("q"), array("q"), array("q")
    origin = [-1]
    for number, state in enumerate(states):
        for label, after in system.steps(state):
            target = numbers.setdefault(after, len(states))
            if target == len(states):
                states.append(after)
                origin.append(len(sources))
            sources.append(number)
            targets.append(target)
            named.append(labels.setdefault(label, len(labels)))
    return Graph(
        states, list(labels), _numbers(sources), _numbers(targets), _numbers(named), origin
    )


def _numbers(column: "array[int]") -> NDArray[np.int64]:
    return np.frombuffer(column, np.int64)


@dataclass(frozen=True)
class Instants:
    """Where an execution may be at the k-th marked label; k = 0 is the beginning.

    `at[k]` tells it of each state, for k below len(at); what would come next is `at[repeats]`, so
    that this is known for every k.
    """

    at: tuple[Truths, ...]
    repeats: int
    before: Truths  # states in which an execution may be before the first marked label
    after: Truths  # and at or after it


def instants(graph: Graph, marks: Callable[[str], bool]) -> Instants:
    """All of them: what comes next is a function of a set of states, so that sets must repeat."""
    is_marked = np.array([marks(label) for label in graph.labels], bool)[graph.named]
    quiet = graph.sources[~is_marked], graph.targets[~is_marked]
    sources, targets = graph.sources[is_marked], graph.targets[is_marked]

    current = np.zeros(len(graph.states), bool)
    current[0] = True
    before = _closure(current, *quiet)
    at: list[Truths] = []
    numbers: dict[bytes, int] = {}
    while (key := np.packbits(current).tobytes()) not in numbers:
        numbers[key] = len(at)
        at.append(current)
        waiting = _closure(current, *quiet)
        current = np.zeros_like(current)
        current[targets[waiting[sources]]] = True
    first = at[1] if len(at) > 1 else at[0]
    return Instants(tuple(at), numbers[key], before, _closure(first, graph.sources, graph.targets))


def _closure(begin: Truths, sources: NDArray[np.int64], targets: NDArray[np.int64]) -> Truths:
    """These states and all that follow."""
    reached = begin.copy()
    while True:
        size = np.count_nonzero(reached)
        reached[targets[reached[sources]]] = True
        if np.count_nonzero(reached) == size:
            return reached
