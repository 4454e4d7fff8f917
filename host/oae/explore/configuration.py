"""One search as data: which world, how large, what the adversary may do, what is taken out."""

from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import Any

from oae.errors import OaeError
from oae.explore.channel import channel
from oae.explore.ends import EndsWorld
from oae.explore.lane import LaneWorld
from oae.explore.search import Progress, Search
from oae.explore.world import World
from oae.model import Parameters

WORLDS = {
    "lane": "one lane, the link always UP: the transaction machine",
    "session": "two whole ends: sessions, challenges, amnesia, draining",
    "epoch": "two ends, the link always UP: epochs and epoch advances",
    "beat": "two ends, the link always UP: answers are found overdue by real beats only",
}
CHANNELS = {
    "ever-sent": "whatever was once sent may arrive again at any time",
    "fifo": "frames arrive in order",
    "reordering": "frames arrive in any order",
}
BUDGET = {
    "losses": "frames lost",
    "duplications": "frames doubled",
    "cancels": "transactions cancelled by the host",
    "refusals": "records refused by the host",
    "crashes_a": "crashes of A",
    "crashes_b": "crashes of B",
    "amnesias_a": "A loses its memory",
    "amnesias_b": "B loses its memory",
    "alterations": "records altered so that FCS and digest fit (lane)",
    "misdirections": "frames whose id is altered so that FCS and guard fit (lane)",
    "confusions": "COMMIT and ABORT taken for each other, FCS and guard fit (lane)",
    "replays": "SYNCs of an earlier session heard (session)",
    "timeouts": "new challenges that only SYNC_INTERVAL starts (session)",
    "disables": "a host disables its end and enables it again (session)",
    "faults": "a direction is found dead (session)",
}
DAMAGE = ("alterations", "misdirections", "confusions")


class ConfigurationError(OaeError):
    """A search that cannot be made; the message says what to change."""


@dataclass(frozen=True)
class Configuration:
    """A search. The budgets are those of `BUDGET`; what they do not allow does not happen."""

    world: str = "lane"
    channel: str = "ever-sent"
    capacity: int = 2
    window: int = 2
    peer_window: int = 0  # 0: the same
    ids: int = 2
    peer_ids: int = 0
    first_id: int = 0
    id_bits: int = 32
    beat_bits: int = 15
    equal_records: bool = False
    by_count: bool = False
    warm: bool = False
    earlier: bool = False
    timers: bool = True
    retries: bool = True
    lossless: bool = False
    challenges: int = 0  # 0: any number
    epochs: int = 0
    advances: tuple[int, ...] = ()
    peer_advances: tuple[int, ...] = ()
    progress: bool = True  # ask whether every state can still resolve
    losses: int = 0
    duplications: int = 0
    cancels: int = 0
    refusals: int = 0
    crashes_a: int = 0
    crashes_b: int = 0
    amnesias_a: int = 0
    amnesias_b: int = 0
    alterations: int = 0
    misdirections: int = 0
    confusions: int = 0
    replays: int = 0
    timeouts: int = 0
    disables: int = 0
    faults: int = 0
    without: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        if self.world not in WORLDS:
            raise ConfigurationError(f"no world {self.world}; there are {', '.join(WORLDS)}")
        if self.channel not in CHANNELS:
            raise ConfigurationError(f"no channel {self.channel}; there are {', '.join(CHANNELS)}")
        for field in fields(self):
            value = getattr(self, field.name)
            if isinstance(value, int) and value < 0:
                raise ConfigurationError(f"{field.name.replace('_', '-')} is negative")
        if self.first_id >> self.id_bits:
            raise ConfigurationError(f"first id {self.first_id}: more than {self.id_bits} bits")
        if self.world != "lane" and any(getattr(self, name) for name in DAMAGE):
            raise ConfigurationError(f"{', '.join(DAMAGE)}: only in the lane world")
        if self.world == "epoch" and self.peer_window not in (0, self.window):
            raise ConfigurationError("unequal windows: only in the session world")
        if self.world in ("epoch", "beat") and (self.amnesias_a or self.amnesias_b):
            raise ConfigurationError("amnesia of a whole end: only in the session world")
        if self.world == "beat" and self.channel != "fifo":
            raise ConfigurationError("beats prove an answer overdue only on a fifo channel")

    @property
    def budget(self) -> dict[str, int]:
        """What the adversary may do, and how often."""
        return {name: getattr(self, name) for name in BUDGET}

    def search(
        self,
        limit: int | None = None,
        report: Callable[[Progress], None] | None = None,
    ) -> Search:
        """The search, not yet run."""
        medium = channel(self.channel, self.capacity)
        return Search(self._world(), medium, self.budget, limit, report, self.progress)

    def _world(self) -> World:
        try:
            parameters = self._parameters(self.window)
            peer = self._parameters(self.peer_window or self.window)
        except ValueError as error:
            raise ConfigurationError(str(error)) from error
        if self.world == "lane":
            # The relations are those of the full protocol on frames that are what was sent.
            full = not self.without and not any(getattr(self, name) for name in DAMAGE)
            return LaneWorld(
                parameters,
                self.ids,
                self.first_id,
                self.equal_records,
                self.by_count,
                full and not (self.amnesias_a or self.amnesias_b),
            )
        return EndsWorld(
            (parameters, peer),
            (self.ids, self.peer_ids),
            (self.advances, self.peer_advances),
            epochs=self.epochs,
            sessions=self.world == "session",
            warm=self.warm,
            earlier=self.earlier,
            timers=self.timers,
            retries=self.retries,
            beats=self.world == "beat",
            lossless=self.lossless,
            challenges=self.challenges or None,
        )

    def _parameters(self, window: int) -> Parameters:
        return Parameters(
            window=window,
            id_bits=self.id_bits,
            beat_bits=self.beat_bits,
            without=self.without,
        )

    def words(self) -> list[str]:
        """The options of `oae explore` that differ from the defaults, in order."""
        found = []
        for field in fields(self):
            value: Any = getattr(self, field.name)
            if value == field.default:
                continue
            name = field.name.replace("_", "-")
            if isinstance(value, bool):
                found.append(f"--{name}" if value else f"--no-{name}")
            elif isinstance(value, tuple | frozenset):
                found += [f"--{name}", ",".join(str(word) for word in sorted(value))]
            else:
                found += [f"--{name}", str(value)]
        return found
