"""The energy of predictive coding and its gradients.

``E = 1/2 sum pi |x - mu|^2`` over the populations, and of a categorical one the cross entropy
``-sum x log softmax(mu)``, x a distribution. Errors are ``e = -dE/dmu``: ``pi (x - mu)`` and ``x -
softmax(mu)``.

All functions take batches: ``states[g]`` and ``errors[g]`` are (batch, size). Gradients are given
as descents, ``-dE``, which is what inference and learning add. Source: Salvatori et al., NeurIPS
2022 (PC on arbitrary graphs); Whittington and Bogacz 2017 for the layered case; Pinchetti et al., NeurIPS
2022 (precision, categorical).
"""

from collections.abc import Callable, Mapping

import numpy as np

from hebbar.compiler.network import Error, Network
from hebbar.contract.activations import ACTIVATIONS

from .state import Array, States, Weights, absent

__all__ = ["FUNCTIONS", "functions", "softmax", "log_softmax", "activity", "slope", "activities", "drive", "feedback",
           "predictions", "errors", "energy", "assess", "state_descent", "weight_descent"]

LEAK = 0.125


def _sigmoid(x: Array) -> Array:
    return 0.5 + 0.5 * np.tanh(0.5 * x)


def _sigmoid_slope(x: Array) -> Array:
    s = _sigmoid(x)
    return s * (1.0 - s)


FUNCTIONS: dict[str, tuple[Callable[[Array], Array], Callable[[Array], Array]]] = {
    "identity": (lambda x: x, np.ones_like),
    "relu": (lambda x: np.maximum(x, 0.0), lambda x: np.where(x >= 0, 1.0, 0.0)),
    "leaky": (lambda x: np.maximum(x, LEAK * x), lambda x: np.where(x >= 0, 1.0, LEAK)),
    "tanh": (np.tanh, lambda x: 1.0 - np.tanh(x) ** 2),
    "sigmoid": (_sigmoid, _sigmoid_slope),
    "hard_tanh": (lambda x: np.minimum(np.maximum(x, -1.0), 1.0),
                  lambda x: np.where((x >= -1) & (x < 1), 1.0, 0.0)),
    "spike": (lambda x: np.where(x >= 1, 1.0, 0.0), np.zeros_like),
}
"""f and its derivative by name of the activation, on arrays of any shape."""


def functions(name: str) -> tuple[Callable[[Array], Array], Callable[[Array], Array]]:
    """f and f' of an activation; of one that a user has declared, number by number."""
    if name in FUNCTIONS:
        return FUNCTIONS[name]
    declared = ACTIVATIONS[name]
    return np.vectorize(declared.f, [np.float64]), np.vectorize(declared.derivative, [np.float64])


def activity(network: Network, name: str, x: Array) -> Array:
    """f(x) of a population."""
    return functions(network.by_name[name].activation)[0](x)


def slope(network: Network, name: str, x: Array) -> Array:
    """f'(x) of a population; at a kink the slope to the right."""
    return functions(network.by_name[name].activation)[1](x)


def activities(network: Network, states: Mapping[str, Array]) -> States:
    """f(x) of every population in ``states``."""
    return {name: activity(network, name, x) for name, x in states.items()}


def log_softmax(x: Array) -> Array:
    """log p of p = softmax(x) along the last axis, finite for every finite x."""
    shifted = x - x.max(axis=-1, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True))


def softmax(x: Array) -> Array:
    """exp(x) / sum exp(x) along the last axis."""
    return np.exp(log_softmax(x))


def drive(network: Network, weights: Weights, name: str, activity: Mapping[str, Array], like: Array) -> Array:
    """sum_h W_gh a_h of the edges into a population, an identity edge adding a_h itself; shaped ``like``."""
    total = np.zeros_like(like)
    for e in network.incoming(name):
        total = total + (activity[e.source] if e.identity else activity[e.source] @ weights[e.source, name].T)
    return total


def feedback(network: Network, weights: Weights, name: str, error: Mapping[str, Array], like: Array) -> Array:
    """sum_k W_kg^T e_k of the edges out of a population, an identity edge adding e_k itself; shaped ``like``."""
    total = np.zeros_like(like)
    for e in network.outgoing(name):
        total = total + (error[e.target] if e.identity else error[e.target] @ weights[name, e.target])
    return total


def predictions(network: Network, weights: Weights, states: Mapping[str, Array]) -> States:
    """mu_g of every population that has an error; 0 where nothing predicts it."""
    a = activities(network, states)
    return {p.name: drive(network, weights, p.name, a, states[p.name]) for p in network.predicted}


def errors(network: Network, weights: Weights, states: Mapping[str, Array]) -> States:
    """e_g of every population that has an error, clamped ones included."""
    return _errors(network, states, predictions(network, weights, states))


def _errors(network: Network, states: Mapping[str, Array], mu: States) -> States:
    return {p.name: states[p.name] - softmax(mu[p.name]) if p.error is Error.CATEGORICAL
            else 2.0**p.precision * (states[p.name] - mu[p.name]) for p in network.predicted}


def energy(network: Network, weights: Weights, states: Mapping[str, Array]) -> Array:
    """E of each sample, shape (batch,)."""
    return assess(network, weights, states)[1]


def assess(network: Network, weights: Weights, states: Mapping[str, Array]) -> tuple[States, Array]:
    """(errors, energy) of the same states, from one pass."""
    mu = predictions(network, weights, states)
    error, total = _errors(network, states, mu), np.zeros(len(next(iter(states.values()))))
    for p in network.predicted:
        if p.error is Error.CATEGORICAL:
            total = total - (states[p.name] * log_softmax(mu[p.name])).sum(axis=1)
        else:
            total = total + 2.0 ** -(p.precision + 1) * (error[p.name] ** 2).sum(axis=1)
    return error, total


def state_descent(network: Network, weights: Weights, states: Mapping[str, Array],
                  error: Mapping[str, Array]) -> States:
    """-e_g + f'(x_g) * sum_k W_kg^T e_k of every population in ``states``, which is -dE/dx_g.

    ``error`` must be the errors of these states and weights. Of a categorical population that moves it is
    no gradient: -e takes its state to softmax(mu).
    """
    descent = {}
    for name, x in states.items():
        own = -error[name] if name in error else np.zeros_like(x)
        descent[name] = own + slope(network, name, x) * feedback(network, weights, name, error, x)
    return descent


def weight_descent(network: Network, states: Mapping[str, Array],
                   error: Mapping[str, Array]) -> Weights:
    """-dE/dW_gh = e_g f(x_h)^T of every edge with weights of its own, summed over the batch; zero where
    the edge has no weights."""
    a = activities(network, states)
    descent = {}
    for edge in network.stored:
        block, gone = error[edge.target].T @ a[edge.source], absent(network, edge)
        if gone is not None:
            block[gone] = 0.0
        descent[edge.source, edge.target] = block
    return descent
