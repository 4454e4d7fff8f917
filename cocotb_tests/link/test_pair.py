"""The same run under cocotb and in the compiled engine is the same, byte for byte."""

from pathlib import Path

import pytest
from oae.engines import rtl
from oae.scenario.compile import compile_scenario, write
from oae.scenario.parse import parse
from oae.testing import requirement
from oae.trace import Trace

from cocotb_tests.link import arcs
from cocotb_tests.link.pair import play
from cocotb_tests.runner import ROOT, run


@requirement("OAE-DET-001")
@pytest.mark.parametrize("simulator", ["icarus", pytest.param("verilator", marks=pytest.mark.long)])
def test_cocotb_gives_only_the_clock(simulator: str, tmp_path: Path) -> None:
    scenario = parse("hash")
    words = compile_scenario(scenario)
    (tmp_path / "schedule.hex").write_text(write(words))
    run(
        "oae_link_pair_top",
        "cocotb_tests.link.bench_pair",
        simulator=simulator,
        sources=[str(path.relative_to(ROOT)) for path in rtl.sources()],
        parameters=rtl.parameters(scenario, len(words)),
        defines={"OAE_SIMULATION": 1},
        plusargs=[f"+schedule={tmp_path}/schedule.hex", f"+trace={tmp_path}/trace.txt"],
    )
    trace = Trace(tmp_path / "trace.txt")
    arcs.note(trace)
    compiled = play("hash", tmp_path / "compiled", lockstep=False)
    assert trace.sha256 == compiled.trace.sha256
