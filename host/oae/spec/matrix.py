"""Writes docs/requirements.md: every requirement with the tests that check it.

The requirements stand in requirements/, one file an area; a test names those it checks with
`@pytest.mark.requirement("OAE-TXN-003")` or `@oae.testing.requirement("OAE-TXN-003")`. The tests
are read, not run, so that a test of any kind (pytest or cocotb) counts the same way. A requirement
without a test is listed as OPEN. A test that names an unknown requirement is an error, and so is a
name that stands where no test runner would find a test.
"""

import argparse
import ast
import re
import sys
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from oae.errors import OaeError

ROOT = Path(__file__).resolve().parents[3]
SOURCE = "host/oae/spec/requirements"
OUTPUT = "docs/requirements.md"
TEST_FOLDERS = ("host/tests", "cocotb_tests")
TEST_FILES = ("test_*.py", "bench_*.py")  # a bench holds cocotb tests, which a test_*.py runs
IDENTIFIER = re.compile(r"OAE-([A-Z]+)-[0-9]{3}")
TEST_DECORATORS = {"test", "parametrize"}  # cocotb's; a pytest test is known by its own name
SKIP_DECORATORS = {"skip"}


class MatrixError(OaeError):
    """Requirements and tests contradict each other; the message names file and line."""


@dataclass
class Requirement:
    """One row of a requirements file, and the tests that name it.

    `waived` is the reason why a requirement needs no test, where there is one.
    """

    id: str
    text: str
    source: str
    waived: str = ""
    tests: list[str] = field(default_factory=list)

    @property
    def area(self) -> str:
        """The middle of the id: TXN."""
        return self.id.split("-")[1]

    @property
    def evidence(self) -> str:
        """What stands in the last column of the matrix."""
        if self.tests:
            return "<br>".join(f"`{test}`" for test in self.tests)
        return f"waived: {self.waived}" if self.waived else "**OPEN**"


def read_requirements(folder: Path) -> tuple[dict[str, Requirement], dict[str, str]]:
    """Requirements by id, and the title of each area: the name of its file."""
    requirements: dict[str, Requirement] = {}
    titles: dict[str, str] = {}
    for path in sorted(folder.glob("*.toml")):
        for entry in _read_file(path):
            if entry.id in requirements:
                raise MatrixError(f"{path.name}: {entry.id} stands twice")
            if titles.setdefault(entry.area, path.stem) != path.stem:
                raise MatrixError(f"{path.name}: {entry.id} belongs in {titles[entry.area]}.toml")
            requirements[entry.id] = entry
    if not requirements:
        raise MatrixError(f"no requirements in {SOURCE}")
    return requirements, titles


def _read_file(path: Path) -> Iterator[Requirement]:
    try:
        tables = tomllib.loads(path.read_text())
    except tomllib.TOMLDecodeError as error:
        raise MatrixError(f"{path.name}: {error}") from error
    for row in tables.get("requirement", []):
        try:
            entry = Requirement(**row)
        except TypeError as error:
            raise MatrixError(f"{path.name}: {row.get('id', row)}: {error}") from error
        if not IDENTIFIER.fullmatch(entry.id):
            raise MatrixError(f"{path.name}: {entry.id}: not of the form OAE-AREA-000")
        yield entry


@dataclass(frozen=True)
class Claim:
    """A test names a requirement."""

    id: str
    test: str
    place: str
    skipped: bool


def claims(path: Path, name: str) -> Iterator[Claim]:
    """Every claim in one test file; `name` is how the file is called in messages."""
    tree = ast.parse(path.read_text(), name)
    seen: set[int] = set()
    yield from _claims(tree, name, [], False, seen)
    for call in _requirements_in(tree):
        if id(call) not in seen:
            raise MatrixError(f"{name}:{call.lineno}: names a requirement but belongs to no test")


Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef


def _claims(
    parent: ast.Module | Definition, file: str, outer: list[ast.Call], skip: bool, seen: set[int]
) -> Iterator[Claim]:
    """Claims of the tests in `parent`, which inherit the marks of what surrounds them.

    `seen` collects every call that belongs to a test.
    """
    for node in parent.body:
        if isinstance(node, ast.Assign) and _assigns(node, "pytestmark"):
            outer = [*outer, *_requirements_in(node.value)]
            skip = skip or "skip" in _attributes(node.value)
    for node in parent.body:
        if not isinstance(node, Definition):
            continue
        marks = [call for line in node.decorator_list for call in _requirements_in(line)]
        skipped = skip or any(_skips(line) for line in node.decorator_list)
        if isinstance(node, ast.ClassDef):
            yield from _claims(node, file, [*outer, *marks], skipped, seen)
            continue
        if not _is_test(node):
            continue
        for call in [*outer, *marks]:
            seen.add(id(call))
            for identifier in _identifiers(call, file):
                yield Claim(identifier, f"{file}::{node.name}", f"{file}:{call.lineno}", skipped)


def _is_test(node: Definition) -> bool:
    return node.name.startswith("test") or any(
        _attributes(line) & TEST_DECORATORS and "cocotb" in ast.dump(line)
        for line in node.decorator_list
    )


def _skips(decorator: ast.expr) -> bool:
    if isinstance(decorator, ast.Call):
        for keyword in decorator.keywords:  # @cocotb.test(skip=True)
            if keyword.arg == "skip" and ast.unparse(keyword.value) == "True":
                return True
        decorator = decorator.func
    return isinstance(decorator, ast.Attribute) and decorator.attr in SKIP_DECORATORS


def _attributes(node: ast.AST) -> set[str]:
    return {part.attr for part in ast.walk(node) if isinstance(part, ast.Attribute)}


def _assigns(node: ast.Assign, name: str) -> bool:
    return any(isinstance(target, ast.Name) and target.id == name for target in node.targets)


def _is_requirement(function: ast.expr) -> bool:
    return (isinstance(function, ast.Name) and function.id == "requirement") or (
        isinstance(function, ast.Attribute) and function.attr == "requirement"
    )


def _requirements_in(node: ast.AST) -> list[ast.Call]:
    return [
        part for part in ast.walk(node) if isinstance(part, ast.Call) and _is_requirement(part.func)
    ]


def _identifiers(call: ast.Call, file: str) -> Iterator[str]:
    for argument in call.args:
        if not (isinstance(argument, ast.Constant) and isinstance(argument.value, str)):
            raise MatrixError(f"{file}:{call.lineno}: the id of a requirement must stand literally")
        yield argument.value


def collect(requirements: dict[str, Requirement], root: Path) -> None:
    """Fill in the tests of each requirement from the test files under `root`."""
    unknown = []
    for path in _test_files(root):
        for claim in claims(path, path.relative_to(root).as_posix()):
            if claim.id not in requirements:
                unknown.append(f"{claim.place}: {claim.id}")
            elif not claim.skipped and claim.test not in requirements[claim.id].tests:
                requirements[claim.id].tests.append(claim.test)
    if unknown:
        raise MatrixError("\n  ".join([f"no such requirement in {SOURCE}:", *unknown]))


def _test_files(root: Path) -> list[Path]:
    """Every file of tests, in order; a bench that nothing runs is an error."""
    files = {
        path
        for folder in TEST_FOLDERS
        for kind in TEST_FILES
        for path in (root / folder).rglob(kind)
    }
    runners = [path.read_text() for path in files if path.name.startswith("test_")]
    for path in files:
        if path.name.startswith("bench_") and not any(path.stem in text for text in runners):
            raise MatrixError(f"{path.relative_to(root)}: no test_*.py runs this bench")
    return sorted(files)


def matrix(requirements: dict[str, Requirement], titles: dict[str, str]) -> Iterator[str]:
    """The lines of docs/requirements.md."""
    rows = list(requirements.values())
    areas = list(dict.fromkeys(row.area for row in rows))
    tested = sum(bool(row.tests) for row in rows)
    waived = sum(bool(row.waived and not row.tests) for row in rows)
    yield "# Requirements and their tests"
    yield ""
    yield f"<!-- Generated from {SOURCE} and the tests by `make generate`; do not edit. -->"
    yield ""
    yield (
        f"{len(rows)} requirements: {tested} with tests, {waived} waived, "
        f"{len(rows) - tested - waived} open. A test counts by naming the requirement; "
        "a test that is always skipped does not count."
    )
    for area in areas:
        yield ""
        yield f"## {titles[area].capitalize()} ({area})"
        yield ""
        yield "| requirement | what must hold | source | tests |"
        yield "|---|---|---|---|"
        for row in rows:
            if row.area == area:
                yield f"| {row.id} | {_cell(row.text)} | {_cell(row.source)} | {row.evidence} |"


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def main(arguments: list[str] | None = None, root: Path = ROOT) -> int:
    """Write the matrix, or with `--check` exit 1 if it is stale."""
    parser = argparse.ArgumentParser(prog="python -m oae.spec.matrix", description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing, say if it is stale")
    parser.add_argument("--open", action="store_true", help="only list requirements without tests")
    options = parser.parse_args(arguments)
    try:
        requirements, titles = read_requirements(root / SOURCE)
        collect(requirements, root)
    except MatrixError as error:
        print(f"requirements: {error}", file=sys.stderr)
        return error.exit_code
    if options.open:
        waiting = [row for row in requirements.values() if not row.tests and not row.waived]
        for row in waiting:
            print(f"OPEN {row.id}: {_cell(row.text)}")
        print(f"{len(requirements)} requirements, {len(waiting)} open")
        return 0
    output = root / OUTPUT
    text = "\n".join(matrix(requirements, titles)) + "\n"
    if output.exists() and output.read_text() == text:
        return 0
    if options.check:
        print(f"stale: {OUTPUT}; run `make generate`", file=sys.stderr)
        return 1
    output.parent.mkdir(parents=True, exist_ok=True)
    output.write_text(text)
    print(f"wrote {OUTPUT}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
