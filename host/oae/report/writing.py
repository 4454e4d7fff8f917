"""Writes what a report or an export consists of."""

from pathlib import Path

from oae.errors import OaeError
from oae.files import written_whole


class ReportError(OaeError):
    """A report or an export cannot be written."""


def write_whole(path: Path, content: bytes) -> None:
    """Write a file; if that fails, what was there before still is."""
    try:
        with written_whole(path) as file:
            file.write(content)
    except OSError as error:
        raise ReportError(f"{path}: {(error.strerror or str(error)).lower()}") from error
