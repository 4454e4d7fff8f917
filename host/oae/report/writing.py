"""Files that are there whole or not at all."""

from contextlib import suppress
from pathlib import Path

from oae.errors import OaeError


class ReportError(OaeError):
    """A report or an export cannot be written."""


def write_whole(path: Path, content: bytes) -> None:
    """Write a file; if that fails, what was there before still is."""
    part = path.with_name(f"{path.name}.part")
    try:
        part.write_bytes(content)
        part.replace(path)
    except OSError as error:
        with suppress(OSError):
            part.unlink()
        raise ReportError(f"{path}: {(error.strerror or str(error)).lower()}") from error
