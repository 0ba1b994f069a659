"""Theorem 8: learning with weak feedback tends to backprop, and at what order."""

import re
from dataclasses import replace

import numpy as np
import pytest

from golden import reference as ref
from golden.reference.weak_feedback import (
    Settling,
    contrastive_hebbian,
    equilibrium_propagation,
    free_states,
    hopfield_descent,
    hopfield_energy,
    nudged_pc,
)
from hebbar.compiler.network import Edge, Network, Population, Role, layered
from hebbar.compiler.rule_config import RuleConfig
from hebbar.contract.errors import BadInput

NUDGES = (0.1, 0.01, 0.001, 0.0001)
F = {"identity": lambda x: x, "tanh": np.tanh, "sigmoid": lambda x: 1 / (1 + np.exp(-x))}


def chain(sizes, activation="tanh", seed=1, batch=2, output="identity", scale=1.0):
    """A layered network with biases that are not zero, weights, and inputs and targets of order one."""
    last = len(sizes) - 1
    network = layered(list(sizes), activation, [0] * last, [scale] * last, bias=True)
    network = replace(network, populations=tuple(
        replace(p, activation=output) if p.role is Role.TARGET else p for p in network.populations))
    rng = np.random.default_rng(seed)
    weights = {k: w if w.any() else 0.3 * rng.normal(size=w.shape)
               for k, w in ref.initial_weights(network, seed).items()}
    return network, weights, {"x0": rng.normal(size=(batch, sizes[0])), f"x{last}": rng.normal(size=(batch, sizes[-1]))}


def loop():
    """A cycle and a self edge: F is symmetric whatever the graph."""
    pops = (Population("in", 3, role=Role.INPUT), Population("u", 4, "tanh"), Population("v", 3, "sigmoid"),
            Population("out", 2, "tanh", Role.TARGET), Population("one", 1, role=Role.CONSTANT))
    pairs = [("in", "u"), ("u", "u"), ("u", "v"), ("v", "u"), ("v", "out"), ("one", "v")]
    return Network(pops, tuple(Edge(s, t, 0, 1.0) for s, t in pairs))


def away(got, wanted):
    """Relative distance of two sets of blocks."""
    assert got.keys() == wanted.keys()
    square = sum(((got[k] - wanted[k]) ** 2).sum() for k in wanted)
    return float(np.sqrt(square / sum((w**2).sum() for w in wanted.values())))


def order(strengths, distances):
    """The exponent p of distance ~ strength^p over the smaller half of the strengths."""
    return np.polyfit(np.log(strengths[1:]), np.log(distances[1:]), 1)[0]


def differences(function, at, h=1e-5):
    """The gradient of ``function`` by central differences."""
    out = np.zeros_like(at)
    for i in np.ndindex(at.shape):
        step = np.zeros_like(at)
        step[i] = h
        out[i] = (function(at + step) - function(at - step)) / (2 * h)
    return out


@pytest.fixture(scope="module")
def backprop():
    """The net of the figures, 6-5-4-3 tanh, and its exact descent."""
    network, weights, clamps = chain([6, 5, 4, 3])
    return network, weights, clamps, ref.backprop(network, weights, clamps, RuleConfig(name="backprop")).delta


def test_nudged_pc_is_backprop_to_first_order(backprop):
    """Theorem 8. A wrong factor or a phase that is not at rest leaves an error that stops falling."""
    network, weights, clamps, exact = backprop
    found = [away(nudged_pc(network, weights, clamps, n), exact) for n in NUDGES]
    assert order(NUDGES, found) == pytest.approx(1, abs=0.1)
    assert all(0.25 < got / figure < 2.5 for got, figure in zip(found, (0.39, 0.052, 0.0054, 0.00054)))


def test_a_symmetric_nudge_is_backprop_to_second_order(backprop):
    """Two phases that do not mirror each other would cost twice the time for nothing."""
    network, weights, clamps, exact = backprop
    strengths = (0.04, 0.02, 0.01, 0.005)
    found = [away(nudged_pc(network, weights, clamps, n, symmetric=True), exact) for n in strengths]
    assert order(strengths, found) == pytest.approx(2, abs=0.1)
    assert found[-1] < 0.1 * away(nudged_pc(network, weights, clamps, strengths[-1]), exact)


def test_nudged_pc_of_one_weight_has_a_closed_form():
    """At rest e = nudge (y - x): (y - w x0) x0 / (1 + nudge). Small nudges alone would not show that factor."""
    network = layered([1, 1], "identity", [0], [1.0])
    clamps = {"x0": np.full((1, 1), 3.0), "x1": np.full((1, 1), 10.0)}
    for nudge in (0.01, 1.0, 4.0):
        got = nudged_pc(network, {("x0", "x1"): np.full((1, 1), 2.0)}, clamps, nudge, Settling(rate=0.1))
        assert got["x0", "x1"][0, 0] == pytest.approx((10 - 6) / (1 + nudge) * 3, rel=1e-8)


@pytest.mark.parametrize("cost_on", ["activity", "state"])
def test_nudged_pc_descends_the_cost_of_what_it_pulls_on(cost_on):
    """By differences of 1/2 |y - output|^2 of the feed-forward pass, whose output is f(x_L) or x_L."""
    network, weights, clamps = chain([3, 3, 2], output="tanh")

    def cost(block, key):
        w, x = weights | {key: block}, clamps["x0"]
        for name, below in (("x1", "x0"), ("x2", "x1")):
            x = np.tanh(x @ w[below, name].T + w["one", name][:, 0]) if (name, cost_on) != ("x2", "state") else \
                x @ w[below, name].T + w["one", name][:, 0]
        return 0.5 * ((clamps["x2"] - x) ** 2).sum()

    exact = {key: -differences(lambda block, key=key: cost(block, key), w) for key, w in weights.items()}
    found = [away(nudged_pc(network, weights, clamps, n, cost_on=cost_on), exact) for n in NUDGES]
    assert order(NUDGES, found) == pytest.approx(1, abs=0.1) and found[-1] < 1e-3


def hand_energy(network, weights, u):
    """F written out: half of all squares, minus every edge once."""
    r = {p.name: F[p.activation](u[p.name]) for p in network.populations}
    pairs = sum(np.einsum("bt,ts,bs->", r[t], w, r[s]) for (s, t), w in weights.items())
    return sum((x**2).sum() for x in u.values()) / 2 - pairs


def test_finite_differences_of_the_hopfield_energy():
    """A gate f' in the wrong place still settles, elsewhere; W instead of W + W^T does on a self edge."""
    network, rng = loop(), np.random.default_rng(4)
    weights = {k: rng.normal(size=w.shape) for k, w in ref.initial_weights(network, 0).items()}
    u = {p.name: rng.normal(size=(2, p.size)) for p in network.populations} | {"one": np.ones((2, 1))}
    assert hopfield_energy(network, weights, u).sum() == pytest.approx(hand_energy(network, weights, u), rel=1e-12)
    force = hopfield_descent(network, weights, u)
    for name in ("u", "v", "out"):
        wanted = differences(lambda x, n=name: -hand_energy(network, weights, u | {n: x}), u[name])
        np.testing.assert_allclose(force[name], wanted, rtol=1e-6, atol=1e-6, err_msg=name)


@pytest.fixture(scope="module", params=[("identity", "activity"), ("tanh", "activity"), ("tanh", "state")],
                ids=lambda p: "-".join(p))
def rest_cost(request):
    """A small net, what its cost is taken of, and the descent of that cost at rest by differences."""
    output, cost_on = request.param
    network, weights, clamps = chain([3, 3, 3, 2], output=output, scale=0.8)
    fine = Settling(rate=0.4, tolerance=1e-13)

    def cost(key, block):
        u = free_states(network, weights | {key: block}, clamps, fine)["x3"]
        return 0.5 * ((clamps["x3"] - (F[output](u) if cost_on == "activity" else u)) ** 2).sum()

    exact = {k: -differences(lambda b, k=k: cost(k, b), w, 1e-4) for k, w in weights.items()}
    assert min(np.abs(d).max() for d in exact.values()) > 1e-3
    return network, weights, clamps, cost_on, exact


def test_equilibrium_propagation_descends_the_cost_at_rest(rest_cost):
    """First order one-sided, second order symmetric; the nudge acts through f' only on an activity."""
    network, weights, clamps, cost_on, exact = rest_cost
    one = [away(equilibrium_propagation(network, weights, clamps, n, cost_on=cost_on), exact) for n in NUDGES]
    assert order(NUDGES, one) == pytest.approx(1, abs=0.1) and one[-1] < 1e-3
    strengths = (0.08, 0.04, 0.02)
    two = [away(equilibrium_propagation(network, weights, clamps, n, symmetric=True, cost_on=cost_on), exact)
           for n in strengths]
    assert order(strengths, two) == pytest.approx(2, abs=0.15)


def test_contrastive_hebbian_descends_the_difference_of_two_energies():
    """Both phases count: with feedback 1 the rule is exactly -d/dW of F clamped minus F free."""
    network, weights, clamps = chain([3, 3, 2], output="tanh", scale=0.8)
    fine = Settling(rate=0.3, tolerance=1e-12)
    held = ref.hold(network, clamps)

    def contrast(key, block):
        w = weights | {key: block}
        free = free_states(network, w, clamps, fine)
        both = fine.run(lambda u: hopfield_descent(network, w, u), free | held.values, held, "clamped")
        return hand_energy(network, w, both) - hand_energy(network, w, free)

    got = contrastive_hebbian(network, weights, clamps, fine)
    for key, block in weights.items():
        wanted = -differences(lambda b, k=key: contrast(k, b), block, 1e-4)
        np.testing.assert_allclose(got[key], wanted, rtol=1e-6, atol=1e-6, err_msg=str(key))


def test_contrastive_hebbian_with_weak_feedback_is_backprop_to_first_order(backprop):
    """Xie and Seung: without the division by feedback^(L - l) early layers learn nothing."""
    network, weights, clamps, exact = backprop
    strengths = (0.05, 0.02, 0.01, 0.005)
    found = [away(contrastive_hebbian(network, weights, clamps, feedback=k, gated=False), exact) for k in strengths]
    assert order(strengths, found) == pytest.approx(1, abs=0.1) and found[-1] < 0.05


def test_a_phase_that_does_not_settle_is_refused():
    """States cut off on their way would look like a result; so would NaN."""
    network, weights, clamps = chain([3, 3, 2])
    for settling in (Settling(limit=3), Settling(rate=5.0)):
        for call in (nudged_pc, equilibrium_propagation):
            with pytest.raises(BadInput, match=r"not at rest after .* rate .*lower settling.rate"):
                call(network, weights, clamps, 0.1, settling)
        with pytest.raises(BadInput, match="the free phase is not at rest"):
            contrastive_hebbian(network, weights, clamps, settling)


@pytest.mark.parametrize("change, words", [
    ({"nudge": 0.0}, "nudge or feedback is 0.0; give a number"),
    ({"clamps": {"x0": np.ones((2, 3))}}, "clamps has no 'x2'; clamp the target"),
    ({"clamps": {"x0": np.ones((2, 3)), "x1": np.ones((2, 3)), "x2": np.ones((2, 2))}}, "clamps['x1'] is hidden")])
def test_wrong_input_is_refused_with_the_place_and_the_fix(change, words):
    """A free target gives zero weight changes, and a clamped hidden layer another gradient."""
    network, weights, clamps = chain([3, 3, 2])
    for call in (nudged_pc, equilibrium_propagation):
        with pytest.raises(BadInput, match=re.escape(words)):
            call(**{"network": network, "weights": weights, "clamps": clamps, "nudge": 0.1} | change)


def test_weak_feedback_on_a_graph_without_layers_is_refused():
    """On a cycle a layer has no distance from the output, so the division would be arbitrary."""
    network = loop()
    weights = ref.initial_weights(network, 0)
    with pytest.raises(BadInput, match="feedback is not 1 and the network is not layered"):
        contrastive_hebbian(network, weights, {"in": np.ones((1, 3)), "out": np.ones((1, 2))}, feedback=0.1)
