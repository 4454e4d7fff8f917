"""The scoreboard's pages: one a transaction, named by lane, session pair and id."""

from typing import Final

from oae.spec.constants import Kind, Outcome

LaneKey = tuple[int, int, int]  # initiating end, its session, its peer's session (low halves)
NO_SESSION: Final = 0


class Page:
    """What both ends told of one transaction."""

    __slots__ = (
        "abort_sent",
        "aborted",
        "commit_heard",
        "data",
        "decided",
        "delivered",
        "doubted",
        "first_data",
        "held",
        "kind",
        "name",
        "opened",
        "reflected",
        "refused",
        "settled",
        "tag",
        "told",
        "undecidable",
    )

    def __init__(self, name: str) -> None:
        self.name = name
        self.opened: int | None = None
        self.data = b""
        self.kind = Kind.DATA
        self.tag = 0
        self.first_data: int | None = None
        self.decided: int | None = None
        self.undecidable = False  # taken back: it may not be decided any more
        self.abort_sent = False
        self.settled: int | None = None  # the initiator knows the outcome of its decision
        self.told: Outcome | None = None
        self.held = False
        self.refused = False
        self.reflected: int | None = None
        self.commit_heard: int | None = None
        self.aborted: int | None = None  # recorded at the responder
        self.delivered: int | None = None
        self.doubted = False


class Lane:
    """One direction under one session pair: its pages, and how far delivery has come."""

    def __init__(self, key: LaneKey) -> None:
        self.key = key
        self.pages: dict[int, Page] = {}
        self.next_id = 0
        self.deliver_pointer = 0

    def page(self, id: int) -> Page:
        """The page of a transaction."""
        page = self.pages.get(id)
        if page is None:
            end, own, peer = self.key
            name = f"{'ab'[end] if end < 2 else end}:{own:08x}/{peer:08x}:{id}"
            page = self.pages[id] = Page(name)
        return page
