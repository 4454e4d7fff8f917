"""What a scenario expects of its run comes to the same verdict on every engine."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from oae.check.expect import expectations
from oae.check.scoreboard import judge
from oae.check.verdict import Expectations, Verdict
from oae.engines import compiled, model
from oae.engines.compiled import Engine
from oae.engines.player import play
from oae.scenario.parse import parse_text
from oae.testing import requirement
from oae.trace import Trace

from host.tests.campaign.schedules import LIMITS, LINK

LOAD = "[load.a]\nrecords = 20\n"
NEVER = '[[fault]]\nwhen = "a TOLD id=999"\ndo = "crash a"\n'
# The COMMIT becomes an ABORT that its responder cannot expect, and tells of.
FORGED = '[[fault]]\nwhen = "a->b COMMIT id=0 copy=0"\ndo = "forge byte=14 xor=ff guard"\n'
STALLED = '[[fault]]\nwhen = "a TOLD #5"\ndo = "stall a completion"\n'
CUT = '[[fault]]\nwhen = "a TOLD #5"\ndo = "cut a->b"\n'
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
}


@pytest.fixture(scope="module")
def engine() -> Iterator[Engine]:
    with Engine(compiled.parameters(parse_text(LINK))) as engine:
        yield engine


@requirement("OAE-RUN-010")
@pytest.mark.parametrize("name", CASES)
def test_every_engine_comes_to_the_same_verdict(engine: Engine, name: str, tmp_path: Path) -> None:
    text, verdict, reason = CASES[name]
    scenario = parse_text(LINK + text + LIMITS)
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


@requirement("OAE-RUN-010")
def test_only_so_many_assertions_are_forgiven() -> None:
    spoken = ["a: an answer that a correct peer cannot send", "a: a slot is lost"] * 3
    assert Expectations().unforgiven(spoken) == spoken
    assert Expectations(violations=2).unforgiven(spoken) == [*spoken[1:2], *spoken[3:]]
