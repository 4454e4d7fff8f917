"""The tables of the report: records, frames, latencies."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, fields

from oae.check.findings import Direction, EndCounts, Result
from oae.report.names import LANES
from oae.report.times import readable


@dataclass(frozen=True)
class Table:
    """A title, the heads of its columns, and rows: a name, then cells."""

    title: str
    columns: tuple[str, ...]
    rows: list[tuple[str, tuple[str, ...]]]


def records(result: Result) -> list[Table]:
    """Records by outcome; goodput and efficiency."""
    counts = [
        (
            field.name.replace("_", " "),
            tuple(f"{getattr(end, field.name):,}" for end in result.ends),
        )
        for field in fields(EndCounts)
    ]
    named = Table("Records, by end", ("a", "b"), [row for row in counts if set(row[1]) != {"0"}])
    measured: dict[str, list[str]] = {
        "goodput, bits a second": [f"{8 * rate:,.0f}" for rate in result.goodput],
        "attempted": [f"{one.attempted:,}" for one in result.efficiency],
        "committed": [f"{one.committed:,}" for one in result.efficiency],
        "time of the mean record": [readable(one.record_time) for one in result.efficiency],
        "bilateral efficiency, to the decision": [
            _part(one.to_decision) for one in result.efficiency
        ],
        "bilateral efficiency, to delivery": [_part(one.to_delivery) for one in result.efficiency],
        "bilateral efficiency, to DONE": [_part(one.to_done) for one in result.efficiency],
    }
    lanes = [(name, tuple(cells)) for name, cells in measured.items()]
    return [named, Table("Goodput and efficiency, by lane", LANES, lanes)]


def _part(value: float | None) -> str:
    return "" if value is None else f"{value:.4f}"


def frames(result: Result) -> list[Table]:
    """Frames by operation, and by what became of them."""
    columns = tuple(f"sent by {end}" for end in "ab")
    directions = result.directions
    fates: dict[str, Callable[[Direction], int]] = {
        "sent": lambda one: one.frames,
        "received": lambda one: one.received,
        "of another EtherType": lambda one: one.foreign,
        "of a reserved operation": lambda one: one.unsupported,
        "captured too short to be verified": lambda one: one.incomplete,
        "missing in the capture": lambda one: one.lost,
    }
    rows = [(name, _cells(count(one) for one in directions)) for name, count in fates.items()]
    every = len(rows[:2])
    kept = [row for index, row in enumerate(rows) if index < every or set(row[1]) != {"0"}]
    return [
        Table("By operation", columns, _by_name(one.operations for one in directions)),
        Table("By fate", columns, [*kept, *_by_name(one.fates for one in directions)]),
        *_unless_empty("Sent again", columns, _by_name(one.repeats for one in directions)),
        *_unless_empty("Malformed", columns, _by_name(one.malformed for one in directions)),
    ]


def _unless_empty(
    title: str, columns: tuple[str, ...], rows: list[tuple[str, tuple[str, ...]]]
) -> list[Table]:
    return [Table(title, columns, rows)] if rows else []


def _cells(numbers: Iterable[int]) -> tuple[str, ...]:
    return tuple(f"{number:,}" for number in numbers)


def _by_name(counts: Iterable[dict[str, int]]) -> list[tuple[str, tuple[str, ...]]]:
    columns = list(counts)
    found = dict.fromkeys(name for column in columns for name in column)
    rows = [(name, _cells(column.get(name, 0) for column in columns)) for name in found]
    return [(name.replace("_", " "), cells) for name, cells in rows if set(cells) != {"0"}]


@dataclass(frozen=True)
class Spread:
    """A measured quantity of one lane."""

    name: str
    lane: str
    cells: tuple[str, ...]


def spreads(result: Result) -> list[Spread]:
    """Every quantity that was measured at least once."""
    return [
        Spread(
            name.replace("_", " "),
            LANES[lane],
            (
                f"{one.count:,}",
                *(readable(value) for value in (one.least, one.median, one.p99, one.most)),
            ),
        )
        for name in dict.fromkeys(name for lane in result.latencies for name in lane)
        for lane, measured in enumerate(result.latencies)
        if (one := measured.get(name)) is not None and one.count
    ]
