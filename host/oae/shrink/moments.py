"""Other moments for the strikes of a schedule: steps of transactions before and after each.

What is left of a noisy run often fails only because everything that is left brings about one moment
at which a strike does harm. The strike alone, at a moment nearby, may do the same harm.
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import zip_longest
from typing import Final

from oae.scenario.language import parse_condition
from oae.scenario.layout import RuleKind
from oae.scenario.scenario import Scenario, ScheduledFault
from oae.shrink.anchors import STEPS, Moment, moments, named, struck_at
from oae.trace import Fate, Record

NEARBY: Final = 8  # moments before a strike, and as many after it


def moved(scenario: Scenario, trace: Iterable[Record]) -> Iterator[Scenario]:
    """One strike at another moment, and nothing else or the other scheduled faults besides."""
    found = moments(trace)
    for place, fault in enumerate(scenario.faults):
        if fault.when.kind is RuleKind.TIMER or fault.armed_by:
            continue
        for words in _nearby(fault, found):
            strike = replace(fault, when=parse_condition(words), at=(), name="")
            yield replace(scenario, fates=(), faults=(strike,))
            others = (*scenario.faults[:place], *scenario.faults[place + 1 :])
            if not any(other.armed_by for other in others):
                yield replace(scenario, fates=(), faults=(strike, *others))


def _nearby(fault: ScheduledFault, found: list[Moment]) -> Iterator[str]:
    """Moments around the first strike: steps, or for a fault of a frame its like."""
    index = struck_at(fault, found)
    struck = found[index]

    def alike(moment: Moment) -> bool:
        if not fault.do.on_frame:
            return not isinstance(moment, Fate) and moment.code in STEPS
        return (
            isinstance(moment, Fate)
            and isinstance(struck, Fate)
            and (moment.end, moment.operation) == (struck.end, struck.operation)
        )

    places = [place for place, moment in enumerate(found) if alike(moment)]
    before = [place for place in places if place < index][: -NEARBY - 1 : -1]
    after = [place for place in places if place > index][:NEARBY]
    for pair in zip_longest(before, after):
        yield from (named(found[place]) for place in pair if place is not None)
