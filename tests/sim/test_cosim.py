"""Co-simulation: the exported Verilog under Verilator and cocotb, driven through its buses."""

import numpy as np
import pytest
from test_energy import units_job

from golden.learning.training import codes, data_of
from golden.session import initial_image
from golden.trace import Job, Trace
from hebbar.compiler.config import load
from hebbar.compiler.cycles import Cycles
from hebbar.compiler.program import compile_config
from hebbar.contract.counters import CYCLES, HOST
from sim.backends import golden, verilator
from sim.compare import compare, nonzero_updates
from sim.experiment import predict_job, replay_job
from sim.wave import record, sample_job

SAMPLES = 12


def job_of(rule: str, **changes) -> Job:
    config = load("tiny").replace(rule={"name": rule})
    program = compile_config(config)
    job = replay_job(program, data_of(program), initial_image(program), SAMPLES)
    return Job(**(job.__dict__ | changes))


@pytest.mark.parametrize("rule, stall", [("il", 0.4), ("ipc", 0.0), ("zil", 0.0), ("backprop", 0.4)])
def test_training_agrees_word_for_word(models, rule, stall):
    """Without it the RTL in Verilator could differ from the RTL in Amaranth's simulator, or depend
    on how fast the host is."""
    job = job_of(rule, stall=stall, seed=3)
    trace = verilator.run(job, verilator.prepare(job.program, models))
    result = compare(job.program, golden.run(job), trace)
    assert result.first is None, result.first
    assert result.words["weights"] and nonzero_updates(trace, job.weights) > 100
    assert (trace.counters["stall_in"] > 50) == bool(stall)


@pytest.mark.parametrize("tolerance", [0, 40_000_000])
def test_the_units_agree_and_the_decisions_are_kept(models, tmp_path, tolerance):
    """Without it a SEPARATE or an EXIT could go another way in the Verilog, or the trace forget which."""
    job = units_job(tolerance=tolerance)
    want, trace = golden.run(job), verilator.run(job, verilator.prepare(job.program, models))
    result = compare(job.program, want, trace)
    assert result.first is None and result.words["state"] and trace.counters["exits"] == sum(want.decisions) > 0
    want.save(tmp_path / "trace.npz")
    kept = Trace.load(tmp_path / "trace.npz")[0]
    assert np.array_equal(kept.decisions, want.decisions) and kept.decisions.dtype == bool
    counted = Cycles(job.program).run("train", job.count, kept.decisions.tolist())
    assert all(counted[name] == trace.counters[name] for name in CYCLES) and counted["separate"] > 0


def test_a_difference_after_a_separate_is_laid_to_it():
    """Without it the words would blame a sweep that wrote nothing of the kind."""
    job = units_job()
    trace, wrong = golden.run(job), golden.run(job)
    last, x2 = len(trace.pc) - 1, job.program.layout.places["x2"]
    for name, barrier, operation in (("state", last, "SEPARATE x2 SOFTMAX into STATE"),
                                   ("error", last, "SEPARATE x2 MAX into ERROR")):
        getattr(wrong, name)[barrier, x2.word * 4 + 1] ^= 1
        first = compare(job.program, trace, wrong).first
        assert first is not None and first.signal == f"{name} of x2[1]" and operation in first.operation
        getattr(wrong, name)[barrier, x2.word * 4 + 1] ^= 1


def test_answers_agree_and_leave_over_the_stream(models):
    """Without it predictions could be right in memory and wrong on the bus."""
    config = load("tiny")
    program = compile_config(config)
    data = data_of(program)
    job = predict_job(program, data, initial_image(program))
    trace = verilator.run(job, verilator.prepare(program, models))
    result = compare(program, golden.run(job), trace)
    assert result.first is None and trace.outputs["x2"].shape == (360, 10)


def test_a_difference_is_named_and_its_waveform_recorded(models, tmp_path):
    """Without it a user would know that something differs, but not where to look."""
    job = job_of("il")
    trace = golden.run(job)
    wrong = golden.run(job)
    barrier = int(np.flatnonzero(wrong.pc == wrong.pc[0])[5]) + 1
    place = job.program.layout.places["x2"]
    wrong.error[barrier, place.word * job.program.machine.lanes + 7] ^= 1
    first = compare(job.program, trace, wrong).first
    assert first is not None
    assert (first.sample, first.signal) == (5, "error of x2[7]") and "SWEEP x2" in first.operation
    wave = record(job, trace, first, tmp_path, build=models)
    assert wave.name == "sample_5.vcd"
    text = wave.read_text()
    assert "row_valid" in text and "$enddefinitions" in text


def test_one_sample_alone_repeats_its_part_of_the_run():
    """Without it the recorded waveform could show another state of the weights."""
    job = job_of("ipc")
    trace = golden.run(job)
    alone = golden.run(Job(**(sample_job(job, trace, 4).__dict__ | {"steps": True})))
    end = np.flatnonzero(trace.pc == trace.pc[0])[5] - 1
    assert np.array_equal(alone.error[-1], trace.error[end])
    assert np.array_equal(alone.state[-1], trace.state[end])
    assert np.array_equal(alone.final, trace.weights[list(trace.weight_barrier).index(end)])
    for unrecorded in (golden.run(Job(**(job.__dict__ | {"steps": False}))), trace):
        assert np.array_equal(sample_job(job, unrecorded, 0).weights, job.weights)
        assert np.array_equal(sample_job(job, unrecorded, 4).weights, sample_job(job, trace, 4).weights)


def test_the_counters_do_not_depend_on_the_host(models):
    """Without it a cycle count would change from run to run."""
    model = verilator.prepare(job_of("il").program, models)
    counts = [verilator.run(job_of("il", stall=s, seed=s0, steps=False), model).counters
              for s, s0 in ((0.0, 0), (0.5, 1))]
    for name in counts[0]:
        if name not in HOST:
            assert counts[0][name] == counts[1][name], name


def test_codes_are_what_the_machine_is_given():
    """Without it float and fixed point would be trained on different data."""
    config = load("tiny")
    program = compile_config(config)
    data = data_of(program)
    given = codes(program, data.train, training=True)
    assert np.array_equal(given["x0"] / 128, data.train.inputs_float)
    assert np.array_equal(given["x2"] / 4096, data.train.targets)
