"""What must hold in every state; each test returns the runs in which it does not."""

from collections.abc import Callable
from typing import Final

import numpy

from oae.epoch.convergence.recovery import components, mixed, newest_common
from oae.epoch.convergence.state import NOT_HELD, Mask, State, epoch_of, incarnation_of
from oae.epoch.convergence.system import System


def apart(system: System, state: State) -> Mask:
    """Two neighbours of one incarnation are more than one epoch apart."""
    pairs = state.prepared[:, system.ends]
    same = incarnation_of(pairs[..., 0]) == incarnation_of(pairs[..., 1])
    same &= ~state.lost[:, system.ends].any(2)
    far = numpy.abs(epoch_of(pairs[..., 0]) - epoch_of(pairs[..., 1])) > 1
    wrong: Mask = (same & far).any(1)
    return wrong


def ahead(system: System, state: State) -> Mask:
    """An end has converged on what a domain of the link has not prepared."""
    least = state.prepared[:, system.ends].min(2)
    lost = state.lost[:, system.ends].any(2)
    wrong: Mask = ((state.converged.max(2) > least) & ~lost).any(1)
    return wrong


def unrecoverable(system: System, state: State) -> Mask:
    """The domains of a component, or all that have a disk, hold no common part."""
    return _of_each(system, state, lambda members, epoch: members.any(1) & (epoch < 0))


def incoherent(system: System, state: State) -> Mask:
    """The newest common parts of a component do not belong together."""
    runs = numpy.arange(state.runs)
    return _of_each(
        system, state, lambda members, epoch: mixed(system, state, runs, members, epoch)
    )


def hoarded(system: System, state: State) -> Mask:
    """A domain holds more parts than it retains."""
    wrong: Mask = ((state.held != NOT_HELD).sum(2) > system.retain).any(1)
    return wrong


def _of_each(system: System, state: State, test: Callable[[Mask, Mask], Mask]) -> Mask:
    wrong = numpy.zeros(state.runs, numpy.bool_)
    labels = components(system, state.alive, state.cut)
    for domain in range(system.domains):
        members = (labels == domain) & state.alive & ~state.lost
        wrong |= test(members, newest_common(state.held, members)[0])
    disks = ~state.lost
    return wrong | test(disks, newest_common(state.held, disks)[0])


INVARIANTS: Final[tuple[Callable[[System, State], Mask], ...]] = (
    apart,
    ahead,
    hoarded,
    unrecoverable,
    incoherent,
)
