"""Every ingredient that the RTL can be built without is needed: a promise breaks without it."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import pytest
from oae.check.expect import expectations
from oae.check.lockstep import follow
from oae.check.scoreboard import judge
from oae.check.verdict import Judgement, Promise, Verdict
from oae.engines import rtl
from oae.explore.ingredients import ingredients
from oae.scenario.parse import parse_text
from oae.testing import requirement
from oae.trace import Receive, Trace, Transmit

from cocotb_tests.end import test_end
from cocotb_tests.link.ablations import CASES, ONE_BY_ONE, Case, fault, scenario

QUIET = 3000  # cycles at the end of a run that has come to rest
# The reference end without these is told otherwise, or not at all: it counts with
# other ids (F10), has digests of its own (F12, F14), takes steps that no event tells (F5, F18, F22,
# F23), or has no streams (F25).
NOT_FOLLOWED = {"F5", "F10", "F12", "F14", "F18", "F22", "F23", "F25"}
CANNOT_SEND = (
    "an answer that a correct peer cannot send",
    "a frame that a correct peer cannot send",
)


class Run(NamedTuple):
    """A run by its trace alone; `spoken` are the lines of the RTL's own assertions."""

    judgement: Judgement
    scheduled: int
    spoken: list[str]


def played(text: str, folder: Path, simulator: str, defines: Sequence[str] = ()) -> Run:
    """Run a scenario and judge it."""
    parsed = parse_text(text)
    ended = rtl.run(parsed, folder, simulator=simulator, defines=defines)
    assert ended.status == "finished"
    judgement = judge(Trace(folder / "trace.txt"), expectations(parsed))
    return Run(judgement, len(parsed.faults), ended.assertions)


def check(ingredient: str, simulator: str, folder: Path) -> Run:
    """The same scenario with the ingredient and without; returns the run without."""
    case = CASES[ingredient]
    text = scenario(case)
    whole = played(text, folder / "with", simulator)
    assert whole.judgement.verdict == Verdict.PASS, whole.judgement.reason
    # What a forged frame makes is told and asserted, and nothing else is.
    assert len(whole.spoken) == case.forged, whole.spoken
    assert all(line.endswith(CANNOT_SEND) for line in whole.spoken)
    without = played(text, folder / "without", simulator, [f"OAE_ABLATE_{ingredient}"])
    assert without.judgement.verdict == Verdict.FAIL, without.judgement.reason
    assert case.broken in {violation.promise for violation in without.judgement.violations}
    if ingredient not in NOT_FOLLOWED:
        # What the RTL leaves out is what the reference end leaves out, step by step.
        followed = follow(Trace(folder / "without" / "trace.txt"), frozenset({ingredient}))
        assert followed.divergence is None, followed.divergence
    for run in (whole, without):
        assert run.judgement.faults_struck == run.scheduled, "a fault never struck"
    return without


@requirement("OAE-PRM-012")
@pytest.mark.parametrize("ingredient", [ingredient for ingredient in CASES if ingredient != "F25"])
def test_without_it_a_promise_breaks(ingredient: str, tmp_path: Path) -> None:
    check(ingredient, "icarus", tmp_path)


@pytest.mark.long
@requirement("OAE-PRM-012")
@pytest.mark.parametrize("ingredient", CASES)
def test_without_it_a_promise_breaks_on_verilator(ingredient: str, tmp_path: Path) -> None:
    check(ingredient, "verilator", tmp_path)


@requirement("OAE-PRM-012", "OAE-LNK-001")
@pytest.mark.parametrize("session", ["fresh", "same"])
def test_the_same_session_after_amnesia(session: str, tmp_path: Path) -> None:
    """F28: with the same session again, the peer takes old ids for those of the new memory."""
    faults = fault("b->a DONE id=0 copy=0", "drop")
    faults += fault("b DELIVERED id=0", "amnesia b", after="60 cycles")
    text = scenario(Case(Promise.EXACTLY_ONCE, ONE_BY_ONE + faults))
    text = text.replace("[link]", f'[link]\nsession = "{session}"')
    run = played(text, tmp_path / "run", "icarus")
    assert run.judgement.faults_struck == run.scheduled
    expected = Verdict.FAIL if session == "same" else Verdict.PASS
    assert run.judgement.verdict == expected, run.judgement.reason
    if session == "fresh":
        assert not run.spoken


@requirement("OAE-PRM-012", "OAE-TXN-028")
def test_both_ends_wait_for_each_other_for_ever(tmp_path: Path) -> None:
    """F25: with receiving that waits for transmitting, a full medium comes to rest as it is."""
    without = check("F25", "verilator", tmp_path)  # it stands still for long
    assert without.judgement.stop == "stalled"
    assert all(end.unresolved for end in without.judgement.ends)
    moved = [
        line
        for line in Trace(tmp_path / "without" / "trace.txt")
        if isinstance(line, Transmit | Receive) and line.cycle > without.judgement.cycles - QUIET
    ]
    assert moved == []


def test_no_ingredient_of_the_rtl_is_forgotten() -> None:
    """Each is shown here or by one end; each has its define, and no define lacks its row."""
    shown = {row.id for row in ingredients().values() if row.rtl}
    one_end = next(
        mark.args[1]
        for mark in test_end.test_without_an_ingredient.pytestmark
        if mark.name == "parametrize"
    )
    assert shown == {*CASES, *(ingredient for ingredient, _ in one_end)}
    assert shown == set(rtl.ingredients())


def test_the_sources_leave_nothing_out() -> None:
    """No source list of the project defines an ablation."""
    for path in (rtl.ROOT / "hdl").glob("*.f"):
        assert "OAE_ABLATE" not in path.read_text()
