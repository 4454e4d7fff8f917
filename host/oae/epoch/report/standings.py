"""What each claim is known to come to: the record that a run is held against.

A run that comes to another standing is exit code 1. For a claim on the bilateral protocol that is
a broken promise of our own; for a claim of the paper's it is an experiment that no longer shows
what docs/epoch.md says that it shows.
"""

from typing import Final

from oae.epoch.claim import Standing

EXPECTED: Final[dict[str, Standing]] = {
    "atomic-snapshots": Standing.DOES_NOT_HOLD,
    "mixed-protocol": Standing.DOES_NOT_HOLD,
    "one-mistake": Standing.HOLDS_UNDER,
    "type-error": Standing.HOLDS_UNDER,
    "no-instant": Standing.HOLDS_UNDER,
    "measure-zero": Standing.DOES_NOT_HOLD,
    "mixed-growth": Standing.HOLDS_UNDER,
    "optimizer-run": Standing.HOLDS_UNDER,
    "optimizer-step": Standing.DOES_NOT_HOLD,
    "common-knowledge": Standing.HOLDS_UNDER,
    "bilateral-bound": Standing.HOLDS_UNDER,
    "bilateral-recovery": Standing.HOLDS_UNDER,
    "bilateral-rtl": Standing.HOLDS_UNDER,
    "constraint-semantics": Standing.HOLDS_UNDER,
}
