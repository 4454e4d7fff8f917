"""`oae shrink`: what is left of a failing run breaks the same promise, and every part is needed."""

import statistics
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from oae import cli
from oae.check.verdict import Promise, Verdict
from oae.engines import rtl
from oae.engines.compiled import Engine, parameters
from oae.faults.hash import draw
from oae.scenario.expand import expand
from oae.scenario.fates import NamedFate
from oae.scenario.layout import Action, Fault
from oae.scenario.parse import parse, parse_text
from oae.scenario.scenario import Load, Scenario
from oae.scenario.write import write_scenario
from oae.shrink.anchors import anchored
from oae.shrink.difference import difference
from oae.shrink.engines import Broken, Compiled, Player, Simulated
from oae.shrink.events import events, with_events
from oae.shrink.hosts import with_host_faults
from oae.shrink.recorded import Recorded
from oae.shrink.reduce import Reducer
from oae.shrink.shrink import Shrunk, shrink
from oae.spec.constants import EventCode, Operation
from oae.testing import requirement
from oae.trace import Cancel, Event, Trace

from cocotb_tests.link.ablations import CASES, ONE_SLOT
from host.tests.campaign.schedules import CHANCES, noisy

CRASHES = """
[[fault]]
when = "b RECEIVED"
chance = 0.1
times = 3
do = "crash b"
for = "3 cycles"
[[fault]]
when = "any OPENED #5"
do = "crash a"
"""
AMNESIA = '[[fault]]\nwhen = "b DELIVERED"\nchance = 0.3\ntimes = 3\ndo = "amnesia b"\n'
FATES = st.lists(st.tuples(st.integers(0, 1), st.integers(0, 9)), unique=True, max_size=12)


class Needing:
    """A link that breaks if these frames are lost and so many records are submitted."""

    def __init__(self, needed: Sequence[NamedFate], records: int) -> None:
        self.needed = set(needed)
        self.records = records

    def play(self, scenario: Scenario) -> Broken | None:
        breaks = self.needed <= set(scenario.fates)
        breaks &= scenario.loads[0].records >= self.records
        return Broken(Promise.AGREEMENT, "OAE-PRM-001", "", 9) if breaks else None

    def close(self) -> None:
        pass


class Erratic(Needing):
    """One in which no two schedules have anything to do with each other."""

    def __init__(self, seed: int) -> None:
        self.seed = seed

    def play(self, scenario: Scenario) -> Broken | None:
        hash = draw(self.seed, *(fate.id for fate in scenario.fates))
        promise = Promise.PROGRESS if hash & 4 else Promise.AGREEMENT
        return Broken(promise, "", "", 9) if hash & 3 else None


def lost(name: tuple[int, int]) -> NamedFate:
    return NamedFate(name[0], Operation.DATA, 0, name[1], Fault.DROPPED)


def needs_everything(scenario: Scenario, promise: Promise, player: Player) -> bool:
    """Whether the promise is kept, or another breaks first, without any one fault event."""
    found = events(scenario)
    for i in range(len(found)):
        broken = player.play(with_events(scenario, found[:i] + found[i + 1 :]))
        if broken is not None and broken.promise == promise:
            return False
    return True


@requirement("OAE-SHR-004")
@given(FATES, st.data(), st.integers(0, 40), st.integers(0, 40))
def test_what_is_needed_is_left(
    names: list[tuple[int, int]], data: st.DataObject, most: int, more: int
) -> None:
    fates = tuple(sorted(map(lost, names)))
    needed = data.draw(st.lists(st.sampled_from(fates), unique=True) if fates else st.just([]))
    player = Needing(needed, most)
    loads = (Load(records=most + more), Load(records=3))
    scenario = Scenario(fates=fates, loads=loads)
    broken = player.play(scenario)
    assert broken is not None
    reducer = Reducer(player, scenario, broken)
    reducer.reduce()
    assert set(reducer.best.fates) == set(needed)
    assert [load.records for load in reducer.best.loads] == [most, 0]


@requirement("OAE-SHR-004")
@given(FATES, st.integers(0, 2**32 - 1))
def test_each_removal_from_the_result_mends_it(names: list[tuple[int, int]], seed: int) -> None:
    """Also where what breaks has nothing to do with how much is left."""
    player = Erratic(seed)
    scenario = Scenario(fates=tuple(sorted(map(lost, names))))
    broken = player.play(scenario)
    if broken is None:
        return
    reducer = Reducer(player, scenario, broken)
    reducer.reduce()
    assert reducer.broken.promise == broken.promise
    assert needs_everything(reducer.best, broken.promise, player)


def failing(
    scenario: Scenario, folder: Path, without: Sequence[str] = (), most: int = 1
) -> list[Recorded]:
    """The first runs, over seeds, that break a promise."""
    defines = tuple(f"OAE_ABLATE_{name}" for name in without)
    found = []
    with Engine(parameters(scenario), defines) as engine:
        for seed in range(1, 200):
            drawn = replace(scenario, seed=seed)
            if engine.run(drawn, first=True).verdict is Verdict.FAIL:
                trace = folder / f"{seed}.txt"
                engine.run(drawn, trace=trace)
                found.append(Recorded(drawn, "verilator", defines, b"", Trace(trace)))
            if len(found) == most:
                break
    return found


def check(run: Recorded, shrunk: Shrunk, player: Player) -> None:
    """The result as text breaks the same promise, and each of its fault events is needed."""
    assert shrunk.minimal
    assert shrunk.faults_left == len(events(shrunk.scenario)) <= shrunk.faults
    first = player.play(run.scenario)
    again = player.play(parse_text(write_scenario(shrunk.scenario)))
    assert first is not None
    assert again == shrunk.broken
    assert again.promise == first.promise
    assert needs_everything(shrunk.scenario, first.promise, player)


@requirement("OAE-SHR-002", "OAE-SHR-004")
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_strikes_tied_to_steps_give_the_trace_again(seed: int, tmp_path: Path) -> None:
    scenario = replace(noisy(CRASHES), seed=seed)
    rtl.run(scenario, tmp_path / "before")
    before = Trace(tmp_path / "before" / "trace.txt")
    tied = anchored(expand(scenario, before), before)
    assert len(tied.faults) > 2
    assert all(" id=" in fault.when.words and not fault.at for fault in tied.faults)
    rtl.run(tied, tmp_path / "now")
    assert difference(before.path, tmp_path / "now" / "trace.txt", rules=False) is None


@requirement("OAE-SHR-004")
def test_what_hosts_did_by_chance_can_be_scheduled(tmp_path: Path) -> None:
    """Cancels and refusals come as they came, though a cancel may be a few cycles later."""
    scenario = noisy()
    rtl.run(scenario, tmp_path / "before")
    before = Trace(tmp_path / "before" / "trace.txt")
    scheduled = with_host_faults(expand(scenario, before), before, 10**6)
    assert {fault.do.code for fault in scheduled.faults} == {Action.CANCEL, Action.REFUSE}
    assert not any(load.cancel for load in scheduled.loads)
    assert not any(host.refuse for host in scheduled.hosts)
    rtl.run(scheduled, tmp_path / "now")
    now = Trace(tmp_path / "now" / "trace.txt")
    assert host_steps(now) == host_steps(before) != []


def host_steps(trace: Trace) -> list[tuple[int, ...]]:
    """What was cancelled and refused."""
    steps: list[tuple[int, ...]] = []
    for record in trace:
        match record:
            case Cancel():
                steps.append((record.end, record.tag))
            case Event(code=EventCode.REFUSED):
                steps.append((record.end, record.value, record.info))
    return sorted(steps)


@requirement("OAE-SHR-004")
def test_a_failing_run_is_reduced(tmp_path: Path) -> None:
    """F28, left out by the scenario: the session after amnesia is the one before it."""
    (run,) = failing(noisy(CHANCES + AMNESIA, session="same"), tmp_path)
    player = Compiled((), b"")
    try:
        shrunk = shrink(run, "compiled", windows=())
        check(run, shrunk, player)
    finally:
        player.close()
    assert shrunk.faults_left <= 5 < shrunk.faults
    again = shrink(run, "compiled", windows=())
    assert replace(again, seconds=0.0) == replace(shrunk, seconds=0.0)
    # Any other engine shows the same.
    assert Simulated("icarus", (), b"").play(shrunk.scenario) == shrunk.broken


@requirement("OAE-SHR-004")
def test_an_ingredient_left_out_is_reduced(tmp_path: Path) -> None:
    (run,) = failing(noisy(CHANCES), tmp_path, ["F1"])
    player = Compiled(run.defines, b"")
    try:
        shrunk = shrink(run, "compiled", windows=())
        check(run, shrunk, player)
    finally:
        player.close()
    assert shrunk.faults_left <= 5 < shrunk.faults


@pytest.mark.long
@requirement("OAE-SHR-004")
def test_most_ablations_come_down_to_five_fault_events(tmp_path: Path) -> None:
    """Nine in ten, within a minute each; and the ingredient mends what is left."""
    small = {}
    whole = Compiled((), b"")
    for ingredient, case in CASES.items():
        scenario = noisy(CHANCES)
        if case.link == ONE_SLOT:
            scenario = replace(scenario, link=replace(scenario.link, window=1))
        runs = failing(scenario, tmp_path, [ingredient], most=5)
        if runs:
            results = [shrink(run, "compiled", windows=()) for run in runs]
            left = statistics.median(result.faults_left for result in results)
            most = max(result.seconds for result in results)
            print(f"{ingredient}: {len(runs)} runs, median {left} fault events, {most:.1f} s")
            small[ingredient] = left <= 5 and most <= 60
            assert not any(whole.play(result.scenario) for result in results), ingredient
    whole.close()
    assert len(small) > len(CASES) / 2
    assert sum(small.values()) >= 0.9 * len(small), small


@requirement("OAE-SHR-004")
def test_the_command_writes_what_is_left(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    scenario = noisy(AMNESIA, session="same")
    (found,) = failing(scenario, tmp_path)
    run = tmp_path / "run"
    rtl.run(replace(found.scenario, source=write_scenario(found.scenario)), run)
    assert cli.main(["shrink", str(run), "--timeout", "0.000001"]) == 3
    assert "the time was up" in (run / "shrunk.toml").read_text()
    out = tmp_path / "small.toml"
    assert cli.main(["shrink", str(run), "--out", str(out)]) == 0
    text = out.read_text()
    assert text in capsys.readouterr().out
    assert text.startswith("# Breaks ")
    assert "each one is needed" in text
    broken = Simulated("verilator", (), b"").play(parse(out))
    assert broken is not None
    assert f"# Breaks {broken.promise} ({broken.requirement}) in cycle {broken.cycle}:" in text
    assert f"# {broken.text}\n" in text


@requirement("OAE-SHR-004")
def test_a_run_that_keeps_every_promise_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = tmp_path / "run"
    rtl.run(noisy(), run)
    assert cli.main(["shrink", str(run)]) == 2
    assert capsys.readouterr().err.endswith("noisy: the run breaks no promise\n")
    assert not (run / "shrunk.toml").exists()
