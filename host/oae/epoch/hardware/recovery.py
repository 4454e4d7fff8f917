"""What recovery finds and decides: rules 7 and 8 of docs/epoch-convergence.md, the software's side.

A number is {incarnation (upper 16 bits), epoch (lower 16)}; `State` is what stands in the domains
of a ring at one cycle.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Self

import networkx

EPOCH_BITS = 16


def epoch_of(number: int) -> int:
    """The epoch in a number."""
    return number & (1 << EPOCH_BITS) - 1


def number_of(incarnation: int, epoch: int) -> int:
    """The number of an epoch in an incarnation."""
    return incarnation << EPOCH_BITS | epoch


@dataclass(frozen=True)
class Domain:
    """A domain as recovery finds it."""

    up: bool
    crashed: bool  # since it was restored: the work is lost
    holds: bool  # a state: not after the loss of its disk
    promised: int
    prepared: int
    parts: dict[int, int]  # value by number

    @property
    def newest(self) -> int:
        """The part that a recovery which asks nobody else takes."""
        return max(self.parts)


@dataclass(frozen=True)
class State:
    """A ring at one cycle; link k joins domain k with the next one."""

    cycle: int
    domains: tuple[Domain, ...]
    cut: tuple[bool, ...]

    @classmethod
    def take(cls, words: Sequence[int], at: int, size: int) -> tuple[Self, int]:
        """The state of `size` domains whose words (hdl/epoch/ring.h) begin there, and their end."""
        cycle, at = words[at], at + 1
        domains = []
        for _ in range(size):
            up, crashed, holds, promised, prepared, count = words[at : at + 6]
            at += 6
            pairs = words[at : at + 2 * count]
            at += 2 * count
            parts = dict(zip(pairs[::2], pairs[1::2], strict=True))
            domains.append(Domain(bool(up), bool(crashed), bool(holds), promised, prepared, parts))
        cut = tuple(bool(word) for word in words[at : at + size])
        return cls(cycle, tuple(domains), cut), at + size

    def components(self) -> list[list[int]]:
        """Domains that are alive and reach each other, each list in order."""
        size = len(self.domains)
        graph = networkx.Graph()
        graph.add_nodes_from(at for at in range(size) if self.domains[at].up)
        graph.add_edges_from(
            (at, (at + 1) % size)
            for at in range(size)
            if not self.cut[at] and {at, (at + 1) % size} <= set(graph)
        )
        return [sorted(component) for component in networkx.connected_components(graph)]

    def holders(self, component: Iterable[int]) -> list[int]:
        """Those of the component that have not lost their disk."""
        return [at for at in component if self.domains[at].parts]


def common_numbers(held: Iterable[Iterable[int]]) -> tuple[int, ...]:
    """The numbers that all of them hold, the newest last; none if nobody is asked."""
    sets = [set(numbers) for numbers in held]
    return tuple(sorted(set.intersection(*sets))) if sets else ()


@dataclass(frozen=True)
class Restored:
    """What is decided for one component: its holders restore the part `found` as `number`.

    If `lost` is not empty the recovery is INCOMPLETE. Who is `returning` restores with the others,
    and gets a part from elsewhere.
    """

    holders: tuple[int, ...]
    common: tuple[int, ...]  # numbers that all disks hold
    number: int
    lost: tuple[int, ...]  # have lost their disk
    returning: tuple[int, ...]  # of them

    @property
    def found(self) -> int:
        """The newest of the common numbers."""
        return self.common[-1]


def is_due(state: State, component: Sequence[int], everybody: bool) -> bool:
    """Whether a member makes the others recover: it restarted, or is of another incarnation.

    One that lost its disk does so only if `everybody` answers (rule 8).
    """
    holders = [state.domains[at] for at in state.holders(component)]
    incarnations = {domain.promised for domain in holders}
    incarnations |= {domain.prepared >> EPOCH_BITS for domain in holders}
    returns = everybody and len(holders) < len(component)
    return len(incarnations) > 1 or returns or any(domain.crashed for domain in holders)


def restored(
    state: State, component: Sequence[int], incarnation: Callable[[int], int], everybody: bool
) -> Restored | None:
    """The decision for a component, under the incarnation that its first holder may use.

    `everybody`: every domain of the system is in it, but those that are given up. None if nobody in
    it holds a common part: then there is nothing to recover from.
    """
    holders = state.holders(component)
    common = common_numbers(state.domains[at].parts for at in holders)
    if not common:
        return None
    number = number_of(incarnation(holders[0]), epoch_of(common[-1]))
    lost = tuple(at for at in component if at not in holders)
    return Restored(tuple(holders), common, number, lost, lost if everybody else ())
