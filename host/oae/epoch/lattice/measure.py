"""The claim that atomicity has measure zero."""

from oae.epoch.claim import Effort, Finding, Standing
from oae.epoch.lattice import plots
from oae.epoch.lattice.coincidences import (
    MEAN,
    PROCESSES,
    SAME_CYCLE,
    coincidences,
)
from oae.epoch.lattice.experiment import AT_RANDOM, experiment
from oae.epoch.lattice.points import figures, table, told


def run(effort: Effort) -> Finding:
    """Judge it by whether equal epochs have a chance."""
    outcome, found = experiment(effort), coincidences(effort)
    at_random = outcome.setting(AT_RANDOM)
    within = sum(point.contains(point.formula) for point in found.points)
    equal = (*at_random, *found.setting(PROCESSES))
    agree = within == len(found.points) and outcome.within == len(outcome.points)
    possible = all(point.low > 0 for point in equal)
    first, last = at_random[0], at_random[-1]
    closest = min(
        (point for point in found.within if point.domains == first.domains),
        key=lambda point: found.within[point],
    )
    (same_cycle,) = found.setting(SAME_CYCLE)
    return Finding(
        Standing.DOES_NOT_HOLD if agree and possible else Standing.NOT_DECIDABLE,
        f"at an instant at random the snapshots of 2 domains are atomic in {told(first)}, of "
        f"{last.domains:,} in {told(last)}; 2 domains become durable within "
        f"{found.within[closest]:g} cycles of each other in {told(closest)}, and that goes to 0 "
        f"with the distance; {within} of {len(found.points)} points of this lie within intervals "
        "of 95 % together",
        text=(
            "Of measure zero is this event: n >= 2 independent instants with continuous laws are "
            "all the same number, so that all domains become durable at once. It is the diagonal "
            "of R^n. Proof: given the first instant, the second is that very number with chance "
            "0. Independence is needed: one cause that sets all instants makes them equal.",
            "Atomic on the epoch lattice is another event: that the places of a vector are equal. "
            "Epochs are whole numbers, so this is a union of cells of the instants, [k T, (k+1) T)"
            "^n, each with a chance above 0 if the law has one there. No instants need be equal.",
            "Even if epochs are counted by independent Poisson processes without any clock, equal "
            f"counts have the chance of the sum of (e^-m m^k / k!)^n, more than 0 for every n; for "
            f"2 domains it is e^(-2 m) I0(2 m). Counted for m = {MEAN:g}.",
            "The machine has a clock, and its instants are whole cycles: the markers of two links "
            f"take equally many cycles in {told(same_cycle)} of the pairs. There even the event "
            "of equal instants has a chance. The null set is one of the continuum, not of the "
            "machine.",
            "What can be said instead: an atomic snapshot is no event of measure zero, but nothing "
            "makes it happen either, and at a bad instant it becomes improbable fast.",
        ),
        tables=(table("Coinciding instants and equal epochs", found.points),),
        plots=(plots.coinciding(found, first),),
        data={"points": figures(found.points), "at random": figures(at_random)},
    )
