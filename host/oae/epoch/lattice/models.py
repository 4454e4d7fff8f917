"""How often a vector is atomic, in closed form, under one stated model each.

A share is a chance. `domains` is n; what is said of two epochs is said of {e, e + 1}.
"""

from typing import Any

import numpy
from numpy.typing import NDArray
from scipy import stats

from oae.errors import OaeError

Number = Any  # float or Fraction, and then the result is the same


class ModelError(OaeError):
    """A model with impossible parameters."""


def _check_chance(name: str, value: Any) -> None:
    if not 0 <= value <= 1:
        raise ModelError(f"{name} {value} is no chance: it lies from 0 to 1")


def independent(domains: int, advanced: Number) -> Number:
    """p^n + (1 - p)^n: each domain has advanced with chance p, whatever the others did."""
    _check_chance("advanced", advanced)
    return advanced**domains + (1 - advanced) ** domains


def common_cause(domains: int, advanced: Number, common: Number) -> Number:
    """c + (1 - c) (p^n + (1 - p)^n): with chance c all domains share one draw."""
    _check_chance("common", common)
    return common + (1 - common) * independent(domains, advanced)


def exchangeable(
    domains: int, law: NDArray[numpy.float64], weights: NDArray[numpy.float64]
) -> float:
    """E[sum over k of Q_k^n]: given a common cause, the domains draw epochs from Q on their own.

    `law` has shape (causes, epochs), rows add up to 1; `weights`, shape (causes,), are the chances
    of the causes. With one cause, domains are independent. For n without end the share tends to
    the chance of a Q that is certain of one epoch, and falls exponentially if and only if max Q_k
    is bounded away from 1: its n-th root tends to the essential supremum of that.
    """
    return float(weights @ (law**domains).sum(axis=1))


def advanced_by(instant: float, window: float, skew: float) -> float:
    """Bounded skew: the chance that a domain has advanced when its clock says `instant`.

    It advances at an instant uniform in [0, window] and reads at instant + s, s uniform in
    [-skew, skew]: (G(t + skew) - G(t - skew)) / (2 skew), G(y) the integral of the first one's
    distribution function. Certain outside [-skew, window + skew].
    """
    if window <= 0 or skew <= 0:
        raise ModelError(f"window {window} and skew {skew} must be more than 0")

    def integral(until: float) -> float:
        inside = min(max(until, 0.0), window)
        return inside**2 / (2 * window) + max(until - window, 0.0)

    # Certain outside, and rounding must not make it more than that.
    chance = (integral(instant + skew) - integral(instant - skew)) / (2 * skew)
    return min(max(chance, 0.0), 1.0)


def bounded_spread(domains: int, spread: float, period: float) -> float:
    """1 - (w / T) (n - 1) / (n + 1): the instant is uniform in the period T.

    Each domain advances once a period, uniform within w <= T: mixed are the instants between the
    first domain and the last, which are w (n - 1) / (n + 1) apart on average. At least 1 - w / T,
    for any number of domains.
    """
    if not 0 <= spread <= period or period <= 0:
        raise ModelError(f"spread {spread} lies from 0 to the period {period}, which is above 0")
    return 1 - spread / period * (domains - 1) / (domains + 1)


def poisson(domains: int, mean: float) -> float:
    """Sum over k of (e^-m m^k / k!)^n: each domain counts its epochs by a Poisson process of its
    own, of which m are to be expected by now.
    """
    if mean <= 0:
        raise ModelError(f"mean {mean} must be more than 0")
    # Counts beyond have a chance that no double could add to the sum.
    counts = numpy.arange(mean + 20 * numpy.sqrt(mean) + 20)
    return float((stats.poisson.pmf(counts, mean) ** domains).sum())


def coincidence(domains: int, within: float, mean: float) -> float:
    """(1 - e^(-d / m))^(n - 1): n instants, exponential with mean m, lie within d of each other.

    After the first of them the others begin anew. 0 for d = 0: the set of equal instants, the
    diagonal of R^n, has measure zero for n >= 2.
    """
    return float(-numpy.expm1(-within / mean)) ** (domains - 1)
