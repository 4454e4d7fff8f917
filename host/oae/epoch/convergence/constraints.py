"""The claim on constraint semantics: which rules are local constraints on a step, and which not."""

from typing import Final

from oae.epoch.claim import Effort, Finding, Standing, Table
from oae.epoch.convergence.locality import pool, strangers
from oae.epoch.convergence.steps import PROTOCOL, RECOVERY
from oae.epoch.convergence.system import System, mesh

RUNS: Final = {False: 500, True: 20_000}


def constraints(effort: Effort) -> Finding:
    """Every kind of step, at every place of a mesh, in states of random runs with faults."""
    system = System(mesh(3), 12, 3)
    states = pool(system, RUNS[effort.long], effort.seed)
    rows = []
    for number, step in enumerate(PROTOCOL):
        found = [strangers(system, states, step, place) for place in range(step.places(system))]
        taken, otherwise = (sum(column) for column in zip(*found, strict=True))
        rows.append((step, taken, otherwise))
        effort.tell("locality", number + 1, len(PROTOCOL))
    epochs = [row for row in rows if row[0] not in RECOVERY]
    tried = all(taken for _, taken, _ in rows)
    local = tried and not any(otherwise for _, _, otherwise in epochs)
    recovering = [step for step, _, otherwise in rows if otherwise and step in RECOVERY]
    names = " and ".join(f'"{step.text.replace("{} ", "", 1)}"' for step in recovering)
    return Finding(
        Standing.HOLDS_UNDER if local else Standing.DOES_NOT_HOLD,
        f"{len(epochs)} of {len(epochs)} kinds of step of an epoch depend on their place alone "
        f"({sum(taken for _, taken, _ in epochs):,} steps tried); of recovery "
        f"{len(recovering)} of {len(RECOVERY)} do not"
        if local
        else "a step of an epoch depends on what is elsewhere",
        text=(
            "The abstract replaces the FITO assumption with constraint semantics; the TL;DR of the "
            "same paper says that the protocol works without requiring constraint semantics. "
            "Neither defines the term. The two sentences contradict each other unless they mean "
            "two different things by it.",
            "Read as: what may happen is given by constraints on single steps, over what stands at "
            "one domain or one link, and not by instants: then the abstract is right about the "
            "epochs. Everything elsewhere was exchanged for that of another run, and no step "
            "noticed. No step reads a clock; there is none in the model.",
            f"It is not the whole protocol: {names} need what stands elsewhere, gathered in "
            "messages: that everybody who can be reached has answered. That is a wave and not a "
            "local constraint.",
            "Read as: something must solve constraints, or order or forbid executions as a whole: "
            "then the TL;DR is right. Nothing here searches, solves or backtracks; each step is "
            "one comparison at each of a domain's ends. The price is that nothing forces an "
            "execution to converge: while a link stays cut the answer is INCONCLUSIVE.",
        ),
        tables=(
            Table(
                "Steps, with all that is not at their place exchanged",
                ("step", "taken", "came out otherwise"),
                tuple(
                    (step.text.format("A", "B"), f"{taken:,}", f"{otherwise:,}")
                    for step, taken, otherwise in rows
                ),
            ),
        ),
        data={step.take.__name__: [taken, otherwise] for step, taken, otherwise in rows},
    )
