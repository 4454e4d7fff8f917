"""An end that is a board: does the commands of an end (docs/live.md) by its registers.

Nothing is seen of it but what its serial line tells: counts, and the steps in its trace buffer. Its
records are those of its generator; for one that was ABORTED another one goes.
"""

import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import fields
from typing import Any, BinaryIO, Final

from oae.bringup.board import AMNESIA, Board
from oae.drive.orders import OrderError
from oae.drive.telling import Watch
from oae.errors import CannotPlayError
from oae.scenario.language import Duration
from oae.scenario.layout import Action
from oae.scenario.scenario import ENDS, Host, Load, Scenario
from oae.spec.constants import CHANNEL_OF, BoardControl, EventCode, Injection, Outcome

CRASH: Final = 1  # what is written to RESTART
SHORTEST: Final = 8  # bytes of a record of the generator
LOOK_EVERY: Final = 0.005  # seconds between looks at the board
GENERATED: Final = ("submitted", "committed", "aborted", "unknown", "lost")
SWITCHES: Final = {
    "disabled": BoardControl.ENABLE,
    "mute": BoardControl.BEATS,
    "refuse": BoardControl.ACCEPT,
}
CLOCK: Final = "none: a board tells no times of frames"
_RECORD, _CLEAR, _CHANNELS = 1, 2, 8  # in TRACE_CONTROL
_PLAYED: Final = ("records", "sizes", "resubmit", "epoch", "prepared")  # of load and host
_UNPLAYED: Final = frozenset(
    {Action.STALL_DELIVER, Action.STALL_COMPLETION, Action.STALL_DOUBT, Action.CANCEL}
)


def refuse(scenario: Scenario, end: int) -> None:
    """Raise CannotPlayError if a board in the place of this end cannot play a scenario."""
    if found := list(_cannot_play(scenario, end)):
        what = ", ".join(found)
        raise CannotPlayError(f"{scenario.name}: end {ENDS[end]} is a board, which has not: {what}")


def _cannot_play(scenario: Scenario, end: int) -> Iterator[str]:
    name = ENDS[end]
    for table, found, default in (
        ("load", scenario.loads[end], Load()),
        ("host", scenario.hosts[end], Host()),
    ):
        for one in fields(found):
            if one.name not in _PLAYED and getattr(found, one.name) != getattr(default, one.name):
                yield f"{table}.{name}.{one.name}"
    for number, fault in enumerate(scenario.faults, 1):
        lasts = fault.do.undo is Action.RISE and fault.until not in ((), (Duration(1),))
        if fault.do.target == end and not fault.do.on_frame:
            if fault.do.code in _UNPLAYED:
                yield f"fault[{number}]"
            elif lasts:
                yield f"fault[{number}], in which it stays down"
    if scenario.carries_file:
        yield "a file"
    if scenario.fates:
        yield "fates"


class BoardEnd:
    """One board with its internal host; it is taken from whatever host it had."""

    sources: Final = ()  # nothing comes that was not asked for
    captures: Final = False

    def __init__(self, end: int, board: Board, scenario: Scenario) -> None:
        self.heard: list[tuple[int, int, int]] = []
        self.loaded = False
        self._board, self._scenario, self._end = board, scenario, end
        self._load = scenario.loads[end]
        self._busy = False
        self._seed = scenario.seed
        self._generated: Counter[str] = Counter()  # by runs of the generator that are over
        self._watches: dict[int, Watch] = {}
        self._ids: dict[str, list[int]] = {"COMMITTED": [], "ABORTED": [], "DELIVERED": []}
        self._on = {BoardControl.INTERNAL_HOST, BoardControl.ACCEPT}
        if scenario.ends[end].enable:
            self._on.add(BoardControl.ENABLE)
        if scenario.link.beats:
            self._on.add(BoardControl.BEATS)
        self._begin()

    def _begin(self) -> None:
        board, host = self._board, self._scenario.hosts[self._end]
        board.control()
        board.inject(Injection.NONE)
        board.write("SINK_SEED", 0)  # clears its counts
        board.forget()
        self.epochs(host.epoch, host.prepared)
        self._record(_CLEAR)
        self._before = board.counters()
        board.control(*self._on)

    def _record(self, clear: int = 0) -> None:
        """Keep the steps that are judged, and those that somebody waits for."""
        codes = {EventCode.TOLD, EventCode.DELIVERED}
        channels = {CHANNEL_OF[code] for code in codes}
        for watch in self._watches.values():
            channels |= {channel for code, channel in CHANNEL_OF.items() if _can_be(watch, code)}
        mask = sum(1 << channel for channel in channels)
        self._board.write("TRACE_CONTROL", mask << _CHANNELS | clear | _RECORD)

    # --- commands

    def load(self) -> None:
        """The load begins; it does once."""
        if not self.loaded:
            self.loaded = True
            self._generate(self._load.records)

    def _generate(self, records: int) -> None:
        if not records:
            return
        board = self._board
        most = min(self._scenario.negotiated_record_max, board.identity().record_max)
        shortest, longest = (
            min(max(size, SHORTEST), most) for size in self._load.sizes or (SHORTEST, most)
        )
        board.write("GENERATOR_COUNT", records)
        board.write("GENERATOR_SIZES", longest << 16 | shortest)
        board.write("GENERATOR_SEED", self._seed)
        board.write("GENERATOR_START", 1)
        self._seed += 1
        self._busy = True

    def demand(self, name: str, value: bool) -> None:
        """Set a switch."""
        if name not in SWITCHES:
            raise OrderError(f"{name.replace('_', ' ')}: a board has no such switch")
        (self._on.discard if value else self._on.add)(SWITCHES[name])
        self._board.control(*self._on)

    def restart(self, name: str, ticks: int) -> None:
        """Crash or amnesia, for one cycle."""
        if ticks > 1:
            raise OrderError(f"{name} {ticks}: a board is down for one cycle only")
        if name == "crash":
            self._board.write("RESTART", CRASH)
        elif self._scenario.link.session == "fresh":
            self._board.forget()
        else:
            self._board.write("RESTART", AMNESIA)

    def epochs(self, epoch: int, prepared: int) -> None:
        """The epoch that the domain wants, and which part of it is durable."""
        self._board.write("WANTED_EPOCH", epoch)
        self._board.write("PREPARED", prepared)

    def cancel(self, tag: int) -> None:
        """Refuse."""
        raise OrderError(f"cancel {tag}: a board cancels nothing")

    def watch(self, watch: Watch) -> None:
        """Steps with this word stand in `heard` from now on."""
        self._watches[watch.number] = watch
        self._record()

    def rotate(self, file: BinaryIO) -> None:
        """There is no capture to go on in another file."""

    # --- while it runs

    def step(self) -> bool:
        """Look at the board; whether it had a step to tell."""
        told = False
        for one in self._board.trace():
            told = True
            self._take(one.word)
        if self._busy and not self._board.read("GENERATOR_START"):
            self._busy = False
            counts = self._of_generator()
            self._generated += counts
            if self._load.resubmit:
                self._generate(counts["aborted"])
        return told

    def _take(self, word: int) -> None:
        code, id = EventCode(word >> 56), word & 0xFFFF_FFFF
        if code is EventCode.DELIVERED:
            self._ids[code.name].append(id)
        elif code is EventCode.TOLD:
            self._ids.setdefault(Outcome(word >> 32 & 3).name, []).append(id)
        for number, mask, match in self._watches.values():
            if word & mask == match:
                self.heard.append((number, word, time.time_ns()))

    def _of_generator(self) -> Counter[str]:
        """Of the run of the generator that is going on, or was the last one."""
        read = self._board.read
        return Counter({name: read(f"GENERATOR_{name.upper()}") for name in GENERATED})

    def wait(self) -> float:
        """Seconds until the next look."""
        return LOOK_EVERY

    @property
    def resolved(self) -> bool:
        """Whether every record of a load that has begun has its outcome."""
        return self.loaded and not self._busy

    def flush(self) -> None:
        """There is no capture."""

    def stop(self) -> None:
        """The link goes down, and everything that was told is taken."""
        self._on.discard(BoardControl.ENABLE)
        self._board.control(*self._on)
        while self.step():
            pass

    def statistics(self) -> dict[str, Any]:
        """What it has done so far, and what the trace buffer told."""
        board, counts = self._board, self._generated.copy()
        if self._busy:
            counts += self._of_generator()
        return {
            "link": board.link_state().name,
            **{name: counts[name] for name in GENERATED},
            "delivered": board.read("SINK_DELIVERED"),
            "latency": {"clock": CLOCK, "count": 0},
            "counters": {
                name: (value - self._before[name]) % 2**32
                for name, value in board.counters().items()
            },
            "busy": self._busy,  # records may have no outcome yet
            "ids": self._ids,
            "steps_lost": board.read("TRACE_LOST"),
        }


def _can_be(watch: Watch, code: EventCode) -> bool:
    """Whether a step of this code can be what is watched for."""
    return not (code << 56 ^ watch.match) & watch.mask & 0xFF << 56
