"""Three small training problems: two on generated data, one on real data.

Softmax regression is convex and smooth with a constant in closed form. Its generated data are drawn
from the model itself, so classes overlap and the loss has a finite minimum; its real data are a
club that split. The network learns a sign pattern that no linear model can. Batches are stretches
of the data in a fixed order.
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from functools import cached_property
from typing import Final

import networkx as nx
import numpy as np
from numpy.typing import NDArray
from scipy.special import log_softmax, softmax

Array = NDArray[np.float64]
BATCH: Final = 24  # examples


@dataclass(frozen=True)
class Problem(ABC):
    """Examples in their order, and a loss of parameters, which are one flat vector.

    `features` is (examples, features) with a last column of ones, `labels` (examples, classes) one
    hot. Batch t is `batch` rows from t * batch on, from the start again at the end of the data.
    """

    features: Array
    labels: Array
    batch: int = BATCH

    @property
    @abstractmethod
    def name(self) -> str:
        """As tables show it."""

    @property
    @abstractmethod
    def size(self) -> int:
        """The number of parameters."""

    @property
    @abstractmethod
    def rate(self) -> float:
        """A rate at which SGD trains, and its step is the inverse of a contraction."""

    @abstractmethod
    def examples(self, parameters: Array, rows: slice) -> tuple[Array, Array]:
        """Loss of each example in nats, (examples,), and its gradient, (examples, parameters)."""

    def loss(self, parameters: Array) -> float:
        """The mean over all examples."""
        return float(self.examples(parameters, slice(None))[0].mean())

    def gradient(self, parameters: Array, step: int) -> Array:
        """Of the mean loss over the batch of a step: (parameters,)."""
        begin = step * self.batch % len(self.features)
        mean: Array = self.examples(parameters, slice(begin, begin + self.batch))[1].mean(axis=0)
        return mean

    def judged(self, scores: Array, rows: slice) -> tuple[Array, Array]:
        """Cross entropy of each example, (examples,), and its slope in the scores."""
        logs = log_softmax(scores, axis=1)
        labels = self.labels[rows]
        return -(labels * logs).sum(axis=1), np.exp(logs) - labels


class Regression(Problem):
    """Softmax regression; parameters are features x classes, feature by feature."""

    name = "softmax regression"

    @property
    def size(self) -> int:
        """The number of parameters."""
        return int(self.features.shape[1] * self.labels.shape[1])

    @cached_property
    def smoothness(self) -> float:
        """A Lipschitz constant of every batch's gradient.

        The Hessian of cross entropy in the scores is at most 1/2 (Boehning 1992), so that of a
        batch is at most half the largest eigenvalue of its mean of x x^T.
        """
        batches = self.features.reshape(-1, self.batch, self.features.shape[1])
        return max(0.5 * float(np.linalg.norm(part, 2)) ** 2 / self.batch for part in batches)

    @property
    def rate(self) -> float:
        """Half of what is allowed for the inverse of SGD's step."""
        return 0.5 / self.smoothness

    def examples(self, parameters: Array, rows: slice) -> tuple[Array, Array]:
        """Losses and gradients."""
        shown = self.features[rows]
        losses, slopes = self.judged(shown @ parameters.reshape(shown.shape[1], -1), rows)
        return losses, (shown[:, :, None] * slopes[:, None, :]).reshape(len(shown), -1)


class Club(Regression):
    """The same on real data."""

    name = "karate club"


class Network(Problem):
    """Hidden tanh units, then softmax; parameters are the first layer's, then the second's."""

    name = "network"
    rate = 0.25  # no constant holds everywhere: what comes of the inverse is stepped forward again
    hidden = 6

    @property
    def size(self) -> int:
        """The number of parameters."""
        layers = self.features.shape[1] * self.hidden, (self.hidden + 1) * self.labels.shape[1]
        return int(sum(layers))

    def examples(self, parameters: Array, rows: slice) -> tuple[Array, Array]:
        """Losses and gradients, by back-propagation."""
        shown = self.features[rows]
        cut = shown.shape[1] * self.hidden
        first = parameters[:cut].reshape(-1, self.hidden)
        second = parameters[cut:].reshape(self.hidden + 1, -1)
        units = np.tanh(shown @ first)
        inner = np.column_stack([units, np.ones(len(units))])
        losses, slopes = self.judged(inner @ second, rows)
        back = slopes @ second[:-1].T * (1 - units**2)
        gradients = [shown[:, :, None] * back[:, None, :], inner[:, :, None] * slopes[:, None, :]]
        return losses, np.concatenate([one.reshape(len(shown), -1) for one in gradients], axis=1)


def regression(random: np.random.Generator, batches: int = 8) -> Regression:
    """9 features (correlated, of unequal scales, one constant), 3 classes: 27 parameters."""
    classes, shape = 3, (batches * BATCH, 8)
    turn = np.linalg.qr(random.standard_normal((8, 8)))[0]
    shown = _with_ones(random.standard_normal(shape) * np.geomspace(1.0, 0.3, 8) @ turn)
    hidden = 2 * random.standard_normal((9, classes))
    chances = softmax(shown @ hidden, axis=1).cumsum(axis=1)[:, :-1]
    chosen = (random.random((len(shown), 1)) > chances).sum(axis=1)
    return Regression(shown, np.eye(classes)[chosen])


def club(random: np.random.Generator) -> Club:
    """The karate club that Zachary observed (1977): 34 members, who split into two clubs.

    Features are how many contexts a member shares with each of the 8 who share most, in units of
    the largest: 18 parameters. Two batches of 17 members; only their order is drawn.
    """
    graph = nx.karate_club_graph()
    shared = nx.to_numpy_array(graph, weight="weight")
    hubs = np.argsort(-shared.sum(axis=0), kind="stable")[:8]
    with_officer = [graph.nodes[member]["club"] == "Officer" for member in graph]
    order = random.permutation(len(graph))
    shown = _with_ones(shared[:, hubs] / shared.max())
    return Club(shown[order], np.eye(2)[np.array(with_officer, int)[order]], len(graph) // 2)


def network(random: np.random.Generator, batches: int = 8) -> Network:
    """Points of the plane, labelled by the sign of x y: 32 parameters."""
    points = random.standard_normal((batches * BATCH, 2))
    return Network(_with_ones(points), np.eye(2)[(points.prod(axis=1) > 0).astype(int)])


def _with_ones(columns: Array) -> Array:
    return np.column_stack([columns, np.ones(len(columns))])
