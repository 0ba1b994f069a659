"""Predictive coding beyond Gaussian distributions (Pinchetti et al., NeurIPS 2022), on layers.

The energy is a sum of Kullback-Leibler divergences, ``E = sum_l KL(layer l as it is || as predicted)``,
with ``mu_l = W_l a_{l-1} + b_l`` from the activities of the layer below:

* gaussian: variance 1 / pi fixed, ``E_l = pi |x - mu|^2 / 2``, ``a = f(x)``;
* categorical: x are log-odds phi, ``p = softmax(phi)``, ``phat = softmax(mu)``, ``E_l = KL(p || phat)``,
  ``a = p``;
* onehot, the last layer: its state is the clamped distribution y itself and the prediction
  ``softmax(mu)``, ``E_L = -sum y log softmax(mu)`` for a one-hot y.

Errors are ``e_l = -dE/dmu_l``: pi (x - mu), p - phat, y - softmax(mu). With them every weight update is
``e a^T``, as in plain predictive coding. Layer 0 is the input, clamped, its activity is its state. Layers
are lists, input side first; states are (batch, size), updates are summed over the batch.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np

from hebbar.contract.errors import BadInput
from hebbar.contract.suggest import suggest

from .energy import FUNCTIONS, log_softmax, softmax
from .state import Array

__all__ = ["Kind", "Layer", "Block", "Layers", "Path", "initial_blocks", "predictions",
           "energy", "errors", "state_descent", "weight_descent", "forward", "infer", "learn"]

Kind = Literal["gaussian", "categorical", "onehot"]
"""The distribution of a layer, with the energies above."""


@dataclass(frozen=True)
class Layer:
    """``size`` neurons; ``activation`` (the name of f) and ``precision`` (pi, above 0) are of a gaussian."""

    size: int
    kind: Kind = "gaussian"
    activation: str = "identity"
    precision: float = 1.0


class Block(NamedTuple):
    """W (size of the layer, size of the layer below) and b (size of the layer,)."""

    weight: Array
    bias: Array


@dataclass(frozen=True)
class Layers:
    """Layers from the input to the output; the input is gaussian and linear, only the output may be onehot."""

    layers: tuple[Layer, ...]

    def __post_init__(self) -> None:
        if len(self.layers) < 2:
            raise BadInput(f"layers has {len(self.layers)} entries; give at least an input and an output.")
        for n, layer in enumerate(self.layers):
            _check_layer(n, layer, n + 1 == len(self.layers))

    def __getitem__(self, n: int) -> Layer:
        return self.layers[n]

    def __len__(self) -> int:
        return len(self.layers)


@dataclass(frozen=True)
class Path:
    """``states[t][l]`` (batch, size) after t steps, t = 0..T, and their ``energies`` (T + 1, batch)."""

    states: tuple[list[Array], ...]
    energies: Array


def initial_blocks(layers: Layers, seed: int, scale: float = 1.0) -> list[Block]:
    """Uniform weights of standard deviation ``scale / sqrt(columns)`` and zero biases."""
    rng, blocks = np.random.default_rng(seed), []
    for below, layer in zip(layers.layers, layers.layers[1:]):
        bound = scale * np.sqrt(3.0 / below.size)
        blocks.append(Block(rng.uniform(-bound, bound, (layer.size, below.size)), np.zeros(layer.size)))
    return blocks


def _activity(layer: Layer, x: Array) -> Array:
    return softmax(x) if layer.kind == "categorical" else FUNCTIONS[layer.activation][0](x)


def _back(layer: Layer, x: Array, signal: Array) -> Array:
    """The transposed Jacobian of the activity at x times ``signal``, (batch, size)."""
    return _spread(softmax(x), signal) if layer.kind == "categorical" else FUNCTIONS[layer.activation][1](x) * signal


def _spread(p: Array, v: Array) -> Array:
    """(diag p - p p^T) v of each sample: the Jacobian of softmax, which is symmetric."""
    return p * (v - (p * v).sum(axis=1, keepdims=True))


def predictions(layers: Layers, blocks: Sequence[Block], states: Sequence[Array]) -> list[Array]:
    """mu of layers 1..L, (batch, size) each."""
    return [_activity(layer, x) @ block.weight.T + block.bias
            for layer, x, block in zip(layers.layers, states, blocks)]


def energy(layers: Layers, blocks: Sequence[Block], states: Sequence[Array]) -> Array:
    """E of each sample, (batch,)."""
    mus = predictions(layers, blocks, states)
    return sum((_divergence(layer, x, mu) for layer, x, mu in zip(layers.layers[1:], states[1:], mus)),
               np.zeros(len(states[0])))


def _divergence(layer: Layer, x: Array, mu: Array) -> Array:
    if layer.kind == "gaussian":
        return 0.5 * layer.precision * ((x - mu) ** 2).sum(axis=1)
    if layer.kind == "categorical":
        return (softmax(x) * (log_softmax(x) - log_softmax(mu))).sum(axis=1)
    own = np.log(x, out=np.zeros_like(x), where=x > 0)  # 0 log 0 = 0
    return (x * (own - log_softmax(mu))).sum(axis=1)


def errors(layers: Layers, blocks: Sequence[Block], states: Sequence[Array]) -> list[Array]:
    """e = -dE/dmu of layers 1..L, (batch, size) each."""
    mus = predictions(layers, blocks, states)
    return [_error(layer, x, mu) for layer, x, mu in zip(layers.layers[1:], states[1:], mus)]


def _error(layer: Layer, x: Array, mu: Array) -> Array:
    if layer.kind == "gaussian":
        return layer.precision * (x - mu)
    return (softmax(x) if layer.kind == "categorical" else x) - softmax(mu)


def state_descent(layers: Layers, blocks: Sequence[Block], states: Sequence[Array]) -> list[Array]:
    """-dE/dx of the hidden layers 1..L-1, (batch, size) each.

    Own part: -pi (x - mu), or -(diag p - p p^T)(log p - log phat); from above: the transposed Jacobian of
    the activity times W^T e.
    """
    mus, es = predictions(layers, blocks, states), errors(layers, blocks, states)
    descent = []
    for n in range(1, len(layers) - 1):
        layer, x, mu = layers[n], states[n], mus[n - 1]
        own = es[n - 1] if layer.kind == "gaussian" else _spread(softmax(x), log_softmax(x) - log_softmax(mu))
        descent.append(_back(layer, x, es[n] @ blocks[n].weight) - own)
    return descent


def weight_descent(layers: Layers, blocks: Sequence[Block], states: Sequence[Array]) -> list[Block]:
    """-dE/dW = e a^T and -dE/db = e of every block, summed over the batch."""
    es = errors(layers, blocks, states)
    return [Block(e.T @ _activity(layer, x), e.sum(axis=0))
            for layer, x, e in zip(layers.layers, states, es)]


def forward(layers: Layers, blocks: Sequence[Block], inputs: Array) -> list[Array]:
    """States 0..L of zero energy for ``inputs`` (batch, size): x = mu, in a onehot output softmax(mu)."""
    states = [_samples(layers, 0, "inputs", inputs)]
    for n, block in enumerate(blocks, start=1):
        mu = _activity(layers[n - 1], states[-1]) @ block.weight.T + block.bias
        states.append(softmax(mu) if layers[n].kind == "onehot" else mu)
    return states


def infer(layers: Layers, blocks: Sequence[Block], inputs: Array, targets: Array, gamma: float,
          steps: int) -> Path:
    """``steps`` synchronous steps x += gamma * -dE/dx of the hidden layers from a feed-forward start.

    ``targets`` (batch, size) is the state of the output, clamped: distributions when it is onehot.
    """
    if steps < 0:
        raise BadInput(f"steps is {steps}; give 0 or more state steps.")
    _check_blocks(layers, blocks)
    start = forward(layers, blocks, inputs)
    path = [[*start[:-1], _targets(layers, targets, len(start[0]))]]
    for _ in range(steps):
        moves = state_descent(layers, blocks, path[-1])
        path.append([path[-1][0], *(x + gamma * d for x, d in zip(path[-1][1:], moves)), path[-1][-1]])
    return Path(tuple(path), np.array([energy(layers, blocks, states) for states in path]))


def learn(layers: Layers, blocks: Sequence[Block], inputs: Array, targets: Array, gamma: float, steps: int,
          rate: float) -> list[Block]:
    """New blocks after inference and one update from its end, W += rate * e a^T and b += rate * e."""
    states = infer(layers, blocks, inputs, targets, gamma, steps).states[-1]
    return [Block(old.weight + rate * d.weight, old.bias + rate * d.bias)
            for old, d in zip(blocks, weight_descent(layers, blocks, states))]


def _check_layer(n: int, layer: Layer, last: bool) -> None:
    if layer.size < 1:
        raise BadInput(f"layers[{n}].size is {layer.size}; it must be at least 1.")
    if layer.kind not in ("gaussian", "categorical", "onehot"):
        raise BadInput(f"layers[{n}].kind is {layer.kind!r}; give 'gaussian', 'categorical' or 'onehot'.")
    if layer.kind == "onehot" and not last:
        raise BadInput(f"layers[{n}].kind is 'onehot', which is for the last layer; use 'categorical'.")
    if layer.activation not in FUNCTIONS:
        raise BadInput(f"layers[{n}].activation is {layer.activation!r}{suggest(layer.activation, FUNCTIONS)}.")
    if not (np.isfinite(layer.precision) and layer.precision > 0):
        raise BadInput(f"layers[{n}].precision is {layer.precision}; give a finite number above 0.")
    if layer.kind != "gaussian" and (layer.activation != "identity" or layer.precision != 1.0):
        raise BadInput(f"layers[{n}] is {layer.kind} and has an activation or a precision, which are of a gaussian "
                       "layer; remove them.")
    if n == 0 and (layer.kind != "gaussian" or layer.activation != "identity"):
        raise BadInput(f"layers[0] is {layer.kind} with activation {layer.activation!r}; data enter as "
                       "activities, use 'gaussian' and 'identity'.")


def _check_blocks(layers: Layers, blocks: Sequence[Block]) -> None:
    if len(blocks) != len(layers) - 1:
        raise BadInput(f"blocks has {len(blocks)} entries for {len(layers)} layers; give {len(layers) - 1}.")
    for n, block in enumerate(blocks):
        wanted = (layers[n + 1].size, layers[n].size), (layers[n + 1].size,)
        if (np.shape(block.weight), np.shape(block.bias)) != wanted:
            raise BadInput(f"blocks[{n}] has shapes {np.shape(block.weight)} and {np.shape(block.bias)}; "
                           f"layers[{n + 1}] needs {wanted[0]} and {wanted[1]}.")


def _samples(layers: Layers, n: int, place: str, given: Array) -> Array:
    x = np.asarray(given, dtype=np.float64)
    if x.ndim != 2 or x.shape[1] != layers[n].size:
        raise BadInput(f"{place} has shape {x.shape}; give one row per sample and {layers[n].size} columns.")
    return x


def _targets(layers: Layers, given: Array, batch: int) -> Array:
    y = _samples(layers, len(layers) - 1, "targets", given)
    if len(y) != batch:
        raise BadInput(f"targets has {len(y)} samples and inputs has {batch}; give the same number.")
    off = (y < 0).any(axis=1) | ~np.isclose(y.sum(axis=1), 1.0, rtol=0, atol=1e-9)
    if layers[-1].kind == "onehot" and off.any():
        row = int(off.argmax())
        raise BadInput(f"targets[{row}] is {y[row].tolist()}, no distribution; give 1 at the class and 0 elsewhere.")
    return y
