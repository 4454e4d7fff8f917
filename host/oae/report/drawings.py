"""The numbers behind the drawings of the report, as JSON: times are counted from the capture's
begin, in the largest unit that divides them all."""

import math
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

from oae.check.findings import FaultSpan, Result, Transaction
from oae.report.moments import Moment, Sent, Step, Story, begin
from oae.report.names import LANES, key, session_numbers
from oae.report.packing import packed
from oae.scenario.layout import Fault
from oae.spec.constants import Balance, LinkState, Operation

OUTCOMES = ("COMMITTED", "ABORTED", "UNKNOWN", "OPEN")
MOST_HEALED = 30
# What is drawn; the table has every measured quantity.
DISTRIBUTIONS = (
    "submission_to_outcome",
    "decision_to_delivery",
    "in_doubt_initiator",
    "in_doubt_responder",
    "data_to_commit",
    "commit_to_done",
)


def drawings(result: Result, stories: Sequence[Story]) -> dict[str, Any]:
    """Everything that the page's script draws."""
    unit = math.gcd(*_times(result, stories)) or 1

    def at(time: int) -> int:
        return (time - result.start) // unit

    faults = [*_faults(result, at), *_frame_faults(result, at)]
    texts = list(dict.fromkeys(text for *_, text in faults))
    number_of = {text: number for number, text in enumerate(texts)}
    return {
        "unit": unit,
        "span": at(result.end),
        "ends": ["a", "b"],
        "lanes": LANES,
        "outcomes": OUTCOMES,
        "link_states": [state.name for state in LinkState],
        "links": [_links(result, end, at) for end in (0, 1)],
        "faults": [[*fault, number_of[text]] for *fault, text in faults],
        "fault_texts": texts,
        "traffic": [[one.frames[end] for one in result.intervals] for end in (0, 1)],
        "in_flight": [[one.in_flight[end] for one in result.intervals] for end in (0, 1)],
        "starts": [at(one.start) for one in result.intervals],
        "interval": result.interval / unit,
        "balance": list(_balances(result, at)),
        **_transactions(result, stories, unit),
        "distributions": [
            {
                "name": name.replace("_", " "),
                "lanes": [
                    list(lane[name].buckets) if name in lane else [] for lane in result.latencies
                ],
            }
            for name in DISTRIBUTIONS
        ],
        "convergence": _healed(result.faults),
    }


def _transactions(result: Result, stories: Sequence[Story], unit: int) -> dict[str, Any]:
    """Transactions as rows of numbers. Most are alike: what happened in one is a row of numbers of
    moments (a shape), which others share; only when each happened is its own.
    """
    moments: dict[tuple[Any, ...], int] = {}
    shapes: dict[str, int] = {}
    found = Counter((finding.end, finding.sessions, finding.id) for finding in result.findings)
    sessions = session_numbers(result.transactions)
    rows = []
    before = result.start
    for row, story in zip(result.transactions, stories, strict=True):
        start = begin(row)
        what = [moments.setdefault(_what(moment), len(moments)) for moment in story]
        numbers = [
            row.end,
            row.id,
            sessions[row.end, row.sessions],
            OUTCOMES.index(row.outcome),
            row.record_bytes,
            (start - before) // unit,
            -1 if row.outcome == "OPEN" else (_last(row) - start) // unit,
            max(found[key(row)], int(row.has_finding)),
            shapes.setdefault(packed(what), len(shapes)),
        ]
        rows.append(packed([*numbers, *_whens(story, start, unit)]))
        before = start
    return {"transactions": rows, "shapes": list(shapes), "moments": list(moments)}


def _last(row: Transaction) -> int:
    return max(time for time, _ in row.marks.values())


def _times(result: Result, stories: Sequence[Story]) -> Iterator[int]:
    """Every time that is drawn, from the begin."""
    yield result.end - result.start
    for story in stories:
        for moment in story:
            yield moment.time - result.start
            if isinstance(moment, Sent):
                yield from (time - result.start for time, _ in moment.heard)
    for row in result.transactions:
        yield from (time - result.start for time, _ in row.marks.values())
    for state in result.link_states:
        yield state.time - result.start
    for fault in result.faults:
        yield fault.start - result.start
        yield (fault.healed or fault.start) - result.start
    for struck in result.frame_faults:
        yield struck.time - result.start


def _whens(story: Story, start: int, unit: int) -> Iterator[int]:
    """When each moment was, after the one before; when a frame was heard, after it was sent."""
    now = start
    for moment in story:
        yield (moment.time - now) // unit
        now = moment.time
        if isinstance(moment, Sent):
            yield from ((time - now) // unit for time, _ in moment.heard)


def _what(moment: Moment) -> tuple[Any, ...]:
    """A moment without its times."""
    if isinstance(moment, Sent):
        heard = tuple(told for _, told in moment.heard)
        return ("frame", moment.end, moment.operation, moment.fate, heard)
    if isinstance(moment, Step):
        return ("step", moment.end, moment.text, moment.state)
    return ("in" if moment.inward else "out", moment.end, moment.text)


def _links(result: Result, end: int, at: Any) -> list[int]:
    """Time, state, time, state ..., each when it changed."""
    changes: list[int] = []
    for status in result.link_states:
        state = LinkState[status.state].value
        if status.end == end and (not changes or changes[-1] != state):
            changes += [at(status.time), state]
    return changes


def fault_name(fault: FaultSpan) -> str:
    """What and where."""
    if fault.kind == "cut":
        return f"cut {LANES[fault.end]}"
    return f"rule {fault.number}" if fault.end < 0 else f"{fault.kind} {'ab'[fault.end]}"


def _faults(result: Result, at: Any) -> Iterator[list[Any]]:
    for fault in sorted(result.faults, key=lambda one: (one.kind, one.end)):
        place = "rules" if fault.kind == "rule" else fault_name(fault)
        lasting = fault.kind in ("cut", "link fault")
        healed = result.end if lasting and fault.healed is None else fault.healed
        over = None if healed is None or healed == fault.start else at(healed)
        yield [at(fault.start), over, place, fault_name(fault)]


def _frame_faults(result: Result, at: Any) -> Iterator[list[Any]]:
    for end in (0, 1):
        for struck in result.frame_faults:
            if struck.end == end:
                names = [
                    one.name.lower().replace("_", " ") for one in Fault(struck.faults) if one.name
                ]
                known = struck.operation in Operation.__members__.values()
                what = Operation(struck.operation).name if known else "a frame cut short"
                yield [at(struck.time), None, f"frames {'ab'[end]}", f"{what}: {', '.join(names)}"]


def _balances(result: Result, at: Any) -> Iterator[dict[str, Any]]:
    """When the lane of an initiator was at +1, and that of a responder at +infinity."""
    for end in (0, 1):
        for name, codes, on in (
            ("+1", [one.initiator_balance[end] for one in result.intervals], Balance.PLUS_ONE),
            ("+∞", [one.responder_balance[end] for one in result.intervals], Balance.PLUS_INFINITY),
        ):
            changes: list[int] = []
            for interval, code in zip(result.intervals, codes, strict=True):
                if (code == on) != bool(len(changes) % 2):
                    changes.append(at(interval.start))
            yield {"name": f"balance {'ab'[end]} {name}", "end": end, "changes": changes}


def _healed(faults: Sequence[FaultSpan]) -> list[list[Any]]:
    """Those that took longest, in order of time: name, nanoseconds until all was resolved."""
    known = [
        (fault, fault.converged - fault.healed)
        for fault in faults
        if fault.converged is not None and fault.healed is not None and fault.in_flight
    ]
    slowest = sorted(known, key=lambda pair: -pair[1])[:MOST_HEALED]
    slowest.sort(key=lambda pair: pair[0].start)
    return [[fault_name(fault), took] for fault, took in slowest]
