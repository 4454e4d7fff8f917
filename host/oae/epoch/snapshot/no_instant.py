"""The experiment on instants: every instant of each kind, for every size that finishes."""

from collections.abc import Iterator
from itertools import groupby
from typing import Final

from oae.epoch.claim import Effort, Finding, Standing, Table
from oae.epoch.snapshot.boundary import (
    Judged,
    by_steps,
    judge,
    jumps,
    shortest_mixed,
    ticks,
    with_clock,
)
from oae.epoch.snapshot.domain import LABELS, Recovered, domains, recovered
from oae.epoch.snapshot.explore import explore
from oae.epoch.snapshot.variations import variations

FULL: Final = {False: 4, True: 6}  # domains, by Effort.long: each state by itself
SYMMETRIC: Final = {False: 10, True: 20}  # states that differ by a permutation are one
LABELLED: Final = {False: 4, True: 5}
VARIED: Final = {False: 3, True: 4}
STEPS: Final = 4  # until a part can be durable


def no_instant(effort: Effort) -> Finding:
    """Judge the k-th step, the k-th tick and the k-th label of a domain, for all k."""
    by_step, rows = _by_steps(effort)
    labelled = {n: dict(_labelled(n)) for n in range(1, LABELLED[effort.long] + 1)}
    none_left = all(judged.mixed_from == STEPS for n, judged in by_step.items() if n > 1) and all(
        judged.always_mixed for n, named in labelled.items() if n > 1 for judged in named.values()
    )
    return Finding(
        Standing.HOLDS_UNDER if none_left else Standing.DOES_NOT_HOLD,
        f"exhaustive, for every k: mixed recovery possible at each k-th step from k = {STEPS} on "
        f"(N = 2 to {max(by_step)}; none before), at each tick and at each k-th label of a domain "
        f"(N = 2 to {max(labelled)})"
        if none_left
        else "some instant after the first four steps is an atomicity boundary",
        tuple(_text()),
        (
            Table(
                "The instant is the k-th step of all; k = 0 is the beginning",
                ("N", "states", "transitions", "a crash of all may recover", "old to new at once"),
                tuple(rows),
            ),
            Table(
                "The instant is the k-th tick, or the k-th time that domain 0 takes a label",
                ("N", "instant", "a crash of all may recover", "the first separates old from new"),
                tuple(
                    (str(n), name, _where(judged), "yes" if judged.separates else "no")
                    for n in (1, max(labelled))
                    for name, judged in labelled[n].items()
                ),
            ),
            Table(
                "One assumption dropped",
                ("system", "instant", "N", "states", "what is seen"),
                tuple(variations(VARIED[effort.long])),
            ),
        ),
        data={
            "domains_by_step": max(by_step),
            "domains_by_label": max(labelled),
            "mixed_from": {str(n): judged.mixed_from for n, judged in by_step.items()},
        },
    )


def _by_steps(effort: Effort) -> tuple[dict[int, Judged], list[tuple[str, ...]]]:
    by_step: dict[int, Judged] = {}
    rows: list[tuple[str, ...]] = []
    most = SYMMETRIC[effort.long]
    for count in range(1, most + 1):
        effort.tell("domains", count, most)
        symmetric = count > FULL[effort.long]
        graph, by_step[count] = by_steps(count, symmetric=symmetric)
        rows.append(
            (
                f"{count}{' up to permutation' if symmetric else ''}",
                f"{len(graph.states):,}",
                f"{len(graph.sources):,}",
                _where(by_step[count]),
                str(jumps(graph, recovered)),
            )
        )
    return by_step, rows


def _labelled(count: int) -> Iterator[tuple[str, Judged]]:
    """Ticks of a clock beside the domains, and the labels of domain 0."""
    clocked = explore(with_clock(domains(count)))
    yield "tick", judge(clocked, ticks, lambda state: recovered(state[:-1]))
    graph = explore(domains(count))
    for label in LABELS:
        yield label, judge(graph, f"{label} 0".__eq__, recovered)


def _where(judged: Judged) -> str:
    """The ranges of k with the same kinds; the last goes on for ever."""
    told = []
    numbered = list(enumerate(judged.kinds))
    for kinds, group in groupby(numbered, key=lambda one: one[1]):
        numbers = [k for k, _ in group]
        if numbers[-1] == numbered[-1][0]:
            span = f"k ≥ {numbers[0]}"
        elif len(numbers) == 1:
            span = f"k = {numbers[0]}"
        else:
            span = f"k = {numbers[0]} to {numbers[-1]}"
        names = ", ".join(kind.value for kind in Recovered if kind in kinds)
        told.append(f"{span}: {names or 'no such instant'}")
    return "; ".join(told)


def _text() -> Iterator[str]:
    steps, crash, after = shortest_mixed(domains(2))
    held = ", ".join(
        f"domain {number} holds the {recovered((phase,)).value} epoch"
        for number, phase in enumerate(after)
    )
    yield (
        f"The shortest execution with a mixed recovery: {', '.join(steps)} | {', '.join(crash)}. "
        f"Then {held}."
    )
    yield (
        "Every k, not some: the set of states possible at the k-th instant determines the next "
        "set, and the sequence is followed until it repeats. An execution up to an instant can be "
        "continued fairly, so that fairness changes nothing."
    )
    yield (
        "The quantifier: for each instant fixed before the execution there is an execution. Exempt "
        "are the first four steps, when nothing new can be durable yet. And every execution that "
        "ends well has instants that are not mixed, after the last `durable`; but when that is, no "
        "clock and no label of one domain says. It is Conv, a property of the execution."
    )
    yield (
        "One domain is the control. Nothing is ever mixed, and its own `durable` separates old "
        "from new. No step number and no tick separates even there, since the domain may be late: "
        "in this stronger reading (old before the instant, new from it on) the claim holds for one "
        "domain already, and is about asynchrony alone. In the reading used here it needs two."
    )
    yield (
        "Within one execution: from N = 2 on no transition leads from all old to all new (last "
        "column), so every checkpoint passes through mixed states. This is what interleaving "
        "means. A step that all take together is such a transition, and so is one durable record "
        "that decides for all: with it no state is mixed and every instant is a boundary, under "
        "the same asynchrony and the same crashes (last table). The claim is therefore about "
        "domains that recover each from its own part. The record's price is waiting for who holds "
        "it."
    )
    yield (
        "A barrier before the durable step does not help, and makes some mixed states last for "
        "ever: who crashed finds the others past the barrier. Bounded delay gives a time from "
        "which all is new, (crashes + 1) * delay + 1, only if the number of crashes is bounded too."
    )
