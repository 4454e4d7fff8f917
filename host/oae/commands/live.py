"""One end of a link in Verilog, with its board, on a medium, with wall-clock time.

The model runs as many cycles as there is work for; its timers advance by the ticks of `--clock`.
At the other side of the medium is whatever speaks the protocol: another `oae live`, an
`oae drive`, a board. With a scenario the end has that load and host; the load begins with the
command `load`. Without one it is a peer only. The first start compiles the model.

  oae live --end b --medium unix:/tmp/b,/tmp/a
  oae live --end a --medium unix:/tmp/a,/tmp/b --scenario clean --capture a.pcapng
  oae live --end a --medium packet:veth0 --serial /tmp/board-a
  oae bringup --port /tmp/board-a counters        the registers of its board

Commands are lines on standard input:

  {forms}

SIGUSR1 is a crash, SIGUSR2 amnesia. Ctrl-C stops the end, and the capture is whole.

exit codes: 0 stopped, 2 bad input, 4 medium or terminal cannot be opened, or no compiler
"""

import argparse
import json
import os
import re
import signal
import subprocess
import sys
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Final

from oae.commands import drive
from oae.commands.drive import HINT, Human, content_of
from oae.console import Console
from oae.drive.orders import FORMS
from oae.errors import OaeError
from oae.files import created
from oae.live import start
from oae.live.build import PRESCALE, build
from oae.medium.opening import open_medium
from oae.scenario.parse import parse
from oae.scenario.scenario import ENDS, Scenario

SUMMARY = "one end of a link in Verilog, on a medium"
__doc__ = __doc__.format(forms="\n  ".join(FORMS))
BAUD: Final = 115_200
HZ_MOST: Final = 10_000_000
FORWARDED: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGUSR1, signal.SIGUSR2)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `oae live`."""
    drive.add_arguments(parser)
    parser.add_argument(
        "--clock",
        type=_frequency,
        default=start.NOMINAL_HZ,
        metavar="FREQUENCY",
        help="ticks a second of its timers: 50kHz (the default), 1000, 1MHz; 0 stands still",
    )
    parser.add_argument(
        "--serial", type=Path, metavar="LINK", help="make a terminal for its registers, and a link"
    )
    parser.add_argument(
        "--baud", type=int, default=BAUD, help=f"speed of that terminal, {BAUD} if not given"
    )


def main(arguments: argparse.Namespace) -> int:
    """Run the end until it is stopped."""
    scenario = Scenario() if arguments.scenario is None else parse(arguments.scenario)
    end = ENDS.index(arguments.end)
    content = content_of(scenario, end, arguments.file)
    start.speed(arguments.baud)
    with ExitStack() as stack:
        # As Ctrl-C: what was made goes.
        before = signal.signal(signal.SIGTERM, signal.default_int_handler)
        stack.callback(signal.signal, signal.SIGTERM, before)
        medium = stack.enter_context(closing(open_medium(arguments.medium)))
        line = None
        if arguments.serial is not None:
            build(scenario, end)  # who finds the terminal finds somebody there
            line = start.terminal(arguments.serial)
            stack.callback(line.link.unlink, missing_ok=True)
        path = arguments.capture
        capture = None if path is None else created(path, "--capture")
        command, files = start.command(
            scenario,
            end,
            medium,
            content=content,
            capture=capture,
            hz=arguments.clock,
            line=line,
            baud=arguments.baud,
        )
        # From here on they are the program's, also those that come while it starts.
        signal.pthread_sigmask(signal.SIG_BLOCK, FORWARDED)
        if arguments.json:
            for file in files:
                os.set_inheritable(file, True)
            sys.stdout.flush()
            os.execv(command[0], [*command, "ends_with_input"])
        return _watched(command, files, HINT if arguments.scenario else "")


def _watched(command: list[str], files: list[int], hint: str) -> int:
    """Run the program and tell in words what it says."""
    console = Console(stderr=True)
    process = subprocess.Popen(command, pass_fds=files, stdout=subprocess.PIPE)
    assert process.stdout is not None
    for number in FORWARDED:
        signal.signal(number, lambda number, _: process.send_signal(number))
    signal.pthread_sigmask(signal.SIG_UNBLOCK, FORWARDED)
    with console.status("") as status:
        human = Human(console, status, hint)
        for line in process.stdout:
            ((name, what),) = json.loads(line).items()
            human.tell(name, what)
    if code := process.wait():
        raise OaeError(f"the end died: {'signal' if code < 0 else 'exit code'} {abs(code)}")
    return 0


def _frequency(text: str) -> int:
    """Ticks a second."""
    found = re.fullmatch(r"(\d+(?:\.\d+)?)\s*(Hz|kHz|MHz|)", text)
    if found is None:
        raise argparse.ArgumentTypeError(f"{text!r} is no frequency; as 50kHz, 1000, 1MHz or 0")
    hz = float(found[1]) * {"kHz": 1e3, "MHz": 1e6}.get(found[2], 1)
    if hz != int(hz) or not (hz == 0 or PRESCALE <= hz <= HZ_MOST):
        raise argparse.ArgumentTypeError(
            f"{text}: 0, or a whole number of Hz from {PRESCALE} to {HZ_MOST:,}"
        )
    return int(hz)
