"""What the abstract says of the bilateral protocol, on the RTL of the link."""

from dataclasses import dataclass, replace
from functools import partial
from typing import Final

from oae.epoch.claim import Claim, Effort, Finding, Plot, Standing, Table
from oae.epoch.hardware.experiment import (
    Total,
    every_cycle,
    forgetting,
    lying,
    played,
    random_plans,
    rejoining,
)
from oae.epoch.hardware.plots import timeline
from oae.epoch.hardware.program import Program
from oae.epoch.hardware.run import play

NAME: Final = "bilateral-rtl"
SIZES: Final = (3, 4)  # a triangle and a ring
REJOINING: Final = 6  # runs in which disks are lost while a domain is away


@dataclass(frozen=True)
class _Size:
    """How much is played."""

    runs: int  # random ones, of each size
    step: int  # every so many cycles a kill
    ablated: int  # runs of each ablation


SHORT: Final = _Size(runs=20, step=48, ablated=6)
LONG: Final = _Size(runs=1000, step=1, ablated=100)


def run(effort: Effort) -> Finding:
    """Play everything and say what it came to."""
    size = LONG if effort.long else SHORT
    seed = effort.seed
    with Program() as program:
        runs: dict[str, Total] = {}
        for domains in SIZES:
            name = f"random, {domains} domains"
            plans = random_plans(domains, seed, size.runs)
            runs[name] = played(program, plans, partial(_tell, effort, name, size.runs))
        random = Total.of(runs.values())
        kills = list(every_cycle(program, seed, size.step))
        name = "a kill at every cycle" if size.step == 1 else f"a kill every {size.step} cycles"
        runs[name] = played(program, kills, partial(_tell, effort, name, len(kills)))
        parted = [rejoining(program, seed * REJOINING + number) for number in range(REJOINING)]
        runs["disks lost while one is away"] = played(program, ((NAME, plan) for plan in parted))
        ablated = {
            "proposes before its part is durable": played(
                program, lying(random_plans(4, seed, size.ablated))
            ),
            "keeps one part fewer (triangle)": played(
                program, forgetting(random_plans(3, seed, size.ablated))
            ),
            "comes back without a disk before all have answered": played(
                program, ((NAME, replace(plan, anywhere=True)) for plan in parted)
            ),
        }
        plot = timeline(parted[0], play(program, parted[0]))
    return _finding(random, runs, ablated, plot)


def _tell(effort: Effort, name: str, of: int, done: int) -> None:
    effort.tell(name, done, of)


def _finding(
    random: Total, runs: dict[str, Total], ablated: dict[str, Total], plot: Plot
) -> Finding:
    total = Total.of(runs.values())
    holds = not total.broken and not total.counts["crossed"]
    can_fail = all(it.broken for it in ablated.values())
    low, high = random.fito_interval
    figure = (
        f"{total.broken} of {total.runs:,} runs on the RTL break a promise (of the "
        f"{random.runs:,} random ones at most {random.bound:.2%} at 95 %): "
        f"{total.counts['recoveries']:,} states judged; everybody's newest part instead "
        f"is mixed at the first kill in {random.fito:,} of {random.asked:,} random runs "
        f"({low:.0%} to {high:.0%}); {total.counts['crossed']} of "
        f"{total.counts['delivered']:,} records cross epochs"
    )
    return Finding(
        Standing.HOLDS_UNDER if holds and can_fail else Standing.DOES_NOT_HOLD,
        figure,
        TEXT + ((f"First finding: {total.first}",) if total.first else ()),
        (_runs_table(runs), _machine_table(total), _ablation_table(ablated)),
        (plot,),
        {
            "runs": {name: it.figures() for name, it in runs.items()},
            "ablations": {name: it.figures() for name, it in ablated.items()},
        },
    )


def _runs_table(runs: dict[str, Total]) -> Table:
    head = ("runs", "number", "kills", "with the disk", "cuts", "never back", "recoveries done")
    return Table(
        "What was played, and in how many runs a promise was broken",
        (*head, "states judged", "broken", "mixed under FITO at the first kill"),
        tuple(
            (
                name,
                f"{it.runs:,}",
                f"{it.kills:,}",
                f"{it.losses:,}",
                f"{it.cuts:,}",
                f"{it.gone:,}",
                f"{it.counts['restored']:,}",
                f"{it.counts['recoveries']:,}",
                f"{it.broken:,}",
                f"{it.fito:,} of {it.asked:,}",
            )
            for name, it in runs.items()
        ),
    )


def _machine_table(total: Total) -> Table:
    names = {
        "cycles": "cycles, each with all invariants checked",
        "epochs": "epochs on which every end converged",
        "opened": "data records opened",
        "delivered": "data records delivered",
        "crossed": "delivered under another epoch than they were opened under",
        "refused": "records refused because of their epoch",
        "not_prepared": "advances refused because the part was not durable",
        "incomplete": "states judged that are incomplete: a domain of the group lost its disk",
        "returned": "domains that came back after the loss of their disk",
    }
    rows = tuple((text, f"{total.counts[name]:,}") for name, text in names.items())
    return Table("What the machine did in all of them", ("of all runs", "number"), rows)


def _ablation_table(ablated: dict[str, Total]) -> Table:
    return Table(
        "Rules broken on purpose: what the same judge says",
        ("without the rule", "runs", "broken", "the first"),
        tuple((name, f"{it.runs:,}", f"{it.broken:,}", it.first) for name, it in ablated.items()),
    )


TEXT: Final = (
    "Two real link ends for each link, a controller in Verilog for each domain, stores that take "
    "their time, media that lose, double, damage and delay frames. No step of a domain waits for a "
    "time; the pauses of its ports and the beats of the links decide only when something is said "
    "again. The parts hold values that each epoch makes of the neighbours' values of the one "
    "before, and what recovery finds is compared with what a ring without faults computes: a mixed "
    "state is found by its content.",
    "Checked in every cycle: no end has converged on a number before both parts were durable; "
    "neighbours are at most one epoch apart; no record is delivered under another epoch than it "
    "was opened under, though every domain also sends records that keep no rule.",
    "What does not follow: that an epoch converges while a domain or a link is away. Until it is "
    "back, or somebody outside gives it up, the answer is INCONCLUSIVE. And what was on a lost "
    "disk does not come back: the protocol says which part is missing (INCOMPLETE), not where to "
    "get it, and its domain stays out until a recovery that every domain has answered.",
)

CLAIMS: Final = (
    Claim(
        NAME,
        "a bilateral convergence protocol, inspired by Open Atomic Ethernet, that achieves "
        "Conv(P,e) without requiring Snap(t)",
        "On the RTL, in a triangle and a ring of 4, whatever is killed or cut and when: those that "
        "are alive and reach each other find one epoch, whose parts belong together, and go on.",
        (
            "a part is durable when its store says so, and a crash leaves durable state as it is",
            "a domain fails whole, with both of its ends",
            "a domain that lost its disk comes back only after a recovery that every domain has "
            "answered, but those given up; something replaces its part then",
            "the software of recovery reads all that are reachable at one cycle (each hears of the "
            "decision at its own); how its messages travel is not part of the RTL",
            "what never comes back is given up from outside before the others go on",
            "each domain keeps as many parts as the graph's diameter and 1",
        ),
        "Random kills (memory, disk, for good), cuts and recoveries in the middle of recoveries; a "
        "kill at every cycle of one advance; rules broken on purpose. Judged in every state.",
        run,
    ),
)
