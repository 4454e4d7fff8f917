"""Every ingredient that the RTL can be built without is needed: a promise breaks without it."""

from collections.abc import Sequence
from pathlib import Path

import pytest
from oae.check.expect import expectations
from oae.check.scoreboard import judge
from oae.check.verdict import Judgement, Verdict
from oae.engines import rtl
from oae.scenario.parse import parse_text
from oae.testing import requirement
from oae.trace import Trace

from cocotb_tests.link.ablations import CASES, COMMON, ONE_BY_ONE, fault, scenario


def judged(text: str, folder: Path, simulator: str, defines: Sequence[str] = ()) -> Judgement:
    """Run a scenario and judge it by its trace alone."""
    parsed = parse_text(text)
    ended = rtl.run(parsed, folder, simulator=simulator, defines=defines)
    assert ended.status == "finished"
    return judge(Trace(folder / "trace.txt"), expectations(parsed))


def check(ingredient: str, simulator: str, folder: Path) -> None:
    case = CASES[ingredient]
    text = scenario(case)
    whole = judged(text, folder / "with", simulator)
    assert whole.verdict == Verdict.PASS, whole.reason
    without = judged(text, folder / "without", simulator, [f"OAE_ABLATE_{ingredient}"])
    assert without.verdict == Verdict.FAIL, without.reason
    assert case.broken in {violation.promise for violation in without.violations}


@requirement("OAE-PRM-012")
@pytest.mark.parametrize("ingredient", CASES)
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
    text = COMMON.format(window=8).replace("[link]", f'[link]\nsession = "{session}"')
    text += ONE_BY_ONE + fault("b->a DONE id=0 copy=0", "drop")
    text += fault("b DELIVERED id=0", "amnesia b")
    judgement = judged(text, tmp_path / "run", "icarus")
    expected = Verdict.FAIL if session == "same" else Verdict.PASS
    assert judgement.verdict == expected, judgement.reason


def test_the_sources_leave_nothing_out() -> None:
    """No source list of the project defines an ablation."""
    for path in (rtl.ROOT / "hdl").glob("*.f"):
        assert "OAE_ABLATE" not in path.read_text()
