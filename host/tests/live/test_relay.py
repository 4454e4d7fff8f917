"""The fault relay, between real sockets."""

import io
import json
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from oae.capture.read import Capture, packets
from oae.cli import main
from oae.faults.decide import Copies, decide, flipped
from oae.frame import Frame, encode
from oae.medium.medium import Medium
from oae.medium.opening import open_medium
from oae.model.events import Event
from oae.relay.relay import BATCH, TICK_NS, Relay, of_ends
from oae.scenario.layout import Fault
from oae.scenario.parse import parse, parse_text
from oae.scenario.scenario import Rates, Scenario
from oae.spec.constants import EventCode, Operation
from oae.testing import requirement

from host.tests.live.interfaces import Pair, veth_pair

ROOT = Path(__file__).resolve().parents[3]
PATIENCE = 5.0
NAMES = ["a.transmit", "a.receive", "b.transmit", "b.receive"]


def data(id: int, record: bytes = b"12345678") -> bytes:
    return encode(Frame(Operation.DATA, id, 7, record=record))


class Numbered(NamedTuple):
    """A packet of a relay's capture; the number says which transmitted frame it stems from."""

    interface: int
    number: int
    time: int
    image: bytes


def numbered(record: io.BytesIO | Path) -> list[Numbered]:
    """Every packet of a capture, in order."""
    capture = Capture(record)
    found = [
        Numbered(
            int(packet["interface"]),
            int(packet["number"]),
            int(packet["time"]),
            chunk[packet["offset"] :][: packet["captured"]].tobytes(),
        )
        for chunk, batch in capture
        for packet in batch
    ]
    assert [one.name for one in capture.interfaces] == NAMES
    assert capture.damage == ""
    return found


@contextmanager
def line(folder: Path) -> Iterator[tuple[Medium, Medium, Medium, Medium]]:
    """End a, the relay's side of it, the relay's side of end b, end b."""
    with ExitStack() as stack:
        a, near, far, b = (
            stack.enter_context(closing(open_medium(f"unix:{folder}/{one},{folder}/{other}")))
            for one, other in (("a", "ra"), ("ra", "a"), ("rb", "b"), ("b", "rb"))
        )
        for medium in (a, near, far, b):
            assert medium.receive() is None  # it is connected from now on
        yield a, near, far, b


def relayed(relay: Relay, receiver: Medium, count: int) -> list[bytes]:
    """So many frames that come out of the relay, which steps until then."""
    found: list[bytes] = []
    deadline = time.monotonic() + PATIENCE
    while len(found) < count:
        assert time.monotonic() < deadline, f"{len(found)} of {count} frames have come"
        select.select([*relay.media, receiver], [], [], relay.wait())
        relay.step()
        while came := receiver.receive():
            found.append(came.frame)
    return found


def is_cut(relay: Relay, end: int) -> bool:
    """Whether the direction away from the end is cut."""
    return relay.demands[end].cut


FRAMES = st.lists(st.builds(data, st.integers(0, 2**32 - 1), st.binary(min_size=1, max_size=64)))


@requirement("OAE-RLY-001")
@settings(max_examples=20, deadline=None)
@given(from_a=FRAMES, from_b=FRAMES)
def test_without_faults_everything_passes_in_order(
    tmp_path_factory: pytest.TempPathFactory, from_a: list[bytes], from_b: list[bytes]
) -> None:
    with line(tmp_path_factory.mktemp("line")) as (a, near, far, b):
        relay = Relay(near, far, Scenario())
        relay.begin()
        for sender, sent in ((a, from_a), (b, from_b)):
            for frame in sent:
                sender.send(frame)
        assert relayed(relay, b, len(from_a)) == from_a
        assert relayed(relay, a, len(from_b)) == from_b
        assert relay.frames == [len(from_a), len(from_b)]


@requirement("OAE-RLY-002")
def test_a_relay_does_to_the_frames_of_a_simulated_run_what_that_run_did(tmp_path: Path) -> None:
    # The sample is of Verilog ends and a Verilog medium; its faults are by rates alone.
    scenario = parse(ROOT / "captures" / "scenarios" / "lossy.toml")
    sample = [one for one in packets(ROOT / "captures" / "lossy.pcapng") if one.interface in (0, 2)]
    record = io.BytesIO()
    with line(tmp_path) as (a, near, far, b):
        relay = Relay(near, far, scenario, record)
        relay.begin()
        for one in sample:
            (b if one.interface else a).send(one.data)
            relay.step()
        relay.finish()
    record.seek(0)
    found = [one for one in packets(record) if one.interface in (0, 2)]
    for end in (0, 2):
        theirs = [(one.data, one.comment) for one in sample if one.interface == end]
        ours = [(one.data, one.comment) for one in found if one.interface == end]
        assert ours == theirs
        assert {comment for _, comment in ours} > {"", "fault: dropped"}


@requirement("OAE-RLY-002")
@settings(max_examples=30, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    ids=st.lists(st.integers(0, 3), min_size=1, max_size=30),
    drop=st.sampled_from([0.0, 0.3]),
    duplicate=st.sampled_from([0.0, 0.5]),
    corrupt=st.sampled_from([0.0, 0.5]),
    flip=st.sampled_from([0.0, 0.5]),
)
def test_what_comes_out_is_what_was_decided(
    tmp_path_factory: pytest.TempPathFactory,
    seed: int,
    ids: list[int],
    drop: float,
    duplicate: float,
    corrupt: float,
    flip: float,
) -> None:
    rates = Rates(drop=drop, duplicate=duplicate, corrupt=corrupt, flip=flip)
    frames = [data(id) for id in ids]
    copies = Copies()
    expected: list[bytes] = []
    for frame in frames:
        decision = decide(rates, seed, 0, copies.name(frame), 13 + 8)
        # What a MAC finds corrupted does not come out of it.
        expected += [flipped(frame, copy.flips) for copy in decision.copies if not copy.corrupted]
    with line(tmp_path_factory.mktemp("line")) as (a, near, far, b):
        relay = Relay(near, far, Scenario(seed=seed, rates=(rates, Rates())))
        relay.begin()
        for frame in frames:
            a.send(frame)
        relay.step()
        found = []
        while came := b.receive():
            found.append(came.frame)
        assert found == expected


@requirement("OAE-RLY-002")
def test_fates_and_rules_strike_the_frames_that_they_name(tmp_path: Path) -> None:
    scenario = parse_text("""
version = 1
fates = ["a->b DATA id=1 copy=0: drop", "a->b DATA id=2 copy=0: duplicate, corrupt second"]
[[fault]]
when = "a->b DATA id=3"
do = "drop"
[[fault]]
when = "a->b DATA id=4"
do = "duplicate"
[[fault]]
when = "a->b DATA id=5"
do = "forge byte=32 xor=ff guard digest"
""")
    with line(tmp_path) as (a, near, far, b):
        relay = Relay(near, far, scenario)
        relay.begin()
        sent = [data(id) for id in range(7)]
        for frame in sent:
            a.send(frame)
        found = relayed(relay, b, 6)
        assert found[:4] == [sent[0], sent[2], sent[4], sent[4]]
        assert found[5] == sent[6]
        assert found[4] != sent[5]
        assert len(found[4]) == len(sent[5])
        assert relay.fired == [0, 1, 2]
        struck = {Fault.DROPPED: 2, Fault.DUPLICATED: 1, Fault.FORGED: 1}
        duplicate = Fault.DUPLICATED | Fault.DUPLICATE_CORRUPTED
        assert relay.faults[0] == {**struck, duplicate: 1}


@requirement("OAE-RLY-002")
def test_rules_sleep_until_the_scenario_begins(tmp_path: Path) -> None:
    scenario = parse_text('version = 1\n[[fault]]\nwhen = "a->b any"\ndo = "drop"\n')
    with line(tmp_path) as (a, near, far, b):
        relay = Relay(near, far, scenario)
        a.send(data(0))
        assert relayed(relay, b, 1) == [data(0)]
        relay.begin()
        for id in (1, 2):
            a.send(data(id))
        assert relayed(relay, b, 1) == [data(2)]


@requirement("OAE-RLY-003")
def test_a_held_frame_goes_when_others_have_passed(tmp_path: Path) -> None:
    text = 'version = 1\n[[fault]]\nwhen = "a->b DATA id=1"\ndo = "hold 2"\n'
    text += "[rates.both]\nreorder_cycles = 1000000\n"
    with line(tmp_path) as (a, near, far, b):
        relay = Relay(near, far, parse_text(text))
        relay.begin()
        for id in range(5):
            a.send(data(id))
        assert relayed(relay, b, 5) == [data(id) for id in (0, 2, 3, 1, 4)]


@requirement("OAE-RLY-003")
def test_held_and_delayed_frames_go_when_their_time_has_come(tmp_path: Path) -> None:
    ticks = 300
    text = f"""
version = 1
[rates."a->b"]
reorder = 1
reorder_window = 1000
reorder_cycles = {ticks}
[rates."b->a"]
latency = {ticks}
"""
    record = io.BytesIO()
    with line(tmp_path) as (a, near, far, b):
        relay = Relay(near, far, parse_text(text), record)
        relay.begin()
        sent = [data(id) for id in range(3)]
        for frame in sent:
            a.send(frame)
            b.send(frame)
        assert relayed(relay, b, 3) == sent
        assert relayed(relay, a, 3) == sent
        relay.finish()
    record.seek(0)
    times = {(one.interface, one.number): one.time for one in numbered(record)}
    for transmit, receive, end in ((0, 3, 0), (2, 1, 1)):
        for number in range(3):
            name = end << 32 | number
            waited = times[receive, name] - times[transmit, name]
            assert waited >= (ticks - 1) * TICK_NS


@requirement("OAE-RLY-003")
def test_a_delay_delays_everything_behind_it(tmp_path: Path) -> None:
    text = 'version = 1\n[[fault]]\nwhen = "a->b DATA id=1"\ndo = "delay 200"\n'
    with line(tmp_path) as (a, near, far, b):
        relay = Relay(near, far, parse_text(text))
        relay.begin()
        sent = [data(id) for id in range(4)]
        for frame in sent:
            a.send(frame)
        assert relayed(relay, b, 4) == sent


@requirement("OAE-RLY-004")
def test_a_direction_is_cut_and_whole_again(tmp_path: Path) -> None:
    scenario = parse_text("""
version = 1
[[fault]]
when = "a->b DATA id=2"
do = "cut a->b"
until = "b->a ACK"
[[fault]]
when = "b->a DATA id=5"
do = "cut b->a"
for = "100 cycles"
""")
    with line(tmp_path) as (a, near, far, b):
        relay = Relay(near, far, scenario)
        relay.begin()
        for id in range(5):
            a.send(data(id))
        relay.step()
        assert is_cut(relay, 0)
        b.send(encode(Frame(Operation.ACK, 0)))
        relayed(relay, a, 1)
        assert not is_cut(relay, 0)
        a.send(data(5))
        assert relayed(relay, b, 3) == [data(0), data(1), data(5)]
        assert relay.faults[0] == {Fault.CUT: 3}
        b.send(data(5))
        relay.step()
        assert is_cut(relay, 1)
        while is_cut(relay, 1):
            select.select([], [], [], relay.wait())
            relay.step()
        b.send(data(6))
        assert relayed(relay, a, 1) == [data(6)]


@requirement("OAE-RLY-002")
def test_steps_of_ends_come_from_outside_and_what_ends_must_do_goes_there(tmp_path: Path) -> None:
    scenario = parse_text("""
version = 1
[[fault]]
when = "b REFLECTED id=3"
do = "cut a->b"
[[fault]]
when = "a->b DATA id=1"
do = "crash b"
for = "1000000 cycles"
[[fault]]
when = "a->b DATA id=2"
do = "stop"
""")
    assert [text.split(":")[0] for text in of_ends(scenario)] == [
        "fault[1] waits for a step of an end",
        "fault[2] does something to an end",
    ]
    with line(tmp_path) as (a, near, far, b):
        relay = Relay(near, far, scenario)
        relay.begin()
        relay.hear([(1, Event(EventCode.REFLECTED, value=2).word())])
        assert not is_cut(relay, 0)
        relay.hear([(1, Event(EventCode.REFLECTED, value=3).word())])
        assert is_cut(relay, 0)
        for id in (1, 2):
            assert not relay.stop
            a.send(data(id))
            relay.step()
            assert relay.demands[1].crash
        assert relay.stop
        assert b.receive() is None


@requirement("OAE-RLY-005")
@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), turns=st.lists(st.integers(0, 3), max_size=3 * BATCH))
def test_a_capture_holds_both_sides_in_the_order_of_time(
    tmp_path_factory: pytest.TempPathFactory, seed: int, turns: list[int]
) -> None:
    rates = Rates(drop=0.1, duplicate=0.2, reorder=0.2, corrupt=0.1, delay=0.1, delay_max=5)
    scenario = Scenario(seed=seed, rates=(rates, rates))
    record = io.BytesIO()
    sent: tuple[list[bytes], list[bytes]] = ([], [])
    got: list[list[bytes]] = [[], []]
    with line(tmp_path_factory.mktemp("line")) as (a, near, far, b):
        relay = Relay(near, far, scenario, record)
        relay.begin()
        for number, turn in enumerate(turns):
            if turn == 3:
                relay.step()
            else:
                sent[turn & 1].append(data(number))
                (a, b)[turn & 1].send(data(number))
        relay.step()
        relay.finish()
        for end, medium in enumerate((a, b)):
            while came := medium.receive():
                got[end].append(came.frame)
    record.seek(0)
    found = numbered(record)
    assert [one.time for one in found] == sorted(one.time for one in found)
    left_at = {(one.interface, one.number): one.time for one in found}
    for end in (0, 1):
        left = [one for one in found if one.interface == 2 * end]
        assert [one.image for one in left] == sent[end]
        assert [one.number for one in left] == [end << 32 | n for n in range(len(left))]
        arrived = [one for one in found if one.interface == 2 * (1 - end) + 1]
        assert [one.image for one in arrived] == got[1 - end]
        for one in arrived:
            assert one.image == sent[end][one.number & 0xFFFF_FFFF]
            assert left_at[2 * end, one.number] <= one.time


LOSSY = """
version = 1
[rates."a->b"]
drop = 0.5
[[fault]]
when = "b REFLECTED"
do = "crash b"
"""


@requirement("OAE-RLY-005")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_command_ends_on_a_signal_with_a_whole_capture(
    tmp_path: Path, number: signal.Signals
) -> None:
    (tmp_path / "lossy.toml").write_text(LOSSY)
    names = ("a", "ra", "b", "rb")
    a, ra, b, rb = (tmp_path / name for name in names)
    words = [f"unix:{ra},{a}", f"unix:{rb},{b}", "--scenario", str(tmp_path / "lossy.toml")]
    with (
        closing(open_medium(f"unix:{a},{ra}")) as near,
        closing(open_medium(f"unix:{b},{rb}")) as far,
        command(*words, "--capture", str(tmp_path / "relay.pcapng"), "--json") as relay,
    ):
        assert relay.stderr is not None
        assert "fault[1] waits for a step of an end" in relay.stderr.readline()
        for id in range(100):
            far.send(data(id))
            while not (came := near.receive()):
                select.select([near], [], [], 0.1)
                if far.counters.lost_refused:  # it was not there yet
                    far.counters.lost_refused = 0
                    far.send(data(id))
            assert came.frame == data(id)
            near.send(data(id))
        far.send(data(100))
        select.select([near], [], [], PATIENCE)
        relay.send_signal(number)
        output, _ = relay.communicate(timeout=PATIENCE)
        assert relay.returncode == 0
    told = json.loads(output)
    assert not ra.exists()
    assert not rb.exists()
    found = numbered(tmp_path / "relay.pcapng")
    dropped = told["a->b"]["faults"]["DROPPED"]
    assert 20 < dropped < 80
    counts = [sum(one.interface == interface for one in found) for interface in range(4)]
    assert counts == [100, 101, 101, 100 - dropped]
    assert told["b->a"] == {"frames": 101, "faults": {}}
    assert (told["a"]["received"], told["b"]["sent"]) == (100, 100 - dropped)


@contextmanager
def command(*words: str) -> Iterator[subprocess.Popen[str]]:
    """`oae relay` as a process that does not outlive the test."""
    process = subprocess.Popen(
        [sys.executable, "-m", "oae.cli", "relay", *words],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


@requirement("OAE-RLY-001")
def test_a_relay_joins_two_cables(veth: Pair, tmp_path: Path) -> None:
    with (
        veth_pair() as other,
        closing(open_medium(f"packet:{veth[0]}")) as a,
        closing(open_medium(f"packet:{veth[1]}")) as near,
        closing(open_medium(f"packet:{other[0]}")) as far,
        closing(open_medium(f"packet:{other[1]}")) as b,
    ):
        relay = Relay(near, far, Scenario())
        relay.begin()
        sent = [data(id) for id in range(50)]
        for sender, receiver in ((a, b), (b, a)):
            for frame in sent:
                sender.send(frame)
            assert relayed(relay, receiver, len(sent)) == sent


@requirement("OAE-MED-004")
@pytest.mark.parametrize(
    ("words", "problem", "code"),
    [
        (["unix:a", "unix:b,c"], "not unix:LOCAL,REMOTE", 2),
        (["unix:/nowhere/a,b", "unix:b,c"], "the local path's directory does not exist", 4),
        (["udp:1,2", "udp:3,4", "--scenario", "nowhere.toml"], "nowhere.toml: no such file", 2),
    ],
)
def test_bad_input_is_one_line(
    words: Sequence[str], problem: str, code: int, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["relay", *words]) == code
    said = capsys.readouterr().err
    assert problem in said
    assert len(said.splitlines()) == 1
