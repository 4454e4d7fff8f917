"""The rows of the report: the claims of all parts, each run and held against its record."""

import importlib
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from oae.epoch.claim import Claim, Effort, Finding
from oae.epoch.report.abstract import find
from oae.epoch.report.standings import EXPECTED
from oae.errors import OaeError

PARTS: Final = (
    "instances",
    "snapshot",
    "lattice",
    "optimizer",
    "fleet",
    "convergence",
    "hardware",
)
HOLDS, BROKEN = 0, 1  # exit codes


@dataclass(frozen=True)
class Row:
    """A claim with what came of it: a finding, or the error that kept it from being run."""

    claim: Claim
    effort: Effort
    finding: Finding | None
    error: OaeError | None
    seconds: float

    @property
    def command(self) -> str:
        """What runs this row again."""
        long = " --long" if self.effort.long else ""
        return f"oae epoch claim {self.claim.name} --seed {self.effort.seed}{long}"

    @property
    def surprise(self) -> str:
        """What is wrong with the standing, or nothing."""
        expected = EXPECTED.get(self.claim.name, "nothing")
        if self.finding is None or self.finding.standing == expected:
            return ""
        return f"came to '{self.finding.standing}' where '{expected}' is on record"

    @property
    def exit_code(self) -> int:
        """As in docs/epoch.md."""
        if self.error is not None:
            return self.error.exit_code
        return BROKEN if self.surprise else HOLDS


def claims() -> list[Claim]:
    """Every claim, in the order in which the abstract makes them."""
    every: list[Claim] = []
    for part in PARTS:
        every += importlib.import_module(f"oae.epoch.{part}.claims").CLAIMS
    return sorted(every, key=lambda claim: (find(claim.quote).start, claim.name))


def run(claim: Claim, effort: Effort) -> Row:
    """Run one experiment; what it cannot do for want of a tool is told in its row."""
    begun = time.monotonic()
    finding, error = None, None
    try:
        finding = claim.run(effort)
    except OaeError as raised:
        error = raised
    return Row(claim, effort, finding, error, time.monotonic() - begun)


def exit_code(rows: Sequence[Row]) -> int:
    """A broken promise weighs more than an experiment that could not be made."""
    codes = {row.exit_code for row in rows}
    return BROKEN if BROKEN in codes else max(codes, default=HOLDS)
