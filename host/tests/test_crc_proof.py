"""Each assertion of the proof of the CRC tells of a defect: one bit of one function or constant.

A defect of the word function breaks two, each in runs in which the other holds.
"""

import re
from pathlib import Path

import pytest
from oae.prove import runner, tasks
from oae.synth.sources import ROOT
from oae.testing import requirement

HEADER = "hdl/rtl/oae_crc32c.vh"


def missing(function: str, text: str) -> str:
    """The header without one term of the first bit of a function."""
    return re.sub(rf"({function};.*?next\[0\] = )\w+\[\d+\] \^ ", r"\1", text, flags=re.DOTALL)


DEFECTS = {
    "starts": "constant",
    "word_is_bytes": "oae_crc_word",
    "sum": "oae_crc_word",
    "runs_ahead": "oae_crc_record_word",
}


@requirement("OAE-FML-006")
@pytest.mark.long
@pytest.mark.parametrize("label", DEFECTS)
def test_each_assertion_tells_of_a_defect(
    label: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    place = DEFECTS[label]
    text = (ROOT / HEADER).read_text()
    if place == "constant":
        changed = text.replace("OAE_CRC_RECORD_INITIAL 32'hb", "OAE_CRC_RECORD_INITIAL 32'ha")
    else:
        changed = missing(place, text)
    assert changed != text
    copy = tmp_path / Path(HEADER).name
    copy.write_text(changed)

    def edited(proof: str, _: tuple[str, ...]) -> str:
        # A solver stops at the first failure: what would fail of the same defect is left out.
        same = [one for one in DEFECTS if DEFECTS[one] == place and one != label]
        deleted = "".join(f"delete oae_crc_proof/{one}\n" for one in same)
        prepared = "prep -top oae_crc_proof -flatten\n"
        return proof.replace(HEADER, str(copy)).replace(prepared, prepared + deleted)

    (task,) = tasks.choose(tasks.tasks(), ["crc:prove"], quick=False)
    monkeypatch.setattr(runner, "ablated", edited)
    monkeypatch.setattr(runner, "BUILD", Path("build/crc") / label)
    (outcome,) = runner.prove([(task, ())], lambda *_: None, 1)
    assert [one.name for one in outcome.failed] == [label]
