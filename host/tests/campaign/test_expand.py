"""What struck by chance, written down as a schedule that gives the same run again."""

from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from oae.engines import model, rtl
from oae.faults.decide import GUARD_LENGTH, Coordinates, decide
from oae.scenario.compile import compile_scenario, rules
from oae.scenario.expand import expand
from oae.scenario.fates import OF_SECOND, STRIKING, NamedFate, parse_fate
from oae.scenario.language import Duration, parse_action, parse_condition
from oae.scenario.layout import RULES_MAX, Fault
from oae.scenario.parse import ScenarioError, library, parse, parse_text
from oae.scenario.scenario import (
    Expect,
    Host,
    Limits,
    Link,
    Load,
    Rates,
    Record,
    Scenario,
    ScheduledFault,
)
from oae.scenario.write import write_scenario
from oae.shrink.difference import difference
from oae.shrink.events import events, with_events
from oae.spec.constants import Kind, Operation
from oae.testing import requirement
from oae.trace import Rule, Trace

from host.tests.campaign.schedules import CHANCES, noisy

CHANCE = st.floats(0, 1)
OPERATION = st.sampled_from([Operation.DATA, Operation.ACK, Operation.NOP, Operation.SYNC])
WORD = st.integers(0, 2**32 - 1)
COPY = st.integers(0, 2**16 - 1)
RATES = st.builds(
    Rates,
    drop=CHANCE,
    duplicate=CHANCE,
    reorder=CHANCE,
    corrupt=CHANCE,
    flip=CHANCE,
    delay=CHANCE,
    reorder_window=st.integers(1, 5),
    delay_max=st.integers(1, 200),
    operations=st.frozensets(OPERATION, min_size=1),
)


@st.composite
def fates(draw: st.DrawFn) -> tuple[NamedFate, ...]:
    """Fates that chance can give: those of frames with these coordinates at high rates."""
    found: dict[tuple[int, ...], NamedFate] = {}
    for _ in range(draw(st.integers(0, 5))):
        direction, operation = draw(st.integers(0, 1)), draw(OPERATION)
        id, copy = draw(WORD), draw(COPY)
        rates = replace(draw(RATES), operations=frozenset({operation}))
        faults = decide(rates, 1, direction, Coordinates(operation, id, copy), GUARD_LENGTH).faults
        if faults:
            found[direction, operation, copy, id] = NamedFate(
                direction, operation, copy, id, faults
            )
    return tuple(sorted(found.values()))


FAULTS = st.builds(
    ScheduledFault,
    when=st.sampled_from(
        ["b REFLECTED id=3", "a initiator id=5 becomes COMMITTED", "any CRASH", "a->b DATA copy=1"]
    ).map(parse_condition),
    do=st.sampled_from(["cut a->b", "crash b", "stall a deliver", "refuse b"]).map(parse_action),
    after=st.integers(0, 50),
    until=st.lists(
        st.one_of(st.builds(Duration, st.integers(0, 9)), st.just(parse_condition("b MALFORMED"))),
        max_size=2,
    ).map(tuple),
    at=st.lists(st.integers(1, 0xFFFF), max_size=3, unique=True).map(lambda at: tuple(sorted(at))),
)
LOADS = st.builds(
    Load,
    records=st.integers(0, 99),
    sizes=st.none() | st.just((3, 17)),
    resubmit=st.booleans(),
    bad=CHANCE,
    record=st.lists(
        st.builds(Record, st.binary(min_size=1, max_size=9))
        | st.builds(lambda epoch: Record(epoch.to_bytes(4, "big"), Kind.EPOCH_ADVANCE), WORD),
        max_size=2,
    ).map(tuple),
)
SCENARIOS = st.builds(
    Scenario,
    text=st.text(max_size=20),
    seed=WORD,
    link=st.builds(Link, window=st.sampled_from([1, 8]), beats=st.booleans()),
    loads=st.tuples(LOADS, LOADS) | LOADS.map(lambda load: (load, load)),
    hosts=st.tuples(*[st.builds(Host, stall=CHANCE, epoch=WORD)] * 2),
    rates=st.tuples(RATES, RATES),
    faults=st.lists(FAULTS, max_size=4).map(tuple),
    fates=fates(),
    limits=st.builds(Limits, cycles=st.integers(1, 10**6)),
    expect=st.builds(Expect, every_fault=st.booleans()),
)


@requirement("OAE-SHR-003")
@settings(max_examples=50)
@given(SCENARIOS, st.text(st.characters(exclude_categories=["C"]), max_size=30))
def test_what_is_written_reads_as_the_same(scenario: Scenario, comment: str) -> None:
    text = write_scenario(scenario, comment)
    assert replace(parse_text(text), name="", source="") == scenario


@requirement("OAE-SHR-003")
@pytest.mark.parametrize("name", library())
def test_the_library_written_reads_as_the_same(name: str) -> None:
    scenario = parse(name)
    again = parse_text(write_scenario(scenario), f"{name}.toml")
    assert replace(again, source=scenario.source) == scenario


@requirement("OAE-SHR-005", "OAE-SIM-003")
@given(RATES, WORD, st.integers(0, 1), st.builds(Coordinates, OPERATION, WORD, COPY))
def test_a_fate_strikes_as_chance_did(
    rates: Rates, seed: int, direction: int, name: Coordinates
) -> None:
    chance = decide(rates, seed, direction, name, GUARD_LENGTH)
    quiet = rates.without_chances
    fate = decide(quiet, seed, direction, name, GUARD_LENGTH, struck=chance.faults)
    assert fate == chance
    assert decide(quiet, seed, direction, name, GUARD_LENGTH).faults == Fault(0)


@requirement("OAE-SHR-003")
@given(fates())
def test_a_fate_reads_as_it_is_said(found: tuple[NamedFate, ...]) -> None:
    for fate in found:
        assert parse_fate(str(fate)) == fate
    # In the order of the words, which the search in the schedule relies on.
    assert [fate.word for fate in found] == sorted({fate.word for fate in found})


@requirement("OAE-SHR-002")
@pytest.mark.parametrize(
    ("fate", "problem"),
    [
        ("a->b DATA id=3: drop", "is not a fate; write 'a->b DATA id=3 copy=0: drop'"),
        ("a->c DATA id=3 copy=0: drop", "no direction a->c; did you mean"),
        ("a->b DATUM id=3 copy=0: drop", "no operation DATUM; did you mean DATA?"),
        ("a->b DATA id=4294967296 copy=0: drop", "id=4294967296 is not a number from 0 to"),
        ("a->b DATA id=3 copy=65536: drop", "copy=65536 is not a number from 0 to 65535"),
        ("a->b DATA id=3 copy=0: drip", "no fate drip; did you mean drop?"),
        ("a->b DATA id=3 copy=0: drop, hold", "a frame that is dropped has no other fate"),
    ],
)
def test_a_wrong_fate_is_refused(fate: str, problem: str) -> None:
    with pytest.raises(ScenarioError) as error:
        parse_text(f'version = 1\nfates = ["{fate}"]', "x.toml")
    assert str(error.value).startswith("x.toml:2: fates[1]: ")
    assert problem in str(error.value)


@requirement("OAE-SHR-002")
@pytest.mark.parametrize(
    ("lines", "problem"),
    [
        ("at = [3, 3]", "[3, 3] is no rising list of numbers from 1 to 65535"),
        ("at = []", "[] is no rising list"),
        ("at = [3]\ntimes = 2", "goes with no times, no chance, no # and no start"),
        ("at = [3]\nchance = 0.5", "goes with no times, no chance, no # and no start"),
    ],
)
def test_wrong_times_are_refused(lines: str, problem: str) -> None:
    with pytest.raises(ScenarioError, match=r"x.toml:\d: fault\[1\].at: ") as error:
        parse_text(f'version = 1\n[[fault]]\nwhen = "a SENT"\ndo = "stop"\n{lines}', "x.toml")
    assert problem in str(error.value)


def test_a_fate_stands_once() -> None:
    line = "a->b DATA id=3 copy=0: drop"
    with pytest.raises(ScenarioError, match="a->b DATA id=3 copy=0 stands twice"):
        parse_text(f'version = 1\nfates = ["{line}", "{line}"]')


@requirement("OAE-SHR-002", "OAE-SHR-005")
def test_the_schedule_gives_the_trace_again(tmp_path: Path) -> None:
    """Byte for byte where no rule has a chance."""
    struck = Fault(0)
    for seed in range(6):
        scenario = replace(noisy(), seed=seed)
        folder = tmp_path / str(seed)
        rtl.run(scenario, folder / "before")
        before = Trace(folder / "before" / "trace.txt")
        saved = parse_text(write_scenario(expand(scenario, before)))
        assert all(rates == rates.without_chances for rates in saved.rates)
        for fate in saved.fates:
            struck |= fate.faults
        rtl.run(saved, folder / "now")
        assert Trace(folder / "now" / "trace.txt").sha256 == before.sha256
    assert struck == STRIKING, "something never struck"


STRIKES = ("drop", "duplicate", "corrupt", "flip", "hold 2", "delay 30")
FRAMES = ("any->any DATA", "a->b any", "b->a ACK", "b->a DONE", "a->b COMMIT #2", "b->a NOP")
BY_RULE = st.builds(
    "[[fault]]\nwhen = {0!r}\ndo = {1!r}\ntimes = {2}\n".format,
    st.sampled_from(FRAMES),
    st.sampled_from(STRIKES),
    st.sampled_from(["1", "3", "'always'"]),
)
BY_CHANCE = st.sampled_from(["duplicate", "reorder", "corrupt", "flip", "delay", "drop"])


@requirement("OAE-SHR-002", "OAE-SHR-005")
@settings(max_examples=12, deadline=None, derandomize=True)
@given(
    WORD,
    st.sampled_from(FRAMES),
    st.lists(BY_RULE, max_size=2),
    st.dictionaries(BY_CHANCE, st.sampled_from([0.1, 0.3]), min_size=1),
    st.sampled_from([0, 700]),
)
def test_the_schedule_gives_the_trace_again_whatever_rules_strike(
    seed: int, doubled: str, faults: list[str], chances: dict[str, float], until: int
) -> None:
    """On the reference ends, which are the quickest to start."""
    rates = "".join(f"{name} = {chance}\n" for name, chance in chances.items())
    text = f"version = 1\nseed = {seed}\n[load.both]\nrecords = 5\n"
    text += f"[rates.both]\nuntil = {until}\n{rates}{''.join(faults)}"
    text += f"[[fault]]\nwhen = '{doubled}'\ndo = 'duplicate'\ntimes = 'always'\n"
    text += "[limits]\ncycles = 3000\n"
    again(parse_text(text))


def again(scenario: Scenario) -> Scenario:
    """The schedule of a run on the reference ends, which gives its trace again."""
    with TemporaryDirectory() as folder:
        model.run(scenario, Path(folder) / "before")
        before = Trace(Path(folder) / "before" / "trace.txt")
        saved = parse_text(write_scenario(expand(scenario, before)))
        model.run(saved, Path(folder) / "now")
        now = Trace(Path(folder) / "now" / "trace.txt")
        assert now.path.read_text().splitlines() == before.path.read_text().splitlines()
    return saved


TWICE = """
version = 1
[load.a]
records = 20
[rates."b->a"]
reorder = 0.3
corrupt = 0.1
flip = 0.1
[[fault]]
when = "b->a DONE"
do = "duplicate"
times = "always"
"""


@requirement("OAE-SHR-002", "OAE-SHR-005")
def test_chance_strikes_a_second_frame_that_a_rule_has_made(tmp_path: Path) -> None:
    scenario = parse_text(TWICE)
    rtl.run(scenario, tmp_path / "before")
    before = Trace(tmp_path / "before" / "trace.txt")
    for saved in (parse_text(write_scenario(expand(scenario, before))), again(scenario)):
        of_done = [fate.faults for fate in saved.fates if fate.operation is Operation.DONE]
        assert any(faults & OF_SECOND for faults in of_done)
        assert not any(faults & Fault.DUPLICATED for faults in of_done)
        # None is forgotten where all faults are looked at one by one.
        assert with_events(saved, events(saved)).fates == saved.fates
    saved = expand(scenario, before)
    rtl.run(saved, tmp_path / "now")
    assert Trace(tmp_path / "now" / "trace.txt").sha256 == before.sha256


@requirement("OAE-SHR-002")
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_rules_with_a_chance_strike_again(seed: int, tmp_path: Path) -> None:
    scenario = replace(noisy(CHANCES), seed=seed)
    rtl.run(scenario, tmp_path / "before")
    before = Trace(tmp_path / "before" / "trace.txt")
    saved = expand(scenario, before)
    assert all(fault.chance == 1 for fault in saved.faults)
    assert len(saved.faults) == len(scenario.faults) - 1  # the run was not stopped
    fired = sum(isinstance(record, Rule) for record in before)
    assert fired > 4
    rtl.run(saved, tmp_path / "now")
    paths = (tmp_path / "before" / "trace.txt", tmp_path / "now" / "trace.txt")
    assert difference(*paths) is not None, "rules have other numbers"
    assert difference(*paths, rules=False) is None


@requirement("OAE-SHR-002")
def test_a_schedule_saved_up_to_a_cycle_has_nothing_later(tmp_path: Path) -> None:
    scenario = noisy()
    rtl.run(scenario, tmp_path / "run")
    trace = Trace(tmp_path / "run" / "trace.txt")
    whole, part = expand(scenario, trace), expand(scenario, trace, 1000)
    assert 0 < len(part.fates) < len(whole.fates)
    assert set(part.fates) <= set(whole.fates)


@requirement("OAE-SHR-002")
def test_more_strikes_than_rules_are_refused() -> None:
    at = ", ".join(map(str, range(1, RULES_MAX + 1)))
    fault = f'[[fault]]\nwhen = "a SENT"\ndo = "crash a"\nat = [{at}]\n'
    scenario = parse_text(f"version = 1\n{fault}")
    with pytest.raises(ScenarioError, match="need 65 rules, more than 64"):
        compile_scenario(scenario)


@requirement("OAE-SHR-002")
def test_every_time_shares_what_undoes_it() -> None:
    text = '[[fault]]\nwhen = "a SENT"\ndo = "cut a->b"\nat = [2, 9]\nfor = "30 cycles"\n'
    first, second, undo = rules(parse_text(f"version = 1\n{text}"))
    assert (first.skip, second.skip) == (1, 8)
    assert first.arms == second.arms == 0b100
    assert (undo.fault, undo.strikes) == (0, False)
