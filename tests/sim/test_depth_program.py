"""The program of PC-ALM: float64, bit for bit, on the RTL, and what saturation does to an integral that goes on."""

from pathlib import Path

import numpy as np
import pytest
from helpers import graph, layered, random_samples, random_weights
from twins import agree

from golden.compiled import CompiledMachine
from golden.fixed import Saturation, round_half_up
from golden.machine import Machine
from golden.neuron import Neuron
from golden.reference import depth
from golden.reference.interpreter import FloatMachine
from golden.session import initial_image
from golden.trace import Job
from hebbar.compiler.config import load
from hebbar.compiler.program import compile_config
from hebbar.compiler.workload import minimum
from hebbar.contract.errors import BadInput
from hebbar.contract.isa import Sweep
from sim.backends import fast, golden
from sim.compare import compare

MNIST = Path(__file__).parents[3] / "shared" / "data" / "mnist"
MACHINE = {"activity_bits": 12, "activity_frac": 8, "integral": True, "row_sum_bits": 40, "weight_words": 256,
           "neuron_words": 32, "map_entries": 128, "blocks": 64, "program_words": 256}


def deep(hidden=6, steps=16, scale=0.5, rule=None, **machine):
    """8 inputs, ``hidden`` residual layers of 8, 3 outputs."""
    return layered([8] * (hidden + 1) + [3], network={"residual": True, "activation": "relu", "hidden_frac": 8},
                   rule={"name": "pc_alm", "steps": steps, "gamma": 31 / 128, "alpha_shifts": [5] * (hidden + 1),
                         "init_scales": [1.0] + [scale] * hidden} | (rule or {}), **(MACHINE | machine))


def test_the_schedule_is_the_update_of_the_augmented_lagrangian():
    """In float64, so that nothing but the order of the operations is left to differ; three samples, one by one."""
    program = compile_config(deep())
    weights, rng = random_weights(program, 1, 0.3), np.random.default_rng(2)
    machine, network = FloatMachine(program, weights), program.layout.network
    weights = {(e.source, e.target): weights[e.source, e.target].copy() for e in network.stored}
    given = {"x0": rng.random((3, 8)), "x7": rng.random((3, 3))}
    machine.run("train", given)
    for i in range(3):
        change = depth.update(network, weights, {n: v[i:i + 1] for n, v in given.items()}, 31 / 128, 16)
        weights = {key: w + change[key] for key, w in weights.items()}
    for key, wanted in weights.items():
        np.testing.assert_allclose(machine.weights[key], wanted, atol=1e-12)


SWEPT = ((1, 4, ("x7", "x6", "x5")), (4, 7, ("x5", "x4", "x3")), (7, 10, ("x4", "x3", "x2")), (10, 13, ("x2", "x1")),
         (13, 16, ("x1",)))
"""Worked out by hand: credit goes down 62 layers in 126 steps, so that 2 d - 2 is the step in which population 7 - d
enters a window of 4 steps that leads by 2, and whatever is in it in one of 3 steps is swept in all of them."""
NARROW = {"name": "pc_alm_window", "options": {"window": 4, "lead": 2, "stride": 3}}


def test_the_window_goes_down_with_the_credit():
    """In float64, beside a descent that leaves out by hand what is not in the window."""
    program = compile_config(deep(rule=NARROW))
    weights, rng = random_weights(program, 1, 0.3), np.random.default_rng(2)
    machine, network = FloatMachine(program, weights), program.layout.network
    weights = {(e.source, e.target): weights[e.source, e.target].copy() for e in network.stored}
    given = {"x0": rng.random((1, 8)), "x7": rng.random((1, 3))}
    machine.run("train", given)

    def swept(name, step):
        return any(first <= step < behind and name in names for first, behind, names in SWEPT)

    change = depth.update(network, weights, given, 31 / 128, 16, swept=swept)
    for key, before in weights.items():
        np.testing.assert_allclose(machine.weights[key], before + change[key], atol=1e-12)


def test_two_roads_of_one_length_are_in_the_window_together():
    """h1 gets feedback from two populations, one edge from the end both; beside a descent that leaves out by hand."""
    pops = [("x", 8, "input", "identity", 7), *((n, 8, "hidden", "tanh", 8) for n in ("h1", "a", "b")),
            ("y", 3, "target", "identity", 8)]
    pairs = [("x", "h1"), ("h1", "a"), ("h1", "b"), ("a", "y"), ("b", "y")]
    program = compile_config(graph(pops, [(*pair, {"alpha_shift": 5}) for pair in pairs], {
        "name": "pc_alm_window", "steps": 10, "gamma": 31 / 128, "options": {"window": 3, "lead": 1, "stride": 1}},
        **MACHINE))
    weights, rng = random_weights(program, 1, 0.3), np.random.default_rng(2)
    machine, network = FloatMachine(program, weights), program.layout.network
    weights = {(e.source, e.target): weights[e.source, e.target].copy() for e in network.stored}
    given = {"x": rng.random((1, 8)), "y": rng.random((1, 3))}
    machine.run("train", given)
    # In steps of 31/128 credit goes down 62 edges in 126: windows open one step before 0, 2.03 and 4.06.
    swept = {"y": range(1, 2), "a": range(1, 4), "b": range(1, 4), "h1": range(3, 6)}
    change = depth.update(network, weights, given, 31 / 128, 10, swept=lambda name, step: step in swept[name])
    for key, before in weights.items():
        np.testing.assert_allclose(machine.weights[key], before + change[key], atol=1e-12)


def test_a_window_as_long_as_the_sample_changes_no_bit():
    """What it then leaves out, populations that no credit has reached, is exactly zero."""
    ends, visits = [], []
    for rule in ({}, {"name": "pc_alm_window", "options": {"window": 40, "lead": 20, "stride": 2}}):
        program = compile_config(deep(rule=rule))
        machine = CompiledMachine(program)
        machine.load(initial_image(program))
        machine.run("train", random_samples(program, "train", 6, 3))
        ends.append([machine.weights, machine.state, machine.error, machine.activity])
        visits.append(minimum(program).visits)
    assert visits[1] < visits[0], "the first steps of the lowest layers are left out"
    for whole, windowed in zip(*ends, strict=True):
        np.testing.assert_array_equal(windowed, whole)


@pytest.mark.parametrize("changes", [
    {}, {"rule": NARROW | {"options": {"window": 2, "lead": 0, "stride": 1}}},
    {"state_bits": 13, "error_bits": 10}, {"row_tiles": 4, "activity_bits": 9, "state_bits": 13, "error_bits": 14}])
def test_compiled_numpy_and_rtl_agree(changes):
    """Every word at every barrier, in formats in which states, integrals and errors are clipped."""
    program = compile_config(deep(hidden=2, steps=3, scale=1.5, **changes))
    _, got = agree(program, 5000)
    assert got.counters["sat_state"] and got.counters["sat_error"]


def wound_up(self, rows, flags, weighed, shift):
    """What ``golden.neuron`` does, less the rule that a state at an end of its format adds nothing."""
    before = rows.integral * 0 if flags & Sweep.INIT else rows.integral
    rows.integral = Saturation()(before + round_half_up(weighed, shift), self._f.error)
    rows.error = self._saturate.error(before + (weighed << 1 >> shift), self._f.error)


def test_without_anti_wind_up_it_diverges(monkeypatch):
    """A few clipped states are enough: their residuals stay, the integrals of them run to the end of the format and
    take the credit of every layer below along. With it the same dozen samples leave both far from there."""
    program = compile_config(deep(scale=0.5, state_bits=14))
    samples, f = random_samples(program, "train", 12, 3), program.machine.formats
    ends = {}
    for name in ("sound", "wound up"):
        if name == "wound up":
            monkeypatch.setattr(Neuron, "_integrate", wound_up)
        machine = Machine(program)
        machine.load(initial_image(program))
        machine.run("train", samples)
        ends[name] = np.abs(machine.integral).max(), machine.counters.read()
    assert ends["sound"][0] < f.error.hi / 8 and ends["sound"][1]["sat_state"], "clipped states, quiet integrals"
    assert ends["wound up"][0] == -f.error.lo
    assert ends["wound up"][1]["sat_error"] > 100 * ends["sound"][1]["sat_error"]


def test_what_it_cannot_run_on_is_said():
    with pytest.raises(BadInput, match="no memory of integrals"):
        compile_config(deep(integral=False))
    with pytest.raises(BadInput, match=r"rule\.steps is 0, and the multipliers"):
        compile_config(deep(steps=0))
    with pytest.raises(BadInput, match=r"rule\.tolerance is set"):
        compile_config(deep(rule={"tolerance": 0.1}, energy=True))
    for options, said in (({"window": 0}, "window is 0, lead 8 and stride 8"), ({"lead": 16}, "lead 16"),
                          ({"stride": 0}, "at least 1"), ({"lead": -1}, "lead -1"),
                          ({"window": 2.5}, r"rule\.options\.window is 2\.5")):
        with pytest.raises(BadInput, match=said):
            compile_config(deep(rule={"name": "pc_alm_window", "options": options}))
    with pytest.raises(BadInput, match=r"ends behind \d+ instructions, and the longest has less than 4096"):
        compile_config(deep(steps=600, rule={"name": "pc_alm_window", "options": {"window": 600, "stride": 1}}))
    with pytest.raises(BadInput, match="tile 'array' takes at most 8"):
        deep(tile="array", weight_words=120)


def test_the_gain_of_the_preset_rounds_without_a_bias():
    """A step of gain 1/4 rounds up once in two ties, an eighth of a code more than it should on average, and integrals
    of 31 layers add that up. With 31/128 the mean of all remainders is within a 256th."""
    config = load("deep")
    code = int(config.rule.gamma * 128)
    assert code == config.rule.gamma * 128
    whole = np.arange(128 * 64)
    bias = {c: float(np.mean((c * whole + 64 >> 7) - c * whole / 128)) for c in (32, code)}
    assert bias[32] == 0.125 and abs(bias[code]) <= 1 / 256


def test_the_minimum_of_the_preset_by_hand():
    """T + 1 visits of what moves, two of the first layer, whose input is fixed."""
    program = compile_config(load("deep"))
    assert minimum(program).visits == 2 * 784 * 32 + 65 * (30 * 32 * 32 + 10 * 32)


@pytest.mark.skipif(not MNIST.exists(), reason="no MNIST beside the repository")
def test_depth_32_on_the_rtl(models):
    """The preset on images: every word at every WAIT of two samples. ``hebbar bench depth`` does 300."""
    from golden.learning.datasets import load as load_data
    from golden.learning.training import codes

    program = compile_config(load("deep").replace(data={"path": str(MNIST)}))
    images = load_data(program.config.data).train.take([0, 1])
    job = Job(program, "train", initial_image(program), codes(program, images, True))
    found = compare(program, golden.run(job), fast.run(job, fast.prepare(program, models, announce=False)))
    assert found.total_words > 10**7 and not found.total_mismatches, found
