"""What the software of recovery finds and decides, and the reference that it is judged by."""

from itertools import pairwise, product

from hypothesis import given
from hypothesis import strategies as st
from oae.epoch.hardware.plan import NEVER, drawn
from oae.epoch.hardware.recovery import (
    Domain,
    State,
    common_numbers,
    is_due,
    number_of,
    restored,
)
from oae.epoch.hardware.reference import Reference, following
from oae.epoch.hardware.run import is_mixed
from oae.testing import requirement

NUMBERS = st.builds(number_of, st.integers(0, 3), st.integers(0, 5))
HELD = st.lists(st.sets(NUMBERS, max_size=4), max_size=5)


def domain(*numbers: int, up: bool = True) -> Domain:
    """A domain that holds these parts."""
    newest = max(numbers, default=0)
    parts = dict.fromkeys(numbers, 0)
    return Domain(up, False, bool(parts), newest >> 16, newest, parts)


def ring(*domains: Domain, cut: tuple[int, ...] = ()) -> State:
    return State(1, domains, tuple(at in cut for at in range(len(domains))))


@requirement("OAE-EPH-007")
@given(HELD)
def test_common_numbers_are_those_that_everybody_holds(held: list[set[int]]) -> None:
    common = common_numbers(held)
    assert list(common) == sorted(common)
    assert set(common) == {n for n in set().union(*held) if all(n in it for it in held)}


@requirement("OAE-EPH-007")
def test_components_of_every_small_ring() -> None:
    """All rings of 4, every set of domains up and links cut, against a closure by hand."""
    for up, cut in product(product((False, True), repeat=4), product((False, True), repeat=4)):
        state = State(1, tuple(domain(0, up=it) for it in up), cut)
        reach = {(a, a) for a in range(4) if up[a]}
        for a in range(4):
            b = (a + 1) % 4
            if up[a] and up[b] and not cut[a]:
                reach |= {(a, b), (b, a)}
        for middle, a, b in product(range(4), repeat=3):
            if (a, middle) in reach and (middle, b) in reach:
                reach.add((a, b))
        found = state.components()
        assert sorted(at for it in found for at in it) == [at for at in range(4) if up[at]]
        assert {(a, b) for it in found for a in it for b in it} == reach


@requirement("OAE-EPH-007")
def test_the_newest_common_number_is_restored_and_disks_are_named() -> None:
    state = ring(domain(1, 2), domain(2, 3), domain(), domain(1, 2))
    decision = restored(state, [0, 1, 2, 3], lambda initiator: 7 + initiator, everybody=True)
    assert decision is not None
    assert (decision.found, decision.number) == (2, number_of(7, 2))
    assert decision.lost == decision.returning == (2,)
    assert restored(ring(domain(1), domain(2), domain(1)), [0, 1, 2], int, True) is None
    assert restored(ring(domain(), domain(), domain()), [0, 1, 2], int, True) is None


@requirement("OAE-EPH-007")
def test_who_lost_its_disk_stays_out_of_a_smaller_group() -> None:
    state = ring(domain(1, 2), domain(2, 3), domain(), domain(1, 2), cut=(2, 3))
    decision = restored(state, [0, 1, 2], lambda initiator: 7 + initiator, everybody=False)
    assert decision is not None
    assert (decision.holders, decision.found) == ((0, 1), 2)
    assert (decision.lost, decision.returning) == ((2,), ())
    blank_first = ring(domain(), domain(1), domain(1))
    decision = restored(blank_first, [0, 1, 2], lambda initiator: 7 + initiator, everybody=True)
    assert decision is not None
    assert decision.number >> 16 == 8  # who lost its disk starts no recovery


@requirement("OAE-EPH-007")
def test_who_makes_the_others_recover() -> None:
    for everybody in (False, True):
        assert not is_due(ring(domain(1), domain(2), domain(1)), [0, 1, 2], everybody)
        assert is_due(ring(domain(1), domain(), domain(1)), [0, 1, 2], everybody) is everybody
        assert is_due(ring(domain(1), domain(number_of(1, 1)), domain(1)), [0, 1, 2], everybody)
        assert not is_due(ring(domain(1), domain(number_of(1, 1)), domain(1)), [0, 2], everybody)


@requirement("OAE-EPH-006")
def test_everybodys_newest_part_is_mixed_if_epochs_differ_among_those_that_meet() -> None:
    assert is_mixed(ring(domain(1), domain(1, 2), domain(1)))
    assert not is_mixed(ring(domain(1), domain(1, 2), domain(1), cut=(0, 1)))
    assert not is_mixed(ring(domain(1), domain(number_of(3, 1)), domain()))


@requirement("OAE-EPH-007")
@given(st.lists(st.integers(0, 2**32 - 1), min_size=3, max_size=5), st.data())
def test_a_value_depends_on_its_neighbours_and_on_which_is_which(
    values: list[int], data: st.DataObject
) -> None:
    size = len(values)
    at = data.draw(st.integers(0, size - 1))
    whole = following(values, [3] * size)
    changed = [*values[:at], values[at] ^ 1, *values[at + 1 :]]
    differing = {
        place
        for place, (one, other) in enumerate(
            zip(whole, following(changed, [3] * size), strict=True)
        )
        if one != other
    }
    assert differing == {(at - 1) % size, at, (at + 1) % size}
    alone = following(changed, [0] * size)
    others = [place for place in range(size) if place != at]
    assert [alone[it] for it in others] == [following(values, [0] * size)[it] for it in others]


@requirement("OAE-EPH-007")
def test_the_reference_goes_on_with_fewer_members_after_some_are_given_up() -> None:
    reference = Reference((1, 2, 3))
    start = reference.values(2)
    reference.give_up(5, number_of(1, 2), [2, 1, 0])
    assert reference.values(number_of(5, 2)) == start == reference.values(number_of(1, 2))
    assert reference.values(number_of(5, 3)) == following(start, [2, 1, 0])
    assert reference.values(3) == following(start, [3, 3, 3])


@requirement("OAE-EPH-008")
@given(st.integers(0, 2**20), st.integers(3, 6))
def test_what_is_drawn_can_be_played(seed: int, size: int) -> None:
    plan = drawn(size, seed)
    kills = [max(kill.cycle, kill.up) for kill in plan.kills]
    cuts = [max(cut.cycle, cut.up) for cut in plan.cuts]
    # The last recovery comes after everything, and a domain is killed only while it is up.
    assert plan.pauses[-1] > max([*kills, *cuts], default=0)
    assert list(plan.pauses) == sorted(set(plan.pauses))
    for at in range(size):
        mine = [kill for kill in plan.kills if kill.domain == at]
        for one, other in pairwise(mine):
            assert one.up != NEVER
            assert one.up < other.cycle
        assert plan.members(at) >> 1 == (at not in plan.given_up())
