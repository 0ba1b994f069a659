"""INs that go on beside sweeps: the same values, cycles as modelled, and what may not run beside one is told."""

from collections import Counter
from dataclasses import replace

import pytest

from golden.learning.training import data_of
from golden.session import initial_image
from hebbar.compiler.chaining import chained
from hebbar.compiler.config import load
from hebbar.compiler.cycles import Cycles
from hebbar.compiler.program import compile_config
from hebbar.contract.counters import CAUSES, CYCLES
from hebbar.contract.errors import Mismatch
from hebbar.contract.isa import Op, Sweep, decode, encode
from hebbar.contract.memories import Mem
from hebbar.contract.timing import RANGE_LATENCY
from sim.backends import fast, golden, pysim, verilator
from sim.compare import compare
from sim.experiment import replay_job


def job_of(name, schedule, samples=3, **machine):
    program = compile_config(load(name).replace(rule={"schedule": schedule}, machine=machine))
    return replay_job(program, data_of(program), initial_image(program), samples)


@pytest.mark.parametrize("name, schedule", [("tiny", "pipelined"), ("digits", "pipelined")])
def test_values_are_those_of_the_golden_machine_and_cycles_those_of_the_model(name, schedule):
    """On Amaranth's simulator, where a sweep or an IN that overtakes is told."""
    job = job_of(name, schedule, 2)
    assert job.program.beside
    trace = pysim.run(job)
    result = compare(job.program, golden.run(job), trace)
    assert result.first is None, result.first
    counted = Cycles(job.program).run("train", job.count)
    assert {n: trace.counters[n] for n in CYCLES} == {n: counted[n] for n in CYCLES}


@pytest.mark.parametrize("stall", [0.3, 0.9])
def test_a_host_that_stalls_changes_no_value(models, stall):
    """The input may take longer than all that goes on beside it; cycles by cause are then the host's, and their sum is
    more than what the model has."""
    job = replace(job_of("digits", "pipelined", 6), stall=stall, seed=5)
    trace = verilator.run(job, verilator.prepare(job.program, models))
    want = golden.run(job)
    result = compare(job.program, want, trace)
    assert result.first is None, result.first
    assert "drain" not in want.counters and "issue_1" in want.counters and trace.counters["stall_in"] > 0
    counted = Cycles(job.program).run("train", job.count)
    assert sum(trace.counters[n] for n in CAUSES) > sum(counted[n] for n in CYCLES)


def test_inputs_of_a_sample_move_beside_the_updates_of_the_one_before():
    """Their cycles, and the drain before them, are gone."""
    program = compile_config(load("mnist").replace(rule={"schedule": "pipelined"}))
    code = [decode(word) for word in program.words]
    assert any(code[at + 1].op is Op.SWEEP for at in program.beside)
    drained = compile_config(load("mnist"))
    assert Cycles(drained).each("train")["stream"] > 200 and not Cycles(program).each("train")["stream"]


@pytest.mark.parametrize("between", [False, True])
def test_an_in_goes_on_behind_its_wait_alone(between, models):
    """An instruction between the two, here a LOOP, and the IN drains: in the RTL and in the model."""
    whole = job_of("tiny", "drained", 1)
    moves, reads = image(whole.program), sweep(whole.program, Sweep.FWD | Sweep.HOIST)
    words = (reads, encode(Op.WAIT, gap=5), *((encode(Op.LOOP, end=6, count=1), moves, reads, encode(Op.NEXT))
                                              if between else (moves, reads)), encode(Op.HALT))
    counters, counted = counts(whole, words, models)
    assert {n: counters[n] for n in CYCLES} == {n: counted[n] for n in CYCLES}
    assert bool(replace(whole.program, words=words).beside) is not between


def test_beats_wait_for_the_rows_that_are_written(models):
    """Rows of a sweep come to the memory in a cycle each, as beats do. An IN that begins in the midst of them ends as
    many cycles after the last row as it has beats, whenever it began; one that begins behind them waits for nothing."""
    whole, ended = job_of("tiny", "drained", 1), []
    writes, moves = sweep(whole.program, Sweep.STEP | Sweep.ACT), image(whole.program)
    for gap in range(1, 28):
        words = (writes, encode(Op.WAIT, gap=gap), moves, encode(Op.HALT))
        counters, counted = counts(whole, words, models)
        assert {n: counters[n] for n in CYCLES} == {n: counted[n] for n in CYCLES}
        ended.append(sum(counted[n] for n in CYCLES))
    block, _ = whole.program.descriptor(decode(writes).fields["block"])
    (_, times), = Counter(ended).most_common(1)
    assert times == block["groups"] + 1 and ended[-1] - ended[-2] == 1


@pytest.mark.parametrize("rows", [2, 4])
def test_beats_wait_for_every_row_group_of_a_wide_pass(rows, models):
    """A sweep with weights writes two rows at a time, in words that a pass of four writes at once: whichever half it
    is, it comes before the host. Values too: where the host were not held, the rows of that cycle would be lost."""
    whole = job_of("tiny", "drained", 1, neuron_rows=rows, row_tiles=2)
    program = whole.program
    last = max(c.fields["block"] for c in map(decode, program.words)
               if c.op is Op.SWEEP and Sweep.FWD in Sweep(c.fields["flags"]))  # its sources are not what the IN moves
    writes = encode(Op.SWEEP, block=last, flags=Sweep.FWD | Sweep.ERR | Sweep.INIT | Sweep.ACT)
    for gap in range(1, 24):
        job = alone(whole, (writes, encode(Op.WAIT, gap=gap), image(program), encode(Op.HALT)))
        found, want = fast.run(job, fast.prepare(job.program, models)), golden.run(job)
        counted = Cycles(job.program).run("train", 1)
        assert {n: found.counters[n] for n in CYCLES} == {n: counted[n] for n in CYCLES}, gap
        assert not compare(job.program, want, found).total_mismatches, gap


def test_a_wait_for_the_input_ends_behind_its_last_beat(models):
    """The range is measured for three cycles, then a beat comes in each; without the field nothing waits for them."""
    whole, totals = job_of("tiny", "drained", 1), []
    writes, moves = sweep(whole.program, Sweep.STEP | Sweep.ACT), image(whole.program)
    for waits in (0, 1):
        counters, counted = counts(whole, (encode(Op.WAIT, gap=1), moves, encode(Op.WAIT, gap=1, input=waits), writes,
                                           encode(Op.HALT)), models)
        assert {n: counters[n] for n in CYCLES} == {n: counted[n] for n in CYCLES}
        totals.append(sum(counted[n] for n in CYCLES))
    beats = -(-decode(moves).fields["count"] // 4)
    assert totals[1] - totals[0] == RANGE_LATENCY + beats


def sweep(program, flags):
    """A SWEEP over the first block of a program that is visited for weights, or for none, with other flags."""
    fields = (c.fields for c in map(decode, program.words) if c.op is Op.SWEEP)
    return encode(Op.SWEEP, **next(f for f in fields if Sweep(f["flags"]).weights == flags.weights) | {"flags": flags})


def image(program):
    """The IN of a sample's activities, which then are all of it."""
    moves = next(c for c in map(decode, program.words) if c.op is Op.IN and c.fields["memory"] == Mem.ACTIVITY)
    return encode(Op.IN, **moves.fields | {"last": 1})


def counts(whole, words, models):
    """The counters of the RTL and of the model after a program that takes the activities of one sample."""
    job = alone(whole, words)
    return fast.run(job, fast.prepare(job.program, models)).counters, Cycles(job.program).run("train", 1)


def alone(whole, words):
    """A job of a program that takes the activities of one sample and nothing else."""
    (transfer,) = (t for t in whole.program.inputs["train"] if t.memory is Mem.ACTIVITY)
    program = replace(whole.program, words=words, entries={"train": 0}, inputs={"train": (transfer,)},
                      outputs={"train": ()})
    return replace(whole, program=program, samples={transfer.key: whole.samples[transfer.key]}, steps=False)


def test_an_in_beside_what_needs_it_is_told():
    """A sweep that does not wait for the input that it reads comes to its words before the host does."""
    whole = job_of("digits", "drained", 1)
    words = (encode(Op.WAIT, gap=1), image(whole.program), sweep(whole.program, Sweep.FWD | Sweep.HOIST),
             encode(Op.HALT))
    with pytest.raises(Mismatch, match=r"reads word \d+ of activity, .* still has to write"):
        pysim.run(alone(whole, words))


def test_a_sweep_that_reaches_what_an_in_moves_waits_for_it():
    """And no other one. Where the next sweep does and nothing is in flight, the IN has nothing to go on beside."""
    whole = compile_config(load("digits"))
    code = [decode(word) for word in whole.words]
    moves = next(at for at, one in enumerate(code) if one.op is Op.IN and one.fields["memory"] == Mem.ACTIVITY)
    first = next(one for one in code if one.op is Op.SWEEP)
    reads = encode(Op.SWEEP, **first.fields | {"flags": Sweep.FWD | Sweep.ERR})
    steps = encode(Op.SWEEP, **first.fields | {"flags": Sweep.STEP | Sweep.ACT})
    for words, want in (((reads,), [str(code[moves]), "SWEEP"]),
                        ((steps, reads), ["WAIT gap 1 input 0", str(code[moves]), "SWEEP", "WAIT gap 1 input 1",
                                          "SWEEP"])):
        program = replace(whole, words=(whole.words[moves], *words, encode(Op.HALT)), entries={"train": 0})
        assert [str(decode(word)).split(" block")[0] for word in chained(program, beside=True).words] == [
            *want, "HALT"]
