"""The plots of this part."""

from collections.abc import Sequence
from typing import Any, Final

import numpy
from matplotlib.axes import Axes
from matplotlib.ticker import NullLocator, PercentFormatter

from oae.epoch.claim import Plot
from oae.epoch.lattice.checkpoints import (
    FLUSH,
    random_law,
    share_apart,
    share_at_random,
    share_switched,
)
from oae.epoch.lattice.coincidences import DOMAINS as FEW
from oae.epoch.lattice.coincidences import Coincidences
from oae.epoch.lattice.experiment import (
    AT_RANDOM,
    DOMAINS,
    SWITCHED,
    SWITCHED_BEHIND,
    Outcome,
    behind_setting,
)
from oae.epoch.lattice.models import coincidence
from oae.epoch.lattice.points import Point
from oae.epoch.lattice.vectors import mixed_count
from oae.epoch.plot import COLOURS, drawing

LEAST: Final = 2e-3  # of the shares that are drawn
# Where formulas are drawn.
EVERY: Final = [int(n) for n in numpy.unique(numpy.geomspace(2, 1024, 100).round())]


def _points(axes: Axes, at: Sequence[float], points: Sequence[Point], colour: str) -> None:
    """Shares with their intervals."""
    shares = numpy.array([point.share for point in points])
    below = shares - [point.low for point in points]
    above = [point.high for point in points] - shares
    style: dict[str, Any] = {"fmt": "o", "capsize": 2, "elinewidth": 0.9, "color": colour}
    axes.errorbar(at, shares, (below, above), **style)


def _by_domains(axes: Axes) -> None:
    axes.set_xscale("log", base=2)
    axes.set_xticks(DOMAINS, [f"{domains:,}" for domains in DOMAINS])
    axes.xaxis.set_minor_locator(NullLocator())
    axes.set_xlabel("domains")


def _by_share(axes: Axes) -> None:
    axes.set_yscale("log")
    axes.set_ylim(LEAST, 1.3)
    axes.yaxis.set_major_formatter(PercentFormatter(1, decimals=None))
    axes.set_ylabel("atomic snapshots")


def shares(outcome: Outcome) -> Plot:
    """Share against domains: at instants by the clock, and at random ones."""
    with drawing() as made:
        axes = made.axes
        random = random_law(outcome.law)
        curves = [(AT_RANDOM, [share_at_random(n, random) for n in EVERY])]
        for chance, instant in sorted(outcome.instants.items()):
            formula = [share_apart(n, instant, outcome.law) for n in EVERY]
            curves.append((behind_setting(chance), formula))
        for colour, (setting, formula) in zip(COLOURS, curves, strict=False):
            points = outcome.setting(setting)
            axes.plot(EVERY, formula, color=colour, label=setting)
            _points(axes, [point.domains for point in points], points, colour)
        _by_domains(axes)
        _by_share(axes)
        made.figure.legend(loc="outside right center", title="instant")
    caption = (
        "Share of atomic snapshots, measured with intervals (95 % for all points together) and by "
        "the formulas that were fixed before (lines). At a given instant a domain is behind with "
        "the chance named, and the share falls exponentially; at an instant at random it does not."
    )
    return Plot("lattice-shares", caption, made.svg)


def common_cause(outcome: Outcome) -> Plot:
    """The setting in which independence is broken."""
    instant = outcome.instants[SWITCHED_BEHIND]
    with drawing() as made:
        axes = made.axes
        switched = [share_switched(n, instant, outcome.law) for n in EVERY]
        apart = [share_apart(n, instant, outcome.law) for n in EVERY]
        axes.plot(EVERY, switched, color=COLOURS[0], label="formula of the common cause")
        axes.plot(EVERY, apart, "--", color=COLOURS[1], label="formula of independent domains")
        points = outcome.setting(SWITCHED)
        _points(axes, [point.domains for point in points], points, COLOURS[0])
        _by_domains(axes)
        _by_share(axes)
        axes.legend(loc="upper right")
    caption = (
        "One link leads to the switch before all domains, so a repeated marker is late for all of "
        "them: measured points with intervals. The formula of independent domains, with the same "
        f"chance for each domain, is rejected at {len(outcome.rejections)} of {len(points)} points."
    )
    return Plot("lattice-common-cause", caption, made.svg)


def mixed_vectors() -> Plot:
    """The number of mixed vectors, and what share of all vectors they are."""
    domains = range(2, 65)
    with drawing() as made:
        axes = made.axes
        for colour, epochs in zip(COLOURS, (2, 3, 4), strict=False):
            counts = [float(mixed_count(number, epochs)) for number in domains]
            label = f"mixed, {epochs} epochs: {epochs}$^n$ - {epochs}"
            axes.plot(domains, counts, color=colour, label=label)
        axes.axhline(2, color=COLOURS[6], linestyle=":", label="atomic, 2 epochs: 2")
        axes.set_yscale("log")
        axes.set_xlabel("domains")
        axes.set_ylabel("epoch vectors")
        axes.legend(loc="upper left")
    caption = (
        "Mixed vectors grow exponentially as a count. A count is not a chance: how often a vector "
        "is met is another matter."
    )
    return Plot("lattice-mixed-vectors", caption, made.svg)


def coinciding(found: Coincidences, atomic_pair: Point) -> Plot:
    """Instants within d of each other, beside the share of atomic snapshots."""
    with drawing() as made:
        axes = made.axes
        distances = numpy.geomspace(min(found.within.values()) / 2, 128, 200)
        for colour, domains in zip(COLOURS, FEW, strict=False):
            formula = [coincidence(domains, float(within), FLUSH) for within in distances]
            axes.plot(distances, formula, color=colour, label=f"{domains} domains")
            points = [point for point in found.within if point.domains == domains]
            _points(axes, [found.within[point] for point in points], points, colour)
        axes.axhline(
            atomic_pair.share,
            color=COLOURS[6],
            linestyle="--",
            label="atomic snapshots of 2 domains",
        )
        axes.set_xscale("log", base=2)
        axes.set_yscale("log")
        axes.set_ylim(1e-5, 2)
        axes.invert_xaxis()
        axes.set_xlabel("d in cycles")
        axes.set_ylabel("durable within d of each other")
        axes.legend(loc="upper right", bbox_to_anchor=(1, 0.93))
    caption = (
        "That all domains become durable within d of each other has a chance that goes to zero "
        "with d, the faster the more domains there are; d = 0 has measure zero. Whether a snapshot "
        "is atomic does not depend on d."
    )
    return Plot("lattice-coincidences", caption, made.svg)
