"""Reads what Yosys and nextpnr say: cells, clock rate, and the longest path in readable names."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from oae.errors import OaeError
from oae.synth.sources import END, Design

_MADE_BY_YOSYS = re.compile(r"_(?:LUT4|TRELLIS|PFUMX|L6MUX21|CCU2C|SB|DP16KD|DI|DO|WRE|CE)(?:_|\b)")
_MEMORY_CELL = re.compile(r"\.\d+\.\d+(?:_.*|\$.*)?$")


class ReportError(OaeError):
    """A tool's report does not hold what is looked for."""

    exit_code = 3


@dataclass(frozen=True)
class Size:
    """Cells of one end or board, without those of the shell around it."""

    lut: int
    ff: int
    carry: int
    distributed_ram: int
    block_ram: int
    multiplier: int


class Speed(NamedTuple):
    """One run of place and route."""

    fmax: float  # MHz
    start: str  # of the longest path
    end: str
    levels: int  # cells between the two
    logic: float  # ns
    routing: float  # ns


def _is(module: str, name: str) -> bool:
    return module.split("\\")[-1] == name


def size(statistics: Mapping[str, Any], name: str = END.module) -> Size:
    """A module's own cells, from Yosys `stat -json` on the shell that keeps it a module."""
    for module, numbers in statistics["modules"].items():
        if _is(module, name):
            cells: Mapping[str, int] = numbers["num_cells_by_type"]
            return Size(
                lut=_count(cells, "LUT4", "SB_LUT4"),
                ff=_count(cells, "TRELLIS_FF")
                + sum(n for cell, n in cells.items() if cell.startswith("SB_DFF")),
                carry=_count(cells, "CCU2C", "SB_CARRY"),
                distributed_ram=_count(cells, "TRELLIS_DPR16X4"),
                block_ram=_count(cells, "DP16KD", "SB_RAM40_4K"),
                multiplier=_count(cells, "MULT18X18D", "SB_MAC16"),
            )
    raise ReportError(f"the statistics of Yosys name no module {name}")


def _count(cells: Mapping[str, int], *types: str) -> int:
    return sum(cells.get(cell, 0) for cell in types)


def cell_names(netlist: Mapping[str, Any], design: Design = END) -> dict[str, str]:
    """Readable name of each cell of the netlist that drives a net of the sources."""
    names: dict[str, str] = {}
    for module, content in netlist["modules"].items():
        inside = _is(module, design.module)
        if not inside and module != design.shell:
            continue
        prefix = "dut." if inside else ""
        nets: dict[int, str] = {}
        for name, net in content["netnames"].items():
            if net["hide_name"] or _MADE_BY_YOSYS.search(name):
                continue
            wide = len(net["bits"]) > 1
            for index, bit in enumerate(net["bits"]):
                readable = f"{name}[{index}]" if wide else name
                if isinstance(bit, int) and (bit not in nets or len(readable) < len(nets[bit])):
                    nets[bit] = readable
        for name, cell in content["cells"].items():
            for port, bits in cell["connections"].items():
                if cell["port_directions"].get(port) == "output" and bits and bits[0] in nets:
                    names.setdefault(prefix + name, nets[bits[0]])
    return names


def readable(cell: str, names: Mapping[str, str]) -> str:
    """The register, memory or port that a cell of nextpnr stands for."""
    if cell in names:
        return names[cell]
    cell = cell.removeprefix("dut.")
    cell = _MEMORY_CELL.sub("", cell)
    made = _MADE_BY_YOSYS.search(cell)
    return cell[: made.start()] if made else cell


def speed(report: Mapping[str, Any], names: Mapping[str, str]) -> Speed:
    """Clock rate and longest path between registers, from the JSON report of nextpnr."""
    if len(report["fmax"]) != 1:
        raise ReportError(f"nextpnr names {len(report['fmax'])} clocks, not one")
    (clock, rates), *_ = report["fmax"].items()
    for path in report["critical_paths"]:
        if clock in path["from"] and clock in path["to"]:
            steps = path["path"]
            return Speed(
                fmax=round(rates["achieved"], 2),
                start=readable(steps[0]["from"]["cell"], names),
                end=readable(steps[-1]["to"]["cell"], names),
                levels=sum(step["type"] == "logic" for step in steps),
                logic=round(sum(s["delay"] for s in steps if s["type"] != "routing"), 2),
                routing=round(sum(s["delay"] for s in steps if s["type"] == "routing"), 2),
            )
    raise ReportError(f"nextpnr names no path of clock {clock}")


def load(path: Path) -> Any:
    """A JSON report, or the reason why there is none in one line."""
    try:
        return json.loads(path.read_text())
    except (OSError, ValueError) as error:
        raise ReportError(f"no report in {path.name}: {error}") from error
