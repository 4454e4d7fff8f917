"""Two ends whose numbers are of different incarnations: what becomes of a record between them."""

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from oae.epoch.hardware.recovery import number_of
from oae.model import Event, NotAllowedError
from oae.model import end as ends
from oae.spec.constants import AbortReason, EventCode, MalformedReason
from oae.testing import requirement

from host.tests.test_model_end import Pair

NEAR = 1 << 15
NUMBERS = st.integers(0, 2**32 - 1)


def sent(mine: int, other: int) -> tuple[Pair, list[Event]]:
    """A link whose ends have these epochs, after end 0 has opened a record; what end 1 did."""
    pair = Pair()
    pair.run()
    for side, number in enumerate((mine, other)):
        if number:
            pair.ends[side], _ = ends.take_epoch(pair.ends[side], number)
    pair.events.clear()
    pair.do(0, ends.open_transaction, b"record")
    pair.run()
    return pair, [event for side, event in pair.events if side == 1]


@requirement("OAE-EPH-009")
@given(NUMBERS, st.integers(1 - NEAR, NEAR - 1))
def test_data_of_a_near_number_is_refused(other: int, distance: int) -> None:
    assume(distance)
    pair, events = sent((other + distance) % 2**32, other)
    reasons = [event.info for event in events if event.code == EventCode.REFUSED]
    assert reasons == [AbortReason.EPOCH]
    assert pair.ends[0].drained


@requirement("OAE-EPH-009")
@given(NUMBERS, st.integers(NEAR + 1, 2**31))
def test_data_of_a_far_number_is_never_answered(other: int, distance: int) -> None:
    dropped_and_taken_back((other + distance) % 2**32, other)


@requirement("OAE-EPH-009")
@pytest.mark.parametrize("epoch", [0, 3, 2**16 - 1])
def test_data_of_another_incarnation_is_never_answered(epoch: int) -> None:
    dropped_and_taken_back(number_of(1, epoch), number_of(2, epoch))
    dropped_and_taken_back(number_of(2, epoch), number_of(1, epoch))


def dropped_and_taken_back(mine: int, other: int) -> None:
    """The record holds the end in its epoch until its host cancels it."""
    pair, events = sent(mine, other)
    assert [it.info for it in events if it.code == EventCode.MALFORMED] == [
        MalformedReason.WRONG_DIGEST
    ]
    assert EventCode.REFUSED not in {event.code for event in events}
    with pytest.raises(NotAllowedError):
        ends.take_epoch(pair.ends[0], other)
    pair.do(0, ends.cancel, 0)
    pair.run()
    assert pair.codes(0)[-1] == "TOLD"
    pair.ends[0], _ = ends.take_epoch(pair.ends[0], other)
    pair.events.clear()
    pair.do(0, ends.open_transaction, b"record")
    pair.run()
    assert "DELIVERED" in pair.codes(1)
