"""Puts what two taps saw into one order in which nothing stands before its cause.

The order of each tap's file is kept, and a receive stands after its transmit. So an answer stands
after what it answers: at its sender's tap it does so in the file.
"""

from typing import NamedTuple

import numpy
from numpy.typing import NDArray

Indices = NDArray[numpy.int64]


class Causes(NamedTuple):
    """Frames of one direction that both taps saw, by their places in the files of both taps."""

    transmit: Indices
    receive: Indices
    doubt: NDArray[numpy.float64]  # how far from usual its delay is


def consistent(there: Causes, back: Causes) -> tuple[Causes, Causes]:
    """Leave out the pairs by which something would stand before its cause.

    A pair a -> b and one b -> a contradict each other if b received the one before it sent the
    other, and a the other before the one; every circle of causes holds two such pairs. The more
    doubtful one goes.
    """
    while True:
        order = numpy.argsort(there.receive, kind="stable")
        # For each pair back: of the pairs there that b received before, the one a sent last.
        earlier = numpy.searchsorted(there.receive[order], back.transmit, "right")
        sent = there.transmit[order]
        last = _place_of_maximum(sent)
        against = numpy.flatnonzero(earlier > 0)
        rival = last[earlier[against] - 1]
        wrong = sent[rival] >= back.receive[against]
        against, rival = against[wrong], order[rival[wrong]]
        if not against.size:
            return there, back
        mine = back.doubt[against] >= there.doubt[rival]
        there = _without(there, rival[~mine])
        back = _without(back, against[mine])


def settle(times: tuple[Indices, Indices], there: Causes, back: Causes) -> tuple[Indices, Indices]:
    """The earliest times, none before its own, at which nothing stands before its cause.

    `times` are of taps a and b, in the order of their files, on one clock.
    """
    a, b = (numpy.maximum.accumulate(time) for time in times)
    while True:
        arrives, returns = a[there.transmit] + 1, b[back.transmit] + 1
        if (arrives <= b[there.receive]).all() and (returns <= a[back.receive]).all():
            return a, b
        numpy.maximum.at(b, there.receive, arrives)
        b = numpy.maximum.accumulate(b)
        numpy.maximum.at(a, back.receive, b[back.transmit] + 1)
        a = numpy.maximum.accumulate(a)


def _without(causes: Causes, places: Indices) -> Causes:
    stay = numpy.ones(causes.transmit.size, bool)
    stay[places] = False
    return Causes(causes.transmit[stay], causes.receive[stay], causes.doubt[stay])


def _place_of_maximum(values: Indices) -> Indices:
    """For each place, where the largest value up to it stands."""
    highest = numpy.maximum.accumulate(values)
    fresh = numpy.ones(values.size, bool)
    fresh[1:] = values[1:] > highest[:-1]
    return numpy.maximum.accumulate(numpy.where(fresh, numpy.arange(values.size), 0))
