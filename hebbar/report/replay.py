"""What the report computes anew on the golden machine: network energies and one sample's waveform."""

from dataclasses import dataclass, replace
from functools import cached_property
from hashlib import sha256
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from golden.learning.tasks import LearningTask, task_of
from golden.network_energy import inference_energy, reference_energy
from golden.reference.rules import RULES
from golden.trace import Job, Trace
from hebbar.compiler.program import drained
from hebbar.contract.console import Reporter
from hebbar.contract.errors import BadInput, HebbarError
from hebbar.contract.files import usable, write_text
from sim.backends import golden
from sim.compare import Difference
from sim.experiment import replay_job
from sim.wave import record, sample_job

from .folder import RunFolder

__all__ = ["SAMPLES", "Replay"]

SAMPLES = 8
"""Training samples whose network energy is shown."""


@dataclass(frozen=True)
class Replay:
    """The first training samples of a run, on the golden machine, every step recorded."""

    run: RunFolder
    sample: int
    reporter: Reporter
    out: Path

    @cached_property
    def task(self) -> LearningTask:
        """What the run has learnt."""
        return task_of(self.run.program, quick=self.run.quick)

    def check(self) -> None:
        """Raise BadInput when the run has no such sample; where its data are gone there is nothing to check."""
        try:
            count = self.task.count
        except BadInput:
            return
        if not 0 <= self.sample < count:
            raise BadInput(f"sample is {self.sample}; an epoch of the run has samples 0 to {count - 1}, in the order "
                           "of the first one.")

    @cached_property
    def job(self) -> Job:
        """A job of as many samples as the report shows, up to the chosen one at least, drained between its steps."""
        program, task = drained(self.run.program), self.task
        count = min(max(SAMPLES, self.sample + 1), task.count)
        return replay_job(program, task, task.image(), count)

    @cached_property
    def trace(self) -> Trace:
        self.reporter.say(f"{self.job.count} training samples on the golden machine ...")
        return golden.run(self.job)

    @property
    def shown(self) -> range:
        """Samples of the network energy figure, the chosen one among them."""
        return range(self.job.count)[-SAMPLES:]

    def energies(self) -> NDArray[np.float64]:
        """The network energies of the shown samples: (samples, steps, populations)."""
        program = self.job.program
        return _level([inference_energy(program, self.trace, s) for s in self.shown])

    def references(self) -> NDArray[np.float64]:
        """The energies of the float reference, each sample from the golden model's weights before it; no steps
        for a rule without one."""
        if self.run.config.rule.name not in RULES or self.run.config.rule.source:
            return np.zeros((len(self.shown), 0, 0))
        found = []
        for s in self.shown:
            weights = sample_job(self.job, self.trace, s).weights
            found.append(reference_energy(self.job, np.asarray(weights, np.int64), s))
        return _level(found)

    def waveform(self) -> Path:
        """The VCD of the chosen sample; one that was recorded for this very result is used again.

        Raises HebbarError (MissingTool and others) when it cannot be recorded.
        """
        path = self.out / f"sample_{self.sample}.vcd"
        note, of = path.with_suffix(".of"), sha256((self.run.path / "result.json").read_bytes()).hexdigest()
        if path.is_file() and note.is_file() and note.read_text(encoding="utf-8") == of:
            return path
        with usable(note):
            note.unlink(missing_ok=True)
        self.reporter.say(f"recording the waveform of sample {self.sample} (a simulator with "
                          "waves is built for it once, 10 to 60 s) ...")
        where = Difference(self.sample, "", "", 0, 0)
        try:
            path = record(replace(self.job, program=self.run.program), self.trace, where, self.out)
        except OSError as error:
            raise HebbarError(f"the waveform could not be recorded ({error}).") from None
        write_text(note, of)
        return path


def _level(energies: list[NDArray[np.float64]]) -> NDArray[np.float64]:
    """Samples of different length as one array; one that stopped early stays at its last energy."""
    longest = max(len(e) for e in energies)
    return np.array([np.pad(e, ((0, longest - len(e)), (0, 0)), "edge") if len(e) else e for e in energies])
