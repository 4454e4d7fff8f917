"""Record store on both simulators; the tests themselves are in bench_record_store.py."""

import pytest

from cocotb_tests.runner import run


@pytest.mark.parametrize(
    ("simulator", "word_bits", "page_bits"),
    [
        ("verilator", 3, 3),  # 64 bytes, 8 slots
        ("icarus", 3, 3),
        ("icarus", 1, 1),  # the smallest
        ("icarus", 7, 6),  # 1024 bytes, 64 slots
    ],
)
def test_record_store(simulator: str, word_bits: int, page_bits: int) -> None:
    run(
        "oae_record_store",
        "cocotb_tests.record_store.bench_record_store",
        simulator=simulator,
        parameters={"WORD_BITS": word_bits, "PAGE_BITS": page_bits},
        plusargs=[f"+word_bits={word_bits}", f"+page_bits={page_bits}"],
    )
