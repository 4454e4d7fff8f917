"""Sustained commits over a clean link: ends wired together, no channel between."""

from pathlib import Path

import pytest
from oae.spec.constants import EventCode
from oae.testing import requirement
from oae.trace import Event

from cocotb_tests.link.pair import play

TEXT = """
version = 1
[link]
window = 8
record_max = {size}
beat_idle = 1024
beat_busy = 256
[load.a]
records = {records}
sizes = {size}
"""


def cycles_per_record(size: int, records: int, folder: Path) -> float:
    """Cycles from one commit to the next, over all but the first and last few records."""
    run = play(TEXT.format(size=size, records=records), folder / "run", direct=True)
    told = [e.cycle for e in run.trace if isinstance(e, Event) and e.code == EventCode.TOLD]
    assert len(told) == records
    return (told[-9] - told[8]) / (len(told) - 17)


@requirement("OAE-PRF-003")
def test_sustained_commits_of_64_bytes(tmp_path: Path) -> None:
    """At least 90 % of the format's bound: DATA 12 beats and COMMIT 8, one record per 20 cycles."""
    measured = cycles_per_record(64, 400, tmp_path)
    print(f"64 bytes: {measured:.2f} cycles per record, {20 / measured:.1%} of the bound")
    assert measured <= 20 / 0.9


@pytest.mark.long
def test_sustained_commits_of_1024_bytes(tmp_path: Path) -> None:
    """DATA 132 beats and COMMIT 8: one record per 140 cycles."""
    measured = cycles_per_record(1024, 200, tmp_path)
    print(f"1024 bytes: {measured:.2f} cycles per record, {140 / measured:.1%} of the bound")
    assert measured <= 140 / 0.9
