"""What a bench file says. Keys, defaults and meanings are those of docs/bench.md."""

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from oae.bringup.port import BAUD
from oae.medium import address
from oae.medium.namespace import split

ENDS: Final = ("a", "b")
PTY: Final = "pty"  # a serial line that a live end makes
TICK_HZ: Final = 50_000
OSCILLATOR: Final = 0.01  # tolerance of a clock
PACED: Final = 0.25  # the same of a process that has the machine to share
MTU: Final = 1500


class Kind(StrEnum):
    """What an end is."""

    PYTHON = "python"  # the reference end, a process
    RTL = "rtl"  # both ends in one simulation
    LIVE = "live"  # the Verilog end, a process
    NIC = "nic"  # the reference end on a network card, whose cable goes to the peer
    BOARD = "board"  # a device that is already there


class Automatic(StrEnum):
    """Media whose addresses whoever starts the ends chooses."""

    UNIX = "unix"
    UDP = "udp"


Medium = Automatic | address.Address


@dataclass(frozen=True)
class Serial:
    """The serial line of an end's registers."""

    port: str
    baud: int = BAUD


@dataclass(frozen=True)
class Interface:
    """How the network interfaces of an end are to be set."""

    mtu: int = MTU
    promiscuous: bool = False
    offloads: bool = False


@dataclass(frozen=True)
class End:
    """One end of the link.

    `medium` is where the end itself is; `at_relay` is where the relay meets it. A board's `medium`
    is that of the cable's other side, if it is on this machine.
    """

    kind: Kind
    medium: Medium | None = None
    at_relay: Medium | None = None
    serial: Serial | None = None
    board: str = ""
    build: int | None = None
    interface: Interface = Interface()
    substitute: "End | None" = None

    @property
    def media(self) -> tuple[address.Address, ...]:
        """The addresses that are written out."""
        both = (self.medium, self.at_relay)
        return tuple(one for one in both if one is not None and not isinstance(one, Automatic))

    @property
    def interfaces(self) -> tuple[str, ...]:
        """Names of the network interfaces that must be there; a TAP device is made."""
        return tuple(one.interface for one in self.media if isinstance(one, address.Packet))

    def __str__(self) -> str:
        parts = [self.kind, *([self.board] if self.board else [])]
        if self.medium is not None:
            chosen = " (addresses are chosen)" if isinstance(self.medium, Automatic) else ""
            parts.append(f"on {self.medium}{chosen}")
        if self.serial is not None:
            parts.append(f"registers at {self.serial.port}, {self.serial.baud} baud")
        return ", ".join(parts)


@dataclass(frozen=True)
class Veth:
    """A fixture: a cable between two interfaces, each of which may be in a network namespace."""

    names: tuple[str, str]


@dataclass(frozen=True)
class Power:
    """A fixture: two commands that switch something on before, and off afterwards."""

    on: tuple[str, ...]
    off: tuple[str, ...]


Fixture = Veth | Power


@dataclass(frozen=True)
class Clocks:
    """What the clocks of the ends are to be."""

    tick: int = TICK_HZ
    tolerance: float | None = None  # of CYCLES; None: by the kind of end


@dataclass(frozen=True)
class Bench:
    """A whole bench."""

    name: str
    ends: tuple[End, End]
    text: str = ""
    relay: bool = False
    fixtures: tuple[Fixture, ...] = ()
    clocks: Clocks = Clocks()

    @property
    def named_ends(self) -> dict[str, End]:
        """The ends by name."""
        return dict(zip(ENDS, self.ends, strict=True))

    def tolerance(self, name: str) -> float:
        """How far the clock of an end may be off, as a fraction."""
        if self.clocks.tolerance is not None:
            return self.clocks.tolerance
        return PACED if self.named_ends[name].kind is Kind.LIVE else OSCILLATOR

    @property
    def resources(self) -> list[str]:
        """What only one user can have at a time, as leases name it."""
        found = set()
        for end in self.ends:
            if end.board:
                found.add(f"board:{end.board}")
            if end.serial is not None and end.serial.port != PTY:
                found.add(f"serial:{end.serial.port}")
            for one in end.media:
                if isinstance(one, address.Packet):
                    found.add(f"interface:{one.interface}")
                if isinstance(one, address.Tap):
                    found.add(f"interface:{one.name}")
        for name in (name for one in self.fixtures if isinstance(one, Veth) for name in one.names):
            found.add(f"interface:{name}")
            if namespace := split(name)[0]:
                found.add(f"namespace:{namespace}")
        return sorted(found)

    def with_substitutes(self, absent: frozenset[str]) -> "Bench":
        """The bench with the substitutes of the ends that are absent.

        Without a relay two ends must share a medium, so then the other end's substitute, if it has
        one, comes as well.
        """
        if not absent:
            return self
        missing = frozenset(ENDS) if not self.relay else absent
        ends = [
            end.substitute if name in missing and end.substitute is not None else end
            for name, end in self.named_ends.items()
        ]
        return replace(self, ends=(ends[0], ends[1]))
