"""Theorems of PC-ALM: its states and weights see the gradient of its Lagrangian, and where it settles backprop's."""

import numpy as np
import pytest

from golden.reference import backprop, depth, errors, initial_weights, state_descent
from golden.reference.state import hold
from hebbar.compiler.network import layered
from hebbar.compiler.rule_config import RuleConfig
from hebbar.contract.errors import BadInput


def network(activation, layers=(3, 4, 4, 4, 2), residual=True):
    count = len(layers) - 1
    return layered(list(layers), activation, [0] * count, [0.7] * count, residual=residual)


def clamps(net, batch=3, seed=5):
    rng = np.random.default_rng(seed)
    return {"x0": rng.standard_normal((batch, net.by_name["x0"].size)),
            net.populations[-1].name: rng.standard_normal((batch, net.populations[-1].size))}


@pytest.mark.parametrize("rho", [1.0, 0.3])
@pytest.mark.parametrize("activation", ["tanh", "identity"])
def test_states_descend_the_lagrangian(activation, rho):
    """Central differences of L in every free state; without it a multiplier could enter feedback with a wrong sign."""
    net = network(activation)
    weights, given, rng = initial_weights(net, 1), clamps(net), np.random.default_rng(2)
    held = hold(net, given)
    states = {p.name: given.get(p.name, rng.standard_normal((3, p.size))) for p in net.populations}
    multipliers = {name: rng.standard_normal(c.shape) for name, c in errors(net, weights, states).items()}
    u = depth.controlled(net, weights, states, multipliers, held, rho)
    descent, step = state_descent(net, weights, states, u), 1e-6
    for name in ("x1", "x2", "x3"):
        for k in range(net.by_name[name].size):
            values = []
            for sign in (1, -1):
                moved = {n: x.copy() for n, x in states.items()}
                moved[name][:, k] += sign * step
                values.append(depth.lagrangian(net, weights, moved, multipliers, held, rho))
            np.testing.assert_allclose(-(values[0] - values[1]) / (2 * step), descent[name][:, k], atol=1e-6)


@pytest.mark.parametrize("activation", ["identity", "tanh"])
@pytest.mark.parametrize("residual", [True, False])
def test_where_it_settles_the_update_is_that_of_backprop(activation, residual):
    """Exact in the linear case and beyond, at the feed-forward states; predictive coding has no such limit."""
    net = network(activation, residual=residual)
    weights, given = initial_weights(net, 1), clamps(net)
    wanted = backprop(net, weights, given, RuleConfig()).delta
    end = depth.infer(net, weights, given, 0.2, 2000)
    change = depth.update(net, weights, given, 0.2, 2000)
    for key, block in wanted.items():
        np.testing.assert_allclose(change[key], block, atol=1e-9)
    assert max(np.abs(c).max() for n, c in errors(net, weights, end.states).items() if n != "x4") < 1e-10
    np.testing.assert_allclose(end.multipliers["x2"], end.controlled["x2"], atol=1e-10)
    pc = depth.update(net, weights, given, 0.2, 2000, kappa=0.0)
    assert np.abs(pc["x0", "x1"] - wanted["x0", "x1"]).max() > 1e-2


def test_steps_are_counted_from_zero():
    net = network("tanh")
    with pytest.raises(BadInput, match="steps is -1; give 0 or more state steps"):
        depth.infer(net, initial_weights(net, 1), clamps(net), 0.1, -1)
