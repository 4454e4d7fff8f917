"""From the address of a medium to the medium."""

from oae.medium.address import Packet, Tap, Udp, Unix, parse
from oae.medium.medium import Medium
from oae.medium.packet import PacketMedium
from oae.medium.tap import TapMedium
from oae.medium.udp import UdpMedium
from oae.medium.unix import UnixMedium


def open_medium(text: str) -> Medium:
    """Open what is written; raises AddressError or MediumError with one line."""
    match parse(text):
        case Unix() as address:
            return UnixMedium(address)
        case Udp() as address:
            return UdpMedium(address)
        case Tap() as address:
            return TapMedium(address)
        case Packet() as address:
            return PacketMedium(address)
