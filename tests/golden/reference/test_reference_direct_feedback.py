"""Theorems of direct feedback alignment: where it is backprop, and that forward weights learn to fit the feedback."""

import numpy as np
import pytest

from golden.reference import backprop, initial_weights
from golden.reference.direct_feedback import descent
from hebbar.compiler.network import Role, layered
from hebbar.compiler.rule_config import RuleConfig
from hebbar.contract.errors import BadInput


def network(activation, layers=(4, 6, 5, 3)):
    count = len(layers) - 1
    return layered(list(layers), activation, [0] * count, [0.7] * count)


def clamps(net, batch=5, seed=3):
    rng = np.random.default_rng(seed)
    last = net.populations[-1]
    return {"x0": rng.standard_normal((batch, net.by_name["x0"].size)),
            last.name: rng.standard_normal((batch, last.size))}


def fixed(net, seed=4):
    rng, last = np.random.default_rng(seed), net.populations[-1]
    return {(p.name, last.name): rng.standard_normal((p.size, last.size)) for p in net.with_role(Role.HIDDEN)}


@pytest.mark.parametrize("activation, layers", [("identity", (4, 6, 5, 3)), ("tanh", (4, 6, 3))])
def test_with_the_transposed_forward_path_it_is_backprop(activation, layers):
    """In a linear net B_l = (W_L .. W_{l+1})^T carries exactly backprop's delta, with one hidden layer B = W_2^T
    does, whatever f. Without it a factor, a slope or a transpose could be missing."""
    net = network(activation, layers)
    weights, given, last = initial_weights(net, 1), clamps(net), f"x{len(layers) - 1}"
    path, through = {}, np.eye(layers[-1])
    for i in reversed(range(1, len(layers) - 1)):
        through = through @ weights[f"x{i}", f"x{i + 1}"]
        path[f"x{i}", last] = through.T
    got, wanted = descent(net, weights, path, given), backprop(net, weights, given, RuleConfig()).delta
    for key, block in wanted.items():
        np.testing.assert_allclose(got[key], block, atol=1e-12)


def test_the_output_layer_learns_by_its_own_error_and_a_hidden_one_does_not_see_the_weights_above():
    """Weights above a layer change what the output's error is and nothing else of its delta."""
    net = network("tanh")
    weights, given, feedback = initial_weights(net, 1), clamps(net), fixed(net)
    one = descent(net, weights, feedback, given)
    np.testing.assert_allclose(one["x2", "x3"], backprop(net, weights, given, RuleConfig()).delta["x2", "x3"])
    turned = dict(weights) | {("x2", "x3"): -weights["x2", "x3"]}
    hidden = np.tanh(np.tanh(given["x0"] @ weights["x0", "x1"].T) @ weights["x1", "x2"].T)
    mirrored = dict(given) | {"x3": given["x3"] - 2 * hidden @ weights["x2", "x3"].T}
    other = descent(net, turned, feedback, mirrored)  # the same error at the output
    np.testing.assert_allclose(other["x0", "x1"], one["x0", "x1"], atol=1e-12)
    assert np.abs(backprop(net, turned, mirrored, RuleConfig()).delta["x0", "x1"]
                  - backprop(net, weights, given, RuleConfig()).delta["x0", "x1"]).max() > 0.01


def test_forward_weights_align_with_the_feedback():
    """Lillicrap et al.: from weights of 0 a linear net learns its task through random feedback, and the deltas come to
    lie within a right angle of backprop's. A wrong sign of the feedback diverges instead."""
    net = network("identity", (4, 8, 3))
    rng = np.random.default_rng(0)
    x, teacher = rng.standard_normal((50, 4)), rng.standard_normal((3, 4))
    given, feedback = {"x0": x, "x2": x @ teacher.T}, fixed(net)
    weights = {key: np.zeros_like(w) for key, w in initial_weights(net, 1).items()}
    first = np.mean(given["x2"]**2)
    for _ in range(4000):
        change = descent(net, weights, feedback, given)
        weights = {key: w + 0.0005 * change[key] for key, w in weights.items()}
    error = given["x2"] - x @ weights["x0", "x1"].T @ weights["x1", "x2"].T
    assert np.mean(error**2) < 1e-3 * first
    random = rng.standard_normal((200, 3))
    ours, backprops = random @ feedback["x1", "x2"].T, random @ weights["x1", "x2"]
    cosines = (ours * backprops).sum(1) / np.linalg.norm(ours, axis=1) / np.linalg.norm(backprops, axis=1)
    assert cosines.min() > 0.0


def test_what_is_missing_is_said():
    net = network("tanh")
    with pytest.raises(BadInput, match=r"feedback\[\('x2', 'x3'\)\] has shape None; give one of shape \(5, 3\)"):
        descent(net, initial_weights(net, 1), {key: b for key, b in fixed(net).items() if key[0] == "x1"}, clamps(net))
