"""Files that are there whole or not at all, and files that are written as it comes."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from oae.errors import OaeError


def check_writable(path: Path, option: str) -> None:
    """Raise OaeError if nothing can be written there: found out before much work is done for it."""
    try:
        if path.is_dir():
            raise IsADirectoryError(0, "is a directory")
        place = next(parent for parent in path.absolute().parents if parent.exists())
        tempfile.TemporaryFile(dir=place).close()
    except OSError as error:
        raise OaeError(f"{option} {path}: {(error.strerror or str(error)).lower()}") from error


@contextmanager
def written_whole(path: Path) -> Iterator[BinaryIO]:
    """A file to write; if that fails, what was there before still is.

    A link is followed. What is no ordinary file (a pipe, a device) is written as it comes. Raises
    OSError.
    """
    path = path.resolve()
    if path.exists() and not path.is_file():
        with path.open("wb") as file:
            yield file
        return
    part = path.with_name(f"{path.name}.part")
    try:
        with part.open("wb") as file:
            yield file
        part.replace(path)
    finally:
        with suppress(OSError):
            part.unlink()


def created(path: Path, option: str) -> BinaryIO:
    """A new file that is written while something runs; raises OaeError that names the option."""
    try:
        return path.open("wb")
    except OSError as error:
        raise OaeError(f"{option} {path}: {(error.strerror or str(error)).lower()}") from error
