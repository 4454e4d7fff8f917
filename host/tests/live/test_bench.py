"""Bench files: what is wrong with one is said with line and key; substitutes; what is started."""

import json
import os
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from oae.bench.bench import ENDS, PTY, Automatic, Kind, Serial
from oae.bench.fixtures import FixtureError
from oae.bench.parse import KEYS, BenchError, library, parse, parse_text
from oae.bench.plugged import plugged_in
from oae.bench.process import Process, ProcessError
from oae.bench.started import started
from oae.cli import main
from oae.medium.address import Packet
from oae.testing import requirement

WHOLE = """\
version: 1
text: everything that a bench can say
ends:
  a:
    kind: board
    board: three
    build: 0x1234
    serial: {port: /dev/ttyNONE, baud: 9600}
    medium: packet:eth7
    at_relay: packet:eth7
    interface: {mtu: 9000, promiscuous: true, offloads: true}
    substitute: {kind: live, medium: unix, serial: pty}
  b:
    kind: python
    medium: unix
relay: true
fixtures:
  - veth: [oae-x, oae-y]
  - power: {on: [relay-board, "on"], off: [relay-board, "off"]}
clocks: {tick: 1.5 MHz, tolerance: 0.05}
"""
TWO = "version: 1\nends:\n  a: {kind: live, medium: unix}\n  b: %s\n"


@requirement("OAE-BEN-001")
def test_everything_is_read() -> None:
    bench = parse_text(WHOLE, "whole.yaml")
    a, b = bench.ends
    assert (bench.name, bench.text, bench.relay) == (
        "whole",
        "everything that a bench can say",
        True,
    )
    assert (a.kind, a.board, a.build) == (Kind.BOARD, "three", 0x1234)
    assert a.serial == Serial("/dev/ttyNONE", 9600)
    assert a.medium == a.at_relay == Packet("eth7")
    assert (a.interface.mtu, a.interface.promiscuous, a.interface.offloads) == (9000, True, True)
    assert a.substitute is not None
    assert (a.substitute.kind, a.substitute.serial) == (Kind.LIVE, Serial(PTY))
    assert (b.kind, b.medium) == (Kind.PYTHON, Automatic.UNIX)
    assert (bench.clocks.tick, bench.clocks.tolerance) == (1_500_000, 0.05)
    assert len(bench.fixtures) == 2
    assert bench.resources == [
        "board:three",
        "interface:eth7",
        "interface:oae-x",
        "interface:oae-y",
        "serial:/dev/ttyNONE",
    ]


@requirement("OAE-BEN-001")
@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "1: is empty; write 'version: 1' and the ends"),
        ("[]", "1: is not a mapping of keys to values"),
        ("ends: {}", "1: no version; write 'version: 1'"),
        ("version: 2", "1: version: 2 is not known; this reads 1"),
        ("version: one", "1: version: 'one' is not a whole number"),
        ("version: 1", "1: no ends; write them under 'ends:', a and b"),
        ("version: 1\nversion: 1", "2: version: stands twice"),
        ("version: 1\nendz: {}", "2: endz: no key endz; did you mean ends?"),
        ("version: 1\nends: {a: {}}", "2: ends: no end b"),
        ("version: 1\nends: [", "2: expected the node content, but found '<stream end>'"),
        ("a: b: c", "1: mapping values are not allowed here"),
        ("version: 1\nends: {? [1] : 2}", "2: ends.of that kind: no key of that kind"),
        (TWO % "{}", "4: ends.b: no kind; one of python, rtl, live, nic, board"),
        (TWO % "{kind: lvie}", "4: ends.b.kind: no kind lvie; did you mean live?"),
        (TWO % "{kind: live}", "4: ends.b: no medium; one of unix:LOCAL,REMOTE"),
        (TWO % "{kind: live, medum: unix}", "4: ends.b.medum: no key medum; did you mean medium?"),
        (TWO % "{kind: live, medium: uinx}", "4: ends.b.medium: medium 'uinx': no such medium"),
        (TWO % "{kind: live, medium: udp}", "ends: without a relay both ends need the same medium"),
        (TWO % "{kind: rtl}", "ends: an end of kind rtl is simulated with its peer"),
        (TWO % "{kind: rtl, medium: unix}", "4: ends.b.medium: an end of kind rtl has none"),
        (TWO % "{kind: nic, medium: unix}", "4: ends.b.medium: a nic is reached by packet:"),
        (TWO % "{kind: board}", "4: ends.b: a board needs serial, medium, or both"),
        (TWO % "{kind: board, serial: pty}", "4: ends.b.serial: no live end"),
        (
            TWO % "{kind: live, medium: unix, serial: /dev/x}",
            "4: ends.b.serial: a live end makes its own: pty",
        ),
        (
            TWO % "{kind: board, serial: {baud: 1}}",
            "4: ends.b.serial: no port: a device, a URL of pyserial, or pty",
        ),
        (
            TWO % "{kind: board, serial: {port: x, baud: 7}}",
            "4: ends.b.serial.baud: 7 is not a whole number from 50 to 12000000",
        ),
        (TWO % "{kind: live, medium: unix, at_relay: unix}", "at_relay: this bench has no relay"),
        (
            TWO % "{kind: live, medium: unix, interface: {offloads: 3}}",
            "4: ends.b.interface.offloads: '3' is not true or false",
        ),
        (
            TWO % "{kind: python, medium: unix}" + "relay: maybe",
            "5: relay: 'maybe' is not true",
        ),
        (
            TWO % "{kind: python, medium: 'packet:x'}" + "relay: true",
            "with a relay, a medium that is not unix or udp needs at_relay as well",
        ),
        (
            TWO % "{kind: python, medium: unix}" + "clocks: {tick: fast}",
            "5: clocks.tick: 'fast' is no frequency such as 50 kHz",
        ),
        (
            TWO % "{kind: python, medium: unix}" + "clocks: {tolerance: 2.0}",
            "5: clocks.tolerance: 2.0 is not a fraction above 0",
        ),
        (
            TWO % "{kind: python, medium: unix}" + "fixtures:\n - veth: [x]",
            "6: fixtures[1].veth: is not two names of interfaces",
        ),
        (
            TWO % "{kind: python, medium: unix}" + "fixtures:\n - power: {on: [x]}",
            "6: fixtures[1].power: no off: a command as a list",
        ),
        (
            "version: 1\nends:\n  a: {kind: python, medium: 'unix:x,y'}\n"
            "  b: {kind: python, medium: 'unix:x,y'}",
            "ends: b's medium is not the other side of unix:x,y",
        ),
    ],
)
def test_a_wrong_file_is_refused_with_line_and_key(text: str, said: str) -> None:
    with pytest.raises(BenchError) as raised:
        parse_text(text)
    message = str(raised.value)
    assert message.startswith("bench.yaml:")
    assert said in message
    assert "\n" not in message


@requirement("OAE-BEN-001")
@given(st.data())
def test_no_change_of_a_file_leads_to_a_traceback(data: st.DataObject) -> None:
    """Lines taken out, doubled, swapped; characters put in anywhere."""
    lines = WHOLE.splitlines()
    for _ in range(data.draw(st.integers(1, 3))):
        place = data.draw(st.integers(0, len(lines) - 1))
        match data.draw(st.integers(0, 3)):
            case 0:
                lines[place] = ""
            case 1:
                lines.insert(place, lines[data.draw(st.integers(0, len(lines) - 1))])
            case 2:
                text = data.draw(st.text(max_size=8))
                at = data.draw(st.integers(0, len(lines[place])))
                lines[place] = lines[place][:at] + text + lines[place][at:]
            case _:
                lines[place] = " " * data.draw(st.integers(0, 6)) + lines[place].strip()
    said = ""
    try:
        parse_text("\n".join(lines))
    except BenchError as error:
        said = str(error)
    assert not said or said.startswith("bench.yaml:")
    assert "\n" not in said


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=6),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner),
    max_leaves=6,
)


@requirement("OAE-BEN-001")
@given(
    st.sampled_from(Kind),
    st.dictionaries(st.sampled_from([*KEYS[Kind.BOARD], "substitute"]), VALUES),
    VALUES,
)
def test_no_value_of_a_key_leads_to_a_traceback(
    kind: Kind, end: dict[str, object], other: object
) -> None:
    ends = {"a": {"kind": str(kind), **end}, "b": {"kind": "python", "medium": "unix"}}
    text = yaml.safe_dump({"version": 1, "ends": ends, "clocks": other, "fixtures": [other]})
    with pytest.raises(BenchError) as raised:
        parse_text(text)
    assert "\n" not in str(raised.value)


@requirement("OAE-BEN-001")
def test_a_file_that_cannot_be_read(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "latin.yaml").write_bytes(b"text: \xe4")
    for name, said in (
        ("none.yaml", "no such file or directory"),
        ("latin.yaml", "not UTF-8 text"),
        ("", "is a directory"),
    ):
        assert main(["bench", "check", str(tmp_path / name)]) == 2
        err = capsys.readouterr().err
        assert said in err
        assert err.count("\n") == 1


# ---------------------------------------------------------------------------- library, show


@requirement("OAE-BEN-002")
@pytest.mark.parametrize("name", library())
def test_the_library_is_right_and_can_be_shown(
    name: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("OAE_LEASE_DIRECTORY", str(tmp_path))
    assert main(["bench", "check", name]) == 0
    assert capsys.readouterr().out == f"{name}: right\n"
    assert main(["bench", "show", name, "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["bench"] == name
    assert set(told["ends"]) == set(ENDS)
    assert all(one["free"] for one in told["resources"])
    assert main(["bench", "show", name]) == 0
    shown = capsys.readouterr().out
    assert parse(name).text in shown


@requirement("OAE-BEN-003")
def test_what_is_not_plugged_in_is_replaced_and_that_is_said(
    capsys: pytest.CaptureFixture[str],
) -> None:
    bench, said = plugged_in("board")
    if any(Path(name).exists() for name in ("/dev/ttyUSB0", "/sys/class/net/eth1")):
        pytest.skip("there is a board, or an interface eth1")
    assert [end.kind for end in bench.ends] == [Kind.LIVE, Kind.PYTHON]
    assert said == [
        "a: no such port /dev/ttyUSB0; its substitute of kind live stands in",
        "b: no such interface eth1; its substitute of kind python stands in",
    ]
    assert bench.resources == []
    assert main(["bench", "show", "board"]) == 0
    assert said[0] in capsys.readouterr().out


@requirement("OAE-BEN-002", "OAE-BEN-003")
def test_without_a_relay_the_peer_of_a_substitute_is_one_too() -> None:
    text = parse_text(
        "version: 1\nends:\n"
        "  a: {kind: python, medium: 'packet:lo', substitute: {kind: python, medium: unix}}\n"
        "  b: {kind: nic, medium: 'packet:none', substitute: {kind: live, medium: unix}}\n"
    )
    for absent in (["a"], ["b"], ["a", "b"]):
        chosen = text.with_substitutes(frozenset(absent))
        assert [end.medium for end in chosen.ends] == [Automatic.UNIX] * 2
    assert text.with_substitutes(frozenset()) is text


@requirement("OAE-BEN-002")
def test_a_substitute_that_cannot_be_joined_is_refused() -> None:
    with pytest.raises(BenchError, match="without a relay both ends need the same medium"):
        parse_text(
            "version: 1\nends:\n"
            "  a: {kind: python, medium: unix}\n"
            "  b: {kind: python, medium: unix, substitute: {kind: python, medium: udp}}\n"
        )


@requirement("OAE-BEN-001")
@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["check", "x", "--hours", "1"], "--hours: goes with lease only"),
        (["show", "python", "--force"], "--force: goes with release only"),
        (["lease", "python", "--hours", "0"], "--hours 0: not above 0 and up to a week"),
    ],
)
def test_options_that_do_not_fit_are_refused(
    words: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["bench", *words]) == 2
    assert said in capsys.readouterr().err


# ---------------------------------------------------------------------------- started


@requirement("OAE-BEN-004")
def test_what_is_started_is_gone_afterwards() -> None:
    children = Path(f"/proc/self/task/{os.getpid()}/children")
    before = children.read_text()
    text = TWO.replace("live", "python") % "{kind: python, medium: unix}" + "relay: true"
    with started(parse_text(text)) as ready:
        assert len(children.read_text().split()) == len(before.split()) + 3
        statistics = {name: one.statistics() for name, one in ready.processes.items()}
        assert set(statistics) == set(ENDS)
    assert children.read_text() == before


@requirement("OAE-BEN-004")
def test_a_fixture_that_fails_is_said_and_the_others_are_undone(tmp_path: Path) -> None:
    there = tmp_path / "there"
    text = (
        TWO.replace("live", "python") % "{kind: python, medium: unix}" + "fixtures:\n"
        f"  - power: {{on: [touch, {there}], off: [rm, {there}]}}\n"
        "  - power: {on: ['false'], off: ['true']}\n"
    )
    with pytest.raises(FixtureError, match="false: exit code 1"), started(parse_text(text)):
        pass
    assert not there.exists()


@requirement("OAE-BEN-004")
def test_a_process_that_ends_has_its_last_words_told() -> None:
    process = Process(["drive", "--end", "a", "--medium", "packet:nowhere", "--json"])
    try:
        with pytest.raises(ProcessError, match="oae drive has ended: packet:nowhere: no such"):
            process.wait_until_ready()
    finally:
        process.stop()
