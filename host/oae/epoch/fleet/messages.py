"""Executions of agents that talk about one fact, as Kripke structures.

Agent 0 learns at the beginning whether the fact holds ("the fleet goes to the new version"); the
others hear of it from messages only.
"""

from collections.abc import Hashable
from dataclasses import dataclass
from itertools import product

import networkx as nx
import numpy as np

from oae.epoch.fleet.knowledge import Kripke, Numbers, Truths


@dataclass(frozen=True)
class Talk:
    """Worlds: whether the fact holds in each, and how many messages were delivered."""

    kripke: Kripke
    fact: Truths
    delivered: Numbers


def _talk(worlds: list[tuple[bool, int, tuple[Hashable, ...]]]) -> Talk:
    """From each world's fact, messages delivered, and what each agent has seen."""
    numbers: dict[Hashable, int] = {}
    views = [[numbers.setdefault(view, len(numbers)) for view in seen] for _, _, seen in worlds]
    fact, delivered, _ = zip(*worlds, strict=True)
    return Talk(Kripke(np.array(views)), np.array(fact), np.array(delivered))


def handshake(most: int) -> Talk:
    """Two agents that confirm in turn: message, confirmation, confirmation of that, ...

    In the worlds in which the fact holds 0 to `most` messages are delivered and the next is lost;
    nothing tells its sender. Without the fact nothing is sent.
    """
    worlds: list[tuple[bool, int, tuple[Hashable, ...]]] = [(False, 0, (("A", False), ("B", 0)))]
    for delivered in range(most + 1):
        heard = delivered // 2, delivered - delivered // 2  # by agent 0, by agent 1
        worlds.append((True, delivered, (("A", True, heard[0]), ("B", heard[1]))))
    return _talk(worlds)


def rounds(graph: "nx.Graph[int]", count: int) -> Talk:
    """Full information: in each round each agent sends all that it has seen on each of its links.

    A world for each pattern of losses, with the fact and without. Whatever a protocol lets an agent
    tell in so many rounds it knows here too, so what is not known here is known in no protocol.
    """
    lanes = [lane for edge in sorted(graph.edges) for lane in (edge, edge[::-1])]
    worlds: list[tuple[bool, int, tuple[Hashable, ...]]] = []
    for fact, *arrives in product([False, True], *[[False, True]] * (len(lanes) * count)):
        views = _numbered(graph, fact, np.reshape(arrives, (count, len(lanes))).tolist(), lanes)
        worlds.append((fact, sum(arrives), views))
    return _talk(worlds)


def _numbered(
    graph: "nx.Graph[int]", fact: bool, arrives: list[list[bool]], lanes: list[tuple[int, int]]
) -> tuple[Hashable, ...]:
    """What each agent has seen in the end: its own view before, and what it heard."""
    views: list[Hashable] = [(agent, fact if agent == 0 else None) for agent in sorted(graph)]
    for in_round in arrives:
        heard: list[list[Hashable]] = [[] for _ in views]
        for (source, target), arrived in zip(lanes, in_round, strict=True):
            if arrived:
                heard[target].append(views[source])
        views = [(view, tuple(news)) for view, news in zip(views, heard, strict=True)]
    return tuple(views)


def timed(delay: int, after: int, *, common_clock: bool) -> tuple[Talk, Truths]:
    """One message that always arrives, 1 to `delay` ticks after it was sent, all delays possible.

    The worlds are moments, and the second value says which of them are `after` ticks after the
    sending. With a `common_clock` the message is sent at tick 0 or never, and everybody sees that
    it is tick `after` now. Without, an agent sees how long ago it sent or heard, and every moment
    from before the sending to well after it is possible.
    """
    worlds: list[tuple[bool, int, tuple[Hashable, ...]]] = []
    wanted = []
    for late in range(1, delay + 1):
        for age in (-1, after) if common_clock else range(-1, after + 2 * delay + 1):
            sent, heard = age >= 0, age >= late
            seen = (age if sent else None), (age - late if heard else None)
            worlds.append((sent, int(heard), (("A", seen[0]), ("B", seen[1]))))
            wanted.append(age == after)
    return _talk(worlds), np.array(wanted)
