"""What the checker concludes from frames alone, and what it refuses to conclude."""

import io
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy
import pytest
from oae import frame as codec
from oae.capture.write import INBOUND, LINK_TYPE_USER0, OUTBOUND, Interface, Writer
from oae.check.capture import SpeakersError
from oae.check.findings import REQUIREMENT, Result
from oae.check.verdict import Promise, Verdict
from oae.frame import Frame, Sync
from oae.native.packet import PacketFlag
from oae.spec.constants import Operation
from oae.testing import requirement

from host.tests.capture.checker_runs import Packets, captured, load, play

SESSION = {0: 0x1111_0000_AAAA, 1: 0x2222_0000_BBBB}
ADDRESS = {0: bytes.fromhex("02000000000a"), 1: bytes.fromhex("02000000000b")}
TRANSMIT = (Interface("a.transmit", "frames of a"), Interface("b.transmit", "frames of b"))
TAP = (Interface("eth0", "a tap"),)
RECORD = b"a record"


class Talk:
    """Two ends say things one after the other; a tap or both transmit ports write it down."""

    def __init__(self, tap: bool = False, numbered: bool = True) -> None:
        self.tap, self.numbered = tap, numbered
        self.file = io.BytesIO()
        self.writer = Writer(self.file, TAP if tap else TRANSMIT, "", "")
        self.time = 0
        self.number = [0, 0]

    def image(self, end: int, image: bytes, time: int | None = None) -> None:
        self.time = self.time + 100 if time is None else time
        number = end << 32 | self.number[end] if self.numbered else None
        interface = 0 if self.tap else end
        self.writer.packet(interface, self.time, image, flags=OUTBOUND, number=number)
        self.number[end] += 1

    def frame(self, end: int, frame: Frame) -> None:
        self.image(end, codec.encode(frame, ADDRESS[1 - end], ADDRESS[end]))

    def lost(self, end: int) -> None:
        self.number[end] += 1

    def sync(self) -> None:
        for end, peer in ((0, 1), (1, 0)):
            fields = Sync(SESSION[end], SESSION[peer], SESSION[peer], 1, 64, 8)
            self.frame(end, Frame(Operation.SYNC_ACK, sync=fields))

    def session(self, end: int) -> int:
        return codec.link_session(SESSION[end], SESSION[1 - end])

    def digest(self, id: int, record: bytes = RECORD) -> int:
        return codec.digest(self.session(0), id, 0, 0, record)

    def data(self, id: int, record: bytes = RECORD) -> None:
        digest = self.digest(id, record)
        self.frame(
            0, Frame(Operation.DATA, id, digest, link_session=self.session(0), record=record)
        )

    def say(self, end: int, operation: Operation, id: int, record: bytes = RECORD) -> None:
        digest = self.digest(id, record)
        self.frame(end, Frame(operation, id, digest, link_session=self.session(end)))

    def beat(self, end: int) -> None:
        self.frame(end, Frame(Operation.NOP, link_session=self.session(end)))

    def committed(self, id: int) -> None:
        self.data(id)
        self.say(1, Operation.ACK, id)
        self.say(0, Operation.COMMIT, id)
        self.say(1, Operation.DONE, id)

    def taken_back(self, id: int) -> None:
        self.data(id)
        self.say(1, Operation.ACK, id)
        self.say(0, Operation.ABORT, id)
        self.say(1, Operation.ABORTED, id)

    def packets(self) -> Packets:
        self.writer.finish()
        self.file.seek(0)
        return load(self.file)

    def checked(self, wire: bool = True) -> Result:
        return self.packets().check(wire=wire)


Tell = Callable[[Talk], None]

CONTRADICTIONS: dict[str, tuple[Promise, Tell]] = {
    "COMMIT after ABORT": (
        Promise.FINAL,
        lambda talk: (talk.taken_back(1), talk.say(0, Operation.COMMIT, 1))[0],
    ),
    "ABORT after COMMIT": (
        Promise.FINAL,
        lambda talk: (talk.committed(1), talk.say(0, Operation.ABORT, 1))[0],
    ),
    "ABORTED after DONE": (
        Promise.FINAL,
        lambda talk: (talk.committed(1), talk.say(1, Operation.ABORTED, 1))[0],
    ),
    "DONE after ABORTED": (
        Promise.FINAL,
        lambda talk: (talk.taken_back(1), talk.say(1, Operation.DONE, 1))[0],
    ),
    "ABORTED, its initiator said COMMIT": (
        Promise.AGREEMENT,
        lambda talk: (talk.committed(1), talk.say(1, Operation.ABORTED, 1))[0],
    ),
    "COMMIT, its responder said ABORTED": (
        Promise.AGREEMENT,
        lambda talk: (talk.taken_back(1), talk.say(0, Operation.COMMIT, 1))[0],
    ),
    "DONE, its initiator said ABORT": (
        Promise.AGREEMENT,
        lambda talk: (talk.taken_back(1), talk.say(1, Operation.DONE, 1))[0],
    ),
    "ABORT, its responder said DONE": (
        Promise.AGREEMENT,
        lambda talk: (talk.committed(1), talk.say(0, Operation.ABORT, 1))[0],
    ),
    "two records": (
        Promise.UNALTERED,
        lambda talk: (talk.committed(1), talk.data(1, b"another"))[0],
    ),
    "COMMIT of another digest": (
        Promise.UNALTERED,
        lambda talk: (talk.data(1), talk.say(0, Operation.COMMIT, 1, b"another"))[0],
    ),
    "DATA of another digest": (
        Promise.UNALTERED,
        lambda talk: (talk.say(0, Operation.COMMIT, 1, b"another"), talk.data(1))[0],
    ),
    "DONE of another digest": (
        Promise.UNALTERED,
        lambda talk: (
            talk.data(1),
            talk.say(1, Operation.ACK, 1),
            talk.say(0, Operation.COMMIT, 1),
            talk.say(1, Operation.DONE, 1, b"another"),
        )[0],
    ),
}
ABSENCES: dict[str, tuple[Promise, Tell]] = {
    "COMMIT without ACK": (
        Promise.AGREEMENT,
        lambda talk: (talk.data(1), talk.say(0, Operation.COMMIT, 1))[0],
    ),
    "COMMIT with an ACK of another digest": (
        Promise.AGREEMENT,
        lambda talk: (
            talk.data(1),
            talk.say(1, Operation.ACK, 1, b"another"),
            talk.say(0, Operation.COMMIT, 1),
        )[0],
    ),
    "ACK without DATA": (Promise.UNALTERED, lambda talk: talk.say(1, Operation.ACK, 1)),
    "ACK of another digest": (
        Promise.UNALTERED,
        lambda talk: (talk.data(1), talk.say(1, Operation.ACK, 1, b"another"))[0],
    ),
    "DONE without COMMIT": (
        Promise.NOT_BEFORE_COMMITTED,
        lambda talk: (
            talk.data(1),
            talk.say(1, Operation.ACK, 1),
            talk.say(1, Operation.DONE, 1),
        )[0],
    ),
}


def said_and_gone_on(talk: Talk, tell: Tell) -> Talk:
    talk.sync()
    talk.committed(0)
    tell(talk)
    for end in (0, 1):
        talk.beat(end)
    return talk


@requirement("OAE-CHK-003")
@pytest.mark.parametrize(("tap", "numbered"), [(False, True), (True, True), (True, False)])
def test_a_good_talk_passes(tap: bool, numbered: bool) -> None:
    talk = Talk(tap, numbered)
    said_and_gone_on(talk, lambda talk: talk.taken_back(1))
    packets = talk.packets()
    result = packets.check(wire=True)
    assert result.verdict is Verdict.PASS, result.reason
    assert (result.source, result.transaction_count) == ("both directions", 2)
    outcomes = {each.id: each.outcome for each in result.transactions}
    assert outcomes == {0: "COMMITTED", 1: "ABORTED"}
    asked = packets.check()
    assert asked.verdict is Verdict.INCONCLUSIVE
    assert "not on the wire" in asked.reason


@requirement("OAE-CHK-003")
@pytest.mark.parametrize(("tap", "numbered"), [(False, True), (True, False)])
@pytest.mark.parametrize("name", CONTRADICTIONS)
def test_a_contradiction_fails(name: str, tap: bool, numbered: bool) -> None:
    promise, tell = CONTRADICTIONS[name]
    result = said_and_gone_on(Talk(tap, numbered), tell).checked(wire=False)
    assert result.verdict is Verdict.FAIL, result.reason
    found = [finding for finding in result.findings if finding.promise is promise]
    assert [(finding.end, finding.id, finding.absence) for finding in found] == [(0, 1, False)]
    assert found[0].requirement == REQUIREMENT[promise]
    assert set(found[0].explained_by) <= set(range(1, result.packets + 1))
    assert len(found[0].explained_by) >= 2


@requirement("OAE-CHK-003")
@pytest.mark.parametrize("name", ABSENCES)
def test_an_absence_fails_if_nothing_was_lost(name: str) -> None:
    promise, tell = ABSENCES[name]
    result = said_and_gone_on(Talk(), tell).checked()
    assert result.verdict is Verdict.FAIL, result.reason
    found = [finding for finding in result.findings if finding.promise is promise]
    assert [(finding.end, finding.id, finding.absence) for finding in found] == [(0, 1, True)]


def _lose(talk: Talk, tell: Tell) -> None:
    for end in (0, 1):
        talk.lost(end)
    tell(talk)


@requirement("OAE-CHK-002", "OAE-CHK-003")
@pytest.mark.parametrize("name", ABSENCES)
def test_an_absence_is_inconclusive_if_something_may_be_lost(name: str) -> None:
    promise, tell = ABSENCES[name]
    not_numbered = said_and_gone_on(Talk(numbered=False), tell)
    with_a_gap = said_and_gone_on(Talk(), lambda talk: _lose(talk, tell))
    cut_off = Talk()
    cut_off.sync()
    cut_off.committed(0)
    tell(cut_off)
    for talk in (not_numbered, with_a_gap, cut_off):
        result = talk.checked()
        assert promise in {finding.promise for finding in result.unknowns}
        standing = next(each for each in result.promises if each.promise is promise)
        assert standing.verdict is Verdict.INCONCLUSIVE


@requirement("OAE-CHK-004")
def test_one_direction_is_compared_with_itself() -> None:
    for end, first, second in (
        (0, Operation.COMMIT, Operation.ABORT),
        (1, Operation.DONE, Operation.ABORTED),
    ):
        talk = Talk(tap=True, numbered=False)
        for id in range(3):
            talk.say(end, first, id)
        packets = talk.packets()
        result = packets.check(wire=True)
        assert (result.verdict, result.source) == (Verdict.INCONCLUSIVE, "one direction")
        assert "only end a was heard" in result.promises[0].reason  # the first speaker
        talk = Talk(tap=True, numbered=False)
        talk.say(end, first, 4)
        talk.say(end, second, 4)
        result = talk.checked()
        assert result.verdict is Verdict.FAIL, result.reason
        assert {found.promise for found in result.findings} == {Promise.FINAL}


@requirement("OAE-CHK-004")
def test_a_start_in_the_middle_is_judged_as_far_as_it_goes() -> None:
    talk = Talk(tap=True, numbered=False)
    for id in range(3):
        talk.committed(id)
    talk.say(1, Operation.ABORTED, 2)  # the sessions follow from the digests
    packets = talk.packets()
    result = packets.only(numpy.arange(len(packets.packets)) > 1).check(wire=True)
    assert result.verdict is Verdict.FAIL
    promises = {Promise.FINAL, Promise.AGREEMENT}
    assert {finding.promise for finding in result.findings} == promises
    good = packets.only((packets.packets["index"] > 2) & (packets.packets["index"] < 13))
    result = good.check(wire=True)
    assert result.verdict is Verdict.INCONCLUSIVE, result.reason


@requirement("OAE-CHK-005")
def test_nothing_is_never_pass() -> None:
    for wire in (False, True):
        result = Talk().checked(wire)
        assert (result.verdict, result.source) == (Verdict.BENCH_ERROR, "nothing")
        talk = Talk()
        talk.image(0, ADDRESS[0] + ADDRESS[1] + b"\x08\x00" + bytes(46))
        result = talk.checked(wire)
        assert result.verdict is Verdict.BENCH_ERROR
        assert "none of 1 packets" in result.reason
    beats = Talk()
    beats.sync()
    assert beats.checked().verdict is Verdict.INCONCLUSIVE


@requirement("OAE-CHK-005")
def test_a_clock_that_runs_backwards_is_a_bench_error() -> None:
    for back, verdict in ((1_000, Verdict.PASS), (1_001, Verdict.BENCH_ERROR)):
        talk = Talk()
        talk.sync()
        talk.committed(0)
        beat = codec.encode(Frame(Operation.NOP, link_session=1))
        talk.image(0, beat, 10_000)
        talk.image(1, beat, 2_000)  # another interface has a clock of its own
        talk.image(0, beat, 10_000 - back)
        result = talk.checked()
        assert result.verdict is verdict, result.reason


@requirement("OAE-CHK-005")
def test_more_than_two_speakers_are_refused_with_a_list() -> None:
    talk = Talk(tap=True, numbered=False)
    talk.committed(0)
    stranger = bytes.fromhex("020000000bad")
    beat = codec.encode(Frame(Operation.NOP, link_session=1), ADDRESS[0], stranger)
    talk.image(0, beat)
    talk.image(0, beat)
    with pytest.raises(SpeakersError, match="02:00:00:00:0b:ad") as refused:
        talk.checked()
    assert "02:00:00:00:00:0a" in str(refused.value)
    assert refused.value.exit_code == 2


@requirement("OAE-CHK-005")
def test_a_bit_error_in_an_address_is_no_third_speaker() -> None:
    talk = Talk(tap=True, numbered=False)
    said_and_gone_on(talk, lambda talk: talk.taken_back(1))
    odd = codec.encode(
        Frame(Operation.NOP, link_session=1), ADDRESS[0], bytes.fromhex("02000000001a")
    )
    talk.image(0, odd)
    assert talk.checked().verdict is Verdict.PASS


@requirement("OAE-CHK-005")
def test_a_medium_that_alters_frames_in_silence_is_a_bench_error(tmp_path: Path) -> None:
    packets = captured(play(64, tmp_path))
    received = numpy.flatnonzero(
        (packets.packets["interface"] == 1)
        & (packets.packets["flags"] & PacketFlag.BAD == 0)
        & (packets.packets["index"] > len(packets.packets) // 2)
    )
    packets.chunk[packets.packets["offset"][received[0]] + 3] ^= 1
    result = packets.check()
    assert result.verdict is Verdict.BENCH_ERROR
    assert "was received other than it was sent" in result.reason
    assert result.bench_errors[0].packet == packets.packets["index"][received[0]]


@requirement("OAE-CHK-003", "OAE-CHK-004")
def test_what_arrived_is_a_witness_where_there_is_no_better_one(tmp_path: Path) -> None:
    packets = captured(play(192, tmp_path))
    received = packets.only(numpy.isin(packets.packets["interface"], (1, 3)))
    result = received.check()
    assert (result.source, result.verdict) == ("both directions", Verdict.INCONCLUSIVE)
    assert sum(each.outcome == "COMMITTED" for each in result.transactions) > 5
    assert not result.finding_count


@requirement("OAE-CHK-002")
@pytest.mark.parametrize("tap", [False, True])
def test_short_captures_of_frames_contradict_nothing(tap: bool) -> None:
    """DATA whose record was not captured is not known to be right."""
    talk = Talk(tap)
    said_and_gone_on(talk, lambda talk: talk.data(1))
    packets = talk.packets()
    packets.packets["captured"] = numpy.minimum(packets.packets["captured"], 36)
    result = packets.check(wire=True)
    assert result.verdict is Verdict.INCONCLUSIVE
    assert result.directions[0].incomplete


@requirement("OAE-CHK-005")
def test_other_link_types_are_not_looked_at() -> None:
    file = io.BytesIO()
    writer = Writer(file, [Interface("odd", "something else", LINK_TYPE_USER0)], "", "")
    writer.packet(0, 5, bytes(60), flags=INBOUND)
    writer.finish()
    file.seek(0)
    assert load(file).check().verdict is Verdict.BENCH_ERROR


@requirement("OAE-CHK-002")
@pytest.mark.parametrize("wire", [False, True])
def test_a_damaged_file_is_inconclusive(wire: bool) -> None:
    talk = said_and_gone_on(Talk(), lambda talk: talk.taken_back(1))
    talk.writer.finish()
    cut: Sequence[int] = talk.file.getvalue()[:-150]
    packets = load(io.BytesIO(bytes(cut)))
    assert packets.damage
    result = packets.check(wire=wire)
    assert result.verdict is Verdict.INCONCLUSIVE
    assert result.lines == [packets.damage]
