"""Runs a scenario on the RTL, compiled by Verilator or interpreted by Icarus.

`build` compiles the pair of ends once for each set of sources, parameters and tool versions;
`run` plays one scenario into a run directory:

    scenario.toml   the scenario as it was given
    run.toml        seed, what was overruled, parameters, versions, how to run it again
    sent.bin        the file that was carried, if there is one
    schedule.hex    what the scenario was compiled to
    trace.txt       the evidence (docs/trace.md)
    capture.pcapng  the same as a capture (docs/capture.md), as far as the run went
    simulator.log   what the simulator had to say
    waveform.fst    every signal in every cycle, if asked for
"""

import hashlib
import re
import shlex
import shutil
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from oae.capture.record import IN_RUN, record
from oae.engines.cache import built
from oae.engines.rundir import Value, manifest
from oae.errors import OaeError
from oae.scenario.compile import compile_scenario, write
from oae.scenario.scenario import Scenario
from oae.toolchain import environment, tool_versions
from oae.trace import Trace, TraceError

ROOT: Final = Path(__file__).resolve().parents[3]
BUILDS: Final = ROOT / "build" / "sim"
SIMULATORS: Final = ("verilator", "icarus")
LEAST_SCHEDULE_WORDS: Final = 1 << 14
TOP: Final = "oae_link_pair_top"
CLOCKED_TOP: Final = "oae_link_pair_clock"
WAVEFORM: Final = "waveform.fst"
# Defined for a pair that writes its waveform: a build of its own, since it is several times slower.
WITH_WAVEFORM: Final = "OAE_WAVEFORM"
PATIENCE: Final = 5.0  # seconds between asking a simulator to end and killing it
# Versions that can change what a simulator does.
TOOLS: Final = {"verilator": ("verilator", "g++"), "icarus": ("iverilog",)}


class EngineError(OaeError):
    """The bench failed: the pair cannot be built."""

    exit_code = 4


@dataclass(frozen=True)
class Progress:
    """How far a run has come; one value an end where there are two."""

    cycle: int
    submitted: tuple[int, int]
    resolved: tuple[int, int]
    delivered: int


@dataclass
class Ended:
    """How the simulator ended."""

    status: str  # finished, interrupted, timed out, broken
    seconds: float
    cycles: int = 0
    stop: str = ""
    assertions: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)


def parameters(scenario: Scenario, words: int, direct: bool = False) -> dict[str, int]:
    """Verilog parameters of the pair for a scenario whose schedule has so many words."""
    size = max(LEAST_SCHEDULE_WORDS, 1 << (words - 1).bit_length())
    link = scenario.link
    return {
        "WINDOW_A": scenario.window(0),
        "WINDOW_B": scenario.window(1),
        "RECORD_MAX_A": scenario.record_max(0),
        "RECORD_MAX_B": scenario.record_max(1),
        "BEAT_IDLE": link.beat_idle,
        "BEAT_BUSY": link.beat_busy,
        "FAULT_BEATS": link.fault_beats,
        "SYNC_INTERVAL": link.sync_interval,
        "DIRECT": int(direct),
        "SCHEDULE_WORDS": size,
    }


def sources() -> list[Path]:
    """Verilog files of the pair, ends first."""
    names = [
        line
        for file_list in ("hdl/rtl.f", "hdl/fito/fito.f", "hdl/sim.f")
        for line in (ROOT / file_list).read_text().split()
    ]
    return [ROOT / name for name in names]


def ingredients() -> list[str]:
    """Ids of the ingredients that the RTL can be built without, F1 first."""
    text = "".join(path.read_text() for path in (ROOT / "hdl" / "rtl").iterdir())
    numbers = {int(number) for number in re.findall(r"OAE_ABLATE_F(\d+)", text)}
    return [f"F{number}" for number in sorted(numbers)]


def check_ingredients(names: Sequence[str]) -> None:
    """Raise OaeError for the first name (of `--without`) that the RTL cannot be built without."""
    known = ingredients()
    for name in names:
        if name not in known:
            raise OaeError(f"--without {name}: the RTL can leave out {', '.join(known)}")


def build(simulator: str, values: dict[str, int], defines: Sequence[str] = ()) -> Path:
    """The program that simulates a pair with these parameters, from the cache if it is there."""
    folder = BUILDS / f"{simulator}-{_fingerprint(simulator, values, defines)}"
    program = "pair.vvp" if simulator == "icarus" else "pair"
    return built(folder, program, lambda work: _compile(simulator, values, defines, work, program))


def _fingerprint(simulator: str, values: dict[str, int], defines: Sequence[str]) -> str:
    digest = hashlib.sha256()
    files = [file for name in ("rtl", "fito", "sim") for file in (ROOT / "hdl" / name).iterdir()]
    for path in sorted(files):
        digest.update(path.name.encode() + b"\0" + path.read_bytes())
    versions = tool_versions()
    facts = (simulator, values, sorted(defines), [versions.get(tool) for tool in TOOLS[simulator]])
    digest.update(repr(facts).encode())
    digest.update(Path(__file__).read_bytes())
    return digest.hexdigest()[:16]


def _compile(
    simulator: str, values: dict[str, int], defines: Sequence[str], work: Path, program: str
) -> None:
    includes = [f"-I{ROOT / 'hdl' / folder}" for folder in ("rtl", "sim")]
    macros = [f"-D{name}" for name in ("OAE_SIMULATION", *defines)]
    files = [str(path) for path in sources() if path.stem != CLOCKED_TOP]
    if simulator == "icarus":
        variables = environment("iverilog", "vvp")
        options = [f"-P{CLOCKED_TOP}.{name}={value}" for name, value in values.items()]
        clocked = str(ROOT / "hdl" / "sim" / f"{CLOCKED_TOP}.v")
        command = ["iverilog", "-g2012", "-o", program, "-s", CLOCKED_TOP]
        command += [*options, *macros, *includes, *files, clocked]
    else:
        variables = environment("verilator", "g++", "make")
        options = [f"-G{name}={value}" for name, value in values.items()]
        # Without inlining both ends share their code: it compiles in half the time, as fast to run.
        command = ["verilator", "--cc", "--exe", "--build", "-j", "2", "-O3", "-fno-inline"]
        command += ["-MAKEFLAGS", "OPT_FAST=-O1"]
        command += ["--x-assign", "fast", "--x-initial", "fast", "--Mdir", ".", "-o", program]
        if WITH_WAVEFORM in defines:
            command.append("--trace-fst")
        command += ["--top-module", TOP, *options, *macros, *includes, *files]
        command.append(str(ROOT / "hdl" / "sim" / "link_pair_main.cpp"))
    done = subprocess.run(command, cwd=work, env=variables, capture_output=True, text=True)
    if done.returncode:
        output = done.stdout + done.stderr
        log = BUILDS / f"{work.name}.log"
        log.write_text(f"{shlex.join(command)}\n{output}")
        errors = [line for line in output.splitlines() if "rror" in line]
        raise EngineError(f"{simulator} cannot build the pair: {(errors or ['?'])[0]} (see {log})")
    if simulator == "verilator":
        for path in work.iterdir():
            if path.name != program:
                path.unlink()


def run(
    scenario: Scenario,
    out: Path,
    *,
    simulator: str = "verilator",
    file: bytes = b"",
    defines: Sequence[str] = (),
    direct: bool = False,
    waveform: bool = False,
    command: str = "",
    overruled: dict[str, int | str] | None = None,
    timeout: float | None = None,
    progress: Callable[[Progress], None] | None = None,
) -> Ended:
    """Play a scenario; the run directory `out` is there, whole, when this returns.

    Everything is prepared beside it first: what is wrong with the input leaves nothing behind.
    """
    if out.exists():
        raise OaeError(f"{out} is already there; give another --out")
    words = compile_scenario(scenario, file)
    values = parameters(scenario, len(words), direct)
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        work = Path(tempfile.mkdtemp(prefix=f".{out.name}.", dir=out.parent))
    except OSError as error:
        raise OaeError(f"--out {out}: {(error.strerror or str(error)).lower()}") from error
    try:
        program = build(simulator, values, [*defines, *([WITH_WAVEFORM] if waveform else [])])
        (work / "scenario.toml").write_text(scenario.source)
        (work / "schedule.hex").write_text(write(words))
        if scenario.carries_file:
            (work / "sent.bin").write_bytes(file)
        ended = _simulate(simulator, program, work, timeout, progress)
        with suppress(TraceError):  # broken before it began: there is nothing to record
            record(Trace(work / "trace.txt"), work / IN_RUN, whole=False)
        facts: dict[str, dict[str, Value]] = {
            "run": {
                "scenario": scenario.name,
                "seed": scenario.seed,
                "engine": f"rtl-{simulator}",
                "command": command,
                "status": ended.status,
                "stop": ended.stop,
                "cycles": ended.cycles,
                "seconds": round(ended.seconds, 3),
            },
            "overruled": dict(overruled or {}),
            "parameters": dict(values),
            "defines": dict.fromkeys(defines, 1),
            "versions": dict(tool_versions()),
        }
        (work / "run.toml").write_text(manifest(ROOT, facts))
        work.chmod(0o755)
        work.rename(out)
    finally:
        shutil.rmtree(work, ignore_errors=True)
    return ended


def _simulate(
    simulator: str,
    program: Path,
    work: Path,
    timeout: float | None,
    progress: Callable[[Progress], None] | None,
) -> Ended:
    """Run the program in the work folder; Ctrl-C and the time limit end it in good order."""
    start = time.monotonic()
    plusargs = ["+schedule=schedule.hex", "+trace=trace.txt"]
    command = ["vvp", "-n", str(program), "-fst"] if simulator == "icarus" else [str(program)]
    ended = Ended("broken", 0.0)
    with (work / "simulator.log").open("w") as log:
        process = subprocess.Popen(
            [*command, *plusargs],
            cwd=work,
            env=environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,  # Ctrl-C reaches us alone; we end the simulator
        )
        assert process.stdout is not None
        alarm = threading.Timer(timeout or 0, _end, (process,))
        if timeout is not None:
            alarm.start()
        try:
            for line in process.stdout:
                if not _told(line, ended, progress):
                    log.write(line)
            if process.wait() == 0 and ended.stop:
                ended.status = "finished"
            elif timeout is not None and time.monotonic() - start >= timeout:
                ended.status = "timed out"
        except KeyboardInterrupt:
            ended.status = "interrupted"
        finally:
            alarm.cancel()
            _end(process)
            process.stdout.close()
    ended.seconds = time.monotonic() - start
    return ended


def _told(line: str, ended: Ended, progress: Callable[[Progress], None] | None) -> bool:
    """Take one line of the simulator's output; True if it is a progress line."""
    words = line.split()
    match words:
        case ["progress", *numbers]:
            cycle, submitted_a, resolved_a, submitted_b, resolved_b, delivered = map(int, numbers)
            ended.cycles = cycle
            if progress is not None:
                both = (submitted_a, submitted_b), (resolved_a, resolved_b)
                progress(Progress(cycle, *both, delivered))
            return True
        case ["stop", reason, cycle]:
            ended.stop, ended.cycles = reason, int(cycle)
        case ["ASSERTION", *_]:
            ended.assertions.append(line.strip())
        case ["BENCH_ERROR", *_]:
            ended.errors.append(line.strip())
    return False


def _end(process: subprocess.Popen[str]) -> None:
    """See to it that a simulator is gone."""
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
