"""The compiled engine plays what the text engine plays, and judges it as the checker does."""

import hashlib
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from oae.capture.read import Capture
from oae.check.capture import check
from oae.check.findings import Result
from oae.check.verdict import Verdict
from oae.engines import compiled, rtl
from oae.engines.compiled import Engine, Outcome
from oae.errors import OaeError
from oae.native.build import HERE as NATIVE
from oae.scenario.compile import compile_scenario
from oae.scenario.layout import Fault
from oae.scenario.parse import parse, parse_text
from oae.scenario.scenario import Scenario
from oae.spec.crc32c import step
from oae.testing import requirement
from oae.toolchain import environment
from oae.trace import Stop, Trace

HASH = parse("hash")
# The timing of `hash`, so that one build serves all.
LINK = """
version = 1
[link]
beat_idle = 128
beat_busy = 40
fault_beats = 40
sync_interval = 160
"""
# After amnesia b draws the session that it had: an old DATA is taken and delivered once more.
SAME_SESSION = (
    LINK
    + """session = "same"
[[load.a.record]]
text = "the one record"
[rates."a->b"]
reorder_cycles = 900
[[fault]]
when = "b->a ACK id=0 copy=0"
do = "drop"
[[fault]]
when = "a->b DATA id=0 copy=1"
do = "hold 200"
[[fault]]
when = "b->a DONE id=0 copy=0"
do = "drop"
[[fault]]
when = "b DELIVERED id=0"
do = "amnesia b"
after = "10 cycles"
[limits]
cycles = 6000
"""
)
TOO_SHORT = LINK + "[load.both]\nrecords = 40\n[limits]\ncycles = 700\n"
NO_LOAD = LINK + "[limits]\ncycles = 700\n"
LONG_RUN = LINK + "[limits]\ncycles = 2000000000\nstall = 2000000000\n[load.a]\nrecords = 1\n"


@pytest.fixture(scope="module")
def engine() -> Iterator[Engine]:
    with Engine(compiled.parameters(HASH)) as engine:
        yield engine


def played(scenario: Scenario, folder: Path, simulator: str = "verilator") -> Path:
    """The run directory of the text engine."""
    ended = rtl.run(scenario, folder, simulator=simulator)
    assert ended.status == "finished", ended
    return folder


def checked(run: Path) -> Result:
    return check(Capture(str(run / "capture.pcapng")))


def agrees(outcome: Outcome, result: Result) -> None:
    """The engine's judgement is that of the same run's capture, packet for packet."""
    assert (outcome.verdict, outcome.reason) == (result.verdict, result.reason)
    assert list(outcome.findings) == result.findings
    assert outcome.finding_count == result.finding_count
    assert outcome.stop == result.stop
    assert outcome.committed == tuple(end.committed for end in result.ends)
    assert outcome.delivered == tuple(end.delivered for end in result.ends)
    assert outcome.crashes == tuple(end.crashes for end in result.ends)


def same_trace(engine: Engine, seed: int, folder: Path, simulator: str) -> Outcome:
    scenario = replace(HASH, seed=seed)
    run = played(scenario, folder / "text", simulator)
    outcome = engine.run(scenario, sha256=True)
    assert outcome.sha256 == Trace(run / "trace.txt").sha256
    assert outcome.stop == "resolved"
    (stop,) = (one for one in Trace(run / "trace.txt") if isinstance(one, Stop))
    assert outcome.cycles == stop.cycle
    assert sum(outcome.resolved) >= 50
    agrees(outcome, checked(run))
    return outcome


@requirement("OAE-DET-001", "OAE-CHK-001")
@pytest.mark.parametrize("seed", range(1, 21))
def test_the_trace_and_the_judgement_are_those_of_the_text_engine(
    engine: Engine, seed: int, tmp_path: Path
) -> None:
    outcome = same_trace(engine, seed, tmp_path, "verilator")
    assert outcome.faults[Fault.DROPPED]
    assert outcome.faults[Fault.DUPLICATED]
    assert outcome.crashes == (1, 1)
    assert outcome.amnesias[1] == 1
    assert all(outcome.cuts)
    assert outcome.rules


@requirement("OAE-DET-001")
@pytest.mark.parametrize("seed", range(21, 26))
def test_the_trace_is_that_of_icarus(engine: Engine, seed: int, tmp_path: Path) -> None:
    same_trace(engine, seed, tmp_path, "icarus")


@pytest.mark.long_hashes
@requirement("OAE-DET-001")
@pytest.mark.parametrize("seed", range(26, 1026))
def test_the_trace_is_that_of_the_text_engine_over_many_seeds(
    engine: Engine, seed: int, tmp_path: Path
) -> None:
    same_trace(engine, seed, tmp_path, "verilator")


@pytest.mark.long_hashes
@requirement("OAE-DET-001")
@pytest.mark.parametrize("seed", range(1026, 1126))
def test_the_trace_is_that_of_icarus_over_many_seeds(
    engine: Engine, seed: int, tmp_path: Path
) -> None:
    same_trace(engine, seed, tmp_path, "icarus")


@requirement("OAE-DET-001", "OAE-SIM-010")
def test_a_trace_that_is_written_is_the_one_that_was_hashed(engine: Engine, tmp_path: Path) -> None:
    path = tmp_path / "trace of this run.txt"
    outcome = engine.run(HASH, sha256=True, trace=path)
    assert hashlib.sha256(path.read_bytes()).hexdigest() == outcome.sha256
    assert list(Trace(path))  # whole: its last line is there
    assert engine.run(HASH).sha256 == ""


@requirement("OAE-SIM-009", "OAE-DET-001")
@settings(max_examples=12, deadline=None, derandomize=True)
@given(
    seed=st.integers(0, 2**32 - 1),
    sizes=st.tuples(st.integers(1, 64), st.integers(0, 63)),
    records=st.tuples(st.integers(0, 9), st.integers(1, 9)),
)
def test_records_that_the_engine_makes_are_those_of_the_schedule(
    engine: Engine, seed: int, sizes: tuple[int, int], records: tuple[int, int]
) -> None:
    least, most = sizes[0], min(64, sizes[0] + sizes[1])
    text = LINK
    for end, number in zip("ab", records, strict=True):
        text += f"[load.{end}]\nrecords = {number}\nsizes = [{least}, {most}]\n"
    text += '[[load.a.record]]\ntext = "the first one"\n'
    scenario = replace(parse_text(text), seed=seed)
    made = engine.run(scenario, sha256=True)
    given = engine.run(compile_scenario(scenario), sha256=True)
    assert made.sha256 == given.sha256
    assert made.resolved == (records[0] + 1, records[1])
    assert made.verdict is Verdict.PASS


@requirement("OAE-CHK-001")
def test_a_broken_promise_is_found_as_in_the_capture(engine: Engine, tmp_path: Path) -> None:
    scenario = parse_text(SAME_SESSION)
    outcome = engine.run(scenario)
    assert outcome.verdict is Verdict.FAIL
    assert outcome.findings
    agrees(outcome, checked(played(scenario, tmp_path / "text")))
    first = engine.run(scenario, first=True)
    assert first.findings[0] == outcome.findings[0]
    assert first.stop == ""
    assert first.found_cycle is not None
    assert first.found_cycle <= first.cycles <= first.found_cycle + 2 < outcome.cycles


@requirement("OAE-SIM-013")
@pytest.mark.parametrize("text", [TOO_SHORT, NO_LOAD])
def test_a_run_that_shows_too_little_is_inconclusive(
    engine: Engine, text: str, tmp_path: Path
) -> None:
    scenario = parse_text(text)
    outcome = engine.run(scenario)
    assert outcome.verdict is Verdict.INCONCLUSIVE
    agrees(outcome, checked(played(scenario, tmp_path / "text")))


@requirement("OAE-SIM-014")
def test_a_process_that_dies_is_one_bench_error(engine: Engine) -> None:
    engine.run(HASH)
    assert engine._process is not None
    engine._process.kill()
    engine._process.wait()
    dead = engine.run(HASH)
    assert (dead.verdict, dead.reason) == (Verdict.BENCH_ERROR, "the engine died: SIGKILL")
    assert engine.run(HASH).verdict is Verdict.PASS


@requirement("OAE-SIM-015")
def test_an_interrupted_run_leaves_no_process(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine.run(HASH)
    process = engine._process
    assert process is not None
    assert process.stdout is not None

    def interrupted() -> bytes:
        raise KeyboardInterrupt

    monkeypatch.setattr(process.stdout, "readline", interrupted, raising=False)
    with pytest.raises(KeyboardInterrupt):
        engine.run(parse_text(LONG_RUN))
    assert process.poll() is not None
    assert engine.run(HASH).verdict is Verdict.PASS


@requirement("OAE-SIM-007")
def test_what_does_not_fit_is_refused(engine: Engine, tmp_path: Path) -> None:
    with pytest.raises(
        OaeError, match=r"campaign: needs BEAT_IDLE 256; the engine has BEAT_IDLE 1"
    ):
        engine.run(parse("campaign"))
    with pytest.raises(OaeError, match="the schedule has 3 words and does not fit"):
        engine.run([1, 2, 3])
    with pytest.raises(OaeError, match="no such directory"):
        engine.run(HASH, trace=tmp_path / "nowhere" / "trace.txt")
    with pytest.raises(OaeError, match="cannot be written"):
        engine.run(HASH, trace=tmp_path)
    with pytest.raises(OaeError, match="built without waveforms"):
        engine.run(HASH, waveform=(tmp_path / "a.fst", 0, 10))
    assert engine.run(HASH).verdict is Verdict.PASS


@requirement("OAE-DET-001")
def test_sha_256_is_that_of_hashlib(tmp_path: Path) -> None:
    program = tmp_path / "hashes.cpp"
    program.write_text(
        """#include <iostream>
        #include "sha256.h"
        int main() {
          for (size_t size = 0; size < 300; ++size) {
            oae::Sha256 hash;
            for (size_t at = 0; at < size; at += size % 7 + 1)
              hash.add(std::string(std::min(size % 7 + 1, size - at), static_cast<char>(size)));
            std::cout << hash.hex() << '\\n';
          }
        }"""
    )
    command = ["g++", "-std=c++20", f"-I{compiled.SOURCES}", str(program), "-o", "hashes"]
    subprocess.run(command, cwd=tmp_path, env=environment("g++"), check=True)
    told = subprocess.run([tmp_path / "hashes"], capture_output=True, text=True, check=True)
    expected = [hashlib.sha256(bytes([n % 256]) * n).hexdigest() for n in range(300)]
    assert told.stdout.split() == expected


@requirement("OAE-DET-001")
def test_the_crc_of_the_engine_is_that_of_the_ends(tmp_path: Path) -> None:
    program = tmp_path / "words.cpp"
    program.write_text(
        """#include <iostream>
        #include "crc_words.h"
        int main() {
          uint32_t crc;
          uint64_t word;
          while (std::cin >> crc >> word)
            std::cout << oae::crc_word(crc, word) << ' ' << oae::crc_record_word(crc, word) << ' ';
        }"""
    )
    folders = [f"-I{folder}" for folder in (compiled.SOURCES, NATIVE)]
    command = ["g++", "-std=c++20", *folders, str(program), "-o", "words"]
    subprocess.run(command, cwd=tmp_path, env=environment("g++"), check=True)
    # Each bit alone; both are linear.
    asked = [(1 << bit, 0) for bit in range(32)] + [(0, 1 << bit) for bit in range(64)]
    text = "".join(f"{crc} {word}\n" for crc, word in asked)
    told = subprocess.run(
        [tmp_path / "words"], input=text, capture_output=True, text=True, check=True
    )
    expected = []
    for crc, word in asked:
        bytes_of_word = word.to_bytes(8, "little")
        expected.append(step(crc, bytes_of_word))
        expected.append(step(crc, bytes(8)) ^ step(0, bytes_of_word + bytes(16)))
    assert list(map(int, told.stdout.split())) == expected


@pytest.mark.long
@requirement("OAE-DET-001", "OAE-CHK-001")
def test_a_trained_program_plays_the_same(engine: Engine) -> None:
    with Engine(compiled.parameters(HASH), trained=True) as trained:
        for seed in range(1, 21):
            scenario = replace(HASH, seed=seed)
            outcome = trained.run(scenario, sha256=True)
            assert outcome.seconds
            assert replace(outcome, seconds=0.0) == replace(
                engine.run(scenario, sha256=True), seconds=0.0
            )


@pytest.mark.long
@requirement("OAE-RPT-002")
def test_the_waveform_of_a_violation(engine: Engine, tmp_path: Path) -> None:
    scenario = parse_text(SAME_SESSION)
    found = engine.run(scenario, first=True).found_cycle
    assert found is not None
    path = tmp_path / "violation.fst"
    with Engine(compiled.parameters(scenario), waveform=True) as tracing:
        again = tracing.run(scenario, waveform=(path, found - 50, found + 10), sha256=True)
    assert again.sha256 == engine.run(scenario, sha256=True).sha256
    # Header block of the format: type, length, then first and last time, highest byte first.
    head = path.read_bytes()[:25]
    start, end = (int.from_bytes(head[at : at + 8], "big") for at in (9, 17))
    assert (end - start) // 8 == 60


@requirement("OAE-SIM-017")
def test_an_assertion_that_speaks_fails_the_run(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine.run(HASH)
    process = engine._process
    assert process is not None
    assert process.stdout is not None
    answered = process.stdout.readline

    def speaking() -> bytes:
        return answered().replace(b'"assertions": []', b'"assertions": ["ASSERTION x: y"]')

    monkeypatch.setattr(process.stdout, "readline", speaking, raising=False)
    outcome = engine.run(HASH)
    assert (outcome.verdict, outcome.reason) == (Verdict.FAIL, "assertions: ASSERTION x: y")
