"""What a counterexample of the composed proof shows (hdl/formal/oae_lane_proof.sv): the steps of
the one transaction that matters, at both ends, in their order.

A waveform is full of what the solver was free to choose. Of the other transactions nothing is kept,
and of the crashes only those that change what an end holds of this one.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from oae.check.verdict import Promise
from oae.prove.waveform import Waveform, WaveformError, read
from oae.spec.constants import Operation, Outcome, State

TOP: Final = "oae_lane_proof."
IDLE, TENTATIVE, REFLECTING = State.IDLE, State.TENTATIVE, State.REFLECTING
COMMITTED, REVERSING, ABORTED = State.COMMITTED, State.REVERSING, State.ABORTED

# What the scoreboard calls it when the property of this name does not hold.
PROMISES: Final = {
    "agreement": frozenset({Promise.AGREEMENT, Promise.FINAL}),
    "in_order": frozenset({Promise.EXACTLY_ONCE, Promise.PORTS}),
    "unaltered": frozenset({Promise.UNALTERED}),
    "visible": frozenset({Promise.NOT_BEFORE_COMMITTED, Promise.AGREEMENT, Promise.FINAL}),
    "completion": frozenset({Promise.NO_FALSE_COMPLETION}),
    "told_once": frozenset({Promise.CONSERVATION}),
    # The initiator core asserts it by itself: next id = told + held.
    "conserved": frozenset({Promise.CONSERVATION, Promise.ASSERTION}),
    "never_alone": frozenset({Promise.NEVER_ALONE}),
}
# These speak of the responder alone: what its initiator did after it had sent is of no interest.
OF_RESPONDER: Final = frozenset({"in_order", "never_alone"})
# And these of the initiator: what the responder did after it had answered is of none.
OF_INITIATOR: Final = frozenset({"completion", "told_once", "conserved"})
ANY_TRANSACTION: Final = frozenset({"in_order"})

# What an end owes its peer in a state.
OWED_BY_A: Final = {
    TENTATIVE: Operation.DATA,
    COMMITTED: Operation.COMMIT,
    REVERSING: Operation.ABORT,
}
OWED_BY_B: Final = {
    REFLECTING: Operation.ACK,
    COMMITTED: Operation.DONE,
    ABORTED: Operation.ABORTED,
}
TURNED: Final = {
    Operation.COMMIT: Operation.ABORT,
    Operation.ABORT: Operation.COMMIT,
    Operation.DONE: Operation.ABORTED,
    Operation.ABORTED: Operation.DONE,
}


@dataclass(frozen=True)
class Heard:
    """The frame that made an end take a step."""

    operation: Operation  # as it was sent
    id: int
    altered: bool = False  # another record, with its digest
    misdirected: bool = False  # sent for another transaction
    turned: bool = False  # the operation is another one
    stale: bool = False  # its sender owes something else by now
    again: bool = False  # it was heard before


@dataclass(frozen=True)
class Step:
    """One step of an end in the transaction, or its crash; named as in docs/tables.md."""

    cycle: int
    end: str
    event: str
    heard: Heard | None = None


@dataclass(frozen=True)
class Counterexample:
    """What broke, where, and how it came to that."""

    labels: tuple[str, ...]  # of the properties that do not hold in this cycle
    cycle: int
    window: int
    id: int
    steps: tuple[Step, ...]

    @property
    def promises(self) -> frozenset[Promise]:
        """What the scoreboard of a run would call it."""
        return frozenset(promise for label in self.labels for promise in PROMISES[label])


def counterexample(path: Path) -> Counterexample:
    """Read a waveform of lane:promises; raises WaveformError if no promise breaks in it."""
    return _Reader(read(path)).counterexample()


class _Cycle:
    """The signals of one cycle, by their names in the proof."""

    def __init__(self, path: Path, values: dict[str, int]) -> None:
        self._path = path
        self._values = values

    def __getitem__(self, name: str) -> int:
        try:
            return self._values[TOP + name]
        except KeyError:
            raise WaveformError(f"{self._path}: no signal {TOP + name}") from None

    def optional(self, name: str) -> int:
        """A signal that the proof may not have."""
        return self._values.get(TOP + name, 0)


class _Reader:
    def __init__(self, waveform: Waveform) -> None:
        # The solver shows the cycle that breaks twice: before its edge and after.
        self.cycles = [_Cycle(waveform.path, values) for values in waveform.steps[:-1]]
        self.path = waveform.path
        if len(self.cycles) < 3:
            raise WaveformError(f"{waveform.path}: too short")
        self.mask = self.cycles[-1]["slot_mask"]
        self.followed = self.id = self.cycles[-1]["k"]
        self.heard_before: set[tuple[Operation, int]] = set()

    def counterexample(self) -> Counterexample:
        last = len(self.cycles) - 1
        labels = tuple(broken(self.cycles[last].__getitem__))
        if not labels:
            raise WaveformError(f"{self.path}: no promise breaks in cycle {last}")
        if ANY_TRANSACTION.issuperset(labels):
            self.id = self.cycles[last]["last_pointer"]
        steps = _plain(list(self._steps()))
        if OF_RESPONDER.issuperset(labels):
            steps = list(_of_responder(steps, self.id == self.followed))
        if OF_INITIATOR.issuperset(labels):
            steps = _of_initiator(steps, self.id)
        return Counterexample(labels, last, self.mask + 1, self.id, tuple(steps))

    # ------------------------------------------------------------------ what an end holds

    def _held(self, end: str, cycle: int) -> int:
        slot = self.id & self.mask
        now = self.cycles[cycle]
        if now[f"{end}.ids<{slot}>"] != self.id:
            return IDLE
        return now[f"{end}.state"] >> 3 * slot & 7

    def _flag(self, end: str, name: str, cycle: int) -> bool:
        slot = self.id & self.mask
        return bool(self.cycles[cycle][f"{end}.{name}"] >> slot & 1)

    def _known(self, cycle: int) -> bool:
        return self._held("a", cycle) != IDLE and self._flag("a", "known", cycle)

    def _delivered(self, cycle: int) -> bool:
        return self._held("b", cycle) == COMMITTED and self._flag("b", "delivered", cycle)

    # ------------------------------------------------------------------ steps

    def _steps(self) -> Iterator[Step]:
        # Cycle 0 is the reset. The last cycle has no edge; what a handshake does is seen.
        for cycle in range(1, len(self.cycles)):
            is_last = cycle == len(self.cycles) - 1
            found = [*self._ports(cycle)]
            if not is_last:
                found += [*self._responder(cycle), *self._initiator(cycle)]
            yield from sorted(found, key=_rank)

    def _ports(self, cycle: int) -> Iterator[Step]:
        now = self.cycles[cycle]
        if now["open_ready"] and now["open_id"] == self.id:
            yield Step(cycle, "a", "OPENED")
        if now["delivering"] and now["head_id"] == self.id:
            yield Step(cycle, "b", "DELIVERED")
        if now["tell_taken"] and now["tell_id"] == self.id:
            yield Step(cycle, "a", "TOLD")

    def _initiator(self, cycle: int) -> Iterator[Step]:
        now, then = self.cycles[cycle], self.cycles[cycle + 1]
        before, after = self._held("a", cycle), self._held("a", cycle + 1)
        known, knows = self._known(cycle), self._known(cycle + 1)
        if now["crash_a"]:
            if before != after or known != knows or now["next_id"] != then["next_id"]:
                yield Step(cycle, "a", "CRASH")
            return
        if before == REFLECTING and after == COMMITTED:
            yield Step(cycle, "a", "DECIDED")
        elif knows and not known:
            yield Step(cycle, "a", "DONE_HEARD", self._answer(cycle))
        elif before == TENTATIVE and after == REFLECTING:
            yield Step(cycle, "a", "REFLECTION_HEARD", self._answer(cycle))
        elif before == REFLECTING and after == REVERSING:
            yield Step(cycle, "a", "MISMATCHED")
        elif before != after and after == REVERSING:
            yield Step(cycle, "a", "CANCELLED")
        elif before != after and after == ABORTED:
            yield Step(cycle, "a", "ABORT_CONFIRMED", self._answer(cycle))

    def _responder(self, cycle: int) -> Iterator[Step]:
        now, then = self.cycles[cycle], self.cycles[cycle + 1]
        before, after = self._held("b", cycle), self._held("b", cycle + 1)
        marked = self._delivered(cycle) != self._delivered(cycle + 1)
        if now["crash_b"]:
            if before != after or marked or now["pointer"] != then["pointer"]:
                yield Step(cycle, "b", "CRASH")
            return
        if before == after:
            return
        match before, after:
            case (_, State.TENTATIVE):
                yield Step(cycle, "b", "HELD", self._order(cycle))
            case (State.TENTATIVE, State.REFLECTING):
                yield Step(cycle, "b", "REFLECTED")
            case (_, State.COMMITTED):
                yield Step(cycle, "b", "COMMIT_HEARD", self._order(cycle))
            case (_, State.REVERSING):
                yield Step(cycle, "b", "REVERSED", self._order(cycle))
            case (State.REVERSING | State.REFLECTING, State.ABORTED):
                yield Step(cycle, "b", "ABORT_RECORDED")
            case (_, State.ABORTED):
                yield Step(cycle, "b", "REFUSED", self._order(cycle))
            case (_, State.IDLE) if now["order_used"] and self._is_older(now["order_id"]):
                heard = self._order(cycle)
                event = "REVERSED" if heard.operation == Operation.ABORT else "HELD"
                yield Step(cycle, "b", event, heard)

    # ------------------------------------------------------------------ frames

    def _is_older(self, id: int) -> bool:
        """Whether the id was opened before the transaction, by serial arithmetic."""
        return 0 < (self.id - id) % 16 < 8

    def _order(self, cycle: int) -> Heard:
        return self._heard(cycle, "order", "a", OWED_BY_A)

    def _answer(self, cycle: int) -> Heard:
        return self._heard(cycle, "answer", "b", OWED_BY_B)

    def _heard(self, cycle: int, name: str, sender: str, owed: dict[State, Operation]) -> Heard:
        now = self.cycles[cycle]
        operation = Operation(now[f"{name}_operation"])
        id = now[f"{name}_id"]
        # Of the frames of other transactions the proof says nothing.
        damaged = id == self.followed
        turned = damaged and bool(now.optional(f"{name}_turned"))
        if turned:
            operation = TURNED[operation]
        key = operation, id
        again = key in self.heard_before
        self.heard_before.add(key)
        held = State(self._held(sender, cycle))
        return Heard(
            operation,
            id,
            altered=damaged and bool(now[f"{name}_altered"]),
            misdirected=damaged and bool(now.optional(f"{name}_misdirected")),
            turned=turned,
            stale=id == self.id and owed.get(held) != operation,
            again=again,
        )


def _rank(step: Step) -> int:
    """Of one edge: what follows from an earlier step, what was heard, what the world did."""
    if step.event in ("CRASH", "CANCELLED"):
        return 2
    return 1 if step.heard else 0


def broken(signal: Callable[[str], int]) -> list[str]:
    """The properties that do not hold, as oae_lane_proof states them."""

    def of_k(name: str) -> bool:
        return signal(name) == signal("k")

    delivers = bool(signal("delivering")) and of_k("head_id")
    tells = bool(signal("telling")) and of_k("tell_id")
    told = bool(signal("told_committed") or signal("told_aborted"))
    committed = signal("a_committed") or signal("b_committed")
    aborted = signal("a_aborted") or signal("b_aborted")
    stands = signal("pointer") == signal("last_pointer") and not signal("moved_on")
    holds = {
        "agreement": not (committed and aborted),
        "in_order": stands or signal("pointer") == signal("next_pointer"),
        "unaltered": not (delivers and signal("b_altered")),
        "visible": not (signal("deliver_valid") and of_k("head_id"))
        or signal("a_state") == COMMITTED
        or bool(signal("told_committed")),
        "completion": not (tells and signal("tell_outcome") == Outcome.COMMITTED)
        or bool(signal("delivered")),
        "told_once": not tells or (bool(signal("opened")) and not told),
        "conserved": not signal("opened") or (signal("a_state") != IDLE) != told,
        "never_alone": not (signal("b_reflected") and signal("b_state") == ABORTED)
        or bool(signal("sent_abort")),
    }
    return [label for label, whether in holds.items() if not whether]


def _of_responder(steps: list[Step], followed: bool) -> Iterator[Step]:
    """The steps of B, and of A those without which B would not have heard what it heard."""
    heard = {step.heard.operation for step in steps if step.end == "b" and step.heard}
    needed = {"OPENED"}
    if followed and Operation.COMMIT in heard:
        needed |= {"REFLECTION_HEARD", "DECIDED"}
    keeps_all = followed and Operation.ABORT in heard
    for step in steps:
        if step.end == "b" and step.heard and not keeps_all:
            # What A took up later is not among the steps: it still owes what it sent.
            yield replace(step, heard=replace(step.heard, stale=False))
        elif step.end == "b" or keeps_all or step.event in needed:
            yield step


def _of_initiator(steps: list[Step], id: int) -> list[Step]:
    """The steps of A, and those of B up to the last answer of its own that A hears."""
    last = max(
        (
            i
            for i, step in enumerate(steps)
            if step.end == "a" and step.heard and step.heard.id == id and not step.heard.misdirected
        ),
        default=-1,
    )
    return [step for i, step in enumerate(steps) if step.end == "a" or i < last]


def _plain(steps: list[Step]) -> list[Step]:
    """What only damage could do, and a host may do as well, is done by the host.

    An ABORT of another transaction that hits an id never seen is as good as a refusal; a reflection
    of another transaction that does not match is as good as a cancel.
    """
    found: list[Step] = []
    is_held = False
    for i, step in enumerate(steps):
        follows = {other.event for other in steps[i + 1 :] if other.end == step.end}
        is_misdirected = step.heard is not None and step.heard.misdirected
        if is_misdirected and step.event == "REVERSED" and not is_held:
            found.append(replace(step, event="REFUSED", heard=_data(step)))
        elif step.event == "ABORT_RECORDED" and _last_of_b(found) == "REFUSED":
            continue
        elif is_misdirected and step.event == "REFLECTION_HEARD" and "MISMATCHED" in follows:
            found.append(replace(step, event="CANCELLED", heard=None))
        elif step.event == "MISMATCHED" and any(one.event == "CANCELLED" for one in found):
            continue
        else:
            found.append(step)
        if step.end == "b":
            is_held = step.event in ("HELD", "REFLECTED") or (is_held and step.event != "CRASH")
    return found


def _last_of_b(steps: list[Step]) -> str:
    return next((step.event for step in reversed(steps) if step.end == "b"), "")


def _data(step: Step) -> Heard:
    """The DATA that might have been heard instead."""
    assert step.heard is not None
    return Heard(Operation.DATA, step.heard.id)
