"""Register bridge on both simulators, and compiled for the long runs."""

from collections.abc import Callable

import pytest
from oae.testing import requirement

from cocotb_tests.register_bridge.compiled import play
from cocotb_tests.register_bridge.worlds import Play, World
from cocotb_tests.runner import run

HERE = "cocotb_tests/register_bridge"
SOURCES = [
    "hdl/board/oae_register_bridge.v",
    "hdl/board/oae_serial_receiver.v",
    "hdl/board/oae_serial_answer.v",
    f"{HERE}/oae_bridge_registers.v",
    f"{HERE}/oae_serial_line.v",
    f"{HERE}/oae_bridge_bench.v",
]
LONG = 10_000_000  # bytes


@pytest.mark.parametrize(("simulator", "size"), [("verilator", 30_000), ("icarus", 1500)])
def test_register_bridge(simulator: str, size: int) -> None:
    run(
        "oae_bridge_bench",
        "cocotb_tests.register_bridge.bench_register_bridge",
        simulator=simulator,
        sources=SOURCES,
        plusargs=[f"+bytes={size}"],
    )


@requirement("OAE-BRG-001", "OAE-BRG-002", "OAE-BRG-003", "OAE-BRG-004", "OAE-BRG-006")
@pytest.mark.parametrize("size", [LONG // 100, pytest.param(LONG, marks=pytest.mark.long)])
@pytest.mark.parametrize("steps", [World.any_stream, World.host_behind_a_bad_line])
def test_many_bytes_with_noise(steps: Callable[[World, int], Play], size: int) -> None:
    """What came of it is printed: `make long-serial`."""
    world = World(seed=1)
    play(world, steps(world, size))
    model = world.model
    print(
        f"\n{steps.__name__}: {world.bytes:,} bytes, {world.frames:,} frames sent, "
        f"{world.damaged:,} of them damaged; {model.executed:,} executed, "
        f"{model.repeated:,} repeated, {model.rejected:,} dropped"
    )
    if world.resynchronised:
        print(f"answered again at the latest with undamaged frame {world.resynchronised}")
