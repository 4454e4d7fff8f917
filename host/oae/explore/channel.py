"""One direction of the medium: what the adversary may do to frames on it.

Frames are numbers here; the search knows what they stand for. A channel's state is hashable.
"""

from collections.abc import Iterator
from typing import Any, Protocol

ChannelState = Any
LOSS, DUPLICATION = "losses", "duplications"


class Channel(Protocol):
    """What a search needs of a kind of channel."""

    empty: ChannelState
    forgets: bool  # a frame that has arrived is gone

    def send(self, state: ChannelState, frame: int) -> ChannelState | None:
        """State with one more frame on the way; None if there is no room."""

    def deliveries(self, state: ChannelState) -> Iterator[tuple[int, ChannelState]]:
        """Each frame that may arrive next, and the state after it."""

    def faults(self, state: ChannelState) -> Iterator[tuple[str, int, ChannelState]]:
        """What the adversary may do at a price: its name, the frame, the state after it."""

    def frames(self, state: ChannelState) -> Iterator[int]:
        """Frames that may still arrive."""

    def replaced(self, state: ChannelState, frame: int, other: int) -> ChannelState:
        """State in which `frame` has been damaged into `other`."""


class EverSent:
    """Whatever was once sent may arrive again at any time.

    That is loss, duplication, reordering and delay at once, without bound and at no price. The
    state is a set of frames, one bit each.
    """

    empty = 0
    forgets = False

    def send(self, state: int, frame: int) -> int:
        """One more bit."""
        return state | 1 << frame

    def deliveries(self, state: int) -> Iterator[tuple[int, int]]:
        """Any frame; it stays."""
        for frame in self.frames(state):
            yield frame, state

    def faults(self, state: int) -> Iterator[tuple[str, int, int]]:
        """Nothing that it does not do anyway."""
        return iter(())

    def frames(self, state: int) -> Iterator[int]:
        """Every bit that is set."""
        frame = 0
        while state:
            if state & 1:
                yield frame
            state >>= 1
            frame += 1

    def replaced(self, state: int, frame: int, other: int) -> int:
        """The original stays too: it may have been sent twice."""
        return state | 1 << other


class Fifo:
    """Frames arrive in the order in which they were sent; `capacity` are on the way at most."""

    empty: tuple[int, ...] = ()
    forgets = True

    def __init__(self, capacity: int) -> None:
        self.capacity = capacity

    def send(self, state: tuple[int, ...], frame: int) -> tuple[int, ...] | None:
        """At the end of the line."""
        return (*state, frame) if len(state) < self.capacity else None

    def deliveries(self, state: tuple[int, ...]) -> Iterator[tuple[int, tuple[int, ...]]]:
        """The first frame."""
        if state:
            yield state[0], state[1:]

    def faults(self, state: tuple[int, ...]) -> Iterator[tuple[str, int, tuple[int, ...]]]:
        """The first frame is lost or doubled; earlier or later makes no difference."""
        if state:
            yield LOSS, state[0], state[1:]
            if len(state) < self.capacity:
                yield DUPLICATION, state[0], (state[0], *state)

    def frames(self, state: tuple[int, ...]) -> Iterator[int]:
        """All that is on the way."""
        return iter(state)

    def replaced(self, state: tuple[int, ...], frame: int, other: int) -> tuple[int, ...]:
        """In its place."""
        place = state.index(frame)
        return (*state[:place], other, *state[place + 1 :])


class Reordering(Fifo):
    """Frames arrive in any order; the state is a sorted tuple, so that order is not told apart."""

    def send(self, state: tuple[int, ...], frame: int) -> tuple[int, ...] | None:
        """Somewhere."""
        return tuple(sorted((*state, frame))) if len(state) < self.capacity else None

    def deliveries(self, state: tuple[int, ...]) -> Iterator[tuple[int, tuple[int, ...]]]:
        """Any frame."""
        for place, frame in enumerate(state):
            if place == 0 or state[place - 1] != frame:
                yield frame, state[:place] + state[place + 1 :]

    def faults(self, state: tuple[int, ...]) -> Iterator[tuple[str, int, tuple[int, ...]]]:
        """Any frame is lost or doubled."""
        for frame, rest in self.deliveries(state):
            yield LOSS, frame, rest
            doubled = self.send(state, frame)
            if doubled is not None:
                yield DUPLICATION, frame, doubled

    def replaced(self, state: tuple[int, ...], frame: int, other: int) -> tuple[int, ...]:
        """Sorted again."""
        return tuple(sorted(super().replaced(state, frame, other)))


def channel(kind: str, capacity: int) -> Channel:
    """The kind of channel with this name."""
    if kind == "ever-sent":
        return EverSent()
    return {"fifo": Fifo, "reordering": Reordering}[kind](capacity)
