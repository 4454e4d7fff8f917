"""Exports of a result, each for another program.

export(result, "perfetto", Path("run.perfetto"), capture=path)
"""

from collections.abc import Callable
from pathlib import Path
from typing import Final

from oae.check.findings import Result, Transaction
from oae.report.mermaid import chart
from oae.report.moments import begin, placed
from oae.report.names import key, names
from oae.report.perfetto import write_perfetto
from oae.report.story import stories
from oae.report.tables import write_csv, write_lines
from oae.report.writing import ReportError, write_whole

Writer = Callable[[Result, Path, Path | None, str | None], None]


def export(
    result: Result,
    what: str,
    path: Path,
    *,
    capture: Path | None = None,
    transaction: str | None = None,
) -> None:
    """Write one of EXPORTS.

    With the capture that the result is of, Perfetto and Mermaid show every frame. Mermaid shows
    one transaction, by its name in the report (a-7): if none is named, the first with a finding,
    else the slowest.
    """
    if what not in EXPORTS:
        raise ReportError(f"{what}: exports are {', '.join(EXPORTS)}")
    EXPORTS[what](placed(result), path, capture, transaction)


def _mermaid(result: Result, path: Path, capture: Path | None, transaction: str | None) -> None:
    if not result.transactions:
        raise ReportError(f"{path}: there is no transaction to draw")
    known = {name: place for place, name in names(result.transactions).items()}
    rows = {key(row): (index, row) for index, row in enumerate(result.transactions)}
    if transaction is None:
        index, row = max(rows.values(), key=lambda pair: (pair[1].has_finding, _length(pair[1])))
    elif transaction not in known:
        raise ReportError(f"{transaction}: the result has no such transaction")
    else:
        index, row = rows[known[transaction]]
    name = names(result.transactions)[key(row)]
    write_whole(path, chart(row, stories(result, capture)[index], name).encode())


def _length(row: Transaction) -> int:
    return max(time for time, _ in row.marks.values()) - begin(row)


def _perfetto(result: Result, path: Path, capture: Path | None, _: str | None) -> None:
    write_perfetto(result, stories(result, capture), path)


EXPORTS: Final[dict[str, Writer]] = {
    "perfetto": _perfetto,
    "mermaid": _mermaid,
    "jsonl": lambda result, path, *_: write_lines(result, path),
    "csv": lambda result, path, *_: write_csv(result, path),
}
