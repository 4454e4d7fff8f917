"""What hosts did by chance in a run, as scheduled faults: cancels and refusals."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from typing import Final

from oae.scenario.compile import rules
from oae.scenario.language import parse_action, parse_condition
from oae.scenario.layout import RULES_MAX
from oae.scenario.scenario import ENDS, Scenario, ScheduledFault
from oae.spec.constants import EventCode
from oae.trace import Cancel, Event, Record, Submit

# From the step that a rule waits for to the handshake of the cancel that it demands.
RULE_CYCLES: Final = 4
RULES_EACH: Final = 2


def with_host_faults(scenario: Scenario, trace: Iterable[Record], until: int) -> Scenario:
    """The scenario with the last cancels and refusals before a cycle scheduled, and no others."""
    found = _faults(trace, until)
    quiet = replace(
        scenario,
        loads=tuple(replace(load, cancel=0.0) for load in scenario.loads),
        hosts=tuple(replace(host, refuse=0.0) for host in scenario.hosts),
    )
    room = (RULES_MAX - len(rules(quiet))) // RULES_EACH
    return replace(quiet, faults=(*quiet.faults, *(found[-room:] if room else ())))


def _faults(trace: Iterable[Record], until: int) -> list[ScheduledFault]:
    found: list[ScheduledFault] = []
    told: Counter[str] = Counter()
    tags: dict[int, int] = {}  # by end: of the record submitted in this cycle
    opened: dict[tuple[int, int], tuple[str, int]] = {}  # by end and tag: the step and its cycle
    asked = ["start", "start"]  # by end: the step that answered the last new record
    for record in trace:
        if record.cycle > until:
            break
        match record:
            case Submit():
                tags[record.end] = record.tag
            case Cancel() if (record.end, record.tag) in opened:
                step, cycle = opened[record.end, record.tag]
                after = max(record.cycle - cycle - RULE_CYCLES, 0)
                found.append(_fault(step, f"cancel {ENDS[record.end]} tag={record.tag}", after))
            case Event(code=EventCode.OPENED | EventCode.HELD | EventCode.REFUSED):
                end, code = ENDS[record.end], EventCode(record.code)
                words = f"{end} {code.name} id={record.value}"
                told[words] += 1
                step = f"{words} #{told[words]}" if told[words] > 1 else words
                if code is EventCode.OPENED:
                    opened[record.end, tags[record.end]] = step, record.cycle
                    continue
                if code is EventCode.REFUSED:
                    found.append(_fault(asked[record.end], f"refuse {end}", until=words))
                asked[record.end] = step
    return found


def _fault(when: str, do: str, after: int = 0, until: str = "") -> ScheduledFault:
    return ScheduledFault(
        parse_condition(when),
        parse_action(do),
        after=after,
        until=(parse_condition(until),) if until else (),
    )
