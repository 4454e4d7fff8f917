"""The claim that a checkpoint is an atomic snapshot."""

from typing import Final

from scipy import stats

from oae.epoch.claim import Effort, Finding, Standing, Table
from oae.epoch.lattice import plots
from oae.epoch.lattice.checkpoints import FLUSH, PERIOD, SKEW, instant_behind, share_apart
from oae.epoch.lattice.experiment import AT_RANDOM, DOMAINS, SWITCHED, Outcome, experiment
from oae.epoch.lattice.points import figures, table, told

WANTED: Final = 0.99  # share of atomic snapshots


def run(effort: Effort) -> Finding:
    """Judge it by the shares at random instants."""
    outcome = experiment(effort)
    at_random = outcome.setting(AT_RANDOM)
    last = at_random[-1]
    agree = outcome.within == len(outcome.points) and bool(outcome.rejections)
    mixed = all(point.high < 1 for point in at_random)
    standing = Standing.HOLDS
    if not agree:
        standing = Standing.NOT_DECIDABLE  # what is measured is not what was modelled
    elif mixed:
        standing = Standing.DOES_NOT_HOLD
    figure = (
        f"at an instant at random {told(last)} of the snapshots of {last.domains:,} domains are "
        f"atomic (formula {last.formula:.4f}); {outcome.within} of {len(outcome.points)} points "
        "lie within intervals of 95 % together; the formula of independent domains is rejected at "
        f"{len(outcome.rejections)} of {len(outcome.setting(SWITCHED))} points behind one switch"
    )
    return Finding(
        standing,
        figure,
        text=_text(outcome),
        tables=(
            table("Atomic snapshots, measured and by formula", outcome.points),
            _switched(outcome),
            _waits(outcome),
        ),
        plots=(plots.shares(outcome), plots.common_cause(outcome)),
        data={
            "points": figures(outcome.points),
            "instants": {f"{chance:g}": at for chance, at in outcome.instants.items()},
            "independent": {
                str(point.domains): outcome.independent(point)
                for point in outcome.setting(SWITCHED)
            },
        },
    )


def _text(outcome: Outcome) -> tuple[str, ...]:
    calibration, sample = outcome.sample.calibration, outcome.sample.measured
    links, _, records = sample.shape
    same = stats.ks_2samp(calibration.ravel(), sample.ravel())
    return (
        "The abstract holds that systems assume this and that it is wrong; what does not hold is "
        "the assumption. It was tested without a crash: late markers and flushes are enough.",
        f"{links} links calibrate the formulas and {links} others are measured, {records} markers "
        f"in each lane of each. A marker takes {sample.min()} to {sample.max()} cycles, "
        f"{sample.mean():.0f} on average; the test of Kolmogorov and Smirnov, whether both halves "
        f"have one law, comes to p = {same.pvalue:.2g}. Skew is uniform in "
        f"{SKEW:g} cycles either way, a flush {FLUSH:g} cycles on average, the period "
        f"{PERIOD:g} cycles: chosen so that shares can be measured up to 1,024 domains.",
        f"Up to {links} domains each has a link of its own and no delay is used twice in a point. "
        "Delays for more domains than that are drawn from those that calibrate, so that such a "
        "point tests the formula and not the law of the delays.",
        "It holds under an assumption: if no marker, clock or flush is ever off by more than a "
        "bound that the checkpoint waits for, every snapshot is atomic. The link promises no such "
        "bound (docs/protocol.md, section 8), and without one each further domain takes a longer "
        "wait for the same share.",
        "Independence is an assumption too. Behind one switch the domains are late together, and "
        "there are more atomic snapshots than independent domains would have: for domains that "
        "are alike given a cause, p^n + (1 - p)^n is the least that there can be. Domains that "
        "are set against each other may have fewer: two that are never in one epoch have none.",
    )


def _switched(outcome: Outcome) -> Table:
    rejected = outcome.rejections
    rows = tuple(
        (
            f"{point.domains:,}",
            told(point),
            f"{point.formula:.4f}",
            f"{outcome.independent(point):.3g}",
            "yes" if point in rejected else "no",
        )
        for point in outcome.setting(SWITCHED)
    )
    head = ("domains", "measured", "common cause", "independent", "independence rejected")
    return Table("One switch before all domains", head, rows)


def _waits(outcome: Outcome) -> Table:
    """The formula alone: how long to wait, if flushes are exponential."""
    rows = []
    for domains in DOMAINS:
        instant = instant_behind(1 - WANTED ** (1 / domains), outcome.law)
        share = share_apart(domains, instant, outcome.law)
        rows.append((f"{domains:,}", f"{instant:.0f}", f"{share:.4f}"))
    head = ("domains", "marker sent, cycles after the epoch's end", "atomic by formula")
    return Table("How long a checkpoint has to wait", head, tuple(rows))
