"""Transactions and findings as tables for other programs: CSV, and JSON lines."""

import csv
import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from oae.check.findings import Finding, Mark, Result
from oae.report.names import key, names
from oae.report.writing import write_whole

_FIELDS: Final = ("end", "sessions", "id", "kind", "tag", "record_bytes", "outcome", "reason")
_FINDING_FIELDS: Final = (
    *("promise", "requirement", "certain", "absence", "packet", "time", "end"),
    *("sessions", "id", "text"),
)
Row = dict[str, Any]


def write_lines(result: Result, path: Path) -> None:
    """JSON lines: the verdict, then findings, then transactions; `type` says which."""
    rows = [
        {"type": "verdict", "verdict": result.verdict, "reason": result.reason},
        *({"type": "finding", **row} for row in _findings(result)),
        *({"type": "transaction", **row} for row in _transactions(result)),
    ]
    text = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    write_whole(path, text.encode())


def write_csv(result: Result, path: Path) -> None:
    """Two files: transactions into `path`, findings beside it, into `<name>.findings.csv`."""
    marks = [f"{name}_{what}" for name in Mark.__members__ for what in ("time", "packet")]
    rows = list(_transactions(result))
    for row in rows:
        for name, mark in row.pop("marks").items():
            row |= {f"{name}_{what}": value for what, value in mark.items()}
    findings = list(_findings(result))
    for row in findings:
        row["explained_by"] = " ".join(str(packet) for packet in row["explained_by"])
    columns = ["name", *_FIELDS, "has_finding", *marks]
    write_whole(path, _csv(columns, rows))
    found = ["transaction", "verdict", *_FINDING_FIELDS, "explained_by"]
    write_whole(path.with_name(f"{path.stem}.findings.csv"), _csv(found, findings))


def _csv(columns: list[str], rows: list[Row]) -> bytes:
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, columns, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode()


def _transactions(result: Result) -> Iterator[Row]:
    known = names(result.transactions)
    for row in result.transactions:
        yield {
            "name": known[key(row)],
            **{field: getattr(row, field) for field in _FIELDS},
            "has_finding": row.has_finding,
            "marks": {
                name: {"time": time, "packet": packet} for name, (time, packet) in row.marks.items()
            },
        }


def _findings(result: Result) -> Iterator[Row]:
    known = names(result.transactions)
    for finding in [*result.findings, *result.unknowns]:
        yield {
            "transaction": known.get(_place(finding), ""),
            "verdict": "FAIL" if finding.certain else "INCONCLUSIVE",
            **{field: getattr(finding, field) for field in _FINDING_FIELDS},
            "explained_by": list(finding.explained_by),
        }


def _place(finding: Finding) -> tuple[int, str, int]:
    return finding.end, finding.sessions, finding.id
