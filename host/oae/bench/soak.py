"""A long run under every kind of fault, judged while it goes on.

`python -m oae.bench.soak` plays a million transactions on a bench of two live ends with the relay
between them. In each round both ends crash, each direction is cut once, and all captures go on in
new files; those of the round are joined, judged and removed. It is one run: the verdict is that of
all rounds. Memory and descriptors of each process, and what is left behind, are told. In its first
half a process fills what it keeps of fixed size; what it grows by in its second half is judged.

exit codes: those of the verdict; 1 if something grew or was left behind; 130 Ctrl-C
"""

import argparse
import io
import json
import os
import socket
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from queue import SimpleQueue
from statistics import linear_regression
from typing import Any, BinaryIO, Final, cast

from rich.console import Console
from rich.table import Table

from oae.bench.bench import Bench
from oae.bench.parse import parse
from oae.bench.runner import Run
from oae.bench.started import PREFIX
from oae.capture.join import BENCH, CHUNK, RELAY, Joiner
from oae.capture.read import Capture
from oae.check.capture import check
from oae.check.findings import Result
from oae.check.verdict import EXIT_CODES, Verdict
from oae.errors import OaeError
from oae.medium.signals import Signals
from oae.options import positive
from oae.relay.relay import Relay
from oae.scenario.layout import Fault
from oae.scenario.parse import parse_text
from oae.scenario.scenario import ENDS, Scenario

TRANSACTIONS: Final = 1_000_000
ROUNDS: Final = 20
ROUNDS_LEAST: Final = 2
KEPT: Final = 1_000  # transactions in detail
DOWN_TICKS: Final = 100
CUT_SECONDS: Final = 0.05
WINDOW: Final = 32
STALL_SECONDS: Final = 60.0
# What a process may grow by in the second half, by the line through its rounds.
GROWTH: Final = 32 << 20
DESCRIPTORS: Final = 8
GONE_SECONDS: Final = 10.0  # what others made on the machine meanwhile may go by then
CHECKER: Final = "soak"  # this process, with the relay
INTERRUPTED: Final = 130
PAGE: Final = os.sysconf("SC_PAGE_SIZE")
SCENARIO: Final = """
version = 1
text = "Every kind of fault, for long"
[link]
window = {window}
[load.both]
records = {records}
sizes = 8
resubmit = true
[rates.both]
drop = 0.002
duplicate = 0.002
reorder = 0.002
corrupt = 0.001
flip = 0.001
delay = 0.002
"""


@dataclass(frozen=True)
class Size:
    """What a process takes."""

    memory: int  # bytes that are resident
    descriptors: int

    @classmethod
    def of(cls, process: int) -> "Size":
        """Of the process of this number."""
        folder = Path(f"/proc/{process}")
        pages = int((folder / "statm").read_text().split()[1])
        return cls(pages * PAGE, sum(1 for _ in (folder / "fd").iterdir()))


def things() -> set[str]:
    """What a machine keeps if nobody cleans up: our processes and folders, and the network's."""
    children = Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()
    folders = Path(tempfile.gettempdir()).glob(f"{PREFIX}{os.getpid()}-*")
    return {
        *(f"process {number}" for number in children),
        *(f"folder {path}" for path in folders),
        *(f"interface {name}" for _, name in socket.if_nameindex()),
        *(f"namespace {path.name}" for path in Path("/run/netns").glob("*")),
    }


def left_behind(before: set[str]) -> list[str]:
    """What is there since, and stays."""
    deadline = time.monotonic() + GONE_SECONDS
    left = things() - before
    while left and time.monotonic() < deadline:
        time.sleep(0.1)
        left &= things()
    return sorted(left)


@dataclass(frozen=True)
class Round:
    """How things stood at the end of a round."""

    seconds: float
    committed: int
    frames: int
    sizes: dict[str, Size]


class Segments:
    """A file that goes on in another one."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("wb")

    def __enter__(self) -> BinaryIO:
        return cast(BinaryIO, self)

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def write(self, data: bytes) -> int:
        """Write to the file of now."""
        return self._file.write(data)

    def flush(self) -> None:
        """Let readers see what is written."""
        self._file.flush()

    def rotate(self, path: Path) -> None:
        """From now on it is this one."""
        self._file.close()
        self._file = path.open("wb")


class Stream(io.BufferedIOBase):
    """The joined capture of files that come while it is read; each is removed once it was."""

    def __init__(self) -> None:
        self.name = "soak"
        self._coming: dict[str, SimpleQueue[Path | None]] = {
            name: SimpleQueue() for name in (*ENDS, RELAY, BENCH)
        }
        self._open: dict[str, tuple[BinaryIO, Path]] = {}
        self._pieces = self._joined()
        self._left = memoryview(b"")

    def put(self, source: str, path: Path | None) -> None:
        """A file of this source is whole; None: it was the last one."""
        self._coming[source].put(path)

    def readinto1(self, buffer: Any) -> int:
        """The next bytes; waits for them."""
        while not self._left:
            piece = next(self._pieces, None)
            if piece is None:
                return 0
            self._left = memoryview(piece)
        size = min(len(buffer), len(self._left))
        buffer[:size] = self._left[:size]
        self._left = self._left[size:]
        return size

    def _joined(self) -> Iterator[bytes]:
        sink = io.BytesIO()
        joiner = Joiner(sink, relayed=True)
        while (source := joiner.wants) is not None:
            joiner.feed(source, self._next(source))
            yield sink.getvalue()
            sink.seek(0)
            sink.truncate()
        joiner.finish()
        yield sink.getvalue()

    def _next(self, source: str) -> bytes:
        while True:
            if source not in self._open:
                path = self._coming[source].get()
                if path is None:
                    return b""
                self._open[source] = path.open("rb"), path
            file, path = self._open[source]
            if piece := file.read(CHUNK):
                return piece
            del self._open[source]
            file.close()
            path.unlink()


class Judging(threading.Thread):
    """Checks the joined capture while the run goes on."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.stream = Stream()
        self.result: Result | None = None
        self.problem: Exception | None = None

    def run(self) -> None:
        """To the end of all sources."""
        try:
            self.result = check(Capture(self.stream), keep=KEPT)
        except Exception as error:  # told by whoever waits
            self.problem = error

    def verdict(self) -> Result:
        """When it has come to the end."""
        self.join()
        if self.problem is not None:
            raise self.problem
        assert self.result is not None
        return self.result


class Soak(Run):
    """A run whose captures go on in new files, round by round."""

    def __init__(self, bench: Bench, scenario: Scenario, folder: Path) -> None:
        super().__init__(bench, scenario, folder)
        self.crashes = 0
        self.rounds: list[Round] = []
        self.judging = Judging()
        self._parts = 0
        self._segments: Segments | None = None
        self._started_at = 0.0

    def capture(self, name: str) -> Path:
        """The file of a source that is written now."""
        return self._folder / f"{name}.{self._parts}.pcapng"

    def relay_capture(self) -> Any:
        """Where the relay records."""
        self._segments = Segments(self.capture(RELAY))
        return self._segments

    def play_rounds(self, rounds: int, transactions: int, console: Console) -> None:
        """Until every record has its outcome."""
        if not self._bench.relay:
            raise OaeError(f"{self._bench.name}: a soak takes a relay")
        with self.running() as ending:
            self.judging.start()
            self.judging.stream.put(BENCH, None)
            self.begin()
            self._started_at = time.monotonic()
            with console.status("") as status:
                for number in range(1, rounds + 1):
                    self._faults(ending)
                    goal = transactions * number // rounds
                    self._until(partial(self._reached, goal, number == rounds), ending)
                    self._rotate(ending)
                    status.update(f"round {number} of {rounds}, {self._committed:,} committed")
            self.stop()
        for name in (*ENDS, RELAY):
            self.judging.stream.put(name, self.capture(name))
            self.judging.stream.put(name, None)

    def _reached(self, goal: int, is_last: bool) -> bool:
        """Whether a round is over."""
        return len(self.resolved) == len(ENDS) or (self._told >= goal and not is_last)

    @property
    def _told(self) -> int:
        """Records that have their outcome."""
        return sum(
            one.get(outcome, 0)
            for one in self.told.values()
            for outcome in ("committed", "unknown")
        )

    @property
    def _committed(self) -> int:
        return sum(one.get("committed", 0) for one in self.told.values())

    def _until(
        self, done: Callable[[], bool], ending: Signals, seconds: float = float("inf")
    ) -> None:
        """Let it run until then; raises KeyboardInterrupt or OaeError."""
        start = self._moved_at = time.monotonic()
        while not done() and time.monotonic() < start + seconds:
            self.step()
            if ending.taken():
                raise KeyboardInterrupt
            if time.monotonic() > self._moved_at + STALL_SECONDS:
                raise OaeError(f"soak: nothing has moved for {STALL_SECONDS:.0f} s")

    def _faults(self, ending: Signals) -> None:
        """Both ends crash and both directions are cut, one after the other."""
        assert self.relay is not None
        for name, demands in zip(ENDS, self.relay.demands, strict=True):
            self.ends[name].order(f"crash {DOWN_TICKS}")
            self.crashes += 1
            self._until(lambda: False, ending, CUT_SECONDS)
            demands.cut = True
            self._until(lambda: False, ending, CUT_SECONDS)
            demands.cut = False

    def _rotate(self, ending: Signals) -> None:
        """The captures of the round are whole, and go to be judged."""
        assert self._segments is not None
        done = [(name, self.capture(name)) for name in (*ENDS, RELAY)]
        self._parts += 1
        before = dict(self.answers)
        for name in ENDS:
            self.ends[name].order(f"rotate {self.capture(name)}")
            self.ends[name].order("statistics")
        self._segments.rotate(self.capture(RELAY))
        self._until(lambda: all(self.answers[end] > before.get(end, 0) for end in ENDS), ending)
        for name, path in done:
            self.judging.stream.put(name, path)
        sizes = {name: Size.of(process.number) for name, process in self.ends.items()}
        sizes[CHECKER] = Size.of(os.getpid())
        frames = sum(getattr(self.relay, "frames", ()))
        seconds = time.monotonic() - self._started_at
        self.rounds.append(Round(seconds, self._committed, frames, sizes))


def growth(rounds: Sequence[Round]) -> dict[str, Size]:
    """What each process grew by in the second half, by the lines through its rounds."""
    half = rounds[(len(rounds) - 1) // 2 :]
    found = {}
    for name in half[0].sizes:
        sizes = [one.sizes[name] for one in half]
        memory, descriptors = (
            round(linear_regression(range(len(half)), values).slope * (len(half) - 1))
            for values in ([size.memory for size in sizes], [size.descriptors for size in sizes])
        )
        found[name] = Size(memory, descriptors)
    return found


def soak(
    bench_name: str, transactions: int, rounds: int, console: Console, window: int = WINDOW
) -> dict[str, Any]:
    """Play, judge, and say what was measured."""
    if rounds < ROUNDS_LEAST:
        raise OaeError(f"soak: what grows is seen in no fewer than {ROUNDS_LEAST} rounds")
    records = -(-transactions // len(ENDS))
    scenario = parse_text(SCENARIO.format(records=records, window=window))
    before = things()
    with tempfile.TemporaryDirectory(prefix="soak-") as folder:
        run = Soak(parse(bench_name), scenario, Path(folder))
        run.play_rounds(rounds, transactions, console)
        result = run.judging.verdict()
    seconds = run.rounds[-1].seconds
    committed = sum(end.committed for end in result.ends)
    return {
        "verdict": result.verdict,
        "reason": result.reason,
        "bench": bench_name,
        "seconds": round(seconds, 3),
        "committed": committed,
        "committed_a_second": round(committed / seconds, 1),
        "crashes": sum(end.crashes for end in result.ends),
        "packets": result.packets,
        "frames": run.rounds[-1].frames,
        "faults": _by_kind(run),
        "rounds": [asdict(one) for one in run.rounds],
        "growth": {name: asdict(size) for name, size in growth(run.rounds).items()},
        "left": left_behind(before),
    }


def _by_kind(run: Soak) -> dict[str, int]:
    """How often each kind of fault struck a frame."""
    assert isinstance(run.relay, Relay)
    found = {
        str(kind.name): sum(
            count for faults in run.relay.faults for kinds, count in faults.items() if kinds & kind
        )
        for kind in Fault
    }
    return {name: count for name, count in found.items() if count}


def show(console: Console, told: dict[str, Any]) -> None:
    """Print what a soak came to."""
    rounds = Table("round", "seconds", "committed", "frames", *told["rounds"][0]["sizes"])
    for number, one in enumerate(told["rounds"], 1):
        sizes = [
            f"{size['memory'] / 2**20:,.1f} MiB, {size['descriptors']} files"
            for size in one["sizes"].values()
        ]
        figures = f"{one['seconds']:,.1f}", f"{one['committed']:,}", f"{one['frames']:,}"
        rounds.add_row(str(number), *figures, *sizes)
    console.print(rounds)
    grown = ", ".join(
        f"{name} {size['memory'] / 2**20:,.1f} MiB" for name, size in told["growth"].items()
    )
    console.print(f"growth in the second half: {grown}", highlight=False)
    struck = ", ".join(
        f"{count:,} {name.lower().replace('_', ' ')}" for name, count in told["faults"].items()
    )
    console.print(
        f"{told['committed']:,} committed, {told['committed_a_second']:,} a second; "
        f"{told['crashes']} crashes; {told['frames']:,} frames: {struck}",
        highlight=False,
    )
    console.print(f"{told['verdict']}: {told['reason']}", highlight=False)
    if problem := trouble(told):
        console.print(problem, highlight=False)


def trouble(told: dict[str, Any]) -> str:
    """What grew or was left behind; empty if nothing."""
    grown = [
        f"{name} by {size['memory'] / 2**20:,.0f} MiB and {size['descriptors']} files"
        for name, size in told["growth"].items()
        if size["memory"] > GROWTH or size["descriptors"] > DESCRIPTORS
    ]
    if grown:
        return f"grew: {', '.join(grown)}"
    return f"left behind: {', '.join(told['left'])}" if told["left"] else ""


def main() -> int:
    """Play a soak and print what it came to."""
    parser = argparse.ArgumentParser(
        prog="python -m oae.bench.soak",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--bench", default="relay", help="a bench with a relay (default: relay)")
    parser.add_argument("--transactions", type=positive, default=TRANSACTIONS)
    parser.add_argument("--rounds", type=positive, default=ROUNDS)
    parser.add_argument("--json", action="store_true", help="print everything as JSON only")
    arguments = parser.parse_args()
    console = Console(stderr=True, quiet=arguments.json)
    try:
        told = soak(arguments.bench, arguments.transactions, arguments.rounds, console)
    except OaeError as error:
        print(f"oae: {error}", file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        print("oae: interrupted", file=sys.stderr)
        return INTERRUPTED
    if arguments.json:
        print(json.dumps(told, indent=2))
    else:
        show(Console(), told)
    code = EXIT_CODES[Verdict(told["verdict"])]
    return code or int(bool(trouble(told)))


if __name__ == "__main__":
    sys.exit(main())
