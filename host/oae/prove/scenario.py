"""A counterexample of the composed proof as a scenario that replays on the simulators.

    text = scenario_of(Path("build/prove/lane_promises_without_F5/engine_0/trace.vcd"))

The proof knows two cores and a channel in which a frame may be heard at any time after it was first
owed; a run has two whole ends and a wire. So the scenario aims at the same *order* of the steps of
one transaction, the one in which the promise breaks:

- kept: which end takes which step before which, crashes, cancels, refusals, hosts that do not take
  what is offered, frames that come late or again, and damage that passes FCS and guard;
- not kept: cycles; the other transactions, which run as they like; crashes that change nothing that
  an end holds of this one; frames that change nothing; grants, repeats and beats.

A step that a run takes by itself needs no rule. A step of the world (crash, cancel, refusal)
strikes when the step before it is told. A frame that its sender no longer owes when it is heard is
held back by the medium; until it comes, both directions are cut. A frame of a transaction older
than the waveform is one of a record that goes before. A record that is refused and forgotten at
once goes behind one that the host does not take, so that the deliver pointer waits.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Final

from oae.prove.counterexample import Counterexample, Heard, Step, counterexample
from oae.prove.story import story
from oae.spec.constants import Operation

PEER: Final = {"a": "b", "b": "a"}
ANSWERS: Final = frozenset({Operation.ACK, Operation.DONE, Operation.ABORTED})
# The steps from which on an end owes a frame.
OWES_SINCE: Final = {
    Operation.DATA: ("OPENED",),
    Operation.COMMIT: ("DECIDED",),
    Operation.ABORT: ("CANCELLED", "MISMATCHED", "CRASH"),
    Operation.ACK: ("REFLECTED",),
    Operation.DONE: ("DELIVERED",),
    Operation.ABORTED: ("REFUSED", "ABORT_RECORDED"),
}
BY_THE_WORLD: Final = ("CRASH", "CANCELLED")
TELLABLE: Final = ("DONE_HEARD", "ABORT_CONFIRMED")
MORE_RECORDS: Final = 4  # than the transaction needs: ids that come again are seen
HOLD_CYCLES: Final = 1000  # longer than all steps before the one that hears it
LONGEST: Final = "4000 cycles"  # that the world stands in the way, if the step never comes
ALL_PASS: Final = "hold 10000"  # released by time, not by the frames that pass
REPEATS: Final = (1, 2, 3)  # copies that would come in the place of the one that is held back
TURN: Final = "forge byte=14 xor=ff guard"
ALTER: Final = "forge byte=40 xor=ff digest"

HEAD: Final = """version = 1
text = "Counterexample of the composed proof: {labels} breaks."

[link]
window = {window}
beat_idle = 64
beat_busy = 32
fault_beats = 200
sync_interval = 256

[limits]
cycles = 40000
stall = 8000

[expect]
every_fault = false
violations = {forged}
"""


def scenario_of(trace: Path) -> str:
    """The scenario file of a waveform of lane:promises.

    Raises WaveformError if the file cannot be read, or if every promise holds in its last cycle, as
    in a waveform that starts in the middle (an induction) or breaks a relation only.
    """
    found = counterexample(trace)
    writer = _Writer(found)
    return story(found, writer.id) + "\n" + writer.text()


@dataclass
class _Writer:
    """Collects the faults of a scenario, step by step."""

    found: Counterexample
    faults: list[str] = field(default_factory=list)
    held: dict[str, int] = field(default_factory=dict)  # direction -> first step that waits
    forged: int = 0

    def __post_init__(self) -> None:
        self.steps = self.found.steps
        self.window = self.found.window
        # Damaged frames are those of the next transaction, or of the one before in the same slot.
        self.far = any(self._is_far(index) for index in range(len(self.steps)))
        older = self.far or any(step.heard and self._is_older(step.heard) for step in self.steps)
        self.kept = not older and self._is_kept_from_passing()
        if self.kept:
            self.window = max(2, self.window)
        self.id = 1 if self.kept else self.found.id + (self.window if older else 0)
        self.other = self.id - self.window if self.far else self.id ^ 1

    def text(self) -> str:
        """The file without its comment."""
        for index, step in enumerate(self.steps):
            self._world(index, step)
            if step.heard:
                self._frame(index, step, step.heard)
        self._stalls()
        if self.kept:
            self._fault("start", "stall b deliver", "b CRASH")
        head = HEAD.format(
            labels=" and ".join(self.found.labels), window=self.window, forged=self.forged
        )
        return "\n".join([head, self._load(), *self._rates(), *self.faults])

    # ------------------------------------------------------------------ tables

    def _load(self) -> str:
        count = max(self.id, self.other) + 1 + MORE_RECORDS
        if any(step.heard and step.heard.misdirected for step in self.steps):
            # Only equal records can be taken for one another.
            return '[[load.a.record]]\ntext = "all records are equal"\n' * count
        return f"[load.a]\nrecords = {count}\nsizes = 16\n"

    def _rates(self) -> Iterator[str]:
        for rank, direction in enumerate(sorted(self.held, key=lambda one: self.held[one])):
            yield f'[rates."{direction}"]\nreorder_cycles = {HOLD_CYCLES * (rank + 1)}\n'

    def _fault(self, when: str, do: str, until: str = "") -> None:
        lines = ["[[fault]]", f'when = "{when}"', f'do = "{do}"']
        if until:
            lines.append(f'until = ["{until}", "{LONGEST}"]')
        text = "\n".join(lines) + "\n"
        if text not in self.faults:
            self.faults.append(text)

    # ------------------------------------------------------------------ conditions

    def _told(self, index: int, counted: bool = True) -> str:
        """The condition that this step is told; `counted`: from the start of the run."""
        step = self.steps[index]
        words = f"{step.end} {step.event}"
        if step.event != "CRASH":
            words += f" id={self._id_told(step)}"
        number = sum(self._name(one) == self._name(step) for one in self.steps[: index + 1])
        if step.heard and self._is_older(step.heard) and self._id_told(step) != self.id:
            number += 1  # for the same frame in its own time
        return f"{words} #{number}" if counted and number > 1 else words

    def _name(self, step: Step) -> tuple[str, str, int]:
        return step.end, step.event, self._id_told(step)

    def _id_told(self, step: Step) -> int:
        if step.end == "b" and step.heard and self._is_older(step.heard):
            return self._older(step.heard)
        return self.id

    def _before(self, index: int) -> str:
        return self._told(index - 1) if index else "start"

    def _is_older(self, heard: Heard) -> bool:
        return heard.id != self.found.id

    def _older(self, heard: Heard) -> int:
        """The id, in the run, of a transaction older than the waveform: in the same slot."""
        return heard.id & (self.found.window - 1)

    def _leaves(self, heard: Heard, sender: str) -> str:
        """The condition that the frame leaves its sender for the first time."""
        id = self.id
        if heard.misdirected:
            id = self.other
        elif self._is_older(heard):
            id = self._older(heard)
        return f"{sender}->{PEER[sender]} {heard.operation.name} id={id} copy=0"

    # ------------------------------------------------------------------ what the world does

    def _is_kept_from_passing(self) -> bool:
        """Whether B crashes after an abort, before the next cycle moves its pointer past it.

        No rule strikes as fast; so the record before it has to wait for its delivery.
        """
        events = [step.event for step in self.steps if step.end == "b"]
        return any(
            first in OWES_SINCE[Operation.ABORTED] and then == "CRASH"
            for first, then in pairwise(events)
        )

    def _world(self, index: int, step: Step) -> None:
        match step.event:
            case "CRASH":
                self._fault(self._when(index), f"crash {step.end}")
            case "CANCELLED":
                self._fault(self._when(index), f"cancel a tag={self.id}")
            case "REFUSED":
                when = f"b HELD id={self.id - 1}" if self.kept else self._before(index)
                self._fault(when, "refuse b", self._told(index, counted=False))
            case "ABORT_RECORDED" if not self._was_reversed(index):
                self._gate(index)  # by itself, when nothing comes

    def _was_reversed(self, index: int) -> bool:
        earlier = [step.event for step in self.steps[:index] if step.end == "b"]
        return bool(earlier) and earlier[-1] == "REVERSED"

    def _when(self, index: int) -> str:
        """When the world strikes: after the step before, or once a frame has left that is ended."""
        for later in range(index + 1, len(self.steps)):
            step = self.steps[later]
            if step.heard and PEER[step.end] == self.steps[index].end:
                started = self._started(later, step.heard)
                if self._ended(later, step.heard) == index and started == index - 1:
                    return self._leaves(step.heard, self.steps[index].end)
        return self._before(index)

    def _gate(self, index: int) -> None:
        """Nothing passes until this step."""
        for direction in ("a->b", "b->a"):
            self._fault(self._before(index), f"cut {direction}", self._told(index, counted=False))

    # ------------------------------------------------------------------ frames

    def _started(self, index: int, heard: Heard) -> int | None:
        """The step since when the sender owed what is heard in step `index`."""
        sender = PEER[self.steps[index].end]
        for earlier in range(index - 1, -1, -1):
            step = self.steps[earlier]
            if step.end == sender and step.event in OWES_SINCE[heard.operation]:
                return earlier
        return None

    def _ended(self, index: int, heard: Heard) -> int | None:
        """The step since when it no longer owed it."""
        started = self._started(index, heard)
        if started is None or not heard.stale:
            return None
        sender = PEER[self.steps[index].end]
        return next((i for i in range(started + 1, index) if self.steps[i].end == sender), None)

    def _frame(self, index: int, step: Step, heard: Heard) -> None:
        sender = PEER[step.end]
        leaves = self._leaves(heard, sender)
        is_foreign = heard.misdirected or self._is_older(heard)
        if is_foreign and heard.operation in (Operation.ABORT, Operation.ABORTED):
            other = self.other if heard.misdirected else self._older(heard)
            self._fault(f"a OPENED id={other}", f"cancel a tag={other}")
        if self._is_late(index, heard):
            # Hold comes after duplicate and before forge: the last one says how far.
            if heard.again or self._is_older(heard):
                self._fault(leaves, "duplicate")
            elif not heard.misdirected:
                for copy in REPEATS:
                    self._fault(leaves.replace("copy=0", f"copy={copy}"), "drop")
            self._fault(leaves, ALL_PASS)
            self.held.setdefault(f"{sender}->{step.end}", index)
            if not self._crashed_since(index, heard):
                self._gate(index)
        if heard.misdirected:
            self._forge(leaves, f"forge byte=16 xor={self.id ^ self.other:02x} guard")
        elif heard.turned:
            self._forge(leaves, TURN)
        elif heard.altered and heard.operation == Operation.DATA and self._alteration_matters():
            self._forge(leaves, ALTER)

    def _forge(self, leaves: str, do: str) -> None:
        self.forged += 1
        self._fault(leaves, do)

    def _is_late(self, index: int, heard: Heard) -> bool:
        """Whether a run would not bring the frame in this step by itself."""
        if heard.misdirected:
            return self.far
        if self._is_older(heard):
            return True
        ended = self._ended(index, heard)
        if ended is None:
            return False
        # What has just left when the world strikes is on its way.
        return ended != index - 1 or self.steps[ended].event not in BY_THE_WORLD

    def _is_far(self, index: int) -> bool:
        """Whether a damaged frame is heard that the next transaction does not send so soon."""
        heard = self.steps[index].heard
        if heard is None or not heard.misdirected:
            return False
        is_first = index > 0 and self.steps[index - 1].event == "OPENED"
        return self.window == 1 or heard.operation != Operation.ACK or not is_first

    def _crashed_since(self, index: int, heard: Heard) -> bool:
        """Whether the end that hears it must come up again first, which takes both directions."""
        started = self._started(index, heard) or 0
        end = self.steps[index].end
        return any(one.end == end and one.event == "CRASH" for one in self.steps[started:index])

    def _alteration_matters(self) -> bool:
        """A record is altered for its own sake, or to make the reflection differ."""
        turned = any(step.heard and step.heard.turned for step in self.steps)
        differs = any(step.event == "MISMATCHED" for step in self.steps)
        return differs or ("unaltered" in self.found.labels and not turned)

    # ------------------------------------------------------------------ hosts that wait

    def _stalls(self) -> None:
        self._stall(("COMMIT_HEARD",), "DELIVERED", f"b HELD id={self.id}", "stall b deliver")
        self._stall(TELLABLE, "TOLD", f"a OPENED id={self.id}", "stall a completion")

    def _stall(self, offers: tuple[str, ...], takes: str, when: str, do: str) -> None:
        """The host waits while others take steps between what it is offered and its taking it."""
        events = [step.event for step in self.steps]
        offered = max((i for i, event in enumerate(events) if event in offers), default=None)
        if offered is None:
            return
        later = events[offered + 1 :]
        last = offered + later.index(takes) if takes in later else len(events) - 1
        if last > offered:
            self._fault(when, do, self._told(last, counted=False))
