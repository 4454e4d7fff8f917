"""The claim on the protocol itself: its bound, what must be kept, how Conv(P, e) is detected."""

from typing import Any, Final

import networkx
import numpy

from oae.epoch.claim import Effort, Finding, Standing, Table
from oae.epoch.convergence import plots
from oae.epoch.convergence.explore import Explored, Explorer
from oae.epoch.convergence.rounds import CYCLE, Timed, graphs, stalled, timed
from oae.epoch.convergence.schedule import Schedule, take
from oae.epoch.convergence.state import Array, State
from oae.epoch.convergence.steps import CUT, KILL, PROTOCOL, Step
from oae.epoch.convergence.system import System, diameter, mesh, sparse_random
from oae.epoch.convergence.wave import Detection, Wave

LARGEST: Final = {False: 2_500, True: 10_000}
STRETCHED: Final = {False: 60, True: 2_000}  # schedules
TRIALS: Final = {False: 10, True: 300}  # waves on whole and on partitioned graphs
PATIENCE: Final = 100  # sweeps after which a wave on a partitioned graph is not going to end
# name, graph, parts, whether a domain waits for Conv(P, e) before it makes part e + 1
KEPT: Final[tuple[tuple[str, Any, int, bool], ...]] = (
    ("pair", networkx.path_graph(2), 3, False),
    ("triangle", networkx.cycle_graph(3), 3, False),
    ("path of 3", networkx.path_graph(3), 3, False),
    ("path of 3", networkx.path_graph(3), 3, True),
)


def keeping(graph: Any, parts: int, retain: int, gated: bool) -> Explored:
    """Every execution without faults, when domains keep `retain` parts."""
    return Explorer(System(graph, parts, retain, gated)).run()


def enough(graph: Any, gated: bool) -> int:
    """Parts that suffice: two if a domain waits for everybody, else diameter + 1."""
    return 2 if gated else diameter(graph) + 1


def outcome(state: State) -> Array:
    """What is durable, as rows of bytes: none of it is about when."""
    columns = (state.prepared, state.held, state.converged, state.true_part, state.true_seen)
    rows = [numpy.ascontiguousarray(it).view(numpy.uint8).reshape(state.runs, -1) for it in columns]
    return numpy.concatenate(rows, axis=1)


def stretched(system: System, schedules: int, seed: int) -> Array:
    """Outcomes of runs in which each step at each place has a pace of its own, at random."""
    random = numpy.random.default_rng(seed)
    state = State.start(system, schedules)
    paces = {
        step: random.beta(0.6, 0.6, (schedules, step.places(system))) + 0.02 for step in PROTOCOL
    }
    while not (state.converged == system.epochs - 1).all():
        step: Step = PROTOCOL[random.integers(len(PROTOCOL))]
        chosen = random.random(paces[step].shape) < paces[step]
        take(system, state, step, numpy.flatnonzero(chosen & step.ripe(system, state)))
    for _ in range(10):  # what is still under way
        Schedule(random, 1.0).sweep(system, state, PROTOCOL)
    return outcome(state)


def waves(trials: int, seed: int) -> tuple[int, int, int, int]:
    """(right, all) on graphs that stay whole, and the same on graphs that are partitioned.

    Tokens and the epoch run at the same time in random order. Right is CONVERGED exactly when all
    ends have converged and the wave could reach them, and INCONCLUSIVE otherwise.
    """
    random = numpy.random.default_rng(seed)
    right = {False: 0, True: 0}
    for trial in range(2 * trials):
        apart = trial % 2 == 1
        system = System(sparse_random(int(random.integers(3, 30)), trial + seed), 2, 2)
        state = State.start(system, 1)
        if apart:
            _partition(system, state, int(random.integers(system.domains)), random)
        wave = Wave(system, 1, int(random.integers(system.domains)))
        schedule = Schedule(random, 0.5)
        sweeps = 0
        while wave.detection is Detection.INCONCLUSIVE and not (apart and sweeps == PATIENCE):
            schedule.sweep(system, state, PROTOCOL)
            wave.step(state, random.random((system.links, 2)) < 0.5)
            sweeps += 1
        known = wave.detection is Detection.CONVERGED
        right[apart] += known is not apart and bool((state.converged >= 1).all()) is known
    return right[False], trials, right[True], trials


def _partition(system: System, state: State, domain: int, random: numpy.random.Generator) -> None:
    """A domain dies, or all its links are cut."""
    if random.random() < 0.5:
        KILL.take(system, state, numpy.array([0]), numpy.array([domain]))
        return
    links = numpy.unique(system.links_of[domain])
    CUT.take(system, state, numpy.zeros(len(links), numpy.intp), links)


def bounds(effort: Effort) -> Finding:
    """All of it."""
    kept = []
    for name, graph, parts, gated in KEPT:
        retain = enough(graph, gated)
        kept.append((name, gated, retain, keeping(graph, parts, retain, gated)))
        kept.append((name, gated, retain - 1, keeping(graph, parts, retain - 1, gated)))
    needed = all(bool(found.broken) == bool(row % 2) for row, (*_, found) in enumerate(kept))
    effort.tell("parts to keep", 1, 4)
    chosen = graphs(LARGEST[effort.long])
    times = [timed(name, graph) for name, graph in chosen]
    effort.tell("rounds", 2, 4)
    reached = [
        (name, *stalled(graph, effort.seed))
        for name, graph in (
            ("ring of 20", networkx.cycle_graph(20)),
            ("mesh of 81", mesh(9)),
            ("tree of 31", networkx.balanced_tree(2, 4)),
            ("random of 100", sparse_random(100, 1)),
        )
    ]
    at_bound = all((distance == epoch).all() for _, distance, epoch in reached)
    effort.tell("stretched time", 3, 4)
    rows = stretched(System(mesh(3), 4, 3), STRETCHED[effort.long], effort.seed)
    outcomes = len(numpy.unique(rows, axis=0))
    right, whole, cautious, apart = waves(TRIALS[effort.long], effort.seed)
    effort.tell("waves", 4, 4)
    within = all(it.detected <= it.bound and it.converged == CYCLE for it in times)
    holds = needed and at_bound and within and outcomes == 1
    holds &= (right, cautious) == (whole, apart)
    largest = max(times, key=lambda it: (it.domains, it.links))
    return Finding(
        Standing.HOLDS_UNDER if holds else Standing.DOES_NOT_HOLD,
        f"{largest.domains:,} domains ({largest.name}): all links converged after "
        f"{largest.converged} rounds, detected after {largest.detected} (bound {largest.bound}); "
        f"outcomes under {len(rows):,} schedules: {outcomes}",
        text=(
            "Neighbours are at most one epoch apart, because a domain begins part p + 1 only when "
            "each of its links has converged on p, and a link converges on p only when p is "
            "durable at both ends. Along a path the differences add up: at most the distance.",
            "So a domain that runs ahead needs its last diameter + 1 parts. One fewer fails, and "
            "the shortest execution is below. Two suffice if every domain waits until Conv(P, e) "
            "has been detected before it makes part e + 1; then an epoch takes as many rounds as "
            "the wave, and every domain waits for the slowest.",
            f"Detected by the wave: {right} of {whole} on whole graphs; on partitioned ones "
            f"INCONCLUSIVE in {cautious} of {apart}. Rounds are those of a synchronous schedule; "
            "when frames overtake one another the tree of a wave may be deeper than the diameter.",
        ),
        tables=(_kept_table(kept), _way_table(kept[5][3]), _times_table(times)),
        plots=(plots.round_counts(times), plots.epochs_ahead(reached)),
        data={
            "outcomes": outcomes,
            "schedules": len(rows),
            "rounds": {f"{it.name} of {it.domains}": it.detected for it in times},
            "right": [right, whole, cautious, apart],
        },
    )


def _kept_table(kept: list[tuple[str, bool, int, Explored]]) -> Table:
    return Table(
        "How many parts a domain must keep: every execution without faults",
        ("system", "a domain waits for", "parts kept", "states", "what breaks", "after steps"),
        tuple(
            (
                name,
                "Conv(P, e)" if gated else "its links",
                str(retain),
                f"{found.states:,}",
                found.broken or "nothing",
                str(len(found.way)) if found.broken else "",
            )
            for name, gated, retain, found in kept
        ),
    )


def _way_table(found: Explored) -> Table:
    return Table(
        "A path of 3 that keeps two parts: the shortest execution after which nothing is common",
        ("", "step"),
        tuple((str(number), step) for number, step in enumerate(found.way, 1)),
    )


def _times_table(times: list[Timed]) -> Table:
    return Table(
        "Rounds of one epoch",
        ("graph", "domains", "links", "d", "converged", "detected", "bound", "tokens"),
        tuple(
            (
                it.name,
                f"{it.domains:,}",
                f"{it.links:,}",
                str(it.diameter),
                str(it.converged),
                str(it.detected),
                str(it.bound),
                f"{it.messages:,}",
            )
            for it in times
        ),
    )
