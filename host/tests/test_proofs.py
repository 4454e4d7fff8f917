"""The proofs that run in every regression, on the RTL as it is synthesized."""

import xml.etree.ElementTree as ElementTree

import pytest
from oae import cli
from oae.prove.runner import BUILD
from oae.synth.sources import ROOT
from oae.testing import requirement

PROMISES = {
    "agreement",
    "completion",
    "conserved",
    "in_order",
    "never_alone",
    "told_once",
    "unaltered",
    "visible",
}


@pytest.mark.proof
@requirement(
    "OAE-PRM-001",
    "OAE-PRM-002",
    "OAE-PRM-003",
    "OAE-PRM-004",
    "OAE-PRM-005",
    "OAE-PRM-010",
    "OAE-PRM-011",
    "OAE-FML-001",
    "OAE-FML-003",
    "OAE-FML-004",
)
def test_the_quick_proofs_hold() -> None:
    assert cli.main(["prove", "--quick"]) == 0
    suites = ElementTree.parse(ROOT / BUILD / "index.xml")
    assert {suite.get("failures") for suite in suites.iter("testsuite")} == {"0"}
    assert not list(suites.iter("skipped"))
    proven = {
        case.get("name")
        for case in suites.iter("testcase")
        if case.get("classname") == "lane:two_slots"
    }
    assert proven >= PROMISES


@requirement("OAE-FML-002", "OAE-FML-003", "OAE-FML-004", "OAE-FML-005", "OAE-FML-006")
@pytest.mark.long
def test_every_proof_holds_and_every_cover_is_reached() -> None:
    assert cli.main(["prove"]) == 0


@requirement("OAE-FML-006")
@pytest.mark.long
def test_every_ingredient_breaks_its_proof() -> None:
    assert cli.main(["prove", "--ablations"]) == 0


@requirement("OAE-FML-006")
@pytest.mark.proof
@pytest.mark.parametrize(
    ("ingredient", "breaks"), [("F5", "never_alone"), ("F7", "completion"), ("F12", "agreement")]
)
def test_a_proof_fails_without_an_ingredient(
    ingredient: str, breaks: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["prove", "lane:promises", "--without", ingredient]) == 1
    assert f"{breaks} fails at oae_lane_proof.sv" in capsys.readouterr().out
