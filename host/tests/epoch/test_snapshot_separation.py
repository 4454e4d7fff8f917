"""Snap(t) and Conv(P, e) on recorded executions: what each depends on, what tells them apart."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from oae.engines import model
from oae.engines.rundir import TRACE
from oae.epoch.snapshot.execution import (
    Converged,
    Durable,
    Execution,
    ExecutionError,
    Time,
    recorded,
)
from oae.epoch.snapshot.properties import Conv, Snap, Verdict, restorable, times_of
from oae.epoch.snapshot.separation import LINK, World, separate, worlds
from oae.scenario.parse import parse_text
from oae.testing import requirement
from oae.trace import Config, Status, Trace

EXAMPLES = settings(max_examples=100, deadline=None, derandomize=True, database=None)
EXECUTIONS = list(World("each domain alone", 3, gated=False).executions())
executions = st.sampled_from(EXECUTIONS)
TIMES = [Time(tick) for tick in range(-9, 30)]


@requirement("OAE-EPS-003")
@EXAMPLES
@given(executions, st.lists(st.integers(0, 3), min_size=9, max_size=9), st.integers(-5, 5))
def test_conv_reads_no_clock(execution: Execution, waits: list[int], skew: int) -> None:
    """Any clocks that do not go back: each tick lasts as long as it likes, domain 1 is ahead."""
    shown = [sum(waits[:tick]) for tick in range(len(waits) + 1)]
    other = Execution(
        2,
        tuple(
            event._replace(time=Time(shown[event.time.tick] + skew * event.domain))
            for event in execution.events
        ),
    )
    for epoch in (1, 2):
        assert Conv(LINK, epoch)(other) is Conv(LINK, epoch)(execution)


@requirement("OAE-EPS-003")
@EXAMPLES
@given(executions, st.integers(0, 2))
def test_snap_reads_no_evidence(execution: Execution, epoch: int) -> None:
    parts = tuple(event for event in execution.events if isinstance(event, Durable))
    alone = Execution(2, parts)
    assert times_of(Snap(alone, epoch), TIMES) == times_of(Snap(execution, epoch), TIMES)


@requirement("OAE-EPS-003")
def test_conv_is_never_lost() -> None:
    """Once a prefix of an execution has converged, so has every longer one."""
    converged = 0
    for execution in EXECUTIONS:
        prefixes = [Execution(2, execution.events[:n]) for n in range(len(execution.events) + 1)]
        for epoch in (1, 2):
            verdicts = [Conv(LINK, epoch)(prefix) for prefix in prefixes]
            assert verdicts == sorted(verdicts, key=[Verdict.INCONCLUSIVE, Verdict.CONVERGED].index)
            if verdicts[-1] is Verdict.CONVERGED:
                converged += 1
                assert restorable(Conv(LINK, epoch), execution) == epoch
    assert 0 < converged < 2 * len(EXECUTIONS)


@requirement("OAE-EPS-003")
def test_conv_needs_every_part_and_both_ends() -> None:
    """Leave out any one event of an execution that has just converged."""
    whole = (
        Durable(Time(1), 0, 1),
        Durable(Time(2), 1, 1),
        Converged(Time(3), 0, 1, 1),
        Converged(Time(4), 1, 0, 1),
    )
    assert Conv(LINK, 1)(Execution(2, whole)) is Verdict.CONVERGED
    for place in range(len(whole)):
        without = Execution(2, whole[:place] + whole[place + 1 :])
        assert Conv(LINK, 1)(without) is Verdict.INCONCLUSIVE


@requirement("OAE-EPS-004")
def test_the_worlds_are_whole() -> None:
    """Counted by hand for two ticks and one epoch: both durable at 1 is heard at 2 or never."""
    assert sum(1 for _ in World("small", 2, gated=False, epochs=(1,)).executions()) == 9 - 1 + 4
    found = list(World("decided", 4, gated=True).executions())
    assert len(set(found)) == len(found)
    free = set(World("free", 4, gated=False).executions())
    assert set(found) < free


@requirement("OAE-EPS-004")
def test_neither_determines_the_other() -> None:
    for world in worlds(4):
        found = separate(world)
        assert found.same_snap
        assert found.same_conv
        assert found.snap_without_conv
        one, other = found.examples["same Snap, other Conv"]
        for epoch in world.epochs:
            for time in world.times():
                assert Snap(one, epoch)(time) == Snap(other, epoch)(time)
        assert [Conv(LINK, epoch)(one) for epoch in world.epochs] != [
            Conv(LINK, epoch)(other) for epoch in world.epochs
        ]


@requirement("OAE-EPS-004")
def test_what_a_true_clock_still_gives() -> None:
    """Decided by the link and with true clocks there is a time, but none that is always it."""
    alone, decided, *skewed, free = map(separate, worlds(4))
    assert alone.undecided_reached == 0
    assert decided.conv_without_snap == 0
    assert decided.certain == []
    assert all(found.conv_without_snap for found in (*skewed, free))


SCENARIO = """
version = 1
[[load.a.record]]
advance = 1
[host.a]
prepared = 1
[host.b]
prepared = 1
"""
CUT = """
[[fault]]
when = "b DELIVERED"
do = "cut b->a"
"""


@requirement("OAE-EPS-005")
def test_snap_and_conv_of_runs_of_the_link(tmp_path: Path) -> None:
    """Both parts are durable all the time; the link converges, or its last answer is cut off."""
    seen = {}
    for name, text in (("whole", SCENARIO), ("cut", SCENARIO + CUT)):
        model.run(parse_text(text), tmp_path / name)
        execution = recorded(Trace(tmp_path / name / TRACE))
        times = [Time(cycle) for cycle in range(0, 5000, 100)]
        seen[name] = Conv(LINK, 1)(execution), times_of(Snap(execution, 1), times) == times
    assert seen == {"whole": (Verdict.CONVERGED, True), "cut": (Verdict.INCONCLUSIVE, True)}


@requirement("OAE-EPS-005")
def test_amnesia_is_refused() -> None:
    def status(cycle: int, converged: int) -> Status:
        return Status(cycle, cycle, 0, 2, 1, 1, 0, 0, converged, 0, 0)

    prepared = Config(1, 0, 0, 1, 1, 1, 7, 0, 1)
    known = recorded([prepared, status(5, 1), status(6, 1)])
    assert known.events == (Durable(Time(0), 0, 1), Converged(Time(5), 0, 1, 1))
    with pytest.raises(ExecutionError, match="line 7: end 0 has forgotten its epoch"):
        recorded([prepared, status(5, 1), status(7, 0)])
