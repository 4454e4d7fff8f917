"""The RTL's assertions are in every build, and one that speaks fails the run."""

from pathlib import Path

import pytest
from oae.testing import requirement

from cocotb_tests.end.test_end import SOURCES, TIMERS
from cocotb_tests.runner import SIMULATORS, SimulationError, check_assertions, may_assert, run

SPOKEN = "ASSERTION oae_end.responder: a frame that a correct peer cannot send"
OTHER = "ASSERTION oae_end.initiator: next id is not told + held"


def play(simulator: str, testcase: str) -> None:
    """With the parameters of another test, so that both share a build."""
    run(
        "oae_end",
        "cocotb_tests.end.bench_assertions",
        simulator=simulator,
        sources=SOURCES,
        parameters={"WINDOW": 8, "RECORD_MAX": 64, **TIMERS},
        testcase=testcase,
    )


@requirement("OAE-SIM-017")
@pytest.mark.parametrize("simulator", SIMULATORS)
def test_a_run_fails_by_an_assertion_alone(simulator: str) -> None:
    """Its cocotb test passes."""
    play(simulator, "nothing_is_wrong")
    with pytest.raises(SimulationError, match=SPOKEN):
        play(simulator, "a_commit_of_another_record")


@requirement("OAE-SIM-017")
def test_only_what_is_declared_may_speak(tmp_path: Path) -> None:
    log = tmp_path / "test.log"
    may = may_assert('MAY_ASSERT = ["a frame that a correct peer cannot send"]\n')
    log.write_text(f"cocotb: running\n{SPOKEN}\n{SPOKEN}\ncocotb: passed\n")
    check_assertions(log, "run", may, every=True)
    with pytest.raises(SimulationError, match=r"cannot send \(2 times\)"):
        check_assertions(log, "run", [], every=True)
    log.write_text(f"{SPOKEN}\n{OTHER}\n")
    with pytest.raises(SimulationError, match=r"told \+ held \(1 times\)$"):
        check_assertions(log, "run", may, every=True)
    log.write_text("cocotb: passed\n")
    check_assertions(log, "run", may, every=False)
    with pytest.raises(SimulationError, match="nothing provoked"):
        check_assertions(log, "run", may, every=True)


def test_a_bench_without_a_declaration_may_nothing() -> None:
    assert may_assert("WINDOW = 8\n") == []
