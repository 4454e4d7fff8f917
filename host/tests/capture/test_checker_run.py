"""The checker on captures of whole runs: good, damaged on purpose, and with packets missing."""

import random
from collections.abc import Callable
from pathlib import Path

import numpy
import pytest
from oae.check.expect import expectations
from oae.check.findings import REQUIREMENT, Result
from oae.check.scoreboard import judge
from oae.check.verdict import Judgement, Promise, Verdict
from oae.engines import rtl
from oae.scenario.parse import parse_text
from oae.spec.constants import EventCode, Outcome
from oae.testing import requirement
from oae.trace import Trace

from cocotb_tests.link.ablations import CASES
from cocotb_tests.link.ablations import scenario as ablation
from host.tests.capture.checker_runs import (
    DAMAGE,
    Damage,
    captured,
    lines_of,
    play,
    recorded,
    suitable,
)
from host.tests.test_scoreboard import STORIES, Run

FEW = range(1, 11)
MANY = range(1000, 2000)


def assert_agreed(result: Result, judgement: Judgement) -> None:
    """Both tell of the same outcomes, and the checker of what the scoreboard told first."""
    for mine, theirs in zip(result.ends, judgement.ends, strict=True):
        for name, value in vars(mine).items():
            assert value == getattr(theirs, name), name
    promises = [violation.promise for violation in judgement.violations]
    found = [finding.promise for finding in result.findings]
    assert bool(found) == bool(promises)
    assert set(promises[:1]) <= set(found)  # the frames may show something earlier


@requirement("OAE-CHK-001")
@pytest.mark.parametrize(("name", "promise", "tell"), STORIES, ids=[name for name, *_ in STORIES])
def test_a_broken_promise_is_found(
    tmp_path: Path, name: str, promise: Promise, tell: Callable[[Run], None]
) -> None:
    run = Run()
    tell(run)
    judgement = run.judged(tmp_path, whole=not run.lines[-1].endswith("- end"))
    result = captured(Trace(tmp_path / "trace.txt")).check()
    assert result.verdict is Verdict.FAIL, result.reason
    assert_agreed(result, judgement)
    found = [finding for finding in result.findings if finding.promise is promise]
    assert found[0].requirement == REQUIREMENT[promise]
    assert 0 < found[0].packet <= result.packets
    assert 0 < len(found[0].explained_by) <= 10 or found[0].end < 0
    assert result.reason == str(result.findings[0])


def check_good(seed: int, folder: Path) -> None:
    trace = play(seed, folder)
    capture = captured(trace)
    result = capture.check()
    assert result.verdict is Verdict.PASS, f"seed {seed}: {result.reason}"
    assert_agreed(result, judge(trace))
    assert not result.unknowns
    wire = capture.check(wire=True)
    assert wire.verdict is Verdict.PASS, f"seed {seed}: {wire.reason}"
    frames = capture.only(capture.packets["interface"] < 4).check()
    assert frames.verdict is Verdict.INCONCLUSIVE, f"seed {seed}: {frames.reason}"


@requirement("OAE-CHK-001", "OAE-CHK-003")
@pytest.mark.parametrize("seed", FEW)
def test_a_good_run_passes(seed: int, tmp_path: Path) -> None:
    check_good(seed, tmp_path)


@pytest.mark.long
@requirement("OAE-CHK-001", "OAE-CHK-003")
def test_many_good_runs_pass(tmp_path: Path) -> None:
    for seed in MANY:
        check_good(seed, tmp_path)


def check_losses(seed: int, folder: Path) -> None:
    """Packets missing at random, in one stretch, at the start, of one interface, of one kind."""
    capture = captured(play(seed, folder))
    chance = numpy.random.default_rng(seed)
    number = len(capture.packets)
    interface = capture.packets["interface"]
    first, last = sorted(chance.integers(0, number, 2))
    place = numpy.arange(number)
    alone = interface == chance.integers(0, 5)
    for share in (0.001, 0.01, 0.1, 0.5):
        kept = chance.random(number) >= share
        for mask in (kept, kept | (interface == 4), kept | (interface < 4)):
            assert_not_held_against(capture.only(mask).check(), seed)
            assert_not_held_against(capture.only(mask).check(wire=True), seed)
            assert_not_held_against(capture.only(mask & (interface < 4)).check(wire=True), seed)
    for mask in ((place < first) | (place > last), place > first, place < last, ~alone, alone):
        assert_not_held_against(capture.only(mask).check(), seed)
        assert_not_held_against(capture.only(mask).check(wire=True), seed)


def assert_not_held_against(result: Result, seed: int) -> None:
    assert result.verdict is not Verdict.FAIL, f"seed {seed}: {result.reason}"
    # Nothing is wrong with the bench but for a capture that holds no frame at all.
    assert not [error for error in result.bench_errors if error.packet], f"seed {seed}"


@requirement("OAE-CHK-002", "OAE-CHK-004")
@pytest.mark.parametrize("seed", FEW)
def test_what_is_lost_is_not_held_against_the_link(seed: int, tmp_path: Path) -> None:
    check_losses(seed, tmp_path)


@pytest.mark.long
@requirement("OAE-CHK-002", "OAE-CHK-004")
def test_what_is_lost_is_never_held_against_the_link(tmp_path: Path) -> None:
    for seed in MANY:
        check_losses(seed, tmp_path)


@requirement("OAE-CHK-002")
@pytest.mark.parametrize("lost", ["the start", "a packet in the middle"])
def test_contradictions_after_a_gap_still_fail(lost: str, tmp_path: Path) -> None:
    """What both ends told before is forgotten, and what each says twice afterwards is not."""
    run = Run()
    run.committed(0)
    run.committed(1)
    gap = run.cycle
    run.committed(2)
    run.delivered(2)
    run.event(1, EventCode.ABORT_RECORDED, 2)
    run.told(2, Outcome.ABORTED)
    run.judged(tmp_path)
    capture = captured(Trace(tmp_path / "trace.txt"))
    after = capture.packets["time"] > gap * 16
    place = numpy.arange(len(after))
    kept = after if lost == "the start" else place != place[after][0] - 1
    result = capture.only(kept).check()
    assert result.verdict is Verdict.FAIL
    # Of one end each; that b aborted what a had decided is not said, for a may have lost it.
    promises = {Promise.EXACTLY_ONCE, Promise.FINAL, Promise.CONSERVATION}
    assert {finding.promise for finding in result.findings} == promises
    assert {finding.id for finding in result.findings} == {2}


@requirement("OAE-CHK-002")
def test_a_run_without_its_end_is_inconclusive(tmp_path: Path) -> None:
    capture = captured(play(64, tmp_path))
    number = numpy.arange(len(capture.packets))
    stop = int(number[capture.packets["time"] == capture.packets["time"][-1]][0])
    for last, reason in ((number[-1], "cut off"), (stop // 2, "no stop")):
        result = capture.only(number < last).check()
        assert result.verdict is Verdict.INCONCLUSIVE
        assert reason in result.reason


@requirement("OAE-CHK-001", "OAE-CHK-002")
@pytest.mark.parametrize(
    ("effect", "verdict"),
    [
        ("", Verdict.INCONCLUSIVE),  # it may hold up a host, which nothing shows
        ("a cancel 9", Verdict.FAIL),
        ("a fate 0 1 1 0 0002 4", Verdict.FAIL),
    ],
)
def test_a_stalled_run_fails_unless_a_rule_may_be_the_reason(
    effect: str, verdict: Verdict, tmp_path: Path
) -> None:
    run = Run()
    run.committed(0)
    run.open(1)
    run.say(2, "rule 4")
    if effect:
        run.lines.append(f"{run.cycle} {effect}")
    run.cycle += 5000
    run.stop("stalled")
    run.judged(tmp_path)
    result = captured(Trace(tmp_path / "trace.txt")).check()
    standing = next(each for each in result.promises if each.promise is Promise.PROGRESS)
    assert standing.verdict is verdict, standing.reason
    told = result.unknowns if verdict is Verdict.INCONCLUSIVE else result.findings
    assert [found.promise for found in told] == [Promise.PROGRESS]


def check_damage(damage: Damage, seed: int, lines: list[str], folder: Path) -> bool:
    """Do it to one transaction; False if there is none that it can be done to."""
    chance = random.Random(seed)
    candidates = suitable(damage, lines)
    if not candidates:
        return False
    chosen = chance.choice(candidates)
    promise = DAMAGE[damage].promise
    result = recorded(damage(lines, chosen, chance), folder).check()
    assert result.verdict is Verdict.FAIL, f"seed {seed}: {result.reason}"
    lane = "ab".index(chosen.initiator)
    found = [
        finding
        for finding in result.findings
        if (finding.promise, finding.end, finding.id) == (promise, lane, chosen.id)
    ]
    assert found, f"seed {seed}: {[str(finding) for finding in result.findings]}"
    assert found[0].requirement == REQUIREMENT[promise]
    assert found[0].packet in found[0].explained_by
    return True


@pytest.fixture(scope="module")
def good_lines(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    return lines_of(play(64, tmp_path_factory.mktemp("good")))


@requirement("OAE-CHK-001")
@pytest.mark.parametrize("damage", DAMAGE, ids=lambda damage: damage.__name__)
def test_damage_is_found(damage: Damage, good_lines: list[str], tmp_path: Path) -> None:
    for seed in range(3):
        assert check_damage(damage, seed, good_lines, tmp_path)


@pytest.mark.long
@requirement("OAE-CHK-001")
def test_all_damage_is_found(tmp_path: Path) -> None:
    """A hundred of each class."""
    done = dict.fromkeys(DAMAGE, 0)
    for seed in MANY:
        lines = lines_of(play(seed, tmp_path))
        for damage in DAMAGE:
            if done[damage] < 100:
                done[damage] += check_damage(damage, seed, lines, tmp_path)
        if min(done.values()) == 100:
            return
    pytest.fail(f"too few runs to do damage to: {done.values()}")


def check_ablation(ingredient: str, folder: Path) -> None:
    parsed = parse_text(ablation(CASES[ingredient]))
    for name, defines in (("with", []), ("without", [f"OAE_ABLATE_{ingredient}"])):
        ended = rtl.run(parsed, folder / name, simulator="icarus", defines=defines)
        assert ended.status == "finished"
        trace = Trace(folder / name / "trace.txt")
        judgement = judge(trace, expectations(parsed))
        result = captured(trace).check()
        assert_agreed(result, judgement)
        assert (result.verdict is Verdict.FAIL) == (name == "without"), result.reason


@requirement("OAE-CHK-001")
@pytest.mark.parametrize("ingredient", list(CASES)[:1])
def test_a_link_without_an_ingredient_fails(ingredient: str, tmp_path: Path) -> None:
    check_ablation(ingredient, tmp_path)


@pytest.mark.long
@requirement("OAE-CHK-001")
@pytest.mark.parametrize("ingredient", list(CASES)[1:])
def test_every_link_without_an_ingredient_fails(ingredient: str, tmp_path: Path) -> None:
    check_ablation(ingredient, tmp_path)
