"""Bilateral convergence on the RTL: rings of domains, killed and cut."""

from collections.abc import Iterator
from dataclasses import replace

import pytest
from oae.engines.rtl import EngineError
from oae.epoch.claim import Effort, Standing
from oae.epoch.hardware.claims import CLAIMS
from oae.epoch.hardware.experiment import (
    Total,
    advance_of,
    every_cycle,
    forgetting,
    lying,
    played,
    random_plans,
    rejoining,
)
from oae.epoch.hardware.plan import Plan, drawn, quiet
from oae.epoch.hardware.program import Program
from oae.epoch.hardware.run import play
from oae.testing import requirement

SEED = 1


@pytest.fixture(scope="module")
def program() -> Iterator[Program]:
    with Program() as made:
        yield made


def unbroken(total: Total) -> Total:
    """The total, if no run broke a promise."""
    assert not total.broken, total.first
    assert not total.counts["crossed"]
    return total


@requirement("OAE-EPH-001", "OAE-EPH-002", "OAE-EPH-003", "OAE-EPH-004")
@pytest.mark.parametrize(("size", "runs"), [(3, 10), (4, 20)])
def test_random_kills_and_cuts(program: Program, size: int, runs: int) -> None:
    total = unbroken(played(program, random_plans(size, SEED, runs)))
    assert total.runs == runs
    # Every kind of thing has happened, else nothing was shown.
    assert min(total.losses, total.kills - total.losses, total.cuts, total.gone) > 0
    assert min(total.counts[name] for name in ("restored", "returned", "refused", "delivered")) > 0
    assert 0 < total.counts["incomplete"] < total.counts["recoveries"]
    assert total.counts["not_prepared"] > 0
    assert total.counts["recoveries"] > 10 * runs
    # Everybody's newest part would have been a mixed state in some of the same runs.
    assert 0 < total.fito < total.asked


@requirement("OAE-EPH-005", "OAE-EPH-001", "OAE-EPH-002", "OAE-EPH-004")
def test_a_kill_every_sixteenth_cycle_of_an_advance(program: Program) -> None:
    first, last = advance_of(program, quiet(3, SEED))
    total = unbroken(played(program, every_cycle(program, SEED, 16)))
    assert total.runs == 3 * len(range(first, last + 1, 16)) > 100
    assert total.losses == total.gone == total.runs // 3


@pytest.mark.long
@requirement("OAE-EPH-005")
def test_a_kill_at_every_cycle_of_an_advance(program: Program) -> None:
    unbroken(played(program, every_cycle(program, SEED + 1, 1)))


@pytest.mark.long
@requirement("OAE-EPH-001", "OAE-EPH-002", "OAE-EPH-003", "OAE-EPH-004")
@pytest.mark.parametrize("size", [3, 4, 5])
def test_a_thousand_random_runs(program: Program, size: int) -> None:
    unbroken(played(program, random_plans(size, SEED + 1, 1000)))


@requirement("OAE-EPH-006", "OAE-EPH-002")
def test_a_domain_that_proposes_too_early_is_found(program: Program) -> None:
    total = played(program, lying(random_plans(3, SEED, 5)))
    assert total.broken > 0
    assert "converged before both parts were durable" in total.first


@requirement("OAE-EPH-006", "OAE-EPH-001")
def test_one_part_fewer_leaves_no_common_epoch(program: Program) -> None:
    total = played(program, forgetting(random_plans(3, SEED, 5)))
    assert total.broken > 0
    assert "have no common epoch" in total.first


@requirement("OAE-EPH-006", "OAE-EPH-001")
def test_who_lost_its_disk_waits_until_all_have_answered(program: Program) -> None:
    plan = rejoining(program, SEED)
    waiting = play(program, plan)
    assert not waiting.findings
    assert (waiting.restored, waiting.returned) == (1, 2)
    assert waiting.incomplete > 0
    # Not even every part that the others have in common is enough before.
    hasty = play(program, replace(plan, anywhere=True))
    assert hasty.returned == 2
    assert "domains [0, 1, 2, 3] have no common epoch" in hasty.findings[0]


@pytest.mark.long
@requirement("OAE-EPH-006", "OAE-EPH-004")
def test_a_record_of_another_incarnation_must_be_taken_back() -> None:
    """A frame carries 16 bits of the epoch, so such a record is never answered."""
    with Program(defines=("OAE_ABLATE_TAKING_BACK",)) as keeping:
        total = played(keeping, random_plans(4, SEED, 12))
    assert total.broken > 0
    assert "no progress after the last recovery" in total.first


@requirement("OAE-EPH-004")
def test_a_ring_without_faults_converges_epoch_by_epoch(program: Program) -> None:
    plan = replace(quiet(4, SEED), pauses=(4000,))
    outcome = play(program, plan)
    assert not outcome.findings
    assert [number for _, number in outcome.converged] == list(range(1, outcome.epochs + 1))
    assert outcome.epochs > 3


@requirement("OAE-EPH-008")
def test_the_same_plan_gives_the_same_outcome(program: Program) -> None:
    assert drawn(4, SEED) == drawn(4, SEED) != drawn(4, SEED + 1)
    plan = next(plan for _, plan in random_plans(4, SEED, 1))
    again = play(program, plan)
    with Program() as other:
        assert play(other, plan) == again
    assert play(program, replace(plan, seed=plan.seed ^ 1)) != again


@requirement("OAE-EPH-008")
def test_a_job_that_is_not_understood_is_refused(program: Program) -> None:
    job = quiet(3, SEED).job()
    for broken in (job + " nonsense=1", job + " kill=1,7,0,0", job.replace("flush", "flash")):
        with pytest.raises(EngineError, match="the ring of domains: not understood: "):
            program.play(broken, lambda words: "")
    with pytest.raises(EngineError, match="one flush for each domain"):
        program.play(job + " flush=1,2", lambda words: "")
    assert not play(program, replace(Plan(1, (1, 2, 3), ((1, 2),) * 3, 2), pauses=(500,))).findings


@pytest.mark.long
@requirement("OAE-EPH-001", "OAE-EPH-006")
def test_the_claim_holds_under_its_assumptions() -> None:
    (claim,) = CLAIMS
    finding = claim.run(Effort(seed=SEED))
    assert finding.standing is Standing.HOLDS_UNDER
    assert finding == claim.run(Effort(seed=SEED))
    assert finding != claim.run(Effort(seed=SEED + 1))
