"""How fast captures are checked, beside other readers of the same file.

`python -m oae.check.benchmark` makes a capture of valid traffic (--frames N) and prints what each
program takes for it. Times are of the processor, the median of three runs. A reader that is slow
gets the beginning of the capture only, and tshark's start is not counted.
"""

import argparse
import ctypes
import multiprocessing
import os
import re
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from statistics import median
from typing import Final, NamedTuple

import dpkt
from rich.console import Console
from rich.table import Table
from scapy.layers.l2 import Ether
from scapy.utils import RawPcapNgReader

import oae.layers.oae  # noqa: F401  # scapy then knows the frames of the link
from oae.capture.read import Capture
from oae.capture.record import HARDWARE, INTERFACES, SYSTEM
from oae.capture.write import LINK_TYPE_ETHERNET, Writer
from oae.check.capture import check
from oae.check.verdict import Verdict
from oae.engines import rtl
from oae.errors import OaeError
from oae.native.build import load
from oae.scenario.parse import parse_text
from oae.toolchain import environment

RUNS: Final = 3
FRAMES: Final = 1_000_000
SLOW: Final = 20_000  # frames for scapy and tshark with the dissector
PART: Final = 100_000  # frames for dpkt and tshark
DISSECTOR: Final = Path(__file__).parents[1] / "wireshark" / "oae.lua"
WITH_DISSECTOR: Final = "tshark with the dissector"
RUN: Final = """
version = 1
[load.both]
records = 5000
[limits]
cycles = 10000000
"""


class BenchmarkError(OaeError):
    """Something cannot be measured."""


class Speed(NamedTuple):
    """What a program takes for a capture."""

    name: str
    packets: int
    seconds: float  # of the processor
    memory: int = 0  # bytes, most resident; 0: not measured
    verdict: Verdict | None = None

    @property
    def rate(self) -> float:
        """Packets a second."""
        return self.packets / self.seconds


def traffic(path: Path, frames: int) -> None:
    """Write a capture of so many frames; that of fewer is the beginning of that of more."""
    interfaces = [each for each in INTERFACES if each.link_type == LINK_TYPE_ETHERNET]
    try:
        with path.open("wb") as file:
            Writer(file, interfaces, HARDWARE, SYSTEM)  # its head
    except OSError as error:
        raise BenchmarkError(f"{path}: {error.strerror}") from error
    if load("traffic").oae_traffic(os.fsencode(path), ctypes.c_uint64(frames)):
        raise BenchmarkError(f"{path}: cannot be written")


def checked(path: Path, *, wire: bool, name: str = "oae check") -> Speed:
    """How fast a capture is checked, and in how much memory."""
    fresh = multiprocessing.get_context("spawn")  # its memory is the check's alone
    with ProcessPoolExecutor(1, mp_context=fresh) as pool:
        speeds = [pool.submit(_check, path, wire, name).result() for _ in range(RUNS)]
    return median_of(speeds)._replace(memory=max(speed.memory for speed in speeds))


def median_of(speeds: list[Speed]) -> Speed:
    """The one of them that took the median time."""
    middle = median(speed.seconds for speed in speeds)
    return next(speed for speed in speeds if speed.seconds == middle)


def _check(path: Path, wire: bool, name: str) -> Speed:
    start = time.process_time()
    result = check(Capture(path), wire=wire)
    seconds = time.process_time() - start
    found = re.search(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text())
    if found is None:
        raise BenchmarkError("the system does not tell how much memory a process has used")
    return Speed(name, result.packets, seconds, int(found[1]) << 10, result.verdict)


def dissected_by_scapy(path: Path) -> Speed:
    """Every packet with every field of its layers."""
    return _counted("scapy", lambda: _scapy(path))


def _scapy(path: Path) -> Iterator[object]:
    with RawPcapNgReader(str(path)) as reader:
        for data, _ in reader:
            yield Ether(data)


def read_by_dpkt(path: Path) -> Speed:
    """Every packet as an Ethernet frame; what is in it dpkt does not know."""
    return _counted("dpkt, Ethernet only", lambda: _dpkt(path))


def _dpkt(path: Path) -> Iterator[object]:
    with path.open("rb") as file:
        for _, data in dpkt.pcapng.Reader(file):
            yield dpkt.ethernet.Ethernet(data)


def _counted(name: str, read: Callable[[], Iterator[object]]) -> Speed:
    speeds = []
    for _ in range(RUNS):
        start = time.process_time()
        packets = sum(1 for _ in read())
        speeds.append(Speed(name, packets, time.process_time() - start))
    return median_of(speeds)


def tshark(path: Path, frames: int, *, dissector: bool) -> Speed:
    """The packet list as text; what tshark takes for a capture without packets is taken off."""
    name = WITH_DISSECTOR if dissector else "tshark"
    with tempfile.TemporaryDirectory() as folder:
        empty = Path(folder) / "empty.pcapng"
        traffic(empty, 0)
        start = median(_tshark(empty, 0, dissector) for _ in range(RUNS))
        speeds = [
            Speed(name, frames, _tshark(path, frames, dissector) - start) for _ in range(RUNS)
        ]
    return median_of(speeds)


def _tshark(path: Path, frames: int, dissector: bool) -> float:
    """Seconds of the processor."""
    command = ["tshark", "-n", "-r", str(path)]
    if dissector:
        command += ["-X", f"lua_script:{DISSECTOR}"]
    variables = environment("tshark")
    before = _children()
    done = subprocess.run(command, env=variables, capture_output=True, check=False)
    seconds = _children() - before
    if done.returncode or done.stdout.count(b"\n") != frames:
        raise BenchmarkError(f"tshark does not read {path}")
    return seconds


def _children() -> float:
    """Processor seconds of all programs that have been run and have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def whole_run(folder: Path) -> Speed:
    """The check of a run with its evidence."""
    ended = rtl.run(parse_text(RUN), folder / "run")
    if ended.stop != "resolved":
        raise BenchmarkError(f"the run is {ended.status}: {ended.stop}")
    name = "oae check, a run with its evidence"
    return checked(folder / "run" / "capture.pcapng", wire=False, name=name)


def measure(frames: int) -> list[Speed]:
    """Everything, oae check first."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        captures = {count: folder / f"{count}.pcapng" for count in (frames, PART, SLOW)}
        for count, path in captures.items():
            traffic(path, count)
        return [
            checked(captures[frames], wire=True),
            tshark(captures[SLOW], SLOW, dissector=True),
            tshark(captures[PART], PART, dissector=False),
            dissected_by_scapy(captures[SLOW]),
            read_by_dpkt(captures[PART]),
            whole_run(folder),
        ]


def table(speeds: list[Speed]) -> Table:
    """For people; ratios are to the first."""
    shown = Table("", "packets", "packets a second", "oae check to it", "memory")
    for speed in speeds:
        shown.add_row(
            f"{speed.name}: {speed.verdict}" if speed.verdict else speed.name,
            f"{speed.packets:,}",
            f"{speed.rate:,.0f}",
            f"{speeds[0].rate / speed.rate:,.1f}",
            f"{speed.memory >> 20:,} MiB" if speed.memory else "",
        )
    return shown


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--frames", type=int, default=FRAMES, help="for oae check")
    frames = parser.parse_args().frames
    try:
        if frames < 1:
            raise BenchmarkError(f"--frames {frames}: not a number above 0")
        Console().print(table(measure(frames)))
    except OaeError as error:
        print(f"benchmark: {error}", file=sys.stderr)
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main())
