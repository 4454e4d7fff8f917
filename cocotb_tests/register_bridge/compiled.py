"""The register bridge as a compiled program (bridge_main.cpp), for long runs."""

import struct
import subprocess
from contextlib import suppress
from pathlib import Path
from typing import Final

from oae.engines.cache import built
from oae.engines.compiled import FLAGS, compile_program, fingerprint

from cocotb_tests.register_bridge.worlds import Play, World
from cocotb_tests.runner import BUILD, ROOT

HERE: Final = Path(__file__).parent
BOARD: Final = ROOT / "hdl" / "board"
TOP: Final = "oae_bridge_registers"
FILES: Final = (
    BOARD / "oae_register_bridge.v",
    BOARD / "oae_serial_receiver.v",
    BOARD / "oae_serial_answer.v",
    HERE / f"{TOP}.v",
    HERE / "bridge_main.cpp",
)
HEAD: Final = struct.Struct("<4I")  # counters, and bytes of answers


def play(world: World, steps: Play) -> None:
    """Play a world to its end, and compare the bridge's counters with its model."""
    counters = [0, 0, 0]
    with subprocess.Popen([_program()], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        with suppress(StopIteration):
            stream = next(steps)
            while True:
                process.stdin.write(struct.pack("<I", len(stream)) + stream)
                process.stdin.flush()
                head = process.stdout.read(HEAD.size)
                assert len(head) == HEAD.size, "the bridge hangs"
                *counters, size = HEAD.unpack(head)
                stream = steps.send(process.stdout.read(size))
    model = world.model
    assert counters == [model.executed, model.rejected, model.repeated]


def _program() -> Path:
    command = ["verilator", "--cc", "--exe", "--build", *FLAGS, "-CFLAGS", "-std=c++20 -O2"]
    command += ["-MAKEFLAGS", "OPT_FAST=", "--Mdir", ".", "-o", TOP, "--top-module", TOP]
    command += [f"-I{BOARD}", "-Wno-fatal", *map(str, FILES)]
    folder = BUILD / f"compiled-{fingerprint(command, (HERE, BOARD))}"
    return built(folder, TOP, lambda work: compile_program(command, work))
