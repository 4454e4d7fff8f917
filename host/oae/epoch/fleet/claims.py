"""The claims on fleets and on common knowledge (docs/epoch-fleet.md)."""

from typing import Final

from oae.epoch.claim import Claim
from oae.epoch.fleet.attack import attack
from oae.epoch.fleet.rolling import rolling

CLAIMS: Final[tuple[Claim, ...]] = (
    Claim(
        "mixed-protocol",
        "(2) that infrastructure updates can be applied without inducing mixed-protocol cluster "
        "states",
        "An assumption that the abstract calls mistaken, judged as quoted: whether some scheme of "
        "update passes through no state in which linked nodes have different versions. Counted "
        "besides: data exchanged across versions, which some schemes do avoid.",
        (
            "nodes change one by one, and clocks differ, messages are lost, or nodes crash",
            "data is in flight for one round; what is lost of it is not repeated",
            "nobody refuses the update; a bilateral node can speak both versions meanwhile",
        ),
        "The same fleets, seeds and faults for updates by clock, by two-phase commit and by "
        "bilateral convergence; for a pair every pattern of losses.",
        rolling,
    ),
    Claim(
        "common-knowledge",
        "atomic deployment requires not merely agreement but common knowledge of the epoch "
        "transition, which is strictly unattainable in asynchronous systems with unreliable "
        "communication",
        "In the Kripke structure of all executions the depth of what everyone knows is finite for "
        "every number of messages delivered, and no rule but always and never lets all change at "
        "one moment.",
        (
            "atomic means that all nodes change at one moment; if it means that no data crosses "
            "versions, common knowledge is not required",
            "any message may be lost",
        ),
        "Exhaustion over loss patterns of full-information protocols, and of the bilateral "
        "handshake; the same with reliable messages, with and without a common clock.",
        attack,
    ),
)
