"""The kernel's tables of figures as what a result shows."""

from typing import Any, Final

import numpy

from oae.check.findings import (
    Direction,
    Distribution,
    Efficiency,
    EndCounts,
    FaultSpan,
    FrameFault,
    Interval,
    LinkState,
)
from oae.check.kernel import Kernel, Latency
from oae.scenario.layout import Fault
from oae.spec.constants import LinkState as State
from oae.spec.constants import MalformedReason, Operation

_SPAN_KINDS: Final = ("cut", "crash", "amnesia", "rule", "link fault")
_SECOND: Final = 1_000_000_000


def _from(place: int) -> int:
    """The least value in a bucket of a histogram (native/measure.h)."""
    if place < 256:
        return place
    octave, within = divmod(place - 256, 128)
    return (128 + within) << (octave + 1)


def distribution(row: Any) -> Distribution:
    """A histogram of the kernel."""
    count = int(row["count"])
    if not count:
        return Distribution()
    least, most = int(row["least"]), int(row["most"])
    used = numpy.flatnonzero(row["buckets"])
    counts = row["buckets"][used]
    reached = numpy.cumsum(counts)

    def value(rank: int) -> int:
        place = int(used[numpy.searchsorted(reached, rank)])
        middle = (_from(place) + _from(place + 1) - 1) // 2
        return min(max(middle, least), most)

    return Distribution(
        count=count,
        least=least,
        mean=int(row["sum"]) / count,
        median=value(-(-count // 2)),
        p99=value(-(-99 * count // 100)),
        most=most,
        buckets=tuple(
            (_from(int(place)), _from(int(place) + 1), int(number))
            for place, number in zip(used, counts, strict=True)
        ),
    )


def latencies(kernel: Kernel) -> list[dict[str, Distribution]]:
    """Every latency of both directions."""
    return [
        {
            latency.name.lower(): distribution(kernel.latency(direction, latency))
            for latency in Latency
        }
        for direction in (0, 1)
    ]


def end_counts(summary: Any) -> list[EndCounts]:
    """What was counted at each end."""
    return [
        EndCounts(**{name: int(row[name]) for name in row.dtype.names}) for row in summary["ends"]
    ]


def directions(summary: Any) -> list[Direction]:
    """What each end sent."""
    return [
        Direction(
            frames=int(row["frames"]),
            operations=_by_operation(row["operations"]),
            repeats=_by_operation(row["repeats"]),
            malformed={
                reason.name: int(row["malformed"][reason])
                for reason in MalformedReason
                if row["malformed"][reason]
            },
            foreign=int(row["foreign"]),
            unsupported=int(row["unsupported"]),
            incomplete=int(row["incomplete"]),
            received=int(row["received"]),
            lost=int(row["lost"]),
            fates={
                name: int(row["fates"][fault.bit_length() - 1])
                for name, fault in Fault.__members__.items()
                if row["fates"][fault.bit_length() - 1]
            },
        )
        for row in summary["directions"]
    ]


def _by_operation(counts: Any) -> dict[str, int]:
    return {operation.name: int(counts[operation]) for operation in Operation if counts[operation]}


def goodput(summary: Any, by_evidence: bool) -> list[float]:
    """Record bytes delivered a second, by initiator; from frames alone, those with a DONE."""
    duration = int(summary["last_time"]) - int(summary["first_time"])
    if not duration:
        return [0.0, 0.0]
    if by_evidence:
        delivered = [int(summary["ends"][1 - end]["delivered_bytes"]) for end in (0, 1)]
    else:
        delivered = [int(row["committed_bytes"]) for row in summary["directions"]]
    return [size * _SECOND / duration for size in delivered]


def efficiency(
    summary: Any,
    end: int,
    measured: dict[str, Distribution],
    cycle_ns: float | None,
    by_evidence: bool,
) -> Efficiency:
    """Bilateral efficiency of one direction."""
    if by_evidence:
        counts, taken = summary["ends"][end], summary["ends"][1 - end]
        attempted, committed = int(counts["opened"]), int(counts["committed"])
        records, size = int(taken["delivered"]), int(taken["delivered_bytes"])
        names = ("arrival_to_decision", "arrival_to_delivery", "arrival_to_done")
    else:
        row = summary["directions"][end]
        attempted, committed = int(row["attempted"]), int(row["committed"])
        records, size = committed, int(row["committed_bytes"])
        names = ("data_to_commit", "", "data_to_done")
    record_time = size / records / 8 * cycle_ns if records and cycle_ns else None

    def until(name: str) -> float | None:
        mean = measured[name].mean if name else None
        if record_time is None or mean is None or not attempted:
            return None
        return committed / attempted * record_time / (record_time + mean)

    return Efficiency(attempted, committed, record_time, *map(until, names))


def link_states(kernel: Kernel) -> list[LinkState]:
    """The status outputs of both ends, whenever one of them changed."""
    return [
        LinkState(
            time=int(row["time"]),
            packet=int(row["packet"]),
            end=int(row["end"]),
            state=State(row["state"] & 3).name,
            incoming=bool(row["incoming"]),
            outgoing=bool(row["outgoing"]),
            changing=bool(row["changing"]),
            epoch=int(row["epoch"]),
            converged=int(row["converged"]),
        )
        for row in kernel.table("states")
    ]


def fault_spans(kernel: Kernel) -> list[FaultSpan]:
    """The faults of the link."""
    return [
        FaultSpan(
            kind=_SPAN_KINDS[row["kind"]],
            end=int(row["end"]),
            number=int(row["number"]),
            start=int(row["start"]),
            packet=int(row["packet"]),
            healed=int(row["healed"]) if row["is_healed"] else None,
            converged=int(row["converged"]) if row["is_converged"] else None,
            in_flight=int(row["in_flight"]),
            beats=int(row["beats"]),
        )
        for row in kernel.table("spans")
    ]


def frame_faults(kernel: Kernel) -> list[FrameFault]:
    """What the medium did to frames."""
    names = FrameFault.__dataclass_fields__
    return [
        FrameFault(**{name: int(row[name]) for name in names})
        for row in kernel.table("frame_faults")
    ]


def intervals(kernel: Kernel) -> list[Interval]:
    """What happened over time."""

    def both(row: Any, name: str) -> tuple[int, int]:
        return int(row[name][0]), int(row[name][1])

    return [
        Interval(
            start=int(row["start"]),
            frames=both(row, "frames"),
            delivered_bytes=both(row, "delivered_bytes"),
            told=both(row, "told"),
            in_flight=both(row, "in_flight"),
            initiator_balance=both(row, "initiator_balance"),
            responder_balance=both(row, "responder_balance"),
        )
        for row in kernel.table("intervals")
    ]
