"""What happens to a ring of domains: rates of the media, kills and cuts, drawn from a seed."""

from dataclasses import dataclass, replace
from enum import StrEnum

import numpy

NEVER = 0  # `up` of what is never up again
SETTLING = 300  # cycles before the first fault: the links come up
LAST_FAULT = 4000  # cycle before which every fault begins
PATIENCE = 20_000  # cycles after the last decision in which the next epochs must converge
RATES = (0, 10, 30, 60)  # thousandths


class Mode(StrEnum):
    """What a kill takes."""

    CRASH = "crash"  # the memory
    LOSS = "loss of the disk"
    FOR_GOOD = "for good"  # it never comes back


@dataclass(frozen=True)
class Kill:
    """A domain loses its power, and its disk as well if `loss`; up again at `up`, 0: never."""

    cycle: int
    domain: int
    loss: bool
    up: int


@dataclass(frozen=True)
class Cut:
    """Link k (domain k to the next) loses all that it carries; joined again at `up`, 0: never."""

    cycle: int
    link: int
    up: int


@dataclass(frozen=True)
class Plan:
    """A run; times in cycles, rates in thousandths of the frames."""

    seed: int
    values: tuple[int, ...]  # part 0 of each domain
    flushes: tuple[tuple[int, int], ...]  # shortest and longest write of each domain's store
    retain: int  # parts that a domain keeps
    latency: int = 6
    drop: int = 0
    duplicate: int = 0
    corrupt: int = 0
    late: int = 0
    hold: int = 200  # longest extra delay of what is late: it is overtaken
    kills: tuple[Kill, ...] = ()
    cuts: tuple[Cut, ...] = ()
    pauses: tuple[int, ...] = ()  # when the software of recovery looks; at the last one it gives up
    # Ablations: stores say "durable" before it is so; who lost its disk returns in any component,
    # with every part that its holders have in common.
    lies: bool = False
    anywhere: bool = False

    @property
    def size(self) -> int:
        """Domains."""
        return len(self.values)

    def gone(self) -> set[int]:
        """Domains that never come back."""
        return {kill.domain for kill in self.kills if kill.up == NEVER}

    def given_up(self) -> set[int]:
        """Links that never come back, those to domains that do not among them."""
        links = {cut.link for cut in self.cuts if cut.up == NEVER}
        return links | {link for at in self.gone() for link in (at, (at - 1) % self.size)}

    def members(self, domain: int) -> int:
        """Links of a domain that are not given up: bit 0 to the one before, bit 1 to the next."""
        given_up = self.given_up()
        return ((domain - 1) % self.size not in given_up) | (domain not in given_up) << 1

    def job(self) -> str:
        """The line that hdl/epoch/job.h reads."""
        limit = max(self.pauses, default=0) + PATIENCE
        rates = (self.drop, self.duplicate, self.corrupt, self.late, self.hold, self.latency)
        words = [
            f"run={self.seed},{self.retain},{limit},{int(self.lies)},1",
            f"rates={','.join(map(str, rates))}",
            f"values={','.join(map(str, self.values))}",
            f"pauses={','.join(map(str, self.pauses))}",
        ]
        words += [f"flush={least},{most}" for least, most in self.flushes]
        words += [f"kill={k.cycle},{k.domain},{int(k.loss)},{k.up}" for k in self.kills]
        words += [f"cut={cut.cycle},{cut.link},{cut.up}" for cut in self.cuts]
        return " ".join(words)


def killed(plan: Plan, cycle: int, domain: int, mode: Mode, delay: int = 150) -> Plan:
    """The same with one kill; up again, and recovered, `delay` and twice that later, if ever."""
    up = NEVER if mode is Mode.FOR_GOOD else cycle + delay
    kill = Kill(cycle, domain, mode is Mode.LOSS, up)
    return replace(plan, kills=(kill,), pauses=(cycle + 2 * delay,))


def quiet(size: int, seed: int) -> Plan:
    """A ring without faults; its stores are as fast as each other only on average."""
    draw = numpy.random.default_rng([seed, size])
    values = tuple(int(value) for value in draw.integers(1, 1 << 32, size))
    least = draw.integers(5, 100, size)
    most = least + draw.integers(1, 400, size)
    flushes = tuple((int(one), int(other)) for one, other in zip(least, most, strict=True))
    # A ring's diameter, and 1.
    return Plan(int(draw.integers(1 << 32)), values, flushes, retain=size // 2 + 1)


def drawn(size: int, seed: int) -> Plan:
    """A run with every kind of fault: kills, some of them in the middle of a recovery, and cuts."""
    draw = numpy.random.default_rng([seed, size, 1])
    plan = quiet(size, seed)
    drop, duplicate, corrupt, late = (int(rate) for rate in draw.choice(RATES, 4))
    plan = replace(plan, drop=drop, duplicate=duplicate, corrupt=corrupt, late=late)
    plan = replace(plan, latency=int(draw.integers(2, 31)))

    kills: list[Kill] = []
    pauses: list[int] = []
    free = [0] * size  # cycle from which a domain may be killed again
    for _ in range(int(draw.integers(1, 5))):
        cycle = int(draw.integers(SETTLING, LAST_FAULT))
        if pauses and draw.random() < 0.5:
            cycle = int(draw.choice(pauses)) + int(draw.integers(0, 400))
        at = int(draw.integers(size))
        if cycle < free[at]:
            continue
        forever = draw.random() < 0.15 and NEVER not in {kill.up for kill in kills}
        up = NEVER if forever else cycle + int(draw.integers(20, 1500))
        kills.append(Kill(cycle, at, bool(draw.random() < 0.3), up))
        free[at] = 1 << 30 if forever else up + 1
        pauses.append(max(cycle, up) + int(draw.integers(1, 300)))
    cuts: list[Cut] = []
    for link in draw.permutation(size)[: draw.integers(0, 3)]:
        cycle = int(draw.integers(SETTLING, LAST_FAULT))
        up = NEVER if draw.random() < 0.15 else cycle + int(draw.integers(20, 2500))
        cuts.append(Cut(cycle, int(link), up))
        pauses.append(max(cycle, up) + int(draw.integers(1, 300)))
    last = max(pauses, default=0)
    last = max([last, *(kill.cycle for kill in kills), *(kill.up for kill in kills)])
    pauses.append(last + int(draw.integers(10, 500)))
    # With a link given up the ring is a path, which is longer.
    broken = any(cut.up == NEVER for cut in cuts)
    return replace(
        plan,
        kills=tuple(sorted(kills, key=lambda kill: kill.cycle)),
        cuts=tuple(cuts),
        pauses=tuple(sorted(set(pauses))),
        retain=size if broken else plan.retain,
    )
