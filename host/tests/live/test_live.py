"""The Verilog end on a medium: real processes, sockets, interfaces and terminals, real time."""

import os
import random
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
from oae import trace
from oae.bringup.board import Board
from oae.bringup.client import answers, connected
from oae.capture.join import join
from oae.capture.read import Capture
from oae.check.capture import check
from oae.check.findings import Result
from oae.check.verdict import Verdict
from oae.cli import main
from oae.drive.orders import FORMS
from oae.live import start
from oae.medium.address import LOOPBACK
from oae.medium.medium import Medium
from oae.medium.opening import open_medium
from oae.scenario.parse import parse
from oae.spec.constants import ETHERTYPE, EventCode
from oae.testing import requirement

from host.tests.live.interfaces import Pair
from host.tests.live.test_drive import BUSY as NARROW
from host.tests.live.test_drive import (
    CODE,
    DEAD,
    HOSTILE,
    PATIENCE,
    Running,
    is_dead,
    records_of,
)

LIVE = ("live",)
IDLE_SECONDS = 5.0
UP_SECONDS = 10.0  # until an end that was down for 10 ms must be up, on a busy machine
# One window for all tests: each takes a build for each end.
BUSY = NARROW.replace("window = 4", "window = 8")
LOAD = "version = 1\n[load.both]\nrecords = 400\n"


class Ends:
    """Two ends as processes, each with a capture, and a relay between them if there is one."""

    def __init__(
        self,
        folder: Path,
        scenario: str,
        stack: ExitStack,
        media: Pair | None = None,
        commands: tuple[Sequence[str], Sequence[str]] = (LIVE, LIVE),
        *,
        relayed: bool = False,
    ) -> None:
        self.folder = folder
        (folder / "scenario.toml").write_text(scenario)
        self._relay = self._relayed(stack) if relayed else None
        if media is None:
            other = ("ra", "rb") if relayed else ("b", "a")
            media = f"unix:{folder}/a,{folder}/{other[0]}", f"unix:{folder}/b,{folder}/{other[1]}"
        # One after the other: a TAP device is there once the first is.
        found, self.ready = [], []
        for name, medium, command in zip("ab", media, commands, strict=True):
            end = Running(folder, name, medium, stack, command=command)
            self.ready.append(end.until("ready"))
            found.append(end)
        self.a, self.b = found

    @property
    def both(self) -> tuple[Running, Running]:
        return self.a, self.b

    def _relayed(self, stack: ExitStack) -> "subprocess.Popen[bytes]":
        sides = [f"unix:{self.folder}/r{name},{self.folder}/{name}" for name in "ab"]
        words = [*sides, "--json", "--scenario", f"{self.folder}/scenario.toml"]
        words += ["--capture", f"{self.folder}/relay.pcapng"]
        relay = subprocess.Popen(
            [sys.executable, "-m", "oae.cli", "relay", *words],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        stack.callback(relay.communicate)
        stack.callback(relay.kill)
        return relay

    def load(self) -> None:
        """When the link is UP, both loads begin."""
        for end in self.both:
            end.link_up()
        for end in self.both:
            end.say("load")

    def judge(self) -> Result:
        """All stop; what the checker makes of what they recorded."""
        for end in self.both:
            end.say("stop")
        for end in self.both:
            assert end.until("stopped")["link"] == "DOWN"
            assert end.process.wait(PATIENCE) == 0
        sources = {name: [self.folder / f"{name}.pcapng"] for name in "ab"}
        if self._relay is not None:
            self._relay.send_signal(signal.SIGINT)
            self._relay.wait(PATIENCE)
            sources["relay"] = [self.folder / "relay.pcapng"]
        join(sources, self.folder / "whole.pcapng")
        return check(Capture(self.folder / "whole.pcapng"))


def until_event(end: Running, number: int) -> None:
    """Wait for the step of a watch; others may come before."""
    while end.until("event")["number"] != number:
        pass


@contextmanager
def live_ends(folder: Path, scenario: str, **options: Any) -> Iterator[Ends]:
    with ExitStack() as stack:
        yield Ends(folder, scenario, stack, **options)


def free_ports() -> tuple[int, int]:
    with (
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other,
    ):
        for taken in (one, other):
            taken.bind((LOOPBACK, 0))
        return one.getsockname()[1], other.getsockname()[1]


def media_of(kind: str, folder: Path, request: pytest.FixtureRequest) -> Pair:
    """The media of two ends."""
    if kind == "unix":
        return f"unix:{folder}/a,{folder}/b", f"unix:{folder}/b,{folder}/a"
    if kind == "udp":
        one, other = free_ports()
        a, b = (f"{LOOPBACK}:{port}" for port in (one, other))
        return f"udp:{a},{b}", f"udp:{b},{a}"
    veth: Pair = request.getfixturevalue("veth")
    name = f"oael{os.getpid()}"
    return {
        "packet": (f"packet:{veth[0]}", f"packet:{veth[1]}"),
        "tap": (f"tap:{name}", f"packet:{name}"),
    }[kind]


@requirement("OAE-LIV-001")
@pytest.mark.parametrize("kind", ["unix", "udp", "packet", "tap"])
def test_two_ends_resolve_every_record(
    kind: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    media = media_of(kind, tmp_path, request)
    with live_ends(tmp_path, BUSY, media=media) as ends:
        assert [told["medium"] for told in ends.ready] == list(media)
        ends.load()
        told = [end.until("resolved") for end in ends.both]
        judged = ends.judge()
    assert judged.verdict is Verdict.PASS, judged.reason
    assert [one["committed"] for one in told] == [60, 60]
    for one in told:
        assert one["latency"]["count"] > 0
        assert 0 < one["latency"]["median_ns"] < 1e9


@requirement("OAE-LIV-001")
@pytest.mark.parametrize("commands", [(LIVE, ("drive",)), (("drive",), LIVE)])
def test_a_live_end_and_a_python_end(
    commands: tuple[Sequence[str], Sequence[str]], tmp_path: Path
) -> None:
    with live_ends(tmp_path, BUSY, commands=commands) as ends:
        ends.load()
        assert [end.until("resolved")["committed"] for end in ends.both] == [60, 60]
        judged = ends.judge()
    assert judged.verdict is Verdict.PASS, judged.reason


@requirement("OAE-LIV-002")
@pytest.mark.parametrize("seed", [1, 2])
def test_under_every_kind_of_fault_and_restarts_every_promise_is_kept(
    seed: int, tmp_path: Path
) -> None:
    scenario = BUSY.replace("seed = 11", f"seed = {seed}").replace("60", "200") + HOSTILE
    with live_ends(tmp_path, scenario, relayed=True) as ends:
        for end, code in ((ends.a, EventCode.CRASH), (ends.b, EventCode.AMNESIA)):
            end.say(f"watch 20 {CODE:x} {code << 56:x}")
        # The first that is told of a record whose id is 8.
        ends.a.say(f"watch 21 {CODE | 0xFFFFFFFF:x} {EventCode.TOLD << 56 | 8:x}")
        ends.load()
        until_event(ends.a, 21)
        ends.a.process.send_signal(signal.SIGUSR1)
        until_event(ends.a, 20)
        ends.b.say("amnesia 100")
        until_event(ends.b, 20)
        ends.a.say("crash 100")
        for end in ends.both:
            end.until("resolved")
        judged = ends.judge()
    assert judged.verdict is Verdict.PASS, judged.reason
    restarts = [
        sum(one.code == code for one in records_of(tmp_path / f"{name}.pcapng", trace.Event))
        for name, code in (("a", EventCode.CRASH), ("b", EventCode.AMNESIA))
    ]
    assert restarts == [2, 1]


@requirement("OAE-LIV-003")
def test_commands_do_what_they_say(tmp_path: Path) -> None:
    scenario = "version = 1\n[load.a]\nrecords = 20\n"
    with live_ends(tmp_path, scenario) as ends:
        a, b = ends.both
        b.say("stall deliver on")
        b.say(f"watch 7 {CODE:x} {EventCode.DELIVERED << 56:x}")
        b.say(f"watch 8 {CODE:x} {EventCode.COMMIT_HEARD << 56:x}")
        ends.load()
        until_event(b, 8)
        until_event(b, 8)
        b.say("statistics")
        assert b.until("statistics")["delivered"] == 0
        b.say("stall deliver off")
        assert a.until("resolved")["committed"] == 20
        b.say("statistics")
        assert b.until("statistics")["delivered"] == 20
        heard = [told["event"] for told in b.told if "event" in told]
        assert [one["number"] for one in heard].count(7) == 20
        assert [one["time"] for one in heard] == sorted(one["time"] for one in heard)
        assert abs(time.time_ns() - heard[-1]["time"]) < PATIENCE * 1e9
        a.say(f"watch 9 {CODE:x} {EventCode.EPOCH_TAKEN << 56:x}")
        for end in (b, a):
            end.say("epoch 3 3")
        until_event(a, 9)
        down = f"watch 10 {CODE:x} {EventCode.DISABLED << 56:x}"
        up = f"watch 11 {CODE:x} {EventCode.ENABLED << 56:x}"
        for line in (down, "disable on"):
            b.say(line)
        until_event(b, 10)
        for line in (up, "disable off"):
            b.say(line)
        until_event(b, 11)
        b.link_up()
        judged = ends.judge()
        assert judged.verdict is Verdict.PASS, judged.reason


@requirement("OAE-LIV-003")
def test_a_line_that_is_no_command_changes_nothing_and_says_which_there_are(
    tmp_path: Path,
) -> None:
    lines = ["craash", "crash 0", "crash x", "stall b on", "mute", "cancel 65536", "watch 1 2"]
    lines += [
        "epoch 1",
        "watch 1 g 0",
        "disable maybe",
        "load now",
        "rotate",
        "crash -1",
        "'\0\xff",
    ]
    with live_ends(tmp_path, LOAD) as ends:
        for line in lines:
            ends.a.say(line)
            said = ends.a.until("error")
            assert all(form in said for form in FORMS), line
        ends.a.say(f"rotate {tmp_path}/none/x")
        assert "no such file" in ends.a.until("error").lower()
        ends.a.say("statistics")
        assert ends.a.until("statistics")["submitted"] == 0
        assert not [told for told in ends.a.told if "progress" in told]


@requirement("OAE-LIV-004", "OAE-LIV-006")
def test_being_stopped_for_100_ms_is_no_fault_and_every_stop_leaves_all_in_order(
    tmp_path: Path,
) -> None:
    with live_ends(tmp_path, LOAD) as ends:
        a, b = ends.both
        for end in (a, b):
            for number, code in enumerate(DEAD, 10):
                end.say(f"watch {number} {CODE:x} {code << 56:x}")
        ends.load()
        for end in (a, b):
            end.process.send_signal(signal.SIGSTOP)
            time.sleep(0.1)  # this is what is tested
            end.process.send_signal(signal.SIGCONT)
        assert [end.until("resolved")["committed"] for end in (a, b)] == [400, 400]
        assert not [one for end in (a, b) for one in end.told if "event" in one and is_dead(one)]
        a.say(f"rotate {tmp_path}/later.pcapng")
        a.process.send_signal(signal.SIGTERM)
        b.end_input()
        for end, name in ((a, "a"), (b, "b")):
            end.until("stopped")
            assert end.process.wait(PATIENCE) == 0
            assert not (tmp_path / name).exists()
    join(
        {"a": [tmp_path / "a.pcapng", tmp_path / "later.pcapng"], "b": [tmp_path / "b.pcapng"]},
        tmp_path / "whole.pcapng",
    )
    result = check(Capture(tmp_path / "whole.pcapng"))
    assert result.verdict is Verdict.PASS, result.reason
    assert check(Capture(tmp_path / "a.pcapng")).verdict is not Verdict.FAIL


FRAME = bytes(12) + ETHERTYPE.to_bytes(2, "big") + bytes(46)  # of the link, and of no use


def fill(medium: Medium) -> None:
    """Send until there is room for no more."""
    lost = medium.counters.lost_full
    while medium.counters.lost_full == lost:
        medium.send(FRAME)


@contextmanager
def alone(folder: Path) -> Iterator[tuple[Running, Medium]]:
    """A live end, and the medium at the other side of its own."""
    (folder / "scenario.toml").write_text(LOAD)
    media = f"unix:{folder}/a,{folder}/peer", f"unix:{folder}/peer,{folder}/a"
    with ExitStack() as stack:
        end = Running(folder, "a", media[0], stack, command=LIVE)
        end.until("ready")
        yield end, stack.enter_context(closing(open_medium(media[1])))


@requirement("OAE-LIV-011")
def test_a_restart_ends_whatever_waits_and_however_long_the_end_was_away(tmp_path: Path) -> None:
    draw = random.Random(5)
    with alone(tmp_path) as (end, peer):
        for number, code in ((20, EventCode.CRASH), (21, EventCode.AMNESIA)):
            end.say(f"watch {number} {CODE:x} {code << 56:x}")
        for turn in range(24):
            what, number = (("crash", 20), ("amnesia", 21))[turn // 12]
            is_away, waiting = turn % 2, (0, 5, None)[turn % 3]
            time.sleep(draw.uniform(0, 0.005))  # anywhere in its sleep
            if is_away:
                end.process.send_signal(signal.SIGSTOP)
            end.say(f"{what} {draw.randint(1, 500)}")
            if waiting is None:
                fill(peer)
            for _ in range(waiting or 0):
                peer.send(FRAME)
            if is_away:
                time.sleep(draw.uniform(0.006, 0.03))  # longer than what it is ready for
                end.process.send_signal(signal.SIGCONT)
            until_event(end, number)
            deadline = time.monotonic() + UP_SECONDS
            link = "DOWN"
            while link == "DOWN":
                assert time.monotonic() < deadline, (turn, what, is_away, waiting)
                end.say("statistics")
                link = end.until("statistics")["link"]


@requirement("OAE-LIV-008")
def test_frames_that_do_not_cease_hold_no_timer_up(tmp_path: Path) -> None:
    with alone(tmp_path) as (end, peer):
        end.process.send_signal(signal.SIGSTOP)
        fill(peer)
        time.sleep(0.02)  # longer than what it is ready for
        end.process.send_signal(signal.SIGCONT)
        ticks: list[int] = []
        deadline = time.monotonic() + UP_SECONDS
        while not ticks or ticks[-1] < ticks[0] + 5_000:  # of 20 us
            assert time.monotonic() < deadline, ticks
            fill(peer)
            end.say("statistics")
            ticks.append(end.until("statistics")["ticks"])


@requirement("OAE-LIV-012")
def test_what_a_restart_cuts_off_reaches_nobody(tmp_path: Path) -> None:
    draw = random.Random(3)
    with live_ends(tmp_path, LOAD.replace("400", "4000")) as ends:
        for end in ends.both:
            end.say(f"watch 20 {CODE:x} {EventCode.CRASH << 56:x}")
        ends.load()
        for turn in range(100):
            end = ends.both[turn % 2]
            time.sleep(draw.uniform(0, 0.01))  # anywhere in what it does
            end.say("crash")
            until_event(end, 20)
        for end in ends.both:
            if not any("resolved" in one for one in end.told):  # while it crashed
                end.until("resolved")
        judged = ends.judge()
    assert judged.verdict is Verdict.PASS, judged.reason


@requirement("OAE-LIV-005")
def test_an_idle_end_takes_little_of_a_core(tmp_path: Path) -> None:
    with live_ends(tmp_path, LOAD) as ends:
        for end in ends.both:
            end.link_up()
        used = []
        for _ in range(2):
            for end in ends.both:
                end.say("statistics")
                used.append(end.until("statistics")["processor_seconds"])
            if len(used) == len(ends.both):
                time.sleep(IDLE_SECONDS)
        a, b = used[2] - used[0], used[3] - used[1]
        assert max(a, b) < 0.05 * IDLE_SECONDS


@requirement("OAE-LIV-007", "OAE-LIV-008", "OAE-LIV-006")
def test_registers_on_the_terminal(tmp_path: Path) -> None:
    port = str(tmp_path / "serial")
    command = ("live", "--serial", port, "--clock", "20kHz")
    with live_ends(tmp_path, LOAD, commands=(command, LIVE)) as ends:
        assert ends.ready[0]["serial"] == port
        assert not answers(port, 9600)
        with connected(port) as client:
            board = Board(client)
            who = board.identity()
            assert not who.problem()
            assert f"{who.build:016x}" == ends.ready[0]["build"]
            begin, cycles = time.monotonic(), board.cycles()
            time.sleep(1.0)
            rate = (board.cycles() - cycles) / (time.monotonic() - begin)
            assert rate == pytest.approx(who.clock_hz, rel=0.2)
            ends.load()
            committed = ends.a.until("resolved")["committed"]
            assert board.counters()["TOLD_COMMITTED"] == committed
            assert committed > 0
        ends.judge()
    assert not os.path.lexists(port)


@requirement("OAE-LIV-008")
def test_a_clock_that_stands_still(tmp_path: Path) -> None:
    port = str(tmp_path / "serial")
    command = ("live", "--serial", port, "--clock", "0")
    with live_ends(tmp_path, LOAD, commands=(command, LIVE)) as ends, connected(port) as client:
        board = Board(client)
        assert board.identity().clock_hz > 0
        assert board.cycles() == 0
        ends.a.say("statistics")
        assert ends.a.until("statistics")["ticks"] == 0


@requirement("OAE-LIV-009")
def test_foreign_frames_and_garbage_are_counted(tmp_path: Path) -> None:
    one, other = free_ports()
    frame = bytes(12) + ETHERTYPE.to_bytes(2, "big")
    strange = {
        "foreign": [bytes(60), bytes(12) + b"\x08\x00" + bytes(100)],
        "garbage": [b"", bytes(13), frame + bytes(5000)],
        "received": [frame, frame + bytes(1), frame + bytes(46), frame + b"\xff" * 1600],
    }
    media = f"udp:{one},{other}", f"unix:{tmp_path}/b,{tmp_path}/none"
    with (
        live_ends(tmp_path, LOAD, media=media) as ends,
        closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as stranger,
    ):
        stranger.bind((LOOPBACK, other))
        stranger.connect((LOOPBACK, one))
        for _ in range(50):
            for images in strange.values():
                for image in images:
                    stranger.send(image)
        wanted = {kind: 50 * len(images) for kind, images in strange.items()}
        deadline = time.monotonic() + PATIENCE
        seen: dict[str, int] = {}
        while {kind: seen.get(kind) for kind in wanted} != wanted:
            assert time.monotonic() < deadline, seen
            ends.a.say("statistics")
            told = ends.a.until("statistics")
            seen = told["medium"]
        assert told["link"] == "SYNCING"


@requirement("OAE-LIV-010")
def test_sessions_are_new_at_every_start_and_after_amnesia(tmp_path: Path) -> None:
    found = []
    for _ in range(2):
        with live_ends(tmp_path, LOAD) as ends:
            for end in ends.both:
                end.link_up()
            ends.b.say(f"watch 20 {CODE:x} {EventCode.AMNESIA << 56:x}")
            ends.b.say("amnesia 5")
            until_event(ends.b, 20)
            ends.judge()
        for name in "ab":
            records = records_of(tmp_path / f"{name}.pcapng", object)
            lives: list[list[int]] = [[]]
            for one in records:
                if isinstance(one, trace.Config):
                    lives[-1].append(one.session)
                elif isinstance(one, trace.Event) and one.code == EventCode.AMNESIA:
                    lives.append([])
            found += [life[-1] for life in lives]
    assert len(found) == 6
    assert len(set(found)) == 6


@requirement("OAE-LIV-006", "OAE-LIV-003")
def test_in_words_for_people(tmp_path: Path) -> None:
    port = tmp_path / "serial"
    words = ["--end", "a", "--medium", f"unix:{tmp_path}/a,{tmp_path}/b", "--serial", str(port)]
    process = subprocess.Popen(
        [sys.executable, "-m", "oae.cli", "live", *words, "--scenario", "clean"],
        stdin=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "COLUMNS": "400"},
    )
    assert process.stderr is not None
    assert process.stdin is not None
    assert process.stderr.readline().startswith(f"end a on unix:{tmp_path}/a")
    assert "load" in process.stderr.readline()
    process.stdin.write("statistics\n")
    process.stdin.flush()
    assert process.stderr.readline().startswith("statistics: link SYNCING, 0 submitted")
    process.send_signal(signal.SIGINT)
    said = process.communicate(timeout=PATIENCE)[1]
    assert process.returncode == 0
    assert "stopped: link DOWN" in said
    assert list(tmp_path.iterdir()) == []


@requirement("OAE-LIV-001")
def test_the_end_that_receives_a_file_has_none() -> None:
    """The schedule of an end has its own load only."""
    demo = parse("demo")
    assert [load.file for load in demo.loads] == [True, False]
    job = start._job(demo, 1, b"")
    with os.fdopen(job, "rb") as file:
        file.seek(0)
        assert file.readline().startswith(b"words=")


@requirement("OAE-LIV-006")
@pytest.mark.parametrize(
    ("words", "problem"),
    [
        (["--medium", "tcp:1"], "no such medium"),
        (["--medium", "udp:1,2", "--scenario", "demo"], "give it with --file"),
        (["--medium", "unix:{0}/x,{0}/y", "--capture", "{0}"], "--capture {0}: is a directory"),
        (["--medium", "unix:{0}/x,{0}/y", "--serial", "{0}"], "--serial {0}: file exists"),
        (["--medium", "udp:1,2", "--baud", "12345"], "a terminal has 50, 75"),
        (["--medium", "udp:1,2", "--clock", "5 Hertz"], "is no frequency"),
        (["--medium", "udp:1,2", "--clock", "20MHz"], "a whole number of Hz from 8 to 10,000,000"),
        (["--medium", "udp:1,2", "--clock", "1"], "a whole number of Hz from 8 to 10,000,000"),
    ],
)
def test_bad_input_is_one_line_and_leaves_nothing(
    words: Sequence[str], problem: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["live", "--end", "a", *(word.format(tmp_path) for word in words)]) != 0
    said = capsys.readouterr().err
    assert problem.format(tmp_path) in said
    assert len(said.splitlines()) == 1
    assert list(tmp_path.iterdir()) == []
