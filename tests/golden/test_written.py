"""What the golden machines say that they have written, in hashes: NumPy and compiled code against the definition.

Without it a run on the RTL could be compared with hashes of other writes, or of fewer.
"""

from dataclasses import replace

import numpy as np
import pytest
from helpers import layered, random_samples, random_weights

from golden.image import to_image
from golden.session import Session
from golden.trace import Job
from hebbar.compiler.config import load
from hebbar.compiler.program import compile_config
from hebbar.contract.effects import Resource
from hebbar.contract.write_hash import FACTOR, STEP
from hebbar.verify.random_programs import random_cases
from sim.writes import golden_writes


def job_of(config, samples=3):
    program = compile_config(config)
    image = to_image(program.layout, random_weights(program, 1, 0.5))
    return Job(program, "train", image, random_samples(program, "train", samples, 2), steps=False, hashes=True)


JOBS = {
    "wide bases": lambda: job_of(layered([6, 5, 3], rule={"steps": 2}, row_tiles=2, row_sum_bits=40)),
    "narrow bases": lambda: job_of(layered([6, 5, 3], rule={"steps": 2}, row_tiles=2, row_sum_bits=30)),
    "every step learns": lambda: job_of(layered([6, 5, 3], rule={"name": "ipc", "steps": 3}, row_tiles=2)),
    "exits": lambda: job_of(layered([5, 4, 3], rule={"steps": 2, "tolerance": 0.01}, row_tiles=2, energy=True)),
    "array": lambda: job_of(layered([6, 5, 3], tile="array", row_tiles=2, max_columns=2, weight_words=12)),
    "analog": lambda: job_of(layered([6, 5, 3], tile="analog", row_tiles=2, max_columns=2, weight_words=12,
                                     analog={"control": {"align": 2}})),
    "integrals": lambda: job_of(load("deep").replace(
        network={"layers": [8, 4, 4, 4]}, rule={"alpha_shifts": [8] * 3, "init_scales": [0.2] * 3, "steps": 4},
        machine={"lanes": 4, "row_tiles": 2, "weight_words": 64, "neuron_words": 16}))}


def defined(job):
    """The hashes of every element, of the writes that the golden machine logs, one by one on Python's integers."""
    writes, machine = golden_writes(job)[0], job.program.machine
    neurons = machine.neuron_words * machine.lanes
    found = {}
    for resource, (places, values) in writes.places.items():
        size = machine.weight_words * machine.row_tiles * machine.lanes if resource is Resource.WEIGHT else neurons
        hashes = [0] * size
        wide = resource is Resource.BASE and machine.row_sum_bits > 32
        for at, value in zip(places.tolist(), values.tolist(), strict=True):
            for part in (value % 2**32, (value >> 32) % 2**32)[:1 + wide]:
                hashes[at] = (hashes[at] + part + STEP) * FACTOR % 2**32
        found[resource] = hashes, len(places)
    return found, writes.decisions


@pytest.mark.parametrize("name", JOBS)
def test_both_machines_hash_what_is_written(name):
    """Memories, how often they were written, and decisions; of inputs kept by source and of rows."""
    job = JOBS[name]()
    expected, decisions = defined(job)
    assert bool(decisions) == (name == "exits")
    for engine in ("numpy", "compiled"):
        got = Session(job.program, job.weights, engine).run(job).hashes
        assert got.decisions == decisions
        assert (Resource.INTEGRAL in got.elements) == (name == "integrals")
        assert (Resource.WEIGHT in got.elements) == (name != "analog"), "conductances are no words that are written"
        for resource, hashes in got.elements.items():
            assert hashes.tolist() == expected[resource][0], (engine, resource)
            assert got.counts[resource] == expected[resource][1]
            assert got.counts[resource] or resource is Resource.BASE


def test_any_flags_separations_and_exits_are_hashed():
    """Random programs: a flag that writes what neither schedule of the rules asks for."""
    case = next(random_cases("rows 2 x 4", seed=7))
    job = replace(case.job, hashes=True, steps=False)
    expected, decisions = defined(job)
    got = Session(job.program, job.weights, "numpy").run(job).hashes
    assert got.decisions == decisions
    for resource, hashes in got.elements.items():
        assert hashes.tolist() == expected[resource][0] and got.counts[resource] == expected[resource][1]


def test_a_run_begins_anew_and_changes_nothing():
    """Without it hashes of one piece would depend on those before, or a run on whether it is watched."""
    job = JOBS["narrow bases"]()
    session = Session(job.program, job.weights, "compiled")
    first, plain = session.run(job), Session(job.program, job.weights, "compiled").run(replace(job, hashes=False))
    assert plain.hashes is None and np.array_equal(first.final, plain.final)
    session.load(job.weights)
    again = session.run(job).hashes
    assert all(np.array_equal(again.elements[r], first.hashes.elements[r]) for r in again.elements)
