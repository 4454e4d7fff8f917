"""Strikes tied to what happened instead of to how often something had happened before.

`b RECEIVED`, the 46th time, is another moment as soon as anything before it is taken away. `b
RECEIVED operation=COMMIT id=7` is not. Nor is `a->b DATA id=9 copy=0`, unlike the 30th DATA. A
fault at some cycle is tied to the last step of a transaction before it.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Final

from oae.scenario.language import (
    CODE_SHIFT,
    COPY_SHIFT,
    FROM_SHIFT,
    INFO_SHIFT,
    OPERATION_SHIFT,
    SLOT_SHIFT,
    START,
    TO_SHIFT,
    Condition,
    parse_condition,
)
from oae.scenario.layout import ANY, RuleKind
from oae.scenario.scenario import DIRECTIONS, ENDS, Scenario, ScheduledFault
from oae.spec.constants import EventCode, Operation
from oae.trace import Event, Fate, Record

# What a fault may wait for.
Moment = Event | Fate
# Of a transaction: what a fault at some cycle is tied to.
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
# By so many cycles a rule that waits for a step acts later than one that waits for time.
RULE_CYCLES: Final = 1


def anchored(scenario: Scenario, trace: Iterable[Record]) -> Scenario:
    """The scenario in which each strike of a fault waits for the very moment that it struck at.

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
    for moment in moments(trace):
        words = named(moment)
        told[words] += 1
        if isinstance(moment, Event) and moment.code in STEPS:
            for place, fault in enumerate(scenario.faults):
                after = fault.after - moment.cycle - RULE_CYCLES
                if fault.when is START and not fault.armed_by and after >= 0:
                    when = parse_condition(_counting(words, told[words]))
                    found[place] = [replace(fault, when=when, after=after)]
        for place, strikes in waiting.items():
            fault = scenario.faults[place]
            if holds(fault.when, moment):
                held[place] += 1
                if held[place] in strikes:
                    when = parse_condition(_counting(words, told[words]))
                    name = fault.name if len(strikes) == 1 else ""
                    found[place].append(replace(fault, when=when, at=(), name=name))
    faults: list[ScheduledFault] = []
    for place, fault in enumerate(scenario.faults):
        faults += found.get(place) or [fault]
    return replace(scenario, faults=tuple(faults))


def moments(trace: Iterable[Record]) -> list[Moment]:
    """Steps and frames, in order."""
    return [record for record in trace if isinstance(record, Event | Fate)]


def struck_at(fault: ScheduledFault, found: Sequence[Moment]) -> int:
    """Where the moment stands that a fault struck at first, the last one if it never did."""
    left = (fault.at or (fault.when.nth,))[0]
    for place, moment in enumerate(found):
        if holds(fault.when, moment):
            left -= 1
            if not left:
                return place
    return len(found) - 1


def named(moment: Moment) -> str:
    """A condition that holds at this moment and few others."""
    if isinstance(moment, Fate):
        known = moment.operation in {operation.value for operation in Operation}
        # A frame that a crash has cut off may have none.
        name = Operation(moment.operation).name if known else "any"
        return f"{DIRECTIONS[moment.end]} {name} id={moment.id} copy={moment.copy}"
    code = EventCode(moment.code)
    operation = ""
    if code in (EventCode.SENT, EventCode.RECEIVED):
        operation = f" operation={Operation(moment.info).name}"
    return f"{ENDS[moment.end]} {code.name}{operation} id={moment.value}"


def holds(condition: Condition, moment: Moment) -> bool:
    """As the fault rules decide it."""
    if isinstance(moment, Fate):
        kind, changed = RuleKind.FRAME, True
        word = moment.operation << OPERATION_SHIFT | moment.copy << COPY_SHIFT | moment.id
    else:
        kind, changed = RuleKind.EVENT, moment.from_state != moment.to_state
        word = (
            moment.code << CODE_SHIFT
            | moment.slot << SLOT_SHIFT
            | moment.from_state << FROM_SHIFT
            | moment.to_state << TO_SHIFT
            | moment.info << INFO_SHIFT
            | moment.value
        )
    return (
        condition.kind is kind
        and condition.source in (moment.end, ANY)
        and (changed or not condition.changed)
        and word & condition.mask == condition.match
    )


def _counting(words: str, nth: int) -> str:
    return f"{words} #{nth}" if nth > 1 else words


def _counted(fault: ScheduledFault) -> tuple[int, ...]:
    """At which times that its condition holds it strikes, if it counts them from the start."""
    if fault.when.kind is RuleKind.TIMER or fault.armed_by or fault.chance != 1:
        return ()
    once = fault.times == 1 and fault.when.nth > 1
    return fault.at or ((fault.when.nth,) if once else ())
