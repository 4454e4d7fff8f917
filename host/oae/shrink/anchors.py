"""Strikes tied to what happened instead of to how often something had happened before.

`b RECEIVED`, the 46th time, is another moment as soon as anything before it is taken away. `b
RECEIVED operation=COMMIT id=7` is not.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace

from oae.scenario.language import (
    CODE_SHIFT,
    FROM_SHIFT,
    INFO_SHIFT,
    SLOT_SHIFT,
    TO_SHIFT,
    Condition,
    parse_condition,
)
from oae.scenario.layout import ANY, RuleKind
from oae.scenario.scenario import ENDS, Scenario, ScheduledFault
from oae.spec.constants import EventCode, Operation
from oae.trace import Event, Record


def anchored(scenario: Scenario, trace: Iterable[Record]) -> Scenario:
    """The scenario in which each strike of a fault waits for the very step that it struck at.

    Each strike is then undone by itself, also where the next one came before that.
    """
    needed = {fault.armed_by for fault in scenario.faults}
    waiting = {
        place: strikes
        for place, fault in enumerate(scenario.faults)
        if (strikes := _counted(fault)) and (len(strikes) == 1 or fault.name not in needed - {""})
    }
    found: dict[int, list[ScheduledFault]] = {place: [] for place in waiting}
    held: Counter[int] = Counter()  # of each fault: how often its condition has
    told: Counter[str] = Counter()
    for event in trace:
        if not isinstance(event, Event):
            continue
        words = _words(event)
        told[words] += 1
        for place, strikes in waiting.items():
            fault = scenario.faults[place]
            if _holds(fault.when, event):
                held[place] += 1
                if held[place] in strikes:
                    nth = f" #{told[words]}" if told[words] > 1 else ""
                    when = parse_condition(words + nth)
                    name = fault.name if len(strikes) == 1 else ""
                    found[place].append(replace(fault, when=when, at=(), name=name))
    faults: list[ScheduledFault] = []
    for place, fault in enumerate(scenario.faults):
        faults += found.get(place) or [fault]
    return replace(scenario, faults=tuple(faults))


def struck_at(fault: ScheduledFault, events: Sequence[Event]) -> int:
    """Where the step stands that a fault struck at first, the last one if it never did."""
    left = (fault.at or (fault.when.nth,))[0]
    for place, event in enumerate(events):
        if _holds(fault.when, event):
            left -= 1
            if not left:
                return place
    return len(events) - 1


def _counted(fault: ScheduledFault) -> tuple[int, ...]:
    """At which times that its condition holds it strikes, if it counts them from the start."""
    if fault.when.kind is not RuleKind.EVENT or fault.armed_by or fault.chance != 1:
        return ()
    once = fault.times == 1 and fault.when.nth > 1
    return fault.at or ((fault.when.nth,) if once else ())


def _words(event: Event) -> str:
    """A condition that holds for this step and few others."""
    code = EventCode(event.code)
    operation = ""
    if code in (EventCode.SENT, EventCode.RECEIVED):
        operation = f" operation={Operation(event.info).name}"
    return f"{ENDS[event.end]} {code.name}{operation} id={event.value}"


def _holds(condition: Condition, event: Event) -> bool:
    """As the fault rules decide it."""
    word = (
        event.code << CODE_SHIFT
        | event.slot << SLOT_SHIFT
        | event.from_state << FROM_SHIFT
        | event.to_state << TO_SHIFT
        | event.info << INFO_SHIFT
        | event.value
    )
    return (
        condition.source in (event.end, ANY)
        and (not condition.changed or event.from_state != event.to_state)
        and word & condition.mask == condition.match
    )
