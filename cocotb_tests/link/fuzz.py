"""Draws a scenario from a seed: sizes of the ends, load, epochs, rates and a storm of faults.

Every fault waits for something that happens in any run with this load, so that all of them strike.
"""

from random import Random

# Windows and record maxima of a and of b. The last is built like the scenario `hash`.
BUILDS = (
    ((1, 1), (64, 72)),
    ((2, 8), (72, 64)),
    ((8, 1), (64, 64)),
    ((8, 4), (64, 24)),
    ((8, 8), (64, 64)),
)
RECORDS = 14  # of each end, epoch advances among them
ADVANCES = 3
EPOCHS = 3  # the last one
STORM = 24  # events of an end after which the last fault has struck

LINK = """
version = 1
seed = {seed}
[link]
beat_idle = 128
beat_busy = 40
fault_beats = 40
sync_interval = 160
[end.a]
window = {windows[0]}
record_max = {maxima[0]}
[end.b]
window = {windows[1]}
record_max = {maxima[1]}
[limits]
cycles = 120000
stall = 8000
"""

# What waits for what: steps that both ends take often enough, whatever else happens.
STEPS = ("SENT", "RECEIVED")
ON_FRAME = ("drop", "duplicate", "corrupt", "flip", "hold 2", "hold 5", "delay 150")
RATES = ("drop", "duplicate", "reorder", "corrupt", "flip", "delay")


def scenario(seed: int) -> str:
    """The scenario of a seed."""
    random = Random(seed)
    windows, maxima = BUILDS[seed % len(BUILDS)]
    text = LINK.format(seed=seed, windows=windows, maxima=maxima)
    for end in "ab":
        text += _load(random, end, min(maxima)) + _host(random, end)
    for direction in ("a->b", "b->a"):
        text += _rates(random, direction)
    return text + "".join(_faults(random))


def _load(random: Random, end: str, most: int) -> str:
    text = f"[load.{end}]\nresubmit = true\n"
    text += f"outstanding = {random.choice([0, 0, 1, 3])}\ngap = {random.choice([0, 0, 30])}\n"
    text += f"bad = {_rate(random)}\ntoo_long = {_rate(random)}\ncancel = {_rate(random, 0.2)}\n"
    text += f"cancel_after = {random.choice([10, 60])}\n"
    text += f"completion_stall = {_rate(random, 0.3)}\n"
    sizes = [f"size = {_size(random, most)}" for _ in range(RECORDS - ADVANCES)]
    advances = [f"advance = {random.randint(1, EPOCHS)}" for _ in range(ADVANCES)]
    records = sizes + advances
    random.shuffle(records)
    return text + "".join(f"[[load.{end}.record]]\n{record}\n" for record in records)


def _size(random: Random, most: int) -> int:
    return random.choice([1, 7, 8, 9, most - 1, most, random.randint(1, most)])


def _host(random: Random, end: str) -> str:
    text = f"[host.{end}]\nprepared = {random.choice([0, 1, EPOCHS])}\n"
    return text + f"stall = {_rate(random, 0.3)}\nrefuse = {_rate(random, 0.2)}\n"


def _rates(random: Random, direction: str) -> str:
    text = f'[rates."{direction}"]\nreorder_cycles = 100\nlatency = {random.choice([0, 0, 17])}\n'
    return text + "".join(f"{rate} = {_rate(random)}\n" for rate in RATES)


def _rate(random: Random, most: float = 0.1) -> float:
    return round(random.choice([0.0, random.uniform(0, most)]), 3)


def _fault(when: str, do: str, **more: str | int) -> str:
    lines = [f'when = "{when}"', f'do = "{do}"']
    lines += [f"{key} = {value!r}" for key, value in more.items()]
    return "[[fault]]\n" + "\n".join(lines) + "\n"


def _faults(random: Random) -> list[str]:
    def moment() -> str:
        return f"{random.choice('ab')} {random.choice(STEPS)} #{random.randint(2, STORM)}"

    def cycles(most: int) -> str:
        return f"{random.randint(1, most)} cycles"

    found = []
    for end in "ab":
        # The same end again and again: at once, and after some steps.
        found.append(_fault(moment(), f"crash {end}", times=random.randint(2, 4)))
        found.append(_fault(moment(), f"crash {end}", **{"for": cycles(40)}))
        found.append(_fault(moment(), f"crash {end}", after=cycles(60)))
    for _ in range(2):
        found.append(_fault(moment(), f"amnesia {random.choice('ab')}", **{"for": cycles(20)}))
    for direction in ("a->b", "b->a"):
        found.append(_fault(moment(), f"cut {direction}", **{"for": cycles(600)}))
        for do in random.sample(ON_FRAME, 3):
            found.append(_fault(f"{direction} any #{random.randint(2, STORM)}", do))
    end = random.choice("ab")
    found.append(_fault(moment(), f"disable {end}", **{"for": cycles(200)}))
    found.append(_fault(moment(), f"mute {random.choice('ab')}", **{"for": cycles(900)}))
    port = random.choice(["deliver", "completion", "doubt"])
    found.append(_fault(moment(), f"stall {random.choice('ab')} {port}", **{"for": cycles(500)}))
    return found + _epochs(random)


def _epochs(random: Random) -> list[str]:
    """Both hosts come to the last epoch, one some time after the other, and are then prepared."""
    steps = []
    for epoch in sorted({EPOCHS, *random.sample(range(1, EPOCHS), random.randint(0, EPOCHS - 1))}):
        steps += [f"epoch {end} {epoch}" for end in random.sample("ab", 2)]
    steps += [f"prepare {end} {EPOCHS}" for end in "ab"]
    found = []
    for number, step in enumerate(steps):
        # Each waits for the one before.
        more = {"name": f"step {number}"} | ({"armed_by": f"step {number - 1}"} if number else {})
        when = f"{random.choice('ab')} SENT #{random.randint(1, STORM // len(steps))}"
        found.append(_fault(when, step, after=f"{random.choice([1, 30, 300])} cycles", **more))
    return found
