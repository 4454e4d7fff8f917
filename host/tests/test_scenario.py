"""Scenarios: what is read, what is refused and how, what they are compiled to."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from oae.faults.hash import CERTAIN, threshold
from oae.scenario import layout
from oae.scenario.compile import compile_scenario, records, rules, write
from oae.scenario.layout import (
    ANY,
    BLOCK_WORDS,
    FIRST_BLOCK,
    MAGIC,
    RULE_WORDS,
    Action,
    DirectionSetting,
    EndSetting,
    Head,
    RuleKind,
    RuleWord,
)
from oae.scenario.parse import ScenarioError, library, locate, parse, parse_text
from oae.scenario.scenario import Load, Rates, Scenario
from oae.spec.constants import EventCode, Kind, Operation, State
from oae.testing import requirement

FAULT = 'version = 1\n[[fault]]\nwhen = "{when}"\ndo = "{do}"\n{more}\n'


def with_fault(when: str = "start", do: str = "crash a", more: str = "") -> Scenario:
    return parse_text(FAULT.format(when=when, do=do, more=more))


def refused(text: str) -> str:
    with pytest.raises(ScenarioError) as error:
        parse_text(text, "x.toml")
    assert "\n" not in str(error.value)
    assert error.value.exit_code == 2
    return str(error.value)


def test_an_empty_scenario_is_a_clean_link() -> None:
    scenario = parse_text("version = 1")
    assert scenario.rates == (Rates(), Rates())
    assert scenario.loads == (Load(), Load())
    assert scenario.seed == 1


@pytest.mark.parametrize("name", library())
def test_the_library_is_readable_and_compiles(name: str) -> None:
    scenario = parse(name)
    assert scenario.name == name
    words = compile_scenario(scenario, b"file" * 100 if scenario.carries_file else b"")
    assert words[Head.WORDS] == len(words)


def test_the_demo_is_as_hostile_as_promised() -> None:
    demo = parse("demo")
    assert demo.loads[0].file
    assert demo.loads[0].resubmit
    for rates in demo.rates:
        assert (rates.drop, rates.duplicate, rates.reorder, rates.corrupt) == (
            0.1,
            0.05,
            0.05,
            0.02,
        )
    does = [(fault.do.code, fault.do.target) for fault in demo.faults]
    assert sum(code is Action.CUT for code, _ in does) == 3
    assert does.count((Action.CRASH, 0)) == 2
    assert does.count((Action.CRASH, 1)) == 2


@requirement("OAE-SIM-007")
@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("seed = 1", "x.toml:1: no version; write 'version = 1'"),
        ("version = 2", "x.toml:1: version: 2 is not known; this reads 1"),
        ("version = true", "x.toml:1: version: True is not known; this reads 1"),
        ("version = 1.0", "x.toml:1: version: 1.0 is not known; this reads 1"),
        ("version = 1\n[link]\nwindow = 8.0", "x.toml:3: link.window: 8.0 is not a power of two"),
        ("version = 1\n[load.a]\nsizes = true", "x.toml:3: load.a.sizes: True is neither a size"),
        (
            "version = 1\n[[load.a.record]]\nadvance = true",
            "x.toml:2: load.a.record[1]: needs exactly one of hex, text, size (1 to 2000) and",
        ),
        ("version = 1\nseeed = 3", "x.toml:2: seeed: no key seeed; did you mean seed?"),
        ("version = 1\nseed = -1", "x.toml:2: seed: -1 is not a whole number from 0 to 4294967295"),
        (
            "version = 1\n\n[link]\n# odd\nwindow = 3",
            "x.toml:5: link.window: 3 is not a power of two from 1 to 64",
        ),
        (
            "version = 1\n[link]\nrecord_max = 60",
            "x.toml:3: link.record_max: 60 is not a multiple of 8 from 8 to 1488",
        ),
        ('version = 1\n[rates."a->c"]\ndrop = 1', "x.toml:2: rates.a->c: no key a->c;"),
        (
            'version = 1\n[rates."a->b"]\ndrop = 1.5',
            "x.toml:3: rates.a->b.drop: 1.5 is not a chance from 0 to 1",
        ),
        (
            "version = 1\n[rates.both]\ndorp = 0.5",
            "x.toml:3: rates.both.dorp: no key dorp; did you mean drop?",
        ),
        (
            FAULT.format(when="b REFLECTD id=3", do="cut a->b", more=""),
            "x.toml:3: fault[1].when: no event REFLECTD; did you mean REFLECTED?",
        ),
        (
            FAULT.format(when="start", do="crash c", more=""),
            "x.toml:4: fault[1].do: no end c",
        ),
        (
            FAULT.format(when="start", do="drop", more=""),
            "x.toml:4: fault[1].do: 'drop' needs a frame condition",
        ),
        (
            FAULT.format(when="start", do="stop", more='for = "3 cycles"'),
            "x.toml:4: fault[1].do: 'stop' cannot be undone",
        ),
        (
            FAULT.format(when="start", do="crash a", more='armed_by = "x"'),
            "x.toml:5: fault[1].armed_by: no fault named x",
        ),
        (
            FAULT.format(when="start", do="crash a", more='for = "soon"'),
            "x.toml:5: fault[1].for: 'soon' is not a duration; write '200 cycles'",
        ),
        (
            FAULT.format(when="a TOLD outcome=COMITTED", do="stop", more=""),
            "x.toml:3: fault[1].when: no outcome COMITTED; did you mean COMMITTED?",
        ),
        ("version = 1\n[[fault]]\ndo = 'stop'", "x.toml:2: fault[1]: no when"),
        ("version = 1\n[[load.a.record]]\nsize = 0", "x.toml:2: load.a.record[1]: needs exactly"),
        ("version = 1\nseed =", "x.toml:2: Invalid value"),
        ("version = 1\nfault = 3", "x.toml:2: fault: write [[fault]]"),
        ("version = 1\n[load.a]\nsizes = [9, 3]", "x.toml:3: load.a.sizes: [9, 3] is neither"),
        (
            "version = 1\n[link]\nbeat_busy = 900",
            "x.toml:3: link.beat_busy: greater than beat_idle",
        ),
        (
            "version = 1\n[load.a]\nfile = true\nrecords = 3",
            "x.toml:4: load.a.records: a load that carries the file has no other records",
        ),
    ],
)
def test_mistakes_are_told_with_line_and_key(text: str, message: str) -> None:
    assert refused(text).startswith(message)


@requirement("OAE-SIM-007")
def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(ScenarioError, match=r"nothing\.toml: no such file"):
        parse(tmp_path / "nothing.toml")
    with pytest.raises(ScenarioError, match="the library has campaign"):
        parse("dmeo")
    (tmp_path / "binary.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(ScenarioError, match="not UTF-8"):
        parse(tmp_path / "binary.toml")


def test_lines_of_nested_tables() -> None:
    lines = locate('a = 1\n[b]\nc = 2\n[[d]]\nx = 1\n[[d]]\nx = 2\n[e."f->g"]\nh = 1\n')
    assert lines["b", "c"] == 3
    assert (lines["d", 0, "x"], lines["d", 1, "x"]) == (5, 7)
    assert lines["e", "f->g", "h"] == 9


def test_what_stands_under_both_holds_for_each() -> None:
    scenario = parse_text(
        'version = 1\n[rates.both]\ndrop = 0.5\n[rates."b->a"]\ndrop = 0.1\nflip = 1\n'
    )
    assert [rates.drop for rates in scenario.rates] == [0.5, 0.1]
    assert [rates.flip for rates in scenario.rates] == [0, 1]


def test_conditions_select_the_event_words_that_they_name() -> None:
    def holds(words: str, word: int) -> bool:
        condition = with_fault(words, "stop").faults[0].when
        return word & condition.mask == condition.match

    told = EventCode.TOLD << 56 | 3 << 48 | State.ABORTED << 44 | (2 << 2 | 2) << 32 | 17
    assert holds("a TOLD", told)
    assert holds("a TOLD id=17 outcome=ABORTED reason=REFUSED slot=3", told)
    assert not holds("a TOLD id=18", told)
    assert not holds("a TOLD outcome=COMMITTED", told)
    assert not holds("a TOLD reason=EPOCH", told)
    decided = EventCode.DECIDED << 56 | State.REFLECTING << 44 | State.COMMITTED << 40 | 5
    assert holds("a initiator becomes COMMITTED", decided)
    assert holds("a initiator id=5 becomes COMMITTED", decided)
    assert not holds("a responder becomes COMMITTED", decided)
    assert not holds("a initiator id=5 becomes ABORTED", decided)
    frame = Operation.DATA << 48 | 2 << 32 | 9
    assert holds("a->b DATA id=9 copy=2", frame)
    assert holds("a->b any", frame)
    assert not holds("a->b ACK", frame)
    assert not holds("a->b DATA copy=1", frame)


def test_sources_of_conditions() -> None:
    assert with_fault("any CRASH", "stop").faults[0].when.source == ANY
    assert with_fault("b CRASH", "stop").faults[0].when.source == 1
    assert with_fault("b->a DONE", "stop").faults[0].when.source == 1


def test_rules_of_a_fault_with_delay_and_two_ends() -> None:
    scenario = with_fault(
        "b REFLECTED #3", "cut a->b", 'after = "30 cycles"\nuntil = ["b DELIVERED #2", "99 cycles"]'
    )
    first, act, on_event, on_time = rules(scenario)
    assert (first.kind, first.armed, first.skip, first.action) == (0, True, 2, Action.NOTHING)
    assert first.arms == 0b10
    assert (act.kind, act.armed, act.delay, act.action) == (RuleKind.TIMER, False, 30, Action.CUT)
    assert act.strikes
    assert act.arms == 0b1100
    assert (on_event.action, on_event.skip, on_event.disarms) == (Action.JOIN, 1, 0b1000)
    assert (on_time.action, on_time.delay, on_time.disarms) == (Action.JOIN, 99, 0b0100)


def test_a_crash_lasts_one_cycle_unless_told_otherwise() -> None:
    crash, rise = rules(with_fault("b HELD", "crash b"))
    assert (crash.arms, rise.action, rise.delay) == (0b10, Action.RISE, 1)


def test_a_fault_wakes_another() -> None:
    scenario = parse_text(
        'version = 1\n[[fault]]\nname = "n"\nwhen = "a HELD"\ndo = "cut a->b"\n'
        '[[fault]]\narmed_by = "n"\nwhen = "b->a DONE #1"\ndo = "drop"\ntimes = "always"\n'
    )
    cut, drop = rules(scenario)
    assert cut.arms == 0b10
    assert not drop.armed
    assert drop.times == 0


def test_too_many_faults_are_refused() -> None:
    text = "version = 1\n" + '[[fault]]\nwhen = "a HELD"\ndo = "stop"\n' * 65
    with pytest.raises(ScenarioError, match="more than 64"):
        rules(parse_text(text))


def test_words_of_a_rule() -> None:
    scenario = with_fault("b->a ACK id=7 #2", "hold 4", "times = 3\nchance = 0.25")
    (rule,) = rules(scenario)
    words = rule.words()
    assert len(words) == RULE_WORDS
    control = words[RuleWord.CONTROL]
    assert control >> 60 == RuleKind.FRAME
    assert control >> 56 & 1 == 1
    assert (control >> 48 & 0xFF, control >> 40 & 0xFF) == (1, Action.HOLD)
    assert (control >> 16 & 0xFFFF, control & 0xFFFF) == (3, 1)
    assert words[RuleWord.CHANCE] >> 32 == 1 << 30
    assert words[RuleWord.ARGUMENT_0] == 4


def test_records_of_a_load() -> None:
    scenario = parse_text(
        'version = 1\n[load.a]\nrecords = 20\nsizes = [3, 9]\n[[load.a.record]]\ntext = "hello"\n'
        "[[load.a.record]]\nadvance = 2\n"
    )
    first, second, *others = records(scenario, 0)
    assert (first.data, first.kind) == (b"hello", Kind.DATA)
    assert (second.data, second.kind) == (b"\0\0\0\2", Kind.EPOCH_ADVANCE)
    assert len(others) == 20 - 0
    assert {len(record.data) for record in others} <= set(range(3, 10))
    assert len({record.data for record in others}) == 20
    assert records(scenario, 0) == records(scenario, 0)
    assert not records(scenario, 1)


@given(st.binary(min_size=1, max_size=1000), st.sampled_from([16, 64, 256]))
def test_a_file_becomes_records_with_offsets(content: bytes, record_max: int) -> None:
    scenario = parse_text(
        f"version = 1\n[link]\nrecord_max = {record_max}\n[load.b]\nfile = true\n"
    )
    pieces = records(scenario, 1, content)
    assert all(len(piece.data) <= record_max for piece in pieces)
    whole = bytearray(len(content))
    for piece in pieces:
        offset = int.from_bytes(piece.data[:8], "big")
        whole[offset : offset + len(piece.data) - 8] = piece.data[8:]
    assert bytes(whole) == content


def test_a_file_that_is_wanted_must_be_there() -> None:
    with pytest.raises(ScenarioError, match="carries a file"):
        compile_scenario(parse("demo"))


def test_places_in_the_schedule() -> None:
    scenario = parse_text(
        "version = 1\nseed = 9\n[load.b]\nrecords = 2\nsizes = 9\ngap = 7\n"
        '[rates."b->a"]\nlatency = 5\noperations = ["DATA", "ACK"]\n'
    )
    words = compile_scenario(scenario)
    assert words[Head.MAGIC] == MAGIC
    assert words[Head.SEED] == 9
    end_b = words[FIRST_BLOCK + BLOCK_WORDS :]
    assert end_b[EndSetting.RECORDS] == 2
    assert end_b[EndSetting.GAP] == 7
    place = end_b[EndSetting.RECORDS_PLACE]
    header = words[place]
    assert header >> 32 & 0xFFFF == 9
    first = words[header & 0xFFFFFFFF].to_bytes(8, "little")
    assert first == records(scenario, 1)[0].data[:8]
    back = words[FIRST_BLOCK + 3 * BLOCK_WORDS :]
    assert back[DirectionSetting.LATENCY] == 5
    assert back[DirectionSetting.OPERATIONS] == 1 << Operation.DATA | 1 << Operation.ACK
    assert len(write(words).splitlines()) == len(words)
    assert all(0 <= word < 1 << 64 for word in words)


def test_thresholds_of_chances() -> None:
    assert (threshold(0), threshold(1)) == (0, CERTAIN)
    assert threshold(0.5) == CERTAIN // 2


def test_the_verilog_header_is_not_stale() -> None:
    assert layout.HEADER.read_text() == layout.header()


@requirement("OAE-SIM-007")
@given(
    st.text(alphabet="ab->#= 0123456789REFLCTDcutracshopid", max_size=30),
    st.text(alphabet="ab-> cutracshopdlyhold0123456789", max_size=20),
)
def test_whatever_stands_there_is_read_or_refused_in_one_line(when: str, do: str) -> None:
    text = FAULT.format(when=when, do=do, more="")
    message = ""
    try:
        compile_scenario(parse_text(text, "x.toml"))
    except ScenarioError as error:
        message = str(error)
    assert not message or message.startswith("x.toml:")
    assert "\n" not in message
