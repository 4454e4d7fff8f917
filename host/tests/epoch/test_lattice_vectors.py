"""Epoch vectors: the laws of a distributive lattice, and how many are mixed."""

from itertools import product
from math import comb

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from oae.epoch.lattice.vectors import (
    Vector,
    VectorError,
    atomic,
    below,
    join,
    meet,
    mixed_count,
    recovery_line,
    vectors,
)
from oae.testing import requirement

EXAMPLES = settings(max_examples=100, deadline=None, derandomize=True, database=None)


def triples() -> st.SearchStrategy[tuple[Vector, Vector, Vector]]:
    epoch = st.integers(0, 2**32 - 1) | st.integers(0, 3)
    triple = st.tuples(epoch, epoch, epoch)
    return st.lists(triple, min_size=1, max_size=12).map(
        lambda places: tuple(zip(*places, strict=True))  # type: ignore[arg-type, return-value]
    )


@requirement("OAE-EPL-001")
@EXAMPLES
@given(triples())
def test_join_and_meet_are_a_distributive_lattice(three: tuple[Vector, Vector, Vector]) -> None:
    a, b, c = three
    for operation, dual in ((join, meet), (meet, join)):
        assert operation(a, a) == a
        assert operation(a, b) == operation(b, a)
        assert operation(operation(a, b), c) == operation(a, operation(b, c))
        assert operation(a, dual(a, b)) == a
        assert operation(a, dual(b, c)) == dual(operation(a, b), operation(a, c))
    assert below(a, b) == (join(a, b) == b) == (meet(a, b) == a)


@requirement("OAE-EPL-001")
def test_join_and_meet_are_the_least_and_greatest_bounds() -> None:
    """In all of {0, 1, 2}^3, by the order alone."""
    world = list(vectors(3, 3))
    above = {a: {b for b in world if below(a, b)} for a in world}
    under = {a: {b for b in world if below(b, a)} for a in world}
    for a, b in product(world, repeat=2):
        assert above[join(a, b)] == above[a] & above[b]
        assert under[meet(a, b)] == under[a] & under[b]
        assert (a == b) == (below(a, b) and below(b, a))


@requirement("OAE-EPL-001")
def test_the_recovery_line_is_the_greatest_atomic_vector_below() -> None:
    world = list(vectors(4, 3))
    for vector in world:
        beneath = [one for one in world if atomic(one) and below(one, vector)]
        line = recovery_line(vector)
        assert line in beneath
        assert all(below(one, line) for one in beneath)
        assert (line == vector) == atomic(vector)


@requirement("OAE-EPL-002")
@pytest.mark.parametrize(("epochs", "most"), [(1, 5), (2, 12), (3, 7), (4, 6), (7, 4)])
def test_mixed_vectors_are_counted_exactly(epochs: int, most: int) -> None:
    for domains in range(1, most + 1):
        assert mixed_count(domains, epochs) == sum(not atomic(v) for v in vectors(domains, epochs))


@requirement("OAE-EPL-002")
@pytest.mark.parametrize("domains", [1, 2, 3, 64, 1024])
def test_mixed_vectors_of_two_epochs_are_those_between(domains: int) -> None:
    """By how many have advanced: any number but none and all."""
    assert mixed_count(domains) == sum(comb(domains, advanced) for advanced in range(1, domains))


@requirement("OAE-EPL-009")
@pytest.mark.parametrize("pair", [((), ()), ((1,), (1, 2)), ((1, -1), (0, 0)), ((0,), ())])
def test_what_is_no_pair_of_vectors_is_refused(pair: tuple[Vector, Vector]) -> None:
    for operation in (below, join, meet):
        with pytest.raises(VectorError):
            operation(*pair)


@requirement("OAE-EPL-009")
@pytest.mark.parametrize("numbers", [(0, 2), (2, 0), (-1, 2)])
def test_there_is_a_domain_and_an_epoch(numbers: tuple[int, int]) -> None:
    with pytest.raises(VectorError):
        mixed_count(*numbers)
