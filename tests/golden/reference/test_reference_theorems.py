"""Theorems that the float64 reference must obey. No number here was read off the reference."""

import numpy as np
import pytest

from golden import reference as ref
from hebbar.compiler.network import Edge, Network, Population, Role, layered
from hebbar.compiler.rule_config import RuleConfig

F = {"identity": lambda x: x, "relu": lambda x: x * (x > 0), "leaky": lambda x: x * np.where(x > 0, 1, 1 / 8),
     "tanh": lambda x: np.sinh(x) / np.cosh(x), "sigmoid": lambda x: 1 / (1 + np.exp(-x)),
     "hard_tanh": lambda x: np.clip(x, -1, 1)}
SLOPE = {"identity": lambda x: x * 0 + 1, "relu": lambda x: x > 0, "leaky": lambda x: np.where(x > 0, 1, 1 / 8),
         "tanh": lambda x: np.cosh(x) ** -2, "sigmoid": lambda x: np.exp(-x) / (1 + np.exp(-x)) ** 2,
         "hard_tanh": lambda x: np.abs(x) < 1}
SIZES = [5, 7, 6, 4, 3]


def chain(activation, seed=3, batch=4, bias=False, sizes=SIZES, scale=1.5):
    """A layered network with weights (biases too), inputs and targets that excite all of it."""
    last = len(sizes) - 1
    network = layered(list(sizes), activation, list(range(last)), [scale] * last, bias=bias)
    rng = np.random.default_rng(seed)
    weights = {k: w if w.any() else rng.normal(size=w.shape)
               for k, w in ref.initial_weights(network, seed).items()}
    clamps = {"x0": rng.normal(size=(batch, sizes[0])), f"x{last}": rng.normal(size=(batch, sizes[-1]))}
    return network, weights, clamps


def loop(activation, zero_diagonal=True):
    """Two hidden populations in a cycle, one with a self edge, a predicted input and a bias."""
    pops = (Population("in", 3, role=Role.INPUT), Population("u", 4, activation),
            Population("v", 3, activation), Population("out", 2, activation, Role.TARGET),
            Population("one", 1, role=Role.CONSTANT))
    pairs = [("in", "u"), ("u", "u"), ("u", "v"), ("v", "u"), ("v", "out"), ("out", "u"), ("u", "in"), ("one", "v")]
    return Network(pops, tuple(Edge(s, t, 2, 1.0, zero_diagonal=zero_diagonal and s == t) for s, t in pairs))


def gradient_step(activation, weights, clamps, last):
    """Backprop by hand on a layered network: the change of every block at alpha = 2**-layer."""
    x = [clamps["x0"]]
    for n in range(last):
        a = F[activation](x[n]) if n else x[n]
        x.append(a @ weights[f"x{n}", f"x{n + 1}"].T + weights.get(("one", f"x{n + 1}"), np.zeros((1, 1)))[:, 0])
    delta, change = clamps[f"x{last}"] - x[-1], {}
    for n in reversed(range(last)):
        a = F[activation](x[n]) if n else x[n]
        change[f"x{n}", f"x{n + 1}"] = 2.0**-n * delta.T @ a
        change["one", f"x{n + 1}"] = 2.0**-n * delta.sum(axis=0)[:, None]
        delta = delta @ weights[f"x{n}", f"x{n + 1}"] * SLOPE[activation](x[n])
    return change


def same(got, wanted, tolerance=1e-12):
    for key in got:
        np.testing.assert_allclose(got[key], wanted[key], rtol=tolerance, atol=tolerance, err_msg=str(key))


@pytest.mark.parametrize("bias", [False, True])
@pytest.mark.parametrize("activation", list(F))
def test_zil_and_backprop_are_the_gradient_step(activation, bias):
    """Theorem 1. Without it Z-IL could update a step late, or with new weights, and still learn."""
    network, weights, clamps = chain(activation, bias=bias)
    wanted = gradient_step(activation, weights, clamps, 4)
    assert all(np.abs(wanted[k]).max() > 1e-3 for k in weights)
    for name in ("zil", "backprop"):
        learned = ref.update(network, weights, clamps, RuleConfig(name=name))
        same(learned.delta, wanted)
        same(learned.weights, {k: weights[k] + wanted[k] for k in weights})


def test_backprop_on_skip_edges_descends_the_loss():
    """Reverse mode on a graph must add up every path; losing one still lowers the loss."""
    pops = (Population("out", 2, role=Role.TARGET), Population("in", 3, role=Role.INPUT),
            Population("u", 4, "tanh"), Population("v", 3, "sigmoid"))
    pairs = [("in", "u"), ("in", "v"), ("u", "v"), ("u", "out"), ("v", "out"), ("in", "out")]
    network = Network(pops, tuple(Edge(s, t, 0, 1.0) for s, t in pairs))
    weights, rng = ref.initial_weights(network, 1), np.random.default_rng(2)
    clamps = {"in": rng.normal(size=(3, 3)), "out": rng.normal(size=(3, 2))}

    def loss(w):
        u = clamps["in"] @ w["in", "u"].T
        v = clamps["in"] @ w["in", "v"].T + np.tanh(u) @ w["u", "v"].T
        out = clamps["in"] @ w["in", "out"].T + np.tanh(u) @ w["u", "out"].T + F["sigmoid"](v) @ w["v", "out"].T
        return 0.5 * ((clamps["out"] - out) ** 2).sum()

    delta = ref.backprop(network, weights, clamps, RuleConfig(name="backprop")).delta
    for key, block in weights.items():
        same({key: delta[key]}, {key: -differences(lambda b, k=key: loss(weights | {k: b}), block)}, 1e-7)


def differences(function, at, h=1e-5):
    """The gradient of ``function`` by central differences."""
    out = np.zeros_like(at)
    for i in np.ndindex(at.shape):
        step = np.zeros_like(at)
        step[i] = h
        out[i] = (function(at + step) - function(at - step)) / (2 * h)
    return out


@pytest.mark.parametrize("activation", list(F))
def test_finite_differences_of_the_energy_give_every_descent(activation):
    """Theorem 15. A wrong f', a lost edge of a cycle or a wrong sign only slows learning down."""
    network = loop(activation, zero_diagonal=False)
    rng = np.random.default_rng(5)
    weights = {k: rng.normal(size=w.shape) for k, w in ref.initial_weights(network, 0).items()}
    x = {p.name: rng.normal(size=(2, p.size)) for p in network.populations} | {"one": np.ones((2, 1))}

    def total(states, w):
        mu = {p.name: sum(F[network.by_name[s].activation](states[s]) @ b.T for (s, t), b in w.items() if t == p.name)
              for p in network.predicted}
        return 0.5 * sum(((states[g] - mu[g]) ** 2).sum() for g in mu)

    e = ref.errors(network, weights, x)
    assert set(e) == {"in", "u", "v", "out"}
    assert ref.energy(network, weights, x).sum() == pytest.approx(total(x, weights), rel=1e-12)
    dx, dw = ref.state_descent(network, weights, x, e), ref.weight_descent(network, x, e)
    for g in e:
        same({g: dx[g]}, {g: -differences(lambda s, g=g: total(x | {g: s}, weights), x[g])}, 1e-6)
    for k, block in weights.items():
        same({k: dw[k]}, {k: -differences(lambda b, k=k: total(x, weights | {k: b}), block)}, 1e-6)


@pytest.mark.parametrize("name", list(ref.RULES))
def test_a_target_equal_to_the_prediction_changes_nothing(name):
    """Theorem 4, with a control: rules that never change anything would pass it as well."""
    network, weights, clamps = chain("tanh", bias=True)
    rule = RuleConfig(name=name, steps=6)
    right = clamps | {"x4": ref.predict(network, weights, clamps["x0"], rule)}
    learned = ref.update(network, weights, right, rule)
    assert max(np.abs(d).max() for d in learned.delta.values()) < 1e-13
    learned = ref.update(network, weights, clamps, rule)
    assert min(np.abs(d).max() for d in learned.delta.values()) > 1e-4


def test_il_without_state_steps_is_backprop_on_the_output_layer_only():
    """Theorem 5. Errors not refreshed, or a start that is not x = mu, would teach the hidden layers."""
    network, weights, clamps = chain("sigmoid", bias=True)
    learned = ref.il(network, weights, clamps, RuleConfig(name="il", steps=0))
    wanted = gradient_step("sigmoid", weights, clamps, 4)
    same(learned.delta, {k: d if k[1] == "x4" else 0 * d for k, d in wanted.items()})


def test_the_first_update_of_ipc_is_il_without_state_steps():
    """Theorem 6, and the second step starts from both moved states and moved weights."""
    network, weights, clamps = chain("tanh")
    il0 = ref.il(network, weights, clamps, RuleConfig(name="il", steps=0))
    one = ref.ipc(network, weights, clamps, RuleConfig(name="ipc", steps=1, gamma=0.3))
    same(one.delta, il0.delta)
    moved = ref.infer(network, weights, clamps, 0.3, 1).states[1]
    same(one.relaxation.states[1], moved)
    two = ref.ipc(network, weights, clamps, RuleConfig(name="ipc", steps=2, gamma=0.3))
    start = {n: moved[n] for n in ("x1", "x2", "x3")}
    second = ref.il(network, il0.weights, clamps, RuleConfig(name="il", steps=0), start=start)
    same(two.weights, second.weights)


def by_hand(activation, weights, clamps, last, gamma, steps):
    """Section 0's layered equations, layer by layer: states and errors after ``steps``."""
    f, slope = F[activation], SLOPE[activation]
    x = [clamps["x0"]]
    act = [lambda v: v] + [f] * last
    for n in range(last):
        x.append(act[n](x[n]) @ weights[f"x{n}", f"x{n + 1}"].T)
    x[last] = clamps[f"x{last}"]
    for t in range(steps + 1):
        e = [None] + [x[n + 1] - act[n](x[n]) @ weights[f"x{n}", f"x{n + 1}"].T for n in range(last)]
        if t < steps:
            x = [x[0]] + [x[n] + gamma * (slope(x[n]) * (e[n + 1] @ weights[f"x{n}", f"x{n + 1}"]) - e[n])
                          for n in range(1, last)] + [x[last]]
    return x, e


@pytest.mark.parametrize("activation", list(F))
def test_il_on_layers_and_on_the_same_graph_is_section_zero(activation):
    """The layered equations written out; order and names of a graph must not matter (theorem 13)."""
    network, weights, clamps = chain(activation)
    x, e = by_hand(activation, weights, clamps, 4, 0.25, 7)
    wanted = {(f"x{n}", f"x{n + 1}"): 2.0**-n * e[n + 1].T @ (F[activation](x[n]) if n else x[n]) for n in range(4)}
    rng = np.random.default_rng(2)
    graph = Network(tuple(network.populations[i] for i in rng.permutation(5)),
                    tuple(network.edges[i] for i in rng.permutation(4)))
    for net in (network, graph):
        learned = ref.il(net, weights, clamps, RuleConfig(name="il", steps=7, gamma=0.25))
        same(learned.relaxation.states[-1], {f"x{n}": x[n] for n in range(5)})
        same(learned.delta, wanted)


def test_a_hierarchical_mask_is_the_layered_network():
    """Theorem 7: two layers as one population with a self edge; a wrong block order hides elsewhere."""
    _, weights, clamps = chain("tanh", sizes=[4, 5, 3, 2])
    pops = (Population("in", 4, role=Role.INPUT), Population("h", 8, "tanh"), Population("out", 2, role=Role.TARGET))
    flat = Network(pops, (Edge("in", "h", 0), Edge("h", "h", 1), Edge("h", "out", 2)))
    w = {("in", "h"): np.zeros((8, 4)), ("h", "h"): np.zeros((8, 8)), ("h", "out"): np.zeros((2, 8))}
    w["in", "h"][:5], w["h", "h"][5:, :5], w["h", "out"][:, 5:] = (weights[k] for k in weights)
    x, e = by_hand("tanh", weights, clamps, 3, 0.25, 0)
    path = ref.infer(flat, w, {"in": clamps["x0"], "out": clamps["x3"]}, 0.25, 9, {"h": np.hstack(x[1:3])})
    x, e = by_hand("tanh", weights, clamps, 3, 0.25, 9)
    same({"h": path.states[-1]["h"], "out": path.errors[-1]["out"]}, {"h": np.hstack(x[1:3]), "out": e[3]})
