"""A run of an optimizer on a problem, and the two epochs of it that a recovery may mix."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from oae.epoch.optimizer.problem import Array, Problem
from oae.epoch.optimizer.shards import EpochVector, Part, assembled, chosen, parts
from oae.epoch.optimizer.steps import Adam, Momentum, Optimizer, Sgd, State, fresh


@dataclass(frozen=True)
class Training:
    """States 0, 1, ... of a run; state t is the one after t steps."""

    problem: Problem
    optimizer: Optimizer
    states: tuple[State, ...]
    early: int  # the step at which epoch e was stored
    late: int  # the same of e + 1
    shards: int

    @property
    def domains(self) -> int:
        """How many store a part of the state."""
        return (1 + self.optimizer.moments) * self.shards + 1

    @cached_property
    def scales(self) -> Array:
        """How far each row moved from epoch e to e + 1: (rows,), the largest over parameters."""
        early, late = self.states[self.early], self.states[self.late]
        scales: Array = np.abs(late.rows - early.rows).max(axis=1)
        return scales

    @cached_property
    def stored(self) -> tuple[list[Part], list[Part]]:
        """What the domains hold durable of epoch e and of e + 1."""
        early, late = self.states[self.early], self.states[self.late]
        return parts(early, 0, self.shards), parts(late, 1, self.shards)

    def recovered(self, vector: EpochVector) -> State:
        """The state that comes of putting together what the vector says."""
        return assembled(chosen(*self.stored, vector), self.shards)


def advance(problem: Problem, optimizer: Optimizer, state: State) -> State:
    """One step with the batch that the counter names."""
    return optimizer.step(state, problem.gradient(state.parameters, state.count))


def go_back(problem: Problem, optimizer: Optimizer, state: State) -> State:
    """One step taken back, with the batch that the counter names."""
    batch = state.count - 1
    return optimizer.before(state, lambda parameters: problem.gradient(parameters, batch))


def follow(problem: Problem, optimizer: Optimizer, state: State, steps: int) -> list[State]:
    """A state and those after it: steps + 1 of them."""
    states = [state]
    for _ in range(steps):
        states.append(advance(problem, optimizer, states[-1]))
    return states


def optimizers(problem: Problem) -> tuple[Optimizer, ...]:
    """The four, with rates at which they train."""
    return (
        Sgd(problem.rate),
        Momentum(problem.rate),
        Adam(0.05),
        Adam(0.05, weight_decay=0.1, name="AdamW"),
    )


def train(
    problem: Problem, optimizer: Optimizer, start: Array, early: int, late: int, shards: int
) -> Training:
    """Run from the start until the later epoch is stored."""
    states = follow(problem, optimizer, fresh(optimizer, start), late)
    return Training(problem, optimizer, tuple(states), early, late, shards)
