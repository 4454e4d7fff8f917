"""Reads a waveform (VCD) that SBY writes: the value of every signal, step by step.

Only what such a waveform has is understood: one scope inside the other, and one `#time` a step.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from oae.errors import OaeError

_DEFINITION = re.compile(r"\$var\s+\S+\s+\d+\s+(\S+)\s+(\S+)")
_STEP = "smt_step"  # an integer that counts the steps


class WaveformError(OaeError):
    """The file is no waveform, or lacks a signal."""


@dataclass(frozen=True)
class Waveform:
    """All steps of a waveform; a signal is named by its scopes: `oae_lane_proof.a.state`."""

    path: Path
    steps: tuple[dict[str, int], ...]

    def values(self, name: str) -> list[int]:
        """One signal, step by step."""
        if self.steps and name not in self.steps[0]:
            raise WaveformError(f"{self.path}: no signal {name}")
        return [step[name] for step in self.steps]


def read(path: Path) -> Waveform:
    """Read a file; a value that is not known counts as 0."""
    try:
        text = path.read_text()
    except (OSError, UnicodeDecodeError) as error:
        raise WaveformError(f"{path}: cannot be read: {error}") from error
    head, found, body = text.partition("$enddefinitions $end")
    names = dict(_names(head))
    if not found or not names:
        raise WaveformError(f"{path}: not a waveform")
    return Waveform(path, tuple(_steps(body, names)))


def _names(head: str) -> Iterator[tuple[str, list[str]]]:
    """The names behind each short code; several signals may share one."""
    found: dict[str, list[str]] = {}
    scopes: list[str] = []
    for line in head.splitlines():
        words = line.split()
        match words[:1]:
            case ["$scope"]:
                scopes.append(words[2])
            case ["$upscope"]:
                scopes.pop()
            case ["$var"] if definition := _DEFINITION.match(line):
                code, name = definition.groups()
                found.setdefault(code, []).append(".".join([*scopes, name]))
    yield from found.items()


def _steps(body: str, names: dict[str, list[str]]) -> Iterator[dict[str, int]]:
    """Every step that the solver took; what changes between two of them is the clock."""
    now = {name: 0 for several in names.values() for name in several}
    step = -1
    for moment in re.split(r"^#\d+\s*$", body, flags=re.MULTILINE)[1:]:
        for line in moment.split("\n"):
            if not line or line[0] == "$":
                continue
            bits, _, code = line[1:].partition(" ") if line[0] in "bB" else (line[0], "", line[1:])
            value = int(re.sub("[^01]", "0", bits), 2)
            for name in names.get(code.strip(), ()):
                now[name] = value
        if now.get(_STEP, 0) != step:
            step = now.get(_STEP, 0)
            yield dict(now)
