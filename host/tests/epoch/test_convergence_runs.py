"""Random runs: recovery beside FITO, detection, rounds, and the absence of time."""

from random import Random
from typing import Any

import networkx
import numpy
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from oae.epoch.claim import Effort, Standing
from oae.epoch.convergence.bounds import bounds, outcome, stretched, waves
from oae.epoch.convergence.constraints import constraints
from oae.epoch.convergence.locality import pool, strangers
from oae.epoch.convergence.recoveries import recoveries, sample, shares
from oae.epoch.convergence.rounds import CYCLE, graphs, stalled, timed
from oae.epoch.convergence.sample import Counts, sampled
from oae.epoch.convergence.schedule import take
from oae.epoch.convergence.state import State
from oae.epoch.convergence.steps import CUT, PROTOCOL, RECOVERY
from oae.epoch.convergence.system import System, mesh, sparse_random
from oae.epoch.convergence.wave import Detection, Wave
from oae.testing import requirement

EXAMPLES = settings(max_examples=15, deadline=None, derandomize=True, database=None)


@pytest.fixture(scope="module")
def counts() -> Counts:
    return sample(10_002, Effort(seed=2))


@requirement("OAE-EPV-002", "OAE-EPV-006", "OAE-EPV-007")
def test_ten_thousand_runs(counts: Counts) -> None:
    assert counts.runs == 10_002
    assert counts.recoveries > 20_000
    assert (counts.mixed, counts.without, counts.unfinished) == (0, 0, 0)
    assert counts.incomplete > 500
    found = shares(counts)
    assert [share.size for share in found] == list(range(2, 11))
    assert all(share.holds for share in found)
    assert all(share.mixed > 0 for share in found)


@requirement("OAE-EPV-007")
def test_a_wrong_formula_would_be_found(counts: Counts) -> None:
    """The intervals are narrow enough to tell the formula from one for one domain more."""
    later = {share.size: share for share in shares(counts)}
    assert any(
        not later[size].low <= later[size + 1].expected <= later[size].high for size in range(2, 10)
    )


def unmoved(system: System) -> bytes:
    """The outcome when everything happens at once, again and again."""
    state = State.start(system, 1)
    for _ in range(60):
        for step in PROTOCOL:
            take(system, state, step, numpy.arange(step.places(system)))
    return outcome(state).tobytes()


@requirement("OAE-EPV-005")
@EXAMPLES
@given(st.integers(2, 4), st.integers(0, 2**32))
def test_no_schedule_changes_the_outcome(size: int, seed: int) -> None:
    """Single steps in any order, chosen by the test's own adversary, until nothing is left."""
    random = Random(seed)
    system = System(sparse_random(size, seed), 3, size)
    state = State.start(system, 1)
    favourites = [random.random() ** 3 for _ in range(system.domains + 2 * system.links)]
    while not (state.converged == 2).all():
        steps = [(step, place) for step in PROTOCOL for place in range(step.places(system))]
        for step, place in random.sample(steps, len(steps)):
            if random.random() < favourites[place] + 0.05:
                take(system, state, step, numpy.array([place]))
    for _ in range(6):
        for step in PROTOCOL:
            take(system, state, step, numpy.arange(step.places(system)))
    assert outcome(state).tobytes() == unmoved(system)


@requirement("OAE-EPV-005")
def test_paces_do_not_change_the_outcome() -> None:
    system = System(mesh(3), 3, 3)
    rows = stretched(system, 20, 1)
    assert len(rows) == 20
    assert {row.tobytes() for row in rows} == {unmoved(system)}


@requirement("OAE-EPV-004")
def test_waves_know_and_never_guess() -> None:
    assert waves(8, 5) == (8, 8, 8, 8)


def knows(wave: Wave) -> bool:
    return wave.detection is Detection.CONVERGED


@requirement("OAE-EPV-004")
@pytest.mark.parametrize("graph", [networkx.cycle_graph(6), mesh(3), networkx.path_graph(4)])
def test_one_end_that_has_not_converged_keeps_a_wave_waiting(graph: Any) -> None:
    system = System(graph, 2, 2)
    for end in range(2 * system.links):
        state = State.start(system, 1)
        state.converged[:] = 1
        state.converged[0, end // 2, end % 2] = 0
        wave = Wave(system, 1, 0)
        for _ in range(4 * system.domains):
            wave.step(state)
        assert knows(wave) is False
        state.converged[:] = 1
        for _ in range(2 * system.domains):
            wave.step(state)
        assert knows(wave) is True


@requirement("OAE-EPV-004")
def test_what_converged_in_another_incarnation_does_not_count() -> None:
    system = System(networkx.path_graph(2), 2, 2)
    state = State.start(system, 1)
    state.converged[:] = 1 << 16  # epoch 0, after a recovery
    wave = Wave(system, 1, 0)
    for _ in range(10):
        wave.step(state)
    assert knows(wave) is False


@requirement("OAE-EPV-004")
def test_a_cut_link_is_inconclusive_until_it_heals() -> None:
    system = System(networkx.cycle_graph(5), 2, 2)
    state = State.start(system, 1)
    state.converged[:] = 1
    take(system, state, CUT, numpy.array([2]))
    wave = Wave(system, 1, 0)
    for _ in range(30):
        wave.step(state)
    assert knows(wave) is False
    state.cut[:] = False
    for _ in range(10):
        wave.step(state)
    assert knows(wave) is True


@requirement("OAE-EPV-009")
def test_rounds_stay_below_the_bound() -> None:
    for name, graph in graphs(700):
        found = timed(name, graph)
        assert found.converged == CYCLE
        assert 2 * found.diameter <= found.detected <= found.bound
        assert found.messages == 2 * found.links


@pytest.mark.long
@requirement("OAE-EPV-009")
def test_ten_thousand_domains() -> None:
    found = timed("mesh", mesh(100))
    assert (found.domains, found.converged) == (10_000, CYCLE)
    assert found.detected <= found.bound


@requirement("OAE-EPV-001", "OAE-EPV-003")
@pytest.mark.parametrize("graph", [networkx.cycle_graph(9), mesh(4), networkx.path_graph(5)])
def test_who_waits_for_one_that_stands_still_is_ahead_by_the_distance(graph: Any) -> None:
    distance, epoch = stalled(graph, 1)
    assert (distance == epoch).all()


@requirement("OAE-EPV-008")
def test_epochs_are_local_and_recovery_is_not() -> None:
    system = System(mesh(3), 12, 3)
    states = pool(system, 300, 1)
    for step in PROTOCOL:
        found = [strangers(system, states, step, place) for place in range(step.places(system))]
        taken, otherwise = (sum(column) for column in zip(*found, strict=True))
        assert taken > 0, step.text
        if step not in RECOVERY:
            assert otherwise == 0, step.text
    assert any(strangers(system, states, RECOVERY[0], place)[1] for place in range(9))


@requirement("OAE-EPV-011")
@pytest.mark.parametrize("run", [recoveries, bounds, constraints])
def test_the_claims_hold_and_repeat(run: Any) -> None:
    first = run(Effort(seed=5))
    assert first.standing is Standing.HOLDS_UNDER
    if run is constraints:
        assert repr(run(Effort(seed=5))) == repr(first)
        assert run(Effort(seed=6)) != first


@requirement("OAE-EPV-011")
def test_runs_repeat() -> None:
    def once(seed: int) -> list[dict[str, Any]]:
        return [vars(batch) for batch in sampled(networkx.cycle_graph(3), 100, seed)]

    assert once(1) == once(1)
    assert once(1) != once(2)
