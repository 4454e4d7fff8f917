"""The hash behind chance, and what it does to frames."""

import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from oae.faults.decide import (
    NO_OPERATION,
    Coordinates,
    Copies,
    address,
    decide,
    flipped,
)
from oae.faults.hash import Purpose, chain, draw, frame_hash, mix, threshold
from oae.frame import Frame, Received, Sync, decode, encode
from oae.scenario.layout import Fault
from oae.scenario.scenario import Rates
from oae.spec.constants import Operation
from oae.testing import requirement

ROOT = Path(__file__).resolve().parents[2]
WORDS = st.integers(0, 2**32 - 1)

BENCH = """
module bench;
  `include "oae_hash.vh"
  integer i;
  reg [31:0] a;
  initial begin
    a = 32'd1;
    for (i = 0; i < 200; i = i + 1) begin
      $display("%08x %08x %08x", a, oae_mix(a), oae_chain(a, i * 32'h01000193));
      a = a * 32'd1664525 + 32'd1013904223;
    end
  end
endmodule
"""


@requirement("OAE-SIM-003")
@pytest.mark.skipif(shutil.which("iverilog") is None, reason="iverilog is not installed")
def test_verilog_and_python_hash_alike(tmp_path: Path) -> None:
    (tmp_path / "bench.v").write_text(BENCH)
    program = tmp_path / "bench.vvp"
    includes = f"-I{ROOT / 'hdl' / 'sim'}"
    subprocess.run(
        ["iverilog", "-g2012", includes, "-o", program, tmp_path / "bench.v"], check=True
    )
    output = subprocess.run(["vvp", "-n", program], capture_output=True, text=True, check=True)
    lines = [line.split() for line in output.stdout.splitlines()]
    assert len(lines) == 200
    for i, (value, mixed, chained) in enumerate(lines):
        assert mix(int(value, 16)) == int(mixed, 16)
        assert chain(int(value, 16), i * 0x01000193 & 0xFFFFFFFF) == int(chained, 16)


def test_known_values_of_the_hash() -> None:
    assert mix(0) == 0
    assert mix(1) == 0x514E28B7  # MurmurHash3's fmix32
    assert draw(1, 2, 3) == chain(chain(mix(1), 2), 3)


@given(WORDS, WORDS)
def test_the_mix_is_a_bijection(a: int, b: int) -> None:
    assert (mix(a) == mix(b)) == (a == b)


@pytest.mark.parametrize("chance", [0.02, 0.1, 0.5])
def test_draws_fall_below_a_threshold_as_often_as_they_should(chance: float) -> None:
    count = 20_000
    struck = sum(
        chain(frame_hash(7, 0, Operation.DATA, id, copy), Purpose.DROP) < threshold(chance)
        for id in range(count // 4)
        for copy in range(4)
    )
    assert abs(struck / count - chance) < 4 * (chance * (1 - chance) / count) ** 0.5


def test_purposes_are_independent() -> None:
    hashes = [frame_hash(1, 1, 2, id, 0) for id in range(4000)]
    both = sum(
        chain(hash, Purpose.DROP) < threshold(0.5) and chain(hash, Purpose.FLIP) < threshold(0.5)
        for hash in hashes
    )
    assert 850 < both < 1150


def test_addresses_of_frames() -> None:
    assert address(encode(Frame(Operation.ACK, 0x00AB_0017))) == (Operation.ACK, 0x00AB_0017)
    assert address(encode(Frame(Operation.NOP, operand=0x8005_0000))) == (Operation.NOP, 5)
    sync = Sync(1, 2, 3, 77, 64, 8)
    assert address(encode(Frame(Operation.SYNC, sync=sync))) == (Operation.SYNC, 77)
    assert address(bytes(8)) == (NO_OPERATION, 0)


def test_copies_are_counted_by_operation_and_id() -> None:
    copies = Copies()
    ack, done = encode(Frame(Operation.ACK, 5)), encode(Frame(Operation.DONE, 5))
    assert [copies.name(frame).copy for frame in (ack, ack, done, ack)] == [0, 1, 0, 2]
    far = encode(Frame(Operation.ACK, 5 + 4096))
    assert copies.name(far).copy == 0
    assert copies.name(ack).copy == 0  # only the last id of a place is remembered


def test_a_frame_of_another_operation_is_left_alone() -> None:
    rates = Rates(drop=1.0, operations=frozenset({Operation.DATA}))
    assert decide(rates, 1, 0, Coordinates(Operation.DATA, 0, 0), 20).faults == Fault.DROPPED
    assert decide(rates, 1, 0, Coordinates(Operation.ACK, 0, 0), 13).faults == Fault(0)
    assert decide(Rates(drop=1.0), 1, 0, Coordinates(NO_OPERATION, 0, 0), 0).faults == Fault(0)


@given(WORDS, st.integers(0, 1), WORDS, st.integers(0, 60))
def test_flips_stay_where_they_must_be_noticed(
    seed: int, direction: int, id: int, record: int
) -> None:
    name = Coordinates(Operation.DATA, id, 0)
    (copy,) = decide(Rates(flip=1.0), seed, direction, name, 13 + record).copies
    assert 1 <= len(copy.flips) <= 3
    end = 32 + record if record else 60  # without a record there is a guard
    assert all(14 * 8 <= place < 8 * end for place in copy.flips)
    image = bytes(100)
    assert flipped(image, copy.flips) != image
    assert flipped(flipped(image, copy.flips), copy.flips) == image


@requirement("OAE-SIM-004")
@pytest.mark.parametrize("operation", [Operation.ACK, Operation.COMMIT, Operation.ABORTED])
def test_a_guard_notices_every_flip(operation: Operation) -> None:
    for id in range(8000):
        image = encode(Frame(operation, id, 0x1234_5678 ^ id, link_session=9))
        name = Coordinates(operation, id, 0)
        (copy,) = decide(Rates(flip=1.0), 3, 0, name, 13).copies
        verdict = decode(
            flipped(image, copy.flips), link_up=True, link_session=9, epoch=0, record_max=64
        )
        assert not isinstance(verdict, Received), (id, copy.flips)
