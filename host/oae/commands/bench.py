"""Benches: check a bench file, show what it needs, find what is wrong, lease what only one can use.

  oae bench check my.yaml            is the file right? Says line and key
  oae bench show my.yaml             ends, media, resources, and who has them now
  oae bench doctor my.yaml           names the usual faults of ports, interfaces, boards, link
  oae bench lease my.yaml --hours 2 --purpose "timing"
  oae bench release my.yaml

A bench is a file (docs/bench.md) or one of the library by its bare name. The doctor leases the
bench while it works and switches its ends off and on; ends that are processes it starts itself.

exit codes: 0 done (doctor: nothing found), 1 found something or it is somebody else's, 2 bad
input, 4 the bench cannot be started
"""

import argparse
import json
from typing import Any

from oae.bench import lease
from oae.bench.bench import Bench
from oae.bench.doctor import examine
from oae.bench.parse import library, parse
from oae.bench.plugged import plugged_in
from oae.errors import OaeError

SUMMARY = "check, show, examine and lease a bench"
ACTIONS = ("check", "show", "doctor", "lease", "release")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `oae bench`."""
    parser.add_argument("action", choices=ACTIONS)
    parser.add_argument("bench", metavar="BENCH", help=f"a file, or one of {', '.join(library())}")
    parser.add_argument("--json", action="store_true", help="print everything as JSON only")
    parser.add_argument("--hours", type=float, help="lease: for so long (1)")
    parser.add_argument("--purpose", help="lease: what for")
    parser.add_argument(
        "--force", action="store_true", help="release: another owner's, if no process holds it"
    )


def main(arguments: argparse.Namespace) -> int:
    """Do the one action."""
    _refuse(arguments)
    match arguments.action:
        case "check":
            bench = parse(arguments.bench)
            _tell(arguments, {"bench": bench.name}, [f"{bench.name}: right"])
        case "show":
            bench, said = plugged_in(arguments.bench)
            states = [lease.state(one) for one in bench.resources]
            _tell(arguments, _as_dict(bench, said, states), _lines(bench, said, states))
        case "doctor":
            return _doctor(arguments)
        case "lease":
            bench, said = plugged_in(arguments.bench)
            seconds = lease.HOUR * (1 if arguments.hours is None else arguments.hours)
            states = lease.lease(bench.resources, arguments.purpose or "", seconds)
            _tell_leases(arguments, said, states)
        case "release":
            bench, said = plugged_in(arguments.bench)
            lease.release(bench.resources, force=arguments.force)
            _tell_leases(arguments, said, [lease.state(one) for one in bench.resources])
    return 0


def _refuse(arguments: argparse.Namespace) -> None:
    for name, action in (("hours", "lease"), ("purpose", "lease"), ("force", "release")):
        if getattr(arguments, name) and arguments.action != action:
            raise OaeError(f"--{name}: goes with {action} only")
    if arguments.hours is not None and not 0 < arguments.hours <= 24 * 7:
        raise OaeError(f"--hours {arguments.hours:g}: not above 0 and up to a week")


def _doctor(arguments: argparse.Namespace) -> int:
    bench, said = plugged_in(arguments.bench)
    with lease.held(bench.resources, "oae bench doctor"):
        findings = examine(bench)
    told = {"bench": bench.name, "said": said, "findings": [one.as_dict() for one in findings]}
    lines = [*said, *map(str, findings)]
    count = f"{len(findings) or 'no'} finding{'' if len(findings) == 1 else 's'}"
    _tell(arguments, told, [*lines, f"{bench.name}: {count}"])
    return 1 if findings else 0


def _tell(arguments: argparse.Namespace, told: dict[str, Any], lines: list[str]) -> None:
    print(json.dumps(told, indent=2) if arguments.json else "\n".join(lines))


def _tell_leases(arguments: argparse.Namespace, said: list[str], states: list[lease.State]) -> None:
    told = {"said": said, "resources": [_state(one) for one in states]}
    nothing = ["nothing to lease: this bench shares nothing with anybody"]
    _tell(arguments, told, [*said, *(map(str, states) if states else nothing)])


def _state(state: lease.State) -> dict[str, Any]:
    record = state.record
    return {
        "resource": state.resource,
        "free": state.free,
        "held": state.held,
        "owner": record.owner if record else None,
        "purpose": record.purpose if record else None,
        "expiry": record.expiry if record else None,
    }


def _lines(bench: Bench, said: list[str], states: list[lease.State]) -> list[str]:
    ends = [f"{name}: {end}" for name, end in bench.named_ends.items()]
    if bench.relay:
        ends.append("the relay stands between them")
    ends.append(f"ticks: {bench.clocks.tick:,} a second")
    return [f"{bench.name}: {bench.text}", *said, *ends, *map(str, states)]


def _as_dict(bench: Bench, said: list[str], states: list[lease.State]) -> dict[str, Any]:
    ends = {
        name: {
            "kind": end.kind,
            "medium": None if end.medium is None else str(end.medium),
            "board": end.board or None,
            "serial": None if end.serial is None else vars(end.serial),
        }
        for name, end in bench.named_ends.items()
    }
    return {
        "bench": bench.name,
        "text": bench.text,
        "said": said,
        "ends": ends,
        "relay": bench.relay,
        "tick": bench.clocks.tick,
        "resources": [_state(one) for one in states],
    }
