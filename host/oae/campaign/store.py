"""The results of a campaign: one SQLite file, which pandas and DuckDB read as well.

A run is written with all that was counted of it in one transaction, and its seed is the key: it is
there whole or not at all, and never twice, however the campaign ends.
"""

import fcntl
import json
import sqlite3
from contextlib import closing
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

from oae.campaign.coverage import Arc, Cell
from oae.campaign.tasks import Played
from oae.errors import OaeError

FILE: Final = "results.sqlite"
LOCK: Final = "lock"
_TYPES: Final = {"int": "INTEGER", "float": "REAL", "bool": "INTEGER"}
SUMMED: Final = (
    "cycles",
    "opened",
    "transactions",
    "committed",
    "delivered",
    "crashes",
    "amnesias",
    "cuts",
    "frame_faults",
    "seconds",
    "covered",
)


class Store:
    """The results, open."""

    def __init__(self, folder: Path) -> None:
        self._lock = (folder / LOCK).open("w")
        try:
            # Two campaigns in one directory would repeat each other's runs.
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise OaeError(f"{folder}: another process is at work there") from None
        try:
            self._connection = sqlite3.connect(folder / FILE)
            # Whoever reads does not disturb us, and a kill at any time leaves whole transactions.
            self._connection.execute("PRAGMA journal_mode = WAL")
            self._connection.execute("PRAGMA synchronous = NORMAL")
            with self._connection:
                self._create()
        except sqlite3.DatabaseError as error:
            raise OaeError(f"{folder / FILE}: {error}") from error

    def _create(self) -> None:
        fields = Played.__annotations__
        columns = [
            f"{name} {_TYPES.get(fields[name].__name__, 'TEXT')}" for name in columns_of_run()
        ]
        columns[0] += " PRIMARY KEY"
        self._connection.execute(f"CREATE TABLE IF NOT EXISTS runs ({', '.join(columns)})")
        for table, kind in (("cells", Cell), ("arcs", Arc)):
            # `before` and `after` have a meaning of their own in SQL.
            names = ", ".join(f'"{name}"' for name in kind._fields)
            self._connection.execute(
                f"CREATE TABLE IF NOT EXISTS {table} "
                f"({names}, hits INTEGER, PRIMARY KEY ({names})) WITHOUT ROWID"
            )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._connection.close()
        self._lock.close()

    def add(self, played: Played) -> None:
        """Keep a run."""
        row = {
            name: json.dumps(value) if isinstance(value, dict) else value
            for name, value in played.row().items()
        }
        with self._connection:
            self._insert("runs", list(row), list(row.values()))
            for table, found in (("cells", played.counts.cells), ("arcs", played.counts.arcs)):
                for place, hits in found.items():
                    names = [f'"{name}"' for name in place._fields]
                    more = "DO UPDATE SET hits = hits + excluded.hits"
                    conflict = f" ON CONFLICT ({', '.join(names)}) {more}"
                    self._insert(table, [*names, "hits"], [*place, hits], conflict)

    def _insert(self, table: str, names: list[str], values: list[Any], conflict: str = "") -> None:
        places = ", ".join("?" * len(names))
        self._connection.execute(
            f"INSERT INTO {table} ({', '.join(names)}) VALUES ({places}){conflict}", values
        )

    def _rows(self, query: str, *values: Any) -> list[Any]:
        with closing(self._connection.execute(query, values)) as cursor:
            return cursor.fetchall()

    def seeds(self) -> set[int]:
        """Runs that are there."""
        return {seed for (seed,) in self._rows("SELECT seed FROM runs")}

    def totals(self) -> dict[str, float]:
        """Sums over all runs."""
        sums = ", ".join(f"COALESCE(SUM({name}), 0)" for name in SUMMED)
        (row,) = self._rows(f"SELECT {sums} FROM runs")
        return dict(zip(SUMMED, row, strict=True))

    def verdicts(self) -> dict[str, int]:
        """How many runs have each verdict."""
        return dict(self._rows("SELECT verdict, COUNT(*) FROM runs GROUP BY verdict"))

    def faults(self) -> dict[str, int]:
        """Frames struck, by kind of fault."""
        query = "SELECT key, SUM(value) FROM runs, json_each(runs.faults) GROUP BY key"
        return dict(self._rows(query))

    def failed(self) -> list[tuple[int, str, str, str]]:
        """Seed, verdict, requirement and reason of every run that does not PASS."""
        query = "SELECT seed, verdict, requirement, reason FROM runs WHERE verdict != 'PASS'"
        return [tuple(row) for row in self._rows(f"{query} ORDER BY seed")]

    def sha256(self, seed: int) -> str:
        """Event-log hash of a run."""
        ((found,),) = self._rows("SELECT sha256 FROM runs WHERE seed = ?", seed)
        return str(found)

    def cells(self) -> dict[Cell, int]:
        """How often each cell of the grid was hit."""
        return {Cell(*place): hits for *place, hits in self._rows("SELECT * FROM cells")}

    def arcs(self) -> dict[Arc, int]:
        """How often each arc was taken."""
        return {Arc(*place): hits for *place, hits in self._rows("SELECT * FROM arcs")}


def columns_of_run() -> list[str]:
    """Columns of the table `runs`, the seed first."""
    return [name for name in Played.__annotations__ if name != "counts"]
