"""The register bridge as docs/board.md says it, with the registers of oae_bridge_registers.v."""

from oae.bringup import wire
from oae.bringup.wire import Answer
from oae.spec.constants import SERIAL_READ_MAX, SerialOperation, SerialStatus

SUMS = 64  # registers that add up what is written; as many behind them count their reads
MASK = 0xFFFF_FFFF


class Model:
    """Bytes in, answers out."""

    def __init__(self) -> None:
        self.cells = [0] * (2 * SUMS)
        self.rest = b""  # of a frame that has not ended
        self.last: int | None = None
        self.stored = b""
        self.executed = self.rejected = self.repeated = 0

    def take(self, stream: bytes) -> bytes:
        """The answers to what has come."""
        ended, delimiter, self.rest = (self.rest + stream).rpartition(wire.DELIMITER)
        return b"".join(map(self._frame, wire.frames(ended + delimiter)))

    def _frame(self, frame: bytes) -> bytes:
        content = wire.content(frame)
        if content is None or not 8 <= len(content) <= 12:
            self.rejected += 1
            return b""
        sequence = int.from_bytes(content[:4], "little")
        if sequence == self.last:
            self.repeated += 1
            return self.stored
        self.executed += 1
        self.last = sequence
        self.stored = Answer(sequence, *self._execute(content)).encode()
        return self.stored

    def _execute(self, content: bytes) -> tuple[SerialStatus, tuple[int, ...]]:
        operation, address, count = content[4], int.from_bytes(content[5:7], "little"), content[7]
        addresses = range(address, address + count)
        if operation == SerialOperation.READ:
            if len(content) != 8 or not 1 <= count <= SERIAL_READ_MAX:
                return SerialStatus.BAD_REQUEST, ()
            if any(each % 0x10000 >= 2 * SUMS for each in addresses):
                return SerialStatus.NO_REGISTER, ()
            return SerialStatus.OK, tuple(self._read(each % 0x10000) for each in addresses)
        if operation != SerialOperation.WRITE or len(content) != 12 or count != 1:
            return SerialStatus.BAD_REQUEST, ()
        if address >= 2 * SUMS:
            return SerialStatus.NO_REGISTER, ()
        if address >= SUMS:
            return SerialStatus.READ_ONLY, ()
        value = int.from_bytes(content[8:], "little")
        self.cells[address] = self.cells[address] + value & MASK
        return SerialStatus.OK, ()

    def _read(self, address: int) -> int:
        value = self.cells[address]
        if address >= SUMS:
            self.cells[address] += 1
        return value
