"""Each promise of the composed proof, and of progress, is needed: of some defect it alone tells.

A defect is an ingredient of the protocol that the RTL is built without, or a change of the RTL.
With it the promise fails and no other does, within the bound of the task.
"""

from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
from oae.prove import runner, tasks
from oae.prove.counterexample import PROMISES
from oae.prove.runner import PASS
from oae.synth.sources import ROOT
from oae.testing import requirement

from host.tests.left_out import left_out

LANE, PROGRESS = "lane:promises", "progress:two_slots"
TASK = {**dict.fromkeys(PROMISES, LANE), "oldest_told": PROGRESS, "quiet": PROGRESS}
INGREDIENTS = {
    "oldest_told": "F22",
    "in_order": "F18",
    "visible": "F1",
    "completion": "F7",
}
INITIATOR, RESPONDER = "hdl/rtl/oae_initiator_core.v", "hdl/rtl/oae_responder_core.v"
# The file, and what stands for what in it.
CHANGES: dict[str, tuple[str, dict[str, str]]] = {
    # What A has taken back, and B may have aborted, is decided on a late reflection.
    "agreement": (
        INITIATOR,
        {
            "if (frame_state == `OAE_STATE_TENTATIVE) begin": (
                "if (frame_state == `OAE_STATE_TENTATIVE ||\n"
                "frame_state == `OAE_STATE_REVERSING) begin"
            )
        },
    ),
    # A crash loses what is not decided.
    "conserved": (
        INITIATOR,
        {"crashed_state[3*s+:3] = `OAE_STATE_REVERSING": "crashed_state[3*s+:3] = `OAE_STATE_IDLE"},
    ),
    # DATA that comes again overwrites a record that is committed and not delivered.
    "unaltered": (
        RESPONDER,
        {
            "else if (frame_state == `OAE_STATE_COMMITTED) begin": (
                "else if (frame_state == `OAE_STATE_COMMITTED) begin\n"
                "record_valid = frame_operation == `OAE_OPERATION_DATA;"
            )
        },
    ),
    # A completion stays offered when it was taken, and nothing is opened as long as it does.
    "told_once": (
        INITIATOR,
        {
            "next_tell_valid  = 1'b0;": "",
            "if (open_valid && can_open": "if (open_valid && can_open && !tell_valid",
        },
    ),
    # An answer that was sent is owed still, unless another one waits.
    "quiet": (
        RESPONDER,
        {
            "if (grant_valid && grant_slot == w[SLOT_BITS-1:0]) next_answer[w] = 1'b0;": (
                "if (grant_valid && grant_slot == w[SLOT_BITS-1:0])\n"
                "next_answer[w] = answer == {{WINDOW-1{1'b0}}, 1'b1} << w;"
            )
        },
    ),
    # What B has just reflected it aborts at once, before it owes the reflection to anyone.
    "never_alone": (
        RESPONDER,
        {
            "next_settling = 1'b0;": "next_settling = settling_state == `OAE_STATE_TENTATIVE;",
            "to_answer = 1'b1;\n      if (settling_state": (
                "to_answer = settling_state != `OAE_STATE_TENTATIVE;\n if (settling_state"
            ),
        },
    ),
}


def changed(place: Path, label: str, text: str) -> str:
    """The SBY file with the RTL that has the defect of a promise."""
    if label in INGREDIENTS:
        return text.replace(
            "[script]\n", f"[script]\nverilog_defines -D OAE_ABLATE_{INGREDIENTS[label]}\n"
        )
    file, changes = CHANGES[label]
    rtl = (ROOT / file).read_text()
    for old, new in changes.items():
        assert old in rtl
        rtl = rtl.replace(old, new, 1)
    copy = place / Path(file).name
    copy.write_text(rtl)
    return text.replace(file, str(copy))


def run(monkeypatch: pytest.MonkeyPatch, label: str, edit: Callable[[str], str]) -> runner.Outcome:
    (task,) = tasks.choose(tasks.tasks(), [TASK[label]], quick=False)
    place = Path("build/promises") / label
    monkeypatch.setattr(runner, "ablated", lambda text, _: edit(text))
    monkeypatch.setattr(runner, "BUILD", place)
    (outcome,) = runner.prove([(task, ())], lambda *_: None, 1)
    return outcome


@requirement("OAE-FML-006")
@pytest.mark.long
@pytest.mark.parametrize("label", TASK)
def test_of_some_defect_only_this_promise_tells(
    label: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    broken = run(monkeypatch, label, partial(changed, tmp_path, label))
    assert [one.name for one in broken.failed] == [label]
    top = f"oae_{TASK[label].partition(':')[0]}_proof"
    others = run(
        monkeypatch, label, lambda text: left_out(top, label, changed(tmp_path, label, text))
    )
    assert label not in {one.name for one in others.properties}
    assert others.result == PASS, others.failed
