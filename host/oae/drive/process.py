"""The loop of an end that is a process: its medium, standard input, signals, and what it tells."""

import os
import selectors
import signal
import sys
import time
from collections.abc import Callable, Sequence
from typing import Any, Final, Protocol

from oae.drive.orders import Commanded, order
from oae.errors import OaeError
from oae.medium.medium import Medium
from oae.medium.signals import Signals, signals

STEPS: Final = 32  # of the end between looks at everything else
TELL_EVERY: Final = 0.5  # seconds
_INPUT_BYTES: Final = 65536
RESTARTS: Final = {signal.SIGUSR1: "crash", signal.SIGUSR2: "amnesia"}

Tell = Callable[[str, Any], None]


class Stepped(Commanded, Protocol):
    """An end that runs while it is stepped."""

    heard: list[tuple[int, int, int]]  # watch, word and time of steps
    loaded: bool

    @property
    def sources(self) -> Sequence[Medium]:
        """What becomes readable when there is something to do."""

    @property
    def resolved(self) -> bool:
        """Whether every record of a load that has begun has its outcome."""

    def step(self) -> bool:
        """What is due; whether anything was."""

    def wait(self) -> float:
        """Seconds until something is due though nothing comes."""

    def flush(self) -> None:
        """Let readers see what is captured."""

    def statistics(self) -> dict[str, Any]:
        """What it has done so far."""

    def stop(self) -> None:
        """The link goes down, and the capture ends."""


class Process:
    """Steps an end until it is stopped; `tell` takes what there is to say, by name."""

    def __init__(self, end: Stepped, tell: Tell, *, ends_with_input: bool) -> None:
        self._end, self._tell, self._ends_with_input = end, tell, ends_with_input
        self._stopped = False
        self._line = b""  # that is not yet whole
        self._told_resolved = False

    def run(self, ready: dict[str, Any]) -> None:
        """To the end; the capture is then whole. `ready` is told once signals are heard."""
        end = self._end
        taken = (signal.SIGINT, signal.SIGTERM, *RESTARTS)
        try:
            # The other selectors round what is left up to milliseconds.
            with selectors.SelectSelector() as selector, signals(*taken) as came:
                for source in end.sources:
                    selector.register(source, selectors.EVENT_READ)
                selector.register(came, selectors.EVENT_READ, lambda: self._signals(came))
                read = selectors.EVENT_READ
                selector.register(sys.stdin.fileno(), read, lambda: self._input(selector))
                self._tell("ready", ready)
                self._loop(selector)
        finally:
            end.stop()
        self._tell("stopped", end.statistics())

    def _loop(self, selector: selectors.BaseSelector) -> None:
        end = self._end
        told_at = time.monotonic()
        while not self._stopped:
            busy = True
            for _ in range(STEPS):
                busy = end.step()
                if not busy:
                    break
            for number, word, when in end.heard:
                self._tell("event", {"number": number, "word": f"{word:016x}", "time": when})
            end.heard.clear()
            self._look_at_load()
            for key, _ in selector.select(0 if busy else end.wait()):
                if key.data is not None:
                    key.data()
            now = time.monotonic()
            if now >= told_at + TELL_EVERY:
                told_at = now
                end.flush()
                if end.loaded and not self._told_resolved:
                    self._tell("progress", end.statistics())

    def _look_at_load(self) -> None:
        if not self._told_resolved and self._end.resolved:
            self._told_resolved = True
            self._tell("resolved", self._end.statistics())

    def _signals(self, came: Signals) -> None:
        for number in came.taken():
            if name := RESTARTS.get(signal.Signals(number)):
                self._end.restart(name, 1)
            else:
                self._stop()

    def _stop(self) -> None:
        self._stopped = True

    def _input(self, selector: selectors.BaseSelector) -> None:
        read = os.read(sys.stdin.fileno(), _INPUT_BYTES)
        if not read:
            selector.unregister(sys.stdin.fileno())
            self._stopped |= self._ends_with_input
            return
        *lines, self._line = (self._line + read).split(b"\n")
        for line in lines:
            try:
                order(line.decode(errors="replace"), self._end, self._statistics, self._stop)
            except OaeError as error:
                self._tell("error", str(error))

    def _statistics(self) -> None:
        self._tell("statistics", self._end.statistics())
