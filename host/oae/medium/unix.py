"""Unix datagram sockets: two paths, no privilege."""

import errno
import socket
from contextlib import suppress
from pathlib import Path

from oae.medium.address import Unix
from oae.medium.medium import MediumError, Received
from oae.medium.sockets import SocketMedium
from oae.medium.stamps import Software


class UnixMedium(SocketMedium):
    """Connects to the other path as soon as it is there, and again when it is there anew.

    Between sockets that are connected to each other the kernel's limit of ten waiting datagrams
    does not hold.
    """

    def __init__(self, address: Unix) -> None:
        self._local = Path(address.local)
        self._remote = address.remote
        self._connected = False
        taken = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        try:
            _bind(taken, address.local)
        except OSError as error:
            taken.close()
            raise MediumError(f"{address}: {_reason(error)}") from error
        super().__init__(str(address), taken, Software(taken, "in the sender's call"))
        self._try_to_connect()

    def close(self) -> None:
        """Close the socket and remove its path."""
        super().close()
        self._local.unlink(missing_ok=True)

    def _connect(self) -> None:
        self._socket.connect(self._remote)
        self._connected = True

    def _try_to_connect(self) -> None:
        with suppress(OSError):
            self._connect()

    def _read(self) -> Received | None:
        if not self._connected:
            self._try_to_connect()
        return super()._read()

    def _write(self, frame: bytes) -> object:
        if self._connected:
            try:
                return self._socket.send(frame)
            except (ConnectionError, PermissionError):
                self._connected = False
            except OSError as error:
                if error.errno != errno.ENOTCONN:
                    raise
                self._connected = False
        self._connect()
        return self._socket.send(frame)


def _bind(taken: socket.socket, path: str) -> None:
    """Take the path; what a process left there that is no more does not count."""
    try:
        taken.bind(path)
    except OSError as error:
        if error.errno != errno.EADDRINUSE or not _left_behind(path):
            raise
        Path(path).unlink()
        taken.bind(path)


def _left_behind(path: str) -> bool:
    """Whether there is a socket that nobody listens at."""
    if not Path(path).is_socket():
        return False
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(path)
        except ConnectionRefusedError:
            return True
        except OSError:
            return False
    return False


def _reason(error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return "the local path is taken, by another process or by something that is no socket"
    if error.errno == errno.ENOENT:
        return "the local path's directory does not exist"
    return (error.strerror or str(error)).lower()
