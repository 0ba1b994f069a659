"""Reverse differentiation by predictive coding against automatic differentiation by another program."""

import re

import autograd.numpy as anp
import numpy as np
import pytest
from autograd import grad

from golden import reference as ref
from golden.reference import reverse as rev
from hebbar.compiler.graphs import levelled
from hebbar.compiler.network import Edge, Error, Network, Population, Role
from hebbar.compiler.rule_config import RuleConfig
from hebbar.contract.errors import BadInput

ZIL = RuleConfig(name="zil")
F = {"identity": lambda x: x, "relu": lambda x: anp.maximum(x, 0.0), "leaky": lambda x: anp.maximum(x, x / 8),
     "tanh": anp.tanh, "sigmoid": lambda x: 1 / (1 + anp.exp(-x)), "hard_tanh": lambda x: anp.clip(x, -1.0, 1.0)}


def residual(activation, precision=0, error=Error.GAUSSIAN):
    """Two residual blocks with weights of their own, a skip edge from a hidden population and biases."""
    pops = (Population("in", 5, role=Role.INPUT), Population("a", 6, activation), Population("b", 6, activation),
            Population("c", 6, activation), Population("d", 6, activation),
            Population("out", 3, role=Role.TARGET, precision=precision, error=error),
            Population("one", 1, role=Role.CONSTANT))
    pairs = [("in", "a"), ("a", "b"), ("b", "c"), ("c", "d"), ("d", "out"), ("a", "out"), ("in", "c"), ("one", "b"),
             ("one", "out")]
    skips = [Edge("a", "c", identity=True, plastic=False), Edge("b", "d", identity=True, plastic=False)]
    return Network(pops, (*(Edge(s, t, n % 3, 1.0) for n, (s, t) in enumerate(pairs)), *skips))


def sample(network, seed=3, batch=4):
    """Weights (biases too), an input and a distribution as the target."""
    rng = np.random.default_rng(seed)
    weights = {k: rng.normal(size=w.shape) / np.sqrt(w.shape[1]) for k, w in ref.initial_weights(network, 0).items()}
    wanted = np.exp(rng.normal(size=(batch, 3)))
    return weights, {"in": rng.normal(size=(batch, 5)), "out": wanted / wanted.sum(axis=1, keepdims=True)}


def output(activation, w, x):
    """The residual network written out in another program's operations."""
    f = F[activation]
    a = x @ w["in", "a"].T
    b = f(a) @ w["a", "b"].T + w["one", "b"].T
    c = f(b) @ w["b", "c"].T + x @ w["in", "c"].T + f(a)
    d = f(c) @ w["c", "d"].T + f(b)
    return f(d) @ w["d", "out"].T + f(a) @ w["a", "out"].T + w["one", "out"].T


def rates(network):
    return {(e.source, e.target): 2.0**-e.alpha_shift for e in network.edges if not e.identity}


@pytest.mark.parametrize("activation", list(F))
def test_zil_on_a_levelled_residual_network_is_automatic_differentiation(activation):
    """Theorem 1 on graphs: an edge that learns a level early or late is off by far more than rounding."""
    network = residual(activation)
    weights, clamps = sample(network)
    slope = grad(lambda w: 0.5 * anp.sum((clamps["out"] - output(activation, w, clamps["in"])) ** 2))(weights)
    assert all(np.abs(g).max() > 1e-3 for g in slope.values())
    for rule in ("zil", "backprop"):
        delta = ref.update(network, weights, clamps, RuleConfig(name=rule)).delta
        for key, alpha in rates(network).items():
            np.testing.assert_allclose(delta[key], -alpha * slope[key], rtol=1e-12, atol=1e-12, err_msg=str(key))


@pytest.mark.parametrize("precision, error", [(-2, Error.GAUSSIAN), (3, Error.GAUSSIAN), (0, Error.CATEGORICAL)])
def test_the_loss_is_the_energy_of_the_target(precision, error):
    """Precision weighs the square; a categorical target makes it the cross entropy of a classifier."""
    network = residual("tanh", precision, error)
    weights, clamps = sample(network)

    def loss(w):
        out = output("tanh", w, clamps["in"])
        if error is Error.GAUSSIAN:
            return 2.0**precision / 2 * anp.sum((clamps["out"] - out) ** 2)
        return anp.sum(clamps["out"] * (anp.log(anp.sum(anp.exp(out), axis=1, keepdims=True)) - out))

    slope = grad(loss)(weights)
    for rule in ("zil", "backprop"):
        delta = ref.update(network, weights, clamps, RuleConfig(name=rule)).delta
        for key, alpha in rates(network).items():
            np.testing.assert_allclose(delta[key], -alpha * slope[key], rtol=1e-11, atol=1e-12, err_msg=str(key))


def test_a_graph_levelled_before_gives_the_same_update():
    """What the machine runs is the levelled graph, whose edges have other names."""
    network, (graph, renamed) = residual("tanh"), (levelled(residual("tanh")), ("a>out.3", "out"))
    weights, clamps = sample(network)
    moved = {renamed if key == ("a", "out") else key: w for key, w in weights.items()}
    one, two = ref.zil(network, weights, clamps, ZIL), ref.zil(graph, moved, clamps, ZIL)
    assert set(two.delta) == set(moved) and set(one.weights) == set(weights)
    for key in weights:
        assert (one.delta[key] == two.delta[renamed if key == ("a", "out") else key]).all()
    assert "a>out.1" in one.relaxation.states[0] and len(one.relaxation.states) == 6


def test_hidden_precision_multiplies_along_the_wavefront():
    """e of level l is delta of backprop times the precisions on its way: Z-IL is backprop for precision 0 only."""
    network = Network(
        (Population("in", 5, role=Role.INPUT), Population("a", 6, "tanh", precision=2),
         Population("b", 4, "sigmoid", precision=-3), Population("out", 3, role=Role.TARGET, precision=1)),
        (Edge("in", "a", 0, 1.0), Edge("a", "b", 0, 1.0), Edge("b", "out", 0, 1.0)))
    weights, clamps = sample(network)
    zil, bp = (ref.update(network, weights, clamps, RuleConfig(name=n)).delta for n in ("zil", "backprop"))
    for key, factor in ((("b", "out"), 1), (("a", "b"), 2.0**-3), (("in", "a"), 2.0**-1)):
        np.testing.assert_allclose(zil[key], factor * bp[key], rtol=1e-12, atol=1e-14)


def attention(e, q, k, v):
    """The pullback of softmax(q k^T) v, written down by hand."""
    s = np.exp(q @ k.T)
    s = s / s.sum(axis=1, keepdims=True)
    back = s * (e @ v.T - ((e @ v.T) * s).sum(axis=1, keepdims=True))
    return back @ k, back.T @ q, s.T @ e


def attend(q, k, v):
    s = np.exp(q @ k.T)
    return s / s.sum(axis=1, keepdims=True) @ v


GRAPH = (rev.linear("q", "x", "wq"), rev.linear("k", "x", "wk"), rev.linear("v", "x", "wv"),
         rev.Node("heads", ("q", "k", "v"), attend, attention), rev.add("res", "heads", "v"),
         rev.linear("gate", "res", "wg"), rev.apply("open", "gate", "sigmoid"), rev.multiply("gated", "open", "res"),
         rev.add("twice", "gated", "q", "gated"), rev.linear("tied", "twice", "wg"), rev.apply("last", "tied", "tanh"))


def whole(w, x):
    """GRAPH in another program's operations; wg is used twice."""
    q, k, v = (x @ w[n].T for n in ("wq", "wk", "wv"))
    s = anp.exp(q @ k.T)
    res = s / anp.sum(s, axis=1, keepdims=True) @ v + v
    gated = F["sigmoid"](res @ w["wg"].T) * res
    return anp.tanh((2 * gated + q) @ w["wg"].T)


def parameters(seed=0):
    rng = np.random.default_rng(seed)
    sizes = {"wq": 5, "wk": 5, "wv": 5, "wg": 4}
    return {name: 0.6 * rng.normal(size=(4, n)) for name, n in sizes.items()}, rng.normal(size=(6, 5))


def test_any_graph_of_functions_is_differentiated():
    """Attention, a gate, a parent used twice, a tied parameter: a lost path still lowers the loss."""
    w, x = parameters()
    target = np.random.default_rng(9).normal(size=(6, 4))
    got = rev.differentiate(GRAPH, {"x": x}, w, target - whole(w, x))
    np.testing.assert_allclose(rev.evaluate(GRAPH, {"x": x}, w)["last"], whole(w, x), rtol=1e-13)
    slope = grad(lambda p: 0.5 * anp.sum((target - whole(p, x)) ** 2))(w)
    assert set(got.descent) == set(w)
    for name, change in got.descent.items():
        np.testing.assert_allclose(change, -slope[name], rtol=1e-12, atol=1e-12, err_msg=name)
        assert np.abs(change).max() > 1e-2


def test_the_errors_are_those_of_reverse_mode():
    """e_i = -dloss/dv_i of every intermediate, found by adding a probe to it."""
    w, x = parameters(1)

    def probed(probe):
        res = x @ w["wv"].T + probe
        return 0.5 * anp.sum((1 - anp.tanh(res * F["sigmoid"](res @ w["wg"].T))) ** 2)

    nodes = (rev.linear("v", "x", "wv"), rev.linear("gate", "v", "wg"), rev.apply("open", "gate", "sigmoid"),
             rev.multiply("gated", "v", "open"), rev.apply("last", "gated", "tanh"))
    got = rev.differentiate(nodes, {"x": x}, w, 1 - rev.evaluate(nodes, {"x": x}, w)["last"])
    np.testing.assert_allclose(got.errors["v"], -grad(probed)(np.zeros((6, 4))), rtol=1e-12, atol=1e-13)
    assert got.steps == 4 and {"v>gated.1", "v>gated.2"} <= set(got.errors)


def test_identity_nodes_make_all_paths_of_one_length():
    """An error that arrives a step before the rest of it teaches only its share."""
    nodes = (rev.linear("v", "x", "wv"), rev.apply("f", "v", "tanh"), rev.apply("g", "f", "tanh"),
             rev.add("out", "v", "g"))
    assert rev.levels(nodes) == {"out": 0, "g": 1, "f": 2, "v": 3}
    flat = rev.levelled(nodes)
    assert [n.name for n in flat] == ["v", "f", "g", "v>out.1", "v>out.2", "out"]
    assert flat[-1].parents == ("v>out.2", "g")
    for node in flat:
        for parent in node.parents:
            assert parent == "x" or rev.levels(flat)[parent] == rev.levels(flat)[node.name] + 1


def test_a_dead_relu_learns_nothing_and_what_is_behind_it_is_found():
    """"When e first becomes nonzero" never comes for a dead unit; learning at the level does not wait for it."""
    w = {"w": np.array([[-1.0]]), "u": np.array([[2.0]])}
    nodes = (rev.linear("h", "x", "w"), rev.apply("r", "h", "relu"), rev.linear("o", "r", "u"))
    got = rev.differentiate(nodes, {"x": np.array([[3.0]])}, w, np.array([[1.0]]))
    assert got.descent["w"] == 0 and got.descent["u"] == 0
    got = rev.differentiate(nodes, {"x": np.array([[-3.0]])}, w, np.array([[1.0]]))
    assert got.descent["w"] == -6 and got.descent["u"] == 3
    two = {"w": np.array([[-1.0], [1.0]]), "u": np.array([[2.0, 5.0]])}
    got = rev.differentiate(nodes, {"x": np.array([[3.0]])}, two, np.array([[1.0]]))
    assert got.descent["w"].tolist() == [[0], [15]] and got.descent["u"].tolist() == [[0, 3]]


W, X = parameters()
THREE = Population("in", 5, role=Role.INPUT), Population("h", 3), Population("out", 3, role=Role.TARGET)


@pytest.mark.parametrize("call, words", [
    (lambda: rev.levels(GRAPH[::-1]), "has parent 'tied', which comes later; list parents first"),
    (lambda: rev.levels((*GRAPH, GRAPH[0])), "'q' is there twice; rename one"),
    (lambda: rev.levels((*GRAPH, rev.add("more", "q"))), "'last', 'more' feed no other; give exactly one output"),
    (lambda: rev.apply("f", "x", "tahn"), "node 'f' applies 'tahn'; did you mean 'tanh'"),
    (lambda: rev.evaluate(GRAPH, {"y": X}, W), "node 'q' has parent 'x', which is no node before it and no input"),
    (lambda: rev.evaluate(GRAPH, {"x": X}, {"wq": W["wq"]}), "parameter 'wk', which has"),
    (lambda: rev.differentiate(GRAPH, {"x": X}, W, np.zeros((6, 3))), "error has shape (6, 3); the output 'last' has"),
    (lambda: ref.zil(*cyclic(), ZIL), "the graph has a cycle"),  # type: ignore[call-arg]
    (lambda: ref.zil(*predicted_input(), ZIL), "an input population is predicted; use 'il'")])  # type: ignore[call-arg]
def test_wrong_input_is_refused_with_the_place_and_the_fix(call, words):
    """A cut graph or a broadcast error would differentiate something else."""
    with pytest.raises(BadInput, match=re.escape(words)):
        call()


def cyclic():
    network = Network(THREE, (Edge("in", "h"), Edge("h", "h", identity=True), Edge("h", "out")))
    return network, *sample(network)


def predicted_input():
    network = Network(THREE, (Edge("h", "in"), Edge("h", "out")))
    return network, *sample(network)
