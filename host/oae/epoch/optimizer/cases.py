"""Where a mixed state is a state of a proper execution: computed, and compared bit for bit."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import product

import numpy as np

from oae.epoch.optimizer.decide import TOLERANCE, one_step_with_any_weights
from oae.epoch.optimizer.problem import Problem, regression
from oae.epoch.optimizer.shards import mixed_vectors
from oae.epoch.optimizer.steps import Optimizer, Sgd, State, fresh
from oae.epoch.optimizer.training import advance, optimizers, train

SHARDS = 3
EARLY, LATE = 10, 20
GAPS = (1, 3, 10)  # steps between neighbouring epochs
STORED = (10, 40, 160)  # the step of epoch e


@dataclass(frozen=True)
class Case:
    """For each optimizer, how many of the mixed states are reached."""

    name: str
    why: str
    reached: tuple[tuple[int, int], ...]  # of how many


def cases(seed: int) -> list[Case]:
    """All of them, on softmax regression."""
    random = np.random.default_rng([seed, 6])
    problem = regression(random, batches=LATE)
    start = 0.5 * random.standard_normal(problem.size)
    return [
        Case(
            "nothing special",
            "every shard moves between the epochs",
            _states_of_the_run(problem, start),
        ),
        Case(
            "a shard that the data never touch",
            "its gradient is 0, so it is the same in both epochs; weight decay moves it",
            _states_of_the_run(_untouched(problem, 0), start),
        ),
        Case(
            "a shard that the data touch only before e",
            "sparse rows: SGD leaves them, the momentum of dense optimizers moves them on",
            _states_of_the_run(_untouched(problem, EARLY), start),
        ),
        Case(
            "loss in separate blocks, a batch for one block",
            "the mixed state is the state of another order of the batches",
            _states_of_another_order(problem, start, random),
        ),
        Case(
            "asynchronous parameter servers, epochs one step apart",
            "each server applies its part of a gradient when it comes, by definition",
            _states_of_servers(problem, start),
        ),
    ]


def _untouched(problem: Problem, until: int) -> Problem:
    """The problem without the features of the last shard from this batch on."""
    features = problem.features.copy()
    features[until * problem.batch :, -features.shape[1] // SHARDS :] = 0
    return replace(problem, features=features)


def _states_of_the_run(problem: Problem, start: np.ndarray) -> tuple[tuple[int, int], ...]:
    found = []
    for optimizer in optimizers(problem):
        training = train(problem, optimizer, start, EARLY, LATE, SHARDS)
        states = [training.recovered(vector) for vector in mixed_vectors(training.domains)]
        hits = sum(np.array_equal(one.rows, training.states[one.count].rows) for one in states)
        found.append((hits, len(states)))
    return tuple(found)


def _states_of_another_order(
    problem: Problem, start: np.ndarray, random: np.random.Generator
) -> tuple[tuple[int, int], ...]:
    """Two blocks of parameters, each with a loss, moments and a counter of its own."""
    other = regression(random)
    found = []
    for optimizer in optimizers(problem):
        begin = [fresh(optimizer, start), fresh(optimizer, -start)]
        early, late = (
            _in_order((problem, other), optimizer, begin, [0, 1] * steps) for steps in (EARLY, LATE)
        )
        hits = 0
        for vector in mixed_vectors(2):
            mixed = [(early, late)[epoch][block] for block, epoch in enumerate(vector)]
            order = [block for block, state in enumerate(mixed) for _ in range(state.count)]
            random.shuffle(order)
            reached = _in_order((problem, other), optimizer, begin, order)
            hits += all(
                np.array_equal(one.rows, two.rows) for one, two in zip(mixed, reached, strict=True)
            )
        found.append((hits, 2))
    return tuple(found)


def _in_order(
    problems: Sequence[Problem], optimizer: Optimizer, begin: Sequence[State], order: Sequence[int]
) -> list[State]:
    states = list(begin)
    for block in order:
        states[block] = advance(problems[block], optimizer, states[block])
    return states


def _states_of_servers(problem: Problem, start: np.ndarray) -> tuple[tuple[int, int], ...]:
    """Given the gradient, all four step coordinate by coordinate, so each server can on its own."""
    found = []
    for optimizer in optimizers(problem):
        training = train(problem, optimizer, start, EARLY, EARLY + 1, SHARDS)
        before = training.states[EARLY]
        gradient = problem.gradient(before.parameters, EARLY)
        seen = set()
        for applied in product((0, 1), repeat=SHARDS):
            cuts = zip(
                applied,
                np.array_split(before.rows, SHARDS, axis=1),
                np.array_split(gradient, SHARDS),
                strict=True,
            )
            seen.add(
                np.hstack(
                    [
                        optimizer.step(State(rows, EARLY), slope).rows if done else rows
                        for done, rows, slope in cuts
                    ]
                ).tobytes()
            )
        states = [training.recovered(vector) for vector in mixed_vectors(training.domains)]
        hits = sum(state.rows.tobytes() in seen for state in states)
        found.append((hits, len(states)))
    return tuple(found)


def weighted_steps(seed: int) -> dict[tuple[int, int], tuple[int, int]]:
    """SGD, examples weighted at will: by step of e and gap, what one step from epoch e reaches.

    Of the mixed parameters; the counter does not enter SGD's step.
    """
    random = np.random.default_rng([seed, 7])
    problem = regression(random)
    start = 0.5 * random.standard_normal(problem.size)
    found = {}
    for early, gap in product(STORED, GAPS):
        training = train(problem, Sgd(problem.rate), start, early, early + gap, SHARDS)
        residuals = [
            one_step_with_any_weights(
                training, training.states[early], training.recovered((*vector, 0))
            )
            for vector in mixed_vectors(SHARDS)
        ]
        found[early, gap] = (sum(one <= TOLERANCE for one in residuals), len(residuals))
    return found
