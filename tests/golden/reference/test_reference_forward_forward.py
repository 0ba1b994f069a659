"""Forward-forward in float: its updates are descents of what each layer is judged by, and goodness is not passed on."""

import numpy as np
import pytest
from helpers import layered

from golden.reference.forward_forward import descent, hardest, passes, scores
from hebbar.contract.errors import BadInput

SLOPE, THRESHOLD = 3.0, 0.2


def net(layers=(5, 6, 4, 3), **network):
    count = len(layers) - 1
    config = layered(list(layers), network={"activation": "tanh"} | network,
                     rule={"alpha_shifts": [3] * count, "init_scales": [0.6] * count})
    made = config.build_network()
    rng = np.random.default_rng(1)
    weights = {(e.source, e.target): rng.normal(0, 0.5, (made.by_name[e.target].size, made.by_name[e.source].size))
               for e in made.stored}
    return made, weights, rng.normal(0, 0.5, (layers[1], layers[-1])), rng.random((2, layers[0]))


def losses(network, weights, labels, inputs, label, right):
    """-log p, or -log(1 - p), of every layer on what it sees, summed over the batch: from the logistic function."""
    found = []
    for _, _, a in passes(network, weights, labels, inputs, label):
        s = SLOPE * (a.mean(axis=1) - THRESHOLD)
        found.append(np.log1p(np.exp(-s if right else s)).sum())
    return np.array(found)


@pytest.mark.parametrize("right", [True, False])
@pytest.mark.parametrize("bias", [True, False])
def test_updates_are_the_descent_of_each_layers_own_loss(right, bias):
    """By central differences; a weight of a lower layer moves the loss of a higher one too, unlearnt."""
    network, weights, labels, inputs = net(bias=bias)
    label = np.eye(3)[[0, 2]]
    change, of_labels = descent(network, weights, labels, inputs, label, right, SLOPE, THRESHOLD)
    order = list(network.chain[1:-1])
    assert set(change) == {(e.source, e.target) for e in network.stored if e.target in order}
    for key, block in [*change.items(), ("labels", of_labels)]:
        layer = 0 if key == "labels" else order.index(key[1])
        for at in np.ndindex(block.shape):
            found = []
            for step in (1e-5, -1e-5):
                moved, shifted = {k: w.copy() for k, w in weights.items()}, labels.copy()
                (shifted if key == "labels" else moved[key])[at] += step
                found.append(losses(network, moved, shifted, inputs, label, right)[layer])
            assert (found[1] - found[0]) / 2e-5 == pytest.approx(block[at], abs=1e-7), (key, at)


def test_goodness_is_not_passed_on():
    """What a layer sees of the one below has no mean, so that its sum, by which that one is judged, tells nothing."""
    network, weights, labels, inputs = net((5, 6, 4, 7, 3))
    for seen, _, _ in passes(network, weights, labels, inputs, np.eye(3)[[1, 1]])[1:]:
        np.testing.assert_allclose(seen.mean(axis=1), 0, atol=1e-15)
        assert np.abs(seen).max() > 0.01


def test_the_hardest_label_is_the_best_of_the_wrong_ones():
    network, weights, labels, inputs = net((5, 6, 4))
    found = scores(network, weights, labels, inputs)
    by_hand = np.tanh(inputs[0] @ weights["x0", "x1"].T + labels[:, 2]).mean()
    assert found.shape == (2, 4) and found[0, 2] == pytest.approx(by_hand)
    best, second = np.argsort(-found[0])[:2]
    for right, wanted in ((best, second), (second, best)):
        label = np.eye(4)[[right, right]]
        assert hardest(network, weights, labels, inputs, label)[0].tolist() == np.eye(4)[wanted].tolist()


def test_right_and_wrong_pull_apart():
    """Goodness with the right label grows and with the wrong one falls, in every layer, after a small update."""
    network, weights, labels, inputs = net()
    for right in (True, False):
        label = np.eye(3)[[1, 1]]
        change, of_labels = descent(network, weights, labels, inputs, label, right, SLOPE)
        moved = {k: w + 1e-3 * change.get(k, 0) for k, w in weights.items()}
        before, after = (np.array([a.mean() for _, _, a in passes(network, w, u, inputs, label)])
                         for w, u in ((weights, labels), (moved, labels + 1e-3 * of_labels)))
        assert ((after - before)[0] > 0) is np.bool_(right)


def test_a_graph_is_refused():
    network, weights, labels, inputs = net((5, 4, 4, 3), residual=True)
    with pytest.raises(BadInput, match="without a residual"):
        passes(network, weights, labels, inputs, np.eye(3)[[0, 0]])
