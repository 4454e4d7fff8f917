"""Yosys as SBY calls it: `python -m oae.prove.yosys -ql LOG SCRIPT`.

SBY runs a program; the native Yosys comes as a Python package, which is several times as fast as
its WebAssembly build.
"""

import sys

from pyosys import libyosys


def main(words: list[str]) -> None:
    """Run a script, with everything that Yosys says in a log."""
    options, log, script = words
    if options != "-ql":
        raise SystemExit(f"oae: {options}: only -ql LOG SCRIPT is understood")
    libyosys.run_pass(f"tee -q -o {log} script {script}", libyosys.Design())


if __name__ == "__main__":
    main(sys.argv[1:])
