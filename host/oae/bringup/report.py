"""What a bring-up leaves behind: bringup.json for machines, bringup.html for people."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Final

from jinja2 import Environment, PackageLoader
from markupsafe import Markup

from oae.bench.bench import Bench
from oae.bringup.board import Told
from oae.bringup.registers import counters
from oae.bringup.steps import Step
from oae.check.verdict import Verdict
from oae.report.writing import write_whole
from oae.toolchain import tool_versions

JSON: Final = "bringup.json"
PAGE: Final = "bringup.html"


@dataclass
class Report:
    """A bring-up, as far as it has come."""

    bench: Bench  # with the substitutes in place
    said: Sequence[str]  # which stand in, and why
    began: datetime = field(default_factory=lambda: datetime.now().astimezone())
    steps: list[Step] = field(default_factory=list)
    counters: dict[str, dict[str, int]] = field(default_factory=dict)  # of each end, by name
    traces: dict[str, list[Told]] = field(default_factory=dict)

    @property
    def verdict(self) -> Verdict:
        """PASS if every step is good."""
        good = self.steps and all(step.good for step in self.steps)
        return Verdict.PASS if good else Verdict.FAIL

    @property
    def reason(self) -> str:
        """One line."""
        failed = [step for step in self.steps if not step.good]
        if failed:
            return f"{failed[0].name} of {failed[0].end}: {failed[0].check}"
        return f"{len(self.steps)} steps, everything as expected"

    def write(self, folder: Path) -> None:
        """Write both files into a directory."""
        folder.mkdir(parents=True, exist_ok=True)
        content = {
            "bench": self.bench.name,
            "text": self.bench.text,
            "said": list(self.said),
            "ends": {name: str(end) for name, end in self.bench.named_ends.items()},
            "began": self.began.isoformat(" ", "seconds"),
            "seconds": sum(step.seconds for step in self.steps),
            "verdict": self.verdict,
            "reason": self.reason,
            "steps": [asdict(step) for step in self.steps],
            "counters": self.counters,
            "trace": {end: [list(told) for told in events] for end, events in self.traces.items()},
            "versions": tool_versions(),
        }
        write_whole(folder / JSON, (json.dumps(content, indent=2) + "\n").encode())
        write_whole(folder / PAGE, _page(content, self.traces).encode())


def _page(content: Mapping[str, object], traces: dict[str, list[Told]]) -> str:
    style = PackageLoader("oae.report").get_source(Environment(), "report.css")[0]
    templates = Environment(
        loader=PackageLoader("oae.bringup"), autoescape=True, trim_blocks=True, lstrip_blocks=True
    )
    return templates.get_template(PAGE).render(
        content, traces=traces, meanings=counters(), style=Markup(style)
    )
