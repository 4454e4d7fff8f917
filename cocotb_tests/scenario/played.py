"""Plays a short scenario on the RTL under Verilator and gives its trace, read."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

from oae.check.expect import expectations
from oae.check.scoreboard import judge
from oae.check.verdict import Judgement
from oae.engines import rtl
from oae.scenario.parse import parse_text
from oae.spec.constants import EventCode
from oae.trace import Event, Record, Trace

# The same timing in all of them, so that all of them share one build with the scenario `hash`.
LINK = """
version = 1
[link]
beat_idle = 128
beat_busy = 40
fault_beats = 40
sync_interval = 160
[limits]
cycles = 30000
stall = 6000
"""

Kind = TypeVar("Kind")


class Played:
    """A run and what its trace holds."""

    def __init__(self, folder: Path, text: str) -> None:
        self.scenario = parse_text(LINK + text)
        self.ended = rtl.run(self.scenario, folder)
        assert self.ended.status == "finished", self.ended
        assert not self.ended.assertions
        self.trace = Trace(folder / "trace.txt")
        self.records: list[Record] = list(self.trace)

    @property
    def judgement(self) -> Judgement:
        return judge(self.trace, expectations(self.scenario), self.ended.assertions)

    def all(self, kind: type[Kind], **fields: Any) -> list[Kind]:
        """Every record of a kind whose fields have these values."""
        return [
            record
            for record in self.records
            if isinstance(record, kind)
            and all(getattr(record, name) == value for name, value in fields.items())
        ]

    def events(self, code: EventCode, **fields: Any) -> list[Event]:
        """Every event of a code."""
        return self.all(Event, code=code, **fields)

    def until_stop(self) -> Iterator[Record]:
        """The experiment itself, without what follows its end."""
        for record in self.records:
            if type(record).__name__ == "Stop":
                return
            yield record


Play = Callable[[str], Played]
