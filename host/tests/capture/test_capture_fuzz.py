"""No input crashes a reader, makes it hang or lets it read what is not there."""

import ctypes
import random
import re
import subprocess
from pathlib import Path

import numpy
import pytest
from oae.native.build import compiled, load
from oae.native.packet import PACKET
from oae.testing import requirement

from host.tests.capture.capture_files import everything, pcap

INPUTS = 10_000
LONG_INPUTS = 1_000_000
SANITIZED = (
    *("-std=c++20", "-O1", "-g1", "-Wall", "-Wextra", "-Werror"),
    *("-fsanitize=address,undefined", "-fno-sanitize-recover=all"),
)
FRAMES = [(1, 2, bytes(range(60))), (3, 4, b""), (5, 6, b"odd")] * 3
SEEDS = [
    *(b"".join(everything(order)) for order in "<>"),
    *(
        pcap(order, FRAMES, magic=magic)
        for order in "<>"
        for magic in (0xA1B2C3D4, 0xA1B23C4D, 0xA1B2CD34)
    ),
]
EDGES = [0, 1, 4, 8, 12, 28, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFC, 0xFFFFFFFF]
LINE = re.compile(rb".+, at byte (\d+), after (\d+) packets")


def mutated(data: bytes, chance: random.Random) -> bytearray:
    """A few bytes or numbers changed, parts lost or doubled."""
    changed = bytearray(data)
    for _ in range(chance.randint(1, 4)):
        at = chance.randrange(len(changed))
        match chance.randrange(5):
            case 0:
                changed[at] = chance.randrange(256)
            case 1:
                edge = chance.choice(EDGES).to_bytes(4, chance.choice(["little", "big"]))
                at -= at % 4
                changed[at : at + 4] = edge
            case 2:
                del changed[at : at + chance.randrange(40)]
            case 3:
                changed[at:at] = changed[at : at + chance.randrange(40)]
            case 4:
                del changed[max(at, 12) :]
        if not changed:
            break
    return changed


@requirement("OAE-CAP-003")
def test_mutated_captures_are_read_to_an_end() -> None:
    library = load("walk")
    library.oae_walk_begin.restype = ctypes.c_void_p
    library.oae_walk.restype = ctypes.c_size_t
    library.oae_walk_damage.restype = ctypes.c_char_p
    chance = random.Random(7)
    packets = numpy.zeros(256, PACKET)
    consumed = ctypes.c_size_t()
    damaged = whole = 0
    for _ in range(INPUTS):
        data = bytes(mutated(chance.choice(SEEDS), chance))
        size = ctypes.c_size_t(len(data))
        walk = ctypes.c_void_p(library.oae_walk_begin(data, size))
        if not walk:
            continue
        room, place = ctypes.c_size_t(len(packets)), ctypes.c_void_p(packets.ctypes.data)
        count = library.oae_walk(walk, data, size, 1, place, room, ctypes.byref(consumed))
        assert count < len(packets)
        found = packets[:count]
        ends = found["offset"].astype("u8") + found["captured"]
        comments = found["comment"].astype("u8") + found["comment_bytes"]
        assert (ends <= consumed.value).all()
        assert (comments <= consumed.value).all()
        line = library.oae_walk_damage(walk)
        library.oae_walk_end(walk)
        if not line:
            assert consumed.value == len(data)
            whole += 1
            continue
        damage = LINE.fullmatch(line)
        assert damage is not None
        assert (int(damage[1]), int(damage[2])) == (consumed.value, count)
        damaged += 1
    assert damaged > INPUTS / 3
    assert whole > INPUTS / 20


@requirement("OAE-CAP-003")
@pytest.mark.long
def test_sanitizers_find_nothing_in_a_million_captures(tmp_path: Path) -> None:
    program = compiled("walk_fuzz", SANITIZED, "")
    files = []
    for i, data in enumerate(SEEDS):
        files.append(tmp_path / str(i))
        files[-1].write_bytes(data)
    command = [str(program), "1", str(LONG_INPUTS), *map(str, files)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    counts = re.fullmatch(r"(\d+) damaged, (\d+) packets\n", done.stdout)
    assert counts is not None
    assert LONG_INPUTS / 3 < int(counts[1]) < LONG_INPUTS
    assert int(counts[2]) > LONG_INPUTS
