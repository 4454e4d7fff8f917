"""Network namespaces: an interface is written NAME, or NAMESPACE/NAME if it is not in this one."""

import ctypes
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from oae.errors import OaeError

FOLDER: Final = Path("/run/netns")  # where `ip netns` puts them
_HERE: Final = Path("/proc/thread-self/ns/net")
_CLONE_NEWNET: Final = 0x4000_0000


class NamespaceError(OaeError):
    """A network namespace cannot be entered; the message says why."""

    exit_code = 4


def split(interface: str) -> tuple[str, str]:
    """The namespace, empty if it is this one, and the name of the interface in it."""
    namespace, _, name = interface.rpartition("/")
    return namespace, name


@contextmanager
def entered(namespace: str) -> Iterator[None]:
    """This thread is in a namespace; a socket that it opens stays there. Raises NamespaceError."""
    if not namespace:
        yield
        return
    try:
        with (FOLDER / namespace).open() as there, _HERE.open() as here:
            _enter(there.fileno())
            try:
                yield
            finally:
                _enter(here.fileno())
    except FileNotFoundError as error:
        known = ", ".join(namespaces()) or "none"
        raise NamespaceError(f"no such network namespace; there are {known}") from error


def namespaces() -> list[str]:
    """Those that have names."""
    return sorted(one.name for one in FOLDER.iterdir()) if FOLDER.is_dir() else []


def _enter(file: int) -> None:
    """What `os.setns` does from Python 3.12 on."""
    if ctypes.CDLL(None, use_errno=True).setns(file, _CLONE_NEWNET):
        reason = os.strerror(ctypes.get_errno()).lower()
        hint = "entering a network namespace needs the capability CAP_SYS_ADMIN"
        raise NamespaceError(f"{reason}; {hint}")
