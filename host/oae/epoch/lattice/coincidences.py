"""Which event has measure zero: instants that coincide, and not epochs that are equal."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy

from oae.epoch.claim import Effort
from oae.epoch.lattice.checkpoints import FLUSH
from oae.epoch.lattice.experiment import Sample, experiment
from oae.epoch.lattice.models import coincidence, poisson
from oae.epoch.lattice.points import Plan, Point, measured

DOMAINS: Final = (2, 4, 8)
WITHIN: Final = tuple(2.0**power for power in range(7, -7, -1))  # cycles
MEAN: Final = 1.0  # epochs that a Poisson process is expected to have counted
TRIALS: Final = 30_000
PROCESSES: Final = "Poisson processes"
SAME_CYCLE: Final = "delays equal in cycles"


@dataclass(frozen=True)
class Coincidences:
    """Points of all settings, and the distance d of those that count coincidences."""

    points: tuple[Point, ...]
    within: dict[Point, float]

    def setting(self, name: str) -> tuple[Point, ...]:
        """The points of one setting."""
        return tuple(point for point in self.points if point.setting == name)


def within_setting(within: float) -> str:
    """The name of the setting for one distance."""
    return f"durable within {within:g} cycles"


def coincidences(effort: Effort) -> Coincidences:
    """Count instants within d of each other, equal counts of Poisson processes, equal delays."""
    sample = experiment(effort).sample
    plans = [
        Plan(PROCESSES, domains, poisson(domains, MEAN), TRIALS, _counting_processes(domains))
        for domains in DOMAINS
    ]
    plans.append(
        Plan(SAME_CYCLE, 2, equal_delays(sample), sample.trials(2), _counting_equal(sample))
    )
    plans += [
        Plan(
            within_setting(within),
            domains,
            coincidence(domains, within, FLUSH),
            TRIALS,
            _counting_within(domains, within),
        )
        for domains in DOMAINS
        for within in WITHIN
    ]
    # The experiment has the first two streams of the seed.
    _, _, seed = numpy.random.SeedSequence(effort.seed).spawn(3)
    points = measured([plan for plan in plans if plan.measurable], seed)
    distances = {within_setting(within): within for within in WITHIN}
    return Coincidences(
        points,
        {point: distances[point.setting] for point in points if point.setting in distances},
    )


def equal_delays(sample: Sample) -> float:
    """The chance that two markers take equally many cycles: sum of c (c - 1) / (m (m - 1)) over
    the counts c of each delay among the m that calibrate, which is unbiased."""
    counts = numpy.unique(sample.calibration, return_counts=True)[1]
    many = sample.calibration.size
    return float((counts * (counts - 1)).sum() / (many * (many - 1)))


def _counting_within(domains: int, within: float) -> Callable[[numpy.random.Generator], int]:
    def count(random: numpy.random.Generator) -> int:
        instants = random.exponential(FLUSH, (TRIALS, domains))
        return int((numpy.ptp(instants, axis=1) <= within).sum())

    return count


def _counting_processes(domains: int) -> Callable[[numpy.random.Generator], int]:
    def count(random: numpy.random.Generator) -> int:
        epochs = random.poisson(MEAN, (TRIALS, domains))
        return int((numpy.ptp(epochs, axis=1) == 0).sum())

    return count


def _counting_equal(sample: Sample) -> Callable[[numpy.random.Generator], int]:
    def count(random: numpy.random.Generator) -> int:
        return int((numpy.ptp(sample.apart(random, 2), axis=1) == 0).sum())

    return count
