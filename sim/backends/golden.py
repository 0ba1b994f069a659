"""The golden machine as a backend: cycles from the cycle model, the rest from NumPy."""

import numpy as np

from golden.machine import Machine
from hebbar.cycles import Cycles

from ..trace import Job, Recorder, Trace

__all__ = ["run"]


def run(job: Job) -> Trace:
    """Run a job on the golden machine."""
    machine, recorder = Machine(job.program), Recorder(job.program)
    machine.tile.weights[...] = job.weights
    machine.set_rates(job.halvings)

    def observe(pc: int, m: Machine) -> None:
        recorder.fence(pc, lambda: (m.state, m.error, m.activity), lambda: m.tile.weights)

    outputs = machine.run(job.entry, job.samples, observe if job.steps else None)
    samples = len(next(iter(job.samples.values())))
    counters = machine.counters.read() | Cycles(job.program).run(job.entry, samples)
    return recorder.trace(machine.tile.weights.astype(np.int32), outputs, counters)
