"""Rules 1 to 3 and the advance on a link, as steps.

A step is a function of (system, state, runs, who): for each k, run runs[k] takes it at domain, link
or lane who[k], if its condition holds. It changes the state in place and returns where it held.
`who` of a lane is link * 2 + the initiator's side. The sender of a frame may have died since: only
who hears it must be up, and the link whole.
"""

from typing import Final

import numpy

from oae.epoch.convergence.state import (
    EPOCH_MASK,
    NOT_HELD,
    Array,
    Lane,
    Mask,
    State,
    epoch_of,
    incarnation_of,
)
from oae.epoch.convergence.system import Indices, System

# By the phase of a lane: whether its responder holds nothing unresolved.
RESOLVED: Final = numpy.isin(list(Lane), (Lane.IDLE, Lane.OFFERED, Lane.DELIVERED))


def settled(state: State, runs: Indices, domain: Indices) -> Mask:
    """Whether the domain is up, has its disk, and takes part in no recovery."""
    at = runs, domain
    up: Mask = state.alive[at] & ~state.lost[at] & ~state.torn[at]
    up &= state.promised[at] == incarnation_of(state.prepared[at])
    return up


def begin(system: System, state: State, runs: Indices, who: Indices) -> Mask:
    """Rules 1 and 2: all ends have converged and taken the next number; the part is begun."""
    number = state.prepared[runs, who]
    links, own = system.links_of[who], system.sides_of[who]
    done = settled(state, runs, who) & ~state.writing[runs, who]
    done &= (number & EPOCH_MASK) < system.epochs - 1
    for link, side in zip(links.T, own.T, strict=True):
        done &= state.converged[runs, link, side] >= number
        done &= state.lane[runs, link, side] == Lane.IDLE
        done &= RESOLVED[state.lane[runs, link, 1 - side]]
    if system.gated:
        done &= (state.converged[runs] >= number[:, None, None]).all((1, 2))
    runs, who = runs[done], who[done]
    state.writing[runs, who] = True
    after = epoch_of(number[done]) + 1
    for link, side in zip(links[done].T, own[done].T, strict=True):
        state.true_seen[runs, link, side, after] = state.true_agreed[runs, link, side]
    return done


def flush(system: System, state: State, runs: Indices, who: Indices) -> Mask:
    """Rule 2: the part is durable, and the one that is too old is forgotten."""
    done = settled(state, runs, who) & state.writing[runs, who]
    runs, who = runs[done], who[done]
    number = state.prepared[runs, who] + numpy.uint32(1)
    epoch = epoch_of(number)
    state.writing[runs, who] = False
    state.prepared[runs, who] = number
    state.held[runs, who, epoch] = incarnation_of(number)
    state.true_part[runs, who, epoch] += 1
    old = epoch - system.retain
    forgets = old >= 0
    state.held[runs[forgets], who[forgets], old[forgets]] = NOT_HELD
    return done


def sides(system: System, who: Indices) -> tuple[Indices, ...]:
    """Link, side of the initiator, initiator, responder."""
    link, side = numpy.divmod(who, 2)
    return link, side, system.ends[link, side], system.ends[link, 1 - side]


def whole(state: State, runs: Indices, link: Indices, a: Indices, b: Indices) -> Mask:
    """Whether a frame can pass: both domains are up and the link is not cut."""
    can: Mask = state.alive[runs, a] & state.alive[runs, b] & ~state.cut[runs, link]
    return can


def propose(system: System, state: State, runs: Indices, who: Indices) -> Mask:
    """Rule 3: the initiator opens an advance to what it has prepared."""
    link, side, mine, _ = sides(system, who)
    number = state.prepared[runs, mine]
    done = settled(state, runs, mine) & ~state.writing[runs, mine]
    done &= (state.lane[runs, link, side] == Lane.IDLE) & ~state.cut[runs, link]
    done &= state.converged[runs, link, side] < number
    at = runs[done], link[done], side[done]
    state.lane[at] = Lane.OFFERED
    state.carried[at] = number[done]
    state.true_sent[at] = _part(state, runs[done], mine[done], number[done])
    return done


def answer(system: System, state: State, runs: Indices, who: Indices) -> Mask:
    """DATA is heard: reflected if the responder has prepared this very number, else refused."""
    link, side, mine, other = sides(system, who)
    done = whole(state, runs, link, mine, other)
    done &= state.lane[runs, link, side] == Lane.OFFERED
    at = runs[done], link[done], side[done]
    runs, other = runs[done], other[done]
    number = state.carried[at]
    ready: Mask = ~state.writing[runs, other] & (state.prepared[runs, other] == number)
    ready &= ~state.lost[runs, other]
    state.lane[at] = Lane.REFLECTED
    state.true_answered[at] = _part(state, runs, other, number)
    clear(state, *(array[~ready] for array in at))
    return done


def decide(system: System, state: State, runs: Indices, who: Indices) -> Mask:
    """ACK is heard: COMMITTED at the initiator, durably; or a reversed one is ended by ABORTED."""
    link, side, mine, other = sides(system, who)
    phase = state.lane[runs, link, side]
    near = state.alive[runs, mine] & ~state.cut[runs, link]
    decides: Mask = (phase == Lane.REFLECTED) & near
    ends = (phase == Lane.REVERSING) & near & state.alive[runs, other]
    done: Mask = decides | ends
    state.lane[runs[done], link[done], side[done]] = numpy.where(
        decides[done], Lane.DECIDED, Lane.IDLE
    )
    clear(state, runs[done & ends], link[done & ends], side[done & ends])
    return done


def take_back(system: System, state: State, runs: Indices, who: Indices) -> Mask:
    """Rule 7: an advance of an older incarnation that is not decided is cancelled."""
    link, side, mine, _ = sides(system, who)
    older = incarnation_of(state.carried[runs, link, side]) < incarnation_of(
        state.prepared[runs, mine]
    )
    done: Mask = older & (state.lane[runs, link, side] == Lane.REFLECTED)
    done &= state.alive[runs, mine]
    state.lane[runs[done], link[done], side[done]] = Lane.REVERSING
    return done


def agree(system: System, state: State, runs: Indices, who: Indices) -> Mask:
    """`propose`, `answer` and `decide` as one step, for the exhaustive search.

    What happens in between changes nothing that a domain keeps, and what ends otherwise has changed
    nothing: every execution of the three, less those, is one of this step at the time of `answer`.
    """
    done = propose(system, state, runs, who)
    answer(system, state, runs[done], who[done])
    done[done] = decide(system, state, runs[done], who[done])
    return done


def deliver(system: System, state: State, runs: Indices, who: Indices) -> Mask:
    """COMMIT is heard: committed and delivered; `converged` rises at the responder's end."""
    link, side, _, other = sides(system, who)
    done: Mask = (state.lane[runs, link, side] == Lane.DECIDED) & ~state.cut[runs, link]
    done &= state.alive[runs, other] & ~state.lost[runs, other]
    at = runs[done], link[done], side[done]
    _converge(state, runs[done], link[done], 1 - side[done], state.carried[at], state.true_sent[at])
    state.lane[at] = Lane.DELIVERED
    return done


def tell(system: System, state: State, runs: Indices, who: Indices) -> Mask:
    """DONE is heard and the completion taken: `converged` rises at the initiator's end."""
    link, side, mine, _ = sides(system, who)
    done: Mask = (state.lane[runs, link, side] == Lane.DELIVERED) & ~state.cut[runs, link]
    done &= state.alive[runs, mine] & ~state.lost[runs, mine]
    at = runs[done], link[done], side[done]
    _converge(state, *at, state.carried[at], state.true_answered[at])
    clear(state, *at)
    return done


def clear(state: State, runs: Indices, link: Indices, side: Indices) -> None:
    """The lane is free."""
    for array in (state.lane, state.carried, state.true_sent, state.true_answered):
        array[runs, link, side] = 0


def _part(state: State, runs: Indices, domain: Indices, number: Array) -> Array:
    part: Array = state.true_part[runs, domain, epoch_of(number)]
    return part


def _converge(
    state: State, runs: Indices, link: Indices, side: Indices, number: Array, true_part: Array
) -> None:
    """`converged` never goes back."""
    at = runs, link, side
    later = number > state.converged[at]
    state.true_agreed[at] = numpy.where(later, true_part, state.true_agreed[at])
    state.converged[at] = numpy.where(later, number, state.converged[at])
