"""The abstract of the seed paper as data: its text, and what of it is a claim.

Paul Borrill, "Why Atomicity Matters to AI/ML Infrastructure: Snapshots, Firmware Updates, and the
Cost of the Forward-In-Time-Only Category Mistake", arXiv 2603.02603. Formulas are in plain text.
"""

from dataclasses import dataclass
from typing import Final

from oae.errors import OaeError

ABSTRACT: Final = (
    "Large-scale AI/ML training systems depend on two assumptions that are rarely examined: (1) "
    "that checkpoints represent atomic snapshots of global training state, and (2) that "
    "infrastructure updates can be applied without inducing mixed-protocol cluster states. Both "
    "assumptions are instances of a deeper structural error: the Forward-In-Time-Only (FITO) "
    "category mistake, which confuses protocol convergence properties with temporal predicates. "
    "We formalize this confusion as a type error: the identification of a temporal snapshot "
    "Snap(t) with a convergence property Conv(P,e). We model checkpoint execution in a "
    "process-algebraic framework and prove that under asynchronous composition with "
    "crash-recovery failures, no temporal instant can serve as an atomicity boundary. We "
    "reformulate checkpoint inconsistency on an epoch lattice and show that atomicity is a "
    "measure-zero event whose complement grows exponentially with the number of independent "
    "persistence domains. We formalize mixed-epoch recovery as a type violation in the "
    "optimization algebra and show that the resulting update is not a valid step of any standard "
    "optimizer. For firmware fleet updates, we strengthen the known consensus-hardness result: "
    "atomic deployment requires not merely agreement but common knowledge of the epoch "
    "transition, which is strictly unattainable in asynchronous systems with unreliable "
    "communication. We conclude by sketching a bilateral convergence protocol, inspired by Open "
    "Atomic Ethernet, that achieves Conv(P,e) without requiring Snap(t) -- replacing the FITO "
    "assumption with constraint semantics."
)

# Each must be quoted by a row, in whole or in part. What is left is connection, and one remark on
# people ("rarely examined") that no experiment on a link decides.
CLAIMED: Final = (
    "that checkpoints represent atomic snapshots of global training state",
    "that infrastructure updates can be applied without inducing mixed-protocol cluster states",
    "Both assumptions are instances of a deeper structural error: the Forward-In-Time-Only (FITO) "
    "category mistake, which confuses protocol convergence properties with temporal predicates",
    "We formalize this confusion as a type error: the identification of a temporal snapshot "
    "Snap(t) with a convergence property Conv(P,e)",
    "under asynchronous composition with crash-recovery failures, no temporal instant can serve "
    "as an atomicity boundary",
    "atomicity is a measure-zero event",
    "whose complement grows exponentially with the number of independent persistence domains",
    "We formalize mixed-epoch recovery as a type violation in the optimization algebra",
    "the resulting update is not a valid step of any standard optimizer",
    "atomic deployment requires not merely agreement but common knowledge of the epoch transition",
    "which is strictly unattainable in asynchronous systems with unreliable communication",
    "a bilateral convergence protocol, inspired by Open Atomic Ethernet, that achieves Conv(P,e) "
    "without requiring Snap(t)",
    "replacing the FITO assumption with constraint semantics",
)


class QuoteError(OaeError):
    """A quote does not stand in the abstract."""


@dataclass(frozen=True)
class Span:
    """A part of the abstract: ABSTRACT[start:end]."""

    start: int
    end: int

    def meets(self, other: "Span") -> bool:
        """Whether the two have a character in common."""
        return self.start < other.end and other.start < self.end


def find(quote: str) -> Span:
    """Where a quote stands; blanks, capitals and a full stop at its end do not count.

    Raises QuoteError.
    """
    places = [place for place, letter in enumerate(ABSTRACT) if not letter.isspace()]
    squeezed = "".join(ABSTRACT[place] for place in places).lower()
    sought = "".join(quote.split()).rstrip(".").lower()
    begin = squeezed.find(sought)
    if begin < 0 or not sought:
        raise QuoteError(f"the abstract does not say: {quote}")
    return Span(places[begin], places[begin + len(sought) - 1] + 1)
