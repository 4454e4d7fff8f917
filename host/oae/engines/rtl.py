"""Runs a scenario on the RTL, compiled by Verilator or interpreted by Icarus.

`build` compiles the pair of ends once for each set of sources, parameters and tool versions;
`run` plays one scenario into a run directory (`oae.engines.rundir`). A simulator adds

    simulator.log   what it had to say
    upsets.txt      the bits to flip, if there are any (hdl/compiled/upsets.h)
    waveform.fst    every signal in every cycle, if asked for
"""

import hashlib
import re
import shlex
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from oae.engines import rundir
from oae.engines.cache import built
from oae.engines.rundir import Ended, Progress, kept
from oae.errors import OaeError
from oae.scenario.compile import compile_scenario, write
from oae.scenario.scenario import Scenario
from oae.scenario.upsets import listed
from oae.toolchain import environment, tool_versions
from oae.upsets.elements import check_upsets, reaching

ROOT: Final = rundir.ROOT
BUILDS: Final = ROOT / "build" / "sim"
SIMULATORS: Final = ("verilator", "icarus")
LEAST_SCHEDULE_WORDS: Final = 1 << 14
TOP: Final = "oae_link_pair_top"
CLOCKED_TOP: Final = "oae_link_pair_clock"
WAVEFORM: Final = "waveform.fst"
UPSETS: Final = "upsets.txt"
LOG: Final = "simulator.log"
# Defined for a pair that writes its waveform: a build of its own, since it is several times slower.
WITH_WAVEFORM: Final = "OAE_WAVEFORM"
# Defined for a pair in which single bits can be flipped (hdl/compiled/upsets.h): slower as well.
WITH_UPSETS: Final = "OAE_UPSETS"
PATIENCE: Final = 5.0  # seconds between asking a simulator to end and killing it
# Versions that can change what a simulator does.
TOOLS: Final = {"verilator": ("verilator", "g++"), "icarus": ("iverilog",)}


class EngineError(OaeError):
    """The bench failed: the pair cannot be built."""

    exit_code = 4


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


def check(scenario: Scenario, simulator: str) -> None:
    """Raise OaeError if the scenario has what the simulator cannot play."""
    if scenario.upsets and simulator != "verilator":
        raise OaeError(f"{scenario.name}: has upsets, which {simulator} cannot play; verilator can")


def build(simulator: str, values: dict[str, int], defines: Sequence[str] = ()) -> Path:
    """The program that simulates a pair with these parameters, from the cache if it is there."""
    folder = BUILDS / f"{simulator}-{_fingerprint(simulator, values, defines)}"
    program = "pair.vvp" if simulator == "icarus" else "pair"
    return built(folder, program, lambda work: _compile(simulator, values, defines, work, program))


def _fingerprint(simulator: str, values: dict[str, int], defines: Sequence[str]) -> str:
    digest = hashlib.sha256()
    files = [file for name in ("rtl", "fito", "sim") for file in (ROOT / "hdl" / name).iterdir()]
    for path in sorted([*files, ROOT / "hdl" / "compiled" / "upsets.h"]):
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
        if WITH_UPSETS in defines:
            command += reaching(work, values, defines)
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
    check(scenario, simulator)
    words = compile_scenario(scenario, file)
    values = parameters(scenario, len(words), direct)
    check_upsets(scenario, values, defines)
    options = {WITH_WAVEFORM: waveform, WITH_UPSETS: bool(scenario.upsets)}

    def play(work: Path) -> Ended:
        wanted = [name for name, is_wanted in options.items() if is_wanted]
        program = build(simulator, values, [*defines, *wanted])
        plusargs = ["+schedule=schedule.hex", "+trace=trace.txt"]
        if scenario.upsets:
            # There may be more of them than a command line takes.
            (work / UPSETS).write_text(listed(scenario.upsets) + "\n")
            plusargs.append(f"+upsets={UPSETS}")
        return _simulate(simulator, program, plusargs, work, timeout, progress)

    return kept(
        scenario,
        out,
        play,
        engine=simulator,
        schedule=write(words),
        file=file,
        command=command,
        overruled=overruled,
        parameters=values,
        defines=defines,
    )


def _simulate(
    simulator: str,
    program: Path,
    plusargs: Sequence[str],
    work: Path,
    timeout: float | None,
    progress: Callable[[Progress], None] | None,
) -> Ended:
    """Run the program in the work folder; Ctrl-C and the time limit end it in good order."""
    start = time.monotonic()
    command = ["vvp", "-n", str(program), "-fst"] if simulator == "icarus" else [str(program)]
    ended = Ended("broken", 0.0)
    with (work / LOG).open("w") as log:
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
        case ["upsets", found]:
            ended.upsets = found
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
