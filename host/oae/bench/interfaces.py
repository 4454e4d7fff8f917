"""How a network interface of this machine is set."""

import array
import fcntl
import socket
import struct
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from oae.medium.namespace import entered, namespaces, split

_CLASS: Final = Path("/sys/class/net")
_UP: Final = 0x1
_PROMISCUOUS: Final = 0x100
_SIOCETHTOOL: Final = 0x8946
_REQUEST: Final = struct.Struct("16sP16x")  # struct ifreq with a pointer
_VALUE: Final = struct.Struct("II")  # struct ethtool_value
_GET_GRO: Final = 0x2B
_GET_FLAGS: Final = 0x25
_LRO: Final = 1 << 15


@dataclass(frozen=True)
class Setting:
    """One interface, as the kernel shows it."""

    name: str
    up: bool
    carrier: bool
    mtu: int
    promiscuous: bool
    merging: tuple[str, ...]  # offloads that merge or hold back what is received


def setting(interface: str) -> Setting | None:
    """How the interface is set; None if there is none of this name."""
    shown = _shown(interface, "flags", "mtu")
    if shown is None:
        return None
    flags = int(shown[0], 16)
    up = bool(flags & _UP)
    return Setting(
        name=interface,
        up=up,
        carrier=up and _shown(interface, "carrier") == ["1"],
        mtu=int(shown[1]),
        promiscuous=bool(flags & _PROMISCUOUS),
        merging=tuple(_merging(interface)),
    )


def names() -> list[str]:
    """Every interface of this machine."""
    return [name for _, name in socket.if_nameindex()]


def _shown(interface: str, *what: str) -> list[str] | None:
    """What the kernel shows of an interface, if there is one."""
    namespace, name = split(interface)
    paths = [_CLASS / name / one for one in what]
    if not namespace:
        return [one.read_text().strip() for one in paths] if paths[0].parent.is_dir() else None
    if namespace not in namespaces():
        return None
    # Each namespace has its own /sys, which `ip` mounts.
    command = ["ip", "netns", "exec", namespace, "cat", *map(str, paths)]
    found = subprocess.run(command, capture_output=True, text=True, check=False)
    return found.stdout.split() if found.returncode == 0 else None


def _merging(interface: str) -> list[str]:
    found = []
    if _ethtool(interface, _GET_GRO):
        found.append("GRO")
    if _ethtool(interface, _GET_FLAGS) & _LRO:
        found.append("LRO")
    return found


def _ethtool(interface: str, command: int) -> int:
    """A value that the driver tells; 0 if it has none."""
    value = array.array("B", _VALUE.pack(command, 0))
    namespace, name = split(interface)
    with entered(namespace):
        taken = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    with taken:
        try:
            request = _REQUEST.pack(name.encode(), value.buffer_info()[0])
            fcntl.ioctl(taken, _SIOCETHTOOL, request)
        except OSError:
            return 0
    answer: int = _VALUE.unpack(value.tobytes())[1]
    return answer
