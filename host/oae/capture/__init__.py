"""Captures: written from a run, read from anywhere (docs/capture.md)."""

from oae.errors import OaeError


class CaptureError(OaeError):
    """A file is no capture, or cannot be opened, read or written; the message says which."""
