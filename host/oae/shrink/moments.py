"""Other moments for the strikes of a schedule: steps of transactions before and after each.

What is left of a noisy run often fails only because everything that is left brings about one moment
at which a strike does harm. The strike alone, at a step nearby, may do the same harm.
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import zip_longest
from typing import Final

from oae.scenario.language import parse_condition
from oae.scenario.layout import RuleKind
from oae.scenario.scenario import ENDS, Scenario
from oae.shrink.anchors import struck_at
from oae.spec.constants import EventCode
from oae.trace import Event, Record

STEPS: Final = frozenset(
    {
        EventCode.OPENED,
        EventCode.DECIDED,
        EventCode.DONE_HEARD,
        EventCode.REFLECTED,
        EventCode.COMMIT_HEARD,
        EventCode.DELIVERED,
    }
)
NEARBY: Final = 8  # steps before a strike, and as many after it


def moved(scenario: Scenario, trace: Iterable[Record]) -> Iterator[Scenario]:
    """One strike at another moment, and nothing else or the other scheduled faults besides."""
    events = [event for event in trace if isinstance(event, Event)]
    steps = [
        (index, f"{ENDS[event.end]} {EventCode(event.code).name} id={event.value}")
        for index, event in enumerate(events)
        if event.code in STEPS
    ]
    for place, fault in enumerate(scenario.faults):
        if fault.when.kind is not RuleKind.EVENT or fault.armed_by:
            continue
        index = struck_at(fault, events)
        before = [words for at, words in steps if at < index][: -NEARBY - 1 : -1]
        after = [words for at, words in steps if at > index][:NEARBY]
        for words in (words for pair in zip_longest(before, after) for words in pair if words):
            strike = replace(fault, when=parse_condition(words), at=(), name="")
            yield replace(scenario, fates=(), faults=(strike,))
            others = (*scenario.faults[:place], *scenario.faults[place + 1 :])
            if not any(other.armed_by for other in others):
                yield replace(scenario, fates=(), faults=(strike, *others))
