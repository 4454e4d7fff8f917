"""Size and speed of one end or one board on an FPGA, compared with what was committed.

Exit codes: 0 as good as before, 1 worse, 2 wrong options, 3 a tool failed, 130 interrupted.
"""

import argparse
import json
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from rich.console import Console

from oae.errors import OaeError
from oae.jobs import shown
from oae.synth import baseline
from oae.synth.baseline import Result, complaints, to_json
from oae.synth.document import document, sizes, speeds
from oae.synth.flow import DEVICES, measure
from oae.synth.sources import BOARD, END, ROOT

BASELINE = ROOT / "hdl" / "synth" / "baseline.json"
DOCUMENT = ROOT / "docs" / "synthesis.md"
WORD_BYTES = 8
BLOCK_RAM_WIDTH = 36  # bits of a block RAM's word, its widest


def main(words: Sequence[str] | None = None) -> int:
    """Measure, compare, and say so."""
    try:
        return _run(_options(words))
    except OaeError as error:
        print(f"oae: {error}", file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        print("oae: interrupted", file=sys.stderr)
        return 130


def _options(words: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m oae.synth", description=__doc__)
    parser.add_argument(
        "--device", choices=[*DEVICES, "all"], default="ecp5", help="ecp5 unless said otherwise"
    )
    parser.add_argument("--board", action="store_true", help="an end with its board around it")
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3], metavar="N")
    parser.add_argument("--window", type=int, default=8, help="slots of the end")
    parser.add_argument("--record-max", type=int, default=64, help="bytes")
    parser.add_argument("--update", action="store_true", help="write baseline and document anew")
    parser.add_argument("--json", action="store_true", help="print the results as JSON")
    options = parser.parse_args(words)
    if options.window not in (1, 2, 4, 8, 16, 32, 64):
        parser.error("--window must be 1, 2, 4, 8, 16, 32 or 64")
    if options.record_max not in range(8, 1489, 8):
        parser.error("--record-max must be a multiple of 8 from 8 to 1488")
    if options.update and (options.window, options.record_max) != (8, 64):
        parser.error("--update is for --window 8 and --record-max 64")
    return options


def _run(options: argparse.Namespace) -> int:
    devices = list(DEVICES) if options.device == "all" else [options.device]
    seeds = list(dict.fromkeys(options.seeds))
    design = BOARD if options.board else END
    results = []
    with shown(Console(stderr=True)) as progress:
        for name in devices:
            device = DEVICES[name]
            sizes_of_end = options.window, options.record_max
            results.append(measure(device, *sizes_of_end, seeds, progress, design))
    if options.json:
        print(json.dumps([to_json(result) for result in results], indent=2))
    else:
        print("\n".join([*sizes(results), "", *speeds(results)]))
    committed = baseline.read(BASELINE)
    if options.update:
        _update(BASELINE, DOCUMENT, committed, results)
    return verdict(results, {} if options.update else committed)


def verdict(results: Sequence[Result], committed: dict[str, Result]) -> int:
    """0, or 1 with one line for each thing that is worse."""
    code = 0
    for result in results:
        for complaint in [
            *store_complaints(result),
            *complaints(result, committed.get(result.key)),
        ]:
            print(f"oae: {result.key}: {complaint}", file=sys.stderr)
            code = 1
    return code


def store_complaints(result: Result) -> Iterator[str]:
    """Both record stores must be in block RAM."""
    expected = 2 * -(-8 * WORD_BYTES // BLOCK_RAM_WIDTH)
    if result.device == "ecp5" and result.size.block_ram < expected:
        yield f"{result.size.block_ram} block RAMs: the two record stores need {expected}"


def _update(
    path: Path, text: Path, committed: dict[str, Result], results: Sequence[Result]
) -> None:
    """Results of other devices stay as they are."""
    merged = committed | {result.key: result for result in results}
    kept = [merged[key] for key in sorted(merged)]
    baseline.write(path, kept)
    text.write_text(document(kept))


if __name__ == "__main__":
    sys.exit(main())
