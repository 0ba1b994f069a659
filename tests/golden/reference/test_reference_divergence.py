"""Predictive coding beyond Gaussians: energies and gradients against formulas written down here."""

import re

import numpy as np
import pytest

from golden import reference as ref
from golden.reference import divergence as div
from golden.reference.divergence import Layer, Layers
from hebbar.compiler.network import Edge, Error, Network, Population, Role
from hebbar.compiler.rule_config import RuleConfig
from hebbar.contract.errors import BadInput

NETS = {
    "gaussian": Layers((Layer(4), Layer(5, activation="tanh"), Layer(3, activation="sigmoid"), Layer(2))),
    "precise": Layers((Layer(4), Layer(5, activation="tanh", precision=3.0), Layer(3, precision=0.25),
                       Layer(2, precision=2.0))),
    "classifier": Layers((Layer(4), Layer(5, activation="tanh"), Layer(3, "onehot"))),
    "categorical": Layers((Layer(4), Layer(5, "categorical"), Layer(3, "categorical"), Layer(3, "onehot"))),
    "mixed": Layers((Layer(4), Layer(5, "categorical"), Layer(6, activation="tanh", precision=0.5),
                     Layer(4, "categorical")))}


def state_of(name, seed=0, batch=3):
    """Blocks and states of order one; the last state is a distribution where the layer is onehot."""
    layers, rng = NETS[name], np.random.default_rng(seed)
    blocks = [div.Block(rng.normal(size=b.weight.shape), rng.normal(size=b.bias.shape))
              for b in div.initial_blocks(layers, 0)]
    states = [rng.normal(size=(batch, layer.size)) for layer in layers.layers]
    if layers[-1].kind == "onehot":
        states[-1] = np.eye(layers[-1].size)[rng.integers(0, layers[-1].size, batch)]
    return layers, blocks, states


def share(x):
    return np.exp(x) / np.exp(x).sum()


F = {"identity": lambda x: x, "tanh": np.tanh, "sigmoid": lambda x: 1 / (1 + np.exp(-x))}


def by_hand(layers, blocks, states):
    """Sum over samples and layers of the divergences, one entry at a time."""
    total = 0.0
    for b in range(len(states[0])):
        for n, (weight, bias) in enumerate(blocks, start=1):
            below, layer, x = layers[n - 1], layers[n], states[n][b]
            a = share(states[n - 1][b]) if below.kind == "categorical" else F[below.activation](states[n - 1][b])
            mu = weight @ a + bias
            if layer.kind == "gaussian":
                total += sum(layer.precision / 2 * (v - m) ** 2 for v, m in zip(x, mu))
            else:
                p = share(x) if layer.kind == "categorical" else x
                total += sum(v * np.log(v / q) for v, q in zip(p, share(mu)) if v > 0)
    return total


def differences(function, at, h=1e-5):
    """The gradient of ``function`` by central differences."""
    out = np.zeros_like(at)
    for i in np.ndindex(at.shape):
        step = np.zeros_like(at)
        step[i] = h
        out[i] = (function(at + step) - function(at - step)) / (2 * h)
    return out


@pytest.mark.parametrize("name", list(NETS))
def test_finite_differences_of_the_divergences_give_every_descent(name):
    """Theorem 15. The Jacobian of softmax forgotten, or log p - log phat upside down, still learns a little."""
    layers, blocks, states = state_of(name)
    assert div.energy(layers, blocks, states).sum() == pytest.approx(by_hand(layers, blocks, states), rel=1e-12)

    def with_state(n, x):
        return by_hand(layers, blocks, [*states[:n], x, *states[n + 1:]])

    for n, got in enumerate(div.state_descent(layers, blocks, states), start=1):
        np.testing.assert_allclose(got, -differences(lambda x, n=n: with_state(n, x), states[n]), rtol=1e-6, atol=1e-7)
    for n, got in enumerate(div.weight_descent(layers, blocks, states)):
        def moved(weight=blocks[n].weight, bias=blocks[n].bias, n=n):
            return by_hand(layers, [*blocks[:n], div.Block(weight, bias), *blocks[n + 1:]], states)
        for found, slope in ((got.weight, differences(lambda w: moved(weight=w), blocks[n].weight)),
                             (got.bias, differences(lambda b: moved(bias=b), blocks[n].bias))):
            np.testing.assert_allclose(found, -slope, rtol=1e-6, atol=1e-7)


def test_errors_are_the_descent_in_mu():
    """One neuron of each kind by hand: pi (x - mu), p - phat, y - softmax(mu)."""
    layers = Layers((Layer(1), Layer(2, precision=4.0)))
    block = [div.Block(np.zeros((2, 1)), np.array([1.0, 0.0]))]
    assert div.errors(layers, block, [np.zeros((1, 1)), np.array([[1.5, -1.0]])])[0].tolist() == [[2.0, -4.0]]
    for kind, x in (("categorical", np.log([[0.75, 0.25]])), ("onehot", np.array([[0.75, 0.25]]))):
        layers = Layers((Layer(1), Layer(2, kind)))
        log_odds = [div.Block(np.zeros((2, 1)), np.log([0.5, 0.5]))]
        np.testing.assert_allclose(div.errors(layers, log_odds, [np.zeros((1, 1)), x])[0], [[0.25, -0.25]], rtol=1e-14)


@pytest.mark.parametrize("name", list(NETS))
def test_the_forward_start_has_no_energy_and_the_target_makes_some(name):
    """A start with errors of its own would teach the hidden layers something before the target is seen."""
    layers, blocks, states = state_of(name)
    start = div.forward(layers, blocks, states[0])
    assert np.abs(div.energy(layers, blocks, start)).max() < 1e-13
    assert max(np.abs(e).max() for e in div.errors(layers, blocks, start)) < 1e-13
    assert (div.energy(layers, blocks, [*start[:-1], states[-1]]) > 1e-3).all()


@pytest.mark.parametrize("name", list(NETS))
def test_inference_descends_the_energy_towards_a_minimum(name):
    """A step that is no descent in one of the kinds shows as an energy that rises."""
    layers, blocks, states = state_of(name)
    path = div.infer(layers, blocks, states[0], states[-1], 0.02, 400)
    assert (np.diff(path.energies, axis=0) < 1e-12).all() and len(path.states) == len(path.energies) == 401
    assert all((s[0] == states[0]).all() and (s[-1] == states[-1]).all() for s in path.states)
    first, last = (div.state_descent(layers, blocks, path.states[t]) for t in (0, -1))
    assert sum(np.abs(d).sum() for d in last) < 0.25 * sum(np.abs(d).sum() for d in first)


@pytest.mark.parametrize("kind", ["gaussian", "onehot"])
def test_learning_is_that_of_the_graph_reference(kind):
    """Two codes for one model: the graph reference with precisions and a categorical target."""
    layers = Layers((Layer(4), Layer(5, activation="tanh", precision=4.0),
                     Layer(6, activation="sigmoid", precision=0.5), Layer(3, kind)))
    rng = np.random.default_rng(2)
    blocks = [div.Block(rng.normal(size=b.weight.shape), rng.normal(size=b.bias.shape))
              for b in div.initial_blocks(layers, 0)]
    x, y = rng.normal(size=(3, 4)), np.eye(3)
    pops = (Population("x0", 4, role=Role.INPUT), Population("x1", 5, "tanh", precision=2),
            Population("x2", 6, "sigmoid", precision=-1), Population("one", 1, role=Role.CONSTANT),
            Population("x3", 3, role=Role.TARGET, error=Error.CATEGORICAL if kind == "onehot" else Error.GAUSSIAN))
    edges = [Edge(s, f"x{n}", 3) for n in (1, 2, 3) for s in (f"x{n - 1}", "one")]
    weights = {(s, f"x{n}"): m for n, b in enumerate(blocks, 1)
               for s, m in ((f"x{n - 1}", b.weight), ("one", b.bias[:, None]))}
    graph = Network(pops, tuple(edges))
    wanted = ref.il(graph, weights, {"x0": x, "x3": y}, RuleConfig(name="il", steps=9, gamma=0.05))
    got = div.learn(layers, blocks, x, y, 0.05, 9, 0.125)
    for n, block in enumerate(got, start=1):
        np.testing.assert_allclose(block.weight, wanted.weights[f"x{n - 1}", f"x{n}"], rtol=1e-12, atol=1e-13)
        np.testing.assert_allclose(block.bias, wanted.weights["one", f"x{n}"][:, 0], rtol=1e-12, atol=1e-13)
    energies = div.infer(layers, blocks, x, y, 0.05, 9).energies
    np.testing.assert_allclose(energies, wanted.relaxation.energies, rtol=1e-12)


def test_softmax_neither_overflows_nor_forgets_a_small_share():
    """exp(1000) is infinite, and the log of a share of 1e-400 is not minus infinity."""
    x = np.array([[1000.0, 0.0], [0.0, -2000.0]])
    assert np.array_equal(ref.softmax(x), [[1, 0], [1, 0]])
    np.testing.assert_allclose(ref.log_softmax(x), [[0, -1000], [0, -2000]], atol=1e-12)
    assert np.array_equal(ref.softmax(x), ref.softmax(x + 5e5))


def test_initial_blocks_have_the_stated_spread():
    """Another spread makes seeds of two versions incomparable without an error."""
    weight, bias = div.initial_blocks(Layers((Layer(400), Layer(300))), 3, 0.5)[0]
    assert weight.std() == pytest.approx(0.5 / 20, rel=0.02) and not bias.any()
    assert np.abs(weight).max() <= np.sqrt(3) * 0.5 / 20
    assert (weight == div.initial_blocks(Layers((Layer(400), Layer(300))), 3, 0.5)[0].weight).all()


TWO = Layers((Layer(2), Layer(3, "onehot")))
ZERO = div.initial_blocks(TWO, 0)


@pytest.mark.parametrize("call, words", [
    (lambda: Layers((Layer(2),)), "layers has 1 entries; give at least an input and an output"),
    (lambda: Layers((Layer(2), Layer(0))), "layers[1].size is 0; it must be at least 1"),
    (lambda: Layers((Layer(2), Layer(2, "poisson"))), "layers[1].kind is 'poisson'; give"),  # type: ignore[arg-type]
    (lambda: Layers((Layer(2), Layer(2, "onehot"), Layer(2))), "layers[1].kind is 'onehot', which is for the last"),
    (lambda: Layers((Layer(2), Layer(2, activation="tahn"))), "layers[1].activation is 'tahn'; did you mean 'tanh'"),
    (lambda: Layers((Layer(2), Layer(2, precision=0.0))), "layers[1].precision is 0.0; give a finite number above 0"),
    (lambda: Layers((Layer(2), Layer(2, "categorical", "tanh"))), "layers[1] is categorical and has an activation"),
    (lambda: Layers((Layer(2, activation="tanh"), Layer(2))), "layers[0] is gaussian with activation 'tanh'; data"),
    (lambda: div.infer(TWO, ZERO[:0], np.ones((1, 2)), np.eye(3)[:1], 0.1, 1), "blocks has 0 entries for 2 layers"),
    (lambda: div.infer(TWO, [div.Block(np.ones((2, 3)), np.ones(3))], np.ones((1, 2)), np.eye(3)[:1], 0.1, 1),
     "blocks[0] has shapes (2, 3) and (3,); layers[1] needs (3, 2) and (3,)"),
    (lambda: div.infer(TWO, ZERO, np.ones((1, 3)), np.eye(3)[:1], 0.1, 1), "inputs has shape (1, 3); give"),
    (lambda: div.infer(TWO, ZERO, np.ones((2, 2)), np.eye(3)[:1], 0.1, 1), "targets has 1 samples and inputs has 2"),
    (lambda: div.infer(TWO, ZERO, np.ones((1, 2)), np.full((1, 3), 0.5), 0.1, 1), "no distribution; give 1 at"),
    (lambda: div.infer(TWO, ZERO, np.ones((1, 2)), np.eye(3)[:1], 0.1, -1), "steps is -1; give 0 or more")])
def test_wrong_input_is_refused_with_the_place_and_the_fix(call, words):
    """Most of these would broadcast, or take a log of something that is no share."""
    with pytest.raises(BadInput, match=re.escape(words)):
        call()
