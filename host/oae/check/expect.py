"""What a scenario lets one expect of its run."""

from typing import Final

from oae.check.verdict import Expectations, Hold
from oae.scenario.compile import Rule, rules
from oae.scenario.layout import ANY, Action
from oae.scenario.scenario import Rates, Scenario, ScheduledFault

# What keeps an end or its host from moving for as long as it lasts, and what lifts that. Cuts,
# crashes, disabled ends and epochs are told by the evidence of the run itself.
LIFTED_BY: Final = {
    Action.STALL_DELIVER: Action.FLOW_DELIVER,
    Action.STALL_COMPLETION: Action.FLOW_COMPLETION,
    Action.STALL_DOUBT: Action.FLOW_DOUBT,
    Action.MUTE: Action.UNMUTE,
}
# Nothing need move either where these strike again and again: frames that never arrive as they were
# sent, directions and ends that never work for long.
REPEATED: Final = frozenset(
    {
        *(Action.DROP, Action.CORRUPT, Action.FLIP, Action.FORGE),
        *(Action.CUT, Action.CRASH, Action.AMNESIA, Action.DISABLE, Action.EPOCH, *LIFTED_BY),
    }
)
TO_THE_END: Final = 1 << 62  # cycles


def expectations(scenario: Scenario) -> Expectations:
    """What the scoreboard needs to know of a scenario."""
    numbered = dict(enumerate(rules(scenario)))
    expected = Expectations(
        records=scenario.expect.records,
        strikers={number: rule.fault for number, rule in numbered.items() if rule.strikes},
        violations=scenario.expect.violations,
        holds={
            number: hold
            for number, rule in numbered.items()
            if (hold := _hold(scenario.faults[rule.fault], rule, number))
        },
        lossy_until=max(map(_lossy_until, scenario.rates)),
    )
    if scenario.expect.every_fault:
        expected.strikes = {
            number: _strikes(scenario.faults[fault], numbered[number])
            for number, fault in expected.strikers.items()
        }
        expected.fates = {
            (fate.direction, fate.operation, fate.id, fate.copy): str(fate)
            for fate in scenario.fates
        }
        expected.upsets = {str(upset): upset.cycle for upset in scenario.upsets}
    return expected


def _strikes(fault: ScheduledFault, rule: Rule) -> int:
    """How often the rule of a fault must strike."""
    if fault.chance < 1 or not fault.times:
        return 1  # nobody knows how often it can
    times = fault.times
    if fault.at and fault.after:  # one rule strikes for all of these times
        times = len(fault.at)
    # What waits for either end may strike at both in one cycle, and tells it once.
    return (times + 1) // 2 if fault.when.source == ANY else times


def _hold(fault: ScheduledFault, rule: Rule, number: int) -> Hold | None:
    """What the rule of a fault puts in the way once it has struck, or takes out of it."""
    always = not fault.times and not fault.at and fault.chance == 1
    if always and rule.strikes and rule.action in REPEATED:
        return Hold((rule.action, number), True)
    for obstruction, relief in LIFTED_BY.items():
        if rule.action in (obstruction, relief):
            return Hold((obstruction, rule.target), rule.action is obstruction)
    return None


def _lossy_until(rates: Rates) -> int:
    """Up to which cycle chance lets no frame of some operation through."""
    if max(rates.drop, rates.corrupt, rates.flip) < 1:
        return 0
    return rates.until or TO_THE_END
