"""Whole programs on the analog macro: the digital tile when nothing is wrong with it, the RTL when everything is."""

from dataclasses import replace

import helpers
import numpy as np
import pytest

from golden.learning.datasets import epoch_order
from golden.learning.tasks import task_of
from golden.learning.training import codes, data_of, train_fixed
from golden.machine import Machine
from golden.session import initial_image
from golden.trace import Job
from hebbar.compiler.config import load
from hebbar.compiler.cycles import Cycles
from hebbar.compiler.program import compile_config
from hebbar.contract.console import Reporter
from hebbar.contract.counters import CYCLES
from hebbar.contract.errors import BadInput
from hebbar.studies.devices import with_device
from sim import training
from sim.backends import fast, golden, pysim, verilator
from sim.compare import compare, nonzero_updates
from sim.experiment import predict_job, replay_job
from sim.macro import Macro

WIRES = {"model": "exact", "word_resistance": 1.0, "bit_resistance": 1.0, "driver": 30.0, "sense": 5.0}


def program(analog=None, **sections):
    """The preset 'array', on a digital array or with this analog macro."""
    machine = {"tile": "analog", "analog": analog} if analog is not None else {}
    return compile_config(load("array").replace(machine=machine, **sections))


def job_of(p, samples=6) -> Job:
    return replay_job(p, data_of(p), initial_image(p), samples)


def answers_of(p, samples=20) -> Job:
    job = predict_job(p, data_of(p), initial_image(p))
    return replace(job, samples={name: values[:samples] for name, values in job.samples.items()})


def noisy(**control):
    """Every switch on."""
    return helpers.noisy(**{"verify": 3, **control}) | {"wires": WIRES}


@pytest.mark.parametrize("rule", ["il", "ipc", "zil", "backprop"])
@pytest.mark.parametrize("analog", [
    {}, {"device": {"g_min": 3.0, "g_max": 30.0, "coding": "balanced"}}, {"control": {"verify": 4}},
    {"wires": {"model": "exact"}, "converters": {}}])
def test_with_all_switches_off_it_is_the_digital_array(rule, analog):
    """Every state, error, activity, weight and output of training and of answering, whatever the coding of a weight.
    Without it what an imperfection costs could not be told from what the macro itself changes."""
    analog = analog | {"control": {"align": 2} | analog.get("control", {})}
    one, other = (program(a, rule={"name": rule}) for a in (None, analog))
    for make in (lambda p: job_of(p, 40), lambda p: predict_job(p, data_of(p), initial_image(p))):
        want, got = (golden.run(make(p)) for p in (one, other))
        assert [f for f in ("state", "error", "activity", "weights", "final") if
                not np.array_equal(getattr(want, f), getattr(got, f))] == []
        assert all(np.array_equal(want.outputs[k], got.outputs[k]) for k in want.outputs)
    assert nonzero_updates(golden.run(job_of(one, 40)), initial_image(one)) > 100


def test_with_all_switches_off_the_rtl_is_the_digital_array(models):
    """The Verilog of the control, the macro at its pins, against the golden array without one."""
    digital, p = program(), program({"control": {"align": 2}})
    library = fast.prepare(p, models)
    for make in (lambda q: job_of(q, 8), answers_of):
        want, got = golden.run(make(digital)), fast.run(make(p), library)
        for name in ("state", "error", "activity", "weights", "final"):
            assert np.array_equal(getattr(want, name), getattr(got, name)), name
        assert all(np.array_equal(want.outputs[k], got.outputs[k]) for k in want.outputs)
        if make is not answers_of:
            assert nonzero_updates(got, initial_image(p)) > 100


CALIBRATED = {"row_offset": [-9000, 700], "row_gain": [15000, 17777],
              "column_offset": [3, -70000, 0, 9, 1, -1, 65536, 5],
              "column_gain": [16384, 8192, 32767, 16000, 17000, 16383, 16385, 20000]}


@pytest.mark.parametrize("control", [{}, {"update": "deterministic"} | CALIBRATED])
def test_the_rtl_is_the_golden_machine_with_every_switch_on(models, control):
    """Noise, wires, converters and program-and-verify, answered bit by bit at the pins."""
    p = program(noisy(**control))
    job = job_of(p, 8)
    trace, want = fast.run(job, fast.prepare(p, models)), golden.run(job)
    found = compare(p, want, trace)
    assert found.first is None and found.words["weights"] and found.words["final"], found.first
    assert nonzero_updates(trace, job.weights) > 100
    counted = Cycles(p).run("train", job.count)
    assert all(counted[name] == trace.counters[name] for name in CYCLES)


def test_cocotb_answers_the_macro_too(models):
    """However fast the host is: noise depends on what is done, not on when."""
    p = program(noisy())
    job = replace(job_of(p, 4), stall=0.4, seed=5)
    found = compare(p, golden.run(job), verilator.run(job, verilator.prepare(p, models)))
    assert found.first is None and found.words["weights"], found.first


def test_amaranths_simulator_answers_the_macro_too():
    """The Verilog and the Amaranth it came from ask the same."""
    p = program(noisy(pulses=5, row_bits=6, row_step=16), rule={"steps": 2})
    job = job_of(p, 1)
    found = compare(p, golden.run(job), pysim.run(job))
    assert found.first is None and found.words["weights"], found.first


def test_another_seed_is_another_macro_and_the_same_seed_the_same():
    """Without it the comparison above could be one of macros without noise."""
    runs = [golden.run(job_of(program(noisy() | {"seed": seed}))) for seed in (3, 4, 3)]
    p = program(noisy())
    assert compare(p, runs[0], runs[1]).total_mismatches > 1000
    assert not compare(p, runs[0], runs[2]).total_mismatches


@pytest.mark.parametrize("switch, value", [("offset", 0.31), ("inl", 0.31), ("noise", 0.21)])
def test_a_macro_that_differs_a_little_is_found(models, monkeypatch, switch, value):
    """Without it the pins could be left unread: the same control, a converter that is off by 0.01 LSB more."""
    p = program(noisy())
    job, library = job_of(p, 10), fast.prepare(p, models)
    other = noisy()
    other["converters"][switch] = value
    monkeypatch.setattr("sim.shell.host.macro_of", lambda _: Macro(program(other).machine))
    found = compare(p, golden.run(job), fast.run(job, library))
    assert found.first is not None and "sample" in str(found.first)


def test_a_refresh_reads_and_programs_every_weight():
    """A training in pieces is the same pieces by hand; refreshed pairs that only grow have one side at its least, about
    where the weight was. Without it the remedy could be a second training."""
    analog = {"control": {"align": 2}, "update": {"unidirectional": True}, "device": {"g_min": 1.0}}
    p = program(analog, training={"epochs": 1, "refresh": 40, "halve_alpha_at": ()})
    data, machine = data_of(p), Machine(p)
    machine.load(initial_image(p))
    order = epoch_order(len(data.train), p.config.training.seed, 0)
    cells, grown = machine.tile.array.cells, []
    for first in range(0, len(order), 40):
        part = order[first:first + 40]
        machine.run("train", codes(p, data.train.take(part), training=True))
        before = machine.weights.copy()
        grown.append(cells.pair.min(axis=0).max() > cells.least)
        if len(part) == 40:
            machine.load(machine.read_back())
            assert cells.pair.min(axis=0).max() == cells.least and np.array_equal(machine.weights, before)
    assert any(grown)
    assert np.array_equal(train_fixed(p, data).weights, machine.weights)


def test_training_with_refresh_on_the_rtl(models, tmp_path, monkeypatch):
    """Both sides read back the same noisy weights and program them with the same noise."""
    def few(p, **_):
        data = data_of(p)
        return task_of(p, replace(data, train=data.train.take(np.arange(50)), test=data.test.take(np.arange(10))))

    monkeypatch.setattr(training, "task_of", few)
    config = load("array").replace(machine={"tile": "analog", "analog": noisy()},
                                   training={"epochs": 1, "refresh": 20, "halve_alpha_at": ()},
                                   data={"name": "digits"})
    done = training.train(config, tmp_path, Reporter(quiet=True), build=models)
    assert done.state.mismatches == dict.fromkeys(done.state.mismatches, 0) and sum(done.state.words.values())


def test_what_cannot_be_put_back_is_not_resumed(tmp_path):
    config = load("array").replace(machine={"tile": "analog", "analog": noisy()})
    with pytest.raises(BadInput, match="leave --resume out"):
        training.train(config, tmp_path, Reporter(quiet=True), resume=True)


def test_refresh_is_refused_where_nothing_ages():
    with pytest.raises(BadInput, match=r"training.refresh is 5, and the weights of tile 'rows' need none; set it to 0"):
        load("tiny").replace(training={"refresh": 5})


@pytest.mark.parametrize("device, update", [("ideal", "deterministic"), ("pcm", "stochastic"),
                                            ("rram_soft", "stochastic"),
                                            ("rram_filament", "stochastic"), ("sram_charge", "deterministic")])
def test_a_published_device_brings_its_values_and_its_pulses(device, update):
    """What is given beside it wins. Without it a study could run on an ideal device by another name."""
    config = with_device(load("digits_analog"), device)
    analog = config.machine.analog
    assert analog.control.update == update and analog.control.row_bits == 9 and analog.device.weight_range == 1.0
    assert (analog.converters.noise > 0) == (device != "ideal")
    assert bool(analog.programming.noise) == (device in ("pcm", "rram_filament"))
    changed = load("digits_analog").replace(machine={"analog": {"preset": device, "read": {"additive": 0.5}}})
    assert changed.machine.analog.read.additive == 0.5
    assert changed.machine.analog.read.drift_log == (device == "pcm")
    with pytest.raises(BadInput, match="there is no device 'pmc'; did you mean 'pcm'"):
        load("digits_analog").replace(machine={"analog": {"preset": "pmc"}})
