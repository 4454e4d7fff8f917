"""Which instants are atomicity boundaries.

An instant is named before the execution: the k-th step of all, the k-th tick of a clock, or the
k-th time that a given domain takes a given label. It is a boundary if a crash of all domains there
never recovers a mixed state, whatever the execution was.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from oae.epoch.snapshot.domain import Recovered, crash_of_all, domains, recovered
from oae.epoch.snapshot.explore import Graph, Instants, Truths, explore, instants
from oae.epoch.snapshot.process import Composition, Process, Symmetric

Recovery = Callable[[Any], Recovered]
CLOCK = Process("clock", {"clock": (("tick", "clock"),)})


@dataclass(frozen=True)
class Judged:
    """What may be recovered at each k-th instant of a kind; `kinds[repeats:]` come again for ever.

    An empty set: no execution has such an instant. `separates`: before the first of them the old
    epoch is recovered in every execution, and from then on the new one.
    """

    kinds: tuple[frozenset[Recovered], ...]
    repeats: int
    separates: bool

    @property
    def mixed_from(self) -> int | None:
        """The k from which every instant may recover a mixed state; None if there is none."""
        first = next((k for k, kinds in enumerate(self.kinds) if Recovered.MIXED in kinds), None)
        if first is None or any(Recovered.MIXED not in kinds for kinds in self.kinds[first:]):
            return None
        return first

    @property
    def always_mixed(self) -> bool:
        """Whether every instant there is, but for the beginning, may recover a mixed state."""
        return all(Recovered.MIXED in kinds for kinds in self.kinds[1:] if kinds)

    @property
    def new_from(self) -> int | None:
        """The k from which every instant there is recovers the new epoch; None if there is none."""
        others = [k for k, kinds in enumerate(self.kinds) if kinds - {Recovered.NEW}]
        first = others[-1] + 1
        return first if first < len(self.kinds) else None


def judge(graph: Graph, marks: Callable[[str], bool], recovery: Recovery) -> Judged:
    """Judge the instants at which a label of those is taken."""
    recovers = [recovery(state) for state in graph.states]
    where = {kind: np.array([one is kind for one in recovers]) for kind in Recovered}
    found: Instants = instants(graph, marks)

    def kinds(states: Truths) -> frozenset[Recovered]:
        return frozenset(kind for kind, states_of in where.items() if np.any(states & states_of))

    return Judged(
        tuple(kinds(states) for states in found.at),
        found.repeats,
        kinds(found.before) == {Recovered.OLD} and kinds(found.after) == {Recovered.NEW},
    )


def every_step(label: str) -> bool:
    """Marks the steps of all."""
    return True


def ticks(label: str) -> bool:
    """Marks the ticks of a clock."""
    return label == "tick"


def by_steps(count: int, *, symmetric: bool) -> tuple[Graph, Judged]:
    """Judge the k-th step of all, for that many domains."""
    system = domains(count)
    graph = explore(Symmetric(system) if symmetric else system)
    return graph, judge(graph, every_step, recovered)


def with_clock(system: Composition) -> Composition:
    """The system beside a clock, which stands last; nothing ties the two together."""
    return Composition([*system.processes, CLOCK])


def shortest_mixed(system: Composition) -> tuple[Sequence[str], Sequence[str], Any]:
    """A shortest execution after which a crash of all recovers a mixed state.

    The steps, those of crash and recovery, and the state after them.
    """
    graph = explore(system)
    state = int(np.argmax(graph.where(lambda state: recovered(state) is Recovered.MIXED)))
    labels, after = crash_of_all(system, graph.states[state])
    return graph.path(state), labels, after


def jumps(graph: Graph, recovery: Recovery) -> int:
    """How many transitions lead from all old to all new at once."""
    old = graph.where(lambda state: recovery(state) is Recovered.OLD)
    new = graph.where(lambda state: recovery(state) is Recovered.NEW)
    return int(np.count_nonzero(old[graph.sources] & new[graph.targets]))
