"""Committed transactions a second of ends that are processes, beside a bare request and response.

`python -m oae.bench.benchmark` prints, all of one run: two live ends over Unix sockets; a Python
end and a live end on a veth pair; and on such a pair scapy, which sends a request and waits for the
response of its AnsweringMachine: no retries, nothing kept, nothing promised. A veth pair takes
CAP_NET_ADMIN; without, what needs one is left out. Exit codes: 0 every target is met, 1 one is
missed, 4 something could not be started.
"""

import json
import multiprocessing
import sys
import tempfile
import time
from argparse import ArgumentParser
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from typing import Any, Final

from rich.console import Console
from rich.table import Table

from oae.bench.bench import Veth
from oae.bench.fixtures import FixtureError, made
from oae.bench.lease import held
from oae.bench.parse import parse_text
from oae.bench.runner import Run
from oae.capture.read import Capture
from oae.capture.record import IN_RUN
from oae.check.capture import check
from oae.check.verdict import Verdict
from oae.drive.end import ADDRESSES
from oae.errors import OaeError
from oae.options import positive
from oae.scenario.parse import parse_text as parse_scenario

RECORDS: Final = 20_000
PINGS: Final = 1_000
WINDOW: Final = 8
RECORD_BYTES: Final = 64
PATIENCE: Final = 60.0  # seconds beyond what the target allows
NEAR, FAR = "oae-near", "oae-far"  # the cable made of software
EXPERIMENTAL: Final = 0x88B6  # another EtherType than the link's, so that no end listens
BY: Final = "CLOCK_MONOTONIC around the call"


@dataclass(frozen=True)
class Target:
    """What a pair has to reach."""

    rate: float
    latency_ns: int | None = None


LIVE_LIVE, PYTHON_LIVE, SCAPY = "live-live, Unix sockets", "python-live, veth", "scapy, veth"
TARGETS: Final = {LIVE_LIVE: Target(10_000), PYTHON_LIVE: Target(2_000, 300_000)}


@dataclass(frozen=True)
class Figure:
    """How fast one pair is."""

    pair: str
    outstanding: int  # records that are on their way at once
    count: int
    seconds: float
    latency_ns: int | None  # median, DATA to ACK; of scapy request to response
    clock: str  # of the latency
    processor_us: dict[str, float] | None = None  # of each end, for one transaction

    @property
    def rate(self) -> float:
        """Committed a second of wall time."""
        return self.count / self.seconds

    def missed(self) -> Iterator[str]:
        """Targets that it has not reached."""
        target = TARGETS.get(self.pair)
        if target is None:
            return
        if self.rate < target.rate:
            yield f"{self.pair}: {self.rate:,.0f} a second, not {target.rate:,.0f}"
        if target.latency_ns is None:
            return
        if self.latency_ns is None or self.latency_ns >= target.latency_ns:
            yield f"{self.pair}: {_us(self.latency_ns)}, not under {_us(target.latency_ns)}"


def _us(latency_ns: int | None) -> str:
    return "" if latency_ns is None else f"{latency_ns / 1000:,.0f} us"


def ends(name: str, bench: str, records: int) -> Figure:
    """Two ends without a relay; the load goes from a to b. The run must be PASS."""
    scenario = parse_scenario(
        f"version = 1\n[link]\nwindow = {WINDOW}\nrecord_max = {RECORD_BYTES}\n"
        f"[load.a]\nrecords = {records}\nsizes = {RECORD_BYTES}\n"
    )
    with tempfile.TemporaryDirectory() as folder:
        run = Run(parse_text(bench), scenario, Path(folder))
        with run.running() as ending:
            before = {end: one.statistics() for end, one in run.ends.items()}
            run.begin()
            begun = time.monotonic()
            while len(run.resolved) < len(run.ends):
                run.step()
                if ending.taken():
                    raise KeyboardInterrupt
                if time.monotonic() >= begun + PATIENCE + records / TARGETS[name].rate:
                    raise OaeError(f"{name}: not every record has its outcome")
            seconds = time.monotonic() - begun
            run.stop()
        run.join(Path(folder) / IN_RUN)
        result = check(Capture(Path(folder) / IN_RUN))
    if result.verdict is not Verdict.PASS:
        raise OaeError(f"{name}: {result.verdict}: {result.reason}")
    spent = {
        end: (told["processor_seconds"] - before[end]["processor_seconds"]) * 1e6 / records
        for end, told in run.told.items()
    }
    latency = run.told["a"]["latency"]
    median_ns, clock = latency.get("median_ns"), latency["clock"]
    return Figure(name, WINDOW, records, seconds, median_ns, clock, spent)


def live_live(records: int) -> Figure:
    """Two Verilog ends over Unix sockets."""
    bench = "version: 1\nends:\n  a: {kind: live, medium: unix}\n  b: {kind: live, medium: unix}\n"
    return ends(LIVE_LIVE, bench, records)


def python_live(records: int) -> Figure:
    """A Python end and a Verilog end on a cable made of software."""
    bench = f"""
version: 1
fixtures: [{{veth: [{NEAR}, {FAR}]}}]
ends:
  a: {{kind: python, medium: "packet:{NEAR}"}}
  b: {{kind: live, medium: "packet:{FAR}"}}
"""
    return ends(PYTHON_LIVE, bench, records)


def scapy_ping(pings: int) -> Figure:
    """scapy's request and response on a cable made of software."""
    names = [f"interface:{name}" for name in (NEAR, FAR)]
    with held(names, SCAPY), made([Veth((NEAR, FAR))]), _answering(FAR):
        from scapy.config import conf
        from scapy.layers.l2 import Ether
        from scapy.packet import Raw

        source, destination = (address.hex(":") for address in ADDRESSES)
        header = Ether(src=source, dst=destination, type=EXPERIMENTAL)
        request = header / Raw(bytes(RECORD_BYTES))
        taken = []
        with conf.L2socket(iface=NEAR) as socket:
            while not socket.sr1(request, timeout=0.1, verbose=0):  # until the other one listens
                pass
            begun = time.monotonic_ns()
            for _ in range(pings):
                sent = time.monotonic_ns()
                if socket.sr1(request, timeout=1, verbose=0) is None:
                    raise OaeError("scapy: a request had no response within 1 s")
                taken.append(time.monotonic_ns() - sent)
            seconds = (time.monotonic_ns() - begun) / 1e9
    return Figure(SCAPY, 1, pings, seconds, int(median(taken)), BY)


@contextmanager
def _answering(interface: str) -> Iterator[None]:
    """A process that answers every request."""
    process = multiprocessing.get_context("spawn").Process(target=answer, args=(interface,))
    process.start()
    try:
        yield
    finally:
        process.terminate()
        process.join()


def answer(interface: str) -> None:
    """What that process does, until it is ended."""
    from scapy.ansmachine import AnsweringMachine
    from scapy.layers.l2 import Ether
    from scapy.packet import Packet
    from scapy.sendrecv import sendp

    class Answering(AnsweringMachine[Packet]):
        """Sends back what comes."""

        function_name = "answering"
        send_function = staticmethod(sendp)

        def is_request(self, req: Packet) -> int:
            return int(req.haslayer(Ether) and req[Ether].type == EXPERIMENTAL)

        def make_reply(self, req: Packet) -> Packet:
            return Ether(src=req.dst, dst=req.src, type=EXPERIMENTAL) / req.payload

    Answering(iface=interface, verbose=0)()


def measure(records: int, pings: int) -> tuple[list[Figure], list[str]]:
    """Every figure that can be had here, and what was left out."""
    found, left_out = [live_live(records)], []
    try:
        found += [python_live(records), scapy_ping(pings)]
    except FixtureError as error:
        left_out.append(f"what needs a veth pair is left out: {error}")
    return found, left_out


def main() -> int:
    """Measure and print."""
    parser = ArgumentParser(prog="python -m oae.bench.benchmark", description=__doc__)
    parser.add_argument("--records", type=positive, default=RECORDS)
    parser.add_argument("--pings", type=positive, default=PINGS)
    parser.add_argument("--json", action="store_true", help="print everything as JSON only")
    arguments = parser.parse_args()
    try:
        found, left_out = measure(arguments.records, arguments.pings)
    except OaeError as error:
        print(f"oae: {error}", file=sys.stderr)
        return error.exit_code
    missed = [line for one in found for line in one.missed()]
    if arguments.json:
        figures: list[dict[str, Any]] = [{**asdict(one), "rate": one.rate} for one in found]
        print(json.dumps({"figures": figures, "left_out": left_out, "missed": missed}, indent=2))
    else:
        _show(found, [*left_out, *(f"missed: {line}" for line in missed)])
    return 1 if missed else 0


def _show(found: list[Figure], lines: list[str]) -> None:
    scapy = next((one.rate for one in found if one.pair == SCAPY), None)
    columns = ("committed a second", "to scapy", "DATA to ACK, median", "processor, us: a, b")
    table = Table("pair", "outstanding", *columns)
    for one in found:
        ratio = "" if scapy is None else f"{one.rate / scapy:,.1f}"
        spent = ", ".join(f"{us:,.0f}" for us in (one.processor_us or {}).values())
        latency = _us(one.latency_ns)
        table.add_row(one.pair, str(one.outstanding), f"{one.rate:,.0f}", ratio, latency, spent)
    console = Console()
    console.print(table)
    for line in [*(f"{one.pair}: {one.clock}" for one in found), *lines]:
        console.print(line, highlight=False, soft_wrap=True)


if __name__ == "__main__":
    sys.exit(main())
