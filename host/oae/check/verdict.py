"""What a run comes to: verdict, broken promises, and what was measured."""

import statistics
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any, Final, NamedTuple


class Verdict(StrEnum):
    """What a run comes to."""

    PASS = "PASS"
    FAIL = "FAIL"
    INCONCLUSIVE = "INCONCLUSIVE"
    BENCH_ERROR = "BENCH_ERROR"


EXIT_CODES = {Verdict.PASS: 0, Verdict.FAIL: 1, Verdict.INCONCLUSIVE: 3, Verdict.BENCH_ERROR: 4}


class Promise(StrEnum):
    """What was broken; the names are those of the protocol where it has one."""

    AGREEMENT = "agreement"
    EXACTLY_ONCE = "exactly once, in order"
    UNALTERED = "complete and unaltered"
    NO_FALSE_COMPLETION = "no false completion"
    CONSERVATION = "conservation"
    PROGRESS = "progress"
    NOT_BEFORE_COMMITTED = "nothing before COMMITTED"
    FINAL = "outcomes are final"
    NEVER_ALONE = "a responder never aborts alone"
    NO_VIOLATION = "no violation is told"
    COUNTERS = "counters"
    PORTS = "ports and events agree"
    ASSERTION = "assertions"
    REFERENCE = "step by step as the reference end"


@dataclass(frozen=True)
class Violation:
    """A promise that was broken, and where."""

    promise: Promise
    line: int
    cycle: int
    text: str

    def __str__(self) -> str:
        """One line: where, what was broken, and how."""
        return f"line {self.line}, cycle {self.cycle}: {self.promise}: {self.text}"


# How the cores' own assertions of an event of violation end.
_CANNOT_SEND: Final = (
    "an answer that a correct peer cannot send",
    "a frame that a correct peer cannot send",
)


Coordinates = tuple[int, int, int, int]  # of a frame: direction, operation, id, copy


class Hold(NamedTuple):
    """What the firing of a rule puts in the way of progress, or takes out of it."""

    what: tuple[int, int]
    stands: bool


@dataclass
class Struck:
    """Which of a scenario's faults struck in a run."""

    rules: dict[int, int] = field(default_factory=dict)  # how often; the last that fired is last
    fates: set[Coordinates] = field(default_factory=set)  # frames that came
    cycle: int = 0  # of the stop

    def fired(self, rule: int) -> None:
        """A rule has fired."""
        self.rules[rule] = self.rules.pop(rule, 0) + 1


@dataclass
class Expectations:
    """What a run must show besides keeping the promises, on whatever engine."""

    records: int = 1  # committed, over both lanes
    strikers: dict[int, int] = field(default_factory=dict)  # rule -> the fault that it is
    strikes: dict[int, int] = field(default_factory=dict)  # rule -> how often it must strike
    fates: dict[Coordinates, str] = field(default_factory=dict)  # that must strike, as they read
    upsets: dict[str, int] = field(default_factory=dict)  # that must strike, in which cycle
    violations: int = 0  # events of violation that are forgiven (forged frames)
    holds: dict[int, Hold] = field(default_factory=dict)  # by rule
    lossy_until: int = 0  # cycle; until then no frame of some operation gets through

    def obstructed(self, struck: Struck) -> bool:
        """Whether something that no evidence but rules tells of stands in the way at the stop."""
        standing = dict(self.holds[rule] for rule in struck.rules if rule in self.holds)
        return any(standing.values()) or struck.cycle < self.lossy_until

    def unmet(self, committed: int, struck: Struck) -> str:
        """Why a run in which so many records committed and this struck shows too little."""
        if committed < max(self.records, 1):
            return f"{committed} records committed, {self.records} wanted"
        for fault in sorted(set(self.strikers.values())):
            wanted = {rule: n for rule, n in self.strikes.items() if self.strikers[rule] == fault}
            found = sum(min(struck.rules.get(rule, 0), n) for rule, n in wanted.items())
            if found < (total := sum(wanted.values())):
                how_often = f"struck {found} times, {total} wanted" if found else "never struck"
                return f"fault[{fault + 1}] {how_often}"
        never = [text for frame, text in self.fates.items() if frame not in struck.fates]
        never += [text for text, cycle in self.upsets.items() if cycle >= struck.cycle]
        return f"{never[0]!r} never struck" if never else ""

    def unforgiven(self, assertions: Iterable[str]) -> list[str]:
        """The lines of the RTL's assertions that count: a forged frame's event is asserted, too."""
        left = self.violations
        counting = []
        for text in assertions:
            if left and text.endswith(_CANNOT_SEND):
                left -= 1
            else:
                counting.append(text)
        return counting


@dataclass
class EndFigures:
    """Counts of one end as initiator, and of what its host took as responder."""

    submitted: int = 0  # every submission, resubmissions among them
    resubmitted: int = 0
    opened: int = 0
    committed: int = 0
    aborted: int = 0
    unknown: int = 0
    unopened: int = 0  # told ABORTED without a transaction
    discarded: int = 0
    lost: int = 0  # records of which amnesia took the outcome
    unresolved: int = 0
    delivered: int = 0
    delivered_bytes: int = 0
    doubted: int = 0
    crashes: int = 0
    amnesias: int = 0


@dataclass
class Spread:
    """A measured quantity, in cycles."""

    count: int = 0
    least: int | None = None
    median: float | None = None
    p99: int | None = None
    most: int | None = None

    @classmethod
    def of(cls, values: list[int]) -> "Spread":
        """The spread of these values."""
        if not values:
            return cls()
        ordered = sorted(values)
        p99 = ordered[max(0, -(-99 * len(ordered) // 100) - 1)]
        return cls(len(ordered), ordered[0], statistics.median(ordered), p99, ordered[-1])


@dataclass
class Judgement:
    """The verdict on a run and everything that was found."""

    verdict: Verdict
    reason: str
    violations: list[Violation]
    stop: str = ""
    cycles: int = 0
    sha256: str = ""
    ends: list[EndFigures] = field(default_factory=list)
    frames: list[dict[str, int]] = field(default_factory=list)  # by fate, one a direction
    commit_latency: Spread = field(default_factory=Spread)  # submission to decision
    decision_latency: Spread = field(default_factory=Spread)  # first beat of DATA to decision
    in_doubt_initiator: Spread = field(default_factory=Spread)
    in_doubt_responder: Spread = field(default_factory=Spread)
    goodput: list[float] = field(default_factory=list)  # delivered bits a cycle, by initiator
    faults_struck: int = 0
    obstructed: bool = False  # something stood in the way of progress at the stop
    followed_steps: int = 0  # by the reference end in lockstep
    followed_frames: int = 0

    def as_dict(self) -> dict[str, Any]:
        """For verdict.json."""
        return asdict(self)
