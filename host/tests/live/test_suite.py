"""The same scenarios on every bench: everything is resolved and every promise kept.

`pytest host/tests/live/test_suite.py --bench FILE` plays them on that bench.
"""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, TypeVar

import pytest
from oae.bench.bench import Bench, Veth
from oae.bench.parse import parse, parse_text
from oae.bench.played import Played, play
from oae.bench.plugged import plugged_in
from oae.bench.process import Process
from oae.bench.runner import TOLD
from oae.bench.seen_of_board import LOST, judge_board
from oae.capture.read import Capture
from oae.capture.record import IN_RUN
from oae.check.capture import check
from oae.check.verdict import Verdict
from oae.cli import main
from oae.errors import CannotPlayError
from oae.frame import Frame, encode
from oae.medium.namespace import namespaces, split
from oae.scenario.parse import parse_text as parse_scenario
from oae.spec.constants import Operation
from oae.testing import requirement

from host.tests.live.interfaces import names_of_namespaces, skip_without_root

# One window for all tests of live ends: each takes a build for each end.
HEAD: Final = """
version = 1
seed = 5
[link]
window = 8
[load.both]
records = 60
resubmit = true
"""
# How a DATA frame begins behind its addresses.
DATA: Final = encode(Frame(Operation.DATA, record=b"1"))[12:15]
RATES: Final = "drop = 0.05\nduplicate = 0.05\nreorder = 0.05\ncorrupt = 0.03\nflip = 0.03\n"
SCENARIOS: Final = {
    "clean": "",
    "losses": "[rates.both]\ndrop = 0.1\n",
    "duplicates and reordering": "[rates.both]\nduplicate = 0.2\nreorder = 0.2\n",
    "corruption": "[rates.both]\ncorrupt = 0.1\nflip = 0.1\n",
    "cuts": """
[[fault]]
when = "b DELIVERED #10"
do = "cut a->b"
for = "3000 cycles"
[[fault]]
when = "a->b COMMIT #30"
do = "cut b->a"
until = ["a MALFORMED", "3000 cycles"]
""",
    "crashes": """
[[fault]]
when = "a OPENED #10"
do = "crash a"
[[fault]]
when = "b REFLECTED #20"
do = "crash b"
for = "500 cycles"
[[fault]]
when = "a DECIDED #30"
do = "crash a"
until = ["b->a NOP", "1000 cycles"]
[[fault]]
when = "b COMMIT_HEARD #40"
do = "crash b"
""",
    "crashes of a": """
[[fault]]
when = "a OPENED #10"
do = "crash a"
[[fault]]
when = "a DECIDED #30"
do = "crash a"
for = "300 cycles"
""",
    "short crashes": """
[[fault]]
when = "a OPENED #10"
do = "crash a"
[[fault]]
when = "b DELIVERED #10"
do = "crash b"
[[fault]]
when = "b DELIVERED #30"
do = "crash b"
[[fault]]
when = "a DECIDED #40"
do = "crash a"
""",
    "short amnesia": """
[[fault]]
when = "b DELIVERED #15"
do = "amnesia b"
""",
    "amnesia": """
[[fault]]
when = "a DECIDED #15"
do = "amnesia a"
[[fault]]
when = "b DELIVERED #30"
do = "amnesia b"
for = "300 cycles"
""",
    "refusals": """
[host.both]
refuse = 0.2
stall = 0.1
[[fault]]
when = "b DELIVERED #10"
do = "refuse b"
for = "500 cycles"
""",
    "cancels": """
[load.a]
cancel = 0.3
cancel_after = 2000
[[fault]]
when = "a OPENED #5"
do = "cancel a tag=6"
""",
    "epoch": """
[[load.a.record]]
advance = 2
[host.both]
epoch = 1
prepared = 1
[[fault]]
when = "b DELIVERED #10"
do = "prepare b 2"
[[fault]]
when = "b DELIVERED #10"
do = "prepare a 2"
""",
}
EVERYTHING: Final = f"[rates.both]\n{RATES}" + "".join(
    SCENARIOS[name] for name in ("cuts", "crashes", "amnesia")
)
SCENARIOS["everything"] = EVERYTHING
PATIENCE: Final = 60.0  # seconds; a machine may be busy
Found = TypeVar("Found")


def wait_for(look: Callable[[], Found | None]) -> Found:
    """What it finds, as soon as it finds something."""
    deadline = time.monotonic() + PATIENCE
    while not (found := look()):
        assert time.monotonic() < deadline
        time.sleep(0.01)
    return found


def has_begun(folder: Path) -> bool:
    """Whether a run into this folder has sent its first record: a DATA frame is recorded."""
    return any(DATA in one.read_bytes() for one in folder.glob(".run.*/a.pcapng"))


def between_text(*kinds: str) -> str:
    a, b = (f"{{kind: {kind}, medium: unix}}" for kind in kinds)
    return f"version: 1\nrelay: true\nends:\n  a: {a}\n  b: {b}\n"


def between_unix_sockets(*kinds: str) -> Bench:
    """Two ends with the relay between them."""
    return parse_text(between_text(*kinds), f"{'-'.join(kinds)}.yaml")


def in_namespaces(a: str, b: str) -> Bench:
    """Two cables made of software; ends and relay each in a network namespace of its own."""
    skip_without_root()
    near, far, between = names_of_namespaces()
    return parse_text(f"""
version: 1
relay: true
fixtures:
  - veth: [{near}/link, {between}/a]
  - veth: [{far}/link, {between}/b]
ends:
  a: {{kind: {a}, medium: "packet:{near}/link", at_relay: "packet:{between}/a"}}
  b: {{kind: {b}, medium: "packet:{far}/link", at_relay: "packet:{between}/b"}}
""")


@contextmanager
def with_board(a: str, b: str, folder: Path) -> Iterator[Bench]:
    """A board, which is there already, its peer, and the relay between them."""
    board = "ab"[(a, b).index("board")]
    medium, at_relay = f"{folder}/{board},{folder}/relay", f"{folder}/relay,{folder}/{board}"
    port = folder / "serial"
    words = ["live", "--json", "--end", board, "--medium", f"unix:{medium}"]
    device = Process([*words, "--serial", str(port)])
    try:
        device.wait_until_ready()
        text = (
            f"{{kind: board, serial: {port}, medium: 'unix:{medium}', at_relay: 'unix:{at_relay}'}}"
        )
        kinds = {kind: f"{{kind: {kind}, medium: unix}}" for kind in (a, b)} | {"board": text}
        yield parse_text(f"version: 1\nrelay: true\nends: {{a: {kinds[a]}, b: {kinds[b]}}}\n")
    finally:
        device.stop()


def played_with_board(a: str, b: str, name: str, out: Path) -> None:
    """Play one, and see that the board was judged too."""
    with with_board(a, b, out.parent) as bench:
        found = played(bench, name, out)
        (judged,) = [line for line in found.result.lines if "is a board, judged by" in line]
        assert ("by no ids" in judged) == ("amnesia" in name)
        told = found.facts["ends"]["ab"[(a, b).index("board")]]
        assert told["committed"] > 0
        assert told["delivered"] > 0


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "run"


def played(bench: Bench, name: str, out: Path) -> Played:
    """Play one, and see that everything was resolved and nothing is left behind.

    A bench that cannot play it is skipped, and says what it cannot do.
    """
    children = processes()
    try:
        found = play(bench, parse_scenario(HEAD + SCENARIOS[name], name), out)
    except CannotPlayError as error:
        pytest.skip(str(error))
    if found.result.verdict is Verdict.INCONCLUSIVE and LOST in found.result.reason:
        pytest.skip(found.result.reason)  # a board that is too fast for its serial line
    assert found.ended.stop == "resolved", (found.result.reason, found.facts)
    assert found.result.verdict is Verdict.PASS, found.result.reason
    if "joined" in found.facts:
        assert found.facts["joined"]["unmatched"] == (0, 0)
    assert processes() == children
    assert not [name for name in namespaces() if name.startswith(f"oae{os.getpid()}.")]
    return found


def processes() -> set[str]:
    """Those that this one has started and that live."""
    return set(Path(f"/proc/self/task/{os.getpid()}/children").read_text().split())


@requirement("OAE-BRN-001", "OAE-JON-002")
@pytest.mark.parametrize("name", SCENARIOS)
def test_on_a_bench_of_two_python_ends(out: Path, name: str) -> None:
    played(between_unix_sockets("python", "python"), name, out)


@requirement("OAE-BRN-001", "OAE-JON-002")
@pytest.mark.parametrize("kinds", [("python", "live"), ("live", "live")])
@pytest.mark.parametrize("name", ["everything", pytest.param("epoch", marks=pytest.mark.long)])
def test_on_a_bench_with_live_ends(out: Path, kinds: tuple[str, str], name: str) -> None:
    played(between_unix_sockets(*kinds), name, out)


@requirement("OAE-BRN-001", "OAE-JON-002")
@pytest.mark.long
@pytest.mark.parametrize("kinds", [("python", "live"), ("live", "live")])
@pytest.mark.parametrize(
    "name", [name for name in SCENARIOS if name not in ("everything", "epoch")]
)
def test_every_scenario_with_live_ends(out: Path, kinds: tuple[str, str], name: str) -> None:
    played(between_unix_sockets(*kinds), name, out)


@requirement("OAE-BRN-001", "OAE-JON-002")
def test_on_cables_between_network_namespaces(out: Path) -> None:
    played(in_namespaces("python", "python"), "everything", out)


@requirement("OAE-BEN-004")
def test_what_a_killed_process_left_behind_is_no_obstacle(out: Path) -> None:
    bench = in_namespaces("python", "python")
    made = {split(name)[0] for one in bench.fixtures if isinstance(one, Veth) for name in one.names}
    making = f"""
import os
from oae.bench.bench import Veth
from oae.bench.fixtures import made
with made({bench.fixtures!r}):
    os.kill(os.getpid(), 9)
"""
    assert subprocess.run([sys.executable, "-c", making], check=False).returncode == -9
    assert made <= set(namespaces())
    played(bench, "clean", out)


@requirement("OAE-BRN-001", "OAE-JON-002")
@pytest.mark.long
@pytest.mark.parametrize("name", SCENARIOS)
def test_every_scenario_between_network_namespaces(out: Path, name: str) -> None:
    played(in_namespaces("python", "live"), name, out)


@requirement("OAE-BRN-001", "OAE-BRN-005")
def test_on_a_bench_with_a_board(out: Path) -> None:
    played_with_board("live", "board", "short crashes", out)


@requirement("OAE-BRN-005")
def test_what_a_board_tells_is_held_against_its_peer(out: Path) -> None:
    played_with_board("python", "board", "clean", out)
    told = json.loads((out / TOLD).read_text())
    ids = told["ids"]
    for change, problem in (
        ({}, ""),
        ({"submitted": 61}, "conservation: 61 submitted, 60 have an outcome"),
        ({"submitted": 61, "busy": True}, ""),
        ({"submitted": 59, "busy": True}, "conservation: 59 submitted, 60 have an outcome"),
        ({"submitted": 59, "committed": 59}, "agreement: 60 delivered by the peer"),
        ({"submitted": 61, "committed": 61}, "agreement: 60 delivered by the peer"),
        ({"delivered": 59}, "agreement: 59 delivered here"),
        ({"delivered": 61}, "agreement: 61 delivered here"),
        ({"ids": {**ids, "COMMITTED": [999]}}, "id 999 is COMMITTED and was not delivered"),
        ({"ids": {**ids, "ABORTED": ids["COMMITTED"][:1]}}, "is ABORTED and was delivered"),
        ({"ids": {**ids, "DELIVERED": ids["DELIVERED"][::-1]}}, "exactly once, in order"),
        ({"ids": {**ids, "DELIVERED": ids["DELIVERED"] * 2}}, "exactly once, in order"),
    ):
        result = check(Capture(out / IN_RUN))
        judge_board(result, 1, {**told, **change}, out / IN_RUN)
        assert result.verdict is (Verdict.FAIL if problem else Verdict.PASS)
        assert problem in result.reason
    result = check(Capture(out / IN_RUN))
    result.verdict = Verdict.INCONCLUSIVE
    judge_board(result, 1, {**told, "steps_lost": 7}, out / IN_RUN)
    assert LOST in result.reason


@requirement("OAE-BRN-001", "OAE-BRN-005")
@pytest.mark.long
@pytest.mark.parametrize("kinds", [("live", "board"), ("board", "python")])
@pytest.mark.parametrize("name", SCENARIOS)
def test_every_scenario_with_a_board(out: Path, kinds: tuple[str, str], name: str) -> None:
    played_with_board(*kinds, name, out)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "on_named_bench" in metafunc.fixturenames:
        is_named = metafunc.config.getoption("--bench", default=None)
        metafunc.parametrize("on_named_bench", SCENARIOS if is_named else [])


@requirement("OAE-BRN-001", "OAE-JON-002")
def test_on_the_bench_of_the_option(
    out: Path, on_named_bench: str, request: pytest.FixtureRequest
) -> None:
    bench, _ = plugged_in(request.config.getoption("--bench"))
    played(bench, on_named_bench, out)


@requirement("OAE-BRN-001")
def test_rules_on_ends_need_no_relay(out: Path) -> None:
    bench = parse("python")
    assert not bench.relay
    played(bench, "crashes of a", out)


@requirement("OAE-BRN-002")
def test_ctrl_c_leaves_the_run_directory_and_nothing_else(out: Path) -> None:
    scenario = out.parent / "scenario.toml"
    scenario.write_text(HEAD + "gap = 65535\n")  # it would take an hour
    bench = out.parent / "bench.yaml"
    bench.write_text(between_text("python", "python"))
    words = ["run", "--bench", str(bench), "--scenario", str(scenario), "--out", str(out), "--json"]
    children = processes()
    process = subprocess.Popen(
        [sys.executable, "-m", "oae.cli", *words], stdout=subprocess.PIPE, process_group=0
    )
    wait_for(lambda: has_begun(out.parent))
    process.send_signal(signal.SIGINT)
    said, _ = process.communicate(timeout=PATIENCE)
    report = json.loads(said)
    assert (report["verdict"], report["status"]) == ("INCONCLUSIVE", "interrupted")
    assert json.loads((out / "verdict.json").read_text()) == report
    assert all(one["clock"] for one in report["bench"]["ends"].values())
    assert {one.name for one in out.iterdir()} >= {"capture.pcapng", "report.html", "run.toml"}
    assert processes() == children
    assert main(["check", str(out), "--quiet"]) == 3


@requirement("OAE-BRN-003")
@pytest.mark.parametrize(
    ("bench", "scenario", "words", "problem"),
    [
        ("python", "losses", [], "takes a relay"),
        ("python", "cuts", [], "takes a relay"),
        ("board", "cancels", [], "end a is a board, which has not: load.a.cancel"),
        ("board", "crashes", [], "fault[3], in which it stays down"),
        ("boards", "clean", [], "both ends are boards, which record no capture"),
        ("nothing", "clean", [], "nothing"),
        ("python", "clean", ["--without", "F1"], "--without"),
        ("python", "clean", ["--waveform"], "--waveform"),
    ],
)
def test_what_a_bench_cannot_play_is_one_line(
    out: Path,
    bench: str,
    scenario: str,
    words: list[str],
    problem: str,
    capfd: pytest.CaptureFixture[str],
) -> None:
    file = out.parent / "scenario.toml"
    file.write_text(HEAD + SCENARIOS[scenario])
    if bench.startswith("board"):
        peer = (
            "{kind: nic, medium: 'packet:lo'}" if bench == "board" else "{kind: board, serial: y}"
        )
        text = f"version: 1\nends: {{a: {{kind: board, serial: x}}, b: {peer}}}\n"
        bench = str(out.parent / "board.yaml")
        Path(bench).write_text(text)
    named = ["--bench", bench, "--scenario", str(file), "--out", str(out)]
    assert main(["run", *named, *words]) == 2
    error = capfd.readouterr().err
    assert problem in error
    assert error.count("\n") == 1
    assert not out.exists()
