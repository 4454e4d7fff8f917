"""Every state element of an end, found in the Verilog: what a clocked block assigns to is state.

Verilator elaborates `oae_end` with the parameters and macros of a build, without what is there for
simulation only, and its syntax tree says the rest. So the list cannot miss what is added to the
RTL, and the names are those by which a simulation reaches the elements.
"""

import json
import subprocess
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any, Final, NamedTuple

from oae.errors import OaeError
from oae.scenario.language import unknown
from oae.scenario.scenario import ENDS, Scenario
from oae.synth.sources import INCLUDE, ROOT, source_list
from oae.toolchain import environment

TOP: Final = "oae_end"
FILE_LISTS: Final = (Path("hdl/rtl.f"), Path("hdl/fito/fito.f"))
# Parameters of the pair that are those of an end; those of one end have its letter behind them.
OF_AN_END: Final = ("WINDOW", "RECORD_MAX")
OF_BOTH: Final = ("BEAT_IDLE", "BEAT_BUSY", "FAULT_BEATS", "SYNC_INTERVAL")

Node = dict[str, Any]


class Element(NamedTuple):
    """A register or a memory of an end."""

    name: str  # from the end downwards, as an upset has it
    module: str
    width: int
    words: int | None  # of a memory

    @property
    def bits(self) -> int:
        """How many bits of state it is."""
        return self.width * (self.words or 1)

    def place(self, number: int) -> tuple[int | None, int]:
        """Word and bit of its bit of this number."""
        word, bit = divmod(number, self.width)
        return (None if self.words is None else word), bit


def elements(values: Mapping[str, int], end: int, defines: Sequence[str] = ()) -> list[Element]:
    """The state of an end of a pair with these Verilog parameters and macros, by name."""
    own = {name: values[f"{name}_{ENDS[end].upper()}"] for name in OF_AN_END}
    own |= {name: values[name] for name in OF_BOTH}
    return list(_elaborated(tuple(sorted(own.items())), tuple(sorted(defines))))


def check_upsets(scenario: Scenario, values: Mapping[str, int], defines: Sequence[str]) -> None:
    """Raise OaeError for the first upset of a bit that the end does not have."""
    known = [
        {element.name: element for element in elements(values, end, defines)}
        for end in range(len(ENDS))
        if scenario.upsets
    ]
    for upset in scenario.upsets:
        where = f"{scenario.name}: {str(upset)!r}"
        element = known[upset.end].get(upset.element)
        if element is None:
            problem = unknown("state element", upset.element, known[upset.end])
            raise OaeError(f"{where}: {problem}")
        if (upset.word is None) != (element.words is None):
            kind = "register: it has no words" if element.words is None else "memory: which word?"
            raise OaeError(f"{where}: {element.name} is a {kind}")
        if element.words is not None and (upset.word or 0) >= element.words:
            raise OaeError(f"{where}: {element.name} has the words 0 to {element.words - 1}")
        if upset.bit >= element.width:
            raise OaeError(f"{where}: {element.name} has the bits 0 to {element.width - 1}")


def reaching(folder: Path, values: Mapping[str, int], defines: Sequence[str]) -> list[str]:
    """Options of Verilator for a pair whose elements hdl/compiled/upsets.h reaches by name."""
    both = (one for end in range(len(ENDS)) for one in elements(values, end, defines))
    reached = sorted({(one.module, one.name.split(".")[-1]) for one in both})
    lines = ["`verilator_config", 'public_flat_rd -module "oae_link_pair_top" -var "cycle"']
    lines += [f'public_flat_rw -module "{name}" -var "{variable}"' for name, variable in reached]
    configuration = folder / "upsets.vlt"
    configuration.write_text("\n".join(lines) + "\n")
    return ["--vpi", "-CFLAGS", "-DOAE_UPSETS=1", configuration.name]


@cache
def _elaborated(
    values: tuple[tuple[str, int], ...], defines: tuple[str, ...]
) -> tuple[Element, ...]:
    with tempfile.TemporaryDirectory() as folder:
        command = ["verilator", "--json-only", "--quiet", "-Wno-fatal", "--Mdir", folder]
        command += ["--top-module", TOP, f"-I{INCLUDE}", *(f"-D{name}" for name in defines)]
        command += [f"-G{name}={value}" for name, value in values]
        command += [str(path) for name in FILE_LISTS for path in source_list(name=name)]
        done = subprocess.run(
            command, cwd=ROOT, env=environment("verilator"), capture_output=True, text=True
        )
        if done.returncode:
            raise OaeError(
                f"the end cannot be elaborated: {(done.stderr.splitlines() or ['?'])[0]}"
            )
        tree = json.loads((Path(folder) / f"V{TOP}.tree.json").read_text())
    return tuple(sorted(_Tree(tree).elements()))


class _Tree:
    """The syntax tree of an elaborated design."""

    def __init__(self, tree: Node) -> None:
        self._at = {node["addr"]: node for node in _nodes(tree)}
        self._top = next(node for node in tree["modulesp"] if node["name"] == TOP)

    def elements(self) -> Iterator[Element]:
        """Every element of the top and of everything in it."""
        yield from self._inside(self._top, self._top["origName"], "")

    def _inside(self, scope: Node, module: str, before: str) -> Iterator[Element]:
        """Of a module or of a block that was generated in it."""
        variables: dict[str, Node] = {}
        for node in _nodes(scope, within=("GENBLOCK", "CELL")):
            match node["type"]:
                case "ASSIGNDLY":
                    variable = self._assigned(node["lhsp"][0])
                    variables[variable["name"]] = variable
                case "GENBLOCK" if node is not scope:
                    yield from self._inside(node, module, f"{before}{node['name']}.")
                case "CELL":
                    inner = self._at[node["modp"]]
                    yield from self._inside(inner, inner["origName"], f"{before}{node['name']}.")
        for name, variable in variables.items():
            yield Element(f"{before}{name}", module, *self._shape(variable["dtypep"]))

    def _assigned(self, target: Node) -> Node:
        """The variable of which a part is assigned to."""
        while target["type"] != "VARREF":
            target = target["fromp"][0]
        return self._at[target["varp"]]

    def _shape(self, address: str) -> tuple[int, int | None]:
        """Width and number of words."""
        kind = self._at[address]
        if kind["type"] == "UNPACKARRAYDTYPE":
            return self._shape(kind["refDTypep"])[0], _count(kind["declRange"].strip("[]"))
        return _count(kind.get("range", "0:0")), None


def _nodes(tree: Any, within: Iterable[str] = ()) -> Iterator[Node]:
    """Every node of a tree; of a node of these types below the root, not what is in it."""
    waiting: list[Any] = [tree]
    while waiting:
        item = waiting.pop()
        if isinstance(item, list):
            waiting += item
        elif isinstance(item, dict):
            if "type" in item:
                yield item
                if item is not tree and item["type"] in within:
                    continue
            waiting += [value for value in item.values() if isinstance(value, dict | list)]


def _count(bounds: str) -> int:
    first, last = map(int, bounds.split(":"))
    return abs(first - last) + 1
