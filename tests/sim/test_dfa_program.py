"""The program of direct feedback alignment: float64, bit for bit, on the RTL, and what it refuses."""

import numpy as np
import pytest
from helpers import graph, layered, random_weights
from twins import agree

from golden.image import from_image, to_image
from golden.reference import direct_feedback
from golden.reference.interpreter import FloatMachine
from golden.session import Session
from hebbar.compiler.config import load
from hebbar.compiler.program import compile_config
from hebbar.compiler.schedule import LoopOp
from hebbar.contract.errors import BadInput
from hebbar.contract.isa import Sweep
from sim.writes import compare_writes

MACHINE = {"weight_words": 512, "neuron_words": 32, "map_entries": 128, "blocks": 32, "program_words": 128}


def net(layers=(6, 7, 5, 3), **changes):
    count = len(layers) - 1
    keys = {"rule": {"name": "dfa", "alpha_shifts": [3] * count, "init_scales": [0.6] * count}, **MACHINE}
    return layered(list(layers), **(keys | changes))


@pytest.mark.parametrize("network", [{"activation": "tanh"}, {"activation": "relu", "bias": True},
                                     {"layers": [6, 5, 5, 5, 3], "residual": True, "activation": "tanh"}])
def test_the_schedule_is_the_formula(network):
    """In float64, three samples one by one; without it feedback could come through the forward weights, or twice."""
    layers = network.get("layers", [6, 7, 5, 3])
    program = compile_config(net(layers, network=network))
    machine = FloatMachine(program, random_weights(program, 1, 0.4))
    prepared, rng = program.layout.network, np.random.default_rng(2)
    plain = program.config.replace(rule={"name": "il"}).build_network()
    last = f"x{len(layers) - 1}"
    fixed = {(e.source, last): machine.weights[e.source, e.target].T.copy() for e in prepared.stored if not e.plastic}
    weights = {(e.source, e.target): machine.weights[e.source, e.target].copy() for e in plain.stored}
    assert {source for source, _ in fixed} == {f"x{i}" for i in range(1, len(layers) - 1)}
    given = {"x0": rng.random((3, 6)), last: rng.random((3, 3))}
    machine.run("train", given)
    for i in range(3):
        change = direct_feedback.descent(plain, weights, fixed, {n: v[i:i + 1] for n, v in given.items()})
        weights = {key: w + 2.0**-3 * change[key] for key, w in weights.items()}
    for key, wanted in weights.items():
        np.testing.assert_allclose(machine.weights[key], wanted, atol=1e-12)
    for (source, _), block in fixed.items():
        np.testing.assert_array_equal(machine.weights[source, f"{last}.feedback"], block.T)


def test_a_mask_into_the_target_sends_no_delta_twice():
    """The target's rows lie in two blocks, and its errors come once; by the formula, a skip from the input beside."""
    pops = [("x", 8, "input", "identity", 5), ("h", 8, "hidden", "tanh", 5), ("y", 8, "target", "identity", 5)]
    edges = [("x", "h", {"alpha_shift": 3}), ("h", "y", {"alpha_shift": 3}),
             ("x", "y", {"alpha_shift": 3, "mask": ["10", "01"]})]
    program = compile_config(graph(pops, edges, {"name": "dfa"}, **MACHINE))
    assert {"y.0", "y.1"} < set(program.layout.blocks)
    weights, rng = random_weights(program, 1, 0.4), np.random.default_rng(2)
    weights["x", "y"] *= np.kron(np.eye(2), np.ones((4, 4)))
    machine, given = FloatMachine(program, weights), {"x": rng.random((1, 8)), "y": rng.random((1, 8))}
    before = {key: w.copy() for key, w in machine.weights.items()}
    machine.run("train", given)
    x, a = given["x"][0], np.tanh(before["x", "h"] @ given["x"][0])
    error = given["y"][0] - before["h", "y"] @ a - before["x", "y"] @ x
    delta = (1 - a * a) * (before["h", "y.feedback"].T @ error)
    np.testing.assert_allclose(machine.weights["x", "h"] - before["x", "h"], np.outer(delta, x) / 8, atol=1e-12)


def test_compiled_numpy_and_rtl_agree_on_every_word_and_every_write():
    program = compile_config(net(network={"activation": "tanh"}, row_tiles=2))
    job, got = agree(program, 1000)
    assert not compare_writes(job, got.writes).total_mismatches


def test_fixed_point_learns_what_float_learns():
    """Within what rounding an activity, a delta and a weight leaves of an update at alpha 1/8."""
    program = compile_config(net(network={"activation": "tanh", "hidden_frac": 7}))
    image = to_image(program.layout, random_weights(program, 5, 0.4))
    before = from_image(program.layout, image)
    machine, floating = Session(program, image), FloatMachine(program, before)
    rng = np.random.default_rng(6)
    given = {"x0": rng.integers(0, 128, (1, 6)) / 128, "x3": rng.integers(0, 2, (1, 3)).astype(float)}
    machine.run_entry("train", given)
    floating.run("train", given)
    for key, block in floating.weights.items():
        if (block != before[key]).any():
            assert np.abs(machine.weights[key] - block).max() < 2.0**-3 * 4 * 2.0**-7 + 2.0**-13, key
            assert np.abs(block - before[key]).max() > 2.0**-3 * 4 * 2.0**-7, "more was learnt than may be lost"


def test_feedback_reads_the_fixed_blocks_alone():
    """One TRN for each hidden layer, none of it through weights that are used forwards."""
    program = compile_config(net())
    (loop,) = program.schedules["train"]
    assert isinstance(loop, LoopOp)
    fed = [op for op in loop.body if getattr(op, "flags", Sweep(0)) & Sweep.TRN]
    assert [{c.edge.shares for c in op.columns} for op in fed] == [{"x1:x3.feedback"}, {"x2:x3.feedback"}]
    assert all(op.flags == Sweep.TRN for op in fed)
    (answer,) = program.schedules["predict"]
    swept = [op.block.name for op in answer.body if getattr(op, "flags", Sweep(0)) & Sweep.FWD]
    assert swept == ["x1", "x2", "x3"], "a prediction does not compute the rows of the fixed blocks"


def test_it_learns_digits():
    """The preset, five epochs; with feedback that is not aligned with anything it would stay at chance, .1."""
    from hebbar import Experiment
    assert Experiment("dfa", training={"epochs": 5}).train().accuracy[-1] > 0.93


@pytest.mark.parametrize("change, words", [
    ({"options": {"feedback": 0.0}}, r"rule\.options\.feedback is 0; errors reach no layer"),
    ({"options": {"feedback": 64.0}}, "weight"), ({"options": {"feedbak": 1.0}}, "did you mean 'feedback'")])
def test_options_are_checked(change, words):
    with pytest.raises(BadInput, match=words):
        compile_config(load("dfa").replace(rule=change))


def test_a_cycle_is_refused():
    with pytest.raises(BadInput, match=r"the network has a cycle; use 'il' or 'ipc'"):
        compile_config(load("graph").replace(rule={"name": "dfa"}))
