"""Whether a recovered state can be the result of a step: five questions, each decided by computing.

run     is it the state of the run that its counter names?
data    is it one step from some state of the run, with any weighting of the examples (SGD), or with
        any gradient whatever (the others; their moments say which)?
step    is it one step from some state, with the real gradient of the batch that its counter names?
epoch   is it as many steps as an epoch has from some state, with the batches of the run?
fresh   is it so many steps as its counter says from some parameters without moments, with the
        batches of the run?

Each has a residual: 0, up to rounding, if and only if the answer is yes. Differences of a row are
in units of how far that row moved from epoch e to e + 1. A second moment below 0 is no state; the
residual is then how far below 0 it is, in units of its row. TOLERANCE lies between both kinds of
residual; `decide` returns the residuals, and a table shows how wide the gap is.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from scipy.optimize import nnls

from oae.epoch.optimizer.steps import Adam, Momentum, State
from oae.epoch.optimizer.training import Training, advance, go_back

QUESTIONS: Final = ("run", "data", "step", "epoch", "fresh")
TOLERANCE: Final = 1e-10


@dataclass(frozen=True)
class Answer:
    """The residual of each question, and how many steps can be taken back at all."""

    residuals: dict[str, float]
    steps_back: int

    def reachable(self, question: str) -> bool:
        """Whether the answer is yes."""
        return self.residuals[question] <= TOLERANCE


def decide(training: Training, state: State) -> Answer:
    """Answer all questions on a recovered state."""
    lineage = _lineage(training, state)
    length = training.late - training.early
    return Answer(
        {
            "run": distance(training, state, training.states[state.count]),
            "data": _one_step_with_any_gradient(training, state),
            "step": _steps_from(training, state, lineage, 1),
            "epoch": _steps_from(training, state, lineage, length),
            "fresh": _from_fresh(training, state, lineage),
        },
        sum(_negative(training, earlier) <= TOLERANCE for earlier in lineage[1:]),
    )


def distance(training: Training, state: State, other: State) -> float:
    """The largest difference of a row; the counter is known to be equal."""
    gaps = np.abs(state.rows - other.rows).max(axis=1)
    return float((gaps / training.scales).max())


def _negative(training: Training, state: State) -> float:
    """How far below 0 a second moment is, in units of its row; 0 if there is none."""
    if len(state.rows) < 3:
        return 0.0
    return float(max(0.0, -state.rows[2].min()) / training.scales[2])


def _lineage(training: Training, state: State) -> list[State]:
    """The state and those before it, as far back as they are states, and one more."""
    lineage = [state]
    while lineage[-1].count > 0 and _negative(training, lineage[-1]) <= TOLERANCE:
        lineage.append(go_back(training.problem, training.optimizer, lineage[-1]))
    return lineage


def _steps_from(training: Training, state: State, lineage: list[State], steps: int) -> float:
    """The residual of `state` = so many steps from the only state that it can come from.

    The way back is not trusted: the steps are taken forward again from what it found.
    """
    begun = lineage[: steps + 1][-1]
    if _negative(training, begun) > TOLERANCE:
        return _negative(training, begun)
    if len(lineage) <= steps:
        return float("inf")  # the counter says that there were not so many steps
    for _ in range(steps):
        begun = advance(training.problem, training.optimizer, begun)
    return distance(training, state, begun)


def _from_fresh(training: Training, state: State, lineage: list[State]) -> float:
    """Zero if the steps lead, and the moments with which they begin are 0."""
    residual = _steps_from(training, state, lineage, state.count)
    if np.isfinite(residual) and lineage[-1].count == 0:
        moments = np.abs(lineage[-1].rows[1:]).max(axis=1) / training.scales[1:]
        return max(residual, float(moments.max(initial=0.0)))
    return residual


def _one_step_with_any_gradient(training: Training, state: State) -> float:
    """The least residual over all states of the run."""
    optimizer = training.optimizer
    if isinstance(optimizer, Momentum):
        # m = (m' - g) / b leaves g free, so only the parameters have to agree.
        came_from = state.parameters + optimizer.rate * state.rows[1]
        gaps = [np.abs(came_from - one.parameters).max() for one in training.states]
        return float(min(gaps) / training.scales[0])
    if isinstance(optimizer, Adam):
        # The counter is Adam's own, so it names the state; m says the gradient, which must fit v.
        before = training.states[state.count - 1]
        kept = optimizer.first_decay * before.rows[1]
        gradient = (state.rows[1] - kept) / (1 - optimizer.first_decay)
        return distance(training, state, optimizer.step(before, gradient))
    return min(one_step_with_any_weights(training, one, state) for one in training.states)


def one_step_with_any_weights(training: Training, before: State, state: State) -> float:
    """How far a step by SGD stays from the state, if the examples may have any weights of sum 1.

    By non-negative least squares: 0 if and only if the move that is needed lies in the convex hull
    of the examples' moves.
    """
    gradients = training.problem.examples(before.parameters, slice(None))[1]
    moves = -training.optimizer.rate * gradients.T / training.scales[0]
    needed = (state.parameters - before.parameters) / training.scales[0]
    matrix = np.vstack([moves, np.ones(len(gradients))])
    return float(nnls(matrix, np.append(needed, 1.0))[1])
