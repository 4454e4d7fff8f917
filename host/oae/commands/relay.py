"""Pass frames on between two media, with the faults of a scenario, and record both sides.

End a is behind the first medium, end b behind the second. Rates, fates, cuts and conditions on
frames and time are those of the scenario file (docs/scenario.md); a cycle there is a tick of 20 us
here. What waits for a step of an end, or does something to one, takes `oae run`.

  oae relay unix:/tmp/ra,/tmp/a unix:/tmp/rb,/tmp/b --scenario lossy.toml --capture relay.pcapng
  oae relay packet:eth1 packet:eth2

Ctrl-C ends it, and the capture is whole.

exit codes: 0 ended by Ctrl-C or by the scenario, 2 bad input, 4 a medium cannot be opened
"""

import argparse
import json
import os
import selectors
import signal
import sys
import time
from contextlib import ExitStack, closing
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

from oae.console import Console
from oae.files import created
from oae.medium.opening import open_medium
from oae.medium.signals import Signals, signals
from oae.relay.relay import Relay, of_ends
from oae.scenario.layout import Fault
from oae.scenario.parse import parse
from oae.scenario.scenario import DIRECTIONS, ENDS, Scenario

SUMMARY = "pass frames on between two media, with the faults of a scenario"
TELL_EVERY: Final = 0.5  # seconds
_INPUT_BYTES: Final = 65536


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `oae relay`."""
    parser.add_argument("a", metavar="A", help="the medium of end a: unix:, udp:, tap: or packet:")
    parser.add_argument("b", metavar="B", help="the medium of end b")
    parser.add_argument("--scenario", help="a file, or the name of one of the library")
    parser.add_argument("--capture", type=Path, metavar="PCAPNG", help="record both sides")
    parser.add_argument(
        "--json", action="store_true", help="statistics as JSON only; end with the input"
    )


def main(arguments: argparse.Namespace) -> int:
    """Relay until it is ended."""
    scenario = Scenario() if arguments.scenario is None else parse(arguments.scenario)
    for line in of_ends(scenario):
        print(f"oae: this relay alone will not play {line}", file=sys.stderr)
    with signals(signal.SIGINT, signal.SIGTERM) as ending, ExitStack() as stack:
        a, b = (stack.enter_context(closing(open_medium(arguments.__dict__[end]))) for end in ENDS)
        capture = None
        if arguments.capture is not None:
            capture = stack.enter_context(created(arguments.capture, "--capture"))
        relay = Relay(a, b, scenario, capture)
        stack.callback(relay.finish)
        _loop(relay, ending, Console(quiet=arguments.json, stderr=True), arguments.json)
    told = _statistics(relay)
    if arguments.json:
        print(json.dumps(told))
    else:
        for direction in DIRECTIONS:
            print(_line(direction, told[direction]))
    return 0


def _loop(relay: Relay, ending: Signals, console: Console, ends_with_input: bool) -> None:
    with (
        selectors.SelectSelector() as selector,  # the others round up to milliseconds
        console.status("") as status,
    ):
        for source in (*relay.media, ending):
            selector.register(source, selectors.EVENT_READ)
        if ends_with_input:
            selector.register(sys.stdin, selectors.EVENT_READ, _is_input_ended)
        relay.begin()
        told_at = time.monotonic()
        before = 0
        is_ended = False
        while not (is_ended or relay.stop or ending.taken()):
            for key, _ in selector.select(relay.wait()):
                is_ended |= key.data is not None and key.data()
            relay.step()
            now = time.monotonic()
            if now >= told_at + TELL_EVERY:
                frames = sum(relay.frames)
                rate = (frames - before) / (now - told_at)
                status.update(_live(relay, rate))
                told_at, before = now, frames
                relay.flush()
        relay.step()  # what had come by then


def _is_input_ended() -> bool:
    return not os.read(sys.stdin.fileno(), _INPUT_BYTES)


def _live(relay: Relay, rate: float) -> str:
    struck = sum(sum(faults.values()) for faults in relay.faults)
    a, b = relay.frames
    return f"{a:,} frames from a, {b:,} from b, {struck:,} struck; {rate:,.0f} frames/s"


def _statistics(relay: Relay) -> dict[str, Any]:
    """What was passed on, by direction and by medium."""
    found: dict[str, Any] = {}
    for direction, frames, faults in zip(DIRECTIONS, relay.frames, relay.faults, strict=True):
        by_kind = {
            fault.name: sum(count for kinds, count in faults.items() if kinds & fault)
            for fault in Fault
        }
        struck = {name: count for name, count in by_kind.items() if count}
        found[direction] = {"frames": frames, "faults": struck}
    for end, medium in zip(ENDS, relay.media, strict=True):
        found[end] = {"medium": medium.name, "clock": str(medium.clock), **asdict(medium.counters)}
    return found


def _line(direction: str, told: dict[str, Any]) -> str:
    struck = [
        f"{count:,} {name.lower().replace('_', ' ')}" for name, count in told["faults"].items()
    ]
    return f"{direction}: {told['frames']:,} frames" + "".join(f", {one}" for one in struck)
