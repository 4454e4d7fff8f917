"""Leases: who may use a port, an interface or a board now.

Each resource has a file with two locks of the kernel and two records:

- byte 0 is locked while the records are looked at or changed;
- byte 1 is locked by a process as long as it uses the resource. The kernel lets go of it when the
  process ends, however it ends. The holder's record says who that is;
- the lease's record says whose the resource is without a process, what for and until when.

A process that lives keeps what it holds, also past the time in its record: nothing can be taken
from a program that may just be writing to a board. The locks belong to the open file, not to the
process, so that another use of the file in the same process does not drop them.
"""

import contextlib
import fcntl
import getpass
import hashlib
import json
import os
import re
import stat
import struct
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from oae.errors import OaeError

DIRECTORY: Final = "OAE_LEASE_DIRECTORY"  # in the environment: where the files are instead
OWNER: Final = "OAE_LEASE_OWNER"  # in the environment: who asks, if not the user
SHARED: Final = Path("/var/lock")
HOUR: Final = 3600.0
RECORD_BYTES: Final = 2048  # one write of always the same size replaces a whole record
TEXT_MOST: Final = 100
_RECORDS, _HELD = 0, 1  # bytes that are locked
_LEASE, _HOLDER = RECORD_BYTES, 2 * RECORD_BYTES  # where the records begin
_FLOCK: Final = struct.Struct("hhqqi4x")  # struct flock: type, whence, start, length, process


class LeaseError(OaeError):
    """A resource is somebody else's now; the message says whose and until when."""

    exit_code = 1


@dataclass(frozen=True)
class Record:
    """What stands in a resource's file."""

    owner: str
    purpose: str
    expiry: float  # seconds since 1970
    process: int = 0  # of the one that holds it; 0: none

    def __str__(self) -> str:
        until = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(self.expiry))
        purpose = f" for {self.purpose}" if self.purpose else ""
        process = f", process {self.process}" if self.process else ""
        return f"{self.owner}{purpose} until {until}{process}"


@dataclass(frozen=True)
class State:
    """How a resource stands: `held` by a living process, leased by a record in force, or free.

    `record` says by whom: the process, if there is one.
    """

    resource: str
    held: bool
    record: Record | None

    @property
    def free(self) -> bool:
        """Whether anybody may have it."""
        return not self.held and self.record is None

    def __str__(self) -> str:
        if self.free:
            return f"{self.resource}: free"
        text = f"{self.resource}: {self.record or 'a process that left no record'}"
        overdue = self.held and self.record is not None and self.record.expiry < time.time()
        return text + (" (overdue; a living process keeps it)" if overdue else "")


def me() -> str:
    """Who asks: the environment's OAE_LEASE_OWNER, or the user."""
    if OWNER in os.environ:
        return _line(os.environ[OWNER])
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return f"user {os.getuid()}"


def _line(text: str) -> str:
    """As it stands in a record: what others are told of it is one line."""
    plain = "".join(one if one.isprintable() else " " for one in text)
    return " ".join(plain.split())[:TEXT_MOST]


def directory() -> Path:
    """Where the files are: a place that all users of the machine share, if there is one."""
    if DIRECTORY in os.environ:
        return Path(os.environ[DIRECTORY])
    if SHARED.is_dir() and os.access(SHARED, os.W_OK):
        return SHARED / "oae"
    if "XDG_RUNTIME_DIR" in os.environ:
        return Path(os.environ["XDG_RUNTIME_DIR"]) / "oae"
    raise LeaseError(f"no place for leases: {SHARED} cannot be written; set {DIRECTORY}")


def lease(resources: Sequence[str], purpose: str = "", seconds: float = HOUR) -> list[State]:
    """Lease all of them or none, for so long, with no process to hold them; raises LeaseError.

    Who has such a lease already has it for so long from now on.
    """
    owner = me()
    record = Record(owner, _line(purpose), time.time() + seconds)
    with _looked_at(resources) as files:
        states = [_state(name, file) for name, file in files.items()]
        _refuse(states, owner)
        for file in files.values():
            _write(file, _LEASE, record)
    return [State(name, False, record) for name in resources]


def release(resources: Sequence[str], *, force: bool = False) -> list[State]:
    """Give back what no process holds, and say how each stood; raises LeaseError.

    What is another owner's takes `force`. What a living process holds nobody can give back.
    """
    owner = me()
    with _looked_at(resources) as files:
        states = [_state(name, file) for name, file in files.items()]
        for state in states:
            if state.held:
                raise LeaseError(f"{state}; end that process")
            if state.record is not None and state.record.owner != owner and not force:
                raise LeaseError(f"{state}; it is not yours: --force gives it back all the same")
        for file in files.values():
            _write(file, _LEASE, None)
    return states


@contextmanager
def held(resources: Sequence[str], purpose: str = "", seconds: float = HOUR) -> Iterator[None]:
    """Hold all of them while the block runs; raises LeaseError.

    A lease of the same owner is no obstacle, and stays as it is.
    """
    owner = me()
    record = Record(owner, _line(purpose), time.time() + seconds, os.getpid())
    with ExitStack() as stack:
        files = {name: stack.enter_context(_opened(name)) for name in sorted(set(resources))}
        with _locked(files):
            _refuse([_state(name, file) for name, file in files.items()], owner)
            for name, file in files.items():
                if not _lock(file, _HELD):
                    raise LeaseError(str(_state(name, file)))
                _write(file, _HOLDER, record)
        yield


def state(resource: str) -> State:
    """How a resource stands now."""
    with _looked_at([resource]) as files:
        return _state(resource, files[resource])


def _refuse(states: Sequence[State], owner: str) -> None:
    for one in states:
        if one.held or (one.record is not None and one.record.owner != owner):
            raise LeaseError(str(one))


def _state(resource: str, file: int) -> State:
    """To be called with the records locked."""
    if _is_locked(file, _HELD):
        return State(resource, True, _read(file, _HOLDER))
    record = _read(file, _LEASE)
    return State(resource, False, record if record and record.expiry > time.time() else None)


@contextmanager
def _looked_at(resources: Sequence[str]) -> Iterator[dict[str, int]]:
    """Their files, all records locked."""
    with ExitStack() as stack:
        files = {name: stack.enter_context(_opened(name)) for name in sorted(set(resources))}
        with _locked(files):
            yield files


@contextmanager
def _locked(files: dict[str, int]) -> Iterator[None]:
    """All records, locked in the order of the names, so that two can never wait for each other."""
    done: list[int] = []
    try:
        for _, file in sorted(files.items()):
            _lock(file, _RECORDS, wait=True)
            done.append(file)
        yield
    finally:
        for file in done:
            _lock(file, _RECORDS, kind=fcntl.F_UNLCK)


@contextmanager
def _opened(resource: str) -> Iterator[int]:
    """The file of a resource; it is made if missing and never removed, or two could differ."""
    folder = directory()
    try:
        if not folder.is_dir():
            folder.mkdir(mode=0o1777, parents=True, exist_ok=True)
            with contextlib.suppress(PermissionError):  # another user made it just now
                folder.chmod(0o1777)
        file = _open(folder / _file_name(resource))
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise LeaseError(f"{folder}: {reason}; set {DIRECTORY} to another place") from error
    try:
        yield file
    finally:
        os.close(file)


def _open(path: Path) -> int:
    flags = os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW
    try:
        return os.open(path, flags)
    except FileNotFoundError:
        pass
    try:
        file = os.open(path, flags | os.O_CREAT | os.O_EXCL, 0o666)
    except FileExistsError:
        return os.open(path, flags)
    if stat.S_IMODE(os.fstat(file).st_mode) != 0o666:
        os.fchmod(file, 0o666)  # every user may lock it, whatever the umask
    return file


def _file_name(resource: str) -> str:
    """A device is known by where its links lead; the digest tells names apart that look alike."""
    kind, _, name = resource.partition(":")
    if kind == "serial" and "://" not in name:
        resource = f"{kind}:{os.path.realpath(name)}"
    plain = re.sub(r"[^A-Za-z0-9.-]+", "_", resource)[:60]
    return f"{plain}.{hashlib.sha256(resource.encode()).hexdigest()[:8]}"


def _read(file: int, place: int) -> Record | None:
    text = os.pread(file, RECORD_BYTES, place).strip(b" \0")
    try:
        return Record(**json.loads(text)) if text else None
    except (ValueError, TypeError):
        return None  # not written by this program


def _write(file: int, place: int, record: Record | None) -> None:
    text = json.dumps(asdict(record)) if record is not None else ""
    os.pwrite(file, text.encode().ljust(RECORD_BYTES), place)


def _lock(file: int, place: int, *, wait: bool = False, kind: int = fcntl.F_WRLCK) -> bool:
    command = fcntl.F_OFD_SETLKW if wait else fcntl.F_OFD_SETLK
    try:
        fcntl.fcntl(file, command, _FLOCK.pack(kind, os.SEEK_SET, place, 1, 0))
    except BlockingIOError:
        return False
    return True


def _is_locked(file: int, place: int) -> bool:
    """Whether another open file has it locked."""
    asked = _FLOCK.pack(fcntl.F_WRLCK, os.SEEK_SET, place, 1, 0)
    kind, *_ = _FLOCK.unpack(fcntl.fcntl(file, fcntl.F_OFD_GETLK, asked))
    return bool(kind != fcntl.F_UNLCK)
