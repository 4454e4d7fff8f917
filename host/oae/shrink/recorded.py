"""A run as its run directory records it."""

import tomllib
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from oae.engines.player import ENGINES
from oae.errors import OaeError
from oae.scenario.parse import parse
from oae.scenario.scenario import Scenario
from oae.trace import Trace


@dataclass(frozen=True)
class Recorded:
    """What it takes to play a run again, and its trace."""

    scenario: Scenario  # with what the command line had overruled
    engine: str  # the run's, or the usual one if that leaves no run directory
    defines: tuple[str, ...]
    file: bytes
    trace: Trace

    @property
    def without(self) -> list[str]:
        """Ingredients that were left out."""
        return [name.removeprefix("OAE_ABLATE_") for name in self.defines]


def recorded(folder: Path) -> Recorded:
    """Read a run directory; raises OaeError with what is wrong with it."""
    try:
        facts = tomllib.loads((folder / "run.toml").read_text())
        file = folder / "sent.bin"
        content = file.read_bytes() if file.exists() else b""
    except OSError as error:
        raise OaeError(f"{folder}: is no run directory: {error.strerror}: run.toml") from error
    except ValueError as error:
        raise OaeError(f"{folder / 'run.toml'}: {error}") from error
    run = facts.get("run", {})
    if run.get("status") != "finished":
        raise OaeError(f"{folder}: the run is {run.get('status')}, not finished")
    scenario = replace(parse(folder / "scenario.toml"), name=run["scenario"])
    return Recorded(
        _overruled(scenario, facts.get("overruled", {})),
        run["engine"] if run["engine"] in ENGINES else ENGINES[0],
        tuple(facts.get("defines", {})),
        content,
        Trace(folder / "trace.txt"),
    )


def _overruled(scenario: Scenario, words: dict[str, Any]) -> Scenario:
    scenario = replace(scenario, seed=words.get("seed", scenario.seed))
    if "window" in words:
        link = replace(scenario.link, window=words["window"])
        ends = tuple(replace(end, window=None) for end in scenario.ends)
        scenario = replace(scenario, link=link, ends=ends)
    return scenario
