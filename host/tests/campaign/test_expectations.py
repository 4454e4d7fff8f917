"""What a scenario expects of its run comes to the same verdict on every engine."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from oae.check.expect import expectations
from oae.check.run import judge_run
from oae.check.scoreboard import judge
from oae.check.verdict import Expectations, Promise, Struck, Verdict
from oae.engines import compiled, model
from oae.engines.compiled import Engine
from oae.engines.player import play
from oae.scenario.parse import parse_text
from oae.testing import requirement
from oae.trace import Power, Rule, Stop, Trace

from host.tests.campaign.schedules import LIMITS, LINK

LOAD = "[load.a]\nrecords = 20\n"
NEVER = '[[fault]]\nwhen = "a TOLD id=999"\ndo = "crash a"\n'
# The COMMIT becomes an ABORT that its responder cannot expect, and tells of.
FORGED = '[[fault]]\nwhen = "a->b COMMIT id=0 copy=0"\ndo = "forge byte=14 xor=ff guard"\n'
STALLED = '[[fault]]\nwhen = "a TOLD #5"\ndo = "stall a completion"\n'
CUT = '[[fault]]\nwhen = "a TOLD #5"\ndo = "cut a->b"\n'
UNTIL_NEVER = 'until = "a CANCELLED"\n'
STOP = '[[fault]]\nwhen = "a TOLD #3"\nafter = "10 cycles"\ndo = "stop"\n'
ONE_BY_ONE = "[load.a]\nrecords = 20\noutstanding = 1\ngap = 500\n"
CASES = {
    "nothing more": (LOAD, Verdict.PASS, ""),
    "too few records": (LOAD + "[expect]\nrecords = 21\n", Verdict.INCONCLUSIVE, "21 wanted"),
    "enough records": (LOAD + "[expect]\nrecords = 20\n", Verdict.PASS, ""),
    "a fault that never strikes": (LOAD + NEVER, Verdict.INCONCLUSIVE, "fault[1] never struck"),
    "a fault that need not strike": (
        LOAD + NEVER + "[expect]\nevery_fault = false\n",
        Verdict.PASS,
        "",
    ),
    "a forged frame": (LOAD + FORGED, Verdict.FAIL, ""),
    "a forged frame that is expected": (
        LOAD + FORGED + "[expect]\nviolations = 1\n",
        Verdict.PASS,
        "",
    ),
    "a host that stalls for good": (LOAD + STALLED, Verdict.INCONCLUSIVE, "stalled"),
    "a direction that is cut for good": (LOAD + CUT, Verdict.INCONCLUSIVE, "stalled"),
    "a stall whose end never comes": (
        LOAD + STALLED + UNTIL_NEVER,
        Verdict.INCONCLUSIVE,
        "stalled",
    ),
    "an end that is down at the stop": (
        LOAD + '[[fault]]\nwhen = "a TOLD #3"\ndo = "crash a"\n' + UNTIL_NEVER,
        Verdict.INCONCLUSIVE,
        "stalled",
    ),
    "an end that has no memory at the stop": (
        LOAD + '[[fault]]\nwhen = "a SENT"\ndo = "amnesia a"\n' + UNTIL_NEVER,
        Verdict.INCONCLUSIVE,
        "stalled",
    ),
    "chance that drops everything": (
        LOAD + '[rates."a->b"]\ndrop = 1.0\n',
        Verdict.INCONCLUSIVE,
        "stalled",
    ),
    "a rule that drops everything": (
        LOAD + '[[fault]]\nwhen = "a->b DATA"\ndo = "drop"\ntimes = "always"\n',
        Verdict.INCONCLUSIVE,
        "stalled",
    ),
    "a stop before the first frame": (
        LOAD + '[[fault]]\nwhen = "start"\ndo = "stop"\n',
        Verdict.INCONCLUSIVE,
        "",
    ),
    "a rule that fires with the stop": (ONE_BY_ONE + STOP, Verdict.PASS, ""),
    "a host at work when the run is over": (
        "[load.b]\nrecords = 40\n[host.a]\nstall = 1.0\nstall_max = 300\n"
        '[[fault]]\nwhen = "a DELIVERED #5"\ndo = "stop"\n',
        Verdict.INCONCLUSIVE,
        "unresolved",
    ),
    "a fate of a frame that never comes": (
        'fates = ["a->b DATA id=0 copy=0: drop", "a->b DATA id=77 copy=0: drop"]\n' + LOAD,
        Verdict.INCONCLUSIVE,
        "'a->b DATA id=77 copy=0: drop' never struck",
    ),
    "a fate that need not strike": (
        'fates = ["a->b DATA id=77 copy=0: drop"]\n' + LOAD + "[expect]\nevery_fault = false\n",
        Verdict.PASS,
        "",
    ),
    "fates of frames that come": (
        'fates = ["a->b DATA id=0 copy=0: drop", "a->b DATA id=0 copy=1: delay"]\n' + LOAD,
        Verdict.PASS,
        "",
    ),
    "one of several times that never comes": (
        LOAD + '[[fault]]\nwhen = "a DECIDED id=0"\ndo = "crash a"\nat = [1, 5]\n',
        Verdict.INCONCLUSIVE,
        "fault[1] struck 1 times, 2 wanted",
    ),
    "fewer strikes than wanted": (
        LOAD + '[[fault]]\nwhen = "a->b DATA id=0"\ndo = "drop"\ntimes = 2\n'
        '[[fault]]\nwhen = "a->b COMMIT id=1 copy=0"\ndo = "drop"\ntimes = 2\n',
        Verdict.INCONCLUSIVE,
        "fault[2] struck 1 times, 2 wanted",
    ),
    "as many strikes as chance would have": (
        LOAD + '[[fault]]\nwhen = "a->b DATA"\ndo = "drop"\nchance = 0.5\ntimes = 99\n',
        Verdict.PASS,
        "",
    ),
}
# Two session pairs alike: ids go wrong, and then nothing moves.
HANGS = (
    LINK.replace("[link]", '[link]\nsession = "same"')
    + "[load.both]\nrecords = 20\n"
    + '[[fault]]\nwhen = "a TOLD #3"\ndo = "amnesia a"\n'
    + "[expect]\nevery_fault = false\n"
    + LIMITS
)
STANDING = '[[fault]]\nwhen = "start"\nafter = "4000 cycles"\ndo = "stall a completion"\n'
HELD_UP = {
    "nothing": ("", False),
    "a stall that never strikes": (STANDING.replace("start", "a CANCELLED"), False),
    "a stall that is over": (STANDING + 'for = "100 cycles"\n', False),
    "a stall that stands": (STANDING, True),
    "a stall whose end never comes": (STANDING + UNTIL_NEVER, True),
    "chance that is over": (
        '[rates."a->b"]\ndrop = 1.0\nuntil = 50\n',
        False,
    ),
    "an epoch that never strikes": (
        '[[fault]]\nwhen = "a CANCELLED"\ndo = "epoch a 3"\n',
        False,
    ),
}


@pytest.fixture(scope="module")
def engine() -> Iterator[Engine]:
    with Engine(compiled.parameters(parse_text(LINK))) as engine:
        yield engine


@requirement("OAE-RUN-010")
@pytest.mark.parametrize("name", CASES)
def test_every_engine_comes_to_the_same_verdict(engine: Engine, name: str, tmp_path: Path) -> None:
    text, verdict, reason = CASES[name]
    fates, _, rest = text.partition("\n") if text.startswith("fates") else ("", "", text)
    scenario = parse_text(LINK.replace("[link]", fates + "\n[link]") + rest + LIMITS)
    outcome = engine.run(scenario)
    found = {"compiled": (outcome.verdict, outcome.reason)}
    for one in ("verilator", model.NAME):
        ended = play(scenario, tmp_path / one, engine=one)
        trace = Trace(tmp_path / one / "trace.txt")
        judgement = judge(trace, expectations(scenario), ended.assertions)
        found[one] = judgement.verdict, judgement.reason
    assert {told for told, _ in found.values()} == {verdict}, found
    assert all(reason in why for _, why in found.values()), found
    assert (verdict is Verdict.FAIL) == bool(outcome.findings or outcome.assertions)


@requirement("OAE-RUN-010", "OAE-PRM-006")
@pytest.mark.parametrize("name", HELD_UP)
def test_a_standstill_is_excused_by_what_stands(engine: Engine, name: str, tmp_path: Path) -> None:
    """A fault that never struck, or is over, hides nothing on any engine."""
    faults, excused = HELD_UP[name]
    scenario = parse_text(HANGS + faults)
    outcome = engine.run(scenario)
    found = {"compiled": {finding.promise for finding in outcome.findings}}
    stops = {outcome.stop}
    for one in ("verilator", model.NAME):
        ended = play(scenario, tmp_path / one, engine=one)
        judged = judge_run(scenario, b"", tmp_path / one, ended.assertions, followed=True)
        found[one] = {violation.promise for violation in judged.judgement.violations}
        stops.add(judged.judgement.stop)
        assert judged.result is not None
        found[f"capture of {one}"] = {finding.promise for finding in judged.result.findings}
    assert stops == {"stalled"}
    for promises in found.values():
        assert (Promise.PROGRESS not in promises) == excused, found


@requirement("OAE-RUN-009")
def test_rules_that_fire_with_the_stop_are_told(tmp_path: Path) -> None:
    """And what was demanded until then stands at the stop."""
    text = (
        ONE_BY_ONE
        + STOP
        + STOP.replace('"stop"', '"crash b"').replace("after", "until = 'a CANCELLED'\nafter")
    )
    play(parse_text(LINK + text + LIMITS), tmp_path / "run", engine=model.NAME)
    lines = list(Trace(tmp_path / "run" / "trace.txt"))
    (stop,) = (line for line in lines if isinstance(line, Stop))
    assert stop.reason == "requested"
    acting = {line.number for line in lines if isinstance(line, Rule) and line.cycle == stop.cycle}
    assert len(acting) == 2
    powers = [(line.cycle - stop.cycle, line.crash) for line in lines if isinstance(line, Power)]
    assert powers == [(0, 1), (1, 0)]


@requirement("OAE-RUN-010")
def test_an_upset_strikes_before_the_stop_or_not_at_all() -> None:
    expected = expectations(
        parse_text('version = 1\nupsets = ["cycle 900: b responder.ids[3] bit 17"]\n')
    )
    assert expected.unmet(1, Struck(cycle=901)) == ""
    told = expected.unmet(1, Struck(cycle=900))
    assert told == "'cycle 900: b responder.ids[3] bit 17' never struck"


@requirement("OAE-RUN-010")
def test_only_so_many_assertions_are_forgiven() -> None:
    spoken = ["a: an answer that a correct peer cannot send", "a: a slot is lost"] * 3
    assert Expectations().unforgiven(spoken) == spoken
    assert Expectations(violations=2).unforgiven(spoken) == [*spoken[1:2], *spoken[3:]]
