"""The serial client, its messages, registers by name, and the bring-up of live ends."""

import json
import os
import pwd
import random
import re
import signal
import socket
import termios
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from oae.bench.parse import parse
from oae.bringup import client as client_module
from oae.bringup import registers as map_module
from oae.bringup import wire
from oae.bringup.board import Board, Told
from oae.bringup.client import Client, RefusedError, connected
from oae.bringup.port import Port, PortError, Trouble
from oae.bringup.registers import counters, register, registers
from oae.bringup.report import Report
from oae.bringup.steps import Step
from oae.cli import main
from oae.model.events import Event
from oae.spec.constants import COUNTERS, REGISTER, EventCode, SerialStatus, State
from oae.testing import requirement

from host.tests.live.live_ends import needs_live
from host.tests.live.serial_device import Device, clean, noise, on_pty, on_rfc2217

WORDS = st.integers(0, 2**32 - 1)


@pytest.fixture
def device() -> Device:
    return Device()


@pytest.fixture
def url(device: Device) -> Iterator[str]:
    with on_pty(device.take) as name:
        yield name


@contextmanager
def on_socket(device: Device) -> Iterator[str]:
    """The device behind a TCP port."""
    with closing(socket.create_server(("127.0.0.1", 0))) as server:

        def serve() -> None:
            taken, _ = server.accept()
            with taken:
                while data := taken.recv(4096):
                    taken.sendall(device.take(data))

        thread = threading.Thread(target=serve)
        thread.start()
        yield f"socket://127.0.0.1:{server.getsockname()[1]}"
        thread.join()


def one_line(capsys: pytest.CaptureFixture[str]) -> str:
    """What a command said when it failed, which is one line and no traceback."""
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.count("\n") == 1
    return said.err


# ---------------------------------------------------------------------------- frames


BOARD_DOCUMENT = Path(__file__).parents[3] / "docs" / "board.md"


@requirement("OAE-BUP-001")
def test_the_examples_of_the_document_are_what_goes_over_the_wire() -> None:
    told: list[wire.Request | wire.Answer] = [
        wire.read(1, REGISTER["IDENTITY"]),
        wire.Answer(1, SerialStatus.OK, (map_module.IDENTITY,)),
        wire.write(2, register("SCRATCH").address, 0x1234_5678),
        wire.Answer(2, SerialStatus.OK),
    ]
    lines = BOARD_DOCUMENT.read_text().splitlines()
    found = [re.search(r"^    \w.*  ((?:[0-9a-f]{2} )+00)$", line) for line in lines]
    frames = [bytes.fromhex(each[1]) for each in found if each]
    assert frames == [each.encode() for each in told]
    assert [wire.answer(frame) for each in frames for frame in wire.frames(each)] == [
        None,  # a request is no answer
        told[1],
        None,
        told[3],
    ]


@requirement("OAE-BUP-001")
@given(WORDS, st.sampled_from(SerialStatus), st.lists(WORDS, max_size=60))
def test_an_answer_is_read_as_it_was_written(
    sequence: int, status: SerialStatus, words: list[int]
) -> None:
    found = wire.answer(*wire.frames(wire.Answer(sequence, status, tuple(words)).encode()))
    assert found == (sequence, status, tuple(words))


@requirement("OAE-BUP-001")
@given(st.binary(max_size=300))
def test_bytes_that_are_no_answer_are_none(data: bytes) -> None:
    for frame in data.split(b"\0"):
        assert wire.answer(frame) is None


@requirement("OAE-BUP-001")
def test_no_answer_with_one_or_two_wrong_bits_is_taken() -> None:
    (frame,) = wire.frames(wire.Answer(0x01020304, SerialStatus.OK, (0xDEAD_BEEF,)).encode())
    bits = range(8 * len(frame))
    number = int.from_bytes(frame, "little")
    for one in bits:
        for other in bits[one:]:
            harmed = number ^ 1 << one ^ (1 << other if other != one else 0)
            assert wire.answer(harmed.to_bytes(len(frame), "little")) is None


# ---------------------------------------------------------------------------- client


@requirement("OAE-BUP-002")
@pytest.mark.parametrize("seed", range(2))
def test_under_noise_nothing_is_wrong_and_each_write_happens_once(seed: int) -> None:
    device = Device(noise(seed, 0.01), noise(seed + 100, 0.01))
    scratch = register("SCRATCH").address
    values = random.Random(seed)
    expected = []
    with on_pty(device.take) as url, closing(Port(url)) as port:
        client = Client(port, patience=0.05, attempts=50)
        for _ in range(60):
            value = values.getrandbits(32)
            expected.append((scratch, value))
            client.write(scratch, value)
            assert client.read(scratch) == [value]
    assert device.executed == expected
    assert client.repeated > 0


@requirement("OAE-BUP-002")
def test_a_late_answer_is_not_taken_for_the_next_one(device: Device) -> None:
    scratch, writes = register("SCRATCH").address, register("WRITES").address
    device.set("SCRATCH", 1)
    device.set("WRITES", 2)
    kept: list[bytes] = []

    def late(data: bytes) -> bytes:
        kept.append(device.take(data))
        return kept[-2] + kept[-1] if len(kept) > 1 else b""

    with on_pty(late) as url, closing(Port(url)) as port:
        client = Client(port, patience=0.05)
        assert client.read(scratch) == [1]
        assert client.read(writes) == [2]


@requirement("OAE-BUP-007")
def test_a_socket_does_as_well(device: Device) -> None:
    device.set("SCRATCH", 77)
    with on_socket(device) as url, connected(url) as client:
        assert Board(client).read("SCRATCH") == 77


of_pyserial = pytest.mark.filterwarnings("ignore:set(Daemon|Name):DeprecationWarning:serial")


@requirement("OAE-BUP-007")
@of_pyserial
def test_a_server_of_serial_ports_does_as_well(url: str) -> None:
    with on_rfc2217(url) as remote, connected(remote) as client:
        board = Board(client)
        board.write("SCRATCH", 0xFFFF_FF00)  # 0xFF begins a command of telnet
        assert board.read("SCRATCH") == 0xFFFF_FF00


@requirement("OAE-BUP-003")
@of_pyserial
def test_another_speed_behind_a_server_is_named(device: Device) -> None:
    with (
        on_pty(device.take, termios.B9600) as url,
        on_rfc2217(url) as remote,
        pytest.raises(PortError, match="answers at 9600 baud, not at 115200; say baud 9600"),
        connected(remote),
    ):
        pass


@requirement("OAE-BUP-002")
@given(st.integers(1, 200))
def test_long_reads_are_cut_into_requests(count: int) -> None:
    device = Device()
    device.values = {place: place * 3 for place in range(300)}

    class Direct(Port):
        def __init__(self) -> None:
            self.said = b""

        def send(self, data: bytes) -> None:
            self.said += device.take(data)

        def receive(self) -> bytes:
            said, self.said = self.said, b""
            return said

    assert Client(Direct()).read(5, count) == [place * 3 for place in range(5, 5 + count)]


@requirement("OAE-BUP-003")
def test_what_the_board_refuses_is_said(url: str) -> None:
    with closing(Port(url)) as port:
        client = Client(port)
        with pytest.raises(RefusedError, match="writing 0x102: the board says read only"):
            client.write(0x102, 1)
        with pytest.raises(RefusedError, match="reading 0x03F: the board says no register"):
            client.read(0x3F, 2)


# ---------------------------------------------------------------------------- messages


@requirement("OAE-BUP-003")
@pytest.mark.parametrize(
    ("port", "said"),
    [
        ("/dev/ttyNONE", "no such port; this machine has"),
        ("/dev/null", "is no serial port"),
        ("/tmp", "is no serial port"),
        ("nothing://x", "not a URL that pyserial knows"),
        ("socket://127.0.0.1", "not a URL that pyserial knows"),
        ("socket://127.0.0.1:99999", "not a URL that pyserial knows"),
        ("rfc2217://127.0.0.1:1", "nobody listens there"),
        ("socket://127.0.0.1:1", "nobody listens there"),
    ],
)
def test_a_port_that_cannot_be_opened(
    port: str, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["bringup", "--port", port]) == 4
    assert f"{port}: {said}" in one_line(capsys)


@requirement("OAE-BUP-003")
def test_a_busy_port(url: str, capsys: pytest.CaptureFixture[str]) -> None:
    with closing(Port(url)):
        assert main(["bringup", "--port", url]) == 4
    assert one_line(capsys) == f"oae: {url}: another program has the port; end it\n"


@requirement("OAE-BUP-003")
def test_a_port_of_somebody_else(url: str, capsys: pytest.CaptureFixture[str]) -> None:
    if os.geteuid() != 0:
        pytest.skip("becoming another user needs root")
    assert main(["bringup", "--port", "/dev/ttyNONE"]) == 4  # loads what another user may not
    capsys.readouterr()
    Path(url).chmod(0o600)
    os.seteuid(pwd.getpwnam("nobody").pw_uid)
    try:
        code = main(["bringup", "--port", url])
    finally:
        os.seteuid(0)
    assert code == 4
    assert f"{url}: no permission; it belongs to root, group " in one_line(capsys)


@requirement("OAE-BUP-003")
@pytest.mark.parametrize(
    ("take", "trouble", "said"),
    [
        (lambda data: b"", Trouble.SILENT, "silent at 115200 baud; check power"),
        (lambda data: b"login: ", Trouble.NONSENSE, "no answer among them"),
        (clean, Trouble.NONSENSE, "echoes what is sent"),
    ],
)
def test_a_device_that_is_no_board(take: object, trouble: Trouble, said: str) -> None:
    with on_pty(take) as url, closing(Port(url)) as port:  # type: ignore[arg-type]
        with pytest.raises(PortError, match=said) as raised:
            Client(port, patience=0.1, attempts=2).read(0)
        assert raised.value.trouble is trouble


@requirement("OAE-BUP-003")
def test_a_joined_line_echoes() -> None:
    with closing(Port("loop://")) as port, pytest.raises(PortError, match="echoes what is sent"):
        Client(port, patience=0.1, attempts=1).read(0)


@requirement("OAE-BUP-003")
def test_another_speed_is_named(device: Device, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client_module, "PATIENCE", 0.05)
    with (
        on_pty(device.take, termios.B9600) as url,
        pytest.raises(PortError, match="answers at 9600 baud, not at 115200; say baud 9600"),
        connected(url),
    ):
        pass


@requirement("OAE-BUP-007")
def test_the_port_is_found_by_asking(
    url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def known() -> list[str]:
        return ["/dev/null", url]

    monkeypatch.setattr("oae.commands.bringup.find_ports", known)
    assert main(["bringup", "--port", "find", "read", "identity", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told == {"port": url, "registers": {"IDENTITY": 0x4F414531}}


@requirement("OAE-BUP-003")
def test_no_board_is_found(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("oae.commands.bringup.find_ports", list)
    assert main(["bringup", "--port", "find"]) == 4
    assert "this machine has no serial port" in one_line(capsys)


# ---------------------------------------------------------------------------- by name


@requirement("OAE-BUP-004")
def test_every_register_and_counter_has_its_name() -> None:
    for name, one in {**registers(), **counters()}.items():
        assert register(name) == register(name.lower()) == register(hex(one.address)) == one
    assert [name for name, *_ in COUNTERS] == list(counters())
    addresses = [one.address for one in counters().values()]
    assert addresses == list(range(REGISTER["COUNTERS"], REGISTER["COUNTERS"] + len(addresses)))


@requirement("OAE-BUP-004")
@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["read", "SCRATHC"], "no register SCRATHC; did you mean SCRATCH?"),
        (["read", "0x10000"], "not an address from 0 to 0xFFFF"),
        (["write", "WRITES", "1"], "WRITES: cannot be written"),
        (["write", "SCRATCH", "much"], "'much' is no number"),
        (["write", "SCRATCH", "0x100000000"], "not from 0 to 0xFFFFFFFF"),
        (["read"], "read: write read NAME"),
        (["raed", "SCRATCH"], "no action raed; there are registers, read"),
        (["counters", "now"], "counters now: write counters"),
    ],
)
def test_a_wrong_word_is_refused_before_the_port_is_opened(
    words: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["bringup", "--port", "/dev/ttyNONE", *words]) == 2
    assert said in one_line(capsys)


@requirement("OAE-BUP-004")
@given(WORDS)
def test_registers_are_written_and_read_by_name(value: int) -> None:
    device = Device()
    with on_pty(device.take) as url:
        assert main(["bringup", "--port", url, "write", "scratch", hex(value)]) == 0
        with connected(url) as client:
            assert Board(client).read("SCRATCH") == value


@requirement("OAE-BUP-004")
def test_identity_names_a_wrong_register_map(
    device: Device, url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["bringup", "--port", url]) == 0
    assert "its register map is the one of this program" in capsys.readouterr().out
    device.set("VERSION", map_module.VERSION + 1)
    assert main(["bringup", "--port", url]) == 0
    assert "this program reads" in capsys.readouterr().out


@requirement("OAE-BUP-005")
def test_counters_go_by_their_names(
    device: Device, url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    for number, one in enumerate(counters().values()):
        device.values[one.address] = number * 7
    assert main(["bringup", "--port", url, "counters", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)["counters"]
    assert told == {name: number * 7 for number, (name, *_) in enumerate(COUNTERS)}


@requirement("OAE-BUP-005")
def test_the_trace_is_told_as_events(
    device: Device, url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    event = Event(EventCode.DECIDED, 3, State.REFLECTING, State.COMMITTED, 0, 42)
    first = register("TRACE_ENTRY").address
    word = event.word()
    entry = (1 << 31 | 3 << 16, 1234, word >> 32, word & 0xFFFF_FFFF)
    device.values |= dict(enumerate(entry * 15, first))
    device.set("TRACE_COUNT", 2)
    assert main(["bringup", "--port", url, "trace", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)["trace"]
    assert [line[:3] for line in told] == [[1234, 3, word]] * 2
    assert str(event) in told[0][3]


# ---------------------------------------------------------------------------- bring-up


@requirement("OAE-BUP-006")
@needs_live
def test_live_ends_are_brought_up(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "out"
    assert main(["bringup", "embedded", "--out", str(out), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told == json.loads((out / "bringup.json").read_text())
    assert told["verdict"] == "PASS"
    names = [(step["name"], step["end"]) for step in told["steps"]]
    alone = ["identity", "registers", "clock", "loopback"]
    faults = ["drop 1 in 10", "corrupt 1 in 10", "duplicate 1 in 10"]
    assert names == [
        *[(name, end) for end in "ab" for name in alone],
        ("link", "a and b"),
        *[(name, end) for name in ("transactions", *faults) for end in "ab"],
    ]
    assert all(step["good"] and step["saw"] and step["expected"] for step in told["steps"])
    assert told["text"] == parse("embedded").text
    assert told["ends"]["a"].startswith("live, on unix")
    committed = told["counters"]["a"]["TOLD_COMMITTED"]
    assert committed >= 1000
    assert told["counters"]["b"]["DELIVERED"] >= 1000
    page = (out / "bringup.html").read_text()
    assert '<p class="verdict PASS"' in page
    assert "://" not in page


@requirement("OAE-BUP-006", "OAE-BEN-003")
def test_a_report_says_what_stood_in_and_what_to_check(tmp_path: Path) -> None:
    bench = parse("board").with_substitutes(frozenset("ab"))
    failed = Step("link", "a", False, "a <DOWN>", "a UP", "the cable")
    Report(bench, ["a: its substitute stands in"], steps=[failed]).write(tmp_path / "out")
    told = json.loads((tmp_path / "out" / "bringup.json").read_text())
    assert told["verdict"] == "FAIL"
    assert told["reason"] == "link of a: the cable"
    assert told["said"] == ["a: its substitute stands in"]
    page = (tmp_path / "out" / "bringup.html").read_text()
    for text in ("a: its substitute stands in", "a &lt;DOWN&gt;", "check: the cable", bench.text):
        assert text in page


@requirement("OAE-BUP-006")
def test_a_board_with_another_register_map_is_never_written(
    device: Device, url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OAE_LEASE_DIRECTORY", str(tmp_path / "leases"))
    device.set("VERSION", map_module.VERSION + 1)
    assert main(["bringup", one_board(tmp_path, url), "--out", str(tmp_path / "out")]) == 1
    told = json.loads((tmp_path / "out" / "bringup.json").read_text())
    assert [(step["name"], step["good"]) for step in told["steps"]] == [("identity", False)]
    assert "this program reads" in told["reason"]
    assert device.executed == []


@requirement("OAE-BUP-006")
@pytest.mark.parametrize("seed", range(3))
def test_a_board_whose_registers_hold_anything_fails_in_words(
    seed: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OAE_LEASE_DIRECTORY", str(tmp_path / "leases"))
    monkeypatch.setattr("oae.bringup.steps.PATIENCE", 0.05)
    monkeypatch.setattr("oae.bringup.steps.CLOCK_SECONDS", (0.01,))
    values = random.Random(seed)

    class Wild(Device):
        """Says who it is; what else is read is drawn."""

        def take(self, data: bytes) -> bytes:
            for place in self.values.keys() - KNOWN:
                self.values[place] = values.choice((0, 0xFFFF_FFFF, values.getrandbits(32)))
            return super().take(data)

    with on_pty(Wild().take) as url:
        assert main(["bringup", one_board(tmp_path, url), "--out", str(tmp_path / "out")]) == 1
    told = json.loads((tmp_path / "out" / "bringup.json").read_text())
    assert [step["good"] for step in told["steps"]][:2] == [True, False]
    assert set(told["counters"]["a"]) == set(counters())


KNOWN = {register(name).address for name in ("IDENTITY", "VERSION", "BOARD_VERSION")}


@requirement("OAE-BUP-005")
@given(st.integers(0, 2**64 - 1))
def test_any_event_word_can_be_told(word: int) -> None:
    assert "\n" not in str(Told(0, 0, word))


def one_board(folder: Path, url: str) -> str:
    """A bench with one board that can be asked."""
    path = folder / "one.yaml"
    path.write_text(
        "version: 1\nends:\n"
        f"  a: {{kind: board, serial: {url}}}\n"
        "  b: {kind: board, medium: 'packet:lo'}\n"
    )
    return str(path)


@requirement("OAE-BUP-006")
def test_an_interrupted_bring_up_leaves_its_report_and_the_board_as_it_was(
    device: Device, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ctrl-C comes while the loopback is switched on."""
    monkeypatch.setenv("OAE_LEASE_DIRECTORY", str(tmp_path / "leases"))
    control = register("CONTROL").address

    def take(data: bytes) -> bytes:
        said = device.take(data)
        if device.executed and device.executed[-1][0] == control and device.executed[-1][1]:
            device.executed.clear()
            os.kill(os.getpid(), signal.SIGINT)
        return said

    out = tmp_path / "out"
    with on_pty(take) as url:
        assert main(["bringup", one_board(tmp_path, url), "--out", str(out)]) == 130
    told = json.loads((out / "bringup.json").read_text())
    assert told["verdict"] == "FAIL"
    steps = [(step["name"], step["good"]) for step in told["steps"]]
    assert steps[0] == ("identity", True)
    assert steps[2:] == [("clock", False), ("interrupted", False)]
    assert device.values[control] == 0


@requirement("OAE-BUP-006")
@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "give one bench, or --port"),
        (["--port", "loop://", "--out", "x"], "only the bring-up of a bench leaves a report"),
        (["python"], "no end has a serial line"),
        (["embedded", "--out", "/dev/null/x"], "--out /dev/null/x: not a directory"),
        (["nowhere"], "nowhere: no such file or directory; the library has"),
    ],
)
def test_a_bring_up_that_cannot_be(
    words: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["bringup", *words]) == 2
    assert said in one_line(capsys)
