"""An end or a relay as a process of its own: started, told commands, asked, and stopped."""

import json
import os
import select
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from typing import IO, Any, Final

from oae.errors import OaeError
from oae.medium.signals import Signals

READY_SECONDS: Final = 900.0  # the first start of a live end compiles it
ANSWER_SECONDS: Final = 10.0
STOP_SECONDS: Final = 10.0
_CHUNK: Final = 65_536


class ProcessError(OaeError):
    """A process did not start, or ended too early; the message has its last words."""

    exit_code = 4


class Process:
    """One `oae` command that reads commands as lines and writes JSON lines."""

    def __init__(self, arguments: Sequence[str]) -> None:
        self.name = f"oae {arguments[0]}"
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115 - closed by stop
        self._unread = b""
        self._process = subprocess.Popen(
            [sys.executable, "-m", "oae.cli", *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            process_group=0,  # Ctrl-C is ours to pass on, once the bench is in order
        )

    def wait_until_ready(self, ending: Signals | None = None) -> dict[str, Any]:
        """What it says when it is ready; raises ProcessError, at a signal KeyboardInterrupt."""
        return self._hear("ready", READY_SECONDS, ending)

    def order(self, line: str) -> None:
        """Give a command; raises ProcessError."""
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(line.encode() + b"\n")
            self._process.stdin.flush()
        except OSError as error:
            raise self._failed("has ended") from error

    def statistics(self) -> dict[str, Any]:
        """Ask what it has done so far; raises ProcessError."""
        self.order("statistics")
        return self._hear("statistics", ANSWER_SECONDS)

    def fileno(self) -> int:
        """What becomes readable when it says something."""
        assert self._process.stdout is not None
        return self._process.stdout.fileno()

    @property
    def number(self) -> int:
        """Of the process."""
        return self._process.pid

    def heard(self) -> list[dict[str, Any]]:
        """What it has said meanwhile, once it can be read; raises ProcessError if it has ended."""
        more = os.read(self.fileno(), _CHUNK)
        if not more:
            raise self._failed("has ended")
        *lines, self._unread = (self._unread + more).split(b"\n")
        return [json.loads(line) for line in lines]

    def stop(self) -> None:
        """End it, and the compiler that it may have started; by force if it does not by itself."""
        self._signal(signal.SIGINT)
        try:
            self._process.communicate(timeout=STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._signal(signal.SIGKILL)
            self._process.communicate()
        finally:
            self._errors.close()

    def _signal(self, number: signal.Signals) -> None:
        if self._process.poll() is None:
            os.killpg(self._process.pid, number)

    def _hear(self, name: str, seconds: float, ending: Signals | None = None) -> dict[str, Any]:
        """The next line of this name."""
        assert self._process.stdout is not None
        sources: list[IO[bytes] | Signals] = [self._process.stdout]
        if ending is not None:
            sources.append(ending)
        deadline = time.monotonic() + seconds
        while True:
            *lines, self._unread = self._unread.split(b"\n")
            for place, line in enumerate(lines):
                said = json.loads(line)
                if name in said:
                    self._unread = b"\n".join([*lines[place + 1 :], self._unread])
                    found: dict[str, Any] = said[name]
                    return found
            left = deadline - time.monotonic()
            if left <= 0 or not (readable := select.select(sources, [], [], left)[0]):
                raise self._failed(f"said nothing of {name} for {seconds:.0f} s")
            if ending in readable:
                raise KeyboardInterrupt
            more = os.read(self._process.stdout.fileno(), _CHUNK)
            if not more:
                raise self._failed("has ended")
            self._unread += more

    def _failed(self, what: str) -> ProcessError:
        self._errors.seek(0)
        words = self._errors.read().decode(errors="replace").strip().splitlines()
        last = words[-1].removeprefix("oae: ") if words else ""
        return ProcessError(f"{self.name} {what}" + (f": {last}" if last else ""))
