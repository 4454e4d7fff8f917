"""Whole worlds, explored to the end: every promise holds, and everything can still resolve."""

import pytest
from oae.explore.configuration import BUDGET, Configuration, ConfigurationError
from oae.explore.ends import EndsWorld, verdict_on
from oae.frame import Frame, decode, encode
from oae.model import end as ends
from oae.spec.constants import Operation
from oae.testing import requirement

CLEAN_LINK = {"timers": False, "retries": False}  # nothing waits for a timer or a beat


def explored(least: int, **fields: object) -> None:
    """The search is complete and clean, and not smaller than it should be."""
    result = Configuration(**fields).search().run()  # type: ignore[arg-type]
    assert result.broken is None, result.steps
    assert result.complete
    assert result.states >= least


@requirement(
    "OAE-PRM-001",
    "OAE-PRM-002",
    "OAE-PRM-003",
    "OAE-PRM-004",
    "OAE-PRM-005",
    "OAE-PRM-006",
    "OAE-PRM-011",
)
@pytest.mark.parametrize(
    ("least", "fields"),
    [
        (50_000, {"ids": 3, "crashes_a": 1, "crashes_b": 1}),
        (100_000, {"ids": 2, "crashes_a": 1, "crashes_b": 1, "cancels": 1, "refusals": 1}),
        (3_000, {"channel": "reordering", "ids": 2, "window": 1, "losses": 1}),
        (50_000, {"channel": "fifo", "window": 4, "losses": 1, "crashes_b": 1}),
        (
            20_000,
            {
                "channel": "reordering",
                "ids": 1,
                "losses": 1,
                "duplications": 1,
                "crashes_a": 1,
                "crashes_b": 1,
                "cancels": 1,
            },
        ),
    ],
)
def test_one_lane(least: int, fields: dict[str, object]) -> None:
    explored(least, **fields)


@requirement("OAE-TXN-034", "OAE-PRM-011")
@pytest.mark.parametrize(
    ("least", "fields"),
    [
        (18_000, {"first_id": 2**32 - 1, "ids": 2, "crashes_a": 1, "crashes_b": 1}),
        (90_000, {"channel": "fifo", "ids": 9, "id_bits": 3}),
        (70_000, {"channel": "fifo", "ids": 4, "id_bits": 3, "losses": 1}),
    ],
)
def test_ids_wrap(least: int, fields: dict[str, object]) -> None:
    explored(least, **fields)


@requirement("OAE-PRM-010")
@pytest.mark.parametrize("damage", ["alterations", "misdirections", "confusions"])
def test_damage_that_passes_every_check_never_splits_an_outcome(damage: str) -> None:
    explored(50, ids=2, cancels=1, progress=False, **{damage: 1})


@requirement("OAE-PRM-006", "OAE-LNK-005", "OAE-LNK-028")
@pytest.mark.parametrize(
    ("least", "fields"),
    [
        (3_000, {"channel": "fifo", "capacity": 3, "ids": 1}),
        (20_000, {"channel": "fifo", "capacity": 3, "ids": 1, "crashes_b": 1}),
        (4_000, {"channel": "fifo", "capacity": 3, "ids": 3, "peer_window": 1}),
        (10_000, {"channel": "fifo", "warm": True, "ids": 1, "faults": 1, "disables": 1}),
    ],
)
def test_a_clean_link_comes_up_and_resolves_without_timers(
    least: int, fields: dict[str, object]
) -> None:
    explored(least, world="session", **CLEAN_LINK, **fields)


@requirement("OAE-PRM-007", "OAE-PRM-008", "OAE-LNK-002", "OAE-LNK-017", "OAE-LNK-018")
@pytest.mark.parametrize(
    ("least", "fields"),
    [
        (40_000, {"channel": "fifo", "capacity": 3, "amnesias_a": 1, "crashes_b": 1, **CLEAN_LINK}),
        (70_000, {"channel": "fifo", "capacity": 1, "losses": 1, "amnesias_b": 1, "timeouts": 1}),
        (20_000, {"channel": "ever-sent", "crashes_a": 1}),
        (10_000, {"channel": "fifo", "losses": 1, "crashes_b": 1}),
    ],
)
def test_sessions_under_crashes_losses_and_amnesia(least: int, fields: dict[str, object]) -> None:
    explored(least, world="session", warm=True, ids=1, **fields)


@requirement("OAE-EPO-001", "OAE-EPO-003", "OAE-EPO-004", "OAE-EPO-008", "OAE-EPO-009")
@pytest.mark.parametrize(
    ("least", "fields"),
    [
        (2_000, {"channel": "fifo", "peer_ids": 1, "epochs": 1}),
        (20_000, {"ids": 2, "epochs": 1, "crashes_b": 1}),
        (10_000, {"epochs": 1, "advances": (1,)}),
        (15_000, {"epochs": 1, "cancels": 1, "crashes_a": 1, "crashes_b": 1}),
        (200, {"channel": "fifo", "ids": 0, "advances": (6,), "peer_advances": (5,)}),
    ],
)
def test_epochs(least: int, fields: dict[str, object]) -> None:
    explored(least, **{"world": "epoch", "ids": 1, "retries": False, **fields})


@requirement("OAE-LNK-022", "OAE-LNK-023", "OAE-PRM-006")
@pytest.mark.parametrize(
    ("least", "fields"),
    [(100_000, {"lossless": True}), (250_000, {"capacity": 1, "losses": 1})],
)
def test_beats_prove_what_is_overdue_also_when_numbers_wrap(
    least: int, fields: dict[str, object]
) -> None:
    explored(least, world="beat", channel="fifo", ids=1, window=1, beat_bits=3, **fields)


@pytest.mark.long
@pytest.mark.parametrize(
    ("least", "fields"),
    [
        (1_000_000, {"ids": 1, "amnesias_a": 1, "amnesias_b": 1, "crashes_a": 1}),
        (700_000, {"ids": 1, "peer_ids": 1, "amnesias_b": 1, "crashes_a": 1}),
        (1_800_000, {"ids": 2, "amnesias_b": 1, "crashes_a": 1, "cancels": 1}),
        (3_800_000, {"capacity": 3, "crashes_a": 2, "crashes_b": 1, "refusals": 1}),
    ],
)
def test_sessions_at_length(least: int, fields: dict[str, object]) -> None:
    explored(least, **{"world": "session", "warm": True, "channel": "fifo", **CLEAN_LINK, **fields})


def test_the_verdict_of_a_world_is_that_of_the_wire() -> None:
    """What a world makes of a frame is what `decode` makes of its image, in every state met."""
    search = Configuration(
        world="session", channel="fifo", ids=1, warm=True, amnesias_b=1, **CLEAN_LINK
    ).search()
    search.run()
    images = [(frame, encode(frame)) for frame in search.frames]
    assert len(images) > 10
    verdicts = set()
    for party in search.locals[1][::5]:
        end = party.end  # type: ignore[attr-defined]
        context = ends.listening(end)._asdict()
        for frame, image in images:
            verdict = verdict_on(end, frame)
            assert verdict == decode(image, **context)
            verdicts.add(type(verdict).__name__)
    assert verdicts == {"Received", "Malformed", "NotUp"}


def test_a_warm_link_is_up_and_remembers_what_it_sent() -> None:
    world = Configuration(world="session", warm=True, earlier=True)._world()
    assert isinstance(world, EndsWorld)
    assert all(party.end.up for party in world.start())
    forward, backward = world.sent()
    for frames in (forward, backward):
        assert {frame.operation for frame in frames} == {Operation.SYNC, Operation.SYNC_ACK}
        assert isinstance(frames[0], Frame)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"world": "moon"}, "no world moon"),
        ({"channel": "string"}, "no channel string"),
        ({"crashes_a": -1}, "crashes-a is negative"),
        ({"world": "epoch", "alterations": 1}, "only in the lane world"),
        ({"world": "beat", "channel": "ever-sent"}, "fifo"),
        ({"world": "beat", "channel": "fifo", "amnesias_a": 1}, "only in the session world"),
        ({"world": "epoch", "peer_window": 4}, "only in the session world"),
    ],
)
def test_searches_that_cannot_be_made(fields: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        Configuration(**fields)  # type: ignore[arg-type]


def test_a_window_that_cannot_be_built() -> None:
    with pytest.raises(ConfigurationError, match="power of two"):
        Configuration(window=3).search()


def test_every_budget_has_a_field() -> None:
    assert set(Configuration().budget) == set(BUDGET)
