"""Knowledge in fleets: depths, common knowledge, and what it would take."""

import networkx as nx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from oae.epoch.claim import Effort, Standing
from oae.epoch.fleet import attack, rolling
from oae.epoch.fleet.claims import CLAIMS
from oae.epoch.fleet.knowledge import COMMON, FALSE, Kripke, Truths
from oae.epoch.fleet.messages import handshake, rounds, timed
from oae.epoch.report.standings import EXPECTED
from oae.testing import requirement

EXAMPLES = settings(max_examples=150, deadline=None, derandomize=True, database=None)


@st.composite
def structures(draw: st.DrawFn) -> tuple[Kripke, Truths]:
    worlds = draw(st.integers(1, 12))
    agents = draw(st.integers(1, 3))
    views = st.lists(st.integers(0, 5), min_size=agents, max_size=agents)
    table = draw(st.lists(views, min_size=worlds, max_size=worlds))
    fact = draw(st.lists(st.booleans(), min_size=worlds, max_size=worlds))
    return Kripke(np.array(table)), np.array(fact)


@requirement("OAE-EPF-005")
@EXAMPLES
@given(structures())
def test_depth_is_the_distance_to_a_world_without_the_fact(drawn: tuple[Kripke, Truths]) -> None:
    """Everyone knows d times over: no chain of d likenesses leads to a world without the fact."""
    kripke, fact = drawn
    alike: nx.Graph[int] = nx.Graph()
    alike.add_nodes_from(range(len(fact)))
    for one in range(len(fact)):
        for other in range(one):
            if (kripke.views[one] == kripke.views[other]).any():
                alike.add_edge(one, other)
    without = set(np.flatnonzero(~fact).tolist())
    far = nx.multi_source_dijkstra_path_length(alike, without) if without else {}
    expected = [far[world] - 1 if world in far else COMMON for world in range(len(fact))]
    expected = [FALSE if not fact[world] else depth for world, depth in enumerate(expected)]
    assert kripke.depth(fact).tolist() == expected
    assert kripke.common(fact).tolist() == [depth == COMMON for depth in expected]
    component = kripke.components()
    for found in nx.connected_components(alike):
        assert {int(component[world]) for world in found} == {min(found)}


@requirement("OAE-EPF-006")
@pytest.mark.parametrize("most", [0, 1, 2, 9, 40])
def test_k_confirmations_give_depth_k(most: int) -> None:
    talk = handshake(most)
    assert talk.delivered[talk.fact].tolist() == list(range(most + 1))
    assert talk.kripke.depth(talk.fact)[talk.fact].tolist() == list(range(most + 1))
    assert not talk.kripke.common(talk.fact).any()


@requirement("OAE-EPF-006")
@pytest.mark.parametrize(
    ("graph", "count"),
    [(nx.path_graph(2), n) for n in (1, 2, 3, 4)]
    + [(nx.path_graph(3), 2), (nx.cycle_graph(3), 1), (nx.cycle_graph(3), 2)],
)
def test_no_pattern_of_losses_gives_common_knowledge(graph: "nx.Graph[int]", count: int) -> None:
    talk = rounds(graph, count)
    assert len(talk.fact) == 2 * 4 ** (graph.size() * count)
    depth = talk.kripke.depth(talk.fact)
    assert (depth <= talk.delivered).all()
    assert (depth != COMMON).all()
    assert not talk.kripke.common(talk.fact).any()
    assert len(np.unique(talk.kripke.components())) == 1  # no rule lets all change at one moment


@requirement("OAE-EPF-006")
def test_the_bound_is_met() -> None:
    """Among all patterns of n rounds one reaches depth k with k messages, for k up to n."""
    talk = rounds(nx.path_graph(2), 4)
    depth = talk.kripke.depth(talk.fact)
    for k in range(5):
        assert depth[talk.fact & (talk.delivered == k)].max() == k


@requirement("OAE-EPF-006")
def test_coordinated_attack() -> None:
    """Whatever numbers of messages two agents wait for: one acts alone in some execution.

    But for the rule by which both always act, with the fact and without.
    """
    delivered = np.arange(15)
    for sends in range(7):
        for hears in range(7):
            first, second = delivered // 2 >= sends, (delivered + 1) // 2 >= hears
            assert (first != second).any() == ((sends, hears) != (0, 0))


@requirement("OAE-EPF-006")
def test_the_claim_falls_if_some_execution_can_be_told_from_the_others(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(attack, "_connected", lambda talk: len(talk.fact) != 512)
    assert attack.attack(Effort()).standing is Standing.DOES_NOT_HOLD


@requirement("OAE-EPF-007")
@pytest.mark.parametrize(("delay", "common_clock"), [(1, True), (1, False), (2, True), (4, True)])
def test_where_it_is_attained(delay: int, common_clock: bool) -> None:
    for after in range(8):
        talk, wanted = timed(delay, after, common_clock=common_clock)
        attained = talk.kripke.common(talk.fact)[wanted]
        assert attained.all() == (after >= delay)
        assert attained.any() == (after >= delay)


@requirement("OAE-EPF-007")
@pytest.mark.parametrize("delay", [2, 3, 4])
def test_a_bound_alone_does_not_give_it(delay: int) -> None:
    """The depth grows with time and stays finite."""
    deepest = []
    for after in range(20):
        talk, wanted = timed(delay, after, common_clock=False)
        assert not talk.kripke.common(talk.fact).any()
        deepest.append(int(talk.kripke.depth(talk.fact)[wanted].max()))
    assert deepest == sorted(deepest)
    assert deepest[-1] > deepest[0]


@requirement("OAE-EPF-008")
def test_the_claims_give_the_same_finding_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rolling, "BATCH", 4)
    monkeypatch.setattr(rolling, "HAZARDS", rolling.HAZARDS[2:5])
    for claim in CLAIMS:
        first, same, other = (claim.run(Effort(seed=seed)) for seed in (3, 3, 4))
        assert first == same
        assert first.standing is other.standing is EXPECTED[claim.name]
        if claim.name == "mixed-protocol":  # the other one draws nothing
            assert first != other
