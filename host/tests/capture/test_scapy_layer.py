"""The scapy layer: byte-equal to the codec and to the RTL, in both directions."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from oae import frame as codec
from oae.engines import rtl
from oae.frame import Frame, Malformed, Received, Sync
from oae.layers.oae import OAE, OAEAborted, OAEBeat, OAEGuard, OAESync
from oae.model import beat
from oae.scenario.parse import parse_text
from oae.spec.constants import (
    CARRIES_GUARD,
    CARRIES_SYNC,
    ETHERTYPE,
    AbortReason,
    Kind,
    MalformedReason,
    Operation,
)
from oae.testing import requirement
from oae.trace import Trace, Transmit
from scapy.layers.l2 import Ether
from scapy.packet import Packet, Padding, Raw

ETHERNET = Ether(dst="02:00:00:00:00:0b", src="02:00:00:00:00:0a")
RECORD_MAX = 1500
EPOCH = 0x0001_0002  # more than travels
SCENARIO = f"""
version = 1
[load.both]
records = 20
cancel = 0.2
cancel_after = 20
[[load.a.record]]
advance = {EPOCH + 1}
[host.both]
epoch = {EPOCH}
prepared = {EPOCH + 1}
refuse = 0.1
[rates.both]
drop = 0.05
"""

u16 = st.integers(0, 0xFFFF)
u32 = st.integers(0, 0xFFFF_FFFF)
u64 = st.integers(0, 0xFFFF_FFFF_FFFF_FFFF)
few = st.integers(0, 3)
operations = st.sampled_from(sorted(Operation))
addresses = st.binary(min_size=6, max_size=6)
syncs = st.builds(Sync, u64, u64, u64, u32, u16, st.integers(0, 0xFF))


@st.composite
def frames(draw: st.DrawFn) -> tuple[Frame, int]:
    """A right frame of any operation, and the whole epoch of its sender."""
    operation = draw(st.sampled_from(sorted({Operation.DATA, *CARRIES_GUARD, *CARRIES_SYNC})))
    if operation in CARRIES_SYNC:
        return Frame(operation, sync=draw(syncs)), 0
    id, session = draw(u32), draw(u32)
    if operation in CARRIES_GUARD:
        return Frame(operation, id, draw(u32), link_session=session, operand=draw(u32)), 0
    kind, epoch, record = draw(st.integers(0, 1)), draw(u32), draw(st.binary(min_size=1))
    digest = codec.digest(session, id, kind, epoch, record)
    return Frame(operation, id, digest, kind, epoch & 0xFFFF, session, record), epoch


def operand_layer(frame: Frame) -> Packet:
    """The layer that says what the operand of a guarded frame means."""
    if frame.operation == Operation.NOP:
        word = beat.unpack(frame.operand)
        # The codec takes any operand; a beat without an echo has no number there.
        echo = frame.operand & 0x7FFF
        return OAEBeat(
            echo_wanted=word.wanted, number=word.number, echo_valid=word.echo is not None, echo=echo
        )
    if frame.operation == Operation.ABORTED:
        return OAEAborted(reason=frame.operand >> 24, unused=frame.operand & 0xFF_FFFF)
    return OAEGuard(operand=frame.operand)


def built(frame: Frame, epoch: int) -> Packet:
    """The frame as scapy packet, with nothing given that can be computed."""
    header = OAE(
        operation=frame.operation,
        id=frame.id,
        link_session=frame.link_session,
        kind=frame.kind,
        epoch=epoch,
    )
    if frame.sync:
        return header / OAESync(**frame.sync._asdict())
    if frame.operation == Operation.DATA:
        return header / Raw(frame.record)
    header.digest = frame.digest
    return header / operand_layer(frame)


def without_computed(packet: Packet, epoch: int) -> Packet:
    """The packet without all that is computed."""
    header = packet[OAE]
    header.balance = header.length = None
    header.epoch = epoch
    if header.operation in CARRIES_GUARD:
        header.payload.guard = None
    else:
        header.digest = None
    if Padding in packet:
        packet[Padding].underlayer.remove_payload()
    return packet


def verdict_of(image: bytes, epoch: int) -> codec.Verdict:
    """Of a receiver on the link that the frame is of."""
    session = int.from_bytes(image[19:23], "big")
    return codec.decode(
        image, link_up=True, link_session=session, epoch=epoch, record_max=RECORD_MAX
    )


@requirement("OAE-CAP-004")
@given(frames(), addresses, addresses)
def test_what_it_builds_is_what_the_codec_encodes(
    sent: tuple[Frame, int], destination: bytes, source: bytes
) -> None:
    frame, epoch = sent
    ethernet = Ether(dst=destination.hex(":"), src=source.hex(":"))
    image = bytes(ethernet / built(frame, epoch))
    assert image == codec.encode(frame, destination, source)
    assert verdict_of(image, epoch) == Received(frame, epoch)


@requirement("OAE-CAP-004")
@given(frames(), st.booleans())
def test_what_it_dissects_is_what_the_codec_decodes(sent: tuple[Frame, int], tagged: bool) -> None:
    frame, epoch = sent
    image = codec.encode(frame)
    if tagged:
        image = image[:12] + b"\x81\x00\x00\x05" + image[12:]
    packet = Ether(image)
    header = packet[OAE]
    assert (header.operation, header.id, header.kind) == (frame.operation, frame.id, frame.kind)
    assert (header.link_session, header.epoch) == (frame.link_session, frame.epoch)
    if frame.sync:
        fields = {name: getattr(header[OAESync], name) for name in Sync._fields}
        assert Sync(**fields) == frame.sync
    elif frame.operation == Operation.DATA:
        assert (header.digest, header[Raw].load) == (frame.digest, frame.record)
    else:
        given = operand_layer(frame)
        assert header.digest == frame.digest
        assert isinstance(header.payload, type(given))
        assert {name: getattr(header.payload, name) for name in given.fields} == given.fields
    assert bytes(packet) == image
    packet.clear_cache()
    assert bytes(packet) == image
    assert bytes(without_computed(packet, epoch)) == image


@requirement("OAE-CAP-004")
@given(st.binary(min_size=14, max_size=120), st.booleans())
def test_noise_is_kept_as_it_is(image: bytes, typed: bool) -> None:
    if typed:
        image = image[:12] + ETHERTYPE.to_bytes(2, "big") + image[14:]
    assert bytes(Ether(image)) == image


@requirement("OAE-CAP-004")
def test_a_frame_of_the_rtl_is_built_again_from_its_fields(tmp_path: Path) -> None:
    scenario = parse_text(SCENARIO)
    assert rtl.run(scenario, tmp_path / "run", simulator="icarus").status == "finished"
    seen = set()
    for item in Trace(tmp_path / "run" / "trace.txt"):
        if isinstance(item, Transmit):
            packet = Ether(item.data)
            seen.add((packet[OAE].operation, packet[OAE].kind))
            epoch = EPOCH if packet[OAE].operation == Operation.DATA else 0
            assert bytes(without_computed(packet, epoch)) == item.data
    every = {Operation.DATA, *CARRIES_GUARD, *CARRIES_SYNC}
    assert seen == {(operation, 0) for operation in every} | {(Operation.DATA, 1)}


@requirement("OAE-CAP-004")
@given(few, few, operations, operations)
def test_answers_go_by_id(id: int, other: int, request: Operation, answer: Operation) -> None:
    first = ETHERNET / OAE(operation=request, id=id)
    second = ETHERNET / OAE(operation=answer, id=other)
    asks = request in (Operation.DATA, Operation.COMMIT, Operation.ABORT)
    answers = answer in (Operation.ACK, Operation.DONE, Operation.ABORTED)
    assert second.answers(first) == (asks and answers and id == other)
    if second.answers(first):
        assert second.hashret() == first.hashret()


@requirement("OAE-CAP-004")
@given(u64, u64, u32, u32)
def test_sync_ack_answers_its_challenge(mine: int, theirs: int, counter: int, later: int) -> None:
    challenge = OAE() / OAESync(session=mine, counter=counter)
    answer = OAE(operation="SYNC_ACK") / OAESync(session=theirs, challenger=mine, counter=later)
    assert challenge.operation == Operation.SYNC
    assert answer.answers(challenge) == (counter == later)
    assert (answer.hashret() == challenge.hashret()) == (counter == later)
    assert not challenge.answers(OAE() / OAESync(session=mine ^ 1, counter=counter))
    assert not answer.answers(Raw(b"something else"))


@requirement("OAE-CAP-004")
def test_what_is_given_stands_as_it_is_given() -> None:
    """So a tester can send what no end sends."""
    wrong = {
        MalformedReason.WRONG_BALANCE: OAE(balance="MINUS_ONE") / b"record",
        MalformedReason.BAD_LENGTH: OAE(length=99) / b"record",
        MalformedReason.UNKNOWN_KIND: OAE(kind=9) / b"record",
        MalformedReason.WRONG_DIGEST: OAE(digest=0x12345678) / b"record",
        MalformedReason.BAD_GUARD: OAE(operation="COMMIT") / OAEGuard(guard=bytes(22)),
    }
    for reason, packet in wrong.items():
        assert verdict_of(bytes(ETHERNET / packet), 0) == Malformed(reason)
    image = bytes(ETHERNET / OAE(id=5, id_high=7) / b"record")
    assert Ether(image)[OAE].id == 0x0007_0005


@requirement("OAE-CAP-004")
def test_a_changed_id_changes_both_halves() -> None:
    packet = Ether(bytes(ETHERNET / OAE(id=0x0001_0002) / b"record"))
    packet[OAE].id = 0x0003_0004
    assert Ether(bytes(packet))[OAE].id == 0x0003_0004


@requirement("OAE-CAP-004")
@pytest.mark.parametrize(
    ("packet", "summary"),
    [
        (
            OAE(id=7, link_session=0x1A2B3C4D) / b"record",
            "OAE DATA id 7, 6 bytes, session 1a2b3c4d",
        ),
        (OAE(operation="DONE", id=8) / OAEGuard(), "OAE DONE id 8, session 00000000"),
        (OAE() / OAEAborted(reason="EPOCH"), "OAE ABORTED id 0, session 00000000"),
        (OAE() / OAESync(counter=3, session=5), "OAE SYNC counter 3, session 0000000000000005"),
    ],
)
def test_one_line(packet: Packet, summary: str) -> None:
    assert packet.summary().startswith(summary)
    assert Ether(bytes(ETHERNET / packet))[OAE].mysummary() == summary


@requirement("OAE-CAP-004")
def test_codes_have_their_names() -> None:
    shown = str(
        (OAE(operation="ABORTED", kind="EPOCH_ADVANCE") / OAEAborted(reason=3)).show(dump=True)
    )
    for name in (Operation.ABORTED, Kind.EPOCH_ADVANCE, AbortReason.EPOCH):
        assert name.name in shown
