"""The proofs that there are: every task of every SBY file in hdl/formal.

An SBY file may put a task into groups; three mean something here. `quick` is the part of `oae
prove` that runs in `make test`; `long` runs only when it is named; `slow` starts before the others.
The first comment of a file says what it proves.
"""

import re
from dataclasses import dataclass
from pathlib import Path

from oae.errors import OaeError
from oae.synth.sources import ROOT

FOLDER = Path("hdl/formal")
QUICK, LONG, SLOW = "quick", "long", "slow"


class ProofError(OaeError):
    """There is no such proof, or its file cannot be read."""


@dataclass(frozen=True)
class Task:
    """One task of an SBY file."""

    proof: str
    name: str
    groups: frozenset[str]
    mode: str  # bmc, prove or cover

    @property
    def title(self) -> str:
        """How a user names it."""
        return f"{self.proof}:{self.name}"

    @property
    def file(self) -> Path:
        """The SBY file, from the root of the project."""
        return FOLDER / f"{self.proof}.sby"


def tasks(root: Path = ROOT) -> list[Task]:
    """All tasks, file by file in the order of their names, as they stand in the files."""
    found: list[Task] = []
    for path in sorted((root / FOLDER).glob("*.sby")):
        found += read(path)
    return found


def read(path: Path) -> list[Task]:
    """The tasks of one file."""
    text = path.read_text()
    listed = _section(text, "tasks")
    if not listed:
        raise ProofError(f"{path}: no [tasks]")
    found = []
    for line in listed:
        name, *groups = line.split()
        found.append(Task(path.stem, name, frozenset(groups), _mode(path, text, name, groups)))
    return found


def about(path: Path) -> str:
    """What a file says of itself in its first comment."""
    lines = []
    for line in path.read_text().splitlines():
        if not line.startswith("#"):
            break
        lines.append(line.removeprefix("#").strip())
    return " ".join(lines)


def choose(every: list[Task], names: list[str], quick: bool) -> list[Task]:
    """The tasks that are meant: by proof, by proof:task, or all but the long ones.

    Raises ProofError for a name that means nothing.
    """
    chosen = []
    for name in names:
        found = [task for task in every if name in (task.proof, task.title)]
        if not found:
            known = ", ".join(dict.fromkeys(task.proof for task in every))
            raise ProofError(f"no proof {name}; there are {known} (`oae prove --list`)")
        chosen += [task for task in found if task.title == name or LONG not in task.groups]
    if not names:
        chosen = [task for task in every if LONG not in task.groups]
    if quick:
        chosen = [task for task in chosen if QUICK in task.groups]
    return list(dict.fromkeys(chosen))


def _section(text: str, name: str) -> list[str]:
    found = re.search(rf"^\[{name}\]\n(.*?)(?=^\[|\Z)", text, re.MULTILINE | re.DOTALL)
    if found is None:
        return []
    lines = (line.partition("#")[0].strip() for line in found.group(1).splitlines())
    return [line for line in lines if line and line != "--"]


def _mode(path: Path, text: str, name: str, groups: list[str]) -> str:
    for line in _section(text, "options"):
        label, colon, rest = line.rpartition(":")
        if rest.split()[0] == "mode" and (not colon or label.strip() in (name, *groups)):
            return rest.split()[1]
    raise ProofError(f"{path}: no mode for the task {name}")
