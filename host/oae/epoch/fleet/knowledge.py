"""Who knows what: a Kripke structure whose worlds are executions.

Two worlds are alike for an agent if it has seen the same in both. An agent knows what holds in all
worlds that are alike for it; everyone knows what each agent knows; it is *common knowledge* if
everyone knows it, everyone knows that everyone knows it, and so on without end. The *depth* of a
fact in a world is how often "everyone knows that" may stand before it.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Truths = NDArray[np.bool_]
Numbers = NDArray[np.int64]

COMMON = -1  # a depth without end
FALSE = -2  # the fact itself does not hold


@dataclass(frozen=True)
class Kripke:
    """`views[world, agent]` is a number for what the agent has seen there."""

    views: Numbers

    def everyone_knows(self, fact: Truths) -> Truths:
        """In which worlds each agent knows the fact."""
        known = np.ones(len(fact), bool)
        for seen in self.views.T:
            always = np.ones(seen.max() + 1, bool)
            always[seen[~fact]] = False
            known &= always[seen]
        return known

    def depth(self, fact: Truths) -> Numbers:
        """Of each world; the sets only shrink, so that this ends: what is left then is COMMON."""
        depth = np.where(fact, 0, FALSE)
        known = fact
        for number in range(1, len(fact) + 2):
            deeper = self.everyone_knows(known)
            if (deeper == known).all():
                break
            depth[deeper] = number
            known = deeper
        depth[known] = COMMON
        return depth

    def common(self, fact: Truths) -> Truths:
        """Common knowledge as the greatest fixpoint of X = everyone knows (the fact and X)."""
        held = np.ones(len(fact), bool)
        while True:
            again = self.everyone_knows(fact & held)
            if (again == held).all():
                return again
            held = again

    def components(self) -> Numbers:
        """Of each world the number of the set of worlds that chains of likeness reach from it."""
        number = np.arange(len(self.views))
        while True:
            before = number.copy()
            for seen in self.views.T:
                least = np.full(seen.max() + 1, len(number))
                np.minimum.at(least, seen, number)
                number = least[seen]
            if (number == before).all():
                return number
