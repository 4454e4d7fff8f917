"""Every execution of small systems: what the rules keep, and what breaks without them."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import networkx
import numpy
import pytest
from oae.epoch.convergence import domain, faults, recovery
from oae.epoch.convergence.explore import Explored, Explorer
from oae.epoch.convergence.invariants import INVARIANTS, ahead, apart, incoherent, unrecoverable
from oae.epoch.convergence.locality import pool
from oae.epoch.convergence.recoveries import LONG, PAIR, Small
from oae.epoch.convergence.state import NOT_HELD, Lane, Mask, State
from oae.epoch.convergence.steps import COARSE, CUT, FAULTS, KILL, PROTOCOL, WIPE, Step
from oae.epoch.convergence.system import System, TopologyError, diameter
from oae.explore.configuration import Configuration
from oae.explore.lane import Holder, Proposer
from oae.spec.constants import Outcome
from oae.testing import requirement

PATH = networkx.path_graph(3)
TRIANGLE = networkx.cycle_graph(3)


def explored(graph: Any, epochs: int, *, kills: int = 0, cuts: int = 0, **fields: Any) -> Explored:
    system = System(graph, epochs, diameter(graph) + 1)
    return Explorer(system, kills, cuts, **fields).run()


def clean(found: Explored, least: int) -> None:
    assert found.broken == "", found.way
    assert found.stuck == 0
    assert found.states >= least


@requirement("OAE-EPV-001", "OAE-EPV-002", "OAE-EPV-006")
def test_a_pair_with_a_kill_and_a_cut_at_every_step() -> None:
    clean(PAIR.explored(), 10_000)


@requirement("OAE-EPV-001", "OAE-EPV-002", "OAE-EPV-006")
def test_a_pair_frame_by_frame() -> None:
    """DATA, ACK and ABORT as steps of their own."""
    clean(explored(networkx.path_graph(2), 3, kills=1, faults=(KILL,), protocol=PROTOCOL), 3_500)


@requirement("OAE-EPV-001", "OAE-EPV-006")
@pytest.mark.parametrize(("graph", "least"), [(PATH, 800), (TRIANGLE, 6_000)])
def test_three_domains(graph: Any, least: int) -> None:
    clean(explored(graph, 3), least)


@pytest.mark.long
@requirement("OAE-EPV-001", "OAE-EPV-002", "OAE-EPV-006")
@pytest.mark.parametrize("small", LONG[2:])
def test_larger_worlds(small: Small) -> None:
    clean(small.explored(), 100_000)


@requirement("OAE-EPV-010")
def test_a_frame_by_frame_search_finds_the_same_memories() -> None:
    """DATA, ACK and COMMIT as one step hide no state of what domains and ends keep."""

    def kept(protocol: Sequence[Step]) -> set[bytes]:
        found: set[bytes] = set()

        def look(system: System, state: State) -> Mask:
            """Nothing is wrong."""
            columns = [
                numpy.ascontiguousarray(it).view(numpy.uint8).reshape(state.runs, -1)
                for it in (state.held, state.prepared, state.promised, state.converged)
            ]
            found.update(row.tobytes() for row in numpy.concatenate(columns, axis=1))
            return numpy.zeros(state.runs, numpy.bool_)

        fields: Any = {"faults": (KILL,), "protocol": protocol, "invariants": (look,)}
        explored(networkx.path_graph(2), 2, kills=1, cuts=0, **fields)
        return found

    assert kept(PROTOCOL) == kept(COARSE)


# (decided, delivered, told) of an advance, by the phase of its lane.
FACTS = {
    Lane.IDLE: (False, False, 0),
    Lane.OFFERED: (False, False, 0),
    Lane.REFLECTED: (False, False, 0),
    Lane.REVERSING: (False, False, 0),
    Lane.DECIDED: (True, False, 0),
    Lane.DELIVERED: (True, True, 0),
}
ENDED = {(True, True, int(Outcome.COMMITTED)), (False, False, int(Outcome.ABORTED))}


@requirement("OAE-EPV-010")
def test_the_reference_end_has_the_phases_of_a_lane_and_no_other() -> None:
    """All states of two reference ends, with losses, duplications and crashes of both."""
    search = Configuration(
        ids=1, losses=1, duplications=1, crashes_a=1, crashes_b=1, cancels=1, refusals=1
    ).search()
    assert search.run().clean
    facts = set()
    for a, b, *_ in search.states:
        proposer, holder = search.locals[0][a], search.locals[1][b]
        assert isinstance(proposer, Proposer)
        assert isinstance(holder, Holder)
        told = proposer.told[0] if proposer.told else 0
        facts.add((bool(proposer.decided), bool(holder.delivered), told))
    assert facts == set(FACTS.values()) | ENDED


@requirement("OAE-EPV-003")
@pytest.mark.parametrize(
    ("graph", "gated", "enough"),
    [
        (networkx.path_graph(2), False, 2),
        (TRIANGLE, False, 2),
        (PATH, False, 3),
        (PATH, True, 2),
    ],
)
def test_one_part_fewer_breaks_recovery(graph: Any, gated: bool, enough: int) -> None:
    fewer = Explorer(System(graph, 3, enough - 1, gated)).run()
    assert fewer.broken == unrecoverable.__doc__
    clean(Explorer(System(graph, 3, enough, gated)).run(), 50)


# (step, place) on a path of 3: link 0-1 is number 0, its lane from 1 to 0 number 1.
LOSS: tuple[tuple[Any, int], ...] = ((faults.amnesia, 1), (faults.restart, 1))
AHEAD: tuple[tuple[Any, int], ...] = (
    *((faults.cut, 1), (domain.begin, 1), (domain.flush, 1), (domain.begin, 0), (domain.flush, 0)),
    *((domain.agree, 1), (domain.deliver, 1), (domain.begin, 0), (domain.flush, 0)),
    *LOSS,
)
RETURNS: tuple[tuple[Any, int], ...] = (
    *((recovery.start, 0), (recovery.spread, 0), (recovery.conclude, 0), (recovery.hear, 0)),
    *((domain.agree, 1), (domain.deliver, 1), (domain.begin, 0), (domain.flush, 0)),
)


def taken(system: System, state: State, steps: Sequence[tuple[Any, int]]) -> list[bool]:
    """Which of the steps were possible, one after the other."""
    run = numpy.zeros(1, numpy.intp)
    return [bool(take(system, state, run, numpy.array([place]))[0]) for take, place in steps]


@requirement("OAE-EPV-012")
@pytest.mark.parametrize("retain", [3, 4, 7])
def test_a_lost_disk_is_replaced_too_early(retain: int) -> None:
    """With all that the other one holds; that one goes on, and forgets what domain 2 has.

    Each part more that is kept needs one more loss.
    """
    system = System(PATH, retain + 1, retain, anywhere=True)
    state = State.start(system, 1)
    assert all(taken(system, state, AHEAD + (RETURNS + LOSS) * (retain - 3) + RETURNS[:-1]))
    assert not any(invariant(system, state).any() for invariant in INVARIANTS)
    assert all(taken(system, state, RETURNS[-1:]))
    assert unrecoverable(system, state).all()


@requirement("OAE-EPV-012")
def test_a_lost_disk_stays_out_until_everybody_has_answered() -> None:
    system = System(PATH, 4, 3)
    state = State.start(system, 1)
    assert all(taken(system, state, AHEAD))
    assert not any(taken(system, state, RETURNS))
    assert all(taken(system, state, [(faults.heal, 1)]))
    while not (state.prepared & 0xFFFF == 3).all():
        moved = []
        for step in COARSE:
            moved += taken(system, state, [(step.take, at) for at in range(step.places(system))])
            assert not any(invariant(system, state).any() for invariant in INVARIANTS)
        assert any(moved)
    assert not state.lost.any()


@pytest.mark.long
@requirement("OAE-EPV-012", "OAE-EPV-006")
def test_a_lost_disk_and_a_cut_at_every_step() -> None:
    """All executions of the system in which an early return breaks recovery."""
    clean(explored(PATH, 4, kills=1, cuts=1, faults=(WIPE, CUT)), 4_000_000)


def hasty(system: System, state: State, runs: Any, who: Any) -> Mask:
    """A domain that does not wait for its links."""
    done: Mask = domain.settled(state, runs, who) & ~state.writing[runs, who]
    done &= state.prepared[runs, who] % 4 < system.epochs - 1
    state.writing[runs[done], who[done]] = True
    return done


def early(system: System, state: State, runs: Any, who: Any) -> Mask:
    """A domain that says that its part is durable before it is."""
    done = domain.flush(system, state, runs, who)
    epoch = state.prepared[runs[done], who[done]] & 0xFFFF
    state.held[runs[done], who[done], epoch] = NOT_HELD
    return done


def without(take: Any, other: Any) -> tuple[Step, ...]:
    return tuple(replace(step, take=other) if step.take is take else step for step in COARSE)


@requirement("OAE-EPV-001", "OAE-EPV-002")
@pytest.mark.parametrize(
    ("take", "other", "broken"),
    [(domain.begin, hasty, apart), (domain.flush, early, unrecoverable)],
)
def test_a_rule_left_out_is_found(take: Any, other: Any, broken: Callable[..., Mask]) -> None:
    found = explored(networkx.path_graph(2), 4, protocol=without(take, other))
    assert found.broken == broken.__doc__
    assert found.way


@requirement("OAE-EPV-001")
def test_an_advance_beyond_what_is_prepared_is_found() -> None:
    """A responder that agrees to what it has not prepared."""

    def eager(system: System, state: State, runs: Any, who: Any) -> Mask:
        done = domain.propose(system, state, runs, who)
        link, side = numpy.divmod(who[done], 2)
        state.lane[runs[done], link, side] = Lane.DECIDED
        return done

    found = explored(networkx.path_graph(2), 3, protocol=without(domain.agree, eager))
    assert found.broken == ahead.__doc__


@requirement("OAE-EPV-002")
def test_parts_of_two_histories_are_found() -> None:
    """Two domains hold part 1, but one of them has made part 0 again since."""
    system = System(networkx.path_graph(2), 3, 2)
    state = State.start(system, 1)
    state.held[:, :, 1] = 0
    assert not incoherent(system, state).any()
    state.true_part[0, 1, 0] += 1
    assert incoherent(system, state).all()


@requirement("OAE-EPV-002")
def test_every_invariant_can_fail() -> None:
    """Each is broken by a state made for it."""
    system = System(networkx.path_graph(2), 4, 2)

    def broken(**fields: Any) -> set[Any]:
        state = State.start(system, 1)
        for name, (index, value) in fields.items():
            getattr(state, name)[index] = value
        return {invariant for invariant in INVARIANTS if invariant(system, state).any()}

    found = broken(prepared=((0, 0), 2)) | broken(converged=((0, 0, 0), 1))
    found |= broken(held=((0, 0), 0)) | broken(held=((0, 0, 0), NOT_HELD))
    found |= broken(held=((0, slice(None), 1), 0), true_part=((0, 1, 0), 1))
    assert found == set(INVARIANTS)


@requirement("OAE-EPV-001")
def test_what_is_not_ripe_is_not_possible() -> None:
    """The quick look of the random runs leaves nothing out, in states with every kind of fault."""
    system = System(TRIANGLE, 12, 2)
    state = pool(system, 400, 3)
    runs = numpy.arange(state.runs)
    for step in (*PROTOCOL, *FAULTS):
        quick = step.ripe(system, state)
        for place in range(step.places(system)):
            taken = step.take(system, state.take(runs), runs, numpy.full(len(runs), place))
            assert not (taken & ~quick[:, place]).any(), step.text


@requirement("OAE-EPV-001")
@pytest.mark.parametrize(
    ("graph", "epochs", "retain"),
    [
        (networkx.empty_graph(1), 2, 1),
        (networkx.empty_graph(3), 2, 1),
        (networkx.path_graph(["a", "b"]), 2, 1),
        (PATH, 1, 1),
        (PATH, 3, 0),
    ],
)
def test_an_impossible_system_is_refused(graph: Any, epochs: int, retain: int) -> None:
    with pytest.raises(TopologyError):
        System(graph, epochs, retain)
