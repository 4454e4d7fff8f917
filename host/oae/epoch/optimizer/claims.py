"""Two claims on mixed-epoch recovery: that it is a type violation, and no step of an optimizer."""

from oae.epoch.claim import Claim, Effort, Finding, Standing, Table
from oae.epoch.optimizer.cases import Case, cases, weighted_steps
from oae.epoch.optimizer.decide import QUESTIONS, TOLERANCE
from oae.epoch.optimizer.experiment import Outcome, outcomes
from oae.epoch.optimizer.plots import losses, residuals
from oae.epoch.optimizer.recovery import STEPS, AtOnce, Curves, at_once, curves
from oae.epoch.optimizer.shards import MixedEpochError, chosen, mixed_vectors, recover

STEP_PROOF = (
    "Why. Given the gradient as a function of the parameters, a step can be taken back. Momentum: "
    "theta = theta' + r m', then m = (m' - g(theta)) / b: a bijection for any differentiable loss, "
    "so every mixed state has exactly one predecessor. Adam and AdamW: the same with v = (v' - "
    "(1 - b2) g(theta)^2) / b2, which is a state if no component is below 0, that is if |g| is at "
    "most sqrt(v' / 0.001), some 32 times the root of v'. SGD: theta -> theta - r g(theta) has the "
    "derivative 1 - r H, positive definite if r times the smoothness is below 1; then it is a "
    "bijection (strongly monotone and continuous), and iteration finds the predecessor. What was "
    "found so is stepped forward again and compared: no answer yes rests on the proof. The "
    "condition matters: at a rate of 1 / curvature a step on a parabola ends at 0 and nowhere else."
)
STEP_SCOPE = (
    "So the sentence holds for no one of the four as it stands: a step is a map of states, and the "
    "mixed state has the shape of a state. What is broken is where it came from, not what it is. "
    "From the run itself it is not reached (row optimizer-run), with two exceptions found by "
    "computing: SGD and momentum do not use the counter, so a mix of it alone is a step of the run "
    "with another batch; and SGD reaches mixed parameters of epochs a few steps apart from "
    "epoch e itself, if the examples may be weighted (second table). What Adam does not reach has "
    "a second moment too small for the gradient at the only place where the step can have begun. "
    "If the sentence means the step that training takes next, from the mixed state, it holds still "
    "less: that is the optimizer's own step, from that state, by construction."
)
RUN_PROOF = (
    "Why the residuals are not 0. A run has one state for each count. A mixed state equals it only "
    "if every part from the other epoch is the same in both epochs, so one part that moved "
    "excludes it. From a fresh optimizer the states after t steps are the image of the parameters "
    "alone: n dimensions of 2n or 3n, which a mix meets only by chance. Momentum and Adam can be "
    "taken back uniquely, so going back t steps decides: the moments found at step 0 are not 0. "
    "SGD has no moments, and each of its mixes is a state of a run from some other start."
)
RUN_SCOPE = (
    "The type is an epoch: a state of epoch e is put together from parts of e only, and recovery "
    "refuses all else. What tells the types apart stands beside the numbers, not in them: whoever "
    "drops the epochs can step on without any error. The loss seldom tells either: most mixes show "
    "one between those of both epochs."
)


def _answers(found: list[Outcome]) -> Table:
    rows = []
    for outcome in found:
        yes = [f"{outcome.reached(question):,}" for question in QUESTIONS]
        control = max(outcome.most_yes(question) for question in QUESTIONS)
        refused = min(outcome.least_no(question) for question in QUESTIONS)
        rows.append(
            (
                outcome.training.problem.name,
                outcome.training.optimizer.name,
                f"{len(outcome.mixed):,}",
                *yes,
                f"{control:.0e}",
                f"{refused:.0e}",
            )
        )
    return Table(
        "Mixed states with the answer yes, and the gap between the residuals of yes and no",
        ("problem", "optimizer", "mixed", *QUESTIONS, "largest yes", "least no"),
        tuple(rows),
    )


def _judged(found: list[Outcome], standing: Standing) -> Standing:
    """No verdict rests on questions to which states of the run itself answer no."""
    return standing if all(one.sound for one in found) else Standing.NOT_DECIDABLE


def _run_step(effort: Effort) -> Finding:
    found = outcomes(effort)
    reached = {
        (one.training.problem.name, one.training.optimizer.name): one.reached("step")
        for one in found
    }
    mixed = sum(len(one.mixed) for one in found)
    total = sum(reached.values())
    worst = max(one.most_yes("step") for one in found)
    weighted = weighted_steps(effort.seed)
    return Finding(
        _judged(found, Standing.DOES_NOT_HOLD if total else Standing.HOLDS),
        f"{total:,} of {mixed:,} mixed states are one step of their optimizer, with the real "
        f"gradient of the batch, from some state (residual at most {worst:.0e})",
        (STEP_PROOF, STEP_SCOPE),
        (_answers(found), _weighted(weighted)),
        (residuals(found),),
        {
            "mixed": mixed,
            "one step": total,
            "tolerance": TOLERANCE,
            "reached": [
                {
                    "problem": one.training.problem.name,
                    "optimizer": one.training.optimizer.name,
                    "mixed": len(one.mixed),
                    **{question: one.reached(question) for question in QUESTIONS},
                }
                for one in found
            ],
        },
    )


def _weighted(found: dict[tuple[int, int], tuple[int, int]]) -> Table:
    stored = sorted({early for early, _ in found})
    gaps = sorted({gap for _, gap in found})
    return Table(
        "SGD, examples weighted at will: mixed parameters that are one step from epoch e",
        ("e stored at step", *(f"e + 1 stored {gap} later" for gap in gaps)),
        tuple(
            (str(early), *("{} of {}".format(*found[early, gap]) for gap in gaps))
            for early in stored
        ),
    )


def _run_run(effort: Effort) -> Finding:
    found = outcomes(effort)
    kept = [one for one in found if one.training.optimizer.moments]
    mixed, with_moments = (sum(len(one.mixed) for one in some) for some in (found, kept))
    on_run = sum(one.reached("run") for one in found)
    fresh = sum(one.reached("fresh") for one in kept)
    refused = sum(_refused(one) for one in found)
    after = at_once(effort.seed)
    drawn = [
        curves(one.training)
        for one in after
        if one.training.problem.name == "network"
        and one.training.optimizer.name in ("momentum", "Adam")
    ]
    least = min(one.least_no("run") for one in found)
    good = refused == mixed and on_run == fresh == 0
    return Finding(
        _judged(found, Standing.HOLDS_UNDER if good else Standing.DOES_NOT_HOLD),
        f"{on_run} of {mixed:,} mixed states are a state of the run (at least {least:.2g} of what "
        f"a row moved away); {fresh} of {with_moments:,} with moments come from a fresh optimizer; "
        f"recovery by epoch refuses {refused:,}",
        (RUN_PROOF, RUN_SCOPE, *map(_harm, drawn)),
        (_cases(cases(effort.seed)), _at_once(after)),
        tuple(losses(one) for one in drawn),
        {"mixed": mixed, "on the run": on_run, "fresh": fresh, "refused": refused},
    )


def _harm(after: Curves) -> str:
    """What the loss did in one plot, in a sentence."""
    lasting = int((after.mixed[:, -1] > after.early[-1]).sum())
    return (
        f"{after.training.optimizer.name} on the network: the largest loss of a mix is "
        f"{after.mixed.max() / after.early.max():.2f} times the largest after epoch e; after "
        f"{STEPS} steps {lasting} of {len(after.mixed)} mixes have more loss than epoch e."
    )


def _refused(outcome: Outcome) -> int:
    """How many mixes the typed recovery refuses."""
    training = outcome.training
    count = 0
    for vector in mixed_vectors(training.domains):
        try:
            recover(chosen(*training.stored, vector), training.shards)
        except MixedEpochError:
            count += 1
    return count


def _cases(every: list[Case]) -> Table:
    return Table(
        "Mixed states that a proper execution has, bit for bit (softmax regression, 3 shards)",
        ("case", "why", "SGD", "momentum", "Adam", "AdamW"),
        tuple(
            (case.name, case.why, *(f"{hits:,} of {count:,}" for hits, count in case.reached))
            for case in every
        ),
    )


def _at_once(after: list[AtOnce]) -> Table:
    return Table(
        "Loss right after a recovery, in nats",
        ("problem", "optimizer", "epoch e", "epoch e + 1", "mixed, least", "most", "above both"),
        tuple(
            (
                one.training.problem.name,
                one.training.optimizer.name,
                f"{one.early:.3f}",
                f"{one.late:.3f}",
                f"{one.mixed.min():.3f}",
                f"{one.mixed.max():.3f}",
                f"{one.worse} of {len(one.mixed)}",
            )
            for one in after
        ),
    )


CLAIMS = (
    Claim(
        "optimizer-step",
        "the resulting update is not a valid step of any standard optimizer",
        "No state that is mixed of two epochs is the result of a step of SGD, momentum, Adam or "
        "AdamW, from any state, with a gradient of the training data.",
        (
            "shards of parameters and moments, and the step counter, each in a domain of its own",
            "a step is what the optimizer's formula says; any parameters, any first moment, any "
            "second moment that is not negative, and any counter are a state",
        ),
        "Train three small models, one on real data, with each optimizer, mix two epochs in every "
        "way, and decide of each mixed state five questions by computing: the step taken back, and "
        "forward again.",
        _run_step,
    ),
    Claim(
        "optimizer-run",
        "We formalize mixed-epoch recovery as a type violation in the optimization algebra",
        "No mixed state is a state of the run it was recovered from, nor, for optimizers with "
        "moments, of a run from a fresh optimizer with the same batches; a recovery "
        "typed by epochs refuses each.",
        (
            "every part moves between the epochs: no frozen shard, no rate 0, no untouched rows",
            "the order of the run, a synchronous optimizer, a loss that does not separate",
            "for the fresh start: moments are kept (SGD has none, and there it fails)",
        ),
        "The same mixed states; distance to the run, the way back to step 0, the typed recovery, "
        "and the cases in which a proper execution has the mixed state after all.",
        _run_run,
    ),
)
