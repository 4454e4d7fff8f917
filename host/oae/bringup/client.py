"""Asks the register bridge of a board: one request at a time, again until it is answered."""

import random
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from oae.bringup import wire
from oae.bringup.port import BAUD, REMOTE, SPEEDS, Port, PortError, Trouble
from oae.errors import OaeError
from oae.spec.constants import SERIAL_READ_MAX, SerialStatus

PATIENCE: Final = 0.3  # seconds until a request goes again
ATTEMPTS: Final = 5


class RefusedError(OaeError):
    """The board understood a request and does not do it."""

    def __init__(self, status: SerialStatus, message: str) -> None:
        super().__init__(message)
        self.status = status


class Client:
    """Reads and writes registers by address.

    The bridge executes a request once however often it is sent, because it remembers the last
    sequence number. The first one is drawn, so that it is not that of an earlier program.
    """

    def __init__(self, port: Port, patience: float = PATIENCE, attempts: int = ATTEMPTS) -> None:
        self.port = port
        self.repeated = 0
        self._patience = patience
        self._attempts = attempts
        self._sequence = random.getrandbits(32)
        self._unread = b""

    def read(self, address: int, count: int = 1) -> list[int]:
        """Values of `count` registers from `address` on; raises PortError or RefusedError."""
        words: list[int] = []
        while len(words) < count:
            size = min(count - len(words), SERIAL_READ_MAX)
            first = address + len(words)
            request = wire.read(self._next(), first, size)
            words += self._ask(request, size, f"reading 0x{first:03X}").words
        return words

    def write(self, address: int, value: int) -> None:
        """Write one register; raises PortError or RefusedError."""
        request = wire.write(self._next(), address, value)
        self._ask(request, 0, f"writing 0x{address:03X}")

    def _next(self) -> int:
        self._sequence = (self._sequence + 1) % 2**32
        return self._sequence

    def _ask(self, request: wire.Request, words: int, what: str) -> wire.Answer:
        # The delimiter before it ends whatever noise came.
        frame = wire.DELIMITER + request.encode()
        heard = b""
        for attempt in range(self._attempts):
            self.repeated += attempt > 0
            self.port.send(frame)
            deadline = time.monotonic() + self._patience
            while time.monotonic() < deadline:
                data = self.port.receive()
                heard += data
                for answer in self._answers(data):
                    if answer.sequence != request.sequence:
                        continue  # that of an earlier request, late
                    if answer.status is not SerialStatus.OK:
                        text = answer.status.name.replace("_", " ").lower()
                        raise RefusedError(answer.status, f"{what}: the board says {text}")
                    if len(answer.words) == words:
                        return answer
        raise self._no_answer(frame, heard)

    def _answers(self, data: bytes) -> Iterator[wire.Answer]:
        ended, delimiter, self._unread = (self._unread + data).rpartition(wire.DELIMITER)
        for frame in wire.frames(ended + delimiter):
            if answer := wire.answer(frame):
                yield answer

    def _no_answer(self, frame: bytes, heard: bytes) -> PortError:
        url, baud = self.port.url, self.port.baud
        if not heard:
            text = f"{url}: silent at {baud} baud; check power, speed, and that TX goes to RX"
            return PortError(Trouble.SILENT, text)
        if heard.startswith(frame):
            text = f"{url}: echoes what is sent; is TX joined to RX, or is it a terminal?"
            return PortError(Trouble.NONSENSE, text)
        text = (
            f"{url}: {len(heard)} bytes came at {baud} baud and no answer among them "
            f"({heard[:8].hex(' ')} ...); check the speed, and that it is an OAE board"
        )
        return PortError(Trouble.NONSENSE, text)


@contextmanager
def connected(url: str, baud: int = BAUD) -> Iterator[Client]:
    """A client at a port; raises PortError, which names the right speed if another one works."""
    port = Port(url, baud)
    try:
        client = Client(port)
        try:
            client.read(0)
        except PortError as error:
            port.close()
            if error.trouble not in (Trouble.SILENT, Trouble.NONSENSE):
                raise
            if (right := speed_that_answers(url, baud)) is None:
                raise
            text = f"{url}: answers at {right} baud, not at {baud}; say baud {right}"
            raise PortError(Trouble.WRONG_SPEED, text) from error
        yield client
    finally:
        port.close()


def speed_that_answers(url: str, besides: int) -> int | None:
    """The usual speed at which a board answers, other than one that was tried."""
    if "://" in url and not url.startswith(REMOTE):
        return None  # the speed is not ours to set
    return next((baud for baud in SPEEDS if baud != besides and answers(url, baud)), None)


def answers(url: str, baud: int = BAUD) -> bool:
    """Whether a board answers there at that speed."""
    try:
        port = Port(url, baud)
    except PortError:
        return False
    try:
        Client(port, patience=0.15, attempts=2).read(0)
        return True
    except (PortError, RefusedError):
        return False
    finally:
        port.close()
