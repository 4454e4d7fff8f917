"""A seed expanded to a concrete schedule: what struck by chance in a run, named by coordinates.

The schedule has no rates. Each frame that chance struck has a fate, and each fault with a chance
says at which times it strikes. So it gives the run's trace again, but that rules may have other
numbers. What chance has to do with hosts (stalls, refusals, cancels, sizes) remains a matter of
the seed, since it depends on coordinates of the hosts and not on faults.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import count, islice

from oae.faults.decide import GUARD_LENGTH, Coordinates, decide
from oae.faults.hash import Purpose, draw, threshold
from oae.scenario.compile import rules
from oae.scenario.fates import OF_SECOND, STRIKING, NamedFate
from oae.scenario.language import START, parse_condition
from oae.scenario.layout import Fault
from oae.scenario.parse import ScenarioError
from oae.scenario.scenario import Scenario, ScheduledFault
from oae.spec.constants import Operation
from oae.trace import Fate, Record, Rule


def expand(scenario: Scenario, trace: Iterable[Record], until: int | None = None) -> Scenario:
    """The schedule of what struck in the run of this scenario, up to a cycle if one is given."""
    fates: dict[tuple[int, ...], NamedFate] = {}
    listed = {one[:4]: one.faults for one in scenario.fates}
    fired: Counter[int] = Counter()
    for record in trace:
        if until is not None and record.cycle > until:
            break
        match record:
            case Fate() if record.faults & STRIKING:
                name = record.end, Operation(record.operation), record.copy, record.id
                faults = _by_chance(scenario, record, listed.get(name, Fault(0)))
                if faults:
                    fates[name] = NamedFate(*name, faults)
            case Rule():
                fired[record.number] += 1
    return replace(
        scenario,
        rates=tuple(rates.without_chances for rates in scenario.rates),
        faults=tuple(_faults(scenario, fired)),
        fates=tuple(sorted(fates.values())),
        source="",
    )


def _by_chance(scenario: Scenario, fate: Fate, listed: Fault) -> Fault:
    """The faults of a frame that no rule demanded."""
    faults = Fault(fate.faults) & STRIKING
    if fate.rule < 0:
        return faults
    name = Coordinates(fate.operation, fate.id, fate.copy)
    rates = scenario.rates[fate.end]

    def chance(struck: Fault) -> Fault:
        return decide(rates, scenario.seed, fate.end, name, GUARD_LENGTH, fate.cycle, struck).faults

    found = chance(listed)
    if faults & Fault.DUPLICATED:
        # Chance may strike the second frame even if it is there by the rule only.
        found |= chance(listed | Fault.DUPLICATED) & OF_SECOND
    return faults & found


def _faults(scenario: Scenario, fired: Counter[int]) -> Iterator[ScheduledFault]:
    """The scheduled faults without chances; those that chance let never strike are gone."""
    places: dict[int, int] = {}  # of each fault: its first rule
    for place, rule in enumerate(rules(scenario)):
        places.setdefault(rule.fault, place)
    named = {fault.name: fault for fault in scenario.faults if fault.name}
    gone = {
        fault.name
        for number, fault in enumerate(scenario.faults)
        if fault.chance != 1 and not fired[places[number]]
    }
    for number, fault in enumerate(scenario.faults):
        times = fired[places[number]]
        if fault.chance == 1:
            if fault.armed_by not in gone - {""}:
                yield fault
            continue
        if not times:
            continue
        if fault.when is START:
            yield replace(fault, chance=1.0)
            continue
        cause = named.get(fault.armed_by)
        if cause is not None and (cause.times != 1 or cause.at):
            raise ScenarioError(
                f"{scenario.name}: fault[{number + 1}] has a chance and is armed by a fault that "
                "strikes more than once; it cannot be expanded"
            )
        when = parse_condition(fault.when.words.split(" #")[0])
        at = tuple(islice(_strikes(scenario.seed, places[number], fault), times))
        yield replace(fault, when=when, at=at, times=1, chance=1.0)


def _strikes(seed: int, place: int, fault: ScheduledFault) -> Iterator[int]:
    """At which times that the condition holds chance lets the fault strike."""
    limit = max(1, threshold(fault.chance))  # as a rule has it
    for nth in count(fault.when.nth):
        if draw(seed, Purpose.RULE, place << 16 | nth & 0xFFFF) < limit:
            yield nth
