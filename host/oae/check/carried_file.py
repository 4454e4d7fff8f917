"""Puts together a file that was carried as records, each of which begins with its offset."""

from oae.check.verdict import Promise, Violation
from oae.scenario.scenario import OFFSET_BYTES
from oae.trace import Deliver, Record


class CarriedFile:
    """The receiving side of a file: `watch` sees every record of a trace."""

    def __init__(self, sent: bytes, end: int) -> None:
        self.sent = sent
        self.end = end
        self.received = bytearray(len(sent))
        self.written: dict[int, int] = {}  # offset -> bytes
        self.violations: list[Violation] = []

    def watch(self, record: Record) -> None:
        """Take a delivered record; a second one for the same offset breaks a promise."""
        if not isinstance(record, Deliver) or record.end != self.end or record.user:
            return
        offset = int.from_bytes(record.data[:OFFSET_BYTES], "big")
        piece = record.data[OFFSET_BYTES:]
        if offset in self.written:
            self._broken(Promise.EXACTLY_ONCE, record, f"offset {offset} written twice")
        elif offset + len(piece) > len(self.sent):
            self._broken(Promise.UNALTERED, record, f"offset {offset} lies behind the file's end")
        else:
            self.received[offset : offset + len(piece)] = piece
        self.written[offset] = len(piece)

    def _broken(self, promise: Promise, record: Deliver, text: str) -> None:
        self.violations.append(Violation(promise, record.line, record.cycle, text))

    @property
    def missing(self) -> int:
        """Bytes that have not come."""
        return len(self.sent) - sum(self.written.values())

    @property
    def equal(self) -> bool:
        """Whether the file came out as it went in."""
        return not self.missing and bytes(self.received) == self.sent
