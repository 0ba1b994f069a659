"""The fast shell by its sequence of writes: hashes equal to the golden machine's, and every write where they differ.

Memories at barriers cannot tell a wrong value that the right one is written over, and a chained program has no barriers
but its end.
"""

from dataclasses import replace
from functools import partial

import numpy as np
import pytest
from helpers import layered, random_samples, random_weights

from golden.image import to_image
from golden.session import initial_image
from golden.trace import Job
from hebbar.compiler.chaining import chained
from hebbar.compiler.config import load
from hebbar.compiler.program import compile_config
from hebbar.contract.console import Reporter
from hebbar.contract.effects import Resource
from hebbar.contract.isa import Op, Sweep, decode, encode
from sim import training
from sim.backends import fast, golden
from sim.compare import compare
from sim.cosimulate import cosimulate
from sim.pair import Pair
from sim.simulate import job_of
from sim.write_hashes import compare_hashes, compared
from sim.writes import compare_writes

ROWS = (Resource.STATE, Resource.ERROR, Resource.ACTIVITY, Resource.BASE)


def tiny(samples=4, **rule):
    program = compile_config(load("tiny").replace(rule=rule))
    return replace(job_of(program, training.task_of(program), "train", samples, initial_image(program)), steps=False,
                   hashes=True)


def array_job():
    """Weights that are registers, which have no port: the machine of ``test_shell``."""
    program = compile_config(layered([6, 5, 3], tile="array", row_tiles=2, max_columns=2, weight_words=12))
    image = to_image(program.layout, random_weights(program, 1, 0.5))
    return Job(program, "train", image, random_samples(program, "train", 4, 2), steps=False, hashes=True)


JOBS = {"drained": tiny, "chained": partial(tiny, schedule="chained"), "every step learns": partial(tiny, name="ipc"),
        "deltas": partial(tiny, name="backprop"),
        "stalled": lambda: replace(tiny(schedule="chained"), stall=0.6, seed=3), "array": array_job}


@pytest.mark.parametrize("name", JOBS)
def test_hashes_are_those_of_the_golden_machine(models, name):
    """Without it a write could be lost, looked at in the wrong cycle, or taken twice where the host stalls."""
    job = JOBS[name]()
    rtl = fast.run(job, fast.prepare(job.program, models))
    memories = ROWS if name == "array" else (*ROWS, Resource.WEIGHT)
    assert set(rtl.hashes.elements) == set(memories)
    assert (rtl.counters["stall_in"] > 0) == (name == "stalled")
    for engine in ("numpy", "compiled"):
        result = compared(job, golden.run(job, engine), rtl, again=None)
        assert result.first is None and result.total_mismatches == 0
        assert all(result.words[f"writes of {r}"] or r is Resource.BASE for r in memories)


def test_every_write_of_a_log_is_one_of_the_golden_machine(models):
    """Without it the first difference could be one of the log's own."""
    job = tiny(2, schedule="chained")
    told = fast.writes(job, fast.prepare(job.program, models))
    result = compare_writes(job, told)
    assert result.total_mismatches == 0 and set(told.places) == {*ROWS, Resource.WEIGHT}
    assert all(result.words[f"final {r}"] for r in ("state", "error", "activity", "weight"))


TRUE, OTHER = Sweep.FWD | Sweep.ERR, Sweep.BASE | Sweep.ERR
"""Errors against the predictions of weights, and against bases, which are zero."""


def rewritten(program, *flags):
    """A program that computes the errors of a population of each sample once for each of these ``flags``."""
    code = [decode(word) for word in program.words]
    block = next(c.fields["block"] for c in reversed(code) if c.op is Op.SWEEP and c.fields["flags"] & Sweep.UPD)
    first = program.entries["train"]
    head = [w for w, c in zip(program.words[first:], code[first:]) if c.op in (Op.LOOP, Op.IN)][:3]
    sweeps = [encode(Op.SWEEP, block=block, flags=int(f)) for f in flags]
    body = (*head[1:], encode(Op.WAIT), *sweeps, encode(Op.NEXT), encode(Op.HALT))
    loop = encode(Op.LOOP, register=1, end=len(body))
    return replace(program, words=(loop, *body), entries={"train": 0}, outputs={"train": ()},
                   inputs={"train": program.inputs["train"]})


DEFECTS = {
    "a wrong value, and the right one over it": ((TRUE, TRUE), (OTHER, TRUE)),
    "two writes in the other order": ((OTHER, TRUE, TRUE), (TRUE, OTHER, TRUE)),
    "a write of what is there already is missing": ((TRUE, TRUE), (TRUE,)),
    "a write of what is there already is too many": ((TRUE,), (TRUE, TRUE))}


@pytest.mark.parametrize("schedule", ["drained", "chained"])
@pytest.mark.parametrize("name", DEFECTS)
def test_what_the_end_does_not_show_is_told_in_words(models, name, schedule):
    """The RTL runs a program that ends in the same memories, as a machine would that writes otherwise on the way."""
    job, ways = tiny(1), DEFECTS[name]
    mine, theirs = (replace(job, program=rewritten(job.program, *flags)) for flags in ways)
    if schedule == "chained":
        mine, theirs = (replace(j, program=chained(j.program)) for j in (mine, theirs))
    library = fast.prepare(job.program, models)
    rtl, expected = fast.run(theirs, library), golden.run(mine)
    assert not any(compare(mine.program, expected, rtl).mismatches[n] for n in ("final", "state", "error", "activity"))
    found = compared(mine, expected, rtl, partial(fast.writes, theirs, library))
    assert found.mismatches["writes of error"] and not found.mismatches["writes of state"]
    first = found.first
    assert (first.sample, first.signal[:12]) == (0, "error of x1[") and " SWEEP x1 " in first.operation
    assert (first.golden == "not written", first.rtl == "not written") == ("too many" in name, "missing" in name)
    assert first.golden != first.rtl


def test_a_piece_is_run_again_from_where_it_began(models, monkeypatch):
    """Without it the first difference of a later piece would be that of a machine which has learned nothing yet; the
    states of x1 go on from one sample to the next."""
    job = tiny(2)
    program = rewritten(job.program, TRUE | Sweep.STEP)
    job, library = replace(job, program=program), fast.prepare(program, models)
    pair = Pair(program, library)
    for side in (pair.rtl, pair.golden):
        side.load(job.weights)
    assert pair.run(job).comparison.first is None
    rows = {mem: values.copy() for mem, values in pair.golden.rows().items()}
    run, given = pair.rtl.run, []

    def another_hash(job):
        trace = run(job)
        trace.hashes.elements[Resource.ERROR][0] ^= 1
        return trace

    def writes(*asked):
        given.append((*asked, fast_writes(*asked)))
        return given[0][-1]

    fast_writes = fast.writes
    monkeypatch.setattr(pair.rtl, "run", another_hash)
    monkeypatch.setattr(fast, "writes", writes)
    first = pair.run(job).comparison.first
    pair.rtl.close()
    ((again, _, began, told),) = given
    assert first.signal.startswith("the hash of the writes of error of "), "the second run tells no difference"
    assert all(np.array_equal(rows[mem], values) for mem, values in began.items()) and len(began) == 3
    assert compare_writes(again, told).first.signal.startswith("state of x1[")


def test_decisions_and_counts_are_compared():
    """Without it an EXIT that leaves after its last round, or a write too many that cancels in a hash, would pass."""
    job = tiny(1)
    hashes = golden.run(job).hashes
    for other, signal in (
            (replace(hashes, decisions=[True]), "the list of the decisions of EXITs"),
            (replace(hashes, counts=hashes.counts | {Resource.BASE: 1}), "the number of writes of base")):
        result = compare_hashes(job.program, hashes, other)
        assert result.total_mismatches == 1 and result.first.signal == signal
    elements = hashes.elements | {Resource.WEIGHT: hashes.elements[Resource.WEIGHT] ^ 1}
    result = compare_hashes(job.program, hashes, replace(hashes, elements=elements))
    assert result.total_mismatches == elements[Resource.WEIGHT].size
    assert result.first.signal == "the hash of the writes of weight x0[0] to x1[0]"


def test_a_training_is_compared_by_its_writes(models, tmp_path):
    """Without it --writes would be an option of the command alone; the second piece begins where the first ended."""
    config = load("tiny").replace(rule={"schedule": "chained"}, training={"epochs": 1})
    run = partial(training.train, config, tmp_path, Reporter(quiet=True), build=models, quick=True)
    done, plain = run(writes=True), run(restart=True)
    assert done.fingerprint != plain.fingerprint and np.array_equal(done.weights, plain.weights)
    assert done.state.accuracy == plain.state.accuracy and not sum(done.state.mismatches.values())
    assert done.state.words["writes of weight"] == (16 * 16 + 16 * 10) * done.samples


def test_cosimulation_on_the_fast_shell_compares_writes(models):
    """Without it ``cosimulate`` would look at memories at barriers alone."""
    job = replace(tiny(2, schedule="chained"), steps=True)
    check = cosimulate(job, "fast", models, Reporter(quiet=True))
    assert check.mismatches == 0 and check.words > sum(golden.run(job).hashes.counts.values())
