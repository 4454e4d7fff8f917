"""Edges at which lockstep must not be a cycle early: what the ends do there is right.

In the pair each runs twice: the first run shows when a frame comes, the second does the step just
then. What takes a peer with a script is in bench_lockstep.py.
"""

from pathlib import Path

from oae.spec.constants import AbortReason, EventCode
from oae.testing import requirement
from oae.trace import Config, Event, Receive

from cocotb_tests.end.test_end import SOURCES, TIMERS
from cocotb_tests.link.pair import Played, play
from cocotb_tests.runner import run as run_bench

LINK = """
version = 1
[link]
sync_interval = 128
[limits]
cycles = 5000
[[load.a.record]]
size = 60
"""
ENABLED = """
[end.b]
enable = false
[[fault]]
when = "start"
do = "enable b"
after = "{after} cycles"
"""
FAR = """
[load.a]
resubmit = true
[[fault]]
when = "a SENT operation=DATA"
do = "epoch b 70000"
after = "{after} cycles"
[[fault]]
when = "b EPOCH_TAKEN"
do = "epoch a 70000"
"""
B = 1
FIRST = 30
HEADER = 4  # slices
LONG = 72  # bytes: no frame but DATA with the record


def changed(run: Played) -> int:
    """Cycle in which the scheduled fault set what is configured at b."""
    return next(
        line.cycle
        for line in run.trace
        if isinstance(line, Config) and line.end == B and line.cycle
    )


def told(run: Played, code: EventCode) -> list[int]:
    """Cycles of the steps that b told."""
    return [
        line.cycle
        for line in run.trace
        if isinstance(line, Event) and line.end == B and line.code == code
    ]


@requirement("OAE-END-002", "OAE-LNK-004")
def test_a_sync_that_is_verified_while_the_link_is_enabled(tmp_path: Path) -> None:
    first = play(LINK + ENABLED.format(after=FIRST), tmp_path / "first", simulator="icarus")
    due = next(cycle for cycle in told(first, EventCode.RECEIVED) if cycle > changed(first))
    text = LINK + ENABLED.format(after=FIRST + due - changed(first))
    run = play(text, tmp_path / "run", simulator="icarus")
    enabled = told(run, EventCode.ENABLED)[0]
    assert enabled in told(run, EventCode.RECEIVED)
    assert told(run, EventCode.SYNC_HEARD)[0] == enabled + 1


@requirement("OAE-END-002", "OAE-EPO-001")
def test_an_epoch_far_away_taken_while_data_comes_in(tmp_path: Path) -> None:
    first = play(LINK + FAR.format(after=FIRST), tmp_path / "first", simulator="icarus")
    data = next(
        line
        for line in first.trace
        if isinstance(line, Receive) and line.end == B and len(line.data) > LONG
    )
    # After the header's slices, before the last one.
    text = LINK + FAR.format(after=FIRST + data.first + HEADER + 2 - changed(first))
    run = play(text, tmp_path / "run", simulator="icarus")
    (taken,) = told(run, EventCode.EPOCH_TAKEN)
    assert data.first + HEADER <= taken < data.cycle
    (refused,) = (
        line for line in run.trace if isinstance(line, Event) and line.code == EventCode.REFUSED
    )
    assert (refused.end, refused.info) == (B, AbortReason.EPOCH)


@requirement("OAE-END-002", "OAE-LNK-013", "OAE-LNK-014", "OAE-TXN-037")
def test_one_end() -> None:
    run_bench(
        "oae_end",
        "cocotb_tests.link.bench_lockstep",
        simulator="icarus",
        sources=SOURCES,
        parameters={"WINDOW": 8, "RECORD_MAX": 64, **TIMERS},
        plusargs=["+window=8", "+record_max=64"],
    )
