"""The reference end as an engine: scenarios mean there what they mean on the simulators."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from oae import cli
from oae.capture.read import Capture
from oae.capture.record import IN_RUN
from oae.check.capture import check
from oae.check.expect import expectations
from oae.check.lockstep import follow
from oae.check.scoreboard import judge
from oae.check.verdict import Judgement, Promise, Verdict
from oae.commands.run import sample
from oae.engines import model, rtl
from oae.engines.player import play
from oae.scenario.expand import expand
from oae.scenario.layout import Fault
from oae.scenario.parse import library, parse, parse_text
from oae.scenario.scenario import Scenario
from oae.spec.constants import EventCode
from oae.testing import requirement
from oae.trace import Deliver, Event, Fate, Submit, Trace

from cocotb_tests.link import fuzz
from cocotb_tests.link.ablations import (
    CASES,
    ONE,
    ONE_BY_ONE,
    ONE_SLOT,
    SLOW_HOLD,
    THREE,
    Case,
    fault,
    scenario,
)
from host.tests.campaign.schedules import CHANCES, noisy

QUICK = ("clean", "hash")  # the others of the library are long in Python
# What the simulators cannot show, or what strikes there only with their timing.
OF_THE_MODEL = {
    # A DATA of two transactions ago is taken for a new one.
    "F9": Case(
        Promise.FINAL,
        SLOW_HOLD
        + ONE_BY_ONE
        + fault("a->b DATA id=0 copy=0", "hold 200")
        + fault("a DONE_HEARD id=1", "stall a completion", **{"for": "2500 cycles"}),
        link=ONE_SLOT,
    ),
    # COMMIT and its DONE, both misdirected: the record of the COMMIT was not delivered.
    "F16": Case(
        Promise.NO_FALSE_COMPLETION,
        '[[load.a.record]]\ntext = "one"\n[[load.a.record]]\ntext = "other"\n'
        + fault("a->b COMMIT id=1 copy=0", "forge byte=16 xor=01 guard", name="astray")
        + fault("b->a DONE id=0 #2", "forge byte=16 xor=01 guard", armed_by="astray"),
    ),
    # Handed over, and the mark is lost: it is handed over again.
    "F18": CASES["F18"]._replace(broken=Promise.EXACTLY_ONCE),
    # The cancel must leave the DATA the time to go.
    "F22": Case(
        Promise.PROGRESS,
        THREE
        + fault("a->b DATA id=0 copy=0", "drop")
        + fault("a SENT operation=DATA", "cancel a tag=0"),
    ),
    # A SYNC of an earlier life of b is believed, though b still holds what a then gives up.
    "F26": Case(
        Promise.CONSERVATION,
        '[rates."b->a"]\nreorder_cycles = 1500\n'
        "[load.a]\nrecords = 60\nsizes = 64\noutstanding = 4\ngap = 60\n"
        + fault("b->a SYNC #1", "hold 20000")
        + fault("b DELIVERED id=3", "amnesia b")
        + fault("b DELIVERED id=7", "stall b deliver", **{"for": "900 cycles"}),
    ),
    # The fresh end waits for ids that were told while its peer drained.
    "F27": Case(
        Promise.PROGRESS,
        "[load.a]\nrecords = 20\nsizes = 64\n" + fault("b REFLECTED id=3", "amnesia b"),
    ),
    # Every answer comes when there is a newer challenge.
    "F29": Case(Promise.PROGRESS, ONE + "[rates.both]\nlatency = 400\n"),
}


def judged(what: Scenario, folder: Path, engine: str = model.NAME, *without: str) -> Judgement:
    """Play and judge."""
    content = sample() if what.carries_file else b""
    defines = [f"{model.ABLATION}{name}" for name in without]
    ended = play(what, folder, engine=engine, file=content, defines=defines)
    assert ended.status == "finished"
    return judge(Trace(folder / "trace.txt"), expectations(what), ended.assertions)


def check_steps(folder: Path) -> None:
    """The trace says of each end what the reference end follows, step by step."""
    followed = follow(Trace(folder / "trace.txt"))
    assert followed.divergence is None, followed.divergence
    assert followed.steps > 0


@requirement("OAE-RUN-009")
@pytest.mark.parametrize(
    ("engine", "name"),
    [
        (engine, name)
        if name in QUICK and engine != "icarus"
        else pytest.param(engine, name, marks=pytest.mark.long)
        for engine in (model.NAME, *rtl.SIMULATORS)
        for name in library()
    ],
)
def test_the_scenarios_of_the_library_pass(engine: str, name: str, tmp_path: Path) -> None:
    judgement = judged(parse(name), tmp_path / "run", engine)
    assert (judgement.verdict, judgement.stop) == (Verdict.PASS, "resolved"), judgement.reason
    check_steps(tmp_path / "run")


@requirement("OAE-RUN-009")
@pytest.mark.parametrize(
    "seed", [3, *(pytest.param(seed, marks=pytest.mark.long) for seed in range(4, 44))]
)
def test_a_storm_keeps_every_promise(seed: int, tmp_path: Path) -> None:
    """Unequal windows, epochs, amnesias, repeated crashes; the checker of captures agrees."""
    judgement = judged(parse_text(fuzz.scenario(seed)), tmp_path / "run")
    assert (judgement.verdict, judgement.stop) == (Verdict.PASS, "resolved"), judgement.reason
    check_steps(tmp_path / "run")
    assert check(Capture(tmp_path / "run" / IN_RUN)).verdict is Verdict.PASS


@requirement("OAE-RUN-009", "OAE-PRM-012")
@pytest.mark.parametrize("ingredient", model.ingredients())
def test_without_an_ingredient_a_promise_breaks(ingredient: str, tmp_path: Path) -> None:
    case = OF_THE_MODEL.get(ingredient) or CASES[ingredient]
    parsed = parse_text(scenario(case))
    whole = judged(parsed, tmp_path / "with")
    assert whole.verdict is Verdict.PASS, whole.reason
    lacking = judged(parsed, tmp_path / "without", model.NAME, ingredient)
    assert lacking.verdict is Verdict.FAIL, lacking.reason
    assert case.broken in {violation.promise for violation in lacking.violations}


@requirement("OAE-RUN-009", "OAE-LNK-001")
@pytest.mark.parametrize(("session", "kept"), [("fresh", Verdict.PASS), ("same", Verdict.FAIL)])
def test_a_session_that_is_drawn_again(session: str, kept: Verdict, tmp_path: Path) -> None:
    """F28 is a matter of the scenario."""
    faults = fault("b->a DONE id=0 copy=0", "drop")
    faults += fault("b DELIVERED id=0", "amnesia b", after="60 cycles")
    text = scenario(Case(Promise.EXACTLY_ONCE, ONE_BY_ONE + faults))
    text = text.replace("[link]", f'[link]\nsession = "{session}"')
    assert judged(parse_text(text), tmp_path / "run").verdict is kept


Name = tuple[int, int, int, int]


def fates(run: Path) -> dict[Name, Fault]:
    """What struck each frame, by its coordinates."""
    return {
        (line.end, line.operation, line.id, line.copy): Fault(line.faults)
        for line in Trace(run / "trace.txt")
        if isinstance(line, Fate)
    }


@requirement("OAE-RUN-009", "OAE-SIM-009")
@pytest.mark.parametrize("seed", [1, 2])
def test_chance_strikes_the_same_frames_as_in_verilog(seed: int, tmp_path: Path) -> None:
    what = replace(noisy(), seed=seed)
    for engine in ("verilator", model.NAME):
        judged(what, tmp_path / engine, engine)
    verilog, found = fates(tmp_path / "verilator"), fates(tmp_path / model.NAME)
    both = verilog.keys() & found.keys()
    assert len(both) > 150
    # In Verilog at most four frames of a direction are held back at once.
    room = Fault.HELD | Fault.DUPLICATE_HELD
    for name in both:
        assert verilog[name] | room == found[name] | room, name
        assert verilog[name] & room in (found[name] & room, 0), name
    assert sum(bool(found[name]) for name in both) > 50


@requirement("OAE-RUN-009", "OAE-SHR-002")
def test_a_schedule_of_fates_from_verilog_strikes_the_same_frames(tmp_path: Path) -> None:
    what = noisy()
    judged(what, tmp_path / "verilator", "verilator")
    saved = expand(what, Trace(tmp_path / "verilator" / "trace.txt"))
    judged(saved, tmp_path / "model")
    listed: dict[Name, Fault] = {
        (fate.direction, fate.operation, fate.id, fate.copy): fate.faults for fate in saved.fates
    }
    found = fates(tmp_path / "model")
    for name, faults in found.items():
        assert faults == listed.get(name, Fault(0)), name
    assert len(listed.keys() & found.keys()) > 50


@requirement("OAE-RUN-009", "OAE-SIM-009")
def test_hosts_do_what_they_do_in_verilog(tmp_path: Path) -> None:
    """On a clean link everything comes in the same order."""
    text = """
version = 1
[link]
beat_idle = 128
beat_busy = 40
fault_beats = 40
sync_interval = 160
[load.both]
records = 40
gap = 9
bad = 0.2
too_long = 0.2
[host.both]
stall = 0.3
refuse = 0.2
"""
    what = parse_text(text)
    seen = []
    for engine in ("verilator", model.NAME):
        judged(what, tmp_path / engine, engine)
        seen.append(_hosts(tmp_path / engine))
    assert seen[0] == seen[1]
    assert all(seen[0].values())


def _hosts(run: Path) -> dict[str, list[tuple[object, ...]]]:
    """What the hosts of both ends did, each thing by itself in order."""
    found: dict[str, list[tuple[object, ...]]] = {
        name: [] for name in ("submitted", "bad", "refused", "taken", "slow")
    }
    lines = sorted(Trace(run / "trace.txt"), key=lambda line: line.end)
    for line in lines:
        match line:
            case Submit(user=bad, tag=tag, kind=kind, data=data):
                found["bad" if bad else "submitted"].append((line.end, tag, kind, data))
            case Event(code=EventCode.REFUSED, value=id):
                found["refused"].append((line.end, id))
            case Deliver(id=id, data=data):
                took = line.cycle - line.first + 1
                found["taken"].append((line.end, id, data, took))
                if took > -(-len(data) // 8):
                    found["slow"].append((line.end, id))
    return found


@requirement("OAE-RUN-009", "OAE-DET-001")
def test_a_seed_gives_a_run_again(tmp_path: Path) -> None:
    first, again, other = (
        judged(replace(noisy(CHANCES), seed=seed), tmp_path / name).sha256
        for seed, name in ((1, "first"), (1, "again"), (2, "other"))
    )
    assert first == again != other


@requirement("OAE-RUN-009", "OAE-SIM-015")
def test_the_command_leaves_the_directory_of_any_run(tmp_path: Path) -> None:
    out = tmp_path / "run"
    assert cli.main(["run", "--engine", "model", "--scenario", "hash", "--out", str(out)]) == 0
    assert {path.name for path in out.iterdir()} == {
        *("scenario.toml", "run.toml", "schedule.hex", "trace.txt", "verdict.json"),
        *("capture.pcapng", "report.html"),
    }
    verdict = json.loads((out / "verdict.json").read_text())
    assert (verdict["engine"], verdict["verdict"]) == ("model", "PASS")
    assert verdict["followed_steps"] > 1000
    assert cli.main(["check", str(out), "--quiet"]) == 0
    words = ["run", "--engine", "model", "--scenario", "clean", "--without", "F7", "--quiet"]
    assert cli.main([*words, "--out", str(tmp_path / "without F7")]) == 1


@requirement("OAE-RUN-009", "OAE-SIM-014")
def test_a_run_that_takes_too_long_is_the_benchs_fault(tmp_path: Path) -> None:
    endless = tmp_path / "endless.toml"
    endless.write_text(
        "version = 1\n[load.a]\nrecords = 1\n[limits]\ncycles = 2000000000\nstall = 2000000000\n"
        '[[fault]]\nwhen = "start"\ndo = "cut a->b"\n'
    )
    words = ["run", "--engine", "model", "--scenario", str(endless), "--timeout", "0.1", "--quiet"]
    assert cli.main([*words, "--out", str(tmp_path / "run")]) == 4
    assert json.loads((tmp_path / "run" / "verdict.json").read_text())["status"] == "timed out"


@requirement("OAE-RUN-009", "OAE-SIM-007")
@pytest.mark.parametrize(
    ("head", "options", "problem"),
    [
        ("", ["--without", "F14"], "--without F14: the model can leave out F1, F2"),
        ("", ["--waveform"], "--waveform: the engine model has no signals"),
        ('upsets = ["cycle 9: a initiator.state bit 0"]\n', [], "upsets are of the RTL"),
    ],
)
def test_what_the_model_cannot_play_is_refused(
    head: str,
    options: list[str],
    problem: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    file = tmp_path / "scenario.toml"
    file.write_text(f"version = 1\n{head}[load.a]\nrecords = 1\n")
    words = ["run", "--engine", "model", "--scenario", str(file), *options]
    assert cli.main([*words, "--out", str(tmp_path / "run")]) == 2
    told = capsys.readouterr().err
    assert problem in told
    assert told.count("\n") == 1
    assert [path.name for path in tmp_path.iterdir()] == ["scenario.toml"]
