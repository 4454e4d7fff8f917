"""Train, mix the epochs in every way, and answer every question on every mixed state."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from oae.epoch.claim import Effort
from oae.epoch.optimizer.decide import QUESTIONS, Answer, decide
from oae.epoch.optimizer.problem import club, network, regression
from oae.epoch.optimizer.shards import mixed_vectors
from oae.epoch.optimizer.training import Training, optimizers, train

EARLY, LATE = 10, 20  # the steps at which epochs e and e + 1 are stored
SPREAD = 0.5  # of the random parameters with which training begins


@dataclass(frozen=True)
class Outcome:
    """What came of one run: an answer a mixed state, and the controls, which are not mixed."""

    training: Training
    mixed: tuple[Answer, ...]
    controls: tuple[Answer, Answer]  # epoch e, epoch e + 1

    @property
    def sound(self) -> bool:
        """The states of the run itself have the answer yes to every question."""
        return all(one.reachable(question) for one in self.controls for question in QUESTIONS)

    def reached(self, question: str) -> int:
        """How many mixed states have the answer yes."""
        return sum(answer.reachable(question) for answer in self.mixed)

    def least_no(self, question: str) -> float:
        """The least residual among the answers no; infinite if there is none."""
        return min(
            (one.residuals[question] for one in self.mixed if not one.reachable(question)),
            default=float("inf"),
        )

    def most_yes(self, question: str) -> float:
        """The largest residual among the answers yes, controls counted."""
        every = (*self.mixed, *self.controls)
        return max(one.residuals[question] for one in every if one.reachable(question))


def trainings(seed: int, shards: int, early: int = EARLY, late: int = LATE) -> list[Training]:
    """All problems with all four optimizers, from the same data and the same start."""
    made = []
    for draw in (regression, club, network):
        random = np.random.default_rng([seed, 5])
        problem = draw(random)
        start = SPREAD * random.standard_normal(problem.size)
        for optimizer in optimizers(problem):
            made.append(train(problem, optimizer, start, early, late, shards))
    return made


def outcomes(effort: Effort) -> list[Outcome]:
    """All answers; two shards a row, or three if long."""
    every = trainings(effort.seed, shards := 3 if effort.long else 2)
    for done, training in enumerate(every):
        effort.tell(f"{training.optimizer.name} on {training.problem.name}", done, len(every))
        _outcome(effort.seed, shards, done)
    return [_outcome(effort.seed, shards, number) for number in range(len(every))]


@lru_cache(maxsize=32)  # two claims of one report rest on the same answers
def _outcome(seed: int, shards: int, number: int) -> Outcome:
    training = trainings(seed, shards)[number]
    early, late = (training.recovered((epoch,) * training.domains) for epoch in (0, 1))
    return Outcome(
        training,
        tuple(
            decide(training, training.recovered(vector))
            for vector in mixed_vectors(training.domains)
        ),
        (decide(training, early), decide(training, late)),
    )
