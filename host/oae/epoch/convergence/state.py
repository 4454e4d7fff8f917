"""What many runs of one system hold, as arrays: the first axis is the run.

A number is what the link machine calls an epoch: 32 bits {incarnation, epoch}, compared as a whole.
"""

from dataclasses import dataclass, fields
from enum import IntEnum
from typing import Any, Final

import numpy
from numpy.typing import NDArray

from oae.epoch.convergence.system import System

EPOCH_BITS: Final = 16
EPOCH_MASK: Final = (1 << EPOCH_BITS) - 1
NOT_HELD: Final = 0xFFFF  # in `held`; no incarnation gets that far
ANY: Final = 255  # in `true_seen`: of a part that replaces a lost one nothing is known

Array = NDArray[Any]
Mask = NDArray[Any]  # of bool


class Lane(IntEnum):
    """Where the advance of a lane stands: the initiator's state and the responder's."""

    IDLE = 0
    OFFERED = 1  # TENTATIVE; the responder has not reflected
    REFLECTED = 2  # TENTATIVE; REFLECTING
    DECIDED = 3  # COMMITTED; REFLECTING
    DELIVERED = 4  # COMMITTED; COMMITTED and delivered, DONE not heard
    REVERSING = 5  # REVERSING; REFLECTING


@dataclass
class State:
    """`prepared` to `named` have the shape [runs, domains]; ends and lanes [runs, links, 2].

    A lane is named after its initiator's side. What begins with `true_` no domain can see: it is
    there to judge a recovery by what the parts contain and not by how they are called.
    """

    prepared: Array  # number of the newest part
    promised: Array  # incarnation
    alive: Array
    lost: Array  # the disk is empty
    torn: Array  # a recovery must be started
    writing: Array  # the part after `prepared`
    base: Array  # number that the last recovery went back to
    named: Array  # incarnation whose decision names this domain as lost, or NOT_HELD
    held: Array  # [runs, domains, epochs]: incarnation under which the part was made, or NOT_HELD
    cut: Array  # [runs, links]
    converged: Array  # number, at each end
    lane: Array
    carried: Array  # number that the advance of the lane carries
    true_part: Array  # [runs, domains, epochs]: how often the domain has made this part
    true_sent: Array  # true_part of the initiator, in the advance
    true_answered: Array  # true_part of the responder
    true_agreed: Array  # at each end: true_part of the peer at the last convergence
    true_seen: Array  # [runs, links, 2, epochs]: true_part of the peer's part before this one

    @staticmethod
    def start(system: System, runs: int) -> "State":
        """Every domain holds part 0, every link has converged on it."""
        domains, links, epochs = system.domains, system.links, system.epochs

        def zero(*shape: int, kind: type = numpy.uint8) -> Array:
            return numpy.zeros((runs, *shape), kind)

        held = numpy.full((runs, domains, epochs), NOT_HELD, numpy.uint16)
        held[:, :, 0] = 0
        return State(
            prepared=zero(domains, kind=numpy.uint32),
            promised=zero(domains, kind=numpy.uint16),
            alive=numpy.ones((runs, domains), numpy.bool_),
            lost=zero(domains, kind=numpy.bool_),
            torn=zero(domains, kind=numpy.bool_),
            writing=zero(domains, kind=numpy.bool_),
            base=zero(domains, kind=numpy.uint32),
            named=numpy.full((runs, domains), NOT_HELD, numpy.uint16),
            held=held,
            cut=zero(links, kind=numpy.bool_),
            converged=zero(links, 2, kind=numpy.uint32),
            lane=zero(links, 2),
            carried=zero(links, 2, kind=numpy.uint32),
            true_part=zero(domains, epochs),
            true_sent=zero(links, 2),
            true_answered=zero(links, 2),
            true_agreed=zero(links, 2),
            true_seen=zero(links, 2, epochs),
        )

    @property
    def runs(self) -> int:
        """How many."""
        return len(self.prepared)

    def take(self, runs: Array) -> "State":
        """A copy of these runs."""
        return State(*(getattr(self, field.name)[runs] for field in fields(self)))

    def rows(self) -> Array:
        """Each run as one row of bytes."""
        columns = [numpy.ascontiguousarray(getattr(self, field.name)) for field in fields(self)]
        return numpy.concatenate(
            [column.view(numpy.uint8).reshape(self.runs, column[:1].nbytes) for column in columns],
            axis=1,
        )

    def from_rows(self, rows: Array) -> "State":
        """What `rows` were made of; this state only gives the shapes."""
        made, start = [], 0
        for field in fields(self):
            like = getattr(self, field.name)
            width = like[:1].nbytes
            part = numpy.ascontiguousarray(rows[:, start : start + width]).view(like.dtype)
            made.append(part.reshape(len(rows), *like.shape[1:]))
            start += width
        return State(*made)


def incarnation_of(number: Array) -> Array:
    """The upper half of a number."""
    return (number >> EPOCH_BITS).astype(numpy.uint16)


def epoch_of(number: Array) -> Array:
    """The lower half."""
    return (number & EPOCH_MASK).astype(numpy.intp)


def number_of(incarnation: Array, epoch: Array) -> Array:
    """The number of a part."""
    return (incarnation.astype(numpy.uint32) << EPOCH_BITS | epoch).astype(numpy.uint32)
