"""The float engines, 784-256-10, IL, batch 64, 20 steps, one thread: samples a second, and the bound of float32."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
from numpy.typing import NDArray

from golden.reference.state import Weights, initial_weights
from golden.reference.training import train_epoch
from hebbar.compiler.config import parse
from hebbar.compiler.network import Network
from hebbar.compiler.rule_config import RuleConfig
from hebbar.contract.console import Reporter
from hebbar.contract.results import Figure

from .turns import ratio, take_turns

__all__ = ["BATCH", "BATCHES", "LAYERS", "ROUNDS", "STEPS", "Task", "measure", "task"]

LAYERS, BATCH, STEPS = (784, 256, 10), 64, 20
ROUNDS = {False: 9, True: 2}
BATCHES = 8
BOUND = 0.60


def measure(folder: Path, quick: bool, reporter: Reporter, images: Path | None = None) -> list[Figure]:
    """Figures of both engines with both activations; the bound is the time of IL's matrix products in float32.
    ``images`` is unused: pixels are random."""
    figures = []
    for activation in ("tanh", "relu"):
        runs = {"float32": task(activation, np.float32).epoch, "float64": task(activation, np.float64).epoch,
                "bound": _products()}
        speeds = take_turns(runs, ROUNDS[quick], f"float engines, {activation}", reporter)
        share, text = ratio(speeds["float32"], speeds["bound"])
        figures += [Figure(f"{name} engine, {activation}, 784-256-10, IL, batch 64, T 20", round(median(speeds[name])),
                           "beside it", "samples/s", None) for name in ("float32", "float64")]
        figures.append(Figure(f"float32 engine against its matrix products alone, {activation} ({text})", share,
                              f">= {BOUND}", "", share >= BOUND))
    return figures


@dataclass(frozen=True)
class Task:
    """Samples to learn in batches: ``inputs`` (samples, inputs), ``targets`` (samples, outputs), first ``weights`` by
    edge, and the ``rule``, whose alpha is 2**-shift."""

    network: Network
    rule: RuleConfig
    inputs: NDArray[Any]
    targets: NDArray[Any]
    weights: Weights
    dtype: type
    shift: int

    def epoch(self, times: int = 1) -> int:
        """Learn all samples, ``times`` in a row; how many that are."""
        count = times * len(self.inputs)
        self._learn(count)
        return count

    def batch(self) -> Weights:
        """The weights after the first batch."""
        return self._learn(BATCH)

    def _learn(self, count: int) -> Weights:
        return train_epoch(self.network, self.weights, self.inputs, self.targets, self.rule,
                           np.arange(count) % len(self.inputs), batch=BATCH, dtype=self.dtype)


def task(activation: str, dtype: type, shift: int = 13) -> Task:
    """A training on random images, four fifths of whose pixels are zero."""
    config = parse({"network": {"layers": list(LAYERS), "activation": activation},
                    "rule": {"name": "il", "steps": STEPS, "gamma": 0.1, "alpha_shifts": [shift] * 2,
                             "init_scales": [0.5, 0.5]},
                    "machine": {"lanes": 32, "row_tiles": 4, "weight_words": 8192, "neuron_words": 128,
                                "max_columns": 64}}, "scale")
    network, rng, count = config.build_network(), np.random.default_rng(0), BATCH * BATCHES
    inputs = rng.random((count, LAYERS[0])) * (rng.random((count, LAYERS[0])) < 0.2)
    targets: NDArray[Any] = np.eye(LAYERS[-1], dtype=dtype)[rng.integers(0, LAYERS[-1], count)]
    return Task(network, config.rule, inputs.astype(dtype), targets, initial_weights(network, 0), dtype, shift)


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
