"""What all media have in common: frames in and out, without waiting, and what is counted."""

import errno
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Final, NamedTuple

from oae.errors import OaeError
from oae.frame import ETHERNET_HEADER_BYTES
from oae.spec.constants import ETHERTYPE, MINIMUM_FRAME_BYTES

LONGEST: Final = 2048  # bytes that are read of a frame; longer ones are garbage
# So many frames that are not for us are passed over at a time: a flood of them stops nobody.
PASSED_OVER: Final = 64
_ETHERTYPE: Final = ETHERTYPE.to_bytes(2, "big")
_TYPE: Final = slice(12, ETHERNET_HEADER_BYTES)
_FULL: Final = frozenset({errno.EAGAIN, errno.ENOBUFS, errno.ENOMEM})
# The other side is not there, or not yet, or no longer; or the interface is down or gone.
_REFUSED: Final = frozenset(
    {
        errno.ECONNREFUSED,
        errno.ECONNRESET,
        errno.ENOENT,
        errno.ENOTCONN,
        errno.EPERM,
        errno.EIO,
        errno.ENETDOWN,
        errno.ENETUNREACH,
        errno.EHOSTUNREACH,
        errno.ENODEV,
        errno.ENXIO,
    }
)


class MediumError(OaeError):
    """A medium cannot be opened; the message says why, and what would work instead."""

    exit_code = 4


@dataclass
class Counters:
    """What went through a medium, and what did not."""

    sent: int = 0
    received: int = 0
    lost_refused: int = 0  # the other side was not there
    lost_full: int = 0  # it had no room
    lost_too_long: int = 0  # longer than the interface's MTU
    foreign: int = 0  # received and ignored: another EtherType
    garbage: int = 0  # received and ignored: no Ethernet frame, or longer than any of the link


class Clock(NamedTuple):
    """Where the time stamps of received frames are taken, all as CLOCK_REALTIME in nanoseconds."""

    source: str
    uncertainty: int | None  # nanoseconds; None: not bounded

    def __str__(self) -> str:
        within = "without a bound" if self.uncertainty is None else f"to {self.uncertainty:,} ns"
        return f"CLOCK_REALTIME, {self.source}, {within}"


class Received(NamedTuple):
    """A frame and when it came."""

    frame: bytes
    time: int


class Medium(ABC):
    """Frames from destination address to payload, without FCS; nothing here ever waits.

    What is lost because the other side is not there or full is counted, and never an error.
    """

    def __init__(self, name: str, clock: Clock) -> None:
        self.name = name
        self.clock = clock
        self.counters = Counters()

    @abstractmethod
    def fileno(self) -> int:
        """What becomes readable when a frame has come."""

    @abstractmethod
    def close(self) -> None:
        """Leave nothing behind."""

    @abstractmethod
    def _read(self) -> Received | None:
        """What has come, whatever it is; None if it is too long; BlockingIOError if nothing has."""

    @abstractmethod
    def _write(self, frame: bytes) -> object:
        """Hand a frame over; OSError if it cannot be."""

    def receive(self) -> Received | None:
        """The next frame of the link that has come, if one has."""
        counters = self.counters
        for _ in range(PASSED_OVER):
            try:
                found = self._read()
            except OSError as error:
                if error.errno == errno.EAGAIN:
                    return None
                self._count(error)  # of a frame that was sent before
                continue
            if found is None or len(found.frame) < ETHERNET_HEADER_BYTES:
                counters.garbage += 1
            elif found.frame[_TYPE] != _ETHERTYPE:
                counters.foreign += 1
            else:
                counters.received += 1
                return found
        return None

    def send(self, frame: bytes) -> None:
        """Send a frame, padded as Ethernet does."""
        if len(frame) < MINIMUM_FRAME_BYTES:
            frame = frame.ljust(MINIMUM_FRAME_BYTES, b"\0")
        try:
            self._write(frame)
        except OSError as error:
            self._count(error)
        else:
            self.counters.sent += 1

    def _count(self, error: OSError) -> None:
        if error.errno in _FULL:
            self.counters.lost_full += 1
        elif error.errno in _REFUSED:
            self.counters.lost_refused += 1
        elif error.errno == errno.EMSGSIZE:
            self.counters.lost_too_long += 1
        else:
            raise error
