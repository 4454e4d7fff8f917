"""A frame that lives longer than the ids allow is an error of the bench that let it."""

from pathlib import Path

import pytest
from oae import frame as frames
from oae.check import scoreboard
from oae.check.scoreboard import MEMORY
from oae.check.verdict import Judgement, Verdict
from oae.frame import Frame
from oae.spec.constants import Operation
from oae.testing import requirement

from host.tests.test_scoreboard import SESSION, Run

LIFETIME = 4  # ids, in place of 2^31


class Wired(Run):
    """A run whose ends also send frames."""

    def __init__(self) -> None:
        super().__init__()
        self.images: dict[tuple[int, int], str] = {}

    def sends(self, operation: Operation, id: int, end: int = 0) -> int:
        """The number of the frame, which is on its way from now on."""
        session = frames.link_session(SESSION[end], SESSION[1 - end])
        image = frames.encode(Frame(operation, id, 0x1234, link_session=session))
        number = self.number[end]
        self.number[end] += 1
        self.cycle += 1
        self.say(end, f"transmit {number} {self.cycle} 0 0 {image.hex()}")
        self.images[end, number] = image.hex()
        return number

    def hears(self, number: int, end: int = 1) -> None:
        """The frame reaches the other end."""
        self.cycle += 1
        self.say(end, f"receive {number} {self.cycle} 0 0 {self.images[1 - end, number]}")


def heard_after(
    later: int, folder: Path, operation: Operation = Operation.COMMIT, end: int = 0
) -> Judgement:
    """A frame about id 0 is received when so many ids have followed it."""
    run = Wired()
    run.committed(0)
    number = run.sends(operation, 0, end)
    for id in range(1, later + 1):
        run.committed(id)
    run.hears(number, 1 - end)
    return run.judged(folder)


@pytest.fixture
def short_lives(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scoreboard, "LIFETIME", LIFETIME)


@requirement("OAE-SIM-018")
@pytest.mark.usefixtures("short_lives")
@pytest.mark.parametrize(
    ("operation", "end"),
    [
        (Operation.DATA, 0),
        (Operation.COMMIT, 0),
        (Operation.ABORT, 0),
        (Operation.ACK, 1),
        (Operation.DONE, 1),
        (Operation.ABORTED, 1),
    ],
)
def test_a_frame_that_outlives_its_ids(operation: Operation, end: int, tmp_path: Path) -> None:
    young = heard_after(LIFETIME - 1, tmp_path, operation, end)
    assert young.verdict is Verdict.PASS, young.reason
    old = heard_after(LIFETIME, tmp_path, operation, end)
    assert old.verdict is Verdict.BENCH_ERROR
    assert "of id 0 was received after 4 later ids, 4 are too many" in old.reason


@requirement("OAE-SIM-018")
@pytest.mark.usefixtures("short_lives")
def test_frames_without_an_id_grow_no_older(tmp_path: Path) -> None:
    assert heard_after(2 * LIFETIME, tmp_path, Operation.NOP).verdict is Verdict.PASS


@requirement("OAE-SIM-018")
def test_within_half_of_all_ids_a_frame_may_be_late(tmp_path: Path) -> None:
    assert scoreboard.LIFETIME == 2**31
    assert heard_after(100, tmp_path).verdict is Verdict.PASS


@requirement("OAE-SIM-018")
@pytest.mark.usefixtures("short_lives")
def test_ids_of_another_session_pair_do_not_age_a_frame(tmp_path: Path) -> None:
    run = Wired()
    run.committed(0)
    number = run.sends(Operation.DATA, 0)
    run.amnesia(0)
    for id in range(2 * LIFETIME):
        run.open(id)
    run.hears(number)
    judgement = run.judged(tmp_path)
    assert judgement.verdict is not Verdict.BENCH_ERROR, judgement.reason


@requirement("OAE-SIM-018")
def test_a_frame_that_nobody_remembers(tmp_path: Path) -> None:
    for later, verdict in ((MEMORY - 1, Verdict.PASS), (MEMORY, Verdict.BENCH_ERROR)):
        run = Wired()
        run.committed(0)
        number = run.sends(Operation.DATA, 0)
        for _ in range(later):
            run.sends(Operation.COMMIT, 0)
        run.hears(number)
        judgement = run.judged(tmp_path)
        assert judgement.verdict is verdict, judgement.reason
    assert "frame 0 of end a is not among the 512" in judgement.reason
