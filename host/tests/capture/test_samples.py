"""The sample captures are what their list says, and the checker says of each what it must."""

import json
import subprocess
from pathlib import Path

import pytest
from oae import cli
from oae.capture.read import Capture
from oae.capture.samples import (
    FOLDER,
    LIST,
    README,
    Sample,
    main,
    make,
    readme,
    samples,
)
from oae.check.findings import REQUIREMENT
from oae.check.verdict import EXIT_CODES, Promise, Verdict
from oae.testing import requirement
from oae.toolchain import environment

SAMPLES = {sample.name: sample for sample in samples()}
# The run of a wrong end as it is, and a tap of a good link as classic pcap.
QUICK = ("false_completion", "vlan_and_fcs")
LARGEST = 2_000_000  # bytes, all together
# Each of these is broken by a sample.
PROMISES = (
    Promise.AGREEMENT,
    Promise.EXACTLY_ONCE,
    Promise.UNALTERED,
    Promise.NO_FALSE_COMPLETION,
    Promise.CONSERVATION,
    Promise.FINAL,
    Promise.NOT_BEFORE_COMMITTED,
    Promise.NEVER_ALONE,
)

each_sample = pytest.mark.parametrize("sample", SAMPLES.values(), ids=SAMPLES)


@requirement(
    "OAE-RPT-003",
    "OAE-CHK-001",
    "OAE-CHK-002",
    "OAE-CHK-003",
    "OAE-CHK-004",
    "OAE-CHK-005",
    "OAE-CHK-006",
)
@each_sample
def test_the_verdict_is_the_expected_one(
    sample: Sample, capsys: pytest.CaptureFixture[str]
) -> None:
    options = ["--wire"] * sample.wire
    code = cli.main(["check", "--json", *options, *map(str, sample.paths)])
    result = json.loads(capsys.readouterr().out)
    assert (result["verdict"], code) == (sample.verdict, EXIT_CODES[sample.verdict])
    first = result["findings"][0]["requirement"] if result["findings"] else ""
    assert first == sample.requirement
    broken = {each["promise"] for each in result["promises"] if each["verdict"] == Verdict.FAIL}
    assert broken >= set(sample.broken)
    assert bool(broken) == (sample.verdict is Verdict.FAIL)


@requirement("OAE-RPT-003")
@pytest.mark.parametrize("name", QUICK)
def test_some_are_made_again_byte_for_byte(name: str, tmp_path: Path) -> None:
    sample = SAMPLES[name]
    for path, made in zip(sample.paths, make(sample, tmp_path), strict=True):
        assert made.read_bytes() == path.read_bytes()


@requirement("OAE-RPT-003")
@pytest.mark.long
def test_all_are_made_again_byte_for_byte(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.argv", ["samples", "--check"])
    assert main() == 0


@requirement("OAE-RPT-003")
def test_the_table_is_that_of_the_list() -> None:
    assert readme() == README.read_text()
    assert all(f"`{sample.command}`" in readme() for sample in SAMPLES.values())


@requirement("OAE-RPT-003")
def test_every_file_belongs_to_a_sample() -> None:
    listed = [path for sample in SAMPLES.values() for path in sample.paths]
    scenarios = {FOLDER / "scenarios" / f"{each.scenario}.toml" for each in SAMPLES.values()}
    assert len(listed) == len(set(listed))
    assert {path for path in FOLDER.rglob("*") if path.is_file()} == {
        *(LIST, README),
        *listed,
        *scenarios,
    }
    assert sum(path.stat().st_size for path in listed) < LARGEST


@requirement("OAE-RPT-003", "OAE-CHK-001")
def test_there_is_a_sample_for_each_promise_and_verdict() -> None:
    broken = {promise for sample in SAMPLES.values() for promise in sample.broken}
    assert broken >= set(PROMISES)
    found = {sample.requirement for sample in SAMPLES.values()}
    assert found - {""} == {REQUIREMENT[promise] for promise in PROMISES}
    assert {sample.verdict for sample in SAMPLES.values()} == set(Verdict)


@requirement("OAE-RPT-003", "OAE-CAP-001")
@each_sample
def test_tshark_reads_every_packet(sample: Sample, tmp_path: Path) -> None:
    variables = environment("tshark") | {"WIRESHARK_CONFIG_DIR": str(tmp_path)}
    for path in sample.paths:
        command = ["tshark", "-n", "-r", str(path), "-T", "fields", "-e", "frame.number"]
        done = subprocess.run(command, env=variables, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        capture = Capture(path)
        count = sum(len(packets) for _, packets in capture)
        assert not capture.damage
        assert done.stdout.split() == [str(number) for number in range(1, count + 1)]
