"""A quick look at all places of all runs: where a step may be possible.

What is not ripe is not possible; whether it is possible, the step itself decides.
"""

from collections.abc import Callable

import numpy

from oae.epoch.convergence.state import Array, Lane, Mask, State, incarnation_of
from oae.epoch.convergence.system import System


def to_begin(system: System, state: State) -> Mask:
    """A domain that writes nothing."""
    ripe: Mask = state.alive & ~state.writing
    return ripe


def to_flush(system: System, state: State) -> Mask:
    """A domain that writes."""
    ripe: Mask = state.writing
    return ripe


def to_propose(system: System, state: State) -> Mask:
    """An idle lane whose initiator's end has not converged on what its domain has prepared."""
    ripe: Mask = (state.lane == Lane.IDLE) & (state.converged < state.prepared[:, system.ends])
    return ripe.reshape(state.runs, -1)


def at(*phases: Lane) -> Callable[[System, State], Mask]:
    """A lane in one of these phases."""

    def ripe(system: System, state: State) -> Mask:
        found: Mask = numpy.equal(state.lane, phases[0])
        for phase in phases[1:]:
            found |= state.lane == phase
        return found.reshape(state.runs, -1)

    return ripe


def to_start(system: System, state: State) -> Mask:
    """A domain that restarted, takes part in a recovery, or whose run has a blank one."""
    blank = numpy.tile(state.lost.any(1), (system.domains, 1)).T
    ripe: Mask = blank | state.torn | (state.promised > incarnation_of(state.prepared))
    return ripe


def to_spread(system: System, state: State) -> Mask:
    """A lane whose responder has promised less."""
    promised: Array = state.promised[:, system.ends]
    less: Mask = numpy.greater(promised, promised[:, :, ::-1])
    return less.reshape(state.runs, -1)


def to_conclude(system: System, state: State) -> Mask:
    """The initiator of the recovery that it takes part in."""
    own = state.promised % system.domains == numpy.arange(system.domains)
    ripe: Mask = own & (state.promised > incarnation_of(state.prepared))
    return ripe


def to_hear(system: System, state: State) -> Mask:
    """A lane whose initiator's domain has restored, and the responder's has not."""
    incarnation: Array = incarnation_of(state.prepared)[:, system.ends]
    less: Mask = numpy.greater(incarnation, incarnation[:, :, ::-1])
    return less.reshape(state.runs, -1)


def to_restart(system: System, state: State) -> Mask:
    """A dead domain."""
    ripe: Mask = ~state.alive
    return ripe


def to_heal(system: System, state: State) -> Mask:
    """A link that is cut."""
    ripe: Mask = state.cut
    return ripe


def to_die(system: System, state: State) -> Mask:
    """A domain that is up."""
    ripe: Mask = state.alive
    return ripe


def to_cut(system: System, state: State) -> Mask:
    """A whole link."""
    ripe: Mask = ~state.cut
    return ripe
