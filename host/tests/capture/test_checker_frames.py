"""The kernel decodes every frame as `oae.frame` does, whatever a capture did to it."""

import struct
import zlib

import numpy
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from oae import frame as codec
from oae.check import kernel
from oae.check.kernel import FRAME, Array, FrameVerdict
from oae.frame import Foreign, Frame, Malformed, Received, Unsupported
from oae.native.packet import PACKET, PacketFlag
from oae.spec.constants import CARRIES_GUARD, CARRIES_SYNC, ETHERTYPE, MalformedReason, Operation
from oae.spec.crc32c import crc32c
from oae.testing import requirement

from host.tests.test_frame import data, guard_frames, sync_frames, u16, u32

EXAMPLES = settings(max_examples=100, deadline=None, derandomize=True, database=None)
LARGEST = 65535
VLAN_TAGS = st.lists(
    st.builds(
        lambda kind, tag: struct.pack(">HH", kind, tag), st.sampled_from((0x8100, 0x88A8)), u16
    ),
    max_size=4,
).map(b"".join)


@st.composite
def data_frames(draw: st.DrawFn) -> Frame:
    record = draw(st.binary(min_size=1, max_size=200))
    return data(record, draw(u32), draw(st.integers(0, 1)), draw(u32))


any_frame = st.one_of(guard_frames(), data_frames(), sync_frames())


def decode(*images: bytes, captured: int = LARGEST, bad: bool = False, fcs_bytes: int = 0) -> Array:
    """What the kernel says about frames of one direction."""
    packets = numpy.zeros(len(images), PACKET)
    packets["original"] = [len(image) for image in images]
    packets["captured"] = numpy.minimum(packets["original"], captured)
    packets["offset"][1:] = numpy.cumsum(packets["captured"])[:-1]
    packets["flags"] = PacketFlag.BAD if bad else 0
    chunk = numpy.frombuffer(b"".join(image[:captured] for image in images) or b"-", "u1")
    return kernel.decode(chunk, packets, fcs_bytes=fcs_bytes)


def assert_same(found: Array, image: bytes, bad: bool = False) -> None:
    """`oae.frame` comes to the same verdict, told what the kernel had to find out."""
    operation = found["operation"]
    is_sync = operation in [int(sync) for sync in CARRIES_SYNC]
    session = int.from_bytes(image[19:23], "big")
    verdict = codec.decode(
        image,
        bad=bad,
        link_up=True,
        link_session=1 if session == 0 and not is_sync else session,
        epoch=int(found["epoch"]),
        record_max=LARGEST,
    )
    match verdict:
        case Malformed(reason):
            assert (found["verdict"], found["reason"]) == (FrameVerdict.MALFORMED, reason)
        case Foreign(ethertype):
            assert (found["verdict"], found["ethertype"]) == (FrameVerdict.FOREIGN, ethertype)
        case Unsupported(operation):
            assert (found["verdict"], found["operation"]) == (FrameVerdict.UNSUPPORTED, operation)
        case Received(frame, epoch):
            assert found["verdict"] == FrameVerdict.RECEIVED
            assert_fields(found, frame, epoch)
        case _:
            pytest.fail(f"{verdict}")


def assert_fields(found: Array, frame: Frame, epoch: int) -> None:
    names = ("operation", "id", "digest", "kind", "link_session", "operand")
    assert [int(found[name]) for name in names] == [getattr(frame, name) for name in names]
    if frame.operation == Operation.DATA:
        assert (found["epoch"], found["record_bytes"]) == (epoch, len(frame.record))
    if frame.sync is not None:
        for name, value in frame.sync._asdict().items():
            assert found[name] == value, name


@requirement("OAE-CHK-008")
@EXAMPLES
@given(st.binary(max_size=300))
def test_both_ways_to_compute_a_crc_are_right(text: bytes) -> None:
    assert kernel.crc32c(text) == kernel.crc32c(text, by_tables=True) == crc32c(text)


@requirement("OAE-CAP-004")
@EXAMPLES
@given(any_frame, st.binary(max_size=20))
def test_every_frame_is_decoded(frame: Frame, padding: bytes) -> None:
    image = codec.encode(frame) + padding
    (found,) = decode(image)
    assert found["verdict"] == FrameVerdict.RECEIVED
    assert_same(found, image)


@requirement("OAE-CAP-004")
@EXAMPLES
@given(any_frame, st.lists(st.tuples(st.integers(0, 300), st.integers(0, 7)), max_size=6), u16)
def test_a_mutated_frame_gets_the_same_verdict(
    frame: Frame, flips: list[tuple[int, int]], size: int
) -> None:
    image = bytearray(codec.encode(frame))
    for at, bit in flips:
        image[at % len(image)] ^= 1 << bit
    cut = bytes(image[: size % 70 if size % 5 == 0 else None])
    (found,) = decode(cut)
    assert_same(found, cut)
    (found,) = decode(cut, bad=True)
    assert_same(found, cut, bad=True)


@requirement("OAE-CAP-004")
@EXAMPLES
@given(st.binary(max_size=120), st.integers(0, 255))
def test_noise_gets_the_same_verdict(image: bytes, operation: int) -> None:
    typed = image[:12] + struct.pack(">HB", ETHERTYPE, operation) + image[15:]
    for noise in (image, typed[: len(image)]):
        if int.from_bytes(noise[12:14], "big") not in (0x8100, 0x88A8):
            (found,) = decode(noise)
            assert_same(found, noise)


@requirement("OAE-CAP-002")
@EXAMPLES
@given(any_frame, VLAN_TAGS)
def test_vlan_tags_are_skipped(frame: Frame, tags: bytes) -> None:
    image = codec.encode(frame)
    (plain,) = decode(image)
    (tagged,) = decode(image[:12] + tags + image[12:])
    assert tagged["body"] == len(tags)
    tagged["body"] = 0
    assert tagged == plain


@requirement("OAE-CAP-002")
def test_a_fifth_tag_is_foreign() -> None:
    image = codec.encode(Frame(Operation.NOP, link_session=1))
    tags = struct.pack(">HH", 0x8100, 7) * 5
    (found,) = decode(image[:12] + tags + image[12:])
    assert (found["verdict"], found["ethertype"]) == (FrameVerdict.FOREIGN, 0x8100)


@requirement("OAE-CAP-002")
@EXAMPLES
@given(any_frame)
def test_an_fcs_is_no_part_of_the_frame(frame: Frame) -> None:
    image = codec.encode(frame)
    with_fcs = image + zlib.crc32(image).to_bytes(4, "little")
    plain, stripped, kept = decode(image)[0], decode(with_fcs, fcs_bytes=4)[0], decode(with_fcs)[0]
    assert plain == stripped == kept
    # Four bytes less than the shortest frame are too short, whatever else is there.
    (short,) = decode(with_fcs[:59] + with_fcs[-4:], fcs_bytes=4)
    assert short["reason"] == MalformedReason.TOO_SHORT


@requirement("OAE-CAP-002")
@EXAMPLES
@given(any_frame, st.integers(0, 300))
def test_missing_bytes_are_never_held_against_a_frame(frame: Frame, captured: int) -> None:
    image = codec.encode(frame)
    (found,) = decode(image, captured=captured)
    needed = (
        60 if frame.operation in CARRIES_GUARD else 32 + (32 if frame.sync else len(frame.record))
    )
    complete = captured >= needed
    assert found["verdict"] == (FrameVerdict.RECEIVED if complete else FrameVerdict.INCOMPLETE)
    if captured >= 32:
        whole = decode(image)[0]
        for name in ("operation", "id", "link_session", "kind", "record_bytes"):
            assert found[name] == whole[name]
        if frame.sync is None:
            assert found["digest"] == whole["digest"]


@requirement("OAE-CAP-002")
@EXAMPLES
@given(guard_frames(), st.integers(15, 59), st.integers(14, 35))
def test_what_is_there_is_tested(frame: Frame, captured: int, at: int) -> None:
    image = bytearray(codec.encode(frame))
    image[at] ^= 0x10
    (whole,), (found,) = decode(bytes(image)), decode(bytes(image), captured=captured)
    assert found["verdict"] in (FrameVerdict.INCOMPLETE, whole["verdict"])
    if at + 24 < captured:
        assert (found["verdict"], found["reason"]) == (whole["verdict"], whole["reason"])


@requirement("OAE-FRM-006")
@EXAMPLES
@given(st.integers(0, 0xFFFE), u16, u16)
def test_the_whole_epoch_is_learned(high: int, low: int, other: int) -> None:
    """From the first DATA; later ones have the same high half, or the next, and no other."""
    epochs = [high << 16 | low, (high + 1) << 16 | low, other << 16 | low, (high + 1) << 16 | other]
    found = decode(
        *(codec.encode(data(b"record", id, 0, epoch)) for id, epoch in enumerate(epochs))
    )
    allowed = (high + 1, (high + 2) & 0xFFFF)
    assert list(found["epoch"][:2]) == epochs[:2]
    assert (found["verdict"][2] == FrameVerdict.RECEIVED) == (other in allowed)
    if other not in allowed:
        assert found["reason"][2] == MalformedReason.WRONG_DIGEST
        assert found["epoch"][3] == epochs[3]


@requirement("OAE-FRM-009")
def test_a_link_session_is_zero_only_where_it_must_be() -> None:
    wrong = (FrameVerdict.MALFORMED, MalformedReason.WRONG_LINK_SESSION)
    sync = codec.encode(Frame(Operation.SYNC, link_session=5, sync=codec.Sync(1, 2, 0, 4, 64, 8)))
    found = decode(codec.encode(Frame(Operation.ACK, 7)), sync)
    assert [(frame["verdict"], frame["reason"]) for frame in found] == [wrong, wrong]


@requirement("OAE-CHK-005")
def test_an_empty_array_is_decoded() -> None:
    assert decode().dtype == FRAME
