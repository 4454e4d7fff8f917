"""Frames and evidence of one run against each other: what neither of them shows alone."""

import random
from collections.abc import Callable
from pathlib import Path

import numpy
import pytest
from oae import frame as codec
from oae.capture.read import Interface
from oae.check.verdict import Promise, Verdict
from oae.frame import Frame
from oae.native.packet import PacketFlag
from oae.spec.constants import EventCode, Evidence, Operation
from oae.testing import requirement

from host.tests.capture.checker_runs import Packets, captured, play


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> Packets:
    return captured(play(64, tmp_path_factory.mktemp("good")))


@pytest.fixture
def run(good: Packets) -> Packets:
    return Packets(good.interfaces, good.chunk.copy(), good.packets.copy())


def frames(run: Packets, interface: int, operation: Operation) -> list[int]:
    """The places of the frames of an operation."""
    places = numpy.flatnonzero(run.packets["interface"] == interface)
    return [
        int(at)
        for at in places
        if run.data(at)[14] & 0x1F == operation and not run.packets["flags"][at] & PacketFlag.BAD
    ]


def said(run: Packets, like: int, operation: Operation, id: int) -> bytes:
    """A frame as the one at `like`, but of another operation and id."""
    image = run.data(like)
    session, digest = (int.from_bytes(image[at : at + 4], "big") for at in (19, 28))
    record = b"nobody's" if operation is Operation.DATA else b""
    if record:
        digest = codec.digest(session, id, 0, 0, record)
    frame = Frame(operation, id, digest, link_session=session, record=record)
    return codec.encode(frame, image[:6], image[6:12])


@requirement("OAE-CHK-001")
@pytest.mark.parametrize(
    ("end", "operation", "promise"),
    [
        (0, Operation.DATA, Promise.CONSERVATION),
        (0, Operation.COMMIT, Promise.CONSERVATION),
        (0, Operation.ABORT, Promise.CONSERVATION),
        (1, Operation.ACK, Promise.UNALTERED),
        (1, Operation.DONE, Promise.NOT_BEFORE_COMMITTED),
        (1, Operation.ABORTED, Promise.NEVER_ALONE),
    ],
)
@pytest.mark.parametrize("wire", [False, True])
def test_a_frame_of_what_never_was_fails(
    run: Packets, end: int, operation: Operation, promise: Promise, wire: bool
) -> None:
    like = frames(run, 2 * end, Operation.COMMIT if end == 0 else Operation.DONE)[2]
    run.insert(like + 40, like, said(run, like, operation, 500))
    result = run.check(wire=wire)
    if wire and operation in (Operation.DATA, Operation.ABORT):
        assert result.verdict is not Verdict.FAIL  # that needs evidence
        return
    assert result.verdict is Verdict.FAIL, result.reason
    expected = Promise.AGREEMENT if wire and end == 0 else promise
    assert expected in {finding.promise for finding in result.findings if finding.id == 500}


def sent_and_removed(run: Packets) -> None:
    at = frames(run, 0, Operation.NOP)[2]
    number = run.packets["number"][at]
    received = numpy.flatnonzero(
        (run.packets["number"] == number) & (run.packets["interface"] == 3)
    )
    for place in sorted([at, *received], reverse=True):
        run.remove(int(place))


def beat_never_told(run: Packets) -> None:
    like = frames(run, 0, Operation.NOP)[2]
    run.insert(like + 20, like)


def received_and_never_told(run: Packets) -> None:
    like = frames(run, 3, Operation.NOP)[2]
    run.insert(like + 20, like)


def received_before_it_was_sent(run: Packets) -> None:
    like = frames(run, 3, Operation.COMMIT)[3]
    run.packets = numpy.insert(numpy.delete(run.packets, like), 60, run.packets[like])
    run.packets["time"][60] = run.packets["time"][59]
    run.packets["index"] = numpy.arange(1, len(run.packets) + 1)


def received_and_never_sent(run: Packets) -> None:
    like = frames(run, 3, Operation.COMMIT)[3]
    run.packets["number"][like] = 100_000


def cycle_runs_backwards(run: Packets) -> None:
    at = run.evidence(Evidence.STEP)[50]
    run.put(at, run.data(at)[:8] + (5).to_bytes(8, "big") + run.data(at)[16:])


def evidence_late(run: Packets) -> None:
    run.packets["time"][run.packets["interface"] == 4] += 1_000_000


def one_step_late(run: Packets) -> None:
    run.packets["time"][run.evidence(Evidence.STEP)[50]] += 100


def status_of_no_code(run: Packets) -> None:
    at = run.evidence(Evidence.STATUS)[4]
    run.put(at, run.data(at)[:-1] + b"\7")


def status_that_hides_a_slot(run: Packets) -> None:
    def idle(data: bytes) -> bytes:
        return data[:-2] + b"\3" + data[-1:]

    run.rewrite(Evidence.STATUS, idle)


@requirement("OAE-CHK-005")
@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        (sent_and_removed, "evidence and frames do not fit"),
        (beat_never_told, "evidence and frames do not fit"),
        (received_and_never_told, "evidence and frames do not fit"),
        (received_before_it_was_sent, "before it was sent"),
        (received_and_never_sent, "before it was sent"),
        (cycle_runs_backwards, "stands after that of cycle"),
        (evidence_late, "order of time"),
        (one_step_late, "stands at another time"),
        (status_of_no_code, "a code that none has"),
        (status_that_hides_a_slot, "its steps differ"),
    ],
)
def test_what_cannot_be_is_a_bench_error(
    run: Packets, damage: Callable[[Packets], None], reason: str
) -> None:
    damage(run)
    result = run.check()
    assert result.verdict is Verdict.BENCH_ERROR, result.reason
    assert any(reason in error.text for error in result.bench_errors), result.bench_errors


@requirement("OAE-CHK-002")
def test_a_shift_of_all_times_or_a_missing_frame_is_harmless(run: Packets) -> None:
    run.packets["time"] += 10**15
    assert run.check().verdict is Verdict.PASS
    mask = numpy.ones(len(run.packets), bool)
    mask[[*frames(run, 0, Operation.DATA)[:3], *frames(run, 3, Operation.COMMIT)[:2]]] = False
    assert run.only(mask).check().verdict is Verdict.PASS


@requirement("OAE-CHK-004")
def test_numbers_of_other_tools_are_not_trusted(run: Packets) -> None:
    """A tap from the middle whose tool counts the packets of each interface."""
    for interface in (0, 2):
        places = numpy.flatnonzero(run.packets["interface"] == interface)
        run.packets["number"][places] = numpy.arange(len(places)) - 40
    run.interfaces = [
        Interface("", *each[1:]) if number < 4 else each
        for number, each in enumerate(run.interfaces)
    ]
    tap = run.only((run.packets["interface"] % 2 == 0) & (run.packets["index"] > 200))
    result = tap.check(wire=True)
    assert result.verdict is Verdict.INCONCLUSIVE, result.reason


@requirement("OAE-CHK-002")
@pytest.mark.parametrize("length", [14, 18, 20, 24, 28, 30, 32, 46, 60])
def test_short_captures_of_one_direction_hold_nothing_against_it(run: Packets, length: int) -> None:
    alone = run.packets["interface"] == 0
    run.packets["captured"][alone] = numpy.minimum(run.packets["captured"][alone], length)
    for wire in (False, True):
        assert run.check(wire=wire).verdict is not Verdict.FAIL


@requirement("OAE-CHK-002")
@pytest.mark.parametrize("lost", [3, 60, 120])
def test_another_record_is_found_whatever_evidence_is_missing_before(
    run: Packets, lost: int
) -> None:
    at = run.evidence(Evidence.DELIVER)[8]
    data = bytearray(run.data(at))
    data[-1] ^= 1
    run.put(at, bytes(data))
    evidence = numpy.flatnonzero(run.packets["interface"] == 4)
    assert evidence[lost] < at
    result = run.only(numpy.arange(len(run.packets)) != evidence[lost]).check()
    assert result.verdict is Verdict.FAIL, result.reason
    assert {finding.promise for finding in result.findings} == {Promise.UNALTERED}


@requirement("OAE-CHK-001")
def test_amnesia_excuses_only_the_session_that_it_ended(tmp_path: Path) -> None:
    run = captured(play(17, tmp_path))  # amnesia of b
    steps = [(at, run.data(at)) for at in run.evidence(Evidence.STEP)]
    forgot = next(at for at, data in steps if data[16] == EventCode.AMNESIA)
    told = [at for at, data in steps if data[16] == EventCode.TOLD and data[2] == 0]
    completed = [at for at in run.evidence(Evidence.COMPLETE) if run.data(at)[2] == 0]
    assert told[-1] > forgot
    word = run.data(told[-1])
    run.put(told[-1], word[:19] + bytes([word[19] & 0xFC | 3]) + word[20:])
    said = run.data(completed[-1])
    run.put(completed[-1], said[:23] + b"\3" + said[24:])
    texts = [finding.text for finding in run.check().findings]
    assert any("told UNKNOWN though the peer kept its memory" in text for text in texts), texts


@requirement("OAE-CHK-002")
@pytest.mark.parametrize("wire", [False, True])
def test_a_run_after_a_run_starts_anew(run: Packets, wire: bool) -> None:
    once = run.check(wire=wire)
    number = len(run.packets)
    run.packets = numpy.concatenate([run.packets, run.packets])
    run.packets["index"] = numpy.arange(1, 2 * number + 1)
    twice = run.check(wire=wire)
    assert twice.verdict is Verdict.PASS, twice.reason
    assert twice.transaction_count == 2 * once.transaction_count
    cut_off = run.only(numpy.arange(2 * number) != number - 1).check()  # the first has no END
    assert cut_off.verdict is Verdict.INCONCLUSIVE


@requirement("OAE-CHK-002", "OAE-CHK-007")
def test_damage_is_the_reason_and_texts_are_bounded(run: Packets) -> None:
    run.damage = "cut off at byte 30000"
    run.rewrite(Evidence.STOP, lambda data: data[:16] + b"A\x1b[31m\n\r" + b"x" * 5000)
    run.rewrite(
        Evidence.PARAMETER, lambda data: data[:16] + b"seed=\x07\n\xe2\x80\xaegnp", b"seed="
    )
    result = run.check()
    assert result.verdict is Verdict.INCONCLUSIVE
    assert run.damage in result.reason
    for text in (result.stop, *result.parameters.values()):
        assert text.isprintable()
        assert len(text) <= 200


def mutated(run: Packets, chance: random.Random) -> Packets:
    """Bits and bytes of whole packets changed, packets lost, doubled, moved and cut short."""
    packets, chunk = run.packets.copy(), run.chunk.copy()
    for _ in range(chance.choice((1, 3, 20))):
        at = chance.randrange(len(packets))
        offset, captured = int(packets["offset"][at]), int(packets["captured"][at])
        match chance.randrange(6):
            case 0:
                packets = numpy.delete(packets, at)
            case 1:
                packets = numpy.insert(packets, chance.randrange(len(packets)), packets[at])
            case 2:
                packets["captured"][at] = chance.randrange(captured + 1)
            case 3:
                name = chance.choice(("time", "number", "flags"))
                packets[name][at] = chance.choice((0, 1, chance.getrandbits(31)))
            case _:
                if captured:
                    place = offset + chance.randrange(captured)
                    chunk[place] = chance.choice((chunk[place] ^ 1 << chance.randrange(8), 0, 255))
    return Packets(run.interfaces, chunk, packets)


def check_mutations(run: Packets, seeds: range) -> None:
    for seed in seeds:
        changed = mutated(run, random.Random(seed))
        result = changed.check(wire=seed % 4 == 0)
        assert result.packets == len(changed.packets) or seed % 4 == 0
        result.as_dict()


@requirement("OAE-CAP-003")
def test_whole_captures_that_were_changed_are_survived(good: Packets) -> None:
    check_mutations(good, range(1000))


@pytest.mark.long
@requirement("OAE-CAP-003")
def test_many_whole_captures_that_were_changed_are_survived(good: Packets) -> None:
    check_mutations(good, range(1000, 20_000))
