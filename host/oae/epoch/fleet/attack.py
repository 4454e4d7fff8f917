"""The experiment on knowledge: coordinated attack, by exhaustion."""

from collections.abc import Iterator
from typing import Final

import networkx as nx
import numpy as np

from oae.epoch.claim import Effort, Finding, Plot, Standing, Table
from oae.epoch.fleet.faults import START, Fleet, every_loss
from oae.epoch.fleet.knowledge import COMMON, Numbers
from oae.epoch.fleet.messages import Talk, handshake, rounds, timed
from oae.epoch.fleet.play import Outcome, play
from oae.epoch.fleet.schemes import Bilateral
from oae.epoch.plot import drawing

MESSAGES: Final = {False: 64, True: 512}  # by Effort.long
PATTERNS: Final = {False: 4, True: 6}  # rounds of a pair of which every pattern of losses is taken
LOSSY: Final = {False: 5, True: 7}
TICKS: Final = 16
LINK_MESSAGES: Final = 4  # DATA, ACK, COMMIT, DONE


def attack(effort: Effort) -> Finding:
    """Depths of knowledge for each number of messages; who attains common knowledge and when."""
    most = MESSAGES[effort.long]
    chain = handshake(most)
    depths = chain.kripke.depth(chain.fact)[chain.fact]
    talks = {
        name: rounds(graph, count)
        for name, graph, count in (
            *(
                (f"pair, {n} rounds", nx.path_graph(2), n)
                for n in range(1, PATTERNS[effort.long] + 1)
            ),
            ("path of 3, 2 rounds", nx.path_graph(3), 2),
            ("triangle, 2 rounds", nx.cycle_graph(3), 2),
        )
    }
    bilateral = _bilateral(LOSSY[effort.long])
    finite = (depths == np.arange(most + 1)).all() and all(
        _bounded(talk) for talk in talks.values()
    )
    # Then a rule that all follow in one moment says the same in all executions.
    linked = all(_connected(talk) for talk in talks.values())
    without_it = not bilateral.mixed.any() and (bilateral.converged >= 0).all()
    return Finding(
        Standing.HOLDS_UNDER if finite and linked and without_it else Standing.DOES_NOT_HOLD,
        f"k messages delivered give depth k, for k = 0 to {most}; never common knowledge in "
        f"{sum(len(talk.fact) for talk in talks.values()):,} executions of full-information "
        f"protocols, all loss patterns; a link under all {len(bilateral.mixed):,} loss patterns of "
        f"{LOSSY[effort.long]} rounds: {np.count_nonzero(bilateral.mixed):,} with a mixed "
        f"exchange, {np.count_nonzero(bilateral.converged >= 0):,} converge once losses end",
        tuple(_text(bilateral, linked=linked)),
        (_patterns(talks), _assumptions()),
        (_plot(depths),),
        {"deepest": int(depths.max()), "bilateral_executions": len(bilateral.mixed)},
    )


def _bounded(talk: Talk) -> bool:
    """No common knowledge, and no depth beyond the number of messages delivered."""
    depth = talk.kripke.depth(talk.fact)
    common = talk.kripke.common(talk.fact)
    return not common.any() and bool((depth <= talk.delivered).all())


def _connected(talk: Talk) -> bool:
    """Chains of likeness join all executions, with the fact and without."""
    return len(np.unique(talk.kripke.components())) == 1


def _bilateral(lossy: int) -> Outcome:
    """A link under every pattern of losses in the first rounds of its update."""
    fleet = Fleet(nx.path_graph(2))
    faults = every_loss(fleet, START + lossy + 8, lossy)
    return play(fleet, faults, Bilateral(fleet, faults))


def _text(bilateral: Outcome, *, linked: bool) -> Iterator[str]:
    yield (
        "Why it stays finite, by induction. Without a message the other agent cannot tell the "
        "execution from one without the fact: depth 0. In an execution with k messages delivered "
        "take the one delivered last. Its sender sees nothing that depends on its arrival, so "
        "another execution with k - 1 is alike for it. If the depth is at most k - 1 there, it is "
        "at most k here. With any finite number of messages the depth is finite, and common "
        "knowledge is depth without end."
    )
    yield (
        "What simultaneity would need: a rule by which all change in the same moment, or none, "
        "must say the same in all executions that chains of likeness connect. "
        f"{'All' if linked else 'Not all'} executions are connected, with the fact and without, so "
        f"{'only the rules always and never are left' if linked else 'rules are left'}. "
        "Full information stands for every protocol with that many rounds: what an agent may know "
        "in any, it knows in this one."
    )
    at_once = np.count_nonzero(bilateral.mixed_rounds == 0)
    chain = handshake(LINK_MESSAGES)
    depth = int(chain.kripke.depth(chain.fact).max())
    yield (
        "Does atomic need it? If atomic means that all change at one moment, yes. If it means that "
        "no two linked nodes exchange data under different versions, no: of the "
        f"{len(bilateral.mixed):,} executions (each pattern of losses in the first rounds) "
        f"{np.count_nonzero(bilateral.mixed):,} have a mixed exchange, and {at_once:,} have "
        "both ends changing in one round. That all converge is due to the "
        f"losses' end, which the model grants and no end can see. Its {LINK_MESSAGES} messages, "
        f"taken as a chain, give depth {depth} at most. It gives up simultaneity, and pays with "
        "data that is refused meanwhile and with an end in doubt for as long as the wire is cut."
    )
    yield (
        "Unattainable is said of asynchronous systems with unreliable communication, and there it "
        "holds. It is attained when every message arrives after exactly known time, or within a "
        "bound beside a common clock; that is the setting in which a switch by clock, too, is "
        "sound. A bound alone is not enough: without a common clock the depth grows with time and "
        "stays finite."
    )


def _patterns(talks: dict[str, Talk]) -> Table:
    rows = []
    for name, talk in talks.items():
        depth = talk.kripke.depth(talk.fact)[talk.fact]
        delivered = talk.delivered[talk.fact]
        deepest = [int(depth[delivered == k].max()) for k in range(delivered.max() + 1)]
        rows.append(
            (
                name,
                f"{len(talk.fact):,}",
                ", ".join(map(str, deepest)),
                f"{np.count_nonzero(talk.kripke.common(talk.fact)):,}",
            )
        )
    return Table(
        "Full information, every pattern of losses, with the fact and without",
        ("agents", "executions", "deepest for 0, 1, 2, ... delivered", "common knowledge in"),
        tuple(rows),
    )


def _attained(delay: int, *, common_clock: bool) -> str:
    """From when on the fact is common knowledge, whatever the delay was; else the depth."""
    for after in range(TICKS + 1):
        talk, wanted = timed(delay, after, common_clock=common_clock)
        now = talk.kripke.depth(talk.fact)[wanted]
        if (now == COMMON).all():
            return f"common knowledge from tick {after} after sending on"
    return f"never; depth {now.max()} after {TICKS} ticks"


def _assumptions() -> Table:
    rows = [
        (
            f"reliable, {_ticks(delay)}, {'common' if common else 'no common'} clock",
            _attained(delay, common_clock=common),
        )
        for delay in (1, 2, 3)
        for common in (True, False)
    ]
    return Table(
        "One message that always arrives: when what it says is common knowledge",
        ("assumption", "found"),
        (
            ("unreliable, in rounds of a common clock", "never; depth at most what was delivered"),
            *rows,
        ),
    )


def _ticks(delay: int) -> str:
    return "after exactly 1 tick" if delay == 1 else f"after 1 to {delay} ticks"


def _deepest(delay: int) -> list[int]:
    """Without a common clock: the depth so many ticks after sending."""
    found = []
    for after in range(TICKS + 1):
        talk, wanted = timed(delay, after, common_clock=False)
        found.append(int(talk.kripke.depth(talk.fact)[wanted].max()))
    return found


def _plot(depths: Numbers) -> Plot:
    with drawing() as made:
        axes = made.axes
        shown = range(TICKS + 1)
        axes.plot(shown, depths[: TICKS + 1], "o-", label="unreliable: messages delivered in turn")
        for delay in (2, 3):
            label = f"reliable, 1 to {delay} ticks, no common clock: ticks since sending"
            axes.plot(shown, _deepest(delay), "s-", label=label)
        axes.set_xlabel("messages delivered, or ticks")
        axes.set_ylabel("depth of “everyone knows that”")
        axes.legend()
    return Plot(
        "fleet-depth",
        "How deep knowledge goes: further with each message or tick, never without end",
        made.svg,
    )
