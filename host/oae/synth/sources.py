"""What is synthesized, and that nothing is left out of it or added for a simulation."""

import re
from collections.abc import Iterator
from pathlib import Path

from oae.errors import OaeError

ROOT = Path(__file__).resolve().parents[3]
SOURCE_LIST = Path("hdl/rtl.f")
INCLUDE = Path("hdl/rtl")
SHELL = Path("hdl/synth/oae_end_shell.v")
TOP = "oae_end_shell"

# A definition in a source, in a source list, in a Yosys script or in an SBY file.
_DEFINED = re.compile(
    r"(?:`define\s+|\+define\+|-D\s*|-define\s+|-set\s+|DEFINES\s*[+:]?=\s*)"
    r"(OAE_ABLATE_F\d+|OAE_SIMULATION)\b"
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
    yield SOURCE_LIST
    yield SHELL
    yield from source_list(root)
    yield from sorted(path.relative_to(root) for path in (root / INCLUDE).glob("*.vh"))
    for pattern in ("*.f", "*.sby", "*.ys", "*.v", "*.sv"):
        yield from sorted(p.relative_to(root) for p in (root / "hdl/formal").rglob(pattern))


def check_macros(root: Path = ROOT) -> None:
    """Raise `SourceError` if a source list of synthesis or proof defines a forbidden macro."""
    for path in lists_to_check(root):
        if found := forbidden_macros((root / path).read_text()):
            raise SourceError(f"{path} defines {found[0]}: not for synthesis or proof")
