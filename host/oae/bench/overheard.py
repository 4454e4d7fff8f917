"""Frames of the link under another EtherType, as an interface hears them."""

import socket
import time
from collections import Counter
from contextlib import closing
from typing import Final

from oae.frame import NotUp, Received, decode
from oae.medium.namespace import entered, split
from oae.spec.constants import ETHERTYPE

_TYPE: Final = slice(12, 14)
_ALL: Final = 0x0003  # ETH_P_ALL
_LONGEST: Final = 2048


def other_ethertypes(interface: str, seconds: float) -> Counter[int]:
    """How many frames of the link came with which EtherType other than the right one.

    A frame is known by its guard or digest, which would be right with the right EtherType. Needs
    CAP_NET_RAW, as the medium itself does.
    """
    found: Counter[int] = Counter()
    namespace, name = split(interface)
    with entered(namespace):
        taken = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
    with closing(taken):
        taken.bind((name, _ALL))
        deadline = time.monotonic() + seconds
        while (left := deadline - time.monotonic()) > 0:
            taken.settimeout(left)
            try:
                image, source = taken.recvfrom(_LONGEST)
            except TimeoutError:
                break
            ethertype = int.from_bytes(image[_TYPE], "big")
            if source[2] != socket.PACKET_OUTGOING and ethertype != ETHERTYPE:
                found[ethertype] += _is_of_the_link(image)
    return +found


def _is_of_the_link(image: bytes) -> bool:
    right = image[: _TYPE.start] + ETHERTYPE.to_bytes(2, "big") + image[_TYPE.stop :]
    verdict = decode(right, link_up=False, link_session=0, epoch=0, record_max=0)
    return isinstance(verdict, Received | NotUp)
