"""What a campaign has come to: its verdict, its figures, and what it has covered."""

import json
from collections import Counter
from pathlib import Path
from typing import Any, Final

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from oae.campaign.coverage import (
    BY_INITIATOR,
    BY_RESPONDER,
    CRASHES,
    FRAME_FAULTS,
    NONE,
    OF_LINK,
    Cell,
)
from oae.campaign.reachable import can_be_hit, grid, reachable
from oae.campaign.request import Request
from oae.campaign.store import Store
from oae.check.verdict import EXIT_CODES, Verdict

FILE: Final = "summary.json"
# The worst decides. What is broken stays broken, whatever else happened.
ORDER: Final = (Verdict.FAIL, Verdict.BENCH_ERROR, Verdict.INCONCLUSIVE, Verdict.PASS)
SHOWN: Final = 10  # runs that did not PASS


def summarise(folder: Path, request: Request, store: Store) -> dict[str, Any]:
    """Gather everything, and write `summary.json`."""
    verdicts = store.verdicts()
    missing = len(set(request.seeds) - store.seeds())
    coverage = _coverage(store)
    found = {Verdict(verdict) for verdict in verdicts}
    if missing:
        found.add(Verdict.INCONCLUSIVE)
    if coverage["impossible"]:
        found.add(Verdict.FAIL)  # link and model contradict each other, whichever is wrong
    totals = store.totals()
    told: dict[str, Any] = {
        "verdict": next(verdict for verdict in ORDER if verdict in found).value,
        "runs": {"asked": request.runs, "missing": missing, **verdicts},
        "first_seed": request.first_seed,
        "builds": list(request.builds),
        "without": list(request.without),
        "totals": totals,
        "faults": {
            **store.faults(),
            **{name: totals[name] for name in ("crashes", "amnesias", "cuts")},
        },
        "failed": [
            dict(zip(("seed", "verdict", "requirement", "reason"), row, strict=True))
            for row in store.failed()
        ],
        "coverage": coverage,
    }
    part = folder / f"{FILE}.part"
    part.write_text(json.dumps(told, indent=1) + "\n")
    part.replace(folder / FILE)
    return told


def _coverage(store: Store) -> dict[str, Any]:
    """Every cell that can be hit, and whatever else was hit; every arc likewise."""
    cells, arcs = store.cells(), store.arcs()
    possible = [cell for cell in grid() if can_be_hit(cell)]
    return {
        "grid": sum(1 for _ in grid()),
        "explored": reachable().states,
        "reachable": len(possible),
        "hit": sum(cell in cells for cell in possible),
        "impossible": [cell._asdict() for cell in sorted(set(cells) - set(possible))],
        "cells": [{**cell._asdict(), "hits": cells.get(cell, 0)} for cell in possible],
        "arcs": [
            {**arc._asdict(), "hits": arcs.get(arc, 0)}
            for arc in sorted(reachable().arcs | set(arcs))
        ],
    }


def exit_code(told: dict[str, Any]) -> int:
    """Exit code of the campaign."""
    return EXIT_CODES[Verdict(told["verdict"])]


def show(console: Console, told: dict[str, Any], folder: Path) -> None:
    """The last screen."""
    totals = told["totals"]
    console.print(_cells(told["coverage"]))
    console.print(_arcs(told["coverage"]))
    for cell in told["coverage"]["impossible"]:
        told_of_cell = f"[bold]FAIL[/] hit, though exploration cannot reach it: {Cell(**cell)}"
        console.print(told_of_cell, highlight=False, soft_wrap=True)
    for run in told["failed"][:SHOWN]:
        told_of_run = f"seed {run['seed']}: [bold]{run['verdict']}[/] {escape(run['reason'])}"
        console.print(told_of_run, highlight=False, soft_wrap=True)
    if len(told["failed"]) > SHOWN:
        console.print(f"... and {len(told['failed']) - SHOWN:,} more")
    counts = ", ".join(
        f"{told['runs'][verdict]:,} {verdict}" for verdict in ORDER if verdict in told["runs"]
    )
    if told["runs"]["missing"]:
        counts += f", {told['runs']['missing']:,} not played"
    struck = totals["frame_faults"] + sum(totals[name] for name in ("crashes", "amnesias", "cuts"))
    console.print(
        f"[bold]{told['verdict']}[/]: {counts}; {totals['transactions']:,} transactions, "
        f"{struck:,} faults, {totals['cycles']:,} cycles; {folder}",
        highlight=False,
        soft_wrap=True,
    )


def _cells(coverage: dict[str, Any]) -> Table:
    """Cells that were hit, of those that can be, by kind of fault and operation."""
    hit: Counter[tuple[str, str]] = Counter()
    possible: Counter[tuple[str, str]] = Counter()
    for cell in coverage["cells"]:
        place = cell["kind"], cell["operation"]
        possible[place] += 1
        hit[place] += cell["hits"] > 0
    operations = [operation.name for operation in (*BY_INITIATOR, *BY_RESPONDER, *OF_LINK)]
    title = (
        f"Cells hit: {coverage['hit']} of {coverage['reachable']} reachable "
        f"({coverage['grid'] - coverage['reachable']} of {coverage['grid']} are not)"
    )
    table = Table("", *FRAME_FAULTS, title=title, title_justify="left")
    for operation in operations:
        places = [(kind, operation) for kind in FRAME_FAULTS]
        table.add_row(operation, *(f"{hit[place]}/{possible[place]}" for place in places))
    crashes = (f"{kind} {hit[kind, NONE]}/{possible[kind, NONE]}" for kind in CRASHES)
    table.caption = "; ".join(crashes)
    return table


def _arcs(coverage: dict[str, Any]) -> Table:
    """How often each arc of the slots' machines was taken."""
    table = Table("machine", "from", "to", "step", "times", title="Arcs", title_justify="left")
    for arc in coverage["arcs"]:
        table.add_row(
            *(str(arc[key]) for key in ("machine", "before", "after", "step")), f"{arc['hits']:,}"
        )
    return table
