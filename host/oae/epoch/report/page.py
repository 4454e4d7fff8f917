"""The page of `oae epoch report`: one HTML file that needs nothing from elsewhere."""

import base64
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from jinja2 import ChoiceLoader, Environment, PackageLoader
from markupsafe import Markup

from oae.epoch.claim import Plot, Standing
from oae.epoch.report.abstract import ABSTRACT, CLAIMED, find
from oae.epoch.report.rows import Row
from oae.report.writing import write_whole


@dataclass(frozen=True)
class Phrase:
    """A stretch of the abstract, and the rows that are about it."""

    text: str
    claimed: bool
    rows: tuple[Row, ...]


def write_page(rows: Sequence[Row], path: Path, again: str) -> None:
    """Write the page; `again` is the command that makes it again."""
    write_whole(path, render(rows, again).encode())


def render(rows: Sequence[Row], again: str) -> str:
    """The text of the page."""
    # The style is that of the report of a run, with a little of our own.
    loader = ChoiceLoader([PackageLoader("oae.epoch.report"), PackageLoader("oae.report")])
    templates = Environment(loader=loader, autoescape=True, trim_blocks=True, lstrip_blocks=True)
    templates.filters["picture"] = _picture
    style = "".join(loader.get_source(templates, name)[0] for name in ("report.css", "epoch.css"))
    return templates.get_template("epoch.html").render(
        rows=rows,
        phrases=list(phrases(rows)),
        counts=[
            (
                standing,
                sum(row.finding is not None and row.finding.standing == standing for row in rows),
            )
            for standing in Standing
        ],
        failed=sum(row.error is not None for row in rows),
        surprises=[row for row in rows if row.surprise],
        again=again,
        style=Markup(style),
    )


def phrases(rows: Sequence[Row]) -> Iterator[Phrase]:
    """The abstract in pieces, from first to last: claims, and what stands between them."""
    quoted = [(find(row.claim.quote), row) for row in rows]
    at = 0
    for text in CLAIMED:
        span = find(text)
        yield Phrase(ABSTRACT[at : span.start], False, ())
        about = tuple(row for quote, row in quoted if span.meets(quote))
        yield Phrase(ABSTRACT[span.start : span.end], True, about)
        at = span.end
    yield Phrase(ABSTRACT[at:], False, ())


def _picture(plot: Plot) -> str:
    """An SVG as an address: in a file of its own, so that names in it meet no others."""
    return f"data:image/svg+xml;base64,{base64.b64encode(plot.svg.encode()).decode()}"
