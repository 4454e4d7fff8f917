"""Judges the run that stands in a run directory, by everything that can judge it."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from oae.capture.read import Capture
from oae.capture.record import IN_RUN
from oae.check.capture import check
from oae.check.carried_file import CarriedFile, carried_by
from oae.check.expect import expectations
from oae.check.findings import REQUIREMENT, Result
from oae.check.lockstep import follow
from oae.check.scoreboard import judge
from oae.check.verdict import Judgement, Promise, Verdict, Violation
from oae.scenario.scenario import Scenario
from oae.trace import Trace, TraceError


@dataclass
class Judged:
    """What a run came to."""

    judgement: Judgement
    carried: CarriedFile | None  # the file, if the scenario carries one
    result: Result | None  # what the checker of captures found, if there is a capture

    @property
    def in_short(self) -> str:
        """The verdict, and the first requirement that was broken."""
        violations = sorted(self.judgement.violations, key=lambda violation: violation.line)
        broken = [REQUIREMENT.get(one.promise, str(one.promise)) for one in violations]
        if not broken and self.result is not None:
            broken = [finding.requirement for finding in self.result.findings]
        return ", ".join([self.judgement.verdict, *broken[:1]])


def judge_run(
    scenario: Scenario,
    content: bytes,
    folder: Path,
    assertions: Sequence[str],
    *,
    followed: bool,
) -> Judged:
    """Judge by the scoreboard, by the file (`content`) if one was carried, and by the capture.

    `followed`: the reference end has to follow every step. `assertions` are the RTL's own lines.
    """
    carried = carried_by(scenario, content)
    try:
        trace = Trace(folder / "trace.txt")
        watch = carried.watch if carried else None
        judgement = judge(trace, expectations(scenario), assertions, watch)
    except TraceError as error:
        judgement = Judgement(Verdict.BENCH_ERROR, str(error), [])
    if carried is not None:
        _judge_file(judgement, carried)
    if followed:
        _follow(judgement, Trace(folder / "trace.txt"))
    result = _check(judgement, folder / IN_RUN) if (folder / IN_RUN).exists() else None
    return Judged(judgement, carried, result)


def _judge_file(judgement: Judgement, carried: CarriedFile) -> None:
    """A file that came out other than it went in is never PASS."""
    judgement.violations += carried.violations
    if carried.problem is None:
        return
    verdict, reason = carried.problem
    if judgement.verdict is Verdict.PASS or (
        judgement.verdict is Verdict.INCONCLUSIVE and verdict is Verdict.FAIL
    ):
        judgement.verdict, judgement.reason = verdict, reason


def _follow(judgement: Judgement, trace: Trace) -> None:
    """A run in which an end does what the reference end would not have done is never PASS."""
    followed = follow(trace)
    judgement.followed_steps, judgement.followed_frames = followed.steps, followed.frames
    found = followed.divergence
    if found is None:
        return
    text = f"end {found.end}: {found.problem}"
    violation = Violation(Promise.REFERENCE, found.line, found.cycle, text)
    judgement.violations.append(violation)
    if judgement.verdict in (Verdict.PASS, Verdict.INCONCLUSIVE):
        judgement.verdict, judgement.reason = Verdict.FAIL, str(violation)


def _check(judgement: Judgement, path: Path) -> Result:
    """The checker of captures is a second judge."""
    result = check(Capture(path), obstructed=judgement.obstructed if judgement.stop else None)
    if result.verdict is Verdict.FAIL and judgement.verdict is Verdict.PASS:
        judgement.verdict, judgement.reason = Verdict.FAIL, f"{path.name}: {result.reason}"
    return result
