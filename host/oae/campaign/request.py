"""What a campaign is asked to do, and the file `campaign.toml` that says so in its directory."""

import hashlib
import tomllib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import oae
from oae.campaign import swarm
from oae.campaign.tasks import Task
from oae.engines import compiled
from oae.engines.rtl import ROOT
from oae.engines.rundir import Value, manifest
from oae.errors import OaeError
from oae.scenario.parse import SEED_MOST
from oae.toolchain import tool_versions

FILE: Final = "campaign.toml"
PACKAGE: Final = Path(oae.__file__).parent
# Those of which the results depend, engine programs apart.
PACKAGES: Final = (
    *("campaign", "capture", "check", "engines", "faults", "model"),
    *("native", "scenario", "spec", "synth", "upsets"),
)
# One run in so many is read from its trace for coverage; that takes about as long as to play it.
COVERED: Final = 10
# From so many runs on it pays to train the programs.
TRAINED_FROM: Final = 2_000


@dataclass(frozen=True)
class Request:
    """Runs of the seeds from `first_seed` on, on these builds, without these ingredients."""

    first_seed: int
    runs: int
    builds: tuple[str, ...]
    without: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not 0 <= self.first_seed <= self.first_seed + self.runs - 1 <= SEED_MOST:
            raise OaeError(
                f"seeds {self.first_seed} to {self.first_seed + self.runs - 1}: "
                f"not all from 0 to {SEED_MOST}"
            )
        for build in self.builds:
            if build not in swarm.BUILDS:
                raise OaeError(f"--build {build}: there are {', '.join(swarm.BUILDS)}")

    @property
    def seeds(self) -> range:
        """One run each."""
        return range(self.first_seed, self.first_seed + self.runs)

    @property
    def defines(self) -> tuple[str, ...]:
        """Macros that leave the ingredients out."""
        return tuple(f"OAE_ABLATE_{name}" for name in self.without)

    @property
    def trained(self) -> bool:
        """Whether trained programs play."""
        return self.runs >= TRAINED_FROM

    def task(self, seed: int) -> Task:
        """What a worker is asked for this seed."""
        covered = (seed - self.first_seed) % COVERED == 0
        return Task(seed, self.builds, self.defines, covered, self.trained)


def python_sources() -> list[Path]:
    """The Python files that decide what a run does, how it is judged and what it covers."""
    folders = [PACKAGE / name for name in PACKAGES]
    return sorted([*PACKAGE.glob("*.py"), *(file for one in folders for file in one.glob("*.py"))])


def build(request: Request, tell: Callable[[str], None]) -> str:
    """Build every engine; returns what the results depend on, as one hash."""
    digest = hashlib.sha256()
    for path in python_sources():
        digest.update(f"{path.relative_to(PACKAGE)}\0".encode() + path.read_bytes())
    for name in request.builds:
        tell(name)
        program = compiled.build(swarm.parameters(name), request.defines, trained=request.trained)
        digest.update(program.parent.name.encode())
    return digest.hexdigest()


def write(folder: Path, request: Request, sources: str) -> None:
    """Make the directory of a new campaign."""
    facts: dict[str, dict[str, Value]] = {
        "run": {
            "first_seed": request.first_seed,
            "runs": request.runs,
            "builds": ",".join(request.builds),
            "without": ",".join(request.without),
            "sources": sources,
        },
        "versions": dict(tool_versions()),
    }
    text = manifest(ROOT, facts)
    try:
        folder.mkdir(parents=True)
        (folder / FILE).write_text(text)
    except FileExistsError:
        raise OaeError(f"{folder} is already there; give another --out, or --resume it") from None
    except OSError as error:
        raise OaeError(f"--out {folder}: {(error.strerror or str(error)).lower()}") from error


def read(folder: Path) -> tuple[Request, str]:
    """What a campaign was asked, and the hash of what its results depend on."""
    try:
        run = tomllib.loads((folder / FILE).read_text())["run"]
        return Request(
            run["first_seed"],
            run["runs"],
            tuple(run["builds"].split(",")),
            tuple(name for name in run["without"].split(",") if name),
        ), run["sources"]
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise OaeError(f"--resume {folder}: {FILE}: {reason}") from error
    except (tomllib.TOMLDecodeError, KeyError, AttributeError, TypeError) as error:
        raise OaeError(f"--resume {folder}: {FILE} is not that of a campaign: {error}") from error
