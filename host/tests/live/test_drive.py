"""The Python end on a medium: real sockets and interfaces, real time."""

import json
import os
import select
import signal
import subprocess
import sys
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
from oae import trace
from oae.bench.process import READY_SECONDS
from oae.capture import evidence
from oae.capture.join import join
from oae.capture.read import Capture, packets
from oae.check.capture import check
from oae.check.findings import Result
from oae.check.verdict import Verdict
from oae.cli import main
from oae.drive.clock import CATCH_UP, CYCLES_A_TICK, Clock
from oae.drive.end import DrivenEnd
from oae.drive.orders import FORMS, order
from oae.errors import OaeError
from oae.medium.opening import open_medium
from oae.relay.relay import Relay
from oae.scenario.parse import parse_text
from oae.scenario.scenario import Scenario
from oae.spec.constants import EventCode, Outcome, State
from oae.testing import requirement

from host.tests.live.interfaces import Pair

PATIENCE = 60.0  # seconds; a machine may be busy
CODE = 0xFF << 56
DEAD = (EventCode.INCOMING_DEAD, EventCode.OUTGOING_DEAD)
BUSY = """
version = 1
seed = 11
[link]
window = 4
[load.both]
records = 60
resubmit = true
cancel = 0.1
[host.both]
stall = 0.2
refuse = 0.1
"""
HOSTILE = """
[rates.both]
drop = 0.05
duplicate = 0.05
reorder = 0.05
reorder_cycles = 100
corrupt = 0.05
flip = 0.05
delay = 0.05
"""


class Pairing:
    """Two ends in this process, with a relay between them if there is one."""

    def __init__(
        self, folder: Path, scenario: Scenario, stack: ExitStack, *, texts: Pair | None = None
    ) -> None:
        self.relay: Relay | None = None
        self.captures = tuple(folder / f"{name}.pcapng" for name in "ab")
        self._folder = folder
        if texts is None:  # through a relay
            texts = f"unix:{folder}/a,{folder}/ra", f"unix:{folder}/b,{folder}/rb"
            sides = f"unix:{folder}/ra,{folder}/a", f"unix:{folder}/rb,{folder}/b"
            near, far = (stack.enter_context(closing(open_medium(text))) for text in sides)
            self._record = stack.enter_context((folder / "relay.pcapng").open("wb"))
            self.relay = Relay(near, far, scenario, self._record)
        media = [stack.enter_context(closing(open_medium(text))) for text in texts]
        self.ends = tuple(
            DrivenEnd(end, medium, scenario, capture=path.open("wb"))
            for end, (medium, path) in enumerate(zip(media, self.captures, strict=True))
        )

    def play(self, until: Callable[[], bool]) -> None:
        """Let time pass until then."""
        deadline = time.monotonic() + PATIENCE
        sources = [end.medium for end in self.ends]
        sources += self.relay.media if self.relay is not None else ()
        while not until():
            steps = [end.step() for end in self.ends]
            waits = [end.wait() for end in self.ends]
            if self.relay is not None:
                self.relay.step()
                waits.append(self.relay.wait())
            if not any(steps):
                select.select(sources, [], [], min(waits))
            assert time.monotonic() < deadline, [end.statistics() for end in self.ends]

    def load(self) -> None:
        """When the link is UP, both loads begin."""
        self.play(self.settled)
        for end in self.ends:
            end.load()

    def settled(self) -> bool:
        return all(end.live.settled for end in self.ends)

    def resolved(self) -> bool:
        return all(end.resolved for end in self.ends) and self.settled()

    def judge(self) -> Result:
        """Both stop; what the checker makes of what they recorded."""
        for end in self.ends:
            end.stop()
        a, b = self.captures
        whole = self._folder / "whole.pcapng"
        record = []
        if self.relay is not None:
            self.relay.finish()
            record = [Path(self._record.name)]
        join({"a": [a], "b": [b], "relay": record}, whole)
        result = check(Capture(whole))
        assert result.verdict is not Verdict.FAIL, result.reason
        assert result.verdict is not Verdict.BENCH_ERROR, result.reason
        return result


def records_of(path: Path, kind: type) -> list[Any]:
    """What an end told of one kind."""
    found = (evidence.decode(one.data) for one in packets(path) if one.interface == 2)
    return [record for record in found if isinstance(record, kind)]


@requirement("OAE-DRV-001")
@pytest.mark.parametrize("kind", ["unix", "packet", "tap"])
def test_two_ends_resolve_every_record(kind: str, tmp_path: Path, veth: Pair) -> None:
    texts = {
        "unix": (f"unix:{tmp_path}/a,{tmp_path}/b", f"unix:{tmp_path}/b,{tmp_path}/a"),
        "packet": (f"packet:{veth[0]}", f"packet:{veth[1]}"),
        "tap": (f"tap:oaed{os.getpid()}", f"packet:oaed{os.getpid()}"),
    }[kind]
    with ExitStack() as stack:
        pair = Pairing(tmp_path, parse_text(BUSY), stack, texts=texts)
        pair.load()
        pair.play(pair.resolved)
        judged = pair.judge()
        assert judged.verdict is Verdict.PASS, judged.reason
        for end, other in (pair.ends, reversed(pair.ends)):
            assert end.telling.outcomes[Outcome.COMMITTED] == other.live.sink.delivered == 60
        told = pair.ends[0].statistics()["latency"]
        assert told["count"] > 0
        assert 0 < told["median_ns"] < 1e9
        assert told["clock"] == str(pair.ends[0].medium.clock)


@requirement("OAE-DRV-002", "OAE-RLY-002")
@pytest.mark.parametrize("seed", [1, 2])
def test_under_every_kind_of_fault_and_crashes_every_promise_is_kept(
    tmp_path: Path, seed: int
) -> None:
    scenario = parse_text(BUSY.replace("seed = 11", f"seed = {seed}") + HOSTILE)
    with ExitStack() as stack:
        pair = Pairing(tmp_path, scenario, stack)
        pair.load()
        for goal in range(15, 60, 15):
            victim = pair.ends[goal & 1]
            pair.play(lambda: victim.live.load.resolved >= goal)  # noqa: B023
            victim.restart("crash", 40)
            pair.play(lambda: not victim.demands.crash)  # noqa: B023
        pair.play(pair.resolved)
        assert pair.relay is not None
        struck = {fault for faults in pair.relay.faults for fault in faults}
        assert len(struck) >= 6
        judged = pair.judge()
        assert judged.verdict is Verdict.PASS, judged.reason
        crashes = [
            [one for one in records_of(path, trace.Event) if one.code == EventCode.CRASH]
            for path in pair.captures
        ]
        assert [len(found) for found in crashes] == [1, 2]


@requirement("OAE-DRV-002")
def test_after_amnesia_an_end_has_another_session_and_all_goes_on(tmp_path: Path) -> None:
    with ExitStack() as stack:
        pair = Pairing(tmp_path, parse_text(BUSY + HOSTILE), stack)
        pair.load()
        victim = pair.ends[1]
        before = victim.live.end.link.session
        pair.play(lambda: victim.live.load.resolved >= 20)
        victim.restart("amnesia", 1)
        pair.play(lambda: victim.live.lives == 1)
        pair.play(pair.resolved)
        assert victim.live.end.link.session != before
        pair.judge()


@requirement("OAE-DRV-003")
def test_switches_of_the_host_and_the_link_do_what_they_say(tmp_path: Path) -> None:
    texts = f"unix:{tmp_path}/a,{tmp_path}/b", f"unix:{tmp_path}/b,{tmp_path}/a"
    with ExitStack() as stack:
        scenario = parse_text("version = 1\n[load.a]\nrecords = 20\n")
        pair = Pairing(tmp_path, scenario, stack, texts=texts)
        a, b = pair.ends

        def say(end: DrivenEnd, *lines: str) -> None:
            for line in lines:
                order(line, end, lambda: None, lambda: None)

        say(b, "stall deliver on", f"watch 7 {CODE:x} {EventCode.DELIVERED << 56:x}")
        pair.load()
        pair.play(lambda: a.live.end.initiator.slots[0].state == State.COMMITTED)
        assert b.live.sink.delivered == 0
        say(b, "stall deliver off")
        pair.play(pair.resolved)
        assert [number for number, _, _ in b.heard] == [7] * 20
        times = [when for _, _, when in b.heard]
        assert times == sorted(times)
        say(b, "disable on")
        pair.play(lambda: not b.live.end.up)
        say(b, "disable off")
        pair.play(pair.settled)
        for end in pair.ends:
            say(end, "epoch 3 3")
        pair.play(lambda: all(end.live.end.link.epoch == 3 for end in pair.ends))
        judged = pair.judge()
        assert judged.verdict is Verdict.PASS, judged.reason


@requirement("OAE-DRV-003")
@pytest.mark.parametrize(
    "line",
    [
        *("craash", "crash 0", "crash x", "stall b on", "mute", "cancel 65536", "watch 1 2"),
        *("epoch 1", "watch 1 g 0", "disable maybe", "load now", "rotate"),
    ],
)
def test_a_line_that_is_no_command_changes_nothing_and_says_which_there_are(
    line: str, tmp_path: Path
) -> None:
    with closing(open_medium(f"unix:{tmp_path}/a,{tmp_path}/b")) as medium:
        end = DrivenEnd(0, medium, Scenario())
        before = str(end.demands)
        with pytest.raises(OaeError) as found:
            order(line, end, lambda: None, lambda: None)
        assert str(end.demands) == before
        assert not end.loaded
        assert all(form in str(found.value) for form in FORMS)
        assert len(str(found.value).splitlines()) == 1


@requirement("OAE-DRV-004")
def test_what_the_process_was_away_does_not_count_for_timers() -> None:
    clock = Clock()
    clock.advance()
    before, own = clock.cycle, clock.own
    time.sleep(0.1)
    clock.advance()
    assert (clock.cycle - before) * 16 >= 100_000_000
    assert clock.own - own == CATCH_UP
    own = clock.own
    time.sleep(clock.sleep_until(own + 1000 * CYCLES_A_TICK, 1.0))
    clock.advance()
    assert clock.own - own >= 1000 * CYCLES_A_TICK


class Running:
    """An end as a process, spoken to by lines."""

    def __init__(
        self,
        folder: Path,
        end: str,
        medium: str,
        stack: ExitStack,
        before: Sequence[str] = (),
        command: Sequence[str] = ("drive",),
    ) -> None:
        words = ["--json", "--end", end, "--medium", medium]
        words += ["--scenario", f"{folder}/scenario.toml", "--capture", f"{folder}/{end}.pcapng"]
        self.process = subprocess.Popen(
            [*before, sys.executable, "-m", "oae.cli", *command, *words],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        stack.callback(self._end)
        self.told: list[dict[str, Any]] = []
        self._waiting: deque[dict[str, Any]] = deque()
        self._unread = b""  # that is not yet a line

    def _end(self) -> None:
        self.process.kill()
        self.process.communicate()

    def say(self, line: str) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(f"{line}\n".encode())
        self.process.stdin.flush()

    def end_input(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.close()
        self.process.stdin = None

    def until(self, name: str) -> Any:
        """What it tells next by this name."""
        deadline = time.monotonic() + READY_SECONDS
        while True:
            while self._waiting:
                told = self._waiting.popleft()
                self.told.append(told)
                if name in told:
                    return told[name]
            assert self._hears(deadline), f"{name} was never told: {self.told}"

    def _hears(self, deadline: float) -> bool:
        """Whether it tells anything more until then."""
        assert self.process.stdout is not None
        left = max(deadline - time.monotonic(), 0)
        if not select.select([self.process.stdout], [], [], left)[0]:
            return False
        more = os.read(self.process.stdout.fileno(), 65_536)
        *lines, self._unread = (self._unread + more).split(b"\n")
        self._waiting.extend(json.loads(line) for line in lines)
        return bool(more)

    def link_up(self) -> None:
        """Wait until the link is UP; it may be already."""
        self.say(f"watch 1 {CODE | 0xF << 40:x} {EventCode.SYNC_ACK_HEARD << 56 | 2 << 40:x}")
        self.say("statistics")
        if self.until("statistics")["link"] != "UP":
            self.until("event")


@contextmanager
def running(folder: Path, scenario: str) -> Iterator[tuple[Running, Running]]:
    """Two ends as processes, on Unix sockets, each with a capture."""
    (folder / "scenario.toml").write_text(scenario)
    with ExitStack() as stack:
        a, b = (
            Running(folder, end, f"unix:{folder}/{end},{folder}/{other}", stack)
            for end, other in ("ab", "ba")
        )
        assert a.until("ready")["end"] == "a"
        assert b.until("ready")["medium"] == f"unix:{folder}/b,{folder}/a"
        yield a, b


@requirement("OAE-DRV-003", "OAE-DRV-004", "OAE-DRV-005")
def test_processes_obey_commands_and_signals_and_bear_being_stopped(tmp_path: Path) -> None:
    load = "version = 1\n[load.both]\nrecords = 400\n"
    with running(tmp_path, load) as (a, b):
        for end in (a, b):
            end.link_up()
            for number, code in enumerate(DEAD, 10):
                end.say(f"watch {number} {CODE:x} {code << 56:x}")
        a.say("craash")
        assert "no command" in a.until("error")
        for end in (a, b):
            end.say("load")
        for end in (a, b):
            end.process.send_signal(signal.SIGSTOP)
            time.sleep(0.1)  # this is what is tested
            end.process.send_signal(signal.SIGCONT)
        resolved = [end.until("resolved") for end in (a, b)]
        assert [told["committed"] for told in resolved] == [400, 400]
        assert not [one for end in (a, b) for one in end.told if "event" in one and is_dead(one)]
        restarts = ((a, signal.SIGUSR1, EventCode.CRASH), (b, signal.SIGUSR2, EventCode.AMNESIA))
        for end, number, restart in restarts:
            end.say(f"watch 20 {CODE:x} {restart << 56:x}")
            end.say("statistics")
            end.until("statistics")
            end.process.send_signal(number)
            assert end.until("event")["number"] == 20
        a.say(f"rotate {tmp_path}/later.pcapng")
        a.process.send_signal(signal.SIGINT)
        b.end_input()
        for end, name in ((a, "a"), (b, "b")):
            end.until("stopped")
            assert end.process.wait(PATIENCE) == 0
            assert not (tmp_path / name).exists()
        for name in ("a", "b", "later"):
            capture = Capture(tmp_path / f"{name}.pcapng")
            assert sum(len(batch) for _, batch in capture) > 0
            assert capture.damage == ""
        assert len(records_of(tmp_path / "later.pcapng", trace.End)) == 1
        result = check(Capture(tmp_path / "a.pcapng"))
        assert result.verdict is not Verdict.FAIL


def is_dead(told: dict[str, Any]) -> bool:
    return told["event"]["number"] in (10, 11)


@requirement("OAE-DRV-001", "OAE-DRV-005")
def test_ends_in_two_namespaces_talk_over_their_cable(namespaces: Pair, tmp_path: Path) -> None:
    (tmp_path / "scenario.toml").write_text("version = 1\n[load.a]\nrecords = 50\n")
    with ExitStack() as stack:
        a, b = (
            Running(tmp_path, end, "packet:oae", stack, ("ip", "netns", "exec", namespace))
            for end, namespace in zip("ab", namespaces, strict=True)
        )
        for end in (a, b):
            end.until("ready")
            end.link_up()
        a.say("load")
        assert a.until("resolved")["committed"] == 50
        for end in (a, b):
            end.say("stop")
            end.until("stopped")
            assert end.process.wait(PATIENCE) == 0
        whole = tmp_path / "whole.pcapng"
        join({end: [tmp_path / f"{end}.pcapng"] for end in "ab"}, whole)
        result = check(Capture(whole))
        assert result.verdict is Verdict.PASS, result.reason


@requirement("OAE-DRV-005", "OAE-MED-004")
@pytest.mark.parametrize(
    ("words", "problem"),
    [
        (["--end", "a", "--medium", "tcp:1"], "no such medium"),
        (["--end", "c", "--medium", "udp:1,2"], "invalid choice"),
        (["--end", "a", "--medium", "udp:1,2", "--scenario", "demo"], "give it with --file"),
        (["--end", "a", "--medium", "unix:{0}/x,{0}/y", "--capture", "{0}"], "--capture {0}: is a"),
    ],
)
def test_bad_input_is_one_line_and_leaves_nothing(
    words: Sequence[str], problem: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["drive", *(word.format(tmp_path) for word in words)]) == 2
    said = capsys.readouterr().err
    assert problem.format(tmp_path) in said
    assert len(said.splitlines()) == 1
    assert list(tmp_path.iterdir()) == []
