"""The claim on recovery: every small world, and many random runs, beside FITO in the same runs."""

from dataclasses import dataclass
from typing import Any, Final

import networkx
import numpy
from scipy import stats

from oae.epoch.claim import Effort, Finding, Standing, Table
from oae.epoch.convergence import plots
from oae.epoch.convergence.explore import Explored, Explorer
from oae.epoch.convergence.sample import Counts, formula, sampled, topologies
from oae.epoch.convergence.steps import FAULTS, KILL, Step
from oae.epoch.convergence.system import System, diameter

RUNS: Final = {False: 2_400, True: 1_000_002}
FAMILY: Final = 0.999  # confidence that all intervals of one table hold together


@dataclass(frozen=True)
class Small:
    """A small system with faults at every step."""

    name: str
    graph: Any
    epochs: int
    kills: int
    cuts: int
    faults: tuple[Step, ...] = FAULTS

    def explored(self) -> Explored:
        """All its states."""
        system = System(self.graph, self.epochs, diameter(self.graph) + 1)
        return Explorer(system, self.kills, self.cuts, faults=self.faults).run()


PAIR: Final = Small("pair", networkx.path_graph(2), 3, 1, 1)
SMALL: Final = (
    PAIR,
    Small("path of 3", networkx.path_graph(3), 3, 0, 0),
    Small("triangle", networkx.cycle_graph(3), 2, 0, 0),
)
LONG: Final = (
    PAIR,
    Small("pair", networkx.path_graph(2), 3, 2, 0),
    Small("path of 3, disks kept", networkx.path_graph(3), 3, 1, 0, (KILL,)),
    Small("triangle", networkx.cycle_graph(3), 2, 1, 0),
    Small("ring of 4", networkx.cycle_graph(4), 4, 0, 0),
    Small("ring of 4", networkx.cycle_graph(4), 3, 0, 1),
)


@dataclass(frozen=True)
class Share:
    """Mixed recoveries of FITO among groups of one size, and what the formula says of them."""

    size: int
    groups: int
    mixed: int
    expected: float  # share
    low: float
    high: float

    @property
    def holds(self) -> bool:
        """Whether the formula lies in the interval."""
        return self.low <= self.expected <= self.high


def shares(counts: Counts) -> list[Share]:
    """By size; exact intervals, which hold together with the confidence FAMILY (Bonferroni).

    Groups of one size met snapshots of several ages, so their chances differ; Clopper and Pearson's
    interval for the mean chance is then a little too wide, not too narrow.
    """
    sizes = sorted({size for size, _ in counts.fito if size > 1})
    found = []
    for size in sizes:
        ages = [(age, *count) for (other, age), count in counts.fito.items() if other == size]
        groups = sum(many for _, many, _ in ages)
        mixed = sum(wrong for _, _, wrong in ages)
        expected = sum(
            many * float(formula(numpy.array(size), numpy.array(age))) for age, many, _ in ages
        )
        level = 1 - (1 - FAMILY) / len(sizes)
        interval = stats.binomtest(mixed, groups).proportion_ci(level, "exact")
        found.append(Share(size, groups, mixed, expected / groups, interval.low, interval.high))
    return found


def recoveries(effort: Effort) -> Finding:
    """Run both, and judge."""
    explored = []
    for small in LONG if effort.long else SMALL:
        explored.append((small, small.explored()))
        effort.tell("small worlds", len(explored), len(LONG if effort.long else SMALL))
    counts = sample(RUNS[effort.long], effort)
    fito = shares(counts)
    whole = all(not found.broken and not found.stuck for _, found in explored)
    clean = counts.mixed == counts.without == counts.unfinished == 0
    formula_holds = all(share.holds for share in fito)
    standing = Standing.HOLDS_UNDER if whole and clean and formula_holds else Standing.DOES_NOT_HOLD
    mixed = sum(share.mixed for share in fito)
    expected = sum(share.expected * share.groups for share in fito)
    # The recoveries of one run are not independent of each other; runs are.
    affected = min(counts.mixed, counts.runs)  # runs with one, at most
    bound = stats.beta.ppf(0.95, affected + 1, max(counts.runs - affected, 1))
    return Finding(
        standing,
        f"{counts.mixed} mixed of {counts.recoveries:,} bilateral recoveries in {counts.runs:,} "
        f"runs (95 %: in less than {bound:.1e} of them); FITO in the same runs: {mixed:,} mixed, "
        f"the formula says {expected:,.0f}",
        text=_text(counts),
        tables=(_explored_table(explored), _counts_table(counts), _fito_table(fito)),
        plots=(plots.mixed_shares(fito, counts.recoveries, float(bound)),),
        data={
            "runs": counts.runs,
            "faults": counts.faults,
            "recoveries": counts.recoveries,
            "mixed": counts.mixed,
            "without": counts.without,
            "unfinished": counts.unfinished,
            "fito_mixed": mixed,
            "fito_expected": expected,
            "states": [found.states for _, found in explored],
        },
    )


def sample(runs: int, effort: Effort) -> Counts:
    """Runs on all topologies, as many on each."""
    counts, graphs = Counts(), topologies()
    for number, graph in enumerate(graphs.values()):
        for batch in sampled(graph, runs // len(graphs), effort.seed * len(graphs) + number):
            counts.add(batch)
            effort.tell("random runs", counts.runs, runs)
    return counts


def _text(counts: Counts) -> tuple[str, ...]:
    return (
        "A bilateral recovery takes the newest part that all domains of a group (alive, and "
        "reaching one another) hold under one number. Whether the parts belong together is judged "
        "by what each was made of, not by their numbers.",
        f"What it cannot do: in {counts.incomplete:,} recoveries a domain of the group had lost "
        "its disk. Its part is gone, is named, and comes back only if somebody else kept a copy; "
        f"{counts.impossible:,} groups had no disk at all. The common epoch is that of the others.",
        "FITO takes everybody's newest part. It is granted that each snapshot is complete when "
        "the next begins, so a group is mixed only if it is asked while one is under way.",
    )


def _explored_table(explored: list[tuple[Small, Explored]]) -> Table:
    return Table(
        "Small systems, all executions with this many kills (with and without loss of the disk, "
        "where nothing else is said) and cuts, each at any step",
        ("system", "parts", "kills", "cuts", "states", "steps", "broken", "cannot go on"),
        tuple(
            (
                small.name,
                str(small.epochs),
                str(small.kills),
                str(small.cuts),
                f"{found.states:,}",
                f"{found.moves:,}",
                found.broken or "nothing",
                str(found.stuck),
            )
            for small, found in explored
        ),
    )


def _counts_table(counts: Counts) -> Table:
    rows = {
        "runs": counts.runs,
        "kills and cuts": counts.faults,
        "recoveries of a group": counts.recoveries,
        "of them mixed": counts.mixed,
        "without a common part": counts.without,
        "incomplete: a domain of the group lost its disk": counts.incomplete,
        "runs that do not converge again": counts.unfinished,
    }
    return Table(
        "Random runs, bilateral",
        ("", "number"),
        tuple((name, f"{value:,}") for name, value in rows.items()),
    )


def _fito_table(fito: list[Share]) -> Table:
    return Table(
        f"FITO in the same runs; intervals of {FAMILY:.1%} for all rows together",
        ("domains of the group", "recoveries", "mixed", "share", "interval", "formula"),
        tuple(
            (
                str(share.size),
                f"{share.groups:,}",
                f"{share.mixed:,}",
                f"{share.mixed / share.groups:.4f}",
                f"{share.low:.4f} to {share.high:.4f}",
                f"{share.expected:.4f}",
            )
            for share in fito
        ),
    )
