"""One packet of a capture as a numpy type; packet.h has the same for C++."""

from enum import IntFlag
from typing import Final

import numpy

PACKET: Final = numpy.dtype(
    [
        ("time", "<u8"),
        ("number", "<u8"),
        ("index", "<u8"),
        ("offset", "<u4"),
        ("captured", "<u4"),
        ("original", "<u4"),
        ("flags", "<u4"),
        ("comment", "<u4"),
        ("comment_bytes", "<u4"),
        ("interface", "<u4"),
        ("dropped", "<u4"),
    ]
)


class PacketFlag(IntFlag):
    """What is known of a packet."""

    INBOUND = 1
    OUTBOUND = 2
    BAD = 4
    NUMBERED = 8
    COMMENTED = 16
    TIMED = 32
