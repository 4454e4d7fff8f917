"""Take boards over a serial line into service, or look at one.

  oae bringup embedded                           every step, on a bench (docs/bench.md)
  oae bringup --port /dev/ttyUSB0                who is there?
  oae bringup --port find registers              every register of the first board found
  oae bringup --port URL read SCRATCH
  oae bringup --port URL write SCRATCH 0x2A
  oae bringup --port URL counters                those that are not 0
  oae bringup --port URL trace                   the trace buffer; it is empty afterwards

URL is a device or any URL of pyserial: socket://HOST:PORT, rfc2217://HOST:PORT. A bring-up of a
bench leases it, erases what the ends remember, and leaves its report in a directory.

exit codes: 0 every step as expected, 1 a step is not or the bench is somebody else's, 2 bad input,
4 the port or the board cannot be used, or the bench cannot be started, 130 interrupted (the report
of what was done is left)
"""

import argparse
import json
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any, Final

from oae.bench.lease import held
from oae.bench.plugged import plugged_in
from oae.bench.started import Started, started
from oae.bringup.board import Board, Identity
from oae.bringup.client import RefusedError, answers, connected
from oae.bringup.port import BAUD, PortError, Trouble, find_ports
from oae.bringup.registers import register, value
from oae.bringup.report import JSON, PAGE, Report
from oae.bringup.steps import Bringup, Step, both
from oae.check.verdict import Verdict
from oae.console import Console
from oae.engines.rundir import fresh
from oae.errors import OaeError
from oae.files import check_writable
from oae.options import positive

SUMMARY = "take boards over a serial line into service, or look at one"
FIND: Final = "find"
INTERRUPTED: Final = "interrupted"
ACTIONS: Final = {"registers": 0, "read": 1, "write": 2, "counters": 0, "trace": 0}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `oae bringup`."""
    parser.add_argument(
        "words",
        nargs="*",
        metavar="BENCH | ACTION",
        help="a bench file or its name; with --port: registers, read NAME, write NAME VALUE, "
        "counters or trace",
    )
    parser.add_argument("--port", metavar="URL", help="one board's serial port; find looks for it")
    parser.add_argument("--baud", type=positive, default=BAUD, help=f"its speed ({BAUD})")
    parser.add_argument("--out", type=Path, help="where the report goes, if not under runs/")
    parser.add_argument("--json", action="store_true", help="print everything as JSON only")


def main(arguments: argparse.Namespace) -> int:
    """Look at one board, or take a bench through the steps."""
    if arguments.port is None:
        if len(arguments.words) != 1:
            raise OaeError("bringup: give one bench, or --port; see oae bringup --help")
        return _bench(arguments.words[0], arguments)
    if arguments.out is not None:
        raise OaeError("--out: only the bring-up of a bench leaves a report")
    action, operands = _action(arguments.words)
    port = _found(arguments.baud) if arguments.port == FIND else arguments.port
    with connected(port, arguments.baud) as client:
        told = _do(Board(client), action, operands)
    if arguments.json:
        print(json.dumps({"port": port, **told}))
    else:
        _show(action, told)
    return 0


def _action(words: list[str]) -> tuple[str, list[str]]:
    """What to do, checked before the port is opened."""
    if not words:
        return "identity", []
    action, *operands = words
    if action not in ACTIONS:
        raise OaeError(f"no action {action}; there are {', '.join(ACTIONS)}")
    if len(operands) != ACTIONS[action]:
        wanted = {"read": "read NAME", "write": "write NAME VALUE"}.get(action, action)
        raise OaeError(f"{' '.join(words)}: write {wanted}")
    if operands:
        one = register(operands[0])
        if action == "write" and not one.writable:
            raise OaeError(f"{one.name}: cannot be written")
    if action == "write":
        value(operands[1])
    return action, operands


def _do(board: Board, action: str, operands: list[str]) -> dict[str, Any]:
    match action:
        case "registers":
            return {"registers": board.all_registers()}
        case "read":
            name = register(operands[0]).name
            return {"registers": {name: board.read(name)}}
        case "write":
            name = register(operands[0]).name
            board.write(name, value(operands[1]))
            return {"registers": {name: value(operands[1])}}
        case "counters":
            return {"counters": board.counters()}
        case "trace":
            return {"trace": [[*told, str(told)] for told in board.trace()]}
    who = board.identity()
    return {"identity": who._asdict(), "problem": who.problem()}


def _show(action: str, told: dict[str, Any]) -> None:
    """The same in words."""
    for name, number in told.get("registers", {}).items():
        one = register(name)
        print(f"0x{one.address:03X}  {name:<20} 0x{number:08X}  {one.text}")
    for name, number in told.get("counters", {}).items():
        if number:
            print(f"{name:<32} {number:>12,}")
    for *_, line in told.get("trace", []):
        print(line)
    if action == "identity":
        who = told["identity"]
        print(f"OAE end, {Identity(**who)}")
        print(told["problem"] or "its register map is the one of this program")


def _found(baud: int) -> str:
    """The first port at which a board answers."""
    ports = find_ports()
    for port in ports:
        if answers(port, baud):
            return port
    looked = f"looked at {', '.join(ports)}" if ports else "this machine has no serial port"
    raise PortError(Trouble.MISSING, f"no board answers at {baud} baud; {looked}")


def _bench(path: str, arguments: argparse.Namespace) -> int:
    """Every step of a bench."""
    console = Console(quiet=arguments.json, highlight=False)
    bench, said = plugged_in(path)
    for line in said:
        console.print(line)
    out = arguments.out or fresh(Path("runs"), f"bringup-{bench.name}")
    if out.exists():
        raise OaeError(f"{out} is already there; give another --out")
    check_writable(out, "--out")
    if all(end.serial is None for end in bench.ends):
        raise OaeError(f"{bench.name}: no end has a serial line")
    report = Report(bench, said)
    with held(bench.resources, "oae bringup"), started(bench) as ready:
        _take(report, ready, console)
    report.write(out)
    if report.steps[-1].name == INTERRUPTED:
        raise KeyboardInterrupt
    if arguments.json:
        print((out / JSON).read_text(), end="")
    else:
        console.print(f"{report.verdict}: {report.reason}", markup=False, soft_wrap=True)
        console.print(f"evidence: {out / PAGE}", markup=False, soft_wrap=True)
    return 0 if report.verdict is Verdict.PASS else 1


def _take(report: Report, ready: Started, console: Console) -> None:
    """Take the boards through the steps, and look at what they hold afterwards."""

    def done(step: Step) -> None:
        report.steps.append(step)
        _tell(console, step)

    with ExitStack() as stack:
        boards = {
            name: Board(stack.enter_context(connected(serial.port, serial.baud)))
            for name, serial in ready.serials.items()
        }
        ends = ready.bench.named_ends
        builds = {name: end.build for name, end in ends.items() if end.build is not None}
        tolerances = {name: ready.bench.tolerance(name) for name in ends}
        try:
            for step in Bringup(boards, tolerances, builds).run():
                done(step)
        except (PortError, RefusedError) as error:
            saw, _, check = str(error).partition("; ")
            done(Step("serial line", both(boards), False, saw, "answers", check or saw))
        except KeyboardInterrupt:
            done(Step(INTERRUPTED, both(boards), False, "Ctrl-C", "every step", "run it again"))
        for name, board in boards.items():
            with suppress(PortError, RefusedError):  # said already
                report.counters[name] = board.counters()
                report.traces[name] = list(board.trace())


def _tell(console: Console, step: Step) -> None:
    mark = "[green]PASS[/]" if step.good else "[red]FAIL[/]"
    console.print(f"{mark} {step.name:<17} {step.end:<8} ", end="")
    console.print(step.saw, markup=False, soft_wrap=True)
    if not step.good:
        console.print(f"     expected: {step.expected}", markup=False, soft_wrap=True)
        console.print(f"     check: {step.check}", markup=False, soft_wrap=True)
