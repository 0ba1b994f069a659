"""A study: many trainings, each kept when it ends, so that whatever stops the study costs only what was being run."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from math import nan
from statistics import fmean
from typing import Any

from hebbar.compiler.config import Config
from hebbar.compiler.program import Program, compile_config
from hebbar.contract.console import Reporter
from hebbar.contract.errors import BadInput
from sim.backends import golden

from ..parameter_sweep import Row, Stopped, row, task_for
from .grid import Axis, Point
from .kept import Failed, Job, Store
from .schedulers import Local, Scheduler
from .search import SHARE, search

__all__ = ["Line", "Study", "attempt", "check", "sweep", "trained"]


@dataclass(frozen=True)
class Line:
    """A line of the table: what was set, which samples the accuracies are of, and what came of the run, whose file has
    the name ``digest``."""

    settings: dict[str, Any]
    graded_on: str
    digest: str
    result: Row | Failed

    @property
    def name(self) -> str:
        """The configuration with what was set in it."""
        return " ".join([self.result.name, *(f"{key}={json.dumps(value)}" for key, value in self.settings.items())])

    @property
    def failed(self) -> str:
        """Why the training failed, in a sentence; empty where it did not."""
        return self.result.why if isinstance(self.result, Failed) else ""

    def record(self) -> dict[str, Any]:
        """The line as ``result.json`` has it; keys that were set stand under their dotted names."""
        result = self.result
        found = {"accuracy_float": result.accuracy_float, "accuracy_fixed": result.accuracy_fixed,
                 "weight_hash": result.weight_hash} if isinstance(result, Row) else \
            dict.fromkeys(("accuracy_float", "accuracy_fixed", "weight_hash"))
        return {"name": result.name, "rule": result.rule, "seed": result.seed} | self.settings | {
            "graded_on": self.graded_on} | found | {"run": self.digest, "failed": self.failed}


@dataclass(frozen=True)
class Study:
    """Where the runs of a study are kept, what works on them, how many seeds (0, 1, ..) each configuration has and the
    share of the training data that is held out to be graded on; 0: the test data are."""

    store: Store
    scheduler: Scheduler
    reporter: Reporter
    seeds: int
    validation: float = 0.0

    def run(self, points: Sequence[Point], validation: float | None = None) -> list[Line]:
        """Every point with every seed, in this order; what cannot run is refused before the first training."""
        share = self.validation if validation is None else validation
        jobs = [(point, Job(point.config, seed, share)) for point in points for seed in range(self.seeds)]
        check([point.config for point in points], share)
        rows = trained([job for _, job in jobs], self.scheduler, self.reporter, self.store)
        return [Line(point.settings, job.graded_on, self.store.digest(job), found)
                for (point, job), found in zip(jobs, rows)]

    def search(self, config: Config, axes: Sequence[Axis], trials: int) -> tuple[list[Line], Point, float]:
        """The lines of all trials, graded on validation data, then those of the best, trained on all training data and
        graded on the test set; the best with its mean validation accuracy."""
        share, lines = self.validation or SHARE, dict[str, list[Line]]()
        check([config], share)

        def judge(points: list[Point]) -> list[float]:
            found = self.run(points, share)
            for i, point in enumerate(points):
                lines[repr(point.settings)] = found[i * self.seeds:(i + 1) * self.seeds]
            return [_mean(lines[repr(point.settings)]) for point in points]

        judged = search(config, axes, trials, judge, self.reporter)
        best, accuracy = max(judged, key=lambda point: point[1])  # of equal ones that which was proposed before
        return [line for some in lines.values() for line in some] + self.run([best], 0.0), best, accuracy


def _mean(lines: list[Line]) -> float:
    """Mean accuracy in fixed point over the seeds; NaN when a training failed."""
    return fmean(line.result.accuracy_fixed if isinstance(line.result, Row) else nan for line in lines)


def check(configs: Sequence[Config], validation: float = 0.0) -> list[Program]:
    """The programs of all configurations; raises BadInput for what cannot run, and for data that are missing or do not
    fit, before the first training."""
    programs, seen = [compile_config(config) for config in configs], set[str]()
    for program in programs:
        config = program.config
        kind = json.dumps([config.data.model_dump(), config.network.model_dump(), config.machine.activity_bits,
                           config.rule.name])
        if kind not in seen:  # others have the same data in the same formats
            task_for(program, validation)
            seen.add(kind)
    return programs


def trained(jobs: Sequence[Job], scheduler: Scheduler, reporter: Reporter, store: Store | None = None
            ) -> list[Row | Failed]:
    """What comes of each job, in their order. With a ``store`` what it has is not run, and what is run is kept there
    when it ends."""
    digests = [store.digest(job) if store else str(i) for i, job in enumerate(jobs)]
    found = {digest: kept for digest, job in zip(digests, jobs) if store and (kept := store.find(job))}
    missing = {digest: job for digest, job in zip(digests, jobs) if digest not in found}
    if found:
        reporter.say(f"{len(found)} of {len(found) + len(missing)} runs are kept from before")
    if not missing:
        return [found[digest] for digest in digests]
    golden.compile_ahead([compile_config(job.config) for job in missing.values()], reporter)  # once, not everywhere
    work, names = [(job.config, job.seed, job.validation) for job in missing.values()], list(missing)
    with reporter.task("trainings", len(work)) as task:
        for done, (i, result) in enumerate(scheduler.arriving(attempt, work), 1):
            if store:
                store.keep(missing[names[i]], result)
            found[names[i]] = result
            task.advance(done, _note(result))
    return [found[digest] for digest in digests]


def attempt(config: Config, seed: int, validation: float = 0.0) -> Row | Failed:
    """A training, or why it could not be finished; the same for every scheduler."""
    try:
        return row(config, seed, validation)
    except Stopped as error:
        return Failed(config.name, config.rule.name, seed, str(error))


def _note(result: Row | Failed) -> str:
    what = f"fixed {result.accuracy_fixed:.4f}" if isinstance(result, Row) else "failed"
    return f"{result.name} seed {result.seed} {what}"


def sweep(configs: list[Config], seeds: list[int], jobs: int, reporter: Reporter) -> list[Row]:
    """Train every configuration with every seed (of weights, order and split), ``jobs`` at a time; nothing is kept.

    Rows in the order of the configurations, then of the seeds. Raises BadInput when a training cannot be finished.
    """
    check(configs)
    rows = []
    for found in trained([Job(config, seed) for config in configs for seed in seeds], Local(jobs), reporter):
        if isinstance(found, Failed):
            raise BadInput(f"{found.name}, seed {found.seed}: {found.why}")
        rows.append(found)
    return rows
