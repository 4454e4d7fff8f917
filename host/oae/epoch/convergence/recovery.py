"""Rules 6 to 8: how domains find the part that all of them hold, and go back to it.

Steps as in `domain`. `spread` and `hear` are steps of a lane: from its initiator's side to the
other one, over the ends that carry the records of recoveries.
"""

import numpy

from oae.epoch.convergence.domain import settled, sides, whole
from oae.epoch.convergence.state import (
    ANY,
    NOT_HELD,
    Array,
    Mask,
    State,
    epoch_of,
    incarnation_of,
    number_of,
)
from oae.epoch.convergence.system import Indices, System


def components(system: System, alive: Mask, cut: Mask) -> Array:
    """For each domain the lowest one that it can reach, itself if dead; [runs, domains]."""
    labels = numpy.tile(numpy.arange(system.domains, dtype=numpy.int16), (len(alive), 1))
    passing = ~cut & alive[:, system.ends[:, 0]] & alive[:, system.ends[:, 1]]
    while True:
        lower = labels.copy()
        for links, near in zip(system.links_of.T, system.neighbours.T, strict=True):
            other = numpy.where(passing[:, links], labels[:, near], labels)
            numpy.minimum(lower, other, out=lower)
        if (lower == labels).all():
            return labels
        labels = lower


def newest_common(held: Array, members: Mask) -> tuple[Array, Array]:
    """The newest part that all members hold under one number.

    `held` is [runs, domains, epochs], `members` [runs, domains]. Returns its epoch, -1 if there is
    none, and its incarnation.
    """
    outside = ~members[:, :, None]
    incarnation = numpy.where(outside, 0, held).max(1)
    least = numpy.where(outside, NOT_HELD, held).min(1)
    common = (incarnation == least) & (incarnation != NOT_HELD)
    last = held.shape[2] - 1 - common[:, ::-1].argmax(1)
    newest = numpy.where(common.any(1), last, -1)
    return newest, incarnation[numpy.arange(len(held)), last]


def start(system: System, state: State, runs: Indices, who: Indices) -> Mask:
    """A domain that must starts a recovery: it promises an incarnation that nobody else uses."""
    at = runs, who
    able: Mask = state.alive[at] & ~state.lost[at]
    promised = state.promised[at]
    frozen = able & (promised > incarnation_of(state.prepared[at]))
    done: Mask = able & state.torn[at]
    asks = numpy.flatnonzero(~done & (frozen | _meets_a_blank(system, state, runs, who)))
    if len(asks):
        labels = components(system, state.alive[runs[asks]], state.cut[runs[asks]])
        silent = _initiator_silent(system, state, labels, runs[asks], who[asks])
        done[asks] = numpy.where(frozen[asks], silent, _everybody(system, labels))
    at = runs[done], who[done]
    state.promised[at] = (promised[done] // system.domains + 1) * system.domains + who[done]
    state.torn[at] = False
    return done


def _everybody(system: System, labels: Array) -> Mask:
    """Rule 8: where a domain that lost its disk may return."""
    answer: Mask = (labels == 0).all(1) | system.anywhere
    return answer


def _meets_a_blank(system: System, state: State, runs: Indices, who: Indices) -> Mask:
    """Whether a neighbour lost its disk after the last decision that this domain knows."""
    links = system.links_of[who]
    run = runs[:, None]
    other = system.neighbours[who]
    blank = whole(state, run, links, who[:, None], other) & state.lost[run, other]
    blank &= state.named[run, other] != state.promised[runs, who][:, None]
    met: Mask = settled(state, runs, who) & blank.any(1)
    return met


def _initiator_silent(
    system: System, state: State, labels: Array, runs: Indices, who: Indices
) -> Mask:
    """Whether nothing more comes of the recovery in which a domain takes part."""
    promised = state.promised[runs, who]
    initiator = (promised % system.domains).astype(numpy.intp)
    row = numpy.arange(len(runs))
    silent: Mask = labels[row, initiator] != labels[row, who]
    silent |= state.lost[runs, initiator] | state.torn[runs, initiator]
    silent |= state.promised[runs, initiator] != promised
    return silent


def spread(system: System, state: State, runs: Indices, who: Indices) -> Mask:
    """A promise is heard by a neighbour that has promised less."""
    link, _, mine, other = sides(system, who)
    done = whole(state, runs, link, mine, other) & ~state.torn[runs, mine]
    done &= state.promised[runs, mine] > state.promised[runs, other]
    at = runs[done], other[done]
    state.promised[at] = state.promised[runs[done], mine[done]]
    state.torn[at] = False  # it answers: so this is its recovery as well
    return done


def conclude(system: System, state: State, runs: Indices, who: Indices) -> Mask:
    """The initiator has the answers of all that are alive and reachable; it restores at once."""
    at = runs, who
    promised = state.promised[at]
    done: Mask = state.alive[at] & ~state.lost[at] & ~state.torn[at]
    done &= (promised > incarnation_of(state.prepared[at])) & (promised % system.domains == who)
    candidates = numpy.flatnonzero(done)
    if not len(candidates):
        return done
    asked = runs[candidates]
    labels = components(system, state.alive[asked], state.cut[asked])
    lost = state.lost[asked]
    inside = labels == labels[numpy.arange(len(asked)), who[candidates]][:, None]
    answered = (state.promised[asked] == promised[candidates][:, None]) | ~inside
    epoch, incarnation = newest_common(state.held[asked], inside & ~lost)
    decided = answered.all(1) & (epoch >= 0)
    done[candidates] = decided
    runs, who, promised = runs[done], who[done], promised[done]
    blank = (lost & inside & _everybody(system, labels)[:, None])[decided]
    state.named[runs] = numpy.where(blank, promised[:, None], state.named[runs])
    _restore(state, runs, who, number_of(incarnation[decided], epoch[decided]))
    return done


def hear(system: System, state: State, runs: Indices, who: Indices) -> Mask:
    """The decision is heard: restore, or start again if the part is not here."""
    link, _, mine, other = sides(system, who)
    promised = state.promised[runs, other]
    done = whole(state, runs, link, mine, other) & ~state.lost[runs, mine]
    done &= ~state.torn[runs, other]
    done &= incarnation_of(state.prepared[runs, mine]) == promised
    done &= incarnation_of(state.prepared[runs, other]) < promised
    base = state.base[runs, mine]
    blank = state.lost[runs, other]
    done &= ~blank | (state.named[runs, other] == promised)
    holds = state.held[runs, other, epoch_of(base)] == incarnation_of(base)
    torn = done & ~holds & ~blank
    state.torn[runs[torn], other[torn]] = True
    _replace(system, state, *(array[done & blank] for array in (runs, mine, other, base)))
    restores = done & ~torn
    _restore(state, runs[restores], other[restores], base[restores])
    return done


def _restore(state: State, runs: Indices, domain: Indices, base: Array) -> None:
    """Newer parts are discarded; the common one becomes the first of the new incarnation."""
    epoch = epoch_of(base)
    newer = numpy.arange(state.held.shape[2]) > epoch[:, None]
    state.held[runs, domain] = numpy.where(newer, NOT_HELD, state.held[runs, domain])
    state.prepared[runs, domain] = number_of(state.promised[runs, domain], epoch)
    state.base[runs, domain] = base
    state.writing[runs, domain] = False


def _replace(
    system: System, state: State, runs: Indices, mine: Indices, domain: Indices, base: Array
) -> None:
    """A domain without a disk gets something in place of its part."""
    epoch = epoch_of(base)
    state.lost[runs, domain] = False
    if system.anywhere:
        state.held[runs, domain] = state.held[runs, mine]
    state.held[runs, domain, epoch] = incarnation_of(base)
    for column in system.links_of[domain].T:
        state.true_seen[runs, column, :, epoch] = ANY


def mixed(system: System, state: State, runs: Indices, members: Mask, epoch: Array) -> Mask:
    """Whether the parts `epoch` of the members do not belong together: judged by what is in them.

    Part e of a domain was made of its part e - 1 and of what came from its neighbours while they
    worked from their part e - 1. Parts of two linked domains belong together if each is made of
    what the other one is made of. `members` is [len(runs), domains].
    """
    wrong = numpy.zeros(len(runs), numpy.bool_)
    for link, pair in enumerate(system.ends):
        linked = members[:, pair[0]] & members[:, pair[1]] & (epoch > 0)
        for side in (0, 1):
            seen = state.true_seen[runs, link, side, epoch]
            before = state.true_part[runs, pair[1 - side], epoch - 1]
            wrong |= linked & (seen != ANY) & (seen != before)
    return wrong
