"""For each ingredient that the RTL can be built without: a scenario that shows what then breaks.

The same scenario passes with the ingredient. Ids are those of docs/protocol.md, section 9; what the
explorer alone can show (F9, F16, F27, E3) and what one end shows (F25, F26, F29, F30: see
cocotb_tests/end) is not in here; F28 is a scenario with the same session, see test_ablations.
"""

from typing import NamedTuple

from oae.check.verdict import Promise


class Case(NamedTuple):
    """A scenario that needs an ingredient, and the promise that is broken first without it."""

    broken: Promise
    scenario: str
    window: int = 8


COMMON = """
version = 1
[link]
window = {window}
beat_idle = 64
beat_busy = 32
fault_beats = 200
sync_interval = 256
[limits]
cycles = 20000
stall = 4000
[expect]
violations = 100
every_fault = false
"""

ONE = '[[load.a.record]]\ntext = "the one record"\n'
TWO_EQUAL = '[[load.a.record]]\ntext = "equal"\n[[load.a.record]]\ntext = "equal"\n'
ONE_BY_ONE = "[load.a]\nrecords = 6\nsizes = 16\noutstanding = 1\n"
SLOW_HOLD = '[rates."a->b"]\nreorder_cycles = 1500\n'
THREE = "[load.a]\nrecords = 3\nsizes = 16\n"


def fault(when: str, do: str, **more: str) -> str:
    """One scheduled fault."""
    lines = [f'when = "{when}"', f'do = "{do}"']
    lines += [f'{key} = "{value}"' for key, value in more.items()]
    return "[[fault]]\n" + "\n".join(lines) + "\n"


CASES = {
    # The decision is forgotten: the initiator takes back what the responder has delivered.
    "F1": Case(
        Promise.FINAL,
        ONE + fault("b->a DONE id=0 copy=0", "drop") + fault("b DELIVERED id=0", "crash a"),
    ),
    # Ids come again: a new record meets the outcome of an old one.
    "F2": Case(
        Promise.CONSERVATION,
        ONE_BY_ONE + fault("a TOLD id=0", "crash a"),
    ),
    # The promise is forgotten: the decision finds nothing to commit.
    "F3": Case(
        Promise.PROGRESS,
        ONE + fault("a DECIDED id=0", "crash b"),
    ),
    # The outcome is forgotten: nobody can say DONE again.
    "F4": Case(
        Promise.PROGRESS,
        ONE + fault("b->a DONE id=0 copy=0", "drop") + fault("b DELIVERED id=0", "crash b"),
    ),
    # A responder that grows tired aborts what the initiator has committed.
    "F5": Case(
        Promise.NEVER_ALONE, ONE + fault("b REFLECTED id=0", "cut a->b", **{"for": "1500 cycles"})
    ),
    # A decision is taken back.
    "F6": Case(Promise.FINAL, ONE + fault("a DECIDED id=0", "cancel a tag=0")),
    # The host is told COMMITTED although nothing was delivered.
    "F7": Case(Promise.NO_FALSE_COMPLETION, ONE + fault("a->b COMMIT id=0 copy=0", "drop")),
    # A record is visible before the decision, and then it is taken back.
    "F8": Case(
        Promise.NOT_BEFORE_COMMITTED,
        ONE
        + fault("b->a ACK id=0 copy=0", "drop")
        + fault("b REFLECTED id=0", "cancel a tag=0", after="60 cycles"),
    ),
    # ACK becomes DONE on the way, and is believed.
    "F11": Case(
        Promise.NO_FALSE_COMPLETION,
        ONE + fault("b->a ACK id=0 copy=0", "forge byte=14 xor=2b guard"),
    ),
    # The ABORT of one record kills an equal one, which is committed.
    "F12": Case(
        Promise.NEVER_ALONE,
        TWO_EQUAL
        + "".join(fault(f"b->a ACK id=0 copy={copy}", "drop") for copy in range(3))
        + fault("a->b COMMIT id=1 copy=0", "drop")
        + fault("a DECIDED id=1", "cancel a tag=0")
        + fault("a->b ABORT id=0 copy=0", "forge byte=16 xor=01 guard"),
    ),
    # An altered record is reflected, nobody looks, and what is decided is not what is held.
    "F13": Case(
        Promise.PROGRESS,
        ONE_BY_ONE
        + fault("a->b DATA id=0 copy=0", "forge byte=40 xor=ff digest")
        + fault("a MISMATCHED id=0", "amnesia b", after="300 cycles"),
    ),
    # COMMIT becomes ABORT on the way.
    "F14": Case(
        Promise.NEVER_ALONE, ONE + fault("a->b COMMIT id=0 copy=0", "forge byte=14 xor=ff guard")
    ),
    # Nothing is durable.
    "F15": Case(
        Promise.PROGRESS,
        ONE + fault("a DECIDED id=0", "crash b"),
    ),
    # Delivered, and marked too late.
    "F18": Case(Promise.PORTS, ONE + fault("b COMMIT_HEARD id=0", "crash b", after="25 cycles")),
    # Marked, and never delivered.
    "F19": Case(Promise.NO_FALSE_COMPLETION, ONE),
    # DONE before the host has taken the record.
    "F20": Case(
        Promise.NO_FALSE_COMPLETION,
        ONE + fault("start", "stall b deliver", **{"for": "1500 cycles"}),
    ),
    # The outcome is forgotten at the deliver pointer.
    "F21": Case(
        Promise.PROGRESS,
        ONE + fault("b->a DONE id=0 copy=0", "drop"),
    ),
    # An ABORT for what never came is not recorded.
    "F22": Case(
        Promise.PROGRESS,
        THREE + fault("a->b DATA id=0 copy=0", "drop") + fault("a OPENED id=0", "cancel a tag=0"),
    ),
    # Counted, but not written: an id that nobody holds.
    "F23": Case(
        Promise.PROGRESS,
        THREE + fault("a OPENED id=1", "crash a"),
    ),
    # An ABORT of long ago kills a new record in the same slot.
    "F24": Case(
        Promise.PROGRESS,
        THREE
        + fault("a OPENED id=0", "cancel a tag=0")
        + fault("a->b ABORT id=0 copy=0", "hold 6")
        + fault("a->b COMMIT id=1 copy=0", "drop"),
        window=1,
    ),
    # A DATA of four transactions ago is taken for a new one.
    "F10": Case(
        Promise.FINAL,
        SLOW_HOLD
        + ONE_BY_ONE
        + fault("a->b DATA id=0 copy=0", "hold 200")
        + fault("a DONE_HEARD id=3", "stall a completion", **{"for": "2500 cycles"}),
        window=1,
    ),
}


def scenario(case: Case) -> str:
    """The whole scenario file of a case."""
    return COMMON.format(window=case.window) + case.scenario
