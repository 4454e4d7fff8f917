"""What the assertions of a proof are for.

An assertion is there for a reason if the induction needs it (without it, but with the others, it no
longer closes), or if it is the only one to fail on some defect. Defects are what Yosys's `mutate`
makes of the RTL: a bit at a cell inverted or constant, always, or in one situation only, which is
the value of every register of the RTL and of what it is given. All of them go into one netlist,
where a number chooses, so that the solver looks for the defect as well as for the run.
"""

import re
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from oae.prove.runner import BUILD
from oae.prove.tasks import ProofError, Task
from oae.synth.sources import ROOT
from oae.toolchain import environment

WIDTH = 16  # of the number of a defect
NONE = f"(_ bv0 {WIDTH})"
ALWAYS = ("always", "(not always)")  # a defect, or in one situation only
# Instead of `prep -flatten`, which merges equal cells of a proof and of the RTL: a defect of one
# would be a defect of the other.
PREPARED = "hierarchy -check -top {}; proc; flatten; opt_expr -keepdc; opt_clean; memory_collect"
# From what a task prepares to what the solver reads, as SBY does it for `smtbmc --nomem`.
FOR_SOLVER = """
hierarchy -smtcheck
memory_nordff
async2sync
chformal -assume -early
opt_clean
formalff -setundef -clk2ff -ff2anyinit -hierarchy
chformal -live -fair -cover -remove
opt_clean
setundef -undriven -anyseq
opt -fast
opt_clean
hierarchy -smtcheck
formalff -assume
memory_map -formal
formalff -setundef -clk2ff -ff2anyinit
dffunmap
write_smt2 ../model.smt2
"""


@dataclass(frozen=True)
class Netlist:
    """A proof with all its defects, as the solver reads it."""

    top: str
    assertions: dict[str, tuple[int, ...]]  # by label or place in the source; one for each copy
    defects: dict[int, str]
    situation: str  # all inputs, and the registers of the RTL, in cycle @
    bits: int
    step: str  # of cycle @, where @+ is the cycle after

    def holds(self, cycle: int, names: Sequence[str]) -> str:
        """That these assertions hold in a cycle."""
        numbers = [number for name in names for number in self.assertions[name]]
        return _all(f"|{self.top}_a {number}@{cycle}|" for number in numbers)


def netlist(task: Task, count: int) -> Netlist:
    """Read a task's sources, and make so many defects in what they have of the RTL."""
    place = ROOT / BUILD / "defects" / f"{task.proof}_{task.name}"
    source = place / "src"
    source.mkdir(parents=True, exist_ok=True)
    script, files = _config(task)
    for file in files:
        (source / Path(file).name).write_text((ROOT / file).read_text())
    rtl = " ".join(f"a:src=*{Path(file).name}:*" for file in files if file.startswith("hdl/rtl"))
    listed = f"mutate -list {count} -seed 1 -o ../defects.txt {rtl}\n" if count else ""
    _yosys(place, f"{script}\nopt_clean\n{listed}write_rtlil ../design.il\n")
    # A clock that is cut is not a defect of logic.
    lines = (place / "defects.txt").read_text().splitlines() if count else []
    defects = dict(enumerate((line for line in lines if "-port CLK" not in line), 1))
    made = "\n".join(f"{line} -ctrl defect {WIDTH} {one}" for one, line in defects.items())
    _yosys(place, f"read_rtlil ../design.il\n{made}\n{FOR_SOLVER}")
    return _read((place / "model.smt2").read_text(), defects)


def _config(task: Task) -> tuple[str, list[str]]:
    words = ["yowasp-sby", "--dumpcfg", str(task.file), task.name]
    ran = subprocess.run(
        words, cwd=ROOT, env=environment(words[0]), capture_output=True, text=True, check=True
    )
    parts = dict(re.findall(r"^\[(\w+)\]\n(.*?)(?=^\[|\Z)", ran.stdout, re.MULTILINE | re.DOTALL))
    script = re.sub(
        r"^prep -top (\w+) -flatten$",
        lambda found: PREPARED.format(found.group(1)),
        parts["script"],
        flags=re.MULTILINE,
    )
    return script, parts["files"].split()


def _yosys(place: Path, script: str) -> None:
    (place / "script.ys").write_text(script)
    words = [sys.executable, "-m", "oae.prove.yosys", "-ql", "../yosys.log", "../script.ys"]
    ran = subprocess.run(words, cwd=place / "src", capture_output=True, text=True)
    if ran.returncode:
        raise ProofError(f"{place / 'yosys.log'}: {ran.stderr.strip()[-300:]}")


def _read(text: str, defects: dict[int, str]) -> Netlist:
    found = re.search(r"^; yosys-smt2-topmod (\S+)$", text, re.MULTILINE)
    assert found is not None
    top = found.group(1)
    assertions: dict[str, tuple[int, ...]] = {}
    told = re.finditer(r"^; yosys-smt2-assert (\d+) (\S+)(?: (\S+))?$", text, re.MULTILINE)
    for number, label, where in (one.groups() for one in told):
        # Copies that a loop makes are one assertion.
        name = where if where and "$" in label else re.sub(r"\[\d+\]", "", label)
        assertions[name] = (*assertions.get(name, ()), int(number))
    step = re.sub(r"^\(declare-sort .*$", "", text, flags=re.MULTILINE)
    # What a cycle is asked for by its name becomes the value of that cycle.
    state = r"(?:\|[^|]*_s\||(?: ?\((?:next_)?state \|[^|]*\|\))+)"
    step = re.sub(rf"-fun \|([^|]*)\| \({state}\)", r"-fun |\1@| ()", step)
    step = re.sub(r"\(\|([^|]*)\| state\)", r"|\1@|", step)
    step = re.sub(r"\(\|([^|]*)\| next_state\)", r"|\1@+|", step)
    # Where defects are: what the RTL has for registers, and what it is given.
    owners = {name for line in defects.values() for name in re.findall(r"\\(\w+)\.", line)}
    parts, bits = ["#b0"], 1
    for kind, name, width in re.findall(r"^; yosys-smt2-(input|register) (\S+) (\d+)$", text, re.M):
        given = kind == "input" and name not in ("clk", "defect")
        if given or name.partition(".")[0] in owners:
            value = f"|{top}_n {name}@|"
            parts.append(value if width != "1" else f"(ite {value} #b1 #b0)")
            bits += int(width)
    return Netlist(top, assertions, defects, f"(concat {' '.join(parts)})", bits, step)


def _all(terms: Iterator[str]) -> str:
    return f"(and true {' '.join(terms)})"


@dataclass
class Solver:
    """Yices with a netlist unrolled; `defect` is one number for all cycles."""

    netlist: Netlist
    reset: bool  # cycle 0 is the first after power up, not any
    cycles: int = 0
    process: subprocess.Popen[str] = field(init=False)

    def __post_init__(self) -> None:
        words = ["yices-smt2", "--incremental"]
        self.process = subprocess.Popen(
            words,
            env=environment(words[0]),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.write("(set-option :produce-models true)\n(set-logic QF_BV)")
        self.write(f"(declare-fun defect () (_ BitVec {WIDTH}))\n(declare-fun always () Bool)")
        self.write(f"(declare-fun situation () (_ BitVec {self.netlist.bits}))")

    def close(self) -> None:
        """End Yices."""
        self.process.kill()
        self.process.communicate()

    def write(self, text: str) -> None:
        """Tell it something that has no answer."""
        assert self.process.stdin is not None
        self.process.stdin.write(text + "\n")

    def unroll(self, cycles: int) -> None:
        """Have so many cycles, each the step after the one before."""
        top = self.netlist.top
        before, transition, rest = self.netlist.step.partition(f"(define-fun |{top}_t@|")
        for cycle in range(self.cycles, cycles):
            self.write(before.replace("@", f"@{cycle}"))
            first = f"|{top}_is@{cycle}|"
            self.write(f"(assert (and |{top}_u@{cycle}| |{top}_h@{cycle}|))")
            self.write(
                f"(assert {first})" if self.reset and not cycle else f"(assert (not {first}))"
            )
            if self.netlist.defects:
                now = f"(= situation {self.netlist.situation.replace('@', f'@{cycle}')})"
                active = f"(ite (or always {now}) defect {NONE})"
                self.write(f"(assert (= {active} |{top}_n defect@{cycle}|))")
            if self.reset and not cycle:
                self.write(f"(assert |{top}_i@0|)")
            if cycle:
                step = (transition + rest).replace("@+|", f"@{cycle}|")
                self.write(step.replace("@|", f"@{cycle - 1}|"))
                self.write(f"(assert |{top}_t@{cycle - 1}|)")
        self.cycles = max(self.cycles, cycles)

    def ask(self, *terms: str) -> str | None:
        """With which defect all this can be, as a term; None if it cannot."""
        self.write("(push 1)" + "".join(f"(assert {term})" for term in terms) + "(check-sat)")
        found = None
        if self._answer() == "sat":
            found = _all(f"(= {name} {self._value(name)})" for name in ("defect", "situation"))
        self.write("(pop 1)")
        return found

    def _value(self, name: str) -> str:
        self.write(f"(get-value ({name}))")
        return self._answer().removeprefix(f"(({name} ").removesuffix("))")

    def _answer(self) -> str:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.flush()
        answer = self.process.stdout.readline().strip()
        while answer.count("(") > answer.count(")"):
            answer += " " + self.process.stdout.readline().strip()
        if not answer or "error" in answer:
            raise ProofError(f"yices: {answer}")
        return answer


def needed(proof: Netlist, wanted: Sequence[str], depth: int) -> set[str]:
    """Of these assertions those without which the induction over so many steps does not close."""
    solver = Solver(proof, reset=False)
    solver.unroll(depth + 1)
    names = list(proof.assertions)
    found = set()
    for name in wanted:
        others = [other for other in names if other != name]
        held = (proof.holds(cycle, others) for cycle in range(depth))
        if solver.ask(*held, f"(not {proof.holds(depth, others)})"):
            found.add(name)
    solver.close()
    return found


@dataclass(frozen=True)
class Reasons:
    """Why the assertions of a task are there."""

    needed: set[str]  # by the induction
    alone: set[str]  # on some defect no other one fails
    in_a_run: set[str]  # in some run of a defect no other one has failed
    none: set[str]


def reasons(task: Task, cycles: int, count: int, tries: int, depth: int) -> Reasons:
    """Why each assertion is there, by induction of that depth and runs of so many cycles."""
    proof = netlist(task, 0)
    first = needed(proof, list(proof.assertions), depth) if task.mode == "prove" else set()
    rest = [name for name in proof.assertions if name not in first]
    found = alone(netlist(task, count), rest, cycles, tries)
    return Reasons(
        first,
        {name for name, only in found.items() if only},
        {name for name, only in found.items() if not only},
        set(proof.assertions) - first - set(found),
    )


def idle(task: Task, count: int) -> set[str]:
    """The assertions that no defect breaks alone in a step, and the induction does not need.

    The step is from any state in which all assertions hold; for a proof whose first promise is too
    many cycles away for runs. It is an induction of one step.
    """
    proof = netlist(task, count)
    solver = Solver(proof, reset=False)
    solver.unroll(2)
    names = list(proof.assertions)
    held = [proof.holds(0, names), f"(not (= defect {NONE}))"]
    rest = []
    for name in names:
        others = proof.holds(1, [other for other in names if other != name])
        breaks = [others, f"(not {proof.holds(1, [name])})"]
        if not any(solver.ask(always, *held, *breaks) for always in ALWAYS):
            rest.append(name)
    solver.close()
    return set(rest) - needed(netlist(task, 0), rest, 1)


def alone(proof: Netlist, wanted: Sequence[str], cycles: int, tries: int) -> dict[str, bool]:
    """Of these assertions those that fail with some defect, in a run in which no other has failed.

    True for those that are the only ones that can fail with it at all, within so many cycles; so
    many defects of each are tried for that.
    """
    check = Solver(proof, reset=True)
    check.unroll(cycles)
    names = list(proof.assertions)
    found: dict[str, bool] = {}
    for always in ALWAYS:
        search = Solver(proof, reset=True)
        tried: dict[str, list[str]] = {name: [] for name in wanted if not found.get(name)}
        for last in range(cycles):
            search.unroll(last + 1)
            for name in tried:
                others = [other for other in names if other != name]
                hold = [proof.holds(cycle, others) for cycle in range(cycles)]
                before = [proof.holds(cycle, [name]) for cycle in range(last)]
                fails = [*hold[: last + 1], *before, f"(not {proof.holds(last, [name])})"]
                while not found.get(name) and len(tried[name]) < max(tries, 1):
                    fresh = [f"(not {one})" for one in (f"(= defect {NONE})", *tried[name])]
                    defect = search.ask(always, *fails, *fresh)
                    if defect is None:
                        break
                    others_fail = f"(not {_all(iter(hold))})"
                    found[name] = tries > 0 and check.ask(always, defect, others_fail) is None
                    tried[name].append(re.sub(r"\(= situation [^)]*\)", "", defect))
        search.close()
    check.close()
    return found
