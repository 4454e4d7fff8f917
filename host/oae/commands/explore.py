"""Visit every state that two reference ends and an adversarial medium can reach.

In each state the promises of docs/protocol.md, section 8, must hold (in the lane world also the
relations of section 7), and from each state everything in flight must still be able to resolve.
What the adversary may do is a budget: give it crashes, losses, amnesia, and see whether the
protocol survives. Or take an ingredient out of the protocol and see, step by step, what breaks.

  oae explore                                 one lane, any loss, duplication and reordering
  oae explore --crashes-a 2 --crashes-b 2     the same with crashes of both ends
  oae explore --world session --warm --channel fifo --amnesias-b 1 --ids 1 --no-timers
  oae explore --list                          the ingredients, and the budget that needs each
  oae explore --without F5                    what happens without one, in its own budget
  oae explore --all                           every ingredient, taken out and put back

exit codes: 0 complete and clean, 1 something does not hold (the shortest way to it is printed),
2 bad usage, 3 inconclusive: the limit was reached first. With --all, 0 means that each ingredient
is needed: its search fails without it as recorded, and is complete and clean with it.
"""

import argparse
import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import fields, replace
from typing import TYPE_CHECKING, Any

from oae.options import positive

if TYPE_CHECKING:
    from oae.explore.configuration import Configuration
    from oae.explore.ingredients import Ingredient
    from oae.explore.search import Progress, Result

SUMMARY = "visit every reachable state of two ends and an adversary; show what an ingredient is for"

CLEAN, BROKEN, INCONCLUSIVE = 0, 1, 3
HELP = {
    "capacity": "frames on the way at most, each direction (fifo, reordering)",
    "window": "WINDOW of the ends, in slots",
    "peer_window": "another WINDOW for B (session); 0: the same",
    "ids": "records that A's host submits at most",
    "peer_ids": "records that B's host submits at most (not in the lane world)",
    "first_id": "id of the first transaction (lane)",
    "id_bits": "width of an id",
    "beat_bits": "width of a beat number",
    "equal_records": "all records are equal (lane)",
    "by_count": "only count outcomes and deliveries (equal records under reused ids)",
    "warm": "start with the link UP (session)",
    "earlier": "a SYNC of each end's earlier session is still on the way (session)",
    "timers": "SYNC repeats every SYNC_INTERVAL (session)",
    "retries": "an echo may prove an answer overdue at any time (not beat)",
    "lossless": "check that nothing is sent again unless a frame was lost (beat)",
    "challenges": "so many challenges of an end must do; 0: any number (session)",
    "epochs": "epochs that each host goes through",
    "advances": "epochs that A's host advances to, such as 1,2",
    "peer_advances": "epochs that B's host advances to",
    "progress": "ask whether every state can still resolve",
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options: one for each field of a configuration, and what to print."""
    from oae.explore.configuration import BUDGET, CHANNELS, WORLDS, Configuration

    what = parser.add_argument_group("what to do")
    what.add_argument("--list", action="store_true", help="list the ingredients and end")
    what.add_argument("--all", action="store_true", help="take out and put back every ingredient")
    what.add_argument(
        "--without",
        metavar="ID",
        help="take out an ingredient, or several (F1,F4); the budget of the first is the default",
    )
    what.add_argument("--json", action="store_true", help="print the result as JSON")
    what.add_argument(
        "--limit-states", type=positive, metavar="N", help="give up after N states (exit code 3)"
    )
    world = parser.add_argument_group("world", f"{_choices(WORLDS)}\n\n{_choices(CHANNELS)}")
    budget = parser.add_argument_group("budget of the adversary, 0 unless given")
    for field in fields(Configuration):
        option, default = f"--{field.name.replace('_', '-')}", field.default
        if field.name in ("world", "channel"):
            choices = WORLDS if field.name == "world" else CHANNELS
            world.add_argument(option, choices=choices, help=f"default {default}")
        elif field.name in BUDGET:
            budget.add_argument(option, type=int, metavar="N", help=BUDGET[field.name])
        elif field.name in HELP:
            text = HELP[field.name]
            if isinstance(default, bool):
                action: Any = argparse.BooleanOptionalAction
                world.add_argument(option, action=action, default=None, help=text)
            elif isinstance(default, tuple):
                world.add_argument(option, type=_epochs, metavar="E,...", help=text)
            else:
                text += f"; default {default}"
                world.add_argument(option, type=int, metavar="N", help=text)


def _choices(table: dict[str, str]) -> str:
    return "\n".join(f"{name:<11}{text}" for name, text in table.items())


def _epochs(text: str) -> tuple[int, ...]:
    return tuple(int(word) for word in text.split(",") if word)


def main(options: argparse.Namespace) -> int:
    """List, run one search, or run them all."""
    from oae.explore.ingredients import ingredients

    _check_usage(options)
    if options.list:
        _list(list(ingredients().values()), options.json)
        return CLEAN
    if options.all:
        return _all(list(ingredients().values()), options)
    configuration = _configuration(options)
    result = _run(configuration, options)
    if options.json:
        print(json.dumps(_as_data(configuration, result), indent=2))
    else:
        _print(configuration, result)
    return _code(result)


def _check_usage(options: argparse.Namespace) -> None:
    """An option that would be ignored is refused; raises ConfigurationError."""
    from oae.explore.configuration import Configuration, ConfigurationError

    if options.all and options.list:
        raise ConfigurationError("--all: not together with --list")
    if not options.all and not options.list:
        return
    what = "--all" if options.all else "--list"
    for name in ["without", *(field.name for field in fields(Configuration))]:
        value = getattr(options, name, None)
        if value is not None:
            option = name.replace("_", "-")
            raise ConfigurationError(
                f"--{option}: not together with {what}, where each ingredient has its own budget"
            )


def _configuration(options: argparse.Namespace) -> "Configuration":
    """The search that the options ask for; an ingredient taken out brings its own budget."""
    from oae.explore.configuration import Configuration, ConfigurationError
    from oae.explore.ingredients import ingredients

    base = Configuration()
    removed = [] if options.without is None else options.without.split(",")
    for name in removed:
        if name not in ingredients():
            known = ", ".join(ingredients())
            raise ConfigurationError(f"--without {name!r}: no such ingredient; there are {known}")
    if removed:
        ablated = ingredients()[removed[0]].ablated()
        if ablated is None:
            raise ConfigurationError(f"{removed[0]} can only be taken out of the RTL")
        base = replace(ablated, without=frozenset(removed))
    given = {
        field.name: getattr(options, field.name)
        for field in fields(Configuration)
        if field.name != "without" and getattr(options, field.name) is not None
    }
    return replace(base, **given)


def _code(result: "Result") -> int:
    if result.broken is not None:
        return BROKEN
    return CLEAN if result.complete else INCONCLUSIVE


def _run(configuration: "Configuration", options: argparse.Namespace) -> "Result":
    with _progress(options.json) as report:
        return configuration.search(options.limit_states, report).run()


@contextmanager
def _progress(quiet: bool) -> Iterator[Callable[["Progress"], None] | None]:
    """A line on the terminal that says how far the search is; nothing where nobody looks."""
    if quiet or not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console

    with Console(stderr=True).status("exploring") as status:

        def report(progress: "Progress") -> None:
            rate = progress.states / progress.seconds
            status.update(
                f"{progress.states:,} states, {rate:,.0f} a second, "
                f"frontier {progress.frontier:,}, depth {progress.depth}"
            )

        yield report


def _command(configuration: "Configuration") -> str:
    return " ".join(["oae explore", *configuration.words()])


def _print(configuration: "Configuration", result: "Result") -> None:
    print(_command(configuration))
    for number, step in enumerate(result.steps, 1):
        print(f"{number:4}  {step.who:<6}  {step.text}")
        print(f"{'':14}A: {step.a}   B: {step.b}")
    if result.broken is not None:
        print(f"broken: {result.broken}")
        if result.unresolvable:
            print(f"        in {result.unresolvable:,} of {result.states:,} states")
    elif result.complete:
        print("complete: in every reachable state all holds, and everything can still resolve")
    else:
        print("INCONCLUSIVE: the limit was reached before every state was seen")
    print(
        f"{result.states:,} states, {result.moves:,} steps, depth {result.depth}, "
        f"{result.seconds:.1f} s, {result.rate:,.0f} states a second"
    )


def _as_data(configuration: "Configuration", result: "Result") -> dict[str, Any]:
    verdict = {CLEAN: "clean", BROKEN: "broken", INCONCLUSIVE: "inconclusive"}[_code(result)]
    return {
        "command": _command(configuration),
        "verdict": verdict,
        "broken": result.broken,
        "states": result.states,
        "moves": result.moves,
        "depth": result.depth,
        "unresolvable": result.unresolvable,
        "seconds": round(result.seconds, 3),
        "steps": [step._asdict() for step in result.steps],
    }


def _list(rows: list["Ingredient"], as_json: bool) -> None:
    if as_json:
        data = [
            {
                "id": row.id,
                "text": row.text,
                "removed": row.removed,
                "happens": row.happens,
                "rtl": row.rtl,
                "broken": row.broken,
                "steps": row.steps,
                "command": _command(found) if (found := row.ablated()) else None,
            }
            for row in rows
        ]
        print(json.dumps(data, indent=2))
        return
    for row in rows:
        found = row.ablated()
        print(f"{row.id:<4}{row.text}{' (also in RTL)' if row.rtl and found else ''}")
        print(f"    without: {row.removed}: {row.happens}")
        if found is None:
            print("    only in RTL")
        else:
            print(f"    {row.broken} ({row.steps} steps)")
            print(f"    {_command(found)}")


def _all(rows: list["Ingredient"], options: argparse.Namespace) -> int:
    """Each ingredient taken out and put back; says whether all is as recorded."""
    good, data = True, []
    for row in rows:
        ablated, complete = row.ablated(), row.complete()
        if ablated is None or complete is None:
            continue
        without, intact = _run(ablated, options), _run(complete, options)
        as_recorded = (without.broken, len(without.steps)) == (row.broken, row.steps)
        good = good and as_recorded and intact.clean
        if options.json:
            data.append(
                {
                    "id": row.id,
                    "without": _as_data(ablated, without),
                    "intact": _as_data(complete, intact),
                    "as_recorded": as_recorded,
                }
            )
            continue
        print(
            f"{row.id:<4} without: {without.broken or 'nothing broken'} "
            f"({len(without.steps)} steps, {without.seconds:.1f} s)"
            f"{'' if as_recorded else ' NOT AS RECORDED'}; "
            f"intact: {'clean' if intact.clean else intact.broken or 'inconclusive'} "
            f"({intact.states:,} states, {intact.seconds:.1f} s)",
            flush=True,
        )
    if options.json:
        print(json.dumps(data, indent=2))
    return CLEAN if good else BROKEN
