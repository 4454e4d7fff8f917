"""Opens a waveform of the link pair at a cycle: for GTKWave and for Surfer.

    write_view(Path("waveform.fst"), 1234, Path("view"))

GTKWave: `gtkwave view/link.gtkw`; Surfer: `surfer --command-file view/link.sucl`. The waveform is
an FST or a VCD of hdl/sim/oae_link_pair_top.v, from any simulator.
"""

import re
from bisect import bisect_left
from collections.abc import Iterator
from enum import IntEnum
from pathlib import Path
from typing import Final, NamedTuple

import pywellen

from oae.errors import OaeError
from oae.spec.constants import Channel, EventCode, LinkState, Operation, State

# What GTKWave calls a trace's flags.
_DECIMAL: Final = 0x24
_BINARY: Final = 0x28
_TRANSLATED: Final = 0x2022  # hexadecimal, then by a file
_COMMENT: Final = 0x200
_STATE_BITS: Final = 3
_EVENT_BITS: Final = 64
_CODE_BITS: Final = 8  # the highest ones of an event word
_NUMBER_BITS: Final = 32  # of ids and cycles
_CYCLES_BEFORE: Final = 16
# Room for names and values, and enough cycles that the marker is in sight.
_WINDOW: Final = ("[size] 1400 1000", "[sst_expanded] 0", "[signals_width] 320")
_CYCLE: Final = ".pair.trace.cycle"  # the count in which the trace has its cycles
_TIMES: Final = range(1 << 62)  # more than any simulator counts


class WaveformError(OaeError):
    """The file is no waveform of a link pair, or ends before the cycle."""

    exit_code = 4  # a simulator should have written it


class Signal(NamedTuple):
    """One variable of a waveform."""

    name: str  # with its scopes, without its range
    bits: int

    @property
    def whole(self) -> str:
        """The name with its range, as GTKWave has it."""
        return self.name if self.bits == 1 else f"{self.name}[{self.bits - 1}:0]"


class Shown(NamedTuple):
    """A line of the view: a signal, or some bits of one (the highest of them, how many)."""

    label: str
    signal: Signal
    names: type[IntEnum] | None = None
    part: tuple[int, int] | None = None


def write_view(waveform: Path, cycle: int, folder: Path) -> None:
    """Write link.gtkw, the files with names that it uses, and link.sucl into `folder`."""
    variables = _variables(waveform)
    signals = {name: Signal(name, one.bitwidth) for name, one in variables.items()}
    counter = next((signal for name, signal in signals.items() if name.endswith(_CYCLE)), None)
    if counter is None:
        raise WaveformError(f"{waveform}: is no waveform of a link pair")
    count = variables[counter.name].signal
    moment = _time(waveform, count, cycle)
    start = _time(waveform, count, max(0, cycle - _CYCLES_BEFORE))
    prefix = counter.name.removesuffix(_CYCLE)
    shown = {end: list(_of_end(signals, prefix, end)) for end in (0, 1)}
    folder.mkdir(parents=True, exist_ok=True)
    for names in (State, LinkState, Operation, EventCode):
        (folder / _file_of(names)).write_text(_translation(names))
    gtkwave = _gtkwave(waveform, folder, (start, moment), Shown("cycle", counter), shown)
    (folder / "link.gtkw").write_text("\n".join(gtkwave) + "\n")
    surfer = _surfer(waveform, moment, Shown("cycle", counter), shown)
    (folder / "link.sucl").write_text("\n".join(surfer) + "\n")


def _variables(waveform: Path) -> dict[str, pywellen.Var]:
    """Every variable, by its name with its scopes."""
    try:
        waveform.open("rb").close()  # pywellen panics where there is nothing to open
        return {one.full_name: one for one in pywellen.Waveform(str(waveform)).all_vars()}
    except OSError as error:
        problem = f"cannot be read: {(error.strerror or '?').lower()}"
    except RuntimeError:
        problem = "is no waveform, or not whole"
    raise WaveformError(f"{waveform}: {problem}")


def _time(waveform: Path, count: pywellen.Signal, cycle: int) -> int:
    """When a cycle begins."""

    def at(time: int) -> int:
        value = count.value_at(time)
        return value if isinstance(value, int) else -1  # not known before the first clock

    if at(_TIMES[-1]) < cycle:
        raise WaveformError(f"{waveform}: ends before cycle {cycle}")
    return bisect_left(_TIMES, cycle, key=at)


def _of_end(signals: dict[str, Signal], prefix: str, end: int) -> Iterator[Shown]:
    """What is looked at in an end: its inputs of power, link, frames, slots, events, outcomes."""
    scope = f"{prefix}.pair.g_end[{end}].bench.link_end"

    def signal(name: str) -> Signal:
        return signals[f"{scope}.{name}"]

    letter = "ab"[end]
    yield Shown("crash", signal("crash"))
    yield Shown("amnesia", signal("amnesia"))
    yield Shown("link", signal("link_state"), LinkState)
    yield Shown("frame sent", signal("grant"))
    yield Shown("operation sent", signal("send_operation"), Operation)
    yield Shown("id sent", signal("send_id"))
    yield Shown("frame received", signal("frame_valid"))
    yield Shown("operation received", signal("frame_operation"), Operation)
    yield Shown("id received", signal("frame_id"))
    for lane in ("initiator", "responder"):
        states = signal(f"{lane}.state")
        for slot in range(states.bits // _STATE_BITS):
            bits = (_STATE_BITS * (slot + 1) - 1, _STATE_BITS)
            yield Shown(f"{letter}_{lane}_slot_{slot}", states, State, bits)
    yield Shown("events", signal("event_valid"))
    for channel in (Channel.INITIATOR, Channel.RESPONDER, Channel.LINK):
        bits = (_EVENT_BITS * (channel + 1) - 1, _CODE_BITS)
        label = f"{letter}_{channel.name.lower()}_event"
        yield Shown(label, signal("event_words"), EventCode, bits)
    for port in ("m_deliver_tvalid", "m_deliver_tready", "m_deliver_id"):
        yield Shown(port, signal(port))
    for port in ("m_completion_tvalid", "m_completion_id", "m_completion_outcome"):
        yield Shown(port, signal(port))


def _gtkwave(
    waveform: Path,
    folder: Path,
    moments: tuple[int, int],
    counter: Shown,
    shown: dict[int, list[Shown]],
) -> Iterator[str]:
    start, moment = moments
    yield f'[dumpfile] "{waveform.resolve()}"'
    yield f"[timestart] {start}"
    yield from _WINDOW
    yield f"*-6.0 {moment}" + " -1" * 26
    yield from _trace(counter, folder, [])
    files: list[str] = []
    for end, lines in shown.items():
        yield f"@{_COMMENT:x}"
        yield f"-end {'ab'[end]}"
        for line in lines:
            yield from _trace(line, folder, files)


def _trace(line: Shown, folder: Path, files: list[str]) -> Iterator[str]:
    """One trace; `files` are the translations used so far, which GTKWave counts from 1."""
    signal = line.signal
    if line.names is None:
        yield f"@{_DECIMAL if signal.bits == _NUMBER_BITS else _BINARY:x}"
    else:
        yield f"@{_TRANSLATED:x}"
        name = _file_of(line.names)
        if name not in files:
            files.append(name)
        yield f"^{files.index(name) + 1} {(folder / name).resolve()}"
    if line.part is None:
        yield signal.whole
    else:
        highest, bits = line.part
        # GTKWave counts the bits of a vector from its left.
        first = signal.bits - 1 - highest
        picked = " ".join(f"({place}){signal.whole}" for place in range(first, first + bits))
        yield f"#{{{line.label}}} {picked}"


def _surfer(
    waveform: Path, moment: int, counter: Shown, shown: dict[int, list[Shown]]
) -> Iterator[str]:
    yield f"load_file {waveform.resolve()}"
    yield f"variable_add {counter.signal.name}"
    for end, lines in shown.items():
        yield f"divider_add end {'ab'[end]}"
        yield from dict.fromkeys(f"variable_add {line.signal.name}" for line in lines)
    yield f"cursor_set {moment}"
    yield "goto_cursor"


def _file_of(names: type[IntEnum]) -> str:
    return f"{re.sub('(?<!^)(?=[A-Z])', '_', names.__name__).lower()}.txt"


def _translation(names: type[IntEnum]) -> str:
    """Value by value, in the digits that GTKWave prints for a signal so wide."""
    digits = -(-max(names).bit_length() // 4)
    return "".join(f"{one.value:0{digits}x} {one.name}\n" for one in names)
