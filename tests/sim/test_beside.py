"""INs that go on beside sweeps: the same values, cycles as modelled, and what may not run beside one is told."""

from dataclasses import replace

import pytest

from golden.learning.training import data_of
from golden.session import initial_image
from hebbar.compiler.chaining import chained
from hebbar.compiler.config import load
from hebbar.compiler.cycles import Cycles
from hebbar.compiler.program import compile_config
from hebbar.contract.beside import passes
from hebbar.contract.counters import CAUSES, CYCLES
from hebbar.contract.errors import Mismatch
from hebbar.contract.isa import Op, Sweep, decode, encode
from hebbar.contract.memories import Mem
from sim.backends import fast, golden, pysim, verilator
from sim.compare import compare
from sim.experiment import replay_job


def job_of(name, schedule, samples=3):
    program = compile_config(load(name).replace(rule={"schedule": schedule}))
    return replay_job(program, data_of(program), initial_image(program), samples)


@pytest.mark.parametrize("name, schedule", [("tiny", "pipelined"), ("digits", "pipelined")])
def test_values_are_those_of_the_golden_machine_and_cycles_those_of_the_model(name, schedule):
    """On Amaranth's simulator, where a sweep or an IN that overtakes is told."""
    job = job_of(name, schedule)
    assert job.program.beside
    trace = pysim.run(job)
    result = compare(job.program, golden.run(job), trace)
    assert result.first is None, result.first
    counted = Cycles(job.program).run("train", job.count)
    assert {n: trace.counters[n] for n in CYCLES} == {n: counted[n] for n in CYCLES}


@pytest.mark.parametrize("stall", [0.3, 0.9])
def test_a_host_that_stalls_changes_no_value(models, stall):
    """The input may take longer than all that goes on beside it; cycles by cause are then the host's, and their sum is
    no less than what the model has."""
    job = replace(job_of("digits", "pipelined", 6), stall=stall, seed=5)
    trace = verilator.run(job, verilator.prepare(job.program, models))
    want = golden.run(job)
    result = compare(job.program, want, trace)
    assert result.first is None, result.first
    assert "drain" not in want.counters and "issue_1" in want.counters and trace.counters["stall_in"] > 10
    counted = Cycles(job.program).run("train", job.count)
    assert sum(trace.counters[n] for n in CAUSES) > sum(counted[n] for n in CYCLES)


def test_inputs_of_a_sample_move_beside_the_updates_of_the_one_before():
    """Most of their cycles, and the drain before them, are gone."""
    program = compile_config(load("mnist").replace(rule={"schedule": "pipelined"}))
    code = [decode(word) for word in program.words]
    assert any(passes(code[at + 1]) and code[at + 1].op is Op.SWEEP for at in program.beside)
    drained = compile_config(load("mnist"))
    assert Cycles(drained).each("train")["stream"] > 200 and Cycles(program).each("train")["stream"] < 20


@pytest.mark.parametrize("between", [False, True])
def test_an_in_goes_on_behind_its_wait_alone(between, models):
    """An instruction between the two, here a LOOP, and the IN drains: in the RTL and in the model."""
    whole = job_of("tiny", "drained", 1)
    program = whole.program
    code = [decode(word) for word in program.words]
    moves = next(at for at, one in enumerate(code) if one.op is Op.IN and one.fields["memory"] == Mem.ACTIVITY)
    reads = encode(Op.SWEEP, **next(c for c in code if c.op is Op.SWEEP).fields | {"flags": Sweep.FWD | Sweep.HOIST})
    inside = encode(Op.IN, **code[moves].fields | {"last": 1}), reads
    words = (reads, encode(Op.WAIT, gap=5), *((encode(Op.LOOP, end=6, count=1), *inside, encode(Op.NEXT)) if between
                                              else inside), encode(Op.HALT))
    (transfer,) = (t for t in program.inputs["train"] if t.memory is Mem.ACTIVITY)
    program = replace(program, words=words, entries={"train": 0}, inputs={"train": (transfer,)}, outputs={"train": ()})
    job = replace(whole, program=program, samples={transfer.key: whole.samples[transfer.key]}, steps=False)
    counters = fast.run(job, fast.prepare(program, models)).counters
    counted = Cycles(program).run("train", 1)
    assert {n: counters[n] for n in CYCLES} == {n: counted[n] for n in CYCLES}
    assert bool(program.beside) is not between


def test_an_in_beside_what_needs_it_is_told():
    """An IN that changes places with the update before it begins while activities are still written, through the port
    that it takes, and overwrites what the update reads."""
    job = job_of("digits", "pipelined", 2)
    words, code = list(job.program.words), [decode(word) for word in job.program.words]
    at = next(at for at in job.program.beside
              if code[at - 2].op is Op.SWEEP and code[at].fields["memory"] == Mem.ACTIVITY)
    words[at - 2:at + 1] = words[at - 1], words[at], words[at - 2]
    with pytest.raises(Mismatch, match=r"word \d+ of activity"):
        pysim.run(replace(job, program=replace(job.program, words=tuple(words))))


def test_a_sweep_that_reaches_what_an_in_moves_drains_it():
    """Hardware holds back what writes states or activities; for all else the program has to drain."""
    whole = compile_config(load("digits"))
    code = [decode(word) for word in whole.words]
    moves = next(at for at, one in enumerate(code) if one.op is Op.IN and one.fields["memory"] == Mem.ACTIVITY)
    first = next(one for one in code if one.op is Op.SWEEP)
    reads = encode(Op.SWEEP, **first.fields | {"flags": Sweep.FWD | Sweep.ERR})
    words = (whole.words[moves], reads, reads, encode(Op.HALT))
    program = chained(replace(whole, words=words, entries={"train": 0}), beside=True)
    assert [str(decode(word)).split(" block")[0] for word in program.words] == [
        "WAIT gap 1", str(code[moves]), "WAIT gap 0", "SWEEP", "SWEEP", "HALT"]
