"""The experiment on updates: the same fleets, seeds and faults under every scheme."""

from collections.abc import Iterator
from dataclasses import dataclass, fields
from typing import Final

import networkx as nx
import numpy as np
from scipy import stats

from oae.epoch.claim import Effort, Finding, Plot, Standing, Table
from oae.epoch.fleet.faults import START, Fleet, Hazard, Numbers, draw, every_loss
from oae.epoch.fleet.play import Outcome, mixed_by_clock, play
from oae.epoch.fleet.schemes import SCHEMES, Bilateral, ByClock
from oae.epoch.plot import COLOURS, drawing

ROUNDS: Final = 80
BATCH: Final = 60  # runs that are played at once
BATCHES: Final = {False: 1, True: 50}  # by Effort.long
LOSSY: Final = {False: 5, True: 7}  # rounds of which every pattern of losses is played
HAZARDS: Final = (
    Hazard("no fault"),
    Hazard("skew 5", skew=5),
    Hazard("skew 5, loss 20 %", skew=5, loss=0.2),
    Hazard("skew 5, loss 20 %, crashes", skew=5, loss=0.2, crash=0.002),
    Hazard("skew 5, loss 20 %, node 0 breaks", skew=5, loss=0.2, lost=True),
    Hazard("skew 12", skew=12),
)
CONFIDENCE: Final = 0.95  # of all intervals of a table together
INTERVALS: Final = "95 % intervals after Clopper and Pearson, corrected for"
MESH: Final = "mesh of 5 x 5"


def fleets(seed: int) -> dict[str, Fleet]:
    """The topologies that are played."""
    return {
        "ring of 8": Fleet(nx.cycle_graph(8)),
        MESH: Fleet(nx.convert_node_labels_to_integers(nx.strong_product(*_paths(5)))),
        "random, 24 nodes": Fleet(nx.connected_watts_strogatz_graph(24, 4, 0.3, seed=seed)),
    }


def _paths(size: int) -> tuple["nx.Graph[int]", "nx.Graph[int]"]:
    """Whose strong product is the mesh with 8 neighbours."""
    return nx.path_graph(size), nx.path_graph(size)


@dataclass(frozen=True)
class Played:
    """One scheme on one fleet under one hazard."""

    fleet: str
    links: int
    hazard: Hazard
    scheme: str
    outcome: Outcome


def compare(effort: Effort) -> Iterator[Played]:
    """Every scheme on every fleet under every hazard; the same faults for all schemes."""
    topologies = fleets(effort.seed)
    for number, (name, fleet) in enumerate(topologies.items()):
        effort.tell("fleets", number, len(topologies))
        for place, hazard in enumerate(HAZARDS):
            parts: dict[str, list[Outcome]] = {scheme.name: [] for scheme in SCHEMES}
            for batch in range(BATCHES[effort.long]):
                random = np.random.default_rng([effort.seed, number, place, batch])
                faults = draw(fleet, hazard, BATCH, ROUNDS, random)
                for scheme in SCHEMES:
                    parts[scheme.name].append(play(fleet, faults, scheme(fleet, faults)))
                if not (hazard.loss or hazard.crash or hazard.lost):
                    by_formula = mixed_by_clock(fleet, faults.offset)
                    assert (parts[ByClock.name][-1].mixed == by_formula).all()
            for scheme in SCHEMES:
                joined = _joined(parts[scheme.name])
                yield Played(name, fleet.links, hazard, scheme.name, joined)


def _joined(parts: list[Outcome]) -> Outcome:
    columns = ([getattr(part, field.name) for part in parts] for field in fields(Outcome))
    return Outcome(*map(np.concatenate, columns))


def rolling(effort: Effort) -> Finding:
    """Count mixed exchanges, and what each scheme pays."""
    played = list(compare(effort))
    exhausted = _exhausted(LOSSY[effort.long])
    of = {name: [one for one in played if one.scheme == name] for name in exhausted}
    with_mixed = {name: sum(_some(p.outcome.mixed) for p in of[name]) for name in of}
    states = {
        name: sum(_some(p.outcome.mixed_rounds) for p in of[name] if p.hazard.loss) for name in of
    }
    total = sum(len(one.outcome.mixed) for one in of[Bilateral.name])
    lossy = sum(len(p.outcome.mixed) for p in of[Bilateral.name] if p.hazard.loss)
    none = stats.binomtest(with_mixed[Bilateral.name], total).proportion_ci(CONFIDENCE)
    return Finding(
        Standing.DOES_NOT_HOLD if all(states.values()) else Standing.HOLDS_UNDER,
        f"executions with data exchanged across versions, of {total:,} each: "
        + "; ".join(f"{name}: {count:,}" for name, count in with_mixed.items())
        + f" (below {none.high:.1e} with 95 %); mixed states, of "
        f"{lossy:,} with losses: {min(states.values()):,} or more with every scheme",
        tuple(_text(played)),
        (_exhausted_table(exhausted), _over_hazards(played), _on_the_mesh(played)),
        (
            _bars(played, "mixed", "fleet-mixed", "Mixed exchanges"),
            _bars(played, "refused", "fleet-price", "Data refused or withheld"),
        ),
        {"runs": total, "with_mixed": with_mixed, "with_mixed_states_and_losses": states},
    )


def _exhausted(lossy: int) -> dict[str, Outcome]:
    """A pair under every pattern of losses of the messages about the update."""
    fleet = Fleet(nx.path_graph(2))
    faults = every_loss(fleet, START + lossy + 8, lossy)
    return {scheme.name: play(fleet, faults, scheme(fleet, faults)) for scheme in SCHEMES}


def _some(numbers: Numbers) -> int:
    """In how many runs it happened."""
    return int(np.count_nonzero(numbers))


def _text(played: list[Played]) -> Iterator[str]:
    bilateral = [one for one in played if one.scheme == Bilateral.name]
    yield (
        "A mixed state, two linked nodes with different versions at one moment, is not a mixed "
        "exchange, data sent in one version and taken in another. With losses none of these "
        "schemes avoids the first (and none can: row common-knowledge), bilateral convergence "
        "least of all, since each link goes by itself; what it avoids is the second. Without "
        "losses two-phase commit avoids the first too: all nodes hear the order in the same round, "
        "which is the synchronous case."
    )
    yield (
        "Even with true clocks and no fault a switch by clock mixes two exchanges a link, what is "
        "in flight each way; the number for any clocks is |s_v - 1 - s_u| summed over the lanes, "
        "fixed beforehand and met in every run without losses."
    )
    yield (
        "Zero mixed exchanges are no privilege of the bilateral scheme. A tag on the data is "
        "enough, by clock as well. Silence around the switch is enough while the clocks keep to "
        "the bound that the silence is made for (with skew 12 they do not), whatever is lost "
        "and whoever crashes: under that bound the belief holds for exchanges. Two-phase commit "
        "reaches it if nodes in doubt are silent. What differs is the price: data refused while "
        "versions differ, silence, and who waits for whom when node 0, the coordinator's host, "
        "breaks."
    )
    slowest = max(int(one.outcome.converged.max()) for one in bilateral)
    yield (
        "The bilateral price: every node must speak both versions meanwhile, and convergence is "
        f"later than by clock (at most {slowest} rounds here). It knows that it has converged, and "
        "a clock does not. Two-phase commit with a coordinator that never breaks and a message "
        "to each node directly needs fewer rounds than it."
    )


def _exhausted_table(exhausted: dict[str, Outcome]) -> Table:
    return Table(
        "A pair, every pattern of losses of messages about the update: executions",
        ("scheme", "executions", "with mixed exchange", "refused, mean", "not converged"),
        tuple(
            (
                name,
                f"{len(one.mixed):,}",
                f"{np.count_nonzero(one.mixed):,}",
                f"{one.refused.mean():.1f}",
                f"{np.count_nonzero(one.converged < 0):,}",
            )
            for name, one in exhausted.items()
        ),
    )


def _over_hazards(played: list[Played]) -> Table:
    """Each fleet and scheme, all hazards together."""
    groups: dict[tuple[str, str], list[Played]] = {}
    for one in played:
        groups.setdefault((one.fleet, one.scheme), []).append(one)
    rows = []
    for (fleet, scheme), ones in groups.items():
        outcome = _joined([one.outcome for one in ones])
        rows.append(
            (
                fleet,
                scheme,
                f"{_some(outcome.mixed):,} of {len(outcome.mixed):,}",
                _share(outcome.mixed, len(groups)),
                f"{_some(outcome.mixed_rounds):,}",
                f"{outcome.mixed.mean() / ones[0].links:.2f}",
                f"{outcome.refused.mean() / ones[0].links:.2f}",
                f"{np.count_nonzero(outcome.converged < 0):,}",
                f"{outcome.left_in_doubt.sum():,}",
            )
        )
    return Table(
        f"All faults together; {INTERVALS} {len(groups)} comparisons",
        (
            "fleet",
            "scheme",
            "runs with mixed exchange",
            "%",
            "runs with a mixed state",
            "mixed exchanges per link",
            "refused or withheld per link",
            "runs not converged",
            "nodes left in doubt, sum",
        ),
        tuple(rows),
    )


def _on_the_mesh(played: list[Played]) -> Table:
    mesh = [one for one in played if one.fleet == MESH]
    return Table(
        f"{MESH}, {len(mesh[0].outcome.mixed):,} runs each, the same faults for each scheme; "
        f"{INTERVALS} {len(mesh)} comparisons",
        (
            "faults",
            "scheme",
            "runs with mixed exchange, %",
            "mixed exchanges",
            "refused or withheld",
            "rounds in a mixed state",
            "rounds to converge: median, 95 %",
            "runs not converged",
            "node-rounds in doubt",
            "nodes left in doubt",
        ),
        tuple(_row(one, len(mesh)) for one in mesh),
    )


def _share(mixed: Numbers, comparisons: int) -> str:
    """Per cent of the runs with an interval, all of which hold together (Bonferroni)."""
    share = stats.binomtest(np.count_nonzero(mixed), len(mixed))
    interval = share.proportion_ci(1 - (1 - CONFIDENCE) / comparisons, method="exact")
    return f"{100 * share.statistic:.1f} ({100 * interval.low:.2f} to {100 * interval.high:.2f})"


def _row(one: Played, comparisons: int) -> tuple[str, ...]:
    outcome = one.outcome
    ended = outcome.converged[outcome.converged >= 0]
    middle_and_late = np.quantile(ended, [0.5, 0.95], method="higher") if len(ended) else ()
    return (
        one.hazard.name,
        one.scheme,
        _share(outcome.mixed, comparisons),
        f"{outcome.mixed.mean():.1f}",
        f"{outcome.refused.mean():.1f}",
        f"{outcome.mixed_rounds.mean():.1f}",
        ", ".join(str(rounds) for rounds in middle_and_late) or "none",
        f"{len(outcome.converged) - len(ended):,}",
        f"{outcome.doubt.mean():.1f}",
        f"{outcome.left_in_doubt.mean():.2f}",
    )


def _bars(played: list[Played], field: str, name: str, what: str) -> Plot:
    """Means per link on the mesh, one group for each hazard."""
    mesh = [one for one in played if one.fleet == MESH]
    width = 0.8 / len(SCHEMES)
    with drawing() as made:
        axes = made.axes
        for number, scheme in enumerate(SCHEMES):
            ones = [one for one in mesh if one.scheme == scheme.name]
            means: list[float] = [
                float(np.mean(_numbers(one.outcome, field))) / one.links for one in ones
            ]
            places = np.arange(len(ones)) + (number - (len(SCHEMES) - 1) / 2) * width
            bars = axes.bar(places, means, width, color=COLOURS[number], label=scheme.name)
            axes.bar_label(bars, [f"{mean:.2g}" if mean else "0" for mean in means], fontsize=6)
        axes.set_yscale("symlog", linthresh=1)
        axes.set_xticks(
            range(len(HAZARDS)), [hazard.name.replace(", ", "\n") for hazard in HAZARDS]
        )
        axes.set_ylabel(f"{what} per link, mean")
        axes.grid(visible=False, axis="x")
        axes.set_ylim(0, axes.get_ylim()[1] * 8)
        axes.legend(loc="upper left", ncols=2)
    caption = f"{what} per link in {ROUNDS} rounds, {MESH}; in a group all have the same faults"
    return Plot(name, caption, made.svg)


def _numbers(outcome: Outcome, field: str) -> Numbers:
    numbers: Numbers = getattr(outcome, field)
    return numbers
