"""The grid of faults and states, and what exploration says about it."""

from dataclasses import replace
from pathlib import Path

import pytest
from oae.campaign.coverage import Arc, Cell, counted
from oae.campaign.reachable import SEARCH, can_be_hit, grid, reachable
from oae.campaign.swarm import drawn, parameters
from oae.campaign.tasks import Task, play
from oae.engines.compiled import Engine
from oae.model.events import Event, moved
from oae.scenario.layout import Fault
from oae.spec.constants import EventCode, Operation, State
from oae.testing import requirement
from oae.trace import Trace

BUILD = "brisk"
IDLE, TENTATIVE, REFLECTING, COMMITTED, REVERSING, ABORTED = State


class Written:
    """A trace as it would be written, with a window of 4 at a and of 2 at b."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.lines = ["oae-trace 1", "parameter ends 2"]
        self.lines += ["parameter window.a 4", "parameter window.b 2"]

    def step(self, end: str, event: Event) -> None:
        self.lines.append(f"1 {end} event {event.channel} {event.word():016x}")

    def fate(self, end: str, operation: Operation, id: int, faults: Fault) -> None:
        self.lines.append(f"1 {end} fate 0 {operation} {id} 0 {faults:04x} -")

    def counts(self) -> tuple[dict[Cell, int], dict[Arc, int]]:
        self.path.write_text("\n".join([*self.lines, "2 - end", ""]))
        found = counted(Trace(self.path))
        return dict(found.cells), dict(found.arcs)


@pytest.fixture
def trace(tmp_path: Path) -> Written:
    return Written(tmp_path / "trace.txt")


@requirement("OAE-RUN-006")
def test_a_fault_counts_in_the_states_of_its_transaction(trace: Written) -> None:
    trace.step("a", moved(EventCode.OPENED, 1, IDLE, TENTATIVE, 3))
    trace.fate("a", Operation.DATA, 3, Fault.DROPPED)
    trace.fate("a", Operation.DATA, 3, Fault(0))  # nothing struck it
    trace.step("b", moved(EventCode.HELD, 1, IDLE, TENTATIVE, 3))
    trace.step("b", moved(EventCode.REFLECTED, 1, TENTATIVE, REFLECTING, 3))
    trace.fate("b", Operation.ACK, 3, Fault.DUPLICATED | Fault.DUPLICATE_HELD)
    trace.fate("b", Operation.ACK, 1, Fault.CUT)  # the same slots, another transaction
    trace.fate("a", Operation.NOP, 3, Fault.DELAYED)
    cells, arcs = trace.counts()
    assert cells == {
        Cell("drop", "DATA", "TENTATIVE", "IDLE", "a->b"): 1,
        Cell("duplicate", "ACK", "TENTATIVE", "REFLECTING", "b->a"): 1,
        Cell("reorder", "ACK", "TENTATIVE", "REFLECTING", "b->a"): 1,
        Cell("cut", "ACK", "IDLE", "IDLE", "b->a"): 1,
        Cell("delay", "NOP", "-", "-", "a->b"): 1,
    }
    assert arcs == {
        Arc("initiator", "IDLE", "TENTATIVE", "OPENED"): 1,
        Arc("responder", "IDLE", "TENTATIVE", "HELD"): 1,
        Arc("responder", "TENTATIVE", "REFLECTING", "REFLECTED"): 1,
    }


@requirement("OAE-RUN-006")
def test_a_crash_counts_for_what_both_lanes_hold(trace: Written) -> None:
    trace.step("a", moved(EventCode.OPENED, 0, IDLE, TENTATIVE, 0))
    trace.step("a", moved(EventCode.HELD, 1, IDLE, TENTATIVE, 5))  # of the other lane
    trace.step("a", Event(EventCode.CRASH))
    trace.step("a", Event(EventCode.CRASH))
    cells, arcs = trace.counts()
    assert cells == {
        Cell("crash of initiator", "-", "TENTATIVE", "IDLE", "a->b"): 1,
        Cell("crash of responder", "-", "IDLE", "TENTATIVE", "b->a"): 1,
        # The initiator takes back what was undecided; the responder had promised nothing.
        Cell("crash of initiator", "-", "REVERSING", "IDLE", "a->b"): 1,
    }
    assert arcs[Arc("initiator", "TENTATIVE", "REVERSING", "CRASH")] == 1
    assert arcs[Arc("responder", "TENTATIVE", "IDLE", "CRASH")] == 1


@requirement("OAE-RUN-006")
def test_a_run_counts_up_to_its_first_amnesia(trace: Written) -> None:
    trace.step("a", moved(EventCode.OPENED, 0, IDLE, TENTATIVE, 0))
    trace.step("b", Event(EventCode.AMNESIA))
    trace.fate("a", Operation.DATA, 0, Fault.DROPPED)
    cells, arcs = trace.counts()
    assert not cells
    assert len(arcs) == 1


@requirement("OAE-RUN-007")
@pytest.mark.parametrize(
    "larger",
    [replace(SEARCH, ids=3, refusals=0), replace(SEARCH, window=2, crashes_b=0, cancels=0)],
    ids=["more transactions", "more slots"],
)
def test_larger_searches_reach_nothing_else(larger: object) -> None:
    known = reachable()
    found = reachable(larger)
    assert found.states > known.states
    assert found.met <= known.met
    assert found.arcs <= known.arcs


@requirement("OAE-RUN-007")
def test_what_exploration_excludes() -> None:
    # A responder commits only on COMMIT, which an undecided initiator has never sent.
    assert not can_be_hit(Cell("drop", "ACK", "TENTATIVE", "COMMITTED", "b->a"))
    assert can_be_hit(Cell("drop", "ACK", "COMMITTED", "COMMITTED", "b->a"))
    assert can_be_hit(Cell("drop", "SYNC", "-", "-", "b->a"))
    cells = list(grid())
    assert len(set(cells)) == len(cells)
    assert 500 < sum(map(can_be_hit, cells)) < len(cells) / 3


@requirement("OAE-RUN-006", "OAE-RUN-007")
def test_runs_hit_only_what_exploration_reaches() -> None:
    cells: set[Cell] = set()
    arcs: set[Arc] = set()
    for seed in range(1, 13):
        played = play(Task(seed, (BUILD,), covered=True))
        cells |= set(played.counts.cells)
        arcs |= set(played.counts.arcs)
    assert cells <= set(grid())
    assert [cell for cell in cells if not can_be_hit(cell)] == []
    assert arcs <= reachable().arcs
    assert len(cells) > 150


@requirement("OAE-RUN-006")
def test_a_scheduled_crash_hits_its_cell(tmp_path: Path) -> None:
    run = drawn(1, [BUILD])
    text = run.text + '\n[[fault]]\nwhen = "b REFLECTED #1"\ndo = "crash b"\n'
    run = replace(run, text=text)
    with Engine(parameters(BUILD)) as engine:
        engine.run(run.scenario, trace=tmp_path / "trace.txt")
    hit = counted(Trace(tmp_path / "trace.txt")).cells
    assert any(cell.kind == "crash of responder" and cell.responder == "REFLECTING" for cell in hit)
