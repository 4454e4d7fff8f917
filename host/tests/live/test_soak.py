"""A small part of the soak, and the benchmark of runs on a bench."""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from oae.bench import soak
from oae.bench.benchmark import live_live, python_live, scapy_ping
from oae.bench.started import PREFIX
from oae.errors import OaeError
from oae.scenario.layout import Fault
from oae.scenario.scenario import ENDS
from oae.testing import requirement
from rich.console import Console

from host.tests.live.interfaces import skip_without_root

TRANSACTIONS = 12_000
ROUNDS = 8
WINDOW = 8  # that of the other tests with live ends: another takes another build
MIB = 1 << 20
NOTHING = {"memory": 0, "descriptors": 0}
KINDS = (
    Fault.CUT | Fault.DROPPED | Fault.DUPLICATED | Fault.HELD | Fault.DELAYED | Fault.CORRUPTED
) | Fault.FLIPPED


@requirement("OAE-BRN-004", "OAE-JON-005")
def test_a_soak_keeps_every_promise_and_leaves_nothing() -> None:
    told = soak.soak("relay", TRANSACTIONS, ROUNDS, Console(quiet=True), WINDOW)
    assert told["verdict"] == "PASS", told["reason"]
    assert told["committed"] == TRANSACTIONS
    assert told["crashes"] >= 2 * ROUNDS
    assert set(told["faults"]) >= {kind.name for kind in KINDS}
    assert len(told["rounds"]) == ROUNDS
    assert not told["left"]
    # The relay and the checker have not filled what they keep by then.
    assert {name: told["growth"][name] for name in ENDS} == dict.fromkeys(ENDS, NOTHING)
    assert told["growth"][soak.CHECKER]["memory"] < 2 * soak.GROWTH
    assert told["growth"][soak.CHECKER]["descriptors"] < soak.DESCRIPTORS


def rounds(memory: Sequence[int], descriptors: Sequence[int]) -> list[soak.Round]:
    sizes = zip(memory, descriptors, strict=True)
    return [soak.Round(0.0, 0, 0, {"a": soak.Size(*size)}) for size in sizes]


@requirement("OAE-BRN-004")
@given(
    filled=st.integers(0, 1 << 30),
    grown=st.integers(0, 64),
    opened=st.integers(0, 16),
    left=st.sets(st.sampled_from(["process 1", "namespace x"])),
    count=st.integers(soak.ROUNDS_LEAST, 40),
)
def test_what_grew_in_the_second_half_or_was_left_behind_is_told(
    filled: int, grown: int, opened: int, left: set[str], count: int
) -> None:
    first = (count - 1) // 2
    steps = count - 1 - first
    memory = [0] * first + [filled + grown * MIB * step // steps for step in range(steps + 1)]
    files = [0] * first + [round(opened * step / steps) for step in range(steps + 1)]
    found = soak.growth(rounds(memory, files))
    assert abs(found["a"].memory - grown * MIB) < MIB
    assert abs(found["a"].descriptors - opened) <= 1
    told = {"growth": {name: asdict(size) for name, size in found.items()}, "left": sorted(left)}
    size = found["a"]
    if size.memory > soak.GROWTH or size.descriptors > soak.DESCRIPTORS:
        assert soak.trouble(told).startswith("grew: a by ")
    elif left:
        assert soak.trouble(told) == f"left behind: {', '.join(sorted(left))}"
    else:
        assert soak.trouble(told) == ""


@requirement("OAE-BRN-004")
def test_what_is_left_behind_has_a_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(soak, "GONE_SECONDS", 0.0)
    before = soak.things()
    with tempfile.TemporaryDirectory(prefix=f"{PREFIX}{os.getpid()}-") as folder:
        process = subprocess.Popen(["cat"], stdin=subprocess.PIPE)
        left = set(soak.left_behind(before))
        process.communicate()
    assert left >= {f"folder {folder}", f"process {process.pid}"}
    assert not left & set(soak.left_behind(before))


@requirement("OAE-BRN-003")
def test_one_round_is_too_few() -> None:
    with pytest.raises(OaeError, match="no fewer than 2 rounds"):
        soak.soak("relay", 10, 1, Console(quiet=True))


@requirement("OAE-BRN-003")
def test_a_soak_without_a_relay_is_one_line() -> None:
    words = [sys.executable, "-m", "oae.bench.soak", "--bench", "python"]
    done = subprocess.run(words, capture_output=True, text=True)
    assert done.returncode == 2
    assert done.stderr == "oae: python: a soak takes a relay\n"


@requirement("OAE-BRN-004")
def test_the_size_of_a_process_is_what_it_takes() -> None:
    before = soak.Size.of(os.getpid())
    kept = bytearray(os.urandom(1 << 20) * 32)
    with Path(os.devnull).open("rb"):
        after = soak.Size.of(os.getpid())
    assert after.memory - before.memory > len(kept) // 2
    assert after.descriptors == before.descriptors + 1


@requirement("OAE-BRN-001")
@pytest.mark.long
def test_the_benchmark_plays_every_pair() -> None:
    skip_without_root()
    for figure in (live_live(500), python_live(500), scapy_ping(20)):
        assert figure.rate > 0
        assert figure.latency_ns
        assert json.dumps(figure.clock)
