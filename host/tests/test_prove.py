"""`oae prove` on small designs: what holds, what does not, what cannot be read; and the list."""

import json
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest
from oae import cli
from oae.engines.rtl import ingredients
from oae.prove import report, runner, tasks
from oae.prove.ablations import ablations, table
from oae.prove.runner import BUILD, Outcome, Property
from oae.prove.tasks import ProofError, Task
from oae.synth.sources import ROOT
from oae.testing import requirement

SBY = """# A counter that stays
# below a bound.
[tasks]
holds quick
breaks
reaches long

[options]
holds: mode prove
breaks: mode bmc
reaches: mode cover
depth 6

[engines]
smtbmc --nomem yices

[script]
read_verilog -formal -sv small.sv
breaks: chparam -set BOUND 3 small
prep -top small

[files]
hdl/formal/small.sv
"""
SMALL = """
module small #(parameter BOUND = 5) (input clk, input up);
  reg [3:0] count = 0;
  always @(posedge clk) if (up && count < 4) count <= count + 1;
  always @* begin
    bounded : assert (count < BOUND);
    is_full : cover (count == 4);
  end
endmodule
"""


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project with one small proof."""
    formal = tmp_path / "hdl" / "formal"
    formal.mkdir(parents=True)
    (formal / "small.sby").write_text(SBY)
    (formal / "small.sv").write_text(SMALL)
    monkeypatch.setattr(runner, "ROOT", tmp_path)
    monkeypatch.setattr(report, "ROOT", tmp_path)
    monkeypatch.setattr(runner, "check_macros", lambda: None)
    return tmp_path


def prove(root: Path, *names: str) -> list[Outcome]:
    chosen = tasks.choose(tasks.tasks(root), list(names), quick=False)
    return runner.prove([(task, ()) for task in chosen], lambda *_: None, 2)


def test_tasks_are_read_from_the_sby_files(root: Path) -> None:
    every = tasks.tasks(root)
    assert [(task.title, task.mode, set(task.groups)) for task in every] == [
        ("small:holds", "prove", {"quick"}),
        ("small:breaks", "bmc", set()),
        ("small:reaches", "cover", {"long"}),
    ]
    assert tasks.about(root / every[0].file) == "A counter that stays below a bound."
    assert [task.name for task in tasks.choose(every, [], False)] == ["holds", "breaks"]
    assert [task.name for task in tasks.choose(every, [], True)] == ["holds"]
    assert [task.name for task in tasks.choose(every, ["small:reaches"], False)] == ["reaches"]
    with pytest.raises(ProofError, match="no proof tall; there are small"):
        tasks.choose(every, ["tall"], False)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [("[tasks]", "[task]", "no \\[tasks\\]"), ("breaks: mode bmc\n", "", "no mode for the task")],
)
def test_a_file_that_says_too_little_is_refused(
    root: Path, old: str, new: str, message: str
) -> None:
    path = root / "hdl" / "formal" / "small.sby"
    path.write_text(SBY.replace(old, new))
    with pytest.raises(ProofError, match=message):
        tasks.read(path)


@requirement("OAE-FML-007")
def test_what_holds_and_what_does_not(root: Path) -> None:
    holds, breaks = prove(root)
    assert (holds.result, holds.depth, holds.engine) == ("PASS", 6, "smtbmc --nomem yices")
    assert [(p.name, p.kind, p.result) for p in holds.properties] == [("bounded", "ASSERT", "PASS")]
    assert breaks.result == "FAIL"
    (bounded,) = breaks.failed
    assert bounded.name == "bounded"
    assert bounded.trace is not None
    assert bounded.trace.read_text().startswith("$")
    page = report.page([holds, breaks], {"yosys": "1"}, "Proofs")
    assert "small_breaks/engine_0/trace.vcd" in page
    assert 'class="verdict FAIL"' in page
    suites = ElementTree.fromstring(report.junit([holds, breaks]))
    assert [suite.get("failures") for suite in suites] == ["0", "1"]


@requirement("OAE-FML-006")
def test_what_is_reached_has_a_waveform(root: Path) -> None:
    (reaches,) = prove(root, "small:reaches")
    (is_full,) = reaches.properties
    assert (is_full.name, is_full.kind, is_full.result) == ("is_full", "COVER", "PASS")
    assert is_full.trace is not None


@requirement("OAE-FML-007")
def test_a_design_that_cannot_be_read_is_one_line(root: Path) -> None:
    (root / "hdl" / "formal" / "small.sv").write_text("module small;\n")
    with pytest.raises(ProofError, match=r"small:holds: .*ERROR") as raised:
        prove(root, "small:holds")
    assert "\n" not in str(raised.value)


@requirement("OAE-FML-007")
@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("always @* named : assert (\\inner.count <= 4);", "inner.count is not declared"),
        (
            "(* hierconn *) wire [3:0] \\inner.cuont ;"
            " always @* named : assert (\\inner.cuont < 5);",
            "inner.cuont has no driver",
        ),
    ],
)
def test_a_name_that_is_joined_with_nothing_is_refused(root: Path, line: str, message: str) -> None:
    """Such a wire is free: a proof with a misspelt name would say nothing."""
    top = f"module top (input clk, input up); small inner(clk, up); {line} endmodule"
    formal = root / "hdl" / "formal"
    (formal / "small.sv").write_text(f"{SMALL}\n{top}\n")
    (formal / "small.sby").write_text(
        SBY.replace("prep -top small", "prep -top top -flatten").replace("depth 6", "depth 1")
    )
    with pytest.raises(ProofError, match=message):
        prove(root, "small:holds")


def test_an_engine_that_decides_all_at_once_still_names_the_properties(tmp_path: Path) -> None:
    cells = [
        {"name": name, "attributes": {"src": f"a.sv:{line}"}, "parameters": {"FLAVOR": flavor}}
        for line, (name, flavor) in enumerate([("bounded", "assert"), ("fair", "assume")])
    ]
    model = {"modules": [{"name": "small", "cell_sorts": [{"type": "$check", "cells": cells}]}]}
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "design.json").write_text(json.dumps(model))
    found = list(runner._properties(tmp_path, "PASS"))
    assert found == [Property("bounded", "ASSERT", "a.sv:0", "PASS")]


def test_ingredients_are_left_out_before_anything_is_read() -> None:
    text = runner.ablated(SBY, ["F1", "F5"])
    script = text.partition("[script]\n")[2].splitlines()
    assert script[:2] == [
        "verilog_defines -D OAE_ABLATE_F1",
        "verilog_defines -D OAE_ABLATE_F5",
    ]
    assert runner.ablated(SBY, []) == SBY


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["nothing"], "no proof nothing"),
        (["--without", "F99"], "--without F99: the RTL can leave out F1"),
        (["--parallel", "0"], "not a positive number"),
    ],
)
def test_bad_usage_is_one_line(
    words: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["prove", *words]) == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1


def test_the_list_says_what_each_proof_is_for(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["prove", "--list"]) == 0
    text = capsys.readouterr().out
    for task in tasks.tasks():
        assert task.title in text
    for path in (ROOT / tasks.FOLDER).glob("*.sby"):
        assert tasks.about(path), f"{path.name} does not say what it proves"


def test_a_task_has_a_folder_of_its_own() -> None:
    task = Task("lane", "promises", frozenset(), "bmc")
    assert runner.folder(task, []) == BUILD / "lane_promises"
    assert runner.folder(task, ["F5"]) == BUILD / "lane_promises_without_F5"


@requirement("OAE-FML-006")
def test_every_ingredient_of_the_rtl_has_a_proof_that_fails_without_it() -> None:
    rows = table()
    assert set(rows) >= set(ingredients())
    assert {name for name, row in rows.items() if "simulated" in row} == {"F10", "F25"}
    proven = {row.ingredient for row in ablations(tasks.tasks())}
    assert proven == set(rows) - {"F10", "F25"}
