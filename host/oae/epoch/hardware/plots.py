"""One run as a picture: what each domain holds, what recovery finds, and where FITO would mix."""

from math import isnan, nan
from typing import Final

from matplotlib.axes import Axes

from oae.epoch.claim import Plot
from oae.epoch.hardware.plan import Plan
from oae.epoch.hardware.recovery import State, common_numbers, epoch_of
from oae.epoch.hardware.run import Outcome, is_mixed
from oae.epoch.plot import COLOURS, drawing

APART: Final = 0.07  # epochs by which the lines of two domains are drawn apart
ROW: Final = 0.5  # epochs between the rows of faults
RECOVERABLE: Final = "#bbbbbb"
MIXED: Final = "#fbe3d6"


def timeline(plan: Plan, outcome: Outcome) -> Plot:
    """The run over its cycles: two domains of a ring of 4 lose their disks, a third one is away."""
    states = outcome.states
    times = [state.cycle for state in states] + [outcome.cycles]
    newest = [[_newest(state, at) for state in states] for at in range(plan.size)]
    found = [_recoverable(state) for state in states]
    top = max(epoch for line in newest for epoch in line if not isnan(epoch))
    with drawing() as made:
        axes = made.axes
        for state, until in zip(states, times[1:], strict=True):
            if is_mixed(state):
                axes.axvspan(state.cycle, until, color=MIXED, linewidth=0, zorder=0)
        axes.step(times, [*found, found[-1]], color=RECOVERABLE, linewidth=9, where="post")
        for at, line in enumerate(newest):
            shift = APART * ((plan.size - 1) / 2 - at)
            epochs = [epoch + shift for epoch in [*line, line[-1]]]
            axes.step(times, epochs, color=COLOURS[at], where="post", label=f"domain {at}")
        _faults(axes, plan, top + ROW)
        axes.set_xlim(0, outcome.cycles)
        axes.set_ylim(-0.4, top + 4.2 * ROW)
        axes.set_yticks(range(int(top) + 1))
        axes.set_xlabel("cycle")
        axes.set_ylabel("newest durable part (epoch)")
        axes.grid(visible=False, axis="x")
        axes.legend(loc="lower right", ncols=2)
    return Plot(
        "epoch-hardware-run",
        "A ring of 4 on the RTL: domain 1 is slow, and is killed when domain 3 is two epochs "
        "ahead; then 0 and 2 lose their disks. They come back when 1 has answered as well, and "
        "all go on from the part that 1 and 3 hold. Lines: the newest part of each domain. Grey: "
        "the least epoch that a recovery finds among those that reach each other. Shaded: where "
        "taking everybody's newest part instead would mix epochs. Dotted: recovery looks.",
        made.svg,
    )


def _newest(state: State, at: int) -> float:
    return epoch_of(state.domains[at].newest) if state.domains[at].parts else nan


def _recoverable(state: State) -> float:
    """The least epoch that any component finds."""
    found = [
        common_numbers(state.domains[at].parts for at in state.holders(component))
        for component in state.components()
    ]
    return min((epoch_of(common[-1]) for common in found if common), default=nan)


def _faults(axes: Axes, plan: Plan, height: float) -> None:
    """One row for each, above the lines."""
    faults = [(cut.cycle, cut.up, f"link {cut.link} cut") for cut in plan.cuts]
    for kill in plan.kills:
        what = "loses its disk" if kill.loss else "is down"
        faults.append((kill.cycle, kill.up, f"domain {kill.domain} {what}"))
    for row, (start, end, text) in enumerate(faults):
        at = height + ROW * row
        axes.plot((start, end), (at, at), color="black", linewidth=2.5, solid_capstyle="butt")
        axes.annotate(
            text,
            (start, at),
            (-4, 0),
            textcoords="offset points",
            horizontalalignment="right",
            verticalalignment="center",
            fontsize=8,
        )
    for pause in plan.pauses:
        axes.axvline(pause, color="#777777", linewidth=0.9, linestyle=":")
