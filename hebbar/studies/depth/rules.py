"""The table of rules: accuracy, cycles, energy, accesses and bits of every supervised rule in 1 to 32 hidden layers."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path

import numpy as np
from matplotlib import rc_context
from matplotlib.figure import Figure as Drawing

from golden.learning.training import codes
from golden.session import initial_image
from golden.trace import Job
from hebbar.compiler.program import compile_config
from hebbar.compiler.workload import sample_cycles
from hebbar.contract.console import Reporter
from hebbar.contract.files import BUILD, write_text
from hebbar.contract.results import Figure
from hebbar.report.figures import panels
from hebbar.report.svg import STYLE, save
from hw.verilog import export
from sim.backends import fast, golden
from sim.write_hashes import compare_hashes

from ..parts import as_csv
from .accuracy import spread_of
from .bits import enough
from .energies import TECHNOLOGY, nanojoules
from .rule_nets import NAMES, Learnt, Lesson, learnt, parts

__all__ = ["COLUMNS", "Row", "draw", "measure", "table"]

HIDDEN = {False: (1, 2, 8, 32), True: (1, 2)}
SEEDS = {False: (1, 2, 3), True: (1,)}
GRID = {False: (-1, 0, 1, 2, 3), True: (0, 2)}
"""How often every alpha is halved, one grid for all; the rate is chosen by the first seed."""
FRACS = {False: (6, 7, 8, 9, 10, 12), True: (12,)}
SAMPLES = 20
"""Samples that energy and accesses are the mean of, and of which the first are compared with the RTL."""
REPLAYED = 3
CHANCE = 20.0
"""Percent; a rule that gets less, twice what guessing does, has not learnt, and no bits are enough for it."""
COLUMNS = ("rule", "hidden layers", "accuracy %", "spread", "alpha halvings", "cycles", "nJ low", "nJ typical",
           "nJ high", "weight reads", "weight writes", "fraction bits")


@dataclass(frozen=True)
class Row:
    """A rule in a net: the trainings at its rate, a seed each; of a training sample the ``cycles`` in the steady state,
    nJ ``low``, ``typical`` and ``high``, and weights read and written; the fewest fraction ``bits`` that cost less than
    a point, 0 where none are enough; ``words`` that the RTL wrote and that were compared, and how many elements it
    wrote otherwise: ``wrong``.
    """

    runs: tuple[Learnt, ...]
    cycles: float
    nj: tuple[float, float, float]
    reads: float
    writes: float
    bits: int
    words: int
    wrong: int

    @property
    def name(self) -> str:
        """The rule and the net."""
        return f"{NAMES[self.lesson.rule]}, {self.lesson.hidden} hidden layer{'s' * (self.lesson.hidden > 1)}"

    @property
    def lesson(self) -> Lesson:
        return self.runs[0].lesson

    @property
    def tests(self) -> list[float]:
        """Held-out digits that are right, percent, a seed each."""
        return [100 * run.test for run in self.runs]


def measure(folder: Path, quick: bool, reporter: Reporter, images: Path | None = None) -> list[Figure]:
    """Every training is kept in ``folder``; ``rules.csv`` and ``rules.svg`` there are the table and its drawing."""
    every = [(hidden, rule) for hidden in HIDDEN[quick] for rule in NAMES]
    program = compile_config(Lesson("il", 1, 0).config)
    library, text = fast.prepare(program, BUILD, announce=not reporter.console.quiet), export(program.machine)
    rows = list[Row]()
    with reporter.task("rules by depth", len(every)) as task:
        for hidden, rule in every:
            rows.append(_row(rule, hidden, quick, folder, library))
            task.advance(len(rows), f"{rows[-1].name}: {np.mean(rows[-1].tests):.1f} %")
    write_text(folder / "rules.csv", table(rows))
    save(draw(rows), folder / "rules.svg")
    wrong, words = sum(row.wrong for row in rows), sum(row.words for row in rows)
    digest = sha256(text.encode()).hexdigest()[:16]
    return [Figure(f"rules by depth, one export {digest}: elements that the RTL writes otherwise, {len(rows)} "
                   f"programs, {REPLAYED} samples each, {words:,} writes", wrong, "0", "elements", wrong == 0),
            *_figures(rows)]


def _row(rule: str, hidden: int, quick: bool, folder: Path, library: Path) -> Row:
    first, *others = SEEDS[quick]
    tried = [learnt(Lesson(rule, hidden, halvings, first), folder) for halvings in GRID[quick]]
    chosen = max(tried, key=lambda run: run.validation)
    runs = (chosen, *(learnt(replace(chosen.lesson, seed=seed), folder) for seed in others))
    coarse = {frac: 100 * learnt(replace(chosen.lesson, frac=frac), folder).validation for frac in FRACS[quick]}
    program = compile_config(chosen.lesson.config)
    train = parts(program)[0].train.take(np.arange(SAMPLES))
    # Barriers of deep nets that settle would fill the memory; hashes take every write in.
    job = Job(program, "train", initial_image(program), codes(program, train, True), steps=False, hashes=True)
    counters = golden.run(job).counters
    few = replace(job, samples={key: values[:REPLAYED] for key, values in job.samples.items()})
    want, got = golden.run(few), fast.run(few, library)
    assert want.hashes is not None and got.hashes is not None, "they were asked for"
    found = compare_hashes(program, want.hashes, got.hashes)
    return Row(runs, sample_cycles(program).total, nanojoules(program, counters, SAMPLES),
               counters["weight_reads"] / SAMPLES, counters["weight_writes"] / SAMPLES,
               enough(coarse) if max(coarse.values()) > CHANCE else 0,
               found.total_words, found.total_mismatches)


def _figures(rows: Sequence[Row]) -> Iterator[Figure]:
    for row in rows:
        spread = f", spread {spread_of(row.tests)}" if len(row.runs) > 1 else ""
        bits = f"{row.bits} fraction bits enough" if row.bits else "does not learn"
        yield Figure(f"{row.name}: {row.cycles:,.0f} cycles, {row.nj[1]:,.0f} nJ, {row.reads:,.0f} weights read and "
                     f"{row.writes:,.0f} written a sample, {bits}, held-out digits right (mean of {len(row.runs)} "
                     f"seeds{spread}; alpha halved {row.lesson.halvings} times)",
                     round(float(np.mean(row.tests)), 2), "reported", "%", None)


def table(rows: Sequence[Row]) -> str:
    """A row for each rule and depth, as CSV."""
    return as_csv(COLUMNS, (
        (NAMES[row.lesson.rule], row.lesson.hidden, f"{np.mean(row.tests):.2f}", spread_of(row.tests),
         row.lesson.halvings, round(row.cycles), *(f"{nj:.1f}" for nj in row.nj), round(row.reads), round(row.writes),
         row.bits or "-") for row in rows))


def draw(rows: Sequence[Row]) -> Drawing:
    """Accuracy against depth, and against the energy of a sample, a line for each rule."""
    by_rule: Mapping[str, list[Row]] = {rule: [row for row in rows if row.lesson.rule == rule] for rule in NAMES}
    with rc_context(STYLE):
        figure, (left, right) = panels(3.2, 2)
        for (rule, mine), marker in zip(by_rule.items(), "osD^v<>Px", strict=True):
            accuracy = [float(np.mean(row.tests)) for row in mine]
            left.plot([row.lesson.hidden for row in mine], accuracy, marker=marker, markersize=4, label=NAMES[rule])
            right.plot([row.nj[1] for row in mine], accuracy, marker=marker, markersize=4)
        depths = sorted({row.lesson.hidden for row in rows})
        left.set_xscale("log", base=2)
        left.set_xticks(depths, [str(depth) for depth in depths])
        left.set_xlabel("hidden layers")
        left.set_ylabel("held-out digits right, %")
        left.legend(loc="lower left", fontsize=6)
        right.set_xscale("log")
        right.set_xlabel(f"nJ a training sample ({TECHNOLOGY}, typical)")
        return figure
