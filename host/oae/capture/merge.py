"""Makes one capture from two that were taken at the two ends of one cable (docs/capture.md).

merge(Capture("a.pcapng"), Capture("b.pcapng"), "both.pcapng")
"""

from pathlib import Path
from typing import Final, NamedTuple

import numpy
from numpy.typing import NDArray

from oae.capture import CaptureError, write
from oae.capture.clocks import LARGEST_JITTER, Clocks, MergeError, Points, fit
from oae.capture.matching import Direction, Frames, Pairs, match
from oae.capture.order import Causes, consistent, settle
from oae.capture.read import Bytes, Capture, Packets
from oae.files import written_whole
from oae.native.packet import PacketFlag

Indices = NDArray[numpy.int64]

SOURCE: Final = slice(6, 12)
HARDWARE: Final = "two taps at the two ends of one cable, merged"
SYSTEM: Final = "none: time is that of the clock of the tap at a"
INTERFACES: Final = tuple(
    write.Interface(
        f"{end}.{stream}", f"frames that end {end} {does}, as the tap at {end} saw them"
    )
    for end in "ab"
    for stream, does in (("transmit", "transmits"), ("receive", "receives"))
)
NO_SOURCE: Final = -1
_BAD: Final = int(PacketFlag.BAD)
_NUMBERED: Final = int(PacketFlag.NUMBERED)
BLOCK: Final = 1 << 16  # packets that are written at a time


class Merge(NamedTuple):
    """How two captures became one. b's clock was `offset` ahead of a's when a's capture began."""

    offset: float  # ns
    drift: float  # ppm: by how much b's clock is faster
    uncertainty: float  # ns, of the offset at any time
    drift_uncertainty: float  # ppm
    jitter: float  # ns, of one time stamp
    matched: int  # frames
    only_in_a: int
    only_in_b: int
    largest_adjustment: int  # ns: what a packet was moved by so that it stands after its cause


class Tap(NamedTuple):
    """The Ethernet packets of one capture, in the order of its file."""

    name: str
    packets: Packets
    data: bytes  # of all packets
    start: Indices  # of each packet in `data`
    source: Indices  # MAC address; of a packet that has none -1
    content: Indices  # equal for equal frames
    comments: dict[int, str]


class Alignment(NamedTuple):
    """What two taps have in common."""

    speakers: tuple[int, int]  # MAC addresses of a and b
    clocks: Clocks
    origin: int  # time 0 of `times`, on a's clock
    times: tuple[Indices, Indices]  # of the packets of each tap, on a's clock
    there: Causes  # a -> b
    back: Causes


class Merged(NamedTuple):
    """One stream of the packets of two taps."""

    merge: Merge
    tap: Indices  # 0 a, 1 b
    place: Indices  # in the tap
    role: Indices  # interface in INTERFACES
    time: Indices


def merge(a: Capture, b: Capture, path: str | Path) -> Merge:
    """Write the capture that the captures of the tap at a and of the tap at b make together.

    Raises MergeError if they cannot be one, CaptureError if the file cannot be written; then there
    is no file.
    """
    taps = read(a), read(b)
    merged = join(*taps)
    try:
        with written_whole(Path(path)) as file:
            _write(write.Writer(file, INTERFACES, HARDWARE, SYSTEM), taps, merged)
    except OSError as error:
        raise CaptureError(f"{path}: {error.strerror}") from error
    return merged.merge


def read(capture: Capture) -> Tap:
    """The Ethernet packets of a capture, without the FCS that it says they have."""
    parts, data, starts, sources, contents = [], [], [], [], []
    comments: dict[int, str] = {}
    length = count = 0
    for chunk, packets in capture:
        frames = _ethernet(capture, packets)
        offset = frames["offset"].astype(numpy.int64)
        image = chunk.tobytes()
        spans = zip(offset.tolist(), (offset + frames["captured"]).tolist(), strict=True)
        contents.append(numpy.fromiter((hash(image[i:j]) for i, j in spans), numpy.int64))
        sources.append(_sources(chunk, offset, frames["captured"]))
        for i in numpy.flatnonzero(frames["comment_bytes"]).tolist():
            first, size = int(frames["comment"][i]), int(frames["comment_bytes"][i])
            comments[count + i] = image[first : first + size].decode(errors="replace")
        parts.append(frames)
        starts.append(length + offset)
        data.append(image)
        length += len(image)
        count += frames.size
    if not count:
        raise MergeError(f"{capture.name}: holds no Ethernet frame")
    tap = Tap(
        capture.name,
        numpy.concatenate(parts),
        b"".join(data),
        numpy.concatenate(starts),
        numpy.concatenate(sources),
        numpy.concatenate(contents),
        comments,
    )
    _check(tap)
    return tap


def _ethernet(capture: Capture, packets: Packets) -> Packets:
    """A copy of the Ethernet packets, shorter by the FCS."""
    interfaces = capture.interfaces
    ethernet = numpy.array([each.link_type == write.LINK_TYPE_ETHERNET for each in interfaces])
    fcs = numpy.array([each.fcs_length or 0 for each in interfaces], numpy.uint32)
    frames: Packets = packets[ethernet[packets["interface"]]].copy()
    for length in ("captured", "original"):
        frames[length] -= numpy.minimum(fcs[frames["interface"]], frames[length])
    return frames


def _sources(chunk: Bytes, offset: Indices, size: Indices) -> Indices:
    source = numpy.zeros(offset.size, numpy.int64)
    addressed = size >= SOURCE.stop
    for place in range(SOURCE.start, SOURCE.stop):
        source[addressed] = source[addressed] << 8 | chunk[offset[addressed] + place]
    source[~addressed] = NO_SOURCE
    return source


def _check(tap: Tap) -> None:
    """Raise MergeError for packets that cannot be compared."""
    packets = tap.packets
    for wrong, problem in (
        (packets["flags"] & PacketFlag.TIMED == 0, "has no time stamp"),
        (
            packets["captured"] < packets["original"],
            "is not whole: the capture was cut to a length",
        ),
        (_backwards(packets), "is earlier than the one before it by more than jitter"),
    ):
        if wrong.any():
            number = int(packets["index"][wrong.argmax()])
            raise MergeError(f"{tap.name}: packet {number} {problem}")


def _backwards(packets: Packets) -> NDArray[numpy.bool_]:
    time = packets["time"].astype(numpy.int64)
    behind: NDArray[numpy.bool_] = numpy.maximum.accumulate(time) - time > 2 * LARGEST_JITTER
    return behind


def align(a: Tap, b: Tap) -> Alignment:
    """What two taps have in common; raises MergeError if their clocks cannot be known."""
    speakers = _speakers(a, b)
    origin = int(a.packets["time"].min())
    content = numpy.unique(numpy.concatenate([a.content, b.content]), return_inverse=True)[1]
    contents = content[: a.content.size], content[a.content.size :]
    times = [tap.packets["time"].astype(numpy.int64) - origin for tap in (a, b)]

    places = [[numpy.flatnonzero(tap.source == one) for tap in (a, b)] for one in speakers]
    directions = [
        Direction(
            *(
                Frames(contents[tap][place], times[tap][place].astype(numpy.float64))
                for tap, place in enumerate(each)
            )
        )
        for each in places
    ]
    found = match((directions[0], directions[1]), _first_at_a(a, b, speakers[0]))
    pairs = list(found.pairs)
    if not found.first_at_a:
        for two in (speakers, places, directions, pairs):
            two.reverse()
    span = float(times[0].min()), float(times[0].max())
    clocks = fit(_points(directions[0], pairs[0]), _points(directions[1], pairs[1]), span)

    moved = numpy.rint((times[1] - clocks.offset) / (1 + clocks.drift)).astype(numpy.int64)
    time_a, time_b = times[0], numpy.maximum(moved, -origin)  # a capture knows no time below 0
    there = _causes(time_a, time_b, places[0][0][pairs[0].a], places[0][1][pairs[0].b])
    back = _causes(time_b, time_a, places[1][1][pairs[1].b], places[1][0][pairs[1].a])
    there, back = consistent(there, back)
    return Alignment((speakers[0], speakers[1]), clocks, origin, (time_a, time_b), there, back)


def join(a: Tap, b: Tap) -> Merged:
    """One stream of two taps, on a's clock, in which nothing stands before its cause."""
    found = align(a, b)
    clocks, times = found.clocks, found.times
    settled = settle(times, found.there, found.back)
    matched = found.there.transmit.size + found.back.transmit.size
    merge = Merge(
        clocks.offset,
        clocks.drift * 1e6,
        clocks.uncertainty,
        clocks.drift_uncertainty * 1e6,
        clocks.jitter,
        matched,
        times[0].size - matched,
        times[1].size - matched,
        max(int((settled[end] - times[end]).max()) for end in (0, 1)),
    )
    received = numpy.concatenate([_received(a, found.speakers[0]), _received(b, found.speakers[1])])
    tap = numpy.repeat([0, 1], [times[0].size, times[1].size])
    place = numpy.concatenate([numpy.arange(side.size) for side in times])
    time = numpy.concatenate(settled)
    order = numpy.lexsort((place, tap, time))
    stream = tap, place, 2 * tap + received, time + found.origin
    return Merged(merge, *(column[order] for column in stream))


def _speakers(a: Tap, b: Tap) -> list[int]:
    """The MAC addresses of the two ends: those of the frames that both taps saw."""
    both = numpy.unique(a.source[numpy.isin(a.content, b.content)])
    speakers: list[int] = both[both != NO_SOURCE].tolist()
    names = ", ".join(one.to_bytes(6, "big").hex(":") for one in speakers)
    if not speakers:
        raise MergeError("no frame is in both captures")
    if len(speakers) == 1:
        raise MergeError(
            f"only {names} sent frames that are in both captures: one direction is silent"
        )
    if len(speakers) > 2:
        raise MergeError(f"frames of more than two speakers are in both captures: {names}")
    return speakers


def _first_at_a(a: Tap, b: Tap, speaker: int) -> bool | None:
    """Whether the captures say that this speaker is at a, if they say which way frames went."""
    votes = 0
    for tap, sign in ((a, 1), (b, -1)):
        flags = tap.packets["flags"][tap.source == speaker]
        outbound = int(numpy.count_nonzero(flags & PacketFlag.OUTBOUND))
        votes += sign * (outbound - int(numpy.count_nonzero(flags & PacketFlag.INBOUND)))
    return votes > 0 if votes else None


def _points(direction: Direction, pairs: Pairs) -> Points:
    x = direction.a.time[pairs.a[pairs.sole]]
    return Points(x, direction.b.time[pairs.b[pairs.sole]] - x)


def _causes(sent: Indices, came: Indices, transmit: Indices, receive: Indices) -> Causes:
    delay = came[receive] - sent[transmit]
    return Causes(transmit, receive, numpy.abs(delay - numpy.median(delay)))


def _received(tap: Tap, own_source: int) -> NDArray[numpy.bool_]:
    """Frames that came to the tap's end: all that its end did not send.

    One with a source of neither end was damaged on the cable, and so came as well, unless the
    capture says otherwise.
    """
    own = tap.source == own_source
    received: NDArray[numpy.bool_] = (tap.packets["flags"] & PacketFlag.OUTBOUND == 0) & ~own
    return received


def _write(writer: write.Writer, taps: tuple[Tap, Tap], merged: Merged) -> None:
    packets = numpy.concatenate([tap.packets for tap in taps])
    starts = numpy.concatenate([tap.start for tap in taps])
    for first in range(0, merged.time.size, BLOCK):
        stream = [column[first : first + BLOCK] for column in merged[1:]]
        index = stream[1] + stream[0] * taps[0].packets.size
        known = [packets[name][index] for name in ("captured", "flags", "number", "dropped")]
        columns = [column.tolist() for column in (*stream, starts[index], *known)]
        for tap, place, role, time, start, size, flags, number, dropped in zip(
            *columns, strict=True
        ):
            writer.packet(
                role,
                time,
                taps[tap].data[start : start + size],
                flags=(write.INBOUND if role & 1 else write.OUTBOUND)
                | (write.CRC_ERROR if flags & _BAD else 0),
                number=number if flags & _NUMBERED else None,
                dropped=dropped,
                comment=taps[tap].comments.get(place, ""),
            )
    writer.finish()
