"""Codec of frames: round trips, every single-bit error, the order of test, published facts."""

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st
from oae import frame as codec
from oae.frame import Foreign, Frame, Malformed, NotUp, Received, Sync, Unsupported, Verdict
from oae.spec.constants import (
    BALANCE_OF,
    CARRIES_GUARD,
    CARRIES_NOTHING,
    ETHERTYPE,
    Balance,
    MalformedReason,
    Operation,
)
from oae.spec.crc32c import crc32c
from oae.testing import requirement

SESSION = 0x0A0E_5EED
EPOCH = 0x0003_0002
RECORD_MAX = 64

u8 = st.integers(0, 0xFF)
u16 = st.integers(0, 0xFFFF)
u32 = st.integers(0, 0xFFFF_FFFF)
u64 = st.integers(0, 0xFFFF_FFFF_FFFF_FFFF)


def judge(image: bytes, *, bad: bool = False, link_up: bool = True) -> Verdict:
    return codec.decode(
        image,
        bad=bad,
        link_up=link_up,
        link_session=SESSION,
        epoch=EPOCH,
        record_max=RECORD_MAX,
    )


def data(record: bytes, id: int = 7, kind: int = 0, epoch: int = EPOCH) -> Frame:
    digest = codec.digest(SESSION, id, kind, epoch, record)
    return Frame(Operation.DATA, id, digest, kind, epoch & 0xFFFF, SESSION, record)


@st.composite
def guard_frames(draw: st.DrawFn) -> Frame:
    operation = draw(st.sampled_from(sorted(CARRIES_GUARD)))
    return Frame(operation, draw(u32), draw(u32), link_session=SESSION, operand=draw(u32))


@st.composite
def data_frames(draw: st.DrawFn) -> Frame:
    epoch = (EPOCH + draw(st.integers(-0x8000, 0x7FFF))) % 2**32
    record = draw(st.binary(min_size=1, max_size=RECORD_MAX))
    return data(record, draw(u32), draw(st.integers(0, 1)), epoch)


sync_fields = st.builds(
    Sync, session=u64, verified=u64, challenger=u64, counter=u32, record_max=u16, window=u8
)


@st.composite
def sync_frames(draw: st.DrawFn) -> Frame:
    operation = draw(st.sampled_from((Operation.SYNC, Operation.SYNC_ACK)))
    return Frame(operation, sync=draw(sync_fields))


def flips(image: bytes, begin: int, end: int) -> list[tuple[int, bytes]]:
    """Every image that differs in one bit of bytes `begin` to `end`, exclusive."""
    return [
        (8 * at + bit, image[:at] + bytes([image[at] ^ 1 << bit]) + image[at + 1 :])
        for at in range(begin, end)
        for bit in range(8)
    ]


@requirement("OAE-FRM-001", "OAE-FRM-010")
@given(guard_frames())
def test_guard_frames_survive_the_wire(frame: Frame) -> None:
    image = codec.encode(frame)
    assert len(image) == 60
    assert judge(image) == Received(frame, 0)


@requirement("OAE-FRM-001", "OAE-FRM-006", "OAE-FRM-010")
@given(data_frames(), st.binary(max_size=20))
def test_data_survives_the_wire(frame: Frame, padding: bytes) -> None:
    image = codec.encode(frame)
    assert len(image) == max(60, 32 + len(frame.record))
    verdict = judge(image + padding)
    assert isinstance(verdict, Received)
    assert verdict.frame == frame
    assert verdict.epoch & 0xFFFF == frame.epoch
    assert -0x8000 <= (verdict.epoch - EPOCH + 2**31) % 2**32 - 2**31 <= 0x7FFF


@requirement("OAE-FRM-001", "OAE-FRM-010")
@given(sync_frames(), st.booleans())
def test_sync_survives_the_wire(frame: Frame, link_up: bool) -> None:
    image = codec.encode(frame)
    assert len(image) == 64
    assert judge(image, link_up=link_up) == Received(frame, 0)


@requirement("OAE-FRM-008")
@pytest.mark.parametrize("operation", sorted(CARRIES_GUARD))
def test_every_single_bit_error_in_a_guard_frame_is_found(operation: Operation) -> None:
    image = codec.encode(
        Frame(operation, 0x00012345, 0xDEADBEEF, link_session=SESSION, operand=0x02000000)
    )
    for bit, damaged in flips(image, 12, 60):
        assert not isinstance(judge(damaged), Received), f"bit {bit}"


@requirement("OAE-FRM-004", "OAE-FRM-008")
@pytest.mark.parametrize(
    "frame",
    [
        data(b"\x00"),
        data(b"sixteen bytes ..", kind=1),
        data(bytes(range(29))),
        data(bytes(RECORD_MAX), id=0xFFFF_FFFF),
        Frame(Operation.SYNC, sync=Sync(1 << 63, 0, 0, 1, 64, 8)),
        Frame(Operation.SYNC_ACK, sync=Sync(5, 6, 7, 8, 1024, 64)),
    ],
    ids=lambda frame: f"{frame.operation.name}-{len(frame.record)}",
)
def test_every_single_bit_error_in_header_and_record_is_found(frame: Frame) -> None:
    image = codec.encode(frame)
    record_end = 64 if frame.sync else 32 + len(frame.record)
    for bit, damaged in flips(image, 12, record_end):
        assert not isinstance(judge(damaged), Received), f"bit {bit}"
    # Addresses and padding are not looked at.
    for _, damaged in [*flips(image, 0, 12), *flips(image, record_end, len(image))]:
        assert judge(damaged) == judge(image)


@requirement("OAE-FRM-002")
@given(st.binary(max_size=120), st.booleans(), st.booleans())
def test_noise_gets_exactly_one_verdict(image: bytes, typed: bool, bad: bool) -> None:
    if typed:
        image = image[:12] + struct.pack(">H", ETHERTYPE) + image[14:]
    assert not isinstance(judge(image, bad=bad), Received)


def change(image: bytes, at: int, value: bytes) -> bytes:
    return image[:at] + value + image[at + len(value) :]


# In the order of test: what to do to a right DATA or COMMIT, and what must be said then. A step
# further down is hidden by each one further up, whatever else is wrong.
def _order(frame: Frame) -> list[tuple[bytes, Verdict]]:
    image = codec.encode(frame)
    guarded = frame.operation in CARRIES_GUARD
    steps: list[tuple[bytes, Verdict]] = [(image, Received(frame, 0 if guarded else EPOCH))]
    if not guarded:
        image = change(image, 28, bytes(4))
        steps.append((image, Malformed(MalformedReason.WRONG_DIGEST)))
    else:
        image = codec.encode(frame._replace(link_session=1))
    image = change(image, 19, b"\0\0\0\1")
    steps.append((image, Malformed(MalformedReason.WRONG_LINK_SESSION)))
    if guarded:
        image = change(image, 36, b"\1")
        steps.append((image, Malformed(MalformedReason.BAD_GUARD)))
    image = change(image, 17, bytes((0, 12)))
    steps.append((image, Malformed(MalformedReason.BAD_LENGTH)))
    image = change(image, 23, b"\2")
    steps.append((image, Malformed(MalformedReason.UNKNOWN_KIND)))
    image = change(image, 14, bytes([image[14] | 0xE0]))
    steps.append((image, Malformed(MalformedReason.WRONG_BALANCE)))
    image = change(image, 14, bytes([0xE0 | Operation.JAM]))
    steps.append((image, Unsupported(Operation.JAM)))
    image = change(image, 14, bytes([0xE0 | 31]))
    steps.append((image, Malformed(MalformedReason.UNKNOWN_OPERATION)))
    steps.append((image[:59], Malformed(MalformedReason.TOO_SHORT)))
    image = change(image, 12, b"\x08\x00")
    steps.append((image[:14], Foreign(0x0800)))
    steps.append((image[:13], Malformed(MalformedReason.TOO_SHORT)))
    return steps


@requirement("OAE-FRM-002")
@pytest.mark.parametrize("frame", [data(b"record"), Frame(Operation.COMMIT, 7, 9, 0, 0, SESSION)])
def test_order_of_test(frame: Frame) -> None:
    for image, verdict in _order(frame):
        assert judge(image) == verdict
        assert judge(image, bad=True) == Malformed(MalformedReason.BAD_FROM_MAC)


@requirement("OAE-FRM-003")
def test_well_formed_frames_are_told_apart_while_the_link_is_not_up() -> None:
    for frame in (data(b"record"), Frame(Operation.NOP, 7, 0, 0, 0, SESSION)):
        for image, verdict in _order(frame):
            lenient = (MalformedReason.WRONG_LINK_SESSION, MalformedReason.WRONG_DIGEST)
            if isinstance(verdict, Received) or verdict in [Malformed(r) for r in lenient]:
                verdict = NotUp(frame.operation, 7)
            assert judge(image, link_up=False) == verdict


@requirement("OAE-FRM-007")
def test_length_must_be_possible() -> None:
    bad_length = Malformed(MalformedReason.BAD_LENGTH)
    for image in (codec.encode(data(bytes(40))), codec.encode(data(bytes(40))) + bytes(40)):
        end = len(image) - 19
        for length in range(100):
            fits = 13 < length <= min(end, 13 + RECORD_MAX)
            assert (judge(change(image, 17, struct.pack(">H", length))) != bad_length) == fits
    for frame, right in (
        (Frame(Operation.ACK, link_session=SESSION), 13),
        (Frame(Operation.SYNC, sync=Sync(1, 0, 0, 1, 64, 8)), 45),
    ):
        image = codec.encode(frame) + bytes(20)
        for length in (0, 12, 13, 14, 44, 45, 46, 65535):
            verdict = judge(change(image, 17, struct.pack(">H", length)))
            assert (verdict == bad_length) == (length != right)
    assert (
        judge(codec.encode(Frame(Operation.SYNC, sync=Sync(1, 0, 0, 1, 64, 8)))[:63]) == bad_length
    )


@requirement("OAE-FRM-009")
def test_digest_binds_a_record_to_its_place() -> None:
    assert crc32c(b"123456789") == 0xE3069283
    place = (SESSION, 7, 0, EPOCH, b"record")
    trailer = bytes.fromhex("0a0e5eed 00000007 00 00 0006 00030002")
    assert codec.digest(*place) == crc32c(b"record\0\0" + trailer)
    others = [
        (SESSION + 1, 7, 0, EPOCH, b"record"),
        (SESSION, 8, 0, EPOCH, b"record"),
        (SESSION, 7, 1, EPOCH, b"record"),
        (SESSION, 7, 0, EPOCH + 0x10000, b"record"),
        (SESSION, 7, 0, EPOCH, b"record\0"),
    ]
    assert codec.digest(*place) not in [codec.digest(*other) for other in others]


@requirement("OAE-FRM-009")
def test_link_session_names_the_direction_and_is_never_zero() -> None:
    assert codec.link_session(1, 2) == crc32c(bytes(7) + b"\1" + bytes(7) + b"\2")
    assert codec.link_session(1, 2) != codec.link_session(2, 1)
    # CRC-32C has a receiver's session for every remainder: find the one for 0.
    zero = _receiver_for_zero(1)
    assert crc32c(struct.pack(">QQ", 1, zero)) == 0
    assert codec.link_session(1, zero) == 1


def _receiver_for_zero(sender: int) -> int:
    """A receiver's session that makes CRC-32C zero: linear algebra over its low 32 bits."""
    rows = {}
    offset = crc32c(struct.pack(">QQ", sender, 1 << 32))
    for bit in range(32):
        image = crc32c(struct.pack(">QQ", sender, 1 << 32 | 1 << bit)) ^ offset
        source = 1 << bit
        for pivot, (row, origin) in rows.items():
            if image >> pivot & 1:
                image, source = image ^ row, source ^ origin
        rows[image.bit_length() - 1] = (image, source)
    solution = 0
    for pivot in sorted(rows, reverse=True):
        if offset >> pivot & 1:
            offset, solution = offset ^ rows[pivot][0], solution ^ rows[pivot][1]
    return 1 << 32 | solution


@requirement("OAE-FRM-011")
def test_wire_values_of_the_appendix() -> None:
    """Operations 0 to 7 and the balance codes of the FPGA appendix and its vectors."""
    names = ("NOP", "DATA", "ACK", "REQ", "RSP", "SYNC", "SYNC_ACK", "RESET")
    assert [Operation[name] for name in names] == [*range(8)]
    assert BALANCE_OF[Operation.SYNC] == Balance.PLUS_ZERO == 0b011
    assert BALANCE_OF[Operation.SYNC_ACK] == Balance.MINUS_ZERO == 0b010
    assert BALANCE_OF[Operation.DATA] == Balance.PLUS_ONE == 0b100
    assert BALANCE_OF[Operation.ACK] == Balance.PLUS_ZERO
    assert BALANCE_OF[Operation.REQ] == Balance.MINUS_ONE == 0b001
    assert BALANCE_OF[Operation.RSP] == Balance.PLUS_ZERO
    image = codec.encode(data(b"record", id=0x0001_0203))
    assert image[12:14] == b"\x88\xb5"
    assert image[14] == 0b100_00001
    assert image[15:17] == b"\x02\x03"  # transaction id
    assert image[17:19] == b"\x00\x13"  # payload length


@requirement("OAE-FRM-012")
def test_bytes_of_a_guard_frame() -> None:
    frame = Frame(Operation.ABORTED, 0x0102_0304, 0x1111_1111, 0, 0, 0xA1A2A3A4, b"", 0x0300_0000)
    image = codec.encode(frame, bytes(6), bytes(range(6)), 0x88B6)
    assert image.hex(" ", -1)[:35] == "00 00 00 00 00 00 00 01 02 03 04 05"
    assert image[12:] == bytes.fromhex(
        "88b6 76 0304 000d a1a2a3a4 00 0102 0000 eeeeeeee 03000000 0000"
        "89 fcfb fff2 5e5d5c5b ff fefd ffff 11111111 fcffffff"
    )


@requirement("OAE-FRM-002")
def test_reserved_operations_are_unsupported_whatever_else_they_hold() -> None:
    for operation in CARRIES_NOTHING:
        image = change(codec.encode(Frame(operation)), 14, bytes([operation]))
        assert judge(image) == judge(image, link_up=False) == Unsupported(operation)


@requirement("OAE-FRM-006")
@given(u32, st.integers(-0x8000, 0x7FFF))
def test_nearest_epoch(epoch: int, distance: int) -> None:
    sent = (epoch + distance) % 2**32
    assert codec.nearest_epoch(sent & 0xFFFF, epoch) == sent


@requirement("OAE-FRM-010")
def test_sync_needs_its_fields() -> None:
    with pytest.raises(ValueError, match="SYNC without its sync fields"):
        codec.encode(Frame(Operation.SYNC))
