"""Finds the usual faults of a bench and names them (docs/bench.md).

First what stands on this machine (ports, interfaces), then each board alone, then the link. What
cannot be judged because of an earlier finding is not judged.
"""

from collections.abc import Iterator
from contextlib import ExitStack
from typing import Final

from oae.bench.bench import Bench, End, Kind, Serial
from oae.bench.findings import Fault, Finding
from oae.bench.interfaces import names, setting
from oae.bench.link import examine_link
from oae.bench.plugged import made
from oae.bench.started import Started, started
from oae.bench.witness import BoardWitness, ProcessWitness, Witness
from oae.bringup.board import Board
from oae.bringup.client import connected
from oae.bringup.port import Port, PortError, Trouble
from oae.bringup.steps import measured_rate
from oae.medium.namespace import split

OF_TROUBLE: Final = {
    Trouble.MISSING: Fault.NO_SUCH_PORT,
    Trouble.BUSY: Fault.PORT_BUSY,
    Trouble.NO_PERMISSION: Fault.NO_PERMISSION,
    Trouble.UNUSABLE: Fault.NO_SERIAL_PORT,
    Trouble.GONE: Fault.NO_SUCH_PORT,
    Trouble.SILENT: Fault.NO_ANSWER,
    Trouble.WRONG_SPEED: Fault.WRONG_BAUD,
    Trouble.NONSENSE: Fault.NONSENSE,
}


def examine(bench: Bench) -> list[Finding]:
    """Everything that is wrong with a bench, which must be free and must have been leased.

    Raises OaeError if it cannot be started for a reason that has no name here.
    """
    findings = [*_ports(bench), *_plugged(bench)]
    findings += _promiscuous(bench)
    if findings:
        return findings
    with ExitStack() as stack:
        ready = stack.enter_context(started(bench))
        findings += _set(bench)
        boards: dict[str, Board] = {}
        for name, serial in ready.serials.items():
            found, board = _answering(name, serial, stack)
            findings += found
            if board is not None:
                findings += _board(name, board, ready)
                boards[name] = board
        if findings:
            return findings
        ends = _witnesses(ready, boards)
        try:
            return list(examine_link(bench, ends))
        finally:
            for one in ends.values():
                one.restore()


def _ports(bench: Bench) -> Iterator[Finding]:
    """Serial ports that cannot be opened."""
    for name, end in bench.named_ends.items():
        if end.serial is None or end.kind is not Kind.BOARD:
            continue
        try:
            Port(end.serial.port, end.serial.baud).close()
        except PortError as error:
            yield _of_port(name, end.serial, error)


def _of_port(name: str, serial: Serial, error: PortError) -> Finding:
    said = str(error).removeprefix(f"{serial.port}: ")
    seen, _, advice = said.partition("; ")
    where = f"{name}, {serial.port}"
    expected = f"a board that answers at {serial.baud} baud"
    return Finding(OF_TROUBLE[error.trouble], where, seen, expected, advice or "check the port")


def _plugged(bench: Bench) -> Iterator[Finding]:
    """Interfaces that are not there, or down; those of fixtures are made up."""
    for name, end in bench.named_ends.items():
        for interface in end.interfaces:
            if interface in made(bench):
                continue
            where = f"{name}, {interface}"
            found = setting(interface)
            if found is None:
                known = f"this machine has {', '.join(names())}"
                advice = "plug it in, or correct `medium`"
                yield Finding(Fault.NO_SUCH_INTERFACE, where, known, interface, advice)
            elif not found.up:
                advice = _link_set(interface, "up")
                yield Finding(Fault.INTERFACE_DOWN, where, "down", "up", advice)
            elif not found.carrier:
                advice = "plug in the cable, or switch on what is at its other side"
                yield Finding(Fault.INTERFACE_DOWN, where, "up without carrier", "carrier", advice)


def _set(bench: Bench) -> Iterator[Finding]:
    """Interfaces that are set in another way than the bench says."""
    for name, end in bench.named_ends.items():
        for interface in end.interfaces:
            yield from _settings(f"{name}, {interface}", interface, end)


def _settings(where: str, interface: str, end: End) -> Iterator[Finding]:
    found, wanted = setting(interface), end.interface
    if found is None:
        return
    if found.mtu < wanted.mtu:
        advice = _link_set(interface, f"mtu {wanted.mtu}")
        seen, expected = f"{found.mtu}", f"at least {wanted.mtu}"
        yield Finding(Fault.MTU_TOO_SMALL, where, seen, expected, advice)
    if found.merging and not wanted.offloads:
        merging = ", ".join(found.merging)
        switches = " ".join(f"{one.lower()} off" for one in found.merging)
        namespace, name = split(interface)
        there = f"ip netns exec {namespace} " if namespace else ""
        advice = f"{there}ethtool -K {name} {switches}; they hold frames back"
        yield Finding(Fault.OFFLOADS_WRONG, where, f"{merging} on", "off", advice)


def _link_set(interface: str, what: str) -> str:
    """The command that sets an interface, wherever it is."""
    namespace, name = split(interface)
    return f"ip {f'-n {namespace} ' if namespace else ''}link set {name} {what}"


def _promiscuous(bench: Bench) -> Iterator[Finding]:
    """To be looked at before the ends are started, because they listen to everything."""
    for name, end in bench.named_ends.items():
        for interface in end.interfaces:
            found = setting(interface)
            if found is None or found.promiscuous == end.interface.promiscuous:
                continue
            where = f"{name}, {interface}"
            advice = (
                "another program or a bridge has the interface: end it, or write promiscuous: true"
            )
            if not found.promiscuous:
                advice = _link_set(interface, "promisc on")
            seen, expected = ("on", "off") if found.promiscuous else ("off", "on")
            yield Finding(Fault.PROMISCUOUS_MODE_WRONG, where, seen, expected, advice)


def _answering(name: str, serial: Serial, stack: ExitStack) -> tuple[list[Finding], Board | None]:
    """The board at a port, or why there is none."""
    try:
        return [], Board(stack.enter_context(connected(serial.port, serial.baud)))
    except PortError as error:
        return [_of_port(name, serial, error)], None


def _board(name: str, board: Board, ready: Started) -> Iterator[Finding]:
    """What is wrong with a board alone."""
    who = board.identity()
    if problem := who.problem():
        advice = "take the program that belongs to this build, or load another"
        expected = "a register map of this version"
        yield Finding(Fault.WRONG_REGISTER_MAP, name, problem, expected, advice)
        return
    build = ready.bench.named_ends[name].build
    if build is not None and who.build != build:
        seen, expected = f"{who.build:016x}", f"{build:016x}"
        yield Finding(Fault.WRONG_BUILD, name, seen, expected, "load the right bitstream")
    rate, within = measured_rate(board, who.clock_hz, ready.bench.tolerance(name))
    seen = f"{rate:,.0f} ticks a second"
    expected = f"{who.clock_hz:,}, within {within:.1%}"
    if rate == 0:
        advice = "is the oscillator there, and the PLL locked? (a live end: --clock)"
        yield Finding(Fault.CLOCK_ABSENT, name, "CYCLES stands still", expected, advice)
    elif abs(rate - who.clock_hz) > within * who.clock_hz:
        advice = "is CLOCK_HZ that of this board, and the PLL set for it?"
        yield Finding(Fault.CLOCK_WRONG, name, seen, expected, advice)


def _witnesses(ready: Started, boards: dict[str, Board]) -> dict[str, Witness]:
    """By name, in order."""
    found: dict[str, Witness] = {name: BoardWitness(board) for name, board in boards.items()}
    found |= {
        name: ProcessWitness(process)
        for name, process in ready.processes.items()
        if name not in boards
    }
    return dict(sorted(found.items()))
