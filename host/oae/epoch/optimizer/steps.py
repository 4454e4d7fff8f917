"""Optimizers as pure functions: a step, and the step taken back.

A state is the parameters with the moments that an optimizer keeps of past gradients, and the number
of steps so far, which names the next batch (and corrects Adam's moments). A step of each:

    SGD       theta' = theta - r g
    momentum  m' = b m + g;  theta' = theta - r m'
    Adam      m' = b1 m + (1 - b1) g;  v' = b2 v + (1 - b2) g^2;
              theta' = theta - r (m' / (1 - b1^t')) / (sqrt(v' / (1 - b2^t')) + epsilon)
    AdamW     the same with theta (1 - r w) for theta: decay apart from the gradient

Momentum, Adam and AdamW keep what they did in the moments, so a step can be taken back in closed
form: first theta, then the gradient there, then the moments. SGD's is the fixed point of
theta = theta' + r g(theta), which exists and is unique if r times the smoothness is below 1.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Protocol

import numpy as np

from oae.epoch.optimizer.problem import Array
from oae.errors import OaeError

Gradient = Callable[[Array], Array]  # of a batch, at given parameters
MOST_ROUNDS: Final = 2000


class InverseError(OaeError):
    """A step cannot be taken back by iteration."""


@dataclass(frozen=True)
class State:
    """`rows` is (1 + moments, parameters): the parameters, then first and second moment."""

    rows: Array
    count: int  # steps taken

    @property
    def parameters(self) -> Array:
        """The first row."""
        parameters: Array = self.rows[0]
        return parameters


class Optimizer(Protocol):
    """What all of them have."""

    @property
    def name(self) -> str:
        """As tables show it."""

    @property
    def rate(self) -> float:
        """The step size."""

    @property
    def moments(self) -> int:
        """How many moments a state has."""

    def step(self, state: State, gradient: Array) -> State:
        """The state after a step with this gradient."""

    def before(self, state: State, gradient: Gradient) -> State:
        """The only rows from which a step with the batch's gradient leads here.

        They need not be a state: a second moment may be negative.
        """


@dataclass(frozen=True)
class Sgd:
    """Plain stochastic gradient descent."""

    rate: float
    name: str = "SGD"
    moments: int = 0

    def step(self, state: State, gradient: Array) -> State:
        """See the module."""
        return State(state.rows - self.rate * gradient, state.count + 1)

    def before(self, state: State, gradient: Gradient) -> State:
        """By iteration of a contraction; raises InverseError if it is none."""
        parameters = state.parameters
        for _ in range(MOST_ROUNDS):
            moved = state.parameters + self.rate * gradient(parameters)
            if np.abs(moved - parameters).max() <= 1e-15 * (1 + np.abs(moved).max()):
                return State(moved[None], state.count - 1)
            parameters = moved
        raise InverseError(f"rate {self.rate}: the step is no contraction; take a smaller rate")


@dataclass(frozen=True)
class Momentum:
    """The heavy ball."""

    rate: float
    decay: float = 0.9
    name: str = "momentum"
    moments: int = 1

    def step(self, state: State, gradient: Array) -> State:
        """See the module."""
        parameters, moment = state.rows
        moment = self.decay * moment + gradient
        return State(np.stack([parameters - self.rate * moment, moment]), state.count + 1)

    def before(self, state: State, gradient: Gradient) -> State:
        """In closed form, for any rate and any decay above 0."""
        after, moment = state.rows
        parameters = after + self.rate * moment
        earlier = (moment - gradient(parameters)) / self.decay
        return State(np.stack([parameters, earlier]), state.count - 1)


@dataclass(frozen=True)
class Adam:
    """Adam; with `weight_decay` it is AdamW."""

    rate: float
    first_decay: float = 0.9
    second_decay: float = 0.999
    epsilon: float = 1e-8
    weight_decay: float = 0.0
    name: str = "Adam"
    moments: int = 2

    def step(self, state: State, gradient: Array) -> State:
        """See the module."""
        parameters, first, second = state.rows
        first = self.first_decay * first + (1 - self.first_decay) * gradient
        second = self.second_decay * second + (1 - self.second_decay) * gradient**2
        kept = (1 - self.rate * self.weight_decay) * parameters
        parameters = kept - self.rate * self.direction(first, second, state.count + 1)
        return State(np.stack([parameters, first, second]), state.count + 1)

    def before(self, state: State, gradient: Gradient) -> State:
        """In closed form; a step leads here if and only if no second moment is negative."""
        after, first, second = state.rows
        kept = after + self.rate * self.direction(first, second, state.count)
        parameters = kept / (1 - self.rate * self.weight_decay)
        slope = gradient(parameters)
        first = (first - (1 - self.first_decay) * slope) / self.first_decay
        second = (second - (1 - self.second_decay) * slope**2) / self.second_decay
        return State(np.stack([parameters, first, second]), state.count - 1)

    def direction(self, first: Array, second: Array, count: int) -> Array:
        """Where the step goes, with both moments corrected for having begun at 0."""
        mean = first / (1 - self.first_decay**count)
        spread = second / (1 - self.second_decay**count)
        towards: Array = mean / (np.sqrt(spread) + self.epsilon)
        return towards


def fresh(optimizer: Optimizer, parameters: Array) -> State:
    """The state in which training begins: no moments, no steps."""
    rows = np.zeros((1 + optimizer.moments, len(parameters)))
    rows[0] = parameters
    return State(rows, 0)
