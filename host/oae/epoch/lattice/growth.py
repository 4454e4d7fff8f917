"""The claim that the complement of atomicity grows exponentially."""

from collections.abc import Callable
from typing import Final

from oae.epoch.claim import Effort, Finding, Standing, Table
from oae.epoch.lattice import plots
from oae.epoch.lattice.experiment import (
    AT_RANDOM,
    BEHIND,
    SWITCHED,
    Outcome,
    behind_setting,
    experiment,
)
from oae.epoch.lattice.models import (
    advanced_by,
    bounded_spread,
    common_cause,
    independent,
    poisson,
)
from oae.epoch.lattice.points import Point, figures, told
from oae.epoch.lattice.vectors import atomic, mixed_count, vectors

SHOWN: Final = (2, 8, 32, 128, 1024)  # domains in the table of models
COUNTED: Final = {2: 14, 3: 8, 4: 6}  # domains at most, for each number of epochs


def run(effort: Effort) -> Finding:
    """Count the vectors, and hold the shares against exponentials."""
    counted = [
        (epochs, domains, sum(not atomic(vector) for vector in vectors(domains, epochs)))
        for epochs, most in COUNTED.items()
        for domains in range(1, most + 1)
    ]
    exact = all(count == mixed_count(domains, epochs) for epochs, domains, count in counted)
    outcome = experiment(effort)
    last = outcome.setting(AT_RANDOM)[-1]
    refuted = not last.contains(extrapolated(outcome.setting(AT_RANDOM), last.domains))
    agree = exact and refuted and outcome.within == len(outcome.points)
    grid = [row for row in counted if row[:2] in {(2, 2), (2, 4), (2, 8), (2, 14), (3, 8), (4, 6)}]
    return Finding(
        Standing.HOLDS_UNDER if agree else Standing.NOT_DECIDABLE,
        f"as a count: 2^n - 2 mixed vectors of two epochs, exact in all {len(counted)} lattices "
        "that were counted out; as a chance: never above 1, and at an instant at random 1 - "
        f"{told(last)} for {last.domains:,} domains, where an exponential through 4 and 8 domains "
        f"would leave {extrapolated(outcome.setting(AT_RANDOM), last.domains):.1g} atomic",
        text=(
            "As a count it holds: of the k^n vectors over k epochs k are atomic, and k^n - k are "
            "mixed. A count says nothing of how often they are met, unless all vectors have the "
            "same chance; then the atomic share is k^(1 - n).",
            "As a chance it cannot hold: the complement of an event of measure zero has measure 1 "
            "for every n >= 2 and does not grow at all, and that of any other event grows to 1 at "
            "most. What may fall exponentially is the share of atomic snapshots.",
            "When it does: let Q be the chance that a domain has advanced, given everything that "
            "the domains have in common (the instant, a switch). The atomic share is E[Q^n + "
            "(1 - Q)^n]. With M = max(Q, 1 - Q) it lies between E[M^n] and 2 E[M^n], so its n-th "
            "root tends to the essential supremum of M: it falls exponentially if and only if Q is "
            "bounded away from 0 and 1, and its limit is the chance that Q is 0 or 1.",
            "At a given instant within the spread of the flushes Q is one number p, and the fall "
            "is exponential, max(p, 1 - p)^n. At an instant at random Q is close to 0 or 1 most of "
            "the time, and the mixed share is the mean distance of the first domain from the last "
            "over the period: bounded by spread over period, for any number of domains, if the "
            "spread is bounded. (Exponential flushes have no bound: M stays below 1 by e^(-T / f), "
            "a rate that no number of domains would show.) Independent domains share at least the "
            "instant.",
        ),
        tables=(_counts(grid), _models(), _falls(outcome)),
        plots=(plots.mixed_vectors(),),
        data={
            "counted": [
                {"epochs": epochs, "domains": domains, "mixed": count}
                for epochs, domains, count in counted
            ],
            "points": figures(outcome.points),
        },
    )


def extrapolated(points: tuple[Point, ...], domains: int) -> float:
    """What the exponential through the formulas of the second and third point (4 and 8 domains)
    says of `domains`: for 2, p^n counts beside (1 - p)^n."""
    first, second = points[1:3]
    rate = (second.formula / first.formula) ** (1 / (second.domains - first.domains))
    return float(first.formula * rate ** (domains - first.domains))


def _counts(grid: list[tuple[int, int, int]]) -> Table:
    rows = tuple(
        (f"{epochs}", f"{domains}", f"{count:,}", f"{count / epochs**domains:.4f}")
        for epochs, domains, count in grid
    )
    return Table(
        "Mixed vectors, counted out", ("epochs", "domains", "mixed", "of all vectors"), rows
    )


def _models() -> Table:
    """The closed forms, no measurement."""
    # In the middle of the window, and just after its end.
    middle, late = (advanced_by(instant, window=1.0, skew=0.1) for instant in (0.5, 1.05))
    models: dict[str, Callable[[int], float]] = {
        "independent, p = 0.5": lambda n: independent(n, 0.5),
        "independent, p = 0.99": lambda n: independent(n, 0.99),
        "common cause with chance 0.1, else p = 0.5": lambda n: common_cause(n, 0.5, 0.1),
        f"bounded skew, middle of the window: p = {middle:.3f}": lambda n: independent(n, middle),
        f"bounded skew, at its end: p = {late:.3f}": lambda n: independent(n, late),
        "spread of a quarter of the period, instant at random": lambda n: bounded_spread(n, 1, 4),
        "Poisson processes, mean 1": lambda n: poisson(n, 1.0),
    }
    rows = tuple(
        (name, *(_written(share(number)) for number in SHOWN)) for name, share in models.items()
    )
    return Table(
        "Atomic share by model", ("model", *(f"{number:,} domains" for number in SHOWN)), rows
    )


def _written(share: float) -> str:
    """None of the models has a share of 0, but a double may."""
    return f"{share:.3g}" if share else "below 1e-307"


def _falls(outcome: Outcome) -> Table:
    """The last point of each setting beside the exponential through two of its first."""
    rows = []
    for name in (*map(behind_setting, BEHIND), AT_RANDOM, SWITCHED):
        points = outcome.setting(name)
        if len(points) < 4:
            continue  # nothing is left to be foretold
        last = points[-1]
        exponential = extrapolated(points, last.domains)
        within = "no" if last.contains(exponential) else "yes"
        rows.append((name, f"{last.domains:,}", told(last), f"{exponential:.3g}", within))
    head = ("setting", "domains", "measured", "exponential through 4 and 8", "rejected")
    return Table("Does the atomic share fall exponentially?", head, tuple(rows))
