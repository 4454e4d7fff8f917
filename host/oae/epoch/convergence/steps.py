"""All steps, and where each can be taken."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import Final

from oae.epoch.convergence import domain, faults, recovery, ripe
from oae.epoch.convergence.state import Lane, Mask, State
from oae.epoch.convergence.system import Indices, System

Take = Callable[[System, State, Indices, Indices], Mask]


class Place(Enum):
    """What takes a step."""

    DOMAIN = "domain"
    LANE = "lane"
    LINK = "link"


@dataclass(frozen=True)
class Step:
    """A kind of step; `text` has its place for {}."""

    take: Take
    place: Place
    ripe: Callable[[System, State], Mask]  # where it may be possible, [runs, places]: a quick look
    text: str
    fault: str = ""  # what it is charged to, where faults are counted

    def places(self, system: System) -> int:
        """At how many places it can be taken."""
        many = {
            Place.DOMAIN: system.domains,
            Place.LANE: 2 * system.links,
            Place.LINK: system.links,
        }
        return many[self.place]

    def told(self, system: System, who: int) -> str:
        """The step in words."""
        if self.place is Place.DOMAIN:
            return self.text.format(who)
        if self.place is Place.LINK:
            a, b = system.ends[who]
            return self.text.format(f"{a}-{b}")
        link, side = divmod(who, 2)
        sender, receiver = system.ends[link, side], system.ends[link, 1 - side]
        return self.text.format(sender, receiver)


OWN: Final = (
    Step(domain.begin, Place.DOMAIN, ripe.to_begin, "{} closes its epoch and writes the next part"),
    Step(domain.flush, Place.DOMAIN, ripe.to_flush, "{}: the part is durable"),
)
ADVANCE: Final = (
    Step(domain.propose, Place.LANE, ripe.to_propose, "{} proposes to {}"),
    Step(domain.answer, Place.LANE, ripe.at(Lane.OFFERED), "the proposal of {} reaches {}"),
    Step(
        domain.decide,
        Place.LANE,
        ripe.at(Lane.REFLECTED, Lane.REVERSING),
        "{} hears the answer of {}",
    ),
    Step(domain.take_back, Place.LANE, ripe.at(Lane.REFLECTED), "{} takes its proposal to {} back"),
)
AGREE: Final = (
    Step(domain.agree, Place.LANE, ripe.to_propose, "{} decides, with the reflection of {}"),
)
CONVERGE: Final = (
    Step(domain.deliver, Place.LANE, ripe.at(Lane.DECIDED), "the decision of {} reaches {}"),
    Step(domain.tell, Place.LANE, ripe.at(Lane.DELIVERED), "{} hears that {} has committed"),
)
RECOVERY: Final = (
    Step(recovery.start, Place.DOMAIN, ripe.to_start, "{} starts a recovery"),
    Step(recovery.spread, Place.LANE, ripe.to_spread, "the recovery spreads from {} to {}"),
    Step(recovery.conclude, Place.DOMAIN, ripe.to_conclude, "{} decides the recovery and restores"),
    Step(
        recovery.hear,
        Place.LANE,
        ripe.to_hear,
        "the decision of the recovery goes from {} to {}",
    ),
)
PROTOCOL: Final = (*OWN, *ADVANCE, *CONVERGE, *RECOVERY)
COARSE: Final = (*OWN, *AGREE, *CONVERGE, *RECOVERY)
RESTART: Final = Step(faults.restart, Place.DOMAIN, ripe.to_restart, "{} restarts")
HEAL: Final = Step(faults.heal, Place.LINK, ripe.to_heal, "the link {} passes again")
REPAIRS: Final = (RESTART, HEAL)
KILL: Final = Step(faults.crash, Place.DOMAIN, ripe.to_die, "{} is killed", "kills")
WIPE: Final = Step(
    faults.amnesia, Place.DOMAIN, ripe.to_die, "{} is killed and loses its disk", "kills"
)
CUT: Final = Step(faults.cut, Place.LINK, ripe.to_cut, "the link {} is cut", "cuts")
FAULTS: Final = (KILL, WIPE, CUT)
