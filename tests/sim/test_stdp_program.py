"""The program of spikes: neurons, traces and pair STDP in integers, its window, and what it learns to tell apart."""

import runpy
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from helpers import graph

from golden.image import to_image
from golden.reference.spiking import Stdp, low_pass_trace, stdp_run
from golden.session import Session, initial_image
from golden.streams import to_codes
from golden.trace import Job
from hebbar import Experiment
from hebbar.compiler.config import load
from hebbar.compiler.program import compile_config
from hebbar.contract.console import Reporter
from hebbar.contract.errors import BadInput, MissingTool
from hebbar.studies import questions, spiking
from sim.backends import golden, pysim
from sim.compare import compare

EXAMPLE = Path(__file__).parents[2] / "examples" / "spiking.py"


def half_up(value, shift):
    return (value + (1 << shift >> 1)) >> shift


def limit(value, low=-(2**15), high=2**15 - 1):
    return max(low, min(high, value))


def by_hand(weights, lateral, spikes):
    """Weight codes and spikes after a run on Python integers: 13 fraction bits of weights, 12 of states, errors and
    currents, 6 of activities; gamma 1/16, trace 1/8, alpha 1/8, depression twice that."""
    posts, pres = len(weights), len(weights[0])
    w, x, fired = [list(map(int, row)) for row in weights], [0] * posts, [0] * posts
    z_pre, z_post, train = [0] * pres, [0] * posts, []
    for step in spikes:
        s = [64 * int(v) for v in step]
        sums = [sum(int(a) * b for a, b in zip((*w[i], *lateral[i]), (*s, *fired))) for i in range(posts)]
        x = [limit(v + half_up(-limit(v - half_up(total, 7)), 4)) for v, total in zip(x, sums)]
        fired = [64 * (v >= 4096) for v in x]
        x = [0 if f else v for v, f in zip(x, fired)]
        z_pre = [z + half_up(64 * a - z, 3) for z, a in zip(z_pre, s)]
        z_post = [z + half_up(64 * a - z, 3) for z, a in zip(z_post, fired)]
        for i in range(posts):
            for j in range(pres):
                up = limit(w[i][j] + half_up(64 * fired[i] * half_up(z_pre[j], 6), 8), 0)
                w[i][j] = limit(up + half_up(-64 * half_up(z_post[i], 6) * s[j], 7), 0)
        train.append([f // 64 for f in fired])
    return np.array(w), np.array(train)


def test_the_machine_learns_what_the_integers_say():
    """Code for code, clipping at 0 and at the largest weight included; a trace read a step early or late, or one that
    sees only half of a coincidence, learns something else."""
    rng, e = np.random.default_rng(0), Experiment("stdp")
    weights, lateral = rng.uniform(0, 6, (16, 64)), rng.uniform(-4, 1, (16, 16)) * (1 - np.eye(16))
    weights = np.minimum(weights, 4 - 2.0**-13)
    e.set_weights({("inputs", "neurons"): weights, ("neurons", "neurons"): lateral})
    spikes = (rng.random((150, 64)) < 0.04).astype(float)
    start = {k: np.round(v * 2**13) for k, v in e.weights.items()}
    wanted, fired = by_hand(start["inputs", "neurons"], start["neurons", "neurons"], spikes)
    session = Session(e.program, e.image)
    found, learnt = session.run_entry("train", {"inputs": spikes})["neurons"], session.weights
    np.testing.assert_array_equal(found, fired)
    np.testing.assert_array_equal(learnt["inputs", "neurons"] * 2**13, wanted)
    assert 50 < fired.sum() < 1000 and (wanted == 0).any() and (wanted == 2**15 - 1).any()
    assert np.array_equal(learnt["neurons", "neurons"] * 2**13, start["neurons", "neurons"]), "inhibition stays"


@pytest.mark.parametrize("mask", [[], ["10", "01"], ["1", "1"], ["11", "10"]])
def test_a_neuron_steps_once_however_a_mask_cuts_its_population(mask):
    """x += gamma (W s - x) once a time step, and it fires where that reaches 1; a second step would fire earlier."""
    pops = [("i", 8, "input", "identity", 6), ("n", 8, "hidden", "spike", 6)]
    edges = [("i", "n", {"scale": 0.0, "value": 1.0, "plastic": False, "mask": mask}),
             ("n", "n", {"scale": 0.0, "zero_diagonal": True})]
    program = compile_config(graph(pops, edges, {"name": "stdp", "gamma": 0.25}, map_entries=64, activity_frac=6))
    spikes = np.random.default_rng(1).integers(0, 2, (12, 8)).astype(float)
    spikes[:, :4] *= 0.5  # currents of at most 6, so that some steps fire and others do not
    wanted, x = [], np.zeros(8)
    reached = np.kron([[int(part) for part in row] for row in mask], np.ones((8 // len(mask), 8 // len(mask[0])))) \
        if mask else np.ones((8, 8))
    for s in spikes / 4:
        x = x + 0.25 * (reached @ s - x)
        wanted.append((x >= 1).astype(float))
        x = np.where(x >= 1, 0, x)
    session = Session(program, initial_image(program))
    np.testing.assert_array_equal(session.run_entry("predict", {"i": spikes / 4})["n"], wanted)


@pytest.fixture(scope="module")
def pair(models):
    return spiking.window(Reporter(quiet=True), build=models)


def test_the_window_is_the_double_exponential(pair):
    """By trains of one pair each in float64; without it causes and effects could be exchanged."""
    trace, rule = low_pass_trace(2.0**-3), Stdp(2.0**-3, 2.0**-2, 4.0)
    for lag, measured, closed, allows in zip(spiking.LAGS, pair.measured, pair.closed, pair.allows):
        pre, post = np.zeros((60, 1)), np.zeros((60, 1))
        pre[30 - lag], post[30] = 1, 1
        wanted = stdp_run(rule, np.full((1, 1), 1.0), pre, post, trace, trace)[-1, 0, 0] - 1
        assert closed == pytest.approx(wanted, abs=1e-12)
        assert abs(measured - wanted) <= allows < 0.5 * np.abs(pair.closed).max()
    assert 0 < pair.used <= 1 and pair.asked.mismatches == 0 and pair.asked.words > 1000


def test_another_window_is_told_from_this_one(pair):
    """Turned round, without its coincidence, or with one slope for both sides: each is further off than rounding."""
    same = np.where(spiking.LAGS < 0, pair.closed / 2, pair.closed)
    for other in (pair.closed[::-1], np.where(spiking.LAGS == 0, 0, pair.closed), same):
        assert replace(pair, closed=other).used > 1.5


def test_orders_differ_in_nothing_but_timing():
    """Without it a neuron could count spikes, or know an order by an input that never fires."""
    rng = np.random.default_rng(4)
    times = spiking.orders(rng)
    spikes, which = spiking.waves(rng, times, 400)
    each = spikes.reshape(400, spiking.PERIOD, 64)
    assert (each.sum(axis=1) <= 1).all() and not each[:, spiking.WAVE:].any()
    for k in range(spiking.ORDERS):
        mine = each[which == k]
        assert (np.sort(times[k]) == np.sort(times[0])).all()
        assert np.abs(mine.sum(axis=1).mean(axis=0) - 0.95).max() < 5 * np.sqrt(0.95 * 0.05 / len(mine))
        wave, at, neuron = np.nonzero(mine)
        assert np.abs(at - times[k][neuron]).max() == 1 and len(set(wave)) == len(mine)
    fresh = spiking.waves(rng, times, 3, known=False)[0].reshape(3, spiking.PERIOD, 64)
    starts = [w.argmax(axis=0) for w in fresh]
    assert all(np.abs(s - t).max() > 10 for s in starts for t in times)


def test_telling_apart_by_hand():
    """Neurons get their names in the first half, and votes count in the second; silence is wrong."""
    which = np.array([0, 1, 2, 3, 0, 1, 2, 3])
    outputs = np.zeros((8, spiking.PERIOD, 4))
    for wave, k in enumerate(which):
        outputs[wave, 5 + wave % 2, k] = 1
    outputs[5] = 0
    outputs[6, 9:11, 3] = 1
    found = spiking.told(outputs.reshape(-1, 4), which)
    assert found.accuracy == 50 and found.latency == 5 and found.count == 9 / 8


@pytest.mark.parametrize("seed", [1, 4])
def test_neurons_learn_to_tell_orders_apart_and_sooner(seed):
    """The purpose: recurring orders are learnt without labels; the same spikes in random orders teach nothing."""
    found = spiking.study(seed)
    assert spiking.reached([found]) and found.after.accuracy > 90 and found.after.latency < 10
    assert not spiking.reached([replace(found, after=found.before)])
    assert not spiking.reached([replace(found, control=found.after)])
    assert max(found.before.accuracy, found.control.accuracy) < 80 and 1 < found.after.count < found.before.count


def test_the_program_is_the_same_on_the_rtl():
    machine = {"lanes": 4, "row_tiles": 2, "weight_words": 256, "neuron_words": 64, "max_columns": 32,
               "map_entries": 256, "blocks": 16, "program_words": 64, "functions": 4, "separation": 0, "energy": False}
    program, rng = compile_config(load("stdp").replace(machine=machine)), np.random.default_rng(1)
    weights = {("inputs", "neurons"): rng.uniform(0, 3, (16, 64)),
               ("neurons", "neurons"): -2 * rng.random((16, 16)) * (1 - np.eye(16))}
    spikes = (rng.random((8, 64)) < 0.2).astype(float)
    job = Job(program, "train", to_image(program.layout, weights), to_codes(program, "train", {"inputs": spikes}))
    want = golden.run(job)
    assert compare(program, want, pysim.run(job)).total_mismatches == 0
    change = want.final - job.weights
    assert (change > 0).any() and (change < 0).any() and (want.outputs["neurons"] > 0).sum() > 5


@pytest.mark.parametrize("network, words", [
    ({"populations": [1, {"activation": "tanh"}]}, "'neurons' has activation 'tanh' and rule 'stdp' learns from"),
    ({"edges": [0, {"plastic": False}]}, "no edge is plastic; make one learn")])
def test_networks_that_cannot_learn_from_spikes_are_refused(network, words):
    """Without it a rate would be taken for a spike, or nothing be learnt in silence."""
    config = load("stdp")
    ((key, (index, change)),) = network.items()
    given = [part.model_dump() for part in getattr(config.network, key)]
    given[index] |= change
    with pytest.raises(BadInput, match=words):
        compile_config(config.replace(network={key: given}))


def shown(monkeypatch, folder, backend):
    """Run the example with another backend in place of the RTL; what it exits with."""
    monkeypatch.chdir(folder)
    monkeypatch.setattr(questions, "run_backend", backend)
    monkeypatch.setattr(sys, "argv", ["spiking.py", "--quick"])
    with pytest.raises(SystemExit) as end:
        runpy.run_path(str(EXAMPLE), run_name="__main__")
    return end.value.code


def no_verilator(*_):
    raise MissingTool("Verilator is not installed.")


def one_bit_wrong(job, *_):
    trace = questions.golden.run(job)
    trace.outputs["neurons"][0, 0] += 1
    return trace


def test_the_example_without_verilator_and_with_a_wrong_rtl(monkeypatch, tmp_path, capsys):
    """Its headline holds on the golden machine too; a wrong bit, or neurons that learn nothing, must fail it."""
    assert shown(monkeypatch, tmp_path, no_verilator) is None
    text = capsys.readouterr().out
    assert "RTL: Verilator is not installed." in text and text.count("of waves told apart before") == 2
    assert all("<svg" in (tmp_path / "out" / f"{n}.svg").read_text() for n in ("stdp_window", "spiking"))
    assert "first difference" in str(shown(monkeypatch, tmp_path, one_bit_wrong))
    monkeypatch.setattr(spiking, "WAVES", 1)
    monkeypatch.setattr(spiking.study, "__defaults__", (1,))
    assert "not told apart" in shown(monkeypatch, tmp_path, no_verilator)
