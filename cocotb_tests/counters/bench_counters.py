"""Counters: every event of link.toml increments exactly its counter."""

import random
from collections import Counter

import cocotb
from oae.model.events import Event
from oae.spec.constants import (
    CHANNEL_OF,
    COUNTERS,
    AbortReason,
    Channel,
    EventCode,
    MalformedReason,
    Operation,
    Outcome,
)
from oae.testing import requirement

from cocotb_tests.clocked import Clocked

NAMES = [name for name, *_ in COUNTERS]
READ_LATENCY = 1  # cycles from the index to the value
COUNT_LATENCY = 2  # cycles from an event to the count that it makes
WITH_OPERATION = (EventCode.SENT, EventCode.RECEIVED)


def events(code: EventCode) -> list[Event]:
    """The events of a code, with everything that can stand in info."""
    if code in WITH_OPERATION:
        return [Event(code, info=operation) for operation in Operation]
    if code == EventCode.MALFORMED:
        return [Event(code, info=reason) for reason in MalformedReason]
    if code == EventCode.TOLD:
        return [Event(code, info=reason << 2 | told) for reason in AbortReason for told in Outcome]
    if code == EventCode.REFUSED:
        return [Event(code, info=reason) for reason in AbortReason]
    return [Event(code, info=random.getrandbits(8))]


EVENTS = [event for code in EventCode for event in events(code)]


class Bench:
    """The counters, and how often each must have counted."""

    def __init__(self, dut):
        self.unit = Clocked(dut)
        self.counts: Counter[str] = Counter()

    async def start(self) -> "Bench":
        self.unit.drive(index=0)
        await self.tell([])
        await self.unit.reset()
        return self

    async def tell(self, told: list[Event]) -> None:
        """One cycle with these events, at most one a channel; the other words are noise."""
        words = {channel: random.getrandbits(64) for channel in Channel}
        valid = 0
        for event in told:
            channel = CHANNEL_OF[event.code]
            fields = (random.getrandbits(8), random.getrandbits(3), random.getrandbits(3))
            noisy = Event(event.code, *fields, event.info, random.getrandbits(32))
            words[channel] = noisy.word()
            valid |= 1 << channel
            self.counts.update(event.counters)
        self.unit.drive(
            event_valid=valid,
            event_words=sum(word << 64 * channel for channel, word in words.items()),
        )
        await self.unit.settle()
        await self.unit.edge()

    async def compare(self) -> None:
        """Every counter, and what lies beyond them."""
        for _ in range(COUNT_LATENCY):
            await self.tell([])
        for index in range(len(NAMES) + 4):
            self.unit.drive(index=index)
            for _ in range(READ_LATENCY):
                await self.tell([])
            name = NAMES[index] if index < len(NAMES) else "none"
            found = self.unit.read("value")
            assert found == self.counts[name], f"{name} is {found}, not {self.counts[name]}"


@cocotb.test()
@requirement("OAE-SIM-012")
async def each_event_alone(dut):
    """From zero, every event increments its counter and no other."""
    bench = await Bench(dut).start()
    await bench.compare()
    for event in EVENTS:
        assert len(event.counters) <= 1
        await bench.tell([event])
        # After one event it is enough to look at the counters of its channel, now and then at all.
        await bench.tell([])
        await bench.tell([])
        for name in event.counters:
            bench.unit.drive(index=NAMES.index(name))
            await bench.tell([])
            assert bench.unit.read("value") == bench.counts[name], name
    await bench.compare()
    assert {name for name in NAMES if bench.counts[name]} == {*NAMES}


@cocotb.test()
@requirement("OAE-SIM-012")
async def all_channels_at_once(dut):
    """One event a channel, back to back, also the same one again; `rst` clears."""
    bench = await Bench(dut).start()
    for _ in range(2):
        last: list[Event] = []
        for _ in range(300):
            told = last
            if random.random() < 0.7:
                by_channel = {CHANNEL_OF[event.code]: event for event in random.sample(EVENTS, 12)}
                told = [event for event in by_channel.values() if random.random() < 0.8]
            await bench.tell(told)
            last = told
        await bench.compare()
        await bench.unit.reset()
        bench.counts.clear()
        await bench.compare()
