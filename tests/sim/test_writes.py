"""The sequence of writes: equal on both sides without barriers, and a difference in the words of the other comparison.

Without it a machine that never stands still could not be compared but at its end.
"""

from copy import deepcopy
from functools import cache

import numpy as np
import pytest
from helpers import layered, random_samples

from golden.session import initial_image
from golden.trace import Job
from hebbar.compiler.program import compile_config
from hebbar.contract.effects import Resource
from hebbar.verify.random_programs import random_cases
from sim.backends import golden, pysim
from sim.compare import compare
from sim.writes import WRITTEN, compare_writes, golden_writes

EVERYWHERE = [resource for resource in WRITTEN if resource is not Resource.INTEGRAL]
"""What every machine writes."""


@cache
def trained():
    """Two samples of a small training whose loop an EXIT may leave, held back by the host."""
    program = compile_config(layered([5, 4, 3], rule={"steps": 2, "tolerance": 0.01}, row_tiles=2, energy=True))
    samples = random_samples(program, "train", 2, seed=1)
    job = Job(program, "train", initial_image(program), samples, stall=0.3, seed=2)
    return job, pysim.run(job).writes


def test_every_write_is_compared():
    job, writes = trained()
    result = compare_writes(job, writes)
    assert result.first is None and result.total_mismatches == 0
    assert all(result.words[f"writes of {r}"] for r in EVERYWHERE) and result.words["decisions"]
    assert set(writes.final) == {*EVERYWHERE, Resource.FEEDBACK}


def test_random_programs_write_the_same():
    """Sweeps with any flags, separations into states and errors, loops and exits."""
    case = next(random_cases("rows 2 x 4", seed=7))
    trace = pysim.run(case.job)
    result = compare_writes(case.job, trace.writes)
    assert result.first is None and result.total_mismatches == 0 and result.total_words > 500
    assert compare(case.job.program, golden.run(case.job), trace).first is None


@pytest.mark.parametrize("resource", EVERYWHERE)
def test_one_write_that_differs_is_found_among_all(resource):
    """Another value; then none; then two of an element in the other order."""
    job, true = trained()
    _, operations, when = golden_writes(job)
    places, values = true.places[resource]
    n = len(places) // 2
    changed = deepcopy(true)
    changed.places[resource][1][n] += 1
    result = compare_writes(job, changed)
    assert result.mismatches[f"writes of {resource}"] == 1 == result.total_mismatches
    assert result.first.rtl == result.first.golden + 1 == values[n] + 1
    k = int((places[:n] == places[n]).sum())
    expected = [o for p, o in zip(golden_writes(job)[0].places[resource][0], operations[resource], strict=True)
                if p == places[n]][k]
    assert result.first.operation.startswith(f"address {when[expected][0]} SWEEP")
    assert result.first.sample == when[expected][1]

    lost = deepcopy(true)
    last = int(np.flatnonzero(places == places[n])[-1])
    lost.places[resource] = tuple(np.delete(column, last) for column in true.places[resource])
    result = compare_writes(job, lost)
    assert (result.first.rtl, result.total_mismatches) == ("not written", 1)

    same = np.flatnonzero((places == places[n]) & (values != values[n]))
    swapped = deepcopy(true)
    if same.size:
        swapped.places[resource][1][[n, same[0]]] = values[[same[0], n]]
        assert compare_writes(job, swapped).total_mismatches == 2


def test_a_write_too_many_the_end_and_decisions_are_compared():
    job, true = trained()
    more = deepcopy(true)
    more.places[Resource.STATE] = tuple(np.append(column, column[-1]) for column in true.places[Resource.STATE])
    assert compare_writes(job, more).first.golden == "not written"
    for resource in true.final:
        other = deepcopy(true)
        other.final[resource][0] ^= 1
        result = compare_writes(job, other)
        assert result.mismatches[f"final {resource}"] == 1 and result.first.operation == "at the end"
    other = deepcopy(true)
    other.decisions[0] ^= True
    result = compare_writes(job, other)
    assert result.mismatches["decisions"] == 1 and "decisions of EXITs is [" in str(result.first)
