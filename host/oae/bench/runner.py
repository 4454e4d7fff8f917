"""Plays a scenario on a bench: starts ends and relay, plays load and faults, stops, and joins.

The relay and the fault rules are in this process, the ends in others. What ends the run before its
load is done (Ctrl-C, a limit) leaves the capture of what there was.
"""

import json
import selectors
import shutil
import signal
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any, BinaryIO, Final

from oae import trace
from oae.bench.bench import Bench, Kind, Serial
from oae.bench.lease import held
from oae.bench.orders import Watches, order
from oae.bench.process import Process, ProcessError
from oae.bench.started import started
from oae.bench.without_relay import WithoutRelay
from oae.capture import evidence, write
from oae.capture.join import BENCH, RELAY, Joined, join
from oae.capture.record import CYCLE_NS, EVIDENCE, IN_RUN, INTERFACES
from oae.check.verdict import Struck
from oae.drive.board_end import refuse
from oae.engines.rundir import Ended, Progress
from oae.errors import OaeError
from oae.medium.opening import open_medium
from oae.medium.signals import Signals, signals
from oae.relay.relay import TICK_NS, Relay
from oae.scenario.compile import rules
from oae.scenario.layout import Action
from oae.scenario.scenario import ENDS, Scenario
from oae.scenario.write import write_scenario

Tell = Callable[[Progress], None]

SENT: Final = "sent.bin"  # as in every run directory
OUTCOMES: Final = ("committed", "aborted", "unknown")
MEASURED: Final = ("latency", "medium", "processor_seconds", *OUTCOMES, "delivered")
LEAST_SECONDS: Final = 60.0  # limits of a scenario are for a simulated link, and machines are busy
STALL_SECONDS: Final = 20.0
QUIET_SECONDS: Final = 0.05
LOOK_SECONDS: Final = 0.1
STOP_SECONDS: Final = 20.0
PLAYED: Final = "played.toml"
TOLD: Final = "board.json"
QUESTIONS: Final = 2  # to a board, until it has told all


class Run:
    """One run on a bench, with its captures in a folder.

    `play` does everything; the parts are there for what plays in another way.
    """

    def __init__(self, bench: Bench, scenario: Scenario, folder: Path) -> None:
        if Kind.RTL in (end.kind for end in bench.ends):
            raise OaeError(f"{bench.name}: ends of kind rtl are simulated by `oae run`")
        self.board = _board(bench, scenario)
        self.struck = Struck()
        self.ends: dict[str, Process] = {}
        self.ready: dict[str, dict[str, Any]] = {}  # what each end said of itself
        self.told: dict[str, dict[str, Any]] = {name: {} for name in ENDS}  # newest statistics
        self.answers: Counter[str] = Counter()  # to the command `statistics`
        self._asked = 0  # how often a board, once everything was resolved
        self.stopped: set[str] = set()
        self.resolved: set[str] = set()
        self.relay: Relay | WithoutRelay | None = None
        self._bench, self._scenario, self._folder = bench, scenario, folder
        self._rules = rules(scenario)
        self._watches = tuple(Watches(self._rules, end) for end in range(len(ENDS)))
        self._selector = selectors.SelectSelector()  # the others round up to milliseconds
        self._moved_at = 0.0

    # --- all of it

    def play(
        self,
        timeout: float | None = None,
        progress: Tell | None = None,
        ending: Signals | None = None,
    ) -> Ended:
        """To the end of the load, to a limit or to Ctrl-C; the joined capture is then whole."""
        begun = time.monotonic()
        with self.running(ending) as ending:
            self.begin()
            start = told_at = time.monotonic()
            while not (reason := self._over(start, timeout, ending)):
                self.step()
                if progress is not None and time.monotonic() >= told_at + LOOK_SECONDS:
                    told_at = time.monotonic()
                    progress(self._progress(told_at - start))
            seconds = time.monotonic() - start
            self.stop()
        self.joined = self._recorded(self._folder / IN_RUN)
        status = {"interrupted": "interrupted", "timeout": "timed out"}.get(reason, "finished")
        self.seconds = seconds
        return Ended(status, time.monotonic() - begun, int(seconds * 1e9) // TICK_NS, reason)

    # --- its parts

    @contextmanager
    def running(self, ending: Signals | None = None) -> Iterator[Signals]:
        """Ends and relay run, and the bench is held; SIGINT and SIGTERM only end the run.

        `ending` are these signals, of a caller who takes them for longer.
        """
        (self._folder / PLAYED).write_text(write_scenario(self._scenario))
        with ExitStack() as stack:
            stack.callback(self._selector.close)
            stack.enter_context(held(self._bench.resources, f"run {self._scenario.name}"))
            self._notes = stack.enter_context(Notes(self.capture(BENCH)))
            if not self._bench.relay:
                self.relay = WithoutRelay(self._scenario)
            ready = stack.enter_context(started(self._bench, self._words, self._between))
            if ending is None:
                ending = stack.enter_context(signals(signal.SIGINT, signal.SIGTERM))
            self.ends, self.ready = ready.processes, ready.said
            if self.board is not None:
                self._start_board(self.board, ready.serials[self.board], stack, ending)
            self._selector.register(ending, selectors.EVENT_READ)
            for name, process in self.ends.items():
                self._selector.register(process, selectors.EVENT_READ, name)
            assert self.relay is not None
            for medium in self.relay.media:
                self._selector.register(medium, selectors.EVENT_READ)
            yield ending

    def begin(self) -> None:
        """The load and the faults begin."""
        assert self.relay is not None
        for name, watches in zip(ENDS, self._watches, strict=True):
            for line in (*watches.lines(), "load"):
                self.ends[name].order(line)
        self.relay.begin()
        self._moved_at = time.monotonic()

    def step(self) -> None:
        """Pass on what has come, and do what rules demand."""
        assert self.relay is not None
        for key, _ in self._selector.select(min(self.relay.wait(), LOOK_SECONDS)):
            if key.data is not None:
                self._hear(key.data)
        self.relay.step()
        self._strike()

    def stop(self) -> None:
        """What is cut is joined again, and both ends stop."""
        assert self.relay is not None
        for demands in self.relay.demands:
            demands.cut = False
        for name in ENDS:
            self.ends[name].order("stop")
        deadline = time.monotonic() + STOP_SECONDS
        while len(self.stopped) < len(ENDS):
            if time.monotonic() >= deadline:
                raise ProcessError(f"{self._bench.name}: an end does not stop")
            self.step()

    def _recorded(self, target: Path) -> Joined | None:
        """Make the capture of the run; beside a board that of its peer is all there is."""
        if self.board is None:
            return self.join(target)
        (self._folder / TOLD).write_text(json.dumps(self.told[self.board], indent=2) + "\n")
        peer = next(name for name in ENDS if name != self.board)
        shutil.copyfile(self.capture(peer), target)
        return None

    def join(self, target: Path) -> Joined:
        """Make one capture of those of ends and relay."""
        names = [*ENDS, BENCH, *([RELAY] if self._bench.relay else [])]
        return join({name: [self.capture(name)] for name in names}, target)

    def capture(self, name: str) -> Path:
        """The capture of an end, of the relay or of the bench."""
        return self._folder / f"{name}.pcapng"

    # --- ends and relay

    def _words(self, name: str) -> list[str]:
        words = ["--scenario", str(self._folder / PLAYED), "--capture", str(self.capture(name))]
        if self._scenario.loads[ENDS.index(name)].file:
            words += ["--file", str(self._folder / SENT)]
        return words

    def _start_board(self, name: str, serial: Serial, stack: ExitStack, ending: Signals) -> None:
        words = ["board", "--json", "--end", name, "--scenario", str(self._folder / PLAYED)]
        process = Process([*words, "--port", serial.port, "--baud", str(serial.baud)])
        stack.callback(process.stop)
        self.ends[name] = process
        self.ready[name] = process.wait_until_ready(ending)

    def _between(self, stack: ExitStack, a: str, b: str) -> None:
        near, far = (stack.enter_context(closing(open_medium(text))) for text in (a, b))
        file = stack.enter_context(self.relay_capture())
        self.relay = Relay(near, far, self._scenario, file)
        stack.callback(self.relay.finish)

    def relay_capture(self) -> BinaryIO:
        """Where the relay records."""
        return self.capture(RELAY).open("wb")

    def _hear(self, name: str) -> None:
        """What an end has said."""
        if name in self.stopped:  # the end of its output
            self._selector.unregister(self.ends[name])
            return
        for said in self.ends[name].heard():
            for what, value in said.items():
                if what == "event":
                    self._step_of(name, value["number"], int(value["word"], 16))
                elif what in ("progress", "resolved", "statistics", "stopped"):
                    if value["submitted"] != self.told[name].get("submitted"):
                        self._moved_at = time.monotonic()
                    self.told[name] = value
                if what == "statistics":
                    self.answers[name] += 1
                elif what == "resolved":
                    self.resolved.add(name)
                    self._moved_at = time.monotonic()
                elif what == "stopped":
                    self.stopped.add(name)

    def _step_of(self, name: str, number: int, word: int) -> None:
        end = ENDS.index(name)
        assert self.relay is not None
        if self._watches[end].is_first(number, word):
            self.relay.hear([(end, word)])
            self._strike()

    def _strike(self) -> None:
        """Tell the ends what rules demand that have struck since."""
        assert self.relay is not None
        for number in self.relay.fired:
            self.struck.fired(number)
            rule = self._rules[number]
            self._notes.note(trace.Rule, trace.BENCH, number)
            if rule.action in (Action.CUT, Action.JOIN):
                self._notes.note(trace.Cut, rule.target, rule.action is Action.CUT)
            elif line := order(self._rules, number, self.relay.demands[rule.target]):
                self.ends[ENDS[rule.target]].order(line)
        self.relay.fired.clear()

    # --- its end

    def _over(self, start: float, timeout: float | None, ending: Signals) -> str:
        """Why the run ends now; empty if it goes on."""
        assert self.relay is not None
        now = time.monotonic()
        limits = self._scenario.limits
        quiet = max(limits.quiet * TICK_NS / 1e9, QUIET_SECONDS)
        if ending.taken():
            return "interrupted"
        if timeout is not None and now >= start + timeout:
            return "timeout"
        if self.relay.stop:
            return "requested"
        settled = len(self.resolved) == len(ENDS) and now >= self._moved_at + quiet
        if settled and self._has_told():
            return "resolved"
        if now >= start + max(limits.cycles * TICK_NS / 1e9, LEAST_SECONDS):
            return "cycles"
        if now >= self._moved_at + max(limits.stall * TICK_NS / 1e9, STALL_SECONDS):
            return "stalled"
        return ""

    def _has_told(self) -> bool:
        """Whether a board, if there is one, has told every step up to the first time of asking.

        It looks at its steps, tells them, then hears what it is asked: so before it answers a
        question that came after an answer it has looked anew.
        """
        if not self.board or self._asked == self.answers[self.board] == QUESTIONS:
            return True
        if self._asked == self.answers[self.board]:
            self._asked += 1
            self.ends[self.board].order("statistics")
        return False

    def _progress(self, seconds: float) -> Progress:
        a, b = (
            {name: self.told[end].get(name, 0) for name in ("submitted", *OUTCOMES, "delivered")}
            for end in ENDS
        )
        resolved = [sum(one[name] for name in OUTCOMES) for one in (a, b)]
        return Progress(
            int(seconds * 1e9) // TICK_NS,
            (a["submitted"], b["submitted"]),
            (resolved[0], resolved[1]),
            a["delivered"] + b["delivered"],
        )

    def facts(self) -> dict[str, Any]:
        """What was measured, and by which clocks."""
        ends = {
            name: {
                "kind": str(end.kind),
                "clock": self.ready[name]["clock"],
                **{key: self.told[name].get(key) for key in MEASURED},
            }
            for name, end in self._bench.named_ends.items()
        }
        found: dict[str, Any] = {"name": self._bench.name, "seconds": self.seconds, "ends": ends}
        if isinstance(self.relay, Relay):
            found["relay"] = [
                {"medium": one.name, "clock": str(one.clock), **asdict(one.counters)}
                for one in self.relay.media
            ]
        committed = sum(one.get("committed", 0) for one in self.told.values())
        found["committed_a_second"] = committed / self.seconds if self.seconds else None
        if self.joined is not None:
            found["joined"] = asdict(self.joined)
        return found


def _board(bench: Bench, scenario: Scenario) -> str | None:
    """The end that is a board, if one is; raises OaeError if it cannot play this."""
    found = [name for name, end in bench.named_ends.items() if end.kind is Kind.BOARD]
    if len(found) == len(ENDS):
        raise OaeError(
            f"{bench.name}: both ends are boards, which record no capture; "
            "`oae bringup` and `oae bench doctor` test them"
        )
    for name in found:
        if bench.named_ends[name].serial is None:
            raise OaeError(f"{bench.name}: ends.{name}: without a serial line it plays nothing")
        refuse(scenario, ENDS.index(name))
        return name
    return None


class Notes:
    """What the bench itself does, as evidence for the joined capture."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("wb")
        self._writer = write.Writer(
            self._file, INTERFACES[EVIDENCE:], "OAE bench", "CLOCK_REALTIME"
        )
        self._sequence = 0

    def __enter__(self) -> "Notes":
        return self

    def __exit__(self, *_: object) -> None:
        self._writer.finish()
        self._file.close()

    def note(self, kind: type, end: int, value: int) -> None:
        """A rule has struck, or a direction is cut or joined, now."""
        cycle = time.time_ns() // CYCLE_NS
        packet = evidence.encode(kind(0, cycle, end, int(value)), self._sequence)
        self._writer.packet(0, cycle * CYCLE_NS, packet)
        self._sequence += 1
