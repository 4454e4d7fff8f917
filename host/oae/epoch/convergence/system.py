"""The graph of domains and links, as arrays."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

import networkx
import numpy
from numpy.typing import NDArray

from oae.errors import OaeError

Indices = NDArray[numpy.intp]

MESH_SIDES: Final = ((1, 0), (0, 1), (1, 1), (1, -1))  # half of the eight neighbours


class TopologyError(OaeError):
    """A graph on which the protocol cannot run."""


@dataclass(frozen=True, eq=False)
class System:
    """Domains 0..n-1 and the links between them.

    `ends[l, s]` is the domain at side s of link l. `links_of[i]` and `sides_of[i]` are the ends of
    domain i, padded by its first; so what must hold at all of them is asked of each row.
    """

    graph: Any
    epochs: int  # the parts are numbered 0..epochs - 1
    retain: int  # parts that a domain keeps
    gated: bool = False  # whether a domain waits for Conv(P, e) before it makes part e + 1
    # Whether a domain that lost its disk returns in any group, with every part that others hold.
    anywhere: bool = False

    def __post_init__(self) -> None:
        count = self.graph.number_of_nodes()
        if count < 2 or not networkx.is_connected(self.graph):
            raise TopologyError("domains must be at least two, and joined by links")
        if sorted(self.graph) != list(range(count)):
            raise TopologyError("domains must be numbered from 0 without a gap")
        if self.retain < 1 or self.epochs < 2:
            raise TopologyError("a domain makes two parts at least, and keeps one")

    @property
    def domains(self) -> int:
        """How many."""
        return int(self.graph.number_of_nodes())

    @cached_property
    def ends(self) -> Indices:
        """The two domains of each link, shape [links, 2]."""
        return numpy.array(sorted(tuple(sorted(link)) for link in self.graph.edges), numpy.intp)

    @property
    def links(self) -> int:
        """How many."""
        return len(self.ends)

    @cached_property
    def _incident(self) -> tuple[Indices, Indices]:
        found: list[list[tuple[int, int]]] = [[] for _ in range(self.domains)]
        for link, pair in enumerate(self.ends.tolist()):
            for side, domain in enumerate(pair):
                found[domain].append((link, side))
        width = max(map(len, found))
        padded = numpy.array([row + row[:1] * (width - len(row)) for row in found], numpy.intp)
        return padded[:, :, 0], padded[:, :, 1]

    @property
    def links_of(self) -> Indices:
        """Links of each domain, shape [domains, highest degree]."""
        return self._incident[0]

    @property
    def sides_of(self) -> Indices:
        """The side at which the domain is, same shape."""
        return self._incident[1]

    @cached_property
    def neighbours(self) -> Indices:
        """The domain at the other side, same shape."""
        return self.ends[self.links_of, 1 - self.sides_of]


def diameter(graph: Any) -> int:
    """The longest distance between two domains, in links."""
    return int(networkx.diameter(graph, usebounds=True))


def mesh(side: int) -> Any:
    """A square of side x side domains, each joined to its up to eight neighbours."""
    graph = networkx.Graph()
    for row in range(side):
        for column in range(side):
            graph.add_node(row * side + column)
            for down, right in MESH_SIDES:
                if row + down < side and 0 <= column + right < side:
                    graph.add_edge(row * side + column, (row + down) * side + column + right)
    return graph


def sparse_random(domains: int, seed: int) -> Any:
    """A random tree with as many random links more: connected, mean degree four."""
    random = numpy.random.default_rng(seed)
    graph = networkx.Graph()
    graph.add_nodes_from(range(domains))
    graph.add_edges_from((i, int(random.integers(i))) for i in range(1, domains))
    pairs = random.integers(domains, size=(domains, 2)).tolist()
    graph.add_edges_from((a, b) for a, b in pairs if a != b)
    return graph
