"""Joining the captures of two ends and of a relay to one of a full run."""

import io
import select
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing
from functools import partial
from itertools import count
from pathlib import Path
from statistics import median

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from oae.capture import CaptureError, evidence
from oae.capture.join import SOURCES, Joined, Joiner, join
from oae.capture.read import Capture, Taken, packets
from oae.capture.record import CYCLE_NS, EVIDENCE, INTERFACES
from oae.capture.write import Writer
from oae.check.capture import check
from oae.check.findings import Result
from oae.check.verdict import Verdict
from oae.drive.end import DrivenEnd
from oae.medium.medium import Medium
from oae.medium.opening import open_medium
from oae.model.parameters import Parameters
from oae.native.packet import PacketFlag
from oae.relay.relay import Relay
from oae.scenario.layout import Fault
from oae.scenario.parse import parse_text
from oae.scenario.scenario import ENDS
from oae.testing import requirement
from oae.trace import Deliver, Fate, Submit

PATIENCE = 60.0  # seconds; a machine may be busy
CLEAN = """
version = 1
[link]
window = 4
[load.both]
records = 40
"""
HOSTILE = f"""{CLEAN}
resubmit = true
[rates.both]
drop = 0.05
duplicate = 0.05
reorder = 0.05
corrupt = 0.05
flip = 0.05
delay = 0.05
"""
Sources = dict[str, list[Path]]


def without_room(medium: Medium) -> None:
    """Every seventh frame is lost, as if the other side had no room for it."""
    sent, send = count(1), medium.send

    def seldom(frame: bytes) -> None:
        if next(sent) % 7:
            send(frame)

    setattr(medium, "send", seldom)  # noqa: B010


def recorded(
    folder: Path, text: str, *, lossy: bool = False, patience: float = PATIENCE
) -> Sources:
    """What two ends and the relay between them recorded, all in this process."""
    scenario = parse_text(text)
    with ExitStack() as stack:
        a, ra, rb, b = (
            stack.enter_context(closing(open_medium(f"unix:{folder}/{one},{folder}/{other}")))
            for one, other in (("a", "ra"), ("ra", "a"), ("rb", "b"), ("b", "rb"))
        )
        if lossy:
            for medium in (a, ra, rb, b):
                without_room(medium)
        found = {name: [folder / f"{name}.pcapng"] for name in (*ENDS, "relay")}
        relay = Relay(ra, rb, scenario, stack.enter_context(found["relay"][0].open("wb")))
        ends = [
            DrivenEnd(end, medium, scenario, capture=found[name][0].open("wb"))
            for end, (name, medium) in enumerate(zip(ENDS, (a, b), strict=True))
        ]
        for end in ends:
            end.load()
        deadline = time.monotonic() + patience
        while not all(end.resolved and end.live.settled for end in ends):
            steps = [end.step() for end in ends]
            relay.step()
            if not any(steps):
                waits = [relay.wait(), *(end.wait() for end in ends)]
                select.select([a, ra, rb, b], [], [], min(waits))
            if time.monotonic() > deadline:
                break
        for end in ends:
            end.stop()
        relay.finish()
    return found


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Sources:
    return recorded(tmp_path_factory.mktemp("hostile"), HOSTILE)


def judged(sources: Sources, folder: Path) -> tuple[Joined, Result]:
    told = join(sources, folder / "whole.pcapng")
    return told, check(Capture(folder / "whole.pcapng"))


def rewritten(path: Path, target: Path, change: "Change") -> list[Path]:
    """The capture of an end with its packets changed."""
    end = ENDS.index(path.stem)
    interfaces = [*INTERFACES[2 * end : 2 * end + 2], INTERFACES[EVIDENCE]]
    with target.open("wb") as file:
        writer = Writer(file, interfaces, "", "")
        number = 0
        for place, packet in enumerate(packets(path)):
            own = end << 32 | number if packet.interface == 0 else None
            number += packet.interface == 0
            flags = int(packet.flags & (PacketFlag.INBOUND | PacketFlag.OUTBOUND))
            for one in change(place, packet):
                writer.packet(one.interface, one.time, one.data, flags=flags, number=own)
        writer.finish()
    return [target]


class Change:
    """What becomes of each packet; as it is here, nothing."""

    def __call__(self, place: int, packet: Taken) -> Iterator[Taken]:
        yield packet


class Late(Change):
    """The source's clock is behind."""

    def __init__(self, nanoseconds: int) -> None:
        self.cycles = nanoseconds // CYCLE_NS

    def __call__(self, place: int, packet: Taken) -> Iterator[Taken]:
        data = packet.data
        if packet.time == 0:
            yield packet
            return
        if packet.interface == 2:
            record = evidence.decode(data)
            if isinstance(record, Submit | Deliver):
                record = record._replace(first=record.first - self.cycles)
            data = evidence.encode(record._replace(cycle=record.cycle - self.cycles), record.line)
        yield packet._replace(time=packet.time - self.cycles * CYCLE_NS, data=data)


class Damaged(Change):
    """One frame that the end received is another one."""

    def __init__(self, chosen: int) -> None:
        self.left = chosen

    def __call__(self, place: int, packet: Taken) -> Iterator[Taken]:
        if packet.interface == 1:
            self.left -= 1
            if self.left == 0:
                packet = packet._replace(data=packet.data[:20] + b"\xa5" + packet.data[21:])
        yield packet


@requirement("OAE-JON-001", "OAE-JON-002")
def test_a_hostile_run_joins_to_a_full_run_with_every_fate(
    hostile: Sources, tmp_path: Path
) -> None:
    told, result = judged(hostile, tmp_path)
    assert result.verdict is Verdict.PASS, result.reason
    assert result.source == "run"
    assert told.unmatched == (0, 0)
    assert not told.damage
    whole = list(packets(tmp_path / "whole.pcapng"))
    times = [one.time for one in whole]
    assert times == sorted(times)
    assert result.start == next(filter(None, times))  # parameters stand at time 0
    records = [evidence.decode(one.data) for one in whole if one.interface == EVIDENCE]
    assert [one.line for one in records] == list(range(len(records)))
    fates = [one for one in records if isinstance(one, Fate) and one.rule < 0]
    comments = [one.comment for one in packets(hostile["relay"][0]) if one.comment]
    assert len(fates) == len(comments)
    kinds = Fault(0)
    for fate in fates:
        kinds |= Fault(fate.faults)
    assert kinds >= Fault.DROPPED | Fault.DUPLICATED | Fault.HELD | Fault.CORRUPTED | Fault.FLIPPED


@requirement("OAE-JON-003")
@pytest.mark.parametrize("end", ENDS)
@pytest.mark.parametrize("behind", [20_000_000, 100_000_000])
def test_a_clock_that_is_behind_is_set_forward(
    hostile: Sources, tmp_path: Path, end: str, behind: int
) -> None:
    late = rewritten(hostile[end][0], tmp_path / f"{end}.pcapng", Late(behind))
    told, result = judged({**hostile, end: late}, tmp_path)
    assert result.verdict is Verdict.PASS, result.reason
    assert told.unmatched == (0, 0)
    assert 0 < max(told.shift.values()) <= behind + 1_000_000


@requirement("OAE-JON-002")
@settings(max_examples=10, deadline=None)
@given(chosen=st.integers(1, 100))
def test_a_received_frame_that_nobody_sent_is_a_bench_error(
    hostile: Sources, tmp_path_factory: pytest.TempPathFactory, chosen: int
) -> None:
    folder = tmp_path_factory.mktemp("damaged")
    damaged = rewritten(hostile["b"][0], folder / "b.pcapng", Damaged(chosen))
    told, result = judged({**hostile, "b": damaged}, folder)
    assert told.unmatched[1] == 1
    assert result.verdict is Verdict.BENCH_ERROR, result.reason


@requirement("OAE-JON-002")
def test_a_capture_that_is_cut_off_is_inconclusive(hostile: Sources, tmp_path: Path) -> None:
    whole = hostile["b"][0].read_bytes()
    (tmp_path / "b.pcapng").write_bytes(whole[: len(whole) // 2])
    told, result = judged({**hostile, "b": [tmp_path / "b.pcapng"]}, tmp_path)
    assert result.verdict is Verdict.INCONCLUSIVE, result.reason
    assert "cut off" in told.damage["b"]


@requirement("OAE-JON-004")
def test_frames_that_the_media_lost_are_told_and_harm_nothing(
    tmp_path: Path,
) -> None:
    told, result = judged(recorded(tmp_path, CLEAN, lossy=True), tmp_path)
    assert result.verdict is Verdict.PASS, result.reason
    assert told.unmatched == (0, 0)
    assert min(told.lost_to_relay) > 0
    assert min(told.lost_to_peer) > 0
    records = [
        evidence.decode(one.data)
        for one in packets(tmp_path / "whole.pcapng")
        if one.interface == EVIDENCE
    ]
    fates = [one for one in records if isinstance(one, Fate)]
    assert {Fault(one.faults) for one in fates} == {Fault.DROPPED}
    assert len(fates) == told.lost


@requirement("OAE-JON-002")
def test_an_end_without_an_ingredient_is_found_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without F18 a record is handed over before that is remembered."""
    monkeypatch.setattr("oae.drive.end.Parameters", partial(Parameters, without=frozenset({"F7"})))
    _, result = judged(recorded(tmp_path, HOSTILE, patience=2.0), tmp_path)
    assert result.verdict is Verdict.FAIL, result.reason


@requirement("OAE-JON-005")
@settings(max_examples=10, deadline=None)
@given(data=st.data())
def test_pieces_and_files_of_any_size_join_to_the_same(
    hostile: Sources, tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    folder = tmp_path_factory.mktemp("pieces")
    join(hostile, folder / "whole.pcapng")
    texts = {name: path.read_bytes() for name, (path,) in hostile.items()}
    places = dict.fromkeys(SOURCES, 0)
    file = io.BytesIO()
    joiner = Joiner(file, relayed=True)
    size = data.draw(st.integers(1_000, 1 << 18))
    while (source := joiner.wants) is not None:
        piece = texts.get(source, b"")[places[source] :][:size]
        places[source] += len(piece)
        joiner.feed(source, piece)
    joiner.finish()
    assert file.getvalue() == (folder / "whole.pcapng").read_bytes()
    split = data.draw(st.integers(0, len(texts["a"])))
    parts = [folder / "a1", folder / "a2"]
    for part, text in zip(parts, (texts["a"][:split], texts["a"][split:]), strict=True):
        part.write_bytes(text)
    join({**hostile, "a": parts}, folder / "again.pcapng")
    assert (folder / "again.pcapng").read_bytes() == file.getvalue()


@requirement("OAE-JON-002")
def test_the_capture_of_another_end_or_of_nothing_is_one_line(
    hostile: Sources, tmp_path: Path
) -> None:
    target = tmp_path / "whole.pcapng"
    for wrong in (hostile["b"], [], [Path("/dev/null")]):
        with pytest.raises(CaptureError, match="no capture of end a"):
            join({**hostile, "a": wrong}, target)
    with pytest.raises(CaptureError, match="no such file"):
        join({**hostile, "a": [tmp_path / "none"]}, target)
    assert not target.exists()


@requirement("OAE-JON-005")
def test_half_a_million_packets_a_second(hostile: Sources, tmp_path: Path) -> None:
    """By processor time, the median of several: a machine may be busy."""
    rates = []
    for _ in range(9):
        begun = time.process_time()
        told = join(hostile, tmp_path / "whole.pcapng")
        rates.append(told.packets / (time.process_time() - begun))
    assert median(rates) >= 500_000
