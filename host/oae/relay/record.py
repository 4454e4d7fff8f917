"""The capture of a relay: both its sides, packets in the order of time (docs/live.md)."""

from functools import lru_cache
from operator import itemgetter
from typing import BinaryIO, Final

from oae.capture import write
from oae.capture.record import EVIDENCE, INTERFACES, fault_comment
from oae.scenario.layout import Fault

HARDWARE: Final = "OAE fault relay between"

_Packet = tuple[int, int, bytes, int, str]  # time, interface, image, number, comment


class Recorder:
    """Keeps packets until it is known that none of an earlier time can follow."""

    def __init__(self, file: BinaryIO, hardware: str, system: str) -> None:
        self._file = file
        self._writer = write.Writer(file, INTERFACES[:EVIDENCE], hardware, system)
        self._waiting: list[_Packet] = []

    def transmitted(
        self, end: int, time: int, image: bytes, number: int, faults: Fault, rule: int
    ) -> None:
        """What came from an end, and what becomes of it."""
        comment = _comment(faults, rule) if faults else ""
        self._waiting.append((time, 2 * end, image, end << 32 | number, comment))

    def received(self, end: int, time: int, image: bytes, number: int) -> None:
        """What was sent on to an end."""
        self._waiting.append((time, 2 * end + 1, image, (1 - end) << 32 | number, ""))

    def write(self, horizon: int) -> None:
        """Write what was before this time."""
        waiting = self._waiting
        waiting.sort(key=itemgetter(0))
        if not waiting or waiting[0][0] >= horizon:
            return
        packet = self._writer.packet
        count = 0
        for time, interface, image, number, comment in waiting:
            if time >= horizon:
                break
            count += 1
            flags = write.INBOUND if interface & 1 else write.OUTBOUND
            packet(interface, time, image, flags=flags, number=number, comment=comment)
        del waiting[:count]

    def flush(self) -> None:
        """Let readers see what is written."""
        self._file.flush()

    def finish(self) -> None:
        """Write everything and end the capture."""
        if self._waiting:
            self.write(max(packet[0] for packet in self._waiting) + 1)
        self._writer.finish()
        self._file.flush()


@lru_cache(maxsize=1024)
def _comment(faults: Fault, rule: int) -> str:
    return fault_comment(faults, rule)
