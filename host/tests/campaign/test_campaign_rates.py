"""Rates that end: the medium strikes until a cycle, and never again."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from oae.campaign.swarm import drawn, parameters
from oae.engines.compiled import Engine
from oae.faults.decide import Copies, decide
from oae.scenario.layout import Fault
from oae.scenario.parse import ScenarioError, parse_text
from oae.testing import requirement
from oae.trace import Fate, Trace, Transmit

BUILD = "brisk"
UNTIL = 2_000
# Nothing but the rates strikes.
RATES = """
version = 1
[link]
beat_idle = 128
beat_busy = 40
fault_beats = 40
sync_interval = 160
[load.both]
records = 60
resubmit = true
[rates.both]
drop = 0.1
duplicate = 0.1
reorder = 0.1
corrupt = 0.1
flip = 0.1
delay = 0.1
"""


@pytest.fixture(scope="module")
def engine() -> Iterator[Engine]:
    with Engine(parameters(BUILD)) as engine:
        yield engine


@requirement("OAE-RUN-002", "OAE-SIM-003")
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_verilog_and_python_end_the_rates_alike(engine: Engine, tmp_path: Path, seed: int) -> None:
    text = f"seed = {seed}\n{RATES}until = {UNTIL}\n"
    scenario = parse_text(text)
    outcome = engine.run(scenario, trace=tmp_path / "trace.txt")
    assert outcome.stop == "resolved"
    names = Copies(), Copies()
    frames: dict[tuple[int, int], Transmit] = {}
    # Only so many are held at a time; one more passes.
    held = Fault.HELD | Fault.DUPLICATE_HELD
    struck = {False: 0, True: 0}
    for record in Trace(tmp_path / "trace.txt"):
        if isinstance(record, Transmit):
            frames[record.end, record.number] = record
        elif isinstance(record, Fate):
            data = frames.pop((record.end, record.number)).data
            name = names[record.end].name(data)
            assert name == (record.operation, record.id, record.copy)
            rates = scenario.rates[record.end]
            length = int.from_bytes(data[17:19], "big")
            decision = decide(rates, seed, record.end, name, length, record.cycle)
            assert record.faults | held == decision.faults | held, record
            struck[record.cycle >= UNTIL] += record.faults != 0
    assert struck[False] > 20
    assert struck[True] == 0


@requirement("OAE-RUN-002")
def test_without_an_end_they_go_on(engine: Engine, tmp_path: Path) -> None:
    engine.run(parse_text(RATES), trace=tmp_path / "trace.txt")
    fates = [record for record in Trace(tmp_path / "trace.txt") if isinstance(record, Fate)]
    assert any(fate.faults for fate in fates if fate.cycle >= UNTIL)


@requirement("OAE-RUN-002")
def test_an_end_is_a_number_of_cycles() -> None:
    with pytest.raises(ScenarioError, match=r"scenario.toml:.*until: -1 is not a whole number"):
        parse_text(f"{RATES}until = -1\n")


@requirement("OAE-RUN-002")
def test_what_must_resolve_in_the_rest_resolves(engine: Engine) -> None:
    for seed in range(1, 9):
        run = drawn(seed, [BUILD])
        outcome = engine.run(run.scenario)
        assert outcome.stop == "resolved", (seed, outcome.reason)
