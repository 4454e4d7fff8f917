"""What each run of a campaign does: drawn from its seed alone.

Every parameter is a hash of the seed and of the parameter's name, never a running generator: a run
is the same whenever and wherever it is played. Each kind of fault is on or off in a run (swarm
testing): a run that has all of them hides what few of them would show.

A run has two phases. In the first the rates hold, and what is scheduled strikes; then the rates
end, and everything must resolve.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, TypeVar
from zlib import crc32

from oae.engines import compiled
from oae.faults.hash import draw, threshold
from oae.scenario.parse import parse_text
from oae.scenario.scenario import Scenario

Choice = TypeVar("Choice")
Value = int | float | str | bool

# Verilog parameters make another build, so they are drawn together, from these few.
BUILDS: Final[dict[str, dict[str, dict[str, int]]]] = {
    "usual": {"link": {"window": 8, "record_max": 64}},
    "single": {"link": {"window": 1, "record_max": 8}},
    "uneven": {
        "link": {"window": 16, "record_max": 64, "beat_idle": 128, "beat_busy": 40},
        "end.b": {"window": 2, "record_max": 24},
    },
    "brisk": {
        "link": {
            "window": 8,
            "record_max": 64,
            "beat_idle": 128,
            "beat_busy": 40,
            "fault_beats": 40,
            "sync_interval": 160,
        }
    },
    # A cut of middle length is enough for FAULT. The longest round trip (LATENCIES) is not.
    "hasty": {
        "link": {
            "window": 4,
            "record_max": 64,
            "beat_idle": 64,
            "beat_busy": 64,
            "fault_beats": 16,
            "sync_interval": 100,
        }
    },
    "large": {"link": {"window": 32, "record_max": 256}},
}
PHASES: Final = (4_000, 16_000, 64_000)  # cycles
# After the rates have ended: so many cycles at least, and so many more for each record.
REST: Final = 200_000
REST_EACH: Final = 3_000
DIRECTIONS: Final = ("a->b", "b->a")
RATES: Final = (0.005, 0.01, 0.02, 0.05, 0.1, 0.2)
LATENCIES: Final = (5, 50, 200)
RATED: Final = ("drop", "duplicate", "reorder", "corrupt", "flip", "delay")
STEPS: Final = (
    "SENT",
    "RECEIVED",
    "OPENED",
    "HELD",
    "REFLECTED",
    "DECIDED",
    "COMMIT_HEARD",
    "DELIVERED",
    "DONE_HEARD",
    "TOLD",
)
OPERATIONS: Final = ("DATA", "ACK", "COMMIT", "DONE", "ABORT", "ABORTED", "SYNC", "SYNC_ACK", "NOP")
# What may be scheduled, with the chance that a run has any of it, the most of it, and how long it
# lasts in cycles.
SCHEDULED: Final[tuple[tuple[str, float, int, tuple[int, ...]], ...]] = (
    ("crash", 0.6, 4, (1, 20, 300)),
    ("cut", 0.5, 4, (50, 300, 700, 3_000)),
    ("amnesia", 0.1, 1, (1, 20)),
    ("disable", 0.15, 2, (10, 400)),
    ("stall deliver", 0.2, 2, (200, 2_000)),
    ("stall completion", 0.2, 2, (200, 2_000)),
    ("refuse", 0.15, 2, (100, 1_000)),
    ("mute", 0.1, 2, (500, 3_000)),
)


@dataclass(frozen=True)
class Drawn:
    """What one run is to do."""

    seed: int
    build: str
    healed: int  # cycle in which the rates end
    text: str  # the scenario
    parameters: dict[str, Value]  # everything that was drawn, by name

    @property
    def scenario(self) -> Scenario:
        """The scenario, ready to be played."""
        return parse_text(self.text, f"run-{self.seed}.toml")


class Draws:
    """Numbers of one seed, by name; what came of them is kept."""

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self.found: dict[str, Value] = {}

    def number(self, name: str) -> int:
        """32 bits."""
        return draw(self._seed, crc32(name.encode()))

    def chance(self, name: str, chance: float) -> bool:
        """Whether it is so, with this chance."""
        self.found[name] = self.number(name) < threshold(chance)
        return bool(self.found[name])

    def integer(self, name: str, least: int, most: int) -> int:
        """A number from least to most."""
        value = least + self.number(name) % (most - least + 1)
        self.found[name] = value
        return value

    def choice(self, name: str, choices: Sequence[Choice]) -> Choice:
        """One of several."""
        value = choices[self.number(name) % len(choices)]
        self.found[name] = value if isinstance(value, int | float | str) else str(value)
        return value


def parameters(build: str) -> dict[str, int]:
    """Verilog parameters of a build."""
    lines = ["version = 1"]
    for table, values in BUILDS[build].items():
        lines += _table(table, values)
    return compiled.parameters(parse_text("\n".join(lines), f"{build}.toml"))


def drawn(seed: int, builds: Sequence[str]) -> Drawn:
    """The run of this seed; its build is one of these."""
    draws = Draws(seed)
    build = draws.choice("build", builds)
    phase = draws.choice("phase", PHASES)
    lines = ["version = 1", f"seed = {seed}"]
    for table, values in BUILDS[build].items():
        lines += _table(table, values)
    record_max = min(values["record_max"] for values in BUILDS[build].values())
    records = 0
    advances = draws.chance("epoch", 0.15)
    for end in "ab":
        count = draws.integer(f"{end}.records", phase // 200, phase // 50)
        records += count
        lines += _table(
            f"load.{end}", {"records": count, **_load(draws, end, record_max, advances)}
        )
        lines += _table(f"host.{end}", _host(draws, end))
    for direction in DIRECTIONS:
        lines += _table(f'rates."{direction}"', {**_rates(draws, direction), "until": phase})
    lines += _scheduled(draws, phase, records)
    if advances:
        lines += _epoch(draws, phase)
    lines += _table("limits", {"cycles": phase + REST + REST_EACH * records})
    lines += _table("expect", {"every_fault": False})
    return Drawn(seed, build, phase, "\n".join(lines) + "\n", draws.found)


def _table(name: str, values: Mapping[str, object]) -> list[str]:
    return ["", f"[{name}]", *(f"{key} = {_text(value)}" for key, value in values.items())]


def _text(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_text, value))}]"
    return f'"{value}"' if isinstance(value, str) else str(value)


def _load(draws: Draws, end: str, record_max: int, advances: bool) -> dict[str, object]:
    least = draws.integer(f"{end}.size_least", 1, record_max)
    most = draws.integer(f"{end}.size_most", least, record_max)
    found: dict[str, object] = {"sizes": [least, most]}
    # While the ends differ in their epoch nothing commits; a load that gave up would prove nothing.
    found["resubmit"] = draws.chance(f"{end}.resubmit", 0.7) or advances
    if draws.chance(f"{end}.gaps", 0.3):
        found["gap"] = draws.choice(f"{end}.gap", (5, 40, 200))
    if draws.chance(f"{end}.few_outstanding", 0.2):
        found["outstanding"] = draws.integer(f"{end}.outstanding", 1, 4)
    for name, chances in (("bad", (0.02, 0.2)), ("too_long", (0.02, 0.2)), ("cancel", (0.02, 0.2))):
        if draws.chance(f"{end}.with_{name}", 0.3):
            found[name] = draws.choice(f"{end}.{name}", chances)
    if "cancel" in found:
        found["cancel_after"] = draws.choice(f"{end}.cancel_after", (0, 20, 200))
    if draws.chance(f"{end}.with_completion_stall", 0.4):
        found["completion_stall"] = draws.choice(f"{end}.completion_stall", (0.05, 0.3, 0.8))
        found["completion_stall_max"] = draws.choice(f"{end}.completion_stall_max", (4, 16, 100))
    return found


def _host(draws: Draws, end: str) -> dict[str, object]:
    found: dict[str, object] = {"prepared": 1}  # for an advance to epoch 1, should there be one
    if draws.chance(f"{end}.with_stall", 0.4):
        found["stall"] = draws.choice(f"{end}.stall", (0.02, 0.1, 0.5))
        found["stall_max"] = draws.choice(f"{end}.stall_max", (4, 16, 100))
    if draws.chance(f"{end}.with_refusals", 0.3):
        found["refuse"] = draws.choice(f"{end}.refuse", (0.01, 0.05, 0.2))
    return found


def _rates(draws: Draws, direction: str) -> dict[str, object]:
    found: dict[str, object] = {}
    for kind in RATED:
        if draws.chance(f"{direction}.with_{kind}", 0.5):
            found[kind] = draws.choice(f"{direction}.{kind}", RATES)
    if "reorder" in found:
        found["reorder_window"] = draws.integer(f"{direction}.reorder_window", 1, 8)
        found["reorder_cycles"] = draws.choice(f"{direction}.reorder_cycles", (20, 100, 400))
    if "flip" in found:
        found["flip_bits"] = draws.integer(f"{direction}.flip_bits", 1, 3)
    if "delay" in found:
        found["delay_max"] = draws.choice(f"{direction}.delay_max", (10, 64, 300))
    if draws.chance(f"{direction}.with_latency", 0.3):
        found["latency"] = draws.choice(f"{direction}.latency", LATENCIES)
    if draws.chance(f"{direction}.with_operation", 0.15):
        found["operations"] = [draws.choice(f"{direction}.operation", OPERATIONS)]
    return found


def _scheduled(draws: Draws, phase: int, records: int) -> Iterator[str]:
    for what, chance, most, lengths in SCHEDULED:
        if not draws.chance(f"with {what}", chance):
            continue
        for number in range(draws.integer(f"{what}.times", 1, most)):
            name = f"{what}.{number}"
            yield "\n[[fault]]"
            # At some cycle, or at some step.
            if draws.chance(f"{name}.at_step", 0.5):
                end = draws.choice(f"{name}.step_of", "ab")
                step = draws.choice(f"{name}.step", STEPS)
                yield f'when = "{end} {step} #{draws.integer(f"{name}.nth", 1, records)}"'
            else:
                yield 'when = "start"'
                yield f'after = "{draws.integer(f"{name}.after", 1, phase)} cycles"'
            target = draws.choice(f"{name}.target", DIRECTIONS if what == "cut" else "ab")
            verb, _, stream = what.partition(" ")
            yield f'do = "{" ".join(filter(None, (verb, target, stream)))}"'
            yield f'for = "{draws.choice(f"{name}.for", lengths)} cycles"'


def _epoch(draws: Draws, phase: int) -> Iterator[str]:
    """Both hosts go to epoch 1 at some time, and a record advances the link to it."""
    for end in "ab":
        yield "\n[[fault]]"
        yield 'when = "start"'
        yield f'after = "{draws.integer(f"epoch.{end}.after", 1, phase)} cycles"'
        yield f'do = "epoch {end} 1"'
    yield f"\n[[load.{draws.choice('epoch.by', 'ab')}.record]]"
    yield "advance = 1"
