"""One `oae_end` between a scripted MAC and a scripted host, with the reference end in lockstep.

The bench drives the clock itself: what it samples before an edge is what that edge sees. Every
event word, frame, delivery and completion is compared with the reference end, in every test.
"""

from collections import deque
from collections.abc import Callable
from typing import Any

import cocotb
from cocotb.triggers import Timer
from oae.check.follower import (
    Completed,
    Config,
    Delivered,
    Follower,
    Handshakes,
    Status,
    Submitted,
    Wire,
)
from oae.model.parameters import Parameters
from oae.spec.constants import (
    COUNTERS,
    ETHERTYPE,
    REGISTER,
    Channel,
    EventCode,
    LinkState,
    Operation,
)

from cocotb_tests.reference_peer import ReferencePeer

WINDOW = int(cocotb.plusargs.get("window", 8))
RECORD_MAX = int(cocotb.plusargs.get("record_max", 64))
DESTINATION = (0x0200_0000_0002).to_bytes(6, "big")
SOURCE = (0x0200_0000_0001).to_bytes(6, "big")
SESSION = 0xA11C_E000_0000_0001
CHANNELS = len(Channel)
KEEPS = [(1 << size) - 1 for size in range(1, 9)]

Beat = tuple[int, int, int, int]  # data, keep, last, user


def beats(image: bytes, bad: bool = False) -> list[Beat]:
    """The beats of a packet; `bad` sets tuser at the last one."""
    words = [image[i : i + 8] for i in range(0, len(image), 8)]
    last = len(words) - 1
    return [
        (int.from_bytes(w, "little"), (1 << len(w)) - 1, int(n == last), int(bad and n == last))
        for n, w in enumerate(words)
    ]


class Assembler:
    """Puts the beats of one stream together to packets."""

    def __init__(self) -> None:
        self.bytes = bytearray()
        self.first = 0
        self.broken = False

    def add(self, cycle: int, data: int, keep: int, last: int) -> bytes | None:
        """One beat; the packet, when it was the last."""
        if not self.bytes:
            self.first = cycle
        self.bytes += data.to_bytes(8, "little")[: keep.bit_count()]
        if not last:
            return None
        packet, self.bytes = bytes(self.bytes), bytearray()
        return packet

    def restart(self) -> None:
        """A crash or amnesia of the end: an open packet is broken."""
        self.broken = self.broken or bool(self.bytes)

    @property
    def taken(self) -> int:
        """Beats taken of an open packet that no restart has broken yet."""
        return 0 if self.broken else len(self.bytes) // 8

    def take_broken(self) -> bool:
        """Whether the packet that just ended was broken."""
        broken, self.broken = self.broken, False
        return broken


class Output:
    """Looks at every cycle of a stream that the end drives, as a receiver in hardware would."""

    def __init__(self, dut: Any, port: str) -> None:
        self.port = port
        self._ready = getattr(dut, f"{port}_tready")
        self._valid = getattr(dut, f"{port}_tvalid")
        self._fields = [getattr(dut, f"{port}_{name}") for name in ("tdata", "tkeep", "tlast")]
        self._user = getattr(dut, f"{port}_tuser")
        self._waiting: Beat | None = None
        self._close = False  # the next beat ends a packet that a restart has cut

    def look(self, restart: bool, is_open: bool) -> None:
        """One cycle; `is_open`: the beats before this one are the beginning of a packet."""
        valid = bool(self._valid.value)
        if restart:
            assert not valid, f"{self.port} is valid in a restart"
            self._waiting = None
            self._close = is_open
            return
        if not valid:
            assert self._waiting is None, f"{self.port} took a beat back"
            return
        data, keep, last = (int(field.value) for field in self._fields)
        beat = (data, keep, last, int(self._user.value))
        assert self._waiting in (None, beat), f"{self.port} changed a beat that was waiting"
        self._waiting = beat
        assert keep in ([0xFF] if not last else KEEPS), f"{self.port}: tkeep is {keep:#x}"
        assert self._close == bool(beat[3]), f"{self.port}: a cut packet is marked bad, no other is"
        assert last or not self._close, f"{self.port}: a cut packet goes on"
        if self._ready.value:
            self._waiting, self._close = None, False


class EndBench:
    """Drives one end cycle by cycle. Queues hold what is to be given, lists what was seen."""

    def __init__(self, dut: Any) -> None:
        self.dut = dut
        self.cycle = 0
        self.parameters = Parameters(window=WINDOW, record_max=RECORD_MAX)
        self.follower = Follower(self.parameters, DESTINATION, SOURCE, ETHERTYPE)
        self.config = Config(enable=True, beats=False, session=SESSION)
        # to be given
        self.mac_in: deque[Beat] = deque()
        self.submits: deque[tuple[list[Beat], bytes, int, int]] = deque()
        self.cancels: deque[int] = deque()
        self.mac_ready: Callable[[int], bool] = lambda cycle: True
        self.deliver_ready: Callable[[int], bool] = lambda cycle: True
        self.completion_ready: Callable[[int], bool] = lambda cycle: True
        self.doubt_ready: Callable[[int], bool] = lambda cycle: True
        self.crash = self.amnesia = False
        # seen
        self.sent: list[bytes] = []
        self.sent_at: list[tuple[int, int]] = []  # first and last beat
        self.heard_at: list[int] = []  # last beats
        self.completed: list[Completed] = []
        self.delivered: list[Delivered] = []
        self.cut_deliveries = 0
        self.doubted: list[tuple[int, int]] = []
        self.events: list[tuple[int, Any]] = []  # cycle of the step, event
        self.mac_never_waited = True
        self._passed_on = 0  # frames that were given to the peer, or lost
        self._frame_in, self._frame_out = Assembler(), Assembler()
        self._record_in, self._record_out = Assembler(), Assembler()
        self._outputs = [Output(dut, "m_axis"), Output(dut, "m_deliver")]
        self._handshakes = Handshakes()
        self._received: list[Wire] = []
        self._transmitted: list[Wire] = []

    async def start(self) -> "EndBench":
        """Reset, and enable the end."""
        dut = self.dut
        for name in ("clk", "crash", "amnesia", "s_axis_tvalid", "s_submit_tvalid"):
            getattr(dut, name).value = 0
        dut.tick.value = 1
        for name in ("s_axis_tdata", "s_axis_tkeep", "s_axis_tlast", "s_axis_tuser"):
            getattr(dut, name).value = 0
        for name in ("tdata", "tkeep", "tlast", "tuser", "tag", "kind"):
            getattr(dut, f"s_submit_{name}").value = 0
        dut.s_cancel_tvalid.value = 0
        dut.s_cancel_tag.value = 0
        dut.register_address.value = 0
        dut.cfg_destination.value = int.from_bytes(DESTINATION, "big")
        dut.cfg_source.value = int.from_bytes(SOURCE, "big")
        self._drive()
        dut.rst.value = 1
        for _ in range(3):
            await self._edge()
        dut.rst.value = 0
        return self

    async def _edge(self) -> None:
        await Timer(1, "ns")
        self.dut.clk.value = 1
        await Timer(1, "ns")
        self.dut.clk.value = 0

    def _drive(self) -> None:
        dut, config = self.dut, self.config
        dut.cfg_enable.value = int(config.enable)
        dut.cfg_beats.value = int(config.beats)
        dut.cfg_accept.value = int(config.accept)
        dut.cfg_session.value = config.session
        dut.cfg_epoch.value = config.epoch
        dut.cfg_prepared.value = config.prepared
        dut.crash.value = int(self.crash)
        dut.amnesia.value = int(self.amnesia)
        dut.m_axis_tready.value = int(self.mac_ready(self.cycle))
        dut.m_deliver_tready.value = int(self.deliver_ready(self.cycle))
        dut.m_completion_tready.value = int(self.completion_ready(self.cycle))
        dut.m_doubt_tready.value = int(self.doubt_ready(self.cycle))
        self._drive_stream("s_axis", self.mac_in[0] if self.mac_in else None)
        if self.submits:
            packet, _, tag, kind = self.submits[0]
            self._drive_stream("s_submit", packet[0])
            dut.s_submit_tag.value = tag
            dut.s_submit_kind.value = kind
        else:
            self._drive_stream("s_submit", None)
        dut.s_cancel_tvalid.value = int(bool(self.cancels))
        if self.cancels:
            dut.s_cancel_tag.value = self.cancels[0]

    def _drive_stream(self, port: str, beat: Beat | None) -> None:
        dut = self.dut
        getattr(dut, f"{port}_tvalid").value = int(beat is not None)
        if beat is None:
            return
        for name, value in zip(("tdata", "tkeep", "tlast", "tuser"), beat, strict=True):
            getattr(dut, f"{port}_{name}").value = value

    async def step(self, cycles: int = 1) -> None:
        """So many cycles."""
        for _ in range(cycles):
            self._drive()
            await Timer(1, "ns")
            self._sample()
            self.dut.clk.value = 1
            await Timer(1, "ns")
            self.dut.clk.value = 0
            self.cycle += 1

    def _fires(self, port: str) -> bool:
        dut = self.dut
        valid, ready = getattr(dut, f"{port}_tvalid").value, getattr(dut, f"{port}_tready").value
        return bool(valid) and bool(ready)

    def _sample(self) -> None:
        dut = self.dut
        # The event port shows the steps of the edge before, taken with that edge's handshakes.
        valid = int(dut.event_valid.value)
        if valid:
            words = str(dut.event_words.value)  # words of silent channels may be unknown
            for channel in range(CHANNELS):
                if valid >> channel & 1:
                    place = 64 * (CHANNELS - 1 - channel)
                    word = int(words[place : place + 64], 2)
                    event = self.follower.step(self.cycle - 1, word, self._handshakes)
                    self.events.append((self.cycle - 1, event))
        for wire in self._received:
            self.follower.receive(wire)
        for wire in self._transmitted:
            self.follower.transmit(wire)
        self._received.clear()
        self._transmitted.clear()
        self._check_status()
        self._check_streams()
        self.follower.config = self.config
        self._handshakes = self._sample_host()
        self._sample_mac()
        if self.crash or self.amnesia:
            for stream in (self._frame_in, self._frame_out, self._record_in, self._record_out):
                stream.restart()

    def _check_status(self) -> None:
        """The status outputs are a projection of the state."""
        dut = self.dut
        names = ("changing", "epoch", "converged", "initiator_balance", "responder_balance")
        values = [int(getattr(dut, f"status_{name}").value) for name in names]
        self.follower.check_status(
            Status(int(dut.status_link_state.value), bool(values[0]), *values[1:])
        )

    def _check_streams(self) -> None:
        restart = self.crash or self.amnesia
        assembled = (self._frame_out, self._record_out)
        for output, packet in zip(self._outputs, assembled, strict=True):
            output.look(restart, bool(packet.bytes))
        if restart:
            for port in ("s_axis", "s_submit"):
                assert not getattr(self.dut, f"{port}_tready").value, f"{port} takes in a restart"

    def _sample_mac(self) -> None:
        dut = self.dut
        if self.mac_in and not (self.crash or self.amnesia):
            self.mac_never_waited = self.mac_never_waited and bool(dut.s_axis_tready.value)
        if self._fires("s_axis"):
            data, keep, last, user = self.mac_in.popleft()
            packet = self._frame_in.add(self.cycle, data, keep, last)
            if packet is not None:
                self.heard_at.append(self.cycle)
                self._received.append(Wire(packet, bool(user), self._frame_in.take_broken()))
        if self._fires("m_axis"):
            data, keep = int(dut.m_axis_tdata.value), int(dut.m_axis_tkeep.value)
            packet = self._frame_out.add(self.cycle, data, keep, int(dut.m_axis_tlast.value))
            if packet is not None:
                broken = self._frame_out.take_broken()
                self._transmitted.append(Wire(packet, bool(dut.m_axis_tuser.value), broken))
                if not broken:
                    self.sent.append(packet)
                    self.sent_at.append((self._frame_out.first, self.cycle))

    def _sample_host(self) -> Handshakes:
        dut = self.dut
        submitted = completed = delivered = doubted = cancelled = None
        if self._fires("s_submit"):
            packet, record, tag, kind = self.submits[0]
            data, keep, last, user = packet.pop(0)
            if self._record_in.add(self.cycle, data, keep, last) is not None:
                self.submits.popleft()
                if not self._record_in.take_broken():
                    submitted = Submitted(record, tag, kind, bool(user))
        if self._fires("m_completion"):
            names = ("tag", "id", "kind", "outcome", "reason")
            values = (int(getattr(dut, f"m_completion_{name}").value) for name in names)
            completed = Completed(*values)
            self.completed.append(completed)
        if self._fires("m_deliver"):
            delivered = self._sample_deliver()
        if self._fires("m_doubt"):
            doubted = (int(dut.m_doubt_id.value), int(dut.m_doubt_digest.value))
            self.doubted.append(doubted)
        if self._fires("s_cancel"):
            cancelled = self.cancels.popleft()
        return Handshakes(submitted, completed, delivered, doubted, cancelled)

    def _sample_deliver(self) -> Delivered | None:
        dut = self.dut
        data, keep = int(dut.m_deliver_tdata.value), int(dut.m_deliver_tkeep.value)
        last = int(dut.m_deliver_tlast.value)
        packet = self._record_out.add(self.cycle, data, keep, last)
        if packet is None:
            return None
        broken = self._record_out.take_broken()
        assert broken == bool(dut.m_deliver_tuser.value), "a cut packet is marked bad, no other is"
        if broken:
            self.cut_deliveries += 1
            return None
        delivered = Delivered(packet, int(dut.m_deliver_id.value))
        self.delivered.append(delivered)
        return delivered

    # --- what a test says

    def submit(self, record: bytes, tag: int = 0, kind: int = 0, bad: bool = False) -> None:
        """The host has a record."""
        self.submits.append((beats(record, bad), record, tag, kind))

    def hear(self, image: bytes, bad: bool = False) -> None:
        """The MAC has a frame."""
        self.mac_in.extend(beats(image, bad))

    async def restart(self, amnesia: bool = False) -> None:
        """One cycle of crash or amnesia."""
        self.crash, self.amnesia = not amnesia, amnesia
        if amnesia:
            self.config = self.config._replace(session=self.config.session + 1)
        await self.step()
        self.crash = self.amnesia = False

    async def until(self, condition: Callable[[], object], limit: int = 2000) -> None:
        """Steps until the condition holds."""
        for _ in range(limit):
            if condition():
                return
            await self.step()
        raise AssertionError(f"nothing after {limit} cycles; {len(self.sent)} frames were sent")

    async def converse(
        self, peer: ReferencePeer, done: Callable[[], object], limit: int = 4000
    ) -> None:
        """The end and a reference peer talk until the condition holds."""
        for _ in range(limit):
            if done():
                return
            for image in self.sent[self._passed_on :]:
                peer.hear(image)
            self._passed_on = len(self.sent)
            for image in peer.speak():
                self.hear(image)
            await self.step()
        raise AssertionError(
            f"nothing after {limit} cycles: end {self.follower.end}, peer {peer.end}"
        )

    def lose(self) -> None:
        """What the end has sent and the peer has not heard is lost."""
        self._passed_on = len(self.sent)

    def code_cycles(self, code: EventCode) -> list[int]:
        """Cycles in which this step was taken."""
        return [cycle for cycle, event in self.events if event.code == code]

    def inside(self) -> set[tuple[str, int]]:
        """Streams that are in the middle of a packet, each with the beats it has taken; of the
        frames, those of DATA.
        """
        streams = {"submit": self._record_in, "deliver": self._record_out}
        heard = bytes(self._frame_in.bytes)
        if self.mac_in:
            heard += self.mac_in[0][0].to_bytes(8, "little")
        if len(heard) >= 16 and heard[14] & 0x1F == Operation.DATA:
            streams["receive"] = self._frame_in
        sent = [event.info for _, event in self.events if event.code == EventCode.SENT]
        if sent and sent[-1] == Operation.DATA:
            streams["transmit"] = self._frame_out
        return {(name, packet.taken) for name, packet in streams.items() if packet.taken}

    @property
    def up(self) -> bool:
        """Whether the link is UP."""
        return int(self.dut.status_link_state.value) == LinkState.UP

    async def check_rest(self) -> None:
        """Everything has come to rest; registers and every counter are as they must be."""
        await self.step(60)
        self.follower.check_rest()
        registers = {}
        names = ("EPOCH", "CONVERGED", "NEXT_ID", "DELIVER_POINTER", "NEGOTIATED")
        addresses = [REGISTER[name] for name in names]
        addresses += [REGISTER["COUNTERS"] + i for i in range(len(COUNTERS))]
        for address in addresses:
            self.dut.register_address.value = address
            await self.step(3)
            registers[address] = int(self.dut.register_data.value)
        self.follower.check_registers(registers)


async def connected(dut: Any, **config: Any) -> tuple[EndBench, ReferencePeer]:
    """An end that is UP with a reference peer."""
    bench = EndBench(dut)
    bench.config = bench.config._replace(**config)
    await bench.start()
    peer = ReferencePeer(bench.parameters)
    peer.start()
    await bench.converse(peer, lambda: bench.up and peer.up)
    return bench, peer
