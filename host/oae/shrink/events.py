"""The fault events of a schedule: faults of frames, strikes of scheduled faults, upsets."""

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

from oae.scenario.fates import OF_SECOND, WORDS, NamedFate
from oae.scenario.language import parse_condition
from oae.scenario.layout import Fault
from oae.scenario.scenario import Scenario, ScheduledFault
from oae.scenario.upsets import Upset


class OfFrame(NamedTuple):
    """One fault of the frame of a fate."""

    fate: NamedFate
    fault: Fault


class Strike(NamedTuple):
    """A scheduled fault, or one of the times that it strikes."""

    place: int
    fault: ScheduledFault
    nth: int = 0


Event = OfFrame | Strike | Upset


def events(scenario: Scenario) -> list[Event]:
    """Every fault event; those of frames by id, which is roughly their order in time."""
    found: list[Event] = []
    for fate in sorted(scenario.fates, key=lambda fate: (fate.id, fate.copy, fate)):
        found += [OfFrame(fate, fault) for fault in WORDS if fault.value & fate.faults.value]
    for place, fault in enumerate(scenario.faults):
        found += [Strike(place, fault, nth) for nth in fault.at or (0,)]
    return [*found, *scenario.upsets]


def count(scenario: Scenario) -> int:
    """How many fault events there are."""
    of_frames = sum(fate.faults.value.bit_count() for fate in scenario.fates)
    strikes = sum(len(fault.at) or 1 for fault in scenario.faults)
    return of_frames + strikes + len(scenario.upsets)


def with_events(scenario: Scenario, kept: Sequence[Event]) -> Scenario:
    """The scenario with these of its fault events only, and without what depends on others."""
    fates: dict[tuple[int, ...], NamedFate] = {}
    strikes: dict[int, list[Strike]] = {}
    upsets: list[Upset] = []
    for event in kept:
        if isinstance(event, Upset):
            upsets.append(event)
        elif isinstance(event, Strike):
            strikes.setdefault(event.place, []).append(event)
        else:
            name = event.fate[:4]
            before = fates[name].faults if name in fates else Fault(0)
            fates[name] = event.fate._replace(faults=before | event.fault)
    faults = []
    for place in sorted(strikes):
        times = tuple(strike.nth for strike in strikes[place] if strike.nth)
        faults.append(_counting(strikes[place][0].fault, times))
    whole = {fate[:4]: fate.faults for fate in scenario.fates}
    possible = (_possible(fate, whole[fate[:4]]) for fate in fates.values())
    return replace(
        scenario,
        faults=_armed(faults),
        upsets=tuple(upsets),
        fates=tuple(sorted(fate for fate in possible if fate.faults)),
    )


def _possible(fate: NamedFate, whole: Fault) -> NamedFate:
    """Without faults of the second frame if that is what was taken away."""
    if not whole & ~fate.faults & Fault.DUPLICATED:
        return fate
    return fate._replace(faults=fate.faults & ~OF_SECOND)


def _counting(fault: ScheduledFault, times: tuple[int, ...]) -> ScheduledFault:
    """The fault at these times; for a single one there is a shorter way to say it."""
    if len(times) != 1:
        return replace(fault, at=times)
    nth = f" #{times[0]}" if times[0] > 1 else ""
    return replace(fault, when=parse_condition(fault.when.words + nth), at=())


def _armed(faults: Sequence[ScheduledFault]) -> tuple[ScheduledFault, ...]:
    """Those that something arms, if they need it; and names only where they are needed."""
    names = {fault.name for fault in faults} | {""}
    kept = tuple(fault for fault in faults if fault.armed_by in names)
    if len(kept) < len(faults):
        return _armed(kept)
    needed = {fault.armed_by for fault in kept}
    return tuple(fault if fault.name in needed else replace(fault, name="") for fault in kept)
