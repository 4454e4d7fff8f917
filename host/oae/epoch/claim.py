"""A claim of the paper's abstract, and what an experiment says about it.

Each part of this package has a module `claims` with a tuple CLAIMS; `oae epoch report` is the table
of all of them, and `oae epoch claim NAME` runs one again.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class Standing(StrEnum):
    """What became of a claim."""

    HOLDS = "holds"
    HOLDS_UNDER = "holds under"  # the assumptions that the claim names
    DOES_NOT_HOLD = "does not hold"
    NOT_DECIDABLE = "not decidable here"


@dataclass(frozen=True)
class Effort:
    """How an experiment is run: the seed fixes all of its outcome."""

    seed: int = 1
    long: bool = False  # the sizes of the long targets instead of some seconds
    # Progress; no part of what fixes the outcome.
    tell: Callable[[str, int, int], None] = field(default=lambda *_: None, compare=False)


@dataclass(frozen=True)
class Table:
    """Rows of cells as text, under one head."""

    caption: str
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class Plot:
    """A figure as SVG text; the same figures give the same bytes."""

    name: str  # of a file, without suffix
    caption: str
    svg: str = field(repr=False)


@dataclass(frozen=True)
class Finding:
    """What an experiment came to."""

    standing: Standing
    figure: str  # the one line that decides: numbers with their interval or bound
    text: tuple[str, ...] = ()  # paragraphs: what was seen, proof sketches, what does not follow
    tables: tuple[Table, ...] = ()
    plots: tuple[Plot, ...] = ()
    data: dict[str, Any] = field(default_factory=dict)  # figures for machines, JSON


@dataclass(frozen=True)
class Claim:
    """One row of the report."""

    name: str  # words and hyphens; `oae epoch claim NAME` runs it
    quote: str  # of the abstract, literally
    statement: str  # what exactly is tested
    assumptions: tuple[str, ...]
    experiment: str  # how it is tested, one or two sentences
    run: Callable[[Effort], Finding]
