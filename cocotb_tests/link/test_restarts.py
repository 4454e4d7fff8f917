"""Crash and amnesia of either end at every step of both, and in every state of every slot."""

from pathlib import Path

import pytest
from oae.spec.constants import Channel, EventCode
from oae.testing import requirement

from cocotb_tests.link.pair import play

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
[expect]
every_fault = false
[[fault]]
when = "any {event} #{nth}"
do = "{what} {end}"
for = "{cycles} cycles"
"""

# Steps after which a slot or the link stands in another state.
STEPS = [
    EventCode.OPENED,
    EventCode.REFLECTION_HEARD,
    EventCode.DECIDED,
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
    EventCode.SENT,
    EventCode.RECEIVED,
    EventCode.ENABLED,
    EventCode.SYNC_HEARD,
    EventCode.SYNC_ACK_HEARD,
    EventCode.SESSION_ADOPTED,
]


@requirement("OAE-TXN-009", "OAE-TXN-033", "OAE-LNK-029", "OAE-PRM-006", "OAE-PRM-007")
@pytest.mark.parametrize("what", ["crash", "amnesia"])
@pytest.mark.parametrize("event", STEPS, ids=lambda code: code.name)
def test_a_restart_after_this_step(event: EventCode, what: str, tmp_path: Path) -> None:
    """Both ends follow the reference end through it, and everything resolves."""
    for end in "ab":
        struck = 0
        for nth in (1, 2, 4):
            text = BASE.format(
                event=event.name, nth=nth, what=what, end=end, cycles=1 + 6 * (nth % 3)
            )
            run = play(text, tmp_path / f"{end}{nth}", seed=nth)
            assert run.stop == "resolved", f"{end}, {nth}: {run.stop}"
            struck += run.events[EventCode[what.upper()]]
        assert struck, f"the step never came for {end}"


def test_every_channel_is_in_the_list() -> None:
    """The list above names steps of every unit."""
    assert {code >> 4 for code in STEPS} == {channel for channel in Channel if channel}
