"""No assertion of a module's proof is idle: the induction needs it, or it finds a defect first.

The composed proof is in test_promises.py and test_relations.py, the CRC in test_crc_proof.py. What
follows from other assertions stays only if it is a requirement, or what another proof assumes; it
is named here, with the reason.
"""

from dataclasses import dataclass, field

import pytest
from oae.prove import defects, tasks
from oae.testing import requirement


@dataclass(frozen=True)
class Case:
    """How a task is examined, and what is expected."""

    cycles: int  # of a run
    defects: int = 1500
    # Defects of which it is asked whether another assertion fails with them at all; 0 where that
    # takes too long: then it is enough that in some run no other has failed.
    tries: int = 0
    depth: int = 1  # of the induction
    alone: int = 0  # at least so many assertions are the only ones to fail on a defect
    follow: dict[str, str] = field(default_factory=dict)


RECORD = "docs/protocol.md: what a record is; opened_at_last, and what holds in OFFER, imply it"
ARC = "docs/protocol.md: the ways between the states; no defect of one bit breaks it first"
TASKS = {
    "arbiter:prove": Case(8, tries=4, alone=15),
    "builder:prove": Case(
        12,
        follow={"rules.stream_closing": "the rules of a port; how a cut packet waits implies it"},
    ),
    "counters:prove": Case(6, depth=3),
    "deliver:prove": Case(
        9,
        tries=4,
        alone=4,
        follow={"rules.stream_gapless": "the rules of a port; bytes implies it"},
    ),
    "initiator:prove": Case(9, follow={"from_reflecting": ARC}),
    "parser:prove": Case(
        12,
        defects=3000,
        follow={"rules.parser_apart": "the end's proof assumes it; one beat a cycle implies it"},
    ),
    "responder:prove": Case(8, follow={"from_reversing": ARC, "from_tentative": ARC}),
    "submit:prove": Case(
        10,
        defects=1200,
        follow=dict.fromkeys(
            (
                "opened_advance",
                "opened_digest",
                "opened_last_word",
                "opened_length",
                "opened_well",
                "opened_words",
            ),
            RECORD,
        ),
    ),
    "wire:prove": Case(15, defects=400),
}


# Here nothing is promised before a handshake of many cycles: a defect is looked for in one step
# from any state in which all assertions hold. What follows from others docs/proof.md promises.
STEPS = {
    "drain:prove_four": {"delivered_once", "doubted_once"},
    "end:prove": set(),
    "session:link_sessions": {"never_none", "transmit_right"},
    "session:prove": {"dead_pair", "lesser_record", "lesser_window", "lost", "once", "paired"},
}


@requirement("OAE-FML-006")
@pytest.mark.long
@pytest.mark.parametrize("title", TASKS)
def test_each_assertion_is_needed_or_finds_a_defect(title: str) -> None:
    case = TASKS[title]
    (task,) = tasks.choose(tasks.tasks(), [title], quick=False)
    found = defects.reasons(task, case.cycles, case.defects, case.tries, case.depth)
    assert found.none == set(case.follow)
    assert len(found.alone) >= case.alone


@requirement("OAE-FML-006")
@pytest.mark.long
@pytest.mark.parametrize("title", STEPS)
def test_each_assertion_is_needed_or_finds_a_defect_in_a_step(title: str) -> None:
    (task,) = tasks.choose(tasks.tasks(), [title], quick=False)
    assert defects.idle(task, 1500) == STEPS[title]
