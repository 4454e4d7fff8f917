"""What strikes a system, as steps like those in `domain`; `who` is a domain or a link."""

import numpy

from oae.epoch.convergence.domain import clear
from oae.epoch.convergence.state import NOT_HELD, Lane, Mask, State
from oae.epoch.convergence.system import Indices, System


def crash(system: System, state: State, runs: Indices, who: Indices) -> Mask:
    """A domain dies; its disk and what is durable in its ends stay."""
    done: Mask = state.alive[runs, who]
    runs, who = runs[done], who[done]
    state.alive[runs, who] = False
    state.torn[runs, who] = False
    state.writing[runs, who] = False
    run = runs[:, None]
    links, own = system.links_of[who], system.sides_of[who]
    before = state.lane[run, links, own]
    # TENTATIVE becomes REVERSING: nothing to take back where the responder has not reflected.
    after = numpy.where(before == Lane.REFLECTED, Lane.REVERSING, before)
    state.lane[run, links, own] = numpy.where(before == Lane.OFFERED, Lane.IDLE, after)
    idle = before == Lane.OFFERED
    for array in (state.carried, state.true_sent, state.true_answered):
        array[run, links, own] = numpy.where(idle, 0, array[run, links, own])
    return done


def amnesia(system: System, state: State, runs: Indices, who: Indices) -> Mask:
    """A domain dies with its disk and all that its ends remember."""
    done = crash(system, state, runs, who)
    runs, who = runs[done], who[done]
    state.lost[runs, who] = True
    for array in (state.held, state.named):
        array[runs, who] = NOT_HELD
    for array in (state.prepared, state.promised, state.base):
        array[runs, who] = 0
    links, own = system.links_of[who], system.sides_of[who]
    state.converged[runs[:, None], links, own] = 0
    state.true_agreed[runs[:, None], links, own] = 0
    return done


def restart(system: System, state: State, runs: Indices, who: Indices) -> Mask:
    """A dead domain comes back; a new session, if it lost its disk, ends what was under way."""
    done: Mask = ~state.alive[runs, who]
    runs, who = runs[done], who[done]
    state.alive[runs, who] = True
    blank = state.lost[runs, who]
    state.torn[runs, who] = ~blank
    for link in system.links_of[who[blank]].T:
        for side in (0, 1):
            clear(state, runs[blank], link, numpy.full(len(link), side))
    return done


def cut(system: System, state: State, runs: Indices, who: Indices) -> Mask:
    """A link passes nothing."""
    done: Mask = ~state.cut[runs, who]
    state.cut[runs[done], who[done]] = True
    return done


def heal(system: System, state: State, runs: Indices, who: Indices) -> Mask:
    """It does again."""
    done: Mask = state.cut[runs, who].copy()
    state.cut[runs[done], who[done]] = False
    return done
