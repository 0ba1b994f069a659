"""One training run on the compiled machine, on NumPy's and on the RTL: shared by the tests of programs."""

from helpers import random_samples, random_weights

from golden.image import to_image
from golden.session import Session
from golden.trace import Job
from hebbar.compiler.cycles import Cycles
from hebbar.contract.counters import CYCLES
from sim.backends import golden, pysim
from sim.compare import compare

__all__ = ["agree"]


def agree(program, least):
    """Two random samples are trained with the same words at every barrier, more than ``least`` of them, and in the
    cycles that the model says; returns the job and what the RTL did."""
    job = Job(program, "train", to_image(program.layout, random_weights(program, 3)),
              random_samples(program, "train", 2, 4))
    want, numpy = golden.run(job), Session(program, engine="numpy")
    numpy.load(job.weights)
    again, got = numpy.run(job), pysim.run(job)
    for other in (again, got):
        found = compare(program, want, other)
        assert found.total_words > least and not found.total_mismatches, found
    assert sum(got.counters[n] for n in CYCLES) == sum(Cycles(program).run("train", 2)[n] for n in CYCLES)
    return job, got
