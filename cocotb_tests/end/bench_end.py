"""One end against the reference end: directed tests of requirements that need whole frames."""

import itertools
import random
from collections import Counter

import cocotb
from oae import frame as frames
from oae.check.follower import Completed, Delivered
from oae.frame import Frame, Sync
from oae.model import end as ends
from oae.spec.constants import (
    BALANCE_OF,
    Balance,
    Channel,
    EventCode,
    LinkState,
    MalformedReason,
    Operation,
    Outcome,
)
from oae.testing import requirement

from cocotb_tests.end.end_bench import RECORD_MAX, WINDOW, EndBench, connected
from cocotb_tests.reference_peer import ReferencePeer, id_of, operation_of

SIZES = sorted({size for size in (1, 7, 8, 9, 63, 64, 65, RECORD_MAX) if size <= RECORD_MAX})


def balance(image: bytes) -> Balance:
    return Balance(image[14] >> 5)


@cocotb.test()
@requirement("OAE-VEC-001", "OAE-LNK-005", "OAE-LNK-028")
async def vector_1_sync_is_answered_and_the_link_comes_up(dut):
    """Appendix, vector 1: SYNC +0, answered by SYNC_ACK -0; connected. No beats are needed."""
    bench, peer = await connected(dut)
    assert balance(next(f for f in bench.sent if operation_of(f) == Operation.SYNC)) == 3
    assert balance(next(f for f in bench.sent if operation_of(f) == Operation.SYNC_ACK)) == 2
    assert bench.up
    assert peer.up
    await bench.check_rest()


@cocotb.test()
@requirement("OAE-VEC-002", "OAE-PRM-002", "OAE-PRM-003", "OAE-TXN-036")
async def vector_2_a_push_in_each_direction(dut):
    """Appendix, vector 2: DATA +1, ACK +0; and the two frames that follow, both ways at once."""
    bench, peer = await connected(dut)
    for size in SIZES:
        record, answer = random.randbytes(size), random.randbytes(size)
        told = len(bench.completed)
        bench.submit(record, tag=size)
        peer.submit(answer, tag=size)
        await bench.converse(peer, lambda t=told: len(bench.completed) > t and len(peer.told) > t)
        assert bench.completed[-1].outcome == Outcome.COMMITTED
        assert peer.delivered[-1] == record
        assert bench.delivered[-1].record == answer
    data = next(f for f in bench.sent if operation_of(f) == Operation.DATA)
    ack = next(f for f in bench.sent if operation_of(f) == Operation.ACK)
    assert (balance(data), balance(ack)) == (Balance.PLUS_ONE, Balance.PLUS_ZERO)
    await bench.check_rest()


@cocotb.test(skip=WINDOW == 1)  # two transactions at once
@requirement("OAE-VEC-004", "OAE-LNK-014")
async def vector_4_after_a_loss_sync_brings_back_only_what_is_missing(dut):
    """Appendix, vector 4: DATA is lost; SYNC finds the state; what is missing is sent again."""
    bench, peer = await connected(dut)
    bench.submit(b"arrives")
    bench.submit(b"is lost")
    await bench.until(lambda: sum(operation_of(f) == Operation.DATA for f in bench.sent) == 2)
    arrives, lost = (f for f in bench.sent if operation_of(f) == Operation.DATA)
    peer.hear(arrives)
    bench.lose()
    before = len(bench.sent)
    peer.crash()  # it starts with SYNC
    await bench.converse(peer, lambda: len(bench.completed) == 2)
    again = [id_of(f) for f in bench.sent[before:] if operation_of(f) == Operation.DATA]
    assert id_of(lost) in again
    assert peer.delivered == [b"arrives", b"is lost"]
    await bench.check_rest()


@cocotb.test()
@requirement("OAE-PRF-001", "OAE-PRF-002")
async def latency(dut):
    """With the transmitter idle: last DATA beat in to first ACK beat out, at most 8 cycles; DATA's
    first beat out to the decision, less the beats of DATA and ACK, at most 16.
    """
    bench, peer = await connected(dut)
    await bench.step(20)
    sent = len(bench.sent)
    peer.submit(bytes(min(64, RECORD_MAX)))
    await bench.converse(peer, lambda: len(bench.sent) > sent)
    assert operation_of(bench.sent[sent]) == Operation.ACK
    reflection = bench.sent_at[sent][0] - bench.heard_at[-1]
    dut._log.info("last beat of DATA in to first beat of ACK out: %d cycles", reflection)
    assert reflection <= 8
    await bench.converse(peer, lambda: peer.told)
    await bench.step(20)
    sent = len(bench.sent)
    bench.submit(bytes(min(64, RECORD_MAX)))
    await bench.converse(peer, lambda: bench.completed)
    first, last = bench.sent_at[sent]
    heard = next(at for at in bench.heard_at if at > last)
    decided = bench.code_cycles(EventCode.DECIDED)[-1]
    # The two ends' own shares: here the peer takes none, there it takes `reflection`.
    net = (decided - heard) + reflection
    dut._log.info("decision, less the beats of DATA and ACK: %d cycles", net)
    assert last - first + 1 == max(8, (32 + min(64, RECORD_MAX) + 7) // 8)
    assert net <= 16


def malformed_frames(bench: EndBench, peer: ReferencePeer) -> list[tuple[bytes, bool, int]]:
    """One frame for each malformed reason: image, bad from the MAC, reason."""
    session = ends.transmit_session(peer.end)
    ack = bytearray(frames.encode(Frame(Operation.ACK, 7, 0x1234, link_session=session)))
    data = bytearray(
        frames.encode(Frame(Operation.DATA, 0, 0x1234, link_session=session, record=b"12345678"))
    )

    def changed(image: bytearray, at: int, value: int) -> bytes:
        return bytes(image[:at]) + bytes([value]) + bytes(image[at + 1 :])

    foreign = frames.encode(Frame(Operation.ACK, 7, 0x1234, link_session=session ^ 1))
    return [
        (bytes(ack), True, MalformedReason.BAD_FROM_MAC),
        (bytes(ack[:59]), False, MalformedReason.TOO_SHORT),
        (changed(ack, 14, 31), False, MalformedReason.UNKNOWN_OPERATION),
        (changed(ack, 14, ack[14] ^ 0xE0), False, MalformedReason.WRONG_BALANCE),
        (changed(data, 23, 9), False, MalformedReason.UNKNOWN_KIND),
        (changed(data, 18, 12), False, MalformedReason.BAD_LENGTH),
        (changed(ack, 40, ack[40] ^ 1), False, MalformedReason.BAD_GUARD),
        (foreign, False, MalformedReason.WRONG_LINK_SESSION),
        (bytes(data), False, MalformedReason.WRONG_DIGEST),
    ]


@cocotb.test()
@requirement("OAE-END-001", "OAE-FRM-002")
async def each_malformed_reason_moves_one_counter_and_nothing_else(dut):
    """A foreign, unsupported or malformed frame: one event, one counter, and the state stands."""
    bench, peer = await connected(dut)
    before = bench.follower.end
    cases = malformed_frames(bench, peer)
    assert [reason for _, _, reason in cases] == list(MalformedReason)
    for image, bad, reason in cases:
        events = len(bench.events)
        bench.hear(image, bad)
        await bench.step(24)
        told = [event for _, event in bench.events[events:]]
        assert [(e.code, e.info) for e in told[:1]] == [(EventCode.MALFORMED, reason)]
        # A foreign link session starts a challenge, if the last is long enough ago.
        assert all(e.code in (EventCode.FOREIGN_SESSION, EventCode.SENT) for e in told[1:])
        after = bench.follower.end
        assert (after.initiator, after.responder) == (before.initiator, before.responder)
    foreign = frames.encode(Frame(Operation.ACK, 7, 0), ethertype=0x0800)
    bench.hear(foreign)
    reserved = bytes([BALANCE_OF[Operation.REQ] << 5 | Operation.REQ])
    ack = frames.encode(Frame(Operation.ACK, 7, 0))
    bench.hear(ack[:14] + reserved + ack[15:])
    await bench.step(24)
    codes = [event.code for _, event in bench.events[-2:]]
    assert codes == [EventCode.FOREIGN, EventCode.UNSUPPORTED]
    await bench.check_rest()


@cocotb.test()
@requirement("OAE-TXN-028")
async def receiving_never_waits(dut):
    """With every output stalled, minimum frames back to back are all taken at line rate."""
    bench, peer = await connected(dut)
    bench.mac_ready = bench.deliver_ready = bench.completion_ready = lambda cycle: False
    for n in range(WINDOW):
        peer.submit(bytes([n]))
    flood = peer.speak()
    for _ in range(4):
        for image in flood:
            bench.hear(image)
    await bench.until(lambda: not bench.mac_in)
    assert bench.mac_never_waited
    await bench.step(10)
    assert len(bench.code_cycles(EventCode.REFLECTED)) == WINDOW
    bench.mac_ready = bench.deliver_ready = bench.completion_ready = lambda cycle: True
    await bench.converse(peer, lambda: len(peer.told) == WINDOW)
    assert [d.record for d in bench.delivered] == [bytes([n]) for n in range(WINDOW)]
    await bench.check_rest()


@cocotb.test()
@requirement("OAE-TXN-027", "OAE-PRM-002")
async def stalls_on_every_interface(dut):
    """Random stalls on every stream change no outcome."""
    bench, peer = await connected(dut)
    generator = random.Random(5)

    def often(_: int) -> bool:
        return generator.random() < 0.4

    bench.mac_ready = bench.deliver_ready = bench.completion_ready = often
    records = [random.randbytes(random.randint(1, RECORD_MAX)) for _ in range(3 * WINDOW)]
    answers = iter([bytes([n, n]) for n in range(2 * WINDOW)])
    for tag, record in enumerate(records):
        bench.submit(record, tag=tag)
    waiting = list(answers)

    def done() -> bool:
        while waiting and sum(s.state != 0 for s in peer.end.initiator.slots) < WINDOW:
            peer.submit(waiting.pop(0))
        return len(bench.completed) == 3 * WINDOW and len(peer.told) == 2 * WINDOW

    await bench.converse(peer, done, limit=12000)
    assert peer.delivered == records
    assert [d.record for d in bench.delivered] == [bytes([n, n]) for n in range(2 * WINDOW)]
    await bench.check_rest()


def images(peer: ReferencePeer) -> list[bytes]:
    """Frames that the end would take from its peer as it is now, of every operation."""
    session = ends.transmit_session(peer.end)
    link, next_id = peer.end.link, peer.end.initiator.next_id
    size = Sync(peer.session + 1, link.verified, 0, 1, RECORD_MAX, WINDOW)
    others = (Operation.COMMIT, Operation.ABORT, Operation.ACK, Operation.DONE, Operation.ABORTED)
    return [
        *(frames.encode(Frame(other, next_id, 0x1234, link_session=session)) for other in others),
        frames.encode(Frame(Operation.NOP, operand=0x8001_0000, link_session=session)),
        frames.encode(Frame(Operation.SYNC, sync=size)),
    ]


@cocotb.test(skip=RECORD_MAX < 64)
@requirement("OAE-TXN-031", "OAE-PRM-002")
async def a_record_that_is_a_frame(dut):
    """The image of a frame that would be taken arrives as the record that it is, both ways, and
    moves nothing else.
    """
    bench, peer = await connected(dut)
    for n, image in enumerate(images(peer)):
        heard, events = len(bench.heard_at), len(bench.events)
        verdict = frames.decode(image, **ends.listening(bench.follower.end)._asdict())
        assert isinstance(verdict, frames.Received)
        bench.submit(image, tag=n)
        peer.submit(image, tag=n)
        await bench.converse(peer, lambda n=n: len(bench.completed) > n and len(peer.told) > n)
        await bench.step(20)
        assert bench.delivered[-1] == Delivered(image, n)
        assert peer.delivered[-1] == image
        # One verdict a frame, and every frame is one of the two transactions'.
        told = [event for _, event in bench.events[events:]]
        received = [event for event in told if event.channel == Channel.RECEIVE]
        assert len(received) == len(bench.heard_at) - heard
        heard_of = Counter(event.info for event in received)
        assert {event.code for event in received} == {EventCode.RECEIVED}
        expected = (Operation.DATA, Operation.COMMIT, Operation.ACK, Operation.DONE)
        assert heard_of == dict.fromkeys(expected, 1)
        assert not [event for event in told if event.channel == Channel.LINK]
    assert bench.up
    await bench.check_rest()


@cocotb.test()
@requirement("OAE-TXN-030", "OAE-TXN-031", "OAE-TXN-032")
async def a_restart_in_mid_packet_on_every_stream(dut):
    """Crash and amnesia after every beat of a received and a sent DATA frame, of a submitted and a
    delivered record: the rest of an input is swallowed, an output is closed with one bad beat.
    The records are frames that the end would take, so what is not swallowed is seen.
    """
    bench, peer = await connected(dut)
    bench.mac_ready = bench.deliver_ready = lambda cycle: cycle % 3 != 0
    size = 64 if RECORD_MAX >= 64 else RECORD_MAX
    record_beats, frame_beats = -(-size // 8), max(8, 4 + -(-size // 8))
    lengths = {"submit": record_beats, "deliver": record_beats}
    lengths |= {"receive": frame_beats, "transmit": frame_beats}
    records: set[bytes] = set()

    def record() -> bytes:
        # DATA's own header is four beats, a record begins where a beat does.
        chosen = random.choice(images(peer))
        chosen = chosen.ljust(size, b"\0") if size == 64 else random.randbytes(size)
        records.add(chosen)
        return chosen

    def busy() -> None:
        """Something is on its way in both lanes."""
        if not bench.submits and not bench.follower.end.initiator.busy:
            bench.submit(record())
        if peer.up and not peer.end.link.changing and not peer.end.initiator.busy:
            peer.submit(record())

    def strikes(wanted: set[tuple[str, int]]) -> bool:
        busy()
        return bool(bench.inside() & wanted)

    for amnesia in (False, True):
        every = {(name, n) for name, beats in lengths.items() for n in range(1, beats)}
        wanted = set(every)
        while wanted:
            await bench.converse(peer, lambda w=wanted: strikes(w))
            struck = bench.inside()
            await bench.restart(amnesia)
            assert struck <= every, f"longer than it is: {struck - every}"
            wanted -= struck
            await bench.converse(peer, lambda: bench.up and peer.up)
    assert {record for record, _ in bench.delivered} | {*peer.delivered} <= records
    assert bench.cut_deliveries >= 2 * (record_beats - 1)
    await bench.converse(
        peer,
        lambda: (
            not bench.submits
            and not peer.end.initiator.busy
            and not bench.follower.end.initiator.busy
        ),
    )
    dut._log.info("%d cycles", bench.cycle)
    await bench.check_rest()


@cocotb.test()
@requirement("OAE-LNK-025", "OAE-LNK-026", "OAE-LNK-027")
async def a_dead_direction_is_reported_within_the_configured_beats(dut):
    """Silence for FAULT_BEATS x BEAT_IDLE cycles is FAULT; a completed challenge is the way out."""
    idle, fault = int(dut.BEAT_IDLE.value), int(dut.FAULT_BEATS.value)
    bench, peer = await connected(dut, beats=True)
    quiet_since = bench.heard_at[-1]
    await bench.until(lambda: not bench.up, limit=idle * fault + 100)
    await bench.step(2)
    assert int(dut.status_link_state.value) == LinkState.FAULT
    assert not bool(dut.status_incoming_alive.value)
    dead = bench.code_cycles(EventCode.INCOMING_DEAD)[-1]
    assert idle * fault <= dead - quiet_since <= idle * fault + 8
    await bench.converse(peer, lambda: bench.up)
    assert bool(dut.status_incoming_alive.value)
    # The other direction: beats are heard, their echo stands still while a slot waits.
    await bench.converse(peer, lambda: peer.up)
    bench.submit(b"unheard")
    word = peer.beat()
    for _ in range(fault * idle):
        if not bench.up:
            break
        if bench.cycle % 64 == 0:
            bench.hear(word)
        await bench.step()
    await bench.step(2)
    assert bench.code_cycles(EventCode.OUTGOING_DEAD)
    assert not bool(dut.status_outgoing_alive.value)


@cocotb.test()
@requirement("OAE-TXN-037", "OAE-TXN-038")
async def records_that_become_no_transaction(dut):
    """Too long, empty or ill-formed records are told so and take no id; tuser: never existed."""
    bench, peer = await connected(dut)
    bench.submit(bytes(RECORD_MAX + 1), tag=1)
    bench.submit(bytes(3 * RECORD_MAX), tag=2)
    bench.submit(b"123", tag=3, kind=1)
    bench.submit(b"1", tag=4, kind=2)
    bench.submit(b"never", tag=5, bad=True)
    bench.submit(bytes(RECORD_MAX), tag=6)
    await bench.converse(peer, lambda: len(bench.completed) == 5)
    aborted = Outcome.ABORTED
    assert bench.completed[:4] == [
        Completed(1, 0, 0, aborted, 6),
        Completed(2, 0, 0, aborted, 6),
        Completed(3, 0, 1, aborted, 7),
        Completed(4, 0, 2, aborted, 7),
    ]
    assert bench.completed[4] == Completed(6, 0, 0, Outcome.COMMITTED, 0)
    await bench.check_rest()


@cocotb.test()
@requirement("OAE-TXN-004", "OAE-TXN-011")
async def cancel_and_refusal(dut):
    """A cancelled record and a refused one are ABORTED at both ends and never delivered."""
    bench, peer = await connected(dut)
    bench.submit(b"taken", tag=9)
    await bench.until(lambda: bench.code_cycles(EventCode.OPENED))
    bench.cancels.append(9)
    bench.cancels.append(1234)
    await bench.converse(peer, lambda: bench.completed)
    assert bench.completed[-1].outcome == Outcome.ABORTED
    bench.config = bench.config._replace(accept=False)
    peer.submit(b"refused", tag=3)
    await bench.converse(peer, lambda: peer.told)
    assert peer.told == [(3, Outcome.ABORTED, 2)]
    assert not peer.delivered
    assert not bench.delivered
    await bench.check_rest()


@cocotb.test()
@requirement("OAE-EPO-001", "OAE-EPO-005", "OAE-EPO-006", "OAE-EPO-007")
async def epochs(dut):
    """An advance converges both ends; data of another epoch is refused; the epoch is taken once
    nothing is unresolved.
    """
    bench, peer = await connected(dut, prepared=5)
    peer.host = peer.host._replace(prepared=5)
    for epoch in (1, 2):
        bench.submit(epoch.to_bytes(4, "big"), tag=epoch, kind=1)
        told = len(bench.completed)
        await bench.converse(peer, lambda t=told: len(bench.completed) > t)
        assert bench.completed[-1].outcome == Outcome.COMMITTED
        await bench.step(2)
        assert int(dut.status_converged.value) == peer.end.link.converged == epoch
    peer.submit((4).to_bytes(4, "big"), kind=1)
    await bench.converse(peer, lambda: peer.told)
    assert int(dut.status_converged.value) == 4
    assert not bench.delivered
    assert not peer.delivered
    peer.submit((6).to_bytes(4, "big"), kind=1)
    await bench.converse(peer, lambda: len(peer.told) == 2)
    assert peer.told[-1][1:] == (Outcome.ABORTED, 4)
    bench.config = bench.config._replace(epoch=4)
    await bench.until(lambda: int(dut.status_epoch.value) == 4)
    peer.submit(b"old")
    await bench.converse(peer, lambda: len(peer.told) == 3)
    assert peer.told[-1][1:] == (Outcome.ABORTED, 3)
    await bench.check_rest()


@cocotb.test()
@requirement("OAE-LNK-017", "OAE-LNK-018", "OAE-LNK-019")
async def the_peer_loses_its_memory(dut):
    """Undecided records are told ABORTED, decided ones UNKNOWN, reflected ones doubted; ids start
    again at 0.
    """
    bench, peer = await connected(dut)
    peer.deliver_stalled = True
    bench.submit(b"decided", tag=1)
    await bench.converse(peer, lambda: peer.end.responder.slots[0].state == 3)
    peer.submit(b"reflect")
    for image in peer.speak():
        bench.hear(image)
    await bench.step(40)
    bench.submit(b"open", tag=2)
    await bench.step(40)
    peer.deliver_stalled = False
    peer.amnesia()
    await bench.converse(peer, lambda: bench.up and peer.up)
    outcomes = {c.tag: c.outcome for c in bench.completed}
    assert outcomes[1] == Outcome.UNKNOWN
    if WINDOW > 1:
        assert outcomes[2] == Outcome.ABORTED
    assert len(bench.doubted) == 1
    told = len(bench.completed)
    bench.submit(b"new pair", tag=3)
    await bench.converse(peer, lambda: len(bench.completed) > told + (WINDOW == 1))
    assert bench.completed[-1] == Completed(3, 0 if WINDOW > 1 else 1, 0, Outcome.COMMITTED, 0)
    await bench.check_rest()


@cocotb.test()
@requirement("OAE-LNK-002", "OAE-LNK-004")
async def a_sync_alone_changes_nothing(dut):
    """A SYNC of an unknown session is answered and starts a challenge; what is held stays."""
    bench, peer = await connected(dut)
    before = bench.follower.end
    stranger = ReferencePeer(bench.parameters, session=0x5EED)
    stranger.start()
    for image in stranger.speak():
        bench.hear(image)
    await bench.step(60)
    assert bench.up
    after = bench.follower.end
    assert (after.link.verified, after.link.pending) == (before.link.verified, None)
    codes = [operation_of(image) for image in bench.sent[-2:]]
    assert codes == [Operation.SYNC_ACK, Operation.SYNC]
    await bench.converse(peer, lambda: not bench.follower.end.link.outstanding)
    assert bench.up


@cocotb.test()
@requirement("OAE-LNK-003", "OAE-LNK-007")
async def a_repeated_challenge_is_the_same_challenge(dut):
    """Without an answer the same SYNC goes again, every SYNC_INTERVAL."""
    bench = await EndBench(dut).start()
    interval = int(dut.SYNC_INTERVAL.value)
    await bench.step(4 * interval)
    assert len(bench.sent) == 4
    assert len(set(bench.sent)) == 1
    starts = [first for first, _ in bench.sent_at]
    gaps = [after - before for before, after in itertools.pairwise(starts)]
    assert all(interval <= gap <= interval + 4 for gap in gaps)


@cocotb.test(skip=WINDOW == 1)  # a decision and a new record at once
@requirement("OAE-LNK-015")
async def an_owed_sync_ack_goes_before_commit_and_data(dut):
    """With COMMIT, DATA and SYNC_ACK all owed, SYNC_ACK is the first to go."""
    bench, peer = await connected(dut)
    bench.submit(b"decided")
    sent = len(bench.sent)
    await bench.until(lambda: len(bench.sent) > sent)
    bench.mac_ready = lambda cycle: False
    bench.submit(b"fresh 1")
    bench.submit(b"fresh 2")
    peer.hear(bench.sent[sent])
    bench.lose()
    for image in peer.speak():  # the ACK
        bench.hear(image)
    peer.crash()
    for image in peer.speak():  # the SYNC
        bench.hear(image)
    await bench.step(60)
    assert bench.code_cycles(EventCode.DECIDED)
    sent = len(bench.sent)
    bench.mac_ready = lambda cycle: True
    await bench.until(lambda: len(bench.sent) > sent + 2)
    # At most two frames were with the builder before.
    order = [operation_of(image) for image in bench.sent[sent:]]
    assert Operation.SYNC_ACK in order[:3]
    assert Operation.COMMIT not in order[: order.index(Operation.SYNC_ACK)]
    await bench.converse(peer, lambda: len(bench.completed) == 3)
