"""`oae replay`: the same run again, and what it says where it is not."""

import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from oae import cli
from oae.engines import model, rtl
from oae.engines.player import play
from oae.scenario.parse import parse, parse_text
from oae.scenario.write import write_scenario
from oae.testing import requirement

from cocotb_tests.link.ablations import CASES, scenario
from host.tests.campaign.schedules import CHANCES, LINK, noisy

SEED = 5


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run whose seed the command line overruled."""
    scenario = noisy(CHANCES)
    out = tmp_path_factory.mktemp("replay") / "run"
    overruled = replace(scenario, seed=SEED)
    ended = rtl.run(overruled, out, overruled={"seed": SEED})
    assert ended.status == "finished"
    assert parse(out / "scenario.toml").seed != SEED
    return out


@requirement("OAE-SHR-001")
def test_a_run_again_is_the_same(
    run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["replay", str(run), "--out", str(tmp_path / "again")]) == 0
    assert capsys.readouterr().out.startswith("the same: ")
    assert (tmp_path / "again" / "trace.txt").read_bytes() == (run / "trace.txt").read_bytes()


@pytest.mark.long
@requirement("OAE-SHR-001")
def test_a_run_again_is_the_same_on_another_simulator(run: Path, tmp_path: Path) -> None:
    words = ["replay", str(run), "--out", str(tmp_path / "again"), "--engine", "icarus"]
    assert cli.main(words) == 0


@requirement("OAE-SHR-001", "OAE-RUN-009")
def test_a_run_of_the_model_again_is_the_same(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """And so it is if what struck is written down first."""
    run, saved = tmp_path / "run", tmp_path / "saved.toml"
    assert play(noisy(CHANCES), run, engine=model.NAME).status == "finished"
    assert cli.main(["replay", str(run), "--out", str(tmp_path / "again")]) == 0
    assert capsys.readouterr().out.startswith("the same: ")
    words = ["replay", str(run), "--save", str(saved), "--out", str(tmp_path / "saved")]
    assert cli.main(words) == 0
    assert "the same but for the numbers of fault rules" in capsys.readouterr().out
    assert parse(saved).fates


@requirement("OAE-SHR-001", "OAE-RUN-009")
@pytest.mark.parametrize("without", ["", "F7"])
@pytest.mark.parametrize(("first", "second"), [("icarus", "model"), ("model", "icarus")])
def test_between_model_and_simulator_verdicts_are_compared(
    first: str, second: str, without: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = tmp_path / "run"
    defines = [f"{model.ABLATION}{without}"] if without else []
    play(parse_text(scenario(CASES["F7"])), run, engine=first, defines=defines)
    words = ["replay", str(run), "--engine", second, "--out", str(tmp_path / "again")]
    assert cli.main(words) == 0
    verdict = "FAIL, OAE-PRM-003" if without else "PASS"
    assert capsys.readouterr().out.startswith(f"the same verdict: {verdict}; {second} has")


@requirement("OAE-SHR-001", "OAE-RUN-010")
@pytest.mark.parametrize(
    ("faults", "verdict"),
    [
        (
            '[[fault]]\nwhen = "a->b COMMIT id=0 copy=0"\ndo = "forge byte=14 xor=ff guard"\n',
            "FAIL, OAE-TXN-008",
        ),
        ('[[fault]]\nwhen = "a TOLD id=999"\ndo = "crash a"\n', "INCONCLUSIVE"),
    ],
)
@pytest.mark.parametrize(("first", "second"), [("verilator", "model"), ("model", "verilator")])
def test_verdicts_are_those_of_the_run_command(
    first: str,
    second: str,
    faults: str,
    verdict: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """What the checker of captures alone would let pass."""
    file, run = tmp_path / "scenario.toml", tmp_path / "run"
    file.write_text(LINK + "[load.a]\nrecords = 20\n" + faults)
    words = ["run", "--scenario", str(file), "--engine", first, "--out", str(run), "--quiet"]
    assert cli.main(words) != 0
    assert capsys.readouterr().out.startswith(verdict.partition(",")[0])
    words = ["replay", str(run), "--engine", second, "--out", str(tmp_path / "again")]
    assert cli.main(words) == 0
    assert capsys.readouterr().out.startswith(f"the same verdict: {verdict}; {second} has")


@requirement("OAE-SHR-001", "OAE-RUN-009")
def test_another_verdict_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The run says that an ingredient was left out, and it was not."""
    run = tmp_path / "run"
    play(parse_text(scenario(CASES["F7"])), run, engine=model.NAME)
    facts = run / "run.toml"
    facts.write_text(facts.read_text() + "\n[defines]\nOAE_ABLATE_F7 = 1\n")
    words = ["replay", str(run), "--engine", "icarus", "--out", str(tmp_path / "again")]
    assert cli.main(words) == 1
    assert "not the same verdict: PASS, now FAIL, OAE-PRM-003" in capsys.readouterr().out


@requirement("OAE-SHR-001", "OAE-RUN-009")
def test_what_only_verilog_has_is_not_replayed_on_the_model(
    run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = tmp_path / "other"
    shutil.copytree(run, other)
    facts = (other / "run.toml").read_text()
    (other / "run.toml").write_text(facts + "\n[defines]\nOAE_OTHER = 1\n")
    words = ["replay", str(other), "--engine", "model", "--out", str(tmp_path / "again")]
    assert cli.main(words) == 2
    assert "OAE_OTHER is of the RTL" in capsys.readouterr().err


@requirement("OAE-SHR-001")
def test_the_first_difference_is_told(
    run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = tmp_path / "other"
    shutil.copytree(run, other)
    lines = (other / "trace.txt").read_text().splitlines()
    place = next(i for i, line in enumerate(lines) if " fate " in line)
    before = lines[place]
    lines[place] = before.replace(" fate ", " fate 9")
    (other / "trace.txt").write_text("\n".join(lines) + "\n")
    assert cli.main(["replay", str(other), "--out", str(tmp_path / "again")]) == 1
    told = capsys.readouterr().out
    assert f"line {place + 1} of the trace" in told
    assert f"before: {lines[place]}" in told
    assert f"now:    {before}" in told


@requirement("OAE-SHR-002")
def test_what_struck_is_saved_and_played(
    run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    saved = tmp_path / "saved.toml"
    words = ["replay", str(run), "--save", str(saved), "--out", str(tmp_path / "again")]
    assert cli.main(words) == 0
    assert "the same but for the numbers of fault rules" in capsys.readouterr().out
    scenario = parse(saved)
    assert scenario.seed == SEED
    assert scenario.fates
    assert (tmp_path / "again" / "scenario.toml").read_text() == saved.read_text()
    assert "rates.both" in write_scenario(noisy())
    assert not any(rates != rates.without_chances for rates in scenario.rates)


@requirement("OAE-SHR-001")
@pytest.mark.parametrize(
    ("damage", "problem"),
    [
        (lambda run: (run / "run.toml").unlink(), "is no run directory"),
        (lambda run: (run / "run.toml").write_text("["), "run.toml: "),
        (
            lambda run: (run / "run.toml").write_text('[run]\nstatus = "interrupted"\n'),
            "the run is interrupted, not finished",
        ),
        (lambda run: (run / "trace.txt").unlink(), "trace.txt: No such file"),
        (lambda run: (run / "scenario.toml").unlink(), "scenario.toml: no such file"),
    ],
)
def test_what_is_no_run_is_refused(
    run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], damage: object, problem: str
) -> None:
    other = tmp_path / "other"
    shutil.copytree(run, other)
    assert callable(damage)
    damage(other)
    out = tmp_path / "again"
    assert cli.main(["replay", str(other), "--out", str(out)]) == 2
    told = capsys.readouterr().err
    assert problem in told
    assert told.count("\n") == 1
    assert not out.exists()
