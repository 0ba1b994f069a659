"""The program of predictive coding with momentum: float64, bit for bit, on the RTL, and what it refuses."""

import numpy as np
import pytest
from helpers import graph, layered, random_weights
from twins import agree

from golden.reference import errors, momentum, weight_descent
from golden.reference.interpreter import FloatMachine
from hebbar.compiler.program import compile_config
from hebbar.contract.errors import BadInput
from sim.writes import compare_writes

EXACT = {"state_bits": 15, "state_frac": 11, "error_bits": 15, "activity_bits": 15, "activity_frac": 11,
         "row_sum_bits": 44, "feedback_sum_bits": 48, "weight_words": 512, "neuron_words": 64, "map_entries": 128,
         "blocks": 64, "program_words": 256}
FINE = {"hidden_frac": 11, "input_frac": 11}


def net(layers=(6, 7, 5, 3), network=None, rule=None, **changes):
    count = len(layers) - 1
    keys = {"name": "il_nesterov", "steps": 5, "gamma": 0.25, "alpha_shifts": [3] * count, "init_scales": [0.6] * count}
    return layered(list(layers), network=FINE | {"activation": "tanh"} | (network or {}), rule=keys | (rule or {}),
                   **EXACT | changes)


@pytest.mark.parametrize("steps", [1, 2, 5])
@pytest.mark.parametrize("layers, network, hoist", [
    ((6, 7, 5, 3), {"activation": "tanh"}, True), ((6, 7, 5, 3), {"activation": "relu", "bias": True}, False),
    ((6, 5, 5, 5, 3), {"residual": True, "activation": "tanh"}, True)])
def test_the_schedule_is_the_formula(steps, layers, network, hoist):
    """In float64, samples one by one: the states that inference ends at, and what is learnt there."""
    program = compile_config(net(layers, network, {"steps": steps, "hoist": hoist, "options": {"momentum": 0.5}}))
    machine = FloatMachine(program, random_weights(program, 1, 0.4))
    plain, last = program.config.configured_network(), f"x{len(layers) - 1}"
    rng, stored = np.random.default_rng(2), [(e.source, e.target) for e in plain.stored]
    weights = {key: machine.weights[key].copy() for key in stored}
    given = {"x0": rng.random((3, 6)), last: rng.random((3, 3))}
    machine.run("train", given)
    for i in range(3):
        clamps = {name: values[i:i + 1] for name, values in given.items()}
        y = momentum.relax(plain, weights, clamps, 0.25, 0.5, steps)
        change = weight_descent(plain, y, errors(plain, weights, y))
        weights = {key: w + 2.0**-3 * change[key] for key, w in weights.items()}
    for key, wanted in weights.items():
        np.testing.assert_allclose(machine.weights[key], wanted, atol=1e-12, err_msg=str(key))


def test_no_momentum_is_inference_learning_bit_for_bit():
    """Companions pass every bit of a state on: with momentum 0 the weights are those of rule il."""
    from golden.image import from_image
    from golden.learning.training import codes, data_of
    from golden.session import Session, initial_image
    found = []
    for name, options in (("il", {}), ("il_nesterov", {"momentum": 0.0})):
        config = net((64, 16, 16, 10), rule={"name": name, "options": options}, map_entries=256, weight_words=1024,
                     max_columns=32)
        program = compile_config(config)
        session = Session(program, initial_image(program))
        session.run_codes("train", codes(program, data_of(program).train.take(np.arange(40)), True))
        found.append(from_image(program.layout, session.image))
    assert found[0].keys() == found[1].keys()
    for key, block in found[0].items():
        np.testing.assert_array_equal(found[1][key], block, err_msg=str(key))


def test_a_query_is_that_of_inference_learning():
    """Companions take no part in it: where an input is predicted, what is asked for is the answer of rule il, bit for
    bit, and in float64 the labels of least energy, which for linear predictions are a least-squares solution."""
    from golden.session import Session, initial_image
    pops = [("x", 4, "input", "identity", 11), ("h", 5, "hidden", "identity", 11), ("y", 3, "target", "identity", 11)]
    answers = []
    for name in ("il", "il_nesterov"):
        program = compile_config(graph(pops, [("h", "x"), ("h", "y")], {
            "name": name, "steps": 5, "gamma": 0.25, "query_steps": 400}, **EXACT))
        weights = {(e.source, e.target): np.random.default_rng(len(e.target) + ord(e.target)).normal(
            0, 0.6, (program.layout.network.by_name[e.target].size, 5)) for e in program.layout.network.stored}
        x = np.linspace(-0.5, 0.5, 8).reshape(2, 4)
        given = {"x": x, "y": np.zeros((2, 3)), "x.clamp": np.ones((2, 4)), "y.clamp": np.zeros((2, 3))}
        a, b = weights["h", "x"], weights["h", "y"]
        h = np.linalg.solve(np.eye(5) + a.T @ a, a.T @ x.T)
        np.testing.assert_allclose(FloatMachine(program, weights).run("query", given)["y"], (b @ h).T, atol=1e-9)
        answers.append(Session(program, initial_image(program)).run_entry("query", given))
    np.testing.assert_array_equal(answers[0]["y"], answers[1]["y"])
    assert np.abs(answers[0]["y"]).max() > 0.01


def test_compiled_numpy_and_rtl_agree_on_every_word_and_every_write():
    program = compile_config(net(row_tiles=2))
    job, got = agree(program, 1000)
    assert not compare_writes(job, got.writes).total_mismatches


@pytest.mark.parametrize("changes, words", [
    ({"rule": {"options": {"momentum": 1.0}}}, r"momentum is 1; states that keep all of their speed never settle"),
    ({"rule": {"steps": 0}}, r"rule\.steps is 0"), ({"rule": {"tolerance": 0.5}, "energy": True}, r"tolerance 0\.5"),
    ({"network": {"hidden_frac": 5, "input_frac": 5}}, "15 bits, 5 of them fraction, and states have 15 and 11"),
    ({"state_bits": 16, "error_bits": 16}, "states have 16 and 11")])
def test_what_it_cannot_do_is_refused(changes, words):
    with pytest.raises(BadInput, match=words):
        compile_config(net(**changes))
