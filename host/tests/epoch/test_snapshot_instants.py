"""Checkpoints as processes: exploration, instants, and assumptions dropped."""

from collections.abc import Iterator
from math import comb
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from oae.epoch.claim import Effort, Standing
from oae.epoch.snapshot.boundary import (
    by_steps,
    every_step,
    judge,
    jumps,
    shortest_mixed,
    ticks,
    with_clock,
)
from oae.epoch.snapshot.claims import CLAIMS
from oae.epoch.snapshot.domain import LABELS, Phase, Recovered, crash_of_all, domains, recovered
from oae.epoch.snapshot.explore import explore, instants
from oae.epoch.snapshot.process import Composition, Process, Symmetric
from oae.epoch.snapshot.worlds import Deadline, by_the_record, coordinated, waits
from oae.testing import requirement

EXAMPLES = settings(max_examples=100, deadline=None, derandomize=True, database=None)
OLD, NEW, MIXED = Recovered.OLD, Recovered.NEW, Recovered.MIXED


def executions(system: Composition, length: int) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Every execution of this length, one by one: another way to find states and instants."""
    found: list[tuple[tuple[str, ...], Any]] = [((), system.initial)]
    for _ in range(length):
        found = [
            ((*labels, label), after)
            for labels, state in found
            for label, after in system.steps(state)
        ]
    yield from found


@requirement("OAE-EPS-006")
@pytest.mark.parametrize("count", [1, 2, 3])
def test_states_and_transitions_as_counted_by_hand(count: int) -> None:
    """A domain has 7 phases and 11 transitions; the quotient has multisets of phases."""
    graph = explore(domains(count))
    assert len(graph.states) == 7**count
    assert len(graph.sources) == count * 11 * 7 ** (count - 1)
    assert len(explore(Symmetric(domains(count))).states) == comb(count + 6, 6)


@requirement("OAE-EPS-006")
@pytest.mark.parametrize("count", [1, 2])
def test_instants_are_those_of_all_executions(count: int) -> None:
    graph = explore(domains(count))
    found = instants(graph, every_step)
    for k in range(7):
        states = {state for _, state in executions(domains(count), k)}
        at = found.at[k if k < len(found.at) else found.repeats]
        assert {graph.states[n] for n in np.flatnonzero(at)} == states


@requirement("OAE-EPS-006")
def test_labelled_instants_are_those_of_all_executions() -> None:
    """The first `durable 0` and the second `begin 0` take four steps, the other domain five."""
    system = domains(2)
    graph = explore(system)
    enough = [one for length in range(10) for one in executions(system, length)]
    for label, k in (("durable 0", 1), ("begin 0", 2)):
        found = instants(graph, label.__eq__)
        at = found.at[k if k < len(found.at) else found.repeats]
        assert {graph.states[n] for n in np.flatnonzero(at)} == {
            state
            for labels, state in enough
            if labels and labels[-1] == label and labels.count(label) == k
        }


@requirement("OAE-EPS-006")
@EXAMPLES
@given(st.integers(1, 3), st.sampled_from(LABELS), st.booleans())
def test_a_shared_label_is_one_step_of_all(count: int, label: str, crashes: bool) -> None:
    system = domains(count, crashes=crashes, shared=frozenset({label}))
    graph = explore(system)
    for source, target, named in zip(graph.sources, graph.targets, graph.named, strict=True):
        before, after = graph.states[source], graph.states[target]
        moved = sum(a is not b for a, b in zip(before, after, strict=True))
        assert moved == (count if graph.labels[named] == label else 1)


@requirement("OAE-EPS-006")
@EXAMPLES
@given(st.integers(1, 3), st.data())
def test_paths_are_executions_and_lead_where_they_say(count: int, data: st.DataObject) -> None:
    system = domains(count)
    graph = explore(system)
    number = data.draw(st.integers(0, len(graph.states) - 1))
    state: Any = system.initial
    for label in graph.path(number):
        state = dict(system.steps(state))[label]
    assert state == graph.states[number]


@requirement("OAE-EPS-006")
def test_a_process_that_stops() -> None:
    """The instant after the last is there in no execution, for ever."""
    graph = explore(Composition([Process(0, {0: (("step", 1),), 1: ()})]))
    found = instants(graph, every_step)
    assert [at.tolist() for at in found.at] == [[True, False], [False, True], [False, False]]
    assert found.repeats == 2


@requirement("OAE-EPS-007")
@pytest.mark.parametrize("count", [2, 3, 4])
def test_no_step_is_a_boundary(count: int) -> None:
    graph, judged = by_steps(count, symmetric=False)
    assert judged.mixed_from == 4
    assert judged.kinds[: judged.mixed_from] == (frozenset({OLD}),) * 4
    assert jumps(graph, recovered) == 0
    assert by_steps(count, symmetric=True)[1] == judged


@requirement("OAE-EPS-007")
@pytest.mark.parametrize("count", [2, 3])
def test_no_tick_and_no_label_of_a_domain_is_a_boundary(count: int) -> None:
    clocked = explore(with_clock(domains(count)))
    assert judge(clocked, ticks, lambda state: recovered(state[:-1])).mixed_from == 1
    graph = explore(domains(count))
    for label in LABELS:
        judged = judge(graph, f"{label} 0".__eq__, recovered)
        assert judged.always_mixed
        assert MIXED in judged.kinds[1]
        assert not judged.separates


@requirement("OAE-EPS-007")
def test_the_shortest_execution_recovers_a_mixed_state() -> None:
    """No shorter one does: tried with all of them."""
    system = domains(2)
    steps, crash, after = shortest_mixed(system)
    assert crash == ("crash 0", "crash 1", "recover 0", "recover 1")
    assert after == (Phase.DURABLE, Phase.IDLE)
    assert len(steps) == 4
    for length in range(len(steps)):
        for _, state in executions(system, length):
            assert recovered(crash_of_all(system, state)[1]) is OLD


@requirement("OAE-EPS-007")
def test_recovered_is_what_crash_and_recovery_of_all_lead_to() -> None:
    system = domains(3)
    for state in explore(system).states:
        _, after = crash_of_all(system, state)
        assert set(after) <= {Phase.IDLE, Phase.DURABLE}
        held = [phase is Phase.DURABLE for phase in after]
        assert recovered(state) is (NEW if all(held) else MIXED if any(held) else OLD)


@requirement("OAE-EPS-008")
def test_one_domain_is_never_mixed_and_its_own_label_separates() -> None:
    graph, judged = by_steps(1, symmetric=False)
    assert all(MIXED not in kinds for kinds in judged.kinds)
    assert jumps(graph, recovered) == 1
    assert judged.new_from is None
    separating = [
        label for label in LABELS if judge(graph, f"{label} 0".__eq__, recovered).separates
    ]
    assert separating == ["durable"]


@requirement("OAE-EPS-008")
@pytest.mark.parametrize("count", [2, 3])
def test_without_crash_the_end_is_new(count: int) -> None:
    judged = judge(explore(domains(count, crashes=False)), every_step, recovered)
    assert judged.kinds[-2:] == (frozenset({NEW}), frozenset())
    assert judged.new_from == 4 * count
    assert all(MIXED in kinds for kinds in judged.kinds[4 : 4 * count])


@requirement("OAE-EPS-008")
@pytest.mark.parametrize(
    ("count", "delay", "crashes"), [(1, 2, 1), (2, 1, 0), (2, 3, 0), (2, 2, 2), (3, 2, 1)]
)
def test_bounded_delay_and_bounded_crashes_give_a_time(
    count: int, delay: int, crashes: int
) -> None:
    """The first tick from which all is new is that of the formula, neither earlier nor later."""
    world = Deadline(count, delay, crashes)
    judged = judge(explore(world), ticks, lambda state: recovered([d.phase for d in state[1]]))
    assert judged.new_from == world.boundary()
    if count > 1:
        assert all(MIXED in kinds for kinds in judged.kinds[1 : judged.new_from])


@requirement("OAE-EPS-008")
def test_bounded_delay_with_any_number_of_crashes_gives_none() -> None:
    graph = explore(Deadline(2, 2, None))
    assert judge(graph, ticks, lambda s: recovered([d.phase for d in s[1]])).mixed_from == 1


@requirement("OAE-EPS-008")
@pytest.mark.parametrize("label", LABELS[:4])
def test_only_a_joint_durable_step_helps(label: str) -> None:
    graph = explore(domains(3, shared=frozenset({label})))
    mixed = graph.where(lambda state: recovered(state) is MIXED)
    can_end = graph.can_reach(graph.where(lambda state: recovered(state) is NEW))
    assert mixed.any() == (label != "durable")
    assert bool((mixed & ~can_end).any()) == (label != "durable")


@requirement("OAE-EPS-008")
@pytest.mark.parametrize("count", [1, 2, 3])
def test_one_record_decides_for_all(count: int) -> None:
    graph = explore(coordinated(count))
    assert not graph.where(lambda state: by_the_record(state) is MIXED).any()
    assert judge(graph, "record".__eq__, by_the_record).separates
    assert jumps(graph, by_the_record) > 0
    assert graph.where(waits).any()
    assert graph.can_reach(graph.where(lambda state: by_the_record(state) is NEW)).all()


@requirement("OAE-EPS-008")
def test_a_record_that_does_not_wait_for_all_is_found_out() -> None:
    graph = explore(coordinated(3, wanted=2))
    assert graph.where(lambda state: by_the_record(state) is MIXED).any()


@requirement("OAE-EPS-009")
def test_the_claims_give_the_same_finding_again() -> None:
    for claim in CLAIMS:
        first = claim.run(Effort(seed=1))
        assert first == claim.run(Effort(seed=1))
        assert first.standing is Standing.HOLDS_UNDER
