"""Makes a bench ready: fixtures, relay, and the ends that are processes; all gone afterwards."""

import os
import signal
import socket
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from oae.bench.bench import ENDS, Automatic, Bench, Kind, Medium, Serial
from oae.bench.fixtures import made
from oae.bench.process import Process
from oae.errors import OaeError
from oae.medium import address
from oae.medium.address import LOOPBACK
from oae.medium.signals import signals

PREFIX: Final = "oae-"  # of the folder that a bench has while it runs; the process's number follows
COMMANDS: Final = {Kind.PYTHON: "drive", Kind.NIC: "drive", Kind.LIVE: "live"}


@dataclass
class Started:
    """A bench that is ready: where the registers of each end are, and what was started."""

    bench: Bench
    serials: dict[str, Serial] = field(default_factory=dict)
    processes: dict[str, Process] = field(default_factory=dict)
    said: dict[str, dict[str, Any]] = field(default_factory=dict)  # by each when it was ready


Between = Callable[[ExitStack, str, str], None]  # puts a relay between two media


def _process_between(stack: ExitStack, a: str, b: str) -> None:
    stack.callback(Process(["relay", "--json", a, b]).stop)


@contextmanager
def started(
    bench: Bench,
    words_of: Callable[[str], Sequence[str]] = lambda _: (),
    between: Between = _process_between,
) -> Iterator[Started]:
    """Start everything that is not there by itself; raises FixtureError or ProcessError.

    SIGINT and SIGTERM during the start are a KeyboardInterrupt, and all is undone. `words_of` are
    more words for the command of an end; `between` starts the relay.
    """
    if Kind.RTL in (end.kind for end in bench.ends):
        raise OaeError(f"{bench.name}: ends of kind rtl are simulated by `oae run`")
    with ExitStack() as starting, ExitStack() as stack:
        ending = starting.enter_context(signals(signal.SIGINT, signal.SIGTERM))
        prefix = f"{PREFIX}{os.getpid()}-"
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix=prefix)))
        stack.enter_context(made(bench.fixtures))
        found = Started(bench)
        media = _addresses(bench, folder)
        if bench.relay:
            a, b = (str(media[f"relay {name}"]) for name in ENDS)
            between(stack, a, b)
        for name, end in bench.named_ends.items():
            if end.kind not in COMMANDS:
                if end.serial is not None:
                    found.serials[name] = end.serial
                continue
            words = [COMMANDS[end.kind], "--json", "--end", name, "--medium", str(media[name])]
            if end.kind is Kind.LIVE:
                words += ["--clock", f"{bench.clocks.tick}Hz"]
            if end.serial is not None:
                link = str(folder / f"serial-{name}")
                words += ["--serial", link, "--baud", str(end.serial.baud)]
                found.serials[name] = Serial(link, end.serial.baud)
            process = Process([*words, *words_of(name)])
            stack.callback(process.stop)
            found.processes[name] = process
        for name, process in found.processes.items():
            found.said[name] = process.wait_until_ready(ending)
        if ending.taken():
            raise KeyboardInterrupt
        starting.close()
        yield found


def _addresses(bench: Bench, folder: Path) -> dict[str, Medium | None]:
    """The medium of each end, and of the relay towards it, with what was left open filled in."""
    found: dict[str, Medium | None] = {}
    for name, other in zip(ENDS, reversed(ENDS), strict=True):
        end = bench.named_ends[name]
        facing = f"relay {name}" if bench.relay else other
        if isinstance(end.medium, Automatic):
            if facing not in found or name not in found:
                near, far = _pair(end.medium, folder, name, facing)
                found.setdefault(name, near)
                found.setdefault(facing, far)
        else:
            found[name] = end.medium
            if bench.relay:
                found[facing] = end.at_relay
    return found


def _pair(kind: Automatic, folder: Path, near: str, far: str) -> tuple[Medium, Medium]:
    """Two addresses that face each other."""
    if kind is Automatic.UNIX:
        one, other = (str(folder / name.replace(" ", "-")) for name in (near, far))
        return address.Unix(one, other), address.Unix(other, one)
    first, second = _free_ports()
    return (
        address.Udp((LOOPBACK, first), (LOOPBACK, second)),
        address.Udp((LOOPBACK, second), (LOOPBACK, first)),
    )


def _free_ports() -> tuple[int, int]:
    with (
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other,
    ):
        for taken in (one, other):
            taken.bind((LOOPBACK, 0))
        return one.getsockname()[1], other.getsockname()[1]
