"""A noisy scenario for runs that are saved, played again and reduced."""

from oae.scenario.parse import parse_text
from oae.scenario.scenario import Scenario

# The timing of the scenario `hash`, so that its build serves.
LINK = """
version = 1
[link]
beat_idle = 128
beat_busy = 40
fault_beats = 40
sync_interval = 160
"""
LOAD = """
[load.both]
records = 12
sizes = [1, 24]
resubmit = true
bad = 0.05
too_long = 0.05
cancel = 0.1
gap = 10
completion_stall = 0.05
[host.both]
stall = 0.05
refuse = 0.1
"""
RATES = """
[rates.both]
drop = 0.10
duplicate = 0.10
reorder = 0.10
corrupt = 0.05
flip = 0.05
delay = 0.05
"""
LIMITS = """
[limits]
cycles = 40000
stall = 8000
"""
CHANCES = """
[[fault]]
when = "any REFLECTED"
chance = 0.2
times = 4
do = "cut a->b"
for = "700 cycles"
[[fault]]
when = "any->any COMMIT id=4"
do = "drop"
times = 2
[[fault]]
name = "crash"
when = "b RECEIVED #20"
chance = 0.02
times = 3
do = "crash b"
for = "30 cycles"
after = "5 cycles"
[[fault]]
armed_by = "crash"
when = "a SENT"
do = "crash a"
[[fault]]
when = "a RESENT"
chance = 0.000001
times = "always"
do = "stop"
"""


def noisy(faults: str = "", *, session: str = "fresh") -> Scenario:
    """Every fault of the medium, difficult hosts, and these scheduled faults."""
    link = LINK + f'session = "{session}"\n'
    return parse_text(link + LOAD + RATES + faults + LIMITS, "noisy.toml")
