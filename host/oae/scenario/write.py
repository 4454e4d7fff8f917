"""A scenario as the text of a scenario file; reading the text gives the same scenario again.

What has its default value is left out.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import fields
from typing import Any

from oae.scenario.language import Duration
from oae.scenario.scenario import (
    DIRECTIONS,
    ENDS,
    Expect,
    Limits,
    Link,
    Record,
    Scenario,
    ScheduledFault,
)
from oae.spec.constants import Kind, Operation


def write_scenario(scenario: Scenario, comment: str = "") -> str:
    """The text; every line of the comment stands before it behind a `#`."""
    lines = [f"# {line}".rstrip() for line in comment.splitlines()]
    lines.append(f"version = {scenario.version}")
    if scenario.text:
        lines.append(f"text = {_value(scenario.text)}")
    lines.append(f"seed = {scenario.seed}")
    lines += _list("fates", scenario.fates)
    lines += _list("upsets", scenario.upsets)
    lines += _table("link", scenario.link, Link())
    for name, tables, parts in (
        ("end", scenario.ends, ENDS),
        ("load", scenario.loads, ENDS),
        ("host", scenario.hosts, ENDS),
        ("rates", scenario.rates, DIRECTIONS),
    ):
        lines += _tables(name, tables, parts)
    for fault in scenario.faults:
        lines += _fault(fault)
    lines += _table("limits", scenario.limits, Limits())
    lines += _table("expect", scenario.expect, Expect())
    return "\n".join(lines) + "\n"


def _list(name: str, items: Sequence[object]) -> Iterator[str]:
    if items:
        yield from (f"{name} = [", *(f"    {_value(str(item))}," for item in items), "]")


def _tables(name: str, tables: Sequence[Any], parts: Sequence[str]) -> Iterator[str]:
    """One table for both if they are equal."""
    first, second = tables
    default = type(first)()
    if first == second:
        yield from _table(f"{name}.both", first, default)
    else:
        for part, table in zip(parts, tables, strict=True):
            key = part if part.isalnum() else json.dumps(part)
            yield from _table(f"{name}.{key}", table, default)


def _table(name: str, table: Any, default: Any) -> Iterator[str]:
    """The keys of a table that say something, under its name."""
    lines = []
    records: tuple[Record, ...] = ()
    for item in fields(table):
        value = getattr(table, item.name)
        if item.name == "record":
            records = value
        elif value != getattr(default, item.name):
            lines.append(f"{item.name} = {_value(value)}")
    if lines:
        yield from ("", f"[{name}]", *lines)
    for record in records:
        yield from ("", f"[[{name}.record]]", _record(record))


def _record(record: Record) -> str:
    if record.kind is Kind.EPOCH_ADVANCE:
        return f"advance = {int.from_bytes(record.data, 'big')}"
    return f'hex = "{record.data.hex()}"'


def _fault(fault: ScheduledFault) -> Iterator[str]:
    yield from ("", "[[fault]]")
    for key in ("name", "armed_by"):
        if getattr(fault, key):
            yield f"{key} = {_value(getattr(fault, key))}"
    yield f"when = {_value(fault.when.words)}"
    yield f"do = {_value(fault.do.words)}"
    if fault.after:
        yield f"after = {_value(Duration(fault.after).words)}"
    match fault.until:
        case ():
            pass
        case (Duration() as duration,):
            yield f"for = {_value(duration.words)}"
        case ends:
            yield f"until = {_value([end.words for end in ends])}"
    if fault.at:
        yield f"at = {_value(fault.at)}"
    if fault.times != 1:
        yield f"times = {_value(fault.times or 'always')}"
    if fault.chance != 1:
        yield f"chance = {_value(fault.chance)}"


def _value(value: Any) -> str:
    match value:
        case str():
            return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
        case bool() | int() | float():
            return json.dumps(value)
        case frozenset():
            return _value([Operation(operation).name for operation in sorted(value)])
    return "[" + ", ".join(map(_value, value)) + "]"
