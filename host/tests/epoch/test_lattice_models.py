"""The closed forms, against all vectors of small lattices and against integrals."""

from fractions import Fraction
from math import exp, prod

import numpy
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from oae.epoch.lattice import models
from oae.epoch.lattice.models import ModelError
from oae.epoch.lattice.vectors import atomic, vectors
from oae.testing import requirement
from scipy.integrate import quad
from scipy.special import ive

EXAMPLES = settings(max_examples=60, deadline=None, derandomize=True, database=None)
Causes = tuple[list[float], list[int]]  # Q of each cause, and its weight


def causes() -> st.SearchStrategy[Causes]:
    return st.integers(1, 6).flatmap(
        lambda count: st.tuples(
            st.lists(st.floats(0, 1), min_size=count, max_size=count),
            st.lists(st.integers(1, 9), min_size=count, max_size=count),
        )
    )


def shared(domains: int, given_causes: Causes) -> float:
    advanced, weights = given_causes
    law = numpy.array([[1 - q, q] for q in advanced])
    return models.exchangeable(domains, law, numpy.array(weights) / sum(weights))


@requirement("OAE-EPL-003")
@pytest.mark.parametrize("domains", range(1, 7))
def test_independent_and_common_cause_are_sums_over_all_vectors(domains: int) -> None:
    """In exact fractions."""
    for advanced in (Fraction(part, 5) for part in range(6)):
        chance = (1 - advanced, advanced)
        alone = sum(
            prod(chance[epoch] for epoch in vector) for vector in vectors(domains) if atomic(vector)
        )
        assert models.independent(domains, advanced) == alone
        for common in (Fraction(part, 4) for part in range(5)):
            # The common draw gives every domain the same epoch, so all of it is atomic.
            both = (1 - common) * alone + common * sum(chance)
            assert models.common_cause(domains, advanced, common) == both


@requirement("OAE-EPL-003")
@EXAMPLES
@given(st.integers(1, 4), st.lists(st.integers(0, 9), min_size=1, max_size=4), st.integers(1, 9))
def test_any_law_of_epochs_is_a_sum_over_all_vectors(
    domains: int, weights: list[int], first: int
) -> None:
    law = numpy.array([first, *weights]) / (first + sum(weights))
    brute = sum(
        prod(law[epoch] for epoch in vector)
        for vector in vectors(domains, len(law))
        if atomic(vector)
    )
    assert models.exchangeable(domains, law[None], numpy.ones(1)) == pytest.approx(brute)


@requirement("OAE-EPL-004")
@EXAMPLES
@given(st.integers(1, 300), causes())
def test_a_common_cause_keeps_the_share_between_its_bounds(
    domains: int, given_causes: Causes
) -> None:
    advanced, weights = given_causes
    share = shared(domains, given_causes)
    chances = numpy.array(weights) / sum(weights)
    certain = float(chances @ numpy.maximum(advanced, 1 - numpy.array(advanced)) ** domains)
    assert certain <= share * (1 + 1e-9)
    assert share <= 2 * certain * (1 + 1e-9)
    alone = models.independent(domains, float(chances @ numpy.array(advanced)))
    assert alone <= share * (1 + 1e-9)


@requirement("OAE-EPL-004")
def test_the_share_falls_exponentially_if_the_cause_is_never_sure() -> None:
    never_sure: Causes = ([0.1, 0.5, 0.8], [1, 1, 1])
    for domains in (500, 1000, 2000):
        assert shared(domains, never_sure) ** (1 / domains) == pytest.approx(0.9, rel=0.01)
    sometimes_sure: Causes = ([0.5, 1.0], [3, 1])
    assert shared(2000, sometimes_sure) == pytest.approx(0.25)


@requirement("OAE-EPL-003")
@EXAMPLES
@given(st.floats(-30, 60), st.floats(0.5, 30), st.floats(0.1, 20))
def test_bounded_skew_is_an_integral_over_the_skew(
    instant: float, window: float, skew: float
) -> None:
    def advanced(offset: float) -> float:
        return min(max((instant + offset) / window, 0.0), 1.0)

    kinks = [offset for offset in (-instant, window - instant) if -skew < offset < skew]
    area, _ = quad(advanced, -skew, skew, points=kinks or None)
    chance = models.advanced_by(instant, window, skew)
    assert chance == pytest.approx(area / (2 * skew), abs=1e-6)
    if instant <= -skew or instant >= window + skew:
        assert models.independent(1024, chance) == pytest.approx(1)


@requirement("OAE-EPL-003")
@EXAMPLES
@given(st.integers(1, 1024), st.floats(0, 1))
def test_a_bounded_spread_is_an_integral_over_the_instants(domains: int, spread: float) -> None:
    inside, _ = quad(lambda at: models.independent(domains, at), 0, 1, points=[0.01, 0.99])
    share = models.bounded_spread(domains, spread, 1)
    assert share == pytest.approx(1 - spread + spread * inside, abs=1e-6)
    assert share >= 1 - spread


@requirement("OAE-EPL-003")
@EXAMPLES
@given(st.floats(0.01, 200))
def test_two_poisson_processes_agree_by_a_bessel_function(mean: float) -> None:
    assert models.poisson(2, mean) == pytest.approx(float(ive(0, 2 * mean)))


@requirement("OAE-EPL-003")
@EXAMPLES
@given(st.integers(1, 30), st.floats(0.01, 10))
def test_one_poisson_process_agrees_with_itself(domains: int, mean: float) -> None:
    assert models.poisson(1, mean) == pytest.approx(1)
    assert 0 < models.poisson(domains + 1, mean) < models.poisson(domains, mean)


@requirement("OAE-EPL-003")
@EXAMPLES
@given(st.integers(1, 12), st.floats(0, 20), st.floats(0.5, 5))
def test_coincidence_is_an_integral_over_the_first_instant(
    domains: int, within: float, mean: float
) -> None:
    def first(at: float) -> float:
        others = exp(-at / mean) - exp(-(at + within) / mean)
        return float(domains / mean * exp(-at / mean) * others ** (domains - 1))

    area, _ = quad(first, 0, 60 * mean, points=[mean / domains, 5 * mean], limit=200)
    assert models.coincidence(domains, within, mean) == pytest.approx(area, abs=1e-6)


@requirement("OAE-EPL-003")
@pytest.mark.parametrize("domains", [2, 3, 8, 1024])
def test_equal_instants_have_measure_zero(domains: int) -> None:
    assert models.coincidence(domains, 0, 1) == 0


@requirement("OAE-EPL-009")
def test_impossible_parameters_are_refused() -> None:
    for refused in (
        lambda: models.independent(2, 1.5),
        lambda: models.common_cause(2, 0.5, -0.1),
        lambda: models.advanced_by(0, 0, 1),
        lambda: models.advanced_by(0, 1, 0),
        lambda: models.bounded_spread(2, 2, 1),
        lambda: models.bounded_spread(2, 0, 0),
        lambda: models.poisson(2, 0),
    ):
        with pytest.raises(ModelError):
            refused()
