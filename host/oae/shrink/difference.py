"""Where two traces first differ."""

from collections.abc import Iterator
from itertools import zip_longest
from pathlib import Path
from typing import NamedTuple

SHOWN = 100  # characters of a line


class Difference(NamedTuple):
    """The first line, counted from 1, that is not the same; an empty text: the trace has ended."""

    line: int
    before: str
    now: str

    def __str__(self) -> str:
        """As it is told."""
        before, now = (text[:SHOWN] or "(ended)" for text in (self.before, self.now))
        where = f"first difference in line {self.line} of the trace"
        return f"{where}\n  before: {before}\n  now:    {now}"


def difference(before: Path, now: Path, *, rules: bool = True) -> Difference | None:
    """The first difference; without `rules`, what names fault rules by number does not count."""
    with before.open() as first, now.open() as second:
        for (line, one), (_, other) in zip_longest(
            _lines(first, rules), _lines(second, rules), fillvalue=(0, "")
        ):
            if one != other:
                return Difference(line, one, other)
    return None


def _lines(lines: Iterator[str], rules: bool) -> Iterator[tuple[int, str]]:
    for number, line in enumerate(lines, 1):
        words = line.split()
        if not rules and (words[2:3] == ["rule"] or words[:2] == ["parameter", "rules"]):
            continue
        if not rules and words[2:3] == ["fate"]:
            words.pop()
        yield number, " ".join(words)
