"""Writes the Wireshark dissector: the tables of link.toml, then the code of dissector.lua."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from oae.spec.loader import NOTICE, Row, Specification

CODE: Final = Path(__file__).with_name("dissector.lua")
CODES: Final = (
    "operation",
    "balance",
    "kind",
    "state",
    "link_state",
    "outcome",
    "abort_reason",
    "malformed_reason",
    "channel",
)
CONSTANTS: Final = ("ETHERTYPE", "MINIMUM_FRAME_BYTES", "LENGTH_BASE", "SYNC_RECORD_BYTES")


def dissector(specification: Specification) -> Iterator[str]:
    """`oae.lua`: one file, because that is what a user installs."""
    rows = specification.rows
    yield f"-- {NOTICE}"
    yield "-- The code below the tables is host/oae/spec/dissector.lua."
    yield ""
    for row in rows("constant"):
        if row["name"] in CONSTANTS:
            yield f"local {row['name']} = {row['value']}  -- {row['text']}"
    for table in CODES:
        names = {row["code"]: row["name"] for row in rows(table)}
        yield from _table(table.upper(), _by_code(names))
    yield from _table("REGISTER", _by_code(_registers(specification)))
    operations = rows("operation")
    yield from _table("CARRIES", _by_code({row["code"]: row["carries"] for row in operations}))
    balances = {row["code"]: specification.code("balance", row["balance"]) for row in operations}
    yield from _table("BALANCE_OF", _by_code(balances))
    places = {row["name"].lower(): _place(row) for row in rows("field")}
    yield from _table("FIELD", (f"{name} = {place}," for name, place in places.items()))
    yield from _table("SYNC_FIELDS", (f"{_place(row)}," for row in rows("sync_field")))
    yield from _table("EVIDENCE_HEAD", (f"{_place(row)}," for row in rows("evidence_head")))
    yield "-- Fields in their order after the head; a tail reaches to the packet's end."
    evidence = {row["code"]: _evidence(row) for row in rows("evidence")}
    yield from _table("EVIDENCE", (f"[{code}] = {text}," for code, text in evidence.items()))
    yield "-- What the states of an event are, and what stands in its info and value."
    events = {row["code"]: _event(row) for row in rows("event")}
    yield from _table("EVENT", (f"[0x{code:02x}] = {text}," for code, text in events.items()))
    yield ""
    yield CODE.read_text()


def _table(name: str, lines: Iterator[str]) -> Iterator[str]:
    yield f"local {name} = {{"
    yield from (f"  {line}" for line in lines)
    yield "}"


def _by_code(values: dict[int, str] | dict[int, int]) -> Iterator[str]:
    yield from (f"[{code}] = {json.dumps(value)}," for code, value in values.items())


def _record(**values: object) -> str:
    found = {name: value for name, value in values.items() if value is not None}
    return f"{{{', '.join(f'{name} = {_literal(value)}' for name, value in found.items())}}}"


def _literal(value: object) -> str:
    return value if isinstance(value, _Lua) else json.dumps(value)


class _Lua(str):
    """Text that is Lua already."""


def _place(row: Row) -> str:
    name, text = row["name"].lower(), row["text"]
    return _record(name=name, offset=row["offset"], bytes=row["bytes"], text=text)


def _evidence(row: Row) -> str:
    fields = ", ".join(_record(name=name.lower(), bytes=size) for name, size in row["fields"])
    name, text = row["name"], row["text"]
    return _record(name=name, tail=row.get("tail"), text=text, fields=_Lua(f"{{{fields}}}"))


def _event(row: Row) -> str:
    given = {key: row.get(key) for key in ("states", "info", "value")}
    return _record(name=row["name"], text=row["text"], **given)


def _registers(specification: Specification) -> dict[int, str]:
    found = {row["address"]: row["name"] for row in specification.rows("register")}
    base = next(address for address, name in found.items() if name == "COUNTERS")
    counters = {base + at: counter.name for at, counter in enumerate(specification.counters)}
    return {**found, **counters}
