"""Runs for the tests of the checker: played, recorded, damaged, and captures with parts missing."""

import io
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy
from numpy.typing import NDArray
from oae import frame as frames
from oae.capture.read import Capture, Interface
from oae.capture.record import record
from oae.check.capture import check
from oae.check.findings import Result
from oae.check.verdict import Promise
from oae.engines import rtl
from oae.native.packet import PACKET
from oae.scenario.parse import parse_text
from oae.spec.constants import EventCode, Operation, Outcome
from oae.trace import Trace

Array = NDArray[Any]

# The link of the scenario `hash`, so that its build serves.
SCENARIO: Final = """
version = 1
[link]
beat_idle = 128
beat_busy = 40
fault_beats = 40
sync_interval = 160
[load.both]
records = 10
resubmit = true
cancel = 0.05
cancel_after = 40
bad = 0.03
[host.both]
stall = 0.05
refuse = 0.03
[rates.both]
drop = 0.06
duplicate = 0.05
reorder = 0.05
reorder_cycles = 100
corrupt = 0.03
flip = 0.03
delay = 0.03
[limits]
cycles = 20000
stall = 6000
"""
FAULTS: Final = (
    ("a DECIDED #3", "crash a", ""),
    ("b COMMIT_HEARD #4", "crash b", 'for = "20 cycles"\n'),
    ("b REFLECTED #3", "cut a->b", 'for = "150 cycles"\n'),
    ("a DELIVERED #4", "cut b->a", 'for = "400 cycles"\n'),
    ("a DELIVERED #5", "amnesia b", ""),
    ("b DELIVERED #6", "amnesia a", ""),
)


def scenario(seed: int) -> str:
    """A short load with faults of the medium and, after the seed, of ends and link."""
    chosen = [fault for bit, fault in enumerate(FAULTS) if seed >> bit & 1]
    return SCENARIO + "".join(
        f'[[fault]]\nwhen = "{when}"\ndo = "{do}"\n{more}' for when, do, more in chosen
    )


def play(seed: int, folder: Path) -> Trace:
    """A run of the RTL."""
    parsed = replace(parse_text(scenario(seed)), seed=seed)
    ended = rtl.run(parsed, folder / f"run-{seed}")
    assert ended.status == "finished"
    return Trace(folder / f"run-{seed}" / "trace.txt")


def lines_of(trace: Trace) -> list[str]:
    """The lines of a trace."""
    return trace.path.read_text().splitlines()


@dataclass
class Packets:
    """A capture in memory."""

    interfaces: list[Interface]
    chunk: Array
    packets: Array
    damage: str = ""

    def __iter__(self) -> Iterator[tuple[Array, Array]]:
        yield self.chunk, self.packets

    def only(self, mask: Array) -> "Packets":
        """With some of its packets."""
        return Packets(self.interfaces, self.chunk, self.packets[mask])

    def check(self, *, wire: bool = False) -> Result:
        return check(self, wire=wire)

    def data(self, at: int) -> bytes:
        """The bytes of a packet by its place."""
        packet = self.packets[at]
        return self.chunk[packet["offset"] : packet["offset"] + packet["captured"]].tobytes()

    def put(self, at: int, data: bytes) -> None:
        """Give a packet other bytes."""
        self.packets["offset"][at] = len(self.chunk)
        self.packets["captured"][at] = self.packets["original"][at] = len(data)
        self.chunk = numpy.concatenate([self.chunk, numpy.frombuffer(data, "u1")])

    def evidence(self, kind: int) -> list[int]:
        """The places of all evidence of a type."""
        places = numpy.flatnonzero(self.packets["interface"] == 4)
        return [int(at) for at in places if self.data(at)[1] == kind]

    def rewrite(self, kind: int, change: Callable[[bytes], bytes], holding: bytes = b"") -> None:
        """Change the evidence of a type, or what of it holds these bytes."""
        for at in self.evidence(kind):
            if holding in self.data(at):
                self.put(at, change(self.data(at)))

    def insert(self, at: int, of: int, data: bytes | None = None) -> None:
        """A copy of packet `of` before packet `at`, numbered anew with all that follow it."""
        self.packets = numpy.insert(self.packets, at, self.packets[of])
        self.packets["time"][at] = self.packets["time"][at + 1]
        if data is not None:
            self.put(at, data)
        self.renumber()

    def remove(self, at: int) -> None:
        """Without a packet, as if it had never been."""
        self.packets = numpy.delete(self.packets, at)
        self.renumber()

    def renumber(self) -> None:
        """Frames and evidence count without a gap; a received frame keeps its cause."""
        cause: dict[int, int] = {}
        for end in (0, 1):
            sent = numpy.flatnonzero(self.packets["interface"] == 2 * end)
            for number, at in enumerate(sent):
                cause.setdefault(int(self.packets["number"][at]), end << 32 | number)
                self.packets["number"][at] = end << 32 | number
        for at in numpy.flatnonzero(numpy.isin(self.packets["interface"], (1, 3))):
            number = int(self.packets["number"][at])
            self.packets["number"][at] = cause.get(number, number)
        for sequence, at in enumerate(numpy.flatnonzero(self.packets["interface"] == 4)):
            data = self.data(at)
            self.put(at, data[:4] + sequence.to_bytes(4, "big") + data[8:])
        self.packets["index"] = numpy.arange(1, len(self.packets) + 1)


def load(source: Path | io.BytesIO) -> Packets:
    """A capture that is read as a whole."""
    capture = Capture(source)
    chunks = [(chunk.copy(), packets.copy()) for chunk, packets in capture]
    assert len(chunks) <= 1
    chunk, packets = chunks[0] if chunks else (numpy.empty(0, "u1"), numpy.empty(0, PACKET))
    return Packets(capture.interfaces, chunk, packets, capture.damage)


def captured(trace: Trace) -> Packets:
    """The capture of a run."""
    path = trace.path.with_suffix(".pcapng")
    record(trace, path)
    return load(path)


def recorded(lines: list[str], folder: Path) -> Packets:
    """The capture of a run whose trace has these lines."""
    path = folder / "changed.txt"
    path.write_text("\n".join(lines) + "\n")
    return captured(Trace(path))


# ------------------------------------------------------------------ damage, known by construction


@dataclass
class Committed:
    """Where the story of a committed transaction stands in a trace."""

    initiator: str
    id: int
    at: dict[str, int]  # what -> line


Damage = Callable[[list[str], Committed, random.Random], list[str]]


DELIVERY: Final = ("deliver", "DELIVERED")


def committed(lines: list[str], wanted: tuple[str, ...]) -> list[Committed]:
    """The transactions of the first session pair in which each of these happened just once."""
    found: dict[tuple[str, int], dict[str, list[int]]] = {}

    def seen(end: str, id: int, what: str, number: int) -> None:
        found.setdefault((end, id), {}).setdefault(what, []).append(number)

    for number, line in enumerate(lines):
        words = line.split()
        if len(words) < 3 or words[0] == "parameter":
            continue
        end, peer = words[1], "b" if words[1] == "a" else "a"
        if words[2] == "event":
            code, info, id = EventCode(int(words[4][:2], 16)), words[4][6:8], int(words[4][8:], 16)
            if code is EventCode.AMNESIA:
                break
            name = code.name
            if code is EventCode.SENT:
                name = f"SENT_{Operation(int(info, 16)).name}"
            responds = 0x40 <= code < 0x50 or name in ("SENT_ACK", "SENT_DONE", "SENT_ABORTED")
            seen(peer if responds else end, id, name, number)
        elif words[2] == "complete":
            seen(end, int(words[4]), "complete", number)
        elif words[2] == "deliver" and words[4:6] == ["0", "0"]:
            seen(peer, int(words[6]), "deliver", number)
        elif words[2] == "transmit" and words[5:7] == ["0", "0"]:
            image = bytes.fromhex(words[7])
            operation = Operation(image[14] & 0x1F)
            id = int.from_bytes(image[24:26] + image[15:17], "big")
            if operation in (Operation.DATA, Operation.COMMIT):
                seen(end, id, f"transmit_{operation.name}", number)
    return [
        Committed(end, id, {name: story[name][0] for name in wanted})
        for (end, id), story in found.items()
        if all(len(story.get(name, ())) == 1 for name in wanted)
    ]


def _put(lines: list[str], changes: dict[int, list[str]]) -> list[str]:
    """The lines with some of them replaced by any number of others."""
    return [new for number, line in enumerate(lines) for new in changes.get(number, [line])]


def _altered(text: str, chance: random.Random) -> str:
    data = bytearray.fromhex(text)
    data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
    return data.hex()


def delivery_removed(lines: list[str], of: Committed, _: random.Random) -> list[str]:
    return _put(lines, {of.at["deliver"]: [], of.at["DELIVERED"]: []})


def delivery_repeated(lines: list[str], of: Committed, _: random.Random) -> list[str]:
    after = of.at["DELIVERED"]
    return _put(lines, {after: [lines[after], lines[of.at["deliver"]], lines[after]]})


def delivery_altered(lines: list[str], of: Committed, chance: random.Random) -> list[str]:
    *head, data = lines[of.at["deliver"]].split()
    return _put(lines, {of.at["deliver"]: [" ".join([*head, _altered(data, chance)])]})


def deliveries_swapped(lines: list[str], of: Committed, _: random.Random) -> list[str]:
    """This one and the one that came next change places; the cycles stay."""
    other = next(
        found
        for found in committed(lines, DELIVERY)
        if (found.initiator, found.id) == (of.initiator, of.id + 1)
    )
    changes = {}
    for what, kept in (("deliver", 4), ("DELIVERED", 4)):
        first, second = lines[of.at[what]].split(), lines[other.at[what]].split()
        changes[of.at[what]] = [" ".join(first[:kept] + second[kept:])]
        changes[other.at[what]] = [" ".join(second[:kept] + first[kept:])]
    return _put(lines, changes)


def outcome_flipped(lines: list[str], of: Committed, _: random.Random) -> list[str]:
    said = lines[of.at["complete"]].split()
    said[6] = str(Outcome.ABORTED.value)
    told = lines[of.at["TOLD"]].split()
    word = int(told[4], 16) ^ (Outcome.COMMITTED ^ Outcome.ABORTED) << 32
    told[4] = f"{word:016x}"
    return _put(lines, {of.at["complete"]: [" ".join(said)], of.at["TOLD"]: [" ".join(told)]})


def told_without_done(lines: list[str], of: Committed, _: random.Random) -> list[str]:
    return _put(lines, {of.at["DONE_HEARD"]: []})


def delivered_without_commit(lines: list[str], of: Committed, _: random.Random) -> list[str]:
    names = ("SENT_COMMIT", "transmit_COMMIT", "COMMIT_HEARD")
    return _put(lines, {of.at[name]: [] for name in names})


def abort_and_commit(lines: list[str], of: Committed, _: random.Random) -> list[str]:
    """The initiator also sends an ABORT of the same digest."""
    words = lines[of.at["transmit_COMMIT"]].split()
    commit = bytes.fromhex(words[7])
    session, digest = int.from_bytes(commit[19:23], "big"), int.from_bytes(commit[28:32], "big")
    abort = frames.Frame(Operation.ABORT, of.id, digest, link_session=session)
    words[7] = frames.encode(abort, commit[:6], commit[6:12]).hex()
    stop = next(number for number, line in enumerate(lines) if " - stop " in line)
    sent = [line.split() for line in lines[:stop] if f" {of.initiator} transmit " in line]
    words[0], words[3] = lines[stop].split()[0], str(int(sent[-1][3]) + 1)
    return [*lines[:stop], " ".join(words), *lines[stop:]]


def record_altered(lines: list[str], of: Committed, chance: random.Random) -> list[str]:
    """DATA carries another record than the host gave, under a digest that fits."""
    words = lines[of.at["transmit_DATA"]].split()
    image = bytes.fromhex(words[7])
    end = 19 + int.from_bytes(image[17:19], "big")
    changed = bytes.fromhex(_altered(image[32:end].hex(), chance))
    session, kind = int.from_bytes(image[19:23], "big"), image[23]
    epoch = int.from_bytes(image[26:28], "big")
    digest = frames.digest(session, of.id, kind, epoch, changed)
    words[7] = (image[:28] + digest.to_bytes(4, "big") + changed + image[end:]).hex()
    return _put(lines, {of.at["transmit_DATA"]: [" ".join(words)]})


def done_before_delivery(lines: list[str], of: Committed, _: random.Random) -> list[str]:
    deliver, done = of.at["deliver"], of.at["SENT_DONE"]
    words = lines[done].split()
    words[0] = lines[deliver].split()[0]
    return _put(lines, {deliver: [" ".join(words), lines[deliver]], done: []})


class Class(NamedTuple):
    """A class of damage: what it breaks, and what must have happened just once for it."""

    promise: Promise
    wanted: tuple[str, ...]


DAMAGE: Final[dict[Damage, Class]] = {
    delivery_removed: Class(Promise.NO_FALSE_COMPLETION, (*DELIVERY, "TOLD")),
    delivery_repeated: Class(Promise.EXACTLY_ONCE, DELIVERY),
    delivery_altered: Class(Promise.UNALTERED, DELIVERY),
    deliveries_swapped: Class(Promise.EXACTLY_ONCE, DELIVERY),
    outcome_flipped: Class(Promise.AGREEMENT, (*DELIVERY, "complete", "TOLD")),
    told_without_done: Class(Promise.NO_FALSE_COMPLETION, ("DONE_HEARD", "TOLD")),
    delivered_without_commit: Class(
        Promise.NOT_BEFORE_COMMITTED,
        (*DELIVERY, "SENT_COMMIT", "transmit_COMMIT", "COMMIT_HEARD"),
    ),
    abort_and_commit: Class(Promise.FINAL, ("transmit_COMMIT",)),
    record_altered: Class(Promise.UNALTERED, ("OPENED", "transmit_DATA")),
    done_before_delivery: Class(Promise.NO_FALSE_COMPLETION, (*DELIVERY, "SENT_DONE")),
}


def suitable(damage: Damage, lines: list[str]) -> list[Committed]:
    """The transactions to which this damage can be done."""
    found = committed(lines, DAMAGE[damage].wanted)
    if damage is not deliveries_swapped:
        return found
    names = {(each.initiator, each.id) for each in found}
    return [each for each in found if (each.initiator, each.id + 1) in names]
