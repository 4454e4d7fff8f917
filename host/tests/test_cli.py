"""The command `oae`: every way it can end, and that one broken sub-command stays alone."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from oae import __version__, cli, commands
from oae.errors import OaeError

GREET = '''"""Greets; the long description."""
SUMMARY = "greet somebody"

def add_arguments(parser):
    parser.add_argument("--name", required=True)

def main(options):
    print("hello", options.name)
    return 1 if options.name == "nobody" else 0
'''
RAISES = """SUMMARY = "raise"

def add_arguments(parser):
    parser.add_argument("what")

def main(options):
    from oae.errors import OaeError
    from oae.toolchain import ToolError
    raise {"bad": OaeError("scenario.toml: no such load"), "tool": ToolError("vvp is missing"),
           "stop": KeyboardInterrupt(), "defect": ZeroDivisionError("oops")}[options.what]
"""


@pytest.fixture(autouse=True)
def sub_commands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Three sub-commands of our own, one of which cannot be imported."""
    (tmp_path / "greet_somebody.py").write_text(GREET)
    (tmp_path / "raises.py").write_text(RAISES)
    (tmp_path / "broken.py").write_text("import a_module_that_nobody_has\n")
    monkeypatch.setattr(commands, "__path__", [str(tmp_path)])
    for name in ("greet_somebody", "raises", "broken"):
        monkeypatch.delitem(sys.modules, f"oae.commands.{name}", raising=False)


@pytest.mark.parametrize("words", [[], ["--help"], ["-h"], ["help"]])
def test_help_lists_every_command_and_the_exit_codes(
    words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(words) == 0
    text = capsys.readouterr().out
    assert "greet-somebody greet somebody" in text
    assert "(not usable here: No module named 'a_module_that_nobody_has')" in text
    assert "\n  3    " in text


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["--version"]) == 0
    assert capsys.readouterr().out == f"oae {__version__}\n"


@pytest.mark.parametrize(("name", "code"), [("world", 0), ("nobody", 1)])
def test_the_result_of_a_command_is_the_exit_code(
    name: str, code: int, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["greet-somebody", "--name", name]) == code
    assert capsys.readouterr().out == f"hello {name}\n"


def test_a_command_has_a_help_of_its_own(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ending:
        cli.main(["greet-somebody", "--help"])
    assert ending.value.code == 0
    text = capsys.readouterr().out
    assert text.startswith("usage: oae greet-somebody")
    assert "Greets; the long description." in text


def test_a_wrong_option_is_bad_input(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["greet-somebody", "--age", "7"]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert "--name" in line


@pytest.mark.parametrize(
    ("word", "hint"), [("raise", "did you mean raises?"), ("qqq", "`oae --help` lists them")]
)
def test_an_unknown_command_is_bad_input(
    word: str, hint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main([word]) == 2
    assert capsys.readouterr().err == f"oae: no command {word}; {hint}\n"


@pytest.mark.parametrize(
    ("what", "code", "message"),
    [
        ("bad", 2, "oae: scenario.toml: no such load\n"),
        ("tool", 4, "oae: vvp is missing\n"),
        ("stop", 130, "oae: interrupted\n"),
    ],
)
def test_an_expected_ending_is_one_line(
    what: str, code: int, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["raises", what]) == code
    assert capsys.readouterr().err == message


def test_a_defect_shows_where_it_happened(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["raises", "defect"]) == 70
    text = capsys.readouterr().err
    assert "ZeroDivisionError: oops" in text
    assert "Traceback" in text


def test_a_reader_that_went_away_is_no_error() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "w") as closed_pipe:
        ended = subprocess.run(
            [sys.executable, "-m", "oae.cli", "--help"],
            stdout=closed_pipe,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert (ended.returncode, ended.stderr) == (141, "")


def test_the_base_error_is_bad_input() -> None:
    assert OaeError.exit_code == 2


def test_only_the_command_that_was_asked_for_is_imported() -> None:
    cli.main(["greet-somebody", "--name", "world"])
    assert "oae.commands.greet_somebody" in sys.modules
    assert "oae.commands.raises" not in sys.modules
