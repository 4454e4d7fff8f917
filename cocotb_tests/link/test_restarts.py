"""Crash and amnesia of either end at every step of both, and in every state of every slot."""

from itertools import product
from pathlib import Path

import pytest
from oae.spec.constants import FIELD, Channel, EventCode
from oae.testing import requirement

from cocotb_tests.link.pair import play

DIGEST = FIELD["DIGEST"][0]
BASE = """
version = 1
[link]
beat_idle = 128
beat_busy = 40
fault_beats = 40
sync_interval = 160
[load.both]
records = 12
outstanding = 3
sizes = [1, 40]
cancel = 0.3
cancel_after = 20
completion_stall = 0.3
[host.both]
stall = 0.2
refuse = 0.2
[rates.both]
drop = 0.08
duplicate = 0.08
reorder = 0.08
reorder_cycles = 100
[limits]
cycles = 30000
stall = 8000
{settings}
{before}
[[fault]]
when = "{at} {event} #{nth}"
do = "{what} {end}"
for = "{cycles} cycles"
"""


def fault(when: str, do: str, **more: str) -> str:
    """One scheduled fault."""
    lines = [f'{key} = "{value}"' for key, value in {"when": when, "do": do, **more}.items()]
    return "\n".join(["[[fault]]", *lines, ""])


# What brings the pair to a step that a lossy link alone would not: `at` takes it, `peer` is the
# other end. The faults of a scenario must all have struck.
BEFORE = {
    # The reflection is altered on its way, and the ABORT that follows finds the record as it was.
    EventCode.MISMATCHED: "".join(
        fault(f"{{peer}}->{{at}} ACK #{n}", f"forge byte={DIGEST} xor=5a guard") for n in (1, 2)
    ),
    # What is reflected when the peer loses its memory is decided by nobody.
    EventCode.DOUBTED: "".join(fault(f"{{at}} REFLECTED #{n}", "amnesia {peer}") for n in (1, 4)),
    EventCode.INCOMING_DEAD: fault(
        "{at} DELIVERED #2", "cut {peer}->{at}", until="{at} INCOMING_DEAD"
    ),
    EventCode.OUTGOING_DEAD: fault(
        "{at} OPENED #2", "cut {at}->{peer}", until="{at} OUTGOING_DEAD"
    ),
    EventCode.EPOCH_TAKEN: fault("{at} OPENED #2", "epoch {at} 1")
    + fault("{at} OPENED #2", "epoch {peer} 1", after="60 cycles")
    + fault("{at} OPENED #5", "epoch {at} 2")
    + fault("{at} OPENED #5", "epoch {peer} 2", after="60 cycles"),
    EventCode.DISABLED: fault("{at} REFLECTED #1", "disable {at}", **{"for": "90 cycles"})
    + fault("{at} DECIDED #2", "disable {at}", **{"for": "90 cycles"}),
}
SETTINGS = {
    # An end without records of its own wants no echo, so it is the silence that it notices.
    EventCode.INCOMING_DEAD: "[load.{at}]\nrecords = 0",
    EventCode.REFUSED: "[host.{at}]\nrefuse = 0.5",
}
# Which occurrence of a step is struck: what comes before the first restart for certain.
ONCE = (
    EventCode.ENABLED,
    EventCode.RESENT,
    EventCode.SYNC_HEARD,
    EventCode.SYNC_ACK_HEARD,
    EventCode.SESSION_ADOPTED,
    EventCode.INCOMING_DEAD,
    EventCode.OUTGOING_DEAD,
)
TWICE = (EventCode.RETRIED, *(event for event in BEFORE if event not in ONCE))
OCCURRENCES = {**dict.fromkeys(ONCE, (1,)), **dict.fromkeys(TWICE, (1, 2))}

# Steps after which a slot or the link stands in another state.
STEPS = [
    EventCode.OPENED,
    EventCode.REFLECTION_HEARD,
    EventCode.DECIDED,
    EventCode.MISMATCHED,
    EventCode.CANCELLED,
    EventCode.ABORT_CONFIRMED,
    EventCode.DONE_HEARD,
    EventCode.TOLD,
    EventCode.RESENT,
    EventCode.RETRIED,
    EventCode.HELD,
    EventCode.REFLECTED,
    EventCode.REFUSED,
    EventCode.COMMIT_HEARD,
    EventCode.DELIVERED,
    EventCode.SKIPPED,
    EventCode.REVERSED,
    EventCode.ABORT_RECORDED,
    EventCode.DOUBTED,
    EventCode.SENT,
    EventCode.RECEIVED,
    EventCode.ENABLED,
    EventCode.SYNC_HEARD,
    EventCode.SYNC_ACK_HEARD,
    EventCode.SESSION_ADOPTED,
    EventCode.DISABLED,
    EventCode.INCOMING_DEAD,
    EventCode.OUTGOING_DEAD,
    EventCode.EPOCH_TAKEN,
]


@requirement("OAE-TXN-009", "OAE-TXN-033", "OAE-LNK-029", "OAE-PRM-006", "OAE-PRM-007")
@pytest.mark.parametrize("what", ["crash", "amnesia"])
@pytest.mark.parametrize("event", STEPS, ids=lambda code: code.name)
def test_a_restart_after_this_step(event: EventCode, what: str, tmp_path: Path) -> None:
    """Taken by either end, it restarts either end: both follow the reference end through it, and
    everything resolves. A restart that did not strike would make the run INCONCLUSIVE.
    """
    for at, end in product("ab", repeat=2):
        peer = "ab".replace(at, "")
        for nth in OCCURRENCES.get(event, (1, 3)):
            words = {"at": at, "peer": peer, "end": end, "what": what, "event": event.name}
            text = BASE.format(
                **words,
                nth=nth,
                cycles=1 + 3 * (nth - 1),
                before=BEFORE.get(event, "").format(**words),
                settings=SETTINGS.get(event, "").format(**words),
            )
            run = play(text, tmp_path / f"{at}{end}{nth}", seed=nth)
            assert run.stop == "resolved", f"{at}, {end}, {nth}: {run.stop}"
            assert run.events[EventCode[what.upper()]]


def test_every_channel_is_in_the_list() -> None:
    """The list above names steps of every unit."""
    assert {code >> 4 for code in STEPS} == {channel for channel in Channel if channel}
