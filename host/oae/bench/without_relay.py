"""What stands in for a relay on a bench that has none: rules that wait for time and for steps."""

import time
from collections.abc import Iterable

from oae.errors import CannotPlayError
from oae.model.rules import Demands, Rules
from oae.relay.relay import LONGEST_WAIT, TICK_NS
from oae.scenario.compile import rules
from oae.scenario.layout import Action, RuleKind
from oae.scenario.scenario import DIRECTIONS, Rates, Scenario


class WithoutRelay:
    """Has of `oae.relay.relay.Relay` what a run needs."""

    def __init__(self, scenario: Scenario) -> None:
        _refuse(scenario)
        self.media = ()
        self.demands = tuple(Demands() for _ in DIRECTIONS)
        self.fired: list[int] = []
        for demands, host in zip(self.demands, scenario.hosts, strict=True):
            demands.epoch, demands.prepared = host.epoch, host.prepared
        self._seed, self._waiting = scenario.seed, rules(scenario)
        self._rules = Rules([], self._seed, self.demands)
        self._begun = 0

    def begin(self) -> None:
        """The scenario begins."""
        self._begun = time.monotonic_ns()
        self._rules = Rules(self._waiting, self._seed, self.demands)

    @property
    def stop(self) -> bool:
        """Whether a rule ended the run."""
        return self._rules.stop

    def wait(self) -> float:
        """Seconds until a rule is due."""
        left = self._rules.next * TICK_NS - (time.monotonic_ns() - self._begun)
        return min(max(left, 0) / 1e9, LONGEST_WAIT)

    def step(self) -> None:
        """What is due by now."""
        if self._rules.next <= self._tick():
            self.hear(())

    def hear(self, steps: Iterable[tuple[int, int]]) -> None:
        """Ends have told these steps: (end, event word)."""
        self._rules.look(self._tick(), steps, ())
        self.fired += self._rules.fired

    def finish(self) -> None:
        """There is nothing to end."""

    def _tick(self) -> int:
        return (time.monotonic_ns() - self._begun) // TICK_NS


def _refuse(scenario: Scenario) -> None:
    """Raise CannotPlayError for what only a relay can do."""
    what = ""
    for direction, rates in zip(DIRECTIONS, scenario.rates, strict=True):
        if rates != Rates():
            what = what or f"rates.{direction}"
    for number, fault in enumerate(scenario.faults, 1):
        if fault.when.kind is RuleKind.FRAME or fault.do.on_frame or fault.do.code is Action.CUT:
            what = what or f"fault[{number}]"
    if scenario.fates:
        what = what or "fates"
    if what:
        problem = f"{what} takes a relay; write 'relay: true' in the bench"
        raise CannotPlayError(f"{scenario.name}: {problem}")
