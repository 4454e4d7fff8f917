"""What a seed draws for its run of a campaign."""

from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from oae.campaign.swarm import BUILDS, RATED, SCHEDULED, drawn, parameters
from oae.engines import compiled
from oae.scenario.compile import compile_scenario
from oae.scenario.scenario import DIRECTIONS
from oae.testing import requirement

ALL = tuple(BUILDS)
SEEDS = st.integers(0, 2**32 - 1)


@requirement("OAE-RUN-001")
@settings(deadline=None, max_examples=50)
@given(SEEDS, st.lists(st.sampled_from(ALL), min_size=1, unique=True))
def test_every_seed_draws_a_whole_scenario_for_one_of_the_builds(
    seed: int, builds: list[str]
) -> None:
    run = drawn(seed, builds)
    scenario = run.scenario
    assert run.build in builds
    assert compiled.parameters(scenario) == parameters(run.build)
    assert scenario.seed == seed
    assert compile_scenario(scenario)
    assert run == drawn(seed, builds)


@requirement("OAE-RUN-002")
@settings(deadline=None, max_examples=50)
@given(SEEDS)
def test_the_rates_end_before_the_run_must(seed: int) -> None:
    run = drawn(seed, ALL)
    scenario = run.scenario
    assert {rates.until for rates in scenario.rates} == {run.healed}
    assert 0 < run.healed < scenario.limits.cycles
    for fault in scenario.faults:
        assert fault.times == 1
        assert fault.after <= run.healed
        assert fault.until or fault.do.undo is None


@requirement("OAE-RUN-001")
@pytest.mark.parametrize("direction", DIRECTIONS)
@pytest.mark.parametrize("kind", RATED)
def test_each_kind_of_fault_is_on_or_off_by_itself(direction: str, kind: str) -> None:
    place = DIRECTIONS.index(direction)
    runs = [drawn(seed, ALL).scenario for seed in range(200)]
    struck = [getattr(run.rates[place], kind) > 0 for run in runs]
    assert 70 < sum(struck) < 130
    # Neither the other direction nor any other kind goes with it.
    for other in RATED:
        for there in range(2):
            if (other, there) != (kind, place):
                same = sum(
                    one == (getattr(run.rates[there], other) > 0)
                    for one, run in zip(struck, runs, strict=True)
                )
                assert 60 < same < 140, (other, there)


@requirement("OAE-RUN-001")
def test_builds_and_scheduled_faults_are_all_drawn() -> None:
    runs = [drawn(seed, ALL) for seed in range(200)]
    assert set(Counter(run.build for run in runs)) == set(ALL)
    for what, *_ in SCHEDULED:
        with_it = sum(bool(run.parameters[f"with {what}"]) for run in runs)
        assert 0 < with_it < len(runs), what


def test_a_draw_does_not_depend_on_other_draws() -> None:
    # `large` has room for longer records, which changes what sizes can be, and nothing else.
    for seed in range(50):
        one, other = (drawn(seed, [build]).parameters for build in ("usual", "large"))
        assert one.keys() == other.keys()
        assert all(
            one[name] == other[name] for name in one if "size" not in name and name != "build"
        )
