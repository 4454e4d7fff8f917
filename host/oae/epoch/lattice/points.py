"""A measured share beside the formula that was fixed before, with intervals for all together."""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

import numpy
from scipy import stats

from oae.epoch.claim import Table

CONFIDENCE: Final = 0.95  # of all points together
# A share that is expected to be met less often than this says nothing about its formula.
EXPECTED_COUNT: Final = 10


@dataclass(frozen=True)
class Plan:
    """What is to be counted, and the share that the formula says of it."""

    setting: str
    domains: int
    formula: float
    trials: int
    count: Callable[[numpy.random.Generator], int]  # of the trials

    @property
    def measurable(self) -> bool:
        """Known before anything is drawn."""
        return self.formula * self.trials >= EXPECTED_COUNT


@dataclass(frozen=True)
class Point:
    """A share as counted."""

    setting: str
    domains: int
    formula: float
    trials: int
    counted: int
    low: float
    high: float

    @property
    def share(self) -> float:
        """Of the trials."""
        return self.counted / self.trials

    def contains(self, formula: float) -> bool:
        """The interval holds what a formula says."""
        return self.low <= formula <= self.high


def measured(plans: Sequence[Plan], seed: numpy.random.SeedSequence) -> tuple[Point, ...]:
    """Count; each interval is Clopper and Pearson's at 1 - 0.05 / (number of plans), by Bonferroni
    95 % for all of them together, however the points depend on each other."""
    confidence = 1 - (1 - CONFIDENCE) / len(plans)
    return tuple(
        _point(plan, confidence, numpy.random.default_rng(child))
        for plan, child in zip(plans, seed.spawn(len(plans)), strict=True)
    )


def _point(plan: Plan, confidence: float, random: numpy.random.Generator) -> Point:
    counted = plan.count(random)
    interval = stats.binomtest(counted, plan.trials).proportion_ci(confidence, method="exact")
    low, high = float(interval.low), float(interval.high)
    return Point(plan.setting, plan.domains, plan.formula, plan.trials, counted, low, high)


def told(point: Point) -> str:
    """A point in words of a figure."""
    return f"{_digits(point.share)} [{_digits(point.low)}, {_digits(point.high)}]"


def _digits(share: float) -> str:
    """Four places, or two digits of what these would show as next to nothing; 0 is 0 only."""
    return f"{share:.1e}" if 0 < share < 0.001 else f"{share:.4f}"


def table(caption: str, points: Sequence[Point]) -> Table:
    """One row a point."""
    head = ("setting", "domains", "trials", "share", "interval", "formula", "within")
    rows = tuple(
        (
            point.setting,
            f"{point.domains:,}",
            f"{point.trials:,}",
            _digits(point.share),
            f"{_digits(point.low)} to {_digits(point.high)}",
            _digits(point.formula),
            "yes" if point.contains(point.formula) else "no",
        )
        for point in points
    )
    return Table(caption, head, rows)


def figures(points: Sequence[Point]) -> list[dict[str, Any]]:
    """The same for machines."""
    return [asdict(point) for point in points]
