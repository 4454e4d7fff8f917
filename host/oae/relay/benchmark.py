"""How fast the relay passes frames on, beside a bare forwarder in the same run.

`python -m oae.relay.benchmark` prints frames a second of processor time, the median of three runs:
a forwarder that receives and sends and nothing else, the relay with its capture, and the relay with
its capture under every kind of fault. Frames carry 64-byte records, both ways, on Unix sockets.
"""

import os
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack, closing
from pathlib import Path
from statistics import median
from typing import Final

from rich.console import Console
from rich.table import Table

from oae.frame import Frame, encode
from oae.medium.medium import Medium
from oae.medium.opening import open_medium
from oae.relay.relay import BATCH, Relay
from oae.scenario.scenario import Rates, Scenario
from oae.spec.constants import Operation

RUNS: Final = 3
BATCHES: Final = 300
FAULTS: Final = Rates(drop=0.02, duplicate=0.02, reorder=0.02, corrupt=0.01, flip=0.01, delay=0.01)

Forwarder = Callable[[Medium, Medium], Callable[[], None]]


def bare(near: Medium, far: Medium) -> Callable[[], None]:
    """Receives and sends."""

    def step() -> None:
        for source, target in ((near, far), (far, near)):
            while found := source.receive():
                target.send(found.frame)

    return step


def relay(rates: Rates) -> Forwarder:
    """The relay, with its capture."""

    def made(near: Medium, far: Medium) -> Callable[[], None]:
        capture = Path(os.devnull).open("wb")  # noqa: SIM115  # as long as the process
        made = Relay(near, far, Scenario(rates=(rates, rates)), capture)
        made.begin()
        return made.step

    return made


def rate(forwarder: Forwarder) -> float:
    """Frames a second of processor time."""
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        a, near, far, b = (
            stack.enter_context(closing(open_medium(f"unix:{folder}/{one},{folder}/{other}")))
            for one, other in (("a", "ra"), ("ra", "a"), ("rb", "b"), ("b", "rb"))
        )
        for medium in (a, near, far, b):
            medium.receive()  # connects
        step = forwarder(near, far)
        spent = 0.0
        for batch in range(BATCHES):
            for id in range(batch * BATCH, (batch + 1) * BATCH):
                frame = encode(Frame(Operation.DATA, id, record=bytes(64)))
                a.send(frame)
                b.send(frame)
            begun = time.process_time()
            step()
            spent += time.process_time() - begun
            for medium in (a, b):
                while medium.receive():
                    pass
        assert near.counters.received == far.counters.received == BATCHES * BATCH
        return 2 * BATCHES * BATCH / spent


def main() -> None:
    """Measure and print."""
    table = Table("forwarder", "frames a second", "of the bare one")
    first = 0.0
    for name, forwarder in (
        ("bare", bare),
        ("relay, recording", relay(Rates())),
        ("relay, recording, every kind of fault", relay(FAULTS)),
    ):
        found = median(rate(forwarder) for _ in range(RUNS))
        first = first or found
        table.add_row(name, f"{found:,.0f}", f"{found / first:.2f}")
    Console().print(table)


if __name__ == "__main__":
    main()
