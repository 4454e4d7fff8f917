"""Size and speed: sources, reading of reports, comparison with the baseline, the document."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from oae.synth import __main__ as command
from oae.synth import baseline, flow, report, sources
from oae.synth.baseline import Result, complaints
from oae.synth.document import document
from oae.synth.report import ReportError, Size, Speed

SPEED = Speed(80.0, "initiator.state[2]", "responder.ids", 9, 4.5, 8.0)
RESULT = Result(
    "oae_end",
    "ecp5",
    8,
    64,
    Size(9000, 3600, 400, 200, 4, 0),
    {1: SPEED, 2: SPEED._replace(fmax=90.0)},
    "",
    {"pyosys": "0.70"},
)


def test_source_lists_define_no_macro_of_simulation_or_ablation() -> None:
    sources.check_macros()
    checked = list(sources.lists_to_check())
    assert sources.SOURCE_LIST in checked
    assert Path("hdl/rtl/oae_end.v") in checked
    assert Path("hdl/rtl/oae_ablate.vh") in checked


@pytest.mark.parametrize(
    "text",
    [
        "`define OAE_ABLATE_F7",
        "+define+OAE_SIMULATION",
        "-DOAE_ABLATE_F30",
        "read_verilog -D OAE_ABLATE_F1 hdl/rtl/oae_end.v",
        "read -define OAE_SIMULATION",
        "verific -vlog-define\nread -define OAE_ABLATE_F12=1",
    ],
)
def test_a_defined_macro_is_found(text: str) -> None:
    assert len(sources.forbidden_macros(text)) == 1


@pytest.mark.parametrize(
    "text", ["`ifdef OAE_ABLATE_F7", "`ifdef OAE_SIMULATION", "`define OAE_HAS_F7 1'b1", "-DOTHER"]
)
def test_a_macro_that_is_asked_for_is_not_defined(text: str) -> None:
    assert sources.forbidden_macros(text) == []


def test_a_list_that_defines_one_is_refused(tmp_path: Path) -> None:
    for path in sources.lists_to_check():
        copy = tmp_path / path
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_text((sources.ROOT / path).read_text())
    sources.check_macros(tmp_path)
    with (tmp_path / sources.SOURCE_LIST).open("a") as file:
        file.write("+define+OAE_SIMULATION\n")
    with pytest.raises(sources.SourceError, match=r"hdl/rtl.f defines OAE_SIMULATION"):
        sources.check_macros(tmp_path)


@pytest.mark.parametrize("design", [sources.END, sources.BOARD])
def test_every_source_of_a_design_is_there(design: sources.Design) -> None:
    files = design.sources()
    assert Path("hdl/rtl/oae_end.v") in files
    assert Path(f"hdl/synth/{design.shell}.v") in files
    assert all((sources.ROOT / file).is_file() for file in files)
    for folder in design.includes:
        assert list((sources.ROOT / folder).glob("*.vh"))


def test_size_counts_the_end_and_not_its_shell() -> None:
    statistics = {
        "modules": {
            "$paramod$1234\\oae_end": {
                "num_cells_by_type": {"LUT4": 10, "TRELLIS_FF": 7, "CCU2C": 3, "DP16KD": 4}
            },
            "\\oae_end_shell": {"num_cells_by_type": {"LUT4": 99, "TRELLIS_FF": 99}},
        }
    }
    assert report.size(statistics) == Size(10, 7, 3, 0, 4, 0)
    with pytest.raises(ReportError, match="no module oae_end"):
        report.size({"modules": {}})


def test_size_of_ice40_adds_all_kinds_of_flip_flops() -> None:
    cells = {"SB_LUT4": 5, "SB_DFF": 1, "SB_DFFE": 2, "SB_DFFESR": 3, "SB_RAM40_4K": 8}
    statistics = {"modules": {"\\oae_end": {"num_cells_by_type": cells}}}
    assert report.size(statistics) == Size(5, 6, 0, 0, 8, 0)


def netlist() -> dict[str, Any]:
    def ff(bit: int) -> dict[str, Any]:
        return {"connections": {"Q": [bit]}, "port_directions": {"Q": "output"}}

    def net(*bits: int, hidden: int = 0) -> dict[str, Any]:
        return {"hide_name": hidden, "bits": list(bits)}

    return {
        "modules": {
            "$paramod$1234\\oae_end": {
                "cells": {"x_TRELLIS_FF_Q_3": ff(11)},
                "netnames": {
                    "initiator.state": net(10, 11),
                    "initiator.state_LUT4_Z": net(11),
                    "$1": net(11, hidden=1),
                },
            },
            "oae_end_shell": {"cells": {"in_TRELLIS_FF_Q": ff(2)}, "netnames": {"in": net(2)}},
            "LUT4": {},
        }
    }


def timing(achieved: float = 71.234) -> dict[str, Any]:
    def step(kind: str, delay: float, start: str, end: str) -> dict[str, Any]:
        return {"type": kind, "delay": delay, "from": {"cell": start}, "to": {"cell": end}}

    first, last = "dut.x_TRELLIS_FF_Q_3", "dut.responder.ids.4.1$DPRAM_COMB0"
    return {
        "fmax": {"$glbnet$clk": {"achieved": achieved, "constraint": 125}},
        "critical_paths": [
            {"from": "<async>", "to": "posedge $glbnet$clk", "path": []},
            {
                "from": "posedge $glbnet$clk",
                "to": "posedge $glbnet$clk",
                "path": [
                    step("clk-to-q", 0.5, first, first),
                    step("routing", 2.0, first, "lut"),
                    step("logic", 0.25, "lut", "lut"),
                    step("routing", 1.0, "lut", last),
                    step("setup", 0.0, last, last),
                ],
            },
        ],
    }


def test_the_longest_path_has_readable_ends() -> None:
    names = report.cell_names(netlist())
    speed = report.speed(timing(), names)
    assert speed == Speed(71.23, "initiator.state[1]", "responder.ids", 1, 0.75, 3.0)


def test_a_report_without_the_clock_is_an_error() -> None:
    with pytest.raises(ReportError, match="0 clocks"):
        report.speed({"fmax": {}, "critical_paths": []}, {})


def test_a_missing_report_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(ReportError, match=r"no report in nothing\.json"):
        report.load(tmp_path / "nothing.json")


def test_as_good_as_before_is_no_complaint() -> None:
    slightly = replace(RESULT, size=replace(RESULT.size, lut=9900, ff=3960))
    assert list(complaints(slightly, RESULT)) == []
    assert list(complaints(RESULT, None)) == []


@pytest.mark.parametrize(("field", "value"), [("lut", 9901), ("ff", 3961), ("block_ram", 5)])
def test_more_than_ten_percent_more_is_a_regression(field: str, value: int) -> None:
    worse = replace(RESULT, size=replace(RESULT.size, **{field: value}))
    (line,) = complaints(worse, RESULT)
    assert line.startswith(f"{field}: {value} instead of")


def test_the_worst_seed_decides() -> None:
    slower = replace(RESULT, speeds={1: SPEED, 2: SPEED._replace(fmax=71.9)})
    (line,) = complaints(slower, RESULT)
    assert line == "Fmax: 71.9 MHz instead of 80.0 MHz, 10 % less"
    kept = replace(RESULT, speeds={1: SPEED._replace(fmax=72.1)})
    assert list(complaints(kept, RESULT)) == []


@pytest.mark.parametrize(("design", "required"), [("oae_end", 62.5), ("oae_board", 50)])
def test_the_required_clock_rate_holds_without_a_baseline(design: str, required: float) -> None:
    slow = replace(RESULT, design=design, speeds={1: SPEED._replace(fmax=required - 0.1)})
    (line,) = complaints(slow, None)
    assert f"under the required {required} MHz" in line
    right = replace(slow, speeds={1: SPEED._replace(fmax=required)})
    assert list(complaints(right, None)) == []


def test_no_longer_fitting_is_a_regression() -> None:
    small = replace(RESULT, device="ice40")
    misfit = replace(small, speeds={}, misfit="9000 of 7680 ICESTORM_LC")
    assert list(complaints(misfit, small)) == ["it no longer fits: 9000 of 7680 ICESTORM_LC"]
    assert list(complaints(misfit, misfit)) == []


def test_a_record_store_outside_block_ram_is_told() -> None:
    lost = replace(RESULT, size=replace(RESULT.size, block_ram=2))
    assert list(command.store_complaints(lost)) == ["2 block RAMs: the two record stores need 4"]
    assert list(command.store_complaints(RESULT)) == []


def test_the_verdict_is_an_exit_code(capsys: pytest.CaptureFixture[str]) -> None:
    assert command.verdict([RESULT], {RESULT.key: RESULT}) == 0
    worse = replace(RESULT, size=replace(RESULT.size, lut=20000))
    assert command.verdict([worse], {RESULT.key: RESULT}) == 1
    assert capsys.readouterr().err.count("\n") == 1


def test_a_baseline_comes_back_as_it_was_written(tmp_path: Path) -> None:
    path = tmp_path / "baseline.json"
    assert baseline.read(path) == {}
    baseline.write(path, [RESULT])
    assert baseline.read(path) == {RESULT.key: RESULT}


def test_a_broken_baseline_is_one_line(tmp_path: Path) -> None:
    path = tmp_path / "baseline.json"
    path.write_text("{")
    with pytest.raises(baseline.OaeError, match=r"baseline\.json is no JSON"):
        baseline.read(path)
    path.write_text(json.dumps({"x": {}}))
    with pytest.raises(baseline.OaeError, match="--update"):
        baseline.read(path)


def test_the_document_is_that_of_the_committed_baseline() -> None:
    if not command.BASELINE.exists():
        pytest.skip("no baseline is committed; `python -m oae.synth --update` writes one")
    results = baseline.read(command.BASELINE)
    kept = [results[key] for key in sorted(results)]
    assert command.DOCUMENT.read_text() == document(kept)
    for result in kept:
        assert result.speeds.keys() == {1, 2, 3}
        assert command.verdict([result], results) == 0


def test_an_overfull_device_is_recognized() -> None:
    log = "Info: \t  ICESTORM_LC:   12001/  7680   156%\nInfo: \t ICESTORM_RAM: 16/ 32 50%\n"
    assert flow.over_full(log) == "12001 of 7680 ICESTORM_LC"
    assert flow.over_full("Info: \t ICESTORM_LC: 120/ 7680 1%\n") == ""


def test_wrong_options_are_refused() -> None:
    for words in (["--window", "3"], ["--record-max", "12"], ["--update", "--window", "4"]):
        with pytest.raises(SystemExit) as ended:
            command.main(words)
        assert ended.value.code == 2


def test_the_fusesoc_core_lists_the_same_files() -> None:
    """hdl/oae_link.core and hdl/rtl.f name the same Verilog files."""
    root = Path(__file__).resolve().parents[2]
    listed = {line.removeprefix("hdl/") for line in (root / "hdl/rtl.f").read_text().split()}
    core = (root / "hdl/oae_link.core").read_text()
    named = {word for word in core.split() if word.startswith("rtl/") and word.endswith(".v")}
    assert named == listed
