"""The experiment on the types: every execution of small worlds, and every misuse."""

from collections.abc import Iterator
from typing import Final

from oae.epoch.claim import Effort, Finding, Standing, Table
from oae.epoch.snapshot.execution import Execution, Time
from oae.epoch.snapshot.properties import CategoryError, Conv, Snap, restorable, times_of
from oae.epoch.snapshot.separation import LINK, Separation, World, separate, worlds

TICKS: Final = {False: 4, True: 6}  # by Effort.long
MISUSES: Final = 4


def type_error(effort: Effort) -> Finding:
    """Refusals at run time, and both judged on every execution of small worlds."""
    refused = list(_refusals())
    strict = len(refused) == MISUSES
    found = {world: separate(world) for world in worlds(TICKS[effort.long])}
    total = sum(one.executions for one in found.values())
    apart = all(one.same_snap and one.same_conv for one in found.values())
    return Finding(
        Standing.HOLDS_UNDER if apart and strict else Standing.DOES_NOT_HOLD,
        f"all {total:,} executions of {len(found)} worlds: in "
        f"{sum(one.same_snap > 0 for one in found.values())} worlds Snap at every time leaves Conv "
        f"open, in {sum(one.same_conv > 0 for one in found.values())} Conv leaves Snap open; "
        f"{len(refused)} of {MISUSES} misuses refused at run time",
        (*_text(*list(found.values())[:3]), f"Refused at run time: {'; '.join(refused)}."),
        (_table(found, TICKS[effort.long]),),
        data={
            "executions": total,
            "conv_without_snap": {w.name: one.conv_without_snap for w, one in found.items()},
            "snap_without_conv": {w.name: one.snap_without_conv for w, one in found.items()},
        },
    )


def _refusals() -> Iterator[str]:
    """What the code says to each use of one for the other."""
    execution = Execution(2)
    snap, conv = Snap(execution, 1), Conv(LINK, 1)
    for misuse in (
        lambda: restorable(snap, execution),  # type: ignore[arg-type]
        lambda: times_of(conv, [Time(1)]),  # type: ignore[arg-type]
        lambda: conv(Time(1)),  # type: ignore[arg-type]
        lambda: snap(execution),  # type: ignore[arg-type]
    ):
        try:
            misuse()
        except CategoryError as error:
            yield str(error)


def _text(alone: Separation, decided: Separation, skewed: Separation) -> Iterator[str]:
    yield (
        "Why: Conv reads no clock, so it is the same whatever the clocks show, and Snap is not. "
        "Snap reads no evidence, so it is the same whatever messages are lost, and Conv is not. "
        "Neither can be a function of the other."
    )
    yield (
        "What does not follow. With true clocks, and where the link decides when a domain goes on, "
        f"{decided.conv_without_snap} of {decided.executions:,} executions converge without a time "
        f"at which Snap held; times at which it held in every one that converges: "
        f"{len(decided.certain)}. So such a time exists in each, and no clock can name it "
        f"beforehand. With clocks one tick apart {skewed.conv_without_snap} executions have none. "
        "If there is only one epoch to take and clocks are true, Snap as a whole settles whether "
        f"every part is durable ({alone.undecided_reached} of {alone.patterns} patterns leave it "
        "open), as it must; whether the ends know, it does not settle."
    )
    for name, examples in skewed.examples.items():
        shown = " / ".join(_shown(execution) for execution in examples)
        yield f"Example with clocks one tick apart. {name}: {shown}."


def _shown(execution: Execution) -> str:
    """One line: domain, what its own clock shows, and what happened."""
    return ", ".join(
        f"{'ab'[event.domain]}@{event.time.tick} {type(event).__name__.lower()} {event.epoch}"
        for event in execution.events
    )


def _table(found: dict[World, Separation], ticks: int) -> Table:
    return Table(
        f"Two domains, one link, {ticks} ticks: every execution. A pattern is the truth of Snap(t) "
        "at every time, for every epoch",
        (
            "world",
            "executions",
            "patterns that leave Conv open",
            "truths of Conv that leave the pattern open",
            "Snap at a time, no Conv",
            "Conv, Snap at no time",
            "patterns that leave open whether all is durable",
        ),
        tuple(
            (
                world.name,
                f"{one.executions:,}",
                f"{one.same_snap} of {one.patterns}",
                str(one.same_conv),
                f"{one.snap_without_conv:,}",
                f"{one.conv_without_snap:,}",
                f"{one.undecided_reached} of {one.patterns}",
            )
            for world, one in found.items()
        ),
    )
