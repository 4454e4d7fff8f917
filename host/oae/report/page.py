"""The report: one HTML file that needs nothing from elsewhere (docs/report.md).

write_report(result, Path("report.html"), title="demo", again="oae run ...", capture=path)
"""

import base64
import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from jinja2 import Environment, PackageLoader
from markupsafe import Markup

from oae.check.findings import BenchError, Finding, Result
from oae.check.verdict import Verdict
from oae.report.drawings import drawings, fault_name
from oae.report.figures import Table, frames, records, spreads
from oae.report.moments import Story, placed
from oae.report.names import LANES, Key, key, names
from oae.report.story import stories
from oae.report.times import exact, readable
from oae.report.writing import write_whole

PAGE: Final = "report.html"  # in a run directory
MOST_FINDINGS: Final = 20
MOST_ROWS: Final = 200
SCRIPTS: Final = ("draw", "timeline", "sequence", "transactions", "distributions")


@dataclass(frozen=True)
class Row:
    """A line of a table: its name, then its cells."""

    name: str
    cells: tuple[str, ...]


@dataclass(frozen=True)
class Packet:
    """A packet that shows or explains a finding."""

    number: str
    text: str
    time: str
    violates: bool


@dataclass(frozen=True)
class Found:
    """A finding as the page shows it."""

    verdict: Verdict
    promise: str
    requirement: str
    text: str
    claim: str
    transaction: str
    packets: tuple[Packet, ...]


def write_report(
    result: Result, path: Path, *, title: str, again: str, capture: Path | None = None
) -> None:
    """Write the report; `again` is the command that makes it again.

    With the capture that the result is of, charts show every frame and step of a transaction;
    without it (it came from standard input) what the result remembers.
    """
    result = placed(result)
    text = render(result, stories(result, capture), title=title, again=again)
    write_whole(path, text.encode())


def render(result: Result, told: Sequence[Story], *, title: str, again: str) -> str:
    """The text of the page."""
    templates = Environment(
        loader=PackageLoader("oae.report"), autoescape=True, trim_blocks=True, lstrip_blocks=True
    )
    script = "\n".join(_source(templates, f"{name}.js") for name in SCRIPTS)
    known = names(result.transactions)
    data = drawings(result, told)
    return templates.get_template("report.html").render(
        title=title,
        command=again,
        verdict=result.verdict,
        reason=result.reason,
        findings=list(_found(result, known)),
        hidden_findings=_hidden(result),
        promises=result.promises,
        lanes=LANES,
        interval=readable(result.interval),
        series=list(_series(result))[:MOST_ROWS],
        hidden_series=max(0, len(result.link_states) + len(result.faults) - MOST_ROWS),
        transactions_note=_note(result),
        spreads=spreads(result),
        convergence=list(_convergence(result))[:MOST_ROWS],
        hidden_convergence=max(0, len(result.faults) - MOST_ROWS),
        frame_tables=frames(result),
        tables=[*records(result), _capture(result)],
        data=_embedded(data),
        style=Markup(_source(templates, "report.css")),
        script=Markup(script),
        script_hash=_hash(script),
    )


def _source(templates: Environment, name: str) -> str:
    loader = templates.loader
    assert loader is not None
    return loader.get_source(templates, name)[0]


def _hash(script: str) -> str:
    """What the page's policy allows to run: this script and no other."""
    digest = hashlib.sha256(script.encode()).digest()
    return f"sha256-{base64.b64encode(digest).decode()}"


def _embedded(data: Any) -> Markup:
    """JSON inside of a script element, which it must not be able to end."""
    text = json.dumps(data, separators=(",", ":"), ensure_ascii=False)
    return Markup(text.replace("<", "\\u003c"))


def _found(result: Result, known: dict[Key, str]) -> Iterator[Found]:
    for error in result.bench_errors[:MOST_FINDINGS]:
        yield _bench_error(error)
    marks = {
        key(row): {packet: (name, at) for name, (at, packet) in row.marks.items()}
        for row in result.transactions
    }
    shown = [*result.findings[:MOST_FINDINGS], *result.unknowns[:MOST_FINDINGS]]
    for finding in shown[:MOST_FINDINGS]:
        place = (finding.end, finding.sessions, finding.id)
        yield _one(finding, known.get(place, ""), marks.get(place, {}))


def _bench_error(error: BenchError) -> Found:
    packet = Packet(f"{error.packet:,}", "seen here", exact(error.time), True)
    claim = "The capture cannot be trusted, so nothing follows from it."
    return Found(Verdict.BENCH_ERROR, "the bench", "", error.text, claim, "", (packet,))


def _one(finding: Finding, name: str, marks: dict[int, tuple[str, int]]) -> Found:
    verdict = Verdict.FAIL if finding.certain else Verdict.INCONCLUSIVE
    kind = (
        "Something is missing that should have been seen before."
        if finding.absence
        else ("Two claims contradict each other.")
    )
    doubt = "" if finding.certain else " It may stand in what the capture lost."
    packets = []
    for number in sorted({*finding.explained_by, finding.packet}):
        what, at = marks.get(number, ("", None))
        violates = number == finding.packet
        if violates:
            what = ", ".join(filter(None, [what, "the first that violates"]))
            at = finding.time
        text = what.replace("_", " ") or "explains it"
        packets.append(Packet(f"{number:,}", text, "" if at is None else exact(at), violates))
    return Found(
        verdict,
        str(finding.promise),
        finding.requirement,
        finding.text,
        kind + doubt,
        name,
        tuple(packets),
    )


def _hidden(result: Result) -> int:
    shown = len(result.findings) + len(result.unknowns)
    return max(0, result.finding_count + result.unknown_count - min(shown, MOST_FINDINGS))


def _series(result: Result) -> Iterator[dict[str, str]]:
    """Link states and faults in order of time, from the begin on, as in the drawing."""
    begin = result.start
    rows = [(state.time, f"link {'ab'[state.end]}", state.state) for state in result.link_states]
    for fault in result.faults:
        over = "" if fault.healed is None else f", over at {exact(fault.healed - begin)}"
        rows.append((fault.start, "fault", fault_name(fault) + over))
    for at, where, text in sorted(rows):
        yield {"time": exact(at - begin), "where": where, "text": text}


def _convergence(result: Result) -> Iterator[Row]:
    for fault in result.faults:
        resolved = None
        if fault.healed is not None and fault.converged is not None:
            resolved = fault.converged - fault.healed
        yield Row(
            fault_name(fault),
            (
                exact(fault.start - result.start),
                "not seen" if fault.healed is None else exact(fault.healed - result.start),
                f"{fault.in_flight:,}",
                "not seen" if resolved is None else readable(resolved),
                f"{fault.beats:,}",
            ),
        )


def _note(result: Result) -> str:
    shown, every = len(result.transactions), result.transaction_count
    number = (
        f"All {every:,} transactions"
        if shown == every
        else (
            f"{shown:,} of {every:,} transactions: the first, the slowest, and all with a finding"
        )
    )
    return f"{number}. Choose one to see its sequence chart; the address then names it."


def _capture(result: Result) -> Table:
    """What the capture was."""
    rows = {
        "judged as": result.source + (", from the wire only" if result.wire else ""),
        "packets": f"{result.packets:,}",
        "packets of evidence": f"{result.evidence:,}",
        "gaps in the evidence": f"{result.evidence_gaps:,}",
        "begin": _moment(result.start),
        "length": exact(result.end - result.start),
        "the run ended": result.stop or "not known",
        **{f"reader, line {number}": text for number, text in enumerate(result.lines, 1)},
        **result.parameters,
    }
    return Table("Capture", ("",), [(name, (cell,)) for name, cell in rows.items()])


def _moment(nanoseconds: int) -> str:
    """A date if it can be one: a run's time begins at 0."""
    year = 365 * 86_400 * 10**9
    if nanoseconds < year:
        return exact(nanoseconds)
    return datetime.fromtimestamp(nanoseconds / 1e9, UTC).isoformat(" ")
