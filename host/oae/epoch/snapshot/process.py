"""Processes as labelled transition systems, and their parallel composition as in CSP.

A label that stands in the alphabet of one process is a step of that process alone: steps of
different processes interleave, and nothing bounds how long one of them waits. A label that stands
in several alphabets is one step of all of them together.
"""

from collections.abc import Hashable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol

State = Hashable


class System(Protocol):
    """What can be explored."""

    @property
    def initial(self) -> Any:
        """Where it begins."""

    def steps(self, state: Any) -> Iterable[tuple[str, Any]]:
        """Each label that may come next, and the state after it."""


@dataclass(frozen=True)
class Process:
    """One process: from each state the labels it offers, with the state after each."""

    initial: State
    table: Mapping[Any, tuple[tuple[str, State], ...]]

    @cached_property
    def alphabet(self) -> frozenset[str]:
        """Every label that it takes part in."""
        return frozenset(label for offers in self.table.values() for label, _ in offers)

    def steps(self, state: State) -> tuple[tuple[str, State], ...]:
        """What it offers."""
        return self.table[state]


class Composition:
    """Processes side by side; a state is the tuple of theirs."""

    def __init__(self, processes: Iterable[Process]) -> None:
        self.processes = tuple(processes)
        self.initial = tuple(process.initial for process in self.processes)
        self._sharing: dict[str, list[int]] = {}
        for place, process in enumerate(self.processes):
            for label in process.alphabet:
                self._sharing.setdefault(label, []).append(place)

    def steps(self, state: tuple[State, ...]) -> Iterator[tuple[str, tuple[State, ...]]]:
        """Steps of one process alone, and those that several take together."""
        for place, process in enumerate(self.processes):
            for label, after in process.table[state[place]]:
                sharing = self._sharing[label]
                if len(sharing) == 1:
                    yield label, (*state[:place], after, *state[place + 1 :])
                elif place == sharing[0]:
                    yield from self._together(label, sharing, state)

    def _together(
        self, label: str, places: list[int], state: tuple[State, ...]
    ) -> Iterator[tuple[str, tuple[State, ...]]]:
        moved = list(state)
        for place in places:
            offered = dict(self.processes[place].table[state[place]])
            if label not in offered:
                return
            moved[place] = offered[label]
        yield label, tuple(moved)


@dataclass(frozen=True)
class Symmetric:
    """A composition of equal processes in which it does not count who is who.

    States that differ by a permutation are one; `unnumbered` takes the number off a label.
    """

    system: Composition

    @property
    def initial(self) -> tuple[Any, ...]:
        """Sorted, as every state."""
        return tuple(sorted(self.system.initial))

    def steps(self, state: tuple[Any, ...]) -> Iterator[tuple[str, tuple[Any, ...]]]:
        """Of processes in the same state only the first moves: the others would do the same."""
        for place, process in enumerate(self.system.processes):
            if place and state[place] == state[place - 1]:
                continue
            for label, after in process.table[state[place]]:
                yield unnumbered(label), tuple(sorted((*state[:place], after, *state[place + 1 :])))


def unnumbered(label: str) -> str:
    """`begin 2` is `begin`."""
    return label.split()[0]
