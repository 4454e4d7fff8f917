"""Whether a step is a local constraint: decided by what stands at its place alone.

Everything that is not at the place of a step is replaced by what stands there in another run. A
local step is possible as before, and does the same.
"""

from dataclasses import fields
from typing import Final

import numpy

from oae.epoch.convergence.schedule import Schedule, take
from oae.epoch.convergence.state import Array, State
from oae.epoch.convergence.steps import FAULTS, PROTOCOL, REPAIRS, Place, Step
from oae.epoch.convergence.system import System

SWEEPS: Final = 40


def pool(system: System, runs: int, seed: int) -> State:
    """States in the midst of things: random runs with faults, stopped at random sweeps."""
    random = numpy.random.default_rng(seed)
    schedule, rare = Schedule(random, 0.4), Schedule(random, 0.002)
    state = State.start(system, runs)
    for _ in range(SWEEPS):
        schedule.sweep(system, state, PROTOCOL)
        rare.sweep(system, state, FAULTS)
        Schedule(random, 0.3).sweep(system, state, REPAIRS)
    return state


def surroundings(system: System, step: Step, place: int) -> tuple[list[int], list[int]]:
    """Domains and links at the place of a step.

    A domain with its ends, or a lane with the two domains whose frames it carries.
    """
    if step.place is Place.DOMAIN:
        return [place], sorted(set(system.links_of[place].tolist()))
    link = place // 2
    return system.ends[link].tolist(), [link]


def strangers(system: System, state: State, step: Step, place: int) -> tuple[int, int]:
    """(steps taken, steps that came out otherwise) when all else is another run's."""
    near, links = surroundings(system, step, place)
    here = state.take(numpy.arange(state.runs))
    there = state.take(numpy.roll(numpy.arange(state.runs), 1))
    for name, local in _local(system, near, links):
        getattr(there, name)[:, local] = getattr(here, name)[:, local]
    places = numpy.arange(state.runs) * step.places(system) + place
    done = take(system, here, step, places)
    other = take(system, there, step, places)
    differs = done != other
    for name, local in _local(system, near, links):
        mine, theirs = getattr(here, name)[:, local], getattr(there, name)[:, local]
        differs |= (mine != theirs).reshape(state.runs, -1).any(1)
    return int(done.sum()), int(differs.sum())


def _local(system: System, near: list[int], links: list[int]) -> list[tuple[str, Array]]:
    by_domain, by_link = numpy.array(near), numpy.array(links)
    domains = {"prepared", "promised", "alive", "lost", "torn", "writing", "base", "named", "held"}
    domains.add("true_part")
    return [
        (field.name, by_domain if field.name in domains else by_link) for field in fields(State)
    ]
