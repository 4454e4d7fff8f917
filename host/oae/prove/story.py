"""A counterexample in plain English: the comment at the head of its scenario."""

import textwrap
from typing import Final

from oae.prove.counterexample import Counterexample, Heard, Step

WIDTH: Final = 98

MEANS: Final = {
    "agreement": "it is COMMITTED at one end and ABORTED at the other, or was both at one",
    "in_order": "the deliver pointer jumps, or a delivery does not move it in the same step",
    "unaltered": "the record that is delivered is not the one that was sent",
    "visible": "its record is offered to the host although its initiator has not decided",
    "completion": "it is told COMMITTED and was not delivered",
    "told_once": "an outcome is told twice, or of what was never opened",
    "conserved": "it was opened and is neither held nor told",
    "never_alone": "a responder that has reflected aborts, and no ABORT was sent",
}
DOES: Final = {
    ("a", "OPENED"): "a opens it",
    ("a", "REFLECTION_HEARD"): "a hears its reflection",
    ("a", "DECIDED"): "a decides: COMMITTED",
    ("a", "MISMATCHED"): "a finds the reflection unequal and takes it back",
    ("a", "CANCELLED"): "a takes it back",
    ("a", "ABORT_CONFIRMED"): "a hears that it is aborted",
    ("a", "DONE_HEARD"): "a takes it for delivered",
    ("a", "TOLD"): "a tells its host the outcome",
    ("a", "CRASH"): "a crashes",
    ("b", "HELD"): "b accepts the record",
    ("b", "REFUSED"): "b refuses the record",
    ("b", "REFLECTED"): "b reflects",
    ("b", "COMMIT_HEARD"): "b commits",
    ("b", "REVERSED"): "b takes it back",
    ("b", "ABORT_RECORDED"): "b records the abort",
    ("b", "DELIVERED"): "b's host takes the record",
    ("b", "CRASH"): "b crashes",
}


def story(found: Counterexample, id: int) -> str:
    """Which promise broke in which cycle, and the steps that led to it, one line each.

    `id` is that of the transaction in the run.
    """
    promises = " or ".join(f'"{promise}"' for promise in sorted(found.promises))
    paragraphs = [
        f"A counterexample of the composed proof (lane:promises) for the simulators: "
        f"in cycle {found.cycle} this breaks: {', '.join(found.labels)}. "
        f"A run without the same ingredient breaks {promises}.",
        f"The steps of the transaction (id {found.id} in the proof, id {id} in the run), with the "
        f"cycles of the proof:",
    ]
    lines = [line for text in paragraphs for line in textwrap.wrap(text, WIDTH)]
    lines += [f"  {step.cycle:>3}  {_said(step, found.id)}" for step in found.steps]
    lines += [f"  {found.cycle:>3}  {label}: {MEANS[label]}" for label in found.labels]
    lines += textwrap.wrap(
        "What the waveform shows of other transactions, and what changes nothing, is left out; "
        "a run takes these steps in this order, not in these cycles.",
        WIDTH,
    )
    return "".join(f"# {line}".rstrip() + "\n" for line in lines)


def _said(step: Step, id: int) -> str:
    words = DOES[step.end, step.event]
    return f"{words}: {_frame(step.heard, id)}" if step.heard else words


def _frame(heard: Heard, id: int) -> str:
    words = [heard.operation.name]
    if heard.misdirected:
        words.append("of another transaction, its id damaged")
    elif heard.id != id:
        words.append("of an older transaction in the same slot")
    if heard.turned:
        words.append("turned into its opposite")
    if heard.altered:
        words.append("with an altered record")
    if heard.again:
        words.append("again")
    if heard.stale and not heard.misdirected:
        words.append("sent before")
    return ", ".join(words)
