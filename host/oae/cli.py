"""The command `oae`: finds the sub-command, runs it, and turns every ending into an exit code.

Each sub-command is a module of `oae.commands`; only the one that was asked for is imported.
"""

import argparse
import difflib
import errno
import importlib
import os
import pkgutil
import sys
import traceback
from collections.abc import Iterator, Sequence
from types import ModuleType
from typing import NoReturn

from oae import __version__, commands
from oae.errors import OaeError

EXIT_BENCH = 4  # the testbed could not do its part
EXIT_INTERRUPTED = 130  # what a shell reports for a program that Ctrl-C ended
EXIT_PIPE_CLOSED = 141  # the same for a program whose reader went away
EXIT_DEFECT = 70  # "internal software error" in sysexits.h

INTRODUCTION = """\
usage: oae COMMAND [OPTION...]
       oae COMMAND --help
       oae --version

One testbed for an Open Atomic Ethernet link: the same scenario on a reference model, on
RTL in two simulators and on hardware, with the same evidence and the same kind of verdict.

commands:
"""
EXIT_CODES = """
exit codes:
  0    done, and what was checked holds
  1    done, and something that was checked does not hold
  2    the command line or an input file is wrong; the message says where
  3    inconclusive: nothing that was checked fails, but it does not suffice for a verdict
  4    the testbed could not do its part: a tool is missing or broke, a build failed
  141  whoever read the output went away
  70   a defect in oae itself
  130  interrupted with Ctrl-C
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command line; the entry point of `oae`."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    try:
        code = _dispatch(words)
        sys.stdout.flush()  # a reader that went away is noticed here, not while Python shuts down
        return code
    except OaeError as error:
        print(f"oae: {error}", file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        print("oae: interrupted", file=sys.stderr)
        return EXIT_INTERRUPTED
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return EXIT_PIPE_CLOSED
    except OSError as error:
        if error.errno != errno.ENOSPC:
            return _defect()
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        print(f"oae: {(error.strerror or '').lower()}", file=sys.stderr)
        return EXIT_BENCH
    except Exception:
        return _defect()


def _defect() -> int:
    traceback.print_exc()
    print("oae: the above is a defect in oae itself; please report it", file=sys.stderr)
    return EXIT_DEFECT


class _Parser(argparse.ArgumentParser):
    """A parser whose errors are one line."""

    def error(self, message: str) -> NoReturn:
        """Say what is wrong; raises OaeError."""
        raise OaeError(f"{self.prog.removeprefix('oae ')}: {message}; see {self.prog} --help")


def _dispatch(words: list[str]) -> int:
    if not words or words[0] in ("-h", "--help", "help"):
        print(_help(), end="")
        return 0
    if words[0] == "--version":
        print(f"oae {__version__}")
        return 0
    name = words[0]
    known = _names()
    if name not in known:
        close = difflib.get_close_matches(name, known, n=1)
        hint = f"did you mean {close[0]}?" if close else "`oae --help` lists them"
        raise OaeError(f"no command {name}; {hint}")
    command = _load(name)
    parser = _Parser(
        prog=f"oae {name}",
        description=command.__doc__ or command.SUMMARY,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    command.add_arguments(parser)
    code: int = command.main(parser.parse_args(words[1:]))
    return code


def _names() -> list[str]:
    modules = pkgutil.iter_modules(commands.__path__)
    return sorted(module.name.replace("_", "-") for module in modules)


def _load(name: str) -> ModuleType:
    return importlib.import_module(f"{commands.__name__}.{name.replace('-', '_')}")


def _help() -> str:
    return INTRODUCTION + "".join(_summaries()) + EXIT_CODES


def _summaries() -> Iterator[str]:
    """One line a command; a command that cannot be imported does not hide the others."""
    for name in _names():
        try:
            summary = _load(name).SUMMARY
        except Exception as error:
            summary = f"(not usable here: {error})"
        yield f"  {name:<12} {summary}\n"


if __name__ == "__main__":
    sys.exit(main())
