"""Run the claims of the paper on atomicity and epochs, and judge each by what came of it.

  oae epoch list                    every claim, in the order of the abstract
  oae epoch claim NAME              one experiment; --long for the sizes of the long targets
  oae epoch report --out FILE       all of them, as one HTML page

The seed fixes every outcome. docs/epoch.md says what each row is and what it came to.

exit codes: 0 every row came to the standing that is on record for it, 1 a row came to another (a
broken promise of the bilateral protocol, or an experiment that no longer shows what it did), 2 bad
input, 4 an experiment could not be made: a tool is missing, a build failed
"""

import argparse
import difflib
import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from oae.errors import OaeError

if TYPE_CHECKING:
    from oae.epoch.claim import Claim
    from oae.epoch.report.rows import Row

SUMMARY = "run the claims on snapshots and convergence, and judge each"
Tell = Callable[[str, int, int], None]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The sub-commands of `oae epoch` and their options."""
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    every = actions.add_parser("list", help="list the claims")
    claim = actions.add_parser("claim", help="run one claim")
    claim.add_argument("name", help="of the claim; `oae epoch list` has them")
    report = actions.add_parser("report", help="run every claim and write one HTML page")
    report.add_argument("--out", type=Path, required=True, metavar="FILE", help="the page")
    for action in (claim, report):
        action.add_argument("--seed", type=_seed, default=1, help="fixes all outcomes (default 1)")
        action.add_argument("--long", action="store_true", help="the sizes of the long targets")
    for action in (every, claim, report):
        action.add_argument("--json", action="store_true", help="print JSON only")


def main(arguments: argparse.Namespace) -> int:
    """List, or run and tell."""
    from oae.epoch.report.rows import claims

    every = claims()
    if arguments.action == "list":
        return _list(every, arguments.json)
    if arguments.action == "claim":
        return _claim(_named(arguments.name, every), arguments)
    return _report(every, arguments)


def _seed(text: str) -> int:
    if not (text.isascii() and text.isdigit()):
        raise argparse.ArgumentTypeError(f"'{text}' is no seed: a whole number, 0 or more")
    return int(text)


def _named(name: str, every: Sequence["Claim"]) -> "Claim":
    known = {claim.name: claim for claim in every}
    if name not in known:
        close = difflib.get_close_matches(name, known, n=1)
        hint = f"did you mean {close[0]}?" if close else "`oae epoch list` has them"
        raise OaeError(f"no claim {name}; {hint}")
    return known[name]


def _list(every: Sequence["Claim"], as_json: bool) -> int:
    from oae.console import Console
    from oae.epoch.report import terminal

    if as_json:
        print(json.dumps([terminal.describe(claim) for claim in every], indent=1))
    else:
        terminal.show_claims(Console(), every)
    return 0


def _claim(claim: "Claim", arguments: argparse.Namespace) -> int:
    from oae.console import Console
    from oae.epoch.report import terminal

    (row,) = _run([claim], arguments)
    if arguments.json:
        print(json.dumps(terminal.as_json(row), indent=1))
    else:
        terminal.show_row(Console(), row)
    return row.exit_code


def _report(every: Sequence["Claim"], arguments: argparse.Namespace) -> int:
    from oae.console import Console
    from oae.epoch.report import terminal
    from oae.epoch.report.page import write_page
    from oae.epoch.report.rows import exit_code
    from oae.files import check_writable

    check_writable(arguments.out, "--out")
    rows = _run(every, arguments)
    long = " --long" if arguments.long else ""
    again = f"oae epoch report --out {arguments.out.name} --seed {arguments.seed}{long}"
    try:
        write_page(rows, arguments.out, again)
    finally:  # a page that cannot be written after all costs nobody the figures
        if arguments.json:
            print(json.dumps([terminal.as_json(row) for row in rows], indent=1))
        else:
            terminal.show_summary(Console(), rows)
    return exit_code(rows)


def _run(chosen: Sequence["Claim"], arguments: argparse.Namespace) -> list["Row"]:
    from oae.epoch.claim import Effort
    from oae.epoch.report.rows import run

    rows = []
    with _progress(len(chosen)) as begin:
        for claim in chosen:
            rows.append(run(claim, Effort(arguments.seed, arguments.long, begin(claim.name))))
    return rows


@contextmanager
def _progress(count: int) -> Iterator[Callable[[str], Tell]]:
    """On standard error: how many claims are done, and where the present one is."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn("{task.description}"), BarColumn(20), MofNCompleteColumn())
    with Progress(
        *columns, TimeElapsedColumn(), console=Console(stderr=True), transient=True
    ) as bars:
        whole = bars.add_task("claims", total=count, completed=-1)
        inner = bars.add_task("", total=None, visible=False)

        def begin(name: str) -> Tell:
            bars.update(whole, advance=1, description=name)
            bars.update(inner, visible=False)

            def tell(what: str, done: int, of: int) -> None:
                bars.update(inner, description=what, completed=done, total=of, visible=True)

            return tell

        yield begin
