"""Arcs that the other runs of the pair do not take, and how all of them are judged."""

import json
from collections.abc import Iterable
from pathlib import Path

import pytest
from oae.campaign.coverage import Arc
from oae.testing import requirement

from cocotb_tests.link import arcs
from cocotb_tests.link.ablations import fault
from cocotb_tests.link.pair import play

# The timing of the scenario `hash`, so that its build serves.
LINK = """
version = 1
[link]
beat_idle = 128
beat_busy = 40
fault_beats = 40
sync_interval = 160
[load.a]
records = 4
resubmit = true
[limits]
cycles = 30000
stall = 8000
"""
# An ABORT comes, and the end crashes before it has recorded the outcome.
CRASHED = fault("b RECEIVED operation=ABORT", "crash b")
SCENARIOS = {
    Arc("responder", "REVERSING", "IDLE", "CRASH"): fault("a->b DATA id=0 copy=0", "drop")
    + fault("a SENT operation=DATA", "cancel a tag=0")
    + CRASHED,
    Arc("responder", "REVERSING", "REFLECTING", "CRASH"): fault("b->a ACK id=0 copy=0", "drop")
    + fault("b REFLECTED id=0", "cancel a tag=0")
    + CRASHED,
    Arc("link", "FAULT", "DOWN", "DISABLED"): fault("a DECIDED", "cut b->a", until="a DISABLED")
    + fault("a link becomes FAULT", "disable a", **{"for": "90 cycles"}),
}


@requirement("OAE-RUN-011")
@pytest.mark.parametrize("arc", SCENARIOS, ids=lambda arc: f"{arc.before}-{arc.after}-{arc.step}")
def test_a_rare_arc(arc: Arc, tmp_path: Path) -> None:
    run = play(LINK + SCENARIOS[arc], tmp_path / "run")
    assert run.stop == "resolved"
    assert arcs.taken(run.trace)[arc]


def verdict(folder: Path, taken: Iterable[Arc], monkeypatch: pytest.MonkeyPatch) -> int:
    """What is said when the regression took these, each in a run of its own."""
    file = folder / "arcs.jsonl"
    file.write_text("".join(json.dumps([[*arc, 1]]) + "\n" for arc in taken))
    monkeypatch.setattr(arcs, "NOTED", file)
    return arcs.main()


@requirement("OAE-RUN-011")
def test_too_few_arcs_or_an_unknown_one_fail(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    known = sorted(arcs.reachable())
    least = known[-arcs.FLOOR :]
    assert len(least) == arcs.FLOOR <= len(known)
    assert verdict(tmp_path, least, monkeypatch) == 0
    assert verdict(tmp_path, least[1:], monkeypatch) == 1
    assert f"never taken: {least[0].machine}: {least[0].before}" in capsys.readouterr().out
    odd = Arc("initiator", "COMMITTED", "ABORTED", "ABORT_CONFIRMED")
    assert verdict(tmp_path, [*known, odd], monkeypatch) == 1
    assert "unknown: initiator: COMMITTED to ABORTED" in capsys.readouterr().out


@requirement("OAE-RUN-011")
def test_runs_are_noted_together(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(arcs, "NOTED", tmp_path / "results" / "arcs.jsonl")
    runs = [play(LINK, tmp_path / name, simulator="icarus") for name in ("one", "two")]
    assert arcs.noted() == arcs.taken(runs[0].trace) + arcs.taken(runs[1].trace)
    assert {Arc("link", "SYNCING", "UP", "SYNC_ACK_HEARD")} <= arcs.noted().keys()
