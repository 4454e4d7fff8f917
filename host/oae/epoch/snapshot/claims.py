"""The claims on the types and on instants (docs/epoch-snapshot.md)."""

from typing import Final

from oae.epoch.claim import Claim
from oae.epoch.snapshot.no_instant import no_instant
from oae.epoch.snapshot.type_error import type_error

CLAIMS: Final[tuple[Claim, ...]] = (
    Claim(
        "type-error",
        "We formalize this confusion as a type error: the identification of a temporal snapshot "
        "Snap(t) with a convergence property Conv(P,e).",
        "Snap(t) is a predicate on times and Conv(P, e) a property of executions; neither can be "
        "handed in for the other, and neither determines the other.",
        (
            "Conv demands evidence at both ends of each link, as the link machine keeps it, and "
            "not only that every part is durable",
            "messages may be lost, and there is more than one time at which parts may become "
            "durable",
        ),
        "Every execution of small worlds of two domains is judged by both; each misuse is refused "
        "at run time, and mypy reports it.",
        type_error,
    ),
    Claim(
        "no-instant",
        "under asynchronous composition with crash-recovery failures, no temporal instant can "
        "serve as an atomicity boundary",
        "For every instant that is fixed beforehand (k-th step, tick, k-th label of a domain) some "
        "execution, followed by crash and recovery of all domains, recovers a mixed state.",
        (
            "two domains or more",
            "no bound on how long a domain takes, or on how often it crashes",
            "each domain recovers from its own durable part alone: no common record decides",
            "the instant is not before the first step at which any part can be durable",
        ),
        "All states of N persistence domains in asynchronous composition, for N from 1 up; then "
        "the same with one assumption dropped at a time.",
        no_instant,
    ),
)
