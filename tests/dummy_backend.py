"""A backend that ``sim/`` does not know: the NumPy blocks of the golden machine, recorded by a loop of its own."""

from pathlib import Path

from golden.machine import Machine
from golden.trace import Recorder
from hebbar.compiler.cycles import Cycles

built: list[Path] = []
"""Folders that ``prepare`` was given."""


def prepare(program, folder, announce=True):
    """A machine with the program loaded."""
    built.append(folder)
    return Machine(program)


def run(job, model, progress=None):
    """Run the job and record every barrier."""
    recorder = Recorder(job.program)

    def observe(pc, machine):
        recorder.barrier(pc, lambda: (machine.state, machine.error, machine.activity), lambda: machine.weights)

    model.load(job.weights)
    model.set_rates(job.halvings)
    outputs = model.run(job.entry, job.samples, observe)
    counters = model.counters.read() | Cycles(job.program).run(job.entry, job.count)
    if progress:
        progress(job.count)
    return recorder.trace(model.weights, outputs, counters)
