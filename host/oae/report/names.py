"""Short names of transactions, for people and for links: a-7, and a-7.2 in the next session."""

from collections.abc import Sequence
from typing import Final

from oae.check.findings import Transaction
from oae.report.moments import begin

LANES: Final = ("a to b", "b to a")
Key = tuple[int, str, int]  # lane, sessions, id


def key(row: Transaction) -> Key:
    """What a finding names a transaction by."""
    return row.end, row.sessions, row.id


def session_numbers(rows: Sequence[Transaction]) -> dict[tuple[int, str], int]:
    """The sessions of each lane, counted from 0 in order of time."""
    found: dict[tuple[int, str], int] = {}
    counts = [0, 0]
    for row in sorted(rows, key=begin):
        if (row.end, row.sessions) not in found:
            found[row.end, row.sessions] = counts[row.end]
            counts[row.end] += 1
    return found


def names(rows: Sequence[Transaction]) -> dict[Key, str]:
    """A name each."""
    numbers = session_numbers(rows)
    return {key(row): _name(row.end, row.id, numbers[row.end, row.sessions]) for row in rows}


def _name(end: int, id: int, session: int) -> str:
    return f"{'ab'[end]}-{id}" + (f".{session + 1}" if session else "")
