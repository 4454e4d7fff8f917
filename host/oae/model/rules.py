"""The scheduled faults of a run: rules that wait for steps, frames or time, and then act.

`hdl/sim/oae_fault_rules.v` does the same in Verilog. What a rule demands stands in the cycle after
that in which its condition held.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

from oae.faults.hash import CERTAIN, Purpose, draw, threshold
from oae.model.host import NEVER
from oae.model.live import Inputs
from oae.model.medium import Strike
from oae.scenario.compile import Rule
from oae.scenario.layout import ANY, Action, Fault, RuleKind
from oae.scenario.parse import ScenarioError

ON_FRAME: Final = {
    Action.DROP: Fault.DROPPED,
    Action.DUPLICATE: Fault.DUPLICATED,
    Action.CORRUPT: Fault.CORRUPTED,
    Action.FLIP: Fault.FLIPPED,
    Action.HOLD: Fault.HELD,
    Action.DELAY: Fault.DELAYED,
    Action.FORGE: Fault.FORGED,
}
# Switches of an end: what an action makes of which.
SWITCHES: Final = {
    Action.CRASH: ("crash", True),
    Action.AMNESIA: ("amnesia", True),
    Action.STALL_DELIVER: ("stall_deliver", True),
    Action.FLOW_DELIVER: ("stall_deliver", False),
    Action.STALL_COMPLETION: ("stall_completion", True),
    Action.FLOW_COMPLETION: ("stall_completion", False),
    Action.STALL_DOUBT: ("stall_doubt", True),
    Action.FLOW_DOUBT: ("stall_doubt", False),
    Action.REFUSE: ("refuse", True),
    Action.ACCEPT: ("refuse", False),
    Action.DISABLE: ("disabled", True),
    Action.ENABLE: ("disabled", False),
    Action.MUTE: ("mute", True),
    Action.UNMUTE: ("mute", False),
}
OTHERS: Final = frozenset(
    {
        *(Action.NOTHING, Action.CUT, Action.JOIN, Action.RISE, Action.STOP),
        *(Action.EPOCH, Action.PREPARE, Action.CANCEL),
    }
)
BEFORE_SHIFT: Final = 44  # of the states that a step tells
AFTER_SHIFT: Final = 40
NTH_MASK: Final = 0xFFFF

# Who it happens to, an end or a direction, and the word that says what.
Occurrence = tuple[int, int]


@dataclass
class Demands:
    """What is demanded of one end and its host, and of the direction away from it."""

    disabled: bool = False
    mute: bool = False
    epoch: int = 0
    prepared: int = 0
    cut: bool = False
    crash: bool = False
    amnesia: bool = False
    stall_deliver: bool = False
    stall_completion: bool = False
    stall_doubt: bool = False
    refuse: bool = False
    cancel: int | None = None  # in this cycle
    strike: Strike = field(default_factory=Strike)  # of the frame that was asked about

    def inputs(self, session: int, *, running: bool, willing: bool) -> Inputs:
        """What then stands at the inputs of the end; `willing`: its host can take a record."""
        return Inputs(
            enable=running and not self.disabled,
            beats=not self.mute,
            accept=willing and not self.refuse,
            session=session,
            epoch=self.epoch,
            prepared=self.prepared,
            crash=self.crash,
            amnesia=self.amnesia,
            stall_deliver=self.stall_deliver,
            stall_completion=self.stall_completion,
            stall_doubt=self.stall_doubt,
        )


class Rules:
    """The rules of a schedule while it is played."""

    def __init__(self, rules: Sequence[Rule], seed: int, demands: Sequence[Demands]) -> None:
        for rule in rules:
            if rule.action not in {*ON_FRAME, *SWITCHES, *OTHERS}:
                raise ScenarioError(f"the model engine cannot play {rule.action.name}")
        self.demands = demands
        self.stop = False
        self.fired: list[int] = []  # in the last cycle
        self._rules, self._seed = rules, seed
        self._limits = [max(1, min(threshold(rule.chance), CERTAIN)) for rule in rules]
        self._armed = [False] * len(rules)
        self._seen = [0] * len(rules)  # since it was armed
        self._strikes = [0] * len(rules)
        self._due: dict[int, int] = {}  # of rules that wait for time
        for number, rule in enumerate(rules):
            if rule.armed:
                self._arm(number, 0)

    @property
    def next(self) -> int:
        """When a rule that waits for time is due."""
        return min(self._due.values(), default=NEVER)

    def end(self) -> None:
        """The experiment was over in this cycle: no rule strikes, and no crash goes on."""
        self.fired = []
        self._due.clear()
        self._armed = [False] * len(self._rules)
        for demands in self.demands:
            demands.crash = demands.amnesia = False
            demands.cancel = None
            demands.strike = Strike()

    def look(self, cycle: int, steps: Iterable[Occurrence], frames: Iterable[Occurrence]) -> None:
        """What happened in this cycle; time comes first, then steps, then frames."""
        self.fired = []
        for demands in self.demands:
            demands.cancel = None
            demands.strike = Strike()
        if not self._rules:
            return
        if cycle >= self.next:
            due = [number for number, when in self._due.items() if when <= cycle]
            for number in sorted(due):
                if self._due.pop(number, None) is not None and self._armed[number]:
                    self._match(number, cycle, 0)
        for kind, happened in ((RuleKind.EVENT, steps), (RuleKind.FRAME, frames)):
            for source, word in happened:
                # A rule that is woken by something does not wait for that very thing.
                waiting = list(self._armed)
                for number, rule in enumerate(self._rules):
                    if waiting[number] and self._armed[number] and _holds(rule, kind, source, word):
                        self._match(number, cycle, source)

    def _arm(self, number: int, cycle: int) -> None:
        self._armed[number] = True
        self._seen[number] = self._strikes[number] = 0
        if self._rules[number].kind is RuleKind.TIMER:
            self._due[number] = cycle + self._rules[number].delay

    def _match(self, number: int, cycle: int, source: int) -> None:
        """The condition of a rule holds."""
        rule = self._rules[number]
        self._seen[number] += 1
        nth = self._seen[number]
        chance = draw(self._seed, Purpose.RULE, number << 16 | nth & NTH_MASK)
        if nth <= rule.skip or chance >= self._limits[number]:
            return
        self._strikes[number] += 1
        if self._strikes[number] == rule.times:
            self._armed[number] = False
        self.fired.append(number)
        self._act(number, rule, source)
        for other in range(len(self._rules)):
            if rule.disarms >> other & 1:
                self._armed[other] = False
                self._due.pop(other, None)
            if rule.arms >> other & 1:
                self._arm(other, cycle)

    def _act(self, number: int, rule: Rule, source: int) -> None:
        if rule.action in ON_FRAME:
            strike = self.demands[source].strike
            strike.faults |= ON_FRAME[rule.action]
            strike.argument_0, strike.argument_1 = rule.argument_0, rule.argument_1
            strike.rule = number
            return
        demands = self.demands[rule.target]
        if rule.action in SWITCHES:
            name, value = SWITCHES[rule.action]
            setattr(demands, name, value)
        elif rule.action is Action.RISE:
            demands.crash = demands.amnesia = False
        elif rule.action in (Action.CUT, Action.JOIN):
            demands.cut = rule.action is Action.CUT
        elif rule.action is Action.EPOCH:
            demands.epoch = rule.argument_0
        elif rule.action is Action.PREPARE:
            demands.prepared = rule.argument_0
        elif rule.action is Action.CANCEL:
            demands.cancel = rule.argument_0
        elif rule.action is Action.STOP:
            self.stop = True


def _holds(rule: Rule, kind: RuleKind, source: int, word: int) -> bool:
    """Whether this is what a rule waits for."""
    return (
        rule.kind is kind
        and rule.source in (source, ANY)
        and word & rule.mask == rule.match
        and not (rule.changed and word >> BEFORE_SHIFT & 0xF == word >> AFTER_SHIFT & 0xF)
    )
