"""The capture of one end (docs/live.md): frames at its MAC port, and what happened in it."""

import struct
from typing import BinaryIO, Final

from oae.capture import evidence, write
from oae.capture.record import CYCLE_NS, EVIDENCE, INTERFACES
from oae.spec.constants import Evidence

HARDWARE: Final = "OAE reference end in Python on"
_TRANSMIT, _RECEIVE, _EVIDENCE = range(3)
# version, type, end, channel, sequence, cycle; the event word
_STEP_TYPE: Final = int(Evidence.STEP)
_STEP: Final = struct.Struct(">BBBBLQQ")


class Recorder:
    """Writes packets in the order of time: each at the begin of its cycle."""

    def __init__(self, file: BinaryIO, end: int, system: str, medium: str) -> None:
        self._end = end
        self._hardware, self._system = f"{HARDWARE} {medium}", system
        self._sequence = 0
        self._transmitted = 0
        self._begin(file)

    def _begin(self, file: BinaryIO) -> None:
        interfaces = [*INTERFACES[2 * self._end : 2 * self._end + 2], INTERFACES[EVIDENCE]]
        self._file = file
        self._writer = write.Writer(file, interfaces, self._hardware, self._system)

    def rotate(self, file: BinaryIO) -> None:
        """The capture goes on in another file."""
        self.finish()
        self._begin(file)

    def parameters(self, values: dict[str, object]) -> None:
        """What the end was built with. Stands at cycle 0, from which time is counted."""
        for name, value in {**values, "cycle_ns": CYCLE_NS}.items():
            self.evidence(evidence.Parameter(0, 0, -1, name, str(value)))

    def transmitted(self, cycle: int, image: bytes) -> None:
        """The end has sent a frame."""
        number = self._end << 32 | self._transmitted
        self._transmitted += 1
        time = cycle * CYCLE_NS
        self._writer.packet(_TRANSMIT, time, image, flags=write.OUTBOUND, number=number)

    def received(self, cycle: int, image: bytes) -> None:
        """The end has taken a frame; which one it was nobody here knows."""
        self._writer.packet(_RECEIVE, cycle * CYCLE_NS, image, flags=write.INBOUND)

    def step(self, cycle: int, channel: int, word: int) -> None:
        """The end has taken a step."""
        head = evidence.VERSION, _STEP_TYPE, self._end, channel
        packet = _STEP.pack(*head, self._sequence, cycle, word)
        self._sequence += 1
        self._writer.put(_EVIDENCE, cycle * CYCLE_NS, packet)

    def evidence(self, record: evidence.Record) -> None:
        """Anything else that happened."""
        packet = evidence.encode(record, self._sequence)
        self._sequence += 1
        self._writer.put(_EVIDENCE, record.cycle * CYCLE_NS, packet)

    def flush(self) -> None:
        """Let readers see what is written."""
        self._file.flush()

    def finish(self) -> None:
        """End the file."""
        self._writer.finish()
        self._file.close()


def system_of(clock: str) -> str:
    """How the capture says where its time is from."""
    return f"CLOCK_REALTIME; frames that come: {clock}"
