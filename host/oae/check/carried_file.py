"""Puts together a file that was carried as records, each of which begins with its offset."""

from oae.check.verdict import Promise, Verdict, Violation
from oae.scenario.scenario import OFFSET_BYTES, Scenario
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

    @property
    def problem(self) -> tuple[Verdict, str] | None:
        """Why a run that is otherwise right is none that has carried the file."""
        if self.violations:
            return Verdict.FAIL, str(self.violations[0])
        if self.missing:
            return Verdict.INCONCLUSIVE, f"{self.missing} bytes of the file have not come"
        if not self.equal:
            return Verdict.FAIL, "the file came out other than it went in"
        return None


def carried_by(scenario: Scenario, content: bytes) -> CarriedFile | None:
    """The receiving side of what a scenario carries, if it carries a file."""
    for sender, load in enumerate(scenario.loads):
        if load.file:
            return CarriedFile(content, 1 - sender)
    return None
