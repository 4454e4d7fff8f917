"""Runs a scenario on two reference ends: no Verilog, and time in a coarse model (docs/scenario.md).

An end takes at most one step a cycle, and the line carries one beat a cycle. Cycles in which
nothing can happen are passed over. What the ends, their hosts, the medium and the fault rules do
stands in `oae.model`; here they are put together, and here is when a run ends.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import lru_cache
from math import inf
from pathlib import Path
from typing import Final, TextIO

from oae.engines.rundir import TRACE, Ended, Progress, kept
from oae.errors import OaeError
from oae.faults.decide import Coordinates
from oae.faults.hash import Purpose, chain, draw
from oae.model.host import NEVER, Load, Sink
from oae.model.lines import BENCH, IN_FORCE, EndLines, Lines
from oae.model.live import Inputs, LiveEnd, Timing
from oae.model.medium import NO_RULE, Medium
from oae.model.parameters import INGREDIENTS, Parameters
from oae.model.rules import Demands, Occurrence, Rules
from oae.scenario.compile import PROGRESS_CYCLES, compile_scenario, records, rules, write
from oae.scenario.language import COPY_SHIFT, OPERATION_SHIFT
from oae.scenario.scenario import ENDS, Scenario
from oae.spec.constants import ETHERTYPE
from oae.trace import AtPort, Config, Cut, Power, Register, Status

NAME: Final = "model"
ABLATION: Final = "OAE_ABLATE_"  # begins the name by which a run directory knows what was left out
ADDRESSES: Final = tuple(bytes.fromhex(f"02000000000{end}") for end in range(len(ENDS)))
# What frames are and what their digests are of (F12, F14) is the same with any end; streams (F25)
# there are none; and whether a session is drawn again (E3, F28) a scenario says.
ALWAYS_THERE: Final = frozenset({"F12", "F14", "F25", "E3", "F28"})
AT_FIRST: Final[dict[Callable[..., AtPort], tuple[int, ...]]] = {
    Cut: (False,),
    Power: (False, False),
}
CONFIGURED: Final = 6  # of the inputs, these stand in a config line
SECOND_HALF: Final = 100  # keeps the halves of a session apart
REST_CYCLES: Final = 65_536  # after its stop a run comes to rest, or is left as it is
LOOK: Final = 1024  # passes of the loop between looks at the clock on the wall


def ingredients() -> list[str]:
    """Ids of the ingredients that the ends can be made without, F1 first."""
    names = INGREDIENTS - ALWAYS_THERE
    return sorted(names, key=lambda name: int(name[1:]))


def check_ingredients(names: Sequence[str]) -> None:
    """Raise OaeError for the first name (of `--without`) that cannot be left out here."""
    for name in names:
        if name not in ingredients():
            known = ", ".join(ingredients())
            raise OaeError(f"--without {name}: the model can leave out {known}")


def check(scenario: Scenario, without: Sequence[str]) -> None:
    """Raise OaeError if the scenario has what this cannot play, or something cannot be left out."""
    check_ingredients(without)
    if scenario.upsets:
        raise OaeError(f"{scenario.name}: upsets are of the RTL; the model engine has none")


def run(
    scenario: Scenario,
    out: Path,
    *,
    file: bytes = b"",
    without: Sequence[str] = (),
    command: str = "",
    overruled: dict[str, int | str] | None = None,
    timeout: float | None = None,
    progress: Callable[[Progress], None] | None = None,
) -> Ended:
    """Play a scenario; the run directory `out` is there, whole, when this returns."""
    check(scenario, without)
    words = compile_scenario(scenario, file)

    def play(work: Path) -> Ended:
        with (work / TRACE).open("w") as trace:
            pair = Pair(scenario, file, frozenset(without), trace)
            return pair.play(timeout, progress)

    return kept(
        scenario,
        out,
        play,
        engine=NAME,
        schedule=write(words),
        file=file,
        command=command,
        overruled=overruled,
        parameters={
            f"{name}_{end.upper()}": value(number)
            for name, value in (("WINDOW", scenario.window), ("RECORD_MAX", scenario.record_max))
            for number, end in enumerate(ENDS)
        },
        defines=[f"{ABLATION}{name}" for name in without],
    )


class Pair:
    """Two ends, the medium between them and the rules of a scenario."""

    def __init__(
        self, scenario: Scenario, file: bytes, without: frozenset[str], trace: TextIO
    ) -> None:
        self._scenario = scenario
        self._lines = Lines(trace)
        self._told = [EndLines(self._lines, end) for end in range(len(ENDS))]
        self._ends = [self._end(end, file, without) for end in range(len(ENDS))]
        self._media = [self._medium(direction) for direction in range(len(ENDS))]
        demands = [self._demands(end) for end in range(len(ENDS))]
        found = rules(scenario)
        self._rules = Rules(found, scenario.seed, demands)
        self._fresh = scenario.link.session == "fresh"
        self._cycle = 0
        self._stop = ""
        self._ending = 0  # cycle of the stop
        self._moved_at = 0
        self._moves: Progress | None = None  # what there was by then
        self._quiet_at = NEVER  # since when everything is resolved
        self._in_force = [dict(AT_FIRST) for _ in ENDS]
        link = scenario.link
        self._lines.head(
            {
                "ends": len(ENDS),
                **{
                    f"{name}.{end}": value
                    for number, end in enumerate(ENDS)
                    for name, value in (
                        ("window", scenario.window(number)),
                        ("record_max", scenario.record_max(number)),
                        ("mac", ADDRESSES[number].hex()),
                    )
                },
                "ethertype": f"{ETHERTYPE:04x}",
                "beat_idle": link.beat_idle,
                "beat_busy": link.beat_busy,
                "fault_beats": link.fault_beats,
                "sync_interval": link.sync_interval,
                "seed": scenario.seed,
                "direct": 0,
                "rules": len(found),
            }
        )

    def _end(self, end: int, file: bytes, without: frozenset[str]) -> LiveEnd:
        scenario, link = self._scenario, self._scenario.link
        record_max = scenario.record_max(end)
        seed = scenario.seed
        load = scenario.loads[end]
        return LiveEnd(
            Parameters(scenario.window(end), record_max, without=without),
            Timing(link.beat_idle, link.beat_busy, link.fault_beats, link.sync_interval),
            (ADDRESSES[1 - end], ADDRESSES[end]),
            Load(seed, end, load, records(scenario, end, file), record_max),
            Sink(seed, end, scenario.hosts[end]),
            self._told[end],
        )

    def _medium(self, direction: int) -> Medium:
        scenario = self._scenario
        fates = {
            Coordinates(fate.operation, fate.id, fate.copy): fate.faults
            for fate in scenario.fates
            if fate.direction == direction
        }
        return Medium(direction, scenario.rates[direction], scenario.seed, fates)

    def _demands(self, end: int) -> Demands:
        host = self._scenario.hosts[end]
        return Demands(
            disabled=not self._scenario.ends[end].enable,
            mute=not self._scenario.link.beats,
            epoch=host.epoch,
            prepared=host.prepared,
        )

    # --- a run

    def play(self, timeout: float | None, progress: Callable[[Progress], None] | None) -> Ended:
        """To its end, to the time limit in seconds, or to Ctrl-C."""
        start = time.monotonic()
        status = "finished"
        passes = told = 0
        try:
            while not self._at_rest():
                self._pass()
                passes += 1
                if progress is not None and self._cycle >= told + PROGRESS_CYCLES:
                    told = self._cycle
                    progress(self._progress())
                late = passes % LOOK == 0 and time.monotonic() - start >= (timeout or inf)
                if late:
                    status = "timed out"
                    break
            else:
                self._close()
        except KeyboardInterrupt:
            status = "interrupted"
        cycles = self._ending or self._cycle
        return Ended(status, time.monotonic() - start, cycles, self._stop)

    def _progress(self) -> Progress:
        a, b = (end.load for end in self._ends)
        delivered = sum(end.sink.delivered for end in self._ends)
        submitted, resolved = (a.submitted, b.submitted), (a.resolved, b.resolved)
        return Progress(self._cycle, submitted, resolved, delivered)

    def _pass(self) -> None:
        """One cycle, and to which one to go on."""
        cycle = self._cycle
        if not self._stop:
            self._look_at_limits()
        inputs = [self._inputs(end) for end in range(len(ENDS))]
        for end, one in enumerate(inputs):
            self._tell_in_force(end, one)
        for number in self._rules.fired:
            self._lines.line(IN_FORCE, BENCH, f"rule {number}")
        if self._stop and self._ending == cycle:
            self._lines.line(IN_FORCE, BENCH, f"stop {self._stop}")
        asked = self._frames(inputs)
        for told, live, one, medium in zip(
            self._told, self._ends, inputs, self._media, strict=True
        ):
            told.events.clear()
            image = live.step(cycle, one, medium.ready)
            if image is not None:
                medium.send(cycle, image)
            if live.restarting:
                medium.cut_short()
        self._lines.flush(cycle)
        if not self._stop:
            steps = [(end, word) for end, told in enumerate(self._told) for word in told.events]
            self._rules.look(cycle, steps, asked)
            self._measure()
        elif self._ending == cycle:
            self._rules.end()
        self._cycle = max(cycle + 1, self._next())

    def _inputs(self, end: int) -> Inputs:
        """What stands at the inputs of an end in this cycle."""
        demands = self._rules.demands[end]
        live = self._ends[end]
        if demands.cancel is not None:
            live.cancel(self._cycle, demands.cancel)
        session = _session(self._scenario.seed, end, live.lives if self._fresh else 0)
        return demands.inputs(session, running=not self._stop, willing=live.sink.willing)

    def _tell_in_force(self, end: int, inputs: Inputs) -> None:
        """What stands at the ports, where it has changed."""
        demands = self._rules.demands[end]
        now: dict[Callable[..., AtPort], tuple[int, ...]] = {
            Config: inputs[:CONFIGURED],
            Status: self._ends[end].status(self._cycle, inputs),
            Cut: (demands.cut,),
            Power: (inputs.crash, inputs.amnesia),
        }
        before = self._in_force[end]
        if now == before:
            return
        self._in_force[end] = now
        for kind, values in now.items():
            if values != before.get(kind):
                self._told[end].in_force(kind, *values)

    def _frames(self, inputs: Sequence[Inputs]) -> list[Occurrence]:
        """What moves on the wire; the frames that rules are asked about."""
        cycle = self._cycle
        asked = []
        for end, told in enumerate(self._told):
            outgoing, incoming = self._media[end], self._media[1 - end]
            listens = not (inputs[end].crash or inputs[end].amnesia)
            if arrived := incoming.arrived(cycle, listens):
                number, first, image, bad = arrived
                told.frame(f"receive {number} {first} {int(bad)} 0 {image.hex()}")
                self._ends[end].hear(image, bad)
            demands = self._rules.demands[end]
            decided = outgoing.decided(cycle, demands.strike, demands.cut)
            if frame := outgoing.transmitted(cycle):
                told.frame(f"transmit {frame.number} {frame.first} 0 0 {frame.image.hex()}")
                operation, id, copy = frame.name
                asked.append((end, operation << OPERATION_SHIFT | copy << COPY_SHIFT | id))
            if decided:
                operation, id, copy = decided.frame.name
                rule = "-" if decided.rule == NO_RULE else decided.rule
                faults = f"{decided.faults:04x} {rule}"
                told.frame(f"fate {decided.frame.number} {operation} {id} {copy} {faults}")
        return asked

    # --- its end

    def _measure(self) -> None:
        """Whether anything has moved, and whether everything is resolved."""
        after = self._cycle + 1
        moves = replace(self._progress(), cycle=0)
        if moves != self._moves:
            self._moves, self._moved_at = moves, after
        done = all(live.load.done and live.settled for live in self._ends)
        self._quiet_at = min(self._quiet_at, after) if done else NEVER

    def _look_at_limits(self) -> None:
        """Whether the run ends in this cycle, and why."""
        limits, cycle = self._scenario.limits, self._cycle
        if cycle >= self._quiet_at + limits.quiet:
            self._stop = "resolved"
        elif self._rules.stop:
            self._stop = "requested"
        elif cycle >= limits.cycles:
            self._stop = "cycles"
        elif cycle >= self._moved_at + limits.stall:
            self._stop = "stalled"
        if self._stop:
            self._ending = cycle

    def _next(self) -> int:
        """The next cycle in which something can happen."""
        if self._stop and self._cycle == self._ending:
            return 0  # what rules demanded until the stop is over in the next
        times = [live.wake for live in self._ends] + [medium.next for medium in self._media]
        if not self._stop:
            limits = self._scenario.limits
            times += [self._quiet_at + limits.quiet, self._moved_at + limits.stall, limits.cycles]
            times.append(0 if self._rules.fired else self._rules.next)
        return min(times)

    def _at_rest(self) -> bool:
        """Whether nothing moves any more after the stop."""
        return bool(self._stop) and self._cycle >= self._ending + REST_CYCLES

    def _close(self) -> None:
        """The registers, and the last line."""
        cycle = min(self._cycle, self._ending + REST_CYCLES)
        registers = [live.registers() for live in self._ends]
        for address in registers[0]:
            for told, values in zip(self._told, registers, strict=True):
                told.in_force(Register, address, values[address])
        self._lines.line(IN_FORCE, BENCH, "end")
        self._lines.flush(cycle)


@lru_cache(maxsize=64)
def _session(seed: int, end: int, life: int) -> int:
    """The session that the host of an end draws for each life of it."""
    hash = draw(seed, end << 24 | life)
    high, low = (chain(hash, Purpose.SESSION + half) for half in (0, SECOND_HALF))
    return high << 32 | low | 1
