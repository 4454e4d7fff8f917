"""Each relation of the composed proof is needed: without it alone the induction does not close.

Some of the relations of docs/protocol.md, section 7, follow from the others; they stay because that
section lists them, and are named here.
"""

import re
from pathlib import Path

import pytest
from oae.prove import runner, tasks
from oae.prove.runner import PASS
from oae.synth.sources import ROOT
from oae.testing import requirement

from host.tests.left_out import left_out

PROOF = Path("hdl/formal/oae_lane_proof.sv")
FOLLOW = {
    "i1_gap",
    "i5_i6_passed",
    "i8_held",
    "i11_decided",
    "i12_decided",
    "i14_pointer",
    "i14_undecided",
    "i20_decided",
    "i21_undecided",
    "i24_delivered",
    "i24_undelivered",
    "i28_delivered",
}


def relations() -> list[str]:
    """Labels of the assertions that stand after the promises."""
    text = (ROOT / PROOF).read_text()
    return re.findall(r"(\w+) : assert", text[text.index("`ifndef OAE_PROMISES_ONLY") :])


@requirement("OAE-FML-006")
@pytest.mark.long
@pytest.mark.parametrize("label", relations())
def test_without_it_the_induction_does_not_close(
    label: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (task,) = tasks.choose(tasks.tasks(), ["lane:two_slots"], quick=False)
    monkeypatch.setattr(runner, "ablated", lambda text, _: left_out("oae_lane_proof", label, text))
    monkeypatch.setattr(runner, "BUILD", Path("build/relations") / label)
    (outcome,) = runner.prove([(task, ())], lambda *_: None, 1)
    assert label not in {one.name for one in outcome.properties}
    assert (outcome.result == PASS) == (label in FOLLOW), outcome.failed
