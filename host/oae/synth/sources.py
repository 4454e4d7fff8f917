"""What is synthesized, and that nothing is left out of it or added for a simulation."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from oae.errors import OaeError

ROOT = Path(__file__).resolve().parents[3]
SOURCE_LIST = Path("hdl/rtl.f")
INCLUDE = Path("hdl/rtl")
SHELLS = Path("hdl/synth")

# A definition in a source, in a source list, in a Yosys script or in an SBY file.
_DEFINED = re.compile(
    r"(?:`define\s+|\+define\+|-D\s*|-define\s+|-set\s+|DEFINES\s*[+:]?=\s*)"
    r"(OAE_ABLATE_F\d+|OAE_SIMULATION)\b"
)


@dataclass(frozen=True)
class Design:
    """What is measured: a module inside a shell that gives it a few pins."""

    module: str
    required: float  # MHz, of the worst seed
    lists: tuple[Path, ...] = (SOURCE_LIST,)
    includes: tuple[Path, ...] = (INCLUDE,)

    @property
    def shell(self) -> str:
        """The module that is synthesized."""
        return f"{self.module}_shell"

    def sources(self, root: Path = ROOT) -> list[Path]:
        """Every file that is read."""
        files = [path for name in self.lists for path in source_list(root, name)]
        return [*files, SHELLS / f"{self.shell}.v"]


# 62.5 MHz: 500 Mbit/s and more on 64 bits at half rate. Boards run at 50 MHz (docs/board.md).
END = Design("oae_end", 62.5)
BOARD = Design(
    "oae_board", 50.0, (SOURCE_LIST, Path("hdl/board/board.f")), (INCLUDE, Path("hdl/board"))
)


class SourceError(OaeError):
    """The sources are not what synthesis and proof are about."""


def source_list(root: Path = ROOT, name: Path = SOURCE_LIST) -> list[Path]:
    """The files of a source list, from the root of the project."""
    lines = (root / name).read_text().splitlines()
    words = [line.partition("//")[0].strip() for line in lines]
    return [Path(word) for word in words if word and not word.startswith(("+", "-"))]


def forbidden_macros(text: str) -> list[str]:
    """Macros that `text` defines and that neither synthesis nor proof may have."""
    return _DEFINED.findall(text)


def lists_to_check(root: Path = ROOT) -> Iterator[Path]:
    """Every file that says what synthesis and proof read, with the sources themselves."""
    for design in (END, BOARD):
        yield from design.lists
        yield from design.sources(root)
        for folder in design.includes:
            yield from sorted(path.relative_to(root) for path in (root / folder).glob("*.vh"))
    for pattern in ("*.f", "*.sby", "*.ys", "*.v", "*.sv"):
        yield from sorted(p.relative_to(root) for p in (root / "hdl/formal").rglob(pattern))


def check_macros(root: Path = ROOT) -> None:
    """Raise `SourceError` if a source list of synthesis or proof defines a forbidden macro."""
    for path in lists_to_check(root):
        if found := forbidden_macros((root / path).read_text()):
            raise SourceError(f"{path} defines {found[0]}: not for synthesis or proof")
