"""A TAP device: the process is the wire at which the interface of that name ends."""

import errno
import fcntl
import os
import socket
import struct
import time
from pathlib import Path
from typing import Final

from oae.medium.address import Tap
from oae.medium.medium import LONGEST, Clock, Medium, MediumError, Received

_DEVICE: Final = Path("/dev/net/tun")
_TUNSETIFF: Final = 0x400454CA
_IFF_TAP: Final = 0x0002
_IFF_NO_PI: Final = 0x1000
_SIOCGIFFLAGS: Final = 0x8913
_SIOCSIFFLAGS: Final = 0x8914
_IFF_UP: Final = 0x1
_REQUEST: Final = struct.Struct("=16sH22x")
_CLOCK: Final = Clock("stamped when this process takes a frame", None)


class TapMedium(Medium):
    """Attaches to the device, which is made if there is none and then goes when this is closed."""

    def __init__(self, address: Tap) -> None:
        name = address.name.encode()
        self._file = -1
        try:
            self._file = os.open(_DEVICE, os.O_RDWR | os.O_NONBLOCK)
            fcntl.ioctl(self._file, _TUNSETIFF, _REQUEST.pack(name, _IFF_TAP | _IFF_NO_PI))
            _set_up(name)
        except OSError as error:
            if self._file >= 0:
                os.close(self._file)
            raise MediumError(f"{address}: {_reason(error)}") from error
        super().__init__(str(address), _CLOCK)

    def fileno(self) -> int:
        """The device."""
        return self._file

    def close(self) -> None:
        """Let the device go."""
        os.close(self._file)

    def _read(self) -> Received | None:
        data = os.read(self._file, LONGEST)
        return Received(data, time.time_ns()) if len(data) < LONGEST else None

    def _write(self, frame: bytes) -> object:
        return os.write(self._file, frame)


def _set_up(name: bytes) -> None:
    """What `ip link set NAME up` does."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        answer = fcntl.ioctl(any_socket, _SIOCGIFFLAGS, _REQUEST.pack(name, 0))
        _, flags = _REQUEST.unpack(answer)
        fcntl.ioctl(any_socket, _SIOCSIFFLAGS, _REQUEST.pack(name, flags | _IFF_UP))


def _reason(error: OSError) -> str:
    if isinstance(error, PermissionError):
        return "a TAP device needs the capability CAP_NET_ADMIN; unix: and udp: need none"
    if error.errno == errno.ENOENT:
        return f"this kernel has no {_DEVICE}; unix: and udp: do without"
    if error.errno == errno.EBUSY:
        return "another process has this device"
    if error.errno == errno.EINVAL:
        return "there is an interface of this name that is no TAP device"
    return (error.strerror or str(error)).lower()
