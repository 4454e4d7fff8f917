"""Fits the clock of one tap against the clock of another from the frames that both saw.

Points are pairs (x, y): x is when the tap at a saw a frame, y is how much later b's clock says that
the tap at b saw it; nanoseconds. Frames a -> b lie above the line `offset + drift * x` by their
delay, frames b -> a below it. No delay is negative, so a line between the two clouds is wanted.
"""

from typing import Final, NamedTuple

import numpy
from numpy.typing import NDArray

from oae.errors import OaeError

Numbers = NDArray[numpy.float64]

LARGEST_OFFSET: Final = 1e9
LARGEST_DRIFT: Final = 100e-6
LARGEST_JITTER: Final = 1e3  # of one time stamp, either way; a delay holds two of them
FEWEST: Final = 16  # frames that both taps saw, in each direction
_BLOCKS: Final = 128  # a direction's points are summed up in so many medians
_WIDEST_DRIFT: Final = 10 * LARGEST_DRIFT  # a fit looks so far, to tell what is wrong
_ROUNDING: Final = 50.0  # ns: what a window is wider than the noise that was measured
_LENIENT: Final = 1.25  # jitter is measured from a median, which few frames do not settle
_WRONG: Final = 0.02  # of the frames may be pairs that are none,
_FEW_WRONG: Final = 3  # and so many always
_NO_LINE: Final = "no offset and drift fit the two clocks: one of them was set or wanders"
_SURE: Final = 4.0  # standard errors


class MergeError(OaeError):
    """Two captures cannot become one; the message is the reason for INCONCLUSIVE."""

    exit_code = 3


class Points(NamedTuple):
    """Frames of one direction."""

    x: Numbers
    y: Numbers


class Line(NamedTuple):
    """A rough fit: one drift, and in each direction how much later the usual frame is."""

    drift: float
    usual: tuple[float, float]
    noise: float  # a frame that was not held back is this near to the usual one


class Clocks(NamedTuple):
    """b's clock shows `offset + (1 + drift) * x` where a's shows x; nanoseconds."""

    offset: float
    drift: float
    uncertainty: float  # of the offset anywhere in the captures
    drift_uncertainty: float
    jitter: float


def rough(directions: tuple[Points, Points]) -> Line:
    """A line that held back frames and wrong pairs cannot pull away."""
    slopes, weights = [], []
    for points in directions:
        x, y = _medians(points)
        first, second = numpy.triu_indices(x.size, 1)
        distance = x[second] - x[first]
        apart = distance > 0
        slopes.append((y[second] - y[first])[apart] / distance[apart])
        weights.append(distance[apart])
    drift = _weighted_median(numpy.concatenate(slopes), numpy.concatenate(weights))
    drift = min(max(drift, -_WIDEST_DRIFT), _WIDEST_DRIFT)
    rests = [points.y - drift * points.x for points in directions]
    usual = float(numpy.median(rests[0])), float(numpy.median(rests[1]))
    centred = [rest - middle for rest, middle in zip(rests, usual, strict=True)]
    # Held back frames lie above in one direction and below in the other; in which, is not known
    # yet. Frames on the other side tell how time stamps scatter.
    sides = [numpy.concatenate([sign * centred[0], -sign * centred[1]]) for sign in (1, -1)]
    return Line(drift, usual, _ROUNDING - 3 * max(_lowest(side) for side in sides))


def check_scatter(line: Line, directions: tuple[Points, Points]) -> None:
    """Raise MergeError if time stamps scatter about the line by more than jitter may."""
    if line.noise <= 6 * LARGEST_JITTER + _ROUNDING:
        return
    orders = [numpy.argsort(points.x, kind="stable") for points in directions]
    steps = [
        numpy.diff((points.y - line.drift * points.x)[order])
        for points, order in zip(directions, orders, strict=True)
    ]
    step = float(numpy.median(numpy.abs(numpy.concatenate(steps))))
    if step > LARGEST_JITTER / 2:
        raise MergeError(f"the time stamps jitter by more than {LARGEST_JITTER:.0f} ns each")
    raise MergeError(_NO_LINE)


def check_early(line: Line, directions: tuple[Points, Points], first_at_a: bool) -> None:
    """Raise MergeError if more than a few frames came earlier than frames can."""
    early = frames = 0
    for points, usual, later in zip(
        directions, line.usual, (first_at_a, not first_at_a), strict=True
    ):
        rest = points.y - line.drift * points.x - usual
        early += int(numpy.count_nonzero((rest if later else -rest) < -line.noise))
        frames += rest.size
    if early > max(_FEW_WRONG, _WRONG * frames):
        raise MergeError(_NO_LINE)


def first_sends(directions: tuple[Points, Points], line: Line) -> bool:
    """Whether the speaker of the first direction is at a: its frames come later to b."""
    means, errors = [], []
    for points, usual in zip(directions, line.usual, strict=True):
        rest = points.y - line.drift * points.x
        near = rest[numpy.abs(rest - usual) <= line.noise]
        means.append(float(near.mean()))
        errors.append(float(near.var()) / near.size)
    round_trip = means[0] - means[1]
    if abs(round_trip) <= _SURE * sum(errors) ** 0.5:
        raise MergeError(
            "which end is at which tap cannot be known: jitter hides the delay of the cable"
        )
    return round_trip > 0


def fit(there: Points, back: Points, span: tuple[float, float]) -> Clocks:
    """The line with the largest smallest delay, and how far from it a possible line can be.

    `there` are frames a -> b, `back` frames b -> a, none of them held back; the uncertainty is that
    of any time in `span`. A line is possible if no delay is below zero by more than the time stamps
    scatter. Raises MergeError if no possible line is within the bounds.
    """
    above, below = _lower_hull(there), _lower_hull(Points(back.x, -back.y))
    below = Points(below.x, -below.y)
    edges = [numpy.diff(hull.y) / numpy.diff(hull.x) for hull in (above, below)]
    limits = (-_WIDEST_DRIFT, _WIDEST_DRIFT, -LARGEST_DRIFT, LARGEST_DRIFT)
    drifts = numpy.unique(numpy.clip([*edges[0], *edges[1], *limits], *limits[:2]))

    # The gap between the clouds along a slope is concave and bends only at slopes of their edges.
    gaps = _floor(above, drifts) - _ceiling(below, drifts)
    best = drifts[gaps >= gaps.max() - 1e-6]
    scatter = _scatter(there, back, float(best.mean()))
    lowest, highest = _interval(drifts, gaps, min(-2 * scatter, float(gaps.max())))
    if lowest > LARGEST_DRIFT or highest < -LARGEST_DRIFT:
        raise MergeError(
            f"the clocks drift by {best.mean() * 1e6:+.1f} ppm, "
            f"more than {LARGEST_DRIFT * 1e6:.0f} ppm"
        )
    lowest, highest = max(lowest, -LARGEST_DRIFT), min(highest, LARGEST_DRIFT)
    possible = numpy.array([lowest, *drifts[(drifts > lowest) & (drifts < highest)], highest])
    gaps = _floor(above, possible) - _ceiling(below, possible)
    drift = float(possible[gaps >= gaps.max() - 1e-6].mean())
    slope = numpy.array([drift])
    offset = float(_floor(above, slope)[0] + _ceiling(below, slope)[0]) / 2
    if gaps.max() < -4 * LARGEST_JITTER:
        raise MergeError(
            "no offset and drift fit the two clocks: frames arrive before they are sent"
        )

    uncertainty = 0.0
    for time in span:
        middle = offset + drift * time
        latest = float((_floor(above, possible) + possible * time).max()) + scatter
        earliest = float((_ceiling(below, possible) + possible * time).min()) - scatter
        uncertainty = max(uncertainty, latest - middle, middle - earliest)
    if abs(offset) > LARGEST_OFFSET + uncertainty:
        raise MergeError(_too_far(offset))
    jitter = _jitter(there, back, drift)
    if jitter > _LENIENT * LARGEST_JITTER:
        raise MergeError(
            f"the time stamps jitter by {jitter:.0f} ns each, more than {LARGEST_JITTER:.0f} ns"
        )
    return Clocks(offset, drift, uncertainty, max(highest - drift, drift - lowest), jitter)


def check_offset(line: Line) -> None:
    """Raise MergeError if the clocks are further apart than they may be."""
    offset = sum(line.usual) / 2
    if abs(offset) > LARGEST_OFFSET + abs(line.usual[0] - line.usual[1]):
        raise MergeError(_too_far(offset))


def _too_far(offset: float) -> str:
    return f"the clocks are {offset / 1e9:+.3f} s apart, more than {LARGEST_OFFSET / 1e9:.0f} s"


def _medians(points: Points) -> Points:
    order = numpy.argsort(points.x, kind="stable")
    blocks = numpy.array_split(order, min(_BLOCKS, order.size))
    return Points(
        numpy.array([numpy.median(points.x[block]) for block in blocks]),
        numpy.array([numpy.median(points.y[block]) for block in blocks]),
    )


def _weighted_median(values: Numbers, weights: Numbers) -> float:
    if not values.size:
        return 0.0
    order = numpy.argsort(values)
    total = numpy.cumsum(weights[order])
    return float(values[order][numpy.searchsorted(total, total[-1] / 2)])


def _lowest(values: Numbers) -> float:
    """The lowest value, but for a few wrong ones."""
    return float(numpy.quantile(values, 0.05))


def _early(there: Points, back: Points, drift: float) -> Numbers:
    """How much earlier than usual each frame came."""
    rests = there.y - drift * there.x, drift * back.x - back.y
    return numpy.concatenate([numpy.median(rest) - rest for rest in rests])


def _scatter(there: Points, back: Points, drift: float) -> float:
    """What two time stamps can take off a delay, and rather more than can be seen of it."""
    return 2 * float(_early(there, back, drift).max())


def _jitter(there: Points, back: Points, drift: float) -> float:
    """Error of one time stamp: half of what two take off, but for the odd wrong pair."""
    return float(numpy.quantile(_early(there, back, drift), 0.995)) / 2


def _lower_hull(points: Points) -> Points:
    """The corners of the convex hull that are seen from below.

    A point on or above the line between its neighbours is no corner; all such points can go at
    once, until there are none.
    """
    order = numpy.lexsort((points.y, points.x))
    x, y = points.x[order], points.y[order]
    lowest = numpy.ones(x.size, bool)
    lowest[1:] = numpy.diff(x) > 0
    x, y = x[lowest], y[lowest]
    while x.size > 2:
        left, right = numpy.diff(x[:-1]), numpy.diff(x[1:])
        rise, next_rise = numpy.diff(y[:-1]), numpy.diff(y[1:])
        corner = numpy.ones(x.size, bool)
        corner[1:-1] = rise * right < next_rise * left
        if corner.all():
            break
        x, y = x[corner], y[corner]
    return Points(x, y)


def _floor(hull: Points, drifts: Numbers) -> Numbers:
    """For each slope the offset of the highest line that no point is below."""
    offsets: Numbers = numpy.min(hull.y - numpy.outer(drifts, hull.x), axis=1)
    return offsets


def _ceiling(hull: Points, drifts: Numbers) -> Numbers:
    """For each slope the offset of the lowest line that no point is above."""
    offsets: Numbers = numpy.max(hull.y - numpy.outer(drifts, hull.x), axis=1)
    return offsets


def _interval(drifts: Numbers, gaps: Numbers, least: float) -> tuple[float, float]:
    """The slopes along which the gap is at least `least`."""
    top = int(gaps.argmax())
    lowest = numpy.interp(least, gaps[: top + 1], drifts[: top + 1])
    highest = numpy.interp(-least, -gaps[top:], drifts[top:])
    return float(lowest), float(highest)
