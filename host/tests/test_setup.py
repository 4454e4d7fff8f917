"""The set-up script, in a project of its own whose every program is real or a known fake."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).resolve().parents[2] / "scripts" / "setup.sh"
REAL = ("bash", "cat", "dirname", "env", "flock", "grep", "mkdir", "rm", "sha256sum", "tail", "tr")
NEEDED = {"iverilog", "g++", "make", "ccache", "zlib1g-dev", "liblz4-dev", "perl"}


class Project:
    """A clone with a set-up script; `programs` is all there is on PATH."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.programs = root / "programs"
        self.programs.mkdir()
        for name in REAL:
            (self.programs / name).symlink_to(shutil.which(name) or name)
        (self.programs / "python3").symlink_to(sys.executable)
        self.fake("id", "echo 1000")
        (root / "scripts").mkdir()
        shutil.copy(SCRIPT, root / "scripts")
        (root / "pyproject.toml").write_text("version 1\n")
        # An environment that is there already, whose Python tells what it is asked to do.
        (root / ".venv" / "bin").mkdir(parents=True)
        (root / ".venv" / "bin" / "activate").write_text(f"VIRTUAL_ENV={root}/.venv\n")
        self.fake("../.venv/bin/python", f'echo "$@" >>{root}/asked; echo libpython.so')

    def fake(self, name: str, body: str) -> None:
        """Put a shell script in the place of a program."""
        path = self.programs / name
        path.unlink(missing_ok=True)
        path.write_text(f"#!/bin/sh\n{body}\n")
        path.chmod(0o755)

    def fake_tools(self) -> None:
        """Everything that Debian packages bring."""
        for name in ("iverilog", "vvp", "g++", "make", "ccache", "perl"):
            self.fake(name, "exit 0")

    def fake_packages(self) -> None:
        """Rights to install, and an apt-get that brings everything once its lists are new."""
        self.fake("sudo", 'shift; exec "$@"')
        tools = "for tool in iverilog vvp g++ make ccache perl; do ln -s /bin/true $tool; done"
        self.fake(
            "apt-get",
            f'echo "$*" >>{self.root}/apt\n'
            f"test $1 = update && exec touch {self.root}/lists\n"
            f"test -e {self.root}/lists && cd {self.programs} && {tools}",
        )
        for name in ("ln", "touch", "true"):
            (self.programs / name).symlink_to(shutil.which(name) or name)

    def set_up(self, *purpose: str) -> str:
        """Run the script, which must succeed; what it says."""
        ended = subprocess.run(
            [self.root / "scripts" / "setup.sh", *purpose],
            env={"PATH": str(self.programs), "HOME": str(self.root)},
            capture_output=True,
            text=True,
            check=False,
        )
        assert ended.returncode == 0, ended.stderr
        assert ended.stdout == ""
        return ended.stderr

    def installations(self) -> int:
        """How often pip was asked to install the project."""
        asked = self.root / "asked"
        text = asked.read_text() if asked.exists() else ""
        return text.count("--editable .[sim,synth,formal,dev]")


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path)


def test_without_rights_it_names_what_is_missing_and_does_the_rest(project: Project) -> None:
    told = project.set_up()
    assert project.installations() == 1
    (line,) = [line for line in told.splitlines() if "MISSING" in line]
    assert set(line.split("apt-get install ")[1].split()) == NEEDED
    assert "MISSING" in project.set_up()  # it does not forget
    assert project.installations() == 1  # nor does it do twice what is done


def test_for_the_tests_it_wants_more(project: Project) -> None:
    project.fake_tools()
    assert project.set_up().endswith("setup: ready\n")
    (line,) = [line for line in project.set_up("tests").splitlines() if "MISSING" in line]
    assert line.endswith("apt-get install tshark chromium")
    for name in ("tshark", "chromium"):
        project.fake(name, "exit 0")
    assert project.set_up("tests").endswith("setup: ready\n")
    assert project.set_up("tests") == ""
    assert project.installations() == 1


def test_with_everything_there_it_needs_no_rights(project: Project) -> None:
    project.fake_tools()
    assert project.set_up().endswith("setup: ready\n")


def test_with_rights_it_installs_what_is_missing(project: Project) -> None:
    project.fake_packages()
    assert project.set_up().endswith("setup: ready\n")
    first, update, second = (project.root / "apt").read_text().splitlines()
    assert first == second
    assert update == "update"
    assert set(first.split()) > NEEDED


def test_a_second_run_does_and_says_nothing(project: Project) -> None:
    project.fake_tools()
    project.set_up()
    for program in project.programs.iterdir():
        if program.name in ("python3", "flock", "iverilog"):
            program.unlink()
    assert project.set_up() == ""
    assert project.installations() == 1


@pytest.mark.parametrize("changed", ["pyproject.toml", "scripts/setup.sh"])
def test_a_change_of_what_it_installs_is_noticed(project: Project, changed: str) -> None:
    project.fake_tools()
    project.set_up()
    with (project.root / changed).open("a") as file:
        file.write("# changed\n")
    assert project.set_up().endswith("setup: ready\n")
    assert project.installations() == 2


def test_a_moved_environment_is_made_anew(project: Project) -> None:
    project.fake_tools()
    (project.root / ".venv" / "bin" / "activate").write_text("VIRTUAL_ENV=/elsewhere/.venv\n")
    project.fake(
        "python3",
        'case "$*" in "-m venv --clear .venv") echo made >&2;; *version_info\\[*) echo 3.11;; esac',
    )
    assert "making .venv with Python 3.11" in project.set_up()
    assert "made" in (project.root / "build" / "setup.log").read_text()


def test_without_a_python_that_will_do_it_says_which_one_will(project: Project) -> None:
    project.fake("python3", "exit 1")
    ended = subprocess.run(
        [project.root / "scripts" / "setup.sh"],
        env={"PATH": str(project.programs), "HOME": os.devnull},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 1
    assert ended.stderr.startswith("setup: needs Python 3.11 or newer")
