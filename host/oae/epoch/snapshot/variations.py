"""What becomes of the instants when one assumption is dropped: rows of a table."""

from collections.abc import Iterator
from typing import Any, Final

import numpy as np

from oae.epoch.snapshot.boundary import Judged, every_step, judge, ticks
from oae.epoch.snapshot.domain import LABELS, Recovered, domains, recovered
from oae.epoch.snapshot.explore import Graph, explore
from oae.epoch.snapshot.worlds import Deadline, by_the_record, coordinated, waits

Row = tuple[str, str, str, str, str]
DEADLINES: Final = ((1, 0), (2, 0), (2, 1), (3, 1), (2, 2))  # delay in ticks, crashes


def variations(count: int) -> Iterator[Row]:
    """System, instants, N, states, what is seen; `count` domains, two where there is time."""
    yield _no_crash(count)
    yield from (_deadline(delay, crashes) for delay, crashes in DEADLINES)
    yield _unbounded()
    yield from (_barrier(count, label) for label in LABELS[:4])
    yield _record(count)


def _row(system: str, named: str, count: int, graph: Graph, seen: str) -> Row:
    return system, named, str(count), f"{len(graph.states):,}", seen


def _mixed(judged: Judged) -> str:
    """The k at which something mixed may be seen, first and last, as these are without a gap."""
    mixed = [k for k, kinds in enumerate(judged.kinds) if Recovered.MIXED in kinds]
    assert mixed == list(range(mixed[0], mixed[-1] + 1))
    return f"k = {mixed[0]} to {mixed[-1]}"


def _no_crash(count: int) -> Row:
    graph = explore(domains(count, crashes=False))
    judged = judge(graph, every_step, recovered)
    seen = (
        "nothing is ever recovered; whoever reads all durable parts at once may see a mixed state "
        f"at {_mixed(judged)}; every execution ends all new at k = {judged.new_from}"
    )
    return _row("no crash", "k-th step", count, graph, seen)


def _timed(state: tuple[Any, Any]) -> Recovered:
    return recovered([domain.phase for domain in state[1]])


def _deadline(delay: int, crashes: int) -> Row:
    world = Deadline(2, delay, crashes)
    graph = explore(world)
    judged = judge(graph, ticks, _timed)
    seen = (
        f"mixed at {_mixed(judged)}, new from k = {judged.new_from} on "
        f"(formula: {world.boundary()})"
    )
    system = f"durable within {delay} ticks of the beginning or a crash; crashes at most {crashes}"
    return _row(system, "k-th tick", 2, graph, seen)


def _unbounded() -> Row:
    graph = explore(Deadline(2, 2, None))
    judged = judge(graph, ticks, _timed)
    seen = f"mixed from k = {judged.mixed_from} on: bounded delay alone is not enough"
    return _row("durable within 2 ticks, any number of crashes", "k-th tick", 2, graph, seen)


def _barrier(count: int, label: str) -> Row:
    graph = explore(domains(count, shared=frozenset({label})))
    mixed = graph.where(lambda state: recovered(state) is Recovered.MIXED)
    finished = graph.where(lambda state: recovered(state) is Recovered.NEW)
    stuck = mixed & ~graph.can_reach(finished)
    seen = f"{np.count_nonzero(mixed):,} mixed states, {np.count_nonzero(stuck):,} of them for ever"
    return _row(f"all take `{label}` together", "k-th step", count, graph, seen)


def _record(count: int) -> Row:
    graph = explore(coordinated(count))
    mixed = graph.where(lambda state: by_the_record(state) is Recovered.MIXED)
    judged = judge(graph, lambda label: label == "record", by_the_record)
    seen = (
        f"{np.count_nonzero(mixed):,} mixed states; `record` "
        f"{'separates' if judged.separates else 'does not separate'} old from new; in "
        f"{np.count_nonzero(graph.where(waits)):,} states a domain that restarts must wait"
    )
    return _row(
        "a coordinator's one durable record decides", "k-th step, `record`", count, graph, seen
    )
