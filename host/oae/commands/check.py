"""Check a capture: did the link keep its promises, and if not, where did it first break one?

  oae check runs/demo                     the capture of a run, with everything that happened inside
  oae check capture.pcapng                any pcapng or pcap file with OAE frames, from any tool
  oae check a.pcapng b.pcapng             two taps, one at each end of a cable: merged, then checked
  oae check capture.pcapng --report page.html     ... and see it

What frames alone cannot show (deliveries, outcomes) is INCONCLUSIVE; --wire leaves it out.

exit codes: 0 PASS, 1 FAIL, 2 bad input, 3 INCONCLUSIVE, 4 the capture cannot be judged
"""

import argparse
import json
import shlex
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from io import BufferedReader, RawIOBase
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import cast

from rich import progress

from oae.capture.clocks import MergeError
from oae.capture.merge import Merge, merge
from oae.capture.read import Capture
from oae.capture.record import IN_RUN
from oae.check.capture import check
from oae.check.explain import explain
from oae.check.findings import Result
from oae.check.verdict import EXIT_CODES, Verdict
from oae.console import Console
from oae.errors import OaeError
from oae.options import positive
from oae.report.exports import EXPORTS, export
from oae.report.page import write_report
from oae.report.terminal import show

SUMMARY = "check a capture: were the promises kept, and where were they not?"
STANDARD_INPUT = "-"
COARSE = 100e-9  # seconds; coarser time stamps may hide how the clocks run
LARGE = 64 << 20  # bytes from which on progress is shown


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `oae check`."""
    parser.add_argument(
        "captures",
        nargs="+",
        metavar="CAPTURE",
        help="a pcapng or pcap file (also gzipped), a run directory, or - for standard input; two: "
        "the taps at the two ends of one cable, a's first",
    )
    parser.add_argument("--wire", action="store_true", help="judge only what frames can show")
    parser.add_argument(
        "--explain", action="store_true", help="show the packets that explain the first finding"
    )
    parser.add_argument("--report", type=Path, metavar="HTML", help="write the report")
    parser.add_argument(
        "--export",
        action="append",
        default=[],
        metavar="WHAT=FILE",
        help=f"write it for another program; WHAT is one of {', '.join(EXPORTS)}",
    )
    parser.add_argument(
        "--transaction", metavar="NAME", help="the one that Mermaid shows, as the report names it"
    )
    parser.add_argument(
        "--keep",
        type=positive,
        default=20_000,
        metavar="N",
        help="transactions that the report and the exports show, besides the slowest and those "
        "with a finding (default: 20000)",
    )
    parser.add_argument(
        "--merged", type=Path, metavar="PCAPNG", help="keep what two captures were merged to"
    )
    parser.add_argument("--json", action="store_true", help="print everything as JSON only")
    parser.add_argument("--quiet", action="store_true", help="print the verdict's line only")


def main(arguments: argparse.Namespace) -> int:
    """Read, check, tell."""
    exports = [_export(text) for text in arguments.export]
    paths = [_capture(name) for name in arguments.captures]
    targets = [target for _, target in exports]
    targets += [path for path in (arguments.report, arguments.merged) if path is not None]
    _refuse(arguments, paths, targets)
    try:
        with _one(paths, arguments.merged) as (path, said):
            result = _check(path, arguments)
            result.lines[:0] = said
            _tell(result, path, arguments)
            title = " and ".join(Path(name).name for name in arguments.captures)
            if arguments.report is not None:
                command = shlex.join(["oae", "check", *arguments.captures])
                capture = Path(path)
                write_report(result, arguments.report, title=title, again=command, capture=capture)
            for what, target in exports:
                named = arguments.transaction
                export(result, what, target, capture=Path(path), transaction=named)
    except MergeError as error:
        whole = {"verdict": Verdict.INCONCLUSIVE, "reason": str(error)}
        print(json.dumps(whole) if arguments.json else f"{Verdict.INCONCLUSIVE}: {error}")
        if targets:
            print("oae: nothing is written: the two captures are not one", file=sys.stderr)
        return EXIT_CODES[Verdict.INCONCLUSIVE]
    return EXIT_CODES[result.verdict]


def _refuse(arguments: argparse.Namespace, paths: list[str], targets: list[Path]) -> None:
    """Raise OaeError for options that cannot be served, before anything is read or written."""
    if len(paths) > 2:
        raise OaeError(f"{len(paths)} captures given; one, or the two ends of one cable")
    if arguments.merged is not None and len(paths) < 2:
        raise OaeError("--merged: needs the two captures that are merged")
    if arguments.explain and arguments.json:
        raise OaeError("--explain: --json holds what explains a finding by itself")
    drawn = any(text.startswith("mermaid=") for text in arguments.export)
    if arguments.transaction is not None and not drawn:
        raise OaeError("--transaction: needs --export mermaid=FILE")
    again = len(paths) == 1 and (arguments.explain or arguments.report or arguments.export)
    for path in paths:
        once = path == STANDARD_INPUT or (Path(path).exists() and not Path(path).is_file())
        if once and (again or paths.count(path) > 1):
            raise OaeError(f"{path}: can be read once only; give a file")
    whole = [path.resolve() for path in targets]
    inputs = {Path(path).resolve() for path in paths}
    for target, name in zip(whole, targets, strict=True):
        if target in inputs:
            raise OaeError(f"{name}: is the capture itself")
        if whole.count(target) > 1:
            raise OaeError(f"{name}: is to be written twice")


def _tell(result: Result, path: str, arguments: argparse.Namespace) -> None:
    if arguments.json:
        print(json.dumps(result.as_dict(), indent=2))
    elif arguments.quiet:
        print(f"{result.verdict}: {result.reason}")
    else:
        show(Console(), result)
    found = [*result.findings, *result.unknowns]
    if arguments.explain and found:
        print(f"what explains: {found[0]}")
        for line in explain(path, found[0]):
            print(line)


def _capture(name: str) -> str:
    """The file that is meant: that of a run, if its directory is named."""
    path = Path(name)
    return str(path / IN_RUN) if path.is_dir() else name


def _export(text: str) -> tuple[str, Path]:
    what, equals, path = text.partition("=")
    if what not in EXPORTS or not equals or not path:
        raise OaeError(f"--export {text}: not WHAT=FILE with WHAT one of {', '.join(EXPORTS)}")
    return what, Path(path)


@contextmanager
def _one(paths: list[str], keep: Path | None) -> Iterator[tuple[str, list[str]]]:
    """The capture to check, merged from two if two are given, and what there is to say of it."""
    if len(paths) == 1:
        yield paths[0], []
        return
    with TemporaryDirectory() as folder:
        target = keep or Path(folder) / IN_RUN
        a, b = Capture(paths[0]), Capture(paths[1])
        try:
            found = merge(a, b, target)
        except MergeError as error:
            coarsest = max(one.resolution for tap in (a, b) for one in tap.interfaces)
            if coarsest <= COARSE:
                raise
            hint = f"time stamps count {coarsest * 1e9:,.0f} ns; capture with nanoseconds"
            raise MergeError(f"{error} ({hint})") from error
        damage = [f"{one.name}: {one.damage}" for one in (a, b) if one.damage]
        yield str(target), [_merged(found), *damage]


def _merged(found: Merge) -> str:
    return (
        f"merged: b's clock {found.offset:+,.0f} ns and {found.drift:+.3f} ppm against a's "
        f"(within {found.uncertainty:,.0f} ns), jitter {found.jitter:,.0f} ns; "
        f"{found.matched:,} frames at both taps, {found.only_in_a:,} only at a's, "
        f"{found.only_in_b:,} only at b's"
    )


def _check(path: str, arguments: argparse.Namespace) -> Result:
    """Check, with a bar for what takes a while."""
    if path == STANDARD_INPUT or not Path(path).is_file() or Path(path).stat().st_size < LARGE:
        return check(Capture(path), wire=arguments.wire, keep=arguments.keep)
    console = Console(stderr=True, quiet=arguments.quiet)
    with progress.open(path, "rb", description="checking", console=console, transient=True) as file:
        whole = BufferedReader(cast(RawIOBase, file))
        return check(Capture(whole), wire=arguments.wire, keep=arguments.keep)
