"""Samples that take turns between two places of an input, on the RTL: values, activities, counters and cycles.

Without it the golden machine and the RTL could leave a loop of several turns by different ways.
"""

from dataclasses import replace

import pytest

from golden.learning.training import data_of
from golden.session import initial_image
from hebbar.compiler.config import load
from hebbar.compiler.cycles import Cycles
from hebbar.compiler.pipelining import arrangements
from hebbar.compiler.program import compile_config
from hebbar.contract.counters import CYCLES
from sim.backends import fast, golden, pysim
from sim.compare import compare
from sim.experiment import replay_job
from sim.write_hashes import compare_hashes


def turning(name):
    """A program of a preset whose samples take turns, the shortest that was looked at."""
    tried = [p for p in arrangements(compile_config(load(name)), 3) if p.second]
    return min(tried, key=lambda program: sum(Cycles(program).each("train").values()))


def job_of(program, samples):
    return replay_job(program, data_of(program), initial_image(program), samples)


def agrees(job, trace):
    """Everything recorded, every counter, and the cycles of the model."""
    result = compare(job.program, golden.run(job), trace)
    assert result.first is None, result.first
    counted = Cycles(job.program).run("train", job.count)
    assert {n: trace.counters[n] for n in CYCLES} == {n: counted[n] for n in CYCLES}


@pytest.mark.parametrize("samples", [1, 2, 3, 4])
def test_values_and_cycles_are_those_of_the_golden_machine(samples):
    """On Amaranth's simulator, where a sweep or an IN that overtakes is told: both tails, behind either turn."""
    job = job_of(turning("tiny"), samples)
    agrees(job, pysim.run(job))


@pytest.mark.parametrize("samples", [1, 2, 5, 6])
def test_digits_agrees_on_the_fast_shell(models, samples):
    """Every element's writes too, as hashes."""
    job = replace(job_of(turning("digits"), samples), steps=False, hashes=True)
    trace, want = fast.run(job, fast.prepare(job.program, models)), golden.run(job)
    agrees(job, trace)
    assert want.hashes and trace.hashes and not compare_hashes(job.program, want.hashes, trace.hashes).total_mismatches
