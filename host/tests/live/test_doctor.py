"""The doctor: each fault seeded in the real object is named; a healthy bench gives no finding."""

import array
import fcntl
import json
import os
import pwd
import re
import socket
import struct
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack, closing
from dataclasses import replace
from pathlib import Path

import pytest
from oae.bench.bench import PACED, Bench, Clocks, End, Interface, Kind, Serial
from oae.bench.doctor import examine
from oae.bench.findings import Fault, Finding
from oae.bench.interfaces import setting
from oae.bench.parse import LIBRARY, library
from oae.bench.plugged import plugged_in
from oae.bench.process import Process
from oae.bringup.board import Board
from oae.bringup.client import Client, connected
from oae.bringup.port import Port
from oae.bringup.registers import register
from oae.cli import main
from oae.engines.rtl import ROOT
from oae.frame import Frame, Sync, encode
from oae.live import build as live_build
from oae.medium.address import Packet, Unix
from oae.scenario.scenario import Scenario
from oae.spec.constants import Injection, Operation
from oae.testing import requirement

from host.tests.live.interfaces import Pair, ip, skip_without_root, veth_pair
from host.tests.live.live_ends import changed_live, live_pair, needs_live
from host.tests.live.serial_device import changed, on_pty

OTHER_ETHERTYPE = 0x88B6
SHARED = Clocks(tolerance=PACED)  # these boards are processes
_SIOCETHTOOL = 0x8946
_SET_GRO = 0x2C


@pytest.fixture(autouse=True)
def _leases(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OAE_LEASE_DIRECTORY", str(tmp_path / "leases"))


@pytest.fixture
def cable() -> Iterator[Pair]:
    """A cable of its own for each test: faults stay in it."""
    skip_without_root()
    with veth_pair() as pair:
        yield pair


@pytest.fixture
def terminal() -> Iterator[str]:
    """A pty with nothing behind it."""
    master, slave = os.openpty()
    yield os.ttyname(slave)
    os.close(slave)
    os.close(master)


def nic(interface: str) -> End:
    return End(Kind.NIC, Packet(interface))


def silent(interface: str) -> End:
    """A board that nobody can ask, behind that interface."""
    return End(Kind.BOARD, Packet(interface))


def of_boards(ports: dict[str, str], baud: int = 115_200) -> Bench:
    a, b = (End(Kind.BOARD, serial=Serial(ports[name], baud)) for name in "ab")
    return Bench("boards", (a, b), clocks=SHARED)


def alone(port: str) -> Bench:
    """One board whose peer nobody can ask."""
    return Bench("alone", (End(Kind.BOARD, serial=Serial(port)), End(Kind.BOARD)), clocks=SHARED)


def named(findings: list[Finding]) -> list[tuple[Fault, str]]:
    """What was found, and where; what to do is always said."""
    assert all(one.seen and one.expected and one.advice for one in findings)
    return [(one.fault, one.where) for one in findings]


# ---------------------------------------------------------------------------- healthy


@requirement("OAE-DOC-005")
@pytest.mark.parametrize("name", library())
def test_a_healthy_bench_of_the_library(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Its cables have names of their own: somebody may have the bench just now."""
    text, _ = LIBRARY.read(name)
    path = tmp_path / f"{name}.yaml"
    path.write_text(re.sub(r"\boae-", f"oae{os.getpid()}-", text))
    bench, said = plugged_in(path)
    if Kind.BOARD in (end.kind for end in bench.ends):
        pytest.skip("there may be a board, or none")
    if bench.fixtures:
        skip_without_root()
    assert main(["bench", "doctor", str(path), "--json"]) == 0
    told = {"bench": name, "said": said, "findings": []}
    assert json.loads(capsys.readouterr().out) == told


@requirement("OAE-DOC-005")
def test_a_healthy_cable(cable: Pair) -> None:
    a, b = cable
    assert examine(Bench("cable", (nic(a), nic(b)))) == []


# ---------------------------------------------------------------------------- interfaces


@requirement("OAE-DOC-002")
def test_an_interface_that_is_down_or_missing(cable: Pair) -> None:
    a, b = cable
    ip("link", "set", a, "down")
    found = named(examine(Bench("down", (nic(a), nic("nowhere")))))
    assert found == [
        (Fault.INTERFACE_DOWN, f"a, {a}"),
        (Fault.NO_SUCH_INTERFACE, "b, nowhere"),
    ]
    ip("link", "set", a, "up")
    ip("link", "set", b, "down")
    (found_b,) = examine(Bench("no carrier", (nic(a), silent(a))))[:1]
    assert (found_b.fault, found_b.seen) == (Fault.INTERFACE_DOWN, "up without carrier")


@requirement("OAE-DOC-002")
def test_what_to_do_can_be_done(namespaces: Pair) -> None:
    """Interfaces in namespaces: the advice of each finding is a command that repairs it."""
    a, b = (f"{namespace}/oae" for namespace in namespaces)
    ip("-n", namespaces[0], "link", "set", "oae", "down")
    ip("-n", namespaces[1], "link", "set", "oae", "mtu", "200")
    wanted = Interface(promiscuous=True)
    bench = Bench("in namespaces", (nic(a), End(Kind.NIC, Packet(b), interface=wanted)))
    repaired = []
    while findings := examine(bench):
        commands = {one.fault: one.advice for one in findings if one.advice.startswith("ip ")}
        assert commands
        for command in commands.values():
            subprocess.run(command.split(), check=True)
        repaired += list(commands)
    assert repaired == [
        Fault.INTERFACE_DOWN,
        Fault.PROMISCUOUS_MODE_WRONG,
        Fault.MTU_TOO_SMALL,
    ]


@requirement("OAE-DOC-002")
def test_promiscuous_mode(cable: Pair) -> None:
    a, b = cable
    ip("link", "set", a, "promisc", "on")
    found = named(examine(Bench("promiscuous", (nic(a), nic(b)))))
    assert found == [(Fault.PROMISCUOUS_MODE_WRONG, f"a, {a}")]
    wanted = End(Kind.NIC, Packet(b), interface=Interface(promiscuous=True))
    found = named(examine(Bench("promiscuous", (silent(b), wanted))))
    assert found == [(Fault.PROMISCUOUS_MODE_WRONG, f"b, {b}")]


@requirement("OAE-DOC-002")
def test_mtu_and_offloads(cable: Pair) -> None:
    a, b = cable
    ip("link", "set", a, "mtu", "200")
    switch_on_gro(b)
    found = setting(b)
    assert found is not None
    assert found.merging == ("GRO",)
    findings = examine(Bench("set wrongly", (nic(a), nic(b))))
    assert named(findings) == [
        (Fault.MTU_TOO_SMALL, f"a, {a}"),
        (Fault.OFFLOADS_WRONG, f"b, {b}"),
    ]
    assert (findings[0].seen, findings[0].expected) == ("200", "at least 1500")


def switch_on_gro(interface: str) -> None:
    value = array.array("B", struct.pack("II", _SET_GRO, 1))
    request = struct.pack("16sP16x", interface.encode(), value.buffer_info()[0])
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        fcntl.ioctl(taken, _SIOCETHTOOL, request)


# ---------------------------------------------------------------------------- ports


@requirement("OAE-DOC-001")
def test_ports_that_cannot_be_opened(terminal: str) -> None:
    bench = of_boards({"a": "/dev/ttyNONE", "b": terminal})
    with closing(Port(terminal)):
        assert named(examine(bench)) == [
            (Fault.NO_SUCH_PORT, "a, /dev/ttyNONE"),
            (Fault.PORT_BUSY, f"b, {terminal}"),
        ]
    assert named(examine(bench)) == [(Fault.NO_SUCH_PORT, "a, /dev/ttyNONE")]
    bench = of_boards({"a": "/dev/null", "b": terminal})
    assert named(examine(bench)) == [(Fault.NO_SERIAL_PORT, "a, /dev/null")]


@requirement("OAE-DOC-001")
def test_a_port_without_permission(terminal: str) -> None:
    skip_without_root()
    Path(terminal).chmod(0o600)
    os.seteuid(pwd.getpwnam("nobody").pw_uid)
    try:
        found = named(examine(of_boards({"a": terminal, "b": terminal})))
    finally:
        os.seteuid(0)
    assert found == [(Fault.NO_PERMISSION, f"{end}, {terminal}") for end in "ab"]


@requirement("OAE-DOC-001")
def test_a_port_with_nothing_behind_it(
    terminal: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "silent.yaml"
    path.write_text(
        "version: 1\nends:\n"
        f"  a: {{kind: board, serial: {terminal}}}\n"
        "  b: {kind: python, medium: unix}\n"
    )
    assert main(["bench", "doctor", str(path)]) == 1
    first, last = capsys.readouterr().out.splitlines()
    assert first.startswith(f"no answer: a, {terminal}: seen silent at 115200 baud, expected")
    assert last == "silent: 1 finding"


@requirement("OAE-DOC-001")
@needs_live
def test_a_wrong_speed(tmp_path: Path) -> None:
    with live_pair(tmp_path, "--baud", "9600") as ports:
        (found,) = examine(of_boards(ports))
    assert (found.fault, found.where) == (Fault.WRONG_BAUD, f"a, {ports['a']}")
    assert found.seen == "answers at 9600 baud, not at 115200"


@requirement("OAE-DOC-001")
@needs_live
@pytest.mark.parametrize("name", ["IDENTITY", "VERSION", "BOARD_VERSION"])
def test_a_register_map_of_another_version(name: str, tmp_path: Path) -> None:
    """The bridge is a real one; of its answers one register is another."""
    one = register(name)
    with live_pair(tmp_path) as ports, closing(Port(ports["a"])) as board:
        other = Client(board).read(one.address)[0] + 1
        with on_pty(changed(board, {one.address: other})) as url:
            (found,) = examine(of_boards({"a": url, "b": ports["b"]}))
    assert (found.fault, found.where) == (Fault.WRONG_REGISTER_MAP, "a")
    assert f"{name} is" in found.seen


@requirement("OAE-DOC-001")
@needs_live
def test_another_build_than_the_bench_names(tmp_path: Path) -> None:
    with live_pair(tmp_path) as ports:
        bench = of_boards(ports)
        a, b = bench.ends
        (found,) = examine(replace(bench, ends=(replace(a, build=1), b)))
    assert (found.fault, found.where) == (Fault.WRONG_BUILD, "a")
    assert found.expected == f"{1:016x}"


@requirement("OAE-DOC-001")
@needs_live
@pytest.mark.long
def test_a_board_that_is_compiled_with_another_register_map(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    map_of_board = (ROOT / "hdl/board/oae_board_defs.vh").read_text()
    changed_map, count = re.subn(r"(REGISTER_MAP 32'd)\d+", r"\g<1>99", map_of_board)
    assert count == 1
    (tmp_path / "oae_board_defs.vh").write_text(changed_map)
    compile_with(monkeypatch, tmp_path, f"-I{tmp_path}")
    with changed_live(tmp_path) as port:
        (found,) = examine(alone(port))
    assert (found.fault, found.where) == (Fault.WRONG_REGISTER_MAP, "a")
    assert found.seen.startswith("BOARD_VERSION is 99, ")


def compile_with(monkeypatch: pytest.MonkeyPatch, folder: Path, option: str) -> None:
    """Live ends of this test are another build, which is not kept."""
    command = live_build._command

    def other(scenario: Scenario, end: int) -> list[str]:
        verilator, *words = command(scenario, end)
        return [verilator, option, *words]

    monkeypatch.setattr(live_build, "_command", other)
    monkeypatch.setattr(live_build, "BUILDS", folder / "builds")


@requirement("OAE-DOC-004")
@needs_live
def test_a_clock_that_stands_still(tmp_path: Path) -> None:
    with live_pair(tmp_path, "--clock", "0") as ports:
        assert named(examine(of_boards(ports))) == [(Fault.CLOCK_ABSENT, "a")]


@requirement("OAE-DOC-004")
@needs_live
def test_a_clock_that_is_not_what_the_board_says(tmp_path: Path) -> None:
    """Its CLOCK_HZ is right for a clock of twice the rate."""
    with changed_live(tmp_path, hz=3000, nominal_hz=6000) as port:
        (found,) = examine(alone(port))
    assert (found.fault, found.where) == (Fault.CLOCK_WRONG, "a")
    assert found.expected.startswith("6,000, within ")
    assert int(found.seen.split()[0].replace(",", "")) < 4500


# ---------------------------------------------------------------------------- link


@requirement("OAE-MED-004")
@pytest.mark.parametrize(
    ("bench", "said"),
    [
        ("veth", "cables need the capability CAP_NET_ADMIN"),
        ("nic", "need the capability CAP_NET_RAW"),
    ],
)
def test_what_a_bench_may_not_do_is_said(
    bench: str, said: str, cable: Pair, tmp_path: Path
) -> None:
    """To a process that has no capability at all."""
    a, b = cable
    path = tmp_path / "nic.yaml"
    ends = (
        f"  {end}: {{kind: nic, medium: 'packet:{name}'}}"
        for end, name in zip("ab", (a, b), strict=True)
    )
    path.write_text("\n".join(["version: 1", "ends:", *ends]))
    without = ["setpriv", "--bounding-set=-all", "--inh-caps=-all"]
    command = [
        sys.executable,
        "-m",
        "oae.cli",
        "bench",
        "doctor",
        str(path) if bench == "nic" else bench,
    ]
    done = subprocess.run([*without, *command], capture_output=True, text=True, check=False)
    assert done.returncode == 4
    (line,) = done.stderr.splitlines()
    assert said in line
    assert "need none" in line


@requirement("OAE-DOC-003")
def test_a_silent_peer(cable: Pair) -> None:
    a, b = cable
    assert named(examine(Bench("alone", (nic(a), silent(b))))) == [(Fault.PEER_SILENT, "a")]


@requirement("OAE-DOC-003")
def test_one_dead_direction(cable: Pair) -> None:
    a, b = cable
    block(b)
    (found,) = examine(Bench("one way", (nic(a), nic(b))))
    assert (found.fault, found.where) == (Fault.ONE_DIRECTION_DEAD, "b->a")


def block(interface: str) -> None:
    """The kernel lets nothing out: a bucket that is smaller than any frame."""
    command = ["tc", "qdisc", "add", "dev", interface, "root", "tbf"]
    limits = ["rate", "8bit", "burst", "1", "latency", "1ms"]
    subprocess.run([*command, *limits], check=True, capture_output=True)


@requirement("OAE-DOC-003")
def test_another_ethertype(cable: Pair) -> None:
    a, b = cable
    sync = Sync(session=1, verified=0, challenger=0, counter=1, record_max=64, window=8)
    image = encode(Frame(Operation.SYNC, sync=sync), ethertype=OTHER_ETHERTYPE)
    ended = threading.Event()

    def send() -> None:
        with socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as sender:
            sender.bind((b, 0))
            while not ended.wait(0.01):
                sender.send(image)

    thread = threading.Thread(target=send)
    thread.start()
    try:
        (found,) = examine(Bench("other type", (nic(a), silent(b))))
    finally:
        ended.set()
        thread.join()
    assert (found.fault, found.where) == (Fault.ANOTHER_ETHERTYPE, f"a, {a}")
    assert "EtherType 0x88B6" in found.seen


@requirement("OAE-DOC-003")
@needs_live
@pytest.mark.long
def test_a_board_that_is_compiled_with_another_ethertype(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each end counts as foreign what the other sends: one in its board, one at its medium."""
    compile_with(monkeypatch, tmp_path, f"-GETHERTYPE=16'h{OTHER_ETHERTYPE:X}")
    peer = End(Kind.PYTHON, Unix(str(tmp_path / "b"), str(tmp_path / "a")))
    with changed_live(tmp_path) as port:
        found = examine(replace(alone(port), ends=(alone(port).ends[0], peer)))
    assert named(found) == [(Fault.ANOTHER_ETHERTYPE, end) for end in "ab"]


@requirement("OAE-DOC-003")
@needs_live
def test_boards_whose_frames_are_dropped_or_corrupted(tmp_path: Path) -> None:
    """By the injector of board a, each frame."""
    with live_pair(tmp_path) as ports:
        bench = of_boards(ports)
        inject(ports["a"], Injection.DROP)
        assert named(examine(bench)) == [(Fault.ONE_DIRECTION_DEAD, "a->b")]
        inject(ports["a"], Injection.CORRUPT)
        assert named(examine(bench)) == [(Fault.LINK_NOT_UP, "the link")]


def inject(port: str, kind: Injection) -> None:
    with connected(port) as client:
        Board(client).inject(kind, one_in=1)


@requirement("OAE-DOC-003")
def test_two_links_that_are_swapped(cable: Pair) -> None:
    """Two cables; the ends of this bench are at different ones, and so are those of the other."""
    with veth_pair() as other, ExitStack() as stack:
        for name, interface in (("b", cable[1]), ("a", other[0])):
            medium = f"packet:{interface}"
            process = Process(["drive", "--json", "--end", name, "--medium", medium])
            stack.callback(process.stop)
            process.wait_until_ready()
        (found,) = examine(Bench("swapped", (nic(cable[0]), nic(other[1]))))
    assert found.fault is Fault.CROSSED_CABLES
