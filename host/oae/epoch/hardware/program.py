"""The program that plays rings of domains on the RTL (`hdl/epoch`), and talking with it."""

import json
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

from oae.engines.cache import built
from oae.engines.compiled import compile_program, fingerprint
from oae.engines.rtl import ROOT, EngineError
from oae.native.build import INCLUDES
from oae.toolchain import environment

BUILDS: Final = ROOT / "build" / "epoch"
FOLDERS: Final = tuple(ROOT / "hdl" / name for name in ("epoch", "compiled", "rtl"))
FILE_LISTS: Final = ("hdl/rtl.f", "hdl/epoch/epoch.f")
PROGRAM: Final = "ring"
TOP: Final = "oae_epoch_node"
FLAGS: Final = ("-O3", "-fno-inline", "--x-assign", "fast", "--x-initial", "fast")
CPP_FLAGS: Final = "-std=c++20 -O2"


class Program:
    """A process that plays one run after the other; `defines` leave a rule out of the RTL."""

    def __init__(self, defines: Sequence[str] = ()) -> None:
        self._process: subprocess.Popen[str] | None = None
        self._path = build(defines)

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(
            [str(self._path)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=environment(),
            start_new_session=True,  # Ctrl-C reaches us alone; we end the process
        )
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        assert self._process is not None
        self._process.kill()
        self._process.communicate()

    def play(self, job: str, decide: Callable[[list[int]], str]) -> dict[str, Any]:
        """Play a job; `decide` answers each state that recovery finds with a decision."""
        answer = self._ask(job)
        while "state" in answer:
            answer = self._ask(decide(answer["state"]))
        return answer

    def _ask(self, line: str) -> dict[str, Any]:
        process = self._process
        assert process is not None
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            process.stdin.write(line + "\n")
            process.stdin.flush()
        except BrokenPipeError:
            pass  # it has died: there is no answer
        answer = process.stdout.readline()
        if not answer:
            raise EngineError(f"the ring of domains died with exit code {process.wait()}")
        found: dict[str, Any] = json.loads(answer)
        if "error" in found:
            raise EngineError(f"the ring of domains: {found['error']}")
        return found


def build(defines: Sequence[str] = ()) -> Path:
    """The program, from the cache if it is there."""
    command = _command(defines)
    place = BUILDS / fingerprint(command, FOLDERS[:1])
    return built(place, PROGRAM, lambda work: compile_program(command, work))


def _command(defines: Sequence[str]) -> list[str]:
    includes = " ".join(f"-I{folder}" for folder in (*FOLDERS[:2], *INCLUDES))
    command = ["verilator", "--cc", "--exe", "--build", "-j", "2", *FLAGS]
    command += [f"-D{name}" for name in ("OAE_SIMULATION", *defines)]
    command += ["-CFLAGS", f"{CPP_FLAGS} {includes}", "-MAKEFLAGS", "OPT_FAST="]
    command += ["--Mdir", ".", "-o", PROGRAM, "--top-module", TOP]
    # The compiled engine's folder before that of the link: its CRC is a call, which is faster.
    command += [f"-I{folder}" for folder in FOLDERS]
    lines = [line for name in FILE_LISTS for line in (ROOT / name).read_text().split()]
    return [*command, *(str(ROOT / line) for line in lines), str(FOLDERS[0] / "main.cpp")]
