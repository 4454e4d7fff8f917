"""A counterexample of the composed proof as a scenario: from small waveforms that are written here,
and, as long tests, from those that the solver finds."""

from collections.abc import Iterable
from pathlib import Path

import pytest
from oae.check.expect import expectations
from oae.check.scoreboard import judge
from oae.check.verdict import Judgement, Verdict
from oae.engines import rtl
from oae.prove import runner
from oae.prove.ablations import ablations
from oae.prove.counterexample import counterexample
from oae.prove.scenario import scenario_of
from oae.prove.tasks import tasks
from oae.prove.waveform import WaveformError, read
from oae.scenario.layout import Action
from oae.scenario.parse import parse_text
from oae.scenario.scenario import Scenario
from oae.spec.constants import Operation, Outcome, State
from oae.testing import requirement
from oae.trace import Trace

Row = dict[str, int]
IDLE, TENTATIVE, REFLECTING = State.IDLE, State.TENTATIVE, State.REFLECTING
COMMITTED, REVERSING, ABORTED = State.COMMITTED, State.REVERSING, State.ABORTED
WIDTH = 16
SIGNALS = [
    "a.ids<0>",
    "a.state",
    "a.known",
    "b.ids<0>",
    "b.state",
    "b.delivered",
    "k",
    "slot_mask",
    "crash_a",
    "crash_b",
    "next_id",
    "pointer",
    "last_pointer",
    "next_pointer",
    "moved_on",
    "open_ready",
    "open_id",
    "delivering",
    "head_id",
    "tell_taken",
    "telling",
    "tell_id",
    "tell_outcome",
    "told_committed",
    "told_aborted",
    "a_committed",
    "a_aborted",
    "a_state",
    "b_committed",
    "b_aborted",
    "b_altered",
    "b_reflected",
    "b_state",
    "opened",
    "delivered",
    "deliver_valid",
    "sent_abort",
    "order_used",
    "order_operation",
    "order_id",
    "order_altered",
    "order_misdirected",
    "order_turned",
    "answer_operation",
    "answer_id",
    "answer_altered",
    "answer_misdirected",
    "answer_turned",
]
BY_PROMISES = [row for row in ablations(tasks()) if row.task.title == "lane:promises"]


def row(a: State = IDLE, b: State = IDLE, **more: int) -> Row:
    """One cycle: what either end holds of transaction 0, and the signals that are not 0."""
    values = {"a.state": a, "a_state": a, "b.state": b, "b_state": b, "next_pointer": 1}
    return values | {name.replace("__", "."): value for name, value in more.items()}


def order(operation: Operation, **more: int) -> Row:
    """B hears a frame."""
    return {"order_used": 1, "order_operation": operation, **more}


def written(rows: Iterable[Row], path: Path) -> Path:
    """A waveform of these cycles, as the solver writes it: the last one stands twice."""
    lines = ["$var integer 32 t smt_step $end", "$scope module oae_lane_proof $end"]
    codes: dict[str, str] = {}
    for scope in ("a", "b", ""):
        if scope:
            lines.append(f"$scope module {scope} $end")
        for name in SIGNALS:
            owner, dot, rest = name.rpartition(".")
            if owner == scope and bool(dot) == bool(scope):
                codes[name] = f"n{len(codes)}"
                lines.append(f"$var wire {WIDTH} {codes[name]} {rest} $end")
        if scope:
            lines.append("$upscope $end")
    lines += ["$upscope $end", "$enddefinitions $end"]
    every = [{}, *rows]
    for step, values in enumerate([*every, every[-1]]):
        lines += [f"#{10 * step}", f"b{step:032b} t"]
        lines += [f"b{values.get(name, 0):0{WIDTH}b} {code}" for name, code in codes.items()]
    path.write_text("\n".join(lines) + "\n")
    return path


OPENED = row(open_ready=1)
TIRED = [
    OPENED,
    row(TENTATIVE, order_used=1, order_operation=Operation.DATA, next_id=1, opened=1),
    row(TENTATIVE, TENTATIVE, next_id=1, opened=1),
    row(TENTATIVE, REFLECTING, next_id=1, opened=1, b_reflected=1),
    row(TENTATIVE, REFLECTING, next_id=1, opened=1, b_reflected=1, crash_a=0),
    row(TENTATIVE, ABORTED, next_id=1, opened=1, b_reflected=1),
]
# What A had sent reaches B after A has crashed.
EARLY = [
    OPENED,
    row(TENTATIVE, next_id=1, opened=1, crash_a=1),
    row(REVERSING, next_id=1, opened=1) | order(Operation.DATA),
    row(REVERSING, TENTATIVE, next_id=1, opened=1),
    row(REVERSING, REFLECTING, next_id=1, opened=1, deliver_valid=1),
]
# The same, with a crash of B that changes nothing and A's reflection before it.
LATE = [
    OPENED,
    row(TENTATIVE, next_id=1, opened=1, crash_b=1, answer_operation=Operation.ACK)
    | {"answer_misdirected": 1},
    row(REFLECTING, next_id=1, opened=1),
    row(COMMITTED, next_id=1, opened=1) | order(Operation.DATA),
    row(COMMITTED, ABORTED, next_id=1, opened=1, a_committed=1, b_aborted=1),
]
FORGOTTEN = [
    OPENED,
    row(TENTATIVE, next_id=1, opened=1, crash_a=1),
    row(IDLE, next_id=0, opened=1),
]


def translated(rows: Iterable[Row], folder: Path) -> Scenario:
    """The scenario of these cycles, as the scenario parser reads it."""
    return parse_text(scenario_of(written(rows, folder / "trace.vcd")))


def actions(scenario: Scenario) -> list[Action]:
    """What the world does, in the order of the file."""
    return [fault.do.code for fault in scenario.faults]


def test_a_waveform_is_read_step_by_step(tmp_path: Path) -> None:
    waveform = read(written(TIRED, tmp_path / "trace.vcd"))
    assert waveform.values("oae_lane_proof.a.state") == [0, 0, 1, 1, 1, 1, 1, 1]
    with pytest.raises(WaveformError, match=r"no signal oae_lane_proof\.a\.colour"):
        waveform.values("oae_lane_proof.a.colour")


@pytest.mark.parametrize("text", ["", "$enddefinitions $end", "no waveform\n"])
def test_what_is_no_waveform_is_told_in_one_line(text: str, tmp_path: Path) -> None:
    path = tmp_path / "trace.vcd"
    path.write_text(text)
    with pytest.raises(WaveformError, match="not a waveform"):
        scenario_of(path)
    with pytest.raises(WaveformError, match="cannot be read"):
        scenario_of(tmp_path / "missing.vcd")


def test_a_waveform_in_which_every_promise_holds_is_none(tmp_path: Path) -> None:
    with pytest.raises(WaveformError, match="no promise breaks in cycle 4"):
        scenario_of(written(TIRED[:-2], tmp_path / "trace.vcd"))


@requirement("OAE-FML-010")
def test_steps_are_those_of_the_one_transaction(tmp_path: Path) -> None:
    found = counterexample(written(TIRED, tmp_path / "trace.vcd"))
    assert found.labels == ("never_alone",)
    assert found.cycle == 6
    assert [(step.cycle, step.end, step.event) for step in found.steps] == [
        (1, "a", "OPENED"),
        (2, "b", "HELD"),
        (3, "b", "REFLECTED"),
        (5, "b", "ABORT_RECORDED"),
    ]


@requirement("OAE-FML-010")
def test_what_an_end_does_by_itself_is_waited_for_with_the_wire_cut(tmp_path: Path) -> None:
    text = scenario_of(written(TIRED, tmp_path / "trace.vcd"))
    assert actions(parse_text(text)) == [Action.CUT, Action.CUT]
    comment = [line for line in text.splitlines() if line.startswith("#")]
    assert "#     3  b reflects" in comment
    assert any("never_alone" in line for line in comment)


@requirement("OAE-FML-010")
def test_a_crash_waits_for_the_frame_that_it_leaves_on_its_way(tmp_path: Path) -> None:
    scenario = translated(EARLY, tmp_path)
    assert actions(scenario) == [Action.CRASH]
    text = scenario.source
    assert 'when = "a->b DATA id=0 copy=0"' in text


@requirement("OAE-FML-010")
def test_a_frame_that_comes_late_is_held_back_and_its_repeats_are_lost(tmp_path: Path) -> None:
    scenario = translated(LATE, tmp_path)
    # No crash: that of B changes nothing.
    assert set(actions(scenario)) == {
        Action.FORGE,
        Action.REFUSE,
        Action.DROP,
        Action.HOLD,
        Action.CUT,
    }
    assert scenario.expect.violations == 1
    assert scenario.rates[0].reorder_cycles > scenario.rates[1].reorder_cycles
    # Only equal records can be taken for one another.
    assert len({record.data for record in scenario.loads[0].record}) == 1


@requirement("OAE-FML-010")
def test_a_crash_strikes_after_the_step_before_it(tmp_path: Path) -> None:
    scenario = translated(FORGOTTEN, tmp_path)
    assert actions(scenario) == [Action.CRASH]
    assert 'when = "a OPENED id=0"' in scenario.source
    assert scenario.loads[0].records > 2  # so that the id comes again


@requirement("OAE-FML-010")
def test_what_is_refused_and_forgotten_at_once_goes_behind_another_record(tmp_path: Path) -> None:
    committed = {"next_id": 1, "opened": 1, "b_aborted": 1}
    rows = [
        OPENED,
        row(TENTATIVE, next_id=1, opened=1) | order(Operation.DATA),
        row(TENTATIVE, ABORTED, next_id=1, opened=1, crash_b=1),
        row(TENTATIVE, **committed) | order(Operation.DATA),
        row(TENTATIVE, TENTATIVE, **committed),
        row(TENTATIVE, REFLECTING, answer_operation=Operation.ACK, **committed),
        row(REFLECTING, REFLECTING, **committed),
        row(COMMITTED, REFLECTING, a_committed=1, **committed),
    ]
    scenario = translated(rows, tmp_path)
    assert scenario.link.window == 2
    assert 'when = "b HELD id=0"\ndo = "refuse b"' in scenario.source
    assert 'when = "b REFUSED id=1"\ndo = "crash b"' in scenario.source
    assert 'do = "stall b deliver"' in scenario.source


@requirement("OAE-FML-010")
def test_a_damaged_answer_comes_from_the_transaction_before_in_the_slot(tmp_path: Path) -> None:
    rows = [
        OPENED,
        row(TENTATIVE, next_id=1, opened=1, answer_operation=Operation.DONE)
        | {"answer_misdirected": 1},
        row(COMMITTED, a__known=1, next_id=1, opened=1)
        | {"tell_taken": 1, "telling": 1, "tell_outcome": Outcome.COMMITTED},
    ]
    scenario = translated(rows, tmp_path)
    # The window is 1: transaction 0 of the waveform is 1 in the run.
    assert 'when = "b->a DONE id=0 copy=0"\ndo = "forge byte=16 xor=01 guard"' in scenario.source
    assert 'when = "a OPENED id=1"\ndo = "cut b->a"' in scenario.source


# ------------------------------------------------------------------ from proof to run


def played(text: str, folder: Path, defines: list[str]) -> Judgement:
    """Run a scenario on Verilator and judge it as `oae run` does."""
    scenario = parse_text(text)
    ended = rtl.run(scenario, folder, simulator="verilator", defines=defines)
    assert ended.status == "finished"
    return judge(Trace(folder / "trace.txt"), expectations(scenario), ended.assertions)


@pytest.mark.long
@requirement("OAE-FML-010")
@pytest.mark.parametrize("ingredient", [row.ingredient for row in BY_PROMISES])
def test_what_the_proof_finds_breaks_the_same_promise_in_a_run(
    ingredient: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    task = next(row.task for row in BY_PROMISES if row.ingredient == ingredient)
    monkeypatch.setattr(runner, "BUILD", Path("build/prove/replayed"))  # apart from `oae prove`
    (outcome,) = runner.prove([(task, (ingredient,))], lambda *_: None, 1)
    trace = next(one.trace for one in outcome.failed if one.trace is not None)
    text = scenario_of(trace)
    without = played(text, tmp_path / "without", [f"OAE_ABLATE_{ingredient}"])
    assert without.verdict == Verdict.FAIL, without.reason
    told = {violation.promise for violation in without.violations}
    assert told & counterexample(trace).promises, told
    intact = played(text, tmp_path / "intact", [])
    assert intact.violations == []
    assert intact.verdict in (Verdict.PASS, Verdict.INCONCLUSIVE)
