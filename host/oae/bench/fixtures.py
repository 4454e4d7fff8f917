"""What a bench makes before its ends start, and undoes afterwards: cables of software, power.

Namespaces and interfaces whose names begin with `oae` are the benches' own, and whoever makes them
has the names for himself by leases. So what already bears one was left behind by a process that
was killed, and goes. Other namespaces must be there, and other interfaces must not.
"""

import socket
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Final

from oae.bench.bench import Fixture, Power, Veth
from oae.errors import OaeError
from oae.medium.namespace import namespaces, split

PREFIX: Final = "oae"
CAPABILITIES: Final = (
    "cables need the capability CAP_NET_ADMIN, namespaces CAP_SYS_ADMIN too; "
    "the benches embedded, relay and python need none"
)


class FixtureError(OaeError):
    """A fixture of the bench cannot be made."""

    exit_code = 4


@contextmanager
def made(fixtures: Sequence[Fixture]) -> Iterator[None]:
    """All of them in their order, there for as long as the block runs; raises FixtureError."""
    with ExitStack() as stack:
        for namespace in _own_namespaces(fixtures):
            stack.enter_context(_namespace(namespace))
        for fixture in fixtures:
            one = _power(fixture) if isinstance(fixture, Power) else _veth(fixture)
            stack.enter_context(one)
        yield


def _own_namespaces(fixtures: Sequence[Fixture]) -> list[str]:
    """Namespaces that stand in the names of cables and are the bench's own."""
    veths = [one for one in fixtures if isinstance(one, Veth)]
    found = {split(name)[0] for veth in veths for name in veth.names}
    return sorted(name for name in found if name.startswith(PREFIX))


@contextmanager
def _namespace(name: str) -> Iterator[None]:
    if name in namespaces():
        _run("ip", "netns", "del", name)
    _run("ip", "netns", "add", name)
    try:
        yield
    finally:
        _run("ip", "netns", "del", name)


@contextmanager
def _veth(veth: Veth) -> Iterator[None]:
    """A cable; the interfaces are up."""
    sides = [split(name) for name in veth.names]
    for namespace, name in sides:
        if not namespace and name.startswith(PREFIX):
            _clear(name)
    one, other = ((name, *(("netns", namespace) if namespace else ())) for namespace, name in sides)
    _run("ip", "link", "add", "name", *one, "type", "veth", "peer", "name", *other)
    try:
        for namespace, name in sides:
            _run(*_ip(namespace), "link", "set", "dev", name, "up")
        yield
    finally:
        namespace, name = sides[0]
        _run(*_ip(namespace), "link", "del", "dev", name)


def _clear(name: str) -> None:
    """Remove an interface that was left behind."""
    try:
        if _is_there(name):
            _run("ip", "link", "del", "dev", name)
    except FixtureError:
        if _is_there(name):  # else it went with the other side of its cable
            raise


def _is_there(name: str) -> bool:
    return any(name == known for _, known in socket.if_nameindex())


def _ip(namespace: str) -> tuple[str, ...]:
    return ("ip", "-n", namespace) if namespace else ("ip",)


@contextmanager
def _power(power: Power) -> Iterator[None]:
    _run(*power.on)
    try:
        yield
    finally:
        _run(*power.off)


def _run(*command: str) -> None:
    try:
        subprocess.run(command, check=True, capture_output=True, text=True)
    except FileNotFoundError as error:
        raise FixtureError(f"{command[0]}: not installed") from error
    except PermissionError as error:
        raise FixtureError(f"{command[0]}: cannot be executed") from error
    except subprocess.CalledProcessError as error:
        said = error.stderr.strip().splitlines()
        reason = said[-1] if said else f"exit code {error.returncode}"
        if command[0] == "ip" and "not permitted" in reason:
            reason += f"; {CAPABILITIES}"
        raise FixtureError(f"{' '.join(command)}: {reason}") from error
