"""What the domains of a ring compute, without links: the value of every part of every epoch."""

from collections.abc import Sequence
from typing import NamedTuple

from oae.epoch.hardware.recovery import EPOCH_BITS, epoch_of

MASK = 0xFFFF_FFFF
TERM = 0x9E37_79B9


def mixed(total: int, term: int) -> int:
    """As `mixed` of hdl/epoch/oae_epoch_domain.v."""
    return ((total << 7 | total >> 25) + (term ^ TERM)) & MASK


def following(values: Sequence[int], members: Sequence[int]) -> tuple[int, ...]:
    """The values of the next epoch; bit 0 of a domain's members is the one before, bit 1 the next.

    What a link that is no member says counts as 0.
    """
    size = len(values)
    made = []
    for at in range(size):
        before = values[at - 1] if members[at] & 1 else 0
        after = values[(at + 1) % size] if members[at] & 2 else 0
        made.append(mixed(mixed(values[at], before), after))
    return tuple(made)


class _Line(NamedTuple):
    """Values by epoch, from the first one on."""

    first: int
    epochs: list[tuple[int, ...]]
    members: Sequence[int]


class Reference:
    """The values of every epoch of a run.

    An epoch has the same values in every incarnation, as long as no link is given up; `give_up`
    says under which incarnations some are, and from which number on.
    """

    def __init__(self, values: Sequence[int]) -> None:
        self._whole = _Line(0, [tuple(values)], [3] * len(values))
        self._reduced: dict[int, _Line] = {}

    def give_up(self, incarnation: int, number: int, members: Sequence[int]) -> None:
        """In that incarnation the run goes on from that number with these members alone."""
        self._reduced[incarnation] = _Line(epoch_of(number), [self.values(number)], members)

    def values(self, number: int) -> tuple[int, ...]:
        """The values of that number, one for each domain."""
        line = self._reduced.get(number >> EPOCH_BITS, self._whole)
        while len(line.epochs) <= epoch_of(number) - line.first:
            line.epochs.append(following(line.epochs[-1], line.members))
        return line.epochs[epoch_of(number) - line.first]
