"""The benchmark's capture is valid traffic; the check of it is as fast and small as it must be."""

from pathlib import Path

import pytest
from oae import frame as codec
from oae.capture.read import Capture, packets
from oae.check.benchmark import checked, dissected_by_scapy, read_by_dpkt, traffic, tshark
from oae.check.capture import check
from oae.check.verdict import Verdict
from oae.frame import Received
from oae.spec.constants import CARRIES_SYNC, Operation
from oae.testing import requirement

RATIO = 20  # to tshark with the dissector
RATE = 2_000_000  # frames a second
MEMORY = 2 << 30
PART = 8_000  # frames for tshark
SESSIONS = (0x8C3D10E5A1B2C3D4, 0x51F0E2D3C4B5A697)
LINK_SESSION = tuple(codec.link_session(SESSIONS[end], SESSIONS[1 - end]) for end in (0, 1))


@requirement("OAE-CHK-008")
def test_the_traffic_is_valid(tmp_path: Path) -> None:
    """By the codec: every frame is well-formed, each one sent is received, the numbers go up."""
    path = tmp_path / "traffic.pcapng"
    traffic(path, 3_000)
    seen: set[Operation] = set()
    sent: list[bytes] = []
    for taken in packets(path):
        end, received = taken.interface // 2, taken.interface % 2
        if received:
            assert taken.data == sent[-1]
            continue
        sent.append(taken.data)
        verdict = codec.decode(
            taken.data, link_up=True, link_session=LINK_SESSION[end], epoch=0, record_max=64
        )
        assert isinstance(verdict, Received)
        seen.add(verdict.frame.operation)
    assert len(sent) == 1_500
    operations = {Operation.NOP, Operation.DATA, Operation.ACK, Operation.COMMIT, Operation.DONE}
    assert seen == operations | CARRIES_SYNC


@requirement("OAE-CHK-008", "OAE-CHK-003")
def test_a_small_capture_is_checked_much_faster_than_tshark_dissects_it(tmp_path: Path) -> None:
    whole, part = tmp_path / "whole.pcapng", tmp_path / "part.pcapng"
    traffic(whole, 100_000)
    traffic(part, PART)
    assert check(Capture(part)).verdict is Verdict.INCONCLUSIVE
    speed = checked(whole, wire=True)
    assert (speed.packets, speed.verdict) == (100_000, Verdict.PASS)
    assert speed.rate > RATIO * tshark(part, PART, dissector=True).rate


@requirement("OAE-CHK-008")
def test_other_readers_read_every_frame(tmp_path: Path) -> None:
    path = tmp_path / "traffic.pcapng"
    traffic(path, 100)
    assert dissected_by_scapy(path).packets == 100
    assert read_by_dpkt(path).packets == 100


@requirement("OAE-CHK-008")
@pytest.mark.long
@pytest.mark.parametrize("frames", [1_000_000, 10_000_000])
def test_the_targets_are_met(frames: int, tmp_path: Path) -> None:
    whole, part = tmp_path / "whole.pcapng", tmp_path / "part.pcapng"
    traffic(whole, frames)
    traffic(part, PART)
    speed = checked(whole, wire=True)
    assert (speed.packets, speed.verdict) == (frames, Verdict.PASS)
    assert speed.memory < MEMORY
    assert speed.rate > RATE
    assert speed.rate > RATIO * tshark(part, PART, dissector=True).rate
