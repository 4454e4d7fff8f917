"""One end hears what a correct peer cannot send, and nobody has declared it: the run must fail."""

import cocotb
from oae import frame as frames
from oae.frame import Frame
from oae.model import end as ends
from oae.spec.constants import EventCode, Operation
from oae.testing import requirement

from cocotb_tests.end.end_bench import connected


@cocotb.test()
@requirement("OAE-SIM-017")
async def a_commit_of_another_record(dut):
    """COMMIT of a reflected record with another digest: told, counted, and asserted."""
    bench, peer = await connected(dut)
    peer.submit(b"reflected")
    for image in peer.speak():
        bench.hear(image)
    await bench.until(lambda: bench.code_cycles(EventCode.REFLECTED))
    session = ends.transmit_session(peer.end)
    digest = bench.follower.end.responder.slots[0].digest ^ 1
    bench.hear(frames.encode(Frame(Operation.COMMIT, 0, digest, link_session=session)))
    await bench.until(lambda: bench.code_cycles(EventCode.RESPONDER_VIOLATION))
    await bench.step(4)


@cocotb.test()
async def nothing_is_wrong(dut):
    """An end that comes up asserts nothing."""
    bench, _ = await connected(dut)
    await bench.check_rest()
