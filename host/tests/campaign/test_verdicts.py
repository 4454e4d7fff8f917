"""Whatever a scenario does: every engine comes to the same verdict."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from oae.check.run import judge_run
from oae.check.verdict import Judgement, Verdict
from oae.engines import compiled, model
from oae.engines.compiled import Engine
from oae.engines.player import play
from oae.scenario.parse import parse_text
from oae.scenario.scenario import Scenario
from oae.testing import requirement

from host.tests.campaign.random_scenarios import Scenarios
from host.tests.campaign.schedules import LINK

FEW = range(12)
MANY = range(300)


@pytest.fixture(scope="module")
def engine() -> Iterator[Engine]:
    with Engine(compiled.parameters(parse_text(LINK))) as engine:
        yield engine


@requirement("OAE-RUN-010")
@pytest.mark.parametrize(
    "seed",
    [seed if seed in FEW else pytest.param(seed, marks=pytest.mark.long) for seed in MANY],
)
def test_every_engine_comes_to_one_verdict(engine: Engine, seed: int, tmp_path: Path) -> None:
    """How far a run comes hangs on time, of which `model` has its own; what is broken does not."""
    scenario = parse_text(Scenarios(seed).text)
    outcome = engine.run(scenario, sha256=True)
    verilog, own = (judged(scenario, tmp_path / name, name) for name in ("verilator", model.NAME))
    assert (outcome.sha256, outcome.stop) == (verilog.sha256, verilog.stop)
    assert outcome.verdict is verilog.verdict, (outcome.reason, verilog.reason)
    if "cycles" in (verilog.stop, own.stop):
        return
    fails = [one.verdict is Verdict.FAIL for one in (verilog, own)]
    assert fails[0] == fails[1], (verilog.reason, own.reason)
    as_far = verilog.stop == own.stop and committed(verilog) and committed(own)
    assert not as_far or verilog.verdict is own.verdict, (verilog.reason, own.reason)


def judged(scenario: Scenario, folder: Path, engine: str) -> Judgement:
    """Play, and judge as `oae run` does."""
    ended = play(scenario, folder, engine=engine)
    assert ended.status == "finished"
    return judge_run(scenario, b"", folder, ended.assertions, followed=True).judgement


def committed(judgement: Judgement) -> int:
    """Records, over both lanes."""
    return sum(end.committed for end in judgement.ends)
