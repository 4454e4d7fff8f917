"""How long a record takes from its DATA to the ACK."""

import time
from collections import deque
from statistics import median
from typing import Any, Final

from oae.faults.decide import address
from oae.medium.medium import Clock
from oae.spec.constants import Operation

KEPT: Final = 4096
OUTSTANDING: Final = 256  # more than any window
_OPERATION: Final = 14  # where it stands in a frame
_CODE: Final = 0x1F


class Latency:
    """From the call that sends DATA to the stamp of the ACK; what goes twice does not count."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._sent: dict[int, int | None] = {}
        self._found: deque[int] = deque(maxlen=KEPT)

    def sent(self, image: bytes) -> None:
        """The end is about to send a frame."""
        if image[_OPERATION] & _CODE == Operation.DATA:
            _, id = address(image)
            if len(self._sent) >= OUTSTANDING:
                self._sent.clear()
            self._sent[id] = None if id in self._sent else time.time_ns()

    def received(self, image: bytes, came: int) -> None:
        """The end takes a frame."""
        if image[_OPERATION] & _CODE == Operation.ACK:
            _, id = address(image)
            begun = self._sent.pop(id, None)
            if begun is not None:
                self._found.append(came - begun)

    def told(self) -> dict[str, Any]:
        """The median of the last ones, with the clock by which it is measured."""
        found = {"clock": str(self._clock), "count": len(self._found)}
        return {**found, "median_ns": int(median(self._found))} if self._found else found
