"""No output depends on a register that rst leaves alone, nor on what is not valid (Icarus)."""

import re
import subprocess
from pathlib import Path

import pytest
from oae.synth.sources import ROOT, source_list
from oae.testing import requirement
from oae.toolchain import environment

BENCH = Path(__file__).with_name("oae_unknown_bits.v")
END = re.compile(r"(\d+) cycles, (\d+) unknown bits; (\d+) deliveries, (\d+) outcomes")


def run(folder: Path, sources: list[Path], cycles: int, seed: int) -> tuple[int, int, int]:
    """Unknown bits, deliveries and outcomes of a run of two ends from an unknown start."""
    program = folder / "unknown_bits.vvp"
    variables = environment("iverilog", "vvp")
    words = ["iverilog", "-g2012", "-I", str(ROOT / "hdl/rtl"), "-s", "oae_unknown_bits"]
    subprocess.run([*words, "-o", program, *sources, BENCH], check=True, env=variables)
    ended = subprocess.run(
        ["vvp", program, f"+cycles={cycles}", f"+seed={seed}"],
        check=True,
        env=variables,
        capture_output=True,
        text=True,
    )
    found = END.search(ended.stdout)
    assert found is not None, ended.stdout[-2000:]
    assert int(found.group(1)) == cycles
    return int(found.group(2)), int(found.group(3)), int(found.group(4))


@requirement("OAE-FML-008")
@pytest.mark.parametrize(
    ("cycles", "seed"),
    [
        pytest.param(6_000, 1, marks=pytest.mark.proof),
        pytest.param(100_000, 2, marks=pytest.mark.long),
        pytest.param(100_000, 3, marks=pytest.mark.long),
    ],
)
def test_no_output_is_unknown(tmp_path: Path, cycles: int, seed: int) -> None:
    sources = [ROOT / path for path in source_list()]
    unknown, deliveries, outcomes = run(tmp_path, sources, cycles, seed)
    assert unknown == 0
    assert deliveries > cycles // 100
    assert outcomes > cycles // 100


@requirement("OAE-FML-008")
@pytest.mark.proof
def test_a_register_without_reset_shows(tmp_path: Path) -> None:
    """The bench speaks when the id counter starts unknown."""
    core = "oae_initiator_core.v"
    text = (ROOT / "hdl/rtl" / core).read_text()
    changed = re.sub(r"next_id(\s*)<= \{ID_BITS\{1'b0\}\};", r"next_id\1<= next_id;", text)
    assert changed != text
    (tmp_path / core).write_text(changed)
    sources = [tmp_path / core if path.name == core else ROOT / path for path in source_list()]
    unknown, _, _ = run(tmp_path, sources, 1_000, 1)
    assert unknown > 0
