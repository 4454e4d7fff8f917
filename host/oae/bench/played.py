"""A run on a bench with its run directory: what `oae run --bench` leaves, judged."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from oae.bench.bench import Bench
from oae.bench.runner import Run
from oae.bench.seen_of_board import judge_board
from oae.capture import evidence
from oae.capture.join import Joined
from oae.capture.read import Capture, packets
from oae.capture.record import EVIDENCE, IN_RUN
from oae.check.capture import check
from oae.check.carried_file import CarriedFile, carried_by
from oae.check.expect import expectations
from oae.check.findings import Result
from oae.check.verdict import Struck, Verdict
from oae.engines.rundir import Ended, Progress, kept
from oae.medium.signals import Signals
from oae.scenario.compile import compile_scenario, write
from oae.scenario.scenario import ENDS, Scenario
from oae.trace import Deliver, Fate

ENGINE: Final = "bench"


@dataclass
class Played:
    """How a run on a bench ended, and what became of it."""

    ended: Ended
    result: Result
    carried: CarriedFile | None
    facts: dict[str, Any]  # what was measured, with its clocks


def play(
    bench: Bench,
    scenario: Scenario,
    out: Path,
    *,
    content: bytes = b"",
    command: str = "",
    overruled: dict[str, int | str] | None = None,
    timeout: float | None = None,
    progress: Callable[[Progress], None] | None = None,
    ending: Signals | None = None,
) -> Played:
    """Play a scenario on a bench; the run directory `out` is there, whole, when this returns."""
    runs: list[Run] = []

    def in_folder(work: Path) -> Ended:
        run = Run(bench, scenario, work)
        ended = run.play(timeout, progress, ending)
        runs.append(run)
        return ended

    ended = kept(
        scenario,
        out,
        in_folder,
        engine=ENGINE,
        schedule=write(compile_scenario(scenario, content)),
        file=content,
        command=command,
        overruled=overruled,
        parameters={"bench": bench.name},
        defines=[],
    )
    (run,) = runs
    result = check(Capture(out / IN_RUN))
    carried = _watched(scenario, content, out, run.struck)
    judge(result, ended, run.joined)
    result.lines += [f"times of end {name}: {said['clock']}" for name, said in run.ready.items()]
    if run.board is not None:
        judge_board(result, ENDS.index(run.board), run.told[run.board], out / IN_RUN)
    if result.verdict is Verdict.PASS:
        committed = sum(one["committed"] for one in run.told.values())
        _amend(result, carried, expectations(scenario).unmet(committed, run.struck))
    return Played(ended, result, carried, run.facts())


def judge(result: Result, ended: Ended, joined: Joined | None) -> None:
    """What is known besides the capture: how the run ended, and what media lost."""
    if joined is not None:
        _say_of_joining(result, joined)
    if ended.status == "interrupted" and result.verdict is not Verdict.FAIL:
        result.verdict, result.reason = Verdict.INCONCLUSIVE, ended.status
    elif ended.stop in ("timeout", "cycles", "stalled") and result.verdict is Verdict.INCONCLUSIVE:
        result.reason = f"{ended.stop}: {result.reason}"


def _say_of_joining(result: Result, joined: Joined) -> None:
    if joined.lost:
        before, behind = sum(joined.lost_to_relay), sum(joined.lost_to_peer)
        result.lines.append(
            f"the media lost {joined.lost:,} frames besides what the scenario demands"
            + (f": {before:,} before the relay, {behind:,} behind it" if behind else "")
        )
    result.lines += [f"{source}: {text}" for source, text in joined.damage.items()]


def _amend(result: Result, carried: CarriedFile | None, unmet: str) -> None:
    """A run that kept every promise may still have shown too little, or a wrong file."""
    if unmet:
        result.verdict, result.reason = Verdict.INCONCLUSIVE, unmet
    if carried is not None and carried.problem is not None:
        result.verdict, result.reason = carried.problem


def _watched(scenario: Scenario, content: bytes, out: Path, struck: Struck) -> CarriedFile | None:
    """The file as it came out, if one was carried; fates that struck are added to `struck`."""
    carried = carried_by(scenario, content)
    if carried is None and not scenario.fates:
        return None
    for packet in packets(out / IN_RUN):
        if packet.interface == EVIDENCE:
            record = evidence.decode(packet.data)
            if isinstance(record, Fate):
                struck.fates.add((record.end, record.operation, record.id, record.copy))
            elif isinstance(record, Deliver) and carried is not None:
                carried.watch(record)
    return carried
