"""Programs that take long to build, each built once and kept.

Two programs that want the same one at the same time wait for each other, and a build that fails
or is interrupted leaves nothing in its place.
"""

import fcntl
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path


def built(folder: Path, program: str, make: Callable[[Path], None]) -> Path:
    """The program in the folder; if it is not there yet, `make` makes it in the folder given."""
    path = folder / program
    if path.exists():
        return path
    folder.parent.mkdir(parents=True, exist_ok=True)
    with _locked(folder.with_suffix(".lock")):
        if not path.exists():
            work = Path(tempfile.mkdtemp(prefix=f"{folder.name}.", dir=folder.parent))
            try:
                make(work)
                shutil.rmtree(folder, ignore_errors=True)
                work.rename(folder)
            finally:
                shutil.rmtree(work, ignore_errors=True)
    return path


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
