"""One claim: that both assumptions of the abstract are instances of the same mistake.

Each of N domains holds epoch e or e + 1, in any combination: under asynchronous advance every
combination is what some execution holds at some instant. On it three predicates are evaluated:
a checkpoint of this instant is atomic (all epochs equal); no link of the fleet joins two versions;
and Conv(e + 1), every link has both its ends there.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product

import networkx as nx
from networkx.generators.atlas import graph_atlas_g

from oae.epoch.claim import Claim, Effort, Finding, Standing, Table

Vector = tuple[int, ...]


@dataclass
class Count:
    """Of all vectors on all graphs of one kind, how many show what."""

    graphs: int = 0
    vectors: int = 0
    mixed: int = 0  # checkpoints that are not atomic
    apart: int = 0  # where only one of checkpoint and fleet is mixed
    atomic_before: int = 0  # atomic, and not converged
    converged_mixed: int = 0  # converged, and either is mixed


def atomic(vector: Vector) -> bool:
    """A checkpoint of these parts is of one epoch."""
    return len(set(vector)) == 1


def uniform(graph: nx.Graph, vector: Vector) -> bool:
    """No link joins two versions."""
    return all(vector[one] == vector[other] for one, other in graph.edges)


def converged(graph: nx.Graph, vector: Vector, epoch: int) -> bool:
    """Conv: both ends of every link have reached the epoch."""
    return all(min(vector[one], vector[other]) >= epoch for one, other in graph.edges)


def graphs(most: int) -> Iterator[nx.Graph]:
    """Every graph of 2 to `most` domains, up to renaming (Read and Wilson's atlas has up to 7)."""
    for graph in graph_atlas_g():
        if 2 <= len(graph) <= most:
            yield graph


def count(most: int) -> dict[bool, Count]:
    """Every vector on every graph, connected (True) and not."""
    found = {True: Count(), False: Count()}
    for graph in graphs(most):
        total = found[nx.is_connected(graph)]
        total.graphs += 1
        for vector in product((0, 1), repeat=len(graph)):
            whole, even = atomic(vector), uniform(graph, vector)
            done = converged(graph, vector, 1)
            total.vectors += 1
            total.mixed += not whole
            total.apart += whole != even
            total.atomic_before += whole and not done
            total.converged_mixed += done and not (whole and even)
    return found


def _run(effort: Effort) -> Finding:
    most = 7 if effort.long else 6
    found = count(most)
    joined = found[True]
    good = joined.apart == joined.converged_mixed == 0 < joined.atomic_before
    rows = [
        (
            "connected" if connected else "not connected",
            f"{one.graphs:,}",
            f"{one.vectors:,}",
            f"{one.mixed:,}",
            f"{one.apart:,}",
            f"{one.atomic_before:,}",
            f"{one.converged_mixed:,}",
        )
        for connected, one in found.items()
    ]
    return Finding(
        Standing.HOLDS_UNDER if good else Standing.DOES_NOT_HOLD,
        f"all {joined.vectors:,} epoch vectors on all {joined.graphs:,} connected graphs of 2 to "
        f"{most} domains: checkpoint and fleet are mixed in the same {joined.mixed:,}; "
        f"{joined.atomic_before:,} are atomic at their instant and not converged",
        (
            "So both assumptions read one predicate on the same vector: on a connected graph a "
            "path joins any two domains, and along it the epoch changes somewhere if and only if "
            "it differs at the ends. What is atomic at an instant need not have converged (before "
            "the advance every vector of equal epochs is atomic, and nothing has converged), while "
            "what has converged is atomic and stays so until the next advance. Reading the one "
            "off the other is the confusion that the abstract speaks of.",
            "Conv is taken here at its weakest, from the vector alone, without the evidence at "
            "both ends that the protocol asks for (row type-error). An instant at which every "
            "epoch is seen then decides it; that all are equal does not. With the evidence fewer "
            "vectors count as converged, so that those atomic and not converged are the least "
            "there can be.",
            "Where a fleet is not connected the two part: islands may differ without a link that "
            "joins two versions, while a checkpoint across islands is mixed. Islands with no link "
            "count as converged at once, so there Conv does not imply an atomic checkpoint either: "
            "what reaches no domain cannot bind it.",
            "Not decided here: whether the mistake is a deeper one than the two, and whether those "
            "who build such systems make it.",
        ),
        (
            Table(
                f"Epoch vectors on graphs of 2 to {most} domains",
                (
                    "graphs",
                    "number",
                    "vectors",
                    "mixed checkpoints",
                    "only one of both mixed",
                    "atomic, not converged",
                    "converged and mixed",
                ),
                tuple(rows),
            ),
        ),
        data={"connected": vars(joined), "not connected": vars(found[False])},
    )


CLAIMS = (
    Claim(
        "one-mistake",
        "Both assumptions are instances of a deeper structural error: the Forward-In-Time-Only "
        "(FITO) category mistake, which confuses protocol convergence properties with temporal "
        "predicates.",
        "A checkpoint is mixed exactly when a link of the fleet joins two versions; atomic at an "
        "instant does not imply converged, converged implies atomic.",
        ("the graph of links is connected", "two neighbouring epochs"),
        "Every epoch vector on every graph of up to 6 domains (7 if long): checkpoint, fleet and "
        "Conv(P, e) evaluated on each.",
        _run,
    ),
)
