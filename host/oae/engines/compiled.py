"""The compiled engine: a pair of ends under Verilator that plays many schedules in one process.

    with Engine(parameters(scenario)) as engine:
        for seed in range(1000):
            outcome = engine.run(replace(scenario, seed=seed))
            print(outcome.verdict, outcome.reason)

Nothing of a run passes through Python: the records are made in the process, and the checker judges
the run there while it goes on. It comes to the verdict that `oae check` has of the same run's
capture; for PASS, what the scenario expects besides must be met. The trace is written only if it is
asked for, and is then the one that `oae.engines.rtl` writes, byte for byte; `sha256` is its hash
without writing it.
"""

import hashlib
import json
import shlex
import signal
import struct
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

import numpy

from oae.capture.record import CYCLE_NS
from oae.check import kernel
from oae.check.capture import Judge
from oae.check.expect import expectations
from oae.check.findings import REQUIREMENT, Finding
from oae.check.measured import end_counts
from oae.check.verdict import Expectations, Promise, Struck, Verdict
from oae.engines import rtl
from oae.engines.cache import built
from oae.errors import OaeError
from oae.native.build import HERE as NATIVE
from oae.native.build import INCLUDES
from oae.scenario.compile import compile_scenario
from oae.scenario.layout import Fault
from oae.scenario.parse import parse_text
from oae.scenario.scenario import ENDS, Scenario
from oae.scenario.upsets import listed
from oae.toolchain import environment, tool_versions
from oae.upsets.elements import check_upsets, reaching

BUILDS: Final = rtl.ROOT / "build" / "compiled"
SOURCES: Final = rtl.ROOT / "hdl" / "compiled"
# Modules of which the engine has its own.
REPLACED: Final = ("oae_trace", "oae_schedule")
PROGRAM: Final = "pair"
# The code of a cycle must fit the caches: less of it is faster than what is optimized one by one.
FLAGS: Final = (
    *("-O3", "-fno-inline", "-fno-const-before-dfg"),
    *("--x-assign", "fast", "--x-initial", "fast"),
)
# What the Verilog becomes is a long list of bit operations: this processor's own make it faster.
CPP_FLAGS: Final = "-std=c++20 -O2 -march=native"
# With a profile g++ would use vectors as well, which makes this slower.
PROFILED: Final = "-flto=2 -fprofile-use -Wno-missing-profile -fno-tree-vectorize"
# What a program is profiled with: both lanes loaded, every kind of fault, crashes.
TRAINING: Final = """
version = 1
[load.both]
records = 1500
resubmit = true
[rates.both]
drop = 0.02
duplicate = 0.01
reorder = 0.01
corrupt = 0.01
[[fault]]
when = "any REFLECTED"
chance = 0.001
times = "always"
do = "crash b"
[limits]
cycles = 200000
stall = 50000
"""
PROCESSOR: Final = Path("/proc/cpuinfo")


@dataclass(frozen=True)
class Outcome:
    """What a run came to; pairs have one value for each end or lane, a first."""

    verdict: Verdict
    reason: str
    stop: str = ""  # why the run ended; empty if it was ended at a finding
    cycles: int = 0
    opened: tuple[int, int] = (0, 0)
    resolved: tuple[int, int] = (0, 0)  # outcomes told
    committed: tuple[int, int] = (0, 0)
    delivered: tuple[int, int] = (0, 0)  # by the end that took them
    crashes: tuple[int, int] = (0, 0)
    amnesias: tuple[int, int] = (0, 0)
    cuts: tuple[int, int] = (0, 0)  # of the direction away from the end
    upsets: str = ""  # what each bit that was flipped was before
    # By address, after the run.
    registers: tuple[tuple[int, ...], tuple[int, ...]] = field(default=((), ()), repr=False)
    faults: dict[Fault, int] = field(default_factory=dict)  # frames that the medium struck
    rules: dict[int, int] = field(default_factory=dict)  # how often each rule fired
    findings: tuple[Finding, ...] = ()  # in order of packet, at most 1,000
    finding_count: int = 0
    assertions: tuple[str, ...] = ()  # lines of the RTL's own, but for those that are expected
    seconds: float = 0.0  # of processor, without what Python took
    sha256: str = ""  # of the trace, if asked for

    @property
    def found_cycle(self) -> int | None:
        """Cycle of the first finding."""
        return self.findings[0].time // CYCLE_NS if self.findings else None


class Engine:
    """A pair of ends with these Verilog parameters (`parameters`), as a process of its own.

    `defines` are macros of the RTL; with `waveform` it can write waveforms, many times slower, and
    with `upsets` it can flip bits of the ends' state. `trained` takes twice as long to build and
    plays faster by an eighth: for many runs.
    """

    def __init__(
        self,
        values: dict[str, int],
        defines: Sequence[str] = (),
        *,
        waveform: bool = False,
        upsets: bool = False,
        trained: bool = False,
    ) -> None:
        self._values = values
        self._defines = defines
        self._waveform = waveform
        self._upsets = upsets
        self._program = build(values, defines, waveform=waveform, upsets=upsets, trained=trained)
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """End the process, also in the middle of a run."""
        process, self._process = self._process, None
        if process is None:
            return
        process.kill()
        process.communicate()  # closes what leads to it and from it

    def run(
        self,
        what: Scenario | Sequence[int],
        *,
        file: bytes = b"",
        sha256: bool = False,
        trace: Path | None = None,
        first: bool = False,
        waveform: tuple[Path, int, int] | None = None,
    ) -> Outcome:
        """Play a scenario (with the file that it carries), or the words of a schedule.

        `first` ends the run at the first finding. `waveform` is where to, and from which cycle to
        which. If the process dies, that is the run's BENCH_ERROR, and the next run has a new one.
        """
        options: list[str] = []
        expected = None
        if isinstance(what, Scenario):
            self._check_fit(what)
            expected = expectations(what)
            words, options = _prepared(what, file)
            if what.upsets:
                options.append(f"upsets={listed(what.upsets)}")
        else:
            words = list(what)
        if sha256:
            options.append("sha256")
        if first:
            options.append("first")
        if trace is not None:
            options.append(f"trace={_name(trace)}")
        if waveform is not None:
            if not self._waveform:
                raise OaeError("this engine was built without waveforms")
            path, start, end = waveform
            options.append(f"waveform={_name(path)},{start},{end}")
        return self._ask(_job(words, options), expected)

    def _check_fit(self, scenario: Scenario) -> None:
        for name, value in parameters(scenario).items():
            # Whether there are channels is no matter of the scenario.
            if name != "DIRECT" and self._values[name] != value:
                built_with = f"{name} {self._values[name]}"
                raise OaeError(
                    f"{scenario.name}: needs {name} {value}; the engine has {built_with}"
                )
        if scenario.upsets and not self._upsets:
            raise OaeError(f"{scenario.name}: has upsets; the engine was built without them")
        check_upsets(scenario, self._values, self._defines)

    def _ask(self, job: bytes, expected: Expectations | None) -> Outcome:
        if self._process is None:
            self._process = subprocess.Popen(
                [str(self._program)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                env=environment(),
                start_new_session=True,  # Ctrl-C reaches us alone; we end the process
            )
        process = self._process
        assert process.stdin is not None
        assert process.stdout is not None
        answer = b""
        try:
            process.stdin.write(job)
            process.stdin.flush()
            answer = process.stdout.readline()
        except BrokenPipeError:
            pass  # it has died, and its exit code says how
        except BaseException:
            self.close()  # in the middle of a run there is no other way to stop it
            raise
        if not answer.endswith(b"\n"):
            code = process.wait()
            self.close()
            how = signal.Signals(-code).name if code < 0 else f"exit code {code}"
            return Outcome(Verdict.BENCH_ERROR, f"the engine died: {how}")
        return _outcome(json.loads(answer), expected)


class _Answered(kernel.Kernel):
    """The checker of a run, as far as the process has told of it."""

    def __init__(self, answer: dict[str, Any]) -> None:
        self._answer = answer

    def _rows(self, name: str, row: numpy.dtype[Any]) -> kernel.Array:
        return numpy.frombuffer(bytes.fromhex(self._answer[name]), row)

    def summary(self) -> Any:
        return self._rows("summary", kernel.SUMMARY)[0]

    def table(self, name: str) -> kernel.Array:
        return self._rows(name, kernel.BENCH_ERROR if name == "bench_errors" else kernel.FINDING)

    def stop(self) -> str:
        return str(self._answer["stop"])


def _outcome(answer: dict[str, Any], scenario: Expectations | None) -> Outcome:
    if "error" in answer:
        raise OaeError(answer["error"])
    expected = scenario or Expectations()
    rules = {number: answer["rules"][number] for number in answer["fired"]}
    frames = list(expected.fates)  # none if they need not strike
    left = {frames[place] for place in answer["left"] if frames}
    struck = Struck(rules, {*frames} - left, answer["cycles"])
    # Of mere words it is not known what their rules hold up.
    obstructed = None if scenario is None else expected.obstructed(struck)
    judge = Judge(_Answered(answer), wire=False, damage="", dropped=0, obstructed=obstructed)
    verdict, reason = judge.verdict([judge.standing(promise) for promise in REQUIREMENT])
    assertions = tuple(expected.unforgiven(answer["assertions"]))
    a, b = end_counts(judge.summary)
    if assertions and verdict is not Verdict.FAIL:
        verdict, reason = Verdict.FAIL, f"{Promise.ASSERTION}: {assertions[0]}"
    elif verdict is Verdict.PASS and (unmet := expected.unmet(a.committed + b.committed, struck)):
        verdict, reason = Verdict.INCONCLUSIVE, unmet
    told_a, told_b = (end.committed + end.aborted + end.unknown for end in (a, b))
    return Outcome(
        verdict,
        reason,
        stop=answer["stop"],
        cycles=answer["cycles"],
        opened=(a.opened, b.opened),
        resolved=(told_a, told_b),
        committed=(a.committed, b.committed),
        delivered=(a.delivered, b.delivered),
        crashes=(a.crashes, b.crashes),
        amnesias=(a.amnesias, b.amnesias),
        cuts=(answer["cuts"][0], answer["cuts"][1]),
        upsets=answer["upsets"],
        registers=(tuple(answer["registers.a"]), tuple(answer["registers.b"])),
        faults={
            fault: answer["faults"][fault.bit_length() - 1]
            for fault in Fault
            if answer["faults"][fault.bit_length() - 1]
        },
        rules=rules,
        findings=tuple(judge.findings),
        finding_count=sum(judge.broken),
        assertions=assertions,
        seconds=answer["seconds"],
        sha256=answer["sha256"],
    )


def _prepared(scenario: Scenario, file: bytes) -> tuple[list[int], list[str]]:
    """The schedule without the records that chance makes, and how the process makes those."""
    options = []
    for end, load in zip(ENDS, scenario.loads, strict=True):
        least, most = load.sizes or (1, scenario.negotiated_record_max)
        options.append(f"made.{end}={load.records},{least},{most}")
    loads = tuple(replace(load, records=0) for load in scenario.loads)
    return compile_scenario(replace(scenario, loads=loads), file), options


def _job(words: Sequence[int], options: Sequence[str]) -> bytes:
    """A job as the process reads it."""
    line = "\t".join([f"words={len(words)}", *options]) + "\n"
    return line.encode() + struct.pack(f"<{len(words)}Q", *words)


def _name(path: Path) -> str:
    """The path of a file that the process is to write, as it stands in a job."""
    name = str(path.absolute())
    if not path.parent.is_dir():
        raise OaeError(f"{path}: no such directory: {path.parent}")
    if "\t" in name or "\n" in name:
        raise OaeError(f"{name!r}: a tab or the end of a line is in the name")
    return name


def parameters(scenario: Scenario, direct: bool = False) -> dict[str, int]:
    """Verilog parameters of the pair; a schedule may be of any length."""
    values = rtl.parameters(scenario, 1, direct)
    del values["SCHEDULE_WORDS"]
    return values


def build(
    values: dict[str, int],
    defines: Sequence[str] = (),
    *,
    waveform: bool = False,
    upsets: bool = False,
    trained: bool = False,
) -> Path:
    """The program, from the cache if it is there."""
    command = _command(values, defines, waveform)

    def make(work: Path) -> None:
        whole = [*command, *(reaching(work, values, defines) if upsets else [])]
        if trained:
            _profile(whole, values, work)
            whole += ["-CFLAGS", PROFILED, "-LDFLAGS", f"{CPP_FLAGS} {PROFILED}"]
        compile_program(whole, work)
        for path in work.iterdir():
            if path.name != PROGRAM:
                path.unlink()

    facts = [*command, str(upsets), *((PROFILED, TRAINING) if trained else ())]
    return built(BUILDS / fingerprint(facts), PROGRAM, make)


def _profile(command: Sequence[str], values: dict[str, int], work: Path) -> None:
    """Build a program that counts what it runs through, and keep the counts of one schedule."""
    flag = "-fprofile-generate"
    compile_program([*command, "-CFLAGS", flag, "-LDFLAGS", flag], work)
    scenario = parse_text(TRAINING)
    size = min(values["RECORD_MAX_A"], values["RECORD_MAX_B"])
    loads = tuple(replace(load, sizes=(size, size)) for load in scenario.loads)
    job = _job(*_prepared(replace(scenario, loads=loads), b""))
    subprocess.run([work / PROGRAM], input=job, capture_output=True, check=True)
    for path in work.iterdir():
        if path.name == PROGRAM or path.suffix in (".o", ".a"):
            path.unlink()


def _command(values: dict[str, int], defines: Sequence[str], waveform: bool) -> list[str]:
    """What compiles the pair and the engine around it."""
    includes = " ".join(f"-I{folder}" for folder in (*INCLUDES, SOURCES))
    command = ["verilator", "--cc", "--exe", "--build", "-j", "2", *FLAGS]
    if waveform:
        command.append("--trace-fst")
    command += ["-CFLAGS", f"{CPP_FLAGS} {includes}", "-MAKEFLAGS", "OPT_FAST="]
    command += ["--Mdir", ".", "-o", PROGRAM, "--top-module", rtl.TOP]
    command += [f"-G{name}={value}" for name, value in sorted(values.items())]
    command += [f"-D{name}" for name in ("OAE_SIMULATION", *sorted(defines))]
    # Its own folder first: a header there stands in place of that of the same name.
    command += [f"-I{rtl.ROOT / 'hdl' / folder}" for folder in ("compiled", "rtl", "sim")]
    taken = [path for path in rtl.sources() if path.stem not in (*REPLACED, rtl.CLOCKED_TOP)]
    own = [*(SOURCES / f"{name}.sv" for name in REPLACED), SOURCES / "main.cpp"]
    return command + [str(path) for path in (*taken, *own)]


def fingerprint(command: Sequence[str], more: Sequence[Path] = ()) -> str:
    """Changes with everything that the program depends on; `more` are folders of its own."""
    digest = hashlib.sha256()
    verilog = (rtl.ROOT / "hdl" / name for name in ("rtl", "fito", "sim"))
    folders = (*verilog, SOURCES, NATIVE, *more)
    for path in sorted(path for folder in folders for path in folder.iterdir()):
        if path.suffix in (".v", ".vh", ".sv", ".h", ".cpp"):
            digest.update(path.name.encode() + b"\0" + path.read_bytes())
    versions = tool_versions()
    facts = (command, versions.get("verilator"), versions.get("g++"), _processor())
    digest.update(repr(facts).encode())
    return digest.hexdigest()[:16]


def _processor() -> str:
    """What the processor can do; a build folder may have come from another machine."""
    lines = PROCESSOR.read_text().splitlines() if PROCESSOR.exists() else []
    return next((line for line in lines if line.startswith(("flags", "Features"))), "")


def compile_program(command: Sequence[str], work: Path) -> None:
    """Run the command in the work folder; raises EngineError."""
    variables = environment("verilator", "g++", "make")
    done = subprocess.run(command, cwd=work, env=variables, capture_output=True, text=True)
    if done.returncode:
        output = done.stdout + done.stderr
        log = work.parent / f"{work.name}.log"
        log.write_text(f"{shlex.join(command)}\n{output}")
        errors = [line for line in output.splitlines() if "rror" in line]
        raise rtl.EngineError(f"the engine cannot be built: {(errors or ['?'])[0]} (see {log})")
