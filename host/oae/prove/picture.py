"""A waveform of the composed proof (hdl/formal/oae_lane_proof.sv) as a picture, step by step.

python -m oae.prove.picture build/prove/lane_cover/engine_0/trace7.vcd picture.svg
"""

import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import wavedrom

from oae.prove.waveform import Waveform, read
from oae.spec.constants import Operation, State

TOP = "oae_lane_proof"
Show = Callable[[int], str]  # the name of a value, or nothing where none is shown


class Row(NamedTuple):
    """One line of the picture, as WaveDrom has it."""

    name: str
    wave: str
    data: list[str]


def svg(trace: Path) -> str:
    """The followed transaction at both ends, what each hears of it, crashes, and what hosts see."""
    wave = read(trace)
    k = wave.values(f"{TOP}.k")[0]
    rows = [
        _named("A", wave.values(f"{TOP}.a_state"), lambda value: State(value).name),
        _heard("A hears", wave, "answer", k),
        _named("B", wave.values(f"{TOP}.b_state"), lambda value: State(value).name),
        _heard("B hears", wave, "order", k),
        _bit("crash of A", wave, "crash_a"),
        _bit("crash of B", wave, "crash_b"),
        _bit("told COMMITTED", wave, "told_committed"),
        _bit("told ABORTED", wave, "told_aborted"),
    ]
    used = [row._asdict() for row in rows if set(row.wave) - set("0.")]
    drawing = {"signal": used, "head": {"tick": 0}, "config": {"hscale": 3}}
    return str(wavedrom.render(json.dumps(drawing)).tostring())


def _named(name: str, values: list[int], show: Show) -> Row:
    """A row of named values; what stays the same is drawn through."""
    return _row(name, [show(value) for value in values])


def _heard(name: str, wave: Waveform, port: str, k: int) -> Row:
    """The frames of k that an end hears, by operation."""
    valid = wave.values(f"{TOP}.{port}_valid")
    ids = wave.values(f"{TOP}.{port}_id")
    operations = wave.values(f"{TOP}.{port}_operation")
    shown = [
        Operation(operation).name if heard and identifier == k else ""
        for heard, identifier, operation in zip(valid, ids, operations, strict=True)
    ]
    return _row(name, shown)


def _row(name: str, values: list[str]) -> Row:
    marks = list(_marks(values))
    data = [value for value, mark in zip(values, marks, strict=True) if mark == "="]
    return Row(name, "".join(marks), data)


def _marks(values: list[str]) -> Iterator[str]:
    """WaveDrom's letters: a value (=), nothing (0), as before (.)."""
    before: str | None = None
    for value in values:
        now = "" if value == State.IDLE.name else value
        yield "." if now == before else ("=" if now else "0")
        before = now


def _bit(name: str, wave: Waveform, signal: str) -> Row:
    """One bit; a proof that has no use for it does not have it."""
    known = f"{TOP}.{signal}" in wave.steps[0]
    values = wave.values(f"{TOP}.{signal}") if known else [0] * len(wave.steps)
    before = [None, *values]
    marks = ["." if now == last else str(now) for last, now in zip(before, values, strict=False)]
    return Row(name, "".join(marks), [])


if __name__ == "__main__":
    Path(sys.argv[2]).write_text(svg(Path(sys.argv[1])))
