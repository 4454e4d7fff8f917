"""Random runs with kills and cuts at any step, bilateral and forward in time only side by side.

Both protocols have the same domains, links, faults and instants at which a disk takes what it was
given. The bilateral domains follow their rules. The others (FITO) follow a clock: every PERIOD
sweeps all begin a snapshot, each has it when its own disk has taken it, and the snapshot before is
assumed complete by then, whoever was down (granted to FITO; it makes its formula exact).

At each kill and each cut both are asked for a recovery of every group of domains that are alive
and reach one another. The bilateral one takes the newest part that all hold under one number; FITO
takes everybody's newest.

Formula, fixed before anything is drawn: a disk takes what it was given with chance SHARE in each
sweep, independently. k sweeps after a snapshot has begun, a group of n is mixed with the chance
1 - p^n - (1 - p)^n, p = 1 - (1 - SHARE)^k.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final

import networkx
import numpy

from oae.epoch.convergence import domain
from oae.epoch.convergence.recovery import components, mixed, newest_common
from oae.epoch.convergence.schedule import Schedule, take
from oae.epoch.convergence.state import Array, Mask, State, incarnation_of
from oae.epoch.convergence.steps import CUT, KILL, PROTOCOL, REPAIRS, WIPE, Step
from oae.epoch.convergence.system import System, diameter, mesh, sparse_random

SHARE: Final = 0.4
PERIOD: Final = 6  # sweeps
SWEEPS: Final = 48  # of a run, with faults
QUIET: Final = 400  # at most, without faults, until all have converged once more
FAULT: Final = {KILL: 0.03, WIPE: 0.006, CUT: 0.03}  # chance of each, in each sweep
REPAIR: Final = 0.2  # of each dead domain and each cut link, in each sweep
EPOCHS: Final = 12
BATCH: Final = 2500  # runs at once


@dataclass
class Counts:
    """What became of the runs."""

    runs: int = 0
    faults: int = 0
    recoveries: int = 0
    impossible: int = 0  # groups of which nobody has a disk
    without: int = 0  # no common part among those with a disk: must not be
    mixed: int = 0  # the parts do not belong together: must not be
    incomplete: int = 0  # a domain of the group lost its disk
    unfinished: int = 0  # runs that did not converge again although somebody had a disk
    # FITO: groups by (domains of the group, sweeps since the snapshot began): [groups, mixed]
    fito: dict[tuple[int, int], list[int]] = field(default_factory=dict)

    def add(self, other: "Counts") -> None:
        """Take in the counts of other runs."""
        for name, value in vars(other).items():
            if isinstance(value, int):
                setattr(self, name, getattr(self, name) + value)
        for key, (groups, wrong) in other.fito.items():
            mine = self.fito.setdefault(key, [0, 0])
            mine[0] += groups
            mine[1] += wrong


def topologies() -> dict[str, Any]:
    """The graphs of the random runs."""
    return {
        "pair": networkx.path_graph(2),
        "triangle": networkx.cycle_graph(3),
        "ring of 8": networkx.cycle_graph(8),
        "tree of 7": networkx.convert_node_labels_to_integers(networkx.balanced_tree(2, 2)),
        "mesh of 9": mesh(3),
        "random of 10": sparse_random(10, 1),
    }


def sampled(graph: Any, runs: int, seed: int) -> Iterator[Counts]:
    """Counts of one batch after another."""
    system = System(graph, EPOCHS, diameter(graph) + 1)
    seeds = numpy.random.SeedSequence(seed).spawn(-(-runs // BATCH))
    for number, child in enumerate(seeds):
        many = min(BATCH, runs - number * BATCH)
        yield _Batch(system, many, numpy.random.default_rng(child)).run()


class _Batch:
    def __init__(self, system: System, runs: int, random: numpy.random.Generator) -> None:
        self.system, self.random = system, random
        self.schedule = Schedule(random, SHARE)
        self.state = State.start(system, runs)
        self.counts = Counts(runs=runs)
        self.age = random.integers(PERIOD, size=runs)  # sweeps since the snapshot began
        # FITO domains whose disk has taken the snapshot; those that began it earlier, earlier.
        shape = runs, system.domains
        self.taken: Mask = random.random(shape) < advanced(self.age)[:, None]

    def run(self) -> Counts:
        for _ in range(SWEEPS):
            self._sweep()
            for fault, chance in FAULT.items():
                self._strike(fault, chance)
            self._repair(REPAIR)
        self._repair(1.0)
        self._settle()
        return self.counts

    def _sweep(self) -> None:
        """One sweep of the bilateral steps, and of the other clock; the disks are the same."""
        for number in self.random.permutation(len(PROTOCOL)):
            step = PROTOCOL[number]
            if step.take is not domain.flush:
                self.schedule.step(self.system, self.state, step)
                continue
            disks = self.random.random(self.taken.shape, numpy.float32) < SHARE
            take(self.system, self.state, step, numpy.flatnonzero(disks & self.state.writing))
            self.age += 1
            self.taken |= disks
            self._tick(self.age == PERIOD)

    def _tick(self, runs: Mask) -> None:
        """A new snapshot begins."""
        self.age[runs] = 0
        self.taken[runs] = False

    def _strike(self, fault: Step, chance: float) -> None:
        """The fault hits one place of some runs; they are asked for a recovery."""
        runs = numpy.flatnonzero(self.random.random(self.state.runs) < chance)
        who = self.random.integers(fault.places(self.system), size=len(runs))
        struck = runs[fault.take(self.system, self.state, runs, who)]
        self.counts.faults += len(struck)
        self._judge(struck)
        began = numpy.zeros(self.state.runs, numpy.bool_)
        began[struck] = True
        self._tick(began)

    def _judge(self, runs: Array) -> None:
        state = self.state
        labels = components(self.system, state.alive[runs], state.cut[runs])
        for first in range(self.system.domains):
            there = (labels[:, first] == first) & state.alive[runs, first]
            self._judge_group(runs[there], labels[there] == first)

    def _judge_group(self, runs: Array, group: Mask) -> None:
        state, taken, age = self.state, self.taken[runs], self.age[runs]
        lost = state.lost[runs]
        members = group & ~lost
        held = members.any(1)
        epoch, _ = newest_common(state.held[runs], members)
        self.counts.impossible += int((~held).sum())
        self.counts.recoveries += int(held.sum())
        self.counts.incomplete += int((held & (group & lost).any(1)).sum())
        self.counts.without += int((held & (epoch < 0)).sum())
        self.counts.mixed += int(mixed(self.system, state, runs, members, epoch).sum())
        wrong = numpy.logical_and((members & taken).any(1), (members & ~taken).any(1))
        sizes = members.sum(1)
        for size, old, mix in zip(sizes[held], age[held], wrong[held], strict=True):
            count = self.counts.fito.setdefault((int(size), int(old)), [0, 0])
            count[0] += 1
            count[1] += int(mix)

    def _repair(self, chance: float) -> None:
        for step in REPAIRS:
            Schedule(self.random, chance).step(self.system, self.state, step)

    def _settle(self) -> None:
        """Without faults: until all have recovered and converged on a part after it."""
        for _ in range(QUIET):
            if self._settled().all():
                break
            self.schedule.sweep(self.system, self.state, PROTOCOL)
        self.counts.unfinished += int((~self._settled()).sum())

    def _settled(self) -> Mask:
        state = self.state
        incarnation = incarnation_of(state.prepared)
        one = (incarnation == incarnation[:, :1]).all(1) & ~state.lost.any(1)
        quiet = (state.promised == incarnation).all(1) & ~state.torn.any(1)
        on = (state.converged > state.base.max(1)[:, None, None]).all((1, 2))
        on &= (incarnation_of(state.converged) == incarnation[:, :1, None]).all((1, 2))
        hopeless = state.lost.all(1)
        settled: Mask = (one & quiet & on) | hopeless
        return settled


def advanced(age: Array) -> Array:
    """The chance that a disk has taken the snapshot that began `age` sweeps ago."""
    chance: Array = 1 - (1 - SHARE) ** age
    return chance


def formula(size: Array, age: Array) -> Array:
    """The chance that a FITO recovery of a group of `size` is mixed."""
    chance = advanced(age)
    mix: Array = 1 - chance**size - (1 - chance) ** size
    return mix
