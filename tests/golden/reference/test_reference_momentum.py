"""Momentum on the states: without it inference as ever, with it the same equilibrium sooner, by the rate of theory."""

import numpy as np
import pytest
from helpers import layered

from golden.reference import infer, linear_equilibrium
from golden.reference.momentum import relax

GAMMA = 0.2


def net(activation, layers=(5, 6, 6, 4)):
    made = layered(list(layers), network={"activation": activation}).build_network()
    rng = np.random.default_rng(3)
    weights = {(e.source, e.target): rng.normal(0, 0.4, (made.by_name[e.target].size, made.by_name[e.source].size))
               for e in made.stored}
    return made, weights, {"x0": rng.random((2, 5)), "x3": rng.random((2, 4))}


def test_no_momentum_is_inference():
    network, weights, clamps = net("tanh")
    wanted = infer(network, weights, clamps, GAMMA, 7).states[-1]
    for name, value in relax(network, weights, clamps, GAMMA, 0.0, 7).items():
        np.testing.assert_allclose(value, wanted[name], atol=1e-15)


def test_one_step_starts_at_rest():
    """At the first step there is no way yet, so that y' = x' + momentum (x' - x) by hand."""
    network, weights, clamps = net("tanh")
    zero, one = infer(network, weights, clamps, GAMMA, 1).states
    found = relax(network, weights, clamps, GAMMA, 0.5, 1)
    np.testing.assert_allclose(found["x1"], one["x1"] + 0.5 * (one["x1"] - zero["x1"]), atol=1e-15)
    np.testing.assert_array_equal(found["x3"], clamps["x3"])


def test_it_ends_at_the_same_equilibrium_and_sooner():
    """The closed form of a linear network; after as many steps it is nearer by orders."""
    network, weights, clamps = net("identity")
    wanted = linear_equilibrium(network, weights, clamps["x0"], clamps["x3"])

    def far(momentum, steps):
        found = relax(network, weights, clamps, GAMMA, momentum, steps)
        return np.sqrt(sum(((found[name] - value) ** 2).sum() for name, value in wanted.items()))

    assert far(0.6, 400) < 1e-12
    assert far(0.6, 40) < far(0.0, 40) / 10


@pytest.mark.parametrize("curvature, momentum", [(0.05, 0.7), (0.02, 0.9), (0.9, 0.5)])
def test_a_mode_obeys_its_difference_equation(curvature, momentum):
    """One neuron that predicts another with weight v has E'' = 1 + v^2 = curvature / gamma; its distance d from
    equilibrium follows d'' = (1 + momentum) q d' - momentum q d, q = 1 - curvature."""
    network = layered([1, 1, 1], network={"activation": "identity"}).build_network()
    gamma, q = curvature / (1 + 0.5**2), 1 - curvature
    weights = {("x0", "x1"): np.array([[0.3]]), ("x1", "x2"): np.array([[0.5]])}
    clamps = {"x0": np.array([[1.0]]), "x2": np.array([[2.0]])}
    settled = linear_equilibrium(network, weights, clamps["x0"], clamps["x2"])["x1"]
    d = np.array([(relax(network, weights, clamps, gamma, momentum, n)["x1"] - settled).item() for n in range(1, 12)])
    np.testing.assert_allclose(d[2:], (1 + momentum) * q * d[1:-1] - momentum * q * d[:-2], atol=1e-14)
    assert abs(d[0]) > 1e-3
