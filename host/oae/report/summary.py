"""The table at the end of a run, and the verdict in big."""

import hashlib
from pathlib import Path

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from oae.check.carried_file import CarriedFile
from oae.check.verdict import Judgement, Spread, Verdict
from oae.report.page import PAGE

COLOURS = {
    Verdict.PASS: "green",
    Verdict.FAIL: "red",
    Verdict.INCONCLUSIVE: "yellow",
    Verdict.BENCH_ERROR: "magenta",
}
MOST_VIOLATIONS = 5
WIDTH = 79


def show(
    console: Console,
    judgement: Judgement,
    carried: CarriedFile | None,
    seconds: float,
    out: Path,
) -> None:
    """Print what a run came to."""
    if judgement.ends:
        console.print(_records(judgement))
        console.print(_frames(judgement))
        console.print(_measures(judgement, seconds))
    if carried is not None:
        console.print(_file(carried))
    for violation in judgement.violations[:MOST_VIOLATIONS]:
        console.print(f"[red]trace.txt {violation}[/]", highlight=False, soft_wrap=True)
    hidden = len(judgement.violations) - MOST_VIOLATIONS
    if hidden > 0:
        console.print(f"[red]and {hidden} more[/]")
    console.print(verdict_panel(judgement.verdict, judgement.reason))
    console.print(f"evidence: {out}", highlight=False)
    if (out / PAGE).exists():
        console.print(f"to look at: {out / PAGE}", highlight=False)


def verdict_panel(verdict: Verdict, reason: str) -> Panel:
    """The verdict in big, with its reason."""
    colour = COLOURS[verdict]
    text = Text(f"\n{' '.join(verdict)}\n", style=f"bold {colour}", justify="center")
    if len(reason) > WIDTH - 6:  # too long for the border
        text.append(f"\n{reason}\n", style=colour)
        reason = ""
    return Panel(text, border_style=colour, subtitle=Text(reason, style=colour), width=WIDTH)


def table(title: str, *columns: str) -> Table:
    """An empty table; the first column is for names, the others for numbers."""
    drawn = Table(title=title, title_justify="left", title_style="bold", width=79, box=SIMPLE_HEAD)
    drawn.add_column(columns[0], ratio=2, no_wrap=True)
    for column in columns[1:]:
        drawn.add_column(column, justify="right", ratio=1)
    return drawn


def _records(judgement: Judgement) -> Table:
    drawn = table("Records", "", "a to b", "b to a")
    rows = {
        "submitted": [figures.submitted for figures in judgement.ends],
        "resubmitted": [figures.resubmitted for figures in judgement.ends],
        "committed": [figures.committed for figures in judgement.ends],
        "aborted": [figures.aborted + figures.unopened for figures in judgement.ends],
        "unknown": [figures.unknown for figures in judgement.ends],
        "unresolved": [figures.unresolved for figures in judgement.ends],
        "delivered": [figures.delivered for figures in reversed(judgement.ends)],
    }
    for name, numbers in rows.items():
        if any(numbers) or name not in ("unknown", "unresolved"):
            drawn.add_row(name, *(f"{number:,}" for number in numbers))
    return drawn


def _frames(judgement: Judgement) -> Table:
    drawn = table("Frames by fate", "", "a to b", "b to a")
    names = {name for counts in judgement.frames for name in counts}
    order = ("transmitted", "untouched")
    for name in [*order, *sorted(names - {*order, "received"}), "received"]:
        numbers = (f"{counts.get(name, 0):,}" for counts in judgement.frames)
        drawn.add_row(name.replace("_", " "), *numbers)
    return drawn


def _measures(judgement: Judgement, seconds: float) -> Table:
    drawn = table("Measured, in cycles", "", "median", "p99", "longest")
    spreads = {
        "submission to decision": judgement.commit_latency,
        "first beat out to decision": judgement.decision_latency,
        "in doubt, initiator": judgement.in_doubt_initiator,
        "in doubt, responder": judgement.in_doubt_responder,
    }
    for name, spread in spreads.items():
        drawn.add_row(name, *_cells(spread))
    ends = judgement.ends
    crashes = ", ".join(f"{figures.crashes + figures.amnesias}" for figures in ends)
    rate = judgement.cycles / seconds if seconds else 0
    drawn.add_section()
    drawn.add_row("cycles of the run", "", "", f"{judgement.cycles:,}")
    drawn.add_row("cycles simulated a second", "", "", f"{rate:,.0f}")
    drawn.add_row("restarts of a, b", "", "", crashes)
    drawn.add_row("steps taken in lockstep", "", "", f"{judgement.followed_steps:,}")
    drawn.add_row("frames equal, byte for byte", "", "", f"{judgement.followed_frames:,}")
    drawn.add_row("scheduled faults that struck", "", "", f"{judgement.faults_struck}")
    return drawn


def _cells(spread: Spread) -> list[str]:
    if not spread.count:
        return ["-", "-", "-"]
    return [f"{spread.median:,.0f}", f"{spread.p99:,}", f"{spread.most:,}"]


def _file(carried: CarriedFile) -> Table:
    drawn = table(f"File, {len(carried.sent):,} bytes", "", "SHA-256")
    drawn.columns[0].ratio = None
    drawn.columns[1].ratio = None
    drawn.columns[1].no_wrap = True
    drawn.add_row("went in", hashlib.sha256(carried.sent).hexdigest())
    drawn.add_row("came out", hashlib.sha256(carried.received).hexdigest())
    return drawn
