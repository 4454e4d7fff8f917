"""Opens what a live end needs and says so to its program (hdl/live/live.cpp)."""

import io
import os
import termios
import tty
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO, Final

from oae.capture import write
from oae.capture.record import EVIDENCE, INTERFACES
from oae.drive.orders import FORMS
from oae.errors import OaeError
from oae.live.build import PRESCALE, build
from oae.medium.medium import Medium
from oae.scenario.compile import compile_scenario
from oae.scenario.scenario import ENDS, Scenario

NOMINAL_HZ: Final = 50_000
CLOCK: Final = "CLOCK_REALTIME, stamped when this process takes a frame, without a bound"
HARDWARE: Final = "OAE live end: Verilog on"
SYSTEM: Final = f"frames that come: {CLOCK}"


class SerialError(OaeError):
    """The pseudo terminal cannot be made; the message says why."""

    exit_code = 4


@dataclass
class Terminal:
    """A pseudo terminal with a link to it; `board` and `host` are its two sides."""

    link: Path
    board: int
    host: int


def terminal(link: Path) -> Terminal:
    """Make one; raises SerialError."""
    board, host = os.openpty()
    tty.setraw(host)
    try:
        if link.is_symlink():
            link.unlink()  # of an end that was killed
        link.symlink_to(os.ttyname(host))
    except OSError as error:
        raise SerialError(f"--serial {link}: {(error.strerror or str(error)).lower()}") from error
    os.set_blocking(board, False)
    return Terminal(link, board, host)


def speed(baud: int) -> int:
    """How a terminal's settings have this speed; raises OaeError."""
    found = getattr(termios, f"B{baud}", None)
    if found is None:
        known = sorted(
            int(name[1:]) for name in dir(termios) if name[0] == "B" and name[1:].isdecimal()
        )
        raise OaeError(f"--baud {baud}: a terminal has {', '.join(map(str, known[1:]))}")
    return int(found)


def command(
    scenario: Scenario,
    end: int,
    medium: Medium,
    *,
    content: bytes,
    capture: BinaryIO | None,
    hz: int,
    line: Terminal | None,
    baud: int,
) -> tuple[list[str], list[int]]:
    """The program with its words, and the files that it inherits."""
    program = build(scenario, end)
    job = _job(scenario, end, content)
    files = [medium.fileno(), job]
    words = {
        "end": ENDS[end],
        "number": end,
        "medium": medium.name,
        "medium_file": medium.fileno(),
        "job": job,
        "hz": hz // PRESCALE,
        "nominal_hz": (hz or NOMINAL_HZ) // PRESCALE,  # what its clock should be
        "prescale": PRESCALE,
        "clock": CLOCK,
        "build": program.parent.name,
        "forms": ", ".join(FORMS),
    }
    if capture is not None:
        files.append(capture.fileno())
        head = capture_head(end, medium.name)
        words |= {"capture_file": capture.fileno(), "capture_head": head.hex()}
    if line is not None:
        files += [line.board, line.host]
        words |= {"serial": str(line.link), "serial_file": line.board, "speed": speed(baud)}
    return [str(program), *(f"{name}={value}" for name, value in words.items())], files


def capture_head(end: int, medium: str) -> bytes:
    """What the capture of an end begins with."""
    file = io.BytesIO()
    interfaces = [*INTERFACES[2 * end : 2 * end + 2], INTERFACES[EVIDENCE]]
    write.Writer(file, interfaces, f"{HARDWARE} {medium}", SYSTEM)
    return file.getvalue()


def _job(scenario: Scenario, end: int, content: bytes) -> int:
    """The schedule in a file without a name: hdl/compiled/job.h."""
    # A file that its peer sends is not here.
    peer = replace(scenario.loads[1 - end], file=False)
    loads = (scenario.loads[0], peer) if end == 0 else (peer, scenario.loads[1])
    words: Sequence[int] = compile_scenario(replace(scenario, loads=loads), content)
    file = os.memfd_create("schedule")
    with os.fdopen(os.dup(file), "wb") as output:
        output.write(f"words={len(words)}\n".encode())
        output.write(b"".join(word.to_bytes(8, "little") for word in words))
    return file
