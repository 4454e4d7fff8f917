"""What a scenario lets one expect of its run."""

from oae.check.verdict import Expectations
from oae.scenario.compile import rules
from oae.scenario.layout import Action
from oae.scenario.scenario import Scenario

# What keeps an end or its host from moving for as long as it lasts.
_OBSTRUCTIONS = frozenset(
    {Action.STALL_DELIVER, Action.STALL_COMPLETION, Action.STALL_DOUBT, Action.EPOCH}
)


def expectations(scenario: Scenario) -> Expectations:
    """What the scoreboard needs to know of a scenario."""
    strikers = {i: rule.fault for i, rule in enumerate(rules(scenario)) if rule.strikes}
    return Expectations(
        records=scenario.expect.records,
        faults=len(scenario.faults) if scenario.expect.every_fault else 0,
        strikers=strikers,
        violations=scenario.expect.violations,
        obstructed=any(
            fault.do.code in _OBSTRUCTIONS and not fault.until for fault in scenario.faults
        ),
    )
