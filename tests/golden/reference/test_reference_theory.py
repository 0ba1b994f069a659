"""Closed forms and convergence bounds: theorems 2 and 3, and how far inference has come."""

from dataclasses import replace

import numpy as np
import pytest

from golden import reference as ref
from hebbar.compiler.network import Edge, Error, Network, Population, Role, layered
from hebbar.contract.errors import BadInput

SIZES = [5, 7, 6, 4, 3]


def chain(sizes=SIZES, bias=False, scale=1.5):
    """A linear layered network with weights (biases too), inputs and targets."""
    last = len(sizes) - 1
    network = layered(list(sizes), "identity", [0] * last, [scale] * last, bias=bias)
    rng = np.random.default_rng(3)
    weights = {k: w if w.any() else rng.normal(size=w.shape) for k, w in ref.initial_weights(network, 3).items()}
    return network, weights, {"x0": rng.normal(size=(4, sizes[0])), f"x{last}": rng.normal(size=(4, sizes[-1]))}


def loop():
    """Two tanh populations in a cycle, one with a self edge, a predicted input and a bias."""
    pops = (Population("in", 3, role=Role.INPUT), Population("u", 4, "tanh"), Population("v", 3, "tanh"),
            Population("out", 2, "tanh", Role.TARGET), Population("one", 1, role=Role.CONSTANT))
    pairs = [("in", "u"), ("u", "u"), ("u", "v"), ("v", "u"), ("v", "out"), ("out", "u"), ("u", "in"), ("one", "v")]
    return Network(pops, tuple(Edge(s, t, 2, 1.0, zero_diagonal=s == t) for s, t in pairs))


def same(got, wanted, tolerance):
    for key in got:
        np.testing.assert_allclose(got[key], wanted[key], rtol=tolerance, atol=tolerance, err_msg=str(key))


def test_one_linear_hidden_layer_settles_where_the_formula_says():
    """Theorem 2, three layers: x1* = (I + W2^T W2)^-1 (W1 x0 + W2^T x2)."""
    network, weights, clamps = chain(sizes=[4, 5, 3])
    w1, w2 = weights["x0", "x1"], weights["x1", "x2"]
    wanted = np.linalg.inv(np.eye(5) + w2.T @ w2) @ (w1 @ clamps["x0"].T + w2.T @ clamps["x2"].T)
    path = ref.infer(network, weights, clamps, 0.7 * ref.gamma_bound(network, weights), 400)
    same({"x1": path.states[-1]["x1"]}, {"x1": wanted.T}, 1e-10)
    same(ref.linear_equilibrium(network, weights, clamps["x0"], clamps["x2"]), {"x1": wanted.T}, 1e-10)


@pytest.mark.parametrize("bias", [False, True])
def test_deep_linear_inference_ends_at_the_closed_form(bias):
    """Theorem 2, deep: states and energy. Targets drift when inference settles elsewhere."""
    network, weights, clamps = chain(bias=bias, scale=0.8)
    start = {f"x{n}": np.full((4, SIZES[n]), 9.0) for n in (1, 2, 3)}
    path = ref.infer(network, weights, clamps, 0.8 * ref.gamma_bound(network, weights), 3000, start)
    wanted = ref.linear_equilibrium(network, weights, clamps["x0"], clamps["x4"])
    same(wanted, path.states[-1], 1e-10)
    energy = ref.equilibrium_energy(network, weights, clamps["x0"], clamps["x4"])
    np.testing.assert_allclose(path.energies[-1], energy, rtol=1e-10)


def test_gamma_bound_of_one_neuron_is_two_over_one_plus_w_squared():
    """Theorem 3 by hand: with x0 and x2 clamped H = 1 + w2^2, with only x0 clamped [[1+w2^2,-w2],[-w2,1]]."""
    network, weights, _ = chain(sizes=[1, 1, 1])
    w = weights["x1", "x2"][0, 0]
    assert ref.gamma_bound(network, weights) == pytest.approx(2 / (1 + w * w), rel=1e-12)
    top = 1 + w * w / 2 + abs(w) * np.sqrt(1 + w * w / 4)
    assert ref.gamma_bound(network, weights, clamped={"x0"}) == pytest.approx(2 / top, rel=1e-12)


def test_inference_converges_below_the_bound_and_diverges_above():
    """Theorem 3. A sign or transpose slip in the Hessian moves the bound by far more than 0.5 %."""
    network, weights, clamps = chain()
    bound = ref.gamma_bound(network, weights)
    wanted = ref.linear_equilibrium(network, weights, clamps["x0"], clamps["x4"])
    rng = np.random.default_rng(1)
    start = {n: x + rng.normal(size=x.shape) for n, x in wanted.items()}
    below = ref.infer(network, weights, clamps, 0.995 * bound, 4000, start).energies
    assert (np.diff(below, axis=0) <= 1e-9 * below[0]).all() and below[-1].sum() < below[0].sum()
    above = ref.infer(network, weights, clamps, 1.005 * bound, 4000, start).energies
    assert (above[-1] > 1e6 * above[0]).all()


def test_gamma_bound_matches_the_measured_curvature_of_a_nonlinear_cycle():
    """Where every error is zero the Hessian of E is exactly J^T J, so finite differences decide."""
    network = loop()
    rng = np.random.default_rng(8)
    weights = {k: 0.3 * w for k, w in ref.initial_weights(network, 4).items()} | {("one", "v"): rng.normal(size=(3, 1))}
    clamps, masks = {"in": np.zeros((1, 3))}, {"in": np.zeros(3, bool)}
    rest = ref.infer(network, weights, clamps, 0.4, 4000, "zero", masks)
    assert rest.energies[-1, 0] < 1e-20
    x = rest.states[-1]
    free = ["in", "u", "v", "out"]
    ends = np.cumsum([x[n].shape[1] for n in free])

    def force(flat):
        parts = np.split(flat, ends[:-1], axis=1)
        states = dict(zip(free, parts)) | {"one": x["one"]}
        descent = ref.state_descent(network, weights, states, ref.errors(network, weights, states))
        return np.hstack([descent[n] for n in free])

    at = np.hstack([x[n] for n in free])
    hessian = np.vstack([(force(at - h) - force(at + h)) / 2e-5 for h in 1e-5 * np.eye(at.size)])
    bound = ref.gamma_bound(network, weights, {n: x[n][0] for n in free}, clamped=())
    assert bound == pytest.approx(2 / np.linalg.eigvalsh(hessian).max(), rel=1e-6)


def test_distance_to_equilibrium_is_measured_from_the_closed_form():
    """Reports would call truncated inference settled if x* were only a few steps further on."""
    network, weights, clamps = chain(scale=0.6)
    end = ref.linear_equilibrium(network, weights, clamps["x0"], clamps["x4"])
    path = ref.infer(network, weights, clamps, 0.3, 5)
    away = [np.sqrt(sum(((s[n] - end[n]) ** 2).sum(axis=1) for n in end)) for s in path.states]
    for steps in (0, 1, 5):
        got = ref.distance_to_equilibrium(network, weights, clamps, 0.3, steps)
        np.testing.assert_allclose(got, away[steps] / away[0], rtol=1e-9)


def test_distance_to_equilibrium_settles_in_a_kink():
    """A minimum in the kink of a leaky f: at a fixed gamma the state hops around it and never settles.

    mu_1 = 1 and w2 y = -3 pull x_1 down at 0+ (1 - 3 < 0) and up at 0- (1 - 3/8 > 0), so x_1* = 0.
    """
    network = layered([1, 1, 1], "leaky", [0, 0], [1.0, 1.0])
    weights = {("x0", "x1"): np.ones((1, 1)), ("x1", "x2"): np.ones((1, 1))}
    x = 1.0
    for _ in range(2):
        f, slope = (x, 1) if x >= 0 else (x / 8, 1 / 8)
        x += 0.1 * (1 - x + slope * (-3 - f))
    clamps = {"x0": np.ones((1, 1)), "x2": np.full((1, 1), -3.0)}
    got = ref.distance_to_equilibrium(network, weights, clamps, 0.1, 2)
    np.testing.assert_allclose(got, [abs(x)], atol=0.01)


def test_distance_is_zero_where_inference_has_nothing_to_do():
    """A sample that is predicted perfectly starts at equilibrium; 0 / 0 would spoil the mean."""
    network, weights, clamps = chain()
    clamps["x4"] = clamps["x0"] @ np.linalg.multi_dot(list(weights.values())[::-1]).T
    assert (ref.distance_to_equilibrium(network, weights, clamps, 0.05, 3) == 0).all()


def tangle(gain=0.3):
    """A linear graph with a cycle, identity edges, a mask, a bias and precisions; weights, input and target."""
    pops = (Population("in", 3, role=Role.INPUT), Population("u", 4, precision=2), Population("v", 4, precision=-1),
            Population("w", 4), Population("out", 2, role=Role.TARGET, precision=1),
            Population("one", 1, role=Role.CONSTANT))
    edges = [Edge("in", "u"), Edge("u", "v", mask=("10", "11")), Edge("v", "u"), Edge("v", "w"), Edge("w", "out"),
             Edge("u", "w", identity=True), Edge("v", "w", identity=True), Edge("one", "v"),
             Edge("u", "u", zero_diagonal=True)]
    network, rng = Network(pops, tuple(edges)), np.random.default_rng(2)
    weights = {k: gain * rng.normal(size=w.shape) for k, w in ref.initial_weights(network, 0).items()}
    weights["u", "v"][:2, 2:] = 0
    np.fill_diagonal(weights["u", "u"], 0)
    return network, weights, {"in": rng.normal(size=(3, 3)), "out": rng.normal(size=(3, 2))}


def curvature(network, weights, clamps, free):
    """The Hessian of E over the free populations by second differences: exact, for E is a square."""
    sizes = [network.by_name[n].size for n in free]
    cuts = np.cumsum(sizes)[:-1]

    def total(flat):
        states = {**clamps, "one": np.ones((1, 1)), **dict(zip(free, np.split(flat[None], cuts, axis=1)))}
        return ref.energy(network, weights, states)[0]

    unit, n = np.eye(sum(sizes)), sum(sizes)
    return np.array([[total(a + b) - total(a) - total(b) + total(np.zeros(n)) for b in unit] for a in unit])


def test_the_bound_and_the_closed_form_hold_on_any_linear_graph():
    """Theorems 2 and 3 beyond layers: an identity or a precision left out moves both by far more than this."""
    network, weights, clamps = tangle()
    one = {k: v[:1] for k, v in clamps.items()}
    bound = ref.gamma_bound(network, weights)
    top = np.linalg.eigvalsh(curvature(network, weights, one, ["u", "v", "w"])).max()
    assert bound == pytest.approx(2 / top, rel=1e-10)
    wanted = ref.linear_equilibrium(network, weights, clamps["in"], clamps["out"])
    start = {n: x + 1 for n, x in wanted.items()}
    below = ref.infer(network, weights, clamps, 0.99 * bound, 6000, start)
    same(wanted, below.states[-1], 1e-10)
    assert (np.diff(below.energies, axis=0) <= 1e-9 * below.energies[0]).all()
    above = ref.infer(network, weights, clamps, 1.01 * bound, 3000, start).energies
    assert (above[-1] > 1e6 * above[0]).all()


def test_the_bound_of_free_targets_and_predicted_inputs():
    """A query leaves other populations free than training does; the wrong set gives the wrong gamma."""
    network, weights, clamps = tangle()
    free = ["u", "v", "w", "out"]
    top = np.linalg.eigvalsh(curvature(network, weights, {"in": clamps["in"][:1]}, free)).max()
    assert ref.gamma_bound(network, weights, clamped={"in"}) == pytest.approx(2 / top, rel=1e-10)
    assert ref.gamma_bound(network, weights, clamped=set(free) | {"in"}) == np.inf


@pytest.mark.parametrize("precisions", [(0, 0, 0, 0), (2, -1, 0, 1), (-3, 3, 1, -2)])
def test_equilibrium_energy_with_precisions(precisions):
    """S adds up what each layer can take: 1 / pi of it, seen through the layers above."""
    network, weights, clamps = chain(bias=True, scale=0.8)
    by_name = dict(zip(("x1", "x2", "x3", "x4"), precisions))
    network = Network(tuple(replace(p, precision=by_name.get(p.name, 0)) for p in network.populations), network.edges)
    wanted = ref.linear_equilibrium(network, weights, clamps["x0"], clamps["x4"])
    states = clamps | wanted | {"one": np.ones((4, 1))}
    energy = ref.equilibrium_energy(network, weights, clamps["x0"], clamps["x4"])
    np.testing.assert_allclose(energy, ref.energy(network, weights, states), rtol=1e-10)
    force = ref.state_descent(network, weights, states, ref.errors(network, weights, states))
    assert max(np.abs(force[n]).max() for n in wanted) < 1e-11


def test_the_bound_with_a_categorical_target_is_safe():
    """Softmax curves by at most 1/2 of what a square does; at equal shares of two classes by just that."""
    pops = (Population("in", 2, role=Role.INPUT), Population("h", 3),
            Population("out", 2, role=Role.TARGET, error=Error.CATEGORICAL))
    network, rng = Network(pops, (Edge("in", "h"), Edge("h", "out"))), np.random.default_rng(1)
    column = rng.normal(size=(1, 3))
    weights = {("in", "h"): np.zeros((3, 2)), ("h", "out"): np.vstack([column, -column])}
    clamps = {"in": np.zeros((1, 2)), "out": np.array([[0.5, 0.5]])}

    def total(x):
        return ref.energy(network, weights, clamps | {"h": x[None]})[0]

    unit = 1e-4 * np.eye(3)
    hessian = [[(total(a + b) - total(a - b) - total(b - a) + total(-a - b)) / 4e-8 for b in unit] for a in unit]
    assert ref.gamma_bound(network, weights) == pytest.approx(2 / np.linalg.eigvalsh(np.array(hessian)).max(), rel=1e-5)
    with pytest.raises(BadInput, match="'out' is categorical and free"):
        ref.gamma_bound(network, weights, clamped={"in"})
    with pytest.raises(BadInput, match="'out' has activation 'identity' and categorical errors"):
        ref.linear_equilibrium(network, weights, clamps["in"], clamps["out"])


def test_a_minimum_that_is_no_point_is_refused():
    """A self weight of 1 lets a state drift for free; solving would answer with rounding noise."""
    pops = (Population("in", 1, role=Role.INPUT), Population("h", 1), Population("out", 1, role=Role.TARGET))
    network = Network(pops, (Edge("in", "h"), Edge("h", "h", identity=True), Edge("h", "out")))
    weights = {("in", "h"): np.ones((1, 1)), ("h", "out"): np.zeros((1, 1))}
    with pytest.raises(BadInput, match="no single minimum"):
        ref.linear_equilibrium(network, weights, np.ones((1, 1)), np.ones((1, 1)))
