"""When a frame came: time stamps of the kernel, or of the network card where it takes them.

The standard library has the calls and not all of the numbers; these are Linux's.
"""

import array
import fcntl
import os
import socket
import statistics
import struct
import time
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Final, Protocol

from oae.medium.medium import Clock

ANCILLARY_BYTES: Final = 128
_SO_TIMESTAMPNS: Final = 35
_SO_TIMESTAMPING: Final = 37
_RX_HARDWARE: Final = 1 << 2
_RX_SOFTWARE: Final = 1 << 3
_SOFTWARE: Final = 1 << 4
_RAW_HARDWARE: Final = 1 << 6
_SIOCETHTOOL: Final = 0x8946
_ETHTOOL_GET_TS_INFO: Final = 0x41
_SIOCSHWTSTAMP: Final = 0x89B0
_FILTER_ALL: Final = 1

_TIME: Final = struct.Struct("=qq")
_THREE_TIMES: Final = struct.Struct("=6q")  # software, none, hardware
_REQUEST: Final = struct.Struct("16sP16x")
_STAMPING: Final = struct.Struct("=LLlL12xL12x")
_CONFIGURATION: Final = struct.Struct("=lll")
_SECOND: Final = 1_000_000_000

SETTLED: Final = 10_000_000  # ns after which the offset between two clocks is measured anew
DRIFT: Final = 100  # ppm: no two clocks of computers differ by more

Ancillary = Sequence[tuple[int, int, bytes]]


class Stamper(Protocol):
    """Reads the stamp of a frame from what the kernel tells beside it."""

    clock: Clock

    def time(self, ancillary: Ancillary) -> int:
        """CLOCK_REALTIME in nanoseconds."""


class Software:
    """The kernel stamps a frame when it takes it over."""

    def __init__(self, taken: socket.socket, where: str) -> None:
        taken.setsockopt(socket.SOL_SOCKET, _SO_TIMESTAMPNS, 1)
        self.clock = Clock(f"stamped by the kernel {where}", software_uncertainty())

    def time(self, ancillary: Ancillary) -> int:
        """The stamp, or now if the kernel gave none."""
        for _, kind, data in ancillary:
            if kind == _SO_TIMESTAMPNS:
                seconds, nanoseconds = _TIME.unpack(data)
                return int(seconds * _SECOND + nanoseconds)
        return time.time_ns()


@cache
def software_uncertainty() -> int:
    """How long the call takes in which the kernel stamps; the stamp lies somewhere in it."""
    near, far = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    with near, far:
        far.setsockopt(socket.SOL_SOCKET, _SO_TIMESTAMPNS, 1)
        found = []
        for _ in range(33):
            before = time.time_ns()
            near.send(b"")
            found.append(time.time_ns() - before)
            far.recv(1)
    return int(statistics.median(found))


class OtherClock:
    """Makes CLOCK_REALTIME of the time of another clock, by reading both one after the other."""

    def __init__(self, identifier: int) -> None:
        self._identifier = identifier
        self._offset = 0
        self._measured = -SETTLED
        self.uncertainty = 0
        self.realtime(time.clock_gettime_ns(identifier))

    def realtime(self, other: int) -> int:
        """What CLOCK_REALTIME showed when the other clock showed this."""
        now = time.monotonic_ns()
        if now - self._measured >= SETTLED:
            self._measured = now
            before = time.time_ns()
            shown = time.clock_gettime_ns(self._identifier)
            after = time.time_ns()
            self._offset = (before + after) // 2 - shown
            self.uncertainty = (after - before + 1) // 2 + SETTLED * DRIFT // 1_000_000
        return other + self._offset


class Hardware:
    """The network card stamps a frame with its own clock when it comes off the wire."""

    def __init__(self, taken: socket.socket, interface: str, device: Path) -> None:
        # PTP devices are clocks: docs/driver-api/ptp.rst of the kernel, CLOCKFD.
        self._device = os.open(device, os.O_RDONLY)
        self._card = OtherClock(~self._device << 3 | 3)
        configuration = array.array("B", _CONFIGURATION.pack(0, 0, _FILTER_ALL))
        _ask(taken, _SIOCSHWTSTAMP, interface, configuration)
        flags = _RX_HARDWARE | _RAW_HARDWARE | _RX_SOFTWARE | _SOFTWARE
        taken.setsockopt(socket.SOL_SOCKET, _SO_TIMESTAMPING, flags)
        source = f"stamped by {interface} with its clock {device}"
        self.clock = Clock(source, self._card.uncertainty)

    def time(self, ancillary: Ancillary) -> int:
        """The card's stamp; the kernel's for a frame that the card did not stamp."""
        for _, kind, data in ancillary:
            if kind == _SO_TIMESTAMPING:
                seconds, nanoseconds, _, _, card_seconds, card_nanoseconds = _THREE_TIMES.unpack(
                    data
                )
                card = int(card_seconds * _SECOND + card_nanoseconds)
                if card:
                    return self._card.realtime(card)
                return int(seconds * _SECOND + nanoseconds)
        return time.time_ns()


def of_interface(taken: socket.socket, interface: str) -> Stamper:
    """The card's stamps if it stamps every frame and lets us read its clock; else the kernel's."""
    device = _hardware_clock(taken, interface)
    if device is not None:
        try:
            return Hardware(taken, interface, device)
        except OSError:
            pass  # no permission to switch it on, or the driver refuses
    return Software(taken, f"as it takes a frame over from {interface}")


def _hardware_clock(taken: socket.socket, interface: str) -> Path | None:
    """The clock device of a card that can stamp whatever it receives."""
    answer = array.array("B", _STAMPING.pack(_ETHTOOL_GET_TS_INFO, 0, 0, 0, 0))
    try:
        _ask(taken, _SIOCETHTOOL, interface, answer)
    except OSError:
        return None
    _, able, index, _, filters = _STAMPING.unpack(answer)
    wanted = _RX_HARDWARE | _RAW_HARDWARE
    if able & wanted != wanted or index < 0 or not filters & 1 << _FILTER_ALL:
        return None
    return Path(f"/dev/ptp{index}")


def _ask(taken: socket.socket, number: int, interface: str, data: "array.array[int]") -> None:
    """An ioctl about an interface that points to more data."""
    fcntl.ioctl(taken, number, _REQUEST.pack(interface.encode(), data.buffer_info()[0]))
