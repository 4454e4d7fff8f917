"""Random campaigns: thousands of transactions under every fault, judged twice.

The scoreboard judges the run by its promises, knowing nothing of the machine inside; the reference
end follows every step, byte and counter.
"""

from pathlib import Path

import pytest
from oae.testing import requirement

from cocotb_tests.link.pair import play

SEEDS = 4
LONG_SEEDS = 200


def check(seed: int, folder: Path) -> None:
    run = play("campaign", folder / "run", seed=seed)
    assert run.opened > 1500


@requirement("OAE-PRM-001", "OAE-PRM-002", "OAE-PRM-003", "OAE-PRM-004", "OAE-PRM-005")
@requirement("OAE-PRM-006", "OAE-END-002")
@pytest.mark.parametrize("seed", range(1, SEEDS + 1))
def test_a_campaign_keeps_every_promise(seed: int, tmp_path: Path) -> None:
    check(seed, tmp_path)


@pytest.mark.long
@requirement("OAE-PRM-001", "OAE-PRM-002", "OAE-PRM-003", "OAE-PRM-004", "OAE-PRM-005")
@requirement("OAE-PRM-006", "OAE-END-002")
@pytest.mark.parametrize("seed", range(SEEDS + 1, LONG_SEEDS + 1))
def test_many_campaigns_keep_every_promise(seed: int, tmp_path: Path) -> None:
    check(seed, tmp_path)
