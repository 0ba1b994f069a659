"""The waveform of a difference: its sample once more, alone, with every signal recorded."""

from dataclasses import replace
from pathlib import Path

import numpy as np

from golden.session import Session
from golden.trace import Job, Trace
from hebbar.contract.files import BUILD, output_folder

from .backends import verilator
from .compare import Difference
from .defects import Defect

__all__ = ["sample_job", "record"]


def sample_job(job: Job, golden: Trace, sample: int) -> Job:
    """The job of one sample, starting from the weights the golden model had before it: those of its trace where that
    has a barrier of the sample, else those it learns from the samples before."""
    starts = [i for i, pc in enumerate(golden.pc) if pc == golden.pc[0]]
    if sample < len(starts):
        before = [i for i, barrier in enumerate(golden.weight_barrier) if barrier < starts[sample]]
        weights = golden.weights[before[-1]] if before else job.weights
    else:
        earlier = replace(job, steps=False, samples={name: s[:sample] for name, s in job.samples.items()})
        weights = Session(job.program, job.weights).run(earlier).final.astype(np.int64) if sample else job.weights
    return replace(job, weights=weights, steps=False, hashes=False,
                   samples={name: s[sample:sample + 1] for name, s in job.samples.items()})


def record(job: Job, golden: Trace, difference: Difference, folder: Path, defect: Defect | None = None,
           build: Path = BUILD) -> Path:
    """Run the differing sample with waves; returns the VCD. Builds a second model for it, with the
    ``defect`` where one was planted."""
    sample = max(difference.sample, 0)
    model = verilator.prepare(job.program, build, waves=True, defect=defect)
    target = output_folder(folder) / f"sample_{sample}.vcd"
    verilator.run(sample_job(job, golden, sample), model, wave=target)
    return target
