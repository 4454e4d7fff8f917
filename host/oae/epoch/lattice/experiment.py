"""The experiment behind the claims: formulas from some links, counts from others.

Half of the links calibrate: their delays go into the formulas. The other half are measured: every
domain of a snapshot has a link of its own, and no delay is used twice in a point. For more domains
than links, delays are drawn from those that calibrate: such a point tests the formula and not the
law of the delays, since the slowest of 1,024 domains is not known from some thousand delays.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Final

import numpy

from oae.epoch.claim import Effort
from oae.epoch.lattice.checkpoints import (
    PERIOD,
    DelayLaw,
    atomic_snapshots,
    instant_behind,
    random_law,
    share_apart,
    share_at_random,
    share_switched,
)
from oae.epoch.lattice.markers import Delays, delays
from oae.epoch.lattice.points import Plan, Point, measured

DOMAINS: Final = tuple(2**power for power in range(1, 11))  # 2 to 1,024
# Instants after an epoch's end, by the chance that a domain is behind.
BEHIND: Final = (0.5, 0.1, 0.01, 0.001)
AT_RANDOM: Final = "at random"
SWITCHED: Final = "one switch"
# At this instant a marker without trouble comes too early for almost all, a repeated one does not.
SWITCHED_BEHIND: Final = 0.5
LINKS: Final = 32  # in each half
LINKS_LONG: Final = 1024
DRAWN: Final = 1000  # trials of more domains than links


@dataclass(frozen=True)
class Sample:
    """Delays of two sets of links, shape (links, lanes, records) each."""

    calibration: Delays
    measured: Delays

    def trials(self, domains: int) -> int:
        """How many rows `apart` gives."""
        links, lanes, records = self.measured.shape
        return DRAWN if domains > links else links // domains * lanes * records

    def apart(self, random: numpy.random.Generator, domains: int) -> Delays:
        """Each domain on a link of its own; shape (trials, domains)."""
        links, lanes, records = self.measured.shape
        if domains > links:
            return random.choice(self.calibration.ravel(), (DRAWN, domains))
        groups = links // domains
        grouped = self.measured[: groups * domains].reshape(groups, domains, lanes, records)
        return grouped.transpose(0, 2, 3, 1).reshape(-1, domains)

    def switched(self) -> Delays:
        """One link before all domains; shape (trials, 1)."""
        return self.measured.reshape(-1, 1)[:DRAWN]


@dataclass(frozen=True)
class Outcome:
    """What the claims are judged by."""

    sample: Sample
    law: DelayLaw  # of the links that calibrate
    instants: dict[float, float]  # cycles after an epoch's end, for each of BEHIND
    points: tuple[Point, ...]  # all that must lie within their intervals

    def setting(self, name: str) -> tuple[Point, ...]:
        """The points of one setting, by rising number of domains."""
        return tuple(point for point in self.points if point.setting == name)

    @property
    def within(self) -> int:
        """Points whose interval holds their formula."""
        return sum(point.contains(point.formula) for point in self.points)

    def independent(self, point: Point) -> float:
        """What the formula of independent domains says where one switch delays all."""
        return share_apart(point.domains, self.instants[SWITCHED_BEHIND], self.law)

    @property
    def rejections(self) -> tuple[Point, ...]:
        """Points behind one switch that reject the formula of independent domains."""
        return tuple(
            point for point in self.setting(SWITCHED) if not point.contains(self.independent(point))
        )


def behind_setting(chance: float) -> str:
    """The name of the setting at one of the instants."""
    return f"{100 * chance:g} % behind"


@cache
def experiment(effort: Effort) -> Outcome:
    """Play the links, fix the formulas, then count."""
    links = LINKS_LONG if effort.long else LINKS
    for_links, for_draws = numpy.random.SeedSequence(effort.seed).spawn(2)
    seeds = [int(word) for word in for_links.generate_state(2 * links)]
    played = delays(seeds, effort.tell)
    sample = Sample(played[:links], played[links:])
    law = DelayLaw.of(sample.calibration)
    instants = {chance: instant_behind(chance, law) for chance in BEHIND}
    plans = [plan for plan in _plans(sample, law, instants) if plan.measurable]
    return Outcome(sample, law, instants, measured(plans, for_draws))


def _plans(sample: Sample, law: DelayLaw, instants: dict[float, float]) -> list[Plan]:
    plans = []
    random = random_law(law)
    for domains in DOMAINS:
        trials = sample.trials(domains)
        for chance, instant in instants.items():
            share = share_apart(domains, instant, law)
            count = _counting(sample, domains, instant)
            plans.append(Plan(behind_setting(chance), domains, share, trials, count))
        share = share_at_random(domains, random)
        plans.append(Plan(AT_RANDOM, domains, share, trials, _counting(sample, domains, None)))
        instant = instants[SWITCHED_BEHIND]
        share, count = (
            share_switched(domains, instant, law),
            _counting_switched(sample, domains, instant),
        )
        plans.append(Plan(SWITCHED, domains, share, len(sample.switched()), count))
    return plans


def _counting(
    sample: Sample, domains: int, instant: float | None
) -> Callable[[numpy.random.Generator], int]:
    """Count at an instant, or at random ones."""

    def count(random: numpy.random.Generator) -> int:
        apart = sample.apart(random, domains)
        if instant is None:
            instants = random.uniform(0, PERIOD, len(apart))
        else:
            instants = numpy.full(len(apart), instant)
        return atomic_snapshots(random, apart, instants, domains)

    return count


def _counting_switched(
    sample: Sample, domains: int, instant: float
) -> Callable[[numpy.random.Generator], int]:
    def count(random: numpy.random.Generator) -> int:
        shared = sample.switched()
        return atomic_snapshots(random, shared, numpy.full(len(shared), instant), domains)

    return count
