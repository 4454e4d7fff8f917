"""Finds the frames that both taps saw, by content, order and time.

Equal frames are common (beats, repeats), so content alone says little. Frames that are alone in
both captures, as far as the clocks can be apart, give a rough line between the clocks; along it
every other frame finds its like.
"""

from collections.abc import Iterator
from typing import Final, NamedTuple

import numpy
from numpy.typing import NDArray

from oae.capture.clocks import (
    FEWEST,
    LARGEST_DRIFT,
    LARGEST_OFFSET,
    Line,
    MergeError,
    Points,
    check_early,
    check_offset,
    check_scatter,
    first_sends,
    rough,
)

Indices = NDArray[numpy.int64]
Numbers = NDArray[numpy.float64]

LATEST: Final = 10e6  # ns: a frame that the cable held back for longer counts as lost
_MARGIN: Final = 10e6  # ns: what the rough line may be wrong by


class Frames(NamedTuple):
    """The frames of one direction at one tap, in the order of its file."""

    content: Indices  # equal numbers for equal frames
    time: Numbers  # ns of this tap's clock; both taps count from one origin


class Direction(NamedTuple):
    """The frames of one speaker at both taps."""

    a: Frames
    b: Frames


class Pairs(NamedTuple):
    """Places, in the Frames of either tap, of frames of one direction that both saw."""

    a: Indices
    b: Indices
    sole: NDArray[numpy.bool_]  # came as usual, and no equal frame is near: the clocks go by these


class Match(NamedTuple):
    """What the two captures have in common."""

    first_at_a: bool  # whether the speaker of the first direction is at a
    pairs: tuple[Pairs, Pairs]


def match(directions: tuple[Direction, Direction], first_at_a: bool | None) -> Match:
    """The frames that both taps saw; where the first speaker is, delays tell if it is not known.

    Raises MergeError if there are too few of them, or if their times make no sense.
    """
    first, second = directions
    found = _points(directions, (_unique(first), _unique(second)))
    middle = 0.0
    reach = LARGEST_OFFSET
    if min(points.x.size for points in found) >= FEWEST:
        line = rough(found)
        check_offset(line)
        middle = sum(line.usual) / 2
        reach = abs(line.usual[0] - line.usual[1]) + _MARGIN
    length = max(float(numpy.ptp(side.time)) for each in directions for side in each)
    reach += 2 * LARGEST_DRIFT * length
    found = _points(directions, (_alone(first, middle, reach), _alone(second, middle, reach)))
    _enough(found[0].x.size, found[1].x.size)
    line = rough(found)
    check_offset(line)
    check_scatter(line, found)
    if first_at_a is None:
        first_at_a = first_sends(found, line)
    check_early(line, found, first_at_a)
    pairs = (
        _follow(first, line.usual[0], line, first_at_a),
        _follow(second, line.usual[1], line, not first_at_a),
    )
    _enough(*(int(numpy.count_nonzero(each.sole)) for each in pairs))
    return Match(first_at_a, pairs)


def _enough(first: int, second: int) -> None:
    if min(first, second) < FEWEST:
        raise MergeError(
            "too few frames can be told apart in both captures: "
            f"{first} of one direction and {second} of the other, of {FEWEST} that each needs"
        )


def _points(
    directions: tuple[Direction, Direction], places: tuple[tuple[Indices, Indices], ...]
) -> tuple[Points, Points]:
    first, second = (
        Points(each.a.time[a], each.b.time[b] - each.a.time[a])
        for each, (a, b) in zip(directions, places, strict=True)
    )
    return first, second


def _unique(direction: Direction) -> tuple[Indices, Indices]:
    """Frames that each capture has once."""
    single = []
    for side in direction:
        content, first, count = numpy.unique(side.content, return_index=True, return_counts=True)
        single.append((content[count == 1], first[count == 1]))
    (content_a, first_a), (content_b, first_b) = single
    _, a, b = numpy.intersect1d(content_a, content_b, assume_unique=True, return_indices=True)
    return first_a[a], first_b[b]


def _alone(direction: Direction, middle: float, reach: float) -> tuple[Indices, Indices]:
    """Frames with one equal frame within reach at the other tap, and that one with no other."""
    a, b = direction
    width = int(reach / 1e3) + 1  # microseconds will do
    length = int(a.time.max(initial=0) / 1e3) + 1
    stride = length + 4 * width  # further than any two equal frames that are within reach
    at_a = a.content * stride + (a.time / 1e3).astype(numpy.int64)
    moved = numpy.clip((b.time - middle) / 1e3, -1.5 * width, length + 1.5 * width)
    at_b = b.content * stride + moved.astype(numpy.int64)
    order_a, order_b = numpy.argsort(at_a, kind="stable"), numpy.argsort(at_b, kind="stable")
    at_a, at_b = at_a[order_a], at_b[order_b]
    first = numpy.searchsorted(at_b, at_a - width)
    alone = numpy.searchsorted(at_b, at_a + width, "right") - first == 1
    likes = numpy.searchsorted(at_a, at_b + width, "right") - numpy.searchsorted(at_a, at_b - width)
    one = numpy.flatnonzero(alone)
    one = one[likes[first[one]] == 1]
    return order_a[one], order_b[first[one]]


def _follow(direction: Direction, usual: float, line: Line, sent_by_a: bool) -> Pairs:
    """Pair equal frames: those at the usual time, then those that were held back."""
    a, b = direction
    expected = Frames(b.content, (b.time - usual) / (1 + line.drift))  # as if no time had passed
    sent, received = (a, expected) if sent_by_a else (expected, a)
    events = _Events(
        numpy.concatenate([sent.content, received.content]),
        numpy.concatenate([sent.time, received.time]),
        sent.content.size,
    )
    groups = events.groups(line.noise)
    sole = events.sole(groups, -line.noise)
    several = events.several(groups, -line.noise, line.noise)
    # A frame that was held back is known only if no other equal frame could be meant.
    held = float(numpy.nextafter(line.noise, LATEST))
    late = events.sole(events.groups(LATEST), held)
    transmit, receive = (
        numpy.concatenate(column) for column in zip(sole, several, late, strict=True)
    )
    usual_ones = numpy.arange(transmit.size) < sole[0].size
    receive -= events.sent
    pair = (transmit, receive) if sent_by_a else (receive, transmit)
    return Pairs(*pair, usual_ones)


class _Groups(NamedTuple):
    """Equal frames that are near each other."""

    events: Indices  # all of them, group after group, each in order of time
    start: Indices  # of each group, in `events`
    size: Indices
    receives: Indices  # how many of them the receiver's tap saw


class _Events(NamedTuple):
    """Frames of one direction as both taps saw them, on one clock, the sender's first."""

    content: Indices
    time: Numbers
    sent: int  # how many the sender's tap saw

    def groups(self, gap: float) -> _Groups:
        """Equal frames with no more than `gap` from one to the next."""
        events = numpy.lexsort((self.time, self.content))
        apart = (numpy.diff(self.content[events]) != 0) | (numpy.diff(self.time[events]) > gap)
        start = numpy.concatenate([[0], numpy.flatnonzero(apart) + 1])
        receives = numpy.add.reduceat(events >= self.sent, start, dtype=numpy.int64)
        return _Groups(events, start, numpy.diff(start, append=events.size), receives)

    def sole(self, groups: _Groups, earliest: float) -> tuple[Indices, Indices]:
        """Transmits and receives that are a group by themselves; no delay is below `earliest`."""
        first = groups.start[(groups.size == 2) & (groups.receives == 1)]
        two = groups.events[first], groups.events[first + 1]
        transmit, receive = numpy.minimum(*two), numpy.maximum(*two)
        within = self.time[receive] - self.time[transmit] >= earliest
        return transmit[within], receive[within]

    def several(self, groups: _Groups, earliest: float, latest: float) -> tuple[Indices, Indices]:
        """Pairs in the groups of more than two."""
        found: list[tuple[int, int]] = []
        more = (groups.size > 2) & (groups.receives > 0) & (groups.receives < groups.size)
        for start, size in zip(
            groups.start[more].tolist(), groups.size[more].tolist(), strict=True
        ):
            events = groups.events[start : start + size]
            received = events >= self.sent
            found += _in_order(events[~received], events[received], self.time, earliest, latest)
        pairs = numpy.array(found, numpy.int64).reshape(-1, 2)
        return pairs[:, 0], pairs[:, 1]


def _in_order(
    transmits: Indices, receives: Indices, time: Numbers, earliest: float, latest: float
) -> Iterator[tuple[int, int]]:
    """Pair equal frames of two taps in order; where one tap has more, each takes the nearest."""
    sent, came = time[transmits].tolist(), time[receives].tolist()
    i = j = 0
    while i < len(sent) and j < len(came):
        delay = came[j] - sent[i]
        surplus = len(sent) - i - (len(came) - j)
        if delay > latest or (surplus > 0 and abs(came[j] - sent[i + 1]) < abs(delay)):
            i += 1
        elif delay < earliest or (surplus < 0 and abs(came[j + 1] - sent[i]) < abs(delay)):
            j += 1
        else:
            yield int(transmits[i]), int(receives[j])
            i += 1
            j += 1
