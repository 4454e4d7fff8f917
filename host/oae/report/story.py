"""The story of each transaction, moment by moment: what its sequence chart draws.

From the capture every frame and every step; without one, what the result itself remembers.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from oae.capture.read import Capture
from oae.check.findings import Mark, Result, Transaction
from oae.report.gather import ANSWERS, REQUESTS, gather
from oae.report.moments import Moment, Sent, Step, Story, with_handshake
from oae.spec.constants import ETHERTYPE

MOST: Final = 60  # moments of one transaction: more could not be read
_FIRST: Final = 40  # of them from its begin, the others from its end
_FRAMES: Final = {operation.name: operation for operation in (*REQUESTS, *ANSWERS)}
_OF_RESPONDER: Final = frozenset(
    {
        Mark.REFLECTED.name,
        Mark.COMMIT_HEARD.name,
        Mark.DELIVERED.name,
        Mark.ABORT_RECORDED.name,
        Mark.DOUBTED.name,
    }
)


def stories(result: Result, capture: Path | None) -> list[Story]:
    """One story a transaction of the result, in its order."""
    rows = result.transactions
    if capture is None:
        return [_shortened(list(_from_marks(row))) for row in rows]
    gathered = gather(Capture(capture), rows, _ethertype(result))
    told = [story or list(_from_marks(row)) for row, story in zip(rows, gathered, strict=True)]
    return [_shortened(sorted(story, key=lambda moment: moment.time)) for story in told]


def _ethertype(result: Result) -> int:
    """That of the run, if the capture says it in a way that can be read."""
    try:
        return int(result.parameters["ethertype"], 16)
    except (KeyError, ValueError):
        return ETHERTYPE


def _shortened(story: Sequence[Moment]) -> Story:
    left_out = len(story) - MOST
    if left_out <= 0:
        return list(story)
    last = story[_FIRST + left_out :]
    note = Step(story[_FIRST].time, story[_FIRST].end, f"{left_out:,} more, left out", "")
    return [*story[:_FIRST], note, *last]


def _from_marks(row: Transaction) -> Iterator[Moment]:
    for name, (time, _) in sorted(row.marks.items(), key=lambda mark: mark[1]):
        if name in _FRAMES:
            end = row.end if _FRAMES[name] in REQUESTS else 1 - row.end
            yield Sent(time, end, name, "", [(time, "")])
        else:
            end = 1 - row.end if name in _OF_RESPONDER else row.end
            step = Step(time, end, name.replace("_", " "), "")
            yield from with_handshake(step, name, row.outcome)
