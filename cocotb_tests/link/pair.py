"""Plays a scenario on a pair of RTL ends and follows every step of both with the reference end."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from oae.check.expect import expectations
from oae.check.lockstep import follow
from oae.check.scoreboard import judge
from oae.check.verdict import Verdict
from oae.engines import rtl
from oae.engines.rundir import Ended
from oae.scenario.layout import Fault
from oae.scenario.parse import parse, parse_text
from oae.spec.constants import EventCode
from oae.trace import Event, Fate, Power, Trace

from cocotb_tests.link import arcs


class Played(NamedTuple):
    """A run: how it stopped, its trace, and what happened in it."""

    stop: str
    cycles: int
    trace: Trace
    events: Counter[EventCode]
    fates: Counter[Fault]
    crashes: Counter[int]  # by end
    assertions: list[str]

    @property
    def opened(self) -> int:
        """Transactions of both lanes."""
        return self.events[EventCode.OPENED]


def play(
    scenario: str,
    folder: Path,
    *,
    seed: int | None = None,
    simulator: str = "verilator",
    defines: Sequence[str] = (),
    direct: bool = False,
    lockstep: bool = True,
) -> Played:
    """Run a scenario, by the name of one in the library or as text, into `folder`.

    Raises AssertionError where the reference end would have done something else, or where the
    scoreboard finds a promise broken or a counter wrong.
    """
    parsed = parse_text(scenario) if "\n" in scenario else parse(scenario)
    if seed is not None:
        parsed = replace(parsed, seed=seed)
    ended = rtl.run(parsed, folder, simulator=simulator, defines=defines, direct=direct)
    assert ended.status == "finished", f"{ended.status}: {ended.errors or ended.stop}"
    trace = Trace(folder / "trace.txt")
    if not defines and not parsed.upsets:  # else it is not the link that exploration knows
        arcs.note(trace)
    if lockstep:
        followed = follow(trace)
        assert followed.divergence is None, f"seed {parsed.seed}: {followed.divergence}"
        assert followed.steps > 0
        # The reference end may be wrong in the same way; the scoreboard knows only the promises.
        if not direct:  # without channels there are no fates to judge
            judgement = judge(trace, expectations(parsed), ended.assertions)
            assert judgement.verdict == Verdict.PASS, f"seed {parsed.seed}: {judgement.reason}"
    return _counted(ended, trace)


def _counted(ended: Ended, trace: Trace) -> Played:
    events: Counter[EventCode] = Counter()
    fates: Counter[Fault] = Counter()
    crashes: Counter[int] = Counter()
    for record in trace:
        match record:
            case Event():
                events[EventCode(record.code)] += 1
            case Fate():
                for fault in Fault:
                    if record.faults & fault:
                        fates[fault] += 1
            case Power():
                crashes[record.end] += record.crash
    return Played(ended.stop, ended.cycles, trace, events, fates, crashes, ended.assertions)
