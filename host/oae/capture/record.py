"""Makes the capture of a run from its trace (docs/capture.md)."""

import struct
from collections import deque
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final

from oae.capture import CaptureError, evidence, write
from oae.files import written_whole
from oae.scenario.layout import Fault
from oae.trace import Fate, Receive, Record, Trace, TraceError, Transmit

IN_RUN: Final = "capture.pcapng"  # in a run directory
CYCLE_NS: Final = 16  # a 64-bit bus at 62.5 MHz
EVIDENCE: Final = 4  # number of the interface
HARDWARE: Final = "OAE link testbed: two ends and the medium between them, simulated"
SYSTEM: Final = "none: time is the run's own, in cycles"
INTERFACES: Final = (
    *(
        write.Interface(f"{end}.{stream}", f"frames that end {end} {does}, at its MAC port")
        for end in "ab"
        for stream, does in (("transmit", "transmits"), ("receive", "receives"))
    ),
    write.Interface(
        "evidence",
        "what happened at both ends: docs/tables.md, evidence packets",
        write.LINK_TYPE_USER0,
    ),
)
# The channel decides three cycles after a frame's last beat; a frame is held back so long that its
# fate is known when it is written.
LOOK_AHEAD: Final = 8
CUT_SHORT: Final = "cut short by a restart"


def record(trace: Trace, path: str | Path, cycle_ns: int = CYCLE_NS, *, whole: bool = True) -> None:
    """Write the capture of a run; unless `whole` is asked for, of what there is of it.

    Raises TraceError for a trace that is not whole, CaptureError if the file cannot be written;
    then there is no file.
    """
    if trace.ends != 2:
        raise trace.wrong(1, f"has {trace.ends} ends; a capture has 2")
    try:
        with written_whole(Path(path)) as file:
            _write(trace, write.Writer(file, INTERFACES, HARDWARE, SYSTEM), cycle_ns, whole)
    except OSError as error:
        raise CaptureError(f"{path}: {error.strerror}") from error


def _write(trace: Trace, writer: write.Writer, cycle_ns: int, whole: bool) -> None:
    sequence = 0
    for name, value in {**trace.parameters, "cycle_ns": str(cycle_ns)}.items():
        parameter = evidence.Parameter(0, 0, -1, name, value)
        writer.packet(EVIDENCE, 0, evidence.encode(parameter, sequence))
        sequence += 1
    for item, fate in _with_fates(trace if whole else _readable(trace)):
        time = item.cycle * cycle_ns
        if isinstance(item, Transmit | Receive):
            _frame(writer, item, time, fate)
        elif not isinstance(item, Fate) or item.faults:
            try:
                packet = evidence.encode(item, sequence)
            except struct.error as error:
                raise trace.wrong(
                    item.line, f"holds a number that is too large: {error}"
                ) from error
            writer.packet(EVIDENCE, time, packet)
            sequence += 1
    writer.finish()


def _readable(trace: Trace) -> Iterator[Record]:
    """The records of a trace up to where it is cut off."""
    with suppress(TraceError):
        yield from trace


def _with_fates(trace: Iterable[Record]) -> Iterator[tuple[Record, Fate | None]]:
    """Every record, a transmitted frame together with its fate if a fault struck it."""
    waiting: deque[Record] = deque()
    fates: dict[tuple[int, int], Fate] = {}

    def first() -> tuple[Record, Fate | None]:
        item = waiting.popleft()
        if isinstance(item, Transmit | Fate):
            return item, fates.pop((item.end, item.number), None)
        return item, None

    for item in trace:
        if isinstance(item, Fate) and item.faults:
            fates[item.end, item.number] = item
        waiting.append(item)
        while item.cycle - waiting[0].cycle > LOOK_AHEAD:
            yield first()
    while waiting:
        yield first()


def _frame(writer: write.Writer, frame: Transmit | Receive, time: int, fate: Fate | None) -> None:
    received = isinstance(frame, Receive)
    origin = frame.end ^ received  # the end that transmitted it
    comments = [fault_comment(fate.faults, fate.rule)] if fate else []
    if frame.broken:
        comments.append(CUT_SHORT)
    writer.packet(
        2 * frame.end + received,
        time,
        frame.data,
        flags=(write.INBOUND if received else write.OUTBOUND) | write.CRC_ERROR * frame.user,
        number=origin << 32 | frame.number,
        comment="; ".join(comments),
    )


def fault_comment(faults: int, rule: int) -> str:
    """How a packet's comment tells its fate."""
    names = [
        name.lower().replace("_", " ")
        for name, fault in Fault.__members__.items()
        if fault & faults
    ]
    if rule >= 0:
        names.append(f"rule {rule}")
    return "fault: " + ", ".join(names)
