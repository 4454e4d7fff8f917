"""How long an epoch takes, in rounds: in a round every frame that is under way arrives."""

from dataclasses import dataclass
from typing import Any, Final

import networkx
import numpy

from oae.epoch.convergence import domain
from oae.epoch.convergence.schedule import Schedule
from oae.epoch.convergence.state import Array, State, epoch_of
from oae.epoch.convergence.steps import ADVANCE, CONVERGE, OWN
from oae.epoch.convergence.system import System, diameter, mesh, sparse_random
from oae.epoch.convergence.wave import Detection, Wave

# What a frame brings about comes before what sends the next one: one hop a round.
ORDER: Final = (*reversed((*ADVANCE, *CONVERGE)), *reversed(OWN))
# Begun, durable, DATA, ACK, COMMIT, DONE: a part is converged on this many rounds after the last.
CYCLE: Final = 6


@dataclass(frozen=True)
class Timed:
    """One epoch on one graph."""

    name: str
    domains: int
    links: int
    diameter: int
    converged: int  # rounds until the last end has converged
    detected: int  # rounds until the root of the wave knows; the root is at the rim
    messages: int  # of the wave

    @property
    def bound(self) -> int:
        """The wave starts with the epoch: it goes out, waits for the slowest, and comes back."""
        return CYCLE + 1 + 2 * self.diameter


def graphs(largest: int) -> list[tuple[str, Any]]:
    """Graphs of growing diameter, up to `largest` domains."""
    found: list[tuple[str, Any]] = [("pair", networkx.path_graph(2))]
    for size in (3, 8, 24, 80, 240):
        found.append(("ring", networkx.cycle_graph(size)))
    for height in (2, 4, 6, 8, 10, 12):
        tree = networkx.balanced_tree(2, height)
        if len(tree) <= largest:
            found.append(("tree", tree))
    for side in (3, 6, 12, 25, 50, 75, 100):
        if side * side <= largest:
            found.append(("mesh", mesh(side)))
    for size in (10, 100, 1000, 10_000):
        if size <= largest:
            found.append(("random", sparse_random(size, size)))
    return found


def timed(name: str, graph: Any) -> Timed:
    """Rounds from the first epoch's work to its convergence, and to the detection of it."""
    root = _rim(graph)
    widest = max(networkx.single_source_shortest_path_length(graph, root).values())
    system = System(graph, epochs=2, retain=2)
    state = State.start(system, 1)
    schedule = Schedule(numpy.random.default_rng(0), share=2.0)  # all that can
    wave = Wave(system, number=1, root=root)
    rounds = converged = 0
    while wave.detection is Detection.INCONCLUSIVE:
        rounds += 1
        for step in ORDER:
            schedule.step(system, state, step)
        if not converged and (state.converged >= 1).all():
            converged = rounds
        wave.step(state)
    return Timed(name, system.domains, system.links, int(widest), converged, rounds, wave.messages)


def _rim(graph: Any) -> int:
    """A domain far from others: the farthest from the farthest from 0."""
    far = networkx.single_source_shortest_path_length(graph, 0)
    first = max(far, key=lambda node: (far[node], -node))
    again = networkx.single_source_shortest_path_length(graph, first)
    return int(max(again, key=lambda node: (again[node], -node)))


def stalled(graph: Any, seed: int) -> tuple[Array, Array]:
    """Domain 0 never finishes part 1; how far the others get: (distance from it, epoch) of each.

    The steps come in random order, until nothing moves any more.
    """
    longest = diameter(graph)
    system = System(graph, epochs=longest + 3, retain=longest + 1)
    state = State.start(system, 1)
    schedule = Schedule(numpy.random.default_rng(seed), share=0.5)
    steps = [step for step in ORDER if step.take is not domain.flush]
    flush = next(step for step in ORDER if step.take is domain.flush)
    still = 0
    while still < 60:
        before = state.prepared.copy()
        schedule.sweep(system, state, steps)
        writing = state.writing[:, 0].copy()
        state.writing[:, 0] = False  # its disk is slow
        schedule.step(system, state, flush)
        state.writing[:, 0] = writing
        still = still + 1 if (state.prepared == before).all() else 0
    lengths = networkx.single_source_shortest_path_length(graph, 0)
    distance = numpy.array([lengths[node] for node in range(system.domains)])
    return distance, epoch_of(state.prepared[0])
