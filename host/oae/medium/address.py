"""The addresses of media as they are written: `unix:a,b`, `udp:HOST:PORT,HOST:PORT`, ..."""

from collections.abc import Callable
from typing import Final, NamedTuple

from oae.errors import OaeError

LOOPBACK: Final = "127.0.0.1"
PORT_MOST: Final = 65535
INTERFACE_NAME_MOST: Final = 15  # bytes
NAMESPACE_NAME_MOST: Final = 255
UNIX_PATH_MOST: Final = 107  # bytes
GRAMMAR: Final = (
    "unix:LOCAL,REMOTE udp:[HOST:]PORT,[HOST:]PORT tap:NAME packet:[NAMESPACE/]INTERFACE"
)


class AddressError(OaeError):
    """An address is written wrongly; the message says how it goes."""


class Unix(NamedTuple):
    """Two paths: where this side listens, and where the other does."""

    local: str
    remote: str

    def __str__(self) -> str:
        return f"unix:{self.local},{self.remote}"


class Udp(NamedTuple):
    """Two hosts with their ports, this side's first."""

    local: tuple[str, int]
    remote: tuple[str, int]

    def __str__(self) -> str:
        both = (
            f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
            for host, port in (self.local, self.remote)
        )
        return f"udp:{','.join(both)}"


class Tap(NamedTuple):
    """The name of a TAP device."""

    name: str

    def __str__(self) -> str:
        return f"tap:{self.name}"


class Packet(NamedTuple):
    """The name of an interface, behind that of its network namespace if it is in another one."""

    interface: str

    def __str__(self) -> str:
        return f"packet:{self.interface}"


Address = Unix | Udp | Tap | Packet


def parse(text: str) -> Address:
    """Read an address; raises AddressError."""
    kind, colon, rest = text.partition(":")
    if not colon or kind not in _KINDS:
        raise AddressError(f"medium {text!r}: no such medium; there are {GRAMMAR}")
    try:
        return _KINDS[kind](rest)
    except ValueError as error:
        raise AddressError(f"medium {text!r}: {error}") from error


def _unix(rest: str) -> Unix:
    local, remote = _pair(rest, "unix:LOCAL,REMOTE with two paths")
    for path in (local, remote):
        if len(path.encode()) > UNIX_PATH_MOST:
            raise ValueError(f"a socket's path has at most {UNIX_PATH_MOST} bytes")
    if local == remote:
        raise ValueError("both sides have the same path")
    return Unix(local, remote)


def _udp(rest: str) -> Udp:
    local, remote = _pair(rest, "udp:[HOST:]PORT,[HOST:]PORT")
    return Udp(_host_and_port(local), _host_and_port(remote))


def _host_and_port(text: str) -> tuple[str, int]:
    host, _, port = text.rpartition(":")
    if not port.isdecimal() or not 1 <= int(port) <= PORT_MOST:
        raise ValueError(f"{port!r} is not a port from 1 to {PORT_MOST}")
    return host.removeprefix("[").removesuffix("]") or LOOPBACK, int(port)


def _pair(rest: str, form: str) -> tuple[str, str]:
    match rest.split(","):
        case [local, remote] if local and remote:
            return local, remote
    raise ValueError(f"not {form}")


def _interface(rest: str) -> str:
    return _name(rest, "an interface", INTERFACE_NAME_MOST)


def _in_namespace(rest: str) -> str:
    namespace, slash, name = rest.partition("/")
    if slash:
        _name(namespace, "a network namespace", NAMESPACE_NAME_MOST)
    _interface(name if slash else rest)
    return rest


def _name(text: str, what: str, most: int) -> str:
    if not 1 <= len(text.encode()) <= most or "/" in text or text.split() != [text]:
        raise ValueError(f"the name of {what} has 1 to {most} characters")
    if text in (".", ".."):
        raise ValueError(f"{text} is no name of {what}")
    return text


_KINDS: Final[dict[str, Callable[[str], Address]]] = {
    "unix": _unix,
    "udp": _udp,
    "tap": lambda rest: Tap(_interface(rest)),
    "packet": lambda rest: Packet(_in_namespace(rest)),
}
