"""Reads a bench file; what is wrong with it is said with line and key."""

import re
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, Final

import yaml

from oae.bench.bench import (
    ENDS,
    PTY,
    Automatic,
    Bench,
    Clocks,
    End,
    Fixture,
    Interface,
    Kind,
    Medium,
    Power,
    Serial,
    Veth,
)
from oae.bringup.port import BAUD
from oae.errors import OaeError
from oae.library import Library
from oae.medium import address
from oae.scenario.language import unknown

VERSION: Final = 1
BUILD_MOST: Final = 2**64 - 1
_FREQUENCY: Final = re.compile(r"([0-9]+(?:\.[0-9]+)?) ?(Hz|kHz|MHz)", re.IGNORECASE)
_UNITS: Final = {"hz": 1, "khz": 1_000, "mhz": 1_000_000}
# Keys that an end of a kind can have, besides kind and substitute.
KEYS: Final = {
    Kind.PYTHON: ("medium", "at_relay", "interface"),
    Kind.RTL: (),
    Kind.LIVE: ("medium", "at_relay", "interface", "serial"),
    Kind.NIC: ("medium", "at_relay", "interface"),
    Kind.BOARD: ("medium", "at_relay", "interface", "serial", "board", "build"),
}
MEDIA: Final = f"{address.GRAMMAR}, or only unix or udp"


class BenchError(OaeError):
    """A bench file is wrong; the message says in which line, at which key, and what."""


LIBRARY: Final = Library(__package__, ".yaml", BenchError)


def library() -> list[str]:
    """Names of the benches that come with the package."""
    return LIBRARY.names()


def parse(path: str | Path) -> Bench:
    """Read a bench file, or one of the library by its bare name."""
    return parse_text(*LIBRARY.read(path))


def parse_text(text: str, file: str = "bench.yaml") -> Bench:
    """Read a bench from its text; `file` is how messages call it."""
    try:
        root = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line + 1 if mark else 1
        raise BenchError(f"{file}:{line}: {error.problem or error.context}") from error
    except yaml.YAMLError as error:
        raise BenchError(f"{file}:1: {str(error).splitlines()[0]}") from error
    if root is None:
        raise BenchError(f"{file}:1: is empty; write 'version: {VERSION}' and the ends")
    return _Reader(file).bench(root)


Nodes = dict[str, yaml.Node]


class _Reader:
    def __init__(self, file: str) -> None:
        self.file = file

    def wrong(self, node: yaml.Node, key: str, problem: str) -> BenchError:
        place = f"{self.file}:{node.start_mark.line + 1}: "
        return BenchError(place + (f"{key}: " if key else "") + problem)

    def table(self, node: yaml.Node, key: str, known: Iterable[str]) -> Nodes:
        """A mapping with none but these keys, each once."""
        if not isinstance(node, yaml.MappingNode):
            raise self.wrong(node, key, "is not a mapping of keys to values")
        known = list(known)
        found: Nodes = {}
        for name, value in node.value:
            if not isinstance(name, yaml.ScalarNode) or name.value not in known:
                word = name.value if isinstance(name, yaml.ScalarNode) else "of that kind"
                raise self.wrong(name, _join(key, str(word)), unknown("key", str(word), known))
            if name.value in found:
                raise self.wrong(name, _join(key, name.value), "stands twice")
            found[name.value] = value
        return found

    def value(self, node: yaml.Node, key: str, kind: type, what: str) -> Any:
        """A plain value of one type."""
        if isinstance(node, yaml.ScalarNode):
            value = yaml.safe_load(yaml.serialize(node))
            if type(value) is kind:
                return value
            raise self.wrong(node, key, f"{node.value!r} is not {what}")
        raise self.wrong(node, key, f"is not {what}")

    def text(self, node: yaml.Node, key: str) -> str:
        if isinstance(node, yaml.ScalarNode) and node.value:
            return str(node.value)
        raise self.wrong(node, key, "is not a text")

    def flag(self, node: yaml.Node, key: str) -> bool:
        return bool(self.value(node, key, bool, "true or false"))

    def number(self, node: yaml.Node, key: str, least: int, most: int) -> int:
        what = f"a whole number from {least} to {most}"
        number = int(self.value(node, key, int, what))
        if not least <= number <= most:
            raise self.wrong(node, key, f"{number} is not {what}")
        return number

    def words(self, node: yaml.Node, key: str) -> list[str]:
        if not isinstance(node, yaml.SequenceNode):
            raise self.wrong(node, key, "is not a list")
        return [self.text(one, f"{key}[{place}]") for place, one in enumerate(node.value, 1)]

    def bench(self, root: yaml.Node) -> Bench:
        known = ("version", "text", "ends", "relay", "fixtures", "clocks")
        table = self.table(root, "", known)
        if "version" not in table:
            raise self.wrong(root, "", f"no version; write 'version: {VERSION}'")
        version = self.value(table["version"], "version", int, "a whole number")
        if version != VERSION:
            problem = f"{version} is not known; this reads {VERSION}"
            raise self.wrong(table["version"], "version", problem)
        if "ends" not in table:
            raise self.wrong(root, "", "no ends; write them under 'ends:', a and b")
        relay = "relay" in table and self.flag(table["relay"], "relay")
        bench = Bench(
            name=Path(self.file).stem,
            text=self.text(table["text"], "text").strip() if "text" in table else "",
            ends=self.ends(table["ends"]),
            relay=relay,
            fixtures=self.fixtures(table["fixtures"]) if "fixtures" in table else (),
            clocks=self.clocks(table["clocks"]) if "clocks" in table else Clocks(),
        )
        self.whole(bench, self.table(table["ends"], "ends", ENDS))
        return bench

    def ends(self, node: yaml.Node) -> tuple[End, End]:
        table = self.table(node, "ends", ENDS)
        for name in ENDS:
            if name not in table:
                raise self.wrong(node, "ends", f"no end {name}")
        a, b = (self.end(table[name], f"ends.{name}", substitutes=True) for name in ENDS)
        return a, b

    def end(self, node: yaml.Node, key: str, *, substitutes: bool) -> End:
        every = {name for keys in KEYS.values() for name in keys}
        more = ("kind", "substitute") if substitutes else ("kind",)
        table = self.table(node, key, [*sorted(every), *more])
        if "kind" not in table:
            raise self.wrong(node, key, f"no kind; one of {', '.join(Kind)}")
        kind = self.kind(table["kind"], f"{key}.kind")
        for name in table:
            if name in every and name not in KEYS[kind]:
                raise self.wrong(table[name], f"{key}.{name}", f"an end of kind {kind} has none")
        make: dict[str, Callable[[yaml.Node, str], Any]] = {
            "medium": self.medium,
            "at_relay": self.medium,
            "interface": self.interface,
            "serial": self.serial,
            "board": self.text,
            "build": lambda node, key: self.number(node, key, 0, BUILD_MOST),
        }
        values: dict[str, Any] = {
            name: read(table[name], f"{key}.{name}") for name, read in make.items() if name in table
        }
        if "substitute" in table:
            values["substitute"] = self.end(
                table["substitute"], f"{key}.substitute", substitutes=False
            )
        end = End(kind, **values)
        self.complete(end, node, key)
        return end

    def complete(self, end: End, node: yaml.Node, key: str) -> None:
        """What an end of its kind cannot do without."""
        if end.kind in (Kind.PYTHON, Kind.LIVE, Kind.NIC) and end.medium is None:
            raise self.wrong(node, key, f"no medium; one of {MEDIA}")
        if end.kind is Kind.NIC and not isinstance(end.medium, address.Packet):
            raise self.wrong(node, f"{key}.medium", "a nic is reached by packet:INTERFACE")
        if end.kind is Kind.BOARD and end.serial is None and end.medium is None:
            raise self.wrong(node, key, "a board needs serial, medium, or both")
        if end.serial is not None and (end.serial.port == PTY) != (end.kind is Kind.LIVE):
            problem = "a live end makes its own: pty" if end.kind is Kind.LIVE else "no live end"
            raise self.wrong(node, f"{key}.serial", problem)

    def kind(self, node: yaml.Node, key: str) -> Kind:
        word = self.text(node, key)
        if word not in list(Kind):
            raise self.wrong(node, key, unknown("kind", word, list(Kind)))
        return Kind(word)

    def medium(self, node: yaml.Node, key: str) -> Medium:
        word = self.text(node, key)
        if word in list(Automatic):
            return Automatic(word)
        try:
            return address.parse(word)
        except address.AddressError as error:
            raise self.wrong(node, key, str(error)) from error

    def interface(self, node: yaml.Node, key: str) -> Interface:
        table = self.table(node, key, ("mtu", "promiscuous", "offloads"))
        values: dict[str, Any] = {
            name: self.flag(table[name], f"{key}.{name}")
            for name in ("promiscuous", "offloads")
            if name in table
        }
        if "mtu" in table:
            values["mtu"] = self.number(table["mtu"], f"{key}.mtu", 68, 65_535)
        return Interface(**values)

    def serial(self, node: yaml.Node, key: str) -> Serial:
        if isinstance(node, yaml.ScalarNode):
            return Serial(self.text(node, key))
        table = self.table(node, key, ("port", "baud"))
        if "port" not in table:
            raise self.wrong(node, key, "no port: a device, a URL of pyserial, or pty")
        baud = BAUD
        if "baud" in table:
            baud = self.number(table["baud"], f"{key}.baud", 50, 12_000_000)
        return Serial(self.text(table["port"], f"{key}.port"), baud)

    def fixtures(self, node: yaml.Node) -> tuple[Fixture, ...]:
        if not isinstance(node, yaml.SequenceNode):
            raise self.wrong(node, "fixtures", "is not a list")
        return tuple(self.fixture(one, f"fixtures[{n}]") for n, one in enumerate(node.value, 1))

    def fixture(self, node: yaml.Node, key: str) -> Fixture:
        table = self.table(node, key, ("veth", "power"))
        if len(table) != 1:
            raise self.wrong(node, key, "needs exactly one of veth and power")
        if "veth" in table:
            names = self.words(table["veth"], f"{key}.veth")
            if len(names) != 2 or names[0] == names[1]:
                raise self.wrong(table["veth"], f"{key}.veth", "is not two names of interfaces")
            for name in names:
                try:
                    address.parse(f"packet:{name}")
                except address.AddressError as error:
                    raise self.wrong(table["veth"], f"{key}.veth", str(error)) from error
            return Veth((names[0], names[1]))
        power = self.table(table["power"], f"{key}.power", ("on", "off"))
        commands = {}
        for name in ("on", "off"):
            if name not in power:
                raise self.wrong(table["power"], f"{key}.power", f"no {name}: a command as a list")
            commands[name] = tuple(self.words(power[name], f"{key}.power.{name}"))
            if not commands[name]:
                raise self.wrong(power[name], f"{key}.power.{name}", "is no command")
        return Power(**commands)

    def clocks(self, node: yaml.Node) -> Clocks:
        table = self.table(node, "clocks", ("tick", "tolerance"))
        values: dict[str, Any] = {}
        if "tick" in table:
            values["tick"] = self.frequency(table["tick"], "clocks.tick")
        if "tolerance" in table:
            what = "a fraction above 0 and up to 0.5"
            tolerance = self.value(table["tolerance"], "clocks.tolerance", float, what)
            if not 0 < tolerance <= 0.5:
                problem = f"{tolerance} is not {what}"
                raise self.wrong(table["tolerance"], "clocks.tolerance", problem)
            values["tolerance"] = tolerance
        return Clocks(**values)

    def frequency(self, node: yaml.Node, key: str) -> int:
        text = self.text(node, key)
        found = _FREQUENCY.fullmatch(text if not text.isdecimal() else f"{text} Hz")
        hertz = round(float(found[1]) * _UNITS[found[2].lower()]) if found else 0
        if not 1 <= hertz < 2**32:
            raise self.wrong(node, key, f"{text!r} is no frequency such as 50 kHz")
        return hertz

    def whole(self, bench: Bench, ends: Nodes) -> None:
        """What can only be judged with everything at hand, also with the substitutes in place."""
        for name, end in bench.named_ends.items():
            for one in (end, end.substitute):
                if one is not None and one.at_relay is not None and not bench.relay:
                    raise self.wrong(ends[name], f"ends.{name}.at_relay", "this bench has no relay")
        for absent in ((), ("a",), ("b",), ("a", "b")):
            chosen = bench.with_substitutes(frozenset(absent))
            if problem := _mismatch(chosen):
                raise self.wrong(ends["b"], "ends", problem)


def _mismatch(bench: Bench) -> str | None:
    """Why the two ends cannot be joined, if they cannot."""
    a, b = bench.ends
    if (a.kind is Kind.RTL) != (b.kind is Kind.RTL):
        return "an end of kind rtl is simulated with its peer: both are rtl, or none"
    if bench.relay and a.kind is Kind.RTL:
        return "the channel between two ends of kind rtl is simulated: no relay"
    if bench.relay:
        for end in bench.ends:
            if not isinstance(end.medium, Automatic) and end.at_relay is None:
                return "with a relay, a medium that is not unix or udp needs at_relay as well"
        return None
    if Kind.BOARD in (a.kind, b.kind):
        return None  # a cable joins them
    if isinstance(a.medium, Automatic) or isinstance(b.medium, Automatic):
        return None if a.medium == b.medium else "without a relay both ends need the same medium"
    if isinstance(a.medium, address.Unix | address.Udp) and not _opposite(a.medium, b.medium):
        return f"b's medium is not the other side of {a.medium}"
    return None


def _opposite(one: address.Unix | address.Udp, other: Medium | None) -> bool:
    if not isinstance(other, address.Unix | address.Udp) or type(one) is not type(other):
        return False
    return (one.local, one.remote) == (other.remote, other.local)


def _join(key: str, name: str) -> str:
    return f"{key}.{name}" if key else name
