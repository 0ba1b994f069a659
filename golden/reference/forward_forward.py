"""Forward-forward: every layer tells an input with its right label from one with a wrong label, by itself.

    x_l = W_l s_{l-1}, a_l = f(x_l),        s_0 the input with a label, s_l = a_l - mean(a_l)
    G_l = mean(a_l),        p_l = sigmoid(slope (G_l - threshold))
    dW_l = f'(x_l) slope / N_l (1 - p_l) s_{l-1}^T        with the right label, the descent of -log p_l
    dW_l = -f'(x_l) slope / N_l p_l s_{l-1}^T             with a wrong one, the descent of -log(1 - p_l)

Source: Hinton, arXiv 2212.13345, section 2. There goodness is the sum of squares of activities, and what a layer
passes on is divided by its length, so that the next one cannot read the goodness off it. Here goodness is their mean,
and what is passed on is less that mean, which needs no division but takes only the sum of activities out and not their
scale: in rectifiers the next layer still sees it, and with it the goodness. As there, in what he calls the slow way, a
prediction is the label of the highest goodness over all layers, here in their mean, and the wrong label to learn from
is the one that would be predicted were it not for the right one. On the machine the right label comes first, then the
wrong one; what the input and biases contribute to the lowest layer is computed once a sample, so that the second pass
has it from before the first update. ``descent`` is one pass of either kind.
"""

from itertools import pairwise

import numpy as np

from hebbar.compiler.network import Edge, Network, Role
from hebbar.contract.errors import BadInput

from .energy import activity, slope as derivative
from .state import Array, Weights

__all__ = ["Layer", "descent", "hardest", "passes", "scores"]

Layer = tuple[Array, Array, Array]
"""What a layer sees, (batch, inputs), its states and its activities, (batch, size)."""


def passes(network: Network, weights: Weights, labels: Array, inputs: Array, label: Array) -> list[Layer]:
    """The hidden layers, the lowest first, of a layered network on ``inputs``, (batch, size), with a ``label``, (batch,
    classes).

    ``labels``: the weights from the label to the lowest hidden layer, (size, classes). Raises BadInput for a network
    that is not layered."""
    chain = network.chain
    if chain is None:
        raise BadInput("network: layers are judged one after the other; give network.layers, without a residual.")
    seen, found = np.asarray(inputs, dtype=np.float64), list[Layer]()
    for below, name in pairwise(chain[:-1]):
        x = seen @ weights[below, name].T + (0.0 if found else label @ labels.T)
        for edge in _biases(network, name):
            x = x + weights[edge.source, name][:, 0]
        a = activity(network, name, x)
        found.append((seen, x, a))
        seen = a - a.mean(axis=1, keepdims=True)
    return found


def _biases(network: Network, name: str) -> list[Edge]:
    return [e for e in network.incoming(name) if network.by_name[e.source].role is Role.CONSTANT]


def scores(network: Network, weights: Weights, labels: Array, inputs: Array) -> Array:
    """The goodness of every class, (batch, classes), the mean over the layers."""
    every = np.eye(labels.shape[1])
    found = [passes(network, weights, labels, inputs, np.tile(one, (len(inputs), 1))) for one in every]
    return np.array([np.mean([a.mean(axis=1) for _, _, a in layers], axis=0) for layers in found]).T


def hardest(network: Network, weights: Weights, labels: Array, inputs: Array, label: Array) -> Array:
    """The wrong label of the highest goodness, the first of equal ones, (batch, classes), 1 at it and 0 elsewhere."""
    found = scores(network, weights, labels, inputs)
    return np.eye(labels.shape[1])[np.where(label > 0, -np.inf, found).argmax(axis=1)]


def descent(network: Network, weights: Weights, labels: Array, inputs: Array, label: Array, right: bool, slope: float,
            threshold: float = 0.0) -> tuple[Weights, Array]:
    """``e s^T`` of every block into a hidden layer, and of the label's, summed over the batch: the change at alpha 1.

    ``label``: (batch, classes), the ``right`` one or a wrong one. Raises BadInput for a network that is not layered."""
    change: Weights = {}
    errors = list[Array]()
    layers, chain = passes(network, weights, labels, inputs, label), network.chain or ()
    for (below, name), (seen, x, a) in zip(pairwise(chain[:-1]), layers, strict=True):
        p = 1 / (1 + np.exp(-slope * (a.mean(axis=1, keepdims=True) - threshold)))
        e = derivative(network, name, x) * slope / a.shape[1] * ((1 - p) if right else -p)
        change[below, name] = e.T @ seen
        for edge in _biases(network, name):
            change[edge.source, name] = e.sum(axis=0)[:, None]
        errors.append(e)
    return change, errors[0].T @ label
