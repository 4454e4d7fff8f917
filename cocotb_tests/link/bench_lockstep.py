"""Edges that a pair of ends does not come to of itself; the reference end follows every cycle."""

import cocotb
from oae.model.parameters import Parameters
from oae.spec.constants import AbortReason, EventCode, LinkState, Operation
from oae.testing import requirement

from cocotb_tests.end.end_bench import EndBench, connected
from cocotb_tests.reference_peer import ReferencePeer, operation_of

STRANGER = 0x5EED


@cocotb.test()
@requirement("OAE-END-002", "OAE-TXN-037")
async def an_impossible_record_is_invalid_before_it_is_too_long(dut):
    """Unless it does not even fit into what is built; then nobody looks at its kind."""
    bench = await EndBench(dut).start()
    peer = ReferencePeer(Parameters(record_max=16))
    peer.start()
    await bench.converse(peer, lambda: bench.up and peer.up)
    bench.submit(bytes(24), tag=1, kind=2)
    bench.submit(bytes(24), tag=2, kind=1)
    bench.submit(bytes(24), tag=3)
    bench.submit(bytes(72), tag=4, kind=2)
    await bench.converse(peer, lambda: len(bench.completed) == 4)
    assert [completed.reason for completed in bench.completed] == [
        AbortReason.RECORD_INVALID,
        AbortReason.RECORD_INVALID,
        AbortReason.RECORD_TOO_LONG,
        AbortReason.RECORD_TOO_LONG,
    ]
    await bench.check_rest()


@cocotb.test()
@requirement("OAE-END-002", "OAE-LNK-013", "OAE-LNK-014")
async def two_causes_of_resent_in_a_row(dut):
    """A SYNC_ACK that is owed goes shortly before, or after, the step that brings the link UP."""
    bench, peer = await connected(dut, beats=True)
    apart = []
    for offset in range(-1, 5):
        # A challenge is out, and its answer is kept back.
        stranger = ReferencePeer(bench.parameters, session=STRANGER)
        stranger.start()
        for image in stranger.speak():
            bench.hear(image)
        await bench.step(80)
        challenge = [i for i in bench.sent if operation_of(i) == Operation.SYNC][-1]
        peer.hear(challenge)
        answer = next(i for i in peer.speak() if operation_of(i) == Operation.SYNC_ACK)
        # The builder is held up; a SYNC of the peer is heard; the link fails.
        bench.mac_ready = lambda cycle: False
        bench.submit(bytes(40), tag=1)
        await bench.step(40)
        peer.crash()
        for image in peer.speak():
            if operation_of(image) == Operation.SYNC:
                bench.hear(image)
        await bench.until(lambda: int(dut.status_link_state.value) == LinkState.FAULT)
        start = bench.cycle + 20
        bench.mac_ready = lambda cycle, start=start, offset=offset: cycle >= start + offset
        while bench.cycle < start:
            await bench.step(1)
        bench.hear(answer)
        await bench.step(60)
        came_up = bench.code_cycles(EventCode.SYNC_ACK_HEARD)[-1]
        sent = [
            cycle
            for cycle, event in bench.events
            if event.code == EventCode.SENT and event.info == Operation.SYNC_ACK
        ][-1]
        resent = {cycle - came_up for cycle in bench.code_cycles(EventCode.RESENT)}
        assert {cycle for cycle in resent if cycle > -10} == {2, sent - came_up + 2}
        apart.append(sent - came_up)
        bench.mac_ready = lambda cycle: True
        peer = ReferencePeer(bench.parameters, session=peer.session + 1)
        peer.start()
        await bench.converse(peer, lambda new=peer: bench.up and new.up)
    assert apart == [-2, -1, 0, 1, 2, 3]
    bench.config = bench.config._replace(beats=False)
    await bench.step(80)
    await bench.check_rest()
