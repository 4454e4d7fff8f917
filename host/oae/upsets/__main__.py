"""What single flipped bits do to the link: a table by kind of state (docs/soft-errors.md).

    python -m oae.upsets --flips 200 --json upsets.json --save upsets/

Each flip has a run of its own, at a random cycle of a run with faults. What is drawn is a hash of
the seed, so the same command gives the same table.

exit codes: 0 done, 2 bad input, 4 the bench failed
"""

import argparse
import os
import sys
from collections.abc import Mapping, Sequence
from concurrent.futures import BrokenExecutor
from pathlib import Path

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from oae.campaign.workers import processes
from oae.console import Console
from oae.engines.rtl import EngineError
from oae.errors import OaeError
from oae.options import positive
from oae.scenario.upsets import parse_upset
from oae.scenario.write import write_scenario
from oae.upsets.study import Kind, as_json, kinds, study, table, trials
from oae.upsets.trial import Effect, Result, scenario


def main() -> int:
    """Flip, judge, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--flips", type=positive, default=50, help="of each kind of state")
    parser.add_argument("--seed", type=int, default=1, help="of what is drawn")
    parser.add_argument("--jobs", type=positive, default=os.cpu_count(), help="processes")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every trial as well")
    parser.add_argument(
        "--save",
        type=Path,
        metavar="FOLDER",
        help="write a scenario of each kind of state in which a promise breaks silently",
    )
    arguments = parser.parse_args()
    try:
        # What is wrong with what is asked is found out before the long part.
        if arguments.json is not None and not arguments.json.parent.is_dir():
            raise OaeError(f"--json {arguments.json}: no such directory: {arguments.json.parent}")
        if arguments.save is not None:
            arguments.save.mkdir(parents=True, exist_ok=True)
        members = kinds()
        asked = {
            kind: list(trials(kind, found, arguments.flips, arguments.seed))
            for kind, found in members.items()
        }
        columns = (
            TextColumn("flips"),
            BarColumn(bar_width=40),
            MofNCompleteColumn(),
            TimeRemainingColumn(),
        )
        with (
            processes(arguments.jobs) as executor,
            Progress(*columns, console=Console(stderr=True)) as progress,
        ):
            bar = progress.add_task("flips", total=sum(map(len, asked.values())))
            results = study(executor, asked, lambda done: progress.update(bar, advance=done))
        if arguments.json is not None:
            arguments.json.write_text(as_json(members, results))
        if arguments.save is not None:
            save(arguments.save, results)
    except OSError as error:
        print(f"oae: {error.filename}: {(error.strerror or '?').lower()}", file=sys.stderr)
        return OaeError.exit_code
    except BrokenExecutor:
        print("oae: a worker died", file=sys.stderr)
        return EngineError.exit_code
    except OaeError as error:
        print(f"oae: {error}", file=sys.stderr)
        return error.exit_code
    print(table(members, results))
    return 0


def save(folder: Path, results: Mapping[Kind, Sequence[Result]]) -> None:
    """Write the first silent one of each kind, to be played by `oae run --scenario`."""
    for kind, found in results.items():
        first = next((result for result in found if result.effect is Effect.SILENT), None)
        if first is not None:
            name = f"{kind.of} {kind.group}".replace(",", "").replace(" ", "-")
            comment = f"{first.upset}: {', '.join(first.promises)}"
            played = scenario(first.seed, parse_upset(first.upset))
            (folder / f"{name}.toml").write_text(write_scenario(played, comment))


if __name__ == "__main__":
    sys.exit(main())
