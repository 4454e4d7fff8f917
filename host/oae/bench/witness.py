"""What an end can say about its side of the link, by its registers or as a process."""

from abc import ABC, abstractmethod
from typing import Final, NamedTuple

from oae.bench.process import Process
from oae.bringup.board import Board
from oae.bringup.steps import RUNNING
from oae.spec.constants import BoardControl, LinkState

# A frame of the link's EtherType is counted under exactly one of these.
HEARD: Final = ("RECEIVED_", "MALFORMED_", "UNSUPPORTED", "NOT_UP")


class Seen(NamedTuple):
    """Counts so far."""

    sent: int
    heard: int
    foreign: int

    def since(self, before: "Seen") -> "Seen":
        """What was counted from then on."""
        return Seen(*(now - then for now, then in zip(self, before, strict=True)))


class Witness(ABC):
    """One end, as a doctor can use it."""

    @abstractmethod
    def speak(self, on: bool) -> None:
        """Enable the end, or silence it."""

    @abstractmethod
    def look(self) -> Seen:
        """What it has counted."""

    @abstractmethod
    def up(self) -> bool:
        """Whether its link is UP."""

    @abstractmethod
    def restore(self) -> None:
        """Leave it as it was found."""


class BoardWitness(Witness):
    """An end with registers."""

    def __init__(self, board: Board) -> None:
        self._board = board
        self._control = board.read("CONTROL")
        board.need_session()

    def speak(self, on: bool) -> None:
        """Enable the end on its internal host, or silence it."""
        self._board.control(*(RUNNING if on else (BoardControl.INTERNAL_HOST,)))

    def look(self) -> Seen:
        """By the counters of the end."""
        counters = self._board.counters()
        sent = sum(count for name, count in counters.items() if name.startswith("SENT_"))
        heard = sum(count for name, count in counters.items() if name.startswith(HEARD))
        return Seen(sent, heard, counters["FOREIGN"])

    def up(self) -> bool:
        """By STATUS."""
        return self._board.link_state() is LinkState.UP

    def restore(self) -> None:
        """Give CONTROL back its value."""
        self._board.write("CONTROL", self._control)


class ProcessWitness(Witness):
    """An end that was started here."""

    def __init__(self, process: Process) -> None:
        self._process = process

    def speak(self, on: bool) -> None:
        """Enable the end, or silence it."""
        self._process.order(f"disable {'off' if on else 'on'}")

    def look(self) -> Seen:
        """By the counters of its medium."""
        medium = self._process.statistics()["medium"]
        sent = medium["sent"] + medium["lost_refused"] + medium["lost_full"]
        return Seen(sent, medium["received"], medium["foreign"])

    def up(self) -> bool:
        """By what it says."""
        return bool(self._process.statistics()["link"] == LinkState.UP.name)

    def restore(self) -> None:
        """It ends with the doctor's visit."""
