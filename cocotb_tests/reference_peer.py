"""The reference end as the peer of an end in simulation: it answers at once, with real frames."""

from collections.abc import Callable

from oae import frame as frames
from oae.frame import Received
from oae.model import end as ends
from oae.model import initiator as initiators
from oae.model import responder as responders
from oae.model.end import End, Host
from oae.model.parameters import Parameters
from oae.model.steps import NotAllowedError
from oae.spec.constants import BALANCE_OF, FIELD, LinkState, Operation, State

SESSION = 0xB0B0_0000_0000_0001


class ReferencePeer:
    """A reference end that takes every step it can as soon as it can.

    `hear` gives it a frame; `speak` returns the frames that it owes. What it delivered and was
    told is kept in `delivered` and `told`.
    """

    def __init__(self, parameters: Parameters, session: int = SESSION) -> None:
        self.parameters = parameters
        self.session = session
        self.end: End = ends.initial(parameters)
        self.host = Host()
        self.delivered: list[bytes] = []
        self.told: list[tuple[int, int, int]] = []  # tag, outcome, reason
        self.doubted: list[int] = []
        self.deliver_stalled = False

    def start(self) -> None:
        """Enable it: a challenge is owed."""
        self.end, _ = ends.enable(self.parameters, self.end, self.session)

    def crash(self) -> None:
        """Lose what is volatile, and start again."""
        self.end, _ = ends.crash(self.parameters, self.end)
        self.start()

    def amnesia(self) -> None:
        """Lose everything, and start again with another session."""
        self.end, _ = ends.amnesia(self.parameters, self.end)
        self.session += 1
        self.start()

    @property
    def up(self) -> bool:
        """Whether its link is UP."""
        return self.end.link.state == LinkState.UP

    def submit(self, record: bytes, tag: int = 0, kind: int = 0) -> None:
        """Open a transaction; the link must be UP and the slot free."""
        self.end, _ = ends.open_transaction(
            self.parameters, self.end, record, tag=tag, kind=kind, host=self.host
        )

    def hear(self, image: bytes, bad: bool = False) -> None:
        """Take a frame and every step that follows from it."""
        verdict = frames.decode(image, bad=bad, **ends.listening(self.end)._asdict())
        self.end, _ = ends.receive(self.parameters, self.end, verdict)
        if isinstance(verdict, Received) or self.end.link.changing:
            self.settle()

    def settle(self) -> None:
        """Take steps until none is left."""
        while any(self._try(step) for step in self._steps()):
            pass

    def speak(self) -> list[bytes]:
        """The frames that are owed, in the order of transmission."""
        owed = []
        self.settle()
        while (frame := self._next_frame()) is not None:
            owed.append(frames.encode(frame))
            self.settle()  # a SYNC_ACK that went may be followed by RESENT
        return owed

    def beat(self) -> bytes:
        """The next beat."""
        self.end, frame, _ = ends.send(self.parameters, self.end, Operation.NOP)
        return frames.encode(frame)

    def _try(self, step: Callable[[], None]) -> bool:
        try:
            step()
        except NotAllowedError:
            return False
        return True

    def _steps(self) -> list[Callable[[], None]]:
        return [
            lambda: self._take(ends.take_sync(self.parameters, self.end)),
            lambda: self._take(ends.compare(self.parameters, self.end)),
            lambda: self._take(ends.settle(self.end)),
            lambda: self._take(ends.take_answer(self.parameters, self.end)),
            lambda: self._take(ends.take_request(self.parameters, self.end, self.host)),
            lambda: self._take(ends.resend(self.end)),
            self._tell,
            self._deliver,
            lambda: self._take(ends.skip(self.parameters, self.end)),
            self._doubt,
            self._adopt,
        ]

    def _take(self, taken: tuple[End, object]) -> None:
        self.end = taken[0]

    def _tell(self) -> None:
        for index, slot in enumerate(self.end.initiator.slots):
            found = initiators.completion(slot, self.end.link.changing)
            if found is not None:
                self.end, _ = ends.tell(self.end, index)
                self.told.append((slot.tag, int(found[0]), int(found[1])))
                return
        raise NotAllowedError("no slot has an outcome")

    def _deliver(self) -> None:
        if self.deliver_stalled:
            raise NotAllowedError("the host takes nothing")
        head = responders.head(self.end.responder, self.end.link.window)
        self.end, _ = ends.deliver(self.parameters, self.end)
        if head is not None and head.kind == 0:
            self.delivered.append(head.record)

    def _doubt(self) -> None:
        self.end, _ = ends.doubt(self.parameters, self.end)
        self.doubted.append(self.end.responder.pointer - 1)

    def _adopt(self) -> None:
        if not self.end.drained:
            raise NotAllowedError("not drained")
        self.end, _ = ends.adopt(self.parameters, self.end)

    def _next_frame(self) -> frames.Frame | None:
        for operation in (Operation.SYNC_ACK, Operation.SYNC):
            if self._try(lambda op=operation: self._send(op, 0)):
                return self._sent
        answers = self.end.responder.slots
        for index, slot in enumerate(answers):
            owed = responders.owed(self.parameters, slot)
            if owed is not None and self._try(lambda op=owed, i=index: self._send(op, i)):
                return self._sent
        for operation in (Operation.ABORT, Operation.COMMIT, Operation.DATA):
            for index in self._oldest_first():
                if self.end.initiator.owed(index) == operation and self._try(
                    lambda op=operation, i=index: self._send(op, i)
                ):
                    return self._sent
        return None

    def _oldest_first(self) -> list[int]:
        slots = self.end.initiator.slots
        return sorted(range(len(slots)), key=lambda i: (slots[i].state == State.IDLE, slots[i].id))

    def _send(self, operation: Operation, slot: int) -> None:
        self.end, self._sent, _ = ends.send(self.parameters, self.end, operation, slot)


def operation_of(image: bytes) -> Operation:
    """Operation of a frame on the wire; asserts that its balance is the operation's."""
    byte = image[FIELD["OPERATION"][0]]
    operation = Operation(byte & 0x1F)
    assert byte >> 5 == BALANCE_OF[operation], f"{operation.name} with balance {byte >> 5}"
    return operation


def id_of(image: bytes) -> int:
    """Transaction id of a frame on the wire."""
    low, high = FIELD["ID_LOW"][0], FIELD["ID_HIGH"][0]
    return int.from_bytes(image[high : high + 2] + image[low : low + 2], "big")
