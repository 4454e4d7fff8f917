"""The plots of this part."""

import numpy as np

from oae.epoch.claim import Plot
from oae.epoch.optimizer.decide import QUESTIONS, TOLERANCE
from oae.epoch.optimizer.experiment import Outcome
from oae.epoch.optimizer.recovery import Curves
from oae.epoch.plot import COLOURS, drawing

FLOOR, CEILING = 1e-18, 1e2  # residuals of 0 and without a bound are drawn here


def residuals(outcomes: list[Outcome]) -> Plot:
    """Every residual of every mixed state, by question and optimizer."""
    names = list(dict.fromkeys(one.training.optimizer.name for one in outcomes))
    with drawing() as made:
        axes = made.axes
        for place, question in enumerate(QUESTIONS):
            for number, name in enumerate(names):
                mixed = [
                    answer.residuals[question]
                    for outcome in outcomes
                    if outcome.training.optimizer.name == name
                    for answer in outcome.mixed
                ]
                # Side by side in the order in which the vectors count: no chance in a drawing.
                across = place + 0.19 * (number - 1.5) + np.linspace(-0.07, 0.07, len(mixed))
                axes.plot(
                    across,
                    np.clip(mixed, FLOOR, CEILING),
                    ".",
                    color=COLOURS[number],
                    markersize=3,
                    alpha=0.6,
                    markeredgewidth=0,
                    label=name if place == 0 else None,
                )
        axes.axhline(TOLERANCE, color="black", linewidth=0.8, linestyle="--")
        axes.text(-0.48, TOLERANCE * 2, "tolerance", fontsize=8)
        axes.set_yscale("log")
        axes.set_ylim(FLOOR / 5, CEILING * 30)
        axes.set_yticks([10.0**power for power in range(-18, 3, 4)])
        axes.set_xticks(range(len(QUESTIONS)), QUESTIONS)
        axes.set_xlim(-0.5, len(QUESTIONS) - 0.5)
        axes.grid(visible=False, axis="x")
        axes.set_ylabel("residual")
        axes.legend(ncols=4, loc="upper center", markerscale=4, bbox_to_anchor=(0.5, 1.13))
    return Plot(
        "optimizer-residuals",
        "Every mixed state of all problems: how far it is from the answer yes, by question. Below "
        f"the line: yes. Residuals of 0 are drawn at {FLOOR:g}.",
        made.svg,
    )


def losses(curves: Curves) -> Plot:
    """After recovery of both epochs and of every mix."""
    name = curves.training.optimizer.name
    with drawing() as made:
        axes = made.axes
        steps = range(len(curves.early))
        for number, one in enumerate(curves.mixed):
            label = f"mixed ({len(curves.mixed)})" if number == 0 else None
            axes.plot(steps, one, color="#999999", linewidth=0.5, alpha=0.7, label=label)
        if curves.training.optimizer.moments:
            axes.plot(steps, curves.forgotten, color=COLOURS[4], label="epoch e, moments forgotten")
        axes.plot(steps, curves.early, color=COLOURS[0], label="epoch e")
        axes.plot(steps, curves.late, color=COLOURS[1], label="epoch e + 1")
        axes.set_xlabel("steps after the recovery")
        axes.set_ylabel("loss (nats)")
        axes.set_ylim(bottom=0)
        axes.set_xlim(0, len(curves.early) - 1)
        axes.legend(loc="upper right")
    return Plot(
        f"optimizer-loss-{name.lower()}",
        f"{name} on the network: loss after a recovery of epoch e (step "
        f"{curves.training.early}), of e + 1 (step {curves.training.late}), and of every mix.",
        made.svg,
    )
