"""The link machine: sessions, challenges, link state, epochs (docs/protocol.md, section 5)."""

from typing import NamedTuple

from oae.frame import Sync
from oae.model.events import Event
from oae.model.parameters import Parameters
from oae.model.steps import require
from oae.spec.constants import EventCode, LinkState, Operation

DOWN, SYNCING, UP, FAULT = LinkState.DOWN, LinkState.SYNCING, LinkState.UP, LinkState.FAULT
COUNTER_MASK = 0xFFFF_FFFF


class Pending(NamedTuple):
    """A peer's session that is not yet the verified one, and its sizes."""

    session: int
    window: int
    record_max: int
    oldest: int = 0  # without F27: the peer's oldest id, which a fresh end takes over


class Challenge(NamedTuple):
    """What a SYNC_ACK answers."""

    session: int
    counter: int


class Link(NamedTuple):
    """State of a link machine. `state` and all after `converged` are volatile."""

    session: int  # own; 0 until drawn
    window: int  # negotiated, in slots
    record_max: int  # negotiated, in bytes
    verified: int = 0  # the peer's session; 0 for none
    pending: Pending | None = None  # the end is changing to this session
    counter: int = 0
    epoch: int = 0
    converged: int = 0
    state: LinkState = DOWN
    outstanding: bool = False  # a challenge waits for its SYNC_ACK
    owes_sync: bool = False
    owes_sync_ack: Challenge | None = None
    resend: bool = False  # RESENT follows once the owed SYNC_ACK is handed to the builder

    @property
    def changing(self) -> bool:
        """Whether slots drain because the peer's session has changed."""
        return self.pending is not None


def initial(parameters: Parameters) -> Link:
    """A link machine after power-on; it has no session yet."""
    return Link(0, parameters.window, parameters.record_max)


def challenge(parameters: Parameters, link: Link) -> Link:
    """A SYNC is owed; while one is outstanding, the same SYNC."""
    if link.outstanding and parameters.has("F29"):
        return link._replace(owes_sync=True)
    counter = link.counter + 1 & COUNTER_MASK
    return link._replace(counter=counter, outstanding=True, owes_sync=True)


def _event(code: EventCode, before: Link, after: Link, info: int = 0, value: int = 0) -> Event:
    return Event(code, 0, before.state, after.state, info, value)


def enable(parameters: Parameters, link: Link, session: int) -> tuple[Link, Event]:
    """ENABLED: a challenge starts. `session` is the host's entropy, used if there is no session."""
    require(link.state == DOWN, "the link is not DOWN")
    require(link.session != 0 or session != 0, "there is no session")
    awake = link._replace(state=SYNCING, session=link.session or session)
    after = challenge(parameters, awake)
    return after, _event(EventCode.ENABLED, link, after)


def disable(link: Link) -> tuple[Link, Event]:
    """DISABLED by the host."""
    require(link.state != DOWN, "the link is already DOWN")
    after = crash(link)
    return after, _event(EventCode.DISABLED, link, after)


def _sizes(parameters: Parameters, sync: Sync | Pending) -> tuple[int, int]:
    """The smaller of the two ends' window and record maximum."""
    return min(parameters.window, sync.window), min(parameters.record_max, sync.record_max)


def _possible(sync: Sync) -> bool:
    power_of_two = sync.window > 0 and sync.window & (sync.window - 1) == 0
    return sync.session != 0 and power_of_two and sync.record_max > 0


def hear(
    parameters: Parameters, link: Link, operation: Operation, sync: Sync, oldest: int = 0
) -> tuple[Link, Event]:
    """A verified SYNC or SYNC_ACK, not while DOWN."""
    require(link.state != DOWN, "the link is DOWN")
    if sync.session == link.session:
        return link, _event(EventCode.LOOPBACK, link, link, operation)
    if not _possible(sync):
        return link, _event(EventCode.PAIR_VIOLATION, link, link)
    pending = Pending(sync.session, sync.window, sync.record_max, oldest)
    if operation == Operation.SYNC:
        return _hear_sync(parameters, link, sync, pending)
    return _hear_sync_ack(link, sync, pending)


def _hear_sync(
    parameters: Parameters, link: Link, sync: Sync, pending: Pending
) -> tuple[Link, Event]:
    verified = sync.session == link.verified and link.pending is None
    if verified and _sizes(parameters, sync) != (link.window, link.record_max):
        return link, _event(EventCode.PAIR_VIOLATION, link, link)
    known = verified or (link.pending is not None and sync.session == link.pending.session)
    challenges = not known or (link.state != UP and sync.verified == link.session)
    after = link._replace(
        owes_sync_ack=Challenge(sync.session, sync.counter),
        resend=verified and link.state == UP,
    )
    if challenges:
        after = challenge(parameters, after)
    if not known and not parameters.has("F26"):
        after = after._replace(pending=pending, state=SYNCING)
    return after, _event(EventCode.SYNC_HEARD, link, after, int(challenges), sync.counter)


def _hear_sync_ack(link: Link, sync: Sync, pending: Pending) -> tuple[Link, Event]:
    mine = (sync.challenger, sync.counter) == (link.session, link.counter)
    if not link.outstanding or not mine:
        return link, _event(EventCode.SYNC_ACK_STALE, link, link, value=sync.counter)
    if sync.session == link.verified and link.pending is None:
        state = UP if sync.verified == link.session else SYNCING
        after = link._replace(outstanding=False, state=state)
        return after, _event(EventCode.SYNC_ACK_HEARD, link, after, value=sync.counter)
    after = link._replace(outstanding=False, state=SYNCING, pending=pending)
    return after, _event(EventCode.SYNC_ACK_HEARD, link, after, 1, sync.counter)


def adopt(parameters: Parameters, link: Link) -> tuple[Link, Event]:
    """SESSION_ADOPTED: the pending session is the verified one; both lanes were drained."""
    require(link.state != DOWN, "the link is DOWN")
    assert link.pending is not None
    window, record_max = _sizes(parameters, link.pending)
    adopted = link._replace(
        verified=link.pending.session, window=window, record_max=record_max, pending=None
    )
    after = challenge(parameters, adopted)
    low = link.pending.session & 0xFFFF_FFFF
    return after, _event(EventCode.SESSION_ADOPTED, link, after, value=low)


def foreign_session(parameters: Parameters, link: Link) -> tuple[Link, Event]:
    """FOREIGN_SESSION: a frame of another link session was heard, and a SYNC may go again."""
    require(link.state == UP, "the link is not UP")
    require(not link.outstanding, "a challenge is outstanding")
    after = challenge(parameters, link)
    return after, _event(EventCode.FOREIGN_SESSION, link, after)


def sync_due(parameters: Parameters, link: Link) -> tuple[Link, Event]:
    """SYNC_DUE: SYNC_INTERVAL has passed since the last SYNC."""
    require(not link.owes_sync, "a SYNC is already owed")
    require(link.outstanding or link.state in (SYNCING, FAULT), "UP, and nothing outstanding")
    after = challenge(parameters, link)
    return after, _event(EventCode.SYNC_DUE, link, after, value=after.counter)


def dead(parameters: Parameters, link: Link, code: EventCode) -> tuple[Link, Event]:
    """INCOMING_DEAD, OUTGOING_DEAD: a direction is dead, and challenging goes on."""
    require(link.state == UP, "the link is not UP")
    after = challenge(parameters, link._replace(state=FAULT))
    return after, _event(code, link, after)


def take_epoch(link: Link, epoch: int) -> tuple[Link, Event]:
    """EPOCH_TAKEN: the end is now in its host's epoch."""
    require(epoch != link.epoch, "the end is already in this epoch")
    require(not link.changing, "the peer's session is changing")
    after = link._replace(epoch=epoch)
    return after, _event(EventCode.EPOCH_TAKEN, link, after, value=epoch)


def sync_fields(parameters: Parameters, link: Link, answers: Challenge | None = None) -> Sync:
    """What SYNC carries, or the SYNC_ACK that answers a challenge."""
    return Sync(
        link.session,
        link.verified,
        answers.session if answers else 0,
        answers.counter if answers else link.counter,
        parameters.record_max,
        parameters.window,
    )


def crash(link: Link) -> Link:
    """What a crash leaves."""
    return link._replace(
        state=DOWN, outstanding=False, owes_sync=False, owes_sync_ack=None, resend=False
    )
