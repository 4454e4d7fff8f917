"""The plots of this part."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

import numpy
from matplotlib.ticker import MaxNLocator, PercentFormatter, StrMethodFormatter

from oae.epoch.claim import Plot
from oae.epoch.convergence.rounds import CYCLE, Timed
from oae.epoch.convergence.state import Array
from oae.epoch.plot import COLOURS, drawing

if TYPE_CHECKING:
    from oae.epoch.convergence.recoveries import Share

FITO, BILATERAL = COLOURS[1], COLOURS[0]
MARKERS: Final = ("o", "s", "^", "D", "v")
SIZES: Final = (11, 8, 6, 4, 4)  # one inside the other, where they coincide
HOLLOW: Final[Any] = {"fillstyle": "none"}


def mixed_shares(fito: Sequence[Share], recoveries: int, bound: float) -> Plot:
    """Mixed recoveries against the size of the group."""
    sizes = [share.size for share in fito]
    measured = numpy.array([share.mixed / share.groups for share in fito])
    below = measured - [share.low for share in fito]
    above = [share.high for share in fito] - measured
    with drawing() as made:
        axes = made.axes
        style: dict[str, Any] = {"fmt": "o", "capsize": 3, "elinewidth": 1, "color": FITO}
        axes.errorbar(sizes, measured, (below, above), label="FITO, measured", **style)
        expected = [share.expected for share in fito]
        axes.plot(sizes, expected, color=FITO, label="FITO, formula", linewidth=1)
        axes.plot(sizes, [0.0] * len(sizes), "o", color=BILATERAL, label="bilateral: none")
        axes.set_xlabel("domains that are alive and reach one another")
        axes.set_ylabel("mixed recoveries")
        axes.yaxis.set_major_formatter(PercentFormatter(1, decimals=0))
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.set_ylim(bottom=-0.02)
        axes.legend(loc="center right")
    return Plot(
        "convergence-mixed",
        "Recoveries that are mixed, after a kill or a cut at a random step. FITO is mixed as often "
        f"as its formula says; of {recoveries:,} bilateral recoveries in the same runs none is "
        f"(95 %: in less than {bound:.1e} of the runs). The disks and the faults are the same.",
        made.svg,
    )


def round_counts(times: Sequence[Timed]) -> Plot:
    """Rounds against the diameter."""
    names = list(dict.fromkeys(timed.name for timed in times))
    widest = max(timed.diameter for timed in times)
    with drawing() as made:
        axes = made.axes
        reach = numpy.arange(1, widest + 1)
        axes.plot(reach, CYCLE + 1 + 2 * reach, color="#888888", label="bound: 2 d + 7")
        for name, marker, colour, size in zip(names, MARKERS, COLOURS, SIZES, strict=False):
            mine = [timed for timed in times if timed.name == name]
            at = [timed.diameter for timed in mine]
            rounds = [timed.detected for timed in mine]
            axes.plot(
                at, rounds, marker, ms=size, color=colour, label=f"{name}: detected", **HOLLOW
            )
        at = sorted({timed.diameter for timed in times})
        axes.plot(at, [CYCLE] * len(at), "+", color=COLOURS[6], label="every link converged")
        axes.set_xscale("log", base=2)
        axes.set_yscale("log", base=2)
        for axis in (axes.xaxis, axes.yaxis):
            axis.set_major_formatter(StrMethodFormatter("{x:.0f}"))
        axes.set_xlabel("d: links to the farthest domain")
        axes.set_ylabel("rounds")
        axes.legend(loc="upper left", fontsize=8)
    return Plot(
        "convergence-rounds",
        "Rounds from the beginning of an epoch (in a round every frame under way arrives) until "
        "every link has converged, which does not depend on the graph, and until a wave from a "
        "domain at the rim has found out, which grows with the diameter as its bound does.",
        made.svg,
    )


def epochs_ahead(reached: Sequence[tuple[str, Array, Array]]) -> Plot:
    """How far domains get when one stands still: name, distance and epoch of each domain."""
    with drawing() as made:
        axes = made.axes
        widest = max(int(distance.max()) for _, distance, _ in reached)
        axes.plot([0, widest], [0, widest], color="#888888", label="bound: the distance")
        for (name, distance, epoch), marker, colour, size in zip(
            reached, MARKERS, COLOURS, SIZES, strict=False
        ):
            at = numpy.unique(distance)
            most = [epoch[distance == step].max() for step in at]
            axes.plot(at, most, marker, color=colour, ms=size, label=name, **HOLLOW)
        axes.set_xlabel("distance from the domain that stands still, in links")
        axes.set_ylabel("epochs ahead of it")
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.legend(loc="upper left")
    return Plot(
        "convergence-ahead",
        "One domain never finishes its part; the others go on until the protocol holds them, at "
        "exactly the bound. So diameter + 1 parts are needed, and enough.",
        made.svg,
    )
