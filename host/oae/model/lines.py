"""Writes the trace of a run of reference ends (docs/trace.md), cycle by cycle."""

from collections.abc import Callable
from typing import Final, Protocol

from oae import trace
from oae.model.events import Event
from oae.scenario.scenario import ENDS

IN_FORCE, HANDSHAKES, FRAMES, STEPS = range(4)  # the groups of lines of one cycle, in this order
BENCH: Final = "-"


class Text(Protocol):
    """Where the lines go."""

    def write(self, text: str, /) -> object:
        """Take some more of them."""


class Lines:
    """Collects what happens in a cycle and writes it in the order that a trace has."""

    def __init__(self, file: Text) -> None:
        self._file = file
        self._groups: tuple[list[str], ...] = ([], [], [], [])

    def head(self, parameters: dict[str, object]) -> None:
        """What stands before the first cycle."""
        lines = ["oae-trace 1", *(f"parameter {key} {value}" for key, value in parameters.items())]
        self._file.write("\n".join(lines) + "\n")

    def line(self, group: int, end: str, text: str) -> None:
        """One line of this cycle."""
        self._groups[group].append(f" {end} {text}\n")

    def flush(self, cycle: int) -> None:
        """The cycle is over."""
        for group in self._groups:
            if group:
                self._file.write("".join(f"{cycle}{line}" for line in group))
                group.clear()


class EndLines:
    """What one end tells."""

    def __init__(self, lines: Lines, end: int) -> None:
        self._lines = lines
        self._name = ENDS[end]
        self.events: list[int] = []  # words of this cycle

    def event(self, event: Event) -> None:
        """A step."""
        word = event.word()
        self.events.append(word)
        self._lines.line(STEPS, self._name, f"event {event.channel} {word:016x}")

    def in_force(self, kind: Callable[..., trace.AtPort], *values: object) -> None:
        """What stands at inputs or outputs from this cycle on: a record's own values."""
        self._lines.line(IN_FORCE, self._name, trace.line_of(kind, *values))

    def handshake(self, kind: Callable[..., trace.AtPort], *values: object) -> None:
        """What crosses a port of the host: a record's own values."""
        self._lines.line(HANDSHAKES, self._name, trace.line_of(kind, *values))

    def frame(self, text: str) -> None:
        """What happens to a frame."""
        self._lines.line(FRAMES, self._name, text)
