"""What a search needs of a world: two parties, what each may do, and what must hold."""

from collections.abc import Hashable, Iterable
from typing import NamedTuple, Protocol

from oae.frame import Frame

Local = Hashable
A, B = 0, 1
NAMES = ("A", "B")


class Act(NamedTuple):
    """Something that a party may do: the text, its price, and what becomes of it.

    `price` names the budget that it takes one from; "" is free. What is free is fair unless `fair`
    is False: the search counts on it when it asks whether a state can still resolve.
    """

    text: str
    after: Local
    frame: Frame | None = None
    price: str = ""
    fair: bool = True


class World(Protocol):
    """Two parties and what must hold of them."""

    def start(self) -> tuple[Local, Local]:
        """Both parties at the beginning."""

    def sent(self) -> tuple[list[Frame], list[Frame]]:
        """Frames that each party sent before; they arrive again only if frames may at all."""

    def acts(self, side: int, local: Local) -> Iterable[Act]:
        """What a party may do of itself."""

    def hears(self, side: int, local: Local, frame: Frame) -> Iterable[Act]:
        """What a party may do on a frame."""

    def damaged(self, frame: Frame) -> Iterable[tuple[str, Frame]]:
        """What undetected damage may make of a frame: the price, and the other frame."""

    def broken(self, a: Local, b: Local) -> str | None:
        """What does not hold of the two parties."""

    def frame_broken(self, sender: int, frame: Frame, a: Local, b: Local) -> str | None:
        """What does not hold of a frame that was sent and may still arrive."""

    def resolved(self, a: Local, b: Local) -> bool:
        """Whether nothing is in flight at either end."""

    def describe(self, side: int, local: Local) -> str:
        """The party's state in a few words."""
