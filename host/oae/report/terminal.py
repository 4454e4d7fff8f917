"""What a capture came to, for the terminal."""

from collections.abc import Iterable, Sequence

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from oae.check.findings import FaultSpan, Result
from oae.check.verdict import Verdict
from oae.report.figures import records, spreads
from oae.report.names import LANES
from oae.report.summary import COLOURS, MOST_VIOLATIONS, table, verdict_panel
from oae.report.times import readable

MOST_FAULTS = 12
# Of what is measured, what tells most; the report shows all.
MEASURED = (
    "submission to decision",
    "decision to delivery",
    "decision to outcome",
    "in doubt initiator",
    "in doubt responder",
)
ON_THE_WIRE = ("data to commit", "commit to done")
SOURCES = {
    "run": "a whole run: frames, and what happened at both ends",
    "both directions": "frames of both directions",
    "one direction": "frames of one direction",
    "nothing": "no frame of the link",
}


def show(console: Console, result: Result) -> None:
    """Print what a capture came to, the verdict last."""
    console.print(_promises(result))
    figures, measured = records(result)
    for one in (figures, measured):
        if one.rows:
            console.print(_rows(table(one.title, "", *one.columns), one.rows))
    chosen = MEASURED if result.source == "run" else ON_THE_WIRE
    if found := [one for one in spreads(result) if one.name in chosen]:
        rows = [(f"{one.name}, {one.lane[0]}->{one.lane[-1]}", one.cells[2:]) for one in found]
        console.print(_rows(table("Measured", "", "median", "p99", "most"), rows))
    # A rule is there for a fault that is told as well.
    if faults := [fault for fault in result.faults if fault.kind != "rule"]:
        console.print(_faults(faults, result.start))
    for line in result.lines:
        console.print(f"[yellow]{escape(line)}[/]", highlight=False, soft_wrap=True)
    for error in result.bench_errors[:MOST_VIOLATIONS]:
        console.print(
            f"[magenta]packet {error.packet}: {escape(error.text)}[/]",
            highlight=False,
            soft_wrap=True,
        )
    for finding in result.findings[:MOST_VIOLATIONS]:
        console.print(f"[red]{escape(str(finding))}[/]", highlight=False, soft_wrap=True)
    hidden = result.finding_count - MOST_VIOLATIONS
    if hidden > 0:
        console.print(f"[red]and {hidden} more[/]")
    if result.verdict is Verdict.INCONCLUSIVE and result.source != "run" and not result.wire:
        console.print("--wire judges only what frames can show")
    console.print(verdict_panel(result.verdict, result.reason))


def _rows(drawn: Table, rows: Iterable[tuple[str, tuple[str, ...]]]) -> Table:
    for name, cells in rows:
        drawn.add_row(name, *cells)
    return drawn


def _promises(result: Result) -> Table:
    title = f"Promises: {SOURCES[result.source]}, {result.packets:,} packets"
    drawn = table(title, "", "requirement", "verdict")
    for one in result.promises:
        if one.asked:
            colour = COLOURS[one.verdict]
            drawn.add_row(one.promise, one.requirement, f"[{colour}]{one.verdict}[/]")
    reasons = dict.fromkeys(
        one.reason for one in result.promises if one.asked and one.verdict is Verdict.INCONCLUSIVE
    )
    if reasons:
        drawn.caption = escape("INCONCLUSIVE: " + "; ".join(reasons))
        drawn.caption_justify = "left"
    return drawn


def _faults(faults: Sequence[FaultSpan], begin: int) -> Table:
    drawn = table("Faults, and how long until all was resolved", "", "at", "lasted", "converged")
    for fault in faults[:MOST_FAULTS]:
        where = LANES[fault.end] if fault.kind == "cut" else "ab"[fault.end]
        lasted = None if fault.healed is None else fault.healed - fault.start
        after = (
            None
            if fault.healed is None or fault.converged is None
            else fault.converged - fault.healed
        )
        times = (readable(time) for time in (fault.start - begin, lasted, after))
        drawn.add_row(f"{fault.kind} {where}", *times)
    if len(faults) > MOST_FAULTS:
        drawn.caption = f"and {len(faults) - MOST_FAULTS} more"
    return drawn
