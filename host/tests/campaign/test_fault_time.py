"""How long a round trip may take: the patience of the beats, and what no medium may exceed."""

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from oae.campaign.swarm import BUILDS, drawn
from oae.engines import rtl
from oae.scenario.parse import ScenarioError, parse_text
from oae.scenario.scenario import Scenario
from oae.spec.constants import EventCode
from oae.testing import requirement
from oae.trace import Event, Trace

FAULT_BEATS, BEAT_BUSY = 8, 64
PATIENCE = FAULT_BEATS * BEAT_BUSY
# What a frame takes besides the latency, both ways: its beats, the parser, the wait for the line.
OWN = 100


def scenario(latency: int, beats: str = "true") -> Scenario:
    """One record after the other from a to b, and so long a way there and back together."""
    return parse_text(
        f"""
version = 1
[link]
beats = {beats}
window = 1
beat_idle = {BEAT_BUSY}
beat_busy = {BEAT_BUSY}
fault_beats = {FAULT_BEATS}
[load.a]
records = 5
[rates."a->b"]
latency = {latency // 2}
[rates."b->a"]
latency = {latency - latency // 2}
[limits]
cycles = 8000
stall = 8000
"""
    )


def steps(played: Scenario, folder: Path) -> list[EventCode]:
    """Every step that the ends took."""
    rtl.run(played, folder / "run", simulator="icarus")
    trace = Trace(folder / "run" / "trace.txt")
    return [EventCode(record.code) for record in trace if isinstance(record, Event)]


@requirement("OAE-LNK-030")
@pytest.mark.parametrize("latency", [0, PATIENCE - 2 * BEAT_BUSY - OWN])
def test_a_round_trip_that_the_beats_wait_for_is_no_fault(latency: int, tmp_path: Path) -> None:
    taken = steps(scenario(latency), tmp_path)
    assert EventCode.OUTGOING_DEAD not in taken
    assert EventCode.INCOMING_DEAD not in taken
    assert taken.count(EventCode.TOLD) == 5


@requirement("OAE-LNK-030")
def test_a_longer_one_is_fault_for_ever(tmp_path: Path) -> None:
    """So the refusal of such a scenario refuses nothing that would have worked."""
    slow = scenario(0)
    slow = replace(slow, rates=tuple(replace(one, latency=PATIENCE // 2) for one in slow.rates))
    taken = steps(slow, tmp_path)
    assert taken.count(EventCode.OUTGOING_DEAD) > 5
    assert EventCode.TOLD not in taken


@requirement("OAE-LNK-030")
@settings(deadline=None)
@given(st.integers(0, 3 * PATIENCE))
def test_a_scenario_that_cannot_work_is_refused(latency: int) -> None:
    scenario(latency, beats="false")  # nobody waits for an echo
    if latency < PATIENCE:
        scenario(latency)
        return
    problem = f"fault_beats x beat_busy is {PATIENCE} cycles, .* takes at least {latency}"
    with pytest.raises(ScenarioError, match=f"^scenario.toml:8: link.fault_beats: {problem}"):
        scenario(latency)


@requirement("OAE-LNK-030", "OAE-RUN-001")
@settings(deadline=None)
@given(st.integers(0, 2**32 - 1), st.sampled_from(tuple(BUILDS)))
def test_a_campaign_draws_none_that_comes_near_it(seed: int, build: str) -> None:
    run = drawn(seed, [build]).scenario
    latency = sum(rates.latency for rates in run.rates)
    assert latency + OWN < (run.link.fault_beats - 2) * run.link.beat_busy
