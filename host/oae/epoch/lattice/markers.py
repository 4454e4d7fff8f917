"""How long a checkpoint's marker takes over a real link: runs of the RTL with faults.

The marker is a record; its delay is from the cycle in which the end opens it to that in which the
far host has taken it. Both lanes carry markers, one at a time, so that none waits for another.
"""

import tempfile
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

import numpy
from numpy.typing import NDArray

from oae.check.verdict import Verdict
from oae.engines.compiled import Engine, parameters
from oae.errors import OaeError
from oae.scenario.parse import parse_text
from oae.scenario.scenario import ENDS, Scenario
from oae.spec.constants import EventCode
from oae.trace import Event, Trace

Delays = NDArray[numpy.int64]

RECORDS: Final = 100  # markers in each lane of a link
SCENARIO: Final = parse_text(
    f"""
version = 1
text = "Markers of checkpoints over a link that loses, repeats, reorders, delays, and is cut."
[load.both]
records = {RECORDS}
sizes = 8
outstanding = 1
[rates.both]
drop = 0.05
duplicate = 0.02
reorder = 0.02
corrupt = 0.02
delay = 0.05
[[fault]]
when = "any REFLECTED"
chance = 0.003
times = "always"
do = "cut a->b"
for = "300 cycles"
[[fault]]
when = "any REFLECTED"
chance = 0.003
times = "always"
do = "cut b->a"
for = "300 cycles"
[limits]
cycles = 1000000
stall = 50000
[expect]
every_fault = false
"""
)


class MarkerError(OaeError):
    """A run of a link that gives no delays."""


def delays(seeds: Sequence[int], tell: Callable[[str, int, int], None]) -> Delays:
    """Cycles that each marker takes; shape (links, lanes, records), one link a seed."""
    with Engine(parameters(SCENARIO)) as engine, tempfile.TemporaryDirectory() as folder:
        trace = Path(folder) / "trace.txt"
        links = []
        for done, seed in enumerate(seeds):
            tell("links", done, len(seeds))
            links.append(_link(engine, replace(SCENARIO, seed=seed), trace))
    return numpy.array(links)


def _link(engine: Engine, scenario: Scenario, trace: Path) -> list[list[int]]:
    outcome = engine.run(scenario, trace=trace)
    if outcome.verdict is not Verdict.PASS:
        raise MarkerError(f"seed {scenario.seed}: {outcome.verdict}: {outcome.reason}")
    opened: list[list[int]] = [[] for _ in ENDS]
    delivered: list[list[int]] = [[] for _ in ENDS]
    for record in Trace(trace):
        if isinstance(record, Event):
            if record.code == EventCode.OPENED:
                opened[record.end].append(record.cycle)
            elif record.code == EventCode.DELIVERED:
                delivered[1 - record.end].append(record.cycle)
    # Delivery is in order, and nothing here is aborted.
    return [
        [end - start for start, end in zip(starts, ends, strict=True)]
        for starts, ends in zip(opened, delivered, strict=True)
    ]
