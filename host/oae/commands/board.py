"""One end of a link that is a board, by its registers on a serial line.

The board's internal host plays the load of a scenario: its generator has records of its own. What
else of a scenario it cannot do is said in one line, and nothing is done. Its steps are told from
its trace buffer.

  oae board --end a --port /dev/ttyUSB0
  oae board --end a --port /dev/ttyUSB0 --scenario clean

Commands are lines on standard input:

  {forms}

SIGUSR1 is a crash, SIGUSR2 amnesia. Ctrl-C stops the end. The board forgets (amnesia) when it
begins, and is left without host and link.

exit codes: 0 stopped, 2 bad input, 4 the port or the board cannot be used
"""

import argparse
from typing import Any

from oae.bringup.board import Board
from oae.bringup.client import connected
from oae.bringup.port import BAUD
from oae.commands.drive import run
from oae.drive.board_end import CLOCK, BoardEnd, refuse
from oae.drive.orders import FORMS
from oae.errors import OaeError
from oae.options import positive
from oae.scenario.parse import parse
from oae.scenario.scenario import ENDS, Scenario

SUMMARY = "one end of a link that is a board, by its registers"
__doc__ = __doc__.format(forms="\n  ".join(FORMS))


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `oae board`."""
    parser.add_argument("--end", required=True, choices=ENDS, help="which end of the link it is")
    parser.add_argument("--port", required=True, metavar="URL", help="its serial port")
    parser.add_argument("--baud", type=positive, default=BAUD, help=f"its speed ({BAUD})")
    parser.add_argument("--scenario", help="a file, or the name of one of the library")
    parser.add_argument(
        "--json", action="store_true", help="tell everything as JSON lines; end with the input"
    )


def main(arguments: argparse.Namespace) -> int:
    """Run the end until it is stopped."""
    scenario = Scenario() if arguments.scenario is None else parse(arguments.scenario)
    end = ENDS.index(arguments.end)
    refuse(scenario, end)
    with connected(arguments.port, arguments.baud) as client:
        board = Board(client)
        who = board.identity()
        if problem := who.problem():
            raise OaeError(f"{arguments.port}: {problem}")
        driven = BoardEnd(end, board, scenario)
        try:
            ready: dict[str, Any] = {
                "end": arguments.end,
                "medium": arguments.port,
                "clock": CLOCK,
                "board": str(who),
            }
            run(driven, ready, arguments)
        finally:
            board.control()
    return 0
