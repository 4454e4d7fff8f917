"""Reads a scenario file; what is wrong with it is said with line and key."""

import re
import tomllib
from collections.abc import Iterable
from dataclasses import fields, replace
from pathlib import Path
from typing import Any, Final, TypeVar

from oae.errors import OaeError
from oae.library import Library
from oae.scenario import language
from oae.scenario.fates import NamedFate, parse_fate
from oae.scenario.language import Condition, Duration
from oae.scenario.layout import RuleKind
from oae.scenario.scenario import (
    DIRECTIONS,
    ENDS,
    End,
    Expect,
    Host,
    Limits,
    Link,
    Load,
    Rates,
    Record,
    Scenario,
    ScheduledFault,
    checks,
)
from oae.scenario.upsets import Upset, parse_upset
from oae.spec.constants import Kind as RecordKind

VERSION: Final = 1
BOTH: Final = "both"
SEED_MOST: Final = 2**32 - 1

Path_ = tuple[str | int, ...]
Table = TypeVar("Table")

_HEADER: Final = re.compile(r"\s*(\[\[?)\s*([^\]]+?)\s*\]\]?\s*(#.*)?$")
_KEY: Final = re.compile(r"\s*([A-Za-z0-9_\-\"'>.]+)\s*=")
_PART: Final = re.compile(r"\"([^\"]*)\"|'([^']*)'|([A-Za-z0-9_-]+)")


class ScenarioError(OaeError):
    """A scenario is wrong; the message says in which line, at which key, and what."""


LIBRARY: Final = Library(__package__, ".toml", ScenarioError)


def library() -> list[str]:
    """Names of the scenarios that come with the package."""
    return LIBRARY.names()


def parse(path: str | Path) -> Scenario:
    """Read a scenario file, or one of the library by its bare name."""
    return parse_text(*LIBRARY.read(path))


def parse_text(text: str, file: str = "scenario.toml") -> Scenario:
    """Read a scenario from its text; `file` is how messages call it."""
    try:
        tables = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        found = re.search(r" \(at line (\d+), column \d+\)", str(error))
        line = found[1] if found else str(text.count("\n") + 1)
        raise ScenarioError(f"{file}:{line}: {str(error).split(' (at ')[0]}") from error
    scenario = _Reader(file, locate(text)).scenario(tables)
    return replace(scenario, source=text)


def locate(text: str) -> dict[Path_, int]:
    """The line of each table and key: ("fault", 2, "when") -> 12."""
    lines: dict[Path_, int] = {(): 1}
    counts: dict[Path_, int] = {}
    table: Path_ = ()
    for number, line in enumerate(text.splitlines(), 1):
        if header := _HEADER.match(line):
            table = ()
            parts = _parts(header[2])
            for position, part in enumerate(parts):
                table = (*table, part)
                last = position == len(parts) - 1
                if last and header[1] == "[[":
                    counts[table] = counts.get(table, -1) + 1
                if table in counts:
                    table = (*table, counts[table])
                lines.setdefault(table, number)
        elif key := _KEY.match(line):
            lines.setdefault((*table, *_parts(key[1])), number)
    return lines


def _parts(dotted: str) -> list[str]:
    return [next(group for group in found.groups() if group) for found in _PART.finditer(dotted)]


class _Reader:
    def __init__(self, file: str, lines: dict[Path_, int]) -> None:
        self.file = file
        self.lines = lines

    def wrong(self, where: Path_, problem: str) -> ScenarioError:
        place = where
        while place not in self.lines:
            place = place[:-1]
        key = "".join(f"[{part + 1}]" if isinstance(part, int) else f".{part}" for part in where)
        key = f"{key.lstrip('.')}: " if key else ""
        return ScenarioError(f"{self.file}:{self.lines[place]}: {key}{problem}")

    def scenario(self, tables: dict[str, Any]) -> Scenario:
        known = ("version", "text", "seed", "link", "end", "load", "host", "rates", "fault")
        self.known((), tables, (*known, "fates", "upsets", "limits", "expect"))
        if "version" not in tables:
            raise self.wrong((), f"no version; write 'version = {VERSION}'")
        if type(tables["version"]) is not int or tables["version"] != VERSION:
            raise self.wrong(
                ("version",), f"{tables['version']!r} is not known; this reads {VERSION}"
            )
        seed = tables.get("seed", 1)
        if not isinstance(seed, int) or isinstance(seed, bool) or not 0 <= seed <= SEED_MOST:
            raise self.wrong(("seed",), f"{seed!r} is not a whole number from 0 to {SEED_MOST}")
        text = tables.get("text", "")
        if not isinstance(text, str):
            raise self.wrong(("text",), f"{text!r} is not a text")
        scenario = Scenario(
            version=VERSION,
            name=Path(self.file).stem,
            text=text,
            seed=seed,
            link=self.table(Link, ("link",), tables.get("link", {})),
            ends=self.each(End, "end", tables, ENDS),
            loads=self.each(Load, "load", tables, ENDS),
            hosts=self.each(Host, "host", tables, ENDS),
            rates=self.each(Rates, "rates", tables, DIRECTIONS),
            faults=self.faults(tables.get("fault", [])),
            fates=self.fates(tables.get("fates", [])),
            upsets=self.upsets(tables.get("upsets", [])),
            limits=self.table(Limits, ("limits",), tables.get("limits", {})),
            expect=self.table(Expect, ("expect",), tables.get("expect", {})),
        )
        self.whole(scenario)
        return scenario

    def whole(self, scenario: Scenario) -> None:
        """What can only be judged with everything at hand."""
        link = scenario.link
        if link.beat_busy > link.beat_idle:
            raise self.wrong(("link", "beat_busy"), "greater than beat_idle")
        patience = link.fault_beats * link.beat_busy
        latency = sum(rates.latency for rates in scenario.rates)
        if link.beats and latency >= patience:
            problem = (
                f"fault_beats x beat_busy is {patience} cycles, and the round trip takes at least "
                f"{latency}: every answer would find the link in FAULT"
            )
            raise self.wrong(("link", "fault_beats"), problem)
        for end, load in zip(ENDS, scenario.loads, strict=True):
            if load.file and scenario.negotiated_record_max <= 8:
                raise self.wrong(
                    ("load", end, "file"), "records of 8 bytes have no room for a file"
                )
            if load.file and (load.records or load.record):
                key = "records" if load.records else "record"
                problem = "a load that carries the file has no other records"
                raise self.wrong(("load", end, key), problem)

    def known(self, where: Path_, table: object, keys: Iterable[str]) -> None:
        if not isinstance(table, dict):
            raise self.wrong(where, "is not a table")
        keys = list(keys)
        for key in table:
            if key not in keys:
                raise self.wrong((*where, key), language.unknown("key", key, keys))

    def table(self, kind: type[Table], where: Path_, table: Any, **more: Any) -> Table:
        """One table of plain keys."""
        plain = checks(kind)
        self.known(where, table, [*plain, *more])
        values = dict(more)
        for key, value in table.items():
            if key in plain:
                try:
                    values[key] = plain[key](value)
                except ValueError as error:
                    raise self.wrong((*where, key), str(error)) from error
        return kind(**values)

    def each(
        self, kind: type[Table], name: str, tables: dict[str, Any], parts: tuple[str, ...]
    ) -> tuple[Table, ...]:
        """One table for each end or direction; what stands under `both` holds for all."""
        group = tables.get(name, {})
        self.known((name,), group, (*parts, BOTH))
        common = group.get(BOTH, {})
        for part in (BOTH, *parts):
            self.one(kind, (name, part), group.get(part, {}))
        found = []
        for part in parts:
            own = group.get(part, {})
            found.append(self.one(kind, (name, part), {**common, **own}))
        return tuple(found)

    def one(self, kind: type[Table], where: Path_, table: Any) -> Table:
        if kind is not Load:
            return self.table(kind, where, table)
        self.known(where, table, [item.name for item in fields(Load)])
        records = self.records((*where, "record"), table.get("record", []))
        return self.table(kind, where, table, record=records)

    def records(self, where: Path_, tables: Any) -> tuple[Record, ...]:
        if not isinstance(tables, list):
            raise self.wrong(where, "is not a list of tables")
        return tuple(self.record((*where, i), table) for i, table in enumerate(tables))

    def record(self, where: Path_, table: Any) -> Record:
        self.known(where, table, ("hex", "text", "size", "advance"))
        match table:
            case {"hex": str(digits), **rest} if not rest:
                try:
                    return self.filled(where, bytes.fromhex(digits))
                except ValueError:
                    raise self.wrong((*where, "hex"), f"{digits!r} is not hex") from None
            case {"text": str(text), **rest} if not rest:
                return self.filled(where, text.encode())
            case {"size": int(size), **rest} if not rest and 1 <= size <= 2000 and size is not True:
                return Record(bytes(i & 0xFF for i in range(size)))
            case {"advance": epoch, **rest} if (
                not rest and type(epoch) is int and 0 <= epoch < 2**32
            ):
                return Record(epoch.to_bytes(4, "big"), RecordKind.EPOCH_ADVANCE)
        raise self.wrong(where, "needs exactly one of hex, text, size (1 to 2000) and advance")

    def filled(self, where: Path_, data: bytes) -> Record:
        if not 1 <= len(data) <= 2000:
            raise self.wrong(where, f"a record of {len(data)} bytes; 1 to 2000 are possible")
        return Record(data)

    def faults(self, tables: Any) -> tuple[ScheduledFault, ...]:
        if not isinstance(tables, list):
            raise self.wrong(("fault",), "write [[fault]]")
        found = [self.fault(("fault", i), table) for i, table in enumerate(tables)]
        names: set[str] = set()
        for i, fault in enumerate(found):
            if fault.name and fault.name in names:
                raise self.wrong(("fault", i, "name"), f"{fault.name!r} stands twice")
            names.add(fault.name)
        for i, fault in enumerate(found):
            if fault.armed_by and fault.armed_by not in names:
                problem = language.unknown("fault named", fault.armed_by, names - {""})
                raise self.wrong(("fault", i, "armed_by"), problem)
        return tuple(found)

    def fates(self, lines: Any) -> tuple[NamedFate, ...]:
        if not isinstance(lines, list):
            raise self.wrong(("fates",), "is not a list")
        found: dict[tuple[int, ...], NamedFate] = {}
        for i, words in enumerate(lines):
            fate = self.said(("fates",), i, words, parse_fate)
            if fate[:4] in found:
                raise self.wrong(("fates", i), f"{str(fate).split(':')[0]} stands twice")
            found[fate[:4]] = fate
        return tuple(sorted(found.values()))

    def upsets(self, lines: Any) -> tuple[Upset, ...]:
        if not isinstance(lines, list):
            raise self.wrong(("upsets",), "is not a list")
        found = [self.said(("upsets",), i, words, parse_upset) for i, words in enumerate(lines)]
        for i, upset in enumerate(found):
            if upset in found[:i]:
                raise self.wrong(("upsets", i), f"{str(upset)!r} stands twice")
        return tuple(sorted(found, key=lambda upset: upset.cycle))

    def fault(self, where: Path_, table: Any) -> ScheduledFault:
        keys = ("when", "do", "for", "until", "after", "times", "chance", "at", "name", "armed_by")
        self.known(where, table, keys)
        for key in ("when", "do"):
            if key not in table:
                raise self.wrong(where, f"no {key}")
        when = self.said(where, "when", table["when"], language.parse_condition)
        do = self.said(where, "do", table["do"], language.parse_action)
        after = 0
        if "after" in table:
            after = self.said(where, "after", table["after"], language.parse_duration).cycles
        until = self.until(where, table)
        if until and do.undo is None:
            raise self.wrong((*where, "do"), f"{table['do']!r} cannot be undone")
        if do.on_frame and (when.kind is not RuleKind.FRAME or after):
            raise self.wrong(
                (*where, "do"), f"{table['do']!r} needs a frame condition, and no after"
            )
        at = self.at(where, table, when)
        times = table.get("times", 1)
        if times == "always":
            times = 0
        elif not isinstance(times, int) or isinstance(times, bool) or not 1 <= times <= 0xFFFF:
            raise self.wrong((*where, "times"), f'{times!r} is not 1 to 65535 or "always"')
        chance = table.get("chance", 1)
        if isinstance(chance, bool) or not isinstance(chance, int | float) or not 0 < chance <= 1:
            raise self.wrong((*where, "chance"), f"{chance!r} is not a chance above 0 and up to 1")
        for key in ("name", "armed_by"):
            if not isinstance(table.get(key, ""), str):
                raise self.wrong((*where, key), "is not a text")
        return ScheduledFault(
            when=when,
            do=do,
            until=until,
            after=after,
            times=times,
            at=at,
            chance=float(chance),
            name=table.get("name", ""),
            armed_by=table.get("armed_by", ""),
        )

    def at(self, where: Path_, table: dict[str, Any], when: Condition) -> tuple[int, ...]:
        if "at" not in table:
            return ()
        at = table["at"]
        if (
            not isinstance(at, list)
            or not at
            or not all(type(nth) is int and 1 <= nth <= 0xFFFF for nth in at)
            or sorted(set(at)) != at
        ):
            raise self.wrong((*where, "at"), f"{at!r} is no rising list of numbers from 1 to 65535")
        if when.nth != 1 or when is language.START or "times" in table or "chance" in table:
            raise self.wrong((*where, "at"), "goes with no times, no chance, no # and no start")
        return tuple(at)

    def until(self, where: Path_, table: dict[str, Any]) -> tuple[Condition | Duration, ...]:
        found: list[Condition | Duration] = []
        if "for" in table:
            found.append(self.said(where, "for", table["for"], language.parse_duration))
        words = table.get("until", [])
        for item in words if isinstance(words, list) else [words]:
            found.append(self.said(where, "until", item, language.parse_until))
            if found[-1] is language.START:
                raise self.wrong((*where, "until"), "'start' comes before anything can be undone")
        return tuple(found)

    def said(self, where: Path_, key: str | int, words: Any, parse: Any) -> Any:
        if not isinstance(words, str):
            raise self.wrong((*where, key), f"{words!r} is not a text")
        try:
            return parse(words)
        except ValueError as error:
            raise self.wrong((*where, key), str(error)) from error
