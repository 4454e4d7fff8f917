"""Balance on both simulators; the tests themselves are in bench_balance.py."""

import pytest

from cocotb_tests.runner import SIMULATORS, run


@pytest.mark.parametrize("simulator", SIMULATORS)
def test_balance(simulator: str) -> None:
    run("oae_balance", "cocotb_tests.balance.bench_balance", simulator=simulator)
