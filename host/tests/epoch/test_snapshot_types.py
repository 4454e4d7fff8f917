"""Snap(t) for Conv(P, e), or the reverse: mypy reports it and the code refuses it."""

from collections.abc import Callable
from pathlib import Path

import pytest
from mypy import api
from oae.epoch.claim import Effort, Standing
from oae.epoch.snapshot import type_error
from oae.epoch.snapshot.execution import Converged, Durable, Execution, ExecutionError, Time
from oae.epoch.snapshot.properties import (
    CategoryError,
    Conv,
    NotConvergedError,
    Protocol,
    Snap,
    restorable,
    times_of,
)
from oae.testing import requirement

PROGRAM = """\
from oae.epoch.snapshot.execution import Execution, Time
from oae.epoch.snapshot.properties import Conv, Protocol, Snap, restorable, times_of

execution = Execution(2)
snap, conv = Snap(execution, 1), Conv(Protocol(frozenset({(0, 1)})), 1)
"""
RIGHT = """\
conv(execution)
snap(Time(3))
restorable(conv, execution)
times_of(snap, [Time(3)])
"""
WRONG = {
    "restorable(snap, execution)": (
        'Argument 1 to "restorable" has incompatible type "Snap"; expected "Conv"  [arg-type]'
    ),
    "times_of(conv, [Time(3)])": (
        'Argument 1 to "times_of" has incompatible type "Conv"; expected "Snap"  [arg-type]'
    ),
    "conv(Time(3))": (
        'Argument 1 to "__call__" of "Conv" has incompatible type "Time"; expected "Execution"'
        "  [arg-type]"
    ),
    "snap(execution)": (
        'Argument 1 to "__call__" of "Snap" has incompatible type "Execution"; expected "Time"'
        "  [arg-type]"
    ),
    "conv = snap": (
        'Incompatible types in assignment (expression has type "Snap", variable has type "Conv")'
        "  [assignment]"
    ),
    "print(snap == conv)": (
        'Non-overlapping equality check (left operand type: "Snap", right operand type: "Conv")'
        "  [comparison-overlap]"
    ),
}


@requirement("OAE-EPS-001")
def test_mypy_reports_each_use_of_one_for_the_other(tmp_path: Path) -> None:
    program = tmp_path / "program.py"
    program.write_text(PROGRAM + RIGHT + "\n".join(WRONG) + "\n")
    first = len((PROGRAM + RIGHT).splitlines()) + 1
    said, problems, status = api.run(
        [
            "--strict",
            "--follow-imports=silent",
            "--cache-dir",
            str(tmp_path / "cache"),
            str(program),
        ]
    )
    assert (problems, status) == ("", 1)
    *errors, _summary = said.splitlines()
    assert [error.split(".py:", 1)[1] for error in errors] == [
        f"{first + number}: error: {error}" for number, error in enumerate(WRONG.values())
    ]


EXECUTION = Execution(2)
SNAP, CONV = Snap(EXECUTION, 1), Conv(Protocol(frozenset({(0, 1)})), 1)


@requirement("OAE-EPS-002")
@pytest.mark.parametrize(
    ("misuse", "line"),
    [
        (
            lambda: restorable(SNAP, EXECUTION),  # type: ignore[arg-type]
            "restorable wants a property of executions, Conv(P, e); given: Snap",
        ),
        (
            lambda: times_of(CONV, [Time(3)]),  # type: ignore[arg-type]
            "times_of wants a predicate on times, Snap(t); given: Conv",
        ),
        (
            lambda: CONV(Time(3)),  # type: ignore[arg-type]
            "Conv is asked of an execution; given: Time",
        ),
        (
            lambda: SNAP(EXECUTION),  # type: ignore[arg-type]
            "Snap is asked of a time; given: Execution",
        ),
    ],
)
def test_the_code_refuses_one_for_the_other(misuse: Callable[[], object], line: str) -> None:
    with pytest.raises(CategoryError) as refused:
        misuse()
    assert str(refused.value) == line


@requirement("OAE-EPS-002")
def test_the_claim_falls_if_one_misuse_is_not_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(type_error, "times_of", lambda snap, times: [])
    finding = type_error.type_error(Effort())
    assert finding.standing is Standing.DOES_NOT_HOLD
    assert "3 of 4 misuses refused" in finding.figure


@requirement("OAE-EPS-002")
def test_no_restoring_without_evidence() -> None:
    with pytest.raises(NotConvergedError, match="no evidence of convergence on epoch 1"):
        restorable(CONV, EXECUTION)


@requirement("OAE-EPS-003")
@pytest.mark.parametrize(
    ("events", "line"),
    [
        ([Durable(Time(1), 2, 1)], "there are 2 domains"),
        ([Converged(Time(1), 0, 5, 1)], "there are 2 domains"),
        ([Durable(Time(2), 0, 1), Durable(Time(1), 0, 2)], "the clock of domain 0 goes back"),
        ([Durable(Time(1), 0, 1), Durable(Time(2), 0, 1)], "the epoch of domain 0 does not grow"),
    ],
)
def test_a_recording_that_contradicts_itself_is_refused(
    events: list[Durable | Converged], line: str
) -> None:
    with pytest.raises(ExecutionError, match=line):
        Execution(2, tuple(events))
