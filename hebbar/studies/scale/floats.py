"""The float engines, 784-256-10, IL, batch 64, 20 steps, one thread: samples a second, and the bound of float32."""

from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
from numpy.typing import NDArray

from golden.reference.state import initial_weights
from golden.reference.training import train_epoch
from hebbar.compiler.config import parse
from hebbar.contract.console import Reporter
from hebbar.contract.results import Figure

from .turns import ratio, take_turns

__all__ = ["measure"]

LAYERS, BATCH, STEPS = (784, 256, 10), 64, 20
ROUNDS = {False: 9, True: 2}
BATCHES = 8
BOUND = 0.60


def measure(folder: Path, quick: bool, reporter: Reporter, images: Path | None = None) -> list[Figure]:
    """Figures of both engines with both activations; the bound is the time of IL's matrix products in float32.
    ``images`` is unused: pixels are random."""
    figures = []
    for activation in ("tanh", "relu"):
        runs = {"float32": _trainer(activation, np.float32), "float64": _trainer(activation, np.float64),
                "bound": _products()}
        speeds = take_turns(runs, ROUNDS[quick], f"float engines, {activation}", reporter)
        share, text = ratio(speeds["float32"], speeds["bound"])
        figures += [Figure(f"{name} engine, {activation}, 784-256-10, IL, batch 64, T 20", round(median(speeds[name])),
                           "beside it", "samples/s", None) for name in ("float32", "float64")]
        figures.append(Figure(f"float32 engine against its matrix products alone, {activation} ({text})", share,
                              f">= {BOUND}", "", share >= BOUND))
    return figures


def _trainer(activation: str, dtype: type) -> Callable[[], int]:
    """A training on random images, four fifths of whose pixels are zero."""
    config = parse({"network": {"layers": list(LAYERS), "activation": activation},
                    "rule": {"name": "il", "steps": STEPS, "gamma": 0.1, "alpha_shifts": [13, 13],
                             "init_scales": [0.5, 0.5]},
                    "machine": {"lanes": 32, "row_tiles": 4, "weight_words": 8192, "neuron_words": 128,
                                "max_columns": 64}}, "scale")
    network, rng, count = config.build_network(), np.random.default_rng(0), BATCH * BATCHES
    inputs = rng.random((count, LAYERS[0])) * (rng.random((count, LAYERS[0])) < 0.2)
    inputs = inputs.astype(dtype)
    targets: NDArray[Any] = np.eye(LAYERS[-1], dtype=dtype)[rng.integers(0, LAYERS[-1], count)]
    weights, order = initial_weights(network, 0), np.arange(count)

    def train() -> int:
        train_epoch(network, weights, inputs, targets, config.rule, order, batch=BATCH, dtype=dtype)
        return count

    return train


def _products() -> Callable[[], int]:
    """The matrix products that IL needs: 2 with the inputs, T + 1 forward, T back, 1 to learn."""
    rng, (inputs, hidden, outputs) = np.random.default_rng(1), LAYERS
    x, a, e, f = (rng.random((BATCH, n), np.float32) for n in (inputs, hidden, hidden, outputs))
    v, w = rng.random((inputs, hidden), np.float32), rng.random((hidden, outputs), np.float32)
    back = np.ascontiguousarray(w.T)

    def run() -> int:
        for _ in range(BATCHES):
            x @ v, x.T @ e, a.T @ f
            for _ in range(STEPS + 1):
                a @ w
            for _ in range(STEPS):
                f @ back
        return BATCH * BATCHES

    return run
