"""The checker's kernel (host/oae/native/checker.cpp) as Python sees it: numpy arrays in and out."""

import ctypes
import weakref
from enum import IntEnum
from functools import lru_cache
from itertools import count
from typing import Any, Final

import numpy
from numpy.typing import NDArray

from oae.check.findings import REQUIREMENT, Mark
from oae.native.build import load
from oae.native.packet import PACKET
from oae.spec.constants import ETHERTYPE

Array = NDArray[Any]

_TEXT: Final = "S200"
_LONGEST: Final = 200  # text of a capture
_MARKS: Final = len(Mark)
_PROMISES: Final = len(REQUIREMENT)
_BUCKETS: Final = 256 + 56 * 128


class Role(IntEnum):
    """What stands on an interface."""

    IGNORED = 0
    A_TRANSMIT = 1
    A_RECEIVE = 2
    B_TRANSMIT = 3
    B_RECEIVE = 4
    EVIDENCE = 5
    TAP = 6


class FrameVerdict(IntEnum):
    """What a captured frame is."""

    RECEIVED = 0
    MALFORMED = 1
    FOREIGN = 2
    UNSUPPORTED = 3
    INCOMPLETE = 4  # nothing is wrong with the bytes that were captured, but some were not


class Naming(IntEnum):
    """By what a lane is named."""

    NONE = 0
    PAIR = 1
    LINK_SESSION = 2
    ANSWERS = 3


class Latency(IntEnum):
    """What is measured in each direction, by initiator."""

    SUBMISSION_TO_DECISION = 0
    DATA_TO_DECISION = 1
    DECISION_TO_DELIVERY = 2
    DECISION_TO_OUTCOME = 3
    SUBMISSION_TO_OUTCOME = 4
    SUBMISSION_TO_DELIVERY = 5
    SUBMISSION_TO_DONE = 6
    IN_DOUBT_INITIATOR = 7
    IN_DOUBT_RESPONDER = 8
    DATA_TO_COMMIT = 9
    COMMIT_TO_DONE = 10
    DATA_TO_DONE = 11
    ARRIVAL_TO_DECISION = 12
    ARRIVAL_TO_DELIVERY = 13
    ARRIVAL_TO_DONE = 14


def _structure(*fields: Any) -> numpy.dtype[Any]:
    return numpy.dtype(list(fields), align=True)


FINDING: Final = _structure(
    ("packet", "<u8"),
    ("time", "<u8"),
    ("explained_by", "<u8", 10),
    ("id", "<u4"),
    ("own", "<u4"),
    ("peer", "<u4"),
    ("link_session", "<u4"),
    ("promise", "u1"),
    ("certain", "u1"),
    ("absence", "u1"),
    ("end", "i1"),
    ("naming", "u1"),
    ("text", _TEXT),
)
BENCH_ERROR: Final = _structure(("packet", "<u8"), ("time", "<u8"), ("text", _TEXT))
ROW: Final = _structure(
    ("time", "<u8", _MARKS),
    ("packet", "<u8", _MARKS),
    ("id", "<u4"),
    ("own", "<u4"),
    ("peer", "<u4"),
    ("link_session", "<u4"),
    ("record_bytes", "<u4"),
    ("tag", "<u2"),
    ("end", "u1"),
    ("naming", "u1"),
    ("kind", "u1"),
    ("outcome", "u1"),
    ("reason", "u1"),
    ("found", "u1"),
)
STATE: Final = _structure(
    ("time", "<u8"),
    ("packet", "<u8"),
    ("epoch", "<u4"),
    ("converged", "<u4"),
    ("end", "u1"),
    ("state", "u1"),
    ("incoming", "u1"),
    ("outgoing", "u1"),
    ("changing", "u1"),
    ("reserved", "u1", 3),
)
SPAN: Final = _structure(
    ("start", "<u8"),
    ("packet", "<u8"),
    ("healed", "<u8"),
    ("converged", "<u8"),
    ("beats", "<u8"),
    ("number", "<u4"),
    ("in_flight", "<u4"),
    ("kind", "u1"),
    ("end", "i1"),
    ("is_healed", "u1"),
    ("is_converged", "u1"),
    ("left", "<u4"),
    ("healed_packet", "<u8"),
)
FRAME_FAULT: Final = _structure(
    ("time", "<u8"),
    ("packet", "<u8"),
    ("number", "<u4"),
    ("id", "<u4"),
    ("faults", "<u2"),
    ("rule", "<u2"),
    ("end", "u1"),
    ("operation", "u1"),
    ("reserved", "u1", 2),
)
INTERVAL: Final = _structure(
    ("start", "<u8"),
    ("frames", "<u8", 2),
    ("delivered_bytes", "<u8", 2),
    ("told", "<u8", 2),
    ("in_flight", "<u4", 2),
    ("initiator_balance", "u1", 2),
    ("responder_balance", "u1", 2),
    ("reserved", "<u4"),
)
SPEAKER: Final = _structure(("address", "<u8"), ("frames", "<u8"))
FRAME: Final = _structure(
    ("session", "<u8"),
    ("verified", "<u8"),
    ("challenger", "<u8"),
    ("counter", "<u4"),
    ("id", "<u4"),
    ("link_session", "<u4"),
    ("digest", "<u4"),  # never complemented
    ("epoch", "<u4"),  # DATA: the sender's whole epoch if the digest is right, else its low half
    ("operand", "<u4"),
    ("body", "<u4"),  # offset in the packet such that the EtherType is at 12
    ("record_bytes", "<u4"),
    ("ethertype", "<u2"),
    ("length", "<u2"),
    ("record_max", "<u2"),
    ("window", "u1"),
    ("verdict", "u1"),
    ("reason", "u1"),
    ("operation", "u1"),  # 255: not known
    ("balance", "u1"),
    ("kind", "u1"),
)
_END_COUNTS: Final = _structure(
    *(
        (name, "<u8")
        for name in (
            "opened",
            "committed",
            "aborted",
            "unknown",
            "unopened",
            "discarded",
            "lost",
            "unresolved",
            "delivered",
            "delivered_bytes",
            "doubted",
            "crashes",
            "amnesias",
        )
    )
)
_DIRECTION: Final = _structure(
    ("frames", "<u8"),
    ("operations", "<u8", 32),
    ("repeats", "<u8", 32),
    ("malformed", "<u8", 16),
    ("foreign", "<u8"),
    ("unsupported", "<u8"),
    ("incomplete", "<u8"),
    ("received", "<u8"),
    ("lost", "<u8"),
    ("fates", "<u8", 16),
    ("attempted", "<u8"),
    ("committed", "<u8"),
    ("committed_bytes", "<u8"),
)
SUMMARY: Final = _structure(
    ("ends", _END_COUNTS, 2),
    ("directions", _DIRECTION, 2),
    ("broken", "<u8", _PROMISES),
    ("doubtful", "<u8", _PROMISES),
    ("findings", "<u8"),
    ("unknowns", "<u8"),
    ("bench_errors", "<u8"),
    ("packets", "<u8"),
    ("first_time", "<u8"),
    ("last_time", "<u8"),
    ("evidence", "<u8"),
    ("evidence_gaps", "<u8"),
    ("evidence_ended", "<u8"),
    ("stop_packet", "<u8"),
    ("transactions", "<u8"),
    ("interval", "<u8"),
    ("open", "<u8"),
    ("oae_frames", "<u8"),
)
HISTOGRAM: Final = _structure(
    ("count", "<u8"),
    ("sum", "<u8"),
    ("least", "<u8"),
    ("most", "<u8"),
    ("buckets", "<u8", _BUCKETS),
)
# Tables of the kernel, in the order of its Table; then what else it shares.
_TABLES: Final = {
    "findings": FINDING,
    "unknowns": FINDING,
    "bench_errors": BENCH_ERROR,
    "transactions": ROW,
    "states": STATE,
    "spans": SPAN,
    "frame_faults": FRAME_FAULT,
    "intervals": INTERVAL,
    "speakers": SPEAKER,
}
_SHARED: Final = (*_TABLES.values(), FRAME, PACKET, SUMMARY, HISTOGRAM)


@lru_cache
def _library() -> ctypes.CDLL:
    pointer, size, number = ctypes.c_void_p, ctypes.c_size_t, ctypes.c_uint32
    short, text = ctypes.c_uint16, ctypes.c_char_p
    library = load(
        "checker",
        ("checker_new", pointer, (ctypes.c_uint64, short)),
        ("checker_free", None, (pointer,)),
        ("checker_role", None, (pointer, number, number, number, number)),
        ("checker_feed", None, (pointer, pointer, pointer, size)),
        ("checker_finish", None, (pointer,)),
        ("checker_summary", None, (pointer, pointer)),
        ("checker_table", pointer, (pointer, number, pointer)),
        ("checker_latency", pointer, (pointer, number, number)),
        ("checker_parameter", text, (pointer, size)),
        ("checker_stop", text, (pointer,)),
        ("decode", None, (pointer, pointer, size, short, number, pointer)),
        ("crc32c", number, (text, size, ctypes.c_bool)),
        ("checker_size", size, (number,)),
    )
    for place, shared in enumerate(_SHARED):
        found = library.oae_checker_size(place)
        assert found == shared.itemsize, f"structure {place}: {found} bytes, {shared.itemsize} here"
    return library


def crc32c(data: bytes, *, by_tables: bool = False) -> int:
    """CRC-32C as the kernel computes it, with or without the processor's instruction."""
    value: int = _library().oae_crc32c(data, len(data), by_tables)
    return value


def decode(
    chunk: NDArray[numpy.uint8], packets: Array, *, ethertype: int = ETHERTYPE, fcs_bytes: int = 0
) -> Array:
    """The verdict on each packet and its fields (FRAME); the packets are of one direction.

    As `oae.frame.decode`, but for what only a receiver knows: any link session but zero will do,
    and the high half of the first DATA's epoch is the one that makes its digest right.
    """
    chunk, packets = numpy.ascontiguousarray(chunk), numpy.ascontiguousarray(packets)
    frames = numpy.empty(len(packets), FRAME)
    _library().oae_decode(
        chunk.ctypes.data,
        packets.ctypes.data,
        len(packets),
        ethertype,
        fcs_bytes,
        frames.ctypes.data,
    )
    return frames


class Kernel:
    """One check, from the first packet to the last."""

    def __init__(self, keep: int, ethertype: int = ETHERTYPE) -> None:
        self._library = _library()
        self._checker = self._library.oae_checker_new(keep, ethertype)
        weakref.finalize(self, self._library.oae_checker_free, self._checker)

    def role(self, interface: int, role: Role, fcs_bytes: int = 0, resolution_ns: int = 1) -> None:
        """Say what stands on an interface, before its first packet."""
        self._library.oae_checker_role(self._checker, interface, role, fcs_bytes, resolution_ns)

    def feed(self, chunk: NDArray[numpy.uint8], packets: Array) -> None:
        """Take packets (PACKET) whose bytes are in the chunk."""
        chunk, packets = numpy.ascontiguousarray(chunk), numpy.ascontiguousarray(packets)
        self._library.oae_checker_feed(
            self._checker, chunk.ctypes.data, packets.ctypes.data, len(packets)
        )

    def finish(self) -> None:
        """There are no more packets."""
        self._library.oae_checker_finish(self._checker)

    def summary(self) -> Any:
        """Counts of everything (SUMMARY)."""
        summary = numpy.empty(1, SUMMARY)
        self._library.oae_checker_summary(self._checker, summary.ctypes.data)
        return summary[0]

    def table(self, name: str) -> Array:
        """A copy of the rows of a table."""
        number = ctypes.c_size_t()
        place = list(_TABLES).index(name)
        first = self._library.oae_checker_table(self._checker, place, ctypes.byref(number))
        return _copied(first, _TABLES[name], number.value)

    def latency(self, direction: int, latency: Latency) -> Any:
        """A distribution (HISTOGRAM)."""
        return _copied(
            self._library.oae_checker_latency(self._checker, direction, latency), HISTOGRAM, 1
        )[0]

    def parameters(self) -> dict[str, str]:
        """What the run was built with."""
        found: dict[str, str] = {}
        for place in count():
            text: bytes = self._library.oae_checker_parameter(self._checker, place)
            if not text:
                break
            name, _, value = text.decode(errors="replace").partition("=")
            found[_printable(name)] = _printable(value)
        return found

    def stop(self) -> str:
        """Why the run ended, empty if that was not seen."""
        text: bytes = self._library.oae_checker_stop(self._checker)
        return _printable(text.decode(errors="replace"))


def _printable(text: str) -> str:
    """A text of a capture as it can be shown anywhere: one line, and not a long one."""
    shown = text[:_LONGEST]
    return "".join(
        letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in shown
    )


def _copied(first: int, row: numpy.dtype[Any], number: int) -> Array:
    if not number:
        return numpy.empty(0, row)
    return numpy.frombuffer(ctypes.string_at(first, number * row.itemsize), row)
