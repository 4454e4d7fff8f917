"""Prove the RTL: the jobs of hdl/formal, side by side, with SBY, Yosys and yices.

  oae prove                     every proof but the long ones
  oae prove --list              what there is, and what it proves
  oae prove lane                one proof; lane:prove is one task of it
  oae prove --quick             the part that the regression runs
  oae prove lane --without F5   the RTL without an ingredient: what breaks, and how
  oae prove --ablations         every ingredient: the proof that fails without it, and must

Results go to build/prove: index.html (every property with its engine, depth and time),
index.xml (JUnit), and a folder a task with the log and, after a failure, the waveform. A
counterexample of lane:promises comes as a scenario as well, for `oae run`.

exit codes: 0 everything is proven, 1 something does not hold, 2 bad usage or a proof that cannot
be read, 3 inconclusive: not decided, 4 a tool is missing
"""

import argparse
import os
from collections.abc import Sequence
from typing import TYPE_CHECKING

from oae.options import positive

if TYPE_CHECKING:
    from oae.prove.runner import Outcome, Run
    from oae.prove.tasks import Task

SUMMARY = "prove the promises on the RTL, without a bound"
HOLDS, BROKEN, INCONCLUSIVE = 0, 1, 3
MOST_SHOWN = 5


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `oae prove`."""
    parser.add_argument("proof", nargs="*", help="a proof, or proof:task; all if none is named")
    parser.add_argument("--list", action="store_true", help="list the proofs and end")
    parser.add_argument(
        "--ablations", action="store_true", help="each ingredient of the RTL is needed by a proof"
    )
    parser.add_argument("--quick", action="store_true", help="only the quick tasks")
    parser.add_argument(
        "--without",
        action="append",
        default=[],
        metavar="ID",
        help="build the RTL without an ingredient (docs/protocol.md, section 9)",
    )
    parser.add_argument(
        "--parallel",
        type=positive,
        default=os.cpu_count() or 1,
        metavar="N",
        help="tasks at a time; as many as there are processors unless given",
    )


def main(arguments: argparse.Namespace) -> int:
    """List, or run and tell."""
    from oae.engines.rtl import check_ingredients
    from oae.errors import OaeError
    from oae.prove.tasks import choose, tasks

    check_ingredients(arguments.without)
    every = tasks()
    chosen = choose(every, arguments.proof, arguments.quick)
    if arguments.ablations:
        if arguments.proof or arguments.quick or arguments.without or arguments.list:
            raise OaeError("--ablations: stands alone; its rows say what runs without what")
        return _ablations(every, arguments.parallel)
    if arguments.list:
        _list(chosen if arguments.proof or arguments.quick else every)
        return HOLDS
    if not chosen:
        raise OaeError("none of these tasks is a quick one")
    return _prove(chosen, tuple(arguments.without), arguments.parallel)


def _list(chosen: Sequence["Task"]) -> None:
    from oae.prove.tasks import about
    from oae.synth.sources import ROOT

    proof = ""
    for task in chosen:
        if task.proof != proof:
            proof = task.proof
            print(f"{proof}: {about(ROOT / task.file)}")
        groups = f" ({', '.join(sorted(task.groups))})" if task.groups else ""
        print(f"  {task.title:<32}{task.mode}{groups}")


def _prove(chosen: Sequence["Task"], without: tuple[str, ...], parallel: int) -> int:
    from oae.prove.runner import FAIL, PASS

    title = "Proofs" + (f" without {', '.join(without)}" if without else "")
    outcomes = _run([(task, without) for task in chosen], title, parallel)
    results = {outcome.result for outcome in outcomes}
    if FAIL in results:
        return BROKEN
    return HOLDS if results == {PASS} else INCONCLUSIVE


def _ablations(every: list["Task"], parallel: int) -> int:
    """Each row must fail as it says; a row that holds is what is wrong."""
    from oae.prove.ablations import ablations

    rows = ablations(every)
    outcomes = _run([(row.task, (row.ingredient,)) for row in rows], "Ablations", parallel)
    complaints = [row.complaint(found) for row, found in zip(rows, outcomes, strict=True)]
    for complaint in filter(None, complaints):
        print(complaint)
    if any(complaints):
        return BROKEN
    print(f"{len(rows)} ingredients left out, one at a time: a proof failed each time, as recorded")
    return HOLDS


def _run(runs: Sequence["Run"], title: str, parallel: int) -> list["Outcome"]:
    from rich.console import Console

    from oae.jobs import shown
    from oae.prove import report
    from oae.prove.runner import BUILD, prove
    from oae.synth.sources import ROOT
    from oae.toolchain import tool_versions

    with shown(Console(stderr=True)) as progress:
        outcomes = prove(runs, progress, parallel)
    name = "ablations" if title == "Ablations" else "index"
    folder = ROOT / BUILD
    (folder / f"{name}.xml").write_text(report.junit(outcomes))
    (folder / f"{name}.html").write_text(report.page(outcomes, dict(tool_versions()), title))
    _show(outcomes)
    for outcome in outcomes:
        _tell_scenario(outcome)
    print(f"evidence: {BUILD / name}.html")
    return outcomes


def _tell_scenario(outcome: "Outcome") -> None:
    """A counterexample of the composed proof, as a scenario that replays on the simulators."""
    from oae.prove.scenario import scenario_of
    from oae.prove.waveform import WaveformError
    from oae.synth.sources import ROOT

    if outcome.task.title != "lane:promises":
        return
    for one in outcome.failed[:1]:
        if one.trace is None:
            continue
        try:
            text = scenario_of(one.trace)
        except WaveformError as error:
            print(f"no scenario: {error}")
            return
        path = outcome.log.with_name("counterexample.toml")
        path.write_text(text)
        without = "".join(f" --without {name}" for name in outcome.without)
        print(f"replay: oae run --scenario {path.relative_to(ROOT)}{without}")


def _show(outcomes: Sequence["Outcome"]) -> None:
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table

    from oae.prove.runner import PASS
    from oae.synth.sources import ROOT

    console = Console()
    table = Table(box=SIMPLE_HEAD)
    for name in ("task", "result", "mode", "engine"):
        table.add_column(name, no_wrap=True)
    for name in ("depth", "properties", "seconds"):
        table.add_column(name, justify="right")
    for outcome in outcomes:
        colour = "green" if outcome.result == PASS else "red"
        table.add_row(
            outcome.title,
            f"[{colour}]{outcome.result}[/]",
            outcome.task.mode,
            outcome.engine.removeprefix("smtbmc --nomem "),
            str(outcome.depth),
            str(len(outcome.properties)),
            f"{outcome.seconds:.0f}",
        )
    console.print(table)
    for outcome in outcomes:
        for one in outcome.failed[:MOST_SHOWN]:
            trace = one.trace.relative_to(ROOT) if one.trace else outcome.log.relative_to(ROOT)
            console.print(f"[red]{one.name}[/] fails at {one.location}: {trace}", soft_wrap=True)
