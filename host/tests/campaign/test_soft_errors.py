"""Flipped bits: which there are, that they flip, how they are named and kept, what they come to."""

import json
import subprocess
import sys
import tomllib
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from oae import cli
from oae.check.verdict import Promise, Verdict
from oae.engines import rtl
from oae.engines.compiled import Engine, parameters
from oae.errors import OaeError
from oae.scenario.parse import ScenarioError, parse_text
from oae.scenario.scenario import Scenario
from oae.scenario.upsets import Upset, parse_upset
from oae.scenario.write import write_scenario
from oae.spec.constants import REGISTER, EventCode, Kind, Outcome
from oae.synth.flow import RUN_YOSYS
from oae.synth.sources import INCLUDE, ROOT, source_list
from oae.testing import requirement
from oae.trace import Complete, Deliver, Event, Record, Status, Stop, Submit, Trace
from oae.upsets import __main__ as command
from oae.upsets.elements import Element, elements
from oae.upsets.groups import KEPT, Class, Group, group, restarts, stays
from oae.upsets.hosts import wronged
from oae.upsets.study import Kind as StateKind
from oae.upsets.study import as_json, study, table, trials
from oae.upsets.trial import Effect, alarms_of, play, scenario

B = 1
STUDY = scenario(1)
LINK = """
version = 1
[link]
beat_idle = 128
beat_busy = 40
fault_beats = 40
sync_interval = 160
"""
RECORD = b"a record of forty bytes, five words long"
# The record is at b from cycle 400 at the latest, and cannot be delivered before cycle 1200.
HELD = (
    LINK
    + f"""
[[load.a.record]]
text = "{RECORD.decode()}"
[[fault]]
when = "start"
do = "stall b deliver"
for = "1200 cycles"
[limits]
cycles = 20000
stall = 5000
"""
)
LAST_WORD = Upset(900, B, "incoming_store.words", 4, 3)
# What a sends of the record comes to nothing at first, and goes again.
LOST = HELD.replace("stall b deliver", "cut a->b").replace("start", "a OPENED")


@pytest.fixture(scope="module")
def engine() -> Iterator[Engine]:
    with Engine(parameters(STUDY), upsets=True) as engine:
        yield engine


@pytest.fixture(scope="module")
def state() -> list[Element]:
    return elements(parameters(STUDY), B)


def with_upsets(text: str, *upsets: Upset) -> Scenario:
    return replace(parse_text(text, "upset.toml"), upsets=upsets)


def flips(element: Element, cycle: int) -> list[Upset]:
    places = (element.place(number) for number in range(element.width))
    return [Upset(cycle, B, element.name, *place) for place in places]


def cells(
    modules: dict[str, Any], module: str, before: str
) -> Iterator[tuple[set[str], int, int | None]]:
    """Flip-flops and memories that Yosys finds: their names, width and depth."""
    nets = modules[module]["netnames"]
    for name, cell in modules[module]["cells"].items():
        if cell["type"] in modules:
            yield from cells(modules, cell["type"], f"{before}{name}.")
        elif "dff" in cell["type"]:
            held = set(cell["connections"]["Q"])
            names = {before + name for name, net in nets.items() if held & set(net["bits"])}
            yield names, len(held), None
        elif cell["type"].startswith("$mem") and cell["connections"]["WR_EN"]:
            width, words = (int(cell["parameters"][name], 2) for name in ("WIDTH", "SIZE"))
            yield {before + cell["parameters"]["MEMID"].removeprefix("\\")}, width, words


@requirement("OAE-UPS-001")
def test_the_state_is_what_yosys_finds(tmp_path: Path) -> None:
    values = {"WINDOW": 2, "RECORD_MAX": 16, "BEAT_IDLE": 128, "BEAT_BUSY": 40}
    values |= {"FAULT_BEATS": 40, "SYNC_INTERVAL": 160}
    sources = " ".join(map(str, source_list()))
    settings = " ".join(f"-set {name} {value}" for name, value in values.items())
    script = [f"read_verilog -I{INCLUDE} {sources}", f"chparam {settings} oae_end"]
    script += ["hierarchy -top oae_end", "proc", "opt_clean", "memory_collect"]
    script.append(f"write_json {tmp_path / 'end.json'}")
    (tmp_path / "end.ys").write_text("\n".join(script) + "\n")
    words = [sys.executable, "-c", RUN_YOSYS, str(tmp_path / "end.ys")]
    subprocess.run(words, cwd=ROOT, check=True, capture_output=True)
    modules = json.loads((tmp_path / "end.json").read_text())["modules"]
    top = next(name for name, module in modules.items() if "top" in module["attributes"])
    pair = values | {"WINDOW_A": 2, "RECORD_MAX_A": 16}
    left = {one.name: (one.width, one.words) for one in elements(pair, 0)}
    for names, width, depth in cells(modules, top, ""):
        (name,) = names & left.keys()  # the others are wires that it drives
        assert left.pop(name) == (width, depth)
    assert not left


@requirement("OAE-UPS-001")
def test_the_figures_that_are_told_are_those_of_the_study(state: list[Element]) -> None:
    told = (ROOT / "docs" / "soft-errors.md").read_text()
    usual = elements(parameters(parse_text("version = 1")), B)
    counts = [f"{sum(one.bits for one in found):,} bits" for found in (state, usual)]
    assert f"{len(state)} elements of {counts[0]}" in told
    assert f"the default one {counts[1]}" in told
    assert len(usual) == len(state)


@requirement("OAE-UPS-001")
def test_every_element_is_in_a_group_and_every_group_is_there(state: list[Element]) -> None:
    assert {group(element) for element in state} == set(Group)
    with pytest.raises(LookupError, match="nothing known"):
        group(Element("nothing known", "oae_end", 1, None))


@requirement("OAE-UPS-002")
def test_a_crash_keeps_what_must_be_durable(engine: Engine, state: list[Element]) -> None:
    crashes = restarts(engine, STUDY, B)
    pipelines = (Group.RECEIVE, Group.TRANSMIT, Group.EVENTS)
    state = [one for one in state if group(one) not in pipelines]
    kept = stays(engine, STUDY, B, state, crashes[:1])
    durable = {one for one in state if group(one) in KEPT}
    # What is left of the packet that comes in follows from this state, in one of many ways.
    durable = {one for one in durable if one.name != "parser.position"}
    assert durable <= kept
    lost = {one.name for one in state} - {one.name for one in kept}
    assert {"link.link_state", "initiator.send", "initiator.sent", "responder.answer"} <= lost
    assert {"link.outstanding", "beat.number", "initiator.tell_valid", "link.timer"} <= lost
    assert "beat.marks" in {one.name for one in kept}  # nothing needs it: it is left over


@requirement("OAE-UPS-002")
def test_amnesia_loses_the_durable_registers(engine: Engine, state: list[Element]) -> None:
    forgets = parse_text(STUDY.source.replace("crash b", "amnesia b"))
    names = (Group.STATES, Group.SESSIONS)
    registers = [one for one in state if group(one) in names]
    amnesias = restarts(engine, forgets, B)
    assert not stays(engine, forgets, B, registers, amnesias[:1])


@requirement("OAE-UPS-003", "OAE-DET-001")
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_without_flips_a_run_is_the_same(engine: Engine, seed: int) -> None:
    with Engine(parameters(STUDY)) as other:
        usual = other.run(scenario(seed), sha256=True)
    outcome = engine.run(scenario(seed), sha256=True)
    assert (outcome.sha256, outcome.upsets) == (usual.sha256, "")
    assert usual.verdict is Verdict.PASS


@requirement("OAE-UPS-003")
def test_every_bit_flips(engine: Engine, state: list[Element]) -> None:
    """What nothing changes in between is found as the flip before has left it."""
    still = parse_text(LINK + "[end.both]\nenable = false\n[limits]\ncycles = 300\n")
    groups = (Group.STATES, Group.IDS, Group.DIGESTS, Group.RECORDS, Group.SESSIONS)
    for element in (one for one in state if group(one) in groups):
        before = flips(element, 100)
        after = [upset._replace(cycle=101) for upset in before]
        found = engine.run(replace(still, upsets=(*before, *after))).upsets
        assert len(found) == 2 * len(before)
        changed = sum(found[at] != found[len(before) + at] for at in range(len(before)))
        assert changed >= len(before) - 3 or element.name == "responder.deliver_pointer", element


@requirement("OAE-UPS-003")
def test_the_edge_of_its_cycle_is_the_first_that_sees_it(engine: Engine, tmp_path: Path) -> None:
    """The status port shows the flipped epoch in its cycle, and never before."""
    path = tmp_path / "trace.txt"
    epoch = Upset(200, B, "converged", None, 4)
    outcome = engine.run(with_upsets(LINK + "[limits]\ncycles = 700\n", epoch), trace=path)
    seen = [
        (one.cycle, one.converged) for one in Trace(path) if isinstance(one, Status) and one.end
    ]
    assert min(cycle for cycle, converged in seen if converged == 1 << 4) == 200
    assert (outcome.upsets, outcome.registers[B][REGISTER["CONVERGED"]]) == ("0", 1 << 4)


@requirement("OAE-UPS-003")
def test_a_flip_after_the_end_of_the_run_is_not_made(engine: Engine) -> None:
    late = Upset(9000, B, "converged", None, 4)
    assert engine.run(with_upsets(LINK + "[limits]\ncycles = 700\n", late)).upsets == ""


@requirement("OAE-UPS-003", "OAE-UPS-005")
def test_a_record_that_is_held_is_delivered_altered(engine: Engine, tmp_path: Path) -> None:
    path = tmp_path / "trace.txt"
    outcome = engine.run(with_upsets(HELD, LAST_WORD), trace=path)
    (delivered,) = (one for one in Trace(path) if isinstance(one, Deliver))
    assert delivered.data == RECORD[:32] + bytes([RECORD[32] ^ 1 << 3]) + RECORD[33:]
    assert outcome.verdict is Verdict.FAIL
    assert Promise.UNALTERED in wronged(Trace(path))
    assert alarms_of(outcome) == ()  # nobody was told


@requirement("OAE-UPS-003")
def test_a_record_that_was_delivered_may_change(engine: Engine, tmp_path: Path) -> None:
    path = tmp_path / "trace.txt"
    usual = engine.run(parse_text(HELD), sha256=True, trace=path)
    assert usual.verdict is Verdict.PASS
    (delivered,) = (one.cycle for one in Trace(path) if isinstance(one, Deliver))
    after = LAST_WORD._replace(cycle=delivered + 1)
    outcome = engine.run(with_upsets(HELD, after), sha256=True)
    assert (outcome.sha256, len(outcome.upsets)) == (usual.sha256, 1)


@requirement("OAE-UPS-005")
def test_a_record_that_changes_before_it_is_sent_is_detected(engine: Engine) -> None:
    assert engine.run(parse_text(LOST)).verdict is Verdict.PASS
    outcome = engine.run(with_upsets(LOST, Upset(400, 0, "outgoing_store.words", 4, 3)))
    assert "MALFORMED_WRONG_DIGEST" in alarms_of(outcome)
    assert outcome.stop == "stalled"  # the record is gone, and the end has no other
    assert sum(outcome.committed) == 0


@requirement("OAE-UPS-003", "OAE-UPS-004", "OAE-DET-001")
def test_the_text_engine_flips_the_same_and_plays_it_again(
    engine: Engine, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = write_scenario(with_upsets(HELD, LAST_WORD))
    file = tmp_path / "held.toml"
    file.write_text(text)
    run = tmp_path / "run"
    words = ["run", "--scenario", str(file), "--out", str(run), "--quiet"]
    assert cli.main(words) == 1
    assert "complete and unaltered" in capsys.readouterr().out
    compiled = engine.run(parse_text(text), sha256=True)
    assert Trace(run / "trace.txt").sha256 == compiled.sha256
    facts = tomllib.loads((run / "run.toml").read_text())
    assert facts["run"]["upsets"] == 1
    assert str(LAST_WORD) in (run / "scenario.toml").read_text()
    saved = tmp_path / "saved.toml"
    again = ["replay", str(run), "--out", str(tmp_path / "again"), "--save", str(saved)]
    assert cli.main(again) == 0
    assert f"the same: {compiled.sha256}" in capsys.readouterr().out
    assert str(LAST_WORD) in saved.read_text()


@requirement("OAE-UPS-003", "OAE-UPS-004")
def test_there_may_be_thousands(engine: Engine, tmp_path: Path) -> None:
    """More than a command line takes."""
    upsets = [Upset(cycle, B, "converged", None, 4) for cycle in range(1, 6001)]
    scenario = with_upsets(LINK + "[limits]\ncycles = 8000\nstall = 9000\nquiet = 7000\n", *upsets)
    ended = rtl.run(scenario, tmp_path / "run")
    assert (ended.status, len(ended.upsets)) == ("finished", len(upsets))
    outcome = engine.run(scenario, sha256=True)
    assert outcome.upsets == ended.upsets
    assert outcome.sha256 == Trace(tmp_path / "run" / "trace.txt").sha256


@requirement("OAE-UPS-004")
@pytest.mark.parametrize("name", ["icarus", "model"])
def test_an_engine_that_cannot_says_so(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "held.toml"
    file.write_text(write_scenario(with_upsets(HELD, LAST_WORD)))
    words = ["run", "--scenario", str(file), "--engine", name, "--out", str(tmp_path / "run")]
    assert cli.main(words) == 2
    told = capsys.readouterr().err
    assert "upsets" in told
    assert name in told
    assert told.count("\n") == 1
    assert not (tmp_path / "run").exists()


@requirement("OAE-UPS-004")
def test_an_engine_that_was_built_without_says_so() -> None:
    with (
        Engine(parameters(STUDY)) as other,
        pytest.raises(OaeError, match="the engine was built without them"),
    ):
        other.run(with_upsets(HELD, LAST_WORD))


@requirement("OAE-UPS-004")
@pytest.mark.parametrize(
    ("upset", "problem"),
    [
        ("responder.idz[3] bit 17", "no state element responder.idz; did you mean responder.ids?"),
        ("responder.ids bit 17", "responder.ids is a memory: which word?"),
        ("responder.state[3] bit 1", "responder.state is a register: it has no words"),
        ("responder.ids[8] bit 1", "responder.ids has the words 0 to 7"),
        ("responder.ids[7] bit 32", "responder.ids has the bits 0 to 31"),
        ("told_count bit 0", "no state element told_count"),
    ],
)
def test_a_bit_that_is_not_there_is_one_line(
    engine: Engine, tmp_path: Path, upset: str, problem: str
) -> None:
    wrong = with_upsets(HELD, parse_upset(f"cycle 5: b {upset}"))
    for play_it in (engine.run, lambda it: rtl.run(it, tmp_path / "run")):
        with pytest.raises(OaeError) as found:
            play_it(wrong)
        assert problem in str(found.value)
        assert "\n" not in str(found.value)
    assert not (tmp_path / "run").exists()


@requirement("OAE-UPS-004")
@pytest.mark.parametrize(
    ("value", "problem"),
    [
        ('"cycle 5: b x bit 1"', "is not a list"),
        ('["x"]', "'x' is not an upset; write 'cycle 4000: b responder.ids[3] bit 17'"),
        ('["cycle 0: b x bit 1"]', "cycle 0 is not from 1 to 2147483647"),
        ('["cycle 5: c x bit 1"]', "is not an upset"),
        ('["cycle 5: b x bit 1", "cycle 5: b x bit 1"]', "upsets[2]: 'cycle 5: b x bit 1' stands"),
        ("[5]", "5 is not a text"),
    ],
)
def test_what_is_no_upset_is_one_line(value: str, problem: str) -> None:
    with pytest.raises(ScenarioError) as found:
        parse_text(f"version = 1\nupsets = {value}\n", "wrong.toml")
    assert str(found.value).startswith("wrong.toml:2: upsets")
    assert problem in str(found.value)


NAMES = st.from_regex(r"([a-z_]+(\[[0-9]\])?\.){0,2}[a-z_]+", fullmatch=True)
UPSETS = st.builds(
    Upset,
    st.integers(1, 2**31 - 1),
    st.integers(0, 1),
    NAMES,
    st.none() | st.integers(0, 99),
    st.integers(0, 999),
)


@requirement("OAE-UPS-004")
@given(st.lists(UPSETS, max_size=4, unique=True))
def test_what_is_written_is_read(upsets: list[Upset]) -> None:
    assert [parse_upset(str(upset)) for upset in upsets] == upsets
    ordered = tuple(sorted(upsets, key=lambda upset: upset.cycle))
    before = replace(STUDY, upsets=ordered)
    assert parse_text(write_scenario(before)).upsets == ordered


def told(*steps: tuple[str, int], resolved: bool = True) -> list[Record]:
    """A run of a's lane: what happens, and to which record; an outcome is told to a's host."""
    run: list[Record] = []
    for cycle, (step, record) in enumerate(steps):
        data = bytes([record]) * 9
        match step:
            case "submit":
                run.append(Submit(0, cycle, 0, cycle, 0, 0, record, Kind.DATA, data))
            case "deliver":
                run.append(Deliver(0, cycle, 1, cycle, 0, 0, 0, data))
            case outcome:
                code = Outcome[outcome]
                run.append(Complete(0, cycle, 0, record, 0, Kind.DATA, code, 0))
    run.append(Stop(0, len(steps), -1, "resolved" if resolved else "stalled"))
    return run


BOTH_COMMITTED = [("COMMITTED", 1), ("COMMITTED", 2)]
GOOD = [("submit", 1), ("submit", 2), ("deliver", 1), ("COMMITTED", 1), ("ABORTED", 2)]


@requirement("OAE-UPS-005")
@pytest.mark.parametrize(
    ("steps", "broken"),
    [
        (GOOD, {}),
        ([*GOOD, ("submit", 2), ("deliver", 2), ("COMMITTED", 2)], {}),
        ([*GOOD, ("deliver", 2)], {Promise.AGREEMENT}),
        ([*GOOD, ("deliver", 1)], {Promise.EXACTLY_ONCE}),
        ([*GOOD, ("deliver", 9)], {Promise.UNALTERED}),
        ([*GOOD, ("COMMITTED", 1)], {Promise.CONSERVATION}),
        ([*GOOD, ("COMMITTED", 9)], {Promise.CONSERVATION}),
        ([*GOOD, ("submit", 3)], {Promise.CONSERVATION}),
        ([("submit", 1), ("COMMITTED", 1), ("deliver", 1)], {Promise.NO_FALSE_COMPLETION}),
        (
            [("submit", 1), ("submit", 2), ("deliver", 2), ("deliver", 1), *BOTH_COMMITTED],
            {Promise.EXACTLY_ONCE},
        ),
    ],
)
def test_hosts_are_wronged(steps: Sequence[tuple[str, int]], broken: set[Promise]) -> None:
    assert set(wronged(told(*steps))) == set(broken)


@requirement("OAE-UPS-005")
def test_without_its_end_nothing_is_missing() -> None:
    assert wronged(told(*GOOD, ("submit", 3), resolved=False)) == {}


@requirement("OAE-UPS-005")
@pytest.mark.parametrize("seed", [1, 2])
def test_a_run_without_flips_wrongs_nobody_and_alarms_nobody(
    engine: Engine, seed: int, tmp_path: Path
) -> None:
    path = tmp_path / "trace.txt"
    outcome = engine.run(scenario(seed), trace=path)
    assert (outcome.stop, alarms_of(outcome), wronged(Trace(path))) == ("resolved", (), {})
    steps = {one.code for one in Trace(path) if isinstance(one, Event)}
    # Enough happens that a flip can matter.
    wanted = ("CANCELLED", "REFUSED", "EPOCH_TAKEN", "RETRIED", "RESENT", "ABORT_RECORDED")
    assert {EventCode[name] for name in (*wanted, "CRASH", "DELIVERED")} <= steps


@requirement("OAE-UPS-005")
def test_a_counter_that_flips_alarms_nobody(engine: Engine) -> None:
    counts = Upset(1000, B, "counters.g_bank[1].used", None, 31)
    digest = Upset(1000, B, "counters.g_bank[3].counts", 3, 5)
    for upset in (counts, digest):
        outcome = engine.run(replace(scenario(1), upsets=(upset,)))
        assert alarms_of(outcome) == ()


@requirement("OAE-UPS-006")
def test_the_study_is_deterministic_and_its_trials_are_scenarios(
    state: list[Element], tmp_path: Path
) -> None:
    kind = StateKind(Class.DURABLE, Group.DIGESTS)
    members = {kind: [one for one in state if group(one) is Group.DIGESTS]}
    asked = {kind: list(trials(kind, members[kind], 8, seed=3))}
    assert asked == {kind: list(trials(kind, members[kind], 8, seed=3))}
    done: list[int] = []
    with ThreadPoolExecutor(1) as executor:
        results = study(executor, asked, done.append)
    assert sum(done) == len(results[kind]) == 8
    assert results[kind][:2] == [play(seed, upset) for seed, upset in asked[kind][:2]]
    assert {result.effect for result in results[kind]} > {Effect.NONE}
    lines = table(members, results).splitlines()
    assert lines[2].startswith(f"| durable: {Group.DIGESTS} | 1,160 | 8 |")
    (told_of,) = json.loads(as_json(members, results))
    assert sum(told_of["effects"].values()) == 8
    silent = results[kind][0]._replace(effect=Effect.SILENT)
    command.save(tmp_path, {kind: [silent]})
    (file,) = tmp_path.iterdir()
    assert parse_text(file.read_text()).upsets == (parse_upset(silent.upset),)
    assert parse_text(file.read_text()).seed == silent.seed


@pytest.mark.long
@requirement("OAE-UPS-006")
def test_the_whole_study(tmp_path: Path) -> None:
    out = tmp_path / "flips.json"
    words = [sys.executable, "-m", "oae.upsets", "--flips", "3", "--json", str(out)]
    done = subprocess.run(words, capture_output=True, text=True, check=True)
    kinds = json.loads(out.read_text())
    assert {kind["group"] for kind in kinds} == {str(name) for name in Group}
    assert all(sum(kind["effects"].values()) == 3 for kind in kinds)
    assert not any(Effect.DIED in kind["effects"] for kind in kinds)
    assert done.stdout.count("\n") == 2 + len(kinds) + len({kind["class"] for kind in kinds})
