"""Small random scenarios with every feature that one has: also faults that never end, stops, forged
frames, hosts that stall for good."""

from collections.abc import Iterator
from random import Random

from host.tests.campaign.schedules import LINK

STEPS = (
    *("SENT", "RECEIVED", "OPENED", "HELD", "REFLECTED", "DECIDED", "COMMIT_HEARD", "DELIVERED"),
    *("DONE_HEARD", "TOLD", "ABORT_RECORDED", "CANCELLED", "SKIPPED", "MALFORMED", "NOT_UP"),
)
STATES = ("IDLE", "TENTATIVE", "REFLECTING", "COMMITTED")
OPERATIONS = ("DATA", "ACK", "COMMIT", "DONE", "ABORT", "ABORTED", "SYNC", "SYNC_ACK", "NOP", "any")
DIRECTIONS = ("a->b", "b->a")
RATED = ("drop", "duplicate", "reorder", "corrupt", "flip", "delay")
LASTING = (
    *("crash {end}", "amnesia {end}", "refuse {end}", "disable {end}", "mute {end}"),
    *("stall {end} deliver", "stall {end} completion", "stall {end} doubt", "cut {direction}"),
)
AT_ONCE = ("epoch {end} 1", "prepare {end} 1", "cancel {end} tag=3", "stop")
OF_FRAMES = ("drop", "duplicate", "corrupt", "flip", "hold 3", "hold 400", "delay 150", "{forge}")


class Scenarios:
    """Draws one scenario: each part is there or not, as the seed will have it."""

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._random = Random(seed)

    @property
    def text(self) -> str:
        """The whole scenario."""
        return "\n".join(self._lines()) + "\n"

    def _often(self, chance: float) -> bool:
        return self._random.random() < chance

    def _lines(self) -> Iterator[str]:
        choice = self._random.choice
        yield LINK.replace("version = 1", f"version = 1\nseed = {self._seed}")
        if self._often(0.1):
            yield 'session = "same"'
        for end in "ab":
            yield f"[load.{end}]\nrecords = {choice((0, 4, 15, 30))}"
            yield from self._some(0.3, "resubmit = true", f"gap = {choice((9, 40, 300))}")
            yield from self._some(0.3, f"cancel = {choice((0.2, 1.0))}", "cancel_after = 150")
            yield from self._some(0.2, "bad = 0.3", "too_long = 0.3", "outstanding = 1")
            yield f"[host.{end}]"
            stalls = f"stall = {choice((0.2, 1.0))}\nstall_max = {choice((3, 40, 300))}"
            yield from self._some(0.25, stalls, f"refuse = {choice((0.2, 1.0))}")
        for direction in DIRECTIONS:
            yield f'[rates."{direction}"]'
            rates = (0.02, 0.1, 0.3, 1.0)
            yield from self._some(0.2, *(f"{kind} = {choice(rates)}" for kind in RATED))
            yield from self._some(0.05, f"until = {choice((500, 3000))}", "latency = 120")
        for number in range(self._random.randrange(5)):
            yield from self._fault(number)
        every = "true" if self._often(0.3) else "false"
        yield f"[expect]\nevery_fault = {every}\nviolations = {choice((0, 0, 2))}"
        yield "[limits]\ncycles = 30000\nstall = 8000"

    def _some(self, chance: float, *lines: str) -> Iterator[str]:
        return (line for line in lines if self._often(chance))

    def _fault(self, number: int) -> Iterator[str]:
        choice = self._random.choice
        yield "[[fault]]"
        if self._often(0.35):
            change = f"byte={choice(range(14, 44))} xor={choice(range(1, 256)):02x}"
            forge = f"forge {change} {choice(('guard', 'guard digest'))}"
            yield f'when = "{self._frame()}"\ndo = "{choice(OF_FRAMES).format(forge=forge)}"'
        else:
            when, action = self._condition(), choice((*LASTING, *LASTING, *AT_ONCE))
            do = action.format(end=choice("ab"), direction=choice(DIRECTIONS))
            yield f'when = "{when}"\ndo = "{do}"'
            if action in LASTING:
                cycles = f'for = "{choice((1, 30, 400, 2500))} cycles"'
                yield from self._some(0.5, cycles, f'until = "{self._condition()}"')
            yield from self._some(0.15, f'after = "{choice((1, 50, 600))} cycles"')
        yield from self._some(0.15, f"times = {choice((2, 'always'))!r}".replace("'", '"'))
        yield from self._some(0.15, f"chance = {choice((0.1, 0.5))}")
        yield f'name = "fault {number}"'
        if number and self._often(0.2):
            yield f'armed_by = "fault {self._random.randrange(number)}"'

    def _condition(self) -> str:
        choice = self._random.choice
        kind = self._random.random()
        if kind < 0.2:
            return self._frame()
        if kind < 0.4:
            what = f"{choice('ab')} {choice(('initiator', 'responder'))} becomes {choice(STATES)}"
        else:
            what = f"{choice(('a', 'b', 'any'))} {choice(STEPS)}"
        return " ".join([what, *self._some(0.5, f"#{choice(range(1, 9))}")])

    def _frame(self) -> str:
        choice = self._random.choice
        fields = self._some(0.3, f"id={choice(range(6))}", f"#{choice(range(1, 7))}")
        return " ".join([choice(DIRECTIONS), choice(OPERATIONS), *fields])
