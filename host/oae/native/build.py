"""Compiles the C++ parts once for each set of sources, compiler and flags, and loads them.

    library = load("join", ("join_begin", c_void_p, (c_char_p,)))    # host/oae/native/join.cpp
    library.oae_join_begin(b"")

The library goes to build/native; two programs that want it at once wait for each other.
"""

import ctypes
import fcntl
import hashlib
import subprocess
import tempfile
from pathlib import Path
from typing import Any, Final

from oae.errors import OaeError
from oae.toolchain import environment

ROOT: Final = Path(__file__).resolve().parents[3]
HERE: Final = Path(__file__).parent
BUILD: Final = ROOT / "build" / "native"
INCLUDES: Final = (HERE, ROOT / "hdl" / "sim")
FLAGS: Final = ("-std=c++20", "-O3", "-g1", "-Wall", "-Wextra", "-Werror")
SHARED: Final = ("-shared", "-fPIC", "-fvisibility=hidden")


class NativeError(OaeError):
    """The C++ parts cannot be compiled."""

    exit_code = 4


# What a function is called behind `oae_`, what it returns, and what it takes.
Function = tuple[str, Any, tuple[Any, ...]]


def load(name: str, *functions: Function) -> ctypes.CDLL:
    """The library made from `name`.cpp; raises NativeError, or ToolError without a compiler."""
    library = ctypes.CDLL(str(compiled(name, (*FLAGS, *SHARED), ".so")))
    for called, result, arguments in functions:
        function = getattr(library, f"oae_{called}")
        function.restype, function.argtypes = result, arguments
    return library


def compiled(name: str, flags: tuple[str, ...], suffix: str) -> Path:
    """What `name`.cpp compiles to with these flags."""
    target = BUILD / f"{name}-{_fingerprint(flags)}{suffix}"
    if target.exists():
        return target
    variables = environment("g++")
    BUILD.mkdir(parents=True, exist_ok=True)
    with (BUILD / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not target.exists():
            with tempfile.TemporaryDirectory(dir=BUILD) as work:
                made = Path(work) / target.name
                includes = [f"-I{folder}" for folder in INCLUDES]
                command = ["g++", *flags, *includes, str(HERE / f"{name}.cpp"), "-o", str(made)]
                done = subprocess.run(command, env=variables, capture_output=True, text=True)
                if done.returncode:
                    errors = [line for line in done.stderr.splitlines() if "error" in line]
                    raise NativeError(f"g++ cannot compile {name}.cpp: {(errors or ['?'])[0]}")
                made.rename(target)
    return target


def _fingerprint(flags: tuple[str, ...]) -> str:
    digest = hashlib.sha256(repr(flags).encode())
    files = [path for folder in INCLUDES for path in folder.iterdir()]
    for path in sorted(files):
        if path.suffix in (".h", ".cpp"):
            digest.update(path.name.encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()[:16]
