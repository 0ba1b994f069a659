"""The energy of predictive coding and its gradients.

All functions take batches: ``states[g]`` and ``errors[g]`` are (batch, size). Gradients are given
as descents, ``-dE``, which is what inference and learning add. Source: Salvatori et al., NeurIPS
2022 (PC on arbitrary graphs); Whittington and Bogacz 2017 for the layered case.
"""

from collections.abc import Callable, Mapping

import numpy as np

from hebbar.network import Network

from .state import Array, States, Weights

__all__ = ["FUNCTIONS", "activity", "slope", "activities", "predictions", "errors", "energy",
           "state_descent", "weight_descent"]

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
}


def activity(network: Network, name: str, x: Array) -> Array:
    """f(x) of a population."""
    return FUNCTIONS[network.by_name[name].activation][0](x)


def slope(network: Network, name: str, x: Array) -> Array:
    """f'(x) of a population; at a kink the slope to the right."""
    return FUNCTIONS[network.by_name[name].activation][1](x)


def activities(network: Network, states: Mapping[str, Array]) -> States:
    """f(x) of every population in ``states``."""
    return {name: activity(network, name, x) for name, x in states.items()}


def predictions(network: Network, weights: Weights, states: Mapping[str, Array]) -> States:
    """mu_g of every population that has an error; 0 where nothing predicts it."""
    a = activities(network, states)
    mu = {}
    for p in network.predicted:
        blocks = [a[e.source] @ weights[e.source, p.name].T for e in network.incoming(p.name)]
        mu[p.name] = sum(blocks, np.zeros_like(states[p.name]))
    return mu


def errors(network: Network, weights: Weights, states: Mapping[str, Array]) -> States:
    """e_g = x_g - mu_g of every population that has an error, clamped ones included."""
    mu = predictions(network, weights, states)
    return {name: states[name] - mu[name] for name in mu}


def energy(error: Mapping[str, Array]) -> Array:
    """E = 1/2 sum |e|^2 of each sample, shape (batch,)."""
    return 0.5 * sum((e**2).sum(axis=1) for e in error.values())


def state_descent(network: Network, weights: Weights, states: Mapping[str, Array],
                  error: Mapping[str, Array]) -> States:
    """-dE/dx_g = -e_g + f'(x_g) * sum_k W_kg^T e_k of every population in ``states``.

    ``error`` must be the errors of these states and weights.
    """
    descent = {}
    for name, x in states.items():
        own = -error[name] if name in error else np.zeros_like(x)
        back = [error[e.target] @ weights[name, e.target] for e in network.outgoing(name)]
        descent[name] = own + slope(network, name, x) * sum(back, np.zeros_like(x))
    return descent


def weight_descent(network: Network, states: Mapping[str, Array],
                   error: Mapping[str, Array]) -> Weights:
    """-dE/dW_gh = e_g f(x_h)^T of every edge, summed over the batch; zero on a zero diagonal."""
    a = activities(network, states)
    descent = {}
    for edge in network.edges:
        block = error[edge.target].T @ a[edge.source]
        if edge.zero_diagonal:
            np.fill_diagonal(block, 0.0)
        descent[edge.source, edge.target] = block
    return descent
