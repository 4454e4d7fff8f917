"""Random schedules: which places take which step when.

Steps of one kind at different places of one run do not see one another's effects: taking them
together is taking them one after the other, in any order.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy

from oae.epoch.convergence.state import Mask, State
from oae.epoch.convergence.steps import Step
from oae.epoch.convergence.system import Indices, System


@dataclass(frozen=True)
class Schedule:
    """`share` is the chance that a place takes its step, each time that it is asked."""

    random: numpy.random.Generator
    share: float

    def step(self, system: System, state: State, step: Step) -> None:
        """Places of all runs, each with the chance `share`, take the step where it is possible."""
        ripe = numpy.flatnonzero(step.ripe(system, state))
        chosen = ripe[self.random.random(len(ripe), numpy.float32) < self.share]
        take(system, state, step, chosen)

    def sweep(self, system: System, state: State, steps: Sequence[Step]) -> None:
        """Every kind of step is asked once, in random order."""
        for number in self.random.permutation(len(steps)):
            self.step(system, state, steps[number])


def take(system: System, state: State, step: Step, places: Indices) -> Mask:
    """These places, counted through all runs, take the step where it is possible: where it was."""
    if not len(places):
        return numpy.zeros(0, numpy.bool_)
    return step.take(system, state, *numpy.divmod(places, step.places(system)))
