"""What the state elements of an end are for, and what a crash does to each.

What a crash does is found out by experiment: all bits of an element are flipped just before the
edge of a crash, and what stands there after the edge is compared with a run without the flips. What
an element is for stands in a table of names.
"""

import tempfile
from collections.abc import Sequence
from dataclasses import replace
from enum import StrEnum
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Final

from oae.engines.compiled import Engine
from oae.scenario.scenario import Scenario
from oae.scenario.upsets import Upset
from oae.trace import Power, Trace
from oae.upsets.elements import Element


class Class(StrEnum):
    """What becomes of an element at a crash."""

    DURABLE = "durable"  # it stays, and must
    LEFT = "left over"  # it stays, but nothing depends on that
    VOLATILE = "volatile"  # it is lost


class Group(StrEnum):
    """What an element is for."""

    STATES = "slot states and marks"
    IDS = "ids and pointers"
    DIGESTS = "digests, lengths, tags"
    RECORDS = "record memories"
    SESSIONS = "sessions, challenge, sizes"
    EPOCHS = "epochs"
    PACKETS = "packet bits"
    COUNTERS = "counters"
    CORES = "owed answers, steps under way"
    LINK = "link machine"
    BEATS = "beats and timers"
    HOST = "submit and deliver"
    RECEIVE = "receive pipeline"
    TRANSMIT = "transmit pipeline"
    EVENTS = "event words"


# What a crash must leave (docs/protocol.md, sections 3.7 and 6). Counters are for whoever looks.
KEPT: Final = (
    Group.STATES,
    Group.IDS,
    Group.DIGESTS,
    Group.RECORDS,
    Group.SESSIONS,
    Group.EPOCHS,
    Group.PACKETS,
    Group.COUNTERS,
)
# The first pattern that fits counts.
_PATTERNS: Final = (
    (
        Group.STATES,
        "initiator.state responder.state responder.delivered responder.reasons *.advance",
    ),
    (Group.IDS, "*.ids initiator.next_id responder.deliver_pointer submit.page_base"),
    (Group.DIGESTS, "*_digests.words *_lengths.words *_heads.words tags"),
    (Group.RECORDS, "*_store.words"),
    (Group.SESSIONS, "link.session link.verified link.changing link.pending* link.counter"),
    (Group.SESSIONS, "link.slot_mask link.record_max"),
    (Group.EPOCHS, "link.epoch converged incoming_advance submit.advance_epoch"),
    (Group.PACKETS, "submit.in_packet deliver.in_packet builder.open parser.position"),
    (Group.COUNTERS, "counters.*.counts counters.*.used event_cycle"),
    (Group.EVENTS, "*.event_valid *.event_word power_* sent_* counters.* counter_read"),
    (Group.EVENTS, "register_value"),
    (Group.BEATS, "beat.* link.timer beat_asked"),
    (Group.CORES, "initiator.* responder.* recorded* store_* *_ahead *_later *_taken lost"),
    (Group.LINK, "link.*"),
    (Group.HOST, "submit.* deliver.* incoming_store.*"),
    (Group.RECEIVE, "parser.*"),
    (Group.TRANSMIT, "arbiter.* builder.* outgoing_store.* ready_*"),
)


def group(element: Element) -> Group:
    """What an element is for."""
    for found, patterns in _PATTERNS:
        if any(fnmatchcase(element.name, pattern) for pattern in patterns.split()):
            return found
    raise LookupError(f"{element.name} is in no group")


def classes(
    engine: Engine, scenarios: Sequence[Scenario], end: int, found: Sequence[Element]
) -> list[Class]:
    """The class of each element of an end, by its crashes in these runs."""
    kept: set[Element] = set()
    for scenario in scenarios:
        kept |= stays(engine, scenario, end, found, restarts(engine, scenario, end))
    return [
        Class.VOLATILE if one not in kept else Class.DURABLE if group(one) in KEPT else Class.LEFT
        for one in found
    ]


def restarts(engine: Engine, scenario: Scenario, end: int) -> list[int]:
    """The cycles at whose end an end crashes, or has amnesia."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "trace.txt"
        engine.run(scenario, trace=path)
        powers = [one for one in Trace(path) if isinstance(one, Power) and one.end == end]
    return [power.cycle for power in powers if power.crash or power.amnesia]


def stays(
    engine: Engine, scenario: Scenario, end: int, found: Sequence[Element], cycles: Sequence[int]
) -> set[Element]:
    """The elements whose value after a restart in one of these cycles depends on the one before."""
    kept: set[Element] = set()
    for cycle in cycles:
        short = replace(scenario, limits=replace(scenario.limits, cycles=cycle + 2))
        after = {one: _flips(one, end, cycle + 1) for one in found}
        every = [upset for flips in after.values() for upset in flips]
        usual = engine.run(replace(short, upsets=tuple(every))).upsets
        place = 0
        for element, looks in after.items():
            flips = (*_flips(element, end, cycle), *looks)
            seen = engine.run(replace(short, upsets=flips)).upsets[element.width :]
            if seen != usual[place : place + element.width]:
                kept.add(element)
            place += element.width
    return kept


def _flips(element: Element, end: int, cycle: int) -> tuple[Upset, ...]:
    """Every bit of a register, or of the first word of a memory."""
    word = None if element.words is None else 0
    return tuple(Upset(cycle, end, element.name, word, bit) for bit in range(element.width))
