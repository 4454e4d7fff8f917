"""Signals as something to wait for beside media."""

import signal
import socket
from collections.abc import Iterator
from contextlib import contextmanager


class Signals:
    """Becomes readable when one of the signals has come."""

    def __init__(self, woken: socket.socket) -> None:
        self._woken = woken

    def fileno(self) -> int:
        """What becomes readable."""
        return self._woken.fileno()

    def taken(self) -> bytes:
        """Numbers of the signals that have come since the last time."""
        try:
            return self._woken.recv(64)
        except BlockingIOError:
            return b""


@contextmanager
def signals(*numbers: signal.Signals) -> Iterator[Signals]:
    """Takes these signals, which then do nothing else."""
    woken, waking = socket.socketpair()
    with woken, waking:
        for end in (woken, waking):
            end.setblocking(False)
        waker = signal.set_wakeup_fd(waking.fileno(), warn_on_full_buffer=False)
        handlers = {number: signal.signal(number, lambda *_: None) for number in numbers}
        try:
            yield Signals(woken)
        finally:
            for number, handler in handlers.items():
                signal.signal(number, handler)
            signal.set_wakeup_fd(waker)
