"""Interfaces that tests make with iproute2, and take away again. Needs root."""

import os
import re
import shutil
import socket
import subprocess
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from itertools import count
from pathlib import Path

import pytest
from oae.medium.namespace import namespaces

Pair = tuple[str, str]
_NUMBERS = count()
_NAME = re.compile(r"oae(\d+)\.\d+[abr]")  # the process that made it
_ETH_P_ALL = 3
_PROBE = bytes(60)
_TRIES = 500  # each waits 10 ms


def ip(*words: str) -> None:
    """One `ip` command of iproute2."""
    subprocess.run(["ip", *words], check=True, capture_output=True)


def skip_without_root() -> None:
    """Skip, and say why, if interfaces cannot be made here."""
    if shutil.which("ip") is None:
        pytest.skip("ip (iproute2) is not installed")
    if os.geteuid() != 0:
        pytest.skip("making interfaces needs root (CAP_NET_ADMIN)")


def _left_behind(names: Iterable[str]) -> Iterator[str]:
    """Those that tests made that were killed."""
    for name in names:
        found = _NAME.fullmatch(name)
        if found and not Path(f"/proc/{found[1]}").exists():
            yield name


def _raw() -> socket.socket:
    return socket.socket(socket.AF_PACKET, socket.SOCK_RAW)


def _carry(names: Pair) -> None:
    """Wait until both ends of a cable carry: an interface that is set up drops frames at first."""
    with _raw() as a, _raw() as b:
        for end, name in zip((a, b), names, strict=True):
            end.bind((name, _ETH_P_ALL))
            end.settimeout(0.01)
        for sender, receiver in ((a, b), (b, a)):
            for _ in range(_TRIES):
                sender.send(_PROBE)
                with suppress(TimeoutError):
                    if receiver.recv(len(_PROBE)) == _PROBE:
                        break
            else:
                raise AssertionError(f"{names}: nothing comes through")


@contextmanager
def veth_pair() -> Iterator[Pair]:
    """Two interfaces that are the ends of one cable, up; gone afterwards, whatever happened."""
    for name in _left_behind(name for _, name in socket.if_nameindex()):
        with suppress(subprocess.CalledProcessError):  # gone with the other end
            ip("link", "del", name)
    number = next(_NUMBERS)
    a, b = (f"oae{os.getpid()}.{number}{end}" for end in "ab")
    ip("link", "add", a, "type", "veth", "peer", "name", b)
    try:
        for name in (a, b):
            ip("link", "set", name, "up")
        _carry((a, b))
        yield a, b
    finally:
        ip("link", "del", a)


def names_of_namespaces() -> tuple[str, str, str]:
    """New names, for those of two ends and of a relay; what killed tests left behind goes."""
    for name in _left_behind(namespaces()):
        ip("netns", "del", name)
    number = next(_NUMBERS)
    a, b, relay = (f"oae{os.getpid()}.{number}{letter}" for letter in "abr")
    return a, b, relay


@contextmanager
def joined_namespaces() -> Iterator[Pair]:
    """Two network namespaces; interface `oae` of one is joined by a cable to that of the other."""
    names = names_of_namespaces()[:2]
    with ExitStack() as stack:
        for name in names:
            ip("netns", "add", name)
            stack.callback(ip, "netns", "del", name)
        a, b = names
        ip("-n", a, "link", "add", "oae", "type", "veth", "peer", "name", "oae", "netns", b)
        for name in names:
            ip("-n", name, "link", "set", "oae", "up")
        yield a, b
