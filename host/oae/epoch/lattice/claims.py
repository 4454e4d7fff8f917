"""What the abstract says of the epoch lattice."""

from typing import Final

from oae.epoch.claim import Claim
from oae.epoch.lattice.atomic import run as run_atomic
from oae.epoch.lattice.growth import run as run_growth
from oae.epoch.lattice.measure import run as run_measure

CLAIMS: Final = (
    Claim(
        name="atomic-snapshots",
        quote="(1) that checkpoints represent atomic snapshots of global training state",
        statement=(
            "A checkpoint taken at a time t, without a protocol that gathers the domains, saves "
            "the same epoch of every domain."
        ),
        assumptions=(
            "a domain saves the epoch that it holds durable when the marker has come and its own "
            "clock says so",
            "the delays of the markers are those of the RTL's links with loss, duplication, "
            "reordering, corruption and cuts; clock skew is uniform, flush jitter exponential, "
            "both of the size of a link's delay",
            "domains on different links are independent, except in the setting that breaks this",
        ),
        experiment=(
            "Share of atomic snapshots of 2 to 1,024 domains at four instants after an epoch's end "
            "and at instants at random, against formulas that were fixed from other links; and "
            "with one link before all domains, where the formula of independent domains must fail."
        ),
        run=run_atomic,
    ),
    Claim(
        name="measure-zero",
        quote="atomicity is a measure-zero event",
        statement="The chance that all domains hold the same epoch is 0.",
        assumptions=(
            "atomic is a vector of the epoch lattice whose places are equal",
            "the instants at which domains become durable are independent and continuous "
            "(exponential), or epochs are counted by independent Poisson processes",
        ),
        experiment=(
            "The chance that instants lie within d of each other, for d towards 0, beside the "
            "chance that epochs are equal; in closed form and counted."
        ),
        run=run_measure,
    ),
    Claim(
        name="mixed-growth",
        quote="whose complement grows exponentially with the number of independent persistence "
        "domains",
        statement=(
            "The number, or the chance, of mixed epoch vectors grows exponentially with the number "
            "of domains."
        ),
        assumptions=(
            "for the number: each domain may hold each of the same two or more epochs",
            "for the fall of the atomic share: given the instant, the domains are independent, and "
            "the chance that a domain has advanced is bounded away from 0 and 1",
        ),
        experiment=(
            "All vectors of small lattices counted; the measured shares of many domains against "
            "the exponential through those of 4 and 8, at given instants, at random ones, and "
            "behind one switch."
        ),
        run=run_growth,
    ),
)
