"""One reference end with its host on a medium: what `oae.model.live` wants from outside.

`step` does what is due, one step of the end at a time; between steps the caller may wait for the
medium, at most `wait()` seconds.
"""

import secrets
import time
from collections.abc import Callable
from dataclasses import asdict
from typing import Any, BinaryIO, Final

from oae import trace
from oae.drive.clock import CYCLES_A_TICK, Clock
from oae.drive.latency import Latency
from oae.drive.record import Recorder, system_of
from oae.drive.telling import Telling, Watch
from oae.medium.medium import Medium
from oae.model.host import Load, Sink
from oae.model.live import Inputs, LiveEnd, Timing
from oae.model.parameters import Parameters
from oae.model.rules import Demands
from oae.scenario import scenario as scenarios
from oae.scenario.compile import records
from oae.scenario.scenario import ENDS, Scenario
from oae.spec.constants import ETHERTYPE, LinkState, Outcome

# Ticks, as every end on a medium has them: those of a scenario are for a simulated wire.
TIMING: Final = {
    "beat_idle": 1024,
    "beat_busy": 128,
    "fault_beats": 128,
    "sync_interval": 1024,
}
ADDRESSES: Final = tuple(bytes.fromhex(f"02000000000{end}") for end in range(len(ENDS)))
LONGEST_SLEEP: Final = 0.1  # seconds
STREAMS: Final = ("deliver", "completion", "doubt")
_CONFIGURED: Final = 6  # of the inputs, these stand in a config packet
_LOOK_EVERY: Final = 3  # steps between looks at a medium in which there was nothing


class DrivenEnd:
    """An end that runs while it is stepped."""

    def __init__(
        self,
        end: int,
        medium: Medium,
        scenario: Scenario,
        *,
        content: bytes = b"",
        capture: BinaryIO | None = None,
    ) -> None:
        self.name = ENDS[end]
        self.medium = medium
        self.clock = Clock()
        self.latency = Latency(medium.clock)
        self.heard: list[tuple[int, int, int]] = []  # watch, word and time of steps
        self._number, self._scenario, self._content = end, scenario, content
        self._recorder = None
        if capture is not None:
            self._recorder = Recorder(capture, end, system_of(str(medium.clock)), medium.name)
        self.telling = Telling(end, self._recorder, self._hear)
        host = scenario.hosts[end]
        self.demands = Demands(
            disabled=not scenario.ends[end].enable,
            mute=not scenario.link.beats,
            epoch=host.epoch,
            prepared=host.prepared,
        )
        self._record_max = scenario.record_max(end)
        self._window = scenario.window(end)
        self._session = _fresh_session()
        self.live = LiveEnd(
            Parameters(self._window, self._record_max),
            Timing(
                TIMING["beat_idle"] * CYCLES_A_TICK,
                TIMING["beat_busy"] * CYCLES_A_TICK,
                TIMING["fault_beats"],
                TIMING["sync_interval"] * CYCLES_A_TICK,
            ),
            (ADDRESSES[1 - end], ADDRESSES[end]),
            Load(scenario.seed, end, scenarios.Load(), (), self._record_max),
            Sink(scenario.seed, end, host),
            self.telling,
        )
        self.loaded = False
        self._rises: dict[str, int] = {}  # switch -> the own cycle in which it goes back
        self._unjudged = False  # the end has a frame without a verdict
        self._stopping = False  # it takes no more frames
        self._idle = True  # nothing was due in the last cycle
        self._looks_in = 0  # steps, unless it is idle
        self._inputs_told: Inputs | None = None
        self._status_told: tuple[int, ...] | None = None
        self._in_force: dict[Callable[..., trace.AtPort], tuple[int, ...]] = {
            trace.Power: (False, False)
        }
        self._inputs = self._look()
        if self._recorder is not None:
            self._recorder.parameters(self._parameters())

    def _parameters(self) -> dict[str, object]:
        name = self.name
        return {
            "ends": 1,
            f"window.{name}": self._window,
            f"record_max.{name}": self._record_max,
            f"mac.{name}": ADDRESSES[self._number].hex(),
            "ethertype": f"{ETHERTYPE:04x}",
            **TIMING,
            "seed": self._scenario.seed,
            "direct": 0,
            "rules": 0,
        }

    # --- from outside

    def load(self) -> None:
        """The scenario's load begins; it does once."""
        if self.loaded:
            return
        self.loaded = True
        end, scenario = self._number, self._scenario
        load = scenario.loads[end]
        found = records(scenario, end, self._content)
        self.live.load = Load(scenario.seed, end, load, found, self._record_max)
        self.live.wake = 0

    def demand(self, name: str, value: bool) -> None:
        """Set a switch of the end or its host."""
        setattr(self.demands, name, value)
        self._rises.pop(name, None)
        self._inputs = self._look()

    def restart(self, name: str, ticks: int) -> None:
        """Crash or amnesia, for so many ticks."""
        self.demand(name, True)
        self._rises[name] = self.clock.own + ticks * CYCLES_A_TICK

    def epochs(self, epoch: int, prepared: int) -> None:
        """The epoch that the domain wants, and which part of it is durable."""
        self.demands.epoch, self.demands.prepared = epoch, prepared
        self._inputs = self._look()

    def cancel(self, tag: int) -> None:
        """The host takes a record back."""
        self.live.cancel(self.clock.own, tag)

    def watch(self, watch: Watch) -> None:
        """Steps with this word stand in `heard` from now on."""
        self.telling.watches[watch.number] = watch

    @property
    def sources(self) -> tuple[Medium, ...]:
        """What becomes readable when a frame has come."""
        return (self.medium,)

    @property
    def captures(self) -> bool:
        """Whether it writes a capture."""
        return self._recorder is not None

    def rotate(self, file: BinaryIO) -> None:
        """The capture goes on in another file."""
        if self._recorder is not None:
            self._recorder.rotate(file)

    def flush(self) -> None:
        """Let readers see what is captured."""
        if self._recorder is not None:
            self._recorder.flush()

    # --- while it runs

    def step(self) -> bool:
        """What is due in this cycle; whether anything was."""
        clock, telling, live = self.clock, self.telling, self.live
        clock.advance()
        telling.cycle, telling.away = clock.cycle, clock.away
        own = clock.own
        if self._inputs.accept != (live.sink.willing and not self.demands.refuse):
            self._inputs = self._look()
        if telling.moved or self._idle:
            self._tell_in_force(own)
        telling.moved = False
        came = False
        # One frame at a time is taken, and while there is much to do not always looked for.
        self._looks_in -= 1
        if (self._idle or self._looks_in < 0) and not (self._unjudged or live.restarting):
            came = self._receive()
        image = live.step(own, self._inputs, True)
        if self._rises:  # the end has seen at least once that it is down
            self._rise(own)
        if telling.judged:
            telling.judged = self._unjudged = False
        if image is not None:
            self.latency.sent(image)
            self.medium.send(image)
            if self._recorder is not None:
                self._recorder.transmitted(clock.cycle, image)
        self._idle = not (came or telling.moved)
        return not self._idle

    def wait(self) -> float:
        """Seconds until something is due though nothing comes."""
        wake = min([self.live.wake, *self._rises.values()])
        return self.clock.sleep_until(wake, LONGEST_SLEEP)

    @property
    def resolved(self) -> bool:
        """Whether every record of a load that has begun has its outcome."""
        return self.loaded and self.live.load.done

    def stop(self) -> None:
        """The link goes down, and the capture ends."""
        self.clock.advance()
        self._bench(trace.Stop, "resolved" if self.resolved else "requested")
        for name in ("crash", "amnesia"):
            self.demand(name, False)
        self.demand("disabled", True)
        self._stopping = True
        while self.step() or self.live.end.link.state != LinkState.DOWN:
            pass
        if self._recorder is None:
            return
        for address, value in self.live.registers().items():
            self._recorder.evidence(
                trace.Register(0, self.clock.cycle, self._number, address, value)
            )
        self._bench(trace.End)
        self._recorder.finish()

    def _bench(self, kind: Any, *values: object) -> None:
        if self._recorder is not None:
            self._recorder.evidence(kind(0, self.clock.cycle, trace.BENCH, *values))

    def statistics(self) -> dict[str, Any]:
        """What this end has done so far."""
        live, load = self.live, self.live.load
        outcomes = {one.name.lower(): self.telling.outcomes[one] for one in Outcome}
        return {
            "link": live.end.link.state.name,
            "submitted": load.submitted,
            **outcomes,
            "delivered": live.sink.delivered,
            "medium": asdict(self.medium.counters),
            "latency": self.latency.told(),
            "processor_seconds": time.process_time(),
        }

    def _receive(self) -> bool:
        found = self.medium.receive()
        if found is None:
            self._looks_in = _LOOK_EVERY
            return False
        self.latency.received(*found)
        self.live.hear(found.frame, False)
        self._unjudged = True
        if self._recorder is not None:
            self._recorder.received(self.clock.cycle, found.frame)
        return True

    def _rise(self, own: int) -> None:
        for name, when in list(self._rises.items()):
            if own >= when:
                self.demand(name, False)
                if name == "amnesia" and self._scenario.link.session == "fresh":
                    self._session = _fresh_session()
                    self._inputs = self._look()

    def _look(self) -> Inputs:
        """What stands at the inputs."""
        return self.demands.inputs(self._session, running=True, willing=self.live.sink.willing)

    def _tell_in_force(self, own: int) -> None:
        """What stands at the ports, where it has changed."""
        inputs = self._inputs
        status = self.live.status(own, inputs)
        if inputs is self._inputs_told and status is self._status_told:
            return
        self._inputs_told, self._status_told = inputs, status
        self._put_in_force(trace.Config, inputs[:_CONFIGURED])
        self._put_in_force(trace.Status, status)
        self._put_in_force(trace.Power, (inputs.crash, inputs.amnesia))

    def _put_in_force(self, kind: Callable[..., trace.AtPort], values: tuple[int, ...]) -> None:
        if values != self._in_force.get(kind):
            self._in_force[kind] = values
            self.telling.in_force(kind, *values)

    def _hear(self, number: int, word: int) -> None:
        self.heard.append((number, word, time.time_ns()))


def _fresh_session() -> int:
    return secrets.randbits(64) | 1
