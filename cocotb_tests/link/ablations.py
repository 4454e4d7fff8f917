"""For each ingredient that the RTL can be built without: a scenario that shows what then breaks.

The same scenario passes with the ingredient, and every fault of it strikes with and without. Ids
are those of docs/protocol.md, section 9; what the explorer alone can show (F9, F16, F27, E3) and
what one end shows (F26, F29: see cocotb_tests/end) is not in here; F28 is a scenario with the same
session, see test_ablations.
"""

from typing import NamedTuple

from oae.check.verdict import Promise

LINK = """window = 8
beat_idle = 64
beat_busy = 32
fault_beats = 200
sync_interval = 256
"""
ONE_SLOT = LINK.replace("window = 8", "window = 1")
WITHOUT_BEATS = LINK + "beats = false\n"
# As the scenario `hash`, so that its build serves.
AS_HASH = "beat_idle = 128\nbeat_busy = 40\nfault_beats = 40\nsync_interval = 160\n"


class Case(NamedTuple):
    """A scenario that needs an ingredient, and the promise that is broken first without it."""

    broken: Promise
    scenario: str
    link: str = LINK
    # Events of violation that a forged frame makes at an end that has the ingredient.
    forged: int = 0


COMMON = """
version = 1
[link]
{link}[limits]
cycles = 20000
stall = 4000
[expect]
violations = {forged}
"""

ONE = '[[load.a.record]]\ntext = "the one record"\n'
TWO_EQUAL = '[[load.a.record]]\ntext = "equal"\n[[load.a.record]]\ntext = "equal"\n'
ONE_BY_ONE = "[load.a]\nrecords = 6\nsizes = 16\noutstanding = 1\n"
SLOW_HOLD = '[rates."a->b"]\nreorder_cycles = 1500\n'
SLOW_HOLD_BACK = '[rates."b->a"]\nreorder_cycles = 600\n'
THREE = "[load.a]\nrecords = 3\nsizes = 16\n"


def fault(when: str, do: str, **more: str) -> str:
    """One scheduled fault."""
    lines = [f'when = "{when}"', f'do = "{do}"']
    lines += [f'{key} = "{value}"' for key, value in more.items()]
    return "[[fault]]\n" + "\n".join(lines) + "\n"


# A DATA of the one record that is still on its way when the record has been decided.
LATE_DATA = (
    '[rates."a->b"]\nreorder_cycles = 900\n'
    + ONE
    + fault("b->a ACK id=0 copy=0", "drop")
    + fault("a->b DATA id=0 copy=1", "hold 200")
)

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
    # The promise is forgotten: what is decided is refused when it comes again.
    "F3": Case(
        Promise.AGREEMENT,
        LATE_DATA + fault("a DECIDED id=0", "crash b") + fault("a DECIDED id=0", "refuse b"),
    ),
    # The outcome is forgotten: what is committed is refused when it comes again.
    "F4": Case(
        Promise.AGREEMENT,
        LATE_DATA
        + fault("start", "stall b deliver", until="b CRASH")
        + fault("b COMMIT_HEARD id=0", "crash b", after="20 cycles")
        + fault("b COMMIT_HEARD id=0", "refuse b"),
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
    # A DONE of the transaction before completes the one that its slot holds now.
    "F11": Case(
        Promise.NO_FALSE_COMPLETION,
        SLOW_HOLD_BACK
        + ONE_BY_ONE
        + fault("b->a DONE id=0 copy=0", "hold 200")
        + fault("a TOLD id=0", "cut a->b", **{"for": "1000 cycles"}),
        link=ONE_SLOT,
    ),
    # The ABORT of one record kills an equal one, which is committed.
    "F12": Case(
        Promise.NEVER_ALONE,
        TWO_EQUAL
        + "".join(fault(f"b->a ACK id=0 copy={copy}", "drop") for copy in range(2))
        + fault("a->b COMMIT id=1 copy=0", "drop")
        + fault("a DECIDED id=1", "cancel a tag=0")
        + fault("a->b ABORT id=0 copy=0", "forge byte=16 xor=01 guard"),
        forged=1,  # the ABORT, of a record with another digest
    ),
    # An altered record is reflected, and nobody looks. With the ingredient it is never decided; its
    # responder holds it until it loses its memory.
    "F13": Case(
        Promise.UNALTERED,
        ONE_BY_ONE
        + fault("a->b DATA id=0 copy=0", "forge byte=40 xor=ff digest")
        + fault("b REFLECTED id=0", "amnesia b", after="100 cycles"),
        forged=1,  # the ABORT, of a record that the responder holds altered
    ),
    # COMMIT becomes ABORT on the way.
    "F14": Case(
        Promise.NEVER_ALONE,
        ONE + fault("a->b COMMIT id=0 copy=0", "forge byte=14 xor=ff guard"),
        forged=1,  # the ABORT that the COMMIT has become
    ),
    # Nothing is durable: what is decided is refused when it comes again.
    "F15": Case(
        Promise.AGREEMENT,
        LATE_DATA + fault("a DECIDED id=0", "crash b") + fault("a DECIDED id=0", "refuse b"),
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
    # The outcome is forgotten once it is told.
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
        link=ONE_SLOT,
    ),
    # Each end receives again when its own frame has left; the medium is full in both directions.
    "F25": Case(
        Promise.PROGRESS,
        "[load.both]\nrecords = 20\nsizes = 64\n[rates.both]\nlatency = 700\n",
        link=AS_HASH,
    ),
    # DATA goes again before the SYNC_ACK that brings the peer UP; then nothing sends it again.
    "F30": Case(
        Promise.PROGRESS,
        "[load.a]\nrecords = 8\nsizes = 64\n" + fault("a SENT operation=DATA", "crash b"),
        link=WITHOUT_BEATS,
    ),
    # A DATA of four transactions ago is taken for a new one.
    "F10": Case(
        Promise.FINAL,
        SLOW_HOLD
        + ONE_BY_ONE
        + fault("a->b DATA id=0 copy=0", "hold 200")
        + fault("a DONE_HEARD id=3", "stall a completion", **{"for": "2500 cycles"}),
        link=ONE_SLOT,
    ),
}


def scenario(case: Case) -> str:
    """The whole scenario file of a case."""
    return COMMON.format(link=case.link, forged=case.forged) + case.scenario
