"""Epoch vectors: N^n in the product order is a distributive lattice, and most of it is mixed.

Place i of a vector is the epoch that domain i holds durable. A vector is **atomic** if all places
are equal, else **mixed**. The atomic vectors are a chain in the lattice.
"""

from collections.abc import Iterator
from itertools import product

from oae.errors import OaeError

Vector = tuple[int, ...]


class VectorError(OaeError):
    """Not an epoch vector, or two of different lengths."""


def _pairs(one: Vector, other: Vector) -> Iterator[tuple[int, int]]:
    for vector in (one, other):
        if not vector or min(vector) < 0:
            raise VectorError(f"{vector}: an epoch vector has at least one place, none below 0")
    if len(one) != len(other):
        raise VectorError(f"{one} and {other} are of different numbers of domains")
    return zip(one, other, strict=True)


def below(one: Vector, other: Vector) -> bool:
    """No domain holds a later epoch in `one` than in `other`."""
    return all(left <= right for left, right in _pairs(one, other))


def join(one: Vector, other: Vector) -> Vector:
    """The least vector above both."""
    return tuple(max(pair) for pair in _pairs(one, other))


def meet(one: Vector, other: Vector) -> Vector:
    """The greatest vector below both."""
    return tuple(min(pair) for pair in _pairs(one, other))


def atomic(vector: Vector) -> bool:
    """All domains hold the same epoch."""
    return len(set(vector)) == 1


def recovery_line(vector: Vector) -> Vector:
    """The greatest atomic vector below: every domain has held it, if it has kept it."""
    return (min(vector),) * len(vector)


def vectors(domains: int, epochs: int = 2) -> Iterator[Vector]:
    """All vectors over the epochs 0 to epochs - 1."""
    return product(range(epochs), repeat=domains)


def mixed_count(domains: int, epochs: int = 2) -> int:
    """epochs^domains - epochs: all vectors but one for each epoch."""
    if domains < 1 or epochs < 1:
        raise VectorError(f"{domains} domains over {epochs} epochs: there is at least one of each")
    count: int = epochs**domains - epochs
    return count
