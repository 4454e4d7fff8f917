"""What can happen to a transaction: steps, handshakes with hosts, frames."""

from dataclasses import dataclass, field, replace

from oae.check.findings import Result, Transaction


@dataclass
class Step:
    """A step of an end's state machine, and the state it led to."""

    time: int
    end: int
    text: str
    state: str


@dataclass
class Handshake:
    """Something crossed the host's ports: `inward` from the host to the end."""

    time: int
    end: int
    text: str
    inward: bool


@dataclass
class Sent:
    """A frame that an end sent, and each time it was heard: when, and in what shape."""

    time: int
    end: int
    operation: str
    fate: str
    heard: list[tuple[int, str]] = field(default_factory=list)


Moment = Step | Handshake | Sent
Story = list[Moment]


def begin(row: Transaction) -> int:
    """When a transaction was first seen."""
    return min(time for time, _ in row.marks.values())


def placed(result: Result) -> Result:
    """The result without transactions of which nothing was seen: they have no place in time."""
    return replace(result, transactions=[row for row in result.transactions if row.marks])


def with_handshake(step: Step, name: str, outcome: str) -> list[Moment]:
    """A step, and what crosses the host's ports with it."""
    texts = {
        "OPENED": "submit",
        "CANCELLED": "cancel",
        "DELIVERED": "deliver",
        "TOLD": f"told {outcome}",
        "DOUBTED": "in doubt",
    }
    if name not in texts:
        return [step]
    inward = name in ("OPENED", "CANCELLED")
    handshake = Handshake(step.time, step.end, texts[name], inward)
    return [handshake, step] if inward else [step, handshake]
