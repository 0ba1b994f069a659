"""Theorem 14: prospective configuration aligns with the target, and what truncation adds to it.

The figures on ten linear layers of width 8 (Song et al. 2024) are means over random networks with a
standard deviation of 0.3 in the paired difference, hence a thousand of them.
"""

import re

import numpy as np
import pytest

from golden import reference as ref
from golden.reference.alignment import (
    backprop_update,
    compare,
    equilibrium_update,
    hidden_layers,
    last_layer,
    output,
    target_alignment,
    truncated_updates,
)
from hebbar.compiler.network import layered
from hebbar.compiler.rule_config import RuleConfig
from hebbar.contract.errors import BadInput

NETWORK = layered([8] * 11, "identity", [0] * 10, [1.0] * 10)


def sample(seed):
    """Xavier-normal weights (standard deviation 1/sqrt(8)), one input and one target."""
    rng = np.random.default_rng(seed)
    weights = {(f"x{n}", f"x{n + 1}"): rng.normal(size=(8, 8)) / np.sqrt(8) for n in range(10)}
    return weights, {"x0": rng.normal(size=(1, 8)), "x10": rng.normal(size=(1, 8))}


def table(steps, count, gamma=0.1):
    """(alignment, last only, hidden only, last share, distance) by case, one row per network."""
    rows = [compare(NETWORK, *sample(seed), gamma, steps) for seed in range(count)]
    return {name: np.array([list(vars(r[name]).values()) for r in rows]) for name in rows[0]}


@pytest.fixture(scope="module")
def truncated():
    return table((0, 1, 5, 20, 64), 80)


def test_the_cosine_is_that_of_the_first_order_change():
    """By hand: the output moves by sum_l W_L..W_{l+1} dW_l x_{l-1}; a finite alpha only approximates it."""
    weights, clamps = sample(0)
    update = backprop_update(NETWORK, weights, clamps)
    blocks, x = list(weights.values()), [clamps["x0"][0]]
    for w in blocks:
        x.append(w @ x[-1])
    change = np.zeros(8)
    for n, d in enumerate(update.values()):
        step = d @ x[n]
        for w in blocks[n + 1:]:
            step = w @ step
        change += step
    wanted = clamps["x10"][0] - x[-1]
    cosine = wanted @ change / np.linalg.norm(wanted) / np.linalg.norm(change)
    np.testing.assert_allclose(output(NETWORK, weights, clamps)[0], x[-1], rtol=1e-12)
    assert abs(cosine) < 0.95
    assert target_alignment(NETWORK, weights, clamps, update) == pytest.approx(cosine, abs=1e-5)


def test_updates_are_those_of_the_rules():
    """Comparing anything else than the rules users train with would be a figure about nothing."""
    network = layered([5, 4, 6, 3], "identity", [0, 1, 2], [1.0] * 3)
    weights, rng = ref.initial_weights(network, 1), np.random.default_rng(1)
    clamps = {"x0": rng.normal(size=(1, 5)), "x3": rng.normal(size=(1, 3))}
    rule = RuleConfig(name="il", steps=7, gamma=0.25)
    got = {"il": truncated_updates(network, weights, clamps, 0.25, (3, 7))[7][0],
           "equilibrium": equilibrium_update(network, weights, clamps)}
    long = ref.il(network, weights, clamps, RuleConfig(name="il", steps=2000, gamma=0.25)).delta
    for name, wanted in (("il", ref.il(network, weights, clamps, rule).delta), ("equilibrium", long)):
        for key in weights:
            np.testing.assert_allclose(got[name][key], wanted[key], rtol=1e-10, atol=1e-12, err_msg=str(key))


def test_inference_learning_at_equilibrium_aligns_better_than_backprop():
    """Theorem 14, seeds paired: 0.73 against 0.655, figures of 200 networks with a standard error of 0.02."""
    found = table((), 1000)
    il, bp = found["equilibrium"][:, 0], found["backprop"][:, 0]
    error = (il - bp).std(ddof=1) / np.sqrt(len(il))
    assert il.mean() - bp.mean() > 4 * error > 0
    assert il.mean() == pytest.approx(0.73, abs=0.03) and bp.mean() == pytest.approx(0.655, abs=0.04)


def test_the_last_layer_alone_aligns_perfectly():
    """The control: backprop of the last layer, IL with no state step, scores 1 and learns nothing deep."""
    for seed in range(5):
        weights, clamps = sample(seed)
        bp = backprop_update(NETWORK, weights, clamps)
        none = truncated_updates(NETWORK, weights, clamps, 0.1, (0,))[0][0]
        for update in (last_layer(NETWORK, bp), none, last_layer(NETWORK, none)):
            assert target_alignment(NETWORK, weights, clamps, update) == pytest.approx(1, abs=1e-9)
        assert target_alignment(NETWORK, weights, clamps, bp) < 0.99
        assert np.isnan(target_alignment(NETWORK, weights, clamps, hidden_layers(NETWORK, none)))


def test_truncation_inflates_the_alignment(truncated):
    """A figure at one T says little: it falls with T, .99 at 1, .87 at 20, .82 at 64 (here 80 networks)."""
    means = {t: truncated[t][:, 0].mean() for t in (0, 1, 5, 20, 64)}
    assert means[0] > means[1] > means[5] > means[20] > means[64] > truncated["equilibrium"][:, 0].mean() + 0.03
    for t, wanted in ((1, 0.99), (20, 0.87), (64, 0.82)):
        assert means[t] == pytest.approx(wanted, abs=0.05)


def test_it_is_the_last_layer_that_truncation_inflates(truncated):
    """Its share falls with T while the layers before it align no better at T = 1 than at equilibrium."""
    share = [truncated[t][:, 3].mean() for t in (0, 1, 5, 20, 64, "equilibrium")]
    assert (np.diff(share) < 0).all() and share[0] == pytest.approx(1) and share[1] > 0.75 and share[-1] < 0.3
    excess = truncated[1] - truncated["equilibrium"]
    error = excess.std(axis=0, ddof=1) / np.sqrt(len(excess))
    assert excess[:, 0].mean() > 4 * error[0]
    assert abs(excess[:, 2].mean()) < 0.25 * excess[:, 0].mean()


def test_the_distance_to_equilibrium_stands_beside_each_figure(truncated):
    """Without it nobody could see that 64 steps are not half way there."""
    distance = np.array([truncated[t][:, 4] for t in (0, 1, 5, 20, 64, "equilibrium")])
    assert (distance[0] == 1).all() and (np.diff(distance, axis=0) < 0).all() and (distance[-1] == 0).all()
    assert 0.45 < distance[4].mean() < 0.7
    assert (truncated["backprop"][:, 4] == 1).all()
    weights, clamps = sample(3)
    wanted = ref.distance_to_equilibrium(NETWORK, weights, clamps, 0.2, 9, more=40_000)
    assert compare(NETWORK, weights, clamps, 0.2, (9,))[9].distance == pytest.approx(wanted[0], rel=1e-3)


def test_wrong_input_is_refused_with_the_place_and_the_fix():
    """The sum of two samples' updates has no one target direction; 0 / 0 would spoil a mean."""
    weights, clamps = sample(0)
    two = {name: np.vstack([x, x]) for name, x in clamps.items()}
    right = clamps | {"x10": output(NETWORK, weights, clamps)}
    for given, words in ((two, "clamps hold 2 samples; alignment is of one"),
                         (right, "clamps have a target equal to the output")):
        with pytest.raises(BadInput, match=re.escape(words)):
            target_alignment(NETWORK, weights, given, weights)
    tanh = layered([8] * 11, "tanh", [0] * 10, [1.0] * 10)
    with pytest.raises(BadInput, match="the closed form needs 'identity'"):
        compare(tanh, weights, clamps, 0.1)
