"""Live ends that stand on a bench like boards, for the tests of bring-up and doctor."""

import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from importlib.util import find_spec
from pathlib import Path

import pytest
from oae.bench.process import Process
from oae.bringup.port import BAUD
from oae.live import start
from oae.medium.opening import open_medium
from oae.scenario.scenario import Scenario

needs_live = pytest.mark.skipif(
    find_spec("oae.commands.live") is None, reason="`oae live` is not there"
)


@contextmanager
def live_pair(folder: Path, *options: str) -> Iterator[dict[str, str]]:
    """Two live ends on Unix sockets; the serial port of each. `options` are those of end a."""
    with ExitStack() as stack:
        ports, processes = {}, []
        for name, other, more in (("a", "b", options), ("b", "a", ())):
            ports[name] = str(folder / f"serial-{name}")
            medium = f"unix:{folder / name},{folder / other}"
            words = ["live", "--json", "--end", name, "--medium", medium]
            process = Process([*words, "--serial", ports[name], *more])
            stack.callback(process.stop)
            processes.append(process)
        for process in processes:
            process.wait_until_ready()
        yield ports


@contextmanager
def changed_live(folder: Path, **changes: object) -> Iterator[str]:
    """End a, whose program is told other words than it should be; the serial port of its board."""
    link, address = folder / "changed", f"unix:{folder / 'a'},{folder / 'b'}"
    with closing(open_medium(address)) as medium:
        line = start.terminal(link)
        (program, *words), files = start.command(
            Scenario(), 0, medium, content=b"", capture=None, hz=50_000, line=line, baud=BAUD
        )
        told = dict(word.split("=", 1) for word in words) | changes
        process = subprocess.Popen(
            [program, *(f"{name}={value}" for name, value in told.items())],
            pass_fds=files,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        try:
            assert process.stdout is not None
            assert b'"ready"' in process.stdout.readline()
            yield str(link)
        finally:
            process.terminate()
            process.communicate()
