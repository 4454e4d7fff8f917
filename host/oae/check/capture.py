"""Checks a capture (docs/capture.md): what can be concluded from it, and what was measured.

    from oae.capture.read import Capture
    result = check(Capture("run.pcapng"))
    print(result.verdict, result.reason)

A full run is judged by its evidence packets, with the frames against them. `wire` judges the frames
alone, so a run can be looked at as a tap would see it.
"""

from collections.abc import Iterator
from dataclasses import replace
from math import inf
from typing import Any, Final, Protocol

from oae.capture.read import Interface
from oae.capture.write import LINK_TYPE_ETHERNET, LINK_TYPE_USER0
from oae.check.findings import (
    ON_THE_WIRE,
    PLACE,
    PROMISES,
    REQUIREMENT,
    BenchError,
    Finding,
    Mark,
    Result,
    Standing,
    Transaction,
)
from oae.check.kernel import Array, Kernel, Naming, Role
from oae.check.measured import (
    directions,
    efficiency,
    end_counts,
    fault_spans,
    frame_faults,
    goodput,
    intervals,
    latencies,
    link_states,
)
from oae.check.verdict import Promise, Verdict
from oae.errors import OaeError
from oae.spec.constants import Outcome

_ROLES: Final = {
    "a.transmit": Role.A_TRANSMIT,
    "a.receive": Role.A_RECEIVE,
    "b.transmit": Role.B_TRANSMIT,
    "b.receive": Role.B_RECEIVE,
}
_FCS_BYTES: Final = 4
# A bit error can make one frame seem to come from somewhere else; a speaker is heard more often.
_HEARD: Final = 2
# Reasons to end a run that leave nothing to be done.
_DONE: Final = ("resolved", "requested")
# Members of an enumeration are slow to look up; these are wanted for every transaction.
_BY_NOTHING: Final = int(Naming.NONE)
_BY_PAIR: Final = int(Naming.PAIR)
_NAMED_BY: Final = ("naming", "own", "peer", "link_session")
_MARKS: Final = [mark.name for mark in Mark]
_OUTCOMES: Final = {outcome.value: outcome.name for outcome in Outcome}


class Source(Protocol):
    """What is checked: `oae.capture.read.Capture`, or packets from elsewhere in its shape."""

    @property
    def interfaces(self) -> list[Interface]:
        """All interfaces that a packet has named by now."""

    @property
    def damage(self) -> str:
        """What could not be read, empty if nothing."""

    def __iter__(self) -> Iterator[tuple[Array, Array]]:
        """Chunks of bytes, and the packets (PACKET) in each."""


class SpeakersError(OaeError):
    """More than two ends speak; the message lists them."""


def check(
    capture: Source,
    *,
    wire: bool = False,
    keep: int = 20_000,
    obstructed: bool | None = None,
) -> Result:
    """Check a capture and keep so many of its transactions, besides the slowest and the broken.

    `obstructed`: whether something stood in the way of progress at the stop, if that is known.
    """
    kernel = Kernel(keep)
    known = 0
    dropped = 0
    for chunk, packets in capture:
        interfaces = capture.interfaces
        for number in range(known, len(interfaces)):
            interface = interfaces[number]
            resolution_ns = max(1, round(interface.resolution * 1_000_000_000))
            kernel.role(number, role(interface, wire), _fcs_bytes(interface), resolution_ns)
        known = len(interfaces)
        dropped += int(packets["dropped"].sum())
        kernel.feed(chunk, packets)
    kernel.finish()
    _check_speakers(kernel.table("speakers"))
    told = sum(interface.dropped or 0 for interface in capture.interfaces)
    return Judge(kernel, wire, capture.damage, max(dropped, told), obstructed).result()


def role(interface: Interface, wire: bool) -> Role:
    """What stands on an interface."""
    if interface.link_type == LINK_TYPE_USER0 and interface.name == "evidence":
        return Role.IGNORED if wire else Role.EVIDENCE
    if interface.link_type != LINK_TYPE_ETHERNET:
        return Role.IGNORED
    return _ROLES.get(interface.name, Role.TAP)


def _positive(text: str) -> float | None:
    """The number that a parameter gives; None if it is none, or none that can be."""
    try:
        value = float(text)
    except ValueError:
        return None
    return value if 0 < value < inf else None


def _fcs_bytes(interface: Interface) -> int:
    # Some writers give the length in bits.
    return _FCS_BYTES if interface.fcs_length in (_FCS_BYTES, 8 * _FCS_BYTES) else 0


def _check_speakers(speakers: Array) -> None:
    if not any(speaker["frames"] >= _HEARD for speaker in speakers[2:]):
        return
    heard = ", ".join(
        f"{int(speaker['address']).to_bytes(6, 'big').hex(':')} ({speaker['frames']} frames)"
        for speaker in speakers
    )
    raise SpeakersError(f"more than two ends speak, and one link has two: {heard}")


def _sessions(naming: int, own: int, peer: int, link_session: int) -> str:
    if naming == _BY_PAIR:
        return f"{own:08x}/{peer:08x}"
    return "?" if naming == _BY_NOTHING else f"{link_session:08x}"


def _finding(row: Any) -> Finding:
    promise = PROMISES[row["promise"]]
    end = int(row["end"])
    return Finding(
        promise=promise,
        requirement=REQUIREMENT[promise],
        certain=bool(row["certain"]),
        absence=bool(row["absence"]),
        packet=int(row["packet"]),
        time=int(row["time"]),
        end=end,
        sessions=_sessions(*(row[name] for name in _NAMED_BY)) if end >= 0 else "",
        id=int(row["id"]),
        text=row["text"].decode(errors="replace"),
        explained_by=tuple(int(packet) for packet in row["explained_by"] if packet),
    )


def _transaction(row: Any) -> Transaction:
    # The whole row at once: there are many, and fields of a numpy row are slow one by one.
    (
        times,
        packets,
        id,
        own,
        peer,
        link_session,
        record_bytes,
        tag,
        end,
        naming,
        kind,
        outcome,
        reason,
        found,
    ) = row.tolist()
    seen = zip(_MARKS, times.tolist(), packets.tolist(), strict=True)
    marks = {mark: (time, packet) for mark, time, packet in seen if packet}
    told = _OUTCOMES.get(outcome, "OPEN")
    if told == "OPEN" and "DONE" in marks:  # told on the wire only
        told = "COMMITTED"
    elif told == "OPEN" and "ABORTED" in marks:
        told = "ABORTED"
    return Transaction(
        end=end,
        sessions=_sessions(naming, own, peer, link_session),
        id=id,
        kind=kind,
        tag=tag,
        record_bytes=record_bytes,
        outcome=told,
        reason=reason,
        has_finding=bool(found),
        marks=marks,
    )


def _findings(rows: Array) -> list[Finding]:
    return sorted(map(_finding, rows), key=lambda finding: finding.packet)


class Judge:
    """Draws the conclusions from what the kernel found."""

    def __init__(
        self,
        kernel: Kernel,
        wire: bool,
        damage: str,
        dropped: int,
        obstructed: bool | None = None,
    ) -> None:
        self.kernel = kernel
        self.wire = wire
        self.damage = damage
        self.dropped = dropped
        self.summary = kernel.summary()
        self.directions = directions(self.summary)
        self.ends = end_counts(self.summary)
        self.stop = kernel.stop()
        self.findings = _findings(kernel.table("findings"))
        self.unknowns = _findings(kernel.table("unknowns"))
        self.broken = self.summary["broken"].tolist()
        self.doubtful = self.summary["doubtful"].tolist()
        if obstructed is not None:
            self._progress(obstructed)
        self.bench_errors = [
            BenchError(int(row["packet"]), int(row["time"]), row["text"].decode(errors="replace"))
            for row in kernel.table("bench_errors")
        ]
        heard = [end for end in (0, 1) if self.directions[end].frames]
        if self.summary["evidence"]:
            self.source = "run"
        else:
            self.source = ("nothing", "one direction", "both directions")[len(heard)]
        if not self.summary["packets"]:
            self.bench_errors.append(BenchError(0, 0, "the capture holds no packets"))
        elif not self.summary["oae_frames"] and self.source != "run":
            text = f"none of {self.summary['packets']} packets is a frame of the link"
            self.bench_errors.append(BenchError(0, 0, text))

    def _progress(self, obstructed: bool) -> None:
        """Evidence does not show what rules hold up; here it is known, so nothing is doubtful."""
        place = PLACE[Promise.PROGRESS]
        found = [one for one in self.findings if one.promise is Promise.PROGRESS]
        found += [one for one in self.unknowns if one.promise is Promise.PROGRESS]
        self.findings = [one for one in self.findings if one.promise is not Promise.PROGRESS]
        self.unknowns = [one for one in self.unknowns if one.promise is not Promise.PROGRESS]
        if not obstructed:
            self.findings += [replace(one, certain=True) for one in found]
            self.findings.sort(key=lambda finding: finding.packet)
        self.broken[place] = 0 if obstructed else len(found)
        self.doubtful[place] = 0

    def result(self) -> Result:
        """Everything that was found."""
        promises = [self.standing(promise) for promise in REQUIREMENT]
        verdict, reason = self.verdict(promises)
        parameters = self.kernel.parameters()
        summary = self.summary
        distributions = latencies(self.kernel)
        cycle_ns = _positive(parameters.get("cycle_ns", ""))
        by_evidence = self.source == "run"
        return Result(
            verdict=verdict,
            reason=reason,
            source=self.source,
            wire=self.wire,
            promises=promises,
            findings=self.findings,
            finding_count=sum(self.broken),
            unknowns=self.unknowns,
            unknown_count=sum(self.doubtful),
            bench_errors=self.bench_errors,
            stop=self.stop,
            packets=int(summary["packets"]),
            start=int(summary["first_time"]),
            end=int(summary["last_time"]),
            evidence=int(summary["evidence"]),
            evidence_gaps=int(summary["evidence_gaps"]),
            parameters=parameters,
            ends=self.ends,
            directions=self.directions,
            latencies=distributions,
            goodput=goodput(summary, by_evidence),
            efficiency=[
                efficiency(summary, end, distributions[end], cycle_ns, by_evidence)
                for end in (0, 1)
            ],
            transactions=[_transaction(row) for row in self.kernel.table("transactions")],
            transaction_count=int(summary["transactions"]),
            link_states=link_states(self.kernel),
            faults=fault_spans(self.kernel),
            frame_faults=frame_faults(self.kernel),
            intervals=intervals(self.kernel),
            interval=int(summary["interval"]),
            lines=[self.damage] if self.damage else [],
        )

    def standing(self, promise: Promise) -> Standing:
        """How a promise stands."""
        place = PLACE[promise]
        asked = not self.wire or promise in ON_THE_WIRE
        verdict, reason = Verdict.PASS, ""
        if self.broken[place]:
            verdict = Verdict.FAIL
            reason = next(
                (str(found) for found in self.findings if found.promise is promise),
                f"broken {self.broken[place]} times",
            )
        elif unknown := self._unknown(promise):
            verdict, reason = Verdict.INCONCLUSIVE, unknown
        elif self.doubtful[place]:
            verdict = Verdict.INCONCLUSIVE
            reason = next(
                (f"{found}: not known" for found in self.unknowns if found.promise is promise),
                f"not known {self.doubtful[place]} times",
            )
        return Standing(promise, REQUIREMENT[promise], verdict, reason, asked)

    def _unknown(self, promise: Promise) -> str:
        """Why nothing can be said for good about a promise that nothing contradicts."""
        if self.damage:
            return f"the capture could not be read to its end: {self.damage}"
        if self.source == "run":
            return self._unknown_of_run(promise)
        if self.source == "nothing":
            return "nothing was heard"
        if promise not in ON_THE_WIRE or not self.wire:
            return "deliveries and completions are not on the wire"
        if self.source == "one direction":
            return f"only end {'ab'[0 if self.directions[0].frames else 1]} was heard"
        missing = self.dropped + sum(direction.lost for direction in self.directions)
        if missing:
            return f"{missing} frames are missing in the capture"
        incomplete = sum(direction.incomplete for direction in self.directions)
        if incomplete and promise is Promise.UNALTERED:
            return f"of {incomplete} frames too few bytes were captured"
        if promise is Promise.PROGRESS and (begun := int(self.summary["open"])):
            return f"{begun} transactions were seen to begin and not to end"
        return ""

    def _unknown_of_run(self, promise: Promise) -> str:
        if gaps := self.summary["evidence_gaps"]:
            return f"evidence is missing in {gaps} places"
        if not self.stop:
            return "the run has no stop"
        if not self.summary["evidence_ended"]:
            return "the capture is cut off"
        if promise in (Promise.CONSERVATION, Promise.PROGRESS):
            if unresolved := sum(end.unresolved for end in self.ends):
                return f"{unresolved} records were unresolved: {self.stop}"
            if self.stop not in _DONE:
                return f"the run ended before its load: {self.stop}"
        return ""

    def verdict(self, promises: list[Standing]) -> tuple[Verdict, str]:
        """The overall verdict and its reason."""
        asked = [standing for standing in promises if standing.asked]
        broken = {standing.promise for standing in asked if standing.verdict is Verdict.FAIL}
        if broken:
            first = (str(found) for found in self.findings if found.promise in broken)
            return Verdict.FAIL, next(first, "promises are broken")
        if self.bench_errors:
            error = self.bench_errors[0]
            at = f"packet {error.packet}: " if error.packet else ""
            return Verdict.BENCH_ERROR, at + error.text
        for standing in asked:
            if standing.verdict is Verdict.INCONCLUSIVE:
                return Verdict.INCONCLUSIVE, f"{standing.promise}: {standing.reason}"
        if self.source == "run":
            committed = sum(end.committed for end in self.ends)
            if not committed:
                return Verdict.INCONCLUSIVE, "no record was committed"
            return Verdict.PASS, f"{committed} records committed, every promise kept"
        seen = int(self.summary["transactions"])
        if not seen:
            return Verdict.INCONCLUSIVE, "no transaction was seen"
        return Verdict.PASS, f"{seen} transactions seen, nothing on the wire contradicts a promise"
