"""What fault rules wait for at the ends, and what they demand of them, as command lines.

Steps of the ends come from outside (`watch`), and what a rule demands of an end is told to it
(docs/live.md, Commands).
"""

from collections.abc import Sequence
from typing import Final

from oae.model.rules import SWITCHES, Demands
from oae.scenario.compile import Rule
from oae.scenario.layout import ANY, Action, RuleKind

FOR_GOOD: Final = 0xFFFF_FFFF  # ticks
_NAMES: Final = {"disabled": "disable", "mute": "mute", "refuse": "refuse"}
_RESTARTS: Final = (Action.CRASH, Action.AMNESIA)


class Watches:
    """The steps that rules wait for at one end."""

    def __init__(self, rules: Sequence[Rule], end: int) -> None:
        found = {
            (rule.mask, rule.match)
            for rule in rules
            if rule.kind is RuleKind.EVENT and rule.source in (end, ANY)
        }
        self._watches = sorted(found)

    def lines(self) -> list[str]:
        """The commands that ask for them."""
        return [
            f"watch {number} {mask:x} {match:x}"
            for number, (mask, match) in enumerate(self._watches)
        ]

    def is_first(self, number: int, word: int) -> bool:
        """Whether no watch before this one tells the same step."""
        return not any(word & mask == match for mask, match in self._watches[:number])


def order(rules: Sequence[Rule], number: int, demands: Demands) -> str:
    """The command for the target of a rule that struck; empty if it concerns no end."""
    rule = rules[number]
    if rule.action in _RESTARTS:
        return f"{rule.action.name.lower()} {_ticks(rules, rule)}"
    if rule.action is Action.RISE:
        restart = _restart(rules, number)
        return f"{restart.action.name.lower()} 1" if _ticks(rules, restart) == FOR_GOOD else ""
    if rule.action in SWITCHES:
        name, value = SWITCHES[rule.action]
        switch = _NAMES[name] if name in _NAMES else name.replace("_", " ")
        return f"{switch} {'on' if value else 'off'}"
    if rule.action in (Action.EPOCH, Action.PREPARE):
        return f"epoch {demands.epoch} {demands.prepared}"
    if rule.action is Action.CANCEL:
        return f"cancel {rule.argument_0}"
    return ""


def _undone_by(rules: Sequence[Rule], rule: Rule) -> list[Rule]:
    return [
        other
        for number, other in enumerate(rules)
        if rule.arms >> number & 1 and other.action is Action.RISE
    ]


def _ticks(rules: Sequence[Rule], restart: Rule) -> int:
    """How long an end is down: so many ticks, or until a rule that waits for something else."""
    undoing = _undone_by(rules, restart)
    if len(undoing) == 1 and undoing[0].kind is RuleKind.TIMER:
        return max(undoing[0].delay, 1)
    return FOR_GOOD


def _restart(rules: Sequence[Rule], rise: int) -> Rule:
    """The rule whose crash this one ends."""
    return next(rule for rule in rules if rule.action in _RESTARTS and rule.arms >> rise & 1)
