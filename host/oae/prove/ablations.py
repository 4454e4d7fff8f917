"""Which proof fails when the RTL is built without an ingredient (hdl/formal/ablations.toml).

A proof that nothing can break proves nothing: each row is run, and must fail as it says.
"""

import tomllib
from dataclasses import dataclass
from pathlib import Path

from oae.prove.runner import FAIL, Outcome
from oae.prove.tasks import FOLDER, ProofError, Task
from oae.synth.sources import ROOT

FILE = FOLDER / "ablations.toml"


@dataclass(frozen=True)
class Ablation:
    """Without this ingredient, this task fails in this property."""

    ingredient: str
    task: Task
    breaks: str

    def complaint(self, outcome: Outcome) -> str:
        """What is not as the row says, or nothing."""
        if outcome.result != FAIL:
            return f"{self.ingredient}: {self.task.title} is {outcome.result} without it"
        names = [one.name for one in outcome.failed]
        # An engine that decides all at once does not say which property it was.
        if names and self.breaks not in names:
            return f"{self.ingredient}: {', '.join(names)} fails without it, not {self.breaks}"
        return ""


def table(root: Path = ROOT) -> dict[str, dict[str, str]]:
    """Every row as it stands in the file, those that only a simulation can show included."""
    return tomllib.loads((root / FILE).read_text())


def ablations(every: list[Task], root: Path = ROOT) -> list[Ablation]:
    """The rows that name a proof; raises ProofError for one that names no task."""
    by_title = {task.title: task for task in every}
    rows = []
    for ingredient, row in table(root).items():
        if "simulated" in row:
            continue
        task = by_title.get(row["task"])
        if task is None:
            raise ProofError(f"{FILE}: {ingredient}: no task {row['task']}")
        rows.append(Ablation(ingredient, task, row["breaks"]))
    return rows
