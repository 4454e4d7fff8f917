"""What a doctor finds: each fault by its name, what was seen, what was expected, what to do."""

from dataclasses import asdict, dataclass
from enum import StrEnum


class Fault(StrEnum):
    """The faults that a doctor knows (docs/bench.md)."""

    NO_SUCH_PORT = "no such port"
    PORT_BUSY = "port busy"
    NO_PERMISSION = "no permission"
    NO_SERIAL_PORT = "no serial port"
    WRONG_BAUD = "wrong baud"
    NO_ANSWER = "no answer"
    NONSENSE = "nonsense"
    WRONG_REGISTER_MAP = "wrong register-map version"
    WRONG_BUILD = "wrong build"
    CLOCK_ABSENT = "clock absent"
    CLOCK_WRONG = "clock wrong"
    NO_SUCH_INTERFACE = "no such interface"
    INTERFACE_DOWN = "interface down"
    OFFLOADS_WRONG = "offloads wrong"
    PROMISCUOUS_MODE_WRONG = "promiscuous mode wrong"
    MTU_TOO_SMALL = "MTU too small"
    ANOTHER_ETHERTYPE = "another EtherType"
    PEER_SILENT = "peer silent"
    ONE_DIRECTION_DEAD = "one direction dead"
    CROSSED_CABLES = "crossed cables"
    LINK_NOT_UP = "link not up"


@dataclass(frozen=True)
class Finding:
    """One fault."""

    fault: Fault
    where: str
    seen: str
    expected: str
    advice: str

    def __str__(self) -> str:
        return (
            f"{self.fault}: {self.where}: seen {self.seen}, expected {self.expected}; {self.advice}"
        )

    def as_dict(self) -> dict[str, str]:
        """For machines."""
        return asdict(self)
