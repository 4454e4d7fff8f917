"""One end of a link in Python, on a medium, with wall-clock time.

At the other side of the medium is whatever speaks the protocol: a second `oae drive`, an
`oae live`, a board. With a scenario the end has that load and host; the load begins with the
command `load`. Without one it is a peer only.

  oae drive --end b --medium unix:/tmp/b,/tmp/a
  oae drive --end a --medium unix:/tmp/a,/tmp/b --scenario clean --capture a.pcapng

Commands are lines on standard input:

  {forms}

SIGUSR1 is a crash, SIGUSR2 amnesia. Ctrl-C stops the end, and the capture is whole.

exit codes: 0 stopped, 2 bad input, 4 the medium cannot be opened
"""

import argparse
import json
from contextlib import closing
from pathlib import Path
from typing import Any, Final

from rich.status import Status

from oae.console import Console
from oae.drive.end import DrivenEnd
from oae.drive.orders import FORMS
from oae.drive.process import Process, Stepped
from oae.errors import OaeError
from oae.files import created
from oae.medium.address import GRAMMAR
from oae.medium.opening import open_medium
from oae.scenario.parse import ScenarioError, parse
from oae.scenario.scenario import ENDS, Scenario

SUMMARY = "one end of a link in Python, on a medium"
__doc__ = __doc__.format(forms="\n  ".join(FORMS))
HINT: Final = "its load begins with the command: load"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `oae drive`; `oae live` has them too."""
    parser.add_argument("--end", required=True, choices=ENDS, help="which end of the link it is")
    parser.add_argument(
        "--medium",
        required=True,
        help=" or ".join(GRAMMAR.split()),
    )
    parser.add_argument("--scenario", help="a file, or the name of one of the library")
    parser.add_argument("--file", type=Path, help="the file that the scenario's load carries")
    parser.add_argument("--capture", type=Path, metavar="PCAPNG", help="record this end")
    parser.add_argument(
        "--json", action="store_true", help="tell everything as JSON lines; end with the input"
    )


def main(arguments: argparse.Namespace) -> int:
    """Run the end until it is stopped."""
    scenario = Scenario() if arguments.scenario is None else parse(arguments.scenario)
    end = ENDS.index(arguments.end)
    content = content_of(scenario, end, arguments.file)
    with closing(open_medium(arguments.medium)) as medium:
        path = arguments.capture
        capture = None if path is None else created(path, "--capture")
        driven = DrivenEnd(end, medium, scenario, content=content, capture=capture)
        ready = {"end": arguments.end, "medium": medium.name, "clock": str(medium.clock)}
        run(driven, ready, arguments)
    return 0


def run(driven: Stepped, ready: dict[str, Any], arguments: argparse.Namespace) -> None:
    """Run an end in this process until it is stopped, and tell what it tells."""
    if arguments.json:
        Process(driven, _tell_json, ends_with_input=True).run(ready)
        return
    console = Console(stderr=True)
    with console.status("") as status:
        tell = Human(console, status, HINT if arguments.scenario else "").tell
        Process(driven, tell, ends_with_input=False).run(ready)


class Human:
    """Tells the same in words: what changes in place, what matters as lines."""

    def __init__(self, console: Console, status: Status, hint: str) -> None:
        self._console, self._status, self._hint = console, status, hint

    def tell(self, name: str, what: Any) -> None:
        """One thing."""
        if name == "progress":
            self._status.update(_line(what))
        elif name == "ready":
            text = f"end {what['end']} on {what['medium']}, {what['clock']}"
            self._console.print(text, highlight=False, markup=False)
            if self._hint:
                self._console.print(self._hint)
        elif isinstance(what, dict) and "link" in what:
            self._console.print(f"{name}: {_line(what)}", highlight=False)
        else:
            self._console.print(f"{name}: {what}", highlight=False, markup=False)


def _line(told: dict[str, Any]) -> str:
    latency = told["latency"]
    median = ""
    if latency["count"]:
        median = f", DATA to ACK {latency['median_ns'] / 1000:,.0f} us ({latency['clock']})"
    return (
        f"link {told['link']}, {told['submitted']:,} submitted, {told['committed']:,} committed, "
        f"{told['aborted']:,} aborted, {told['unknown']:,} unknown, {told['delivered']:,} delivered"
        f"{median}"
    )


def _tell_json(name: str, what: Any) -> None:
    print(json.dumps({name: what}), flush=True)


def content_of(scenario: Scenario, end: int, path: Path | None) -> bytes:
    """The bytes that this end's load carries."""
    if not scenario.loads[end].file:
        return b""
    if path is None:
        raise ScenarioError(f"{scenario.name}: the load carries a file; give it with --file")
    try:
        return path.read_bytes()
    except OSError as error:
        raise OaeError(f"--file {path}: {(error.strerror or str(error)).lower()}") from error
