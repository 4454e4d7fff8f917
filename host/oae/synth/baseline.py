"""What was measured, and whether it is worse than what was committed."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from oae.errors import OaeError
from oae.synth.report import Size, Speed
from oae.synth.sources import BOARD, END

TOLERANCE = 0.10  # a regression of more fails
FMAX_REQUIRED = {design.module: design.required for design in (END, BOARD)}  # MHz
FMAX_GOAL = 125.0


@dataclass(frozen=True)
class Result:
    """One design on one device: its own size, and one speed a seed (none if it does not fit)."""

    design: str  # its module
    device: str
    window: int
    record_max: int
    size: Size
    speeds: Mapping[int, Speed]  # by seed
    misfit: str  # why it does not fit, or empty
    versions: Mapping[str, str]

    @property
    def key(self) -> str:
        """Name in the baseline."""
        return f"{self.design} {self.device} window {self.window} record_max {self.record_max}"

    @property
    def worst(self) -> Speed | None:
        """The slowest seed."""
        return min(self.speeds.values(), key=lambda speed: speed.fmax, default=None)


def to_json(result: Result) -> dict[str, object]:
    """The result as what a JSON file holds."""
    speeds = {str(seed): speed._asdict() for seed, speed in result.speeds.items()}
    return asdict(result) | {"speeds": speeds}


def from_json(value: Mapping[str, object]) -> Result:
    """A result from what a JSON file holds."""
    fields: dict[str, object] = dict(value)
    try:
        fields["size"] = Size(**fields["size"])  # type: ignore[arg-type]
        speeds: Mapping[str, Mapping[str, object]] = fields["speeds"]  # type: ignore[assignment]
        fields["speeds"] = {int(seed): Speed(**s) for seed, s in speeds.items()}  # type: ignore[arg-type]
        return Result(**fields)  # type: ignore[arg-type]
    except (KeyError, TypeError, ValueError) as error:
        raise OaeError(
            f"not a result of synthesis: {error}; write it anew with --update"
        ) from error


def read(path: Path) -> dict[str, Result]:
    """The committed results by name; empty if there are none."""
    if not path.exists():
        return {}
    try:
        content = json.loads(path.read_text())
    except ValueError as error:
        raise OaeError(f"{path.name} is no JSON: {error}") from error
    return {key: from_json(value) for key, value in content.items()}


def write(path: Path, results: Sequence[Result]) -> None:
    """Write the results as the new baseline."""
    content = {result.key: to_json(result) for result in results}
    path.write_text(json.dumps(content, indent=2, sort_keys=True) + "\n")


def complaints(result: Result, committed: Result | None) -> Iterator[str]:
    """One clear line for each thing that is worse than it may be."""
    worst = result.worst
    required = FMAX_REQUIRED[result.design]
    if worst is not None and result.device == "ecp5" and worst.fmax < required:
        yield f"Fmax {worst.fmax} MHz is under the required {required:g} MHz"
    if committed is None:
        return
    for name in ("lut", "ff", "block_ram"):
        old, new = getattr(committed.size, name), getattr(result.size, name)
        if new > old * (1 + TOLERANCE):
            yield f"{name}: {new} instead of {old}, {_percent(new, old)} more"
    if committed.worst is not None:
        if worst is None:
            yield f"it no longer fits: {result.misfit}"
        elif worst.fmax < committed.worst.fmax * (1 - TOLERANCE):
            lost = _percent(committed.worst.fmax, worst.fmax, of=committed.worst.fmax)
            yield f"Fmax: {worst.fmax} MHz instead of {committed.worst.fmax} MHz, {lost} less"


def _percent(more: float, less: float, of: float | None = None) -> str:
    base = less if of is None else of
    return f"{100 * (more - less) / base:.0f} %" if base else "all of it"
