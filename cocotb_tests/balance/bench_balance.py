"""Balance: every input, against section 4 of the protocol and the codes of the appendix."""

from itertools import product

import cocotb
from cocotb.triggers import Timer
from oae.model import initiator as initiators
from oae.model import responder as responders
from oae.model.parameters import Parameters
from oae.spec.constants import State
from oae.testing import requirement

# The appendix's codes, as they stand on the wire.
PLUS_ZERO, PLUS_ONE, MINUS_ZERO, PLUS_INFINITY = 3, 4, 2, 5
ONE = Parameters(window=1)


async def balance(dut, known: bool, busy: bool, unresolved: bool) -> tuple[bool, int, int]:
    """What the unit makes of its inputs: whether it is valid, initiator, responder."""
    dut.session_known.value = int(known)
    dut.initiator_busy.value = int(busy)
    dut.responder_unresolved.value = int(unresolved)
    await Timer(1, "ns")
    return bool(dut.valid.value), int(dut.initiator.value), int(dut.responder.value)


@cocotb.test()
@requirement("OAE-TXN-036")
async def every_input(dut):
    """The two roles do not look at one another, and a session that is not known changes neither."""
    for known, busy, unresolved in product((False, True), repeat=3):
        assert await balance(dut, known, busy, unresolved) == (
            known,
            PLUS_ONE if busy else PLUS_ZERO,
            PLUS_INFINITY if unresolved else MINUS_ZERO,
        )


@cocotb.test()
@requirement("OAE-TXN-036")
async def every_state_of_a_slot(dut):
    """Of the six states at either end: which of them hold a push."""
    for mine, theirs, delivered in product(State, State, (False, True)):
        outgoing = initiators.initial(ONE).slots[0]._replace(state=mine)
        incoming = responders.initial(ONE).slots[0]._replace(state=theirs, delivered=delivered)
        initiator = initiators.initial(ONE)._replace(slots=(outgoing,))
        responder = responders.initial(ONE)._replace(slots=(incoming,))
        outstanding = mine != State.IDLE
        holds = theirs in (State.TENTATIVE, State.REFLECTING, State.REVERSING) or (
            theirs == State.COMMITTED and not delivered
        )
        assert await balance(dut, True, initiator.busy, responder.unresolved) == (
            True,
            PLUS_ONE if outstanding else PLUS_ZERO,
            PLUS_INFINITY if holds else MINUS_ZERO,
        )
