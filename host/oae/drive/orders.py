"""The commands that an end takes as lines on its standard input (docs/live.md)."""

from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO, Final, Protocol

from oae.drive.end import STREAMS
from oae.drive.telling import Watch
from oae.errors import OaeError
from oae.files import created

WORD: Final = 1 << 64
FORMS: Final = (
    "load",
    "crash [TICKS]",
    "amnesia [TICKS]",
    "disable on|off",
    "mute on|off",
    "refuse on|off",
    f"stall {'|'.join(STREAMS)} on|off",
    "cancel TAG",
    "epoch EPOCH PREPARED",
    "watch NUMBER MASK MATCH",
    "statistics",
    "rotate FILE",
    "stop",
)
_SWITCHES: Final = {"disable": "disabled", "mute": "mute", "refuse": "refuse"}


class OrderError(OaeError):
    """A command line is none; the message says which there are."""


class Commanded(Protocol):
    """An end that takes commands; each raises OrderError if it cannot do it."""

    @property
    def captures(self) -> bool:
        """Whether it writes a capture."""

    def load(self) -> None:
        """The load begins."""

    def demand(self, name: str, value: bool) -> None:
        """A switch of the end or its host."""

    def restart(self, name: str, ticks: int) -> None:
        """Crash or amnesia."""

    def epochs(self, epoch: int, prepared: int) -> None:
        """The epoch that the domain wants, and which part of it is durable."""

    def cancel(self, tag: int) -> None:
        """The host takes a record back."""

    def watch(self, watch: Watch) -> None:
        """Steps with this word are to be heard."""

    def rotate(self, file: BinaryIO) -> None:
        """The capture goes on in another file."""


def order(line: str, end: Commanded, tell: Callable[[], None], stop: Callable[[], None]) -> None:
    """Do what a line says; `tell` tells statistics. Raises OaeError, and then nothing is done."""
    try:
        match line.split():
            case ["load"]:
                end.load()
            case [("crash" | "amnesia") as name]:
                end.restart(name, 1)
            case [("crash" | "amnesia") as name, ticks]:
                end.restart(name, _number(ticks, 1))
            case [name, ("on" | "off") as value] if name in _SWITCHES:
                end.demand(_SWITCHES[name], value == "on")
            case ["stall", stream, ("on" | "off") as value] if stream in STREAMS:
                end.demand(f"stall_{stream}", value == "on")
            case ["cancel", tag]:
                end.cancel(_number(tag, 0, 1 << 16))
            case ["epoch", epoch, prepared]:
                end.epochs(_number(epoch, 0), _number(prepared, 0))
            case ["watch", number, mask, match]:
                end.watch(Watch(_number(number, 0), _hex(mask), _hex(match)))
            case ["statistics"]:
                tell()
            case ["rotate", file]:
                _rotate(end, file)
            case ["stop"]:
                stop()
            case []:
                pass
            case _:
                raise ValueError
    except ValueError as error:
        raise OrderError(f"{line.strip()!r} is no command; there are {', '.join(FORMS)}") from error


def _number(text: str, least: int, end: int = 1 << 32) -> int:
    number = int(text)
    if not least <= number < end:
        raise ValueError
    return number


def _hex(text: str) -> int:
    number = int(text, 16)
    if not 0 <= number < WORD:
        raise ValueError
    return number


def _rotate(end: Commanded, file: str) -> None:
    if not end.captures:
        raise OrderError("rotate: this end has no capture")
    end.rotate(created(Path(file), "rotate"))
