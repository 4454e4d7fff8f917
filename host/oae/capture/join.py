"""Makes one capture of those of two ends and of the relay between them (docs/live.md).

    told = join({"a": [a], "b": [b], "relay": [relay]}, target)

The result is that of a full run. A source that went on in a new file now and then is given as all
its files in their order. `Joiner` does the same piece by piece, while the run goes on.
"""

import ctypes
import weakref
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import BinaryIO, Final

from oae.capture import CaptureError
from oae.capture.record import INTERFACES
from oae.capture.write import Writer
from oae.files import written_whole
from oae.native.build import load
from oae.scenario.layout import Fault
from oae.scenario.scenario import ENDS

RELAY: Final = "relay"
BENCH: Final = "bench"  # what the bench itself did: rules that struck, cuts
SOURCES: Final = (*ENDS, RELAY, BENCH)
HARDWARE: Final = "OAE link testbed: two ends that are processes, joined"
SYSTEM: Final = "CLOCK_REALTIME"
CHUNK: Final = 1 << 20
FAULTS: Final = "".join(
    f"{fault.name.lower().replace('_', ' ')}\n" for fault in Fault if fault.name
)


class _Joined(ctypes.Structure):
    """Joined of host/oae/native/join.h."""

    _fields_ = (
        ("received", ctypes.c_uint64 * len(INTERFACES)),
        ("time", ctypes.c_uint64),
        ("to_relay", ctypes.c_uint64 * len(ENDS)),
        ("to_peer", ctypes.c_uint64 * len(ENDS)),
        ("unmatched", ctypes.c_uint64 * len(ENDS)),
        ("own", ctypes.c_uint64 * len(ENDS)),
        ("shift", ctypes.c_uint64 * len(SOURCES)),
    )


@dataclass(frozen=True)
class Joined:
    """What joining came to."""

    packets: int
    lost_to_relay: tuple[int, int]  # frames of each end; without a relay, on their way at all
    lost_to_peer: tuple[int, int]
    unmatched: tuple[int, int]  # frames that reached each end and that nothing sent
    shift: dict[str, int]  # ns that a packet was set forward at most, behind its cause
    damage: dict[str, str] = field(default_factory=dict)  # source -> what could not be read

    @property
    def lost(self) -> int:
        """Frames that the media lost, without any fault of the scenario."""
        return sum(self.lost_to_relay) + sum(self.lost_to_peer)


@cache
def _library() -> ctypes.CDLL:
    size, pointer, number = ctypes.c_size_t, ctypes.c_void_p, ctypes.c_int
    return load(
        "join",
        ("join_begin", pointer, (ctypes.c_char_p, number)),
        ("join_feed", None, (pointer, number, ctypes.c_char_p, size, number)),
        ("join_wants", number, (pointer,)),
        ("join_take", size, (pointer, pointer, size)),
        ("joined", ctypes.POINTER(_Joined), (pointer,)),
        ("join_damage", ctypes.c_char_p, (pointer, number)),
        ("join_end", None, (pointer,)),
    )


class Joiner:
    """Joins what it is fed, and writes it as it comes."""

    def __init__(self, file: BinaryIO, *, relayed: bool) -> None:
        self._library = _library()
        self._join = self._library.oae_join_begin(FAULTS.encode(), relayed)
        weakref.finalize(self, self._library.oae_join_end, self._join)
        self._writer = Writer(file, INTERFACES, HARDWARE, SYSTEM)
        self._written = [0] * len(INTERFACES)

    @property
    def wants(self) -> str | None:
        """The source without more of which nothing more can be joined; None: all have ended."""
        number = self._library.oae_join_wants(self._join)
        return None if number < 0 else SOURCES[number]

    def feed(self, source: str, piece: bytes) -> None:
        """More of a source, or nothing if it has ended."""
        number = SOURCES.index(source)
        self._library.oae_join_feed(self._join, number, piece, len(piece), not piece)
        room = self._library.oae_join_take(self._join, None, 0)
        if not room:
            return
        blocks = ctypes.create_string_buffer(room)
        self._library.oae_join_take(self._join, blocks, room)
        found = self._found
        counts = [now - before for now, before in zip(found.received, self._written, strict=True)]
        self._written = list(found.received)
        self._writer.blocks(blocks.raw, counts, found.time)

    def finish(self) -> Joined:
        """End the capture; every source must have ended."""
        self._writer.finish()
        return self.told()

    def told(self) -> Joined:
        """What joining has come to so far."""
        found = self._found
        damage = {
            name: self._library.oae_join_damage(self._join, number).decode()
            for number, name in enumerate(SOURCES)
        }
        return Joined(
            sum(found.received),
            (found.to_relay[0], found.to_relay[1]),
            (found.to_peer[0], found.to_peer[1]),
            (found.unmatched[0], found.unmatched[1]),
            {name: shift for name, shift in zip(SOURCES, found.shift, strict=True) if shift},
            {name: text for name, text in damage.items() if text},
        )

    def frames_of(self, end: str) -> int:
        """How many frames an end recorded."""
        return int(self._found.own[ENDS.index(end)])

    @property
    def _found(self) -> _Joined:
        found: _Joined = self._library.oae_joined(self._join).contents
        return found


def join(sources: Mapping[str, Sequence[Path]], target: Path) -> Joined:
    """Join the captures of `a`, `b` and, if there were any, `relay` and `bench`.

    Raises CaptureError if one cannot be read or is not that source's; then nothing is written.
    """
    try:
        with written_whole(target) as file:
            joiner = Joiner(file, relayed=bool(sources.get(RELAY)))
            readers = {name: _Files(sources.get(name, ())) for name in SOURCES}
            while (wanted := joiner.wants) is not None:
                joiner.feed(wanted, readers[wanted].read())
            for end in ENDS:
                if not joiner.frames_of(end):
                    paths = ", ".join(str(path) for path in sources[end])
                    raise CaptureError(f"{paths}: is no capture of end {end}")
            return joiner.finish()
    except OSError as error:
        where = error.filename or target
        raise CaptureError(f"{where}: {(error.strerror or str(error)).lower()}") from error


class _Files:
    """Several files as one, a chunk at a time."""

    def __init__(self, paths: Sequence[Path]) -> None:
        self._paths = list(paths)
        self._file: BinaryIO | None = None

    def read(self) -> bytes:
        """The next bytes; none if all has been read."""
        while True:
            if self._file is None:
                if not self._paths:
                    return b""
                self._file = self._paths.pop(0).open("rb")
            if piece := self._file.read(CHUNK):
                return piece
            self._file.close()
            self._file = None
