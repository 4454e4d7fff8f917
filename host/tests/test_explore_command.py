"""`oae explore` as a user meets it."""

import json
from pathlib import Path

import pytest
from oae import cli
from oae.explore import ingredients as table
from oae.explore.ingredients import ingredients


def test_a_clean_search(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["explore", "--ids", "1", "--crashes-a", "1"]) == 0
    out = capsys.readouterr().out
    assert out.startswith("oae explore --ids 1 --crashes-a 1\ncomplete: ")


def test_a_counterexample_is_a_readable_sequence(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["explore", "--without", "F5"]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "oae explore --ids 1 --without F5"
    assert lines[1].split()[:3] == ["1", "A", "OPENED,"]
    assert sum(line.lstrip()[:1].isdigit() for line in lines[:-1]) == ingredients()["F5"].steps
    assert lines[-2].startswith("broken: agreement")


def test_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["explore", "--without", "F8", "--json"]) == 1
    data = json.loads(capsys.readouterr().out)
    assert (data["verdict"], len(data["steps"])) == ("broken", ingredients()["F8"].steps)
    assert set(data["steps"][0]) == {"who", "text", "a", "b"}


def test_a_search_that_is_cut_short_is_inconclusive(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["explore", "--limit-states", "50"]) == 3
    assert "INCONCLUSIVE" in capsys.readouterr().out


def test_options_override_the_budget_of_an_ingredient(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["explore", "--without", "F1", "--crashes-a", "0"]) == 0
    assert capsys.readouterr().out.startswith("oae explore --ids 1 --without F1\n")


def test_options_reach_every_kind_of_field(capsys: pytest.CaptureFixture[str]) -> None:
    words = "--world epoch --channel fifo --ids 0 --no-retries --advances 5 --peer-advances 6"
    assert cli.main(["explore", *words.split()]) == 0
    assert capsys.readouterr().out.startswith(f"oae explore {words}\n")


@pytest.mark.parametrize(
    "words",
    [
        ["--without", "F99"],
        ["--without", ""],
        ["--all", "--without", "F1"],
        ["--all", "--ids", "3"],
        ["--list", "--crashes-a", "1"],
        ["--all", "--list"],
        ["--without", "F25"],
        ["--window", "3"],
        ["--crashes-a", "-1"],
        ["--world", "beat"],
    ],
)
def test_bad_usage_is_one_line(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["explore", *words]) == 2
    err = capsys.readouterr().err
    assert err.startswith("oae: ")
    assert err.count("\n") == 1


@pytest.mark.parametrize(
    "words", [["--world", "moon"], ["--ids", "x"], ["--advances", "x"], ["--limit-states", "0"]]
)
def test_bad_options_are_refused_by_the_parser(words: list[str]) -> None:
    assert cli.main(["explore", *words]) == 2


def test_the_list_names_every_ingredient(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["explore", "--list"]) == 0
    text = capsys.readouterr().out
    assert cli.main(["explore", "--list", "--json"]) == 0
    data = json.loads(capsys.readouterr().out)
    assert [row["id"] for row in data] == list(ingredients())
    for row in data:
        assert row["removed"] in text
        assert row["command"] is None or row["command"] in text


SMALL = """
[[ingredient]]
id = "F5"
text = "patience"
removed = "impatience"
happens = "a split"
rtl = true
broken = "{broken}"
steps = 8
search = {{ ids = 1 }}
"""


@pytest.mark.parametrize(
    ("broken", "code"),
    [("agreement: COMMITTED at one end, ABORTED at the other", 0), ("something else", 1)],
)
def test_all_takes_out_and_puts_back(
    broken: str,
    code: int,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    source = tmp_path / "ingredients.toml"
    source.write_text(SMALL.format(broken=broken))
    monkeypatch.setattr(table, "SOURCE", source)
    table.ingredients.cache_clear()
    try:
        assert cli.main(["explore", "--all"]) == code
        out = capsys.readouterr().out
        assert ("NOT AS RECORDED" in out) == bool(code)
        assert "intact: clean" in out
        assert cli.main(["explore", "--all", "--json"]) == code
        assert json.loads(capsys.readouterr().out)[0]["as_recorded"] == (code == 0)
    finally:
        table.ingredients.cache_clear()
