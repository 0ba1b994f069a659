"""The program of forward-forward: float64, bit for bit, on the RTL, and what it refuses."""

from itertools import pairwise

import numpy as np
import pytest
from helpers import graph, layered, random_weights
from twins import agree

from golden.reference import forward_forward
from golden.reference.interpreter import FloatMachine
from hebbar.compiler.config import load
from hebbar.compiler.program import compile_config
from hebbar.contract.errors import BadInput
from sim.writes import compare_writes

MACHINE = {"weight_words": 512, "neuron_words": 64, "map_entries": 128, "blocks": 64, "program_words": 512,
           "functions": 8, "separation": 8}


def net(layers=(6, 7, 5, 3), options=None, **changes):
    count = len(layers) - 1
    keys = {"rule": {"name": "forward_forward", "alpha_shifts": [1] * count, "init_scales": [0.6] * count,
                     "options": options or {}}, "network": {"activation": "tanh"}, **MACHINE}
    return layered(list(layers), **(keys | changes))


@pytest.mark.parametrize("layers, network, options", [
    ((6, 7, 3), {"activation": "tanh"}, {}), ((6, 7, 5, 4, 3), {"activation": "tanh"}, {"slope": 4.0}),
    ((6, 7, 5, 3), {"activation": "relu", "bias": True, "hidden_frac": 5}, {"slope": 3.0, "threshold": 0.25})])
def test_the_schedule_is_the_formula(layers, network, options):
    """In float64, samples one by one: the right label, then the wrong one of the highest goodness, both with the
    contribution of the input from before; and predictions are the goodness of every class."""
    program = compile_config(net(layers, options, network=network))
    machine = FloatMachine(program, random_weights(program, 1, 0.4))
    last, plain = f"x{len(layers) - 1}", program.config.configured_network()
    for edge in program.layout.network.stored:
        if not edge.plastic:
            machine.weights[edge.source, edge.target][...] = edge.value
    rng, slope, threshold = np.random.default_rng(2), options.get("slope", 8.0), options.get("threshold", 0.0)
    given = {"x0": rng.random((4, 6)), last: np.eye(3)[[0, 2, 1, 2]]}
    weights, labels = _plain(machine, plain, last)
    asked = forward_forward.scores(plain, weights, labels, given["x0"])
    np.testing.assert_allclose(machine.run("predict", {"x0": given["x0"]})[last], asked, atol=1e-12)
    machine.run("train", given)
    for i in range(4):
        weights, labels = _learnt(plain, weights, labels, given["x0"][i:i + 1], given[last][i:i + 1], slope, threshold)
    found, found_labels = _plain(machine, plain, last)
    for key in found:
        np.testing.assert_allclose(found[key], weights[key], atol=1e-12, err_msg=str(key))
    np.testing.assert_allclose(found_labels, labels, atol=1e-12)
    assert np.abs(labels - _plain(FloatMachine(program, random_weights(program, 1, 0.4)), plain, last)[1]).max() > 1e-3


@pytest.mark.parametrize("frozen, constants", [(("x0", "x1"), 0), (("x1", "x2"), 0), (("x0", "x1"), 2), ((), 2)])
def test_layers_are_those_of_the_chain(frozen, constants):
    """One that does not learn is computed and judged as the others, and biases come from any number of constants."""
    pops = [("x0", 6, "input", "identity", 7), ("x1", 7, "hidden", "tanh", 5), ("x2", 5, "hidden", "tanh", 5),
            ("x3", 3, "target", "identity", 5), *((f"c{i}", 1, "constant", "identity", 5) for i in range(constants))]
    edges = [(a, b, {"alpha_shift": 1, "plastic": (a, b) != frozen}) for a, b in pairwise(["x0", "x1", "x2", "x3"])]
    edges += [(f"c{i}", layer, {"alpha_shift": 1}) for i in range(constants) for layer in ("x1", "x2", "x3")]
    program = compile_config(graph(pops, edges, {"name": "forward_forward", "options": {"slope": 4.0}}, **MACHINE))
    machine, plain = FloatMachine(program, random_weights(program, 1, 0.4)), program.config.configured_network()
    for edge in program.layout.network.stored:
        if not edge.scale:
            machine.weights[edge.source, edge.target][...] = edge.value
    weights, labels = _plain(machine, plain, "x3")
    rng, kept = np.random.default_rng(2), {key: w.copy() for key, w in weights.items() if key == frozen}
    x, label = rng.random((1, 6)), np.eye(3)[[1]]
    found = machine.run("predict", {"x0": x})["x3"]
    np.testing.assert_allclose(found, forward_forward.scores(plain, weights, labels, x), atol=1e-12)
    machine.run("train", {"x0": x, "x3": label})
    weights, labels = _learnt(plain, weights, labels, x, label, 4.0, 0.0)
    learnt, learnt_labels = _plain(machine, plain, "x3")
    for key, block in (weights | kept).items():
        np.testing.assert_allclose(learnt[key], block, atol=1e-12, err_msg=str(key))
    np.testing.assert_allclose(learnt_labels, labels, atol=1e-12)


def _plain(machine, plain, last):
    """The weights of the machine as those of the network without all that the rule adds, and those of the label."""
    hidden = plain.chain[1:-1]
    names = {name: f"{name}.passed" for name in hidden[:-1]}
    weights = {(e.source, e.target): machine.weights[names.get(e.source, e.source), e.target].copy()
               for e in plain.stored if e.target in hidden}
    return weights, machine.weights[f"{last}.label", hidden[0]].copy()


def _learnt(plain, weights, labels, x, label, slope, threshold):
    """One sample: the input's share of the lowest layer, and with it its bias, is computed once."""
    lowest = plain.chain[1]
    wrong = forward_forward.hardest(plain, weights, labels, x, label)
    before = {key: w for key, w in weights.items() if key[1] == lowest}
    for one, right in ((label, True), (wrong, False)):
        change, of_labels = forward_forward.descent(plain, weights | before, labels, x, one, right, slope, threshold)
        weights = {key: w + 0.5 * change[key] for key, w in weights.items()}
        labels = labels + 0.5 * of_labels
    return weights, labels


def test_the_right_label_is_never_taken_for_a_wrong_one():
    """However much better than all others it is already: in rectifiers goodness reaches 4."""
    program = compile_config(net((6, 8, 3), network={"activation": "relu", "hidden_frac": 5}))
    machine, plain = FloatMachine(program, random_weights(program, 1, 0.4)), program.config.configured_network()
    for edge in program.layout.network.stored:
        if not edge.plastic:
            machine.weights[edge.source, edge.target][...] = edge.value
    machine.weights["x2.label", "x1"][:, 1] = 3.5
    weights, labels = _plain(machine, plain, "x2")
    x, label = np.random.default_rng(2).random((1, 6)), np.eye(3)[[1]]
    goodness = forward_forward.scores(plain, weights, labels, x)[0]
    assert goodness[1] > max(goodness[0], goodness[2]) + 2.5
    machine.run("train", {"x0": x, "x2": label})
    weights, labels = _learnt(plain, weights, labels, x, label, 8.0, 0.0)
    np.testing.assert_allclose(_plain(machine, plain, "x2")[1], labels, atol=1e-12)


def test_compiled_numpy_and_rtl_agree_on_every_word_and_every_write():
    program = compile_config(net(row_tiles=2))
    job, got = agree(program, 300)
    assert not compare_writes(job, got.writes).total_mismatches


def test_what_is_fixed_stays():
    """Learning moves the weights of the input, of the layers and of the label and no others."""
    from golden.image import from_image
    from golden.learning.training import data_of, train_fixed
    program = compile_config(load("forward_forward").replace(training={"epochs": 1}))
    after = from_image(program.layout, train_fixed(program, data_of(program)).weights)
    for edge in program.layout.network.stored:
        block = after[edge.source, edge.target]
        assert edge.plastic == bool(np.ptp(block)) and (edge.plastic or abs(block - edge.value).max() < 2.0**-13)


def test_it_learns_digits():
    """The preset, five epochs; layers that learnt nothing would leave it near chance, .1."""
    from hebbar import Experiment
    assert Experiment("forward_forward", training={"epochs": 5}).train().accuracy[-1] > 0.93


@pytest.mark.parametrize("change, words", [
    ({"rule": {"options": {"slope": 0.0}}}, r"rule\.options\.slope is 0; goodness is told"),
    ({"rule": {"options": {"slope": 300.0}}}, "value is -4.6875.*the end of"),
    ({"rule": {"options": {"threshold": 2.0}}}, "'one' to 'x1.more': value is 16"),
    ({"network": {"layers": [64, 32, 32, 10], "residual": True}}, "without a residual"),
    ({"network": {"layers": [64, 10]}, "rule": {"alpha_shifts": [1], "init_scales": [0.5]}}, "hidden layers"),
    ({"machine": {"separation": 4}}, "separation")])
def test_what_it_cannot_do_is_refused(change, words):
    with pytest.raises(BadInput, match=words):
        compile_config(load("forward_forward").replace(**change))
