"""Media: real sockets, real veth pairs, a real TAP device."""

import os
import select
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from typing import NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from oae.bench.interfaces import setting
from oae.errors import OaeError
from oae.frame import Frame, encode
from oae.medium import address
from oae.medium.address import AddressError
from oae.medium.medium import PASSED_OVER, Medium, MediumError, Received
from oae.medium.opening import open_medium
from oae.medium.stamps import DRIFT, SETTLED, OtherClock
from oae.spec.constants import ETHERTYPE, Operation
from oae.testing import requirement

from host.tests.live.interfaces import Pair, ip, joined_namespaces, skip_without_root, veth_pair

PATIENCE = 5.0  # seconds after which a frame is taken as lost
KINDS = ("unix", "udp", "tap", "packet")
BEAT = encode(Frame(Operation.NOP, operand=1))
OTHER_PROTOCOL = BEAT[:12] + b"\x08\x00" + BEAT[14:]
FRAMES = st.lists(
    st.binary(min_size=48, max_size=1486).map(
        lambda payload: bytes(12) + ETHERTYPE.to_bytes(2, "big") + payload
    ),
    min_size=1,
    max_size=8,
)


class Joined(NamedTuple):
    """Two media that are the ends of one line."""

    near: Medium
    far: Medium


def free_ports() -> tuple[int, int]:
    with socket.socket(type=socket.SOCK_DGRAM) as one, socket.socket(type=socket.SOCK_DGRAM) as two:
        for taken in (one, two):
            taken.bind(("127.0.0.1", 0))
        return one.getsockname()[1], two.getsockname()[1]


def addresses(kind: str, folder: Path, stack: ExitStack) -> tuple[str, str]:
    """Of the two ends of a line of this kind."""
    if kind == "unix":
        return f"unix:{folder}/a,{folder}/b", f"unix:{folder}/b,{folder}/a"
    if kind == "udp":
        one, other = free_ports()
        return f"udp:{one},{other}", f"udp:{other},{one}"
    skip_without_root()
    if kind == "namespaces":
        a, b = stack.enter_context(joined_namespaces())
        return f"packet:{a}/oae", f"packet:{b}/oae"
    if kind == "packet":
        a, b = stack.enter_context(veth_pair())
        return f"packet:{a}", f"packet:{b}"
    name = f"oaet{os.getpid()}"
    return f"tap:{name}", f"packet:{name}"


@pytest.fixture(scope="module", params=[*KINDS, "namespaces"])
def joined(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Joined]:
    with ExitStack() as stack:
        texts = addresses(request.param, tmp_path_factory.mktemp("media"), stack)
        near, far = (stack.enter_context(closing(open_medium(text))) for text in texts)
        carried(near, far)
        carried(far, near)
        yield Joined(near, far)


def received(medium: Medium) -> Received:
    """The next frame; waits for it."""
    while True:
        ready, _, _ = select.select([medium], [], [], PATIENCE)
        assert ready, f"{medium.name}: no frame has come"
        found = medium.receive()
        if found is not None:
            return found


def carried(sender: Medium, receiver: Medium) -> None:
    """Send until a frame arrives: an interface that was just set up drops the first ones."""
    deadline = time.monotonic() + PATIENCE
    while receiver.receive() is None:
        assert time.monotonic() < deadline, f"{receiver.name}: no frame has come"
        sender.send(BEAT)
        select.select([receiver], [], [], 0.01)
    while receiver.receive() is not None:
        pass


@requirement("OAE-MED-001", "OAE-MED-005")
@settings(max_examples=20, deadline=None)
@given(there=FRAMES, back=FRAMES)
def test_frames_cross_unchanged_in_order_and_in_time(
    joined: Joined, there: list[bytes], back: list[bytes]
) -> None:
    near, far = joined
    for sender, receiver, sent in ((near, far, there), (far, near, back)):
        begun = time.time_ns()
        for frame in sent:
            sender.send(frame)
        ended = time.time_ns()
        found = [received(receiver) for _ in sent]
        assert [one.frame for one in found] == sent
        times = [one.time for one in found]
        assert times == sorted(times)
        assert begun <= times[0]
        # Elsewhere the kernel may take a frame over after the sender's call.
        latest = ended if "in the sender's call" in receiver.clock.source else time.time_ns()
        assert times[-1] <= latest + (receiver.clock.uncertainty or 0)
    assert joined.near.receive() is None
    assert joined.far.receive() is None


@requirement("OAE-MED-001")
def test_a_short_frame_is_padded_as_on_ethernet(joined: Joined) -> None:
    joined.near.send(BEAT[:20])
    assert received(joined.far).frame == BEAT[:20].ljust(60, b"\0")


@requirement("OAE-MED-001")
def test_frames_that_a_neighbour_sends_at_the_same_interface_are_not_heard(veth: Pair) -> None:
    a, b = veth
    with (
        closing(open_medium(f"packet:{a}")) as near,
        closing(open_medium(f"packet:{b}")) as far,
        socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as neighbour,
    ):
        neighbour.bind((a, 0))
        neighbour.send(BEAT)
        assert received(far).frame == BEAT
        assert near.receive() is None
        assert near.counters.received == 0


@requirement("OAE-MED-002")
def test_other_protocols_and_garbage_are_counted_and_passed_over(joined: Joined) -> None:
    near, far = joined
    before = far.counters.foreign
    for _ in range(5):
        near.send(OTHER_PROTOCOL)
    near.send(BEAT)
    assert received(far).frame == BEAT
    # A kernel may say something of its own on an interface; it never says less than we did.
    assert far.counters.foreign >= before + 5


@requirement("OAE-MED-002")
@pytest.mark.parametrize("garbage", [b"", b"x", bytes(13), bytes(5000)])
@pytest.mark.parametrize("kind", ["unix", "udp"])
def test_what_is_no_frame_is_garbage(kind: str, garbage: bytes, tmp_path: Path) -> None:
    with ExitStack() as stack:
        near, far = addresses(kind, tmp_path, stack)
        medium = stack.enter_context(closing(open_medium(near)))
        family = socket.AF_UNIX if kind == "unix" else socket.AF_INET
        sender = stack.enter_context(socket.socket(family, socket.SOCK_DGRAM))
        other = address.parse(far)
        assert isinstance(other, address.Unix | address.Udp)
        sender.bind(other.local)
        sender.sendto(garbage, other.remote)
        sender.sendto(BEAT, other.remote)
        assert received(medium).frame == BEAT
        assert medium.counters.garbage == 1
        assert medium.counters.received == 1


@requirement("OAE-MED-002")
def test_a_flood_of_foreign_frames_stops_nobody(tmp_path: Path) -> None:
    with (
        closing(open_medium(f"unix:{tmp_path}/a,{tmp_path}/b")) as near,
        closing(open_medium(f"unix:{tmp_path}/b,{tmp_path}/a")) as far,
    ):
        near.send(OTHER_PROTOCOL)  # connects both ways first, so that more than ten may wait
        far.send(BEAT)
        for _ in range(2 * PASSED_OVER - 1):
            near.send(OTHER_PROTOCOL)
        near.send(BEAT)
        assert far.receive() is None
        assert far.counters.foreign == PASSED_OVER
        assert [far.receive() is None for _ in range(2)] == [True, False]


@requirement("OAE-MED-003")
@pytest.mark.parametrize("kind", ["unix", "udp"])
def test_a_remote_may_come_go_and_come_again(kind: str, tmp_path: Path) -> None:
    with ExitStack() as stack:
        near, far = addresses(kind, tmp_path, stack)
        medium = stack.enter_context(closing(open_medium(near)))
        for times in range(1, 4):
            medium.send(BEAT)
            medium.receive()  # over UDP the refusal comes back as a message
            medium.send(BEAT)
            assert medium.counters.lost_refused >= times
            medium.receive()
            with closing(open_medium(far)) as other:
                medium.send(BEAT)
                assert received(other).frame == BEAT
                other.send(BEAT)
                assert received(medium).frame == BEAT


@requirement("OAE-MED-003")
@pytest.mark.parametrize("kind", ["unix", "udp"])
def test_a_remote_that_reads_nothing_costs_frames_and_no_time(kind: str, tmp_path: Path) -> None:
    with ExitStack() as stack:
        texts = addresses(kind, tmp_path, stack)
        near, far = (stack.enter_context(closing(open_medium(text))) for text in texts)
        count = 30_000
        frame = BEAT.ljust(1400, b"\0")
        for _ in range(count):
            near.send(frame)
        found = 0
        while far.receive() is not None:
            found += 1
        counters = near.counters
        assert 0 < found < count
        assert counters.sent + counters.lost_full == count
        # UDP does not tell that the receiver's queue is full.
        assert counters.sent == found if kind == "unix" else counters.sent >= found


@requirement("OAE-MED-003")
def test_an_interface_that_is_down_or_has_a_small_mtu_loses_frames() -> None:
    skip_without_root()
    with (
        veth_pair() as (a, b),
        closing(open_medium(f"packet:{a}")) as near,
        closing(open_medium(f"packet:{b}")) as far,
    ):
        ip("link", "set", a, "mtu", "68")
        near.send(BEAT.ljust(200, b"\0"))
        assert near.counters.lost_too_long == 1
        near.send(BEAT)
        assert received(far).frame == BEAT
        ip("link", "set", a, "down")
        near.send(BEAT)
        assert near.receive() is None
        assert near.counters.lost_refused >= 1
        ip("link", "set", a, "up")
        carried(near, far)


@requirement("OAE-MED-003")
def test_a_path_that_a_killed_process_left_is_taken_over(tmp_path: Path) -> None:
    text = f"unix:{tmp_path}/a,{tmp_path}/b"
    opening = f"""
import os, sys
from oae.medium.opening import open_medium
medium = open_medium({text!r})
os.kill(os.getpid(), 9)
"""
    assert subprocess.run([sys.executable, "-c", opening], check=False).returncode == -9
    assert (tmp_path / "a").is_socket()
    with closing(open_medium(text)), pytest.raises(MediumError, match="the local path is taken"):
        open_medium(text)
    assert not (tmp_path / "a").exists()


NAMES = st.text("abcdefghijklmnopqrstuvwxyz0123456789._-/", min_size=1, max_size=15)
PLAIN = NAMES.filter(lambda name: "/" not in name and name not in (".", ".."))
HOSTS = st.sampled_from(["127.0.0.1", "::1", "localhost", "10.0.0.7"])
PLACES = st.tuples(HOSTS, st.integers(1, 65535))
ADDRESSES = st.one_of(
    st.tuples(NAMES, NAMES)
    .filter(lambda two: two[0] != two[1])
    .map(lambda two: address.Unix(*two)),
    st.tuples(PLACES, PLACES).map(lambda two: address.Udp(*two)),
    PLAIN.map(address.Tap),
    PLAIN.map(address.Packet),
    st.tuples(PLAIN, PLAIN).map("/".join).map(address.Packet),
)


@requirement("OAE-MED-004")
@given(ADDRESSES)
def test_an_address_reads_as_it_is_written(one: address.Address) -> None:
    assert address.parse(str(one)) == one


@requirement("OAE-MED-004")
@given(st.text(max_size=40).filter(lambda text: text.partition(":")[0] not in KINDS))
def test_any_other_text_is_one_line(text: str) -> None:
    problem = refused(text)
    assert problem.startswith("medium ")
    assert len(problem.splitlines()) == 1


@requirement("OAE-MED-004")
@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("tcp:a,b", "no such medium; there are unix:LOCAL,REMOTE udp:"),
        ("unix:a", "not unix:LOCAL,REMOTE"),
        ("unix:a,a", "both sides have the same path"),
        (f"unix:{'x' * 108},a", "at most 107 bytes"),
        ("udp:1,0", "'0' is not a port from 1 to 65535"),
        ("udp:localhost,1", "'localhost' is not a port"),
        ("tap:", "the name of an interface"),
        ("packet:eth0/", "the name of an interface"),
        ("packet:/eth0", "the name of a network namespace"),
        ("packet:../eth0", ".. is no name of a network namespace"),
        ("packet:left/eth0/1", "the name of an interface"),
    ],
)
def test_a_wrong_address_says_how_it_goes(text: str, problem: str) -> None:
    with pytest.raises(AddressError) as found:
        open_medium(text)
    assert problem in str(found.value)
    assert found.value.exit_code == 2


@requirement("OAE-MED-004")
def test_what_cannot_be_opened_says_why(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    port, other = free_ports()
    with closing(open_medium(f"udp:{port},{other}")):
        for text, problem in (
            (f"udp:{port},{other}", "the local port is taken"),
            ("udp:192.0.2.1:9,192.0.2.2:9", "the local host is not this one"),
            (f"unix:{tmp_path}/none/a,{tmp_path}/b", "the local path's directory does not exist"),
            (f"unix:{tmp_path}/file,{tmp_path}/b", "the local path is taken"),
        ):
            with pytest.raises(MediumError, match=problem):
                open_medium(text)
    assert (tmp_path / "file").is_file()


@requirement("OAE-MED-004")
def test_an_interface_that_is_not_there_or_no_tap_device_is_named(veth: Pair) -> None:
    with pytest.raises(MediumError, match=r"no such interface; there are .*lo"):
        open_medium("packet:nowhere")
    with pytest.raises(MediumError, match="is no TAP device"):
        open_medium(f"tap:{veth[0]}")
    with closing(open_medium("tap:oaetwice")), pytest.raises(MediumError, match="another process"):
        open_medium("tap:oaetwice")


@requirement("OAE-MED-004")
def test_a_namespace_is_left_again_and_one_that_is_not_there_is_named(namespaces: Pair) -> None:
    here = Path("/proc/thread-self/ns/net").readlink()
    with closing(open_medium(f"packet:{namespaces[0]}/oae")):
        assert Path("/proc/thread-self/ns/net").readlink() == here
    for text, problem in (
        (f"packet:{namespaces[0]}/none", "no such interface; there are lo, oae"),
        ("packet:none/oae", f"no such network namespace; there are .*{namespaces[0]}"),
    ):
        with pytest.raises(MediumError, match=problem):
            open_medium(text)
        assert Path("/proc/thread-self/ns/net").readlink() == here


@requirement("OAE-DOC-002")
def test_how_an_interface_is_set_is_seen_in_its_namespace(namespaces: Pair) -> None:
    name = f"{namespaces[0]}/oae"
    found = setting(name)
    assert found is not None
    assert (found.name, found.up, found.carrier, found.mtu) == (name, True, True, 1500)
    assert not found.promiscuous
    with closing(open_medium(f"packet:{name}")):
        found = setting(name)
        assert found is not None
        assert found.promiscuous
    ip("-n", namespaces[1], "link", "set", "oae", "down")
    found = setting(name)
    assert found is not None
    assert not found.carrier
    assert setting(f"{namespaces[0]}/none") is None
    assert setting("none/oae") is None


@requirement("OAE-MED-004")
@pytest.mark.parametrize(
    ("text", "capability"), [("packet:lo", "CAP_NET_RAW"), ("tap:oaenone", "CAP_NET_ADMIN")]
)
def test_without_privilege_the_capability_is_named_and_what_works_without(
    text: str, capability: str
) -> None:
    if os.geteuid() != 0:
        problem = refused(text)
    else:
        reading, writing = os.pipe()
        child = os.fork()
        if child == 0:
            os.setuid(65534)
            os.write(writing, refused(text).encode())
            os._exit(0)
        os.close(writing)
        problem = os.read(reading, 1000).decode()
        os.close(reading)
        os.waitpid(child, 0)
    assert f"needs the capability {capability}; unix: and udp: need none" in problem.replace(
        "need the", "needs the"
    )


def refused(text: str) -> str:
    """What opening a medium says."""
    try:
        open_medium(text)
    except OaeError as error:
        return str(error)
    return "opened"


@requirement("OAE-MED-005")
def test_the_time_of_another_clock_becomes_real_time_within_its_uncertainty() -> None:
    clock = OtherClock(time.CLOCK_MONOTONIC)
    for _ in range(1000):
        before = time.time_ns()
        found = clock.realtime(time.monotonic_ns())
        after = time.time_ns()
        assert before - clock.uncertainty <= found <= after + clock.uncertainty
    assert clock.uncertainty >= SETTLED * DRIFT // 1_000_000


@requirement("OAE-MED-005")
def test_each_medium_says_by_which_clock(joined: Joined) -> None:
    for medium in joined:
        text = str(medium.clock)
        assert text.startswith("CLOCK_REALTIME, stamped ")
        assert ("without a bound" in text) == medium.name.startswith("tap:")
