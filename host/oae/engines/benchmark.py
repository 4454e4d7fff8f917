"""How fast the engines play: compiled, cocotb on Verilator, reference ends; one scenario.

`python -m oae.engines.benchmark` prints resolved transactions a second of one core under the
default mix of faults, with channels, checker and everything; the program is a trained one. Every
figure is processor time; the engine's is the median of three runs. cocotb does least there: it
gives the pair its clock, and the pair writes its trace, which nobody judges; its start is not
counted.
"""

import argparse
import importlib
import io
import resource
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from statistics import median
from typing import Any, Final, NamedTuple

from rich.console import Console
from rich.table import Table

from oae.check.verdict import Verdict
from oae.engines import compiled, model, rtl
from oae.errors import OaeError
from oae.options import positive
from oae.scenario.compile import compile_scenario, write
from oae.scenario.parse import parse_text
from oae.scenario.scenario import Scenario

RUNS: Final = 3
RECORDS: Final = 20_000  # each way
BY_REFERENCE: Final = 300  # records each way
UNDER_COCOTB: Final = (100, 1_000)  # records each way: the difference is without its start
# The default mix: both lanes loaded, every kind of fault of the medium, a crash now and then.
MIX: Final = """
version = 1
[link]
window = 8
record_max = 64
[load.both]
sizes = 64
resubmit = true
[rates.both]
drop = 0.02
duplicate = 0.01
reorder = 0.01
corrupt = 0.01
[[fault]]
when = "any DECIDED"
chance = 0.001
times = "always"
do = "crash a"
[[fault]]
when = "any REFLECTED"
chance = 0.001
times = "always"
do = "crash b"
[limits]
cycles = 1000000000
stall = 50000
"""


class Speed(NamedTuple):
    """What a number of transactions took."""

    name: str
    transactions: int
    cycles: int
    seconds: float  # of processor


def mix(records: int, seed: int = 1) -> Scenario:
    """The default mix with so many records each way."""
    scenario = parse_text(MIX)
    loads = tuple(replace(load, records=records) for load in scenario.loads)
    return replace(scenario, name="mix", loads=loads, seed=seed)


def engine(records: int) -> list[Speed]:
    """The compiled engine, and what Python took for the same runs."""
    speeds = []
    python = 0.0
    with compiled.Engine(compiled.parameters(mix(1)), trained=True) as engine:
        engine.run(mix(1))
        for seed in range(1, RUNS + 1):
            scenario = mix(records, seed)
            start = time.process_time()
            outcome = engine.run(scenario)
            python += time.process_time() - start
            if outcome.verdict is not Verdict.PASS:
                raise OaeError(f"seed {seed}: {outcome.verdict}: {outcome.reason}")
            resolved = sum(outcome.resolved)
            speeds.append(Speed("compiled engine", resolved, outcome.cycles, outcome.seconds))
    middle = median(speed.seconds / speed.transactions for speed in speeds)
    best = next(speed for speed in speeds if speed.seconds / speed.transactions == middle)
    return [best, best._replace(name="of that run, in Python", seconds=python / RUNS)]


def under_cocotb() -> Speed:
    """The same scenario under cocotb, by the bench that the tests use."""
    sys.path.insert(0, str(rtl.ROOT))
    play: Callable[..., None] = importlib.import_module("cocotb_tests.runner").run
    values = rtl.parameters(mix(1), len(compile_scenario(mix(max(UNDER_COCOTB)))))
    options: dict[str, Any] = {
        "simulator": "verilator",
        "sources": [str(path.relative_to(rtl.ROOT)) for path in rtl.sources()],
        "parameters": values,
    }
    measured = []
    with tempfile.TemporaryDirectory() as work, compiled.Engine(values) as engine:
        for records in (1, *UNDER_COCOTB):  # the first one builds
            schedule, trace = Path(work, "schedule.hex"), Path(work, "trace.txt")
            schedule.write_text(write(compile_scenario(mix(records))))
            start = _children()
            play(
                rtl.TOP,
                "cocotb_tests.link.bench_pair",
                plusargs=[f"+schedule={schedule}", f"+trace={trace}"],
                **options,
            )
            seconds = _children() - start
            outcome = engine.run(mix(records))
            measured.append((sum(outcome.resolved), outcome.cycles, seconds))
    few, many = measured[1:]
    transactions, cycles, seconds = (more - less for less, more in zip(few, many, strict=True))
    return Speed("cocotb on Verilator", int(transactions), int(cycles), seconds)


def reference() -> Speed:
    """The reference ends, in Python; nobody judges their trace."""
    scenario = mix(BY_REFERENCE)
    start = time.process_time()
    ended = model.Pair(scenario, b"", frozenset(), io.StringIO()).play(None, None)
    seconds = time.process_time() - start
    return Speed("reference ends, in Python", 2 * BY_REFERENCE, ended.cycles, seconds)


def _children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--records", type=positive, default=RECORDS, help="each way")
    options = parser.parse_args()
    console = Console(highlight=False)
    table = Table(title=f"default mix of faults, {options.records} records each way")
    table.add_column("what")
    for heading in ("transactions/s", "cycles/s", "microseconds each"):
        table.add_column(heading, justify="right")
    speeds = [*engine(options.records), under_cocotb(), reference()]
    for speed in speeds:
        each = speed.seconds / speed.transactions
        table.add_row(
            speed.name,
            f"{1 / each:,.0f}",
            f"{speed.cycles / speed.seconds:,.0f}",
            f"{1e6 * each:.2f}",
        )
    console.print(table)
    fast, _, slow, _ = speeds
    ratio = slow.seconds / slow.transactions * fast.transactions / fast.seconds
    console.print(f"compiled engine to cocotb on Verilator: {ratio:.0f} to 1")
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except OaeError as error:
        sys.exit(f"oae: {error}")
