"""The search itself, on a world small enough to count by hand, and the kinds of channels."""

from collections.abc import Iterable

import pytest
from oae.explore.channel import EverSent, Fifo, Reordering, channel
from oae.explore.search import UNRESOLVABLE, Search, Step
from oae.explore.world import A, Act, Local
from oae.frame import Frame
from oae.spec.constants import Operation

PING = Frame(Operation.NOP)


class Counting:
    """A sends `pings` frames; B counts those that it hears, up to three, and may forget one."""

    def __init__(self, pings: int = 2, bad: int = 99, needs: int = 0) -> None:
        self.pings, self.bad, self.needs = pings, bad, needs

    def start(self) -> tuple[Local, Local]:
        return 0, 0

    def sent(self) -> tuple[list[Frame], list[Frame]]:
        return [], []

    def acts(self, side: int, local: Local) -> Iterable[Act]:
        assert isinstance(local, int)
        if side == A and local < self.pings:
            yield Act("pings", local + 1, PING)
        if side != A and local:
            yield Act("forgets", local - 1, price="crashes_b")

    def hears(self, side: int, local: Local, frame: Frame) -> Iterable[Act]:
        assert isinstance(local, int)
        yield Act("counts", min(local + 1, 3))

    def damaged(self, frame: Frame) -> Iterable[tuple[str, Frame]]:
        return ()

    def broken(self, a: Local, b: Local) -> str | None:
        return "too many" if b == self.bad else None

    def frame_broken(self, sender: int, frame: Frame, a: Local, b: Local) -> str | None:
        return None

    def resolved(self, a: Local, b: Local) -> bool:
        assert isinstance(b, int)
        return b >= self.needs

    def describe(self, side: int, local: Local) -> str:
        return str(local)


def test_every_state_is_visited_once() -> None:
    result = Search(Counting(), Fifo(2), {"crashes_b": 0}).run()
    # (sent, counted) with the rest on the way: 0,0  1,0  2,0  1,1  2,1  2,2
    assert (result.clean, result.states, result.moves, result.depth) == (True, 6, 6, 4)


def test_a_full_channel_takes_no_more() -> None:
    result = Search(Counting(), Fifo(1), {"crashes_b": 0}).run()
    assert result.states == 5  # two on the way is one too many


def test_what_was_ever_sent_arrives_again_and_again() -> None:
    result = Search(Counting(1, bad=3), EverSent(), {"crashes_b": 0}).run()
    assert result.broken == "too many"
    assert result.steps[0].text == "pings"
    assert len(result.steps) == 4


def test_the_way_to_what_is_wrong_is_shortest_and_readable() -> None:
    result = Search(Counting(bad=2), Fifo(2), {"crashes_b": 5}).run()
    assert not result.complete
    assert sorted(step.who for step in result.steps) == ["A", "A", "B", "B"]
    assert result.steps[0] == Step("A", "pings", "1", "0")
    assert result.steps[-1] == Step("B", "hears NOP(number 0): counts", "2", "2")


@pytest.mark.parametrize(("losses", "stuck"), [(0, False), (1, True)])
def test_a_state_from_which_nothing_fair_leads_on_is_found(losses: int, stuck: bool) -> None:
    result = Search(Counting(needs=2), Fifo(2), {"losses": losses, "crashes_b": 0}).run()
    assert result.complete
    assert (result.broken == UNRESOLVABLE) == stuck
    if stuck:
        assert result.steps[-1].who == "medium"
        assert result.unresolvable > 0


def test_a_budget_is_spent() -> None:
    texts = []
    for crashes in (0, 1, 2):
        search = Search(Counting(), Fifo(2), {"crashes_b": crashes}, resolve=False)
        texts.append(search.run().states)
    assert texts[0] < texts[1] < texts[2]
    with pytest.raises(KeyError, match="crashes_b"):
        Search(Counting(), Fifo(2), {}).run()


def test_the_limit_makes_a_search_inconclusive() -> None:
    result = Search(Counting(), Fifo(2), {"crashes_b": 0}, limit=3).run()
    assert not result.complete
    assert not result.clean
    assert result.broken is None


def test_progress_is_reported() -> None:
    reports = []
    search = Search(Counting(), Fifo(2), {"crashes_b": 0}, report=reports.append)
    search.run()
    assert reports == []  # too short to be worth a word


@pytest.mark.parametrize(
    ("kind", "arrivals"),
    [
        (EverSent(), {(1, 0b1110), (2, 0b1110), (3, 0b1110)}),
        (Fifo(3), {(3, (1, 2))}),
        (Reordering(3), {(1, (2, 3)), (2, (1, 3)), (3, (1, 2))}),
    ],
)
def test_what_may_arrive(kind: EverSent | Fifo, arrivals: set[tuple[int, object]]) -> None:
    state = kind.empty
    for frame in (3, 1, 2):
        state = kind.send(state, frame)
    assert set(kind.deliveries(state)) == arrivals
    assert sorted(kind.frames(state)) == [1, 2, 3]


def test_a_channel_of_limited_room() -> None:
    for kind in (Fifo(1), Reordering(1)):
        assert kind.send((1,), 2) is None
        assert [fault[0] for fault in kind.faults((1,))] == ["losses"]
    assert set(Reordering(3).faults((1, 1))) == {
        ("losses", 1, (1,)),
        ("duplications", 1, (1, 1, 1)),
    }
    assert set(Fifo(3).faults((2, 1))) == {("losses", 2, (1,)), ("duplications", 2, (2, 2, 1))}


def test_damage_takes_a_frames_place() -> None:
    assert EverSent().replaced(0b10, 1, 0) == 0b11
    assert Fifo(3).replaced((5, 6, 5), 5, 7) == (7, 6, 5)
    assert Reordering(3).replaced((5, 6), 5, 7) == (6, 7)
    assert isinstance(channel("ever-sent", 2), EverSent)
    assert not isinstance(channel("fifo", 2), Reordering)
