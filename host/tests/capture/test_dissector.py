"""The Wireshark dissector in a real tshark: it says of every packet what the codec says."""

import random
import struct
import subprocess
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from oae import frame as codec
from oae.capture.record import INTERFACES, record
from oae.capture.write import CRC_ERROR, LINK_TYPE_USER0, Interface, Writer
from oae.engines import rtl
from oae.frame import Foreign, Frame, Malformed, Received, Sync, Unsupported, Verdict
from oae.scenario.parse import parse
from oae.spec.constants import (
    BALANCE_OF,
    CARRIES_GUARD,
    CARRIES_NOTHING,
    CARRIES_SYNC,
    ETHERTYPE,
    EVIDENCE_FIELDS,
    EVIDENCE_HEAD,
    LENGTH_BASE,
    EventCode,
    Evidence,
    Kind,
    MalformedReason,
    Operation,
    State,
)
from oae.testing import requirement
from oae.toolchain import environment
from oae.trace import Event, Fate, Receive, Record, Trace, Transmit
from scapy.utils import RawPcapWriter

SCRIPT = Path(__file__).parents[2] / "oae" / "wireshark" / "oae.lua"
RECORD_MAX = 0xFFFF  # no receiver's limit: one frame does not tell it
EPOCH = 0x0003_0002
AS_ROOT = "This could be dangerous"  # what tshark says to whoever runs it as root

Row = dict[str, str]
Dissect = Callable[..., list[Row]]


@pytest.fixture
def tshark(tmp_path: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """tshark as it comes, whatever the user has set up."""
    variables = environment("tshark") | {"WIRESHARK_CONFIG_DIR": str(tmp_path / "wireshark")}

    def run(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
        command = ["tshark", "-n", *map(str, arguments)]
        return subprocess.run(command, env=variables, capture_output=True, text=True, check=False)

    return run


@pytest.fixture
def dissect(tshark: Callable[..., subprocess.CompletedProcess[str]]) -> Dissect:
    """Fields of every packet of a capture, by name."""

    def fields(capture: Path, names: Sequence[str], *options: str) -> list[Row]:
        asked = [*names, "_ws.lua.error"]
        shown = [word for name in asked for word in ("-e", name)]
        script = f"lua_script:{SCRIPT}"
        ended = tshark("-r", capture, "-X", script, *options, "-T", "fields", *shown)
        assert [line for line in ended.stderr.splitlines() if AS_ROOT not in line] == []
        assert ended.returncode == 0
        rows = [
            dict(zip(asked, line.split("\t"), strict=True)) for line in ended.stdout.splitlines()
        ]
        assert not any(row.pop("_ws.lua.error") for row in rows)
        return rows

    return fields


def written(path: Path, images: Sequence[bytes], bad: Sequence[bool] = ()) -> Path:
    """A capture of these frames."""
    with path.open("wb") as file:
        writer = Writer(file, [Interface("wire", "frames")], "test", "test")
        for at, image in enumerate(images):
            writer.packet(0, at, image, flags=CRC_ERROR if bad and bad[at] else 0)
        writer.finish()
    return path


def written_snapped(path: Path, images: Sequence[tuple[bytes, int]], link_type: int = 1) -> Path:
    """A capture of the first bytes of packets, whose whole lengths stand beside them."""
    with RawPcapWriter(str(path), linktype=link_type) as writer:
        writer.write_header(None)
        for image, original in images:
            writer.write_packet(image, sec=0, usec=0, caplen=len(image), wirelen=original)
    return path


# ------------------------------------------------------------------- frames, right and wrong


def right_frame(source: random.Random) -> Frame:
    """A frame of any operation that a receiver takes."""
    operation = source.choice(sorted({Operation.DATA, *CARRIES_GUARD, *CARRIES_SYNC}))
    if operation in CARRIES_SYNC:
        sizes = (64, 64, 64, 32, 16, 8)
        return Frame(operation, sync=Sync(*map(source.getrandbits, sizes)))
    id, session = source.getrandbits(32), source.getrandbits(32)
    if operation in CARRIES_GUARD:
        digest, operand = source.getrandbits(32), source.getrandbits(32)
        return Frame(operation, id, digest, link_session=session, operand=operand)
    kind = source.choice((Kind.DATA, Kind.EPOCH_ADVANCE))
    epoch = (EPOCH + source.randrange(-0x8000, 0x8000)) % 2**32
    data = source.randbytes(source.choice((1, 4, 8, 29, 64, source.randrange(1, 400))))
    digest = codec.digest(session, id, kind, epoch, data)
    return Frame(operation, id, digest, kind, epoch & 0xFFFF, session, data)


def with_guard(image: bytes) -> bytes:
    """The guard made to fit."""
    return image[:38] + bytes(byte ^ 0xFF for byte in image[14:36]) + image[60:]


def fuzzed(source: random.Random, image: bytes) -> bytes:
    """The frame, damaged in one way or another; what comes later in the order of test as well."""
    at = source.randrange(12, len(image))
    damages = {
        "bit": lambda: image[:at] + bytes([image[at] ^ 1 << source.randrange(8)]) + image[at + 1 :],
        "byte": lambda: image[:at] + source.randbytes(1) + image[at + 1 :],
        "header": lambda: image[:14] + source.randbytes(18) + image[32:],
        "operation": lambda: image[:14] + source.randbytes(1) + image[15:],
        "reserved": lambda: image[:14] + bytes([reserved(source)]) + image[15:],
        "length": lambda: image[:17] + struct.pack(">H", near_length(source)) + image[19:],
        "session": lambda: image[:19] + source.randbytes(4) + image[23:],
        "kind": lambda: image[:23] + bytes([source.randrange(3)]) + image[24:],
        "cut": lambda: image[: source.randrange(14, len(image))],
        "longer": lambda: image + source.randbytes(source.randrange(1, 40)),
        "noise": lambda: image[:14] + source.randbytes(source.randrange(80)),
    }
    damaged = damages[source.choice(sorted(damages))]()
    guarded = len(damaged) >= 60 and damaged[14] & 0x1F in CARRIES_GUARD
    return with_guard(damaged) if guarded and source.random() < 0.5 else damaged


def is_known(image: bytes) -> bool:
    """Whether Wireshark gives the frame to the dissector."""
    return image[12:14] == ETHERTYPE.to_bytes(2, "big")


def reserved(source: random.Random) -> int:
    operation = source.choice(sorted(CARRIES_NOTHING))
    return BALANCE_OF[operation] << 5 | operation


def near_length(source: random.Random) -> int:
    return LENGTH_BASE + source.choice((-1, 0, 1, 31, 32, 33, source.randrange(400)))


def verdict_of(image: bytes, bad: bool, epoch: int) -> Verdict:
    """Of a receiver that is UP and on the link that the frame is of."""
    return codec.decode(
        image,
        bad=bad,
        link_up=True,
        link_session=int.from_bytes(image[19:23], "big"),
        epoch=epoch,
        record_max=RECORD_MAX,
    )


NAMES = (
    *("balance", "operation", "id", "length", "link_session", "kind", "epoch", "whole_epoch"),
    *("digest", "digest.status", "guard.status", "record", "operand", "reason"),
    *("padding", "record.bytes", "advance"),
    *("echo_wanted", "beat", "echo_valid", "echo", "malformed", "unsupported", "snapped"),
    *(f"sync.{name}" for name in Sync._fields),
)
FIELDS = [f"oae.{name}" for name in NAMES]


def number(row: Row, name: str) -> int:
    return int(row[f"oae.{name}"], 0)


def check_received(row: Row, image: bytes, verdict: Received) -> None:
    """Every field of a right frame."""
    frame = verdict.frame
    operation = frame.operation
    assert number(row, "operation") == operation
    assert number(row, "balance") == BALANCE_OF[operation]
    for name in ("id", "link_session", "kind", "epoch"):
        assert number(row, name) == getattr(frame, name), name
    assert number(row, "length") == int.from_bytes(image[17:19], "big")
    good = "guard.status" if operation in CARRIES_GUARD else "digest.status"
    assert number(row, good) == 1
    end = 60 if operation in CARRIES_GUARD else 19 + number(row, "length")
    assert bytes.fromhex(row["oae.padding"]) == image[end:]
    if frame.sync:
        assert Sync(*(number(row, f"sync.{name}") for name in Sync._fields)) == frame.sync
        assert number(row, "digest") == int.from_bytes(image[28:32], "big")
        return
    assert number(row, "digest") == frame.digest
    if operation == Operation.DATA:
        assert bytes.fromhex(row["oae.record"]) == frame.record
        assert number(row, "record.bytes") == len(frame.record)
        assert number(row, "whole_epoch") == verdict.epoch
        advances = frame.kind == Kind.EPOCH_ADVANCE and len(frame.record) == 4
        advance = str(int.from_bytes(frame.record, "big")) if advances else ""
        assert row["oae.advance"] == advance
    elif operation == Operation.NOP:
        echo = number(row, "echo_valid") << 15 | number(row, "echo")
        wanted = number(row, "echo_wanted")
        assert wanted << 31 | number(row, "beat") << 16 | echo == frame.operand
    elif operation == Operation.ABORTED:
        assert number(row, "reason") == frame.operand >> 24
    else:
        assert number(row, "operand") == frame.operand


def check(row: Row, image: bytes, bad: bool) -> Verdict:
    """A row against the decoder."""
    # The dissector finds the sender's epoch out, a receiver compares it with its own.
    epoch = row["oae.whole_epoch"]
    verdict = verdict_of(image, bad, int(epoch) if epoch else EPOCH)
    assert row["oae.snapped"] == ""
    assert bool(row["oae.unsupported"]) == isinstance(verdict, Unsupported)
    reason = str(verdict.reason.value) if isinstance(verdict, Malformed) else ""
    assert row["oae.malformed"] == reason
    if isinstance(verdict, Received):
        check_received(row, image, verdict)
    elif isinstance(verdict, Foreign):
        assert not any(row.values())
    return verdict


def agree(dissect: Dissect, path: Path, count: int) -> Counter[str]:
    """Compare so many frames; returns how many there were of each verdict."""
    source = random.Random(count)
    images, bad = [], []
    for _ in range(count):
        image = codec.encode(right_frame(source))
        images.append(fuzzed(source, image) if source.random() < 0.7 else image)
        bad.append(is_known(images[-1]) and source.random() < 0.02)
    rows = dissect(written(path / "frames.pcapng", images, bad), FIELDS)
    seen: Counter[str] = Counter()
    strange = 0
    for row, image, marked in zip(rows, images, bad, strict=True):
        verdict = check(row, image, marked)
        seen[verdict.reason.name if isinstance(verdict, Malformed) else type(verdict).__name__] += 1
        if isinstance(verdict, Received) and verdict.frame.operation == Operation.DATA:
            strange += abs(verdict.epoch - EPOCH) > 0x8000
    # A SYNC turned into DATA is right in epoch 0; of wrong digests one in 2^16 is right in another.
    assert strange <= count / 2000
    return seen


EVERY_VERDICT = {reason.name for reason in MalformedReason} | {"Received", "Foreign", "Unsupported"}


@requirement("OAE-CAP-005")
def test_fields_and_first_reason_are_those_of_the_decoder(dissect: Dissect, tmp_path: Path) -> None:
    assert set(agree(dissect, tmp_path, 10_000)) == EVERY_VERDICT


@requirement("OAE-CAP-005")
@pytest.mark.long
def test_fields_of_very_many_frames_are_those_of_the_decoder(
    dissect: Dissect, tmp_path: Path
) -> None:
    seen = agree(dissect, tmp_path, 100_000)
    assert min(seen[verdict] for verdict in EVERY_VERDICT) > 100


@requirement("OAE-CAP-005")
def test_frames_cut_by_the_snap_length_are_read_as_far_as_they_go(
    dissect: Dissect, tmp_path: Path
) -> None:
    source = random.Random(1)
    by_operation: dict[Operation, Frame] = {}
    while len(by_operation) < len({Operation.DATA, *CARRIES_GUARD, *CARRIES_SYNC}):
        frame = right_frame(source)
        by_operation.setdefault(frame.operation, frame)
    whole = [(frame, codec.encode(frame)) for frame in by_operation.values()]
    cuts = [(frame, image, there) for frame, image in whole for there in range(len(image) + 1)]
    snapped = [(image[:there], len(image)) for _, image, there in cuts]
    rows = dissect(written_snapped(tmp_path / "snapped.pcap", snapped), FIELDS)
    for row, (frame, image, there) in zip(rows, cuts, strict=True):
        assert row["oae.malformed"] == ""
        needed = 32 + len(frame.record) if frame.record else len(image)
        # Before the EtherType is there nobody knows whose frame it is.
        assert bool(row["oae.snapped"]) == (14 <= there < needed)
        if there >= 32:
            assert number(row, "id") == frame.id
        status = "guard.status" if frame.operation in CARRIES_GUARD else "digest.status"
        if there >= 32:
            assert number(row, status) == (1 if there >= needed else 2)


@requirement("OAE-CAP-005")
def test_it_loads_in_silence_and_the_ethertype_is_a_preference(
    dissect: Dissect, tmp_path: Path
) -> None:
    """`dissect` fails if there is anything on the standard error."""
    frame = Frame(Operation.DONE, 7, 9)
    other = codec.encode(frame, ethertype=0x88B6)
    image = codec.encode(frame)
    tagged = image[:12] + b"\x81\x00\x00\x05" + image[12:]
    capture = written(tmp_path / "frames.pcapng", [image, other, tagged])
    ids = [row["oae.id"] for row in dissect(capture, ["oae.id"])]
    assert ids == ["7", "", "7"]
    ids = [row["oae.id"] for row in dissect(capture, ["oae.id"], "-o", "oae.ethertype:34998")]
    assert ids == ["", "7", ""]


@requirement("OAE-CAP-005")
def test_one_line_says_what_a_frame_is(dissect: Dissect, tmp_path: Path) -> None:
    session = 0x1A2B3C4D
    digest = codec.digest(session, 7, 0, 0, bytes(64))
    data = codec.encode(Frame(Operation.DATA, 7, digest, 0, 0, session, bytes(64)))
    beat = Frame(Operation.NOP, link_session=session, operand=1 << 31 | 5 << 16 | 1 << 15 | 4)
    aborted = Frame(Operation.ABORTED, 8, link_session=session, operand=3 << 24)
    sync = Frame(Operation.SYNC, sync=Sync(1, 2, 0, 3, 64, 8))
    lines = {
        data: "DATA id 7, 64 bytes, session 1a2b3c4d",
        codec.encode(beat): "NOP beat 5, echo 4, echo wanted, session 1a2b3c4d",
        codec.encode(aborted): "ABORTED id 8, EPOCH, session 1a2b3c4d",
        codec.encode(sync): "SYNC counter 3, session 0000000000000001, verified 0000000000000002,"
        " window 8, record maximum 64",
        data[:-1] + b"x": "[malformed: WRONG_DIGEST] DATA id 7, 64 bytes, session 1a2b3c4d",
        data[:14] + b"\x4c" + data[15:]: "[reserved] JAM id 7, session 1a2b3c4d",
        data + b"\0": "DATA id 7, 64 bytes, session 1a2b3c4d [again]",
    }
    capture = written(tmp_path / "frames.pcapng", list(lines))
    rows = dissect(capture, ["_ws.col.Info", "_ws.col.Protocol"])
    assert [row["_ws.col.Info"] for row in rows] == list(lines.values())
    assert {row["_ws.col.Protocol"] for row in rows} == {"OAE"}


# --------------------------------------------------------------------------- a run of the RTL


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> tuple[Trace, Path]:
    """Trace and capture of a run with every kind of fault."""
    folder = tmp_path_factory.mktemp("run")
    scenario = parse("hash")
    assert rtl.run(scenario, folder / "run", simulator="icarus").status == "finished"
    trace = Trace(folder / "run" / "trace.txt")
    record(trace, folder / "capture.pcapng")
    return trace, folder / "capture.pcapng"


LINKED = (
    *(Operation.DATA, Operation.ACK, Operation.COMMIT),
    *(Operation.DONE, Operation.ABORT, Operation.ABORTED),
)


@requirement("OAE-CAP-005")
def test_frames_of_a_transaction_name_each_other(run: tuple[Trace, Path], dissect: Dissect) -> None:
    trace, capture = run
    names = ["frame.number", "frame.interface_id", "frame.time_relative", "oae.again_of"]
    links = {operation: f"oae.{operation.name.lower()}_in" for operation in LINKED}
    fields = [*FIELDS, *names, *links.values(), "oae.time", "_ws.col.Info"]
    # Twice, as Wireshark does it: only then the first frames know of the later ones.
    rows = dissect(capture, fields, "-2", "-Y", "oae")
    frames = [
        item for item in trace if isinstance(item, Transmit | Receive) and is_known(item.data)
    ]
    numbers: dict[tuple[int, int], dict[Operation, Row]] = {}
    seen: dict[tuple[str, int, int, int], str] = {}
    rows_of_frames: list[tuple[Row, Frame]] = []
    for row, item in zip(rows, frames, strict=True):
        verdict = check(row, item.data, bool(item.user))
        if isinstance(verdict, Received):
            frame = verdict.frame
            digest = number(row, "digest")
            rows_of_frames.append((row, frame))
            copy = (row["frame.interface_id"], frame.operation, frame.id, digest)
            again = seen.get(copy, "") if frame.operation != Operation.NOP else ""
            assert row["oae.again_of"] == again
            assert row["_ws.col.Info"].endswith(" [again]") == bool(again)
            seen.setdefault(copy, row["frame.number"])
            numbers.setdefault((frame.id, digest), {}).setdefault(frame.operation, row)
    assert sum(bool(row["oae.again_of"]) for row in rows) > 20
    for row, frame in rows_of_frames:
        if frame.operation not in LINKED:
            continue
        first = numbers[frame.id, frame.digest]
        for operation, link in links.items():
            found = first[operation]["frame.number"] if operation in first else ""
            assert row[link] == ("" if found == row["frame.number"] else found)
        data = first.get(Operation.DATA)
        if data is None or data is row:
            assert row["oae.time"] == ""
        else:
            passed = nanoseconds(row["frame.time_relative"])
            passed -= nanoseconds(data["frame.time_relative"])
            assert nanoseconds(row["oae.time"]) == passed
    whole = [first for first in numbers.values() if {*first} >= {*LINKED[:4]}]
    assert len(whole) > 40


def nanoseconds(seconds: str) -> int:
    return round(float(seconds) * 1e9)


# ---------------------------------------------------------------------------------- evidence

HEAD = [name.lower() for name in EVIDENCE_HEAD]
STEP = ["event", "slot", "from", "to", "info", "value"]
ALL_FIELDS = sorted({name.lower() for fields in EVIDENCE_FIELDS.values() for name in fields})
EVIDENCE = [
    f"oae.evidence.{name}"
    for name in dict.fromkeys(
        [*HEAD, *STEP, *ALL_FIELDS, "text", "record", "lost", "too_short", "unknown_type"]
    )
]
ENCODING = {1: "B", 2: "H", 4: "L", 8: "Q"}


def evidence_packet(source: random.Random, type: Evidence, sequence: int) -> bytes:
    """A packet of this type with anything in its fields."""
    head = struct.pack(">BBBBLQ", 1, type, source.choice((0, 1, 255)), 0, sequence, sequence * 7)
    return head + source.randbytes(sum(EVIDENCE_FIELDS[type].values()))


def said(row: Row, name: str) -> int:
    return int(row[f"oae.evidence.{name}"], 0)


@requirement("OAE-CAP-005")
def test_every_type_of_evidence_shows_its_fields(dissect: Dissect, tmp_path: Path) -> None:
    source = random.Random(2)
    tails = {Evidence.PARAMETER: b"window.a=8", Evidence.STOP: b"resolved"}
    tails |= {Evidence.SUBMIT: b"\1\2\3", Evidence.DELIVER: b"\4"}
    packets = [
        evidence_packet(source, type, at) + tails.get(type, b"") for at, type in enumerate(Evidence)
    ]
    cuts = [(packet[:there], len(packet)) for packet in packets for there in range(len(packet) + 1)]
    unknown = bytes([1, 200]) + packets[0][2:]
    capture = [*((packet, len(packet)) for packet in packets), (unknown, len(unknown)), *cuts]
    rows = dissect(written_snapped(tmp_path / "evidence.pcap", capture, LINK_TYPE_USER0), EVIDENCE)
    for row, packet, type in zip(rows, packets, Evidence, strict=False):
        offset = 16
        assert said(row, "type") == type
        assert said(row, "end") == packet[2]
        assert said(row, "cycle") == 7 * said(row, "sequence") == 7 * type
        for name, size in EVIDENCE_FIELDS[type].items():
            assert said(row, name.lower()) == int.from_bytes(packet[offset : offset + size], "big")
            offset += size
        assert row["oae.evidence.text"] == (packet[offset:].decode() if type in (0, 12) else "")
        tail = packet[offset:].hex() if type in (2, 3) else ""
        assert row["oae.evidence.record"] == tail
    assert rows[len(packets)]["oae.evidence.unknown_type"]
    needed = [16 + sum(EVIDENCE_FIELDS[type].values()) for type in Evidence]
    lengths = [len(packet) for packet in packets]
    expected = [
        there < need
        for need, length in zip(needed, lengths, strict=True)
        for there in range(length + 1)
    ]
    short = [bool(row["oae.evidence.too_short"]) for row in rows[len(packets) + 1 :]]
    assert short == expected


def is_evidence(item: Record) -> bool:
    """Whether the capture of a run holds it as evidence."""
    if isinstance(item, Fate):
        return bool(item.faults)
    return not isinstance(item, Transmit | Receive)


@requirement("OAE-CAP-005")
def test_steps_of_a_run_are_taken_apart(run: tuple[Trace, Path], dissect: Dissect) -> None:
    trace, capture = run
    fields = [*EVIDENCE, "_ws.col.Info"]
    rows = dissect(capture, fields, "-Y", "oae.evidence")
    parameters = len(trace.parameters) + 1
    assert rows[0]["_ws.col.Info"] == "- PARAMETER ends=2"
    for row, item in zip(rows[parameters:], filter(is_evidence, trace), strict=True):
        assert said(row, "cycle") == item.cycle
        assert said(row, "end") == item.end & 0xFF
        assert row["oae.evidence.lost"] == ""
        if isinstance(item, Event):
            shown = [said(row, name) for name in STEP]
            assert shown == [*item[4:]]
            assert said(row, "channel") == item.channel
            assert row["_ws.col.Info"].startswith(line_of(item))


def line_of(item: Event) -> str:
    """How the line of a step begins; of a step of the machine in a slot, the whole of it."""
    code = EventCode(item.code)
    line = f"{'ab'[item.end]} {code.name}"
    if code not in (EventCode.DECIDED, EventCode.REFLECTED, EventCode.COMMIT_HEARD):
        return line
    return f"{line} id {item.value}, {State(item.from_state).name} to {State(item.to_state).name}"


@requirement("OAE-CAP-005")
def test_a_gap_in_the_sequence_is_shown(dissect: Dissect, tmp_path: Path) -> None:
    packets = [struct.pack(">BBBBLQ", 1, Evidence.END, 255, 0, at, 9) for at in (4, 5, 8, 9, 0)]
    path = tmp_path / "evidence.pcapng"
    with path.open("wb") as file:
        writer = Writer(file, INTERFACES, "test", "test")
        for packet in packets:
            writer.packet(4, 0, packet)
        writer.finish()
    rows = dissect(path, ["oae.evidence.lost", "_ws.expert.message"])
    assert [row["oae.evidence.lost"] for row in rows] == ["", "", "2", "", ""]
    assert [bool(row["_ws.expert.message"]) for row in rows] == [False, False, True, False, False]
