"""Generator and checker; the tests themselves are in the benches beside."""

import pytest

from cocotb_tests.runner import run

BENCHES = {
    "oae_traffic_generator": "cocotb_tests.traffic_generator.bench_traffic_generator",
    "oae_traffic_checker": "cocotb_tests.traffic_generator.bench_traffic_checker",
}


def check(unit: str, simulator: str) -> None:
    sources = ["hdl/board/oae_record_pattern.v", f"hdl/board/{unit}.v"]
    run(unit, BENCHES[unit], simulator=simulator, sources=sources)


@pytest.mark.parametrize("unit", BENCHES)
def test_traffic(unit: str) -> None:
    check(unit, "icarus")


@pytest.mark.long
@pytest.mark.parametrize("unit", BENCHES)
def test_traffic_on_verilator(unit: str) -> None:
    check(unit, "verilator")
