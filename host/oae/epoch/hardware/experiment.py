"""Many runs: random ones, a kill at every cycle of an epoch, and runs in which a rule is broken.

Shares of random runs are given with the exact interval of Clopper and Pearson at 95 %: one run is
one trial. Of a broken rule only whether it is found counts, so nothing is compared twice.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import Self

from scipy.stats import binomtest

from oae.epoch.hardware.plan import Kill, Mode, Plan, drawn, killed, quiet
from oae.epoch.hardware.program import Program
from oae.epoch.hardware.run import Outcome, play

CONFIDENCE = 0.95
COUNTS = (
    "recoveries",
    "restored",
    "incomplete",
    "returned",
    "epochs",
    "cycles",
    "opened",
    "delivered",
    "crossed",
    "refused",
    "not_prepared",
)
SUMS = ("runs", "broken", "kills", "losses", "cuts", "gone", "fito", "asked")
EPOCH = 3  # the epoch whose advance is killed at every cycle: the links have long been up


@dataclass
class Total:
    """What many runs came to."""

    runs: int = 0
    broken: int = 0  # runs with a finding
    kills: int = 0
    losses: int = 0  # of them with the disk
    cuts: int = 0
    gone: int = 0  # runs in which a domain or a link never comes back
    fito: int = 0  # runs mixed at their first kill if each domain takes its newest part
    asked: int = 0  # runs with such a kill
    counts: Counter[str] = field(default_factory=Counter)  # sums of Outcome, by name
    first: str = ""  # the first finding, and of which run

    def add(self, name: str, plan: Plan, outcome: Outcome) -> None:
        """One more run."""
        self.runs += 1
        self.kills += len(plan.kills)
        self.losses += sum(kill.loss for kill in plan.kills)
        self.cuts += len(plan.cuts)
        self.gone += bool(plan.given_up())
        self.asked += outcome.fito is not None
        self.fito += outcome.fito is True
        self.counts.update({count: getattr(outcome, count) for count in COUNTS})
        if outcome.findings:
            self.broken += 1
            self.first = self.first or f"{name}: {outcome.findings[0]}"

    @classmethod
    def of(cls, parts: Iterable[Self]) -> Self:
        """All runs of several."""
        total = cls()
        for part in parts:
            for name in SUMS:
                setattr(total, name, getattr(total, name) + getattr(part, name))
            total.counts.update(part.counts)
            total.first = total.first or part.first
        return total

    def figures(self) -> dict[str, int]:
        """For machines."""
        return {name: getattr(self, name) for name in SUMS} | dict(sorted(self.counts.items()))

    @property
    def bound(self) -> float:
        """Upper end of the interval of the share of broken runs."""
        return _interval(self.broken, self.runs)[1]

    @property
    def fito_interval(self) -> tuple[float, float]:
        """Interval of the share of runs that FITO recovers mixed at the first kill."""
        return _interval(self.fito, self.asked)


def _interval(hits: int, of: int) -> tuple[float, float]:
    if not of:
        return 0.0, 1.0
    found = binomtest(hits, of).proportion_ci(CONFIDENCE, method="exact")
    return float(found.low), float(found.high)


def played(
    program: Program,
    plans: Iterable[tuple[str, Plan]],
    tell: Callable[[int], None] = lambda done: None,
) -> Total:
    """Play the plans, each under its name."""
    total = Total()
    for name, plan in plans:
        total.add(name, plan, play(program, plan))
        tell(total.runs)
    return total


def random_plans(size: int, seed: int, runs: int) -> Iterator[tuple[str, Plan]]:
    """Runs whose faults are drawn, from this seed on."""
    for number in range(seed * 1_000_000, seed * 1_000_000 + runs):
        yield f"ring of {size}, run {number}", drawn(size, number)


def advance_of(program: Program, plan: Plan) -> tuple[int, int]:
    """The cycles of a run without faults from Conv(EPOCH - 1) to Conv(EPOCH)."""
    at = {number: cycle for cycle, number in play(program, plan).converged}
    return at[EPOCH - 1], at[EPOCH]


def every_cycle(program: Program, seed: int, step: int) -> Iterator[tuple[str, Plan]]:
    """A triangle without other faults: domain 1 is killed at each step-th cycle of an advance."""
    plan = quiet(3, seed)
    first, last = advance_of(program, plan)
    for cycle in range(first, last + 1, step):
        for mode in Mode:
            yield f"kill at cycle {cycle}, {mode}", killed(plan, cycle, 1, mode)


def lying(plans: Iterable[tuple[str, Plan]]) -> Iterator[tuple[str, Plan]]:
    """Ablation: every store says "durable" at once, so domains propose before it is so."""
    return ((name, replace(plan, lies=True)) for name, plan in plans)


def forgetting(plans: Iterable[tuple[str, Plan]]) -> Iterator[tuple[str, Plan]]:
    """Ablation: every domain keeps one part fewer than the diameter and 1."""
    return ((name, replace(plan, retain=plan.retain - 1)) for name, plan in plans)


def rejoining(program: Program, seed: int) -> Plan:
    """A ring of 4 in which both neighbours of domain 1 lose their disks while 1 is down.

    The store of 1 is slow. When the others have prepared epoch 3, and 3, the one that is not its
    neighbour, epoch 4, domain 1 still writes its part 3, and loses its power; then 0 and 2 lose
    their disks. If they came back with what 3 has, 3 would go on and forget the part 2 of 1.
    """
    plan = quiet(4, seed)
    flushes = tuple((1400, 1410) if at == 1 else (5, 15) for at in range(4))
    plan = replace(plan, flushes=flushes)
    start = advance_of(program, plan)[0]
    kills = (
        Kill(start + 1000, 1, False, start + 2000),
        Kill(start + 1010, 0, True, start + 1100),
        Kill(start + 1020, 2, True, start + 1150),
    )
    return replace(plan, kills=kills, pauses=(start + 1200, start + 2200))
