"""Play a run again as its run directory records it, and compare the two traces.

The simulators give the same trace. The reference end (`model`) has a timing of its own: between it
and a simulator, what is compared is the verdict on the run and the first requirement that it broke.

Scenario, seed, what was overruled and ingredients left out are those of the run. With --save,
everything that struck by chance is written down first, each fault by the coordinates of its frame,
and it is this schedule that is played: it can be edited, and run with `oae run --scenario`.

exit codes: 0 the same, 1 not the same, 2 bad input, 4 the bench failed, 130 interrupted
"""

import argparse
from dataclasses import replace
from pathlib import Path

from oae.capture.record import IN_RUN
from oae.check.run import judge_run
from oae.engines import model, player
from oae.engines.player import ENGINES
from oae.engines.rtl import EngineError
from oae.engines.rundir import fresh
from oae.errors import OaeError
from oae.scenario.compile import compile_scenario
from oae.scenario.expand import expand
from oae.scenario.parse import parse_text
from oae.scenario.write import write_scenario
from oae.shrink.difference import difference
from oae.shrink.recorded import Recorded, recorded
from oae.trace import Trace

SUMMARY = "play a run again and say whether it is the same"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `oae replay`."""
    parser.add_argument("run", type=Path, help="run directory")
    parser.add_argument("--engine", choices=ENGINES, help="the run's if not given")
    parser.add_argument(
        "--out", type=Path, help="run directory; a new one under runs/ if not given"
    )
    parser.add_argument(
        "--save", type=Path, metavar="FILE", help="write what struck by chance as a scenario"
    )


def main(arguments: argparse.Namespace) -> int:
    """Play again, compare, tell."""
    before = recorded(arguments.run)
    scenario = before.scenario
    engine = arguments.engine or before.engine
    out = arguments.out or fresh(Path("runs"), scenario.name)
    player.check(scenario, out, engine=engine, defines=before.defines)
    # If that cannot be told, nothing need be played.
    if _timed_otherwise(engine, before) and not (arguments.run / IN_RUN).exists():
        raise OaeError(f"{arguments.run}: there is no {IN_RUN} to compare verdicts by")
    was = _verdict(before) if _timed_otherwise(engine, before) else ""
    if arguments.save is not None:
        text = write_scenario(expand(scenario, before.trace), f"What struck in {scenario.name}.")
        scenario = parse_text(text, arguments.save.name)
        compile_scenario(scenario, before.file)  # more rules than there can be are found out here
        try:
            arguments.save.write_text(text)
        except OSError as error:
            raise OaeError(f"--save {arguments.save}: {error.strerror}") from error
        print(f"saved {len(scenario.fates)} fates of frames in {arguments.save}")
    ended = player.play(
        scenario,
        out,
        engine=engine,
        file=before.file,
        defines=before.defines,
        command=f"oae replay {arguments.run}",
    )
    if ended.status == "interrupted":
        raise KeyboardInterrupt
    if ended.status != "finished":
        raise EngineError(f"the run is {ended.status}; see {out}")
    now = Trace(out / "trace.txt")
    if was:
        again = replace(before, scenario=scenario, trace=now, assertions=tuple(ended.assertions))
        return _compare_verdicts(was, again, engine)
    if now.sha256 == before.trace.sha256:
        print(f"the same: {now.sha256}, {ended.cycles:,} cycles, in {out}")
        return 0
    found = difference(before.trace.path, now.path, rules=arguments.save is None)
    if found is None:
        print(f"the same but for the numbers of fault rules: {ended.cycles:,} cycles, in {out}")
        return 0
    print(f"not the same: {found}\nin {out}")
    return 1


def _timed_otherwise(engine: str, before: Recorded) -> bool:
    """Whether the trace of this engine cannot be that of the run before."""
    return (engine == model.NAME) != (before.engine == model.NAME)


def _compare_verdicts(was: str, now: Recorded, engine: str) -> int:
    """What two runs with different timing came to."""
    found = _verdict(now)
    same = was == found
    text = f"the same verdict: {found}" if same else f"not the same verdict: {was}, now {found}"
    print(f"{text}; {engine} has a timing of its own, in {now.trace.path.parent}")
    return 0 if same else 1


def _verdict(run: Recorded) -> str:
    """As `oae run` judges it."""
    folder, followed = run.trace.path.parent, not run.defines
    return judge_run(run.scenario, run.file, folder, run.assertions, followed=followed).in_short
