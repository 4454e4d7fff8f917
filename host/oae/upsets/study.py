"""Many flips in every kind of state, and the table of what they come to."""

import json
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Executor, as_completed
from typing import Final, NamedTuple

from oae.campaign.swarm import Draws
from oae.engines.compiled import parameters
from oae.scenario.upsets import Upset
from oae.upsets.elements import Element, elements
from oae.upsets.groups import Class, Group, classes, group
from oae.upsets.trial import Effect, Result, play, scenario, study_engine

SEEDS: Final = 32  # of the runs in which bits are flipped
CYCLES: Final = (200, 4000)  # in which they are: the link is up, and the rates hold
TOGETHER: Final = 10  # trials that a worker plays at a time
END: Final = 1  # whose crashes tell the classes; both ends are alike
CRASHED: Final = 2  # runs that tell the classes


class Kind(NamedTuple):
    """State that is told about in one row."""

    of: Class
    group: Group


Trials = Sequence[tuple[int, Upset]]


def kinds() -> dict[Kind, list[Element]]:
    """The elements of an end by class and group."""
    found = elements(parameters(scenario(1)), END)
    crashed = [scenario(seed) for seed in range(1, CRASHED + 1)]
    by_kind: dict[Kind, list[Element]] = defaultdict(list)
    for element, of in zip(found, classes(study_engine(), crashed, END, found), strict=True):
        by_kind[Kind(of, group(element))].append(element)
    ordered = (Kind(of, about) for of in Class for about in Group)
    return {kind: by_kind[kind] for kind in ordered if kind in by_kind}


def trials(
    kind: Kind, members: Sequence[Element], flips: int, seed: int
) -> Iterator[tuple[int, Upset]]:
    """Seeds of runs and bits to flip: each bit of the kind is as likely as any other."""
    bits = sum(element.bits for element in members)
    for number in range(flips):
        draws = Draws(seed)
        name = f"{kind.of} {kind.group} {number}"
        place = draws.integer(f"{name} bit", 0, bits - 1)
        for element in members:
            if place < element.bits:
                break
            place -= element.bits
        cycle = draws.integer(f"{name} cycle", *CYCLES)
        end = draws.integer(f"{name} end", 0, 1)
        upset = Upset(cycle, end, element.name, *element.place(place))
        yield draws.integer(f"{name} run", 1, SEEDS), upset


def several(asked: Trials) -> list[Result]:
    """What a worker plays at a time."""
    return [play(seed, upset) for seed, upset in asked]


def study(
    executor: Executor, asked: Mapping[Kind, Trials], tell: Callable[[int], None]
) -> dict[Kind, list[Result]]:
    """Play all trials; `tell` hears of so many more that are done."""
    waiting = {}
    for kind, all_of_it in asked.items():
        for first in range(0, len(all_of_it), TOGETHER):
            part = all_of_it[first : first + TOGETHER]
            waiting[executor.submit(several, part)] = kind, first
    parts: dict[Kind, dict[int, list[Result]]] = {kind: {} for kind in asked}
    try:
        for future in as_completed(waiting):
            kind, first = waiting[future]
            parts[kind][first] = future.result()
            tell(len(parts[kind][first]))
    finally:
        for future in waiting:
            future.cancel()
    return {
        kind: [result for _, part in sorted(found.items()) for result in part]
        for kind, found in parts.items()
    }


SHOWN: Final = tuple(effect for effect in Effect if effect is not Effect.DIED)


def table(
    members: Mapping[Kind, Sequence[Element]], results: Mapping[Kind, Sequence[Result]]
) -> str:
    """In Markdown: per cent of the flips of each kind, and of random bits of each class."""
    rows = [["state", "bits", "flips", *SHOWN, "promises broken silently"]]
    rows.append(["---", *["---:"] * (2 + len(SHOWN)), "---"])
    bits = {kind: sum(element.bits for element in found) for kind, found in members.items()}
    for of in dict.fromkeys(kind.of for kind in results):
        own = [kind for kind in results if kind.of is of]
        shares = [[_share(results[kind], effect) for effect in SHOWN] for kind in own]
        for kind, share in zip(own, shares, strict=True):
            rows.append(
                [
                    f"{of}: {kind.group}",
                    f"{bits[kind]:,}",
                    f"{len(results[kind]):,}",
                    *map(_per_cent, share),
                    _promises(results[kind]),
                ]
            )
        weights = [bits[kind] for kind in own]
        mean = [
            sum(weight * share[at] for weight, share in zip(weights, shares, strict=True))
            / sum(weights)
            for at in range(len(SHOWN))
        ]
        flips = sum(len(results[kind]) for kind in own)
        cells = [f"**{of}, a random bit**", f"{sum(weights):,}", f"{flips:,}"]
        rows.append([*cells, *map(_per_cent, mean), ""])
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def as_json(
    members: Mapping[Kind, Sequence[Element]], results: Mapping[Kind, Sequence[Result]]
) -> str:
    """Every trial, and the counts of each kind."""
    found = [
        {
            "class": kind.of,
            "group": kind.group,
            "elements": {element.name: element.bits for element in members[kind]},
            "effects": Counter(result.effect for result in all_of_it),
            "alarms": Counter(name for result in all_of_it for name in result.alarms),
            "promises": Counter(name for result in all_of_it for name in result.promises),
            "trials": [result._asdict() for result in all_of_it],
        }
        for kind, all_of_it in results.items()
    ]
    return json.dumps(found, indent=2) + "\n"


def _share(results: Sequence[Result], effect: Effect) -> float:
    return sum(result.effect is effect for result in results) / len(results)


def _per_cent(share: float) -> str:
    return f"{100 * share:.1f}" if share else "0"


def _promises(results: Iterable[Result]) -> str:
    silent = (result for result in results if result.effect is Effect.SILENT)
    counts = Counter(promise for result in silent for promise in result.promises)
    return "; ".join(f"{promise} {times}" for promise, times in counts.most_common())
