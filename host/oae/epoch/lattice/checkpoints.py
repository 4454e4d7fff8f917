"""Checkpoints that are forward in time only: what each domain holds when the marker has come.

Epoch k is computed at k T and is durable in a domain a flush later. The marker leaves at t and
reaches a domain after the delay L of its link; the domain's clock is off by S, and what it saves is
the epoch that it holds durable then:

    floor((t + L + S - F) / T),  S uniform in [-skew, skew], F exponential with mean `flush`

The formulas take the law of L from links (calibration); the draws take L from others.
"""

from typing import Final, NamedTuple

import numpy
from numpy.typing import NDArray
from scipy.optimize import brentq

from oae.epoch.lattice.markers import Delays
from oae.epoch.lattice.models import exchangeable

Numbers = NDArray[numpy.float64]

# Cycles. Skew and flush are of the size of a link's own delays, and the period is so much longer
# that the share of atomic snapshots can be measured from 2 domains to 1,024.
SKEW: Final = 10.0
FLUSH: Final = 40.0
PERIOD: Final = 2048.0


class DelayLaw(NamedTuple):
    """The delays of links that are met, and their chances; shape (values,) each."""

    values: Numbers
    chances: Numbers

    @classmethod
    def of(cls, delays: Delays) -> "DelayLaw":
        """What a sample of any shape says."""
        values, counts = numpy.unique(delays, return_counts=True)
        return cls(values.astype(float), counts / delays.size)


def lag_law(at: Numbers) -> Numbers:
    """P(S - F <= y): (y + s + f (1 - e^((y - s) / f))) / 2 s for y in [-s, s], 1 above, and
    e^(y / f) sinh(s / f) f / s below (s skew, f flush)."""
    inside = numpy.clip(at, -SKEW, SKEW)
    # At -s this is f (1 - e^(-2 s / f)) / 2 s; below, only the exponential goes on.
    middle = (inside + SKEW - FLUSH * numpy.expm1((inside - SKEW) / FLUSH)) / (2 * SKEW)
    return middle * numpy.exp(numpy.minimum(at + SKEW, 0) / FLUSH)


def epoch_law(instants: Numbers, delays: Numbers) -> Numbers:
    """The chance of each epoch; arguments of one shape, the result has the epochs added to it."""
    reached = instants + delays
    # A flush of two periods has no chance that a double could tell from 0.
    edges = PERIOD * numpy.arange(-2, int((reached.max() + SKEW) // PERIOD) + 2)
    below: Numbers = lag_law(edges - reached[..., None])
    return numpy.diff(below)


def share_apart(domains: int, instant: float, law: DelayLaw) -> float:
    """Atomic share at an instant if each domain has a link of its own: sum over k of P(k)^n."""
    of_epochs = epoch_law(numpy.full_like(law.values, instant), law.values)
    return exchangeable(domains, (law.chances @ of_epochs)[None], numpy.ones(1))


def share_switched(domains: int, instant: float, law: DelayLaw) -> float:
    """Atomic share at an instant if one link leads to the switch before all domains."""
    of_epochs = epoch_law(numpy.full_like(law.values, instant), law.values)
    return exchangeable(domains, of_epochs, law.chances)


def random_law(law: DelayLaw) -> Numbers:
    """The chance of each epoch at the midpoints of the cycles of a period: (cycles, epochs)."""
    instants, delays = numpy.meshgrid(numpy.arange(PERIOD) + 0.5, law.values, indexing="ij")
    of_epochs: Numbers = numpy.einsum("j,ijk->ik", law.chances, epoch_law(instants, delays))
    return of_epochs


def share_at_random(domains: int, of_epochs: Numbers) -> float:
    """Atomic share if the instant is uniform in the period, each domain on a link of its own.

    The mean of `share_apart` over the instants of `random_law`: all domains share the instant, so
    it is a common cause.
    """
    return exchangeable(domains, of_epochs, numpy.full(len(of_epochs), 1 / len(of_epochs)))


def behind(instant: float, law: DelayLaw) -> float:
    """The chance that a domain does not hold epoch 0 yet."""
    return float(law.chances @ lag_law(-instant - law.values))


def instant_behind(chance: float, law: DelayLaw) -> float:
    """The instant at which a domain is behind with this chance, cycles after the epoch's end."""
    return float(brentq(lambda t: behind(t, law) - chance, -PERIOD / 2, PERIOD))


def atomic_snapshots(
    random: numpy.random.Generator, delays: Delays, instants: Numbers, domains: int
) -> int:
    """How many checkpoints are atomic. `instants` has shape (trials,), `delays` (trials, domains)
    or, where one switch delays all, (trials, 1)."""
    shape = (len(instants), domains)
    lags = random.uniform(-SKEW, SKEW, shape) - random.exponential(FLUSH, shape)
    held = numpy.floor((instants[:, None] + delays + lags) / PERIOD)
    return int((held == held[:, :1]).all(axis=1).sum())
