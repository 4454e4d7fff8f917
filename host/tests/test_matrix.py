"""The requirement matrix: which tests count, and every way in which it refuses."""

from collections.abc import Callable
from pathlib import Path

import pytest
from oae.spec import matrix
from oae.testing import requirement as name_it  # a plain call of this name is an error

REQUIREMENTS = """
[[requirement]]
id = "OAE-TXN-001"
text = "A transaction ends | once."
source = "PROTOCOL section 3"

[[requirement]]
id = "OAE-TXN-002"
text = "Nobody forgets."
source = "PROTOCOL section 4"
"""
LINK = """
[[requirement]]
id = "OAE-LNK-001"
text = "The sky stays up."
source = "PROTOCOL section 1"
waived = "not ours to test"
"""
Write = Callable[..., Path]


@pytest.fixture
def project(tmp_path: Path) -> Write:
    """Write a project of one pytest file and one cocotb file; returns its root."""

    def write(test: str = "", cocotb_test: str = "", requirements: str = REQUIREMENTS) -> Path:
        for name, text in (
            (f"{matrix.SOURCE}/transaction.toml", requirements),
            (f"{matrix.SOURCE}/link.toml", LINK),
            ("host/tests/test_it.py", test),
            ("cocotb_tests/link/test_pair.py", cocotb_test),
        ):
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        return tmp_path

    return write


def naming_the_first(root: Path) -> list[str]:
    """Tests that name OAE-TXN-001."""
    requirements, _ = matrix.read_requirements(root / matrix.SOURCE)
    matrix.collect(requirements, root)
    return requirements["OAE-TXN-001"].tests


def test_the_page_shows_tests_waivers_and_open_requirements(project: Write) -> None:
    root = project('@pytest.mark.requirement("OAE-TXN-001")\ndef test_once(): ...\n')
    assert matrix.main([], root) == 0
    page = (root / matrix.OUTPUT).read_text()
    assert "3 requirements: 1 with tests, 1 waived, 1 open." in page
    assert "## Transaction (TXN)" in page
    assert (
        "| OAE-TXN-001 | A transaction ends \\| once. | PROTOCOL section 3 "
        "| `host/tests/test_it.py::test_once` |"
    ) in page
    assert "| OAE-TXN-002 | Nobody forgets. | PROTOCOL section 4 | **OPEN** |" in page
    assert "| OAE-LNK-001 | The sky stays up. | PROTOCOL section 1 | waived: not ours" in page


@pytest.mark.parametrize(
    "source",
    [
        '@requirement("OAE-TXN-001")\ndef test_a(): ...',
        '@requirement("OAE-TXN-002", "OAE-TXN-001")\ndef test_a(): ...',
        '@pytest.mark.requirement("OAE-TXN-001")\nclass TestIt:\n    def test_a(self): ...',
        'pytestmark = [pytest.mark.requirement("OAE-TXN-001")]\ndef test_a(): ...',
        '@pytest.mark.parametrize("x", [pytest.param(1, '
        'marks=pytest.mark.requirement("OAE-TXN-001"))])\ndef test_a(x): ...',
    ],
)
def test_a_pytest_test_counts(project: Write, source: str) -> None:
    assert naming_the_first(project(source)) == ["host/tests/test_it.py::test_a"]


@pytest.mark.parametrize(
    "source",
    [
        '@cocotb.test()\n@requirement("OAE-TXN-001")\nasync def a(dut): ...',
        '@cocotb.test(skip=X)\n@oae.testing.requirement("OAE-TXN-001")\nasync def a(d): ...',
        '@requirement("OAE-TXN-001")\n@cocotb.test\nasync def a(dut): ...',
        '@cocotb.parametrize(x=[1])\n@requirement("OAE-TXN-001")\nasync def a(d): ...',
    ],
)
def test_a_cocotb_test_counts(project: Write, source: str) -> None:
    assert naming_the_first(project(cocotb_test=source)) == ["cocotb_tests/link/test_pair.py::a"]


@pytest.mark.parametrize(
    "source",
    [
        '@pytest.mark.skip\n@requirement("OAE-TXN-001")\ndef test_a(): ...',
        '@pytest.mark.skip(reason="no")\n@requirement("OAE-TXN-001")\ndef test_a(): ...',
        '@cocotb.test(skip=True)\n@requirement("OAE-TXN-001")\nasync def a(dut): ...',
        'pytestmark = pytest.mark.skip\n@requirement("OAE-TXN-001")\ndef test_a(): ...',
    ],
)
def test_a_test_that_is_always_skipped_does_not_count(project: Write, source: str) -> None:
    assert naming_the_first(project(source)) == []


def test_a_test_that_is_sometimes_skipped_counts(project: Write) -> None:
    source = '@pytest.mark.skipif(X, reason="")\n@requirement("OAE-TXN-001")\ndef test_a(): ...'
    assert len(naming_the_first(project(source))) == 1


@pytest.mark.parametrize(
    ("source", "message"),
    [
        (
            '@requirement("OAE-TXN-009")\ndef test_a(): ...',
            "no such requirement in host/oae/spec/requirements:\n"
            "  host/tests/test_it.py:1: OAE-TXN-009",
        ),
        (
            '\n@requirement("OAE-TXN-001")\ndef helper(): ...',
            "host/tests/test_it.py:2: names a requirement but belongs to no test",
        ),
        (
            "@requirement(NAME)\ndef test_a(): ...",
            "host/tests/test_it.py:1: the id of a requirement must stand literally",
        ),
    ],
)
def test_a_wrong_name_in_a_test_is_an_error(
    project: Write, source: str, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    root = project(source)
    assert matrix.main([], root) == 2
    assert capsys.readouterr().err == f"requirements: {message}\n"
    assert not (root / matrix.OUTPUT).exists()


@pytest.mark.parametrize(
    ("requirements", "message"),
    [
        ("[[requirement", "transaction.toml: "),
        (
            REQUIREMENTS + REQUIREMENTS.split("\n\n")[0],
            "transaction.toml: OAE-TXN-001 stands twice",
        ),
        (REQUIREMENTS + LINK.replace("001", "002"), "OAE-LNK-002 belongs in link.toml"),
        (REQUIREMENTS.replace("OAE-TXN-002", "TXN-2"), "TXN-2: not of the form OAE-AREA-000"),
        (REQUIREMENTS + 'state = "x"', "transaction.toml: OAE-TXN-002: "),
        (REQUIREMENTS.replace('source = "PROTOCOL section 4"', ""), "OAE-TXN-002: "),
    ],
)
def test_wrong_requirements_are_an_error(
    project: Write, requirements: str, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert matrix.main([], project(requirements=requirements)) == 2
    assert message in capsys.readouterr().err


def test_a_bench_counts_only_if_a_test_runs_it(
    project: Write, capsys: pytest.CaptureFixture[str]
) -> None:
    root = project()
    bench = root / "cocotb_tests" / "link" / "bench_pair.py"
    bench.write_text('@cocotb.test()\n@requirement("OAE-TXN-001")\nasync def once(dut): ...')
    assert matrix.main([], root) == 2
    assert capsys.readouterr().err == (
        "requirements: cocotb_tests/link/bench_pair.py: no test_*.py runs this bench\n"
    )
    project(cocotb_test='def test_pair(): run("cocotb_tests.link.bench_pair")')
    assert naming_the_first(root) == ["cocotb_tests/link/bench_pair.py::once"]


def test_missing_requirements_are_an_error(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert matrix.main(["--check"], tmp_path) == 2
    assert capsys.readouterr().err == f"requirements: no requirements in {matrix.SOURCE}\n"


def test_check_tells_a_stale_page_and_writes_nothing(
    project: Write, capsys: pytest.CaptureFixture[str]
) -> None:
    root = project()
    assert matrix.main(["--check"], root) == 1
    assert not (root / matrix.OUTPUT).exists()
    assert matrix.main([], root) == 0
    assert matrix.main(["--check"], root) == 0
    capsys.readouterr()
    project('@requirement("OAE-TXN-001")\ndef test_a(): ...')
    before = (root / matrix.OUTPUT).read_text()
    assert matrix.main(["--check"], root) == 1
    assert capsys.readouterr().err == "stale: docs/requirements.md; run `make generate`\n"
    assert (root / matrix.OUTPUT).read_text() == before


def test_open_requirements_can_be_listed(
    project: Write, capsys: pytest.CaptureFixture[str]
) -> None:
    root = project('@requirement("OAE-TXN-001")\ndef test_a(): ...')
    assert matrix.main(["--open"], root) == 0
    assert capsys.readouterr().out == (
        "OPEN OAE-TXN-002: Nobody forgets.\n3 requirements, 1 open\n"
    )


def test_the_decorator_keeps_every_name_and_the_test() -> None:
    def check() -> None: ...

    assert name_it("OAE-TXN-001")(name_it("OAE-TXN-002", "OAE-LNK-001")(check)) is check
    assert vars(check)["requirements"] == ("OAE-TXN-001", "OAE-TXN-002", "OAE-LNK-001")


def test_the_decorator_needs_names() -> None:
    with pytest.raises(TypeError, match="one or more ids"):
        name_it()
