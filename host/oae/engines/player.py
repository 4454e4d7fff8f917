"""The engines that leave a run directory, by name: `oae run` and `oae replay` play on any."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from oae.engines import model, rtl
from oae.engines.rundir import Ended, Progress
from oae.errors import OaeError
from oae.files import check_writable
from oae.scenario.scenario import Scenario

ENGINES: Final = (*rtl.SIMULATORS, model.NAME)


def check_ingredients(engine: str, names: Sequence[str]) -> None:
    """Raise OaeError for the first name (of `--without`) that the engine cannot leave out."""
    (model if engine == model.NAME else rtl).check_ingredients(names)


def left_out(defines: Sequence[str]) -> list[str]:
    """The ingredients that these macros leave out."""
    return [
        name.removeprefix(model.ABLATION) for name in defines if name.startswith(model.ABLATION)
    ]


def check(
    scenario: Scenario,
    out: Path,
    *,
    engine: str,
    defines: Sequence[str] = (),
    waveform: bool = False,
) -> None:
    """Raise OaeError for what the engine cannot play or `out` cannot take, before it is begun."""
    check_ingredients(engine, left_out(defines))
    if engine != model.NAME:
        rtl.check(scenario, engine)
    else:
        model.check(scenario, left_out(defines))
        if waveform:
            raise OaeError(f"--waveform: the engine {engine} has no signals")
        for name in defines:
            if not name.startswith(model.ABLATION):
                raise OaeError(
                    f"{scenario.name}: {name} is of the RTL; the engine {engine} has no such"
                )
    if out.exists():
        raise OaeError(f"{out} is already there; give another --out")
    check_writable(out, "--out")


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
    check(scenario, out, engine=engine, defines=defines, waveform=waveform)
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
    return model.run(
        scenario,
        out,
        file=file,
        without=left_out(defines),
        command=command,
        overruled=overruled,
        timeout=timeout,
        progress=progress,
    )
