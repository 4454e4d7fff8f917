"""Updates of a fleet by clock, by two-phase commit and by bilateral convergence."""

from dataclasses import replace

import networkx as nx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from oae.epoch.fleet.faults import START, Faults, Fleet, FleetError, Hazard, draw, every_loss
from oae.epoch.fleet.play import Outcome, mixed_by_clock, play
from oae.epoch.fleet.schemes import (
    GUARD,
    SCHEMES,
    Bilateral,
    ByClock,
    ByClockSilent,
    ByClockTagged,
    Scheme,
    TwoPhase,
    TwoPhaseSilent,
)
from oae.testing import requirement

EXAMPLES = settings(max_examples=30, deadline=None, derandomize=True, database=None)
PAIR = Fleet(nx.path_graph(2))
seeds = st.integers(0, 2**32 - 1)
graphs = st.one_of(
    st.builds(nx.path_graph, st.integers(2, 6)),
    st.builds(nx.cycle_graph, st.integers(3, 8)),
    st.builds(nx.complete_graph, st.integers(2, 5)),
    st.builds(lambda seed: nx.connected_watts_strogatz_graph(10, 4, 0.3, seed=seed), seeds),
)
hazards = st.builds(
    Hazard,
    st.just("drawn"),
    loss=st.floats(0, 0.6),
    crash=st.floats(0, 0.01),
    skew=st.integers(0, GUARD - 1),
    lost=st.booleans(),
)


def played(
    scheme: type[Scheme], graph: "nx.Graph[int]", hazard: Hazard, seed: int, rounds: int = 60
) -> Outcome:
    fleet = Fleet(graph)
    faults = draw(fleet, hazard, 8, rounds, np.random.default_rng(seed))
    return play(fleet, faults, scheme(fleet, faults))


@requirement("OAE-EPF-001")
def test_a_seed_draws_the_same_faults() -> None:
    hazard = Hazard("all", loss=0.3, crash=0.01, skew=4, lost=True)
    fleet = Fleet(nx.cycle_graph(5))
    one, same, other = (draw(fleet, hazard, 4, 50, np.random.default_rng(n)) for n in (7, 7, 8))
    assert all(np.array_equal(value, vars(same)[name]) for name, value in vars(one).items())
    assert not np.array_equal(one.data_lost, other.data_lost)
    assert abs(one.offset).max() <= 4
    assert one.down[:, START + 10 :, 0].all()


@requirement("OAE-EPF-001")
@pytest.mark.parametrize("graph", [nx.path_graph(1), nx.path_graph([3, 4])])
def test_what_is_no_fleet_is_refused(graph: "nx.Graph[int]") -> None:
    with pytest.raises(FleetError, match="nodes 0 to n - 1"):
        Fleet(graph)


@requirement("OAE-EPF-001")
def test_every_pattern_of_losses_is_there_once() -> None:
    faults = every_loss(PAIR, START + 10, 3)
    lost = faults.control_lost.reshape(len(faults.gone), -1)
    assert len(np.unique(lost, axis=0)) == len(lost) == 2**6
    assert not lost[:, : 2 * START].any()
    with pytest.raises(FleetError, match="only for a pair"):
        every_loss(Fleet(nx.path_graph(3)), START + 10, 3)


@requirement("OAE-EPF-002")
@EXAMPLES
@given(graphs, st.integers(0, 12), seeds)
def test_mixed_exchanges_by_clock_are_those_of_the_formula(
    graph: "nx.Graph[int]", skew: int, seed: int
) -> None:
    fleet = Fleet(graph)
    faults = draw(fleet, Hazard("skew", skew=skew), 8, 60, np.random.default_rng(seed))
    outcome = play(fleet, faults, ByClock(fleet, faults))
    assert outcome.mixed.tolist() == mixed_by_clock(fleet, faults.offset).tolist()
    assert (outcome.mixed >= 2 * fleet.links).all()
    # What is mixed without a tag is what a tag refuses.
    tagged = play(fleet, faults, ByClockTagged(fleet, faults))
    assert tagged.refused.tolist() == outcome.mixed.tolist()


@requirement("OAE-EPF-003", "OAE-EPF-004")
@EXAMPLES
@given(graphs, hazards, seeds)
def test_these_never_take_data_of_another_version(
    graph: "nx.Graph[int]", hazard: Hazard, seed: int
) -> None:
    for scheme in (Bilateral, ByClockTagged, ByClockSilent, TwoPhaseSilent):
        assert not played(scheme, graph, hazard, seed).mixed.any(), scheme.name


@requirement("OAE-EPF-003")
def test_bilateral_links_converge_under_every_pattern_of_losses() -> None:
    faults = every_loss(PAIR, START + 15, 5)
    outcome = play(PAIR, faults, Bilateral(PAIR, faults))
    assert len(outcome.mixed) == 1024
    assert not outcome.mixed.any()
    assert outcome.converged.min() == 4
    assert outcome.converged.max() == 5 + 4
    assert (outcome.mixed_rounds > 0).all()  # the ends never change at once
    assert not outcome.left_in_doubt.any()


@requirement("OAE-EPF-003")
def test_bilateral_ends_change_only_after_the_peer_has_promised() -> None:
    """In every pattern: done after reflecting, freed after done; each step stays."""
    faults = every_loss(PAIR, START + 15, 5)
    scheme = Bilateral(PAIR, faults)
    before = scheme.new()
    for now in range(1, faults.rounds):
        doubted = scheme.in_doubt()
        scheme.step(now)
        low, high = scheme.new().T
        assert (high | ~low).all()  # the lower node's end follows
        assert (doubted[:, 1] | before[:, 1] | ~high).all()  # the higher one was in doubt before
        assert (before <= scheme.new()).all()
        before = scheme.new()


@requirement("OAE-EPF-003")
@EXAMPLES
@given(graphs, st.floats(0, 0.4), seeds)
def test_bilateral_needs_nobody_else(graph: "nx.Graph[int]", loss: float, seed: int) -> None:
    """Node 0 breaks for good: all links of the others converge, and only its neighbours doubt."""
    outcome = played(Bilateral, graph, Hazard("lost", loss=loss, lost=True), seed, rounds=120)
    assert (outcome.converged >= 0).all()
    assert (outcome.left_in_doubt <= graph.degree[0]).all()


@requirement("OAE-EPF-004")
def test_a_broken_coordinator_leaves_everybody_in_doubt() -> None:
    """It breaks when all have promised and nobody has been told."""
    fleet = Fleet(nx.cycle_graph(6))
    faults = draw(fleet, Hazard("none"), 1, 60, np.random.default_rng(1))
    gone, down = faults.gone.copy(), faults.down.copy()
    gone[:, 0] = True
    down[:, START + 2 :, 0] = True
    broken = replace(faults, gone=gone, down=down)
    for scheme in (TwoPhase, TwoPhaseSilent):
        outcome = play(fleet, broken, scheme(fleet, broken))
        assert outcome.left_in_doubt.tolist() == [5]
        assert outcome.converged.tolist() == [-1]
    bilateral = play(fleet, broken, Bilateral(fleet, broken))
    assert bilateral.left_in_doubt[0] <= 2
    assert bilateral.converged[0] >= 0


@requirement("OAE-EPF-004")
def test_a_coordinator_decides_only_when_all_have_promised() -> None:
    """Whoever has the new version under two-phase commit: nobody is without a promise."""
    fleet = Fleet(nx.cycle_graph(5))
    hazard = Hazard("lossy", loss=0.4, crash=0.01)
    faults = draw(fleet, hazard, 50, 60, np.random.default_rng(3))
    scheme = TwoPhase(fleet, faults)
    some = np.zeros(50, bool)
    for now in range(1, faults.rounds):
        scheme.step(now)
        version = scheme.new()[:, : fleet.links]
        told = version.any(axis=1)
        nodes = np.zeros((50, fleet.nodes), bool)
        nodes[:, fleet.source[: fleet.links]] |= version
        nodes[:, fleet.target[: fleet.links]] |= scheme.new()[:, fleet.links :]
        assert (nodes | scheme.in_doubt())[told].all()
        some |= told
    assert some.any()


@requirement("OAE-EPF-004")
@pytest.mark.parametrize(
    ("scheme", "hazard"),
    [
        (ByClock, Hazard("none")),
        (ByClock, Hazard("lossy", loss=0.3)),
        (TwoPhase, Hazard("none")),
        (TwoPhase, Hazard("lossy", loss=0.3)),
        (ByClockSilent, Hazard("beyond its bound", skew=2 * GUARD)),
    ],
)
def test_these_do_take_data_of_another_version(scheme: type[Scheme], hazard: Hazard) -> None:
    assert played(scheme, nx.cycle_graph(8), hazard, 5).mixed.any()


@requirement("OAE-EPF-001")
@EXAMPLES
@given(graphs, hazards, seeds)
def test_all_data_is_accounted_for(graph: "nx.Graph[int]", hazard: Hazard, seed: int) -> None:
    """Taken, refused or withheld, lost, or on the way to a node that is down: nothing else."""
    fleet = Fleet(graph)
    faults = draw(fleet, replace(hazard, loss=0.0), 8, 60, np.random.default_rng(seed))
    up = ~faults.down
    offered = up[:, 1:-1, fleet.source]
    heard = int((offered & up[:, 2:, fleet.target]).sum())
    for scheme in SCHEMES:
        outcome = play(fleet, faults, scheme(fleet, faults))
        both = int(outcome.taken.sum() + outcome.refused.sum())
        if scheme in (ByClock, ByClockTagged, TwoPhase, Bilateral):
            assert both == heard, scheme.name
        else:
            assert both >= heard, scheme.name  # withheld counts though the peer may be down


@requirement("OAE-EPF-001")
def test_two_switches_by_hand() -> None:
    """Node 0 changes in round 20, node 1 in 22, and nothing is lost."""
    none = np.zeros((1, 40, 2), bool)
    nobody = np.zeros((1, 2), bool)
    faults = Faults(np.array([[0, 2]]), none, none, none, none, none, nobody)
    outcome = play(PAIR, faults, ByClock(PAIR, faults))
    # 0 to 1: sent new in 20, taken old in 21. 1 to 0: sent old in 19, 20, 21, taken new after.
    assert outcome.mixed.tolist() == [1 + 3]
    assert outcome.mixed_rounds.tolist() == [2]
    assert outcome.converged.tolist() == [2]
    assert outcome.taken.tolist() == [2 * 38]


@requirement("OAE-EPF-003")
@EXAMPLES
@given(graphs, st.integers(1, 8), seeds)
def test_no_bilateral_end_changes_before_both_nodes_are_prepared(
    graph: "nx.Graph[int]", skew: int, seed: int
) -> None:
    fleet = Fleet(graph)
    faults = draw(fleet, Hazard("skew", skew=skew), 8, 60, np.random.default_rng(seed))
    scheme = Bilateral(fleet, faults)
    prepared = START + np.maximum(faults.offset[:, fleet.source], faults.offset[:, fleet.target])
    for now in range(1, faults.rounds):
        scheme.step(now)
        assert (now >= prepared)[scheme.new()].all()
    assert scheme.new().all()


@requirement("OAE-EPF-004")
def test_a_coordinator_that_crashes_asks_again() -> None:
    """It has heard node 1 and not node 2 when it crashes, and then node 2 and not node 1."""
    fleet = Fleet(nx.cycle_graph(3))
    faults = draw(fleet, Hazard("none"), 1, 60, np.random.default_rng(1))
    reply, down = faults.reply_lost.copy(), faults.down.copy()
    reply[:, START + 1, 2] = True
    down[:, START + 3, 0] = True
    reply[:, START + 2 : START + 12, 1] = True
    faults = replace(faults, reply_lost=reply, down=down)
    outcome = play(fleet, faults, TwoPhase(fleet, faults))
    assert outcome.converged.tolist() == [14]  # the reply of round 12 decides in 13
