"""The engines that leave a run directory, by name: `oae run` and `oae replay` play on any."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from oae.engines import model, rtl
from oae.engines.rundir import Ended, Progress
from oae.errors import OaeError
from oae.scenario.scenario import Scenario

ENGINES: Final = (*rtl.SIMULATORS, model.NAME)


def check_ingredients(engine: str, names: Sequence[str]) -> None:
    """Raise OaeError for the first name (of `--without`) that the engine cannot leave out."""
    (model if engine == model.NAME else rtl).check_ingredients(names)


def play(
    scenario: Scenario,
    out: Path,
    *,
    engine: str,
    file: bytes = b"",
    defines: Sequence[str] = (),
    waveform: bool = False,
    command: str = "",
    overruled: dict[str, int | str] | None = None,
    timeout: float | None = None,
    progress: Callable[[Progress], None] | None = None,
) -> Ended:
    """Play a scenario; the run directory `out` is there, whole, when this returns."""
    if engine != model.NAME:
        return rtl.run(
            scenario,
            out,
            simulator=engine,
            file=file,
            defines=defines,
            waveform=waveform,
            command=command,
            overruled=overruled,
            timeout=timeout,
            progress=progress,
        )
    if waveform:
        raise OaeError(f"--waveform: the engine {engine} has no signals")
    for name in defines:
        if not name.startswith(model.ABLATION):
            raise OaeError(
                f"{scenario.name}: {name} is of the RTL; the engine {engine} has no such"
            )
    return model.run(
        scenario,
        out,
        file=file,
        without=[name.removeprefix(model.ABLATION) for name in defines],
        command=command,
        overruled=overruled,
        timeout=timeout,
        progress=progress,
    )
