"""What is wrong between the two ends: found by who hears whom, while each is silent in turn."""

import time
from collections.abc import Iterator, Mapping
from typing import Final

from oae.bench.bench import Bench
from oae.bench.findings import Fault, Finding
from oae.bench.overheard import other_ethertypes
from oae.bench.witness import Seen, Witness
from oae.bringup.board import waited
from oae.medium import address
from oae.spec.constants import ETHERTYPE

INTERVAL_TICKS: Final = 1024  # between beats and between challenges, as ends are built
SETTLE_INTERVALS: Final = 150  # until a link whose ends hear each other is UP
LISTEN_INTERVALS: Final = 25
LEAST_LISTENING: Final = 0.5  # seconds
AGAIN: Final = 2  # so many times longer, before an end is called deaf
FLIGHT_SECONDS: Final = 0.1  # after this nothing of a silenced end is under way any more


def examine_link(bench: Bench, ends: Mapping[str, Witness]) -> Iterator[Finding]:
    """What is wrong with the link of these ends; one that cannot be asked is not among them."""
    interval = INTERVAL_TICKS / bench.clocks.tick
    listen = max(LEAST_LISTENING, LISTEN_INTERVALS * interval)
    for end in ends.values():
        end.speak(True)
    seen = _listened(ends, listen)
    if any(one.heard == 0 for one in seen.values()):
        seen = _listened(ends, AGAIN * listen)  # it may just have been started
    if stranger := _stranger(ends, seen, listen):
        yield stranger
        return
    deaf = [name for name in ends if seen[name].heard == 0]
    found = [_other_ethertype(bench, name, seen, listen) for name in deaf]
    named = [one for one in found if one is not None]
    if named:
        yield from named
    elif deaf:
        yield _silence(deaf, seen)
    elif not waited(lambda: all(end.up() for end in ends.values()), SETTLE_INTERVALS * interval):
        counts = ", ".join(f"{name} hears {seen[name].heard} frames" for name in ends)
        advice = "the counters MALFORMED_* say why frames are refused: `oae bringup --port`"
        yield Finding(Fault.LINK_NOT_UP, "the link", f"{counts}, not UP", "UP", advice)


def _listened(ends: Mapping[str, Witness], seconds: float) -> dict[str, Seen]:
    """What each end counts in so many seconds."""
    before = {name: end.look() for name, end in ends.items()}
    time.sleep(seconds)
    return {name: end.look().since(before[name]) for name, end in ends.items()}


def _stranger(
    ends: Mapping[str, Witness], seen: Mapping[str, Seen], seconds: float
) -> Finding | None:
    """An end that still hears frames while its peer is silent hears somebody else."""
    for silent, end in ends.items():
        for listener in ends:
            if listener == silent or not seen[listener].heard:
                continue
            end.speak(False)
            time.sleep(FLIGHT_SECONDS)
            heard = _listened({listener: ends[listener]}, seconds)[listener].heard
            end.speak(True)
            if heard:
                found = f"{listener} hears {heard} frames while {silent} is silent"
                advice = "two links are swapped: follow the cable of each end"
                return Finding(Fault.CROSSED_CABLES, listener, found, "none", advice)
    return None


def _other_ethertype(
    bench: Bench, deaf: str, seen: Mapping[str, Seen], seconds: float
) -> Finding | None:
    """The peer may be heard under a type that the end takes for somebody else's."""
    for one in bench.named_ends[deaf].media:
        if not isinstance(one, address.Packet):
            continue
        for ethertype, count in other_ethertypes(one.interface, seconds).most_common(1):
            text = f"{count} frames of the link with EtherType 0x{ethertype:04X}"
            return _of_ethertype(f"{deaf}, {one.interface}", text)
    sent = sum(counts.sent for name, counts in seen.items() if name != deaf)
    foreign = seen[deaf].foreign
    if sent and foreign * 2 >= sent:
        return _of_ethertype(deaf, f"{foreign} frames of another EtherType, {sent} sent to it")
    return None


def _of_ethertype(where: str, text: str) -> Finding:
    advice = "build both ends with the same parameter ETHERTYPE"
    return Finding(Fault.ANOTHER_ETHERTYPE, where, text, f"0x{ETHERTYPE:04X}", advice)


def _silence(deaf: list[str], seen: Mapping[str, Seen]) -> Finding:
    """Somebody hears nothing at all."""
    name = deaf[0]
    others = [one for one in seen if one not in deaf]
    if len(deaf) == 1 and others and seen[others[0]].sent:
        peer = others[0]
        text = (
            f"{name} hears nothing of {seen[peer].sent} frames, "
            f"{peer} hears {seen[peer].heard} of {seen[name].sent}"
        )
        advice = f"the wire, transceiver or filter from {peer} to {name}"
        where = f"{peer}->{name}"
        return Finding(Fault.ONE_DIRECTION_DEAD, where, text, "frames both ways", advice)
    text = f"no frame heard by {' and '.join(deaf)}"
    advice = "is the peer switched on and enabled, and the cable in the right socket?"
    return Finding(Fault.PEER_SILENT, name, text, "frames of the peer", advice)
