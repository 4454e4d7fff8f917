"""Turns a scenario into the schedule: the words that an engine reads before cycle 0."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from oae.faults.hash import CERTAIN, draw, threshold
from oae.scenario.language import START, Condition, Duration
from oae.scenario.layout import (
    BLOCK_WORDS,
    FATES_MAX,
    FIRST_BLOCK,
    MAGIC,
    RULE_WORDS,
    RULES_MAX,
    Action,
    DirectionSetting,
    EndSetting,
    Head,
    RuleKind,
    RuleWord,
)
from oae.scenario.parse import ScenarioError
from oae.scenario.scenario import OFFSET_BYTES, Rates, Record, Scenario, ScheduledFault

PROGRESS_CYCLES = 10_000
SIZE_DRAW = 1000  # these keep sizes and bytes of generated records apart from decisions
BYTES_DRAW = 2000


@dataclass
class Rule:
    """One rule of the schedule; `fault` is the scheduled fault that it belongs to.

    `strikes` marks the rule whose firing is the fault itself.
    """

    fault: int
    kind: RuleKind
    source: int = 0
    mask: int = 0
    match: int = 0
    changed: bool = False
    armed: bool = False
    action: Action = Action.NOTHING
    target: int = 0
    argument_0: int = 0
    argument_1: int = 0
    times: int = 1
    skip: int = 0
    chance: float = 1.0
    delay: int = 0
    arms: int = 0
    disarms: int = 0
    strikes: bool = False

    def words(self) -> list[int]:
        """The rule as it stands in the schedule."""
        control = (
            self.kind << 60
            | self.changed << 57
            | self.armed << 56
            | self.source << 48
            | self.action << 40
            | self.target << 32
            | self.times << 16
            | self.skip
        )
        chance = 0 if self.chance == 1 else max(1, min(threshold(self.chance), CERTAIN - 1))
        words = [0] * RULE_WORDS
        words[RuleWord.CONTROL] = control
        words[RuleWord.MASK] = self.mask
        words[RuleWord.MATCH] = self.match
        words[RuleWord.CHANCE] = chance << 32 | self.delay
        words[RuleWord.ARGUMENT_0] = self.argument_0
        words[RuleWord.ARGUMENT_1] = self.argument_1
        words[RuleWord.ARMS] = self.arms
        words[RuleWord.DISARMS] = self.disarms
        return words


def rules(scenario: Scenario) -> list[Rule]:
    """Every rule, in the order of its number."""
    found: list[Rule] = []
    firsts: list[range] = []  # of each fault: the rules that wait for its condition
    strikers: list[list[int]] = []  # and those that act
    for number, fault in enumerate(scenario.faults):
        place = len(found)
        firsts.append(range(place, place + max(len(fault.at), 1)))
        found += _rules_of(fault, number, place)
        strikers.append([i for i in range(place, len(found)) if found[i].strikes])
    for number, fault in enumerate(scenario.faults):
        if fault.armed_by:
            cause = next(
                i for i, other in enumerate(scenario.faults) if other.name == fault.armed_by
            )
            for striker in strikers[cause]:
                found[striker].arms |= sum(1 << first for first in firsts[number])
    if len(found) > RULES_MAX:
        raise ScenarioError(
            f"{scenario.name}: the scheduled faults need {len(found)} rules, more than {RULES_MAX}"
        )
    return found


def _rules_of(fault: ScheduledFault, number: int, place: int) -> Iterator[Rule]:
    """The rules of one fault: its condition, its action if that comes later, what undoes it."""
    firsts = []
    for nth in fault.at or (fault.when.nth,):
        first = _waiting(replace(fault.when, nth=nth), number)
        first.times = fault.times
        first.chance = fault.chance
        first.armed = not fault.armed_by
        firsts.append(first)
    strikers = firsts
    place += len(firsts)
    yield from firsts
    if fault.after and fault.when is START:
        first.delay = fault.after
    elif fault.after:
        strikers = [Rule(number, RuleKind.TIMER, delay=fault.after)]
        for first in firsts:
            first.arms = 1 << place
        place += 1
        yield from strikers
    for striker in strikers:
        striker.action = fault.do.code
        striker.target = fault.do.target
        striker.argument_0 = fault.do.argument_0
        striker.argument_1 = fault.do.argument_1
        striker.strikes = True
    ends = fault.until
    if not ends and fault.do.undo is Action.RISE:
        ends = (Duration(1),)  # a crash is over in the next cycle
    undoing = range(place, place + len(ends))
    for i, end in zip(undoing, ends, strict=True):
        for striker in strikers:
            striker.arms |= 1 << i
        undo = (
            Rule(number, RuleKind.TIMER, delay=max(end.cycles, 1))
            if isinstance(end, Duration)
            else _waiting(end, number)
        )
        assert fault.do.undo is not None
        undo.action = fault.do.undo
        undo.target = fault.do.target
        undo.disarms = sum(1 << other for other in undoing if other != i)
        yield undo


def _waiting(condition: Condition, number: int) -> Rule:
    return Rule(
        number,
        condition.kind,
        source=condition.source,
        mask=condition.mask,
        match=condition.match,
        changed=condition.changed,
        skip=condition.nth - 1,
    )


def records(scenario: Scenario, end: int, file: bytes = b"") -> list[Record]:
    """Everything that an end submits, in order of tag."""
    load = scenario.loads[end]
    found = list(load.record)
    if load.file:
        step = scenario.negotiated_record_max - OFFSET_BYTES
        found += [
            Record(offset.to_bytes(OFFSET_BYTES, "big") + file[offset : offset + step])
            for offset in range(0, len(file), step)
        ]
    least, most = load.sizes or (1, scenario.negotiated_record_max)
    for number in range(len(found), len(found) + load.records):
        size = least + draw(scenario.seed, end, number, SIZE_DRAW) % (most - least + 1)
        words = (
            draw(scenario.seed, end, number, BYTES_DRAW + i).to_bytes(4, "little")
            for i in range((size + 3) // 4)
        )
        found.append(Record(b"".join(words)[:size]))
    return found


def compile_scenario(scenario: Scenario, file: bytes = b"") -> list[int]:
    """The schedule; `file` is what a load with `file = true` carries."""
    if scenario.carries_file and not file:
        raise ScenarioError(f"{scenario.name}: the scenario carries a file, and there is none")
    found = rules(scenario)
    words = [0] * (FIRST_BLOCK + 4 * BLOCK_WORDS)
    rules_place = len(words)
    for rule in found:
        words += rule.words()
    if len(scenario.fates) > FATES_MAX:
        raise ScenarioError(f"{scenario.name}: {len(scenario.fates)} fates, more than {FATES_MAX}")
    words += [fate.word for fate in scenario.fates]
    for end in range(2):
        items = records(scenario, end, file)
        block = FIRST_BLOCK + BLOCK_WORDS * end
        words[block : block + BLOCK_WORDS] = _end_block(scenario, end, len(items), len(words))
        words += _table(items, len(words))
    for direction, rates in enumerate(scenario.rates):
        block = FIRST_BLOCK + BLOCK_WORDS * (2 + direction)
        words[block : block + BLOCK_WORDS] = direction_block(rates)
    words[Head.MAGIC] = MAGIC
    words[Head.SEED] = scenario.seed
    words[Head.LIMIT_CYCLES] = scenario.limits.cycles
    words[Head.LIMIT_STALL] = scenario.limits.stall
    words[Head.LIMIT_QUIET] = scenario.limits.quiet
    words[Head.RULES] = len(found)
    words[Head.RULES_PLACE] = rules_place
    words[Head.FATES] = len(scenario.fates)
    words[Head.PROGRESS] = PROGRESS_CYCLES
    words[Head.SAME_SESSION] = scenario.link.session == "same"
    words[Head.WORDS] = len(words)
    words[Head.ENDS] = 2
    return [int(word) for word in words]


def write(words: list[int]) -> str:
    """The text of a schedule file."""
    return "".join(f"{word:016x}\n" for word in words)


def _table(items: list[Record], place: int) -> list[int]:
    """Headers of the records, then their bytes; `place` is the address of the first header."""
    headers = []
    data: list[int] = []
    start = place + len(items)
    for item in items:
        headers.append(item.kind << 56 | len(item.data) << 32 | start + len(data))
        padded = item.data + bytes(-len(item.data) % 8)
        data += [int.from_bytes(padded[i : i + 8], "little") for i in range(0, len(padded), 8)]
    return headers + data


def _end_block(scenario: Scenario, end: int, count: int, place: int) -> list[int]:
    load = scenario.loads[end]
    host = scenario.hosts[end]
    words = [0] * BLOCK_WORDS
    words[EndSetting.RECORDS] = count
    words[EndSetting.RECORDS_PLACE] = place
    words[EndSetting.GAP] = load.gap
    words[EndSetting.RESUBMIT] = load.resubmit
    words[EndSetting.BAD] = threshold(load.bad)
    words[EndSetting.TOO_LONG] = threshold(load.too_long)
    words[EndSetting.CANCEL] = threshold(load.cancel)
    words[EndSetting.CANCEL_AFTER] = load.cancel_after
    words[EndSetting.DELIVER_STALL] = threshold(host.stall)
    words[EndSetting.DELIVER_STALL_MAX] = host.stall_max
    words[EndSetting.COMPLETION_STALL] = threshold(load.completion_stall)
    words[EndSetting.COMPLETION_STALL_MAX] = load.completion_stall_max
    words[EndSetting.REFUSE] = threshold(host.refuse)
    words[EndSetting.FLAGS] = scenario.ends[end].enable | scenario.link.beats << 1
    words[EndSetting.EPOCHS] = host.prepared << 32 | host.epoch
    words[EndSetting.OUTSTANDING] = load.outstanding
    return words


def direction_block(rates: Rates) -> list[int]:
    """The settings of one direction, as they stand in the schedule."""
    words = [0] * BLOCK_WORDS
    words[DirectionSetting.DROP] = threshold(rates.drop)
    words[DirectionSetting.DUPLICATE] = threshold(rates.duplicate)
    words[DirectionSetting.REORDER] = threshold(rates.reorder)
    words[DirectionSetting.REORDER_WINDOW] = rates.reorder_window
    words[DirectionSetting.REORDER_CYCLES] = rates.reorder_cycles
    words[DirectionSetting.CORRUPT] = threshold(rates.corrupt)
    words[DirectionSetting.FLIP] = threshold(rates.flip)
    words[DirectionSetting.FLIP_BITS] = rates.flip_bits
    words[DirectionSetting.DELAY] = threshold(rates.delay)
    words[DirectionSetting.DELAY_MAX] = rates.delay_max
    words[DirectionSetting.LATENCY] = rates.latency
    words[DirectionSetting.OPERATIONS] = sum(1 << operation for operation in rates.operations)
    words[DirectionSetting.UNTIL] = rates.until
    return words
