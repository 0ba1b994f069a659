"""Whole trainings on the RTL, compared with the golden machine as they go, resumable at any moment."""

import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from golden.data_health import examine_data
from golden.datasets import Dataset, epoch_order
from golden.health import Health, examine
from golden.reference.training import ends, halvings
from golden.training import codes, data_of, initial_image
from hebbar.compiler import Program, compile_config
from hebbar.config import Config
from hebbar.console import Reporter, Task
from hebbar.counters import CYCLES, HOST
from hebbar.errors import BadInput, Mismatch
from hebbar.files import BUILD, versions
from hebbar.memories import Mem
from hebbar.record import Check

from .backends import fast, golden
from .checkpoint import MEMORIES, Checkpoint, Standing, fingerprint
from .compare import compare
from .trace import Job
from .wave import record

__all__ = ["Trained", "train"]


@dataclass(frozen=True)
class Trained:
    """A finished training: where it stands, the weight image (words, P, C) and a hash over both; its ``health``, and
    ``doubts`` about the data, in sentences.

    ``samples`` of all epochs; ``seconds`` and ``samples_here`` are of this process alone, so a resumed
    run counts only its own part.
    """

    config: Config
    program: Program
    standing: Standing
    weights: NDArray[np.int64]
    fingerprint: str
    samples: int
    seconds: float
    samples_here: int
    health: Health
    doubts: tuple[str, ...]

    def checks(self) -> list[Check]:
        """One check a signal: a training that gets here had no difference."""
        return [Check(f"RTL = golden: {name}", not self.standing.mismatches[name],
                      f"{self.standing.mismatches[name]} of {words} words of {name} differ.")
                for name, words in self.standing.words.items()]

    def result(self) -> dict:
        """The flat record that ``result.json`` holds."""
        s = self.standing
        return {"accuracy": s.accuracy[-1], "curve_fixed": s.accuracy, "fingerprint": self.fingerprint,
                **self.health.record(), "warnings": [*self.doubts, *self.health.warnings],
                "mismatches": sum(s.mismatches.values()), "compared_words": sum(s.words.values()),
                "comparison": {"training and test set": {n: [w, s.mismatches[n]] for n, w in s.words.items()}},
                "counters": s.counters, "samples": self.samples,
                "cycles_per_sample": sum(s.counters[c] for c in CYCLES) / self.samples,
                "seconds": self.seconds, "samples_here": self.samples_here,
                "seed": self.config.training.seed, "config": self.config.model_dump(mode="json"),
                "versions": versions()}


@dataclass(frozen=True)
class Piece:
    """Some samples of one epoch: part of the training order, or of the test set with its labels; whether the weights
    are refreshed afterwards."""

    job: Job
    labels: NDArray[np.int64] | None
    refresh: bool


class _Pair:
    """The RTL and the golden machine in step."""

    def __init__(self, program: Program, library: Path) -> None:
        self.program = program
        self.rtl, self.golden = fast.Session(program, library), golden.Session(program)

    def load(self, checkpoint: Checkpoint) -> None:
        """Bring both to where a checkpoint was."""
        for side in (self.rtl, self.golden):
            side.load(checkpoint.weights, checkpoint.rows)

    def checkpoint(self, standing: Standing) -> Checkpoint:
        """Everything both hold now."""
        m = self.program.machine
        shape = m.weight_words, m.row_tiles, m.lanes
        return Checkpoint(standing, self.rtl.memory(Mem.WEIGHT).reshape(shape).astype(np.int64),
                          {mem: self.rtl.memory(mem).astype(np.int64) for mem in MEMORIES})


def train(config: Config, folder: Path, reporter: Reporter, resume: bool = False, restart: bool = False,
          build: Path = BUILD, every_s: float = 5.0) -> Trained:
    """Train on the RTL through the fast shell, every state, error, activity, weight and counter of
    every fence compared with the golden machine. A checkpoint is left in ``folder`` every ``every_s``
    seconds.

    The last one stays, so that nothing is lost before the result is kept: then ``Checkpoint.remove``.
    ``resume`` goes on from it to the very bits an undisturbed run ends with; ``restart`` discards it.
    Raises Mismatch at the first difference, with the waveform of its sample.
    """
    program = compile_config(config)
    if resume and program.machine.tile == "analog":
        raise BadInput("machine.tile is 'analog'; its devices and their noise cannot be put back to where they were, so "
                       "leave --resume out.")
    data, start = data_of(program), _start(program, folder, resume, restart)
    doubts = examine_data(data)
    for sentence in doubts:
        reporter.say(f"warning: {sentence}")
    golden.prepare([program], reporter)
    pair = _Pair(program, fast.prepare(program, build, not reporter.console.quiet))
    began = time.monotonic()
    try:
        pair.load(start)
        done = _Run(program, data, pair, folder, reporter, every_s).finish(start.standing)
        final = pair.rtl.read_weights()
    finally:
        pair.rtl.close()
    seconds, s = time.monotonic() - began, start.standing
    health = examine(program, data, s.accuracy, s.clipped, initial_image(program), final)
    for sentence in health.warnings:
        reporter.say(f"warning: {sentence}")
    return Trained(config, program, s, final, fingerprint(s, final), config.training.epochs * len(data.train), seconds,
                   done, health, doubts)


class _Run:
    """One process's part of a training."""

    def __init__(self, program: Program, data: Dataset, pair: _Pair, folder: Path, reporter: Reporter,
                 every_s: float) -> None:
        self._every_s = every_s
        self._program, self._data, self._pair = program, data, pair
        self._folder, self._reporter = folder, reporter
        self._chunk = int(np.clip((1 << 22) // np.prod(pair.golden.weights.shape), 4, 64))
        self._saved = time.monotonic()

    def finish(self, standing: Standing) -> int:
        """Run every piece that is left; the training samples done here."""
        epochs, done = self._program.config.training.epochs, 0
        size = len(self._data.train) + len(self._data.test)
        start = standing.epoch * size + min(standing.piece * self._chunk, size)
        with self._reporter.task("training on the RTL, compared", epochs * size, start) as task:
            while standing.epoch < epochs:
                pieces = list(self._pieces(standing.epoch))
                while standing.piece < len(pieces):
                    piece = pieces[standing.piece]
                    self._advance(piece, standing)
                    done += piece.job.count if piece.labels is None else 0
                    before = sum(p.job.count for p in pieces[:standing.piece])
                    self._show(task, standing, standing.epoch * size + before)
                standing.accuracy.append(standing.correct / len(self._data.test))
                standing.end_epoch()
                standing.epoch, standing.piece, standing.correct = standing.epoch + 1, 0, 0
                self._save(standing)
        return done

    def _pieces(self, epoch: int) -> Iterator[Piece]:
        """The pieces of an epoch: the training set in its order, then the test set."""
        c, d = self._program.config.training, self._data
        for entry, part in (("train", d.train.take(epoch_order(len(d.train), c.seed, epoch))), ("predict", d.test)):
            every = c.refresh if entry == "train" and c.refresh else len(part)
            for first, end in spans(len(part), self._chunk, every):
                some = part.take(np.arange(first, end))
                job = Job(self._program, entry, self._pair.golden.weights, codes(self._program, some, entry == "train"),
                          halvings(c, epoch))
                yield Piece(job, None if entry == "train" else some.labels,
                            entry == "train" and c.refresh > 0 and end % c.refresh == 0)

    def _advance(self, piece: Piece, standing: Standing) -> None:
        """One piece on both sides, compared; a checkpoint when it is time."""
        before = self._pair.golden.weights.copy()
        rtl, golden = self._pair.rtl.run(piece.job), self._pair.golden.run(piece.job)
        comparison = compare(self._program, golden, rtl)
        if comparison.first:
            waveform = record(replace(piece.job, weights=before), golden, comparison.first, self._folder)
            raise Mismatch(f"epoch {standing.epoch + 1}, piece {standing.piece + 1}: {comparison.first} Waveform of "
                           f"that sample: {waveform}")
        standing.add(comparison)
        if piece.labels is None:
            standing.count({n: v for n, v in rtl.counters.items() if n not in HOST})
        else:
            answers = rtl.outputs[ends(self._program.layout.network)[1]]
            standing.correct += int(np.count_nonzero(answers.argmax(1) == piece.labels))
        if piece.refresh:
            for side in (self._pair.rtl, self._pair.golden):
                side.refresh()
        standing.piece += 1
        if time.monotonic() - self._saved > self._every_s:
            self._save(standing)

    def _save(self, standing: Standing) -> None:
        if self._program.machine.tile == "analog":
            return
        self._pair.checkpoint(standing).save(self._folder, self._program)
        self._saved = time.monotonic()

    @staticmethod
    def _show(task: Task, standing: Standing, done: int) -> None:
        accuracy = f", accuracy {standing.accuracy[-1]:.4f}" if standing.accuracy else ""
        task.advance(done, f"epoch {standing.epoch + 1}, {sum(standing.words.values()):,} words, "
                     f"{sum(standing.mismatches.values())} mismatches{accuracy}")


def spans(count: int, chunk: int, every: int) -> list[tuple[int, int]]:
    """0 .. ``count`` in pieces of at most ``chunk`` that end wherever ``every`` ends."""
    ends = sorted({*range(every, count, every), count} | {start + k for start in range(0, count, every)
                                                           for k in range(chunk, every, chunk) if start + k < count})
    return list(zip([0, *ends[:-1]], ends))


def _start(program: Program, folder: Path, resume: bool, restart: bool) -> Checkpoint:
    """The checkpoint to go on from, or the seeded start."""
    if resume and not Checkpoint.exists(folder):
        raise BadInput(f"{folder} holds no checkpoint to resume; leave --resume out, or give the --out of the run "
                       "that was stopped.")
    if resume:
        return Checkpoint.load(folder, program)
    if Checkpoint.exists(folder) and not restart:
        raise BadInput(f"{folder} holds the checkpoint of a training that has not ended; go on with --resume or "
                       "discard it with --restart.")
    Checkpoint.remove(folder)
    return Checkpoint(Standing(), initial_image(program), golden.Session(program).rows())

