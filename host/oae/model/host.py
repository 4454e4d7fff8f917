"""The host of an end as a scenario has it: the load that it submits, and how it takes what comes.

`hdl/sim/oae_load.v`, `oae_sink.v` and `oae_staller.v` are the same in Verilog. Every chance hangs
on the number of what is decided about, so that it falls alike there, whatever the timing.
"""

from collections import deque
from collections.abc import Sequence
from typing import Final, NamedTuple

from oae.faults.hash import Purpose, chain, draw, threshold
from oae.scenario import scenario as scenarios
from oae.scenario.scenario import Record
from oae.spec.constants import AbortReason, Outcome

NEVER: Final = 1 << 62
WORD_BYTES: Final = 8
LOOK_UP: Final = 2  # cycles from the choice of a record to its gap
ATTEMPTS: Final = 8  # after so many, chance lets a record go as it is
TAGS: Final = 1 << 16
DELIVER_STREAM: Final = 0
COMPLETION_STREAM: Final = 1


def beats(data: bytes) -> int:
    """Beats of a packet."""
    return -(-len(data) // WORD_BYTES)


class Staller:
    """A host that is slow at times: after each item it may let the next one wait."""

    def __init__(self, seed: int, end: int, stream: int, chance: float, most: int) -> None:
        self.ready = 0  # the first cycle in which it takes the next item
        self._place = seed, end << 24 | stream << 16
        self._threshold = threshold(chance)
        self._most = most
        self._number = 0

    def taken(self, cycle: int) -> None:
        """It has taken one."""
        self._number += 1
        self.ready = cycle + 1
        if self._threshold:
            hash = draw(*self._place, self._number)
            if chain(hash, Purpose.STALL) < self._threshold:
                self.ready += 1 + chain(hash, Purpose.STALL_CYCLES) % self._most


class Sink:
    """Takes delivered records, and refuses some of those that come."""

    def __init__(self, seed: int, end: int, host: scenarios.Host) -> None:
        self.staller = Staller(seed, end, DELIVER_STREAM, host.stall, host.stall_max)
        self.delivered = 0
        self._place = seed, end << 24
        self._threshold = threshold(host.refuse)
        self._asked = 0
        self.willing = self._is_willing()

    def _is_willing(self) -> bool:
        limit = self._threshold
        return not limit or draw(*self._place, self._asked, Purpose.REFUSE) >= limit

    def asked(self) -> None:
        """A record that is new to the end was accepted or refused."""
        self._asked += 1
        self.willing = self._is_willing()

    def take(self, cycle: int, data: bytes) -> tuple[int, int]:
        """Cycles in which it takes the first and the last beat of a record."""
        staller = self.staller
        first = last = max(cycle, staller.ready)
        for _ in range(beats(data)):
            last = max(last, staller.ready)
            staller.taken(last)
        return first, last


class Packet(NamedTuple):
    """A record on its way to the end; it is one from its last beat on."""

    place: int  # of the record in the load
    attempt: int
    data: bytes
    kind: int
    bad: bool
    long: bool
    first: int  # cycles of its first and last beat, if the end takes it at once
    last: int

    @property
    def tag(self) -> int:
        """As the end has it."""
        return self.place % TAGS


class Load:
    """Submits records in order, and again what came back ABORTED if the scenario says so."""

    def __init__(
        self,
        seed: int,
        end: int,
        load: scenarios.Load,
        records: Sequence[Record],
        record_max: int,
    ) -> None:
        self.completions = Staller(
            seed, end, COMPLETION_STREAM, load.completion_stall, load.completion_stall_max
        )
        self.submitted = 0
        self.resolved = 0  # outcomes told, and records that amnesia took away
        self.packet: Packet | None = None
        self.cancelling: tuple[int, int] | None = None  # from which cycle on, and the tag
        self._seed, self._end, self._load, self._records = seed, end, load, records
        self._long_words = record_max // WORD_BYTES + 2
        self._fresh = 0
        self._again: deque[tuple[int, int]] = deque()  # index, attempt
        self._attempts: dict[int, int] = {}  # of what is outstanding, by index
        self._outstanding = 0

    @property
    def done(self) -> bool:
        """Every record has had its outcome."""
        left = self._again or self._fresh < len(self._records)
        return self.packet is None and not left and not self._outstanding

    def choose(self, cycle: int) -> None:
        """Begin the next packet if there is one to begin."""
        limit = self._load.outstanding
        if self.packet is not None or (limit and self._outstanding >= limit):
            return
        if self._again:
            self._begin(cycle, *self._again.popleft())
        elif self._fresh < len(self._records):
            self._fresh += 1
            self._begin(cycle, self._fresh - 1, 0)

    def _draw(self, index: int, attempt: int, purpose: Purpose) -> int:
        return draw(self._seed, self._end << 24 | attempt & 0xFF, index, purpose)

    def _strikes(self, index: int, attempt: int, purpose: Purpose, chance: float) -> bool:
        limit = threshold(chance) if chance and attempt < ATTEMPTS else 0
        return limit > 0 and self._draw(index, attempt, purpose) < limit

    def _begin(self, cycle: int, index: int, attempt: int) -> None:
        record = self._records[index]
        data = record.data
        long = self._strikes(index, attempt, Purpose.TOO_LONG, self._load.too_long)
        if long:  # it repeats its first word
            data = data[:WORD_BYTES].ljust(WORD_BYTES, b"\0") * self._long_words
        bad = self._strikes(index, attempt, Purpose.BAD, self._load.bad)
        most = self._load.gap
        gap = self._draw(index, attempt, Purpose.GAP) % (most + 1) if most else 0
        first = cycle + LOOK_UP + gap + 1
        last = first + beats(data) - 1
        self.packet = Packet(index, attempt, data, record.kind, bad, long, first, last)

    def discarded(self, cycle: int) -> None:
        """The packet was marked bad: it never existed, and goes again."""
        packet = self._taken()
        self._begin(cycle, packet.place, packet.attempt + 1)

    def accepted(self, cycle: int) -> None:
        """The packet was taken as a record."""
        packet = self._taken()
        self.submitted += 1
        self._outstanding += 1
        self._attempts[packet.place] = packet.attempt
        attempt = packet.place, packet.attempt
        if (
            self.cancelling is None
            and not packet.long
            and self._strikes(*attempt, Purpose.CANCEL, self._load.cancel)
        ):
            wait = self._draw(*attempt, Purpose.CANCEL_AFTER) % (self._load.cancel_after + 1)
            self.cancelling = cycle + 2 + wait, packet.tag

    def _taken(self) -> Packet:
        packet, self.packet = self.packet, None
        assert packet is not None
        return packet

    def told(self, cycle: int, tag: int, outcome: int, reason: int, *, long: bool = False) -> None:
        """The outcome of the newest record with this tag; `long`: the packet was made too long."""
        self.completions.taken(cycle)
        self.resolved += 1
        self._outstanding -= 1
        index = self._fresh - 1 - (self._fresh - 1 - tag) % TAGS
        attempt = self._attempts.pop(index)
        again = self._load.resubmit and reason != AbortReason.RECORD_INVALID
        if reason == AbortReason.RECORD_TOO_LONG:
            again = long
        if again and outcome == Outcome.ABORTED:
            self._again.append((index, attempt + 1))

    def cancel(self, cycle: int, tag: int) -> None:
        """A rule wants this cancel; it goes before one by chance."""
        self.cancelling = cycle, tag

    def forget(self) -> None:
        """Amnesia: what is outstanding will have no outcome."""
        self.resolved += self._outstanding
        self._outstanding = 0
        self._attempts.clear()
