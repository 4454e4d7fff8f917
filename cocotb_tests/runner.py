"""Builds a module with a simulator and runs a module of cocotb tests on it.

    @pytest.mark.parametrize("simulator", SIMULATORS)
    def test_frame_parser(simulator):
        run("oae_frame_parser", "cocotb_tests.frame_parser.bench_frame_parser", simulator=simulator)

A build is shared by all runs with the same top, parameters and defines, also between the workers
of pytest-xdist. Results and logs of a run stay in a folder of its own below its build. Runs are
reproducible: COCOTB_RANDOM_SEED in the environment chooses another seed than SEED.

Every build has the RTL's own assertions in it, and a run in which one speaks fails, whatever the
cocotb tests say. A bench that sends on purpose what a correct peer cannot send declares which
assertions it provokes: `MAY_ASSERT = ["an answer that a correct peer cannot send"]`.
"""

import ast
import fcntl
import hashlib
import json
import os
import xml.etree.ElementTree as ElementTree
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from unittest.mock import patch

from cocotb_tools.runner import Runner, get_runner
from oae.toolchain import environment

ROOT = Path(__file__).resolve().parents[1]
RTL = ROOT / "hdl" / "rtl"
INCLUDES = [RTL, ROOT / "hdl" / "sim", ROOT / "hdl" / "board"]
BUILD = ROOT / "build" / "cocotb"
SIMULATORS = ("verilator", "icarus")
SEED = 1
LOG_LINES = 60  # of a failed step, shown with the failure
ASSERTION = "ASSERTION "  # begins the lines of the RTL's assertions
ASSERTIONS = {"OAE_SIMULATION": 1}  # defines that put them into a build

PROGRAMS = {"verilator": ("verilator", "g++", "make", "perl"), "icarus": ("iverilog", "vvp")}
# The warnings are the linter's to find (scripts/lint.py); here they must not stop an ablated build.
# Optimizing the simulator's own library costs more than a cocotb run ever gains from it.
MAKE_ARGUMENTS = "OPT_FAST=-O1 OPT_GLOBAL=-O0"
BUILD_ARGUMENTS = {"verilator": ["-Wno-fatal", "--assert", "-O3"], "icarus": ["-g2012"]}


class SimulationError(AssertionError):
    """A build or a cocotb test failed; the message names the tests and shows the log's end."""


def run(
    top: str,
    module: str,
    *,
    simulator: str,
    sources: Sequence[str] = (),
    parameters: Mapping[str, object] | None = None,
    defines: Mapping[str, object] | None = None,
    testcase: str | Sequence[str] | None = None,
    plusargs: Sequence[str] = (),
    extra_env: Mapping[str, str] | None = None,
) -> None:
    """Run every cocotb test of `module` (or only `testcase`) on the module `top`.

    `sources` are paths from the root of the project; without them it is hdl/rtl/<top>.v.
    What varies may be told to the tests by `plusargs` (cocotb.plusargs) or `extra_env`.
    """
    names = list(sources) or [(RTL / f"{top}.v").relative_to(ROOT).as_posix()]
    parameters = dict(parameters or {})
    defines = {**ASSERTIONS, **(defines or {})}
    name = f"{top}-{_hash([names, parameters, defines])}-{simulator}"
    build = BUILD / name
    folder = build / f"{module.rpartition('.')[2]}-{_hash([testcase, plusargs, extra_env])}"
    folder.mkdir(parents=True, exist_ok=True)
    variables = environment(*PROGRAMS[simulator])
    variables["MAKEFLAGS"] += f" {MAKE_ARGUMENTS}"
    with patch.dict(os.environ, variables, clear=True):
        runner = get_runner(simulator)
        with _locked(build / ".lock"), _explained(build / "build.log", f"build of {name}"):
            _build(runner, simulator, build, top, names, parameters, defines)
        results = folder / "results.xml"
        with _explained(folder / "test.log", f"{module} on {name}", results):
            runner.test(
                test_module=module,
                hdl_toplevel=top,
                hdl_toplevel_lang="verilog",
                build_dir=build,
                test_dir=folder,
                results_xml=str(results),
                testcase=testcase,
                seed=os.environ.get("COCOTB_RANDOM_SEED", SEED),
                plusargs=plusargs,
                extra_env=dict(extra_env or {}),
                timescale=("1ns", "1ps"),
                log_file=folder / "test.log",
            )
            if list(_failed(results)):
                raise RuntimeError("tests failed")
    # A run that tested nothing is no success.
    if not list(_passed(results)):
        raise SimulationError(f"{module} on {name}: no test ran")
    may = may_assert((ROOT / module.replace(".", "/")).with_suffix(".py").read_text())
    check_assertions(folder / "test.log", f"{module} on {name}", may, every=testcase is None)


def may_assert(source: str) -> list[str]:
    """What the source text of a bench declares in MAY_ASSERT; only a simulator can import it."""
    for node in ast.parse(source).body:
        match node:
            case ast.Assign(targets=[ast.Name(id="MAY_ASSERT")], value=value):
                return list(ast.literal_eval(value))
    return []


def check_assertions(log: Path, what: str, may: Sequence[str], every: bool) -> None:
    """No assertion spoke but those that may; with `every`, each of these did."""
    with log.open(errors="replace") as file:
        found = (line[line.index(ASSERTION) :] for line in file if ASSERTION in line)
        spoken = Counter(text.strip() for text in found)
    unwanted = [
        f"{line} ({times} times)"
        for line, times in spoken.items()
        if not line.endswith(tuple(f": {text}" for text in may))
    ]
    if unwanted:
        raise SimulationError("\n".join([f"{what}: assertions of the RTL:", *unwanted]))
    for text in may:
        if every and not any(line.endswith(f": {text}") for line in spoken):
            raise SimulationError(f"{what}: nothing provoked the assertion {text!r}")


def _build(
    runner: Runner,
    simulator: str,
    build: Path,
    top: str,
    names: Sequence[str],
    parameters: Mapping[str, object],
    defines: Mapping[str, object],
) -> None:
    """Build, unless nothing has changed since the last time.

    Neither simulator sees every change of an included file, and a build that another run is using
    must not be written again.
    """
    files = [ROOT / name for name in names]
    headers = [header for folder in INCLUDES for header in sorted(folder.glob("*.vh"))]
    contents = [file.read_text() for file in [*files, *headers]]
    fingerprint = _hash([contents, BUILD_ARGUMENTS[simulator], MAKE_ARGUMENTS])
    stamp = build / "stamp"
    if stamp.exists() and stamp.read_text() == fingerprint:
        return
    stamp.unlink(missing_ok=True)
    runner.build(
        sources=files,
        includes=INCLUDES,
        parameters=parameters,
        defines=defines,
        hdl_toplevel=top,
        build_args=BUILD_ARGUMENTS[simulator],
        build_dir=build,
        timescale=("1ns", "1ps"),
        always=True,
        log_file=build / "build.log",
    )
    stamp.write_text(fingerprint)


def _hash(what: object) -> str:
    return hashlib.sha256(json.dumps(what, sort_keys=True, default=str).encode()).hexdigest()[:12]


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


@contextmanager
def _explained(log: Path, what: str, results: Path | None = None) -> Iterator[None]:
    """Turn a failure of the runner into one that says what failed and shows the log's end."""
    try:
        yield
    except (RuntimeError, SystemExit) as error:
        failed = ", ".join(_failed(results)) if results is not None and results.exists() else ""
        lines = log.read_text(errors="replace").splitlines() if log.exists() else []
        raise SimulationError(
            f"{what} failed: {failed or error}\n" + "\n".join(lines[-LOG_LINES:])
        ) from None


def _failed(results: Path) -> Iterator[str]:
    for case in ElementTree.parse(results).iter("testcase"):
        if case.find("failure") is not None or case.find("error") is not None:
            yield case.get("name", "?")


def _passed(results: Path) -> Iterator[str]:
    for case in ElementTree.parse(results).iter("testcase"):
        if not any(case.find(tag) is not None for tag in ("failure", "error", "skipped")):
            yield case.get("name", "?")
