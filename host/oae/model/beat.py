"""Beats and echoes: numbers of what was sent and heard (docs/protocol.md, section 5). Volatile."""

from typing import NamedTuple

from oae.model.parameters import Parameters
from oae.model.steps import replacing

WIRE_BITS = 15


class Beat(NamedTuple):
    """State of the beats of an end."""

    number: int = 0  # of the newest beat that I sent
    echo: int = 0  # newest own number that the peer has echoed
    heard: int | None = None  # newest number heard
    echo_owed: bool = False  # the peer wants an echo


_heard = replacing(Beat, "echo", "heard", "echo_owed")


class Word(NamedTuple):
    """What a beat says: the operand of NOP."""

    wanted: bool
    number: int
    echo: int | None

    def pack(self) -> int:
        """{echo wanted 1, number 15, echo valid 1, echo 15}."""
        wire = self.wanted << 31 | self.number << 16
        return wire if self.echo is None else wire | 1 << WIRE_BITS | self.echo


def unpack(operand: int) -> Word:
    """What a beat says."""
    echo = operand & 0x7FFF if operand >> WIRE_BITS & 1 else None
    return Word(bool(operand >> 31), operand >> 16 & 0x7FFF, echo)


def send(parameters: Parameters, beat: Beat, wanted: bool) -> tuple[Beat, Word]:
    """The next beat; it wants an echo if a slot waits."""
    number = (beat.number + 1) & parameters.beat_mask
    return beat._replace(number=number, echo_owed=False), Word(wanted, number, beat.heard)


def hear(parameters: Parameters, beat: Beat, word: Word) -> Beat:
    """A verified beat. An echo ahead of my own number is not mine; the newest wins."""
    echo = beat.echo
    if (
        word.echo is not None
        and parameters.beats_ahead(beat.number, word.echo) >= 0
        and parameters.beats_ahead(word.echo, echo) > 0
    ):
        echo = word.echo
    return _heard(beat, echo, word.number, beat.echo_owed or word.wanted)
