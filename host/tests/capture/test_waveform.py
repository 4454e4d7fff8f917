"""The waveform of a run: it shows what the trace tells, and its views open at the violation."""

import json
import re
import subprocess
import tomllib
from pathlib import Path

import pytest
import pywellen
from oae.cli import main
from oae.engines import rtl
from oae.report.waveform import WaveformError, write_view
from oae.spec.constants import EventCode, LinkState, Operation, State
from oae.testing import requirement
from oae.toolchain import environment
from oae.trace import Event, Trace

from cocotb_tests.link.ablations import CASES, scenario

WITHOUT = "F7"
VIEW = {"link.gtkw", "link.sucl", "state.txt", "link_state.txt", "operation.txt", "event_code.txt"}


class Wave:
    """A waveform: the width of every signal, and its bits at a time."""

    def __init__(self, path: Path) -> None:
        self.variables = {one.full_name: one for one in pywellen.Waveform(str(path)).all_vars()}
        self.widths = {name: one.bitwidth for name, one in self.variables.items()}

    def bits(self, name: str, time: int) -> str:
        value = self.variables[name].signal.value_at(time)
        width = self.widths[name]
        return value.rjust(width, "0") if isinstance(value, str) else f"{value:0{width}b}"


class View:
    """What the files beside a waveform say: a moment, and names of signals."""

    def __init__(self, folder: Path) -> None:
        self.gtkwave = (folder / "link.gtkw").read_text().splitlines()
        self.surfer = (folder / "link.sucl").read_text().splitlines()
        (self.file,) = re.findall(r'^\[dumpfile\] "(.*)"$', "\n".join(self.gtkwave), re.MULTILINE)
        (self.marker,) = (int(line.split()[1]) for line in self.gtkwave if line[0] == "*")
        self.shown = [line for line in self.gtkwave if line[0] not in "[*@-^#"]
        picked = [line[2:].split("} ") for line in self.gtkwave if line.startswith("#{")]
        self.picked = {label: bits.split() for label, bits in picked}
        self.added = [line.split()[1] for line in self.surfer if line.startswith("variable_add ")]

    def value(self, wave: Wave, label: str) -> int:
        """The picked bits of a label at the marker."""
        found = [re.fullmatch(r"\((\d+)\)(\S+)\[\d+:0\]", bit) for bit in self.picked[label]]
        return int("".join(wave.bits(one[2], self.marker)[int(one[1])] for one in found if one), 2)


def oae_run(folder: Path, *options: str, case: str = WITHOUT) -> tuple[int, Path]:
    (folder / "scenario.toml").write_text(scenario(CASES[case]))
    words = ["run", "--scenario", str(folder / "scenario.toml"), "--out", str(folder / "out")]
    return main([*words, "--quiet", *options]), folder / "out"


# Verilator's build with waveforms takes longer than all of these tests.
EVERY = [pytest.param("verilator", marks=pytest.mark.long), "icarus"]


@pytest.fixture(scope="module", params=EVERY)
def wrong(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of an end that tells its host COMMITTED before the record has been delivered."""
    options = ["--without", WITHOUT, "--waveform", "--engine", request.param]
    code, out = oae_run(tmp_path_factory.mktemp(request.param), *options)
    assert code == 1
    return out


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("good")
    code, out = oae_run(folder, "--waveform", "--engine", "icarus")
    assert code == 0
    return out


def steps(out: Path) -> list[Event]:
    return [item for item in Trace(out / "trace.txt") if isinstance(item, Event)]


@requirement("OAE-RPT-002")
def test_views_name_what_is_there(wrong: Path) -> None:
    view, wave = View(wrong), Wave(wrong / rtl.WAVEFORM)
    assert view.file == str(wrong / rtl.WAVEFORM)
    assert view.surfer[0] == f"load_file {view.file}"
    assert len(view.shown) > 20
    for whole in view.shown:
        found = re.fullmatch(r"(\S+?)(?:\[(\d+):0\])?", whole)
        assert found is not None
        assert wave.widths[found[1]] == int(found[2] or 0) + 1
    assert len(view.picked) == 2 * (2 * 8 + 3)  # ends, slots of both lanes, channels of events
    for bits in view.picked.values():
        for bit in bits:
            found = re.fullmatch(r"\((\d+)\)(\S+)\[(\d+):0\]", bit)
            assert found is not None
            assert int(found[1]) <= int(found[3]) == wave.widths[found[2]] - 1
    assert len(view.added) > 20
    assert set(view.added) <= wave.widths.keys()


@requirement("OAE-RPT-002")
def test_the_marker_stands_at_the_violation(wrong: Path) -> None:
    violation = json.loads((wrong / "verdict.json").read_text())["violations"][0]
    line = (wrong / "trace.txt").read_text().splitlines()[violation["line"] - 1]
    cycle, end, what, channel, word = line.split()
    assert (int(cycle), what) == (violation["cycle"], "event")
    view, wave = View(wrong), Wave(wrong / rtl.WAVEFORM)
    assert f"cursor_set {view.marker}" in view.surfer
    counter, first = view.shown[0].removesuffix("[31:0]"), int(channel) * 64
    # The port shows a step one cycle after its edge (docs/trace.md).
    assert int(wave.bits(counter, view.marker), 2) == int(cycle) + 1
    assert int(wave.bits(counter, view.marker - 1), 2) == int(cycle)
    port = next(name for name in view.added if f"g_end[{'ab'.index(end)}]" in name)
    port = port[: port.index(".link_end.")] + ".link_end."
    assert wave.bits(port + "event_valid", view.marker)[::-1][int(channel)] == "1"
    shown = wave.bits(port + "event_words", view.marker)[::-1][first : first + 64][::-1]
    assert f"{int(shown, 2):016x}" == word


@requirement("OAE-RPT-002")
def test_the_marker_stands_at_a_handshake_that_violates(tmp_path: Path) -> None:
    options = ["--without", "F8", "--waveform", "--engine", "icarus"]
    code, out = oae_run(tmp_path, *options, case="F8")
    assert code == 1
    violation = json.loads((out / "verdict.json").read_text())["violations"][0]
    line = (out / "trace.txt").read_text().splitlines()[violation["line"] - 1]
    cycle, end, what, *_ = line.split()
    assert (end, what) == ("b", "deliver")
    view, wave = View(out), Wave(out / rtl.WAVEFORM)
    assert int(wave.bits(view.shown[0].removesuffix("[31:0]"), view.marker), 2) == int(cycle)
    ports = [name for name in view.shown if "g_end[1]" in name and "m_deliver_t" in name]
    assert [wave.bits(name, view.marker) for name in ports] == ["1", "1"]


@requirement("OAE-RPT-002")
def test_views_open_at_any_cycle(wrong: Path, tmp_path: Path) -> None:
    wave = Wave(wrong / rtl.WAVEFORM)
    told = [item for item in steps(wrong) if item.channel in (3, 4, 5)]
    assert len(told) > 10
    labels = {3: "initiator", 4: "responder", 5: "link"}
    for event in told:
        write_view(wrong / rtl.WAVEFORM, event.cycle + 1, tmp_path)
        label = f"{'ab'[event.end]}_{labels[event.channel]}_event"
        assert View(tmp_path).value(wave, label) == event.code


@requirement("OAE-RPT-002")
def test_a_waveform_changes_nothing(wrong: Path, good: Path, tmp_path: Path) -> None:
    options = ["--without", WITHOUT, "--engine", "icarus"]
    _, out = oae_run(tmp_path, *options)
    assert (out / "trace.txt").read_bytes() == (wrong / "trace.txt").read_bytes()
    files = {path.name for path in out.iterdir()}
    assert {path.name for path in wrong.iterdir()} == files | VIEW | {rtl.WAVEFORM}
    command = tomllib.loads((good / "run.toml").read_text())["run"]["command"]
    assert command.endswith("--engine icarus --waveform")


@requirement("OAE-RPT-002")
def test_without_a_violation_the_view_opens_at_the_start(good: Path) -> None:
    view, wave = View(good), Wave(good / rtl.WAVEFORM)
    counter = view.shown[0].removesuffix("[31:0]")
    assert int(wave.bits(counter, view.marker), 2) == 0


@requirement("OAE-RPT-002")
def test_a_vcd_serves_as_well(good: Path, tmp_path: Path) -> None:
    """Without -fst the same program writes text, in which the names stand with their ranges."""
    values = tomllib.loads((good / "run.toml").read_text())["parameters"]
    program = rtl.build("icarus", values, [rtl.WITH_WAVEFORM])
    assert program != rtl.build("icarus", values)
    plusargs = [f"+schedule={good / 'schedule.hex'}", "+trace=trace.txt"]
    command = ["vvp", "-n", str(program), *plusargs]
    subprocess.run(command, cwd=tmp_path, env=environment("vvp"), check=True, capture_output=True)
    vcd = (tmp_path / rtl.WAVEFORM).rename(tmp_path / "waveform.vcd")
    cycle = steps(good)[-1].cycle
    for waveform in (vcd, good / rtl.WAVEFORM):
        write_view(waveform, cycle, tmp_path / waveform.suffix[1:])
    view, other = View(tmp_path / "vcd"), View(tmp_path / "fst")
    assert view.file == str(vcd)
    assert (view.marker, view.shown) == (other.marker, other.shown)
    head = vcd.read_text().partition("$enddefinitions")[0]
    ranges = set(re.findall(r"\$var \w+ \d+ \S+ (\S+?)(?: (\[\d+:\d+\]))? \$end", head))
    for whole in view.shown:
        found = re.fullmatch(r"\S+\.([^.\[]+)(\[\d+:0\])?", whole)
        assert found is not None
        assert found.groups(default="") in ranges


@requirement("OAE-RPT-002")
def test_names_of_values_are_those_of_the_tables(good: Path) -> None:
    widths = {
        "state": (State, 1),
        "link_state": (LinkState, 1),
        "operation": (Operation, 2),
        "event_code": (EventCode, 2),
    }
    for name, (codes, digits) in widths.items():
        lines = (good / f"{name}.txt").read_text().splitlines()
        assert lines == [f"{code:0{digits}x} {code.name}" for code in codes]
        assert f" {good / name}.txt\n" in (good / "link.gtkw").read_text()


@requirement("OAE-RPT-002")
def test_what_is_no_waveform_is_refused(wrong: Path, tmp_path: Path) -> None:
    with pytest.raises(WaveformError, match="ends before cycle 1000000"):
        write_view(wrong / rtl.WAVEFORM, 10**6, tmp_path / "view")
    other = tmp_path / "other"
    with pytest.raises(WaveformError, match="cannot be read: no such file"):
        write_view(other, 1, tmp_path / "view")
    whole = (wrong / rtl.WAVEFORM).read_bytes()
    for content in (b"", b"no waveform", whole[:10], whole[: len(whole) // 2]):
        other.write_bytes(content)
        with pytest.raises(WaveformError, match="is no waveform, or not whole"):
            write_view(other, 1, tmp_path / "view")
    other.write_text("$enddefinitions $end\n")
    with pytest.raises(WaveformError, match="is no waveform of a link pair"):
        write_view(other, 1, tmp_path / "view")
    assert not (tmp_path / "view").exists()
