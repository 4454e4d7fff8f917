"""Two captures of one cable become one, whatever their clocks, losses and the cable did."""

import io
import re
from collections.abc import Sequence
from graphlib import TopologicalSorter
from pathlib import Path
from time import process_time
from typing import NamedTuple

import numpy
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from oae.capture import read, write
from oae.capture.clocks import MergeError
from oae.capture.merge import Merge, Tap, align, merge
from oae.capture.merge import read as tap_of
from oae.capture.order import Causes, consistent, settle
from oae.frame import Frame, encode
from oae.spec.constants import Operation
from oae.testing import requirement

from host.tests.capture.capture_files import Blocks

BOUNDS = settings(max_examples=220, deadline=None, derandomize=True, database=None)
MACS = (bytes.fromhex("020000000001"), bytes.fromhex("020000000002"))
EPOCH = 1_700_000_000_000_000_000
ANSWERS = (Operation.DATA, Operation.ACK, Operation.COMMIT, Operation.DONE)


class World(NamedTuple):
    """Two clocks and what is between them; times in nanoseconds."""

    offset: float = 0.0
    drift: float = 0.0
    jitter: float = 0.0
    delay: float = 5_000.0
    flawed: bool = False  # cable and captures lose frames, the cable does worse
    flags: bool = False  # the captures say which way frames went
    swapped: bool = False  # the first MAC address is at b
    pause: float = 15_000.0  # from one frame to the next, and 10 us


class Seen(NamedTuple):
    """A frame at a tap."""

    time: float
    end: int  # that sent it
    number: int
    data: bytes


def traffic(random: numpy.random.Generator, count: int, pause: float) -> list[Seen]:
    """Transactions of both ends, some frames again, and beats that are often equal."""
    frames = []
    time = 0.0
    for number in range(count):
        time += 10_000 + random.exponential(pause)
        end = int(random.integers(2))
        if random.random() < 0.35:
            operand = int(random.integers(4))
            frame = Frame(Operation.NOP, operand=operand, link_session=end + 1)
        else:
            operation = ANSWERS[random.integers(4)]
            record = b"record" if operation == Operation.DATA else b""
            id = number - int(random.random() < 0.2) * int(random.integers(1, 6))
            frame = Frame(operation, id=max(id, 0), record=record, link_session=end + 1)
        frames.append(Seen(time, end, number, encode(frame, MACS[1 - end], MACS[end])))
    return frames


def cable(
    random: numpy.random.Generator, frames: list[Seen], world: World
) -> tuple[list[Seen], list[Seen]]:
    """What passes each tap, in the order in which it does."""
    taps: tuple[list[Seen], list[Seen]] = ([], [])
    for frame in frames:
        arrivals = [frame.time + world.delay]
        data = frame.data
        if world.flawed:
            match random.integers(40):
                case 0:
                    arrivals = []
                case 1:
                    arrivals.append(arrivals[0] + random.uniform(700, 30_000))
                case 2:
                    arrivals[0] += random.uniform(5_000, 100_000)
                case 3:
                    data = data[:20] + bytes([data[20] ^ 1 << random.integers(8)]) + data[21:]
        end = frame.end ^ world.swapped
        taps[end].append(frame)
        taps[1 - end].extend(frame._replace(time=time, data=data) for time in arrivals)
    return sorted(taps[0]), sorted(taps[1])


def capture(random: numpy.random.Generator, seen: list[Seen], tap: int, world: World) -> io.BytesIO:
    """The capture of a tap; the number of a packet says which transmission it stems from."""
    file = io.BytesIO()
    evidence = write.Interface("evidence", "of a bench", write.LINK_TYPE_USER0)
    interfaces = [write.Interface("eth0", "a tap"), evidence]
    writer = write.Writer(file, interfaces, "test", "test")
    writer.packet(1, EPOCH, b"no frame")
    if world.flawed:
        first, last = random.integers(0, 10, 2)
        seen = [one for one in seen[first : len(seen) - last] if random.random() > 0.02]
    for one in seen:
        time = one.time + tap * (world.offset + world.drift * one.time)
        time += random.uniform(-world.jitter, world.jitter)
        outbound = one.end ^ world.swapped == tap
        flags = (write.OUTBOUND if outbound else write.INBOUND) if world.flags else 0
        writer.packet(0, EPOCH + round(time), one.data, flags=flags, number=one.number)
    writer.finish()
    file.seek(0)
    return file


def captures(seed: int, world: World, count: int = 150) -> tuple[io.BytesIO, io.BytesIO]:
    """Both captures of one cable."""
    random = numpy.random.default_rng(seed)
    taps = cable(random, traffic(random, count, world.pause), world)
    return capture(random, taps[0], 0, world), capture(random, taps[1], 1, world)


def both(files: tuple[io.BytesIO, io.BytesIO], path: Path) -> Merge:
    return merge(read.Capture(files[0]), read.Capture(files[1]), path)


def taps_of(files: tuple[io.BytesIO, io.BytesIO]) -> tuple[Tap, Tap]:
    for file in files:
        file.seek(0)
    return tap_of(read.Capture(files[0])), tap_of(read.Capture(files[1]))


def worlds() -> st.SearchStrategy[World]:
    return st.builds(
        World,
        offset=st.floats(-0.99e9, 0.99e9),
        drift=st.floats(-99e-6, 99e-6),
        jitter=st.sampled_from([0.0, 8.0, 100.0, 1000.0]),
        delay=st.floats(1_500, 40_000),
        flawed=st.booleans(),
        flags=st.booleans(),
        swapped=st.booleans(),
        pause=st.sampled_from([15_000.0, 8_000_000.0]),
    )


@requirement("OAE-CHK-006")
@BOUNDS
@given(seed=st.integers(0, 2**32), world=worlds())
def test_the_clocks_are_within_the_uncertainty_and_pairs_are_right(seed: int, world: World) -> None:
    a, b = taps_of(captures(seed, world))
    found = align(a, b)
    clocks = found.clocks
    for time in (found.times[0].min(), found.times[0].max()):
        true = found.origin + time - EPOCH
        error = world.offset + world.drift * true - clocks.offset - clocks.drift * time
        assert abs(error) <= clocks.uncertainty + 1
    assert abs(clocks.drift - world.drift) <= clocks.drift_uncertainty + 1e-9
    assert clocks.jitter <= 1.25 * world.jitter + 1
    for causes, sender, receiver in ((found.there, a, b), (found.back, b, a)):
        # A frame that is lost and its repeat that a capture lost look like one that was held back.
        usual = causes.doubt < 5_000
        transmitted = sender.packets["number"][causes.transmit[usual]]
        assert (transmitted == receiver.packets["number"][causes.receive[usual]]).all()
        common = numpy.isin(sender.packets["number"], receiver.packets["number"])
        assert world.flawed or causes.transmit.size == numpy.count_nonzero(
            common & (sender.source == found.speakers[0 if sender is a else 1])
        )


@requirement("OAE-CHK-006")
@settings(BOUNDS, max_examples=60)
@given(seed=st.integers(0, 2**32), world=worlds(), delay=st.floats(20, 3_000))
def test_nothing_stands_before_its_cause(
    seed: int, world: World, delay: float, tmp_path_factory: pytest.TempPathFactory
) -> None:
    world = world._replace(delay=delay, flags=True)
    files = captures(seed, world)
    path = tmp_path_factory.mktemp("merge") / "both.pcapng"
    merged = both(files, path)
    taps = taps_of(files)
    capture = read.Capture(path)
    (written,) = [packets.copy() for _, packets in capture]
    names = [interface.name for interface in capture.interfaces]
    assert names == ["a.transmit", "a.receive", "b.transmit", "b.receive"]
    assert (numpy.diff(written["time"].astype(numpy.int64)) >= 0).all()
    for end, tap in enumerate(taps):
        here = written[written["interface"] // 2 == end]
        assert here["number"].tolist() == tap.packets["number"].tolist()
    packets = [(packet.interface, packet.data) for packet in read.packets(path)]
    stream = list(zip(written["number"].tolist(), packets, strict=True))
    transmits = {
        (number, data): place
        for place, (number, (role, data)) in enumerate(stream)
        if role in (0, 2)
    }
    for place, (number, (role, data)) in enumerate(stream):
        assert role in (0, 2) or transmits.get((number, data), -1) < place
    assert merged.matched + merged.only_in_a == taps[0].packets.size
    assert merged.matched + merged.only_in_b == taps[1].packets.size
    assert merged.largest_adjustment <= 4 * world.jitter + merged.uncertainty


BEYOND = [
    (World(offset=1.2e9), "the clocks are +1.200 s apart"),
    (World(offset=-40e9), "the clocks are -40.000 s apart"),
    (World(drift=150e-6, pause=8e6), "the clocks drift by +150"),
    (World(drift=-140e-6, pause=8e6), "the clocks drift by -140"),
    (World(jitter=4_000), "the time stamps jitter"),
    (World(jitter=60_000), "is earlier than the one before it by more than jitter"),
    (World(delay=1, jitter=1_000), "which end is at which tap cannot be known"),
]


@requirement("OAE-CHK-006")
@pytest.mark.parametrize(("world", "reason"), BEYOND)
@pytest.mark.parametrize("seed", range(4))
def test_clocks_beyond_the_bounds_are_inconclusive(
    world: World, reason: str, seed: int, tmp_path: Path
) -> None:
    with pytest.raises(MergeError, match=re.escape(reason)) as raised:
        both(captures(seed, world), tmp_path / "both.pcapng")
    assert raised.value.exit_code == 3
    assert list(tmp_path.iterdir()) == []


def told(first: Sequence[Seen], second: Sequence[Seen], path: Path) -> str:
    """Why two taps cannot become one capture."""
    random = numpy.random.default_rng(0)
    files = (capture(random, list(seen), tap, World()) for tap, seen in enumerate((first, second)))
    with pytest.raises(MergeError) as raised:
        both((next(files), next(files)), path)
    return str(raised.value)


def clean(count: int = 160) -> tuple[list[Seen], list[Seen]]:
    random = numpy.random.default_rng(1)
    return cable(random, traffic(random, count, 15_000.0), World())


@requirement("OAE-CHK-006")
def test_captures_that_cannot_be_one_say_why(tmp_path: Path) -> None:
    path = tmp_path / "both.pcapng"
    a, b = clean()
    first = [one for one in a if one.end == 0]
    assert "one direction is silent" in told(first, b, path)
    assert told(a, [], path) == "capture: holds no Ethernet frame"
    other = [one._replace(data=one.data[:40] + b"other " + one.data[46:]) for one in b]
    assert told(a, other, path) == "no frame is in both captures"
    assert "too few frames can be told apart" in told(*clean(20), path)
    third = b[-1].data[:6] + b"third " + b[-1].data[12:]
    late = Seen(a[-1].time + b[-1].time, 0, 160, third)
    assert "more than two speakers" in told([*a, late], [*b, late], path)
    set_back = [*b[:80], *(one._replace(time=one.time - 1e6) for one in b[80:])]
    assert "packet 82 is earlier than the one before it" in told(a, set_back, path)
    for place in (30, 80, 130):
        forward = [*b[:place], *(one._replace(time=one.time + 1e6) for one in b[place:])]
        assert "no offset and drift fit the two clocks" in told(a, forward, path)
    assert list(tmp_path.iterdir()) == []


@requirement("OAE-CHK-006")
def test_frames_that_are_cut_or_without_a_time_are_refused(tmp_path: Path) -> None:
    whole = captures(0, World())[1].getvalue()
    blocks = Blocks("<")
    start = blocks.section() + blocks.interface()
    for packet, problem in (
        (blocks.packet(EPOCH, bytes(60), original=90), "packet 1 is not whole"),
        (blocks.simple_packet(bytes(60)), "packet 1 has no time stamp"),
    ):
        with pytest.raises(MergeError, match=problem):
            both((io.BytesIO(start + packet), io.BytesIO(whole)), tmp_path / "both.pcapng")


@requirement("OAE-CHK-006")
def test_an_fcs_that_one_capture_holds_does_not_matter() -> None:
    plain = captures(3, World())
    blocks = Blocks("<")
    with_fcs = blocks.section() + blocks.interface((9, b"\x09"), (13, b"\x04"))
    for packet in read.packets(plain[1]):
        if packet.interface == 0:
            with_fcs += blocks.packet(packet.time, packet.data + b"\x12\x34\x56\x78")
    a, b = taps_of((plain[0], io.BytesIO(with_fcs)))
    found = align(a, b)
    assert found.there.transmit.size + found.back.transmit.size == a.packets.size == b.packets.size


@requirement("OAE-CHK-006")
def test_equal_frames_one_after_the_other_are_told_apart_by_time() -> None:
    random = numpy.random.default_rng(5)
    frames = traffic(random, 400, 15_000.0)
    beat = encode(Frame(Operation.NOP, link_session=1), MACS[1], MACS[0])
    start = frames[-1].time
    frames += [Seen(start + 1_000.0 * (n + 1), 0, 1_000 + n, beat) for n in range(300)]
    world = World(offset=5e8, drift=3e-5, jitter=50.0, delay=20_000.0)
    taps = cable(random, frames, world)
    lossy = [[one for one in seen if random.random() > 0.1] for seen in taps]
    files = capture(random, lossy[0], 0, world), capture(random, lossy[1], 1, world)
    a, b = taps_of(files)
    found = align(a, b)
    sent, came = (tap.packets["number"] for tap in (a, b))
    assert (sent[found.there.transmit] == came[found.there.receive]).all()
    assert numpy.isin(sent, came).sum() == found.there.transmit.size + found.back.transmit.size


def causes(pairs: list[tuple[int, int]]) -> Causes:
    """All of them equally doubtful, but for the last."""
    columns = numpy.array(pairs, numpy.int64).reshape(-1, 2)
    doubt = numpy.zeros(len(pairs))
    doubt[-1:] = 1
    return Causes(columns[:, 0], columns[:, 1], doubt)


places = st.lists(st.tuples(st.integers(0, 12), st.integers(0, 12)), max_size=12)


@requirement("OAE-CHK-006")
@settings(BOUNDS, max_examples=100)
@given(there=places, back=places, times=st.lists(st.integers(0, 50), min_size=26, max_size=26))
def test_circles_are_broken_and_the_rest_settles_as_early_as_can_be(
    there: list[tuple[int, int]], back: list[tuple[int, int]], times: list[int]
) -> None:
    kept = consistent(causes(there), causes(back))
    sorter: TopologicalSorter[tuple[int, int]] = TopologicalSorter()
    edges = {(0, place): {(0, place - 1)} for place in range(1, 13)}
    edges |= {(1, place): {(1, place - 1)} for place in range(1, 13)}
    edges |= {(end, 0): set() for end in (0, 1)}
    crossing = set()
    for end, pairs in enumerate(kept):
        for transmit, receive in zip(pairs.transmit.tolist(), pairs.receive.tolist(), strict=True):
            edges[1 - end, receive].add((end, transmit))
            crossing.add(((end, transmit), (1 - end, receive)))
    for place, before in edges.items():
        sorter.add(place, *before)
    earliest: dict[tuple[int, int], int] = {}
    for place in sorter.static_order():  # raises CycleError
        end, index = place
        least = [earliest[one] + ((one, place) in crossing) for one in edges[place]]
        earliest[place] = max([times[13 * end + index], *least])
    own = numpy.array(times[:13]), numpy.array(times[13:])
    settled = settle(own, *kept)
    assert [settled[end].tolist() for end in (0, 1)] == [
        [earliest[end, place] for place in range(13)] for end in (0, 1)
    ]


@requirement("OAE-CHK-006")
def test_of_two_pairs_that_contradict_each_other_the_doubtful_one_goes() -> None:
    there, back = consistent(
        causes([(0, 0), (5, 1)]), causes([(2, 3)])._replace(doubt=numpy.zeros(1))
    )
    assert (there.transmit.tolist(), back.transmit.tolist()) == ([0], [2])


@requirement("OAE-CHK-006")
@pytest.mark.long
def test_a_million_frames_are_merged_in_half_a_minute(tmp_path: Path) -> None:
    random = numpy.random.default_rng(9)
    world = World(offset=-3e8, drift=5e-5, jitter=200.0, delay=2_000.0, flawed=True)
    beats = [
        encode(Frame(Operation.NOP, link_session=1 + end), MACS[1 - end], MACS[end])
        for end in (0, 1)
    ]
    frames = []
    times = numpy.cumsum(1_000 + random.exponential(1_500, 1_000_000)).tolist()
    for number, time in enumerate(times):
        beat = beats[number % 2]
        data = beat if number % 5 < 2 else beat[:15] + number.to_bytes(4, "big") + beat[19:]
        frames.append(Seen(time, number % 2, number, data))
    taps = cable(random, frames, world)
    files = capture(random, taps[0], 0, world), capture(random, taps[1], 1, world)
    start = process_time()
    merged = both(files, tmp_path / "both.pcapng")
    assert process_time() - start < 30
    assert merged.matched > 880_000
    assert abs(merged.offset - world.offset) <= merged.uncertainty
