"""Breadth-first search over two parties and two channels, with the shortest way to what is wrong.

Local states and frames are numbered as they are met, and what a party may do is asked once for
each local state and each frame; a global state is then five small values, and a step a few
look-ups. At the end, reachability backward over fair steps tells from which states the work in
flight can no longer resolve.
"""

import gc
import time
from array import array
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from oae.explore.channel import DUPLICATION, LOSS, Channel, ChannelState
from oae.explore.world import NAMES, A, B, Local, World
from oae.frame import Frame

State = tuple[int, int, ChannelState, ChannelState, int]
# These only bound the search: they are as fair as what is free. Whether a state can still resolve
# is asked where none of them has been spent yet.
BOUNDS = frozenset({"timeouts"})
FAULT_WORDS = {LOSS: "loses", DUPLICATION: "doubles"}
UNRESOLVABLE = "progress: nothing fair leads from here to an end at which all is resolved"


class Step(NamedTuple):
    """One line of a counterexample: who did what, and how the ends stand after it."""

    who: str
    text: str
    a: str
    b: str


@dataclass(frozen=True)
class Progress:
    """How far a search is."""

    states: int
    frontier: int
    depth: int
    seconds: float


@dataclass
class Result:
    """What a search found. `broken` is what does not hold at the end of `steps`."""

    complete: bool
    states: int = 0
    moves: int = 0
    depth: int = 0
    seconds: float = 0.0
    unresolvable: int = 0
    broken: str | None = None
    steps: list[Step] = field(default_factory=list)

    @property
    def clean(self) -> bool:
        """Whether every reachable state was seen, and nothing is wrong."""
        return self.complete and self.broken is None

    @property
    def rate(self) -> float:
        """States a second."""
        return self.states / self.seconds if self.seconds else 0.0


class _Move(NamedTuple):
    """A step of one party, with everything numbered."""

    after: int
    frame: int  # sent; -1 for none
    price: int  # -1 for none
    fair: bool
    text: int


class Search:
    """One search: a world, a channel each way, a budget, and what has been met so far."""

    def __init__(
        self,
        world: World,
        channel: Channel,
        budget: Mapping[str, int],
        limit: int | None = None,
        report: Callable[[Progress], None] | None = None,
        resolve: bool = True,
    ) -> None:
        self.world = world
        self.channel = channel
        self.prices = list(budget)
        self.limit = limit
        self.report = report
        self.resolve = resolve
        self.locals: tuple[list[Local], list[Local]] = ([], [])
        self._local_numbers: tuple[dict[Local, int], dict[Local, int]] = ({}, {})
        self.frames: list[Frame] = []
        self._frame_numbers: dict[Frame, int] = {}
        self.texts: list[str] = []
        self._text_numbers: dict[str, int] = {}
        self._funds: list[tuple[int, ...]] = []
        self._fund_numbers: dict[tuple[int, ...], int] = {}
        self._spent: dict[tuple[int, int], int] = {}
        self._acts: tuple[dict[int, tuple[_Move, ...]], dict[int, tuple[_Move, ...]]] = ({}, {})
        self._heard: tuple[
            dict[tuple[int, int], tuple[_Move, ...]], dict[tuple[int, int], tuple[_Move, ...]]
        ] = ({}, {})
        self._arrivals: tuple[dict[tuple[int, ChannelState], list[tuple[_Move, ChannelState]]], ...]
        self._arrivals = ({}, {})
        self._after_sending: dict[tuple[ChannelState, int], ChannelState | None] = {}
        self._faults: dict[ChannelState, list[tuple[int, int, ChannelState]]] = {}
        self._pairs: dict[tuple[int, int], str | None] = {}
        self._frame_pairs: dict[tuple[int, int, int, int], str | None] = {}
        self._first_fund = self._fund(tuple(budget.values()))
        # The reachable states in the order in which they were met, and how each was met.
        self.states: list[State] = []
        self._seen: dict[State, int] = {}
        self._parents = array("q")
        self._how = array("q")  # text number * 2 + side
        self._fair_from = array("q")
        self._fair_to = array("q")

    # --- numbering

    def _local(self, side: int, local: Local) -> int:
        numbers = self._local_numbers[side]
        number = numbers.get(local)
        if number is None:
            number = numbers[local] = len(numbers)
            self.locals[side].append(local)
        return number

    def _frame(self, frame: Frame) -> int:
        number = self._frame_numbers.get(frame)
        if number is None:
            number = self._frame_numbers[frame] = len(self.frames)
            self.frames.append(frame)
        return number

    def _text(self, text: str) -> int:
        number = self._text_numbers.get(text)
        if number is None:
            number = self._text_numbers[text] = len(self.texts)
            self.texts.append(text)
        return number

    def _fund(self, funds: tuple[int, ...]) -> int:
        number = self._fund_numbers.get(funds)
        if number is None:
            number = self._fund_numbers[funds] = len(self._funds)
            self._funds.append(funds)
        return number

    def _price(self, price: str) -> int:
        if not price:
            return -1
        if price not in self.prices:
            raise KeyError(f"the budget does not name {price}")
        return self.prices.index(price)

    def _pay(self, fund: int, price: int) -> int:
        """Number of what is left; -1 if there is nothing to pay with."""
        key = (fund, price)
        left = self._spent.get(key)
        if left is None:
            funds = self._funds[fund]
            left = -1
            if funds[price] > 0:
                left = self._fund((*funds[:price], funds[price] - 1, *funds[price + 1 :]))
            self._spent[key] = left
        return left

    # --- what may happen

    def _acts_of(self, side: int, number: int) -> tuple[_Move, ...]:
        moves = self._acts[side].get(number)
        if moves is None:
            moves = tuple(
                _Move(
                    self._local(side, act.after),
                    -1 if act.frame is None else self._frame(act.frame),
                    self._price(act.price),
                    act.fair and (not act.price or act.price in BOUNDS),
                    self._text(act.text) * 2 + side,
                )
                for act in self.world.acts(side, self.locals[side][number])
            )
            self._acts[side][number] = moves
        return moves

    def _hears(self, side: int, number: int, frame: int) -> tuple[_Move, ...]:
        key = (number, frame)
        moves = self._heard[side].get(key)
        if moves is None:
            moves = tuple(
                _Move(
                    self._local(side, act.after),
                    -1,
                    self._price(act.price),
                    act.fair and (not act.price or act.price in BOUNDS),
                    self._text(f"hears {show(self.frames[frame])}: {act.text}") * 2 + side,
                )
                for act in self.world.hears(side, self.locals[side][number], self.frames[frame])
            )
            self._heard[side][key] = moves
        return moves

    def _send(self, on_the_way: ChannelState, frame: int) -> ChannelState | None:
        key = (on_the_way, frame)
        after = self._after_sending.get(key, self)
        if after is self:
            after = self._after_sending[key] = self.channel.send(on_the_way, frame)
        return after

    def _arrivals_of(
        self, side: int, number: int, on_the_way: ChannelState
    ) -> list[tuple[_Move, ChannelState]]:
        key = (number, on_the_way)
        found = self._arrivals[side].get(key)
        if found is None:
            found = [
                (move, after)
                for frame, after in self.channel.deliveries(on_the_way)
                for move in self._hears(side, number, frame)
                if move.after != number or after != on_the_way
            ]
            self._arrivals[side][key] = found
        return found

    def _faults_of(self, on_the_way: ChannelState) -> list[tuple[int, int, ChannelState]]:
        found = self._faults.get(on_the_way)
        if found is None:
            found = []
            for name, frame, after in self.channel.faults(on_the_way):
                if name in self.prices:
                    text = self._text(f"{FAULT_WORDS[name]} {show(self.frames[frame])}")
                    found.append((self._price(name), text, after))
            for frame in set(self.channel.frames(on_the_way)):
                for price, other in self.world.damaged(self.frames[frame]):
                    if price not in self.prices:
                        continue
                    after = self.channel.replaced(on_the_way, frame, self._frame(other))
                    damage = f"damages {show(self.frames[frame])} into {show(other)}"
                    if after != on_the_way:
                        found.append((self._price(price), self._text(damage), after))
            self._faults[on_the_way] = found
        return found

    # --- what must hold

    def _broken(self, state: State) -> str | None:
        a, b, forward, backward, _ = state
        pair = (a, b)
        if pair not in self._pairs:
            self._pairs[pair] = self.world.broken(self.locals[A][a], self.locals[B][b])
        broken = self._pairs[pair]
        if broken is not None:
            return broken
        known = self._frame_pairs
        for sender, on_the_way in ((A, forward), (B, backward)):
            for frame in self.channel.frames(on_the_way):
                key = (sender, frame, a, b)
                if key not in known:
                    known[key] = self.world.frame_broken(
                        sender, self.frames[frame], self.locals[A][a], self.locals[B][b]
                    )
                if known[key] is not None:
                    return known[key]
        return None

    # --- the search

    def run(self) -> Result:
        """Visit every reachable state, or as many as the limit allows."""
        collecting = gc.isenabled()
        gc.disable()  # millions of tuples and no cycle among them
        try:
            return self._run()
        finally:
            if collecting:
                gc.enable()

    def _run(self) -> Result:
        started = time.perf_counter()
        first_a, first_b = self.world.start()
        forward, backward = (self._before(sent) for sent in self.world.sent())
        first = (
            self._local(A, first_a),
            self._local(B, first_b),
            forward,
            backward,
            self._first_fund,
        )
        self._add(first, -1, -1)
        result = Result(complete=False)
        result.broken = self._broken(first)
        moves = 0
        index = 0
        level_end, depth = 1, 0
        last_report = started
        seen, states = self._seen, self.states
        fair_from, fair_to = self._fair_from, self._fair_to
        while index < len(states) and result.broken is None:
            if index == level_end:
                depth += 1
                level_end = len(states)
            if index & 0xFFF == 0 and self.report is not None:
                now = time.perf_counter()
                if now - last_report > 0.2:
                    last_report = now
                    frontier = len(states) - index
                    self.report(Progress(len(states), frontier, depth, now - started))
            for after, how, fair in self._successors(states[index]):
                moves += 1
                number = seen.get(after)
                if number is None:
                    number = len(states)
                    self._add(after, index, how)
                    result.broken = self._broken(after)
                    if result.broken is not None:
                        result.steps = self._way_to(number)
                        break
                if fair:
                    fair_from.append(index)
                    fair_to.append(number)
            index += 1
            if self.limit is not None and len(states) > self.limit:
                break
        else:
            result.complete = result.broken is None
        if result.complete and self.resolve:
            self._resolve(result)
        result.states, result.moves, result.depth = len(states), moves, depth
        result.seconds = time.perf_counter() - started
        return result

    def _before(self, sent: list[Frame]) -> ChannelState:
        """The channel at the beginning: only one that forgets nothing holds what was sent."""
        state = self.channel.empty
        if self.channel.forgets:
            return state
        for frame in sent:
            state = self.channel.send(state, self._frame(frame))
        return state

    def _add(self, state: State, parent: int, how: int) -> None:
        self._seen[state] = len(self.states)
        self.states.append(state)
        self._parents.append(parent)
        self._how.append(how)

    def _successors(self, state: State) -> Iterator[tuple[State, int, bool]]:
        a, b, forward, backward, fund = state
        send = self._send
        for after, frame, price, fair, how in self._acts_of(A, a):
            left = fund if price < 0 else self._pay(fund, price)
            if left >= 0:
                on_the_way = forward if frame < 0 else send(forward, frame)
                if on_the_way is not None:
                    yield (after, b, on_the_way, backward, left), how, fair
        for after, frame, price, fair, how in self._acts_of(B, b):
            left = fund if price < 0 else self._pay(fund, price)
            if left >= 0:
                on_the_way = backward if frame < 0 else send(backward, frame)
                if on_the_way is not None:
                    yield (a, after, forward, on_the_way, left), how, fair
        for (after, _, price, fair, how), on_the_way in self._arrivals_of(B, b, forward):
            left = fund if price < 0 else self._pay(fund, price)
            if left >= 0:
                yield (a, after, on_the_way, backward, left), how, fair
        for (after, _, price, fair, how), on_the_way in self._arrivals_of(A, a, backward):
            left = fund if price < 0 else self._pay(fund, price)
            if left >= 0:
                yield (after, b, forward, on_the_way, left), how, fair
        for price, text, on_the_way in self._faults_of(forward):
            left = self._pay(fund, price)
            if left >= 0:
                yield (a, b, on_the_way, backward, left), -2 - text, False
        for price, text, on_the_way in self._faults_of(backward):
            left = self._pay(fund, price)
            if left >= 0:
                yield (a, b, forward, on_the_way, left), -2 - text, False

    # --- progress

    def _resolve(self, result: Result) -> None:
        """Find the states from which nothing fair leads to a resolved one."""
        pairs: dict[tuple[int, int], bool] = {}
        can = np.zeros(len(self.states), dtype=bool)
        for number, state in enumerate(self.states):
            pair = state[:2]
            if pair not in pairs:
                pairs[pair] = self.world.resolved(self.locals[A][pair[0]], self.locals[B][pair[1]])
            can[number] = pairs[pair]
        sources = np.frombuffer(self._fair_from, dtype=np.int64)
        targets = np.frombuffer(self._fair_to, dtype=np.int64)
        while True:
            open_ = ~can[sources] & can[targets]
            if not open_.any():
                break
            can[sources[open_]] = True
            keep = ~can[sources]
            sources, targets = sources[keep], targets[keep]
        whole = {fund for fund in range(len(self._funds)) if self._unbounded(fund)}
        judged = np.fromiter((state[4] in whole for state in self.states), bool, len(can))
        stuck = np.flatnonzero(~can & judged)
        result.unresolvable = len(stuck)
        if len(stuck):
            result.broken = UNRESOLVABLE
            result.steps = self._way_to(int(stuck[0]))

    def _unbounded(self, fund: int) -> bool:
        """Whether nothing of what only bounds the search has been spent."""
        first = self._funds[self._first_fund]
        return all(
            left == whole
            for name, left, whole in zip(self.prices, self._funds[fund], first, strict=True)
            if name in BOUNDS
        )

    # --- counterexamples

    def _way_to(self, number: int) -> list[Step]:
        steps = []
        while self._parents[number] >= 0:
            how = self._how[number]
            a, b = self.states[number][:2]
            if how >= 0:
                who, text = NAMES[how & 1], self.texts[how >> 1]
            else:
                who, text = "medium", self.texts[-2 - how]
            steps.append(
                Step(
                    who,
                    text,
                    self.world.describe(A, self.locals[A][a]),
                    self.world.describe(B, self.locals[B][b]),
                )
            )
            number = self._parents[number]
        return steps[::-1]


def show(frame: Frame) -> str:
    """A frame in a few words."""
    if frame.sync is not None:
        sync = frame.sync
        answers = f" to {sync.challenger}" if sync.challenger else ""
        return (
            f"{frame.operation.name}(session {sync.session}, verified {sync.verified}, "
            f"challenge {sync.counter}{answers})"
        )
    if frame.operation == 0:
        wanted, number = frame.operand >> 31, frame.operand >> 16 & 0x7FFF
        echo = f", echo {frame.operand & 0x7FFF}" if frame.operand >> 15 & 1 else ""
        return f"NOP(number {number}{', echo wanted' if wanted else ''}{echo})"
    return f"{frame.operation.name}({frame.id})"
