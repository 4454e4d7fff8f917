"""UDP: two hosts with their ports, no privilege."""

import errno
import socket
from typing import Any, Final

from oae.medium.address import Udp
from oae.medium.medium import MediumError
from oae.medium.sockets import SocketMedium
from oae.medium.stamps import Software

_HINTS: Final = {
    errno.EADDRINUSE: "the local port is taken by another process",
    errno.EADDRNOTAVAIL: "the local host is not this one",
    errno.EACCES: "a port below 1024 needs the capability CAP_NET_BIND_SERVICE; others need none",
}


class UdpMedium(SocketMedium):
    """Takes datagrams from the remote port only."""

    def __init__(self, address: Udp) -> None:
        taken = None
        try:
            family, local = _resolve(address.local)
            _, remote = _resolve(address.remote, family)
            taken = socket.socket(family, socket.SOCK_DGRAM)
            taken.bind(local)
            taken.connect(remote)
        except OSError as error:
            if taken is not None:
                taken.close()
            reason = _HINTS.get(error.errno or 0, (error.strerror or str(error)).lower())
            raise MediumError(f"{address}: {reason}") from error
        super().__init__(str(address), taken, Software(taken, "as it queues a datagram"))


def _resolve(place: tuple[str, int], family: int = 0) -> tuple[int, Any]:
    found = socket.getaddrinfo(*place, family=family, type=socket.SOCK_DGRAM)
    return found[0][0], found[0][4]
