"""Leases: one at a time, whatever races and kills; records, expiry, owners."""

import mmap
import os
import random
import signal
import struct
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from oae.bench import lease
from oae.bench.lease import DIRECTORY, OWNER, LeaseError, held, release, state
from oae.bench.lease import lease as take
from oae.cli import main
from oae.testing import requirement

BOARD = "board:one"
OTHER = "board:two"
BENCH = """
version: 1
ends:
  a: {kind: board, board: one, medium: "packet:lo"}
  b: {kind: board, board: two, medium: "packet:lo"}
"""


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv(DIRECTORY, str(tmp_path / "leases"))
    monkeypatch.setenv(OWNER, "ann")
    return tmp_path / "leases"


@pytest.fixture
def bench(tmp_path: Path) -> str:
    path = tmp_path / "two.yaml"
    path.write_text(BENCH)
    return str(path)


def ask_as(monkeypatch: pytest.MonkeyPatch, owner: str) -> None:
    monkeypatch.setenv(OWNER, owner)


# ---------------------------------------------------------------------------- one at a time


@requirement("OAE-LSE-001", "OAE-LSE-002")
def test_what_a_process_holds_nobody_else_gets() -> None:
    with held([BOARD], "timing"):
        assert state(BOARD).held
        with pytest.raises(LeaseError, match=f"board:one: ann for timing until .* {os.getpid()}"):
            take([BOARD])
        with pytest.raises(LeaseError, match="ann for timing"), held([BOARD]):
            pass
        with pytest.raises(LeaseError, match="end that process"):
            release([BOARD])
    assert state(BOARD).free


@requirement("OAE-LSE-002")
def test_what_a_killed_process_held_is_free_at_once() -> None:
    ready, say = os.pipe()
    child = os.fork()
    if child == 0:
        with held([BOARD], "to be killed"):
            os.write(say, b".")
            signal.pause()
    os.read(ready, 1)
    assert state(BOARD).held
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    assert state(BOARD).free
    with held([BOARD]):
        assert state(BOARD).held


@requirement("OAE-LSE-002")
def test_a_lease_without_a_process_lasts_until_it_expires(monkeypatch: pytest.MonkeyPatch) -> None:
    now = time.time()
    take([BOARD], "lunch", 60)
    ask_as(monkeypatch, "bob")
    with pytest.raises(LeaseError, match="ann for lunch until"):
        take([BOARD])
    with pytest.raises(LeaseError, match="ann for lunch until"), held([BOARD]):
        pass
    monkeypatch.setattr("time.time", lambda: now + 61)
    assert state(BOARD).free
    assert take([BOARD])[0].record is not None


@requirement("OAE-LSE-003")
def test_a_living_holder_keeps_it_past_its_expiry(monkeypatch: pytest.MonkeyPatch) -> None:
    now = time.time()
    with held([BOARD], "slow", 60):
        monkeypatch.setattr("time.time", lambda: now + 3600)
        assert "overdue; a living process keeps it" in str(state(BOARD))
        ask_as(monkeypatch, "bob")
        with pytest.raises(LeaseError, match="overdue"):
            take([BOARD])
        with pytest.raises(LeaseError, match="overdue"):
            release([BOARD], force=True)


@requirement("OAE-LSE-004")
def test_the_owner_may_use_and_prolong_a_lease(monkeypatch: pytest.MonkeyPatch) -> None:
    take([BOARD], "mine", 60)
    take([BOARD], "mine still", 120)
    with held([BOARD]):
        pass
    found = state(BOARD).record
    assert found is not None
    assert (found.owner, found.purpose, found.process) == ("ann", "mine still", 0)
    ask_as(monkeypatch, "bob")
    with pytest.raises(LeaseError, match="not yours: --force"):
        release([BOARD])
    assert release([BOARD], force=True)[0].record == found
    assert state(BOARD).free


@requirement("OAE-LSE-004")
def test_several_are_granted_together_or_not_at_all(monkeypatch: pytest.MonkeyPatch) -> None:
    take([OTHER], "first")
    ask_as(monkeypatch, "bob")
    for names in ([BOARD, OTHER], [OTHER, BOARD]):
        with pytest.raises(LeaseError, match="board:two: ann for first"):
            take(names)
        with pytest.raises(LeaseError, match="board:two: ann for first"), held(names):
            pass
        assert state(BOARD).free


@requirement("OAE-LSE-001")
def test_a_device_is_one_by_whatever_name(tmp_path: Path) -> None:
    link = tmp_path / "my-board"
    link.symlink_to("/dev/null")
    with held(["serial:/dev/null"]):
        assert state(f"serial:{link}").held


@requirement("OAE-LSE-002")
@given(st.binary(max_size=200))
def test_a_record_that_nobody_wrote_grants_nothing_and_stops_nobody(data: bytes) -> None:
    take([BOARD])
    (path,) = lease.directory().iterdir()
    path.write_bytes(bytes(lease.RECORD_BYTES) + data)
    assert state(BOARD).free
    with held([BOARD]):
        assert state(BOARD).held
    release([BOARD])


@requirement("OAE-LSE-004")
@given(st.text(max_size=400), st.text(st.characters(exclude_characters="\0"), max_size=400))
def test_any_words_fit_into_a_record(purpose: str, owner: str) -> None:
    before = os.environ[OWNER]
    try:
        os.environ[OWNER] = owner.encode(errors="replace").decode()
        take([BOARD], purpose)
        found = state(BOARD).record
        assert found is not None
        assert len(found.purpose) <= lease.TEXT_MOST
        assert f"board:one: {found}".isprintable()
        if purpose.isprintable() and "  " not in purpose and len(purpose) <= lease.TEXT_MOST:
            assert found.purpose == purpose.strip()
        release([BOARD])
    finally:
        os.environ[OWNER] = before


@requirement("OAE-LSE-004")
def test_leases_of_a_bench_by_command(
    bench: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["bench", "lease", bench, "--hours", "2", "--purpose", "timing"]) == 0
    assert "board:one: ann for timing until" in capsys.readouterr().out
    ask_as(monkeypatch, "bob")
    for command in (["lease", bench], ["release", bench], ["doctor", bench]):
        assert main(["bench", *command]) == 1
        assert "ann for timing until" in capsys.readouterr().err
    assert main(["bench", "release", bench, "--force"]) == 0
    assert "board:one: free" in capsys.readouterr().out


@requirement("OAE-LSE-004")
def test_a_place_that_cannot_be_written_is_named(
    bench: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv(DIRECTORY, str(tmp_path / "file"))
    assert main(["bench", "lease", bench]) == 1
    said = capsys.readouterr().err
    assert said.startswith(f"oae: {tmp_path / 'file'}: ")
    assert f"set {DIRECTORY} to another place" in said
    assert said.count("\n") == 1


# ---------------------------------------------------------------------------- races

_WITNESS = struct.Struct("QQQ")  # who has it, grants, double grants
WORKERS = 6


class Witness:
    """Shared memory in which who is granted the resource writes its name, and looks again."""

    def __init__(self) -> None:
        self._memory = mmap.mmap(-1, mmap.PAGESIZE)

    def use(self, name: int, grants: int) -> int:
        """To be called with the resource; returns the grants so far."""
        words = memoryview(self._memory).cast("Q")
        words[0] = name
        for _ in range(grants % 50):
            if words[0] != name:
                words[2] += 1
        words[1] += 1
        if words[0] != name:
            words[2] += 1
        return words[1]

    @property
    def counts(self) -> tuple[int, int]:
        """Grants, and double grants."""
        _, grants, double = _WITNESS.unpack_from(self._memory)
        return grants, double


def worker(witness: Witness, name: int) -> None:
    """Tries for ever to hold the resource."""
    grants = name
    while True:
        try:
            with held([BOARD, OTHER] if grants % 3 else [BOARD]):
                grants = witness.use(name, grants)
        except LeaseError:
            os.sched_yield()


def started(witness: Witness, name: int) -> int:
    child = os.fork()
    if child == 0:
        try:
            worker(witness, name)
        finally:
            os._exit(1)
    return child


def races(wanted: int, kills: int) -> None:
    """Workers that are killed at any moment, until there were so many grants and kills."""
    witness = Witness()
    chance = random.Random(5)
    workers = [started(witness, name) for name in range(1, WORKERS + 1)]
    name = WORKERS
    try:
        while witness.counts[0] < wanted or name < WORKERS + kills:
            time.sleep(chance.random() * 0.01)
            victim = chance.randrange(WORKERS)
            os.kill(workers[victim], signal.SIGKILL)
            os.waitpid(workers[victim], 0)
            name += 1
            workers[victim] = started(witness, name)
    finally:
        for child in workers:
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
    grants, double = witness.counts
    print(f"\n{grants:,} grants to {WORKERS} processes, {name - WORKERS:,} kills, {double} double")
    assert double == 0
    assert state(BOARD).free
    assert state(OTHER).free


@requirement("OAE-LSE-001", "OAE-LSE-002")
def test_no_double_grant_in_races_with_kills() -> None:
    races(1_000, 20)


@requirement("OAE-LSE-001", "OAE-LSE-002")
@pytest.mark.long
def test_no_double_grant_in_many_races_with_kills() -> None:
    races(100_000, 2_000)


@requirement("OAE-LSE-001")
def test_the_witness_sees_a_double_grant() -> None:
    """Without the lock the same race is caught: the test above can fail."""
    witness = Witness()
    children = []
    for name in range(1, WORKERS + 1):
        child = os.fork()
        if child == 0:
            while True:
                witness.use(name, 49)
        children.append(child)
    deadline = time.monotonic() + 30
    while witness.counts[1] == 0 and time.monotonic() < deadline:
        os.sched_yield()
    for child in children:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
    assert witness.counts[1] > 0
