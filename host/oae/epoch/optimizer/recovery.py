"""What training does after a recovery: the loss, at once and step by step."""

from dataclasses import dataclass

import numpy as np

from oae.epoch.optimizer.experiment import trainings
from oae.epoch.optimizer.problem import Array
from oae.epoch.optimizer.shards import mixed_vectors
from oae.epoch.optimizer.steps import State
from oae.epoch.optimizer.training import Training, follow

EARLY, LATE = 5, 60  # far apart, so that a mix is as bad as it gets
SHARDS = 2
STEPS = 40  # after the recovery


@dataclass(frozen=True)
class AtOnce:
    """The loss over all examples right after a recovery."""

    training: Training
    early: float
    late: float
    mixed: Array  # of each mixed state

    @property
    def worse(self) -> int:
        """Mixed states with more loss than both epochs."""
        return int((self.mixed > max(self.early, self.late)).sum())


@dataclass(frozen=True)
class Curves:
    """Losses after 0, 1, ... STEPS steps from a recovery."""

    training: Training
    early: Array  # from epoch e
    late: Array  # from epoch e + 1
    mixed: Array  # (mixed states, STEPS + 1)
    forgotten: Array  # from parameters and counter of epoch e, and no moments


def at_once(seed: int) -> list[AtOnce]:
    """Of all problems with all four optimizers."""
    return [
        AtOnce(
            training,
            _loss(training, training.states[training.early]),
            _loss(training, training.states[training.late]),
            np.array([_loss(training, state) for state in _mixed(training)]),
        )
        for training in trainings(seed, SHARDS, EARLY, LATE)
    ]


def curves(training: Training) -> Curves:
    """Train on from both epochs, from every mix of them, and without moments."""
    early = training.states[training.early]
    rows = early.rows.copy()
    rows[1:] = 0
    return Curves(
        training,
        _losses(training, early),
        _losses(training, training.states[training.late]),
        np.array([_losses(training, state) for state in _mixed(training)]),
        _losses(training, State(rows, early.count)),
    )


def _mixed(training: Training) -> list[State]:
    return [training.recovered(vector) for vector in mixed_vectors(training.domains)]


def _loss(training: Training, state: State) -> float:
    return training.problem.loss(state.parameters)


def _losses(training: Training, state: State) -> Array:
    after = follow(training.problem, training.optimizer, state, STEPS)
    return np.array([_loss(training, one) for one in after])
