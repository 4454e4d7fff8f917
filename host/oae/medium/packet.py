"""Raw Ethernet on an interface of this machine, by AF_PACKET."""

import errno
import socket
import struct
from typing import Final

from oae.medium.address import Packet
from oae.medium.medium import MediumError
from oae.medium.namespace import NamespaceError, entered, split
from oae.medium.sockets import SocketMedium
from oae.medium.stamps import of_interface

_ALL: Final = 0x0003  # ETH_P_ALL: what else comes is counted
_SOL_PACKET: Final = 263
_ADD_MEMBERSHIP: Final = 1
_IGNORE_OUTGOING: Final = 23
_PROMISCUOUS: Final = struct.Struct("=LHH8s")  # interface, PACKET_MR_PROMISC, no address
_MR_PROMISC: Final = 1


class PacketMedium(SocketMedium):
    """Takes every frame that comes in at an interface, whatever its address; none that goes out."""

    def __init__(self, address: Packet) -> None:
        namespace, name = split(address.interface)
        try:
            with entered(namespace):
                taken = _opened(name)
        except (MediumError, NamespaceError) as error:
            raise MediumError(f"{address}: {error}") from error
        super().__init__(str(address), taken, of_interface(taken, name))


def _opened(name: str) -> socket.socket:
    taken = None
    try:
        index = socket.if_nametoindex(name)
        taken = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
        taken.setsockopt(_SOL_PACKET, _IGNORE_OUTGOING, 1)
        taken.bind((name, _ALL))
        # The MAC addresses of the link prove nothing, so the card must not select by them.
        promiscuous = _PROMISCUOUS.pack(index, _MR_PROMISC, 0, bytes(8))
        taken.setsockopt(_SOL_PACKET, _ADD_MEMBERSHIP, promiscuous)
    except OSError as error:
        if taken is not None:
            taken.close()
        raise MediumError(_reason(error)) from error
    return taken


def _reason(error: OSError) -> str:
    if isinstance(error, PermissionError):
        return "raw sockets need the capability CAP_NET_RAW; unix: and udp: need none"
    known = ", ".join(name for _, name in socket.if_nameindex())
    if error.errno in (errno.ENODEV, errno.ENXIO) or error.errno is None:
        return f"no such interface; there are {known}"
    return (error.strerror or str(error)).lower()
