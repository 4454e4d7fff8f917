"""Compiles the end with its board (hdl/live) by Verilator, once for each set of parameters."""

from pathlib import Path
from typing import Final

from oae.drive.end import TIMING
from oae.engines import rtl
from oae.engines.cache import built
from oae.engines.compiled import (
    CPP_FLAGS,
    FLAGS,
    REPLACED,
    SOURCES,
    compile_program,
    fingerprint,
)
from oae.native.build import INCLUDES
from oae.scenario.scenario import Scenario

BUILDS: Final = rtl.ROOT / "build" / "live"
OWN: Final = tuple(rtl.ROOT / "hdl" / name for name in ("live", "board"))
PROGRAM: Final = "live"
TOP: Final = "oae_live_top"
# The timers of the end count every eighth tick, so that an idle end has little to do.
PRESCALE: Final = 8
TIMERS: Final = {
    name: value if name == "fault_beats" else value // PRESCALE for name, value in TIMING.items()
}
# Of the simulated pair, what an end of its own has too.
TAKEN: Final = ("oae_end_bench", "oae_load", "oae_sink", "oae_staller")


def build(scenario: Scenario, end: int) -> Path:
    """The program for this end of a scenario; its folder bears the name of the build."""
    command = _command(scenario, end)
    hash_of_build = fingerprint(command, OWN)
    command.append(f"-DOAE_BUILD_HASH=64'h{hash_of_build}")

    def make(work: Path) -> None:
        compile_program(command, work)
        for path in work.iterdir():
            if path.name != PROGRAM:
                path.unlink()

    return built(BUILDS / hash_of_build, PROGRAM, make)


def _command(scenario: Scenario, end: int) -> list[str]:
    values = {"END": end, "WINDOW": scenario.window(end), "RECORD_MAX": scenario.record_max(end)}
    values |= {name.upper(): value for name, value in TIMERS.items()}
    includes = " ".join(f"-I{folder}" for folder in (OWN[0], *INCLUDES, SOURCES))
    # There is one end: nothing is gained by not inlining.
    flags = [flag for flag in FLAGS if flag != "-fno-inline"]
    command = ["verilator", "--cc", "--exe", "--build", "-j", "2", *flags]
    command += ["-CFLAGS", f"{CPP_FLAGS} {includes}", "-MAKEFLAGS", "OPT_FAST="]
    command += ["--Mdir", ".", "-o", PROGRAM, "--top-module", TOP]
    command += [f"-G{name}={value}" for name, value in values.items()]
    command.append("-DOAE_BOARD")
    command += [f"-I{rtl.ROOT / 'hdl' / folder}" for folder in ("compiled", "rtl", "board", "sim")]
    end_and_board = [
        rtl.ROOT / line
        for file_list in ("hdl/rtl.f", "hdl/board/board.f")
        for line in (rtl.ROOT / file_list).read_text().split()
    ]
    taken = [path for path in rtl.sources() if path.stem in TAKEN]
    own = [*(SOURCES / f"{name}.sv" for name in REPLACED), OWN[0] / f"{TOP}.sv"]
    files = [*end_and_board, *taken, *own, OWN[0] / "live.cpp"]
    return command + [str(path) for path in files]
