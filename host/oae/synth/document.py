"""Writes docs/synthesis.md from the committed results."""

from collections.abc import Iterator, Sequence

from oae.synth.baseline import FMAX_GOAL, TOLERANCE, Result
from oae.synth.flow import DEVICES, FREQUENCY
from oae.synth.sources import BOARD, END

HEAD = f"""\
# Size and speed

Written by `python -m oae.synth`; do not edit. One end (`hdl/rtl/oae_end.v`), and one board
(`hdl/board/oae_board.v`: an end with its registers, traffic generator, trace buffer), with WINDOW 8
and records of up to 64 bytes, synthesized by Yosys, placed and routed by nextpnr at
{FREQUENCY} MHz. The numbers are each design's own: the shell that gives it a few pins (in
`hdl/synth/`) stays a module of its own in the netlist and is not counted. All paths are between
registers.

`make synth` measures the end again, `make synth-board` the board; either fails if LUTs, flip-flops,
block RAM or the worst Fmax are more than {TOLERANCE:.0%} worse than here, or if Fmax on the ECP5 is
under {END.required:g} MHz (end) or {BOARD.required:g} MHz (board). The goal is {FMAX_GOAL:.0f} MHz.
What is meant to change is written with `scripts/with-tools python -m oae.synth --update` (and
`--board` for the board).
"""


def document(results: Sequence[Result]) -> str:
    """The whole document."""
    return "\n".join([HEAD, *sizes(results), "", *speeds(results), "", *versions(results), ""])


def sizes(results: Sequence[Result]) -> Iterator[str]:
    """Table of cells."""
    yield "| design | device | LUT4 | FF | carry | distributed RAM | block RAM | multipliers |"
    yield "|---|---|---:|---:|---:|---:|---:|---:|"
    for result in results:
        size = result.size
        yield (
            f"| {result.design} | {DEVICES[result.device].part} "
            f"| {size.lut} | {size.ff} | {size.carry} "
            f"| {size.distributed_ram} | {size.block_ram} | {size.multiplier} |"
        )
    yield ""
    yield "Carry: CCU2C (two bits each) or SB_CARRY; distributed RAM: TRELLIS_DPR16X4; block RAM:"
    yield "DP16KD or SB_RAM40_4K."


def speeds(results: Sequence[Result]) -> Iterator[str]:
    """Table of clock rates, one row a seed, with the longest path."""
    yield "| design | device | seed | Fmax (MHz) | from | to | levels | logic (ns) | routing (ns) |"
    yield "|---|---|---:|---:|---|---|---:|---:|---:|"
    for result in results:
        if result.misfit:
            misfit = f"does not fit: {result.misfit}"
            yield f"| {result.design} | {result.device} | | {misfit} | | | | | |"
        for seed, speed in sorted(result.speeds.items()):
            fmax = f"**{speed.fmax}**" if speed is result.worst else f"{speed.fmax}"
            yield (
                f"| {result.design} | {result.device} | {seed} | {fmax} "
                f"| `{speed.start}` | `{speed.end}` "
                f"| {speed.levels} | {speed.logic} | {speed.routing} |"
            )
    yield ""
    yield "The worst seed stands in bold."


def versions(results: Sequence[Result]) -> Iterator[str]:
    """What made the numbers."""
    yield "Commands, where N is the seed:"
    yield ""
    for result in results:
        device = DEVICES[result.device]
        yield f"    {device.synthesize} -top {result.design}_shell"
        yield f"    {device.program} {' '.join(device.arguments)} --freq {FREQUENCY} --seed N"
    yield ""
    found = sorted({item for result in results for item in result.versions.items()})
    yield "Versions: " + ", ".join(f"{name} {version}" for name, version in found) + "."
