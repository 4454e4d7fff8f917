"""Responder core on both simulators; the tests themselves are in bench_responder_core.py."""

import pytest

from cocotb_tests.runner import run

BENCH = "cocotb_tests.responder_core.bench_responder_core"
CASES = [
    ("verilator", 8, 32),
    ("icarus", 8, 32),
    ("icarus", 2, 4),  # ids wrap
    ("icarus", 1, 32),
]


def check(simulator: str, window: int, id_bits: int, cycles: int) -> None:
    run(
        "oae_responder_core",
        BENCH,
        simulator=simulator,
        parameters={"WINDOW": window, "ID_BITS": id_bits},
        plusargs=[f"+window={window}", f"+id_bits={id_bits}", f"+cycles={cycles}"],
    )


@pytest.mark.parametrize(("simulator", "window", "id_bits"), CASES)
def test_responder_core(simulator: str, window: int, id_bits: int) -> None:
    check(simulator, window, id_bits, 5000)


@pytest.mark.long
@pytest.mark.parametrize(
    ("simulator", "window", "id_bits"), [*CASES, ("verilator", 1, 3), ("verilator", 2, 32)]
)
def test_responder_core_long(simulator: str, window: int, id_bits: int) -> None:
    check(simulator, window, id_bits, 200_000)
