"""Checkpoints over real links: the sample, the intervals, and what the claims come to."""

import json
from collections.abc import Callable
from math import exp, prod

import numpy
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from oae.epoch.claim import Claim, Effort, Standing
from oae.epoch.lattice import checkpoints, markers
from oae.epoch.lattice.checkpoints import FLUSH, PERIOD, SKEW, DelayLaw
from oae.epoch.lattice.claims import CLAIMS
from oae.epoch.lattice.experiment import DOMAINS, SWITCHED, Outcome, Sample, experiment
from oae.epoch.lattice.markers import MarkerError
from oae.epoch.lattice.points import Plan, measured, told
from oae.epoch.lattice.vectors import atomic, vectors
from oae.scenario.parse import parse_text
from oae.testing import requirement
from scipy.integrate import quad

EXAMPLES = settings(max_examples=60, deadline=None, derandomize=True, database=None)
EFFORT = Effort()
EXPECTED = {
    "atomic-snapshots": Standing.DOES_NOT_HOLD,
    "measure-zero": Standing.DOES_NOT_HOLD,
    "mixed-growth": Standing.HOLDS_UNDER,
}


def silent(what: str, done: int, of: int) -> None:
    """No progress."""


@pytest.fixture(scope="module")
def outcome() -> Outcome:
    return experiment(EFFORT)


def laws() -> st.SearchStrategy[DelayLaw]:
    delay = st.integers(0, 5000)
    return st.lists(delay, min_size=1, max_size=8).map(lambda some: DelayLaw.of(numpy.array(some)))


@requirement("OAE-EPL-006")
@EXAMPLES
@given(st.floats(-300, 30))
def test_the_lag_law_is_an_integral_over_the_skew(at: float) -> None:
    """P(S - F <= y) = E[P(F >= S - y)]."""
    kinks = [at] if -SKEW < at < SKEW else None
    area, _ = quad(lambda skew: exp(-max(skew - at, 0) / FLUSH), -SKEW, SKEW, points=kinks)
    assert checkpoints.lag_law(numpy.array(at)) == pytest.approx(area / (2 * SKEW), abs=1e-9)


@requirement("OAE-EPL-006")
@EXAMPLES
@given(laws(), st.floats(-1000, 5000), st.integers(1, 3))
def test_the_shares_are_sums_over_all_vectors(law: DelayLaw, instant: float, domains: int) -> None:
    of_epochs = checkpoints.epoch_law(numpy.full_like(law.values, instant), law.values)
    assert of_epochs.sum(axis=1) == pytest.approx(1)

    def brute(chances: checkpoints.Numbers) -> float:
        return sum(
            float(prod(chances[epoch] for epoch in vector))
            for vector in vectors(domains, len(chances))
            if atomic(vector)
        )

    apart = brute(law.chances @ of_epochs)
    assert checkpoints.share_apart(domains, instant, law) == pytest.approx(apart)
    switched = sum(chance * brute(row) for chance, row in zip(law.chances, of_epochs, strict=True))
    assert checkpoints.share_switched(domains, instant, law) == pytest.approx(switched)


@requirement("OAE-EPL-006")
@EXAMPLES
@given(laws().filter(lambda law: law.values.max() < PERIOD / 2), st.sampled_from([0.5, 0.1, 1e-4]))
def test_an_instant_is_where_so_many_are_behind(law: DelayLaw, chance: float) -> None:
    instant = checkpoints.instant_behind(chance, law)
    assert checkpoints.behind(instant, law) == pytest.approx(chance)


@requirement("OAE-EPL-006")
def test_what_is_drawn_follows_the_law_of_epochs() -> None:
    """The draws and the formula are written down apart; a share of 3 domains ties them."""
    random = numpy.random.default_rng(5)
    delays = random.choice([72, 90, 400, 1900], (40_000, 3), p=[0.6, 0.2, 0.1, 0.1])
    law = DelayLaw(numpy.array([72.0, 90, 400, 1900]), numpy.array([0.6, 0.2, 0.1, 0.1]))
    plans = []
    for instant in (-80.0, 0.0, 150.0):

        def count(random: numpy.random.Generator, instant: float = instant) -> int:
            instants = numpy.full(len(delays), instant)
            return checkpoints.atomic_snapshots(random, delays, instants, 3)

        share = checkpoints.share_apart(3, instant, law)
        plans.append(Plan("drawn", 3, share, len(delays), count))
    points = measured(plans, numpy.random.SeedSequence(5))
    assert all(point.contains(point.formula) for point in points)
    assert any(0.1 < point.formula < 0.9 for point in points)


@requirement("OAE-EPL-005", "OAE-EPL-008")
def test_links_give_their_delays_again_and_each_its_own() -> None:
    first = markers.delays([1, 2], silent)
    assert first.shape == (2, 2, markers.RECORDS)
    assert (first == markers.delays([1, 2], silent)).all()
    assert (first[0] != first[1]).any()
    assert first.min() > 0
    assert (first > 2 * first.min()).any(), "no marker met a fault"


@requirement("OAE-EPL-009")
def test_a_link_that_delivers_nothing_gives_no_delays(monkeypatch: pytest.MonkeyPatch) -> None:
    text = (
        "version = 1\n[load.both]\nrecords = 9\n[rates.both]\ndrop = 1.0\n[limits]\nstall = 900\n"
    )
    monkeypatch.setattr(markers, "SCENARIO", parse_text(text))
    with pytest.raises(MarkerError, match="seed 7"):
        markers.delays([7], silent)


@requirement("OAE-EPL-005")
@pytest.mark.parametrize("domains", range(1, 7))
def test_each_domain_has_a_link_of_its_own_and_no_delay_comes_twice(domains: int) -> None:
    delays = numpy.arange(6 * 2 * 5).reshape(6, 2, 5)
    sample = Sample(calibration=-delays, measured=delays)
    rows = sample.apart(numpy.random.default_rng(1), domains)
    assert rows.shape == (sample.trials(domains), domains)
    assert len(numpy.unique(rows)) == rows.size
    links = rows // 10
    assert all(len(set(row)) == domains for row in links.tolist())


@requirement("OAE-EPL-005")
def test_more_domains_than_links_draw_from_those_that_calibrate() -> None:
    delays = numpy.arange(6 * 2 * 5).reshape(6, 2, 5)
    sample = Sample(calibration=-1 - delays, measured=delays)
    rows = sample.apart(numpy.random.default_rng(1), 7)
    assert rows.shape == (sample.trials(7), 7)
    assert set(rows.ravel().tolist()) == set((-1 - delays).ravel().tolist())


def _binomial(chance: float, trials: int) -> Callable[[numpy.random.Generator], int]:
    return lambda random: int(random.binomial(trials, chance))


@requirement("OAE-EPL-006")
def test_intervals_hold_for_all_points_together() -> None:
    """Of families of points, all 95 % or more are within; another share is not."""
    chances = (0.02, 0.2, 0.5, 0.9)
    right = [Plan("", 2, chance, 400, _binomial(chance, 400)) for chance in chances]
    wrong = [*right[:-1], Plan("", 2, 0.75, 400, _binomial(0.9, 400))]

    def families(plans: list[Plan]) -> float:
        within = [
            all(point.contains(point.formula) for point in measured(plans, seed))
            for seed in numpy.random.SeedSequence(3).spawn(60)
        ]
        return sum(within) / len(within)

    assert families(right) >= 0.95
    assert families(wrong) == 0


@requirement("OAE-EPL-006")
def test_every_point_lies_within_its_interval(outcome: Outcome) -> None:
    assert len(outcome.points) >= 20
    assert {point.domains for point in outcome.points} == set(DOMAINS)
    assert outcome.within == len(outcome.points)


@requirement("OAE-EPL-007")
def test_behind_one_switch_independence_is_rejected(outcome: Outcome) -> None:
    points = outcome.setting(SWITCHED)
    assert [point.domains for point in points] == list(DOMAINS)
    assert all(point.contains(point.formula) for point in points)
    assert outcome.rejections == points


@requirement("OAE-EPL-008")
@pytest.mark.parametrize("claim", CLAIMS, ids=lambda claim: claim.name)
def test_a_claim_comes_to_its_standing_and_to_the_same_again(claim: Claim) -> None:
    finding = claim.run(EFFORT)
    assert finding.standing is EXPECTED[claim.name]
    assert finding == claim.run(EFFORT)
    assert json.loads(json.dumps(finding.data))
    assert len({plot.name for plot in finding.plots}) == len(finding.plots) > 0


@requirement("OAE-EPL-008")
def test_another_seed_gives_other_figures() -> None:
    plans = [Plan("", 2, 0.5, 4000, _binomial(0.5, 4000))]
    one, again, other = (measured(plans, numpy.random.SeedSequence(seed)) for seed in (1, 1, 2))
    assert one == again
    assert one != other


@requirement("OAE-EPL-008")
@pytest.mark.parametrize(
    ("counted", "shown"),
    [(0, "0.0000 [0.0000, 0.00"), (1, "5.0e-04 [1.3e-05, 0.00"), (3, "0.0015 [3.1e-04, 0.00")],
)
def test_only_0_is_shown_as_0(counted: int, shown: str) -> None:
    plan = Plan("", 2, 0.0, 2000, lambda random: counted)
    (point,) = measured([plan], numpy.random.SeedSequence(1))
    assert told(point).startswith(shown)


@pytest.mark.long
@requirement("OAE-EPL-005", "OAE-EPL-006", "OAE-EPL-007")
def test_with_a_link_for_each_of_1024_domains() -> None:
    whole = experiment(Effort(long=True))
    assert len(whole.sample.measured) == max(DOMAINS)
    assert whole.within == len(whole.points)
    assert whole.rejections == whole.setting(SWITCHED)
