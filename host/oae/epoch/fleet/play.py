"""Plays a scheme on a fleet with its faults, and counts what became of the data.

In each round each end of each link that is up sends one datum in its version; it arrives in the
next round, and is taken in the version that the other end has then.
"""

from dataclasses import dataclass

import numpy as np

from oae.epoch.fleet.faults import START, Faults, Fleet, Numbers
from oae.epoch.fleet.schemes import Scheme


@dataclass(frozen=True)
class Outcome:
    """What happened, a number for each run."""

    taken: Numbers  # data taken
    mixed: Numbers  # of those: sent in one version, taken in the other
    refused: Numbers  # data refused for their version, or withheld by an end that is silent
    mixed_rounds: (
        Numbers  # rounds in which the ends of some link that works have different versions
    )
    doubt: Numbers  # rounds in doubt, summed over the nodes
    left_in_doubt: Numbers  # nodes that are in doubt at the end
    converged: Numbers  # rounds from the update until all ends between nodes that work are new; -1


def play(fleet: Fleet, faults: Faults, scheme: Scheme) -> Outcome:
    """Play all runs at once, from round 1 on."""
    runs = len(faults.gone)
    taken, mixed, refused, mixed_rounds, doubt = (np.zeros(runs, np.int64) for _ in range(5))
    converged = np.full(runs, -1)
    works = ~(faults.gone[:, fleet.source] | faults.gone[:, fleet.target])
    sent = np.zeros((runs, 2 * fleet.links), bool)
    version = scheme.new()
    for now in range(1, faults.rounds):
        scheme.step(now)
        tag, version, silent = version, scheme.new(), scheme.silent()
        up = ~faults.down[:, now]
        arrived = sent & up[:, fleet.target] & ~faults.data_lost[:, now - 1]
        other = tag != version[:, fleet.back]
        out = silent[:, fleet.back] | (other if scheme.tagged else False)
        taken += (arrived & ~out).sum(axis=1)
        mixed += (arrived & ~out & other).sum(axis=1)
        sent = up[:, fleet.source] & ~silent
        withheld = up[:, fleet.source] & silent
        refused += (arrived & out).sum(axis=1) + withheld.sum(axis=1)
        mixed_rounds += ((version != version[:, fleet.back]) & works).any(axis=1)
        in_doubt = scheme.in_doubt() & ~faults.gone
        doubt += in_doubt.sum(axis=1)
        whole = (version | ~works).all(axis=1)
        converged[whole & (converged < 0)] = now - START
    left = in_doubt.sum(axis=1)
    return Outcome(taken, mixed, refused, mixed_rounds, doubt, left, converged)


def mixed_by_clock(fleet: Fleet, offset: Numbers) -> Numbers:
    """Mixed exchanges of each run by clock, if nothing is lost and nobody is down.

    A datum that leaves u in round r is old if r < s_u and is taken as old if r + 1 < s_v, where s
    is the round in which a node takes the new version. These differ for |s_v - 1 - s_u| values of
    r; over both directions of a link that is never less than two.
    """
    taken = START + offset
    apart = taken[:, fleet.target] - 1 - taken[:, fleet.source]
    return np.asarray(np.abs(apart).sum(axis=1))
