"""A run as its run directory records it."""

import json
import tomllib
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from oae.engines.player import ENGINES, left_out
from oae.engines.rtl import LOG
from oae.errors import OaeError
from oae.scenario.language import unknown
from oae.scenario.parse import SEED_MOST, parse
from oae.scenario.scenario import Link, Scenario, checks
from oae.trace import Trace

# One that leaves no run directory itself: `oae campaign` keeps failures of it.
COMPILED: Final = "compiled"
OVERRULED: Final = ("seed", "window")


@dataclass(frozen=True)
class Recorded:
    """What it takes to play a run again, and its trace."""

    scenario: Scenario  # with what the command line had overruled
    engine: str  # the run's, or the usual one if that leaves no run directory
    defines: tuple[str, ...]
    file: bytes
    trace: Trace
    assertions: tuple[str, ...]  # lines of the RTL's own

    @property
    def without(self) -> list[str]:
        """Ingredients that were left out."""
        return left_out(self.defines)


def recorded(folder: Path) -> Recorded:
    """Read a run directory; raises OaeError with what is wrong with it."""
    try:
        facts = _Facts(folder / "run.toml", tomllib.loads((folder / "run.toml").read_text()))
        file = folder / "sent.bin"
        content = file.read_bytes() if file.exists() else b""
    except OSError as error:
        raise OaeError(f"{folder}: is no run directory: {error.strerror}: run.toml") from error
    except ValueError as error:
        raise OaeError(f"{folder / 'run.toml'}: {error}") from error
    status = facts.table("run").get("status")
    if status != "finished":
        raise OaeError(f"{folder}: the run is {status}, not finished")
    engine = facts.text("engine")
    if engine not in (*ENGINES, COMPILED):
        raise facts.wrong("run.engine", unknown("engine", engine, (*ENGINES, COMPILED)))
    scenario = replace(parse(folder / "scenario.toml"), name=facts.text("scenario"))
    if scenario.carries_file and not content:
        raise OaeError(f"{folder}: the scenario carries a file, and there is no sent.bin")
    return Recorded(
        _overruled(scenario, facts),
        engine if engine in ENGINES else ENGINES[0],
        tuple(facts.table("defines")),
        content,
        Trace(folder / "trace.txt"),
        _assertions(folder),
    )


def _assertions(folder: Path) -> tuple[str, ...]:
    """As the simulator wrote them, or as the campaign kept them."""
    if (folder / LOG).exists():
        lines = (folder / LOG).read_text().splitlines()
        return tuple(line.strip() for line in lines if line.startswith("ASSERTION"))
    path = folder / "verdict.json"
    try:
        told = json.loads(path.read_text()) if path.exists() else {}
    except ValueError as error:
        raise OaeError(f"{path}: {error}") from error
    return tuple(told.get("assertions", ()))


class _Facts:
    """The tables of run.toml, which somebody may have edited."""

    def __init__(self, path: Path, tables: dict[str, Any]) -> None:
        self._path = path
        self._tables = tables

    def wrong(self, key: str, problem: str) -> OaeError:
        return OaeError(f"{self._path}: {key}: {problem}")

    def table(self, name: str) -> dict[str, Any]:
        table = self._tables.get(name, {})
        if not isinstance(table, dict):
            raise self.wrong(name, "is not a table")
        return table

    def text(self, key: str) -> str:
        value = self.table("run").get(key)
        if not isinstance(value, str):
            raise self.wrong(f"run.{key}", f"{value!r} is not a text")
        return value


def _overruled(scenario: Scenario, facts: _Facts) -> Scenario:
    words = facts.table("overruled")
    for key in words:
        if key not in OVERRULED:
            raise facts.wrong(f"overruled.{key}", unknown("key", key, OVERRULED))
    seed = words.get("seed", scenario.seed)
    if type(seed) is not int or not 0 <= seed <= SEED_MOST:
        problem = f"{seed!r} is not a whole number from 0 to {SEED_MOST}"
        raise facts.wrong("overruled.seed", problem)
    scenario = replace(scenario, seed=seed)
    if "window" in words:
        try:
            window = checks(Link)["window"](words["window"])
        except ValueError as error:
            raise facts.wrong("overruled.window", str(error)) from error
        link = replace(scenario.link, window=window)
        ends = tuple(replace(end, window=None) for end in scenario.ends)
        scenario = replace(scenario, link=link, ends=ends)
    return scenario
