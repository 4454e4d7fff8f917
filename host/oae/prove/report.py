"""What the proofs came to: for machines (JUnit) and for people (one HTML page)."""

import xml.etree.ElementTree as ElementTree
from collections.abc import Sequence
from pathlib import Path

from jinja2 import Environment, PackageLoader

from oae.prove.runner import BUILD, FAIL, PASS, Outcome
from oae.prove.tasks import about
from oae.synth.sources import ROOT


def junit(outcomes: Sequence[Outcome]) -> str:
    """One suite a task, one case a property; a task without a result is an error of its suite."""
    suites = ElementTree.Element("testsuites", name="oae prove")
    for outcome in outcomes:
        suite = ElementTree.SubElement(
            suites,
            "testsuite",
            name=outcome.title,
            tests=str(len(outcome.properties)),
            failures=str(len(outcome.failed)),
            errors=str(int(outcome.result != PASS and not outcome.failed)),
            time=f"{outcome.seconds:.1f}",
        )
        for one in outcome.properties:
            case = ElementTree.SubElement(suite, "testcase", classname=outcome.title, name=one.name)
            if one.result == FAIL:
                text = f"{one.location}: {one.trace or outcome.log}"
                ElementTree.SubElement(case, "failure", message=text)
            elif one.result != PASS:
                ElementTree.SubElement(case, "skipped", message=f"not decided: {outcome.result}")
        if outcome.result != PASS and not outcome.failed:
            case = ElementTree.SubElement(suite, "testcase", name="task")
            ElementTree.SubElement(case, "error", message=f"{outcome.result}: {outcome.log}")
    ElementTree.indent(suites)
    return ElementTree.tostring(suites, encoding="unicode", xml_declaration=True) + "\n"


def page(outcomes: Sequence[Outcome], versions: dict[str, str], title: str) -> str:
    """One page that needs nothing from elsewhere: proofs, and property by engine, depth, time."""
    templates = Environment(loader=PackageLoader("oae.prove"), autoescape=True)
    templates.filters["relative"] = _relative
    about_proofs = {
        outcome.task.proof: about(ROOT / outcome.task.file)
        for outcome in outcomes
        if (ROOT / outcome.task.file).exists()
    }
    return templates.get_template("proofs.html").render(
        title=title,
        outcomes=outcomes,
        about=about_proofs,
        versions=versions,
        asserted=sum(
            one.kind == "ASSERT" and one.result == PASS for o in outcomes for one in o.properties
        ),
        covered=sum(
            one.kind == "COVER" and one.result == PASS for o in outcomes for one in o.properties
        ),
        failed=sum(len(o.failed) for o in outcomes),
        good=all(o.result == PASS for o in outcomes),
    )


def _relative(path: Path | None) -> str:
    """A path as a link from build/prove."""
    if path is None:
        return ""
    folder = ROOT / BUILD
    return path.relative_to(folder).as_posix() if path.is_relative_to(folder) else str(path)
