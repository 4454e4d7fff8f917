"""A fleet, and what befalls it: drawn once, the same for every scheme of update.

Time goes in rounds. All arrays have the runs first, so that a scheme plays all runs at once.
"""

from dataclasses import dataclass

import networkx as nx
import numpy as np
from numpy.typing import NDArray

from oae.errors import OaeError

Truths = NDArray[np.bool_]
Numbers = NDArray[np.int64]

START = 20  # the round of the update, by a true clock


class FleetError(OaeError):
    """A fleet or its faults cannot be; the message says why."""


class Fleet:
    """Nodes 0 to n - 1 and links; every link is two directed lanes.

    Lanes 0 to links - 1 lead from the lower node to the higher one, the others back, in the same
    order. Node 0 hosts the coordinator, where there is one.
    """

    def __init__(self, graph: "nx.Graph[int]") -> None:
        if sorted(graph) != list(range(len(graph))) or not graph.size():
            raise FleetError("a fleet has nodes 0 to n - 1 and at least one link")
        low = np.array([min(edge) for edge in graph.edges])
        high = np.array([max(edge) for edge in graph.edges])
        self.nodes = len(graph)
        self.links = len(low)
        self.source: Numbers = np.concatenate([low, high])
        self.target: Numbers = np.concatenate([high, low])
        self.back: Numbers = np.roll(np.arange(2 * self.links), self.links)


@dataclass(frozen=True)
class Hazard:
    """How faults are drawn."""

    name: str
    loss: float = 0.0  # of each message
    crash: float = 0.0  # of each node in each round; it is down for DOWN rounds
    skew: int = 0  # a node's clock is off by at most so many rounds, each value alike
    lost: bool = False  # node 0 breaks for good within LOST rounds of the update


DOWN = 10
LOST = 8


@dataclass(frozen=True)
class Faults:
    """What befalls a fleet in each run; `rounds` of it."""

    offset: Numbers  # runs, nodes: the round by the own clock is the true one less this
    down: Truths  # runs, rounds, nodes
    data_lost: Truths  # runs, rounds, lanes; of what is sent in the round
    control_lost: Truths  # the same, of messages about the update
    order_lost: Truths  # runs, rounds, nodes: from the coordinator to the node
    reply_lost: Truths  # and back
    gone: Truths  # runs, nodes: broken for good

    @property
    def rounds(self) -> int:
        """How long a run is."""
        return int(self.down.shape[1])


def draw(
    fleet: Fleet, hazard: Hazard, runs: int, rounds: int, random: np.random.Generator
) -> Faults:
    """Faults at random."""

    def lost(width: int) -> Truths:
        return random.random((runs, rounds, width)) < hazard.loss

    crash = random.random((runs, rounds, fleet.nodes)) < hazard.crash
    down = crash.copy()
    for late in range(1, DOWN):
        down[:, late:] |= crash[:, :-late]
    gone = np.zeros((runs, fleet.nodes), bool)
    breaks = START + random.integers(0, LOST, runs)
    if hazard.lost:
        gone[:, 0] = True
        down[:, :, 0] |= np.arange(rounds) >= breaks[:, None]
    order, reply = lost(fleet.nodes), lost(fleet.nodes)
    order[:, :, 0] = reply[:, :, 0] = False  # the coordinator talks to its own host
    lanes = 2 * fleet.links
    offset = random.integers(-hazard.skew, hazard.skew, (runs, fleet.nodes), endpoint=True)
    return Faults(offset, down, lost(lanes), lost(lanes), order, reply, gone)


def every_loss(fleet: Fleet, rounds: int, lossy: int) -> Faults:
    """Every pattern of losses, a run each, in the first `lossy` rounds of the update.

    Messages about the update between nodes, and the same between coordinator and nodes, which
    never are both in use. Only for a pair: one lane there and one back.
    """
    if fleet.links != 1:
        raise FleetError("every pattern of losses: only for a pair")
    runs = 1 << 2 * lossy
    bits = np.arange(runs)[:, None] >> np.arange(2 * lossy) & 1 == 1
    lost = np.zeros((runs, rounds, 2), bool)
    lost[:, START : START + lossy] = bits.reshape(runs, lossy, 2)
    none = np.zeros((runs, rounds, 2), bool)
    order, reply = none.copy(), none.copy()
    order[:, :, 1], reply[:, :, 1] = lost[:, :, 0], lost[:, :, 1]
    nobody = np.zeros((runs, 2), bool)
    return Faults(np.zeros((runs, 2), np.int64), none, none, lost, order, reply, nobody)
