"""A small run with faults for the tests of the report: its capture, and the result of its check."""

from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from oae.capture.read import Capture
from oae.capture.record import record
from oae.check.capture import check
from oae.check.findings import REQUIREMENT, Finding, Result, Standing
from oae.check.verdict import Promise, Verdict
from oae.engines import rtl
from oae.scenario.parse import parse_text
from oae.trace import Trace

SCENARIO = """
version = 1
[link]
window = 4
record_max = 32
[load.a]
records = 12
[load.b]
records = 12
[rates.both]
drop = 0.10
duplicate = 0.10
reorder = 0.05
corrupt = 0.10
[[fault]]
when = "a->b DATA #3"
do = "drop"
[[fault]]
when = "b DELIVERED #4"
do = "cut a->b"
for = "200 cycles"
[[fault]]
when = "a DECIDED #4"
do = "crash a"
for = "20 cycles"
[[fault]]
when = "b DELIVERED #6"
do = "crash b"
[limits]
cycles = 100000
"""
HOSTILE = "</script><script>document.title='broken'</script><!--"


class Sample(NamedTuple):
    """What a run left, and a result of it."""

    trace: Trace
    capture: Path
    result: Result


def sample(folder: Path) -> Sample:
    """Run it, record it, check it, and find fault with it."""
    ended = rtl.run(parse_text(SCENARIO), folder / "run", simulator="icarus")
    assert ended.stop == "resolved"
    trace = Trace(folder / "run" / "trace.txt")
    capture = folder / "capture.pcapng"
    record(trace, capture)
    return Sample(trace, capture, failed(check(Capture(capture))))


def failed(result: Result) -> Result:
    """The same with a finding against the transaction that took longest; its text is hostile."""
    row = max(
        result.transactions, key=lambda one: max(one.marks.values())[0] - one.marks["OPENED"][0]
    )
    time, packet = row.marks["DELIVERED"]
    explained_by = tuple(sorted(packet for _, packet in row.marks.values()))[:10]
    finding = Finding(
        Promise.AGREEMENT,
        REQUIREMENT[Promise.AGREEMENT],
        certain=True,
        absence=False,
        packet=packet,
        time=time,
        end=row.end,
        sessions=row.sessions,
        id=row.id,
        text=f"{row.name} decided; its responder aborted it {HOSTILE}",
        explained_by=explained_by,
    )
    standing = Standing(finding.promise, finding.requirement, Verdict.FAIL, str(finding), True)
    return replace(
        result,
        verdict=Verdict.FAIL,
        reason=str(finding),
        promises=[standing, *result.promises[1:]],
        findings=[finding],
        finding_count=1,
        transactions=[
            replace(one, has_finding=True) if one is row else one for one in result.transactions
        ],
    )


def many(result: Result, count: int) -> Result:
    """As many transactions, each like one of the result but later."""
    rows = result.transactions
    length = result.end - result.start
    later = []
    for number in range(count):
        row, shift = rows[number % len(rows)], number // len(rows) * length
        marks = {name: (time + shift, packet) for name, (time, packet) in row.marks.items()}
        later.append(replace(row, id=number, marks=marks))
    end = result.end + (count // len(rows)) * length
    return replace(result, transactions=later, transaction_count=count, end=end)
