"""Judges a run by what the two hosts saw, and by nothing else: what was submitted, told, delivered.

The checker and the scoreboard follow the steps of the ends as well. A flipped bit can falsify what
an end says about its steps and harm nobody; here a promise is broken only if a host is wronged.
Every record of an end must have other bytes than all others of it.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field

from oae.check.verdict import Promise
from oae.scenario.scenario import ENDS
from oae.spec.constants import Kind, Outcome
from oae.trace import Complete, Deliver, Record, Stop, Submit


@dataclass
class _Sent:
    """A record of a load, over all its submissions."""

    tag: int
    kind: int
    last: int  # place of its last submission
    submissions: int = 0
    outcomes: list[int] = field(default_factory=list)
    deliveries: int = 0


class _Lane:
    """The records of one end, and what became of them."""

    def __init__(self) -> None:
        self.by_data: dict[bytes, _Sent] = {}
        self.by_tag: dict[int, _Sent] = {}
        self.submissions = 0
        self.latest = -1  # place of what was delivered last
        self.broken: dict[Promise, int] = defaultdict(int)

    def submit(self, submit: Submit) -> None:
        if submit.user or submit.broken:
            return
        sent = self.by_data.setdefault(submit.data, _Sent(submit.tag, submit.kind, 0))
        self.by_tag[submit.tag] = sent
        sent.last = self.submissions
        sent.submissions += 1
        self.submissions += 1

    def deliver(self, deliver: Deliver) -> None:
        if deliver.user:
            return
        sent = self.by_data.get(deliver.data)
        if sent is None or sent.kind != Kind.DATA:
            self.broken[Promise.UNALTERED] += 1
            return
        sent.deliveries += 1
        self.broken[Promise.EXACTLY_ONCE] += sent.deliveries > 1 or sent.last < self.latest
        self.latest = max(self.latest, sent.last)

    def complete(self, complete: Complete) -> None:
        sent = self.by_tag.get(complete.tag)
        if sent is None or len(sent.outcomes) == sent.submissions:
            self.broken[Promise.CONSERVATION] += 1
            return
        sent.outcomes.append(complete.outcome)
        if complete.outcome == Outcome.COMMITTED and sent.kind == Kind.DATA:
            self.broken[Promise.NO_FALSE_COMPLETION] += not sent.deliveries

    def end(self, resolved: bool) -> dict[Promise, int]:
        """What is broken, and how often, when nothing more comes."""
        for sent in self.by_tag.values():
            self.broken[Promise.CONSERVATION] += resolved and len(sent.outcomes) < sent.submissions
            taken_back = sent.outcomes.count(Outcome.ABORTED) == sent.submissions
            self.broken[Promise.AGREEMENT] += taken_back and sent.deliveries > 0
        return {promise: times for promise, times in self.broken.items() if times}


def wronged(trace: Iterable[Record]) -> dict[Promise, int]:
    """The promises that were broken to a host, and how often each."""
    lanes = [_Lane() for _ in ENDS]
    resolved = False
    for record in trace:
        match record:
            case Submit():
                lanes[record.end].submit(record)
            case Deliver():
                lanes[1 - record.end].deliver(record)
            case Complete():
                lanes[record.end].complete(record)
            case Stop():
                resolved = record.reason == "resolved"
    found: dict[Promise, int] = defaultdict(int)
    for lane in lanes:
        for promise, times in lane.end(resolved).items():
            found[promise] += times
    return dict(found)
