"""What the check of a capture comes to: verdict, promises, findings, transactions, figures.

Times are nanoseconds as the capture counts them, packets are counted from 1 as Wireshark does, and
directions and ends are 0 (a) and 1 (b). A lane is named by the end that initiates on it.
"""

from dataclasses import asdict, dataclass, field
from enum import IntEnum
from typing import Any, Final

from oae.check.verdict import Promise, Verdict

REQUIREMENT: Final = {
    Promise.AGREEMENT: "OAE-PRM-001",
    Promise.EXACTLY_ONCE: "OAE-PRM-002",
    Promise.UNALTERED: "OAE-PRM-002",
    Promise.NO_FALSE_COMPLETION: "OAE-PRM-003",
    Promise.CONSERVATION: "OAE-PRM-004",
    Promise.FINAL: "OAE-PRM-005",
    Promise.PROGRESS: "OAE-PRM-006",
    Promise.NOT_BEFORE_COMMITTED: "OAE-TXN-023",
    Promise.NEVER_ALONE: "OAE-TXN-022",
    Promise.NO_VIOLATION: "OAE-TXN-008",
    Promise.COUNTERS: "OAE-SIM-012",
    Promise.PORTS: "OAE-TXN-025",
}
PROMISES: Final = tuple(REQUIREMENT)
PLACE: Final = {promise: place for place, promise in enumerate(PROMISES)}
# What frames alone can show (docs/capture.md).
ON_THE_WIRE: Final = (
    Promise.AGREEMENT,
    Promise.UNALTERED,
    Promise.FINAL,
    Promise.PROGRESS,
    Promise.NOT_BEFORE_COMMITTED,
    Promise.NEVER_ALONE,
)


class Mark(IntEnum):
    """What can be seen of a transaction, each when it was first seen; checker.h has the same."""

    OPENED = 0  # step of the initiator
    DATA = 1  # frame
    REFLECTED = 2  # step of the responder
    ACK = 3  # frame
    DECIDED = 4
    COMMIT = 5  # frame
    COMMIT_HEARD = 6
    DELIVERED = 7
    DONE = 8  # frame
    DONE_HEARD = 9
    TOLD = 10
    TAKEN_BACK = 11  # cancelled, mismatched or confirmed aborted
    ABORT = 12  # frame
    ABORT_RECORDED = 13  # or refused
    ABORTED = 14  # frame
    DOUBTED = 15


@dataclass(frozen=True)
class Finding:
    """A promise that was broken, or that cannot be known to be kept, and what explains it."""

    promise: Promise
    requirement: str
    certain: bool  # else what is missing may stand in what the capture lost
    absence: bool  # something is missing that should have been seen before; else a contradiction
    packet: int
    time: int
    end: int  # that initiates on the lane; -1 where no lane is meant
    sessions: str  # "own/peer" of the session pair, or the link session; "" where no lane is meant
    id: int
    text: str
    explained_by: tuple[int, ...]  # packets, at most ten

    def __str__(self) -> str:
        """One line: where, what was broken, and how."""
        return f"packet {self.packet}: {self.promise} ({self.requirement}): {self.text}"


@dataclass(frozen=True)
class BenchError:
    """Why the capture cannot be trusted."""

    packet: int
    time: int
    text: str


@dataclass(frozen=True)
class Standing:
    """How a promise stands."""

    promise: Promise
    requirement: str
    verdict: Verdict
    reason: str  # of FAIL and INCONCLUSIVE, else empty
    asked: bool  # whether the overall verdict looks at it


@dataclass(frozen=True)
class Transaction:
    """One transaction with everything that was seen of it."""

    end: int
    sessions: str
    id: int
    kind: int
    tag: int
    record_bytes: int
    outcome: str  # COMMITTED, ABORTED, UNKNOWN; OPEN if none was seen
    reason: int  # abort reason told
    has_finding: bool
    marks: dict[str, tuple[int, int]]  # name of Mark -> time, packet

    @property
    def name(self) -> str:
        """As findings name it."""
        return f"{'ab'[self.end]}:{self.sessions}:{self.id}"


@dataclass(frozen=True)
class Distribution:
    """A measured quantity in nanoseconds; exact but for median and 99th percentile (1 %)."""

    count: int = 0
    least: int | None = None
    mean: float | None = None
    median: int | None = None
    p99: int | None = None
    most: int | None = None
    buckets: tuple[tuple[int, int, int], ...] = ()  # from, to (exclusive), count


@dataclass(frozen=True)
class LinkState:
    """Status outputs of an end from here on."""

    time: int
    packet: int
    end: int
    state: str
    incoming: bool
    outgoing: bool
    changing: bool
    epoch: int
    converged: int


@dataclass(frozen=True)
class FaultSpan:
    """A fault of the link, and how long it took after it healed until all was resolved.

    Times and packets are None where that was not seen.
    """

    kind: str  # cut, crash, amnesia, rule, link fault
    end: int  # of a rule -1
    number: int  # of the rule, else 0
    start: int
    packet: int
    healed: int | None
    converged: int | None  # time of the last outcome of what was in flight when it healed
    in_flight: int  # when it healed
    beats: int  # sent by both ends until then


@dataclass(frozen=True)
class FrameFault:
    """What the medium did to a frame."""

    time: int
    packet: int
    end: int  # that transmitted it
    number: int
    operation: int
    id: int
    faults: int  # bits of oae.scenario.layout.Fault
    rule: int  # 65535: chance


@dataclass(frozen=True)
class Interval:
    """What happened in a stretch of time; one value an end."""

    start: int
    frames: tuple[int, int]  # by the end that sent them
    delivered_bytes: tuple[int, int]  # by the end that took them
    told: tuple[int, int]
    in_flight: tuple[int, int]  # most at one time, by initiator
    initiator_balance: tuple[int, int]  # codes, last in the interval
    responder_balance: tuple[int, int]


@dataclass(frozen=True)
class Efficiency:
    """Bilateral efficiency E_B = (committed / attempted) * P / (P + dT), one direction.

    Committed is what both ends know to be. P is the time that the mean record of a committed
    transaction takes on the wire at the link's rate, 8 bytes a cycle; it is None where the capture
    does not say how long a cycle is. dT is the mean time past forward delivery: from the step HELD
    of the responder (frames only: from the first DATA) until decision (COMMIT), delivery, and DONE.
    """

    attempted: int
    committed: int
    record_time: float | None  # P, nanoseconds
    to_decision: float | None
    to_delivery: float | None
    to_done: float | None


@dataclass(frozen=True)
class EndCounts:
    """Counts of one end as initiator, and of what its host took as responder."""

    opened: int = 0
    committed: int = 0
    aborted: int = 0
    unknown: int = 0
    unopened: int = 0
    discarded: int = 0
    lost: int = 0
    unresolved: int = 0
    delivered: int = 0
    delivered_bytes: int = 0
    doubted: int = 0
    crashes: int = 0
    amnesias: int = 0


@dataclass(frozen=True)
class Direction:
    """Frames that one end sent."""

    frames: int
    operations: dict[str, int]
    repeats: dict[str, int]  # of transaction frames that were seen before
    malformed: dict[str, int]  # by reason
    foreign: int
    unsupported: int
    incomplete: int  # too few bytes captured to be verified
    received: int  # of them, at the other end
    lost: int  # numbers missing in the capture
    fates: dict[str, int]  # by fault


@dataclass
class Result:
    """The verdict on a capture and everything that was found."""

    verdict: Verdict
    reason: str
    source: str  # run, both directions, one direction, nothing
    wire: bool  # judged only what frames show
    promises: list[Standing]
    findings: list[Finding]  # the first 1,000
    finding_count: int
    unknowns: list[Finding]  # not certain: what is missing may have been lost; the first 100
    unknown_count: int
    bench_errors: list[BenchError]
    stop: str  # why the run ended, "" if it is not known
    packets: int
    start: int  # time of the first packet
    end: int  # and of the last
    evidence: int  # packets
    evidence_gaps: int
    parameters: dict[str, str]
    ends: list[EndCounts]
    directions: list[Direction]
    # By direction; names: submission_to_decision, data_to_decision, decision_to_delivery,
    # decision_to_outcome, submission_to_outcome, submission_to_delivery, submission_to_done,
    # in_doubt_initiator, in_doubt_responder, data_to_commit, commit_to_done, data_to_done,
    # arrival_to_decision, arrival_to_delivery, arrival_to_done.
    latencies: list[dict[str, Distribution]]
    goodput: list[float]  # record bytes delivered a second, by initiator
    efficiency: list[Efficiency]
    transactions: list[Transaction]  # the first, the slowest, and all with a finding
    transaction_count: int
    link_states: list[LinkState]
    faults: list[FaultSpan]
    frame_faults: list[FrameFault]
    intervals: list[Interval]
    interval: int  # length of each, nanoseconds
    lines: list[str] = field(default_factory=list)  # what a reader had to say about the file

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)
