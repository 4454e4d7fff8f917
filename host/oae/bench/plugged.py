"""A bench as it is plugged in: substitutes stand in for what is not there."""

from pathlib import Path

from oae.bench.bench import Bench, Kind, Veth
from oae.bench.interfaces import setting
from oae.bench.parse import parse


def plugged_in(path: str | Path) -> tuple[Bench, list[str]]:
    """The bench of a file with its substitutes in place, and what there is to say of that."""
    bench = parse(path)
    missing = absent(bench)
    chosen = bench.with_substitutes(frozenset(missing))
    said = []
    for name, end in chosen.named_ends.items():
        if end is not bench.named_ends[name]:
            why = missing.get(name, "its peer has a substitute")
            said.append(f"{name}: {why}; its substitute of kind {end.kind} stands in")
    return chosen, said


def made(bench: Bench) -> set[str]:
    """Interfaces that its fixtures make."""
    return {name for one in bench.fixtures if isinstance(one, Veth) for name in one.names}


def absent(bench: Bench) -> dict[str, str]:
    """Ends with a substitute whose port or interface is not plugged in, and what is missing."""
    found = {}
    for name, end in bench.named_ends.items():
        if end.substitute is None:
            continue
        if end.serial is not None and end.kind is Kind.BOARD:
            port = end.serial.port
            if "://" not in port and not Path(port).exists():
                found[name] = f"no such port {port}"
        for interface in end.interfaces:
            if interface not in made(bench) and setting(interface) is None:
                found[name] = f"no such interface {interface}"
    return found
