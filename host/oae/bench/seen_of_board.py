"""Judges a run in which one end is a board: what its peer recorded, beside what the board tells.

A lane is the transactions that one end initiates. Of the board there are counts, and the ids of
those steps that its trace buffer did not lose.
"""

from collections.abc import Iterator, Mapping
from itertools import pairwise
from pathlib import Path
from typing import Any, Final, NamedTuple

from oae.capture import evidence
from oae.capture.read import packets
from oae.check.findings import Result
from oae.check.verdict import Verdict
from oae.scenario.scenario import ENDS
from oae.spec.constants import Kind, Outcome
from oae.trace import Complete, Deliver

EVIDENCE_OF_ONE: Final = 2  # number of the interface in the capture of one end
LOST: Final = "trace buffer lost steps"
Told = Mapping[str, Any]  # statistics of the board


class Peer(NamedTuple):
    """What the host of the peer took; an epoch advance is delivered to no host."""

    delivered: list[int]  # ids
    told: dict[str, list[int]]  # ids of records, by outcome


def judge_board(result: Result, end: int, told: Told, capture: Path) -> None:
    """Amend the verdict on the capture of the peer by what the board tells."""
    ends, peer = result.ends[1 - end], _peer(capture)
    problems = list(_broken(told, peer, ends.opened - ends.aborted))
    forgot = told["counters"]["AMNESIA"] or ends.amnesias  # ids begin anew
    if not forgot:
        problems += _broken_by_id(told["ids"], peer)
    name = ENDS[end]
    judged = f"{name} is a board, judged by its counts"
    if forgot:
        judged += "; by no ids, because an end forgot"
    elif told["steps_lost"]:
        judged += f" and by ids; its {LOST}: {told['steps_lost']:,}"
    else:
        judged += " and by every id"
    result.lines += [judged, *(f"board {name}: {one}" for one in problems)]
    if told["steps_lost"] and result.verdict is Verdict.INCONCLUSIVE:
        result.reason += f"; {name}'s {LOST}, for some of which rules may have waited"
    if problems and result.verdict is not Verdict.FAIL:
        result.verdict, result.reason = Verdict.FAIL, f"board {name}: {problems[0]}"


def _peer(capture: Path) -> Peer:
    peer = Peer([], {one.name: [] for one in Outcome})
    for packet in packets(capture):
        if packet.interface != EVIDENCE_OF_ONE:
            continue
        match evidence.decode(packet.data):
            case Deliver(user=0, broken=0, id=id):
                peer.delivered.append(id)
            case Complete(kind=Kind.DATA, id=id, outcome=outcome):
                peer.told[Outcome(outcome).name].append(id)
    return peer


def _broken(told: Told, peer: Peer, not_aborted: int) -> Iterator[str]:
    """What is wrong by counts, first on the board's lane, then on its peer's."""
    committed, aborted = told["committed"], told["aborted"]
    outcomes = committed + aborted + told["unknown"] + told["lost"]
    if told["submitted"] < outcomes or (told["submitted"] > outcomes and not told["busy"]):
        yield f"conservation: {told['submitted']} submitted, {outcomes} have an outcome"
    for who, delivered, least, most in (
        ("delivered by the peer", len(peer.delivered), committed, told["submitted"] - aborted),
        ("delivered here", told["delivered"], len(peer.told["COMMITTED"]), not_aborted),
    ):
        if not least <= delivered <= most:
            yield f"agreement: {delivered} {who}, {least} COMMITTED, {most} not ABORTED"


def _broken_by_id(ids: Mapping[str, list[int]], peer: Peer) -> Iterator[str]:
    """What is wrong with single transactions."""
    delivered, here = set(peer.delivered), ids["DELIVERED"]
    if missing := set(ids["COMMITTED"]) - delivered:
        yield f"agreement: id {min(missing)} is COMMITTED and was not delivered by the peer"
    if wrong := set(ids["ABORTED"]) & delivered:
        yield f"agreement: id {min(wrong)} is ABORTED and was delivered by the peer"
    if wrong := set(here) & set(peer.told["ABORTED"]):
        yield f"agreement: id {min(wrong)} was delivered and is ABORTED at the peer"
    if any(later <= id for id, later in pairwise(here)):
        yield "exactly once, in order: ids were delivered twice or out of order"
