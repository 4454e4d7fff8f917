"""Files that people write, and those of the same kind that come with a package."""

from dataclasses import dataclass
from importlib import resources
from pathlib import Path

from oae.errors import OaeError


@dataclass(frozen=True)
class Library:
    """The files of one kind; `error` is what is raised for one that cannot be read."""

    package: str
    suffix: str
    error: type[OaeError]

    def names(self) -> list[str]:
        """Names of the files that come with the package."""
        folder = resources.files(self.package) / "library"
        found = (Path(item.name) for item in folder.iterdir())
        return sorted(path.stem for path in found if path.suffix == self.suffix)

    def read(self, path: str | Path) -> tuple[str, str]:
        """Text of a file, or of one of the library by its bare name; and how messages call it."""
        path = Path(path)
        if not path.suffix and path.name == str(path) and str(path) in self.names():
            name = f"{path}{self.suffix}"
            return (resources.files(self.package) / "library" / name).read_text(), name
        try:
            return path.read_text(encoding="utf-8"), path.name
        except OSError as error:
            hint = "" if path.suffix else f"; the library has {', '.join(self.names())}"
            reason = error.strerror or str(error)
            raise self.error(f"{path}: {reason[0].lower()}{reason[1:]}{hint}") from error
        except UnicodeDecodeError as error:
            raise self.error(f"{path}: not UTF-8 text") from error
