"""Losses, steps of the optimizers, their inverses, and recovery by epoch."""

from collections.abc import Callable
from functools import lru_cache, partial

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from oae.epoch.optimizer.problem import Array, Problem, club, network, regression
from oae.epoch.optimizer.shards import (
    MixedEpochError,
    assembled,
    chosen,
    mixed_vectors,
    parts,
    recover,
)
from oae.epoch.optimizer.steps import Adam, InverseError, Momentum, Optimizer, Sgd, State, fresh
from oae.epoch.optimizer.training import optimizers
from oae.testing import requirement

DRAWS: dict[str, Callable[[np.random.Generator], Problem]] = {
    "regression": partial(regression, batches=2),
    "club": club,
    "network": partial(network, batches=2),
}
NAMES = ("SGD", "momentum", "Adam", "AdamW")
SEEDS = st.integers(0, 2**32 - 1)


@lru_cache
def problem(name: str) -> Problem:
    return DRAWS[name](np.random.default_rng(1))


def optimizer_of(name: str, where: Problem) -> Optimizer:
    return next(one for one in optimizers(where) if one.name == name)


def some_state(optimizer: Optimizer, size: int, random: np.random.Generator) -> State:
    rows = random.standard_normal((1 + optimizer.moments, size))
    if optimizer.moments == 2:
        rows[2] = random.random(size) + 0.1
    return State(rows, int(random.integers(1, 50)))


@requirement("OAE-OPT-001")
@pytest.mark.parametrize("name", DRAWS)
def test_gradients_are_those_of_the_losses(name: str) -> None:
    where = problem(name)
    parameters = np.random.default_rng(2).standard_normal(where.size)
    sides = [
        [where.examples(parameters + sign * 1e-6 * unit, slice(None))[0] for sign in (1, -1)]
        for unit in np.eye(where.size)
    ]
    differences = np.array([(above - below) / 2e-6 for above, below in sides]).T
    losses, gradients = where.examples(parameters, slice(None))
    assert np.abs(gradients - differences).max() < 1e-8
    assert where.loss(parameters) == pytest.approx(losses.mean())


@requirement("OAE-OPT-001")
@given(SEEDS, st.sampled_from(sorted(DRAWS)))
def test_batches_follow_each_other_and_begin_again(seed: int, name: str) -> None:
    where = problem(name)
    parameters = np.random.default_rng(seed).standard_normal(where.size)
    gradients = where.examples(parameters, slice(None))[1]
    for step in range(5):
        rows = slice(where.batch * (step % 2), where.batch * (step % 2 + 1))
        assert where.gradient(parameters, step) == pytest.approx(gradients[rows].mean(axis=0))


@requirement("OAE-OPT-001")
@given(SEEDS, st.floats(1e-3, 10.0))
def test_smoothness_bounds_how_fast_a_gradient_changes(seed: int, distance: float) -> None:
    where = (partial(regression, batches=2), club)[seed % 2](np.random.default_rng(seed % 50))
    random = np.random.default_rng(seed)
    one, way = random.standard_normal((2, where.size))
    other = one + distance * way / np.linalg.norm(way)
    change = np.linalg.norm(where.gradient(one, 0) - where.gradient(other, 0))
    assert change <= where.smoothness * distance * (1 + 1e-9)


@requirement("OAE-OPT-001")
@given(SEEDS)
def test_of_the_club_only_the_order_is_drawn(seed: int) -> None:
    one, other = (club(np.random.default_rng(number)) for number in (seed, 1))
    members = [
        sorted(np.column_stack([each.features, each.labels]).tolist()) for each in (one, other)
    ]
    assert members[0] == members[1]
    # As published: 34 members, 17 to each side; the one who shares most has shared 48 contexts.
    assert one.labels.sum(axis=0).tolist() == [17, 17]
    assert (7 * one.features[:, 0]).sum() == pytest.approx(48)


@requirement("OAE-OPT-002")
@given(SEEDS, st.integers(1, 12))
def test_steps_are_the_sums_that_the_formulas_unroll_to(seed: int, steps: int) -> None:
    """Moments as weighted sums of all gradients, not as recursions."""
    random = np.random.default_rng(seed)
    gradients = random.standard_normal((steps, 5))
    start = random.standard_normal(5)
    ages = np.arange(steps - 1, -1, -1)[:, None]

    def end(optimizer: Optimizer) -> State:
        state = fresh(optimizer, start)
        for gradient in gradients:
            state = optimizer.step(state, gradient)
        return state

    assert end(Sgd(0.1)).parameters == pytest.approx(start - 0.1 * gradients.sum(axis=0))
    heavy = end(Momentum(0.1, 0.8))
    assert heavy.rows[1] == pytest.approx((0.8**ages * gradients).sum(axis=0))
    weights = (1 - 0.8 ** (ages + 1)) / (1 - 0.8)
    assert heavy.parameters == pytest.approx(start - 0.1 * (weights * gradients).sum(axis=0))
    adam = Adam(0.1, first_decay=0.7, second_decay=0.9)
    kept = end(adam)
    assert kept.rows[1] == pytest.approx(0.3 * (0.7**ages * gradients).sum(axis=0))
    assert kept.rows[2] == pytest.approx(0.1 * (0.9**ages * gradients**2).sum(axis=0))
    assert kept.count == steps


@requirement("OAE-OPT-002")
@given(SEEDS)
def test_first_step_of_adam_goes_by_the_rate_against_the_sign(seed: int) -> None:
    gradient = np.random.default_rng(seed).standard_normal(5) + 3
    after = Adam(0.1, epsilon=0.0).step(fresh(Adam(0.1), np.zeros(5)), gradient)
    assert after.parameters == pytest.approx(-0.1 * np.sign(gradient))


@requirement("OAE-OPT-002")
@given(SEEDS)
def test_decay_of_adamw_stands_apart_from_the_gradient(seed: int) -> None:
    random = np.random.default_rng(seed)
    state = some_state(Adam(0.1), 5, random)
    gradient = random.standard_normal(5)
    plain = Adam(0.1).step(state, gradient)
    decayed = Adam(0.1, weight_decay=0.5).step(state, gradient)
    assert decayed.rows[1:] == pytest.approx(plain.rows[1:])
    assert decayed.parameters == pytest.approx(plain.parameters - 0.05 * state.parameters)


@requirement("OAE-OPT-002")
@given(SEEDS, st.sampled_from(NAMES))
def test_a_step_changes_nothing_that_it_was_given(seed: int, name: str) -> None:
    optimizer = optimizer_of(name, problem("network"))
    random = np.random.default_rng(seed)
    state = some_state(optimizer, 5, random)
    gradient = random.standard_normal(5)
    before, slope = state.rows.copy(), gradient.copy()
    optimizer.step(state, gradient)
    assert np.array_equal(state.rows, before)
    assert np.array_equal(gradient, slope)


@requirement("OAE-OPT-003")
@given(SEEDS, st.sampled_from(NAMES))
def test_a_step_taken_back_ends_where_it_began(seed: int, name: str) -> None:
    where = problem("regression")
    optimizer = optimizer_of(name, where)
    state = some_state(optimizer, where.size, np.random.default_rng(seed))

    def gradient(parameters: Array) -> Array:
        return where.gradient(parameters, 1)

    after = optimizer.step(state, gradient(state.parameters))
    back = optimizer.before(after, gradient)
    assert back.count == state.count
    assert back.rows == pytest.approx(state.rows, abs=1e-9)


@requirement("OAE-OPT-003")
@given(SEEDS, st.sampled_from(NAMES))
def test_a_way_back_found_for_any_state_leads_there(seed: int, name: str) -> None:
    """Of any rows whatever, a second moment of the way back allowing."""
    where = problem("regression")
    optimizer = optimizer_of(name, where)
    state = some_state(optimizer, where.size, np.random.default_rng(seed))

    def gradient(parameters: Array) -> Array:
        return where.gradient(parameters, 1)

    back = optimizer.before(state, gradient)
    again = optimizer.step(back, gradient(back.parameters))
    assert again.rows == pytest.approx(state.rows, abs=1e-9)


@requirement("OAE-OPT-003")
def test_a_state_of_sgd_that_no_step_leads_to_is_refused() -> None:
    """At a rate of 1 / curvature the first step on a parabola ends at 0, and nowhere else."""
    with pytest.raises(InverseError, match=r"rate 1\.0: .* take a smaller rate"):
        Sgd(1.0).before(State(np.ones((1, 3)), 1), lambda parameters: parameters)


@requirement("OAE-OPT-004")
@given(SEEDS, st.integers(1, 3), st.sampled_from(NAMES))
def test_parts_of_one_epoch_are_put_together_as_they_were(
    seed: int, shards: int, name: str
) -> None:
    optimizer = optimizer_of(name, problem("network"))
    state = some_state(optimizer, 7, np.random.default_rng(seed))
    found = recover(parts(state, 4, shards), shards)
    assert np.array_equal(found.rows, state.rows)
    assert found.count == state.count


@requirement("OAE-OPT-004")
@pytest.mark.parametrize("name", NAMES)
def test_every_mix_is_refused_and_shows_each_part_as_chosen(name: str) -> None:
    optimizer = optimizer_of(name, problem("network"))
    rows = np.ones((1 + optimizer.moments, 4))
    early, late = parts(State(3 * rows, 3), 8, 2), parts(State(5 * rows, 5), 9, 2)
    vectors = list(mixed_vectors(len(early)))
    assert len(set(vectors)) == 2 ** len(early) - 2
    for vector in vectors:
        stored = chosen(early, late, vector)
        with pytest.raises(MixedEpochError, match=r"parts of epochs \[8, 9\] are no state"):
            recover(stored, 2)
        found = assembled(stored, 2)
        values = [*found.rows[:, ::2].ravel(), found.count]
        assert values == [(3, 5)[epoch] for epoch in vector]
