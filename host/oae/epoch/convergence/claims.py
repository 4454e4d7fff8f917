"""The claims on bilateral convergence (docs/epoch-convergence.md)."""

from typing import Final

from oae.epoch.claim import Claim
from oae.epoch.convergence.bounds import bounds
from oae.epoch.convergence.constraints import constraints
from oae.epoch.convergence.recoveries import recoveries

LINK: Final = (
    "a link keeps the promises of the link machine: an advance commits at both ends or at neither, "
    "and what is durable survives a crash"
)

CLAIMS: Final[tuple[Claim, ...]] = (
    Claim(
        "bilateral-recovery",
        "a bilateral convergence protocol, inspired by Open Atomic Ethernet, that achieves "
        "Conv(P,e) without requiring Snap(t)",
        "After any kill and any cut at any step, all domains that are alive, have a disk and reach "
        "one another hold a common part, and what they hold under it belongs together; FITO in "
        "the same runs is mixed as often as independent advance says.",
        (
            LINK,
            "a part that is durable survives all but the loss of its disk; of a lost disk the part "
            "is lost, the recovery says so (INCOMPLETE), and its domain returns only by a recovery "
            "that every domain has answered",
            "a domain keeps diameter + 1 parts",
            "FITO: disks take their parts independently, and a snapshot is complete when the next "
            "begins",
        ),
        "All executions of small systems with kills and cuts at every step, and random ones of "
        "larger systems, with FITO under the same faults.",
        recoveries,
    ),
    Claim(
        "bilateral-bound",
        "a bilateral convergence protocol, inspired by Open Atomic Ethernet, that achieves "
        "Conv(P,e)",
        "Neighbours are at most one epoch apart, so diameter + 1 parts are needed and enough; "
        "Conv(P, e) is detected by messages alone, within 2 diameters and a constant; and no "
        "stretching or reordering of time changes an outcome.",
        (
            LINK,
            "progress: every link passes again and every domain comes back, some time",
            "the bound on rounds: each frame under way arrives within the round",
        ),
        "All executions of small systems with one part more and one fewer; epochs on graphs of "
        "growing diameter; waves on whole and partitioned graphs; random paces for every step.",
        bounds,
    ),
    Claim(
        "constraint-semantics",
        "replacing the FITO assumption with constraint semantics",
        "What a domain or a link may do in an epoch is a constraint on that domain or link alone; "
        "nothing else, no clock among it, has an influence.",
        (
            "constraint semantics is read as local conditions on single steps; the paper's TL;DR "
            "(without requiring constraint semantics) contradicts its abstract, and neither "
            "defines the term",
            "recovery and detection are waves, which gather what stands elsewhere",
        ),
        "Each kind of step in states of random runs, with all that is not at its place exchanged "
        "for what stands there in another run.",
        constraints,
    ),
)
