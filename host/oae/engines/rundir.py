"""What stands in `run.toml`, and where a run goes."""

import json
import subprocess
from datetime import datetime
from pathlib import Path

Value = str | int | float | bool


def commit(root: Path) -> str:
    """Commit of the sources, with `-dirty` if they differ from it; `unknown` outside git."""
    try:
        found = subprocess.run(
            ["git", "-C", str(root), "describe", "--always", "--dirty", "--abbrev=40"],
            capture_output=True,
            text=True,
            check=True,
        )
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
    return found.stdout.strip()


def manifest(root: Path, tables: dict[str, dict[str, Value]]) -> str:
    """The text of run.toml: `tables`, with the commit in the first one."""
    tables = {name: dict(table) for name, table in tables.items()}
    tables["run"]["commit"] = commit(root)
    lines = []
    for name, table in tables.items():
        if table:
            lines += ["", f"[{name}]"]
            lines += [f"{_key(key)} = {json.dumps(value)}" for key, value in table.items()]
    return "\n".join(lines[1:]) + "\n"


def _key(key: str) -> str:
    return key if key.replace("_", "").replace("-", "").isalnum() else json.dumps(key)


def fresh(parent: Path, name: str) -> Path:
    """A run directory that is not there yet."""
    stamp = datetime.now().strftime("%Y%m%d-%H%M%S")
    path = parent / f"{name}-{stamp}"
    number = 1
    while path.exists():
        number += 1
        path = parent / f"{name}-{stamp}-{number}"
    return path
