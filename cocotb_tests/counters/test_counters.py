"""Counters on both simulators; the tests themselves are in bench_counters.py."""

import pytest

from cocotb_tests.runner import SIMULATORS, run


@pytest.mark.parametrize("simulator", SIMULATORS)
def test_counters(simulator: str) -> None:
    run("oae_counters", "cocotb_tests.counters.bench_counters", simulator=simulator)
