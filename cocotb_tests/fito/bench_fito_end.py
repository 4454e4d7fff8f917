"""What one end of a FITO link does: it delivers on arrival, acknowledges, tries again, gives up."""

from itertools import pairwise

import cocotb
from oae.model import end as ends
from oae.spec.constants import AbortReason, EventCode, Operation, Outcome
from oae.testing import requirement

from cocotb_tests.fito.fito_bench import data, fito, join
from cocotb_tests.reference_peer import operation_of

RETRY_CYCLES = int(cocotb.plusargs["retry_cycles"])
RETRIES = 31
RECORD = b"the one record"


@cocotb.test()
@requirement("OAE-CMP-001")
async def the_ack_is_the_decision(dut):
    """DATA, ACK, told COMMITTED: and no frame but DATA."""
    bench, peer = await fito(dut)
    bench.submit(RECORD, tag=7)
    await bench.converse(peer, lambda: bench.ids(EventCode.TOLD))
    assert [(c.tag, c.outcome) for c in bench.completed] == [(7, Outcome.COMMITTED)]
    assert bench.sent_ids(Operation.DATA) == [0]
    handshake = {Operation.SYNC, Operation.SYNC_ACK}
    assert {operation_of(image) for image in bench.sent} - handshake == {Operation.DATA}
    assert bench.code_cycles(EventCode.DECIDED)[0] < bench.code_cycles(EventCode.TOLD)[0]


@cocotb.test()
@requirement("OAE-CMP-001")
async def a_record_is_delivered_on_arrival_and_then_acknowledged(dut):
    """No COMMIT is needed, and no ACK goes before the host has the record."""
    bench, peer = await fito(dut)
    bench.deliver_ready = lambda cycle: False
    bench.hear(data(peer, 0, RECORD))
    await bench.step(200)
    assert bench.ids(EventCode.COMMIT_HEARD) == [0]
    assert bench.sent_ids(Operation.ACK) == []
    bench.deliver_ready = lambda cycle: True
    await bench.until(lambda: bench.sent_ids(Operation.ACK))
    assert [d.record for d in bench.delivered] == [RECORD]


@cocotb.test()
@requirement("OAE-CMP-001")
async def without_an_ack_it_sends_again_and_then_gives_up(dut):
    """RETRIES repeats, RETRY_CYCLES apart; then a failure, and a late ACK changes nothing."""
    bench, peer = await fito(dut)
    bench.submit(RECORD, tag=3)
    await bench.until(lambda: bench.completed, (RETRIES + 2) * (RETRY_CYCLES + 50))
    assert bench.sent_ids(Operation.DATA) == [0] * (1 + RETRIES)
    retried = bench.code_cycles(EventCode.RETRIED)
    assert len(retried) == RETRIES
    steps = [after - before for before, after in pairwise(retried)]
    assert all(RETRY_CYCLES <= step <= RETRY_CYCLES + 20 for step in steps), steps
    told = [(c.tag, c.outcome, c.reason) for c in bench.completed]
    assert told == [(3, Outcome.ABORTED, AbortReason.NONE)]
    await bench.converse(peer, lambda: bench.ids(EventCode.ANSWER_IGNORED))
    assert len(bench.completed) == 1


@cocotb.test()
@requirement("OAE-CMP-001")
async def a_duplicate_is_acknowledged_and_not_delivered(dut):
    """The ACK may have been lost."""
    bench, peer = await fito(dut)
    for _ in range(3):
        bench.hear(data(peer, 0, RECORD))
        await bench.step(60)
    assert len(bench.delivered) == 1
    assert bench.sent_ids(Operation.ACK) == [0, 0, 0]


@cocotb.test()
@requirement("OAE-CMP-001")
async def delivery_is_in_order(dut):
    """What comes early waits."""
    bench, peer = await fito(dut)
    for id in (2, 1, 0):
        bench.hear(data(peer, id, bytes([id])))
    await bench.until(lambda: len(bench.delivered) == 3)
    assert [d.record for d in bench.delivered] == [b"\0", b"\1", b"\2"]


@cocotb.test()
@requirement("OAE-CMP-002")
async def a_crash_keeps_what_is_durable(dut):
    """Duplicates are still known after a crash, and what was not acknowledged goes again."""
    bench, peer = await fito(dut)
    bench.hear(data(peer, 0, RECORD))
    bench.submit(RECORD)
    await bench.until(lambda: bench.delivered and bench.sent_ids(Operation.DATA))
    bench.lose()
    await bench.restart()
    peer.crash()
    await join(bench, peer)
    bench.hear(data(peer, 0, RECORD))
    await bench.converse(peer, lambda: bench.completed)
    await bench.until(lambda: bench.ids(EventCode.ANSWER_REPEATED))
    assert len(bench.delivered) == 1
    assert [c.outcome for c in bench.completed] == [Outcome.COMMITTED]


@cocotb.test()
@requirement("OAE-CMP-002")
async def a_crash_that_forgets_delivers_again(dut):
    """Volatile memory (a crash is amnesia): the sender's host is told a failure and tries again."""
    bench, peer = await fito(dut)
    peer.submit(RECORD)
    for image in peer.speak():
        bench.hear(image)
    await bench.until(lambda: bench.delivered)
    bench.lose()  # the ACK
    await bench.restart(amnesia=True)
    await join(bench, peer)
    assert [told[1:] for told in peer.told] == [(Outcome.ABORTED, AbortReason.PEER_LOST_MEMORY)]
    peer.submit(RECORD)
    await bench.converse(peer, lambda: len(bench.delivered) == 2)
    assert [d.record for d in bench.delivered] == [RECORD, RECORD]


@cocotb.test()
@requirement("OAE-CMP-002")
async def a_sender_that_forgets_tells_nothing(dut):
    """Volatile memory: what was outstanding has no outcome; sequence numbers start again."""
    bench, peer = await fito(dut)
    bench.submit(RECORD)
    await bench.until(lambda: bench.sent_ids(Operation.DATA))
    await bench.restart(amnesia=True)
    await join(bench, peer)
    assert bench.completed == []
    bench.submit(RECORD, tag=5)
    await bench.converse(peer, lambda: bench.completed)
    assert [(c.tag, c.id, c.outcome) for c in bench.completed] == [(5, 0, Outcome.COMMITTED)]


@cocotb.test()
@requirement("OAE-CMP-002")
async def a_peer_that_forgot_fails_what_was_not_acknowledged(dut):
    """A new session of the peer is a new connection."""
    bench, peer = await fito(dut)
    bench.submit(RECORD)
    await bench.until(lambda: bench.sent_ids(Operation.DATA))
    bench.lose()
    peer.amnesia()
    await bench.converse(peer, lambda: bench.completed and bench.up)
    told = [(c.outcome, c.reason) for c in bench.completed]
    assert told == [(Outcome.ABORTED, AbortReason.PEER_LOST_MEMORY)]


@cocotb.test()
@requirement("OAE-CMP-001")
async def what_the_sender_gave_up_is_skipped(dut):
    """An id beyond the window proves that the sender is past it; what waited behind is discarded.

    What comes before the gap ends is kept.
    """
    bench, peer = await fito(dut)
    window = bench.parameters.window
    bench.hear(data(peer, 1, b"1"))
    bench.hear(data(peer, 3, b"3"))
    await bench.step(100)
    assert bench.delivered == []
    bench.hear(data(peer, window, b"beyond"))  # 0 is given up; 1 may still come again
    await bench.until(lambda: bench.sent_ids(Operation.ACK))
    assert [d.record for d in bench.delivered] == [b"1"]
    bench.hear(data(peer, window + 4, b"beyond"))  # so are 2 and what is below 5
    await bench.until(lambda: len(bench.ids(EventCode.SKIPPED)) == 4)
    assert bench.ids(EventCode.SKIPPED) == [0, 2, 3, 4]
    bench.hear(data(peer, 5, b"5"))
    await bench.until(lambda: len(bench.delivered) == 2)
    assert [d.record for d in bench.delivered] == [b"1", b"5"]


@cocotb.test()
@requirement("OAE-CMP-001")
async def a_refusal_is_silence(dut):
    """The sender tries again until the host accepts."""
    bench, peer = await fito(dut)
    bench.config = bench.config._replace(accept=False)
    bench.hear(data(peer, 0, RECORD))
    await bench.until(lambda: bench.ids(EventCode.REFUSED))
    await bench.step(60)
    assert bench.sent_ids(Operation.ACK) == []
    bench.config = bench.config._replace(accept=True)
    bench.hear(data(peer, 0, RECORD))
    await bench.until(lambda: bench.sent_ids(Operation.ACK))
    assert [d.record for d in bench.delivered] == [RECORD]


@cocotb.test()
@requirement("OAE-CMP-001")
async def nothing_can_be_taken_back(dut):
    """There is no ABORT."""
    bench, peer = await fito(dut)
    bench.submit(RECORD, tag=9)
    await bench.until(lambda: bench.ids(EventCode.OPENED))
    bench.cancels.append(9)
    await bench.converse(peer, lambda: bench.completed)
    assert bench.ids(EventCode.CANCEL_IGNORED) == [9]
    assert [c.outcome for c in bench.completed] == [Outcome.COMMITTED]


@cocotb.test()
@requirement("OAE-CMP-001")
async def an_epoch_advance_takes_effect_on_arrival(dut):
    """At the receiver at once, at the sender with the ACK; an unprepared one is not accepted."""
    bench, peer = await fito(dut)
    advance = data(peer, 0, (3).to_bytes(4, "big"), kind=1)
    bench.hear(advance)
    await bench.until(lambda: bench.ids(EventCode.REFUSED))
    bench.config = bench.config._replace(prepared=3)
    bench.hear(advance)
    await bench.until(lambda: bench.sent_ids(Operation.ACK))
    assert int(dut.status_converged.value) == 3
    peer.host = ends.Host(prepared=4)
    bench.submit((4).to_bytes(4, "big"), kind=1)
    await bench.converse(peer, lambda: bench.completed)
    await bench.step(2)
    assert int(dut.status_converged.value) == 4
