"""Whole trainings on the RTL, compared with the golden machine as they go, resumable at any moment."""

import hashlib
import time
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from golden.learning.health import Health, examine
from golden.learning.tasks import LearningTask, task_of
from golden.reference.training import halvings
from golden.session import Session
from golden.trace import Job
from hebbar.compiler.config import Config
from hebbar.compiler.parameters import parameters
from hebbar.compiler.program import Program, compile_config
from hebbar.contract.console import Reporter, Task
from hebbar.contract.counters import CYCLES, HOST
from hebbar.contract.errors import BadInput, Mismatch
from hebbar.contract.files import BUILD, versions
from hebbar.contract.record import Check

from .backends import fast, golden
from .checkpoint import Checkpoint, TrainingState, fingerprint
from .compare import counted, uncounted
from .experiment import confusion
from .pair import Pair
from .parts import RECORDED, barrier_bytes, written_bytes
from .preflight import preflight
from .wave import record

__all__ = ["Trained", "data_hash", "train"]

CHUNK = 1 << 26
"""Bytes of a trace that is compared at a time."""
HASHED = 1 << 10
"""Samples that are hashed at a time."""


@dataclass(frozen=True)
class Trained:
    """A finished training: where it stands, the weight image (words, P, C) and a hash over both; its ``health``, and
    ``doubts`` about the data, in sentences.

    ``samples`` of all epochs; ``seconds`` and ``samples_here`` are of this process alone, so a resumed
    run counts only its own part.
    """

    config: Config
    program: Program
    task: LearningTask
    quick: bool
    state: TrainingState
    weights: NDArray[np.int64]
    fingerprint: str
    samples: int
    seconds: float
    samples_here: int
    health: Health
    doubts: tuple[str, ...]

    def checks(self) -> list[Check]:
        """One check a signal: a training that gets here had no difference."""
        return [Check(f"RTL = golden: {name}", not self.state.mismatches[name],
                      f"{self.state.mismatches[name]} of {words} words of {name} differ.")
                for name, words in self.state.words.items()]

    def result(self) -> dict[str, Any]:
        """The flat record that ``result.json`` holds."""
        s = self.state
        return {"accuracy": s.accuracy[-1], "curve_fixed": s.accuracy, "fingerprint": self.fingerprint,
                **self.health.record(), "warnings": [*self.doubts, *self.health.warnings, *uncounted(self.program)],
                "curve_epochs": [epoch + 1 for epoch in self.task.graded_epochs], "measure": self.task.measure,
                "about": self.task.about, "quick": self.quick, "confusion": confusion(self.task, s.answers),
                "mismatches": sum(s.mismatches.values()), "compared_words": sum(s.words.values()),
                "comparison": {"training and test set": {n: [w, s.mismatches[n]] for n, w in s.words.items()}},
                "counters": s.counters, "samples": self.samples,
                "cycles_per_sample": sum(s.counters[c] for c in CYCLES) / self.samples,
                "seconds": self.seconds, "samples_here": self.samples_here,
                "seed": self.config.training.seed, "config": self.config.model_dump(mode="json"),
                "versions": versions(), "parameters": [p.record() for p in parameters(self.program)]}


def train(config: Config, folder: Path, reporter: Reporter, resume: bool = False, restart: bool = False,
          build: Path = BUILD, every_s: float = 5.0, quick: bool = False,
          writes: bool = False) -> Trained:
    """Train on the RTL through the fast shell, every state, error, activity, weight and counter of
    every barrier compared with the golden machine; with ``writes`` every write, by hashes, in place of memories at
    barriers, of which a chained program has few. A checkpoint is left in ``folder`` every ``every_s`` seconds.

    The last one stays, so that nothing is lost before the result is kept: then ``Checkpoint.remove``.
    ``resume`` goes on from it to the very bits an undisturbed run ends with; ``restart`` discards it. ``quick``: one
    epoch of a few samples.
    Raises Mismatch at the first difference, with the waveform of its sample.
    """
    preflight("fast", build)
    program = compile_config(config)
    program.entries["train"]  # which says why it is not there, before anything is built
    if resume and restart:
        raise BadInput("--resume goes on from the checkpoint and --restart discards it; give one of them.")
    if resume and not program.machine.kind.resumable:
        raise BadInput(f"machine.tile is {program.machine.tile!r}; its devices and their noise cannot be put back to "
                       "where they were, so leave --resume out.")
    task = task_of(program, quick=quick)
    start, doubts = _start(program, task, folder, resume, restart, writes), task.doubts
    for sentence in doubts:
        reporter.say(f"warning: {sentence}")
    golden.compile_ahead([program], reporter)
    pair = Pair(program, fast.prepare(program, build, not reporter.console.quiet))
    began = time.monotonic()
    try:
        pair.load(start)
        done = _Run(program, task, pair, folder, reporter, every_s, writes).finish(start.state)
        final = pair.rtl.read_weights()
    finally:
        pair.rtl.close()
    seconds, s = time.monotonic() - began, start.state
    health = examine(program, task, s.accuracy, s.clipped, task.image(), final, pair.golden.limits)
    for sentence in health.warnings:
        reporter.say(f"warning: {sentence}")
    return Trained(config, program, task, quick, s, final, fingerprint(s, final), task.epochs * task.count, seconds,
                   done, health, doubts)


class _Run:
    """One process's part of a training."""

    def __init__(self, program: Program, task: LearningTask, pair: Pair, folder: Path, reporter: Reporter,
                 every_s: float, writes: bool) -> None:
        self._every_s, self._writes = every_s, writes
        self._program, self._task, self._pair = program, task, pair
        self._folder, self._reporter = folder, reporter
        self._asked = task.codes(task.entry)
        room, taken = (RECORDED, written_bytes) if writes else (CHUNK, barrier_bytes)
        self._chunk_size = {entry: int(np.clip(room // max(taken(program, entry), 1), 1, 64))
                       for entry in ("train", task.entry)}
        self._saved = time.monotonic()

    def finish(self, state: TrainingState) -> int:
        """Run every chunk that is left; the training samples done here."""
        task, done = self._task, 0
        total = task.epochs * task.count + len(task.graded_epochs) * task.asked
        with self._reporter.task("training on the RTL, compared", total, self._before(state)) as progress:
            while state.epoch < task.epochs:
                order, chunks = task.order(state.epoch), self._spans(state.epoch)
                while state.chunk < len(chunks):
                    job, refresh = self._chunk(state.epoch, order, *chunks[state.chunk])
                    self._advance(job, refresh, state)
                    done += job.count if job.entry == "train" else 0
                    self._show(progress, state, self._before(state))
                self._grade(state)
                state.end_epoch()
                state.epoch, state.chunk = state.epoch + 1, 0
                self._save(state)
        return done

    def _before(self, state: TrainingState) -> int:
        """Samples and questions behind a state."""
        task = self._task
        asked = sum(epoch < state.epoch for epoch in task.graded_epochs)
        inside = sum(end - first for first, end, _ in self._spans(state.epoch)[:state.chunk])
        return state.epoch * task.count + asked * task.asked + inside

    def _grade(self, state: TrainingState) -> None:
        """The grade of an epoch, from the answers to all questions."""
        if state.epoch in self._task.graded_epochs:
            grade = self._task.score({key: np.array(codes) for key, codes in state.answers.items()})
            assert grade is not None, "all questions were asked"
            state.accuracy.append(grade)

    def _spans(self, epoch: int) -> list[tuple[int, int, str]]:
        """First, end and entry of the chunks of an epoch."""
        task, every = self._task, self._program.config.training.refresh
        size = self._chunk_size
        found = [(first, end, "train") for first, end in spans(task.count, size["train"], every or task.count)]
        if epoch in task.graded_epochs:
            found += [(first, end, task.entry) for first, end in spans(task.asked, size[task.entry], task.asked)]
        return found

    def _chunk(self, epoch: int, order: NDArray[np.int64], first: int, end: int, entry: str) -> tuple[Job, bool]:
        """Training samples ``first`` to ``end`` of an order, or those questions; whether the weights are refreshed
        afterwards."""
        training, learns = self._program.config.training, entry == "train"
        given = self._task.codes("train", rows=order[first:end]) if learns else \
            {key: values[first:end] for key, values in self._asked.items()}
        job = Job(self._program, entry, self._pair.golden.image, given, halvings(training, epoch),
                  steps=not self._writes, hashes=self._writes)
        return job, learns and training.refresh > 0 and end % training.refresh == 0

    def _advance(self, job: Job, refresh: bool, state: TrainingState) -> None:
        """One chunk on both sides, compared; a checkpoint when it is time."""
        piece = self._pair.run(job)
        if first := piece.comparison.first:
            waveform = record(piece.job, piece.golden, first, self._folder)
            raise Mismatch(f"epoch {state.epoch + 1}, chunk {state.chunk + 1}: {first} Waveform of "
                           f"that sample: {waveform}")
        state.add(piece.comparison)
        if job.entry == "train":
            state.count({n: v for n, v in counted(self._program, piece.golden, piece.rtl).items() if n not in HOST})
            state.answers = {}
        else:
            state.answer(piece.rtl.outputs)
        if refresh:
            for side in (self._pair.rtl, self._pair.golden):
                side.refresh()
        state.chunk += 1
        if time.monotonic() - self._saved > self._every_s:
            self._save(state)

    def _save(self, state: TrainingState) -> None:
        if not self._program.machine.kind.resumable:
            return
        self._pair.checkpoint(state).save(self._folder, self._program)
        self._saved = time.monotonic()

    def _show(self, progress: Task, state: TrainingState, done: int) -> None:
        grade = f", {self._task.note(state.accuracy[-1])}" if state.accuracy else ""
        progress.advance(done, f"epoch {state.epoch + 1}, {sum(state.words.values()):,} words, "
                         f"{sum(state.mismatches.values())} mismatches{grade}")


def spans(count: int, chunk: int, every: int) -> list[tuple[int, int]]:
    """0 .. ``count`` in chunks of at most ``chunk`` that end wherever ``every`` ends."""
    ends = sorted({*range(every, count, every), count} | {start + k for start in range(0, count, every)
                                                           for k in range(chunk, every, chunk) if start + k < count})
    return list(zip([0, *ends[:-1]], ends))


def data_hash(task: LearningTask) -> str:
    """A hash of the weights that a training starts from and of all that it learns and is asked, with the labels."""
    found = hashlib.sha256(np.ascontiguousarray(task.image(), "<i8").tobytes())
    rows = np.arange(task.count)
    learned = (task.codes("train", rows=rows[first:first + HASHED]) for first in range(0, task.count, HASHED))
    for codes in chain(learned, [task.codes(task.entry)]):
        for key, values in codes.items():
            found.update(key.encode() + np.ascontiguousarray(values, "<i8").tobytes())
    if task.labels is not None:
        found.update(np.ascontiguousarray(task.labels, "<i8").tobytes())
    return found.hexdigest()


def _start(program: Program, task: LearningTask, folder: Path, resume: bool, restart: bool,
           writes: bool) -> Checkpoint:
    """The checkpoint to go on from, or the seeded start."""
    if resume and not Checkpoint.exists(folder):
        raise BadInput(f"{folder} holds no checkpoint to resume; leave --resume out, or give the --out of the run "
                       "that was stopped.")
    begun = TrainingState(samples=task.count, data=data_hash(task), writes=writes)
    if resume:
        return Checkpoint.load(folder, program, begun)
    if Checkpoint.exists(folder) and not restart:
        raise BadInput(f"{folder} holds the checkpoint of a training that has not ended; go on with --resume or "
                       "discard it with --restart.")
    Checkpoint.remove(folder)
    return Checkpoint(begun, task.image(), Session(program).rows())
