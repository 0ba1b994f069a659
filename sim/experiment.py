"""The main job: train in float and fixed point, replay on the RTL, compare every word."""

from collections.abc import Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from golden.learning.datasets import Dataset
from golden.learning.tasks import LearningTask, as_task, task_of
from golden.learning.training import FixedCurve, FloatCurve, train_fixed, train_float
from golden.streams import to_reals
from golden.trace import Job, Trace
from hebbar.compiler.config import Config
from hebbar.compiler.cycles import Cycles
from hebbar.compiler.parameters import parameters
from hebbar.compiler.program import Program, compile_config
from hebbar.compiler.tasks import Kind
from hebbar.compiler.workload import Minimum, minimum
from hebbar.contract.console import Reporter, Task
from hebbar.contract.counters import CYCLES
from hebbar.contract.files import BUILD, versions
from hebbar.contract.record import Check

from .analog.crossbar import approximation_share
from .backends import golden, verilator
from .compare import Comparison, compare, counted, nonzero_updates, uncounted
from .parts import merged, parts_of
from .preflight import preflight
from .wave import record

__all__ = ["Outcome", "run", "replay_job", "predict_job", "confusion", "ASKED"]

ASKED = {Kind.CLASSIFICATION: "test set", Kind.GENERATION: "queries", Kind.COMPLETION: "queries",
         Kind.RECALL: "recall", Kind.VALUES: "values", Kind.SPIKES: "waves"}
"""What the part of a run is called in which the trained network is asked."""


@dataclass(frozen=True)
class Outcome:
    """What the main job found; ``training`` is of the training replay, ``answers`` of what the task asks, on the
    RTL with the final weights. ``decisions`` of the replay's EXITs; ``warnings`` of the data and of the training in
    fixed point; ``confusion`` (classes, classes) counts the answers of the RTL by the right class and the one answered,
    None without labels."""

    config: Config
    program: Program
    task: LearningTask
    quick: bool
    float_curve: FloatCurve
    fixed_curve: FixedCurve
    training: Comparison
    answers: Comparison
    accuracy_rtl: float
    replayed: int
    updates: int
    counters: dict[str, int]
    decisions: list[bool]
    waveform: Path | None
    warnings: tuple[str, ...] = ()
    confusion: list[list[int]] | None = None

    @property
    def comparisons(self) -> dict[str, Comparison]:
        return {"training": self.training, ASKED[self.task.kind]: self.answers}

    @property
    def first_difference(self) -> str | None:
        """The first difference in words, or None when golden and RTL agree."""
        return next((str(c.first) for c in self.comparisons.values() if c.first), None)

    def checks(self) -> list[Check]:
        """One check for each signal of each part."""
        where = f" Waveform of that sample: {self.waveform}" if self.waveform else ""
        return [Check(f"{part}, RTL = golden: {signal}", not wrong, f"{part}: {comparison.first}{where}")
                for part, comparison in self.comparisons.items() for signal, wrong in comparison.mismatches.items()]

    @property
    def mismatches(self) -> int:
        return self.training.total_mismatches + self.answers.total_mismatches

    @property
    def cycles_per_sample(self) -> float:
        """Program-determined cycles a training sample, host stalls left out."""
        return sum(self.counters[c] for c in CYCLES) / self.replayed

    def _minimum(self) -> Minimum | None:
        """The least that the replayed samples could take, with the state steps that they took."""
        early = Cycles(self.program).exits("train")
        return minimum(self.program, "train", 1 + len(self.decisions) / self.replayed if early else None)

    def result(self) -> dict[str, Any]:
        """The flat record that ``result.json`` holds."""
        c, least = self.config, self._minimum()
        return {
            "mismatches": self.mismatches,
            "compared_words": self.training.total_words + self.answers.total_words,
            "nonzero_updates": self.updates,
            "samples_replayed": self.replayed, "quick": self.quick,
            "measure": self.task.measure, "about": self.task.about,
            "accuracy_float": self.float_curve.accuracy[-1],
            "accuracy_fixed": self.fixed_curve.accuracy[-1],
            "accuracy_rtl": self.accuracy_rtl,
            "cycles_per_sample": self.cycles_per_sample,
            "minimum_visits": least and least.visits, "minimum_cycles": least and least.cycles,
            "minimum_cycles_padded": least and least.padded,
            "parameters": [p.record() for p in parameters(self.program)],
            **{f"cycles_{n}": self.counters[n] / self.replayed
               for n in CYCLES},
            **{f"words_{n.replace(' ', '_')}": w for n, w in self.training.words.items()},
            "curve_float": self.float_curve.accuracy, "curve_fixed": self.fixed_curve.accuracy,
            **self.fixed_curve.health.record(), "warnings": self.warnings,
            "curve_epochs": self.fixed_curve.epochs, "confusion": self.confusion,
            "comparison": {name: {signal: [words, comparison.mismatches[signal]]
                                  for signal, words in comparison.words.items()}
                           for name, comparison in self.comparisons.items()},
            "counters": self.counters, "decisions": self.decisions, "first_difference": self.first_difference,
            "waveform": str(self.waveform) if self.waveform else None,
            "seed": c.training.seed, "config": c.model_dump(mode="json"), "versions": versions()}


def replay_job(program: Program, data: Dataset | LearningTask, weights: NDArray[np.int64],
               samples: int) -> Job:
    """The first ``samples`` samples of the first epoch as a job, every step recorded."""
    task = as_task(program, data)
    return Job(program, "train", weights, task.codes("train", rows=task.order(0)[:samples]))


def predict_job(program: Program, data: Dataset | LearningTask, weights: NDArray[np.int64]) -> Job:
    """What is asked after training as a job, every step recorded: of a data set the test set."""
    task = as_task(program, data)
    return Job(program, task.entry, weights, task.codes(task.entry))


def run(config: Config, folder: Path, samples: int | None, reporter: Reporter, build: Path = BUILD,
        quick: bool = False) -> Outcome:
    """Train, replay ``samples`` training samples (None: the whole first epoch) and what the task asks
    on the RTL, compare. The simulator is built while the golden models train. ``quick``: one epoch of a few samples."""
    preflight("verilator", build)
    program = compile_config(config)
    program.entries["train"]  # which says why it is not there, before anything is built
    task = task_of(program, quick=quick)
    replayed, doubts = min(samples or task.count, task.count), task.doubts
    for sentence in doubts:
        reporter.say(f"warning: {sentence}")
    if share := approximation_share(program, task.image()):
        reporter.say(f"wires to first order: currents of the first weights are off by up to {100 * share:.2g} % of the "
                     "largest; machine.analog.wires.model 'exact' is not.")
    with _beside() as pool:
        building = pool.submit(verilator.prepare, program, build, announce=False)
        floating, fixed = _train(program, task, reporter, building)
        for sentence in fixed.health.warnings:
            reporter.say(f"warning: {sentence}")
        if not building.done():
            reporter.say("building the simulator from the exported Verilog ...")
        model = building.result()
    jobs = {"training": replay_job(program, task, task.image(), replayed),
            ASKED[task.kind]: predict_job(program, task, fixed.weights)}
    parts = {name: parts_of(job) for name, job in jobs.items()}
    traces = {name: [_both(part, name, model, reporter) for part in split] for name, split in parts.items()}
    results = {name: merged([compare(program, *pair) for pair in pairs]) for name, pairs in traces.items()}
    waveform = _waveform(parts, traces, results, folder, reporter, build)
    training, asked = (pairs[-1] for pairs in traces.values())
    grade = task.score(asked[1].outputs)
    assert grade is not None, "all questions were asked"
    return Outcome(
        config, program, task, quick, floating, fixed, results["training"], results[ASKED[task.kind]], grade, replayed,
        nonzero_updates(traces["training"][0][1], jobs["training"].weights),
        counted(program, *training), training[0].decisions.tolist(), waveform,
        (*doubts, *fixed.health.warnings, *uncounted(program)),
        confusion(task, asked[1].outputs))


def confusion(task: LearningTask, outputs: Mapping[str, ArrayLike]) -> list[list[int]] | None:
    """How often each class, by row, was answered by each, by column; None for a task without labels."""
    if task.classes is None or task.labels is None:
        return None
    answers = task.classes(to_reals(task.program, task.entry, outputs))
    size = 1 + max(int(answers.max()), int(task.labels.max()))
    counts = np.zeros((size, size), np.int64)
    np.add.at(counts, (task.labels[:len(answers)], answers), 1)
    return counts.tolist()


def _waveform(parts: dict[str, list[Job]], traces: dict[str, list[tuple[Trace, Trace]]],
              results: dict[str, Comparison], folder: Path, reporter: Reporter, build: Path) -> Path | None:
    """The sample of the first difference with every signal, if there is a difference."""
    for name, result in results.items():
        if result.first:
            reporter.say(f"{name}: {result.first} recording its waveform ...")
            return record(parts[name][-1], traces[name][0][0], result.first, folder, build=build)
    return None


@contextmanager
def _beside() -> Iterator[ThreadPoolExecutor]:
    """A thread beside this one; nobody waits for it when this one fails."""
    pool = ThreadPoolExecutor(1)
    try:
        yield pool
    finally:
        pool.shutdown(wait=False)


def _train(program: Program, task: LearningTask, reporter: Reporter, building: Future[Any]) -> tuple[FloatCurve,
                                                                                                     FixedCurve]:
    """Both curves; a build that fails ends the training."""
    def advance(progress: Task, epoch: int, grade: float) -> None:
        progress.advance(epoch, task.note(grade))
        if building.done():
            building.result()

    with reporter.task("training in float64", task.epochs) as progress:
        floating = train_float(program, task, lambda e, grade: advance(progress, e, grade))
    golden.compile_ahead([program], reporter)
    with reporter.task("training in fixed point", task.epochs) as progress:
        fixed = train_fixed(program, task, lambda e, grade: advance(progress, e, grade))
    return floating, fixed


def _both(job: Job, name: str, model: "verilator.Model",
          reporter: Reporter) -> tuple[Trace, Trace]:
    with reporter.task(f"{name} on the RTL", job.count) as task:
        rtl = verilator.run(job, model, task.advance)
    reporter.say(f"{name} on the golden machine, every step recorded ...")
    return golden.run(job), rtl
