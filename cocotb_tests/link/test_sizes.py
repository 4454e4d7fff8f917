"""Windows, also unequal ones, and record sizes."""

from pathlib import Path

import pytest
from oae.testing import requirement

from cocotb_tests.link.pair import play

TEXT = """
version = 1
[link]
beat_idle = 64
beat_busy = 32
fault_beats = 100
sync_interval = 200
[end.a]
window = {window_a}
record_max = {max_a}
[end.b]
window = {window_b}
record_max = {max_b}
[load.both]
resubmit = true
too_long = 0.1
records = {records}
sizes = [1, {largest}]
[rates.both]
drop = 0.05
duplicate = 0.05
reorder = 0.05
reorder_cycles = 100
corrupt = 0.03
flip = 0.03
[[fault]]
when = "a DECIDED #3"
do = "crash b"
[[fault]]
when = "b REFLECTED #4"
do = "amnesia a"
[limits]
cycles = 60000
stall = 8000
[expect]
every_fault = false
"""
RECORD = "[[load.{end}.record]]\nsize = {size}\n"
SIZES = (1, 7, 8, 9, 63, 64, 65)


@requirement("OAE-TXN-034", "OAE-LNK-011", "OAE-TXN-037")
@pytest.mark.parametrize(
    ("simulator", "windows", "record_maxima"),
    [
        ("icarus", (1, 1), (72, 72)),
        ("icarus", (2, 2), (64, 64)),
        ("icarus", (8, 2), (64, 72)),
        ("icarus", (1, 8), (16, 64)),
        ("icarus", (4, 8), (1024, 1024)),
    ],
)
def test_windows_and_sizes(
    simulator: str, windows: tuple[int, int], record_maxima: tuple[int, int], tmp_path: Path
) -> None:
    largest = min(record_maxima)
    text = TEXT.format(
        window_a=windows[0],
        window_b=windows[1],
        max_a=record_maxima[0],
        max_b=record_maxima[1],
        records=12,
        largest=largest,
    )
    for end in "ab":
        for size in {*SIZES, largest}:
            if size <= largest:
                text += RECORD.format(end=end, size=size)
    run = play(text, tmp_path / "run", seed=7, simulator=simulator)
    assert run.stop == "resolved"
    assert run.opened >= 24


@requirement("OAE-PRM-006")
def test_commits_that_wait_for_a_lost_data_leave_it_its_turn(tmp_path: Path) -> None:
    """31 COMMITs behind a lost DATA, sent again at every echo, fill the line between two echoes."""
    text = """
version = 1
[link]
window = 32
[load.a]
records = 40
sizes = 16
[[fault]]
when = "a->b DATA id=0"
times = 6
do = "drop"
[limits]
cycles = 30000
stall = 8000
"""
    assert play(text, tmp_path / "run", simulator="icarus").stop == "resolved"
