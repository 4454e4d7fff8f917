"""How a fleet is updated: by clock, by two-phase commit, by bilateral convergence.

A scheme keeps, for all runs at once, the version in which each end of each link talks. An end is
named by the lane that leaves it.
"""

from abc import ABC, abstractmethod
from typing import ClassVar

import numpy as np

from oae.epoch.fleet.faults import START, Faults, Fleet, Truths

GUARD = 6  # rounds


class Scheme(ABC):
    """What a run of a fleet needs of it."""

    name: ClassVar[str]
    tagged: ClassVar[bool] = False  # data of another version than the receiving end's is refused

    def __init__(self, fleet: Fleet, faults: Faults) -> None:
        self._fleet, self._faults = fleet, faults

    @abstractmethod
    def step(self, now: int) -> None:
        """A round begins: messages sent in the one before arrive, and new ones go."""

    @abstractmethod
    def new(self) -> Truths:
        """Runs, lanes: the end talks in the new version."""

    def silent(self) -> Truths:
        """Runs, lanes: the end neither sends nor takes data."""
        return np.zeros((len(self._faults.gone), 2 * self._fleet.links), bool)

    def in_doubt(self) -> Truths:
        """Runs, nodes: the node has promised and does not know the outcome."""
        return np.zeros_like(self._faults.gone)


class ByClock(Scheme):
    """Each node takes the new version when its own clock shows the round, or when next it is up."""

    name = "by clock"

    def __init__(self, fleet: Fleet, faults: Faults) -> None:
        super().__init__(fleet, faults)
        self._version = np.zeros_like(faults.gone)

    def step(self, now: int) -> None:
        """Look at the clock."""
        due = now - self._faults.offset >= START
        self._version |= due & ~self._faults.down[:, now]

    def new(self) -> Truths:
        """A node has one version."""
        return self._version[:, self._fleet.source]


class ByClockTagged(ByClock):
    """The same, but data bears its version: what a tag alone gives."""

    name = "by clock, tagged"
    tagged = True


class ByClockSilent(ByClock):
    """By clock, and silent for GUARD rounds of the own clock before and after.

    That is enough while clocks are off by less than GUARD and data takes one round.
    """

    name = "by clock, silent around it"

    def __init__(self, fleet: Fleet, faults: Faults) -> None:
        super().__init__(fleet, faults)
        self._silent = np.zeros_like(faults.gone)

    def step(self, now: int) -> None:
        """Look at the clock."""
        super().step(now)
        shown = now - self._faults.offset
        self._silent = (shown >= START - GUARD) & (shown < START + GUARD)

    def silent(self) -> Truths:
        """Around the update."""
        return self._silent[:, self._fleet.source]


class TwoPhase(Scheme):
    """The coordinator asks all, decides when all have promised, and tells all.

    It asks and tells until it is heard; promises and the decision are durable, and nobody refuses,
    so that nothing is ever aborted. Nodes that have promised go on talking.
    """

    name = "two-phase commit"

    def __init__(self, fleet: Fleet, faults: Faults) -> None:
        super().__init__(fleet, faults)
        shape = faults.gone.shape
        self._promised = np.zeros(shape, bool)
        self._heard = np.zeros(shape, bool)  # by the coordinator; lost when it is down
        self._decided = np.zeros((shape[0], 1), bool)
        self._version = np.zeros(shape, bool)
        self._asked = np.zeros(shape, bool)  # messages on the way
        self._told = np.zeros(shape, bool)
        self._replied = np.zeros(shape, bool)

    def step(self, now: int) -> None:
        """Orders arrive, replies arrive, the coordinator decides and sends."""
        up = ~self._faults.down[:, now]
        leads = up[:, :1]
        ordered = up & ~self._faults.order_lost[:, now - 1]
        asked = self._asked & ordered
        self._promised |= asked
        self._version |= self._told & ordered
        self._heard |= self._replied & ~self._faults.reply_lost[:, now - 1]
        self._heard &= leads
        self._decided |= self._heard.all(axis=1, keepdims=True)
        self._asked[:] = leads & ~self._decided & (now >= START)
        self._told[:] = leads & self._decided
        self._replied = asked

    def new(self) -> Truths:
        """A node has one version."""
        return self._version[:, self._fleet.source]

    def in_doubt(self) -> Truths:
        """From the promise until told."""
        return self._promised & ~self._version


class TwoPhaseSilent(TwoPhase):
    """The same, but a node that has promised is silent until it is told."""

    name = "two-phase commit, silent in doubt"

    def silent(self) -> Truths:
        """While in doubt."""
        return self.in_doubt()[:, self._fleet.source]


class Bilateral(Scheme):
    """Each link converges by itself, as the link machine does (docs/protocol.md, section 5).

    A node prepares the new version by its clock and then can speak both. The end at the lower node
    proposes; the other reflects once it is prepared; the first commits; the other takes the new
    version and says done; the first takes it too. Each message goes again until it is answered.
    """

    name = "bilateral"
    tagged = True

    def __init__(self, fleet: Fleet, faults: Faults) -> None:
        super().__init__(fleet, faults)
        shape = (len(faults.gone), fleet.links)
        self._low, self._high = fleet.source[: fleet.links], fleet.target[: fleet.links]
        self._prepared = np.zeros_like(faults.gone)
        self._reflecting = np.zeros(shape, bool)  # at the higher node
        self._done = np.zeros(shape, bool)
        self._committed = np.zeros(shape, bool)  # at the lower node
        self._freed = np.zeros(shape, bool)
        self._proposal, self._commit = np.zeros(shape, bool), np.zeros(shape, bool)  # on the way
        self._reflection, self._answer = np.zeros(shape, bool), np.zeros(shape, bool)

    def step(self, now: int) -> None:
        """Messages arrive at both ends of each link, and the next go."""
        up = ~self._faults.down[:, now]
        self._prepared |= up & (now - self._faults.offset >= START)
        lost = self._faults.control_lost[:, now - 1]
        there = up[:, self._high] & ~lost[:, : self._fleet.links]
        back = up[:, self._low] & ~lost[:, self._fleet.links :]
        proposed, committed = self._proposal & there, self._commit & there
        self._committed |= self._reflection & back
        self._freed |= self._answer & back
        self._reflecting |= proposed & self._prepared[:, self._high]
        self._done |= committed
        self._reflection = proposed & self._reflecting
        self._answer = committed
        sends = up[:, self._low] & self._prepared[:, self._low] & ~self._freed
        self._proposal, self._commit = sends & ~self._committed, sends & self._committed

    def new(self) -> Truths:
        """An end changes alone; a node speaks both versions meanwhile."""
        return np.concatenate([self._freed, self._done], axis=1)

    def in_doubt(self) -> Truths:
        """A node one of whose ends waits for the decision or for its confirmation."""
        at = np.eye(self._fleet.nodes, dtype=bool)  # which ends are of which node
        low = (self._committed & ~self._freed) @ at[self._low]
        high = (self._reflecting & ~self._done) @ at[self._high]
        return np.asarray(low | high)


SCHEMES: tuple[type[Scheme], ...] = (
    ByClock,
    ByClockTagged,
    ByClockSilent,
    TwoPhase,
    TwoPhaseSilent,
    Bilateral,
)
