"""One trial of the study: a run with one flipped bit beside the same run without it."""

import tempfile
from dataclasses import replace
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Final, NamedTuple

from oae.check.verdict import Promise, Verdict
from oae.engines.compiled import Engine, Outcome, parameters
from oae.errors import OaeError
from oae.scenario.parse import parse
from oae.scenario.scenario import Scenario
from oae.scenario.upsets import Upset
from oae.spec.constants import COUNTERS, REGISTER
from oae.trace import Trace
from oae.upsets.hosts import wronged

STUDY: Final = Path(__file__).with_name("study.toml")
# Counters of an end that tell of an error, with what they are in every run of the study without
# one. That an end hears of a session twice is one, too.
ALARMS: Final = {
    "MALFORMED_TOO_SHORT": 0,
    "MALFORMED_UNKNOWN_OPERATION": 0,
    "MALFORMED_WRONG_BALANCE": 0,
    "MALFORMED_UNKNOWN_KIND": 0,
    "MALFORMED_BAD_LENGTH": 0,
    "MALFORMED_BAD_GUARD": 0,
    "MALFORMED_WRONG_LINK_SESSION": 0,
    "MALFORMED_WRONG_DIGEST": 0,
    "FOREIGN": 0,
    "UNSUPPORTED": 0,
    "MISMATCHED": 0,
    "TOLD_UNKNOWN": 0,
    "UNOPENED_TOLD": 0,
    "INITIATOR_VIOLATION": 0,
    "RESPONDER_VIOLATION": 0,
    "PAIR_VIOLATION": 0,
    "DOUBTED": 0,
    "LOOPBACK": 0,
    "FOREIGN_SESSION": 0,
    "INCOMING_DEAD": 0,
    "OUTGOING_DEAD": 0,
    "SESSION_ADOPTED": 1,
}


class Effect(StrEnum):
    """What a flipped bit comes to, for the hosts first."""

    NONE = "no effect"  # the trace is the same
    RECOVERED = "recovered"  # another run, and as good
    DETECTED = "detected"  # as good, and a counter of the ends tells of an error
    INSIDE = (
        "inside only"  # an observer of the steps is told nonsense; hosts and ends notice nothing
    )
    STUCK_TOLD = "stuck, told"  # not everything resolves, and a counter tells of an error
    STUCK = "stuck silently"
    TOLD = "broken, told"  # a promise is broken to a host, and a counter tells of an error
    SILENT = "broken silently"
    DIED = "simulation died"


class Result(NamedTuple):
    """A trial and what it came to."""

    seed: int
    upset: str
    effect: Effect
    promises: tuple[Promise, ...]  # that were broken to a host
    alarms: tuple[str, ...]
    stop: str


def scenario(seed: int, upset: Upset | None = None) -> Scenario:
    """The run of the study with this seed."""
    return replace(_study(), seed=seed, upsets=(upset,) if upset else ())


def play(seed: int, upset: Upset) -> Result:
    """The run of a seed with this bit flipped."""
    played = scenario(seed, upset)
    engine = study_engine()
    outcome = engine.run(played, sha256=True)
    promises: tuple[Promise, ...] = ()
    alarms = alarms_of(outcome)
    if not outcome.stop:
        effect = Effect.DIED
    elif outcome.sha256 == _usual(seed):
        effect = Effect.NONE
    else:
        promises = () if outcome.verdict is Verdict.PASS else _wronged(engine, played)
        effect = _effect(outcome, promises, alarms)
    return Result(seed, str(upset), effect, promises, alarms, outcome.stop)


def alarms_of(outcome: Outcome) -> tuple[str, ...]:
    """The counters that tell of an error; none if the counters themselves are wrong."""
    if any(finding.promise is Promise.COUNTERS for finding in outcome.findings):
        return ()
    first = REGISTER["COUNTERS"]
    places = {name: first + place for place, (name, *_) in enumerate(COUNTERS)}
    return tuple(
        name
        for name, usual in ALARMS.items()
        if any(registers and registers[places[name]] != usual for registers in outcome.registers)
    )


# The checker calls it a failure of the bench if an end tells of other frames than it sends; here it
# is the end that is wrong.
def _effect(outcome: Outcome, promises: tuple[Promise, ...], alarms: tuple[str, ...]) -> Effect:
    if promises:
        return Effect.TOLD if alarms else Effect.SILENT
    if outcome.stop != "resolved":
        return Effect.STUCK_TOLD if alarms else Effect.STUCK
    if alarms:
        return Effect.DETECTED
    return Effect.RECOVERED if outcome.verdict is Verdict.PASS else Effect.INSIDE


def _wronged(engine: Engine, played: Scenario) -> tuple[Promise, ...]:
    with tempfile.TemporaryDirectory() as folder:
        trace = Path(folder) / "trace.txt"
        engine.run(played, trace=trace)
        return tuple(sorted(wronged(Trace(trace))))


@cache
def _study() -> Scenario:
    return parse(STUDY)


@cache
def study_engine() -> Engine:
    """The engine of this process."""
    return Engine(parameters(_study()), upsets=True)


@cache
def _usual(seed: int) -> str:
    """The event-log hash of the run without a flipped bit, which must be a good one."""
    outcome = study_engine().run(scenario(seed), sha256=True)
    if outcome.verdict is not Verdict.PASS or alarms_of(outcome):
        raise OaeError(
            f"{STUDY.name}, seed {seed}: {outcome.reason}; {', '.join(alarms_of(outcome))}"
        )
    return outcome.sha256
