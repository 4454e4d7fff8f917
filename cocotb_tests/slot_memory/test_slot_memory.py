"""Slot memory on both simulators; the tests themselves are in bench_slot_memory.py."""

import pytest

from cocotb_tests.runner import run


@pytest.mark.parametrize(
    ("simulator", "window", "width"),
    [
        ("verilator", 8, 32),
        ("icarus", 8, 32),
        ("icarus", 1, 48),
        ("icarus", 2, 1),
        ("icarus", 64, 17),
    ],
)
def test_slot_memory(simulator: str, window: int, width: int) -> None:
    run(
        "oae_slot_memory",
        "cocotb_tests.slot_memory.bench_slot_memory",
        simulator=simulator,
        parameters={"WINDOW": window, "WIDTH": width},
        plusargs=[f"+window={window}", f"+width={width}"],
    )
