"""Who stores what: each row of a state in shards, each of them and the counter in its own domain.

An epoch vector says of each domain whether its part is of epoch e (0) or of e + 1 (1): row by row,
shard by shard, the counter last. Two of the 2^domains vectors are atomic, the others mixed.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np

from oae.epoch.optimizer.problem import Array
from oae.epoch.optimizer.steps import State
from oae.errors import OaeError

EpochVector = tuple[int, ...]


class MixedEpochError(OaeError):
    """Parts of different epochs are no state of an epoch."""


@dataclass(frozen=True)
class Part:
    """What one domain holds durable: part of a row, or the counter as a single number."""

    epoch: int
    values: Array


def parts(state: State, epoch: int, shards: int) -> list[Part]:
    """A state as the domains store it."""
    cut = [Part(epoch, shard) for row in state.rows for shard in np.array_split(row, shards)]
    return [*cut, Part(epoch, np.array([float(state.count)]))]


def recover(stored: Sequence[Part], shards: int) -> State:
    """The state of an epoch; raises MixedEpochError for anything else: the epoch is its type."""
    epochs = sorted({part.epoch for part in stored})
    if len(epochs) != 1:
        raise MixedEpochError(f"parts of epochs {epochs} are no state; recover one of them")
    return assembled(stored, shards)


def assembled(stored: Sequence[Part], shards: int) -> State:
    """Whatever was stored, put together: what a recovery does that does not look at epochs."""
    *cut, counter = (part.values for part in stored)
    rows = [np.concatenate(cut[at : at + shards]) for at in range(0, len(cut), shards)]
    return State(np.stack(rows), int(counter[0]))


def chosen(early: Sequence[Part], late: Sequence[Part], vector: EpochVector) -> list[Part]:
    """Each domain's part of the epoch that the vector says."""
    return [(early, late)[epoch][domain] for domain, epoch in enumerate(vector)]


def mixed_vectors(domains: int) -> Iterator[EpochVector]:
    """All 2^domains - 2 of them."""
    for vector in product((0, 1), repeat=domains):
        if len(set(vector)) > 1:
            yield vector
