"""Makes the captures in captures/ from their scenarios, as captures/samples.toml says.

`python -m oae.capture.samples` writes them and the table in captures/README.md; `--check` only says
which are stale.
"""

import argparse
import sys
import tempfile
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final
from zlib import crc32

from scapy.utils import RawPcapWriter

from oae.capture import read, write
from oae.check.verdict import Promise, Verdict
from oae.engines import rtl
from oae.errors import OaeError
from oae.faults.hash import draw
from oae.native.packet import PacketFlag
from oae.scenario.parse import parse

FOLDER: Final = Path(__file__).resolve().parents[3] / "captures"
LIST: Final = FOLDER / "samples.toml"
README: Final = FOLDER / "README.md"
TABLE: Final = (
    "<!-- The table is written by `python -m oae.capture.samples` from samples.toml. -->\n"
)
EPOCH: Final = 1_700_000_000 * 10**9  # ns: when the taps were started
SECOND: Final = 10**9
BILLION: Final = 10**9
ADDRESSES: Final = slice(0, 12)
TAG_TYPE: Final = b"\x81\x00"  # 802.1Q
HARDWARE: Final = "a tap that knows nothing of the link"
SYSTEM: Final = "none: time is that of the tap's clock"


class SampleError(OaeError):
    """A sample cannot be made."""


@dataclass(frozen=True)
class Tap:
    """What saw the frames at one end's MAC port, and with which clock."""

    at: str  # end
    sent_by: str = "ab"  # ends of which it saw frames
    missed: int = 0  # frames that had passed when it was started
    offset: int = 0  # ns: by how much its clock is ahead
    drift: int = 0  # ns a second: by how much it is faster
    jitter: int = 0  # ns: how far a time stamp is off at most, either way
    seed: int = 1  # of the jitter
    set_back: int = 0  # ns, in the middle of the capture
    vlan: int | None = None
    fcs: bool = False


@dataclass(frozen=True)
class File:
    """One file of a sample: what the run wrote, or what a tap saw of it."""

    name: str
    tap: Tap | None = None


@dataclass(frozen=True)
class Sample:
    """One sample, and what the check of it must come to."""

    name: str
    shows: str
    scenario: str
    files: tuple[File, ...]
    verdict: Verdict
    without: tuple[str, ...] = ()  # ingredients of the protocol
    afterwards: str = ""  # what was done to the capture of the run, for people
    wire: bool = False  # checked with --wire
    requirement: str = ""  # of the first finding
    broken: tuple[Promise, ...] = field(default=())  # the least that must be found broken

    @property
    def paths(self) -> list[Path]:
        """Where its files stand."""
        return [FOLDER / file.name for file in self.files]

    @property
    def command(self) -> str:
        """How it is checked, from the folder of the samples."""
        return " ".join(["oae check", *["--wire"] * self.wire, *(file.name for file in self.files)])


def samples() -> list[Sample]:
    """All samples, in the order of the list."""
    return [_sample(table) for table in tomllib.loads(LIST.read_text())["sample"]]


def _sample(table: dict[str, Any]) -> Sample:
    files = tuple(
        File(file["name"], Tap(**file["tap"]) if "tap" in file else None)
        for file in table.pop("file")
    )
    return Sample(
        files=files,
        verdict=Verdict(table.pop("verdict")),
        without=tuple(table.pop("without", ())),
        broken=tuple(Promise(name) for name in table.pop("broken", ())),
        **table,
    )


def make(sample: Sample, folder: Path) -> list[Path]:
    """Run the scenario and write the files of the sample into the folder."""
    with tempfile.TemporaryDirectory() as work:
        out = Path(work) / "run"
        defines = [f"OAE_ABLATE_{name}" for name in sample.without]
        scenario = parse(str(FOLDER / "scenarios" / f"{sample.scenario}.toml"))
        ended = rtl.run(scenario, out, simulator="icarus", defines=defines)
        if ended.status != "finished":
            raise SampleError(f"{sample.name}: its run is {ended.status}")
        run = out / "capture.pcapng"
        made = [folder / file.name for file in sample.files]
        for file, path in zip(sample.files, made, strict=True):
            if file.tap is None:
                path.write_bytes(run.read_bytes())
            else:
                _write(path, list(_seen(run, file.tap)))
        return made


def _seen(run: Path, tap: Tap) -> Iterator[tuple[int, bytes, bool]]:
    """Time, bytes and whether the MAC found it bad, of each frame that the tap saw."""
    at = "ab".index(tap.at)
    frames = [
        packet
        for packet in read.packets(run)
        if packet.interface // 2 == at and "ab"[at ^ packet.interface % 2] in tap.sent_by
    ][tap.missed :]
    for number, frame in enumerate(frames):
        time = EPOCH + tap.offset + frame.time + frame.time * tap.drift // BILLION
        if tap.jitter:
            time += draw(tap.seed, number) % (2 * tap.jitter + 1) - tap.jitter
        if number >= len(frames) // 2:
            time -= tap.set_back
        yield time, _on_the_cable(frame.data, tap), PacketFlag.BAD in frame.flags


def _on_the_cable(data: bytes, tap: Tap) -> bytes:
    """The frame as the tap gives it."""
    if tap.vlan is not None:
        tag = TAG_TYPE + tap.vlan.to_bytes(2, "big")
        data = data[ADDRESSES] + tag + data[ADDRESSES.stop :]
    return data + crc32(data).to_bytes(4, "little") if tap.fcs else data


def _write(path: Path, frames: list[tuple[int, bytes, bool]]) -> None:
    if path.suffix == ".pcap":
        with path.open("wb") as file:
            classic = RawPcapWriter(
                file, linktype=write.LINK_TYPE_ETHERNET, endianness=">", nano=True
            )
            classic.write_header(None)
            for time, data, _ in frames:
                classic.write_packet(data, sec=time // SECOND, usec=time % SECOND)
            classic.flush()
        return
    with path.open("wb") as file:
        interface = write.Interface("tap", "both directions of a cable")
        writer = write.Writer(file, [interface], HARDWARE, SYSTEM)
        for time, data, bad in frames:
            writer.packet(0, time, data, flags=write.CRC_ERROR * bad)
        writer.finish()


def readme() -> str:
    """The README with its table as the list has it."""
    head, found, _ = README.read_text().partition(TABLE)
    if not found:
        raise SampleError(f"{README.name}: has lost the line before its table")
    return head + found + "".join(f"{line}\n" for line in _table())


def _table() -> Iterator[str]:
    yield "| check it | what it shows | made from | verdict |"
    yield "|---|---|---|---|"
    for sample in samples():
        made = [f"[{sample.scenario}](scenarios/{sample.scenario}.toml)"]
        made += [f"without {name}" for name in sample.without]
        made += [sample.afterwards] * bool(sample.afterwards)
        verdict = " ".join([sample.verdict, *[sample.requirement] * bool(sample.requirement)])
        yield f"| `{sample.command}` | {sample.shows} | {', '.join(made)} | {verdict} |"


def main() -> int:
    """Write or check everything; exit 1 if something is stale."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 if stale")
    check = parser.parse_args().check
    stale = []
    try:
        with tempfile.TemporaryDirectory() as folder:
            for sample in samples():
                for path in make(sample, Path(folder)):
                    stale += _settle(FOLDER / path.name, path.read_bytes(), check)
        stale += _settle(README, readme().encode(), check)
    except OaeError as error:
        print(f"samples: {error}", file=sys.stderr)
        return error.exit_code
    if stale:
        print(f"stale: {', '.join(stale)}; run `python -m oae.capture.samples`", file=sys.stderr)
    return 1 if stale else 0


def _settle(path: Path, content: bytes, check: bool) -> list[str]:
    """Write the content unless it is there; if only to check, the name of a stale file."""
    if path.exists() and path.read_bytes() == content:
        return []
    if check:
        return [path.name]
    path.write_bytes(content)
    print(f"{path.name}: {len(content):,} bytes", flush=True)
    return []


if __name__ == "__main__":
    sys.exit(main())
