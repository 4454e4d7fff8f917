"""`oae check` on real runs: what it says, its exit codes, and what it refuses."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from oae import cli
from oae.capture.read import packets
from oae.engines import rtl
from oae.scenario.parse import parse_text
from oae.testing import requirement
from scapy.utils import PcapWriter

SCENARIO = """
version = 1
[load.a]
records = 8
[load.b]
records = 8
[rates.both]
drop = 0.10
[[fault]]
when = "b REFLECTED #3"
do = "cut a->b"
for = "200 cycles"
"""


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("runs") / "good"
    assert rtl.run(parse_text(SCENARIO), folder, simulator="icarus").status == "finished"
    return folder


@pytest.fixture(scope="module")
def wrong(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An end that tells COMMITTED without having heard DONE (F7)."""
    folder = tmp_path_factory.mktemp("runs") / "wrong"
    defines = ["OAE_ABLATE_F7"]
    ended = rtl.run(parse_text(SCENARIO), folder, simulator="icarus", defines=defines)
    assert ended.status == "finished"
    return folder


@requirement("OAE-CHK-005")
def test_a_good_run_is_pass(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["check", str(run)]) == 0
    said = capsys.readouterr().out
    assert "P A S S" in said
    assert "16 records committed, every promise kept" in said
    assert "cut a to b" in said


@requirement("OAE-CHK-001", "OAE-CHK-005")
def test_a_wrong_end_is_fail_and_explained(wrong: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["check", str(wrong), "--quiet", "--explain"]) == 1
    verdict, first, *explained = capsys.readouterr().out.splitlines()
    assert verdict.startswith("FAIL: packet ")
    assert "OAE-PRM-003" in verdict
    assert first == f"what explains: {verdict.removeprefix('FAIL: ')}"
    (marked,) = (line for line in explained if line.startswith(">"))
    assert marked.split()[1] == verdict.split()[2].rstrip(":")
    assert 1 < len(explained) <= 11
    assert any("DATA id " in line for line in explained)


@requirement("OAE-CHK-003")
def test_the_wire_alone_is_inconclusive_unless_only_it_is_asked(
    run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    tap = tmp_path / "tap.pcapng"
    subprocess.run(
        ["tshark", "-r", run / "capture.pcapng", "-Y", "eth", "-w", tap],
        check=True,
        capture_output=True,
    )
    assert cli.main(["check", str(tap), "--quiet"]) == 3
    assert "not on the wire" in capsys.readouterr().out
    assert cli.main(["check", str(tap), "--quiet", "--wire"]) == 0


@requirement("OAE-CHK-007")
def test_json_holds_everything_and_nothing_else_is_printed(
    run: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["check", str(run / "capture.pcapng"), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["verdict"] == "PASS"
    assert found["ends"][0]["committed"] == 8
    assert found["latencies"][0]["submission_to_decision"]["count"] == 8
    assert found["faults"][0]["kind"] == "cut"
    assert found["faults"][0]["converged"] > found["faults"][0]["healed"]
    assert 0 < found["efficiency"][0]["to_done"] < found["efficiency"][0]["to_decision"] < 1


@requirement("OAE-CAP-002")
def test_it_reads_standard_input(run: Path) -> None:
    with (run / "capture.pcapng").open("rb") as file:
        done = subprocess.run(
            [sys.executable, "-m", "oae.cli", "check", "-", "--quiet"],
            stdin=file,
            capture_output=True,
            text=True,
        )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("PASS: 16 records committed")


@requirement("OAE-CHK-005", "OAE-CAP-003")
def test_a_truncated_capture_is_inconclusive_and_says_where(
    run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    whole = (run / "capture.pcapng").read_bytes()
    cut = tmp_path / "cut.pcapng"
    cut.write_bytes(whole[: len(whole) // 2 + 1])
    assert cli.main(["check", str(cut)]) == 3
    said = capsys.readouterr().out
    assert "at byte" in said
    assert "INCONCLUSIVE" in said


@requirement("OAE-RPT-001", "OAE-RPT-002")
def test_report_and_exports_are_written(run: Path, tmp_path: Path) -> None:
    page, lines = tmp_path / "page.html", tmp_path / "rows.jsonl"
    words = ["check", str(run), "--quiet", "--report", str(page), "--export", f"jsonl={lines}"]
    assert cli.main(words) == 0
    assert "PASS" in page.read_text()
    assert [json.loads(line) for line in lines.read_text().splitlines()]


@requirement("OAE-CHK-005")
@pytest.mark.parametrize(
    ("content", "says"), [(b"", "is empty"), (b"not a capture, only text", "is no capture")]
)
def test_what_is_no_capture_is_bad_input(
    content: bytes, says: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "x.pcapng"
    path.write_bytes(content)
    assert cli.main(["check", str(path)]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert says in line


@requirement("OAE-CHK-005")
@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["/nowhere/x.pcapng"], "no such file"),
        (["a", "b", "c"], "3 captures given"),
        (["a", "--merged", "m"], "--merged"),
        (["a", "--export", "gif=x"], "perfetto"),
        (["-", "--explain"], "read once"),
        (["a", "--explain", "--json"], "--explain"),
        (["a", "--transaction", "a-7"], "--export mermaid"),
        (["a", "--report", "a"], "is the capture itself"),
        (["a", "b", "--merged", "b"], "is the capture itself"),
        (["a", "--report", "x", "--export", "csv=x"], "written twice"),
    ],
)
def test_wrong_options_are_told_in_one_line(
    words: list[str], says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["check", *words]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert says in line.lower()


@requirement("OAE-CHK-005")
def test_a_capture_without_frames_is_a_bench_error(
    run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    empty = tmp_path / "empty.pcapng"
    subprocess.run(
        ["tshark", "-r", run / "capture.pcapng", "-Y", "frame.number == 0", "-w", empty],
        check=True,
        capture_output=True,
    )
    assert cli.main(["check", str(empty), "--quiet"]) == 4
    assert capsys.readouterr().out.startswith("BENCH_ERROR: the capture holds no packets")


@requirement("OAE-SIM-015")
def test_a_run_that_was_ended_has_a_capture_as_far_as_it_went(tmp_path: Path) -> None:
    long = SCENARIO.replace("records = 8", "records = 20000")
    folder = tmp_path / "run"
    assert rtl.run(parse_text(long), folder, timeout=0.7).status == "timed out"
    assert cli.main(["check", str(folder), "--quiet"]) == 3


@requirement("OAE-CHK-005")
def test_a_reader_that_goes_away_is_not_a_verdict(run: Path) -> None:
    shell = f"{sys.executable} -m oae.cli check {run} | true; echo ${{PIPESTATUS[0]}}"
    done = subprocess.run(["bash", "-c", shell], capture_output=True, text=True)
    assert (done.stdout, done.stderr) == ("141\n", "")


@requirement("OAE-CHK-005")
def test_a_full_disk_is_told_in_one_line(run: Path) -> None:
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "oae.cli", "check", str(run), "--json"],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
        )
    assert (done.returncode, done.stderr) == (4, "oae: no space left on device\n")


@requirement("OAE-CHK-005")
def test_standard_input_that_is_closed_is_bad_input() -> None:
    shell = f"{sys.executable} -m oae.cli check - <&-"
    done = subprocess.run(["bash", "-c", shell], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (2, "oae: standard input is closed\n")


@requirement("OAE-RPT-001")
def test_a_link_stays_a_link_and_a_pipe_a_pipe(run: Path, tmp_path: Path) -> None:
    page, link = tmp_path / "page.html", tmp_path / "link.html"
    link.symlink_to(page)
    assert cli.main(["check", str(run), "--quiet", "--report", str(link)]) == 0
    assert link.is_symlink()
    assert "PASS" in page.read_text()
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with subprocess.Popen(["cat", pipe], stdout=subprocess.PIPE, text=True) as reader:
        assert cli.main(["check", str(run), "--quiet", "--export", f"jsonl={pipe}"]) == 0
        said, _ = reader.communicate()
    assert pipe.is_fifo()
    assert json.loads(said.splitlines()[0])


@requirement("OAE-CHK-003")
def test_vlan_tags_do_not_hide_what_explains(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source = Path(__file__).parents[3] / "captures" / "no_agreement.pcapng"
    tagged = tmp_path / "tagged.pcap"
    with PcapWriter(str(tagged), nano=True) as writer:
        for packet in packets(source):
            image = packet.data[:12] + bytes.fromhex("81000064") + packet.data[12:]
            writer.write(image)
    assert cli.main(["check", str(tagged), "--quiet", "--explain"]) == 1
    said = capsys.readouterr().out
    assert "ABORTED id 0" in said
    assert "foreign" not in said


@requirement("OAE-CHK-006")
def test_captures_that_are_not_one_are_inconclusive_as_json_too(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    captures = Path(__file__).parents[3] / "captures"
    two = [str(captures / "two_taps_a.pcapng"), str(captures / "clean.pcapng")]
    page = tmp_path / "page.html"
    assert cli.main(["check", *two, "--json", "--report", str(page)]) == 3
    told = capsys.readouterr()
    assert json.loads(told.out)["verdict"] == "INCONCLUSIVE"
    assert told.err.count("\n") == 1
    assert not page.exists()


@requirement("OAE-CHK-006")
def test_coarse_time_stamps_of_two_taps_are_named_as_the_reason(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    captures = Path(__file__).parents[3] / "captures"
    two = []
    for end in "ab":
        coarse = tmp_path / f"{end}.pcap"
        fine = captures / f"two_taps_{end}.pcapng"
        subprocess.run(["editcap", "-F", "pcap", fine, coarse], check=True, capture_output=True)
        two.append(str(coarse))
    assert cli.main(["check", *two, "--quiet", "--wire"]) == 3
    assert "time stamps count 1,000 ns" in capsys.readouterr().out
