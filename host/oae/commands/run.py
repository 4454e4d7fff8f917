"""Run a scenario on the link, check every promise, keep the evidence.

The engine is the Verilog in one of two simulators, or the reference end (`model`). With --bench
the ends are processes on real media, with the fault relay between them if the bench has one.

Without options a file crosses a hostile link: 10 % loss, 5 % duplication, 5 % reordering and 2 %
corruption each way, three cuts of one direction, two crashes of each end.

exit codes: 0 PASS, 1 FAIL, 2 bad input, 3 INCONCLUSIVE, 4 the bench failed
"""

import argparse
import hashlib
import io
import json
import re
import shlex
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from oae.bench import parse as benches
from oae.bench import played
from oae.bench.bench import Bench, Kind
from oae.bench.plugged import plugged_in
from oae.capture.record import IN_RUN
from oae.check.carried_file import CarriedFile
from oae.check.run import judge_run
from oae.check.verdict import EXIT_CODES, Judgement, Verdict
from oae.console import Console
from oae.engines import player, rtl, rundir
from oae.engines.model import ABLATION
from oae.engines.player import ENGINES, play
from oae.engines.rundir import Ended, fresh
from oae.errors import OaeError
from oae.faults.hash import draw
from oae.files import check_writable
from oae.medium.signals import signals
from oae.options import seconds
from oae.report.page import PAGE, write_report
from oae.report.summary import show
from oae.report.terminal import show as show_capture
from oae.report.waveform import write_view
from oae.scenario.compile import records
from oae.scenario.parse import library, parse
from oae.scenario.scenario import ENDS, Scenario
from oae.trace import Event, Trace

SUMMARY = "run a scenario on the link and check it"
SAMPLE_BYTES = 256 * 1024
FILE_BYTES_MOST = 16 * 1024 * 1024  # the trace of a run is some 30 times as long


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `oae run`."""
    names = ", ".join(library())
    parser.add_argument("--scenario", default="demo", help=f"a file, or one of {names}")
    parser.add_argument("--file", type=Path, help="the file to carry; a sample if none is given")
    parser.add_argument("--seed", type=int, help="overrules the scenario's")
    parser.add_argument("--window", type=int, help="slots of both ends; overrules the scenario's")
    parser.add_argument("--engine", default=ENGINES[0], choices=ENGINES)
    parser.add_argument(
        "--bench",
        metavar="FILE",
        help=f"play on this bench: a file, or one of {', '.join(benches.library())}",
    )
    parser.add_argument(
        "--out", type=Path, help="run directory; a new one under runs/ if not given"
    )
    parser.add_argument("--timeout", type=seconds, help="seconds after which the run is ended")
    parser.add_argument(
        "--without",
        action="append",
        default=[],
        metavar="ID",
        help="leave out an ingredient of the protocol, such as F13, to see what then breaks",
    )
    parser.add_argument(
        "--waveform",
        action="store_true",
        help="keep every signal, with views for GTKWave and Surfer that open at the violation",
    )
    parser.add_argument("--json", action="store_true", help="print the verdict as JSON only")
    parser.add_argument("--quiet", action="store_true", help="print the verdict's line only")
    parser.add_argument("--picture", type=Path, metavar="SVG", help="draw the last screen as well")


def main(arguments: argparse.Namespace) -> int:
    """Run, judge, tell."""
    bench = _bench(arguments)
    scenario, overruled = _scenario(arguments)
    content = _content(scenario, arguments.file)
    out = arguments.out or fresh(Path("runs"), scenario.name)
    player.check(
        scenario,
        out,
        engine=arguments.engine,
        defines=_defines(arguments),
        waveform=arguments.waveform,
    )
    if arguments.picture is not None:
        check_writable(arguments.picture, "--picture")
    console = Console(quiet=arguments.json or arguments.quiet)
    engine = bench.name if bench is not None else arguments.engine
    console.print(
        f"[bold]{scenario.name}[/] on {engine}, seed {scenario.seed}, into {out}",
        highlight=False,
    )
    if bench is not None:
        return _play_on(bench, scenario, content, out, arguments, overruled, console)
    ended = _play(scenario, content, out, arguments, overruled, console)
    followed = ended.status == "finished" and not arguments.without
    judged = judge_run(scenario, content, out, ended.assertions, followed=followed)
    judgement, carried = judged.judgement, judged.carried
    _by_the_end(judgement, ended)
    if judged.result is not None:
        again = _command(arguments, out)
        page, capture = out / PAGE, out / IN_RUN
        write_report(judged.result, page, title=scenario.name, again=again, capture=capture)
    report = _report(scenario, arguments.engine, out, ended, judgement, carried)
    (out / "verdict.json").write_text(json.dumps(report, indent=2) + "\n")
    if carried is not None:
        (out / "received.bin").write_bytes(carried.received)
    if arguments.json:
        print(json.dumps(report, indent=2))
    elif arguments.quiet:
        print(f"{judgement.verdict}: {judgement.reason}")
    else:
        show(console, judgement, carried, ended.seconds, out)
    if arguments.picture is not None:
        _draw(arguments.picture, judgement, carried, ended.seconds, out)
    if arguments.waveform:
        write_view(out / rtl.WAVEFORM, _shown_at(judgement, out), out)
    if ended.status == "interrupted":
        raise KeyboardInterrupt
    return EXIT_CODES[judgement.verdict]


def _defines(arguments: argparse.Namespace) -> list[str]:
    """Macros that leave the ingredients out."""
    return [f"{ABLATION}{name}" for name in arguments.without]


def _draw(
    path: Path, judgement: Judgement, carried: CarriedFile | None, seconds: float, out: Path
) -> None:
    """The last screen as a picture that needs nothing from elsewhere."""
    paper = Console(record=True, width=80, file=io.StringIO(), force_terminal=True)
    show(paper, judgement, carried, seconds, out)
    drawn = paper.export_svg(title="oae run")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(re.sub(r"@font-face \{.*?\}\s*", "", drawn, flags=re.DOTALL))


def _shown_at(judgement: Judgement, out: Path) -> int:
    """The cycle at which the ports show the first violation; the first cycle if there is none."""
    line = judgement.violations[0].line if judgement.violations else 0
    if line == 0:  # no line of the trace
        return 0
    found = next(record for record in Trace(out / "trace.txt") if record.line == line)
    # The event port shows a step one cycle after its edge, and the trace has taken that off.
    return found.cycle + isinstance(found, Event)


def sample() -> bytes:
    """The file that is carried if none is given: reproducible, and without any pattern."""
    return b"".join(draw(0, word).to_bytes(4, "little") for word in range(SAMPLE_BYTES // 4))


def _scenario(arguments: argparse.Namespace) -> tuple[Scenario, dict[str, int | str]]:
    """The scenario with what the command line overrules."""
    scenario = parse(arguments.scenario)
    overruled: dict[str, int | str] = {}
    if arguments.seed is not None:
        if not 0 <= arguments.seed < 2**32:
            raise OaeError(f"--seed {arguments.seed}: not from 0 to {2**32 - 1}")
        overruled["seed"] = arguments.seed
        scenario = replace(scenario, seed=arguments.seed)
    if arguments.window is not None:
        if arguments.window not in (1, 2, 4, 8, 16, 32, 64):
            raise OaeError(f"--window {arguments.window}: not a power of two from 1 to 64")
        overruled["window"] = arguments.window
        scenario = replace(
            scenario,
            link=replace(scenario.link, window=arguments.window),
            ends=tuple(replace(end, window=None) for end in scenario.ends),
        )
    return scenario, overruled


def _content(scenario: Scenario, path: Path | None) -> bytes:
    """The bytes to carry, if the scenario carries a file."""
    if not scenario.carries_file:
        if path is not None:
            raise OaeError(f"--file {path}: the scenario {scenario.name} carries no file")
        return b""
    if path is None:
        return sample()
    try:
        content = path.read_bytes()
    except OSError as error:
        raise OaeError(f"--file {path}: {(error.strerror or str(error)).lower()}") from error
    if not content:
        raise OaeError(f"--file {path}: is empty")
    if len(content) > FILE_BYTES_MOST:
        raise OaeError(f"--file {path}: has more than {FILE_BYTES_MOST:,} bytes")
    return content


def _bench(arguments: argparse.Namespace) -> Bench | None:
    """The bench as it is plugged in; None if the ends are simulated."""
    if arguments.bench is None:
        return None
    for option in ("without", "waveform", "picture"):
        if getattr(arguments, option):
            raise OaeError(f"--{option}: not on a bench, whose ends are as they are")
    bench, said = plugged_in(arguments.bench)
    for line in said:
        print(f"oae: {line}", file=sys.stderr)
    return None if bench.ends[0].kind is Kind.RTL else bench


def _play_on(
    bench: Bench,
    scenario: Scenario,
    content: bytes,
    out: Path,
    arguments: argparse.Namespace,
    overruled: dict[str, int | str],
    console: Console,
) -> int:
    """Play on a bench, and tell; the capture is the only judge.

    SIGINT and SIGTERM end the run, not the writing of what it came to.
    """
    command = _command(arguments, out)
    with signals(signal.SIGINT, signal.SIGTERM) as ending:
        with _bar(scenario, content, console) as advance:
            found = played.play(
                bench,
                scenario,
                out,
                content=content,
                command=command,
                overruled=overruled,
                timeout=arguments.timeout,
                progress=advance,
                ending=ending,
            )
        report = _written(scenario, found, out, command)
    result = found.result
    if arguments.json:
        print(json.dumps(report, indent=2))
    elif arguments.quiet:
        print(f"{result.verdict}: {result.reason}")
    else:
        show_capture(console, result)
    if found.ended.status == "interrupted":
        raise KeyboardInterrupt
    return EXIT_CODES[result.verdict]


def _written(scenario: Scenario, found: played.Played, out: Path, command: str) -> dict[str, Any]:
    """The page of a run on a bench, its verdict, and the file that came out."""
    result, carried = found.result, found.carried
    write_report(result, out / PAGE, title=scenario.name, again=command, capture=out / IN_RUN)
    report: dict[str, Any] = {
        **_told_of(scenario, played.ENGINE, out, found.ended),
        "verdict": result.verdict,
        "reason": result.reason,
        "ends": [asdict(end) for end in result.ends],
        "bench": found.facts,
        **_told_of_file(carried),
    }
    (out / "verdict.json").write_text(json.dumps(report, indent=2) + "\n")
    if carried is not None:
        (out / "received.bin").write_bytes(carried.received)
    return report


def _play(
    scenario: Scenario,
    content: bytes,
    out: Path,
    arguments: argparse.Namespace,
    overruled: dict[str, int | str],
    console: Console,
) -> Ended:
    with _bar(scenario, content, console) as advance:
        return play(
            scenario,
            out,
            engine=arguments.engine,
            file=content,
            defines=_defines(arguments),
            waveform=arguments.waveform,
            command=_command(arguments, out),
            overruled=overruled,
            timeout=arguments.timeout,
            progress=advance,
        )


@contextmanager
def _bar(
    scenario: Scenario, content: bytes, console: Console
) -> Iterator[Callable[[rundir.Progress], None]]:
    """Shows how far a run has come."""
    total = sum(len(records(scenario, end, content)) for end in range(len(ENDS)))
    columns = (
        TextColumn("{task.description}"),
        BarColumn(bar_width=40),
        MofNCompleteColumn(),
        TextColumn("records"),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=console) as bar:
        task = bar.add_task("building", total=total)

        def advance(progress: rundir.Progress) -> None:
            text = f"cycle {progress.cycle:,}"
            bar.update(task, completed=min(progress.delivered, total), description=text)

        yield advance


def _command(arguments: argparse.Namespace, out: Path) -> str:
    """How to run the same again, from the run directory."""
    words = ["oae", "run", "--scenario", str(out / "scenario.toml")]
    if arguments.bench is not None:
        words += ["--bench", arguments.bench]
    else:
        words += ["--engine", arguments.engine]
    for name in ("seed", "window"):
        value = getattr(arguments, name)
        if value is not None:
            words += [f"--{name}", str(value)]
    if arguments.file is not None:
        words += ["--file", str(out / "sent.bin")]
    for name in arguments.without:
        words += ["--without", name]
    if arguments.waveform:
        words.append("--waveform")
    return shlex.join(words)


def _by_the_end(judgement: Judgement, ended: Ended) -> None:
    """A run that did not come to its end shows nothing, and one that the bench spoilt as little."""
    if ended.errors:
        judgement.verdict, judgement.reason = Verdict.BENCH_ERROR, ended.errors[0]
    elif ended.status == "interrupted":
        judgement.verdict, judgement.reason = Verdict.INCONCLUSIVE, "interrupted"
    elif ended.status != "finished":
        judgement.verdict = Verdict.BENCH_ERROR
        judgement.reason = f"the run is {ended.status}: {judgement.reason}"


def _report(
    scenario: Scenario,
    engine: str,
    out: Path,
    ended: Ended,
    judgement: Judgement,
    carried: CarriedFile | None,
) -> dict[str, Any]:
    """What stands in verdict.json."""
    return {
        **_told_of(scenario, engine, out, ended),
        **judgement.as_dict(),
        **_told_of_file(carried),
    }


def _told_of(scenario: Scenario, engine: str, out: Path, ended: Ended) -> dict[str, Any]:
    return {
        "scenario": scenario.name,
        "seed": scenario.seed,
        "engine": engine,
        "run": str(out),
        "status": ended.status,
    }


def _told_of_file(carried: CarriedFile | None) -> dict[str, Any]:
    if carried is None:
        return {}
    return {
        "file": {
            "bytes": len(carried.sent),
            "sha256_sent": hashlib.sha256(carried.sent).hexdigest(),
            "sha256_received": hashlib.sha256(carried.received).hexdigest(),
            "missing": carried.missing,
            "equal": carried.equal,
        }
    }
