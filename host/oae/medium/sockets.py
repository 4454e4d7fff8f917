"""Media that are sockets."""

import socket
from contextlib import suppress
from typing import Final

from oae.medium.medium import LONGEST, Medium, Received
from oae.medium.stamps import ANCILLARY_BYTES, Stamper

BUFFER_BYTES: Final = 4 << 20  # a busy link for as long as the process may be away


class SocketMedium(Medium):
    """One frame is one datagram."""

    def __init__(self, name: str, taken: socket.socket, stamper: Stamper) -> None:
        super().__init__(name, stamper.clock)
        self._socket = taken
        self._stamper = stamper
        taken.setblocking(False)
        for size in (socket.SO_RCVBUF, socket.SO_SNDBUF):
            with suppress(OSError):
                taken.setsockopt(socket.SOL_SOCKET, size, BUFFER_BYTES)

    def fileno(self) -> int:
        """The socket."""
        return self._socket.fileno()

    def close(self) -> None:
        """Close the socket."""
        self._socket.close()

    def _read(self) -> Received | None:
        data, ancillary, flags, _ = self._socket.recvmsg(LONGEST, ANCILLARY_BYTES)
        if flags & socket.MSG_TRUNC:
            return None
        return Received(data, self._stamper.time(ancillary))

    def _write(self, frame: bytes) -> object:
        return self._socket.send(frame)
