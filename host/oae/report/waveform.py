"""Opens a waveform of the link pair at a cycle: for GTKWave and for Surfer.

    write_view(Path("pair.vcd"), 1234, Path("view"))

GTKWave: `gtkwave view/link.gtkw`; Surfer: `surfer --command-file view/link.sucl`. The waveform is a
VCD of hdl/sim/oae_link_pair_top.v, from any simulator.
"""

import re
from collections.abc import Iterable, Iterator
from enum import IntEnum
from pathlib import Path
from typing import Final, NamedTuple

from oae.errors import OaeError
from oae.spec.constants import Channel, EventCode, LinkState, Operation, State

# What GTKWave calls a trace's flags: hexadecimal, binary, and a translation by a file on top.
_HEXADECIMAL: Final = 0x22
_BINARY: Final = 0x28
_TRANSLATED: Final = 0x2000
_COMMENT: Final = 0x200
_STATE_BITS: Final = 3
_EVENT_BITS: Final = 64
_CODE_BITS: Final = 8  # the highest ones of an event word
_CYCLES_BEFORE: Final = 32
_DEFINITION = re.compile(r"\$var\s+\S+\s+(\d+)\s+(\S+)\s+(\S+)(?:\s+(\[\S+\]))?\s+\$end")
_END_OF_PAIR = ".pair.g_end[0].bench.link_end.link_state"


class WaveformError(OaeError):
    """The file is no waveform of a link pair, or ends before the cycle."""


class Signal(NamedTuple):
    """One variable of a waveform, as its head declares it."""

    name: str  # with its scopes, without its range
    range: str
    bits: int
    code: str

    @property
    def whole(self) -> str:
        """The name with its range, as GTKWave has it."""
        return self.name + self.range


class Shown(NamedTuple):
    """A line of the view: a signal, or some bits of one (the highest of them, how many)."""

    label: str
    signal: Signal
    names: type[IntEnum] | None = None
    part: tuple[int, int] | None = None


def write_view(vcd: Path, cycle: int, folder: Path) -> None:
    """Write link.gtkw, the files with names that it uses, and link.sucl into `folder`."""
    signals, moments = _read(vcd, cycle)
    pair = next(name for name in signals if name.endswith(_END_OF_PAIR))
    prefix = pair.removesuffix(_END_OF_PAIR)
    shown = {end: list(_of_end(signals, prefix, end)) for end in (0, 1)}
    counter = Shown("cycle", signals[f"{prefix}.cycle"])
    folder.mkdir(parents=True, exist_ok=True)
    for names in (State, LinkState, Operation, EventCode):
        (folder / _file_of(names)).write_text(_translation(names))
    gtkwave = _gtkwave(vcd, folder, moments, counter, shown)
    (folder / "link.gtkw").write_text("\n".join(gtkwave) + "\n")
    surfer = _surfer(vcd, moments[1], counter, shown)
    (folder / "link.sucl").write_text("\n".join(surfer) + "\n")


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
    vcd: Path,
    folder: Path,
    moments: tuple[int, int],
    counter: Shown,
    shown: dict[int, list[Shown]],
) -> Iterator[str]:
    start, moment = moments
    yield f'[dumpfile] "{vcd.resolve()}"'
    yield f"[timestart] {start}"
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
    flags = _BINARY if signal.bits == 1 else _HEXADECIMAL
    yield f"@{flags | (_TRANSLATED if line.names else 0):x}"
    if line.names is not None:
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


def _surfer(vcd: Path, moment: int, counter: Shown, shown: dict[int, list[Shown]]) -> Iterator[str]:
    yield f"load_file {vcd.resolve()}"
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


def _read(vcd: Path, cycle: int) -> tuple[dict[str, Signal], tuple[int, int]]:
    """Every signal, and the times at which the view starts and at which the cycle begins."""
    try:
        with vcd.open() as file:
            signals = {signal.name: signal for signal in _signals(file)}
            found = [name for name in signals if name.endswith(_END_OF_PAIR)]
            if not found:
                raise WaveformError(f"{vcd}: is no waveform of a link pair")
            counter = signals[found[0].removesuffix(_END_OF_PAIR) + ".cycle"]
            times = _times(file, counter.code, {max(0, cycle - _CYCLES_BEFORE), cycle})
    except OSError as error:
        raise WaveformError(f"{vcd}: cannot be read: {(error.strerror or '?').lower()}") from error
    except UnicodeDecodeError as error:
        raise WaveformError(f"{vcd}: is no waveform of a link pair") from error
    if cycle not in times:
        raise WaveformError(f"{vcd}: ends before cycle {cycle}")
    return signals, (min(times.values()), times[cycle])


def _signals(lines: Iterable[str]) -> Iterator[Signal]:
    """The variables that the head declares; reads to its end."""
    scopes: list[str] = []
    for line in lines:
        words = line.split()
        match words[:1]:
            case ["$scope"]:
                scopes.append(words[2])
            case ["$upscope"]:
                scopes.pop()
            case ["$enddefinitions"]:
                return
            case ["$var"] if definition := _DEFINITION.match(line.strip()):
                bits, code, name, place = definition.groups()
                yield Signal(".".join([*scopes, name]), place or "", int(bits), code)


def _times(lines: Iterable[str], code: str, wanted: set[int]) -> dict[int, int]:
    """When the counter first has each of the wanted values."""
    times: dict[int, int] = {}
    now = 0
    for line in lines:
        if line[0] == "#":
            now = int(line[1:])
        elif line[0] == "b" and line.endswith(f" {code}\n"):
            value = line[1:].split()[0]
            if set(value) <= {"0", "1"} and int(value, 2) in wanted:
                times.setdefault(int(value, 2), now)
                if len(times) == len(wanted):
                    break
    return times
