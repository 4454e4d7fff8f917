"""A row on the terminal, and a row for machines."""

from collections.abc import Sequence
from typing import Any, Final

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from oae.epoch.claim import Claim, Standing
from oae.epoch.report.rows import Row

COLOURS: Final = {
    Standing.HOLDS: "green",
    Standing.HOLDS_UNDER: "cyan",
    Standing.DOES_NOT_HOLD: "red",
    Standing.NOT_DECIDABLE: "yellow",
}


def show_claims(console: Console, claims: Sequence[Claim]) -> None:
    """One line a claim."""
    table = Table(box=SIMPLE_HEAD)
    table.add_column("claim", no_wrap=True)
    table.add_column("what is tested")
    for claim in claims:
        table.add_row(claim.name, Text(claim.statement))
    console.print(table)


def show_summary(console: Console, rows: Sequence[Row]) -> None:
    """One line a row."""
    table = Table(box=SIMPLE_HEAD)
    for name in ("claim", "verdict"):
        table.add_column(name, no_wrap=True)
    table.add_column("figure")
    table.add_column("seconds", justify="right")
    for row in rows:
        table.add_row(row.claim.name, _verdict(row), Text(_figure(row)), f"{row.seconds:.1f}")
    console.print(table)
    _show_surprises(console, rows)


def show_row(console: Console, row: Row) -> None:
    """All that a row says, without its plots."""
    claim, finding = row.claim, row.finding
    console.print(Text(claim.quote, style="italic"))
    console.print()
    for name, told in (("tested", claim.statement), ("experiment", claim.experiment)):
        console.print(Text(f"{name}: {told}"))
    for assumption in claim.assumptions:
        console.print(Text(f"assumption: {assumption}"))
    console.print()
    console.print(_verdict(row), Text(_figure(row)))
    if finding is None:
        return
    for paragraph in finding.text:
        console.print()
        console.print(Text(paragraph))
    for one in finding.tables:
        table = Table(title=Text(one.caption), title_justify="left", box=SIMPLE_HEAD)
        for name in one.head:
            table.add_column(Text(name), overflow="fold")
        for cells in one.rows:
            table.add_row(*map(Text, cells))
        console.print(table)
    _show_surprises(console, [row])


def as_json(row: Row) -> dict[str, Any]:
    """The same for machines; plots stay in the report."""
    claim, finding = row.claim, row.finding
    told: dict[str, Any] = {
        **describe(claim),
        "command": row.command,
        "seconds": round(row.seconds, 1),
        "as_recorded": row.error is None and not row.surprise,
    }
    if finding is None:
        return {**told, "error": str(row.error)}
    tables = [
        {"caption": one.caption, "head": one.head, "rows": one.rows} for one in finding.tables
    ]
    return {
        **told,
        "standing": finding.standing,
        "figure": finding.figure,
        "text": finding.text,
        "tables": tables,
        "data": finding.data,
    }


def describe(claim: Claim) -> dict[str, Any]:
    """What a claim is, before it is run."""
    return {
        "name": claim.name,
        "quote": claim.quote,
        "statement": claim.statement,
        "assumptions": claim.assumptions,
        "experiment": claim.experiment,
    }


def _verdict(row: Row) -> Text:
    if row.finding is None:
        return Text("not run", style="magenta")
    return Text(row.finding.standing, style=COLOURS[row.finding.standing])


def _figure(row: Row) -> str:
    return str(row.error) if row.finding is None else row.finding.figure


def _show_surprises(console: Console, rows: Sequence[Row]) -> None:
    for row in rows:
        if row.surprise:
            console.print(Text(f"{row.claim.name} {row.surprise}", style="red"))
