"""Reads `link.toml` into plain records and checks that it does not contradict itself."""

import tomllib
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

SPECIFICATION = Path(__file__).with_name("link.toml")
NOTICE = "Generated from host/oae/spec/link.toml by `make generate`; do not edit."

Row = dict[str, Any]


class SpecificationError(ValueError):
    """`link.toml` contradicts itself; the message names the table and the row."""


@dataclass(frozen=True)
class Counter:
    """One counter: counts the events of one kind, or of one code in `info`.

    `code` is the event's code; `info` the code that must stand in info, or None for any;
    `mask` says which bits of info are compared.
    """

    name: str
    code: int
    info: int | None
    mask: int
    text: str


class Specification:
    """The tables of `link.toml`; every attribute is a list of rows in file order."""

    def __init__(self, path: Path = SPECIFICATION) -> None:
        self.tables: dict[str, Any] = tomllib.loads(path.read_text())
        self._check()

    def rows(self, table: str) -> list[Row]:
        """Rows of one table, in file order."""
        rows: list[Row] = self.tables[table]
        return rows

    def code(self, table: str, name: str) -> int:
        """Code of one named row."""
        for row in self.rows(table):
            if row["name"] == name:
                return int(row["code"])
        raise SpecificationError(f"link.toml: no {table} named {name}")

    @cached_property
    def counters(self) -> list[Counter]:
        """Every counter, in the order of the events (the order of the register map)."""
        counters = []
        for event in self.rows("event"):
            name, code = event["name"], event["code"]
            split = event.get("split")
            if split is None:
                counters.append(Counter(name, code, None, 0, event["text"]))
                continue
            mask = 0x03 if split == "outcome" else 0xFF
            for row in self._split_rows(name, split):
                counters.append(
                    Counter(
                        f"{name}_{row['name']}",
                        code,
                        row["code"],
                        mask,
                        f"{event['text']}: {row['name']}",
                    )
                )
        return counters

    def _split_rows(self, event: str, table: str) -> list[Row]:
        if table == "operation":
            return [row for row in self.rows(table) if row["carries"] != "nothing"]
        if event == "REFUSED":  # only what a responder can answer
            return [row for row in self.rows(table) if row["name"] in REFUSALS]
        return self.rows(table)

    def _check(self) -> None:
        for table, rows in self.tables.items():
            if not isinstance(rows, list):
                continue
            key = next((key for key in ("code", "address", "offset") if key in rows[0]), "name")
            seen: dict[Any, str] = {}
            for row in rows:
                if row[key] in seen:
                    raise SpecificationError(
                        f"link.toml: {table} {row['name']} and {seen[row[key]]} share {key}"
                    )
                seen[row[key]] = row["name"]
        registers = {row["name"] for row in self.rows("register")}
        for row in self.rows("board_register"):
            if row["name"] in registers:
                raise SpecificationError(f"link.toml: two registers are named {row['name']}")
        channels = {row["name"] for row in self.rows("channel")}
        for event in self.rows("event"):
            if event["channel"] not in channels:
                raise SpecificationError(f"link.toml: event {event['name']}: unknown channel")


REFUSALS = ("REFUSED", "EPOCH", "NOT_PREPARED")
