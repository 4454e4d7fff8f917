"""Plays a plan on the RTL, decides its recoveries, and judges the run.

Judged is every state of the run in which what recovery can find has changed: in every component of
domains that are alive and reach each other there must be a number that all disks hold, and the
parts of that number must be the values that a ring without any fault computes for its epoch, one by
one. So a recovery that mixes epochs is found by what is in the parts, not by their labels.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from oae.epoch.hardware.plan import Plan
from oae.epoch.hardware.program import Program
from oae.epoch.hardware.recovery import (
    State,
    common_numbers,
    epoch_of,
    is_due,
    number_of,
    restored,
)
from oae.epoch.hardware.reference import Reference

AHEAD = 2  # epochs that must come after the last recovery
STAGGER = 120  # cycles within which the domains hear of a decision, each at its own


@dataclass
class Outcome:
    """What a run came to."""

    findings: list[str] = field(default_factory=list)  # empty: nothing is broken
    states: list[State] = field(default_factory=list)  # after each change of what can be found
    recoveries: int = 0  # states x components with a disk: what recovery finds there was judged
    fito: bool | None = None  # at the first kill (None: there is none): mixed, if each domain of
    # those alive and reachable takes the newest part that it has
    restored: int = 0  # recoveries that were carried out
    incomplete: int = 0  # of `recoveries`: a domain of the component lost its disk
    returned: int = 0  # domains that came back after the loss of their disk
    epochs: int = 0  # on which all ends of all links converged
    cycles: int = 0
    progressed: bool = False  # the epochs after the last recovery converged
    opened: int = 0  # records with data
    delivered: int = 0
    crossed: int = 0  # delivered under another epoch than they were opened under
    refused: int = 0  # by an end, because they were of another epoch
    not_prepared: int = 0  # advances refused because the part was not durable
    converged: list[tuple[int, int]] = field(default_factory=list)  # {cycle, number} of all ends


class _Software:
    """The software of recovery of all domains of a run."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.reference = Reference(plan.values)
        self.outcome = Outcome()
        self._pause = 0

    def decide(self, words: list[int]) -> str:
        """What all components do about the state, as a line that hdl/epoch/job.h reads."""
        plan = self.plan
        state, _ = State.take(words, 0, plan.size)
        last = self._pause == len(plan.pauses) - 1
        self._pause += 1
        goals = [0] * plan.size
        line = []
        for component in state.components():
            decision = None
            gives_up = last and bool(plan.given_up())
            # Who is out of reach when all faults are over has been given up.
            everybody = gives_up or len(component) == plan.size or plan.anywhere
            if gives_up or is_due(state, component, everybody):
                decision = restored(state, component, self._incarnation, everybody)
            if not state.holders(component):
                continue  # a disk that was lost, and nobody to ask: there is nothing to recover
            for at in component:
                goals[at] = state.domains[at].prepared + AHEAD
            if decision is None:
                continue
            members = [plan.members(at) if last else 3 for at in range(plan.size)]
            incarnation, epoch = decision.number >> 16, epoch_of(decision.number)
            if gives_up:
                self.reference.give_up(incarnation, decision.found, members)
            self.outcome.restored += 1
            self.outcome.returned += len(decision.returning)
            line += [f"promise={at},{incarnation}" for at in component]
            for at in decision.holders + decision.returning:
                goals[at] = number_of(incarnation, epoch + AHEAD)
                heard = state.cycle + 1 + (plan.seed // (at + 1) + 37 * self._pause) % STAGGER
                line.append(
                    f"restore={heard},{at},{decision.found},{decision.number},{members[at]}"
                )
                if at in decision.returning:
                    given = decision.common if plan.anywhere else (decision.found,)
                    line += [f"given={it},{self.reference.values(it)[at]}" for it in given]
        return " ".join([*line, f"goals={','.join(map(str, goals))}"])

    def _incarnation(self, initiator: int) -> int:
        """Higher than every one before it, and used by this initiator alone."""
        return self._pause * self.plan.size + initiator


def play(program: Program, plan: Plan) -> Outcome:
    """Play the plan and judge it."""
    software = _Software(plan)
    answer = program.play(plan.job(), software.decide)
    outcome = software.outcome
    outcome.findings += answer["assertions"] + answer["findings"]
    outcome.cycles = answer["cycles"]
    outcome.progressed = bool(answer["reached"])
    for name in ("opened", "delivered", "crossed", "refused", "not_prepared"):
        setattr(outcome, name, answer[name])
    words = answer["converged"]
    outcome.converged = list(zip(words[::2], words[1::2], strict=True))
    outcome.epochs = len({epoch_of(number) for _, number in outcome.converged})
    outcome.states = list(_states(answer, plan.size))
    for state in outcome.states:
        _judge(state, software.reference, outcome)
    first = min((kill.cycle for kill in plan.kills), default=None)
    outcome.fito = next((is_mixed(it) for it in outcome.states if it.cycle == first), None)
    if plan.pauses and not outcome.progressed:
        outcome.findings.append(f"cycle {outcome.cycles}: no progress after the last recovery")
    return outcome


def _states(answer: dict[str, Any], size: int) -> Iterator[State]:
    words, at = answer["snapshots"], 0
    while at < len(words):
        state, at = State.take(words, at, size)
        yield state


def is_mixed(state: State) -> bool:
    """Whether a component recovers mixed epochs if each domain takes the newest part it has."""
    return any(
        len({epoch_of(state.domains[at].newest) for at in state.holders(component)}) > 1
        for component in state.components()
    )


def _judge(state: State, reference: Reference, outcome: Outcome) -> None:
    """What a recovery in this state would find, in every component."""
    for component in state.components():
        holders = state.holders(component)
        if not holders:
            continue
        parts = {at: state.domains[at].parts for at in holders}
        outcome.recoveries += 1
        outcome.incomplete += len(holders) < len(component)
        common = common_numbers(parts.values())
        if not common:
            outcome.findings.append(f"cycle {state.cycle}: domains {holders} have no common epoch")
        else:
            values = reference.values(common[-1])
            wrong = [at for at in holders if parts[at][common[-1]] != values[at]]
            if wrong:
                outcome.findings.append(f"cycle {state.cycle}: domains {wrong} recover mixed parts")
