"""Serial ports by any URL of pyserial; what is wrong with one is said in one line."""

import errno
import grp
import os
import pwd
import socket
import termios
from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path
from typing import Final

import serial
from serial.tools import list_ports

from oae.errors import OaeError

BAUD: Final = 115_200
SPEEDS: Final = (115_200, 9_600, 57_600, 38_400, 19_200, 230_400, 460_800, 921_600, 1_000_000)
POLL: Final = 0.02  # seconds that one read waits
WRITE_SECONDS: Final = 1.0  # that one write may take
REMOTE: Final = "rfc2217://"  # a server that gives away the settings of its port, too


class Trouble(StrEnum):
    """What can be wrong with a port or with what is behind it."""

    MISSING = "no such port"
    BUSY = "port busy"
    NO_PERMISSION = "no permission"
    UNUSABLE = "no serial port"
    GONE = "port gone"
    SILENT = "silent"
    WRONG_SPEED = "wrong speed"
    NONSENSE = "nonsense"


class PortError(OaeError):
    """A port, or what is behind it, cannot be used; `trouble` says why, the message what to do."""

    exit_code = 4

    def __init__(self, trouble: Trouble, message: str) -> None:
        super().__init__(message)
        self.trouble = trouble


class Port:
    """An open serial port."""

    def __init__(self, url: str, baud: int = BAUD) -> None:
        self.url = url
        self.baud = baud
        # Over RFC 2217 pyserial knows no such time.
        patience = None if url.startswith(REMOTE) else WRITE_SECONDS
        try:
            self._serial = serial.serial_for_url(
                url, baudrate=baud, timeout=POLL, write_timeout=patience, exclusive=True
            )
        except (OSError, ValueError) as error:  # SerialException is an OSError
            raise _cannot_open(url, error) from error

    def close(self) -> None:
        """Let go of the port."""
        self._serial.close()

    def send(self, data: bytes) -> None:
        """Send all of it; raises PortError."""
        try:
            self._serial.write(data)
        except serial.SerialTimeoutException as error:
            raise PortError(
                Trouble.SILENT, f"{self.url}: takes no bytes; is flow control held?"
            ) from error
        except OSError as error:
            raise self._gone() from error

    def receive(self) -> bytes:
        """What has come, after waiting for at most POLL seconds; raises PortError."""
        try:
            data: bytes = self._serial.read(max(1, self._serial.in_waiting))
        except OSError as error:
            raise self._gone() from error
        return data

    def _gone(self) -> PortError:
        return PortError(Trouble.GONE, f"{self.url}: the port went away; check cable and power")


def find_ports() -> list[str]:
    """Devices of this machine that may be serial ports, the likely ones first."""
    found = sorted(list_ports.comports(), key=lambda port: (port.vid is None, port.device))
    return [port.device for port in found]


def _cannot_open(url: str, error: Exception) -> PortError:
    chain = list(_chain(error))
    number = next(filter(None, map(_number, chain)), None)
    if "://" in url and any(isinstance(one, ValueError | TypeError | KeyError) for one in chain):
        return PortError(Trouble.UNUSABLE, f"{url}: not a URL that pyserial knows")
    if isinstance(error, ValueError):
        return PortError(Trouble.UNUSABLE, f"{url}: {str(error).lower()}")
    if any(isinstance(one, socket.gaierror) for one in chain):
        return PortError(Trouble.MISSING, f"{url}: no such host")
    if any(isinstance(one, TimeoutError) for one in chain):
        return PortError(Trouble.MISSING, f"{url}: nobody answers there")
    if number == errno.ENOENT:
        known = ", ".join(find_ports()) or "none at all"
        return PortError(Trouble.MISSING, f"{url}: no such port; this machine has {known}")
    if number in (errno.EBUSY, errno.EAGAIN):
        return PortError(Trouble.BUSY, f"{url}: another program has the port; end it")
    if number in (errno.EACCES, errno.EPERM):
        return PortError(Trouble.NO_PERMISSION, f"{url}: no permission; {_who_may(Path(url))}")
    if number in (errno.ENOTTY, errno.EINVAL, errno.EISDIR):
        return PortError(Trouble.UNUSABLE, f"{url}: is no serial port")
    if number == errno.ECONNREFUSED:
        return PortError(Trouble.MISSING, f"{url}: nobody listens there")
    reason = os.strerror(number).lower() if number else str(error)
    return PortError(Trouble.UNUSABLE, f"{url}: {reason}")


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    """An exception and what led to it; pyserial keeps few error numbers of its own."""
    while error is not None:
        yield error
        error = error.__context__


def _number(error: BaseException) -> int | None:
    """Its error number, if it has one."""
    numbered = isinstance(error, OSError | termios.error) and error.args
    return error.args[0] if numbered and isinstance(error.args[0], int) else None


def _who_may(path: Path) -> str:
    """Who may open a device that we may not."""
    try:
        found = path.stat()
        group, owner = grp.getgrgid(found.st_gid).gr_name, pwd.getpwuid(found.st_uid).pw_name
    except (OSError, KeyError):
        return "ask its owner"
    user = pwd.getpwuid(os.geteuid()).pw_name
    return f"it belongs to {owner}, group {group}: add {user} to the group {group}"
