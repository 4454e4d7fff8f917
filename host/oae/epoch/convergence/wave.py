"""How Conv(P, e) is detected: an echo wave over the links themselves.

The root sends a token on every link. Who hears its first token remembers from where and sends one
on every other link. Who has heard one on all its links, and whose own ends have all converged on
e, sends one back to where the first came from. When the root has heard all, everybody has
converged. No clock and no count of domains is involved; while a link is cut or a domain dead the
wave waits, and what it says is INCONCLUSIVE.
"""

from enum import Enum

import numpy

from oae.epoch.convergence.state import Mask, State, incarnation_of
from oae.epoch.convergence.system import Indices, System


class Detection(Enum):
    """What is known of Conv(P, e). That it does not hold, nobody can know: it may come to hold."""

    CONVERGED = "CONVERGED"
    INCONCLUSIVE = "INCONCLUSIVE"


class Wave:
    """One wave over one run; `number` is that of the epoch."""

    def __init__(self, system: System, number: int, root: int) -> None:
        self.system, self.number, self.root = system, number, root
        self._degree = numpy.bincount(system.ends.ravel(), minlength=system.domains)
        self._sent = numpy.zeros((system.links, 2), numpy.bool_)  # by the domain at this side
        self._heard = numpy.zeros((system.links, 2), numpy.bool_)  # by the domain at the other
        self._parent = numpy.full(system.domains, -1)  # lane by which the first token came
        self._awake = numpy.zeros(system.domains, numpy.bool_)
        self._echoed = numpy.zeros(system.domains, numpy.bool_)
        self._wake(numpy.array([root]))

    @property
    def detection(self) -> Detection:
        """What the root knows."""
        return Detection.CONVERGED if self._echoed[self.root] else Detection.INCONCLUSIVE

    @property
    def messages(self) -> int:
        """Tokens sent so far."""
        return int(self._sent.sum())

    def step(self, state: State, chosen: Mask | None = None) -> None:
        """Tokens under way arrive, of those `chosen` ([links, 2]; all, if not given)."""
        ends = self.system.ends
        arrives = self._sent & ~self._heard & ~state.cut[0][:, None]
        arrives &= state.alive[0][ends[:, ::-1]]
        if chosen is not None:
            arrives &= chosen
        self._heard |= arrives
        lanes = numpy.flatnonzero(arrives)
        hearers, first = numpy.unique(ends[lanes // 2, 1 - lanes % 2], return_index=True)
        new = ~self._awake[hearers]
        self._parent[hearers[new]] = lanes[first[new]]
        self._wake(hearers[new])
        self._echo(state)

    def _wake(self, domains: Indices) -> None:
        self._awake[domains] = True
        fresh = numpy.zeros(self.system.domains, numpy.bool_)
        fresh[domains] = True
        self._sent |= fresh[self.system.ends]
        inner = domains[self._parent[domains] >= 0]
        # Nothing goes to the parent before the echo.
        link, side = numpy.divmod(self._parent[inner], 2)
        self._sent[link, 1 - side] = False

    def _echo(self, state: State) -> None:
        """Who has heard of all its links, and has converged on all of them, answers."""
        ends = self.system.ends
        heard = numpy.bincount(ends[:, ::-1][self._heard], minlength=self.system.domains)
        converged = state.converged[0]
        behind = (converged < self.number) | (
            incarnation_of(converged) != incarnation_of(numpy.asarray(self.number))
        )
        ready = self._awake & ~self._echoed & (heard == self._degree) & state.alive[0]
        ready[ends[behind]] = False
        self._echoed |= ready
        inner = numpy.flatnonzero(ready & (self._parent >= 0))
        link, side = numpy.divmod(self._parent[inner], 2)
        self._sent[link, 1 - side] = True
