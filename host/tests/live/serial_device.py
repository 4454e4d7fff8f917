"""A device on a pty for the serial client's own tests: registers in a dictionary, and noise."""

import os
import random
import select
import socket
import struct
import termios
import threading
import tty
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress

import serial
from oae.bringup import wire
from oae.bringup.port import Port
from oae.bringup.registers import IDENTITY, VERSION, counters, registers
from oae.spec.constants import BOARD_REGISTER_MAP, SerialOperation, SerialStatus
from serial.rfc2217 import PortManager

Bytes = Callable[[bytes], bytes]


def clean(data: bytes) -> bytes:
    """No noise."""
    return data


def noise(seed: int, rate: float) -> Bytes:
    """Flips bits, drops and inserts bytes."""
    chance = random.Random(seed)

    def harm(data: bytes) -> bytes:
        out = bytearray()
        for byte in data:
            struck = chance.random() / rate
            if struck < 0.4:
                byte ^= 1 << chance.randrange(8)
            elif struck < 0.7:
                continue
            elif struck < 1:
                out.append(chance.randrange(256))
            out.append(byte)
        return bytes(out)

    return harm


class Device:
    """The bridge as docs/board.md says it: executes each sequence number once."""

    def __init__(self, to_device: Bytes = clean, to_host: Bytes = clean) -> None:
        self.values = {one.address: 0 for one in (*registers().values(), *counters().values())}
        self.set("IDENTITY", IDENTITY)
        self.set("VERSION", VERSION)
        self.set("BOARD_VERSION", BOARD_REGISTER_MAP)
        self.writable = {one.address for one in registers().values() if one.writable}
        self.executed: list[tuple[int, int]] = []  # writes
        self._to_device, self._to_host = to_device, to_host
        self._last: tuple[int, bytes] | None = None
        self._unread = b""

    def set(self, name: str, value: int) -> None:
        self.values[registers()[name].address] = value

    def take(self, data: bytes) -> bytes:
        """Bytes in, bytes out."""
        heard = self._unread + self._to_device(data)
        ended, delimiter, self._unread = heard.rpartition(wire.DELIMITER)
        return self._to_host(b"".join(map(self._answer, wire.frames(ended + delimiter))))

    def _answer(self, frame: bytes) -> bytes:
        content = wire.content(frame)
        if content is None or len(content) not in (8, 12):
            return b""
        (sequence,) = struct.unpack_from("<L", content)
        if self._last is None or self._last[0] != sequence:
            said = content[:4] + self._execute(*struct.unpack_from("<BHB", content, 4), content[8:])
            self._last = sequence, wire.framed(said)
        return self._last[1]

    def _execute(self, operation: int, address: int, count: int, data: bytes) -> bytes:
        wanted = range(address, address + count)
        if any(place not in self.values for place in wanted):
            return bytes([SerialStatus.NO_REGISTER])
        if operation == SerialOperation.READ:
            words = (self.values[place].to_bytes(4, "little") for place in wanted)
            return bytes([SerialStatus.OK]) + b"".join(words)
        if address not in self.writable:
            return bytes([SerialStatus.READ_ONLY])
        value = int.from_bytes(data, "little")
        self.values[address] = value
        self.executed.append((address, value))
        return bytes([SerialStatus.OK])


def changed(board: Port, values: dict[int, int]) -> Bytes:
    """A real board, but for some registers, which seem to have other values."""

    def take(data: bytes) -> bytes:
        board.send(data)
        said = b""
        while not said.endswith(wire.DELIMITER):
            said += board.receive()
        (request,), (frame,) = wire.frames(data), wire.frames(said)
        content, answer = wire.content(request), wire.answer(frame)
        assert content is not None
        assert answer is not None
        (first,) = struct.unpack_from("<H", content, 5)
        words = tuple(values.get(place, word) for place, word in enumerate(answer.words, first))
        return answer._replace(words=words).encode()

    return take


@contextmanager
def on_pty(take: Bytes, speed: int | None = None) -> Iterator[str]:
    """The device behind a pty; with `speed`, deaf while the terminal has another one."""
    master, slave = os.openpty()
    tty.setraw(slave)
    ended, end = os.pipe()

    def serve() -> None:
        while ended not in select.select([master, ended], [], [])[0]:
            data = os.read(master, 4096)
            if speed is None or termios.tcgetattr(master)[5] == speed:
                with suppress(BlockingIOError):
                    os.write(master, take(data))

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield os.ttyname(slave)
    finally:
        os.write(end, b".")
        thread.join()
        for file in (master, slave, ended, end):
            os.close(file)


class Terminal(serial.Serial):
    """A pseudo terminal has no modem lines."""

    cts = dsr = ri = cd = dtr = rts = False


@contextmanager
def on_rfc2217(device: str) -> Iterator[str]:
    """A serial port behind a server that gives away its settings too."""
    with closing(socket.create_server(("127.0.0.1", 0))) as server:
        thread = threading.Thread(target=_serve_rfc2217, args=(server, device))
        thread.start()
        yield f"rfc2217://127.0.0.1:{server.getsockname()[1]}"
        server.shutdown(socket.SHUT_RDWR)
        thread.join()


def _serve_rfc2217(server: socket.socket, device: str) -> None:
    """One client after the other."""
    with Terminal(device, timeout=0) as port, suppress(OSError):  # when it is shut down
        while True:
            taken, _ = server.accept()
            with taken:
                _serve_client(port, taken)


def _serve_client(port: Terminal, taken: socket.socket) -> None:
    class Connection:
        write = staticmethod(taken.sendall)

    manager = PortManager(port, Connection)
    with suppress(ConnectionError):
        while True:
            ready = select.select([taken, port], [], [])[0]
            if taken in ready:
                if not (data := taken.recv(4096)):
                    return
                port.write(b"".join(manager.filter(data)))
            if port in ready:
                taken.sendall(b"".join(manager.escape(port.read(4096))))
