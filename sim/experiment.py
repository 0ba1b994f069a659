"""The main job: train in float and fixed point, replay on the RTL, compare every word."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from golden.data_health import examine_data
from golden.datasets import Dataset, epoch_order
from golden.reference.training import accuracy, ends
from golden.training import (
    FixedCurve, FloatCurve, codes, data_of, initial_image, train_fixed, train_float)
from hebbar.compiler import Program, compile_config
from hebbar.config import Config
from hebbar.console import Reporter
from hebbar.counters import CYCLES
from hebbar.files import BUILD, versions
from hebbar.record import Check
from hebbar.cycles import Cycles
from hebbar.parameters import parameters
from hebbar.workload import Minimum, minimum

from .backends import golden, verilator
from .compare import Comparison, compare, nonzero_updates
from .crossbar import approximation_share
from .trace import Job, Trace
from .wave import record

__all__ = ["Outcome", "run", "replay_job", "predict_job"]


@dataclass(frozen=True)
class Outcome:
    """What the main job found; ``training`` is of the training replay, ``answers`` of the test set on the
    RTL with the final weights. ``decisions`` of the replay's EXITs; ``warnings`` of the data and of the training in
    fixed point."""

    config: Config
    program: Program
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

    @property
    def comparisons(self) -> dict[str, Comparison]:
        return {"training": self.training, "test set": self.answers}

    @property
    def first_difference(self) -> str | None:
        """In words, or None when golden and RTL agree."""
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

    def result(self) -> dict:
        """The flat record that ``result.json`` holds."""
        c, least = self.config, self._minimum()
        return {
            "mismatches": self.mismatches,
            "compared_words": self.training.total_words + self.answers.total_words,
            "nonzero_updates": self.updates,
            "samples_replayed": self.replayed,
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
            "comparison": {name: {signal: [words, comparison.mismatches[signal]]
                                  for signal, words in comparison.words.items()}
                           for name, comparison in self.comparisons.items()},
            "counters": self.counters, "decisions": self.decisions, "first_difference": self.first_difference,
            "waveform": str(self.waveform) if self.waveform else None,
            "seed": c.training.seed, "config": c.model_dump(mode="json"), "versions": versions()}


def replay_job(program: Program, data: Dataset, weights: NDArray[np.int64], samples: int,
               epoch: int = 0) -> Job:
    """The first ``samples`` samples of a training epoch as a job, every step recorded."""
    config = program.config
    order = epoch_order(len(data.train), config.training.seed, epoch)[:samples]
    return Job(program, "train", weights, codes(program, data.train.take(order), training=True))


def predict_job(program: Program, data: Dataset, weights: NDArray[np.int64]) -> Job:
    """The test set as a job, every step recorded."""
    return Job(program, "predict", weights, codes(program, data.test, training=False))


def run(config: Config, folder: Path, samples: int | None, reporter: Reporter, build: Path = BUILD) -> Outcome:
    """Train, replay ``samples`` training samples (None: the whole first epoch) and the test set
    on the RTL, compare. The simulator is built while the golden models train."""
    program = compile_config(config)
    data = data_of(program)
    replayed, doubts = min(samples or len(data.train), len(data.train)), examine_data(data)
    for sentence in doubts:
        reporter.say(f"warning: {sentence}")
    if share := approximation_share(program, initial_image(program)):
        reporter.say(f"wires to first order: currents of the first weights are off by up to {100 * share:.2g} % of the "
                     "largest; machine.analog.wires.model 'exact' is not.")
    with ThreadPoolExecutor(1) as pool:
        building = pool.submit(verilator.prepare, program, build, announce=False)
        floating, fixed = _train(config, program, data, reporter)
        for sentence in fixed.health.warnings:
            reporter.say(f"warning: {sentence}")
        if not building.done():
            reporter.say("building the simulator from the exported Verilog ...")
        model = building.result()
    jobs = {"training": replay_job(program, data, initial_image(program), replayed),
            "test set": predict_job(program, data, fixed.weights)}
    traces = {name: _both(job, name, model, reporter) for name, job in jobs.items()}
    results = {name: compare(program, *pair) for name, pair in traces.items()}
    waveform = _waveform(jobs, traces, results, folder, reporter, build)
    _, target = ends(program.layout.network)
    rtl = traces["test set"][1].outputs[target]
    return Outcome(
        config, program, floating, fixed, results["training"], results["test set"],
        accuracy(rtl, data.test.labels), replayed,
        nonzero_updates(traces["training"][1], jobs["training"].weights),
        traces["training"][1].counters, traces["training"][0].decisions.tolist(), waveform,
        (*doubts, *fixed.health.warnings))


def _waveform(jobs: dict[str, Job], traces: dict[str, tuple[Trace, Trace]],
              results: dict[str, Comparison], folder: Path, reporter: Reporter,
              build: Path) -> Path | None:
    """The sample of the first difference with every signal, if there is a difference."""
    for name, result in results.items():
        if result.first:
            reporter.say(f"{name}: {result.first} recording its waveform ...")
            return record(jobs[name], traces[name][0], result.first, folder, build=build)
    return None


def _train(config: Config, program: Program, data: Dataset,
           reporter: Reporter) -> tuple[FloatCurve, FixedCurve]:
    epochs = config.training.epochs
    with reporter.task("training in float64", epochs) as task:
        floating = train_float(program, data,
                               lambda e, a: task.advance(e, f"accuracy {a:.4f}"))
    golden.prepare([program], reporter)
    with reporter.task("training in fixed point", epochs) as task:
        fixed = train_fixed(program, data, lambda e, a: task.advance(e, f"accuracy {a:.4f}"))
    return floating, fixed


def _both(job: Job, name: str, model: "verilator.Model",
          reporter: Reporter) -> tuple[Trace, Trace]:
    with reporter.task(f"{name} on the RTL", job.count) as task:
        rtl = verilator.run(job, model, task.advance)
    reporter.say(f"{name} on the golden machine, every step recorded ...")
    return golden.run(job), rtl


