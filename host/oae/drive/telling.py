"""What an end tells, as evidence in its capture and in figures."""

from collections import Counter
from collections.abc import Callable
from typing import Any, Final, NamedTuple

from oae import trace
from oae.drive.record import Recorder
from oae.model.events import Event
from oae.model.lines import EndLines
from oae.spec.constants import CHANNEL_OF, Channel, EventCode, Outcome

_CHANNELS: Final = {code: int(channel) for code, channel in CHANNEL_OF.items()}
_OUTCOMES: Final = frozenset({EventCode.TOLD, EventCode.UNOPENED_TOLD})


class Watch(NamedTuple):
    """Steps that somebody outside wants to hear of."""

    number: int
    mask: int
    match: int


class Telling(EndLines):
    """Takes what the end tells in the cycle of the wall clock that `cycle` says."""

    def __init__(
        self, end: int, recorder: Recorder | None, heard: Callable[[int, int], None]
    ) -> None:
        self.cycle = 0
        self.away = 0  # how much less the end's own time is
        self.moved = False  # a step was told
        self.judged = False  # and a verdict on a frame
        self.watches: dict[int, Watch] = {}
        self.outcomes: Counter[Outcome] = Counter()
        self._end = end
        self._recorder = recorder
        self._heard = heard  # number of the watch, and the word

    def event(self, event: Event) -> None:
        """A step."""
        word = event.word()
        self.moved = True
        code = event.code
        channel = _CHANNELS[code]
        if channel == Channel.RECEIVE or channel == Channel.POWER:
            self.judged = True
        if code in _OUTCOMES:
            self.outcomes[Outcome(event.info & 3)] += 1
        if self._recorder is not None:
            self._recorder.step(self.cycle, channel, word)
        if self.watches:
            for number, mask, match in self.watches.values():
                if word & mask == match:
                    self._heard(number, word)

    def in_force(self, kind: Callable[..., trace.AtPort], *values: Any) -> None:
        """What stands at inputs or outputs from this cycle on."""
        if self._recorder is not None:
            self._recorder.evidence(kind(0, self.cycle, self._end, *values))

    def handshake(self, kind: Callable[..., trace.AtPort], *values: Any) -> None:
        """What crosses a port of the host; in the end's own time what has a first beat."""
        if kind is trace.Submit or kind is trace.Deliver:
            first, *others = values
            values = first + self.away, *others
        self.in_force(kind, *values)
