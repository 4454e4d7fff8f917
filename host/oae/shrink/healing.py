"""Whether a run had to resolve: its faults end, and then there was time enough.

The checker itself finds a link that stands still although nothing is in its way. What it leaves
open is judged here as in a campaign (docs/campaign.md).
"""

from typing import Final

from oae.campaign.swarm import REST, REST_EACH
from oae.scenario.language import Duration
from oae.scenario.layout import Action
from oae.scenario.scenario import Rates, Scenario, ScheduledFault

# These last one cycle if nothing is said.
_SHORT: Final = frozenset({Action.CRASH, Action.AMNESIA})


def had_to_resolve(scenario: Scenario, stop: str, cycles: int) -> bool:
    """Whether a run that ended so, with something unresolved, breaks the promise of progress."""
    if any(_strikes(rates) and not rates.until for rates in scenario.rates):
        return False
    if not all(end.enable for end in scenario.ends):
        return False
    if not all(_ends(fault, scenario.limits.stall) for fault in scenario.faults):
        return False
    healed = max(rates.until for rates in scenario.rates)
    if stop == "stalled":
        return cycles > healed
    records = sum(load.records + len(load.record) for load in scenario.loads)
    return stop == "cycles" and cycles >= healed + REST + REST_EACH * records


def _strikes(rates: Rates) -> bool:
    """Whether the medium does anything by chance."""
    chances = (rates.drop, rates.duplicate, rates.reorder, rates.corrupt, rates.flip, rates.delay)
    return any(chances)


def _ends(fault: ScheduledFault, stall: int) -> bool:
    """Whether a fault strikes so often only, and is undone before a run can stall of it alone."""
    if not fault.times:
        return False
    if fault.do.undo is None or (fault.do.code in _SHORT and not fault.until):
        return True
    return any(isinstance(end, Duration) and end.cycles < stall for end in fault.until)
