"""Time of an end that lives in a process: cycles of 16 ns of the wall clock, and ticks of 20 us.

Steps are told with the cycle of the wall clock. The end's own time, by which its timers run, leaves
out what the process was away: what waits to be received is then taken before a timer strikes.
"""

from time import monotonic_ns, time_ns
from typing import Final

from oae.capture.record import CYCLE_NS

TICK_NS: Final = 20_000
CYCLES_A_TICK: Final = TICK_NS // CYCLE_NS
CATCH_UP: Final = 5_000_000 // CYCLE_NS  # cycles that timers make up at once


class Clock:
    """Counts cycles since 1970, each at most once."""

    def __init__(self) -> None:
        # A clock that is set must not move what is measured with it.
        self._start = time_ns() - monotonic_ns()
        self.cycle = 0
        self.away = self.cycle = self._now()
        self._asleep = 0

    def _now(self) -> int:
        return (self._start + monotonic_ns()) // CYCLE_NS

    @property
    def own(self) -> int:
        """The cycle by which the end's timers run; 0 at the start."""
        return self.cycle - self.away

    def advance(self) -> None:
        """One cycle more, or as many as have gone by."""
        before = self.cycle
        now = (self._start + monotonic_ns()) // CYCLE_NS
        if now <= before:
            now = before + 1
        self.cycle = now
        beyond = now - before - CATCH_UP - self._asleep
        self._asleep = 0
        if beyond > 0:
            self.away += beyond

    def sleep_until(self, own: int, longest: float) -> float:
        """Seconds to sleep until this cycle of the end's own, which it then may not miss."""
        left = min(max(own + self.away - self._now(), 0) * CYCLE_NS / 1e9, longest)
        self._asleep = int(left * 1e9) // CYCLE_NS
        return left
