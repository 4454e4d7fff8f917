"""One FITO `oae_end` between a scripted MAC and a scripted host; nothing follows it in lockstep.

The reference end is its peer: it brings the link up, and its ACKs are those that a FITO end sends.
"""

from typing import Any

from oae import frame as frames
from oae.check.follower import Config, Handshakes, Status, Wire
from oae.frame import Frame
from oae.model import end as ends
from oae.model.events import Event, from_word
from oae.spec.constants import EventCode, Operation

from cocotb_tests.end.end_bench import EndBench
from cocotb_tests.reference_peer import ReferencePeer, id_of, operation_of


class Unfollowed:
    """Stands where the bench has the reference end that follows; it only reads the events."""

    def __init__(self) -> None:
        self.config = Config(enable=True, beats=False)
        self.end = "unfollowed"

    def step(self, cycle: int, word: int, handshakes: Handshakes) -> Event:
        """The step that a word tells."""
        return from_word(word)

    def receive(self, wire: Wire) -> None:
        """Nothing is expected of a frame."""

    def transmit(self, wire: Wire) -> None:
        """Nor of this one."""

    def check_status(self, status: Status) -> None:
        """Nor of the status."""


class FitoBench(EndBench):
    """The bench of one end, for an end that takes other steps than the reference end."""

    def __init__(self, dut: Any) -> None:
        super().__init__(dut)
        self.follower = Unfollowed()

    def sent_ids(self, operation: Operation) -> list[int]:
        """Ids of the frames of an operation that went out, in order."""
        return [id_of(image) for image in self.sent if operation_of(image) == operation]

    def ids(self, code: EventCode) -> list[int]:
        """Ids of the steps of this code."""
        return [event.value for _, event in self.events if event.code == code]


async def fito(dut: Any) -> tuple[FitoBench, ReferencePeer]:
    """A FITO end that is UP with its peer."""
    bench = FitoBench(dut)
    await bench.start()
    peer = ReferencePeer(bench.parameters)
    peer.start()
    await join(bench, peer)
    return bench, peer


async def join(bench: FitoBench, peer: ReferencePeer) -> None:
    """The link comes UP."""
    await bench.step(4)
    await bench.converse(peer, lambda: bench.up and peer.up)


def data(peer: ReferencePeer, id: int, record: bytes, kind: int = 0) -> bytes:
    """A DATA of the peer."""
    session = ends.transmit_session(peer.end)
    digest = frames.digest(session, id, kind, 0, record)
    frame = Frame(Operation.DATA, id, digest, kind, link_session=session, record=record)
    return frames.encode(frame)
