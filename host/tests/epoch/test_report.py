"""The rows of `oae epoch`, their page, and the command."""

import argparse
import json
import re
import shlex
import subprocess
from collections.abc import Callable
from functools import lru_cache
from html.parser import HTMLParser
from pathlib import Path

import networkx as nx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from oae import cli
from oae.commands import epoch as command
from oae.epoch.claim import Claim, Effort, Finding, Plot, Standing, Table
from oae.epoch.instances.claims import atomic, converged, uniform
from oae.epoch.plot import drawing
from oae.epoch.report import rows as rows_module
from oae.epoch.report.abstract import ABSTRACT, CLAIMED, QuoteError, find
from oae.epoch.report.page import phrases, render
from oae.epoch.report.rows import Row, claims, exit_code, run
from oae.epoch.report.standings import EXPECTED
from oae.testing import requirement
from oae.toolchain import ToolError

HOSTILE = "<script>document.title='broken'</script>\"'&"
NAMES = ("one", "two", "three", "four")


@lru_cache
def a_plot() -> Plot:
    with drawing() as made:
        made.axes.plot([1, 2, 3], [1, 4, 9], color="#d55e00", linewidth=20)
    return Plot("line", f"A line. {HOSTILE}", made.svg)


def finding(standing: Standing, number: int = 0) -> Finding:
    return Finding(
        standing,
        f"{number} of 17 {HOSTILE}",
        (f"A paragraph of {standing}.",),
        (Table("A table", ("head", HOSTILE), (("left", HOSTILE), ("1", "2"))),),
        (a_plot(),),
        {"number": number},
    )


def a_claim(name: str, experiment: Callable[[Effort], Finding], quote: str = CLAIMED[0]) -> Claim:
    return Claim(name, quote, f"statement {HOSTILE}", ("assumed",), "experiment", experiment)


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[Claim]:
    """A claim of each standing instead of the real ones, all on record."""

    def of(standing: Standing) -> Callable[[Effort], Finding]:
        return lambda effort: finding(standing, effort.seed + 100 * effort.long)

    standings = dict(zip(NAMES, Standing, strict=True))
    every = [
        a_claim(name, of(standing), CLAIMED[3 * number])
        for number, (name, standing) in enumerate(standings.items())
    ]
    for name, standing in standings.items():
        monkeypatch.setitem(EXPECTED, name, standing)
    monkeypatch.setattr(rows_module, "claims", lambda: every)
    return every


# ---------------------------------------------------------------------- the abstract


@requirement("OAE-EPR-001")
def test_every_claim_of_the_abstract_is_quoted_by_a_row() -> None:
    quotes = [find(claim.quote) for claim in claims()]
    for phrase in CLAIMED:
        assert any(find(phrase).meets(quote) for quote in quotes), phrase


@requirement("OAE-EPR-001")
def test_every_row_is_on_record_and_documented() -> None:
    names = [claim.name for claim in claims()]
    assert sorted(names) == sorted(EXPECTED)
    text = (Path(__file__).parents[3] / "docs" / "epoch.md").read_text()
    for name in names:
        assert re.fullmatch(r"[a-z]+(-[a-z]+)*", name)
        assert f"| `{name}` |" in text
        assert f"| {EXPECTED[name]} |" in next(
            line for line in text.splitlines() if f"| `{name}` |" in line
        )


@requirement("OAE-EPR-001")
@given(st.integers(0, len(ABSTRACT) - 1), st.integers(1, 200), st.sampled_from(["", "\n", "  "]))
def test_what_stands_in_the_abstract_is_found(begin: int, length: int, blank: str) -> None:
    quote = ABSTRACT[begin : begin + length]
    if not quote.strip(" ."):
        return
    span = find(blank.join([quote.upper(), "."]))
    told = re.sub(r"\s", "", ABSTRACT[span.start : span.end]).lower()
    assert told == re.sub(r"\s", "", quote).lower().rstrip(".")


@requirement("OAE-EPR-001")
@pytest.mark.parametrize("quote", ["", "...", "checkpoints are never atomic", "Snap(e)"])
def test_what_does_not_stand_in_the_abstract_is_refused(quote: str) -> None:
    with pytest.raises(QuoteError, match="the abstract does not say"):
        find(quote)


@requirement("OAE-EPR-003")
def test_the_abstract_is_shown_whole_with_its_rows(made: list[Claim]) -> None:
    shown = list(phrases([run(claim, Effort()) for claim in made]))
    assert "".join(phrase.text for phrase in shown) == ABSTRACT
    assert [phrase.text for phrase in shown if phrase.claimed] == list(CLAIMED)
    told = {phrase.text: [row.claim.name for row in phrase.rows] for phrase in shown if phrase.rows}
    assert told == {CLAIMED[3 * number]: [name] for number, name in enumerate(NAMES)}


# ---------------------------------------------------------------------- the page


class Elements(HTMLParser):
    """Names, attributes and text of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.names: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.words: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.names.append(tag)
        self.attributes += attrs

    def handle_data(self, data: str) -> None:
        self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())


def timeless(page: str) -> str:
    return re.sub(r'<span class="seconds">[^<]*</span>', "", page)


@requirement("OAE-EPR-003")
def test_page_shows_every_row_and_needs_nothing_from_elsewhere(made: list[Claim]) -> None:
    shown = [run(claim, Effort(7)) for claim in made]
    shown.append(Row(a_claim("one", made[0].run), Effort(), None, ToolError("no simulator"), 0.1))
    page = Elements(render(shown, "again & again"))
    assert "script" not in page.names
    assert page.names.count("article") == 5
    assert page.names.count("img") == 4
    for name, value in page.attributes:
        if name in ("src", "href"):
            assert str(value).startswith(("data:", "#"))
    targets = {f"#{value}" for name, value in page.attributes if name == "id"}
    assert {value for name, value in page.attributes if name == "href"} - {"data:,"} <= targets
    for claim in made:
        for told in (claim.quote, claim.statement, claim.experiment, "assumed"):
            assert told in page.text
        assert f"oae epoch claim {claim.name} --seed 7" in page.text
    for standing in Standing:
        assert f"A paragraph of {standing}." in page.text
        assert f"1 {standing}" in page.text
    assert "1 not run" in page.text
    assert "no simulator" in page.text
    assert "again & again" in page.text


@requirement("OAE-EPR-003")
def test_same_rows_are_the_same_page_but_for_times(made: list[Claim]) -> None:
    one, other = (render([run(claim, Effort()) for claim in made], "") for _ in range(2))
    assert timeless(one) == timeless(other)
    assert timeless(one) != timeless(render([run(made[0], Effort(2))], ""))


@requirement("OAE-EPR-003")
def test_browser_shows_page_and_plots(made: list[Claim], tmp_path: Path) -> None:
    page, picture = tmp_path / "report.html", tmp_path / "page.png"
    page.write_text(render([run(claim, Effort()) for claim in made], ""))
    words = "chromium --headless --no-sandbox --disable-gpu --enable-logging=stderr"
    done = subprocess.run(
        [*words.split(), "--window-size=900,8000", f"--screenshot={picture}", page.as_uri()],
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    assert "CONSOLE" not in done.stderr, done.stderr  # nothing was blocked or broken
    from matplotlib.image import imread

    seen = imread(picture)[:, :, :3]
    orange = abs(seen - [0xD5 / 255, 0x5E / 255, 0]).max(axis=2) < 0.05
    # The thick line of each plot, and nothing else, has this colour: four plots were drawn.
    bands = orange.any(axis=1).astype(int)
    assert (bands[1:] > bands[:-1]).sum() == len(NAMES)
    assert orange.sum() > 4 * 1000


# ---------------------------------------------------------------------- the command


@requirement("OAE-EPR-004")
def test_a_row_at_its_standing_is_0(
    made: list[Claim], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "report.html"
    assert cli.main(["epoch", "claim", "one"]) == 0
    assert "1 of 17" in capsys.readouterr().out
    assert cli.main(["epoch", "report", "--out", str(out), "--seed", "3", "--long", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert [row["standing"] for row in told] == list(Standing)
    assert all(row["data"] == {"number": 103} and row["as_recorded"] for row in told)
    assert "oae epoch claim one --seed 3 --long" in out.read_text()


@requirement("OAE-EPR-004")
@pytest.mark.parametrize("words", [["claim", "one"], ["report", "--out", "page.html"]])
def test_another_standing_is_1_and_is_told(
    made: list[Claim],
    words: list[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setitem(EXPECTED, "one", Standing.DOES_NOT_HOLD)
    assert cli.main(["epoch", *words]) == 1
    told = " ".join(capsys.readouterr().out.split())
    assert "one came to 'holds' where 'does not hold' is on record" in told


@requirement("OAE-EPR-004")
def test_an_experiment_that_cannot_be_made_leaves_the_others(
    made: list[Claim], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def missing(effort: Effort) -> Finding:
        raise ToolError("verilator is missing")

    rows = [run(a_claim("one", missing), Effort()), run(made[1], Effort())]
    assert [row.exit_code for row in rows] == [4, 0]
    assert exit_code(rows) == 4
    monkeypatch.setitem(EXPECTED, "two", Standing.DOES_NOT_HOLD)
    assert exit_code(rows) == 1
    assert "verilator is missing" in Elements(render(rows, "")).text
    made[0] = a_claim("one", missing)
    assert cli.main(["epoch", "claim", "one"]) == 4
    assert "verilator is missing" in capsys.readouterr().out


@requirement("OAE-EPR-004")
@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["claim", "tow"], "no claim tow; did you mean two?"),
        (["claim", "qqq"], "no claim qqq; `oae epoch list` has them"),
        (["claim", "one", "--seed", "-1"], "'-1' is no seed: a whole number, 0 or more"),
        (["claim", "one", "--seed", "1.5"], "'1.5' is no seed: a whole number, 0 or more"),
        (["report"], "the following arguments are required: --out"),
        (["report", "--out", "/proc/page.html"], "--out /proc/page.html"),
        ([], "the following arguments are required: ACTION"),
    ],
)
def test_bad_input_is_2_and_one_line(
    made: list[Claim], words: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["epoch", *words]) == 2
    (line,) = capsys.readouterr().err.strip().splitlines()
    assert message in line


@requirement("OAE-EPR-004")
@pytest.mark.parametrize("as_json", [[], ["--json"]])
def test_figures_are_told_though_the_page_cannot_be_written(
    made: list[Claim], as_json: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["epoch", "report", "--out", "/dev/full", *as_json]) == 2
    told = capsys.readouterr()
    assert all(f"{name}" in told.out for name in (*NAMES, "1 of 17"))
    (line,) = told.err.strip().splitlines()
    assert "no space left on device" in line


@requirement("OAE-EPR-002")
def test_every_row_names_a_command_that_runs_it() -> None:
    """Parsed as the command line would be; that it comes to the same is the long test."""
    parser = argparse.ArgumentParser()
    command.add_arguments(parser)
    for claim in claims():
        for effort in (Effort(1), Effort(5, long=True)):
            words = shlex.split(Row(claim, effort, None, None, 0.0).command)
            assert words[:2] == ["oae", "epoch"]
            found = parser.parse_args(words[2:])
            assert (found.name, found.seed, found.long) == (claim.name, effort.seed, effort.long)


@requirement("OAE-EPR-002")
def test_a_row_run_by_its_command_comes_to_the_same(capsys: pytest.CaptureFixture[str]) -> None:
    claim = next(claim for claim in claims() if claim.name == "one-mistake")
    row = run(claim, Effort())
    assert row.finding is not None
    assert cli.main([*shlex.split(row.command)[1:], "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["figure"] == row.finding.figure
    assert told["standing"] == row.finding.standing == EXPECTED["one-mistake"]


@requirement("OAE-EPR-002", "OAE-EPR-003", "OAE-EPR-004")
@pytest.mark.long
def test_the_whole_report_twice_and_every_row_by_its_command(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pages = []
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        out = tmp_path / name / "report.html"
        assert cli.main(["epoch", "report", "--out", str(out), "--json"]) == 0
        pages.append(timeless(out.read_text()))
    assert pages[0] == pages[1]
    told = capsys.readouterr().out
    told = json.loads(told[: told.index("\n]\n") + 2])
    assert [row["name"] for row in told] == [claim.name for claim in claims()]
    for row in told:
        assert cli.main([*shlex.split(row["command"])[1:], "--json"]) == 0
        again = json.loads(capsys.readouterr().out)
        assert {**again, "seconds": 0} == {**row, "seconds": 0}


# ---------------------------------------------------------------------- one mistake


@requirement("OAE-EPR-005")
@given(st.integers(2, 12), st.integers(0, 2**32 - 1), st.data())
def test_checkpoint_and_fleet_are_mixed_together_on_connected_graphs(
    size: int, seed: int, data: st.DataObject
) -> None:
    graph = nx.random_labeled_tree(size, seed=seed)
    graph.add_edges_from(nx.gnp_random_graph(size, 0.2, seed=seed).edges)
    vector = tuple(data.draw(st.lists(st.integers(3, 6), min_size=size, max_size=size)))
    assert atomic(vector) == uniform(graph, vector)
    assert converged(graph, vector, min(vector))
    assert not converged(graph, vector, min(vector) + 1)


@requirement("OAE-EPR-005")
def test_islands_may_differ_without_a_link_that_notices() -> None:
    graph = nx.Graph([(0, 1), (2, 3)])
    assert uniform(graph, (1, 1, 2, 2))
    assert not atomic((1, 1, 2, 2))
